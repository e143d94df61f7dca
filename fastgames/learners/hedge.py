"""Hedge: exponential weights with full information."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import parameter
from fastgames.learners.regret import AVERAGE, SEEN, STRATEGY, average, mean, regret
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.choice import largest
from fastgames.rules.exponential import exp

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Hedge(RuleLearner):
    """Hedge (exponential weights), which plays actions in proportion to exp(eta s).

    s is the sum of payoffs that an action would have earned against the others' past actions. The
    agent observes the payoffs of all its actions at every step (full information). In a Markov game
    every observation has its own sums, of the rewards of the current step only; later rewards are
    ignored.

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

    In games with turns it needs an agent whose moves are each followed by its own next move, or by
    the end of the episode. If others move in between, `fastgames.run` rejects it: the payoff of an
    action depends on their replies, which are known for the action played only, and the source
    defines payoffs of one step only. `Exp3` needs the payoffs of its own actions only.

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

    eta: Any = parameter(0.1, "[0, inf)")

    name = "hedge"
    title = "Hedge"
    formula = r"\pi_{t+1}(a) \propto \exp\Bigl(\eta \sum_{\tau \le t} u(a, a^\tau_{-i})\Bigr)"
    example: ClassVar[Example] = Example(
        "rock_paper_scissors()",
        "fg.Hedge(eta=0.05)",
        steps=5_000,
        replicas=30,
        options=", average=True",
        says="The strategy cycles outwards; its average, shown here, converges to the equilibrium.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("eta",),
            tables=(STRATEGY, Table("regrets"), AVERAGE, SEEN),
            draw=fixed.draw,
            choose=fixed.choose,
            learn=learn,
            policy=fixed.policy,
            counterfactual=True,
            distributions=("strategy", "average_strategy"),
            derived=("strategy",),
            derive=derive,
        )


def weigh(sums: np.ndarray, eta: float, strategy: np.ndarray) -> None:
    """Write the strategy proportional to exp(eta (sums - max sums)).

    sums, strategy: (A,); strategy is modified in place
    """
    real = sums.dtype.type
    best = largest(sums)
    total = real(0.0)
    for a in range(len(sums)):
        strategy[a] = exp(real(eta) * (sums[a] - best), real)
        total = total + strategy[a]
    for a in range(len(sums)):
        strategy[a] = strategy[a] / total


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add column[k] - (mean of column over strategy[o]) to regrets[o, k], then weigh them.

    The paper weighs the summed payoffs. Regrets differ from these by the same number for all
    actions, so the strategy is the same, and the largest regret stays within its bound.
    """
    o = t.observation
    strategy, regrets = tables.strategy[o], tables.regrets[o]
    average(tables.strategy, tables.average_strategy, tables.seen, o)
    regret(regrets, t.column, mean(strategy, t.column))
    weigh(regrets, p.eta, strategy)


def derive(tables: Any, p: Any, o: int) -> None:
    """Compute the strategy of observation o from its regrets."""
    weigh(tables.regrets[o], p.eta, tables.strategy[o])
