"""The square root, which IEEE 754 rounds correctly, so that its bits are the same everywhere."""

import math
from typing import Any


def sqrt(x: Any, real: Any) -> Any:
    """Return the square root of x, correctly rounded.

    Parameters
    ----------
    x : real
        Argument, a float of type `real`.
    real : type
        numpy.float32 or numpy.float64, the type of the result.

    Returns
    -------
    real
        The square root; nan for negative x.
    """
    if x < real(0.0):
        return real(math.nan)
    return real(math.sqrt(x))
