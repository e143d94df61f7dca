"""Schedules that Python computes some steps ahead, in tables that the kernels read.

A table covers the next steps of the replicas of a block; so its size does not depend on the length
of the run, and all backends use the same numbers.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common import checks
from fastgames._common.later import cached
from fastgames.schedules.base import (
    TABULATED,
    BaseSchedule,
    Parts,
    ScheduleError,
    one_or_each,
)

if TYPE_CHECKING:
    from fastgames.functions.source import Source

PAGE = 4096  # steps whose values are kept together
PAGES = 256  # at most so many pages of a function's values are kept: 8 MB
LEAST = (
    1e-30  # smallest value of a function for a parameter that must be above 0, such as a divisor
)


class Tabulated(BaseSchedule):
    """The base class of schedules that are computed some steps ahead."""

    @abstractmethod
    def table(self, first: np.ndarray, count: int, replicas: np.ndarray) -> np.ndarray:
        """Return the values of `count` steps, nan where a value is outside of its domain.

        first: (n,) int64, the first step of each replica; replicas: (n,) int64, their numbers

        Returns an array that broadcasts to (count, n), float64.
        """

    def value(self, t: int, replica: int) -> float:
        """Return the value at a step of a replica; raise ScheduleError if there is none."""
        return float(self.table(np.array([t]), 1, np.array([replica]))[0, 0])

    def parts(self) -> Parts:
        """Return the schedule in the form of the engine."""
        return TABULATED, (self, 0.0, 0.0)

    @cached
    def by_replica(self) -> bool:
        """True if a number of the schedule differs between replicas."""
        return any(isinstance(x, np.ndarray) for x in self.numbers().values())


@dataclass(frozen=True, eq=False)
class Piecewise(Tabulated):
    """Values at given steps, with straight lines between them or constant up to the next.

    Parameters
    ----------
    steps : sequence of K floats or arrays (replicas,)
        The steps of the knots, in [0, inf), strictly ascending in every replica.
    values : sequence of K floats or arrays (replicas,)
        The value at each knot, in the domain of the parameter that the schedule replaces.
    between : "linear" or "constant"
        "linear": interpolate between two knots. "constant": a value holds from its knot until the
        next one.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Before the first knot the value is the first one, from the last knot on the last one. Between
    knots at s and s' with values v and v', a linear schedule is v + (v' - v) ((t - s) / (s' - s)).

    Examples
    --------
    >>> import fastgames as fg
    >>> explore = fg.EpsilonGreedy(fg.Piecewise([0, 1000, 5000], [1.0, 0.1, 0.01]))
    >>> halved = fg.Piecewise([0, 100, 200], [0.4, 0.2, 0.1], between="constant")
    >>> learner = fg.QLearner(alpha=halved, explore=explore)
    """

    steps: Any
    values: Any
    between: str = "linear"

    def __post_init__(self) -> None:
        checks.one_of("Piecewise between", self.between, ("linear", "constant"))
        for name in ("steps", "values"):
            checks.ordered(f"Piecewise {name}", getattr(self, name))
            try:
                given = list(getattr(self, name))
            except TypeError:
                raise TypeError(
                    f"Piecewise {name} must be a sequence of numbers or arrays (replicas,), got "
                    f"{getattr(self, name)!r}"
                ) from None
            numbers = (one_or_each(f"Piecewise {name}[{k}]", x) for k, x in enumerate(given))
            object.__setattr__(self, name, tuple(numbers))
        if len(self.steps) != len(self.values) or not self.steps:
            raise ValueError(
                "Piecewise steps and values must have the same length, at least 1, got "
                f"{len(self.steps)} and {len(self.values)}"
            )
        for k, step in enumerate(self.steps):
            checks.within(f"Piecewise steps[{k}]", np.asarray(step), "[0, inf)")
            if k and np.size(step) > 1 and np.size(self.steps[k - 1]) not in (1, np.size(step)):
                break  # the run names the number of replicas
            if k and not np.all(np.asarray(self.steps[k - 1]) < np.asarray(step)):
                raise ValueError(
                    f"Piecewise steps must be strictly ascending, got steps[{k - 1}] = "
                    f"{self.steps[k - 1]} and steps[{k}] = {step}"
                )

    def numbers(self) -> dict[str, Any]:
        """Return its numbers by name, each a float or an array (replicas,)."""
        named = {f"steps_{k}": x for k, x in enumerate(self.steps)}
        return named | {f"values_{k}": x for k, x in enumerate(self.values)}

    def ends(self) -> dict[str, Any]:
        """Return the values between which it stays, by name."""
        return {f"values[{k}]": x for k, x in enumerate(self.values)}

    def first(self) -> np.ndarray:
        """Return the value at step 0, which is the first one, () or (replicas,)."""
        return np.asarray(self.values[0])

    @cached
    def knots(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values of the knots, each (K, replicas), or (K, 1) if all have the same."""
        steps = np.stack(np.broadcast_arrays(*map(np.atleast_1d, self.steps)))
        values = np.stack(np.broadcast_arrays(*map(np.atleast_1d, self.values)))
        return steps, values

    def table(self, first: np.ndarray, count: int, replicas: np.ndarray) -> np.ndarray:
        """Return the values of `count` steps, to be broadcast to (count, n), float64."""
        if not self.by_replica and (first == first[0]).all():
            first, replicas = first[:1], replicas[:1]
        steps, values = (x[:, replicas if x.shape[1] > 1 else [0]] for x in self.knots)
        t = first.astype(np.float64) + np.arange(count)[:, None]
        following = _knots_up_to(steps, t[[0, -1]])
        if (following[0] == following[1]).all():  # no knot in between
            following = following[:1]
        else:
            following = _knots_up_to(steps, t)
        before, after = np.maximum(following - 1, 0), np.minimum(following, len(steps) - 1)
        found = _entries(values, before)
        if self.between == "constant":
            return found
        inside = (following > 0) & (following < len(steps))
        start = _entries(steps, before)
        length = np.where(inside, _entries(steps, after) - start, 1.0)
        between = found + (_entries(values, after) - found) * ((t - start) / length)
        return between if inside.all() else np.where(inside, between, found)


def _knots_up_to(steps: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the number of knots at or before each t; steps: (K, n) or (K, 1), t: (count, n)."""
    if steps.shape[1] == 1:
        return np.asarray(steps[:, 0].searchsorted(t, "right"))
    following = np.zeros(t.shape, np.int64)
    for step in steps:
        following += t >= step
    return following


def _entries(knots: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return knots[index[i, j], j]; knots: (K, n) or (K, 1), index: (count, n)."""
    entries: np.ndarray = knots[index, np.arange(knots.shape[1])]
    return entries


@dataclass(frozen=True, eq=False)
class Schedule(Tabulated):
    """Any function of the step: function(t, *parameters) at step t.

    Parameters
    ----------
    function : function (t, *parameters) -> float
        A plain Python function of the step, an int from 0, and of the parameters of the replica,
        floats. It returns the value, in the domain of the parameter that the schedule replaces. It
        must return the same value whenever it is called with the same arguments. It is called in
        Python, once for each step (once for each replica's step if a parameter is an array), some
        steps before the value is used, and need not be in the subset that Numba compiles.
    parameters : sequence of floats or arrays (replicas,)
        Further arguments of the function.

    Raises
    ------
    TypeError
        If function is not a plain function of so many arguments, or reads values from outside that
        have no digest, such as a dictionary.
    ValueError
        If a parameter is not finite, or the value at step 0 is outside the domain.

    Notes
    -----
    A value outside its domain, nan, or an exception at a later step stops the run with a
    `RuleError` before that step is taken. For a parameter that must be above 0 and whose other
    schedules need a positive floor, the smallest value is 1e-30. Values of the first 2^20 steps are
    kept, 8 bytes each.

    A run has the same bits on every CPU only if the function has: + - * / and `math.sqrt` do,
    `math.exp`, `math.log` and ``**`` do not. `fastgames.rules.exponential.exp` and
    `fastgames.rules.logarithm.log` do.

    Files hold a digest of the function, not the function: pass the learners to `fastgames.load`.

    Examples
    --------
    >>> import fastgames as fg
    >>> def cyclical(t, low, high):
    ...     return low + (high - low) * abs(t % 200 - 100) / 100
    >>> learner = fg.QLearner(alpha=fg.Schedule(cyclical, [0.01, 0.2]))
    """

    function: Callable[..., Any]
    parameters: Any = ()

    domain: ClassVar[str] = "(-inf, inf)"  # an instance has that of its parameter
    _low: ClassVar[float] = -np.inf  # the ends of the domain
    _high: ClassVar[float] = np.inf
    _pages: ClassVar[dict[int, np.ndarray]]  # of each instance, values by step // PAGE

    def __post_init__(self) -> None:
        checks.ordered("Schedule parameters", self.parameters)
        try:
            given = list(self.parameters)
        except TypeError:
            raise TypeError(
                "Schedule parameters must be a sequence of numbers or arrays (replicas,), got "
                f"{self.parameters!r}"
            ) from None
        numbers = (one_or_each(f"Schedule parameters[{k}]", x) for k, x in enumerate(given))
        object.__setattr__(self, "parameters", tuple(numbers))
        names = tuple(f"parameters[{k}]" for k in range(len(self.parameters)))
        checks.function("Schedule function", self.function, ("t", *names))
        if self.functions.unknown:
            raise TypeError(
                "Schedule function must read numbers, strings, tuples, arrays, classes and plain "
                f"functions only, got {self.functions.unknown}"
            )
        object.__setattr__(self, "_pages", {})

    def _key(self) -> tuple[Any, ...]:
        return (self.fingerprint, *super()._key()[1:])

    @cached
    def functions(self) -> Source:
        """Snapshot of the function, taken when the schedule was created."""
        from fastgames.functions.source import Source  # for few processes come by

        return Source(self.function)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the function and everything that it reads, at creation; 64 hex digits."""
        return self.functions.text

    @property
    def of_function(self) -> Schedule:
        """The schedule itself."""
        return self

    def numbers(self) -> dict[str, Any]:
        """Return its parameters by name, each a float or an array (replicas,)."""
        return {f"parameters_{k}": x for k, x in enumerate(self.parameters)}

    def ends(self) -> dict[str, Any]:
        """Return no values, because the values of a function are not known before a run."""
        return {}

    def first(self) -> np.ndarray:
        """Return the value at step 0, () or (replicas,)."""
        sizes = [len(x) for x in self.parameters if isinstance(x, np.ndarray)]
        values = [self.value(0, replica) for replica in range(min(sizes, default=1))]
        return np.array(values if sizes else values[0])

    def checked(self, name: str, domain: str) -> Schedule:
        """Return the schedule with its domain; raise if the value at step 0 is outside of it."""
        made = copy.copy(self)
        domain = f"[{LEAST}, {domain[4:]}" if domain.startswith("(0, ") else domain
        object.__setattr__(made, "domain", domain)
        for name_, end in zip(("_low", "_high"), domain[1:-1].split(", "), strict=True):
            object.__setattr__(made, name_, float(end))
        try:
            made.first()
        except ScheduleError as error:
            raise ValueError(f"{name} {error}") from error
        return made

    def value(self, t: int, replica: int) -> float:
        """Return the value at a step of a replica; raise ScheduleError if there is none."""
        given = self.parameters
        if self.by_replica:
            given = tuple(float(x[replica]) if isinstance(x, np.ndarray) else x for x in given)
        try:
            found = self.function(t, *given)
        except Exception as error:
            raise ScheduleError(
                f"failed at step {t} of its schedule: {type(error).__name__}: {error}"
            ) from error
        if type(found) is float and self._low < found < self._high:  # most are, and this is fast
            return found
        try:
            return checks.real("value", found, self.domain)
        except (TypeError, ValueError):
            raise ScheduleError(
                f"must be in {self.domain}, got {found!r} at step {t} of its schedule", found
            ) from None

    def table(self, first: np.ndarray, count: int, replicas: np.ndarray) -> np.ndarray:
        """Return the values of `count` steps, to be broadcast to (count, n), float64."""
        if self.by_replica:
            out = np.empty((count, len(first)))
            for lane, (begin, replica) in enumerate(
                zip(first.tolist(), replicas.tolist(), strict=True)
            ):
                for k in range(count):
                    out[k, lane] = self._value_or_nan(begin + k, replica)
            return out
        begins, place = np.unique(first, return_inverse=True)
        columns = [self._stretch(begin, count) for begin in begins.tolist()]
        return np.stack(columns, axis=1)[:, place.ravel()]

    def _stretch(self, first: int, count: int) -> np.ndarray:
        """Return the values of steps from `first` on, (count,), from the pages if possible."""
        out = np.full(count, np.nan)
        done = 0
        while done < count:
            number, at = divmod(first + done, PAGE)
            size = min(count - done, PAGE - at)
            part = np.full(size, np.nan)
            if number < PAGES:  # another thread may make the same page: it has the same values
                page = self._pages.setdefault(number, np.full(PAGE, np.nan))
                part = page[at : at + size]
            missing, found = np.flatnonzero(np.isnan(part)), []
            for k in missing.tolist():
                found.append(self._value_or_nan(first + done + k, 0))
                if found[-1] != found[-1]:  # nan: no step after this one is taken
                    break
            part[missing[: len(found)]] = found
            out[done : done + size] = part
            if len(found) and np.isnan(found[-1]):
                break
            done += size
        return out

    def _value_or_nan(self, t: int, replica: int) -> float:
        """Return the value at a step of a replica, nan if there is none."""
        try:
            return self.value(t, replica)
        except ScheduleError:
            return np.nan


def check_pure(schedule: Schedule) -> None:
    """Raise ValueError or TypeError if the function may have other bits when it is compiled."""
    from fastgames.functions.purity import check

    names = tuple(f"parameters[{k}]" for k in range(len(schedule.parameters)))
    check("Schedule function", schedule.function, ("step", *names))
