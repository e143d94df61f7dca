"""Where frozen greedy policies end, and what that pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.analysis.frozen import Frozen, freeze, in_blocks, starts, threads_of
from fastgames.games import Game
from fastgames.result import Result


@dataclass(frozen=True, eq=False, repr=False)
class LimitCycle:
    """The cycle of every replica. States and actions of all replicas follow one another.

    Attributes
    ----------
    length : (replicas,) int64
        Periods until play repeats itself, at least 1.
    offsets : (replicas + 1,) int64
        Replica r has the rows offsets[r] to offsets[r + 1] - 1.
    states : (offsets[-1],) int32
        From the first state of the path that comes again; with a time limit, from the start.
    actions : (offsets[-1], N) int32
        What every agent plays there; 0 where it does not move.
    rewards : (replicas, N) float64
        Mean reward of every agent in a period of the cycle, in the units of the game's rewards.
    """

    length: np.ndarray
    offsets: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray

    def __repr__(self) -> str:
        low, high = int(self.length.min()), int(self.length.max())
        return f"<LimitCycle of {len(self.length)} replicas: lengths {low} to {high}>"


def limit_cycle(
    game: Result | Game,
    greedy: Sequence[npt.ArrayLike] | None = None,
    *,
    start: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> LimitCycle:
    """The cycle in which play ends if all agents play their greedy actions and nobody learns.

    An agent that does not move in a state plays action 0. Where an episode ends, by a terminal
    state or the time limit, play goes on from the start of the game, as it does in a run: the cycle
    goes through the restart, which takes no period, and the terminal state is not among its states.
    With a time limit play repeats itself when state and age do, so the cycle is an episode from the
    start, in which a state may come more than once.

    Parameters
    ----------
    game : Result or game
        Of a Result: its game, its agents' greedy actions (of a FixedPolicy the most likely ones),
        and where its replicas stand.
    greedy : N arrays (replicas, O_i) of int, optional
        ``greedy[i][r, o]`` is what agent i of replica r plays at observation o, in [0, A_i). Must
        be given with a game, may be with a Result.
    start : int or (replicas,) int, optional
        The states in [0, S) from which play begins, none of them terminal. Unless given, where the
        replicas of the Result stand, or the start of the game.
    threads : int, optional
        As many as there are CPUs unless given. Makes no difference to the values.

    Returns
    -------
    LimitCycle

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or nature samples the next state, or the start after
        an episode's end: then greedy play has no cycle.

    Notes
    -----
    Calvano et al. (2020), section IV: what the algorithms do "upon convergence" is this cycle.

    Examples
    --------
    >>> import fastgames as fg
    >>> dilemma = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
    >>> limit_cycle(dilemma, [[[1, 1, 1, 1]], [[1, 1, 1, 1]]]).states  # both defect
    array([3], dtype=int32)
    """
    return cycles_of(freeze(game, greedy), start, threads_of(threads))


def cycles_of(frozen: Frozen, start: Any, threads: int) -> LimitCycle:
    """The cycles; only `start` is yet to be checked."""
    if frozen.chance:
        raise ValueError(
            "game must have limit cycles: nature may sample neither the next state nor the start "
            f"after an episode's end, got {frozen.game!r}"
        )
    begin = starts(frozen, start)
    replicas, agents = frozen.replicas, frozen.game.num_agents
    play = frozen.play
    entry = np.empty(replicas, np.int32)
    length = np.empty(replicas, np.int64)
    in_blocks(replicas, threads, lambda a, b: play.find_cycles(a, b, begin, entry, length))
    offsets = np.concatenate([[0], np.cumsum(length)])
    states = np.empty(offsets[-1], np.int32)
    actions = np.empty((offsets[-1], agents), np.int32)
    rewards = np.empty((replicas, agents))
    in_blocks(
        replicas,
        threads,
        lambda a, b: play.follow_cycles(a, b, entry, offsets, states, actions, rewards),
    )
    return LimitCycle(length, offsets, states, actions, rewards)


def profit_gain(
    profits: Result | LimitCycle | npt.ArrayLike,
    nash: npt.ArrayLike,
    monopoly: npt.ArrayLike,
    *,
    per_agent: bool = False,
) -> np.ndarray:
    """Profit gain Delta: 0 at the profits of the one-shot Nash equilibrium, 1 at those of monopoly.

    Delta = (mean profit - mean Nash profit) / (mean monopoly profit - mean Nash profit); the means
    are over the agents. Where firms differ, the mean of the firms' own gains is something else, and
    a firm that gains nothing from monopoly has none: so the means are taken first.

    Parameters
    ----------
    profits : Result, LimitCycle or (replicas, N) float
        Mean profit of every agent in a period; of a Result those on its limit cycle.
    nash, monopoly : number, (N,) or (replicas, N)
        What every agent earns in a period in the one-shot Nash equilibrium, and in monopoly.
    per_agent : bool
        Every agent's own gain, (profit_i - nash_i) / (monopoly_i - nash_i), instead.

    Returns
    -------
    (replicas,) float64, or (replicas, N)

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or monopoly pays no more than Nash.

    Notes
    -----
    Calvano et al. (2020), section IV.

    Examples
    --------
    >>> profit_gain([[0.3, 0.3], [0.25, 0.29]], nash=0.2, monopoly=0.4)
    array([0.5 , 0.35])
    """
    if isinstance(profits, Result):
        profits = limit_cycle(profits)
    if isinstance(profits, LimitCycle):
        profits = profits.rewards
    earned = checks.finite_array("profits", profits)
    if earned.ndim != 2 or 0 in earned.shape:
        raise ValueError(f"profits must have shape (replicas, N), got {earned.shape}")
    low = _benchmark("nash", nash, earned.shape)
    high = _benchmark("monopoly", monopoly, earned.shape)
    if not per_agent:
        earned, low, high = (x.mean(axis=1) for x in (earned, low, high))
    worse = high <= low
    if worse.any():
        where = tuple(int(k) for k in np.argwhere(worse)[0])
        raise ValueError(
            f"monopoly must pay more than nash, got {high[where]} and {low[where]} at {where}"
        )
    gain: np.ndarray = (earned - low) / (high - low)
    return gain


def _benchmark(name: str, value: Any, shape: tuple[int, int]) -> np.ndarray:
    array = checks.finite_array(name, value)
    if array.shape not in ((), shape[1:], shape):
        raise ValueError(
            f"{name} must be a number, ({shape[1]},) or {shape}, got shape {array.shape}"
        )
    return np.broadcast_to(array, shape)
