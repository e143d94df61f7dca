"""Exp3."""

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
    """Exp3: exponential weights for who sees only its own payoff (a bandit).

    Every step adds (mixing / A) x / p to the log weight of the action played, where x is its payoff
    scaled to [0, 1] and p the probability that it was played with. The strategy is (1 - mixing)
    times the normalised weights, plus mixing / A.

    In a Markov game every observation has weights of its own, and they are those of the rewards of
    the step alone: what comes after counts nothing. Where agents take turns, the payoff of a move
    is the discounted sum of the rewards until the agent is to move next.

    Parameters
    ----------
    mixing : float, schedule or array (replicas,)
        gamma in the paper: how much of the play is uniform, in (0, 1]; a schedule needs a positive
        floor (or end). With g a bound on the best action's summed x,
        mixing = min(1, sqrt(A ln A / ((e - 1) g))) is best for the bound below. The strategy of an
        observation is made where it learns, with the mixing of that step.
    low, high : float or array (replicas,)
        The range of the payoffs, low < high, both in [-1e30, 1e30]: x = (payoff - low) / (high -
        low). A game's own tables must lie in it; what a procedural game gives is not checked, and
        beyond the range only the bound is lost.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", what is played; "log_weights", from 0, shifted
    so that the largest is 0; "average_strategy", the mean of the strategies played; and "seen",
    (replicas, observations) int64, of how many. One random word per step.

    In the mean over runs, the best fixed action earns at most (e - 1) mixing G + A ln A / mixing
    more than Exp3, in units of high - low, G being what it earns (mixing constant). No log weight
    grows by more than 1 in a step, and one so low that its weight is 0 may stay where it is, so
    that float32 serves for any number of steps.

    Source: Auer, Cesa-Bianchi, Freund & Schapire, The Nonstochastic Multiarmed Bandit Problem, SIAM
    J. Computing 32 (2002), figure 1, theorem 3.1 and corollary 3.2.
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
            raise ValueError(f"low and high have {low.size} and {high.size} replicas")
        wrong = np.flatnonzero(~(low < high))
        if len(wrong):
            low, high = np.broadcast_arrays(low, high)
            k = wrong[0]
            raise ValueError(f"low must be below high, got low = {low[k]}, high = {high[k]}")

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {"mixing": "(0, 1]", "low": "[-1e30, 1e30]", "high": "[-1e30, 1e30]"}

    @property
    def rules(self) -> Rules:
        """What it does in a step."""
        return _RULES

    def check(self, game: Game, agent: int) -> None:
        """ValueError if payoffs in the game's tables are out of range."""
        rewards = game.compact.rewards[agent]  # (variants, states, joint actions)
        if not rewards.size or game.compact.turns is not None:  # a procedural game has none
            return
        least, most = rewards.min(axis=(1, 2)), rewards.max(axis=(1, 2))
        if isinstance(game, Variants):
            least, most = least[game.index], most[game.index]
        if np.any(least < self.low) or np.any(most > self.high):
            raise ValueError(
                f"Exp3 of agent {agent}: payoffs must be in [low, high], with low = {self.low} "
                f"and high = {self.high}, got payoffs from {least.min()} to {most.max()}"
            )
