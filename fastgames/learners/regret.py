"""Regret matching, and functions shared by learners with a table of strategies."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import flag
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

STRATEGY = Table("strategy", initial="uniform")
AVERAGE = Table("average_strategy", initial="uniform")
SEEN = Table("seen", ("observations",), "int64")


@dataclass(frozen=True, eq=False)
class RegretMatching(RuleLearner):
    """Regret matching, which plays actions in proportion to their positive regrets.

    If no regret is positive, play is uniform. The regret of an action is the sum of payoffs that it
    would have earned against the others' past actions, minus the payoffs earned. The agent observes
    the payoffs of all its actions at every step (full information). In a Markov game every
    observation has its own regrets, of the rewards of the current step only; later rewards are
    ignored.

    Parameters
    ----------
    plus : bool
        Set negative regrets to 0 after every step (regret matching+).
    played : bool
        Compute regrets from the payoff of the action played (Hart & Mas-Colell). If False, they are
        computed from the mean payoff of the strategy from which it was drawn, as in CFR.

    Raises
    ------
    TypeError
        If an argument is not a bool.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", the current strategy; "regrets", summed from 0;
    "average_strategy", the mean of the strategies played; and "seen", (replicas, observations)
    int64, their number. One random word per step.

    In games with turns it needs an agent whose moves are each followed by its own next move, or by
    the end of the episode. If others move in between, `fastgames.run` rejects it: the payoff of an
    action depends on their replies, which are known for the action played only, and the sources
    define regrets of one step only. `Exp3` needs the payoffs of its own actions only.

    Consider T visits of an observation by an agent with A actions whose payoffs lie in a range of
    length L. With `played` False, no regret exceeds L sqrt(A T) on any run, for any play of the
    others. With `played` True, the bound L sqrt((A - 1) T) holds for the root mean square over
    runs, and one run in a thousand may exceed L sqrt(A T). Both hold with and without `plus`. In
    float32 every step rounds a regret r by at most 2^-24 |r|. For a regret within the bound the
    total error is less than 1 % of the bound in 10^5 steps; a regret that fell far below 0 recovers
    less exactly.

    Source: Hart & Mas-Colell, A Simple Adaptive Procedure Leading to Correlated Equilibrium,
    Econometrica 68 (2000), unconditional regrets; plus: Tammelin, Solving Large Imperfect
    Information Games Using CFR+, arXiv:1407.5042 (2014). Bounds: Blackwell, Pacific J. Mathematics
    6 (1956); Cesa-Bianchi & Lugosi, Prediction, Learning, and Games (2006), section 2.1; for plus
    Tammelin, Burch, Johanson & Bowling, IJCAI 2015.

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.RegretMatching(plus=True)
    >>> result = fg.run(fg.games.chicken(), learner, 9, 2, rng=1, backend="reference")
    >>> bool((result.tables[0]["regrets"] >= 0).all())
    True
    """

    plus: bool = flag()
    played: bool = flag()

    name = "regret_matching"
    title = "Regret matching"
    formula = (
        r"\pi_{t+1}(a) = \frac{R_t^+(a)}{\sum_b R_t^+(b)}, \qquad R_t(a) = \sum_{\tau \le t} "
        r"\bigl[\,u(a, a^\tau_{-i}) - u(\pi_\tau, a^\tau_{-i})\,\bigr]"
    )
    example: ClassVar[Example] = Example(
        "rock_paper_scissors()",
        "fg.RegretMatching()",
        steps=5_000,
        replicas=30,
        options=", average=True",
        says="The strategy moves from corner to corner; its average, shown here, converges.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=(),
            tables=(STRATEGY, Table("regrets"), AVERAGE, SEEN),
            draw=fixed.draw,
            choose=fixed.choose,
            learn=_LEARN[self.plus, self.played],
            policy=fixed.policy,
            counterfactual=True,
            distributions=("strategy", "average_strategy"),
            derived=("strategy",),
            derive=derive,
        )


def mean(strategy: np.ndarray, column: np.ndarray) -> Any:
    """Return the mean payoff of a strategy, summed in index order.

    strategy, column: (A,), probabilities and payoffs of the actions
    """
    total = strategy[0] * column[0]
    for a in range(1, len(column)):
        total = total + strategy[a] * column[a]
    return total


def average(strategy: np.ndarray, averages: np.ndarray, seen: np.ndarray, o: int) -> None:
    """Count a visit of o, and update the mean of the strategies played there, averages[o].

    The n-th strategy s changes the mean m by (s - m) / n, with 1 / n in float64, then rounded to
    the type of the tables. Unlike a sum, this is accurate in float32 for any number of visits.

    strategy, averages: (observations, actions); averages is modified in place
    seen: (observations,) int64, modified in place
    """
    real = averages.dtype.type
    seen[o] += 1
    step = real(1.0 / float(seen[o]))
    for a in range(strategy.shape[1]):
        averages[o, a] = averages[o, a] + step * (strategy[o, a] - averages[o, a])


def regret(regrets: np.ndarray, column: np.ndarray, earned: Any) -> None:
    """Add column - earned to the regrets, both (A,); regrets is modified in place."""
    for a in range(len(column)):
        regrets[a] = regrets[a] + (column[a] - earned)


def forgive(regrets: np.ndarray) -> None:
    """Set negative regrets (A,) to 0, in place."""
    zero = regrets.dtype.type(0.0)
    for a in range(len(regrets)):
        if regrets[a] < zero:
            regrets[a] = zero


def match(regrets: np.ndarray, strategy: np.ndarray) -> None:
    """Write the strategy proportional to the positive regrets; uniform if no regret is positive.

    regrets, strategy: (A,); strategy is modified in place
    """
    real = regrets.dtype.type
    total = real(0.0)
    for a in range(len(regrets)):
        if regrets[a] > real(0.0):
            total = total + regrets[a]
    for a in range(len(regrets)):
        if total <= real(0.0):
            strategy[a] = real(1.0) / real(len(regrets))
        elif regrets[a] > real(0.0):
            strategy[a] = regrets[a] / total
        else:
            strategy[a] = real(0.0)


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add column[k] - (mean of column over strategy[o]) to regrets[o, k], then match them."""
    o = t.observation
    strategy, regrets = tables.strategy[o], tables.regrets[o]
    average(tables.strategy, tables.average_strategy, tables.seen, o)
    regret(regrets, t.column, mean(strategy, t.column))
    match(regrets, strategy)


def derive(tables: Any, p: Any, o: int) -> None:
    """Compute the strategy of observation o from its regrets."""
    match(tables.regrets[o], tables.strategy[o])


def learn_plus(tables: Any, p: Any, t: "Outcome") -> None:
    """Update as `learn` does, then set negative regrets to 0."""
    learn(tables, p, t)
    forgive(tables.regrets[t.observation])


def learn_played(tables: Any, p: Any, t: "Outcome") -> None:
    """Add column[k] - column[a] to regrets[o, k] for the action a played, then match them."""
    o = t.observation
    average(tables.strategy, tables.average_strategy, tables.seen, o)
    regret(tables.regrets[o], t.column, t.column[t.action])
    match(tables.regrets[o], tables.strategy[o])


def learn_played_plus(tables: Any, p: Any, t: "Outcome") -> None:
    """Update as `learn_played` does, then set negative regrets to 0."""
    learn_played(tables, p, t)
    forgive(tables.regrets[t.observation])


_LEARN = {  # (plus, played)
    (False, False): learn,
    (True, False): learn_plus,
    (False, True): learn_played,
    (True, True): learn_played_plus,
}
