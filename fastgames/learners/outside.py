"""Placeholder learner of an agent whose actions come from outside; see `fastgames.VectorGame`."""

from __future__ import annotations

from dataclasses import dataclass

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.rules import fixed

_RULES = Rules(
    twin="outside",
    parameters=(),
    words=0,
    draw=None,
    choose=fixed.choose,  # never called
    learn=fixed.learn,
    policy=None,
    tables=(Table("outside", (1,)),),
)


@dataclass(frozen=True, eq=False)
class Outside(RuleLearner):
    """A learner whose actions come from outside; it draws no random words and never learns."""

    name = "outside"
    learns = False

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _RULES
