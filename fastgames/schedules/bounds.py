"""Steps at which schedules fall to a bound."""

import itertools
import math
import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from fastgames.schedules.base import EXPONENTIAL, HYPERBOLIC, LINEAR, NEVER, TABULATED, Parts
from fastgames.schedules.tabulated import Piecewise


def falls_to(schedule: Parts, bound: float) -> np.ndarray:
    """Return the first step at which a parameter is at most `bound` > 0; NEVER if it stays above.

    The result is int64, of the shape of the numbers of the parameter, () or (replicas,).
    """
    kind, numbers = schedule
    if kind == TABULATED:
        return _piecewise_falls_to(numbers[0], bound)
    start, second, third = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in numbers))
    least = np.maximum(start, third) if kind == EXPONENTIAL else start
    first = np.where(least <= bound, 0, NEVER)  # entries that fall later are replaced below
    if kind == EXPONENTIAL:
        from fastgames.rules.exponential import exp

        falls = (start > bound) & (third <= bound)
        pairs, which = np.unique(
            np.stack([start[falls], second[falls]]), axis=1, return_inverse=True
        )
        steps = [_decays_to(v, float(exp(-rate, np.float64)), bound) for v, rate in pairs.T]
        first[falls] = np.array(steps, np.int64)[which.ravel()]
    elif kind == LINEAR:
        falls = (start > bound) & (second <= bound)
        v, end, length = start[falls], second[falls], third[falls]
        last = np.minimum(np.ceil(length), NEVER)  # the value is `end` from this step on
        t = np.minimum(np.ceil((v - bound) / (v - end) * length), last)
        for _ in range(2):  # rounding may have moved t by a step or two
            t -= v + (end - v) * np.minimum((t - 1) / length, 1.0) <= bound
        for _ in range(2):
            t += (t < last) & (v + (end - v) * np.minimum(t / length, 1.0) > bound)
        first[falls] = t.astype(np.int64)
    elif kind == HYPERBOLIC:
        from fastgames.rules.schedules import hyperbolic

        falls = start > bound
        found = np.stack([x[falls] for x in (start, second, third)])
        kinds, which = np.unique(found, axis=1, return_inverse=True)
        steps = [
            _first_at_most(partial(hyperbolic, *kind), bound, 0, NEVER) for kind in kinds.T.tolist()
        ]
        first[falls] = np.array(steps, np.int64)[which.ravel()]
    return first


def _first_at_most(value: Callable[[int], float], bound: float, low: int, high: int) -> int:
    """Return the first t in [low, high) at which a monotone value is at most `bound`, else high."""
    if low >= high or value(low) <= bound:
        return low
    if value(high - 1) > bound:
        return high
    last = high - 1
    while last - low > 1:  # value(low) > bound >= value(last)
        middle = (low + last) // 2
        if value(middle) > bound:
            low = middle
        else:
            last = middle
    return last


def _piecewise_falls_to(schedule: Piecewise, bound: float) -> np.ndarray:
    """Return `falls_to` for a piecewise schedule, which is monotone between two knots."""
    steps, values = schedule.knots
    count = max(steps.shape[1], values.shape[1])
    first = np.full(count if schedule.by_replica else (), NEVER)
    for r in range(count):
        knots = np.broadcast_to(steps, (len(steps), count))[:, r]
        pieces = [0, *(min(math.ceil(s), NEVER) for s in knots.tolist()), NEVER]
        for low, high in itertools.pairwise(pieces):
            t = _first_at_most(partial(schedule.value, replica=r), bound, low, high)
            if t < high:
                first[r if first.ndim else ()] = t
                break
    return first


def _decays_to(v: float, factor: float, bound: float) -> int:
    """Return the first t at which the recurrence v <- v * factor is at most `bound`, for bound < v.

    The recurrence is run only if rounding could change the closed form, and t is at most 10^7.
    """
    if factor == 1.0:
        return NEVER
    if factor == 0.0 or v < sys.float_info.min:
        return 1
    bound = max(bound, math.nextafter(sys.float_info.min, 0.0))  # v becomes 0 instead of subnormal
    rate = -math.log(factor)
    t = math.log(v / bound) / rate
    error = (t + 4.0) * 2.0**-52 * (1.0 / rate + 4.0)  # bound for the recurrence and for t
    first, last = math.ceil(t - error), math.ceil(t + error)
    if first == last or last > 10**7:
        return min(last, NEVER)
    steps = 0
    while v > bound:
        v, steps = v * factor, steps + 1
    return steps
