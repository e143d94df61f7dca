"""Variants of one game: games with different payoffs for the replicas of a run."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ._tables import array_of, listed, read_only, refuse_cells
from .compact import Compact
from .markov import MarkovGame
from .matrix import MatrixGame
from .procedural import ProceduralGame

if TYPE_CHECKING:
    import numpy.typing as npt

# Attributes that all games share; `Variants` forwards them.
_SHARED = frozenset({"transitions", "start", "terminal", "observations", "turns", "time_limit"})


class Variants:
    """Games that differ only in payoffs or rewards, and the index of the game of each replica.

    ``fg.run(Variants(games, index), learners, steps, replicas=len(index))`` plays game
    ``games[index[r]]`` in replica r. Attributes other than payoffs or rewards are those that all
    games share; for Markov games also transitions, start, terminal, observations, turns and
    time_limit. Variants are immutable; they compare and hash by content.

    Parameters
    ----------
    games : sequence of MatrixGame, or of MarkovGame
        At least one game; name and source may differ too. For markets with different prices the
        actions are named "0", "1", ….
    index : array_like of int (replicas,)
        Number of the game of each replica, in [0, number of games), at least one entry. Copied.

    Raises
    ------
    TypeError
        If games are not such games, or the index does not consist of integers.
    ValueError
        If there is no game, if the games differ in other attributes, or if the index is outside its
        domain.

    Examples
    --------
    The prisoner's dilemma with three temptations, 1,000 replicas each:

    >>> from fastgames.games import prisoners_dilemma
    >>> games = [prisoners_dilemma(temptation=t) for t in (4, 5, 6)]
    >>> variants = Variants(games, np.repeat(range(3), 1000))
    >>> variants
    <Variants of "prisoner's dilemma": 3 games, 3000 replicas>
    >>> variants.games[variants.index[-1]].payoffs[0, 1, 0]
    np.float64(6.0)
    """

    __slots__ = ("_compact", "_games", "_index")

    def __init__(self, games: Iterable[MatrixGame | MarkovGame], index: npt.ArrayLike) -> None:
        self._games: tuple[MatrixGame, ...] | tuple[MarkovGame, ...] = _alike(games)
        self._index: npt.NDArray[np.int64] = check_index(index, len(self._games))
        self._compact: Compact = _together([game.compact for game in self._games])

    @property
    def games(self) -> tuple[MatrixGame, ...] | tuple[MarkovGame, ...]:
        """Games, a tuple."""
        return self._games

    @property
    def index(self) -> npt.NDArray[np.int64]:
        """Number of the game that each replica plays, (replicas,) int64, read-only."""
        return self._index

    @property
    def num_agents(self) -> int:
        """Number of agents N."""
        return self._games[0].num_agents

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Number of actions of every agent, (A_0, ..., A_{N-1})."""
        return self._games[0].num_actions

    @property
    def num_states(self) -> int:
        """Number of states S."""
        return self._games[0].num_states

    @property
    def num_observations(self) -> tuple[int, ...]:
        """Number of observations of every agent, (O_0, ..., O_{N-1})."""
        return self._games[0].num_observations

    @property
    def discount(self) -> float:
        """Default discount factor of learners."""
        return self._games[0].discount

    @property
    def name(self) -> str:
        """Name of the first game."""
        return self._games[0].name

    @property
    def actions(self) -> tuple[tuple[str, ...], ...]:
        """Names of the actions, one tuple for each agent."""
        return self._games[0].actions

    @property
    def compact(self) -> Compact:
        """Internal layout of the games, read by the kernels; rewards are (N, games, S or 1, J)."""
        return self._compact

    def with_index(self, index: np.ndarray) -> Variants:
        """Return variants of the same games with another index, (replicas,) int64, in range."""
        made = object.__new__(type(self))
        made._games, made._compact, made._index = self._games, self._compact, read_only(index)
        return made

    def __getattr__(self, name: str) -> Any:
        if name in _SHARED:
            return getattr(self._games[0], name)
        if name in ("payoffs", "rewards"):
            raise AttributeError(
                f"'Variants' has no attribute {name!r}, in which its games differ; use "
                f"games[k].{name}",
                name=name,
            )
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}", name=name)

    def __repr__(self) -> str:
        return f"<Variants of {self.name!r}: {len(self._games)} games, {len(self._index)} replicas>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Variants):
            return NotImplemented
        return self._games == other._games and np.array_equal(self._index, other._index)

    def __hash__(self) -> int:
        return hash((self._games, self._index.tobytes()))

    def __reduce__(self) -> tuple[Callable[..., Variants], tuple[Any, ...]]:
        return type(self), (self._games, self._index)


def index_of(game: Any) -> npt.NDArray[np.int64] | None:
    """Return the index of variants, of tables or of functions, (replicas,); None for one game."""
    return game.index if isinstance(game, Variants | ProceduralGame) else None


def part_of(game: Any, numbers: np.ndarray, total: int, cut: bool = False) -> Any:
    """Return the game of some replicas of a run: variants with their index, or the game itself.

    numbers: (n,) int64, ascending; total: replicas of the whole run
    cut: the game may be that of these replicas already
    """
    index = index_of(game)
    if index is None or (cut and len(index) == len(numbers) != total):
        return game
    if len(index) != total:
        raise ValueError(f"index of game must have {total} entries, got {len(index)}")
    return game.with_index(index[numbers])


def _alike(games: Any) -> tuple[MatrixGame, ...] | tuple[MarkovGame, ...]:
    """Return games after checking that they differ only in payoffs or rewards and labels."""
    given = listed("games", games, "a sequence of games")
    if not given:
        raise ValueError("games must have at least 1 entry, got 0")
    if any(_actions(game) != _actions(given[0]) for game in given):
        from .pricing import numbered

        given = [numbered(game) for game in given]  # action names may be prices, which differ
    first = given[0]
    for k, game in enumerate(given):
        if not isinstance(game, MatrixGame | MarkovGame):
            raise TypeError(
                f"games must be MatrixGames or MarkovGames, got games[{k}] = {reprlib.repr(game)}; "
                "ProceduralVariants holds procedural games"
            )
        if isinstance(first, MarkovGame):
            alike = isinstance(game, MarkovGame) and first.differs_only_in_rewards(game)
        else:
            alike = isinstance(game, MatrixGame) and first.actions == game.actions
        if not alike:
            raise ValueError(
                "games must be equal except for payoffs or rewards, name and source, "
                f"got games[{k}] = {game!r} and games[0] = {first!r}"
            )
    return tuple(given)


def _actions(game: Any) -> Any:
    """Return the names of the actions; None for an object without them, refused later."""
    return getattr(game, "actions", None)


def check_index(index: object, games: int) -> npt.NDArray[np.int64]:
    """Return the checked index as a read-only array (replicas,) int64."""
    given = array_of("index", index, "iu", "integers")
    if given.ndim != 1 or not given.size:
        raise ValueError(f"index must have shape (replicas,), at least 1, got shape {given.shape}")
    refuse_cells("index", given, (given < 0) | (given >= games), f"in [0, {games})")
    return read_only(given.astype(np.int64))


def _together(parts: list[Compact]) -> Compact:
    """Return the layout of the first game with the rewards of all, (N, games, S or 1, J)."""
    first, tables = parts[0], [part.rewards for part in parts]
    states = max(table.shape[2] for table in tables)
    agents, _, _, joint = first.rewards.shape
    rewards = np.empty((agents, len(parts), states, joint))
    for k, table in enumerate(tables):
        rewards[:, k] = table[:, 0]
    return replace(first, rewards=read_only(rewards))
