"""Compiled blocks: copies between the state of a run and the lanes of the compiled core."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastgames import _core
from fastgames.engine.core import (
    CoreAgent,
    CoreCount,
    CoreGame,
    OutsideArrays,
    core_agent,
    core_counts,
    core_game,
)
from fastgames.engine.spec import AgentSpec, RunSpec, nature_draws
from fastgames.engine.state import FIELDS, Seat, State, check_finite
from fastgames.errors import (
    CHOOSE_FAILED,
    CHOSE_FRACTION,
    CHOSE_OUTSIDE,
    DRAW_FAILED,
    ENDED_ODDLY,
    FAILED,
    LEARN_FAILED,
    MOVED_ODDLY,
    NOT_FINITE,
    OPENED_OUT_OF_TURN,
    PAID_OUTSIDE,
    SEEN_FRACTION,
    SEEN_OUTSIDE,
    START,
    STEP,
    TURNS,
    RuleError,
    not_finite,
    of_game,
    out_of_range,
    out_of_turn,
    plain,
)
from fastgames.games import Game, Variants
from fastgames.games.compact import Functions
from fastgames.rules.exponential import exp
from fastgames.schedules import CONSTANT, EXPONENTIAL, TABULATED, Parts, ScheduleError

Core: TypeAlias = tuple[CoreGame, list[CoreAgent], dict[str, CoreCount]]

# Bytes that the lanes of a block may take where they run in columns: those of the first cache where
# fixed policies make loads the bound; twice as many where arithmetic is, for a block takes a tenth
# of a millisecond to fill.
FIRST_CACHE = 32 * 2**10
SECOND_CACHE = 2**21  # and where their tables have rows
MOST = 2**28  # bytes: fewer than the least number of lanes hold a replica where tables are larger
RULE_LANES = 128  # of a block where all learners are functions: a pass is called once for all
SMALLEST = 16  # replicas for which a thread of their own is worth it, where they run in columns
# Errors whose value is kept as the bits of a float64.
AS_BITS = (CHOSE_FRACTION, SEEN_FRACTION, PAID_OUTSIDE, ENDED_ODDLY, MOVED_ODDLY, NOT_FINITE)
SIZES = (512, 256, 128, 64, 32, 16)  # multiples of 16, the lanes of the widest vector register

if TYPE_CHECKING:
    from fastgames.schedules import Tabulated


def block_size(spec: RunSpec, replicas: int) -> int:
    """Return the replicas of a block: as many as the cache holds, shared out over the blocks.

    replicas: of one thread
    """
    game, learners, real = spec.game, spec.learners, spec.real
    if spec.in_columns:
        per_agent = 24  # generator, threshold and half
        values = 8 * game.num_agents + sum(game.num_actions)  # signals, alpha, scratch; tables
        cache = FIRST_CACHE * (2 if all(learner.learns for learner in learners) else 1)
        size = per_agent * game.num_agents + values * real.itemsize
    else:
        each = [_table_bytes(agent) for agent in spec.agents]
        cache, size = SECOND_CACHE, 256 * game.num_agents + sum(each)
    most = next((n for n in SIZES if n * size <= cache), SIZES[-1])
    if not spec.in_columns:
        rules = all(x.by_rules or x.rules.twin == "outside" for x in spec.agents)
        widest = RULE_LANES if rules else _core.lanes(spec.dtype).ROW_LANES
        most = max(1, min(most, widest, MOST // size))
    blocks = -(-replicas // most)
    return -(-replicas // blocks)


def _table_bytes(agent: AgentSpec) -> int:
    """Return the bytes of an agent's tables in a lane of a block of rows, padded as there."""
    stride = _core.lanes(agent.dtype).row_stride(agent.actions)
    padding = (stride / agent.actions) if agent.rules.twin else 1.0
    size = agent.table_bytes()
    if agent.rules.tables[0].shared and not agent.first:
        size += agent.table_bytes((agent.learner.table,))  # lanes have it for every agent
    return math.ceil(padding * size)


def layout(spec: RunSpec, replicas: int, threads: int) -> tuple[int, int]:
    """Return how many threads to use, at most `threads`, and the capacity of each one's block."""
    threads = min(threads, -(-replicas // (SMALLEST if spec.in_columns else 1)))
    capacity = block_size(spec, -(-replicas // threads))
    return threads, -(-capacity // SMALLEST) * SMALLEST if spec.in_columns else capacity


def block_bytes(spec: RunSpec, capacity: int) -> int:
    """Return at most how many bytes a block takes, see `Lanes` in src_cy/engine.pxi.

    Room for the tables of `capacity` replicas, less than a kilobyte for each lane and agent
    besides, a lane's counts and window, and the rewards in the type of the tables.
    """
    game, real = spec.game, spec.real.itemsize
    lanes = -(-capacity // SIZES[-1]) * SIZES[-1]
    size, largest = 2**17 + 256 * lanes, 0
    for agent in spec.agents:
        rules, actions = agent.rules, agent.actions
        table = capacity * (actions * real if spec.in_columns else _table_bytes(agent))
        asked = 8 * game.num_agents * (rules.joint or rules.team)
        asked += agent.table_bytes() * rules.opponents  # a copy of its tables
        tabulated = sum(kind == TABULATED for kind, _ in agent.schedules.values())
        if tabulated:
            size += 8 * tabulated * lanes * (_core.lanes(spec.dtype).rows_ahead(lanes) + 1)
        if spec.in_columns and any(kind for kind, _ in agent.schedules.values()):
            size += _core.lanes(spec.dtype).bytes_ahead(game.num_agents)
        size += table + lanes * (128 if rules.twin == "outside" else 1024 + asked)
        size += 0 if rules.twin == "outside" else lanes * 3 * actions * real
        size += game.compact.rewards[agent.agent].size * real + 8 * game.num_states
        largest = max(largest, table)  # is held twice while it is copied
    size += 4 * lanes * (spec.window + spec.opening_steps * game.num_agents)
    moves = spec.functions
    if moves is not None:
        size += 8 * lanes * (moves.words + moves.state_size + 4 * game.num_agents)
        size += real * lanes * game.num_agents * spec.window
    for count in core_counts(spec).values():
        size += count.dtype.itemsize * lanes * math.prod(count.dims)
    return size + largest


def core_arguments(spec: RunSpec) -> Core:
    """Return a game, its agents and what is counted for the compiled core, shared by all blocks.

    What Numba has to compile is compiled here, once: functions are those of this moment.
    """
    watched = spec.record.flips or spec.stop is not None
    columnar = not watched and not spec.in_columns
    agents = [core_agent(spec, agent, columnar) for agent in spec.agents]
    return core_game(spec), agents, core_counts(spec)


class LaneBlock:
    """A block of the compiled core, with its built-in passes or the functions that Numba made.

    core: what `core_arguments` returned
    bit_generator: under stream="numpy", the one that draws
    outside: where environments write, see `VectorGame`
    checked: whether tables are looked at after every step
    """

    capacity: int
    active: int
    state: State
    game: Game
    columns: bool
    periods: int
    lock: Any
    lanes: Any
    stable: np.ndarray | None
    waits: np.ndarray
    nature: bool
    agents: tuple[AgentSpec, ...]
    replicas: np.ndarray
    steps: np.ndarray
    tallied: np.ndarray
    loaded: bool
    ready: bool

    def __init__(
        self,
        spec: RunSpec,
        state: State,
        capacity: int,
        core: Core,
        bit_generator: np.random.BitGenerator | None = None,
        outside: OutsideArrays | None = None,
    ) -> None:
        self.capacity, self.active = capacity, 0
        self.state, self.game = state, spec.game
        self.columns = spec.in_columns
        self.periods = 0 if spec.stop is None else spec.stop.periods
        self.last = spec.window
        # numpy's own methods hold this lock too: others may draw from the generator meanwhile
        self.lock = nullcontext() if bit_generator is None else bit_generator.lock
        self.bit_generator = bit_generator
        self.core = core  # a block calls its passes by their addresses
        self.lanes = _core.lanes(spec.dtype).Lanes(
            -(-capacity // SIZES[-1]) * SIZES[-1],
            capacity,
            *core,
            rows=not self.columns,
            stable=spec.stop is not None,
            last=self.last,
            opening=spec.opening_steps,
            bit_generator=bit_generator,
            outside=outside,
        )
        self.stable, self.waits = self.lanes.stable, self.lanes.waits
        self.checked = outside is None and spec.checked is True
        self.nature = state.streams is not None and nature_draws(spec.game)
        self.replicas = np.zeros(capacity, np.int64)  # what each lane holds
        self.steps = np.zeros(capacity, np.int64)  # since each lane was last written
        self.tallied = np.zeros(capacity, np.int64)
        self.agents = spec.agents
        self.loaded = False  # whether any lane ever held a replica
        self.ready = False  # whether the core has taken up what was last loaded
        self.filled = 0  # rows of tabulated schedules
        self.rows_ahead = _core.lanes(spec.dtype).rows_ahead(len(self.lanes.tallying))
        # (index, name, schedule) of the parameters that differ between replicas or change
        self.varying: list[list[tuple[int, str, Parts]]] = []
        # (agent, index, name, schedule) of the tabulated ones
        self.tabulated: list[tuple[int, int, str, Tabulated]] = []
        for seat, lanes in zip(state.seats, self.lanes.seats, strict=True):
            self.varying.append([])
            for p, name in enumerate(seat.learner.rules.parameters):
                kind, numbers = seat.schedules[name]
                if kind == TABULATED:
                    self.tabulated.append((len(self.varying) - 1, p, name, numbers[0]))
                elif kind == CONSTANT and not isinstance(numbers[0], np.ndarray):
                    lanes.value[p] = numbers[0]
                else:
                    self.varying[-1].append((p, name, (kind, numbers)))
        self.counters = list(self._find_counters())

    def _find_counters(self) -> Iterator[tuple[np.ndarray, np.ndarray, tuple[Any, ...]]]:
        """Yield every counter that the lanes keep: its array in the state, in the lanes, its place.

        The place is the index after that of the replicas: (agent,) or ().
        """
        for field in FIELDS:
            array = getattr(self.state, field.name)
            kept = self.lanes.counts.get(field.name)
            if kept is None and field.lanes:
                kept = getattr(self.lanes, field.lanes)
            if array is None or kept is None:
                continue
            if field.by_agent:
                for i in range(len(kept)):
                    yield array, kept[i], (i,)
            else:
                yield array, kept, ()

    def load(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Copy replicas from the state into lanes; lanes that never held one repeat the first."""
        state, self.ready, self.filled = self.state, False, 0
        into, where = _slice(lanes), _slice(replicas)
        self.replicas[into] = replicas
        for i, (seat, arrays) in enumerate(zip(state.seats, self.lanes.seats, strict=True)):
            self._load_tables(self.agents[i], seat, arrays, into, where)
            if state.streams is not None:
                self._fill(arrays.stream, into, state.streams[where, i].T)
            self._fill(arrays.clock, into, seat.clock[where])
            for parameter in self.varying[i]:
                self._load_parameter(arrays, parameter, seat, into, where)
            if seat.pending is not None:
                for name, array in seat.pending.arrays().items():
                    getattr(arrays, name)[into] = array[where]
        for array, kept, place in self.counters:
            kept[into] = array[(where, *place)].reshape(len(lanes), *kept.shape[1:])
        if not self.columns:
            self.lanes.state[into] = state.states[where]
            if isinstance(self.game, Variants):
                self.lanes.place(into, self.game.index[where])
            if state.ages is not None:
                self.lanes.age[into] = state.ages[where]
            if self.nature:
                assert state.streams is not None
                self.lanes.nature[:, into] = state.streams[where, -1].T
            if state.mediator is not None:
                self.lanes.mediator[:, into] = state.mediator[where].T
            if self.lanes.step is not None:
                self.lanes.step[into] = state.steps[where]
        if state.opening is not None and state.opening_begun is not None:
            self.lanes.opening[into] = state.opening[where]
            self.lanes.opening_at[into] = state.steps[where] - state.opening_begun[where]
        if state.window is not None:
            self.lanes.window_at[into] = state.steps[where] % self.last
        if self.lanes.path_at is not None:
            self.lanes.path_at[into] = state.steps[where] % self.lanes.path
        self.loaded = True

    def _load_tables(
        self, agent: AgentSpec, seat: Seat, arrays: Any, into: Any, where: Any
    ) -> None:
        if agent.rules.twin == "outside":
            return
        table = seat.table[where]
        if not seat.learner.learns and not agent.by_rules:
            table = np.add.accumulate(table, axis=-1)  # running sums, as the passes read them
        if self.columns or arrays.columnar:
            self._fill(arrays.table, into, table[:, 0, :].T)
            return
        arrays.table[into, :, : table.shape[2]] = table
        for name, array in arrays.tables.items():
            if name != seat.learner.table:
                values = seat.tables[name][where]
                array[(into, *(slice(n) for n in values.shape[1:]))] = values

    def _fill(self, lanes: np.ndarray, into: Any, values: np.ndarray) -> None:
        """Write values into lanes; the first time into all, so that unused lanes are valid too."""
        if not self.loaded:
            lanes[...] = values[..., :1]
        lanes[..., into] = values

    def _load_parameter(
        self, arrays: Any, parameter: tuple[int, str, Parts], seat: Seat, into: Any, where: Any
    ) -> None:
        p, name, (kind, numbers) = parameter
        first, second, third = (x[where] if isinstance(x, np.ndarray) else x for x in numbers)
        if kind == EXPONENTIAL:
            first = seat.recurrence[name][where]
            rates, index = np.unique(second, return_inverse=True)
            second = np.array([exp(-rate, np.float64) for rate in rates])[index.ravel()]
        count = len(seat.clock[where])
        for array, value in (
            (arrays.value, first),
            (arrays.first, first),
            (arrays.second, second),
            (arrays.third, third),
        ):
            self._fill(array[p], into, np.broadcast_to(value, count))

    def restart(self, lanes: np.ndarray, states: np.ndarray, nature: np.ndarray) -> None:
        """Begin an episode in lanes of a block of rows; pending moves are discarded.

        lanes: (n,) int64; states: (n,) or (n, state_size), the first states
        nature: (n, 4) uint32, nature's streams after they were drawn
        """
        self.lanes.state[lanes] = states
        if self.nature:
            self.lanes.nature[:, lanes] = nature.T
        if self.state.ages is not None:
            self.lanes.age[lanes] = 0
        for seat, arrays in zip(self.state.seats, self.lanes.seats, strict=True):
            if seat.pending is not None:
                arrays.observation[lanes] = -1
        self.lanes.begin()

    def tally(self, lanes: np.ndarray, on: bool) -> None:
        """Count joint actions and sum rewards of these lanes from here on, or not."""
        self.lanes.tallying[lanes] = on
        self.ready = False

    def advance(self, steps: int) -> int:
        """Advance by at most `steps`, fewer only if a replica may stop then; return the number.

        The GIL is released.
        """
        if self.checked:  # tables are looked at after every step
            steps = min(steps, 1)
        if self.tabulated:
            steps = self.look_ahead(steps)
        if not self.ready or self.lanes.active != self.active:
            self.lanes.active = self.active
            self.lanes.begin()
            self.ready = True
        with self.lock:
            taken: int = self.lanes.advance(steps, self.periods)
        self.steps[: self.active] += taken
        self.tallied[: self.active] += taken * self.lanes.tallying[: self.active]
        if self.lanes.wrong[0]:
            raise self.error()
        if self.checked:
            self.check_tables()
        return taken

    def look_ahead(self, steps: int) -> int:
        """Fill the rows of tabulated schedules for at most `steps` steps; return their number.

        Fewer are filled if a schedule has no value in its domain at the step after; raise RuleError
        if it has none at the next step.
        """
        active, replicas = self.active, self.replicas[: self.active]
        steps = min(steps, self.rows_ahead)
        for agent, p, _, schedule in self.tabulated:
            arrays = self.lanes.seats[agent]
            first = arrays.clock[:active].astype(np.int64)
            rows, values = arrays.ahead[p], schedule.table(first, steps, replicas)
            bad = np.isnan(values).any(axis=1)
            if bad[0]:
                raise self.schedule_error(agent, p, first)
            steps = int(bad.argmax()) if bad.any() else steps
            rows[:steps, :active] = values[:steps]
            rows[:steps, active:] = rows[:steps, :1]
            rows[steps] = rows[steps - 1]  # read after the last step, used by none
            arrays.row[0] = 0
        self.ready, self.filled = False, steps
        return steps

    def look_further(self) -> None:
        """Fill the rows of tabulated schedules again if the last one is used."""
        agent = self.tabulated[0][0]
        if self.filled == 0 or int(self.lanes.seats[agent].row[0]) >= self.filled:
            self.look_ahead(self.rows_ahead)
            self.lanes.begin()

    def schedule_error(self, agent: int, p: int, first: np.ndarray) -> RuleError:
        """Return the error of the first lane in which a schedule has no value at its next step."""
        name, schedule = next(x[2:] for x in self.tabulated if x[:2] == (agent, p))
        for lane, t in enumerate(first.tolist()):
            replica = int(self.replicas[lane])
            try:
                schedule.value(t, replica)
            except ScheduleError as error:
                step = int(self.state.steps[replica] + self.steps[lane])
                where = f"{name} of learners[{agent}]"
                return RuleError(where, replica, step, error.value, str(error))
        raise AssertionError(f"{name} has a value after all: its function is not one of its step")

    def check_tables(self) -> None:
        """Raise RuleError if a table is not finite after the step just taken."""
        active = self.active
        for i, (seat, arrays) in enumerate(zip(self.state.seats, self.lanes.seats, strict=True)):
            if not seat.learner.learns:
                continue
            if self.columns or arrays.columnar:
                tables = {seat.learner.table: arrays.table[:, None, :active].T.swapaxes(1, 2)}
            else:
                shapes = {name: seat.tables[name].shape[1:] for name in arrays.tables}
                tables = {
                    name: array[(slice(active), *(slice(n) for n in shapes[name]))]
                    for name, array in arrays.tables.items()
                }
            found = check_finite(tables)
            if found is not None:
                name, (lane, *place), value = found
                replica = int(self.replicas[lane])
                step = int(self.state.steps[replica] + self.steps[lane]) - 1
                problem = not_finite(value, name, tuple(place))
                raise RuleError(f"learn of learners[{i}]", replica, step, value, problem)

    def error(self) -> RuleError:
        """Return the error for what went wrong first in a function of a learner or a game."""
        kind, agent, lane, value = self.lanes.wrong.tolist()
        replica = int(self.replicas[lane])
        step = int(self.state.steps[replica] + self.steps[lane])
        if kind in AS_BITS:
            value = float(np.int64(value).view(np.float64))
        learner, game = f"learners[{agent}]", self.game
        if kind in (CHOSE_OUTSIDE, CHOSE_FRACTION):
            problem = out_of_range("action", value, game.num_actions[agent])
            return RuleError(f"choose of {learner}", replica, step, value, problem)
        if kind == OPENED_OUT_OF_TURN:
            return RuleError("opening", replica, step, value, out_of_turn(value, agent))
        if kind in (SEEN_OUTSIDE, SEEN_FRACTION):
            problem = out_of_range("observation", value, game.num_observations[agent])
            return RuleError(of_game("observe", game.name, agent), replica, step, value, problem)
        if kind == PAID_OUTSIDE:
            assert isinstance(game.compact.moves, Functions)
            problem = out_of_range("reward", value, game.compact.moves.largest_reward)
            return RuleError(of_game("step", game.name, agent), replica, step, value, problem)
        if kind == ENDED_ODDLY:
            value = plain(value)
            problem = out_of_range("end", value, 2)
            return RuleError(of_game("step", game.name), replica, step, value, problem)
        if kind == MOVED_ODDLY:
            value = plain(value)
            problem = out_of_range("turn", value, 2)
            return RuleError(of_game("turns", game.name, agent), replica, step, value, problem)
        if kind == NOT_FINITE:
            assert isinstance(game.compact.moves, Functions)
            reals = game.compact.moves.real_numbers(self.lanes.state[lane])
            problem = out_of_range("real", value, int(np.isfinite(reals).argmin()))
            function = of_game({STEP: "step", START: "start"}[agent], game.name)
            return RuleError(function, replica, step, value, problem)
        names = {CHOOSE_FAILED: "choose", DRAW_FAILED: "draw", LEARN_FAILED: "learn"}
        if kind in names:
            function = f"{names[kind]} of {learner}"
        elif agent in (STEP, START):
            function = of_game({STEP: "step", START: "start"}[agent], game.name)
        elif agent <= TURNS:
            function = of_game("turns", game.name, TURNS - agent)
        else:
            function = of_game("observe", game.name, agent)
        return RuleError(function, replica, step, None, FAILED)

    def store(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Write these replicas back into the state."""
        state, out, where = self.state, _slice(lanes), _slice(replicas)
        for i, (seat, arrays) in enumerate(zip(state.seats, self.lanes.seats, strict=True)):
            if seat.learner.learns:
                self._store_tables(self.agents[i], seat, arrays, out, where)
            seat.clock[where] += self.steps[out]
            if state.streams is not None:
                state.streams[where, i] = arrays.stream[:, out].T
            for p, name, (kind, _) in self.varying[i]:
                if kind == EXPONENTIAL:
                    seat.recurrence[name][where] = arrays.first[p, out]
            if seat.pending is not None:
                open_ = arrays.observation[out] >= 0
                for name, array in seat.pending.arrays().items():
                    array[where] = np.where(
                        open_, getattr(arrays, name)[out], -(name == "observation")
                    )
        for array, kept, place in self.counters:
            shape = (len(lanes), *array.shape[1 + len(place) :])
            array[(where, *place)] = kept[out].reshape(shape)
        if not self.columns:
            state.states[where] = self.lanes.state[out]
            if state.ages is not None:
                state.ages[where] = self.lanes.age[out]
            if self.nature:
                assert state.streams is not None
                state.streams[where, -1] = self.lanes.nature[:, out].T
            if state.mediator is not None:
                state.mediator[where] = self.lanes.mediator[:, out].T
        if self.bit_generator is not None:
            state.generator = dict(self.bit_generator.state)
        state.steps[where] += self.steps[out]
        if state.window is None:
            state.counted[where] += self.tallied[out]
        else:
            state.counted[where] = np.minimum(state.counted[where] + self.steps[out], self.last)
        self.steps[out] = self.tallied[out] = 0

    def _store_tables(
        self, agent: AgentSpec, seat: Seat, arrays: Any, out: Any, where: Any
    ) -> None:
        if self.columns or arrays.columnar:
            seat.table[where, 0, :] = arrays.table[:, out].T
            return
        shared = {table.name for table in agent.rules.tables if table.shared and not agent.first}
        for name, array in arrays.tables.items():
            if name in shared:  # the first table, of which the passes use that of the first member
                continue
            table = seat.tables[name]
            table[where] = array[(out, *(slice(n) for n in table.shape[1:]))]


def _slice(index: np.ndarray) -> Any:
    """Return ascending, consecutive indices as a slice, which copies faster; others as they are."""
    first, last = int(index[0]), int(index[-1])
    if last - first == len(index) - 1 and (index[1:] > index[:-1]).all():
        return slice(first, last + 1)
    return index
