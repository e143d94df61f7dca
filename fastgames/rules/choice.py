"""Choices in two parts: a random word gives a signal, and the signal gives an action.

The signal depends on the random word and the parameters, never on the tables, so that the compiled
lanes can draw several steps ahead. `u` is the 31-bit word of the contract, u = word >> 1.
"""

import math
from typing import Any

import numpy as np

from fastgames.rules.exponential import exp

GREEDY = -1  # the signal for the greedy action; an int, like actions


def explored(epsilon: float) -> float:
    """The probability of exploring that is used: floor(epsilon 2^31) / 2^31, in float64."""
    return math.floor(epsilon * 2147483648.0) / 2147483648.0


def explore(u: int, epsilon: float, actions: int, real: Any) -> int:
    """Epsilon-greedy's signal: the action to explore, or GREEDY.

    Explore iff u <= floor(epsilon 2^31) - 1. `epsilon` in [0, 1] is float64 whatever `real` is.
    """
    threshold = math.floor(epsilon * 2147483648.0)
    if u <= threshold - 1:
        return min(actions - 1, int(real(u) * real(actions / threshold)))
    return GREEDY


def unit(u: int, real: Any) -> Any:
    """The word as a number in [0, 1), on a grid of 2^-31 (float64) or 2^-24 (float32)."""
    if real(1.0) + real(1e-12) != real(1.0):
        return real(u) * real(2.0**-31)
    return real(u >> 7) * real(2.0**-24)


def argmax(row: np.ndarray) -> int:
    """The index of the largest entry, the lowest on ties. row: (A,)."""
    best = 0
    value = row[0]
    for a in range(1, len(row)):
        if row[a] > value:
            best = a
            value = row[a]
    return best


def largest(row: np.ndarray) -> Any:
    """The largest entry. row: (A,)."""
    best = row[0]
    for a in range(1, len(row)):
        if row[a] > best:
            best = row[a]
    return best


def epsilon_greedy(row: np.ndarray, signal: Any) -> int:
    """The action to explore if the signal is one, else the greedy action of `row` (A,)."""
    if signal == GREEDY:
        return argmax(row)
    return int(signal)


def sample(weights: np.ndarray, x: Any) -> int:
    """Sample an index from non-negative weights (A,), used as given, by x in [0, 1) of their type.

    Running sums c_k in index order; the index is the number of k < A - 1 with c_k <= x c_{A-1}.
    """
    total = weights[0]
    for k in range(1, len(weights)):
        total = total + weights[k]
    limit = x * total
    index = 0
    c = weights[0]
    for k in range(len(weights) - 1):
        if c <= limit:
            index += 1
        c = c + weights[k + 1]
    return index


def softmax_weights(row: np.ndarray, temperature: float, real: Any, out: np.ndarray) -> None:
    """Write exp((row - max row) / temperature) into `out` (A,), modified in place."""
    best = largest(row)
    for a in range(len(row)):
        out[a] = exp((row[a] - best) / real(temperature), real)
