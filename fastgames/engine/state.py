"""The state of all replicas of a run: everything that a later run needs to go on from here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastgames import _core
from fastgames._common.fields import MOST_STEPS, declared, held, made
from fastgames._common.light import light_dataclass
from fastgames.engine.spec import AgentSpec, RunSpec, members
from fastgames.errors import CompileError, RuleError, not_finite, of_game, out_of_range
from fastgames.games.compact import Functions
from fastgames.games.variants import index_of
from fastgames.learners import RuleLearner
from fastgames.record import COUNTS, Counts, Record
from fastgames.schedules import (
    CONSTANT,
    EXPONENTIAL,
    HYPERBOLIC,
    LINEAR,
    TABULATED,
    Parts,
    ScheduleError,
)

CONTRACT = 3  # version of the random streams and the order of events, see ARCHITECTURE.md
EXPLORATION = ("epsilon", "temperature")
LEAST = 64  # replicas of a chunk of a call: fewer leave lanes of the compiled loops empty
CHUNK = 2**24  # bytes of the state of a chunk whose tables are dropped
FAR = 0.1  # fraction of the range from start to end of a schedule
LOOKED_AT = 2**15  # entries of a table looked at together: what they say stays in the first cache


def _largest(agent: AgentSpec) -> float:
    return float(np.finfo(agent.dtype).max)


@light_dataclass(kw_only=True)
class Pending:
    """The move that an agent has made and not yet learnt from, in every replica.

    observation: (replicas,) int32, where it moved; -1: none is pending
    action: (replicas,) int32; -1: its team moved, and it did not
    gain: (replicas,) of the run's dtype, the discounted rewards since
    weight: (replicas,) of the run's dtype, the discount that the next reward has
    """

    observation: np.ndarray = held(
        "int32", bounds=lambda agent: (-1, agent.observations - 1), start=-1
    )
    action: np.ndarray = held(
        "int32", bounds=lambda agent: (-int(agent.rules.team), agent.actions - 1)
    )
    gain: np.ndarray = held("real", bounds=lambda agent: (-_largest(agent), _largest(agent)))
    weight: np.ndarray = held("real", bounds=lambda agent: (0, 1))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array by its name."""
        return dict(vars(self))

    def copy(self) -> Pending:
        """Return another one with the same contents."""
        return Pending(**{name: array.copy() for name, array in self.arrays().items()})


@light_dataclass(kw_only=True)
class Seat:
    """One agent's learner and where it stands in every replica.

    schedules: the learner's numeric parameters as the engine holds them, by name
    tables: by name, (replicas, *dimensions) of the run's dtype or int64, see `learners.Table`; a
        table that a team shares is the same array at every member
    clock: (replicas,) float64, game steps since the learner's schedules began
    recurrence: by parameter with an exponential schedule, (replicas,) float64, its v
    pending: where agents take turns, or the learner waits for its next action; else None
    """

    learner: RuleLearner
    schedules: dict[str, Parts]
    tables: dict[str, np.ndarray]
    recurrence: dict[str, np.ndarray]
    pending: Pending | None = None
    clock: np.ndarray = held("float64", bounds=lambda agent: (0, MOST_STEPS))

    @property
    def table(self) -> np.ndarray:
        """The table of the learner."""
        return self.tables[self.learner.table]

    def values(self, where: slice | np.ndarray) -> dict[str, np.ndarray]:
        """Return what each parameter is in the next step of the replicas `where`, (replicas,)."""
        clock = self.clock[where]
        out = {}
        for name, (kind, numbers) in self.schedules.items():
            first, second, third = (_part(x, where) for x in numbers)
            if kind == EXPONENTIAL:
                now = np.maximum(self.recurrence[name][where], third)
            elif kind == LINEAR:
                now = first + (second - first) * np.minimum(clock / third, 1.0)
            elif kind == HYPERBOLIC:
                now = _hyperbolic(first, second, third, clock)
            elif kind == TABULATED:
                now = self._tabulated(name, first, clock, where)
            else:
                assert kind == CONSTANT
                now = first
            out[name] = np.broadcast_to(np.asarray(now, np.float64), clock.shape)
        return out

    def _tabulated(self, name: str, schedule: Any, clock: np.ndarray, where: Any) -> np.ndarray:
        """Return a tabulated parameter in the next step; raise ValueError if it has no value."""
        replicas = np.arange(len(self.clock))[where]
        steps = clock.astype(np.int64)
        now = np.broadcast_to(schedule.table(steps, 1, replicas)[0], clock.shape)
        for at in np.flatnonzero(np.isnan(now))[:1].tolist():
            try:
                schedule.value(int(steps[at]), int(replicas[at]))
            except ScheduleError as error:
                raise ValueError(f"{name} {error} (replica {replicas[at]})") from error
        return now

    def exploring(self) -> np.ndarray:
        """Return the mask of replicas in which exploration is far from its floor, (replicas,) bool.

        Far means that epsilon or temperature exceeds the last value of its schedule by more than a
        tenth of the difference between the first value and the last.
        """
        far = np.zeros(len(self.clock), np.bool_)
        now = self.values(slice(None))
        for name, (kind, (start, second, third)) in self.schedules.items():
            if name not in EXPLORATION or kind == CONSTANT:
                continue
            if kind == TABULATED:
                ends = start.limits()
                if not ends:  # of a function the last value is not known
                    continue
                start, second = ends[0], ends[-1]
            falls = second > 0.0 if kind == EXPONENTIAL else True
            end = {EXPONENTIAL: third, HYPERBOLIC: 0.0}.get(kind, second)
            far |= falls & (start > end) & (now[name] - end > FAR * (start - end))
        return far


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


def _hyperbolic(start: Any, offset: Any, power: Any, clock: np.ndarray) -> np.ndarray:
    """Return the values of hyperbolic schedules at the steps `clock`, (n,)."""
    base = offset / (offset + clock)
    lanes = _core.lanes("float64")
    powers: np.ndarray = start * np.where(power == 1.0, base, lanes.exp(power * lanes.log(base)))
    return powers


def _part(x: Any, where: slice | np.ndarray) -> Any:
    return x[where] if isinstance(x, np.ndarray) else x


@light_dataclass(kw_only=True)
class State(Counts):
    """All replicas. Arrays that a run does not have are None.

    seats: one for each agent
    generator: the state of numpy's bit generator under stream="numpy"
    streams: (replicas, roles, 4) uint32, where no generator draws; roles: the agents, then nature,
        where it draws
    mediator: (replicas, 4) uint32, the stream of the mediator, if a learner asks for it
    states: (replicas,) int32, where each replica stands; (replicas, state_size) int64 in a
        procedural game, see `compact.Functions`
    ages: (replicas,) int32, steps since its episode began, with a time limit
    steps: (replicas,) int64, game steps taken
    counted: (replicas,) int64, the steps that joint_counts, reward_sums and all other counts over
        the last steps cover
    stable: (replicas,) int64, steps in a row that changed nothing greedy, with `stop`
    window: (replicas, last) int32, the cells of the last steps of a replica that may stop at any
        time: that of its step t at t mod last. A cell is the number of the joint action, plus
        joint actions times the state where rewards depend on it. With `last` and `stop`
    reward_window: (replicas, last, agents) of the run's dtype, the rewards of these steps, in a
        procedural game, where no cell tells them
    opening: (replicas, K, agents) int32, joint actions of K steps, while one of them is to come
    opening_begun: (replicas,) int64, the step of each replica that has the first of them
    what `record` asks for: see `Counts`
    """

    seats: list[Seat]
    generator: dict[str, Any] | None = None
    streams: np.ndarray | None = held(
        "uint32", lambda spec: (spec.roles, 4),
        present=lambda spec: spec.stream == "fastgames" and not spec.kept,
    )  # fmt: skip
    mediator: np.ndarray | None = held("uint32", lambda spec: (4,), present=lambda s: s.mediated)
    states: np.ndarray = held(
        lambda spec: "int32" if spec.functions is None else "int64",
        lambda spec: () if spec.functions is None else (spec.functions.state_size,),
        bounds=lambda spec: (0, spec.game.num_states - 1) if spec.functions is None else None,
    )
    ages: np.ndarray | None = held(
        "int32", bounds=lambda spec: (0, spec.game.compact.time_limit - 1),
        present=lambda spec: spec.game.compact.time_limit > 0,
    )  # fmt: skip
    steps: np.ndarray = held("int64", bounds=lambda spec: (0, MOST_STEPS))
    counted: np.ndarray = held("int64", bounds=lambda spec: (0, spec.record.last or MOST_STEPS))
    stable: np.ndarray | None = held(  # more than `periods` where it goes on, or waits for `after`
        "int64", bounds=lambda spec: (0, MOST_STEPS), present=lambda spec: spec.stop is not None,
        lanes="stable",
    )  # fmt: skip
    window: np.ndarray | None = held(
        "int32", lambda spec: (spec.window,), bounds=lambda spec: (0, spec.cells - 1),
        present=lambda spec: spec.window > 0, lanes="window",
    )  # fmt: skip
    reward_window: np.ndarray | None = held(
        "real", lambda spec: (spec.window, spec.game.num_agents),
        present=lambda spec: spec.window > 0 and spec.functions is not None, lanes="reward_window",
    )  # fmt: skip
    opening: np.ndarray | None = held(
        "int32", lambda spec: (spec.opening_steps, spec.game.num_agents),
        bounds=lambda spec: (0, max(spec.game.num_actions) - 1),
        present=lambda spec: spec.opening_steps > 0 and not spec.kept,
    )  # fmt: skip
    opening_begun: np.ndarray | None = held(
        "int64", bounds=lambda spec: (0, MOST_STEPS),
        present=lambda spec: spec.opening_steps > 0 and not spec.kept,
    )  # fmt: skip

    @property
    def opening_steps(self) -> int:
        """The number of steps of the opening, 0 without one."""
        return 0 if self.opening is None else self.opening.shape[1]

    def close_opening(self) -> None:
        """Discard the opening if all replicas have played it whole."""
        begun = self.opening_begun
        if begun is not None and (self.steps - begun >= self.opening_steps).all():
            self.opening = self.opening_begun = None

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


FIELDS = declared(State)
_APART = (  # copied in ways of their own
    "streams", "mediator", "states", "ages", "stable", "opening", "opening_begun",
)  # fmt: skip
COUNTERS = tuple(field.name for field in FIELDS if field.name not in _APART)
ANEW = ("window", "reward_window")  # of every call
COVER_LAST = tuple(name for name, count in COUNTS.items() if count.last)  # in `counted` steps


def bytes_each(spec: RunSpec) -> int:
    """Return the bytes of `State` that each replica takes, without snapshots.

    With `spec.kept`, those that a finished replica takes.
    """
    size = sum(each.size(spec) for each in FIELDS)
    for agent in spec.agents:
        size += sum(each.size(agent) for each in declared(Seat))
        size += 8 * len(agent.exponentials)
        if spec.kept:
            continue
        if agent.learner.learns:
            size += agent.table_bytes()
            size += sum(each.size(agent) for each in declared(Pending)) * agent.waits
        elif agent.starts[agent.learner.table].size > agent.observations * agent.actions:
            size += spec.real.itemsize * agent.observations * agent.actions  # one for each replica
    return size


def most_of_chunk(spec: RunSpec) -> int:
    """Return the most replicas of a chunk of a call, unless the caller gives their number."""
    if not spec.kept:
        return spec.replicas
    return max(LEAST, CHUNK // bytes_each(replace(spec, kept=False)))


def make_seats(spec: RunSpec) -> list[Seat]:
    """Return every agent's learner before its first step."""
    seats: list[Seat] = []
    for agent in spec.agents:
        seat = _seat(agent)
        if not agent.first:
            for table in agent.rules.tables:
                if table.shared:
                    seat.tables[table.name] = seats[agent.team[0]].tables[table.name]
        seats.append(seat)
    return seats


def _seat(agent: AgentSpec) -> Seat:
    learner, tables = agent.learner, {}
    for table in agent.rules.tables:
        if table.shared and not agent.first:
            continue  # it is that of the first member
        shape, kind = (agent.replicas, *agent.shapes[table.name]), table.dtype(agent.dtype)
        start = agent.starts[table.name]
        if learner.learns:
            tables[table.name] = np.empty(shape, kind)
            tables[table.name][...] = start
        else:
            tables[table.name] = np.broadcast_to(start.astype(kind), shape)
    recurrence = {
        name: np.array(np.broadcast_to(agent.schedules[name][1][0], agent.replicas), np.float64)
        for name in agent.exponentials
    }
    pending = Pending(**made(Pending, agent)) if agent.waits else None
    return Seat(
        learner=learner,
        schedules=agent.schedules,
        tables=tables,
        recurrence=recurrence,
        pending=pending,
        **made(Seat, agent),
    )


def fresh(spec: RunSpec, seed: int | None, generator: np.random.Generator | None = None) -> State:
    """Return replicas before their first step.

    seed: of the streams, None where `generator` draws. Functions that start episodes are compiled
    unless the backend is the reference.
    """
    arrays = made(State, spec)
    streams = arrays.get("streams")
    if streams is not None:
        if spec.part is None:
            _core.lanes(spec.dtype).start_streams(seed, 0, spec.roles, streams)
        else:
            streams[...] = _streams_of_part(spec, seed, spec.roles)
    if spec.mediated:
        arrays["mediator"] = _start_mediator(spec, seed)
    if spec.start_states is None:
        begin_episodes(spec, arrays["states"], streams, generator)
    else:  # given states draw no word
        arrays["states"][...] = spec.start_states
    if spec.opening is not None:
        arrays["opening"][...] = spec.opening
    drawn = None if generator is None else dict(generator.bit_generator.state)
    seats = make_seats(spec)
    _derive(spec, seats)
    return State(seats=seats, generator=drawn, **arrays)


def _derive(spec: RunSpec, seats: list[Seat]) -> None:
    """Compute the tables that follow from tables that the call gives."""
    for agent, seat in zip(spec.agents, seats, strict=True):
        if agent.given and agent.rules.derive is not None:
            from fastgames.engine.starts import derive

            derive(agent, seat)


def _start_mediator(spec: RunSpec, seed: int | None) -> np.ndarray:
    """Return the first state of the mediator's stream, of role N + 1, (replicas, 4) uint32."""
    from fastgames.streams import first_states  # few runs have one

    assert seed is not None
    if spec.part is not None:
        return np.ascontiguousarray(_streams_of_part(spec, seed, spec.game.num_agents + 2)[:, -1])
    states = np.empty((4, spec.replicas), np.uint32)
    first_states(seed, spec.game.num_agents + 1, states)
    return np.ascontiguousarray(states.T)


def _streams_of_part(spec: RunSpec, seed: int | None, roles: int) -> np.ndarray:
    """Return the first states of the streams of a part of a run, (replicas, roles, 4) uint32."""
    from fastgames.engine.parts import first_streams

    assert spec.part is not None
    assert seed is not None
    return first_streams(seed, spec.part.numbers, roles)


def begin_episodes(
    spec: RunSpec,
    states: np.ndarray,
    streams: np.ndarray | None,
    generator: np.random.Generator | None = None,
    replicas: np.ndarray | None = None,
) -> None:
    """Write the first states of episodes into `states`, see `State.states`.

    Nature's streams are modified.

    replicas: (n,) the numbers of the replicas in `states`, for errors; None: 0 … n - 1
    """
    if spec.functions is not None:
        numbers = np.arange(len(states)) if replicas is None else replicas
        _start(spec, spec.functions, states, streams, generator, numbers)
        return
    compact = spec.game.compact
    states[:] = compact.start_state
    if compact.start_weights is not None:
        sums = np.add.accumulate(compact.start_weights)
        if streams is not None:
            _core.lanes(spec.dtype).draw_states(streams, sums, states)
        else:
            assert generator is not None
            states[0] = np.count_nonzero(sums[:-1] <= generator.random() * sums[-1])


def _start(
    spec: RunSpec,
    moves: Functions,
    states: np.ndarray,
    streams: np.ndarray | None,
    generator: np.random.Generator | None,
    replicas: np.ndarray,
) -> None:
    """Write the first states, (n, state_size) int64; nature's streams are modified.

    replicas: (n,) the numbers of these replicas, for errors
    """
    compiled = spec.backend != "reference"
    states[:] = 0
    index = index_of(spec.game)
    if index is not None:
        states[:, -1] = index[replicas]
    count = len(states) if moves.start_words or index is not None else 1
    now = np.zeros(1, np.int64)  # the row that is written
    try:
        if compiled and streams is not None and count > 1:
            from fastgames.compiler.games import start_all

            start_all(moves, streams[:, -1], states, now)
            return
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
        function = of_game("start", spec.game.name)
        raise RuleError(function, int(replicas[now[0]]), 0, None, problem) from error
    states[count:] = states[0]
    reals = moves.real_numbers(states)
    for r, k in np.argwhere(~np.isfinite(reals))[:1].tolist():
        value = float(reals[r, k])
        problem = out_of_range("real", value, k)
        raise RuleError(of_game("start", spec.game.name), int(replicas[r]), 0, value, problem)


def next_nature(stream: Any, generator: np.random.Generator | None) -> int:
    """Return nature's next 31-bit word, of its stream (4,), modified, or of NumPy's generator."""
    if generator is not None:
        return int(generator.random() * 2.0**31)
    from fastgames.rules.streams import next_word

    words = [int(word) for word in stream]
    u = int(next_word(words)) >> 1
    stream[:] = words
    return u


def resumed(old: State, spec: RunSpec, recorded: Record, seed: int | None) -> State:
    """Return a copy of `old`, a state of a run that recorded `recorded`, to go on from.

    seed: of the run; a mediator whom nobody asked before begins its stream

    A learner that is not equal to the one that sat there before starts its schedules anew; tables
    stay, but for those that the call gives or resets. Counts go on where both records count the
    same steps, else they start anew.
    """
    record, anew = spec.record, set(ANEW)
    asked = [COUNTS[name].asked for name in COVER_LAST]
    same = all(getattr(record, flag) == getattr(recorded, flag) for flag in asked)
    if record.last or recorded.last or not same:
        anew.update(("counted", *COVER_LAST))
    arrays = {}
    for each in FIELDS:
        before = getattr(old, each.name)
        if each.present(spec):
            new = before is None or each.name in anew or before.shape != each.shape(spec)
            arrays[each.name] = each.make(spec) if new else before.copy()
    if spec.mediated and old.mediator is None:
        arrays["mediator"] = _start_mediator(spec, seed)
    if spec.opening is not None:
        arrays["opening"][...] = spec.opening
        arrays["opening_begun"][...] = old.steps
    if record.episodes and not recorded.episodes:
        _leave_out(old, arrays)
    seats = make_seats(spec)
    learners = tuple(seat.learner for seat in old.seats)
    for agent, was, seat in zip(spec.agents, old.seats, seats, strict=True):
        _take_over(agent, seat, was, members(learners, agent.agent))
    _derive(spec, seats)
    if "stable" in arrays and any(agent.given or agent.resets_tables for agent in spec.agents):
        arrays["stable"][...] = 0  # steps without a change of these tables
    return State(seats=seats, generator=old.generator, **arrays)


def _leave_out(old: State, arrays: dict[str, np.ndarray]) -> None:
    """Mark the episodes that are under way: they began before they were recorded."""
    under_way = old.steps > 0
    if old.ages is not None:
        under_way &= old.ages > 0
    arrays["episode_counts"][under_way, 0] = -1
    arrays["episode_returns"][under_way, :, :2] = np.nan


def _take_over(agent: AgentSpec, seat: Seat, was: Seat, team: tuple[int, ...]) -> None:
    """Copy what stays of an agent: tables, its pending move, schedules of an equal learner.

    team: the agents of its team before; the pending move of another team is discarded
    """
    learner = seat.learner
    anew = [x.table for x in (was.learner, learner) if not x.learns]  # a policy is its learner's
    anew += [x.name for x in agent.rules.tables if x.shared and not agent.first]  # copied before
    anew += agent.rules.of_game
    anew += agent.rules.names if agent.resets_tables else agent.given
    for name, table in was.tables.items():
        if name in anew:
            continue
        if name not in seat.tables:
            seat.tables[name] = table.copy()
        elif seat.tables[name].shape == table.shape:
            seat.tables[name][...] = table
    same_team = (was.learner.rules.team, team) == (agent.rules.team, agent.team)
    if seat.pending is not None and was.pending is not None and same_team:
        seat.pending = was.pending.copy()
    if learner == was.learner and not agent.resets_schedules:
        seat.clock = was.clock.copy()
        seat.recurrence = {name: v.copy() for name, v in was.recurrence.items()}
