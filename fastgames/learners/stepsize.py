"""Step sizes that depend on visit counts."""

from dataclasses import dataclass
from typing import Any

from fastgames._common.frozen import Frozen
from fastgames.schedules import numeric


@dataclass(eq=False, repr=False)
class VisitCount(Frozen):
    """The step size n^-power at the n-th visit of an action at an observation; used as `alpha`.

    Power 1 gives 1 / n, an average over all visits. The visits are stored in the learner's table
    "visits", (replicas, observations, actions) int64, from 0.

    Parameters
    ----------
    power : float, schedule or array (replicas,)
        The exponent of the visits, in (0, 1]; above 1/2 for convergence. (Above 1 the step sizes
        would have a finite sum, and the table would stay close to its initial values.)

    Raises
    ------
    ValueError, TypeError
        If power is outside of its domain.

    Notes
    -----
    Source: Robbins & Monro 1951; for Q-learning Even-Dar & Mansour, Learning Rates for Q-learning,
    JMLR 5 (2003).

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.QLearner(fg.VisitCount())
    >>> result = fg.run(fg.games.chicken(), learner, 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["visits"].sum(axis=(1, 2))
    array([9, 9])
    """

    power: Any = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "power", numeric("power", self.power, "(0, 1]"))
