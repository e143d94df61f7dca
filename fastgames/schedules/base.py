"""The form of schedules, and the check of numeric parameters, which may be schedules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fastgames._common import checks
from fastgames._common.frozen import Frozen

CONSTANT, EXPONENTIAL, LINEAR, HYPERBOLIC, TABULATED = range(5)
NEVER = 2**62  # a step that no run reaches


class ScheduleError(ValueError):
    """A schedule has no value in its domain at a step.

    Attributes
    ----------
    value : number or None
        The value, if there is one.
    parameter : str
        The name of the parameter, where it is known.
    """

    parameter: str = ""

    def __init__(self, problem: str, value: Any = None) -> None:
        super().__init__(problem)
        self.value = value


class BaseSchedule(Frozen, ABC):
    """The base class of schedules."""

    by_visits: ClassVar[bool] = False  # whether it counts visits in place of steps

    @property
    def of_function(self) -> Any:
        """The `Schedule` that is made of a user's function: itself, or what it wraps; or None."""
        return None

    @abstractmethod
    def numbers(self) -> dict[str, Any]:
        """Return its numbers by name, each a float or an array (replicas,)."""

    @abstractmethod
    def ends(self) -> dict[str, Any]:
        """Return the values between which it stays, by name; empty if they are not known."""

    @abstractmethod
    def first(self) -> np.ndarray:
        """Return the value at the first step, () or (replicas,)."""

    @abstractmethod
    def parts(self) -> Parts:
        """Return the schedule in the form of the engine."""

    def limits(self) -> tuple[Any, ...]:
        """Return the values between which it stays, as the engine computes them."""
        return tuple(self.ends().values())

    def checked(self, name: str, domain: str) -> BaseSchedule:
        """Return the schedule of a parameter; raise ValueError if a value is outside `domain`."""
        for end, value in self.ends().items():
            checks.within(f"{name} ({end} of its schedule)", np.asarray(value), domain)
        return self


Numeric: TypeAlias = float | np.ndarray | BaseSchedule
# A parameter in the form of the engine: its kind, and (first, second, third) of block.pxi. The
# first of a tabulated one is the schedule.
Parts: TypeAlias = tuple[int, tuple[Any, Any, Any]]


def numeric(
    name: str, value: Any, domain: str, scheduled: str | None = None, visits: bool = False
) -> Numeric:
    """Return a parameter given by the user after checking it; copy arrays and make them read-only.

    Every value that a run can use must lie in `domain`. The values of a schedule must lie in
    `scheduled` if it is given; it may contain a limit that a schedule approaches but never reaches.

    visits: whether a schedule by visits is allowed
    """
    if isinstance(value, BaseSchedule):
        if value.by_visits and not visits:
            raise TypeError(
                f"{name} must be a number, an array (replicas,) or a schedule by steps, got "
                f"{value!r}; only parameters that learning reads can depend on visits"
            )
        return value.checked(name, scheduled or domain)
    number = one_or_each(name, value)
    checks.within(name, np.asarray(number), domain)
    return number


def one_or_each(name: str, value: Any) -> float | np.ndarray:
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


def parts(value: Numeric) -> Parts:
    """Return a parameter in the form of the engine."""
    return value.parts() if isinstance(value, BaseSchedule) else (CONSTANT, (value, 0.0, 0.0))


def numbers(value: Any) -> dict[str, Any]:
    """Return the numbers of a parameter by name; "" is the name of a parameter's only number."""
    return value.numbers() if isinstance(value, BaseSchedule) else {"": value}


def first(value: Any) -> np.ndarray:
    """Return the value of a parameter at the first step, () or (replicas,)."""
    return value.first() if isinstance(value, BaseSchedule) else np.asarray(value)


def limits(value: Any) -> tuple[Any, ...]:
    """Return the values between which a parameter stays; empty if they are not known."""
    return value.limits() if isinstance(value, BaseSchedule) else (value,)


def counts_visits(value: Any) -> bool:
    """Return whether a parameter depends on visits, as a `ByVisits` does."""
    return isinstance(value, BaseSchedule) and value.by_visits


def with_numbers(values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters by name, followed by the further numbers of those that count visits.

    A parameter that counts visits stands for its first number; the others are named after it.
    """
    further = {
        f"{name}_{key}": number
        for name, value in values.items()
        if counts_visits(value)
        for key, number in list(value.numbers().items())[1:]
    }
    return values | further
