"""Learners: how agents choose actions and update their tables."""

from typing import TYPE_CHECKING

from fastgames._common.later import later
from fastgames.learners.base import AnyLearner, RuleLearner, Rules, Table
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fixed import FixedPolicy
from fastgames.learners.initial import UniformRivals
from fastgames.learners.qlearner import QLearner
from fastgames.learners.sarsa import ExpectedSarsa, Sarsa
from fastgames.learners.stepsize import VisitCount

if TYPE_CHECKING:
    from fastgames.learners.custom import Learner
    from fastgames.learners.exp3 import Exp3
    from fastgames.learners.fictitious import FictitiousPlay
    from fastgames.learners.hedge import Hedge
    from fastgames.learners.hill_climbing import PHC, WoLFPHC
    from fastgames.learners.hysteretic import HystereticQ
    from fastgames.learners.lenient import LenientQ
    from fastgames.learners.minimax import MinimaxQ
    from fastgames.learners.registry import LEARNERS
    from fastgames.learners.regret import RegretMatching
    from fastgames.learners.teams import COMA, VDN
else:  # a process uses few learners; import them on first access
    __getattr__, __dir__ = later(
        __name__,
        {
            "custom": ("Learner",),
            "exp3": ("Exp3",),
            "fictitious": ("FictitiousPlay",),
            "hedge": ("Hedge",),
            "hill_climbing": ("PHC", "WoLFPHC"),
            "hysteretic": ("HystereticQ",),
            "lenient": ("LenientQ",),
            "minimax": ("MinimaxQ",),
            "regret": ("RegretMatching",),
            "registry": ("LEARNERS",),
            "teams": ("COMA", "VDN"),
        },
    )

__all__ = [
    "COMA",
    "LEARNERS",
    "PHC",
    "VDN",
    "AnyLearner",
    "EpsilonGreedy",
    "Exp3",
    "ExpectedSarsa",
    "FictitiousPlay",
    "FixedPolicy",
    "Hedge",
    "HystereticQ",
    "Learner",
    "LenientQ",
    "MinimaxQ",
    "QLearner",
    "RegretMatching",
    "RuleLearner",
    "Rules",
    "Sarsa",
    "Softmax",
    "Table",
    "UniformRivals",
    "VisitCount",
    "WoLFPHC",
]
