"""Policy hill-climbing (PHC), and its variant "win or learn fast" (WoLF-PHC).

Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial Intelligence 136
(2002): PHC is their Table 5, WoLF-PHC their Table 6 (Tables 1 and 2 of Rational and Convergent
Learning in Stochastic Games, IJCAI 2001).

Form as in `qlearning`; the rules `draw`, `choose` and `policy` are those of `mixed`.
Tables are (policy, q) for PHC and (policy, q, average, visits) for WoLF-PHC, `visits`
(observations,) int64; p is (alpha, gamma, epsilon, delta) and (alpha, gamma, epsilon, delta_win,
delta_lose).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import argmax
from fastgames.rules.qlearning import discounted_best, update

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def climb(row: np.ndarray, best: int, delta: Any) -> None:
    """Move probability to the action `best` from every other: delta / (A - 1), or what it has.

    row: (A,) probabilities, modified in place; delta: of their type, in [0, 1]. What is left of 1
    goes to `best`. That is what the others gave, but for rounding, and it keeps the errors of a
    million steps from adding up: the sum is 1 up to the rounding of one sum, and no entry is
    negative.
    """
    real = row.dtype.type
    step = delta / real(max(len(row) - 1, 1))
    others = real(0.0)
    for a in range(len(row)):
        if a != best:
            row[a] = row[a] - min(row[a], step)
            others = others + row[a]
    row[best] = max(real(1.0) - others, real(0.0))


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Q-learning of q[o, a], then a step of delta from the policy towards the greedy action."""
    probabilities, q = tables
    real = q.dtype.type
    target = t.gain + discounted_best(q, t)
    update(q, t.observation, t.action, target, real(p[0]))
    climb(probabilities[t.observation], argmax(q[t.observation]), real(p[3]))


def winning(row: np.ndarray, mean: np.ndarray, values: np.ndarray) -> bool:
    """Whether `row` is worth more than `mean`, probabilities (A,), by the values (A,).

    The sum of (row - mean) (values - values[0]) in index order, for sum(row values) > sum(mean
    values): the same for probabilities, and a value common to all actions, however large, does not
    multiply what rounding adds to their sums.
    """
    more = row.dtype.type(0.0)
    for a in range(1, len(row)):
        more = more + (row[a] - mean[a]) * (values[a] - values[0])
    return more > 0.0


def learn_wolf(tables: Any, p: Any, t: "Outcome") -> None:
    """The same with delta_win if the policy is worth more than its average so far, else delta_lose.

    The average is that of the policy at all visits of o, this one (before its step) included.
    """
    probabilities, q, average, visits = tables
    real = q.dtype.type
    o = t.observation
    target = t.gain + discounted_best(q, t)
    update(q, o, t.action, target, real(p[0]))
    row, mean = probabilities[o], average[o]
    visits[o] += 1
    count = real(visits[o])
    for a in range(len(row)):
        mean[a] = mean[a] + (row[a] - mean[a]) / count
    delta = real(p[4])
    if winning(row, mean, q[o]):
        delta = real(p[3])
    climb(row, argmax(q[o]), delta)
