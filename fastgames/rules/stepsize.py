"""Step sizes that decrease with the number of visits, counted per observation and action."""

import numpy as np

from fastgames.rules.exponential import exp
from fastgames.rules.logarithm import log


def visit(visits: np.ndarray, o: int, a: int, power: float) -> float:
    """Count a visit of (o, a), and return its step size.

    Parameters
    ----------
    visits : array (observations, actions)
        Numbers of visits, int64; entry [o, a] is modified in place.
    o, a : int
        Observation and action.
    power : float
        Exponent of the step size.

    Returns
    -------
    float
        n^-power for the n-th visit, float64: 1 / n for power 1, else exp(-(power log n)).
    """
    visits[o, a] += 1
    n = float(visits[o, a])
    if power == 1.0:
        return 1.0 / n
    return exp(np.float64(-(power * log(n))), np.float64)
