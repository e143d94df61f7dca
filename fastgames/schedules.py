"""Schedules: values that change over a run, accepted for any numeric parameter of a learner.

A schedule counts the game steps of its replica, from 0. Its first value is used at the first step,
and it advances once after every step.
"""

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fastgames._common import checks

CONSTANT, EXPONENTIAL, LINEAR = range(3)
NEVER = 2**62  # a step that no run reaches


class _Frozen:
    """Equality, hash and repr for frozen dataclasses whose fields may be arrays."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def _key(self) -> tuple[Any, ...]:
        """Return the fields in a hashable form."""
        values = (getattr(self, part.name) for part in fields(self))
        return tuple(
            (x.shape, x.dtype.str, x.tobytes()) if isinstance(x, np.ndarray) else x for x in values
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays are writable; calling the constructor makes them read-only again. Cached
        # properties, such as a digest of functions, may be invalid in another process.
        return _again, (
            type(self),
            {part.name: getattr(self, part.name) for part in fields(self)},
        )


def _again(kind: type[_Frozen], given: dict[str, Any]) -> _Frozen:
    """Return the object of class `kind` with these fields."""
    return kind(**given)


@dataclass(frozen=True, eq=False)
class Exponential(_Frozen):
    """Exponential decay: max(floor, start * exp(-rate * t)) at step t.

    Parameters
    ----------
    start : float or array (replicas,)
        The value at the first step, in the domain of the parameter that the schedule replaces.
    rate : float or array (replicas,)
        Decay rate per step, in [0, inf).
    floor : float or array (replicas,)
        Lower bound of the value.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The value is computed as the recurrence v <- v * exp(-rate).

    Examples
    --------
    >>> import fastgames as fg
    >>> explore = fg.EpsilonGreedy(fg.Exponential(1.0, rate=1e-3, floor=0.01))
    """

    start: Any
    rate: Any
    floor: Any = 0.0

    def __post_init__(self) -> None:
        for name in ("start", "rate", "floor"):
            object.__setattr__(self, name, _number(f"Exponential {name}", getattr(self, name)))
        checks.within("Exponential rate", np.asarray(self.rate), "[0, inf)")


@dataclass(frozen=True, eq=False)
class Linear(_Frozen):
    """Linear change: start + (end - start) * min(t / steps, 1) at step t.

    `end` is also the lower bound of the value, or the upper bound if it exceeds `start`.

    Parameters
    ----------
    start, end : float or array (replicas,)
        The first and the last value, in the domain of the parameter that the schedule replaces.
    steps : float or array (replicas,)
        Number of steps after which the value is `end`, in (0, inf).

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.QLearner(alpha=fg.Linear(0.5, 0.05, steps=10_000))
    """

    start: Any
    end: Any
    steps: Any

    def __post_init__(self) -> None:
        for name in ("start", "end", "steps"):
            object.__setattr__(self, name, _number(f"Linear {name}", getattr(self, name)))
        checks.within("Linear steps", np.asarray(self.steps), "(0, inf)")


Numeric: TypeAlias = "float | np.ndarray | Exponential | Linear"
Schedule: TypeAlias = tuple[int, tuple[Any, Any, Any]]  # return type of `parts`


def numeric(name: str, value: Any, domain: str, scheduled: str | None = None) -> Numeric:
    """Return a parameter given by the user after checking it; copy arrays and make them read-only.

    Every value that a run can use must lie in `domain`. The values of a schedule must lie in
    `scheduled` if it is given; it may contain a limit that a schedule approaches but never reaches.
    """
    if isinstance(value, Exponential | Linear):
        ends = ("start", "floor") if isinstance(value, Exponential) else ("start", "end")
        for end in ends:
            values = np.asarray(getattr(value, end))
            checks.within(f"{name} ({end} of its schedule)", values, scheduled or domain)
        return value
    number = _number(name, value)
    checks.within(name, np.asarray(number), domain)
    return number


def _number(name: str, value: Any) -> float | np.ndarray:
    """Return finite numbers as a float, or as a read-only array (replicas,) float64."""
    array = checks.finite_array(name, value)
    if array.ndim == 0:
        return float(array)
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be a number or an array (replicas,), got shape {array.shape}"
        )
    array.setflags(write=False)
    return array


def parts(value: Numeric) -> Schedule:
    """Return a parameter in the form of the engine: kind, (first, second, third) of block.pxi."""
    if isinstance(value, Exponential):
        return EXPONENTIAL, (value.start, value.rate, value.floor)
    if isinstance(value, Linear):
        return LINEAR, (value.start, value.end, value.steps)
    return CONSTANT, (value, 0.0, 0.0)


def falls_to(schedule: Schedule, bound: float) -> np.ndarray:
    """Return the first step at which a parameter is at most `bound` > 0; NEVER if it stays above.

    The result is int64, of the shape of the numbers of the parameter, () or (replicas,).
    """
    kind, numbers = schedule
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
    return first


def _decays_to(v: float, factor: float, bound: float) -> int:
    """Return the first t at which the recurrence v <- v * factor is at most `bound`, for bound < v.

    The recurrence is run only if rounding could change the closed form, and t is at most 10^7.
    """
    if factor == 1.0:
        return NEVER
    if factor == 0.0:
        return 1
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
