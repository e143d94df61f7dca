"""Limit distributions of frozen greedy policies, in games with and without chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames.analysis.chains import Chain
from fastgames.analysis.cycles import cycles_of
from fastgames.analysis.frozen import Frozen, freeze, in_blocks, starts, threads_of
from fastgames.analysis.tables import Columns, Tabulated, each_agent
from fastgames.games import Game
from fastgames.result import Result


@dataclass(frozen=True, eq=False, repr=False)
class LimitDistribution(Tabulated):
    """Long-run shares of states; the states of all replicas are concatenated.

    Attributes
    ----------
    offsets : (replicas + 1,) int64
        Replica r has the rows offsets[r] to offsets[r + 1] - 1 of states, shares and actions.
    states : (offsets[-1],) int32
        States of positive share, in ascending order within a replica.
    shares : (offsets[-1],) float64
        Share of the periods that play spends in the state in the long run; the shares of a replica
        sum to 1.
    actions : (offsets[-1], N) int32
        Action of every agent in these states; 0 for an agent that does not move.
    rewards : (replicas, N) float64
        Mean reward of every agent in a period, in the units of the game's rewards.
    num_states : int
        Number of states S of the game.
    num_actions : tuple of N int
        Number of actions of every agent.
    """

    offsets: np.ndarray
    states: np.ndarray
    shares: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    num_states: int
    num_actions: tuple[int, ...]

    @property
    def replicas(self) -> np.ndarray:
        """Replica of every row of states, (offsets[-1],) int64."""
        return np.repeat(np.arange(len(self.rewards)), np.diff(self.offsets))

    @property
    def state_shares(self) -> np.ndarray:
        """Share of the periods in every state, (replicas, S) float64."""
        shares = np.zeros((len(self.rewards), self.num_states))
        shares[self.replicas, self.states] = self.shares
        return shares

    @property
    def joint_action_shares(self) -> np.ndarray:
        """Share of the periods with every joint action, (replicas, A_0, …, A_{N-1}) float64."""
        shares = np.zeros((len(self.rewards), *self.num_actions))
        np.add.at(shares, (self.replicas, *self.actions.T), self.shares)
        return shares

    def _count(self) -> int:
        return len(self.rewards)

    def _frames(self) -> dict[str, Columns]:
        return {
            "replicas": {
                "replica": np.arange(len(self.rewards)),
                **each_agent("reward", self.rewards),
            },
            "states": {
                "replica": self.replicas,
                "state": self.states,
                "share": self.shares,
                **each_agent("action", self.actions),
            },
        }

    def _arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        actions = tuple(f"action_{i}" for i in range(len(self.num_actions)))
        return {
            "state_shares": (("replica", "state"), self.state_shares),
            "joint_action_shares": (("replica", *actions), self.joint_action_shares),
            "rewards": (("replica", "agent"), self.rewards),
        }

    def __repr__(self) -> str:
        sizes = np.diff(self.offsets)
        return (
            f"<LimitDistribution of {len(self.rewards)} replicas: "
            f"{int(sizes.min())} to {int(sizes.max())} states>"
        )


def limit_distribution(
    game: Result | Game,
    greedy: Sequence[npt.ArrayLike] | None = None,
    *,
    start: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> LimitDistribution:
    """Return the long-run shares of states and actions if all agents play their greedy actions.

    The share of a state is the limit of the mean number of visits in a period (Cesàro limit), which
    exists also if play is periodic. If play can end in several closed classes of states, each has
    the probability with which play from the start ends in it. In a game without chance the shares
    are those of the states of the limit cycle.

    No agent learns. Turns and the ends of episodes are as in `limit_cycle`.

    Parameters
    ----------
    game, greedy : Result or game, N arrays (replicas, O_i) of int
        As for `limit_cycle`.
    start : int or (replicas,) int, optional
        States in [0, S) from which play begins; they must not be terminal. By default the states of
        the replicas of the Result, or the start of the game, which may be a distribution if the
        game has chance.
    threads : int, optional
        Number of threads, in [1, 1024]; by default the number of CPUs. The values do not depend on
        it.

    Returns
    -------
    LimitDistribution

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if the states that play can reach from the start
        are too many for the memory.

    Notes
    -----
    With chance, the shares are exact up to rounding. The n states that play can reach from the
    start are eliminated one by one, without subtractions, which takes about n^3 operations and
    8 n^2 bytes for each replica: on one core 1 ms for 50 states, 20 ms for 200, and 1.4 s for 1000.
    With a time limit, all episodes have the same distribution; their periods are added up instead,
    which takes one step of the chain for each of them.

    Source: W. K. Grassmann, M. I. Taksar and D. P. Heyman (1985), "Regenerative Analysis and Steady
    State Distributions for Markov Chains", Operations Research 33(5).

    Examples
    --------
    State 0 is left with probability 0.1 in a period, state 1 with probability 0.3:

    >>> import fastgames as fg
    >>> moves = [[[[0.9, 0.1]]], [[[0.3, 0.7]]]]
    >>> game = fg.MarkovGame([[[[1.0]], [[5.0]]], [[[2.0]], [[0.0]]]], moves)
    >>> found = limit_distribution(game, [[[0, 0]], [[0, 0]]])
    >>> found.state_shares, found.rewards
    (array([[0.75, 0.25]]), array([[2. , 1.5]]))
    """
    return distributions_of(freeze(game, greedy), start, threads_of(threads))


def distributions_of(frozen: Frozen, start: Any, threads: int) -> LimitDistribution:
    """Return the limit distributions; check `start` alone, the other arguments are valid."""
    if not frozen.chance:
        return _of_cycles(frozen, start, threads)
    begin = beginning(frozen, start)
    blocks: dict[int, tuple[np.ndarray, ...]] = {}

    def work(first: int, last: int) -> None:
        chain = Chain(frozen, first, last)
        nodes = chain.limits(None if begin is None else begin[first:last])
        paid = chain.rewards(nodes.replica, nodes.state, chain.played(nodes))
        means = chain.totals(nodes, nodes.mass * paid)
        nodes = chain.merged(nodes.replica, 0 * nodes.age, nodes.state, nodes.mass)
        actions = chain.actions[:, nodes.replica, nodes.state].T
        sizes = np.bincount(nodes.replica, minlength=chain.replicas)
        blocks[first] = (sizes, nodes.state, nodes.mass[:, 0], actions, means)

    in_blocks(frozen.replicas, threads, work)
    ordered = zip(*(blocks[first] for first in sorted(blocks)), strict=True)
    sizes, states, shares, actions, rewards = (np.concatenate(parts) for parts in ordered)
    return _distribution(frozen, sizes, states, shares, actions, rewards)


def beginning(frozen: Frozen, start: Any) -> np.ndarray | None:
    """Return the checked states from which play begins, or None for the random start of a game."""
    if start is None and frozen.states is None and frozen.compact.start_weights is not None:
        return None
    return starts(frozen, start)


def _of_cycles(frozen: Frozen, start: Any, threads: int) -> LimitDistribution:
    """Return the shares of the states of limit cycles."""
    cycle = cycles_of(frozen, start, threads)
    size = frozen.compact.num_states
    replica = np.repeat(np.arange(frozen.replicas), cycle.length)
    code, index, count = np.unique(
        replica * size + cycle.states, return_index=True, return_counts=True
    )
    sizes = np.bincount(code // size, minlength=frozen.replicas)
    shares = count / cycle.length[code // size]
    return _distribution(
        frozen, sizes, cycle.states[index], shares, cycle.actions[index], cycle.rewards
    )


def _distribution(
    frozen: Frozen,
    sizes: np.ndarray,
    states: np.ndarray,
    shares: np.ndarray,
    actions: np.ndarray,
    rewards: np.ndarray,
) -> LimitDistribution:
    """Return the distribution; `sizes` has the number of rows of every replica."""
    return LimitDistribution(
        np.concatenate([[0], np.cumsum(sizes)]),
        np.asarray(states, np.int32),
        shares,
        np.asarray(actions, np.int32),
        rewards,
        frozen.compact.num_states,
        tuple(frozen.game.num_actions),
    )
