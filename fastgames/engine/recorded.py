"""Properties of a result that return what its run recorded."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastgames.games.compact import Functions
from fastgames.record import Record, first_pairs

#: What a unit of each property is, of those that `Recorded.COUNTED` gives.
UNITS = {
    "flips": "changes of the greedy action",
    "mean_reward": "reward per game step",
    "regret": "reward per game step",
    "episodes": "episodes",
    "mean_length": "game steps per episode",
    "max_length": "game steps",
    "mean_return": "reward per episode",
    "mean_discounted_return": "discounted reward per episode",
    "action_visits": "game steps",
}

_SCRATCH = 2**20  # entries of the payoffs of some replicas at a time


class Path(NamedTuple):
    """The last k steps of every replica, in order; the last step is at -1.

    A replica that took fewer steps while they were recorded has -1 ahead of them, and nan in
    `rewards` and `reals`.

    Attributes
    ----------
    steps : (replicas, k) int64
        The number of each step, from 0.
    actions : (replicas, k, N) int32
        The joint action. An agent that did not move played action 0.
    rewards : (replicas, k, N) float64 or float32
        Every agent's reward, in the type of the tables.
    states : (replicas, k) int32, or (replicas, k, state_size) int64
        The state before the step; 0 in a matrix game, which has one state.
    reals : (replicas, k, num_reals) float64, or None
        The reals before the step, in a procedural game with reals.
    """

    steps: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    states: np.ndarray
    reals: np.ndarray | None = None


class Recorded:
    """Base class of `Result` with the recorded counts as properties."""

    game: Any
    record: Record
    state: Any

    #: Names of the axes after the replicas of each property, for labelled arrays; those of
    #: "observation" and "action" are an agent's, and the property is a list over agents.
    COUNTED: ClassVar[dict[str, tuple[str, ...]]] = {
        "flips": ("agent",),
        "mean_reward": ("agent",),
        "joint_counts": ("actions",),
        "regret": ("agent",),
        "state_visits": ("state",),
        "action_visits": ("observation", "action"),
        "episodes": (),
        "mean_length": (),
        "max_length": (),
        "mean_return": ("agent",),
        "mean_discounted_return": ("agent",),
    }

    @property
    def flips(self) -> np.ndarray | None:
        """Number of changes of each agent's greedy action, (replicas, N) int64, if recorded."""
        flips: np.ndarray | None = self.state.flips
        return flips

    @property
    def joint_counts(self) -> np.ndarray | None:
        """Number of times each joint action was played, (replicas, A_0, …) int64, if recorded."""
        counts: np.ndarray | None = self.state.joint_counts
        return counts

    @property
    def mean_reward(self) -> np.ndarray | None:
        """Mean reward per step, (replicas, N) float64, if recorded; nan if no step was counted."""
        if self.state.reward_sums is None:
            return None
        return _mean(self.state.reward_sums, self.state.counted[:, None])

    @property
    def regret(self) -> np.ndarray | None:
        """External regret of each agent per step, (replicas, N) float64, if recorded.

        The mean reward of the best fixed action against the joint actions of the other agents,
        less the mean reward received; nan if no step was counted. It is negative if no fixed
        action would have done as well. The others' actions are those that were played: in a
        repeated game with memory the regret is that of the stage game. Payoffs are float64
        whatever the type of the tables.
        """
        return _regret(self.state.joint_counts, self.game) if self.record.regret else None

    @property
    def state_visits(self) -> np.ndarray | None:
        """Number of steps that began in each state, (replicas, S) int64, if recorded."""
        visits: np.ndarray | None = self.state.state_visits
        return visits

    @property
    def action_visits(self) -> list[np.ndarray] | None:
        """Number of moves of each agent, a list of (replicas, O_i, A_i) int64, if recorded.

        An agent that is not to move makes none.
        """
        visits, game = self.state.pair_visits, self.game
        if visits is None:
            return None
        first = first_pairs(game)
        sizes = zip(game.num_observations, game.num_actions, strict=True)
        return [
            visits[:, first[i] : first[i + 1]].reshape(-1, *size) for i, size in enumerate(sizes)
        ]

    @property
    def path(self) -> Path | None:
        """Joint actions, rewards and states of the last steps, a `Path`, if recorded."""
        state = self.state
        if state.path_actions is None:
            return None
        k = state.path_actions.shape[1]
        steps = state.steps[:, None] - np.arange(k, 0, -1)
        rows, at = np.arange(len(steps))[:, None], steps % k
        actions, rewards = state.path_actions[rows, at], state.path_rewards[rows, at]
        known = actions[:, :, 0] >= 0
        if state.path_states is None:
            states = np.where(known, 0, -1).astype(np.int32)
        else:
            states = state.path_states[rows, at]
        reals, moves = None, self.game.compact.moves
        if isinstance(moves, Functions) and moves.reals:  # -1 has the bits of nan
            states, reals = moves.whole_numbers(states), moves.real_numbers(states)
        return Path(np.where(known, steps, -1), actions, rewards, states, reals)

    @property
    def episodes(self) -> np.ndarray | None:
        """Number of episodes that ended or were cut, (replicas,) int64, if recorded.

        An episode that was under way when the recording began is not counted.
        """
        counts = self.state.episode_counts
        return None if counts is None else counts[:, 1]

    @property
    def mean_length(self) -> np.ndarray | None:
        """Mean number of steps of the counted episodes, (replicas,) float64; nan if none."""
        counts = self.state.episode_counts
        return None if counts is None else _mean(counts[:, 2], counts[:, 1])

    @property
    def max_length(self) -> np.ndarray | None:
        """Number of steps of the longest counted episode, (replicas,) int64; 0 if none."""
        counts = self.state.episode_counts
        return None if counts is None else counts[:, 3]

    @property
    def mean_return(self) -> np.ndarray | None:
        """Mean sum of rewards in the counted episodes, (replicas, N) float64; nan if none."""
        returns = self.state.episode_returns
        count = self.state.episode_counts
        return None if returns is None else _mean(returns[:, :, 3], count[:, 1, None])

    @property
    def mean_discounted_return(self) -> np.ndarray | None:
        """Mean discounted return of the counted episodes, (replicas, N) float64; nan if none.

        A reward of t steps after the start of the episode counts discount^t times; the discount is
        that of the game.
        """
        returns = self.state.episode_returns
        count = self.state.episode_counts
        return None if returns is None else _mean(returns[:, :, 4], count[:, 1, None])


def _mean(sums: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return sums / count, nan where nothing was counted."""
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = sums / count
    return mean


def _regret(counts: np.ndarray, game: Any) -> np.ndarray:
    """Return the regret from the counts of joint actions (replicas, A_0, …); sums in index order.

    For agent i: max over a of sum over joint actions c of counts[c] (u_i(a, c_-i) - u_i(c)), over
    the number of steps.
    """
    payoffs = game.compact.rewards.reshape(game.num_agents, -1, *game.num_actions)
    variant = getattr(game, "index", np.zeros(len(counts), np.int64))
    regret = np.empty((len(counts), game.num_agents))
    some = max(1, _SCRATCH // payoffs[0, 0].size)
    for first in range(0, len(counts), some):
        rows = slice(first, first + some)
        for i, actions in enumerate(game.num_actions):
            played = np.moveaxis(counts[rows], 1 + i, 1)
            paid = np.moveaxis(payoffs[i][variant[rows]], 1 + i, 1)
            played, paid = (x.reshape(len(x), actions, -1) for x in (played, paid))
            others = played.sum(axis=1, keepdims=True)
            fixed = np.add.accumulate(others * paid, axis=2)[:, :, -1]
            got = np.add.accumulate((played * paid).reshape(len(paid), -1), axis=1)[:, -1]
            regret[rows, i] = fixed.max(axis=1) - got
    return _mean(regret, counts.reshape(len(counts), -1).sum(axis=1)[:, None])
