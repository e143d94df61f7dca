"""Learners: what an agent does in a step, and what it makes of the outcome."""

from fastgames.learners.base import AnyLearner, Rules, Table
from fastgames.learners.custom import Learner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fixed import FixedPolicy
from fastgames.learners.initial import UniformRivals
from fastgames.learners.qlearner import QLearner
from fastgames.learners.sarsa import ExpectedSarsa, Sarsa
from fastgames.learners.stepsize import VisitCount

__all__ = [
    "AnyLearner",
    "EpsilonGreedy",
    "ExpectedSarsa",
    "FixedPolicy",
    "Learner",
    "QLearner",
    "Rules",
    "Sarsa",
    "Softmax",
    "Table",
    "UniformRivals",
    "VisitCount",
]
