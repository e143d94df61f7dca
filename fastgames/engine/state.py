"""Where the replicas of a run stand: everything that a later run needs to go on from here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgames import _core
from fastgames.errors import CompileError, RuleError, not_finite, of_game
from fastgames.games import Game
from fastgames.games.compact import Chances, Compact, Functions
from fastgames.learners import AnyLearner
from fastgames.record import Record
from fastgames.schedules import CONSTANT, EXPONENTIAL, LINEAR, parts
from fastgames.stop import Stable

CONTRACT = 2  # version of the random streams and the order of events, see ARCHITECTURE.md
LOOKED_AT = 2**15  # entries of a table looked at together: what they say stays in the first cache


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

    tables: by name, (replicas, *dimensions) of the run's dtype or int64, see `learners.Table`; a
        table that a team shares is the same array at every member
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


def check_finite(tables: dict[str, np.ndarray]) -> tuple[str, tuple[int, ...], float] | None:
    """Return the first entry that is infinite or nan: its table, its place and itself; or None.

    tables: arrays by name. It is one pass over their memory.
    """
    for name, table in tables.items():
        flat = table.reshape(-1)
        for first in range(0, table.size if table.dtype.kind == "f" else 0, LOOKED_AT):
            good = np.isfinite(flat[first : first + LOOKED_AT])
            if not good.all():
                at = first + int(good.argmin())
                place = tuple(int(k) for k in np.unravel_index(at, table.shape))
                return name, place, float(flat[at])
    return None


def _part(x: Any, where: slice | np.ndarray) -> Any:
    return x[where] if isinstance(x, np.ndarray) else x


@dataclass(eq=False, repr=False)
class State:
    """All replicas.

    seats: one for each agent
    streams: (replicas, roles, 4) uint32, or None where `generator` draws; roles: the agents, then
        nature, where it draws
    generator: the state of numpy's bit generator under stream="numpy"
    states: (replicas,) int32, where each replica stands; (replicas, state_size) int64 in a
        procedural game
    ages: (replicas,) int32, steps since its episode began, or None without a time limit
    steps: (replicas,) int64, game steps taken
    counted: (replicas,) int64, the steps that joint_counts and reward_sums cover
    stable: (replicas,) int64, steps in a row that changed nothing greedy; None without `stop`
    window: (replicas, last) int32, the cells of the last steps of a replica that may stop at any
        time: that of its step t at t mod last. A cell is the number of the joint action, plus
        joint actions times the state where rewards depend on it. None unless `last` and `stop`
        are both given
    reward_window: (replicas, last, agents) of the run's dtype, the rewards of these steps, in a
        procedural game, where no cell tells them
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
    reward_window: np.ndarray | None = None
    flips: np.ndarray | None = None
    joint_counts: np.ndarray | None = None
    reward_sums: np.ndarray | None = None

    def error(self) -> RuleError | None:
        """Return the error for the first entry of a table that is infinite or nan, or None."""
        for i, seat in enumerate(self.seats):
            found = check_finite(seat.tables) if seat.learner.learns else None
            if found is not None:
                name, (replica, *place), value = found
                problem = not_finite(value, name, tuple(place))
                step = max(0, int(self.steps[replica]) - 1)  # the last one
                return RuleError(f"learn of learners[{i}]", replica, step, value, problem)
        return None


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
    - one that learns: its tables (r O_i A_i for "q"; 8 O_i A_i more where it counts visits; what a
      team shares only once); 8 + 2 r where agents take turns, and for a learner that waits for its
      next action;
    - 20 (16 + 8 k in a procedural game); 16 where anything is left to chance; 4 with a time limit;
    - recorded flips: 8 N; rewards: 8 N; joint actions: 8 A_0 ... A_{N-1};
    - `stop`: 8, with record.last = n another 4 n (n (4 + r N) in a procedural game).

    (No stream takes anything with stream="numpy". Fixed policies that were given for each replica
    take r O_i A_i too.)
    """
    real, roles = np.dtype(dtype).itemsize, game.num_agents + nature_draws(game.compact)
    size = 20 + 16 * roles * (stream == "fastgames") + 4 * (game.compact.time_limit > 0)
    if isinstance(game.compact.moves, Functions):
        size += 8 * game.compact.moves.state_size - 4
    for i, learner in enumerate(learners):
        entries = game.num_observations[i] * game.num_actions[i]
        if learner.learns:
            size += table_bytes(game, learners, i, dtype)
            size += (8 + 2 * real) * _waits(game, learner)
        elif learner.start(game, i)[learner.table].size > entries:
            size += real * entries
        kinds = [parts(value)[0] for value in learner.values(game.discount).values()]
        size += 8 + 8 * kinds.count(EXPONENTIAL)
    size += 8 * game.num_agents * (record.flips + record.rewards)
    size += 8 * math.prod(game.num_actions) * record.joint_actions
    cell = 4 + (real * game.num_agents if isinstance(game.compact.moves, Functions) else 0)
    return size + (0 if stop is None else 8 + cell * (record.last or 0))


def members(learners: tuple[AnyLearner, ...], agent: int) -> tuple[int, ...]:
    """The agents of the team that an agent is in: those with an equal learner; else itself."""
    if not learners[agent].rules.team:
        return (agent,)
    mine = learners[agent]
    return tuple(i for i, other in enumerate(learners) if other is mine or other == mine)


def table_bytes(game: Game, learners: tuple[AnyLearner, ...], agent: int, dtype: str) -> int:
    """Bytes of an agent's tables for one replica; its team's go to the first of the members."""
    team = members(learners, agent)
    return sum(
        math.prod(table.shape(game, agent, team)) * table.dtype(dtype).itemsize
        for table in learners[agent].rules.tables
        if not table.shared or agent == team[0]
    )


def _waits(game: Game, learner: AnyLearner) -> bool:
    """Whether the agent may have a move from which it has not learnt yet."""
    return learner.learns and (game.compact.turns is not None or learner.rules.defers)


def nature_draws(compact: Compact) -> bool:
    """Whether anything in the game is left to chance."""
    moves = compact.moves
    if isinstance(moves, Functions):
        return moves.words > 0 or moves.start_words > 0
    return isinstance(moves, Chances) or compact.start_weights is not None


def _seats(game: Game, learners: tuple[AnyLearner, ...], replicas: int, dtype: str) -> list[Seat]:
    seats: list[Seat] = []
    for i, learner in enumerate(learners):
        seat, team = _seat(game, i, learners, replicas, dtype), members(learners, i)
        if team[0] < i:
            for table in learner.rules.tables:
                if table.shared:
                    seat.tables[table.name] = seats[team[0]].tables[table.name]
        seats.append(seat)
    return seats


def _seat(
    game: Game, agent: int, learners: tuple[AnyLearner, ...], replicas: int, dtype: str
) -> Seat:
    learner, tables, team = learners[agent], {}, members(learners, agent)
    starts = learner.start(game, agent)
    for table in learner.rules.tables:
        if table.shared and agent != team[0]:
            continue  # it is that of the first member
        shape, kind = (replicas, *table.shape(game, agent, team)), table.dtype(dtype)
        start = starts[table.name]
        if learner.learns:
            tables[table.name] = np.empty(shape, kind)
            tables[table.name][...] = start
        else:
            tables[table.name] = np.broadcast_to(start.astype(kind), shape)
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
    compiled: bool,
) -> State:
    """Replicas before their first step; `seed`: of the streams, None where `generator` draws.

    compiled: whether a function that starts episodes is compiled.
    """
    compact, streams = game.compact, None
    if seed is not None:
        streams = np.empty((replicas, game.num_agents + nature_draws(compact), 4), np.uint32)
        _core.lanes(dtype).start_streams(seed, 0, streams.shape[1], streams)
    states = begin_episodes(game, replicas, dtype, streams, generator, compiled)
    state = State(
        seats=_seats(game, learners, replicas, dtype),
        streams=streams,
        generator=None if generator is None else dict(generator.bit_generator.state),
        states=states,
        ages=np.zeros(replicas, np.int32) if compact.time_limit else None,
        steps=np.zeros(replicas, np.int64),
        counted=np.zeros(replicas, np.int64),
    )
    _add_counters(state, game, record, stop)
    return state


def begin_episodes(
    game: Game,
    replicas: int,
    dtype: str,
    streams: np.ndarray | None,
    generator: np.random.Generator | None = None,
    compiled: bool = True,
) -> np.ndarray:
    """The first states of episodes, see `State.states`; nature's streams are modified in place."""
    compact = game.compact
    if isinstance(compact.moves, Functions):
        return _started(game.name, compact.moves, replicas, streams, generator, compiled)
    states = np.full(replicas, compact.start_state, np.int32)
    if compact.start_weights is not None:
        sums = np.add.accumulate(compact.start_weights)
        if streams is not None:
            _core.lanes(dtype).draw_states(streams, sums, states)
        else:
            assert generator is not None
            states[0] = np.count_nonzero(sums[:-1] <= generator.random() * sums[-1])
    return states


def _started(
    name: str,
    moves: Functions,
    replicas: int,
    streams: np.ndarray | None,
    generator: np.random.Generator | None,
    compiled: bool,
) -> np.ndarray:
    """The first states, (replicas, state_size) int64; nature's streams are modified in place."""
    states = np.zeros((replicas, moves.state_size), np.int64)
    count = replicas if moves.start_words else 1
    now = np.zeros(1, np.int64)  # the replica that is started
    try:
        if compiled and streams is not None and count > 1:
            from fastgames.compiler.games import start_all

            start_all(moves, streams[:, -1], states, now)
            return states
        for r in range(count):
            now[0] = r
            words = np.zeros(moves.start_words, np.int64)
            for k in range(moves.start_words):
                words[k] = next_nature(None if streams is None else streams[r, -1], generator)
            words.setflags(write=False)
            moves.start(states[r], words)
    except CompileError:
        raise
    except Exception as error:
        problem = f"failed: {type(error).__name__}: {error}"
        raise RuleError(of_game("start", name), int(now[0]), 0, None, problem) from error
    states[count:] = states[0]
    return states


def next_nature(stream: Any, generator: np.random.Generator | None) -> int:
    """Nature's next 31-bit word, of its stream (4,), modified in place, or of numpy's generator."""
    if generator is not None:
        return int(generator.random() * 2.0**31)
    from fastgames.rules.streams import next_word

    words = [int(word) for word in stream]
    u = int(next_word(words)) >> 1
    stream[:] = words
    return u


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
    seats = _seats(game, learners, replicas, old.seats[0].table.dtype.name)
    for before, seat in zip(old.seats, seats, strict=True):
        learner = seat.learner
        fixed = [x.table for x in (before.learner, learner) if not x.learns]
        for name, table in before.tables.items():
            if name in fixed:  # a policy is that of its learner
                continue
            if name not in seat.tables:
                seat.tables[name] = table.copy()
            elif seat.tables[name].shape == table.shape:
                seat.tables[name][...] = table
        if seat.pending is not None and before.pending is not None:
            seat.pending = before.pending.copy()
        if learner == before.learner:
            seat.clock = before.clock.copy()
            seat.recurrence = {name: v.copy() for name, v in before.recurrence.items()}
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
        reward_window=None,
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
            if isinstance(game.compact.moves, Functions):
                state.reward_window = np.zeros(
                    (replicas, record.last, game.num_agents), state.seats[0].table.dtype
                )
