"""Step sizes that depend on what was visited."""

from dataclasses import dataclass
from typing import Any

from fastgames.schedules import _Frozen, numeric


@dataclass(frozen=True, eq=False)
class VisitCount(_Frozen):
    """The step size n^-power at the n-th visit of an action at an observation; stands for `alpha`.

    1 / n, an average over all visits, for power 1. The visits are the learner's table "visits",
    (replicas, observations, actions) int64, from 0.

    Parameters
    ----------
    power : float, schedule or array (replicas,)
        In (0, 1]; above 1/2 for convergence. (Above 1 the steps have a finite sum, and a table
        could never get far from where it started.)

    Notes
    -----
    Source: Robbins & Monro 1951; for Q-learning Even-Dar & Mansour, Learning Rates for Q-learning,
    JMLR 5 (2003).
    """

    power: Any = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "power", numeric("power", self.power, "(0, 1]"))
