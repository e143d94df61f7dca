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
    """Regret matching: plays every action in proportion to its positive regret, uniformly if none.

    The regret of an action is what it would have earned against all that the others did so far,
    less what was earned. It sees the payoffs of all its actions at every step (full information),
    so it needs a game without turns; in a Markov game every observation has regrets of its own, and
    they are those of the rewards of the step alone: what comes after counts nothing.

    Parameters
    ----------
    plus : bool
        Regret matching+: negative regrets are set to 0 after every step.
    played : bool
        What was earned: the payoff of the action that was played, as Hart & Mas-Colell have it, or
        (False) the mean payoff of the strategy that it was drawn from, as in CFR.

    Notes
    -----
    Tables, (replicas, observations, A): "strategy", what is played; "regrets", summed from 0;
    "average_strategy", the mean of the strategies played; and "seen", (replicas, observations)
    int64, of how many. One random word per step.

    After T visits of an observation by an agent of A actions whose payoffs lie in a range of length
    L, no regret exceeds L sqrt(A T), whatever the others do: with `played` False on every run; with
    `played` True in the root mean square over runs, whose bound is L sqrt((A - 1) T), while a run
    in a thousand may go beyond (`plus` or not). In float32 every step rounds a regret r by at most
    2^-24 |r|: for one within the bound less than 1 % of it in 10^5 steps, while one that fell far
    below 0 comes back less exactly.

    Source: Hart & Mas-Colell, A Simple Adaptive Procedure Leading to Correlated Equilibrium,
    Econometrica 68 (2000), unconditional regrets; plus: Tammelin, Solving Large Imperfect
    Information Games Using CFR+, arXiv:1407.5042 (2014). Bounds: Blackwell, Pacific J. Mathematics
    6 (1956); Cesa-Bianchi & Lugosi, Prediction, Learning, and Games (2006), section 2.1; for plus
    Tammelin, Burch, Johanson & Bowling, IJCAI 2015.
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
        """What it does in a step."""
        return Rules(
            parameters=(),
            tables=(STRATEGY, Table("regrets"), AVERAGE, SEEN),
            draw=fixed.draw,
            choose=fixed.choose,
            learn=_LEARN[self.plus, self.played],
            policy=fixed.policy,
            counterfactual=True,
        )
