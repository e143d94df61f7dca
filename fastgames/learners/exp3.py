"""Exp3: exponential weights for bandits."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames.games import Game, Variants
from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.regret import AVERAGE, SEEN, STRATEGY
from fastgames.rules import exp3, fixed
from fastgames.schedules import Exponential, Linear

_RULES = Rules(
    parameters=("mixing", "low", "high"),
    tables=(STRATEGY, Table("log_weights"), AVERAGE, SEEN),
    draw=fixed.draw,
    choose=fixed.choose,
    learn=exp3.learn,
    policy=fixed.policy,
)


@dataclass(frozen=True, eq=False)
class Exp3(RuleLearner):
    """Exp3: exponential weights for an agent that observes only its own payoff (a bandit).

    Every step adds (mixing / A) x / p to the log weight of the action played, where x is its payoff
    scaled to [0, 1] and p the probability with which it was played. The strategy is (1 - mixing)
    times the normalised weights, plus mixing / A.

    In a Markov game every observation has its own weights, which depend on the rewards of the
    current step only; later rewards are ignored. In games with turns, the payoff of a move is the
    discounted sum of the rewards until the agent's next turn.

    Parameters
    ----------
    mixing : float, schedule or array (replicas,)
        The probability of uniform play, gamma in the paper, in (0, 1]; a schedule needs a positive
        floor (or end). With g a bound on the best action's summed x,
        mixing = min(1, sqrt(A ln A / ((e - 1) g))) minimises the bound below. The strategy of an
        observation is computed when it learns, with the mixing of that step.
    low, high : float or array (replicas,)
        The range of the payoffs, low < high, both in [-1e30, 1e30]: x = (payoff - low) / (high -
        low). The payoffs in a game's tables must lie in it. Payoffs of a procedural game are not
        checked; outside of the range, only the bound below is lost.

    Raises
    ------
    ValueError
        If a parameter is outside of its domain, or if low is not below high. `fastgames.run` raises
        it if payoffs of the game are outside of [low, high].
    TypeError
        If low or high is a schedule.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", the current strategy; "log_weights", from 0,
    shifted so that the largest is 0; "average_strategy", the mean of the strategies played; and
    "seen", (replicas, observations) int64, their number. One random word per step.

    In the mean over runs, the best fixed action earns at most (e - 1) mixing G + A ln A / mixing
    more than Exp3, in units of high - low, where G is the payoff of that action (mixing constant).
    No log weight grows by more than 1 in a step, and one so low that its weight is 0 may stay at
    its value, so that float32 is sufficient for any number of steps.

    Source: Auer, Cesa-Bianchi, Freund & Schapire, The Nonstochastic Multiarmed Bandit Problem, SIAM
    J. Computing 32 (2002), figure 1, theorem 3.1 and corollary 3.2.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.Exp3(0.1, high=7), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["seen"][:, 0]
    array([9, 9])
    """

    mixing: Any = 0.1
    low: Any = 0.0
    high: Any = 1.0

    name = "exp3"

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("low", "high"):
            value = getattr(self, field)
            if isinstance(value, Exponential | Linear):
                raise TypeError(f"{field} must be a number or an array (replicas,), got {value!r}")
        low, high = (np.atleast_1d(x) for x in (self.low, self.high))
        if low.size != high.size and 1 not in (low.size, high.size):
            raise ValueError(
                "low and high must have the same number of replicas, "
                f"got {low.size} and {high.size}"
            )
        wrong = np.flatnonzero(~(low < high))
        if len(wrong):
            low, high = np.broadcast_arrays(low, high)
            k = wrong[0]
            raise ValueError(f"low must be below high, got low = {low[k]}, high = {high[k]}")

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return {"mixing": "(0, 1]", "low": "[-1e30, 1e30]", "high": "[-1e30, 1e30]"}

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _RULES

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError if payoffs in the game's tables are outside of [low, high]."""
        rewards = game.compact.rewards[agent]  # (variants, states, joint actions)
        if not rewards.size or game.compact.turns is not None:  # procedural games have no tables
            return
        least, most = rewards.min(axis=(1, 2)), rewards.max(axis=(1, 2))
        if isinstance(game, Variants):
            least, most = least[game.index], most[game.index]
        if np.any(least < self.low) or np.any(most > self.high):
            raise ValueError(
                f"payoffs of agent {agent} must be in [low, high] of Exp3, low = {self.low} and "
                f"high = {self.high}, got payoffs from {least.min()} to {most.max()}"
            )
