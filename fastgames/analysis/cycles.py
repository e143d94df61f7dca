"""Limit cycles of frozen greedy policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames.analysis.frozen import Frozen, freeze, in_blocks, starts, threads_of
from fastgames.analysis.tables import Columns, Tabulated, each_agent
from fastgames.games import Game
from fastgames.result import Result


@dataclass(frozen=True, eq=False, repr=False)
class LimitCycle(Tabulated):
    """The limit cycle of every replica; states and actions of all replicas are concatenated.

    Attributes
    ----------
    length : (replicas,) int64
        Length of the cycle in periods, at least 1.
    offsets : (replicas + 1,) int64
        Replica r has the rows offsets[r] to offsets[r + 1] - 1 of states and actions.
    states : (offsets[-1],) int32
        States of the cycle, from the first one that play revisits; with a time limit, from the
        start of the game.
    actions : (offsets[-1], N) int32
        Action of every agent in these states; 0 for an agent that does not move.
    rewards : (replicas, N) float64
        Mean reward of every agent in a period of the cycle, in the units of the game's rewards.
    """

    length: np.ndarray
    offsets: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray

    def _count(self) -> int:
        return len(self.length)

    def _frames(self) -> dict[str, Columns]:
        replica = np.repeat(np.arange(len(self.length)), self.length)
        position = np.arange(len(replica)) - self.offsets[:-1][replica]
        return {
            "replicas": {
                "replica": np.arange(len(self.length)),
                "length": self.length,
                **each_agent("reward", self.rewards),
            },
            "states": {
                "replica": replica,
                "position": position,
                "state": self.states,
                **each_agent("action", self.actions),
            },
        }

    def _arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        return {
            "length": (("replica",), self.length),
            "rewards": (("replica", "agent"), self.rewards),
        }

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
    """Return the cycle in which play ends if all agents play their greedy actions.

    No agent learns. An agent that does not move in a state plays action 0. When an episode ends, by
    a terminal state or the time limit, play continues from the start of the game, as in a run. The
    cycle then includes the restart, which takes no period, and excludes the terminal state. With a
    time limit, play repeats when both the state and the age of the episode do; the cycle is then an
    episode from the start, in which a state may occur more than once.

    Parameters
    ----------
    game : Result or game
        A Result provides its game, the greedy actions of its agents (for a FixedPolicy the most
        likely ones) and the states of its replicas.
    greedy : N arrays (replicas, O_i) of int, optional
        ``greedy[i][r, o]`` is the action of agent i of replica r at observation o, in [0, A_i).
        Required with a game, optional with a Result.
    start : int or (replicas,) int, optional
        States in [0, S) from which play begins; they must not be terminal. By default the states of
        the replicas of the Result, or the start of the game.
    threads : int, optional
        Number of threads, in [1, 1024]; by default the number of CPUs. The values do not depend on
        it.

    Returns
    -------
    LimitCycle

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if the game samples the next state, or the start
        after the end of an episode: greedy play then has no cycle.

    Notes
    -----
    This cycle is the play "upon convergence" of Calvano et al. (2020), section IV.

    Examples
    --------
    >>> import fastgames as fg
    >>> dilemma = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
    >>> limit_cycle(dilemma, [[[1, 1, 1, 1]], [[1, 1, 1, 1]]]).states  # both defect
    array([3], dtype=int32)
    """
    return cycles_of(freeze(game, greedy), start, threads_of(threads))


def cycles_of(frozen: Frozen, start: Any, threads: int) -> LimitCycle:
    """Return the cycles; check `start` alone, the other arguments are valid."""
    if frozen.chance:
        raise ValueError(
            "game must have deterministic transitions and, if episodes end, a deterministic start, "
            f"got {frozen.game!r}; play with chance has no limit cycle, but a limit_distribution"
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
