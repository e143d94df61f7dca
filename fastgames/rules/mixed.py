"""A policy table mixed with uniform play: explore, or else sample from the table.

Form as in `qlearning`. The first random word decides on exploration and its action, the second
samples from the table. The first table holds probabilities (observations, actions); p[2] is
epsilon.
"""

from typing import Any

import numpy as np

from fastgames.rules.choice import GREEDY, explore, explored, sample, unit


def draw(u: Any, p: Any, actions: int, real: Any) -> Any:
    """Return two signals: the action to explore or GREEDY, and a number in [0, 1).

    u: two random words; p[2]: epsilon. Both signals have type `real`.
    """
    return real(explore(u[0], p[2], actions, real)), unit(u[1], real)


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return the action to explore, else an action sampled from row o of tables[0].

    signal: the pair from `draw`; its second number samples the action if the first is GREEDY.
    """
    if signal[0] == GREEDY:
        return sample(tables[0][o], signal[1])
    return int(signal[0])


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the probabilities of the actions into `out`, (A,) float64.

    They are epsilon / A + (1 - epsilon) q, where q is row o of tables[0], normalised, and epsilon
    is the probability of exploring that `explored` returns for p[2].
    """
    row = tables[0][o]
    share = explored(p[2])
    total = 0.0
    for a in range(len(row)):
        total += float(row[a])
    for a in range(len(row)):
        out[a] = share / len(row) + (1.0 - share) * (float(row[a]) / total)
