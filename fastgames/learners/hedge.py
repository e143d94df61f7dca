"""Hedge: exponential weights with full information."""

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
    """Hedge, or exponential weights: plays actions with probabilities proportional to exp(eta s).

    s is the sum of payoffs that an action would have earned against the others' past actions. The
    agent observes the payoffs of all its actions at every step (full information), so it needs a
    game without turns. In a Markov game every observation has its own sums, of the rewards of the
    current step only; later rewards are ignored.

    Parameters
    ----------
    eta : float, schedule or array (replicas,)
        The learning rate, in [0, inf). For T steps, A actions and payoffs in a range of length L,
        eta = sqrt(8 ln A / T) / L minimises the bound below. The strategy of an observation is
        computed when it learns, with the eta of that step.

    Raises
    ------
    ValueError, TypeError
        If eta is outside of its domain.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", the current strategy; "regrets", s less the
    summed mean payoffs of the strategies played, which are the same for all actions;
    "average_strategy", the mean of the strategies played; and "seen", (replicas, observations)
    int64, their number. One random word per step.

    After T visits of an observation no regret exceeds ln A / eta + eta T L^2 / 8, on every run and
    for any play of the others (eta constant); with the eta above this is L sqrt(T ln A / 2). In
    float32 every step rounds a regret r by at most 2^-24 |r|. For a regret within the bound the
    total error is less than 1 % of the bound in 10^5 steps; a regret that fell far below 0 recovers
    less exactly.

    Source: Freund & Schapire, A Decision-Theoretic Generalization of On-Line Learning and an
    Application to Boosting, J. Computer and System Sciences 55 (1997), figure 1. Bound:
    Cesa-Bianchi & Lugosi, Prediction, Learning, and Games (2006), theorem 2.2.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.Hedge(0.1), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["regrets"].shape
    (2, 1, 2)
    """

    eta: Any = 0.1

    name = "hedge"

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return {"eta": "[0, inf)"}

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _RULES
