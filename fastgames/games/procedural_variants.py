"""Variants of a procedural game: games of functions that differ between the replicas of a run."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ._tables import listed, read_only
from .compact import Functions
from .procedural import ProceduralGame
from .variants import check_index

_Function = Callable[..., Any]

#: Attributes in which the games must be equal.
_SHARED = (
    "num_actions", "num_observations", "actions", "state_size", "num_reals", "words", "start_words",
    "discount", "time_limit", "largest_reward",
)  # fmt: skip


class ProceduralVariants(ProceduralGame):
    """Procedural games that differ in their functions, and the index of the game of each replica.

    ``fg.run(ProceduralVariants(games, index), learners, steps, replicas=len(index))`` plays game
    ``games[index[r]]`` in replica r, with the bits of replica r in a run of this game alone. Such
    games are often made by one function with different parameters. They are immutable; they compare
    and hash by content.

    Parameters
    ----------
    games : sequence of ProceduralGame
        At least one game. Functions, name, source and bounds may differ; all else is equal. `turns`
        are given in all games or in none.
    index : array_like of int (replicas,)
        Number of the game of each replica, in [0, number of games), at least one entry. Copied.

    Raises
    ------
    TypeError
        If games are not procedural games, or the index does not consist of integers.
    ValueError
        If there is no game, if the games differ in other attributes, or if the index is outside its
        domain.

    Notes
    -----
    A state has one more entry than in the games, the last, which is the number of the game; it is
    part of ``result.states`` and of `start_states`. The functions of the games neither see nor
    change it. The functions of every game are compiled, so the time to compile grows with the
    number of games: dozens of games are practical, thousands are not.

    Examples
    --------
    Bars for 3 and for 4 of 5 visitors, 1,000 replicas each:

    >>> import fastgames as fg
    >>> bars = [fg.games.el_farol(5, capacity) for capacity in (3, 4)]
    >>> variants = ProceduralVariants(bars, np.repeat([0, 1], 1000))
    >>> variants
    <ProceduralVariants of 'El Farol': 2 games, 2000 replicas>
    """

    def __init__(self, games: Iterable[ProceduralGame], index: npt.ArrayLike) -> None:
        self._games: tuple[ProceduralGame, ...] = _alike(games)
        first, count = self._games[0], len(self._games)
        self.index: npt.NDArray[np.int64] = check_index(index, count)
        start, step, observe, turns = _dispatched(self._games)
        super().__init__(
            start,
            step,
            observe,
            turns=turns,
            num_actions=first.num_actions,
            num_observations=first.num_observations,
            state_size=first.state_size + first.num_reals + 1,
            words=first.words,
            start_words=first.start_words,
            discount=first.discount,
            time_limit=first.time_limit,
            largest_reward=first.largest_reward,
            actions=first.actions,
            name=first.name,
            source=first.source,
        )
        # Above, the reals count as entries; the number of the game follows them.
        self.state_size, self.num_reals = first.state_size + 1, first.num_reals
        self.state_bounds = _bounds(self._games, "state_bounds", [(0, len(self._games) - 1)])
        self.real_bounds = _bounds(self._games, "real_bounds", [])
        moves = self._compact.moves
        assert isinstance(moves, Functions)
        moves = replace(moves, reals=first.num_reals, first_real=first.state_size)
        self._compact = replace(self._compact, moves=moves)

    @property
    def games(self) -> tuple[ProceduralGame, ...]:
        """Games, a tuple."""
        return self._games

    def with_index(self, index: np.ndarray) -> ProceduralVariants:
        """Return variants of the same games with another index, (replicas,) int64, in range."""
        made = object.__new__(type(self))
        vars(made).update(vars(self), index=read_only(index))
        return made

    def _key(self) -> tuple[Any, ...]:
        own = tuple(game.name for game in self._games), tuple(self.index.tolist())
        return (*own, *super()._key())

    def __repr__(self) -> str:
        return (
            f"<ProceduralVariants of {self.name!r}: {len(self._games)} games, "
            f"{len(self.index)} replicas>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._games, self.index)


def _alike(games: Any) -> tuple[ProceduralGame, ...]:
    """Return games after checking that they are equal in the attributes that they share."""
    given = listed("games", games, "a sequence of games")
    if not given:
        raise ValueError("games must have at least 1 entry, got 0")
    for k, game in enumerate(given):
        if not isinstance(game, ProceduralGame) or isinstance(game, ProceduralVariants):
            raise TypeError(f"games must be ProceduralGames, got games[{k}] = {reprlib.repr(game)}")
        game.functions.check_unchanged(f"games[{k}]", game)
        for name in _SHARED:
            mine, its = getattr(game, name), getattr(given[0], name)
            if mine != its:
                raise ValueError(
                    "games must be equal except for functions, name, source and bounds, got "
                    f"{name} = {mine!r} in games[{k}] and {its!r} in games[0]"
                )
        if game.compact.has_turns != given[0].compact.has_turns:
            with_turns, without = (k, 0) if game.compact.has_turns else (0, k)
            raise ValueError(
                "games must all have turns, or none of them, got turns in "
                f"games[{with_turns}] and none in games[{without}]"
            )
    return tuple(given)


def _bounds(
    games: tuple[ProceduralGame, ...], name: str, more: list[tuple[int, int]]
) -> np.ndarray | None:
    """Return the bounds that hold for the states of all games; None if a game has none.

    name: the attribute of the games; more: pairs that follow
    """
    held = [bounds for game in games if (bounds := getattr(game, name)) is not None]
    if len(held) < len(games):
        return None
    low, high = (np.array(held)[:, :, k] for k in range(2))
    pairs = np.stack([low.min(axis=0), high.max(axis=0)], axis=1)
    return read_only(np.concatenate([pairs, more]) if more else pairs)


def _dispatched(
    games: tuple[ProceduralGame, ...],
) -> tuple[_Function, _Function, _Function, _Function | None]:
    """Return `start`, `step`, `observe` and `turns` of the game that a state names."""
    starts, steps, observes, *turns = zip(*(_functions(game) for game in games), strict=True)
    start_of = _branch([_start_leaf(each) for each in starts], 0, _start_either)
    step_of = _branch([_step_leaf(each) for each in steps], 0, _step_either)
    observe_of = _branch([_observe_leaf(each) for each in observes], 0, _observe_either)
    size = games[0].state_size + games[0].num_reals

    def start(state, words):  # type: ignore[no-untyped-def]
        start_of(state[size], state[:size], words)

    def step(state, actions, rewards, words):  # type: ignore[no-untyped-def]
        return step_of(state[size], state[:size], actions, rewards, words)

    def observe(state, agent):  # type: ignore[no-untyped-def]
        return observe_of(state[size], state[:size], agent)

    if not turns:
        return start, step, observe, None
    turns_of = _branch([_observe_leaf(each) for each in turns[0]], 0, _observe_either)

    def moves(state, agent):  # type: ignore[no-untyped-def]
        return turns_of(state[size], state[:size], agent)

    return start, step, observe, moves


def _functions(game: ProceduralGame) -> tuple[_Function, ...]:
    moves = game.compact.moves
    assert isinstance(moves, Functions)
    return moves.given


def _branch(
    leaves: list[_Function], first: int, either: Callable[[int, _Function, _Function], _Function]
) -> _Function:
    """Return a function that calls the leaf of a number, by bisection; first: number of leaf 0."""
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    low = _branch(leaves[:half], first, either)
    return either(first + half, low, _branch(leaves[half:], first + half, either))


# Numba compiles one function for each of these closures: a call of a function that is chosen at run
# time would be a call through a pointer, and would need one type for all.
def _start_leaf(start: _Function) -> _Function:
    def leaf(number, state, words):  # type: ignore[no-untyped-def]
        start(state, words)

    return leaf


def _start_either(middle: int, low: _Function, high: _Function) -> _Function:
    def either(number, state, words):  # type: ignore[no-untyped-def]
        if number < middle:
            low(number, state, words)
        else:
            high(number, state, words)

    return either


def _step_leaf(step: _Function) -> _Function:
    def leaf(number, state, actions, rewards, words):  # type: ignore[no-untyped-def]
        return step(state, actions, rewards, words)

    return leaf


def _step_either(middle: int, low: _Function, high: _Function) -> _Function:
    def either(number, state, actions, rewards, words):  # type: ignore[no-untyped-def]
        if number < middle:
            return low(number, state, actions, rewards, words)
        return high(number, state, actions, rewards, words)

    return either


def _observe_leaf(observe: _Function) -> _Function:
    def leaf(number, state, agent):  # type: ignore[no-untyped-def]
        return observe(state, agent)

    return leaf


def _observe_either(middle: int, low: _Function, high: _Function) -> _Function:
    def either(number, state, agent):  # type: ignore[no-untyped-def]
        if number < middle:
            return low(number, state, agent)
        return high(number, state, agent)

    return either
