"""Regret matching."""

from dataclasses import dataclass

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.rules import fixed, regret

STRATEGY = Table("strategy", initial="uniform")
AVERAGE = Table("average_strategy", initial="uniform")
SEEN = Table("seen", ("observations",), "int64")

_LEARN = {  # (plus, played)
    (False, False): regret.learn,
    (True, False): regret.learn_plus,
    (False, True): regret.learn_played,
    (True, True): regret.learn_played_plus,
}


@dataclass(frozen=True, eq=False)
class RegretMatching(RuleLearner):
    """Regret matching: plays actions with probabilities proportional to their positive regrets.

    If no regret is positive, play is uniform. The regret of an action is the sum of payoffs that it
    would have earned against the others' past actions, minus the payoffs earned. The agent observes
    the payoffs of all its actions at every step (full information), so it needs a game without
    turns. In a Markov game every observation has its own regrets, of the rewards of the current
    step only; later rewards are ignored.

    Parameters
    ----------
    plus : bool
        Regret matching+: set negative regrets to 0 after every step.
    played : bool
        The payoff earned in a step. True: the payoff of the action played (Hart & Mas-Colell).
        False: the mean payoff of the strategy from which it was drawn, as in CFR.

    Raises
    ------
    TypeError
        If an argument is not a bool.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", the current strategy; "regrets", summed from 0;
    "average_strategy", the mean of the strategies played; and "seen", (replicas, observations)
    int64, their number. One random word per step.

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

    plus: bool = False
    played: bool = False

    name = "regret_matching"

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("plus", "played"):
            value = getattr(self, field)
            if not isinstance(value, bool):
                raise TypeError(f"{field} must be True or False, got {value!r}")

    @property
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
        )
