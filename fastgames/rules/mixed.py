"""A policy table mixed with uniform play: explore, or else sample from the table.

Form as in `qlearning`. The first random word decides on exploration and its action, the second
samples from the table. The first table holds probabilities (observations, actions); p[2] is
epsilon.
"""

from typing import Any

import numpy as np

from fastgames.rules.choice import GREEDY, explore, explored, sample, unit


def draw(u: Any, p: Any, actions: int, real: Any) -> Any:
    """(What to explore or GREEDY, a number in [0, 1)); p[2] is epsilon."""
    return real(explore(u[0], p[2], actions, real)), unit(u[1], real)


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """What the first signal explores, else sampled from the policy by the second."""
    if signal[0] == GREEDY:
        return sample(tables[0][o], signal[1])
    return int(signal[0])


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Uniform with the probability of exploring, the rest as the table says, normalised."""
    row = tables[0][o]
    share = explored(p[2])
    total = 0.0
    for a in range(len(row)):
        total += float(row[a])
    for a in range(len(row)):
        out[a] = share / len(row) + (1.0 - share) * (float(row[a]) / total)
