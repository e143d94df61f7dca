"""Where the replicas of a run stand: everything that a later run needs to go on from here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgames import _core
from fastgames.games import Game
from fastgames.games.compact import Chances, Compact
from fastgames.learners import AnyLearner
from fastgames.record import Record
from fastgames.schedules import CONSTANT, EXPONENTIAL, LINEAR, parts
from fastgames.stop import Stable


@dataclass(eq=False, repr=False)
class Pending:
    """The move that an agent has made and not yet learnt from, in every replica.

    observation: (replicas,) int32, where it moved; -1: none is pending
    action: (replicas,) int32
    gain: (replicas,) of the run's dtype, the discounted rewards since
    weight: (replicas,) of the run's dtype, the discount that the next reward has
    """

    observation: np.ndarray
    action: np.ndarray
    gain: np.ndarray
    weight: np.ndarray

    @classmethod
    def none(cls, replicas: int, dtype: str) -> Pending:
        """Nothing pending."""
        return cls(
            np.full(replicas, -1, np.int32),
            np.zeros(replicas, np.int32),
            np.zeros(replicas, dtype),
            np.zeros(replicas, dtype),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by its name."""
        return dict(vars(self))

    def copy(self) -> Pending:
        """Another one with the same contents."""
        return Pending(**{name: array.copy() for name, array in self.arrays().items()})


@dataclass(eq=False, repr=False)
class Seat:
    """One agent's learner and where it stands in every replica.

    tables: by name, (replicas, observations, actions) of the run's dtype ("visits": int64)
    clock: (replicas,) float64, game steps since the learner's schedules began
    recurrence: by parameter with an exponential schedule, (replicas,) float64, its v
    pending: where agents take turns, or the learner waits for its next action; else None
    """

    learner: AnyLearner
    tables: dict[str, np.ndarray]
    clock: np.ndarray
    recurrence: dict[str, np.ndarray]
    pending: Pending | None = None

    @property
    def table(self) -> np.ndarray:
        """The table of the learner."""
        return self.tables[self.learner.table]

    def values(self, discount: float, where: slice | np.ndarray) -> dict[str, np.ndarray]:
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


def _part(x: Any, where: slice | np.ndarray) -> Any:
    return x[where] if isinstance(x, np.ndarray) else x


@dataclass(eq=False, repr=False)
class State:
    """All replicas.

    seats: one for each agent
    streams: (replicas, roles, 4) uint32, or None where `generator` draws; roles: the agents, then
        nature, where it draws
    generator: the state of numpy's bit generator under stream="numpy"
    states: (replicas,) int32, where each replica stands
    ages: (replicas,) int32, steps since its episode began, or None without a time limit
    steps: (replicas,) int64, game steps taken
    counted: (replicas,) int64, the steps that joint_counts and reward_sums cover
    stable: (replicas,) int64, steps in a row that changed nothing greedy; None without `stop`
    window: (replicas, last) int32, the cells of the last steps of a replica that may stop at any
        time: that of its step t at t mod last. A cell is the number of the joint action, plus
        joint actions times the state where rewards depend on it. None unless `last` and `stop`
        are both given
    flips: (replicas, agents) int64, or None where not recorded
    joint_counts: (replicas, A_0, ...) int64, or None
    reward_sums: (replicas, agents) float64, or None
    """

    seats: list[Seat]
    streams: np.ndarray | None
    generator: dict[str, Any] | None
    states: np.ndarray
    ages: np.ndarray | None
    steps: np.ndarray
    counted: np.ndarray
    stable: np.ndarray | None = None
    window: np.ndarray | None = None
    flips: np.ndarray | None = None
    joint_counts: np.ndarray | None = None
    reward_sums: np.ndarray | None = None


def bytes_each(
    game: Game,
    learners: tuple[AnyLearner, ...],
    dtype: str,
    stream: str,
    record: Record,
    stop: Stable | None,
) -> int:
    """Bytes of `State` that each replica takes: what a result holds, without snapshots.

    With N agents, A_i actions, O_i observations and r bytes of the tables' type (8 or 4):

    - every agent: 8, 16 for its stream, and 8 for each parameter with an exponential schedule;
    - one that learns: r O_i A_i; 8 O_i A_i more where it counts visits; 8 + 2 r where agents take
      turns, and for a learner that waits for its next action;
    - 20; 16 where anything is left to chance; 4 with a time limit;
    - recorded flips: 8 N; rewards: 8 N; joint actions: 8 A_0 ... A_{N-1};
    - `stop`: 8, with record.last = n another 4 n.

    (No stream takes anything with stream="numpy". Fixed policies that were given for each replica
    take r O_i A_i too.)
    """
    real, roles = np.dtype(dtype).itemsize, game.num_agents + nature_draws(game.compact)
    size = 20 + 16 * roles * (stream == "fastgames") + 4 * (game.compact.time_limit > 0)
    for i, learner in enumerate(learners):
        entries = game.num_observations[i] * game.num_actions[i]
        if learner.learns:
            size += sum(entries * (8 if n == "visits" else real) for n in learner.rules.names)
            size += (8 + 2 * real) * _waits(game, learner)
        elif learner.start(game, i)[learner.table].size > entries:
            size += real * entries
        kinds = [parts(value)[0] for value in learner.values(game.discount).values()]
        size += 8 + 8 * kinds.count(EXPONENTIAL)
    size += 8 * game.num_agents * (record.flips + record.rewards)
    size += 8 * math.prod(game.num_actions) * record.joint_actions
    return size + (0 if stop is None else 8 + 4 * (record.last or 0))


def _waits(game: Game, learner: AnyLearner) -> bool:
    """Whether the agent may have a move from which it has not learnt yet."""
    return learner.learns and (game.compact.turns is not None or learner.rules.defers)


def nature_draws(compact: Compact) -> bool:
    """Whether anything in the game is left to chance."""
    return isinstance(compact.moves, Chances) or compact.start_weights is not None


def _seat(game: Game, agent: int, learner: AnyLearner, replicas: int, dtype: str) -> Seat:
    shape = (replicas, game.num_observations[agent], game.num_actions[agent])
    tables = {}
    for name, start in learner.start(game, agent).items():
        kind = "int64" if name == "visits" else dtype
        if learner.learns:
            tables[name] = np.empty(shape, kind)
            tables[name][...] = start
        else:
            tables[name] = np.broadcast_to(start.astype(kind), shape)
    return Seat(
        learner,
        tables,
        np.zeros(replicas),
        _recurrences(learner, game, replicas),
        Pending.none(replicas, dtype) if _waits(game, learner) else None,
    )


def _recurrences(learner: AnyLearner, game: Game, replicas: int) -> dict[str, np.ndarray]:
    out = {}
    for name, value in learner.values(game.discount).items():
        kind, (start, _, _) = parts(value)
        if kind == EXPONENTIAL:
            out[name] = np.broadcast_to(np.asarray(start, np.float64), (replicas,)).copy()
    return out


def fresh(
    game: Game,
    learners: tuple[AnyLearner, ...],
    replicas: int,
    dtype: str,
    seed: int | None,
    generator: np.random.Generator | None,
    record: Record,
    stop: Stable | None,
) -> State:
    """Replicas before their first step; `seed`: of the streams, None where `generator` draws."""
    compact, streams = game.compact, None
    states = np.full(replicas, compact.start_state, np.int32)
    core = _core.lanes(dtype)
    if seed is not None:
        streams = np.empty((replicas, game.num_agents + nature_draws(compact), 4), np.uint32)
        core.start_streams(seed, 0, streams.shape[1], streams)
    if compact.start_weights is not None:
        sums = np.add.accumulate(compact.start_weights)
        if streams is not None:
            core.draw_states(streams, sums, states)
        else:
            assert generator is not None
            states[0] = np.count_nonzero(sums[:-1] <= generator.random() * sums[-1])
    state = State(
        seats=[_seat(game, i, learner, replicas, dtype) for i, learner in enumerate(learners)],
        streams=streams,
        generator=None if generator is None else dict(generator.bit_generator.state),
        states=states,
        ages=np.zeros(replicas, np.int32) if compact.time_limit else None,
        steps=np.zeros(replicas, np.int64),
        counted=np.zeros(replicas, np.int64),
    )
    _add_counters(state, game, record, stop)
    return state


def resumed(
    old: State,
    game: Game,
    learners: tuple[AnyLearner, ...],
    record: Record,
    recorded: Record,
    stop: Stable | None,
) -> State:
    """A copy of `old`, which had `recorded`, to go on from with `record` and `stop`.

    A learner that is not equal to the one that sat there before starts its schedules anew; tables
    stay. Counts go on where both records count the same steps, else they start anew.
    """
    replicas = len(old.steps)
    seats = []
    for i, learner in enumerate(learners):
        before = old.seats[i]
        seat = _seat(game, i, learner, replicas, before.table.dtype.name)
        for name, table in before.tables.items():
            if name in seat.tables and name != "probabilities":
                seat.tables[name][...] = table
            elif name != "probabilities":
                seat.tables[name] = table.copy()
        if seat.pending is not None and before.pending is not None:
            seat.pending = before.pending.copy()
        if learner == before.learner:
            seat.clock = before.clock.copy()
            seat.recurrence = {name: v.copy() for name, v in before.recurrence.items()}
        seats.append(seat)
    state = replace(
        old,
        seats=seats,
        streams=_copy(old.streams),
        states=old.states.copy(),
        ages=_copy(old.ages),
        steps=old.steps.copy(),
        counted=old.counted.copy(),
        stable=_copy(old.stable) if stop is not None else None,
        window=None,
        flips=_copy(old.flips) if record.flips else None,
        joint_counts=_copy(old.joint_counts),
        reward_sums=_copy(old.reward_sums),
    )
    window = record.last is not None or recorded.last is not None
    counts = (record.joint_actions, record.rewards)
    if window or counts != (recorded.joint_actions, recorded.rewards):
        state.joint_counts = state.reward_sums = None
        state.counted[:] = 0
    _add_counters(state, game, record, stop)
    return state


def _copy(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else array.copy()


def _add_counters(state: State, game: Game, record: Record, stop: Stable | None) -> None:
    replicas = len(state.steps)
    shape = (replicas, game.num_agents)
    if record.flips and state.flips is None:
        state.flips = np.zeros(shape, np.int64)
    if record.rewards and state.reward_sums is None:
        state.reward_sums = np.zeros(shape)
    if record.joint_actions and state.joint_counts is None:
        state.joint_counts = np.zeros((replicas, *game.num_actions), np.int64)
    if stop is not None:
        if state.stable is None:
            state.stable = np.zeros(replicas, np.int64)
        if record.last is not None:
            state.window = np.zeros((replicas, record.last), np.int32)
