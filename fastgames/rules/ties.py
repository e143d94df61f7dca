"""Greedy choices that break ties at random, with the word that decided not to explore.

Form as in `qlearning`. A word u that leaves the choice to the values carries v = u - T in
[0, 2^31 - T), where T = floor(epsilon 2^31). Among m tied actions v selects the one with index
floor(v m / (2^31 - T)). `draw` returns v in two signals, since float32 holds 24 bits.
"""

import math
from typing import Any

import numpy as np

from fastgames.rules.choice import explore, explored, largest

WORDS = 2147483648  # how many there are


def draw(u: int, p: Any, actions: int, real: Any) -> Any:
    """Return two signals of type `real`: the action to explore and 0, or the parts of v.

    The parts are -1 - floor(v / 2^16) and v mod 2^16; p[2]: epsilon.
    """
    threshold = math.floor(p[2] * 2147483648.0)
    if u < threshold:
        return real(explore(u, p[2], actions, real)), real(0.0)
    return split(u - threshold, real)


def split(v: int, real: Any) -> Any:
    """Return the parts of v, -1 - floor(v / 2^16) and v mod 2^16, of type `real`."""
    return real(-1 - (v >> 16)), real(v & 65535)


def joined(first: Any, second: Any) -> int:
    """Return the v whose parts `split` returned."""
    return ((-1 - int(first)) << 16) + int(second)


def among(row: np.ndarray, v: int, count: int) -> int:
    """Return the action with index floor(v m / count) among the m largest entries of a row.

    row: (A,), without nan; v: in [0, count); count: in [1, 2^31]
    """
    best = largest(row)
    tied = 0
    for a in range(len(row)):
        if row[a] == best:
            tied += 1
    index = v * tied // count
    found = 0
    for a in range(len(row)):
        if row[a] == best:
            if index == 0:
                found = a
            index -= 1
    return found


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return the action to explore, else one of the greedy actions of q[o]; p[2]: epsilon."""
    return chosen(tables[0][o], p[2], signal[0], signal[1])


def chosen(row: np.ndarray, epsilon: float, first: Any, second: Any) -> int:
    """Return the action that the two signals of `draw` ask for; row: (A,), values."""
    if first >= 0.0:
        return int(first)
    return among(row, joined(first, second), WORDS - math.floor(epsilon * 2147483648.0))


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the probabilities of the actions at o into `out`, (A,) float64; p[2]: epsilon.

    Every action has epsilon / A, the m greedy ones (1 - epsilon) / m more; epsilon is the
    probability of exploring that `explored` returns.
    """
    share = explored(p[2])
    even(tables[0][o], 1.0 - share, out)
    for a in range(len(out)):
        out[a] += share / len(out)


def even(row: np.ndarray, share: float, out: np.ndarray) -> None:
    """Divide `share` evenly among the largest entries of a row; write it to `out`, (A,)."""
    best = largest(row)
    tied = 0
    for a in range(len(row)):
        if row[a] == best:
            tied += 1
    for a in range(len(row)):
        out[a] = share / tied if row[a] == best else 0.0
