"""The seat of an agent that is played from outside, see `fastgames.VectorGame`."""

from __future__ import annotations

from dataclasses import dataclass

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.rules import fixed

_RULES = Rules(
    twin="outside",
    parameters=(),
    words=0,
    draw=None,
    choose=fixed.choose,  # nobody asks it
    learn=fixed.learn,
    policy=None,
    tables=(Table("outside", (1,)),),
)


@dataclass(frozen=True, eq=False)
class Outside(RuleLearner):
    """Its actions come from outside; it draws and learns nothing."""

    name = "outside"
    learns = False

    @property
    def rules(self) -> Rules:
        """What it does in a step."""
        return _RULES
