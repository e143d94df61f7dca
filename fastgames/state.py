"""Where the replicas of a run stand: everything that a later run needs to go on from here."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames.learners import Learner
from fastgames.schedules import CONSTANT, EXPONENTIAL, LINEAR, parts


@dataclass
class Seat:
    """One agent's learner and where it stands in every replica.

    tables: by name, (replicas, observations, actions) of the run's dtype
    clock: (replicas,) float64, game steps since the learner's schedules began
    recurrence: by parameter with an exponential schedule, (replicas,) float64, its v
    """

    learner: Learner
    tables: dict[str, np.ndarray]
    clock: np.ndarray
    recurrence: dict[str, np.ndarray]

    @property
    def table(self) -> np.ndarray:
        """The table of the learner."""
        return self.tables[self.learner.table]

    def values(self, discount: float, where: slice) -> dict[str, np.ndarray]:
        """The parameters that the next step of the replicas `where` uses: name -> (replicas,)."""
        clock = self.clock[where]
        out = {}
        for name, value in self.learner.values(discount).items():
            kind, (first, second, third) = parts(value)
            first, second, third = (_part(x, where) for x in (first, second, third))
            if kind == EXPONENTIAL:
                now = np.maximum(self.recurrence[name][where], third)
            elif kind == LINEAR:
                now = first + (second - first) * np.minimum(clock / third, 1.0)
            else:
                assert kind == CONSTANT
                now = first
            out[name] = np.broadcast_to(np.asarray(now, np.float64), clock.shape)
        return out


def _part(x: Any, where: slice) -> Any:
    return x[where] if isinstance(x, np.ndarray) else x


@dataclass
class State:
    """All replicas.

    seats: one for each agent
    streams: (replicas, agents, 4) uint32, or None where `generator` draws
    generator: the state of numpy's bit generator under stream="numpy"
    steps: (replicas,) int64, game steps taken
    counted: (replicas,) int64, the steps that joint_counts and reward_sums cover
    flips: (replicas, agents) int64, or None where not recorded
    joint_counts: (replicas, A_0, ...) int64, or None
    reward_sums: (replicas, agents) float64, or None
    """

    seats: list[Seat]
    streams: np.ndarray | None
    generator: dict[str, Any] | None
    steps: np.ndarray
    counted: np.ndarray
    flips: np.ndarray | None = None
    joint_counts: np.ndarray | None = None
    reward_sums: np.ndarray | None = None
