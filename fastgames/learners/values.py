"""The base class of learners that estimate action values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastgames.learners.base import RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fields import exploration, initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.learners.stepsize import VisitCount

Q = Table("q")
VISITS = Table("visits", kind="int64")


@dataclass(frozen=True, eq=False, repr=False, init=False)
class ValueLearner(RuleLearner):
    """A learner with a table "q", and a table "visits" if its step size is a `VisitCount`.

    Subclasses document the parameters and define `rules`.
    """

    alpha: Any = parameter(0.1, "(0, 1]", "[0, 1]", visits=True)
    gamma: Any = parameter(None, "[0, 1]")
    explore: EpsilonGreedy | Softmax = exploration()
    initial: Any = initial_values(rivals=True)

    def _rules(self, learn: Callable[..., Any], **others: Any) -> Rules:
        """Return the rules for this exploration and `learn`; others: more fields of `Rules`."""
        visits = isinstance(self.alpha, VisitCount)
        return Rules(
            parameters=("power" if visits else "alpha", "gamma", self.explore.parameter),
            tables=(Q, VISITS) if visits else (Q,),
            learn=learn,
            **self.explore.rules,
            **others,
        )
