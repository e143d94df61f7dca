"""Draws in the order of textbook listings, from one NumPy Generator for all agents.

With stream="numpy" these functions replace `draw` in the learners' rules, so that printed listings
are reproduced digit for digit. The compiled twin takes the same words from the same bit generator.
"""

from typing import Any

import numpy as np

from fastgames.rules import fixed, qlearning
from fastgames.rules.choice import GREEDY


def explore(rng: np.random.Generator, epsilon: float, actions: int) -> float:
    """`random() < epsilon`, then `integers(actions)` only if exploring; else GREEDY."""
    if rng.random() < epsilon:
        return float(rng.integers(actions))
    return GREEDY


def unit(rng: np.random.Generator, real: Any) -> Any:
    """One `random()`, in [0, 1) also where rounding to float32 would give 1."""
    x = real(rng.random())
    return x if x < real(1.0) else real(1.0 - 2.0**-24)


LISTINGS: dict[Any, Any] = {  # the `draw` of a learner -> its replacement
    qlearning.draw_explore: lambda rng, p, actions, real: explore(rng, p[2], actions),
    qlearning.draw_unit: lambda rng, p, actions, real: unit(rng, real),
    fixed.draw: lambda rng, p, actions, real: unit(rng, real),
}
