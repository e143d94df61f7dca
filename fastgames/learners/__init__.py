"""Learners: what an agent does in a step, and what it makes of the outcome."""

from fastgames.learners.base import Learner, Rules
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fixed import FixedPolicy
from fastgames.learners.qlearner import QLearner

__all__ = ["EpsilonGreedy", "FixedPolicy", "Learner", "QLearner", "Rules", "Softmax"]
