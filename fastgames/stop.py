"""Rules that stop a replica before its steps run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastgames._common import checks
from fastgames._common.frozen import Frozen
from fastgames.schedules import NEVER

if TYPE_CHECKING:
    from fastgames.engine.state import State


@dataclass(eq=False, repr=False)
class Stable(Frozen):
    """Stopping rule: a replica stops after `periods` steps in a row without a greedy change.

    A counter n starts at 0. After each step, n = 0 if any agent's greedy action changed in a row of
    its table that the step updated; else n increases by 1. The replica stops when n = periods.
    `steps` of the result counts all steps. With `after`, n stays 0 until that step, so no replica
    stops before `after` + `periods` steps.

    Parameters
    ----------
    periods : int
        Steps without a change, in [1, 2^31).
    after : int or float
        The step from which n counts. An int, in [0, 2^62], is that step of the replica, from 0. A
        float, in (0, 1), is a bound for epsilon: n counts from the first step by which the epsilon
        of every learner that has one has been at most `after`. `run` refuses a bound that some
        epsilon never falls to, and a bound if no learner has an epsilon (softmax has a temperature:
        give a step). 0, the default, counts from the first step.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Without `after`, learners that hardly learn and still explore look stable: with a step size of
    0.005, a greedy action needs thousands of visits to change for the first time. `run` emits a
    `fastgames.ConvergenceWarning` if replicas stopped although no greedy action had ever changed,
    or while exploration was far from its floor; `result.unchanged` and `result.exploring` mark
    these replicas.

    Source: Calvano, Calzolari, Denicolò & Pastorello, AER 110 (2020), section III.B.

    Examples
    --------
    >>> import fastgames as fg
    >>> explore = fg.EpsilonGreedy(fg.Exponential(1.0, rate=1e-2))
    >>> learner = fg.QLearner(0.1, explore=explore)
    >>> stop = fg.Stable(500, after=0.01)  # epsilon is exp(-t / 100), at most .01 from step 461
    >>> fg.run(fg.games.prisoners_dilemma(), learner, 10_000, rng=1, stop=stop).steps.tolist()
    [961]
    """

    periods: int
    after: int | float = 0

    def __post_init__(self) -> None:
        checks.whole("periods", self.periods, "[1, 2^31)")
        if not isinstance(self.after, float | np.floating):
            object.__setattr__(self, "after", checks.whole("after", self.after, f"[0, {NEVER}]"))
            return
        if not 0.0 < self.after < 1.0:
            raise ValueError(
                "after must be a step, a whole number of at least 0, or a bound for epsilon, a "
                f"float in (0, 1), got {self.after!r}"
            )
        object.__setattr__(self, "after", float(self.after))

    def ended(self, state: State) -> np.ndarray:
        """Return the mask of the replicas that the rule has stopped, (replicas,) bool."""
        if state.stable is None:
            return np.zeros(len(state.steps), np.bool_)
        ended: np.ndarray = state.stable >= self.periods
        if self.after:
            ended &= state.steps >= self.first_counted(state) + self.periods
        return ended

    def first_counted(self, state: State) -> np.ndarray:
        """Return the step of each replica from which n counts, (replicas,) int64.

        Schedules count from the step at which their learner joined the run (`resume=`).
        """
        if isinstance(self.after, int):
            return np.full(len(state.steps), self.after)
        from fastgames.schedules import falls_to

        first = np.zeros(len(state.steps), np.int64)
        for seat in state.seats:
            epsilon = seat.schedules.get("epsilon")
            if epsilon is not None:
                seated = state.steps - seat.clock.astype(np.int64)
                falls = np.minimum(falls_to(epsilon, self.after), NEVER - seated)
                first = np.maximum(first, seated + falls)
        return first
