"""Schedules: parameters that depend on the replica's game steps, counted from 0; in float64."""

import sys
from typing import Any

import numpy as np

from fastgames.rules.exponential import exp
from fastgames.rules.logarithm import log

SMALLEST_NORMAL = sys.float_info.min


def exponential(value: float, floor: float) -> float:
    """Return the value of an exponential schedule.

    Parameters
    ----------
    value : float
        State of the recurrence, which `advance` advances once a step.
    floor : float
        Lower bound of the schedule.

    Returns
    -------
    float
        max(value, floor), float64.
    """
    return max(value, floor)


def advance(value: float, decay: float) -> float:
    """Return the state of the recurrence of an exponential schedule one step on.

    Parameters
    ----------
    value : float
        The state, in float64.
    decay : float
        exp(-rate).

    Returns
    -------
    float
        value decay, float64. If it is subnormal, 0, because CPUs are slow with subnormal numbers.

    Examples
    --------
    >>> advance(0.5, 0.25), advance(2.0**-1022, 0.25)
    (0.125, 0.0)
    """
    after = value * decay
    return after if abs(after) >= SMALLEST_NORMAL else 0.0


def linear(start: float, end: float, steps: float, t: float) -> float:
    """Return the value of a linear schedule at step t.

    Parameters
    ----------
    start, end : float
        Value at step 0, and from step `steps` on.
    steps : float
        Number of game steps from `start` to `end`, above 0.
    t : float
        Game steps that the replica has taken.

    Returns
    -------
    float
        start + (end - start) min(t / steps, 1), float64.
    """
    return start + (end - start) * min(t / steps, 1.0)


def hyperbolic(start: float, offset: float, power: float, t: float) -> float:
    """Return the value of a hyperbolic schedule at step t.

    Parameters
    ----------
    start : float
        Value at step 0.
    offset : float
        Steps, at least 2^-64.
    power : float
        Exponent of the decay, above 0.
    t : float
        Game steps that the replica has taken.

    Returns
    -------
    float
        start (offset / (offset + t))^power, float64, with x^power = exp(power log x) unless power
        is 1.
    """
    base = offset / (offset + t)
    if power != 1.0:
        base = exp(np.float64(power * log(base)), np.float64)
    return start * base


def decayed(start: float, rate: float, floor: float, t: float) -> float:
    """Return the value of an exponential schedule at any t, without its recurrence.

    Parameters
    ----------
    start, rate, floor : float
        Value at 0, decay rate and lower bound.
    t : float
        Number of steps or visits.

    Returns
    -------
    float
        max(start exp(-rate t), floor), float64.
    """
    return max(start * exp(np.float64(-(rate * t)), np.float64), floor)


def piecewise(steps: Any, values: Any, linear: bool, t: float) -> float:
    """Return the value of a piecewise schedule at step t.

    Parameters
    ----------
    steps, values : tuple or array (knots,)
        Ascending steps, and the value at each.
    linear : bool
        Interpolate between the knots; else each value holds until the next knot.
    t : float
        Game steps that the replica has taken.

    Returns
    -------
    float
        The value, float64: the first before the first knot, the last from the last knot on, between
        two knots start + (end - start) ((t - first) / (last - first)).
    """
    k = 0
    while k < len(steps) and t >= steps[k]:
        k += 1
    if k == 0:
        return values[0]
    if k == len(steps) or not linear:
        return values[k - 1]
    part = (t - steps[k - 1]) / (steps[k] - steps[k - 1])
    return values[k - 1] + (values[k] - values[k - 1]) * part
