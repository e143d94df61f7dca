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

    The agent learns from a move when it makes its next move. At a time limit there is no next move,
    and it uses the mean over its policy, as `ExpectedSarsa` does. (In a game with turns, it does so
    if it is its turn in the state reached; otherwise the move is discarded.)

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration.
    initial : float, array or UniformRivals
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    Source: Sutton & Barto, Reinforcement Learning (2nd ed. 2018), equation 6.7.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.klein(), fg.Sarsa(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].ndim
    3
    """

    name = "sarsa"

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return self._rules(_learn(self), bootstrap="next", defers=True)


@dataclass(frozen=True, eq=False)
class ExpectedSarsa(ValueLearner):
    """Expected SARSA: q[o, a] += alpha ((r + gamma E q[o', .]) - q[o, a]).

    E is the mean over the current policy, including exploration.

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration.
    initial : float, array or UniformRivals
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    Source: van Seijen, van Hasselt, Whiteson & Wiering, A Theoretical and Empirical Analysis of
    Expected Sarsa, ADPRL 2009; Sutton & Barto (2nd ed. 2018), equation 6.9.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.ExpectedSarsa(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 2)
    """

    name = "expected_sarsa"

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return self._rules(_learn(self), bootstrap="expected")


def _learn(learner: ValueLearner) -> Callable[..., Any]:
    """Return the `learn` rule for the step size and exploration of a learner."""
    return _LEARN[isinstance(learner.alpha, VisitCount), isinstance(learner.explore, EpsilonGreedy)]
