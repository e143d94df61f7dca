"""Where the replicas of a run stand: everything that a later run needs to go on from here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgames import _core
from fastgames.games import MatrixGame
from fastgames.learners import Learner
from fastgames.record import Record
from fastgames.schedules import CONSTANT, EXPONENTIAL, LINEAR, parts


@dataclass(eq=False, repr=False)
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


@dataclass(eq=False, repr=False)
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


def _seat(game: MatrixGame, agent: int, learner: Learner, replicas: int, dtype: str) -> Seat:
    shape = (replicas, game.num_states, game.num_actions[agent])
    table = np.broadcast_to(learner.start().astype(dtype), shape)
    if learner.learns:
        table = table.copy()
    return Seat(
        learner, {learner.table: table}, np.zeros(replicas), _recurrences(learner, game, replicas)
    )


def _recurrences(learner: Learner, game: MatrixGame, replicas: int) -> dict[str, np.ndarray]:
    out = {}
    for name, value in learner.values(game.discount).items():
        kind, (start, _, _) = parts(value)
        if kind == EXPONENTIAL:
            out[name] = np.broadcast_to(np.asarray(start, np.float64), (replicas,)).copy()
    return out


def fresh(
    game: MatrixGame,
    learners: tuple[Learner, ...],
    replicas: int,
    dtype: str,
    seed: int | None,
    record: Record,
) -> State:
    """Replicas before their first step; `seed`: of the streams, None where a Generator draws."""
    streams = None
    if seed is not None:
        streams = np.empty((replicas, game.num_agents, 4), np.uint32)
        _core.lanes(dtype).start_streams(seed, 0, game.num_agents, streams)
    state = State(
        seats=[_seat(game, i, learner, replicas, dtype) for i, learner in enumerate(learners)],
        streams=streams,
        generator=None,
        steps=np.zeros(replicas, np.int64),
        counted=np.zeros(replicas, np.int64),
    )
    _add_counters(state, game, record)
    return state


def resumed(
    old: State,
    game: MatrixGame,
    learners: tuple[Learner, ...],
    record: Record,
    recorded: Record,
) -> State:
    """A copy of `old`, which had `recorded`, to go on from with `record`.

    A learner that is not equal to the one that sat there before starts its schedules anew; tables
    stay. Counts go on where both records count the same steps, else they start anew.
    """
    replicas = len(old.steps)
    seats = []
    for i, learner in enumerate(learners):
        before = old.seats[i]
        dtype = before.table.dtype.name
        seat = _seat(game, i, learner, replicas, dtype)
        kept = {name: table.copy() for name, table in before.tables.items() if name == "q"}
        seat.tables = seat.tables | kept
        if learner == before.learner:
            seat.clock = before.clock.copy()
            seat.recurrence = {name: v.copy() for name, v in before.recurrence.items()}
        seats.append(seat)
    state = replace(
        old,
        seats=seats,
        streams=_copy(old.streams),
        steps=old.steps.copy(),
        counted=old.counted.copy(),
        flips=_copy(old.flips) if record.flips else None,
        joint_counts=_copy(old.joint_counts),
        reward_sums=_copy(old.reward_sums),
    )
    window = record.last is not None or recorded.last is not None
    counts = (record.joint_actions, record.rewards)
    if window or counts != (recorded.joint_actions, recorded.rewards):
        state.joint_counts = state.reward_sums = None
        state.counted[:] = 0
    _add_counters(state, game, record)
    return state


def _copy(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else array.copy()


def _add_counters(state: State, game: MatrixGame, record: Record) -> None:
    shape = (len(state.steps), game.num_agents)
    if record.flips and state.flips is None:
        state.flips = np.zeros(shape, np.int64)
    if record.rewards and state.reward_sums is None:
        state.reward_sums = np.zeros(shape)
    if record.joint_actions and state.joint_counts is None:
        state.joint_counts = np.zeros((len(state.steps), *game.num_actions), np.int64)
