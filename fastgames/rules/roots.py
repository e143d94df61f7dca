"""The square root, which IEEE 754 rounds correctly, so that its bits are the same everywhere."""

import math
from typing import Any


def sqrt(x: Any, real: Any) -> Any:
    """Return the square root of x, correctly rounded; nan for negative x.

    x: float of type `real`; `real`: numpy.float32 or numpy.float64, the type of the result.
    """
    if x < real(0.0):
        return real(math.nan)
    return real(math.sqrt(x))
