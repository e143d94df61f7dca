"""Checks of greedy policies in a game, and their layout for the compiled core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames._core.analysis import Play
from fastgames.engine.arguments import cpus
from fastgames.games import Game, ProceduralGame, Variants
from fastgames.games.compact import Chances, Compact, Functions, Sum, Table
from fastgames.result import Result

MAX_AGENTS = 64  # must equal MAX_AGENTS of src_cy/analysis.pyx
BLOCK = 16  # replicas in a block of work of a thread


@dataclass(frozen=True, eq=False)
class Frozen:
    """Checked arguments that all measures read.

    replicas: number of replicas
    greedy: (replicas, O_i) int32 actions of each agent
    probability: (entries,) float64 probabilities of the entries of `Chances`, or None
    variant: (replicas,) variant that each replica plays, or None if all play variant 0
    states: (replicas,) int32 states of the replicas of a Result, or None for a game
    largest: (N, variants) float64 largest absolute rewards
    """

    game: Game
    compact: Compact
    moves: Sum | Table | Chances
    replicas: int
    greedy: list[np.ndarray]
    probability: np.ndarray | None
    variant: np.ndarray | None
    states: np.ndarray | None
    largest: np.ndarray
    play: Play

    @property
    def chance(self) -> bool:
        """True if transitions are random, or if starts after the end of an episode are."""
        random = isinstance(self.moves, Chances)
        return random or (self.restarts and self.compact.start_weights is not None)

    @property
    def restarts(self) -> bool:
        """True if an episode can end."""
        return self.compact.terminal is not None or self.compact.time_limit > 0

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The moves as the compiled core reads them."""
        if self.probability is None:
            return dict(vars(self.moves))
        assert isinstance(self.moves, Chances)
        return {
            "first": self.moves.first,
            "successor": self.moves.successor,
            "probability": self.probability,
        }

    def values(self, first: int, last: int, discount: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the values of the policies of replicas first to last - 1, and of a deviation.

        Returns (last - first, N, S) float64: discounted rewards of the policies, and of the best
        action in a state followed by the policies.
        """
        agents, count = self.game.num_agents, last - first
        policies = [policy[first:last] for policy in self.greedy]
        variant = None if self.variant is None else self.variant[first:last]
        play = _play(self.game, self.compact, policies, variant, self.arrays)
        best, own = np.empty((2, count, agents, self.compact.num_states))
        play.best_responses(
            0,
            count,
            discount,
            0.0,
            True,
            self.largest / (1.0 - discount),
            None,
            None,
            np.empty((count, 2, agents + 1)),
            np.empty((count, 2, agents)),
            best,
            own,
        )
        return own, best

    @property
    def first_states(self) -> tuple[np.ndarray, np.ndarray]:
        """States in which an episode may begin, and their probabilities."""
        weights = self.compact.start_weights
        if weights is None:
            return np.array([self.compact.start_state]), np.ones(1)
        states = np.flatnonzero(weights)
        return states, weights[states] / weights.sum()


def freeze(game: Any, greedy: Sequence[npt.ArrayLike] | None) -> Frozen:
    """Check a Result, or a game and greedy policies, and return them as a `Frozen`."""
    result = game if isinstance(game, Result) else None
    if result is not None:
        game = result.game
    if not isinstance(game, Game):
        raise TypeError(f"game must be a game or a Result, got {game!r}")
    if isinstance(game, ProceduralGame):
        raise TypeError(
            "game must have tables of rewards and transitions, as a MatrixGame, a MarkovGame or "
            f"Variants, got {game!r}; pass fastgames.tabulate(game), and the greedy policies of a "
            "Result, to analyse it"
        )
    if result is None and greedy is None:
        raise TypeError(
            "greedy must be given with a game, got None; pass one array (replicas, O_i) for each "
            "agent"
        )
    states = None if result is None else np.ascontiguousarray(result.states, np.int32)
    if result is not None and greedy is None:
        greedy = [result.greedy(i) for i in range(game.num_agents)]
    if game.num_agents > MAX_AGENTS:
        raise ValueError(f"game must have at most {MAX_AGENTS} agents, got {game.num_agents}")
    policies = _policies(game, greedy)
    replicas = len(policies[0])
    variant = game.index if isinstance(game, Variants) else None
    for name, other in (("the result", states), ("game.index", variant)):
        if other is not None and len(other) != replicas:
            raise ValueError(
                f"greedy must have as many replicas as {name}, {len(other)}, got {replicas}"
            )
    compact = game.compact
    assert not isinstance(compact.moves, Functions)  # only a ProceduralGame has them
    moves = _sure(compact.moves)
    arrays = _arrays(moves)
    play = _play(game, compact, policies, variant, arrays)
    largest = np.maximum(compact.rewards.max((2, 3)), -compact.rewards.min((2, 3)))
    chances = arrays.get("probability")
    return Frozen(game, compact, moves, replicas, policies, chances, variant, states, largest, play)


def _play(
    game: Game,
    compact: Compact,
    policies: list[np.ndarray],
    variant: np.ndarray | None,
    arrays: dict[str, np.ndarray],
) -> Play:
    """Return the loops of the compiled core for these policies."""
    return Play(
        compact.num_states,
        game.num_actions,
        policies,
        compact.rewards,
        variant=variant,
        start=compact.start_state,
        time_limit=compact.time_limit,
        terminal=compact.terminal,
        turns=compact.turns,
        observations=compact.observations,
        **arrays,
    )


def _policies(game: Game, greedy: Any) -> list[np.ndarray]:
    """Return the checked greedy policies, one (replicas, O_i) int32 for each agent."""
    domain = "a sequence of one array (replicas, O_i) for each agent"
    if isinstance(greedy, str) or not isinstance(greedy, Sequence | np.ndarray):
        raise TypeError(f"greedy must be {domain}, got {greedy!r}")
    if len(greedy) != game.num_agents:
        raise ValueError(f"greedy must be {domain}, {game.num_agents} of them, got {len(greedy)}")
    policies: list[np.ndarray] = []
    for i, (observations, actions) in enumerate(
        zip(game.num_observations, game.num_actions, strict=True)
    ):
        name = f"greedy[{i}]"
        array = whole_numbers(name, greedy[i], actions)
        if array.ndim != 2 or array.shape[1] != observations or len(array) == 0:
            raise ValueError(
                f"{name} must have shape (replicas, {observations}), got {array.shape}"
            )
        if policies and len(array) != len(policies[0]):
            raise ValueError(
                f"{name} must have as many replicas as greedy[0], {len(policies[0])}, "
                f"got {len(array)}"
            )
        policies.append(array)
    return policies


def whole_numbers(name: str, value: Any, count: int) -> np.ndarray:
    """Return an array of whole numbers in [0, count) as contiguous int32; raise if it is not."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged
        raise ValueError(f"{name} must be a rectangular array ({error})") from None
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers in [0, {count}), got {array.dtype}")
    checks.not_masked(name, value)
    bad = (array < 0) | (array >= count)
    if bad.any():
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, where))}]" if where else ""
        raise ValueError(
            f"{name} must be whole numbers in [0, {count}), got {name}{place} = {array[where]}"
        )
    return np.asarray(array, np.int32, order="C")


def _sure(moves: Sum | Table | Chances) -> Sum | Table | Chances:
    """Return Chances with one successor each as a Table, and other moves unchanged."""
    if isinstance(moves, Chances) and len(moves.successor) == len(moves.first) - 1:
        return Table(moves.successor)
    return moves


def _arrays(moves: Sum | Table | Chances) -> dict[str, np.ndarray]:
    """Return the arrays of moves by the names of `Play`; cumulative sums become probabilities."""
    if not isinstance(moves, Chances):
        return dict(vars(moves))
    first, sums = moves.first, moves.cumulative
    chances = np.diff(sums, prepend=0.0)
    chances[first[:-1]] = sums[first[:-1]]
    chances /= np.repeat(sums[first[1:] - 1], np.diff(first))
    return {"first": first, "successor": moves.successor, "probability": chances}


def starts(frozen: Frozen, start: Any) -> np.ndarray:
    """Return the checked states from which paths begin, (replicas,) int32."""
    compact, replicas = frozen.compact, frozen.replicas
    if start is None:
        if frozen.states is not None:
            return frozen.states
        if compact.start_weights is not None:
            raise ValueError(
                "start must be given if the start of the game is a distribution, got None"
            )
        start = compact.start_state
    array = whole_numbers("start", start, compact.num_states)
    if array.shape not in ((), (replicas,)):
        raise ValueError(
            f"start must have shape () or ({replicas},), got {array.shape}; pass one state, or one "
            "for each replica"
        )
    array = np.ascontiguousarray(np.broadcast_to(array, replicas))
    if compact.terminal is not None and compact.terminal[array].any():
        state = array[compact.terminal[array]][0]
        raise ValueError(f"start must not be a terminal state, got {state}")
    return array


def discount_of(frozen: Frozen, discount: Any) -> float:
    """Return the checked discount factor, by default that of the game."""
    value = checks.finite_array("discount", frozen.game.discount if discount is None else discount)
    if value.ndim:
        raise ValueError(f"discount must be one number in [0, 1), got shape {value.shape}")
    checks.within("discount", value, "[0, 1)")
    return float(value)


def threads_of(threads: Any) -> int:
    """Return the checked number of threads, by default the number of CPUs."""
    return checks.whole("threads", cpus() if threads is None else threads, "[1, 1024]")


def in_blocks(
    replicas: int, threads: int, work: Callable[[int, int], None], size: int = BLOCK
) -> None:
    """Call work(first, last) for blocks of `size` replicas, in threads and in any order."""
    blocks = [(first, min(first + size, replicas)) for first in range(0, replicas, size)]
    if min(threads, len(blocks)) == 1:
        for block in blocks:
            work(*block)
        return
    from concurrent.futures import ThreadPoolExecutor  # keeps `import fastgames` fast

    pool = ThreadPoolExecutor(threads)
    try:
        for done in [pool.submit(work, *block) for block in blocks]:
            done.result()
    finally:  # after Ctrl-C, wait for running blocks and cancel the others
        pool.shutdown(cancel_futures=True)
