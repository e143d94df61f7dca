"""Hedge."""

from dataclasses import dataclass
from typing import Any

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.regret import AVERAGE, SEEN, STRATEGY
from fastgames.rules import fixed, hedge

_RULES = Rules(
    parameters=("eta",),
    tables=(STRATEGY, Table("regrets"), AVERAGE, SEEN),
    draw=fixed.draw,
    choose=fixed.choose,
    learn=hedge.learn,
    policy=fixed.policy,
    counterfactual=True,
)


@dataclass(frozen=True, eq=False)
class Hedge(RuleLearner):
    """Hedge, or exponential weights: plays every action in proportion to exp(eta s).

    s is what the action would have earned against all that the others did so far. It sees the
    payoffs of all its actions at every step (full information), so it needs a game without turns;
    in a Markov game every observation has sums of its own, and they are those of the rewards of the
    step alone: what comes after counts nothing.

    Parameters
    ----------
    eta : float, schedule or array (replicas,)
        The learning rate, in [0, inf). For T steps, A actions and payoffs in a range of length L,
        eta = sqrt(8 ln A / T) / L is best for the bound below. The strategy of an observation is
        made where it learns, with the eta of that step.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", what is played; "regrets", s less the summed
    mean payoffs of the strategies played, which is the same for all actions; "average_strategy",
    the mean of the strategies played; and "seen", (replicas, observations) int64, of how many. One
    random word per step.

    After T visits of an observation no regret exceeds ln A / eta + eta T L^2 / 8, on every run and
    whatever the others do (eta constant); with the eta above that is L sqrt(T ln A / 2). In
    float32 every step rounds a regret r by at most 2^-24 |r|: for one within the bound less than
    1 % of it in 10^5 steps, while one that fell far below 0 comes back less exactly.

    Source: Freund & Schapire, A Decision-Theoretic Generalization of On-Line Learning and an
    Application to Boosting, J. Computer and System Sciences 55 (1997), figure 1. Bound:
    Cesa-Bianchi & Lugosi, Prediction, Learning, and Games (2006), theorem 2.2.
    """

    eta: Any = 0.1

    name = "hedge"

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {"eta": "[0, inf)"}

    @property
    def rules(self) -> Rules:
        """What it does in a step."""
        return _RULES
