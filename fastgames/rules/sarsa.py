"""SARSA and expected SARSA, epsilon-greedy or softmax.

SARSA: Rummery & Niranjan 1994; Sutton & Barto, Reinforcement Learning (2nd ed. 2018), equation 6.7.
Expected SARSA: van Seijen, van Hasselt, Whiteson & Wiering 2009; Sutton & Barto, equation 6.9.

One rule serves both: SARSA uses the value of the next action; expected SARSA does not wait for it
(`next_action` is -1) and uses the mean over the current policy. Form, tables, parameters and all
other rules are those of `qlearning`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import explored, largest, softmax_weights
from fastgames.rules.qlearning import update
from fastgames.rules.stepsize import visit

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def expected_epsilon(row: np.ndarray, epsilon: float, real: Any) -> Any:
    """The mean of `row` (A,) over epsilon-greedy play: (1 - s) max + s (sum / A), all in `real`.

    s = real(floor(epsilon 2^31) / 2^31); the sum runs in index order from row[0].
    """
    share = real(explored(epsilon))
    total = row[0]
    for a in range(1, len(row)):
        total = total + row[a]
    return (real(1.0) - share) * largest(row) + share * (total / real(len(row)))


def expected_softmax(row: np.ndarray, temperature: float, real: Any) -> Any:
    """The mean of `row` (A,) over softmax play: (sum of w_a row_a) / (sum of w_a), all in `real`.

    w: `softmax_weights`, not normalised; both sums run in index order from their first term.
    """
    weights = np.empty(len(row), row.dtype)
    softmax_weights(row, temperature, real, weights)
    total = weights[0] * row[0]
    weight = weights[0]
    for a in range(1, len(row)):
        total = total + weights[a] * row[a]
        weight = weight + weights[a]
    return total / weight


def learn_epsilon(tables: Any, p: Any, t: "Outcome") -> None:
    """q[o, a] += alpha ((gain + weight value) - q[o, a]).

    value: q[o2, a2]; the mean over epsilon-greedy play at o2 where a2 is -1; 0 once ended.
    """
    q = tables[0]
    real = q.dtype.type
    value = real(0.0)
    if not t.ended:
        if t.next_action >= 0:
            value = q[t.next_observation, t.next_action]
        else:
            value = expected_epsilon(q[t.next_observation], p[2], real)
    update(q, t.observation, t.action, t.gain + t.weight * value, real(p[0]))


def learn_epsilon_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """The same with the step size of the visit."""
    step = visit(tables[1], t.observation, t.action, p[0])
    learn_epsilon(tables, (step, p[1], p[2]), t)


def learn_softmax(tables: Any, p: Any, t: "Outcome") -> None:
    """As `learn_epsilon`, but the mean is over softmax play."""
    q = tables[0]
    real = q.dtype.type
    value = real(0.0)
    if not t.ended:
        if t.next_action >= 0:
            value = q[t.next_observation, t.next_action]
        else:
            value = expected_softmax(q[t.next_observation], p[2], real)
    update(q, t.observation, t.action, t.gain + t.weight * value, real(p[0]))


def learn_softmax_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """The same with the step size of the visit."""
    step = visit(tables[1], t.observation, t.action, p[0])
    learn_softmax(tables, (step, p[1], p[2]), t)
