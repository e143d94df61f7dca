"""Learners: how agents choose actions and update their tables."""

from typing import TYPE_CHECKING

from fastgames._common.later import later
from fastgames.learners import _names
from fastgames.learners.base import RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.rules import Rules, Table
from fastgames.learners.stepsize import VisitCount

if TYPE_CHECKING:
    from fastgames.learners._names import *  # noqa: F403
    from fastgames.learners.custom import Learner
    from fastgames.learners.initial import UniformRivals
else:  # a process uses few learners; import them on first access
    __getattr__, __dir__ = later(
        __name__,
        {"custom": ("Learner",), "initial": ("UniformRivals",)},
        index=_names.MODULES,
    )

AnyLearner = RuleLearner  # the former name of the type of all learners

__all__ = [
    "AnyLearner",
    "EpsilonGreedy",
    "Learner",
    "RuleLearner",
    "Rules",
    "Softmax",
    "Table",
    "UniformRivals",
    "VisitCount",
]
__all__ += _names.__all__
