"""SARSA and expected SARSA.

One rule serves both: SARSA uses the value of the next action; expected SARSA does not wait for it
(`next_action` is -1) and uses the mean over the current policy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example
from fastgames.learners.explore import EpsilonGreedy
from fastgames.learners.rules import Rules
from fastgames.learners.stepsize import VisitCount
from fastgames.learners.values import ValueLearner
from fastgames.rules.choice import explored, largest, softmax_weights
from fastgames.rules.qlearning import update
from fastgames.rules.stepsize import visit

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Sarsa(ValueLearner):
    """SARSA, which learns the values of its own policy.

    The update is q[o, a] += alpha ((r + gamma q[o', a']) - q[o, a]), where a' is the action played
    at o'. The agent learns from a move when it makes its next move. At a time limit there is no
    next move, and it uses the mean over its policy, as `ExpectedSarsa` does. (In a game with turns,
    it does so if it is its turn in the state reached; otherwise the move is discarded.)

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
    title = "SARSA"
    formula = r"Q(o,a) \leftarrow Q(o,a) + \alpha\,\bigl[\,r + \gamma\,Q(o',a') - Q(o,a)\,\bigr]"
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.Sarsa(alpha=0.1)",
        kind="overview",
        record="fg.Record(every={every}, greedy=True, joint_actions=True)",
        says="SARSA learns the values of its own policy, exploration included.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return self._rules(_learn(self), bootstrap="next", defers=True)


@dataclass(frozen=True, eq=False)
class ExpectedSarsa(ValueLearner):
    """Expected SARSA, which uses the mean value of its own policy.

    The update is q[o, a] += alpha ((r + gamma E q[o', .]) - q[o, a]), where E is the mean over the
    current policy, including exploration.

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
    title = "Expected SARSA"
    formula = (
        r"Q(o,a) \leftarrow Q(o,a) + \alpha\,\bigl[\,r + \gamma\,\sum_{a'} \pi(a' \mid o')\, "
        r"Q(o',a') - Q(o,a)\,\bigr]"
    )
    example: ClassVar[Example] = Example(
        "stag_hunt()",
        "fg.ExpectedSarsa(alpha=0.1)",
        kind="overview",
        record="fg.Record(every={every}, greedy=True, joint_actions=True)",
        says=(
            "The target is the mean over the policy, so it has no noise from the choice of the "
            "next action, unlike SARSA's."
        ),
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return self._rules(_learn(self), bootstrap="expected")


def expected_epsilon(row: np.ndarray, epsilon: float, real: Any) -> Any:
    """Return the mean of values over the epsilon-greedy policy, in `real`.

    It is (1 - s) max + s (sum / A) with s = real(floor(epsilon 2^31) / 2^31); the sum runs in index
    order from row[0].

    row: (A,) the values of the actions
    """
    share = real(explored(epsilon))
    total = row[0]
    for a in range(1, len(row)):
        total = total + row[a]
    return (real(1.0) - share) * largest(row) + share * (total / real(len(row)))


def expected_softmax(row: np.ndarray, temperature: float, real: Any) -> Any:
    """Return the mean of values over the softmax policy, in `real`.

    It is (sum of w_a row_a) / (sum of w_a) with w from `softmax_weights`, not normalised; both sums
    run in index order from their first term.

    row: (A,) the values of the actions
    """
    weights = np.empty(len(row), row.dtype)
    softmax_weights(row, temperature, real, weights)
    total = weights[0] * row[0]
    weight = weights[0]
    for a in range(1, len(row)):
        total = total + weights[a] * row[a]
        weight = weight + weights[a]
    return total / weight


def value_epsilon(q: np.ndarray, epsilon: float, t: "Outcome") -> Any:
    """Return the value of the next observation under the epsilon-greedy policy; 0 if ended.

    It is the value of the next action if there is one, else the mean over the policy.
    """
    real = q.dtype.type
    value = real(0.0)
    if not t.ended:
        if t.next_action >= 0:
            value = q[t.next_observation, t.next_action]
        else:
            value = expected_epsilon(q[t.next_observation], epsilon, real)
    return value


def value_softmax(q: np.ndarray, temperature: float, t: "Outcome") -> Any:
    """Return the value of the next observation under the softmax policy; 0 if ended.

    It is the value of the next action if there is one, else the mean over the policy.
    """
    real = q.dtype.type
    value = real(0.0)
    if not t.ended:
        if t.next_action >= 0:
            value = q[t.next_observation, t.next_action]
        else:
            value = expected_softmax(q[t.next_observation], temperature, real)
    return value


def learn_epsilon(tables: Any, p: Any, t: "Outcome") -> None:
    """Move q[o, a] by alpha towards gain + weight value, for epsilon-greedy exploration."""
    q = tables.q
    target = t.gain + t.weight * value_epsilon(q, p.epsilon, t)
    update(q, t.observation, t.action, target, q.dtype.type(p.alpha))


def learn_epsilon_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update as `learn_epsilon` does, with the step size of the visit, `stepsize.visit`."""
    q = tables.q
    step = visit(tables.visits, t.observation, t.action, p.power)
    target = t.gain + t.weight * value_epsilon(q, p.epsilon, t)
    update(q, t.observation, t.action, target, q.dtype.type(step))


def learn_softmax(tables: Any, p: Any, t: "Outcome") -> None:
    """Move q[o, a] by alpha towards gain + weight value, for softmax exploration."""
    q = tables.q
    target = t.gain + t.weight * value_softmax(q, p.temperature, t)
    update(q, t.observation, t.action, target, q.dtype.type(p.alpha))


def learn_softmax_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update as `learn_softmax` does, with the step size of the visit, `stepsize.visit`."""
    q = tables.q
    step = visit(tables.visits, t.observation, t.action, p.power)
    target = t.gain + t.weight * value_softmax(q, p.temperature, t)
    update(q, t.observation, t.action, target, q.dtype.type(step))


_LEARN = {  # (by visits, epsilon-greedy)
    (False, True): learn_epsilon,
    (True, True): learn_epsilon_by_visits,
    (False, False): learn_softmax,
    (True, False): learn_softmax_by_visits,
}


def _learn(learner: ValueLearner) -> Callable[..., Any]:
    """Return the `learn` rule for the step size and exploration of a learner."""
    return _LEARN[isinstance(learner.alpha, VisitCount), isinstance(learner.explore, EpsilonGreedy)]
