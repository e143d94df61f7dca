"""Parameters that change over a run. They stand in place of any numeric parameter of a learner.

A schedule counts the game steps of its replica, from 0: its first value is used at the first step,
and it advances once after every step.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fastgames._common import checks

CONSTANT, EXPONENTIAL, LINEAR = range(3)
NEVER = 2**62  # a step that no run comes to


class _Frozen:
    """Equality, hash and repr for frozen dataclasses whose fields may be arrays."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def _key(self) -> tuple[Any, ...]:
        fields = (getattr(self, name) for name in self.__dataclass_fields__)
        return tuple(
            (f.shape, f.dtype.str, f.tobytes()) if isinstance(f, np.ndarray) else f for f in fields
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __reduce__(self) -> tuple[Any, ...]:
        # An array comes out of a pickle writable; made anew it is read-only. What a property has
        # cached, such as a digest of functions, is left behind: it may not hold elsewhere.
        return _again, (
            type(self),
            {name: getattr(self, name) for name in self.__dataclass_fields__},
        )


def _again(kind: type[_Frozen], given: dict[str, Any]) -> _Frozen:
    """Return a learner, or a part of one, from its fields."""
    return kind(**given)


@dataclass(frozen=True, eq=False)
class Exponential(_Frozen):
    """max(floor, start * exp(-rate * t)) at step t, computed as the recurrence v <- v * exp(-rate).

    Parameters
    ----------
    start : float or array (replicas,)
        The value at the first step, in the domain of the parameter it stands for.
    rate : float or array (replicas,)
        Per step, in [0, inf).
    floor : float or array (replicas,)
        The least value used.
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
    """start + (end - start) * min(t / steps, 1) at step t; `end` is also its floor (or ceiling).

    Parameters
    ----------
    start, end : float or array (replicas,)
        The first and the last value, in the domain of the parameter they stand for.
    steps : float or array (replicas,)
        After how many steps the end is reached, in (0, inf).
    """

    start: Any
    end: Any
    steps: Any

    def __post_init__(self) -> None:
        for name in ("start", "end", "steps"):
            object.__setattr__(self, name, _number(f"Linear {name}", getattr(self, name)))
        checks.within("Linear steps", np.asarray(self.steps), "(0, inf)")


Numeric: TypeAlias = "float | np.ndarray | Exponential | Linear"
Schedule: TypeAlias = tuple[int, tuple[Any, Any, Any]]  # what `parts` returns


def numeric(name: str, value: Any, domain: str, scheduled: str | None = None) -> Numeric:
    """A parameter as given by the user: checked, arrays copied and made read-only.

    Every value that a run can use must lie in `domain`; those of a schedule in `scheduled`, where
    that is given (it may contain a limit that a schedule only tends to).
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
    """A parameter as the engine holds it: its kind, and (first, second, third) of block.pxi."""
    if isinstance(value, Exponential):
        return EXPONENTIAL, (value.start, value.rate, value.floor)
    if isinstance(value, Linear):
        return LINEAR, (value.start, value.end, value.steps)
    return CONSTANT, (value, 0.0, 0.0)


def falls_to(schedule: Schedule, bound: float) -> np.ndarray:
    """Return the first step at which a parameter is at most `bound` > 0, NEVER where there is none.

    The shape is () or (replicas,), as the numbers of the parameter have it; int64.
    """
    kind, numbers = schedule
    start, second, third = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in numbers))
    least = np.maximum(start, third) if kind == EXPONENTIAL else start
    first = np.where(least <= bound, 0, NEVER)  # at once, or not, as far as is known here
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
        last = np.minimum(np.ceil(length), NEVER)  # there it has come to its end
        t = np.minimum(np.ceil((v - bound) / (v - end) * length), last)
        for _ in range(2):  # which is off where it was rounded
            t -= v + (end - v) * np.minimum((t - 1) / length, 1.0) <= bound
        for _ in range(2):
            t += (t < last) & (v + (end - v) * np.minimum(t / length, 1.0) > bound)
        first[falls] = t.astype(np.int64)
    return first


def _decays_to(v: float, factor: float, bound: float) -> int:
    """Return the first t at which the recurrence v <- v * factor has come to at most bound < v."""
    if factor == 1.0:
        return NEVER
    if factor == 0.0:
        return 1
    rate = -math.log(factor)
    t = math.log(v / bound) / rate
    error = (t + 4.0) * 2.0**-52 * (1.0 / rate + 4.0)  # at most, of the recurrence and of t
    first, last = math.ceil(t - error), math.ceil(t + error)
    if first == last or last > 10**7:
        return min(last, NEVER)
    steps = 0
    while v > bound:
        v, steps = v * factor, steps + 1
    return steps
