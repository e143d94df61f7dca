"""Exp3: exponential weights for bandits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game, Variants
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import parameter
from fastgames.learners.hedge import weigh
from fastgames.learners.regret import AVERAGE, SEEN, STRATEGY, average
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.choice import largest
from fastgames.schedules import BaseSchedule

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Exp3(RuleLearner):
    """Exp3, exponential weights for an agent that observes only its own payoff (a bandit).

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
    low : float or array (replicas,)
        The lower end of the range of the payoffs, in [-1e30, 1e30], below high. It scales them to
        x = (payoff - low) / (high - low).
    high : float or array (replicas,)
        The upper end of the range of the payoffs, in [-1e30, 1e30]. The payoffs in a game's tables
        must lie in [low, high]. Payoffs of a procedural game are not checked; if one is outside
        of the range, the bound below does not hold.

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

    mixing: Any = parameter(0.1, "(0, 1]")
    low: Any = parameter(0.0, "[-1e30, 1e30]")
    high: Any = parameter(1.0, "[-1e30, 1e30]")

    name = "exp3"
    title = "Exp3"
    formula = (
        r"\pi_{t+1}(a) = (1-\gamma)\,\frac{w_t(a)}{\sum_b w_t(b)} + \frac{\gamma}{|A|}, \qquad "
        r"w_t(a_t) \leftarrow w_t(a_t)\,\exp\Bigl(\frac{\gamma\, x_t}{|A|\,\pi_t(a_t)}\Bigr)"
    )
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.Exp3(mixing=0.05, low=0.0, high=5.0)",
        says="The agent observes only its own payoff and learns to defect, the dominant action.",
    )
    slow = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("low", "high"):
            value = getattr(self, field)
            if isinstance(value, BaseSchedule):
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

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("mixing", "low", "high"),
            tables=(STRATEGY, Table("log_weights"), AVERAGE, SEEN),
            draw=fixed.draw,
            choose=fixed.choose,
            learn=learn,
            policy=fixed.policy,
            distributions=("strategy", "average_strategy"),
            derived=("strategy",),
            derive=derive,
        )

    @classmethod
    def sample(cls, game: Game, agent: int) -> dict[str, Any]:
        """Return the range of the payoffs of a game of tables, or a wide range for other games."""
        rewards = game.compact.rewards[agent]
        if not rewards.size:
            return {"low": -1e4, "high": 1e4}
        low, high = float(rewards.min()), float(rewards.max())
        return {"low": low, "high": high if low < high else low + 1.0}

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError if payoffs in the game's tables are outside of [low, high]."""
        rewards = game.compact.rewards[agent]  # (variants, states, joint actions)
        if not rewards.size or game.compact.has_turns:  # procedural games have no tables
            return
        least, most = rewards.min(axis=(1, 2)), rewards.max(axis=(1, 2))
        if isinstance(game, Variants):
            least, most = least[game.index], most[game.index]
        if np.any(least < self.low) or np.any(most > self.high):
            raise ValueError(
                f"payoffs of agent {agent} must be in [low, high] of Exp3, low = {self.low} and "
                f"high = {self.high}, got payoffs from {least.min()} to {most.max()}"
            )


def credit(log_weights: np.ndarray, a: int, x: Any) -> None:
    """Add x to log_weights[a], then shift log_weights (A,) so that the largest is 0; in place."""
    log_weights[a] = log_weights[a] + x
    best = largest(log_weights)
    for k in range(len(log_weights)):
        log_weights[k] = log_weights[k] - best


def mix(strategy: np.ndarray, mixing: float) -> None:
    """Mix a strategy (A,) in place with uniform play, which gets the share `mixing`."""
    real = strategy.dtype.type
    share = real(mixing)
    for a in range(len(strategy)):
        strategy[a] = (real(1.0) - share) * strategy[a] + share / real(len(strategy))


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add (mixing / A) x / strategy[o, a] to log_weights[o, a], x = (gain - low) / (high - low).

    The strategy becomes (1 - mixing) weights / (sum of weights) + mixing / A.
    """
    o, a = t.observation, t.action
    strategy, log_weights = tables.strategy[o], tables.log_weights[o]
    real = strategy.dtype.type
    average(tables.strategy, tables.average_strategy, tables.seen, o)
    x = (t.gain - real(p.low)) / real(p.high - p.low)
    estimate = x / strategy[a]
    credit(log_weights, a, real(p.mixing) * estimate / real(len(strategy)))
    weigh(log_weights, 1.0, strategy)
    mix(strategy, p.mixing)


def derive(tables: Any, p: Any, o: int) -> None:
    """Compute the strategy of observation o from its log weights."""
    weigh(tables.log_weights[o], 1.0, tables.strategy[o])
    mix(tables.strategy[o], p.mixing)
