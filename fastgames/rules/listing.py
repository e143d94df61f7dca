"""Draws in the order of textbook listings, from one NumPy Generator for all agents.

With stream="numpy" these functions replace `draw` in the learners' rules, so that printed listings
are reproduced digit for digit. The compiled twin takes the same words from the same bit generator.
"""

from typing import Any

import numpy as np

from fastgames.rules import fixed, qlearning
from fastgames.rules.choice import GREEDY


def explore(rng: np.random.Generator, epsilon: float, actions: int) -> float:
    """Return the signal of epsilon-greedy choice, drawn as textbook listings do.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator, advanced by `random()` and, if the agent explores, by `integers(actions)`.
    epsilon : float
        Probability of exploring, in [0, 1]: the agent explores if and only if `random() < epsilon`.
    actions : int
        Number of actions A.

    Returns
    -------
    float
        The action to explore, in [0, A), or GREEDY.
    """
    if rng.random() < epsilon:
        return float(rng.integers(actions))
    return GREEDY


def unit(rng: np.random.Generator, real: Any) -> Any:
    """Return a random number in [0, 1) of type `real`.

    Parameters
    ----------
    rng : numpy.random.Generator
        Generator, advanced by one `random()`.
    real : type
        numpy.float32 or numpy.float64.

    Returns
    -------
    real
        The number, rounded to `real`; 1 - 2^-24 if it rounds to 1 in float32.
    """
    x = real(rng.random())
    return x if x < real(1.0) else real(1.0 - 2.0**-24)


LISTINGS: dict[Any, Any] = {  # the `draw` of a learner -> its replacement
    qlearning.draw_explore: lambda rng, p, actions, real: explore(rng, p[2], actions),
    qlearning.draw_unit: lambda rng, p, actions, real: unit(rng, real),
    fixed.draw: lambda rng, p, actions, real: unit(rng, real),
}
