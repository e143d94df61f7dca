"""SARSA and expected SARSA."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastgames.learners.base import Rules
from fastgames.learners.explore import EpsilonGreedy
from fastgames.learners.stepsize import VisitCount
from fastgames.learners.values import ValueLearner
from fastgames.rules import sarsa

_LEARN = {  # (by visits, epsilon-greedy)
    (False, True): sarsa.learn_epsilon,
    (True, True): sarsa.learn_epsilon_by_visits,
    (False, False): sarsa.learn_softmax,
    (True, False): sarsa.learn_softmax_by_visits,
}


@dataclass(frozen=True, eq=False)
class Sarsa(ValueLearner):
    """SARSA: q[o, a] += alpha ((r + gamma q[o', a']) - q[o, a]), a' the action played at o'.

    It learns from a move when it makes the next one. At a time limit, where there is no next one,
    it takes the mean over what it would play, as `ExpectedSarsa` does. (In a game with turns, if it
    is to move in the state reached; else the move is discarded.)

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    explore : EpsilonGreedy or Softmax
        How it explores.
    initial : float, array or UniformRivals
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    Source: Sutton & Barto, Reinforcement Learning (2nd ed. 2018), equation 6.7.
    """

    name = "sarsa"

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return self._rules(_learn(self), bootstrap="next", defers=True)


@dataclass(frozen=True, eq=False)
class ExpectedSarsa(ValueLearner):
    """Expected SARSA: q[o, a] += alpha ((r + gamma E q[o', .]) - q[o, a]).

    E is the mean over the policy that it plays now, exploration included.

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    explore : EpsilonGreedy or Softmax
        How it explores.
    initial : float, array or UniformRivals
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    Source: van Seijen, van Hasselt, Whiteson & Wiering, A Theoretical and Empirical Analysis of
    Expected Sarsa, ADPRL 2009; Sutton & Barto (2nd ed. 2018), equation 6.9.
    """

    name = "expected_sarsa"

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return self._rules(_learn(self), bootstrap="expected")


def _learn(learner: ValueLearner) -> Callable[..., Any]:
    return _LEARN[isinstance(learner.alpha, VisitCount), isinstance(learner.explore, EpsilonGreedy)]
