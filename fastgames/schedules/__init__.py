"""Schedules: values that change over a run, accepted for any numeric parameter of a learner.

A schedule counts the game steps of its replica, from 0. Its first value is used at the first step,
and it advances once after every step. `ByVisits` counts visits instead.
"""

from typing import TYPE_CHECKING

from fastgames._common.later import later
from fastgames.schedules.base import (
    CONSTANT,
    EXPONENTIAL,
    HYPERBOLIC,
    LINEAR,
    NEVER,
    TABULATED,
    BaseSchedule,
    Numeric,
    Parts,
    ScheduleError,
    counts_visits,
    first,
    limits,
    numbers,
    numeric,
    one_or_each,
    parts,
    with_numbers,
)

if TYPE_CHECKING:
    from fastgames.schedules.bounds import falls_to
    from fastgames.schedules.formulas import Exponential, Hyperbolic, Linear
    from fastgames.schedules.tabulated import Piecewise, Schedule, Tabulated, check_pure
    from fastgames.schedules.visits import ByVisits
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "bounds": ("falls_to",),
            "formulas": ("Exponential", "Hyperbolic", "Linear"),
            "tabulated": ("Piecewise", "Schedule", "Tabulated", "check_pure"),
            "visits": ("ByVisits",),
        },
    )

__all__ = [
    "CONSTANT",
    "EXPONENTIAL",
    "HYPERBOLIC",
    "LINEAR",
    "NEVER",
    "TABULATED",
    "BaseSchedule",
    "ByVisits",
    "Exponential",
    "Hyperbolic",
    "Linear",
    "Numeric",
    "Parts",
    "Piecewise",
    "Schedule",
    "ScheduleError",
    "Tabulated",
    "check_pure",
    "counts_visits",
    "falls_to",
    "first",
    "limits",
    "numbers",
    "numeric",
    "one_or_each",
    "parts",
    "with_numbers",
]
