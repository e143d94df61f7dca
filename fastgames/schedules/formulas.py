"""Schedules by a formula, of which the kernels compute every value: `Exponential` and others."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.schedules.base import (
    EXPONENTIAL,
    HYPERBOLIC,
    LINEAR,
    NEVER,
    BaseSchedule,
    Parts,
    one_or_each,
)


class Formula(BaseSchedule):
    """The base class of schedules by a formula: dataclasses of numbers, the first named start."""

    start: Any

    def __post_init__(self) -> None:
        for name, value in self.numbers().items():
            number = one_or_each(f"{type(self).__name__} {name}", value)
            object.__setattr__(self, name, number)

    def numbers(self) -> dict[str, Any]:
        """Return its numbers by name, each a float or an array (replicas,)."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def first(self) -> np.ndarray:
        """Return the start, () or (replicas,)."""
        return np.asarray(self.start)


@dataclass(eq=False, repr=False)
class Exponential(Formula):
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
    The value is computed as the recurrence v <- v * exp(-rate), where v becomes 0 if it is below
    2^-1022, the smallest normal number.

    Examples
    --------
    >>> import fastgames as fg
    >>> explore = fg.EpsilonGreedy(fg.Exponential(1.0, rate=1e-3, floor=0.01))
    """

    start: Any
    rate: Any
    floor: Any = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.within("Exponential rate", np.asarray(self.rate), "[0, inf)")

    def ends(self) -> dict[str, Any]:
        """Return the values between which it stays, by name."""
        return {"start": self.start, "floor": self.floor}

    def parts(self) -> Parts:
        """Return the schedule in the form of the engine."""
        return EXPONENTIAL, (self.start, self.rate, self.floor)


@dataclass(eq=False, repr=False)
class Linear(Formula):
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
        super().__post_init__()
        checks.within("Linear steps", np.asarray(self.steps), "(0, inf)")

    def ends(self) -> dict[str, Any]:
        """Return the values between which it stays, by name."""
        return {"start": self.start, "end": self.end}

    def limits(self) -> tuple[Any, ...]:
        """Return the values between which it stays, as the engine computes them."""
        return self.start, self.start + (self.end - self.start)  # the difference is rounded

    def parts(self) -> Parts:
        """Return the schedule in the form of the engine."""
        return LINEAR, (self.start, self.end, self.steps)


@dataclass(eq=False, repr=False)
class Hyperbolic(Formula):
    """Hyperbolic decay: start * (offset / (offset + t)) ** power at step t.

    Parameters
    ----------
    start : float or array (replicas,)
        The value at the first step, in the domain of the parameter that the schedule replaces.
    offset : float or array (replicas,)
        Steps of slow decay at the beginning, in [2^-64, inf). With power 1 the value is half of
        `start` at step `offset`.
    power : float or array (replicas,)
        Exponent of the decay, in (0, inf).

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The step sizes c / (n + t) ** power of the literature have start = c / n ** power and offset =
    n; ``Hyperbolic(1.0, 1.0)`` is 1, 1/2, 1/3, … Step sizes of stochastic approximation must have
    an infinite sum and a finite sum of squares, so that the iterates reach any point and the noise
    averages out: here, if power is in (1/2, 1].

    For power 1 the power is not computed; for all others it is exp(power log x), from the functions
    `fastgames.rules.exponential.exp` and `fastgames.rules.logarithm.log`, within 4 ulp times 1 +
    |power log x|.

    Source: Robbins & Monro, A stochastic approximation method, Annals of Mathematical Statistics 22
    (1951).

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.QLearner(alpha=fg.Hyperbolic(1.0, offset=1.0))
    >>> result = fg.run(fg.MatrixGame([[[1.0]], [[1.0]]]), learner, steps=3, rng=1)
    >>> result.tables[0]["q"].tolist()  # the mean of all payoffs
    [[[1.0]]]
    """

    start: Any
    offset: Any
    power: Any = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.within("Hyperbolic offset", np.asarray(self.offset), "[2^-64, inf)")
        checks.within("Hyperbolic power", np.asarray(self.power), "(0, inf)")

    def ends(self) -> dict[str, Any]:
        """Return the values between which it stays, by name."""
        last = self.start * (self.offset / (self.offset + NEVER)) ** self.power
        return {"start": self.start, f"value at step {NEVER}": last}

    def parts(self) -> Parts:
        """Return the schedule in the form of the engine."""
        return HYPERBOLIC, (self.start, self.offset, self.power)
