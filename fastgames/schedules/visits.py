"""Schedules that count visits in place of steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fastgames._common import checks
from fastgames.schedules.base import CONSTANT, BaseSchedule, Parts
from fastgames.schedules.tabulated import Schedule, check_pure

OF = ("action", "observation")


@dataclass(frozen=True, eq=False)
class ByVisits(BaseSchedule):
    r"""A schedule whose t is the number of earlier visits, for a parameter that learning reads.

    Parameters
    ----------
    schedule : Exponential, Linear, Hyperbolic, Piecewise or Schedule
        The value as a function of t. The function of a `Schedule` must be one that Numba compiles,
        as the rules of a `Learner` are.
    of : "action" or "observation"
        What is counted: the learner's updates of an observation and action, or of an observation.
        For a team these are joint observations and joint actions of its members.
    initial : int or array of int
        The number of visits before the first step, in [0, 2^53), broadcast from the right to
        (replicas, observations, actions), or to (replicas, observations). With it, initial values
        count as the mean of so many visits.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The count is a table of the learner, "visits\_" and the name of the parameter, int64. At the
    n-th visit t is `initial` + n - 1. With ``ByVisits(Hyperbolic(1.0, 1.0))`` as step size, a value
    is the mean of its targets. An exponential schedule is max(floor, start exp(-rate t)), without
    the recurrence that it has by steps.

    Every learner takes such a schedule for a parameter that its `learn` reads. A parameter that
    `choose` or `policy` reads as well must be counted by observation, and a parameter that `draw`
    reads, such as epsilon, cannot depend on visits: the word is drawn before the observation is
    known. Neither can gamma. Such learners are compiled by Numba.

    Source: Even-Dar & Mansour, Learning rates for Q-learning, JMLR 5 (2003).

    Examples
    --------
    >>> import fastgames as fg
    >>> mean = fg.ByVisits(fg.Hyperbolic(1.0, offset=1.0), initial=10)
    >>> learner = fg.QLearner(alpha=mean, initial=0.5)
    >>> result = fg.run(fg.games.chicken(), learner, 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["visits_alpha"].sum(axis=(1, 2))  # 2 actions, 10 visits each before
    array([29, 29])
    """

    schedule: Any
    of: str = "action"
    initial: Any = 0

    by_visits: ClassVar[bool] = True

    def _rank(self, field: str) -> int:
        return 3 if self.of == "action" else 2

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, BaseSchedule) or self.schedule.by_visits:
            raise TypeError(
                "ByVisits schedule must be a schedule such as Hyperbolic(1.0, 1.0), got "
                f"{self.schedule!r}"
            )
        checks.one_of("ByVisits of", self.of, OF)
        given = np.asarray(self.initial)
        most = 3 if self.of == "action" else 2
        if given.dtype.kind not in "iu":
            raise TypeError(f"ByVisits initial must be whole numbers, got {self.initial!r}")
        checks.not_masked("ByVisits initial", self.initial)
        checks.within("ByVisits initial", given, "[0, 2^53)")
        if given.ndim > most:
            raise ValueError(
                f"ByVisits initial must have at most {most} dimensions, got shape {given.shape}"
            )
        counts = given.astype(np.int64)
        counts.setflags(write=False)
        object.__setattr__(self, "initial", int(counts) if counts.ndim == 0 else counts)
        if isinstance(self.schedule, Schedule):
            check_pure(self.schedule)

    @property
    def _inner(self) -> BaseSchedule:
        schedule: BaseSchedule = self.schedule
        return schedule

    @property
    def of_function(self) -> Any:
        """Its `Schedule` that is made of a user's function, or None."""
        return self.schedule.of_function

    def numbers(self) -> dict[str, Any]:
        """Return the numbers of its schedule by name, each a float or an array (replicas,)."""
        return self._inner.numbers()

    def ends(self) -> dict[str, Any]:
        """Return the values between which it stays, by name; empty if they are not known."""
        return self._inner.ends()

    def limits(self) -> tuple[Any, ...]:
        """Return the values between which it stays, as the engine computes them."""
        return self._inner.limits()

    def first(self) -> np.ndarray:
        """Return the value of its schedule at t = 0, () or (replicas,)."""
        return self._inner.first()

    def checked(self, name: str, domain: str) -> ByVisits:
        """Return it with its domain; raise ValueError if a value is outside of it."""
        return replace(self, schedule=self.schedule.checked(name, domain))

    def parts(self) -> Parts:
        """Return its first number, a constant: the rules compute the values."""
        return CONSTANT, (next(iter(self.numbers().values()), 0.0), 0.0, 0.0)
