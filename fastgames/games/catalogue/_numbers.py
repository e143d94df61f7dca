"""Checks of numbers that matrix games have as parameters."""

from __future__ import annotations

import math
from numbers import Integral, Real


def real(argument: str, value: object) -> float:
    """Return the value as a finite float, else raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} must be a real number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # the int exceeds float64
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{argument} must be finite, got {number}")
    return number


def integer(argument: str, value: object, low: int, high: int) -> int:
    """Return the value as an int in [low, high], else raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{argument} must be an int, got {value!r}")
    number = int(value)
    if not low <= number <= high:
        raise ValueError(f"{argument} must be in [{low}, {high}], got {number}")
    return number
