"""Joint observations and actions of a team, and means of its critic over the members' policies.

`logits` is a tuple with the table (observations, actions) of each of M members, whose policies are
those of `gradients`. A row of a critic has an entry for each joint action of the members.
"""

from typing import Any

import numpy as np

from fastgames.rules.gradients import mixed, softmax


def joint(digits: Any, logits: Any, axis: int) -> int:
    """Return the index of a joint observation (axis 0) or of a joint action (axis 1).

    digits: (M,) the members' observations or actions; the first member's varies slowest
    """
    number = 0
    for i in range(len(digits)):
        number = number * logits[i].shape[axis] + digits[i]
    return number


def expected(row: np.ndarray, logits: Any, observations: Any, epsilon: float) -> Any:
    """Return the mean of a row of the critic over the members' policies.

    It averages over the actions of one member at a time, the last member first.

    row: (joint actions,)
    """
    real = row.dtype.type
    values = row.copy()
    size = len(row)
    for i in range(len(observations) - 1, -1, -1):
        actions = logits[i].shape[1]
        chances = np.empty(actions, row.dtype)
        softmax(logits[i][observations[i]], chances)
        size = size // actions
        for k in range(size):
            total = real(0.0)
            for a in range(actions):
                chance = mixed(chances[a], epsilon, actions, real)
                total = total + chance * values[k * actions + a]
            values[k] = total
    return values[0]


def baseline(row: np.ndarray, chances: np.ndarray, epsilon: float, first: int, stride: int) -> Any:
    """Return the mean of a row of the critic over one member's action.

    It is sum_b pi(b) row[first + b stride].

    chances: (A,) the softmax of this member
    """
    real = row.dtype.type
    total = real(0.0)
    for b in range(len(chances)):
        chance = mixed(chances[b], epsilon, len(chances), real)
        total = total + chance * row[first + b * stride]
    return total


def chances_of(row: np.ndarray, epsilon: float, moves: bool, out: np.ndarray) -> None:
    """Write the probabilities of a member's actions into `out`; 1 for action 0 if it does not move.

    row, out: (A,), its logits, and the probabilities
    """
    real = row.dtype.type
    softmax(row, out)
    for a in range(len(out)):
        out[a] = mixed(out[a], epsilon, len(out), real)
        if not moves:
            out[a] = real(1.0) if a == 0 else real(0.0)


def expected_in_turns(
    row: np.ndarray, logits: Any, observations: Any, moves: Any, epsilon: float
) -> Any:
    """Return the mean of a row of the critic over the policies of the members that move.

    It averages as `expected` does. moves: (M,) of bool
    """
    values = row.copy()
    size = len(row)
    for i in range(len(observations) - 1, -1, -1):
        chances = np.empty(logits[i].shape[1], row.dtype)
        chances_of(logits[i][observations[i]], epsilon, moves[i], chances)
        size = size // len(chances)
        for k in range(size):
            total = row.dtype.type(0.0)
            for a in range(len(chances)):
                total = total + chances[a] * values[k * len(chances) + a]
            values[k] = total
    return values[0]


def joint_chances(
    logits: Any, observations: Any, moves: Any, epsilon: float, out: np.ndarray
) -> None:
    """Write the probability of each joint action into `out`, the first member's digit slowest.

    moves: (M,) of bool; a member that does not move plays action 0
    out: (joint actions,)
    """
    out[0] = out.dtype.type(1.0)
    size = 1
    for i in range(len(observations)):
        chances = np.empty(logits[i].shape[1], out.dtype)
        chances_of(logits[i][observations[i]], epsilon, moves[i], chances)
        actions = len(chances)
        for k in range(size - 1, -1, -1):  # entry k is read before it is overwritten
            before = out[k]
            for a in range(actions):
                out[k * actions + a] = before * chances[a]
        size = size * actions
