"""Placeholder learner of an agent whose actions come from outside; see `fastgames.VectorGame`."""

from __future__ import annotations

from dataclasses import dataclass

from fastgames._common.later import cached
from fastgames.learners.base import RuleLearner
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed


@dataclass(frozen=True, eq=False)
class Outside(RuleLearner):
    """A learner whose actions come from outside; it draws no random words and never learns."""

    learns = False

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=(),
            tables=(Table("outside", (1,)),),
            draw=None,
            choose=fixed.choose,  # never called
            learn=fixed.learn,
            policy=None,
            words=0,
            twin="outside",
        )
