"""Compiled blocks: copies between the state of a run and the lanes of the compiled core."""

from __future__ import annotations

import math
from contextlib import nullcontext
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from fastgames import _core
from fastgames.engine.state import Seat, State, check_finite, members, nature_draws, table_bytes
from fastgames.errors import (
    CHOOSE_FAILED,
    CHOSE_FRACTION,
    CHOSE_OUTSIDE,
    DRAW_FAILED,
    ENDED_ODDLY,
    FAILED,
    LEARN_FAILED,
    PAID_OUTSIDE,
    SEEN_FRACTION,
    SEEN_OUTSIDE,
    START,
    STEP,
    RuleError,
    not_finite,
    of_game,
    out_of_range,
    plain,
)
from fastgames.games import Game, Variants
from fastgames.games.compact import Chances, Compact, Functions, Sum, Table
from fastgames.learners import AnyLearner, Rules
from fastgames.record import Record
from fastgames.rules import fixed, qlearning
from fastgames.rules.exponential import exp
from fastgames.schedules import CONSTANT, EXPONENTIAL, parts
from fastgames.stop import Stable

# Bytes that the lanes of a block may take where they run in columns: those of the first cache where
# fixed policies make loads the bound; twice as many where arithmetic is, for a block takes a tenth
# of a millisecond to fill.
FIRST_CACHE = 32 * 2**10
SECOND_CACHE = 2**21  # and where their tables have rows
MOST = 2**28  # bytes: fewer than the least number of lanes hold a replica where tables are larger
RULE_LANES = 128  # of a block where all learners are functions: a pass is called once for all
SMALLEST = 16  # replicas for which a thread of their own is worth it, where they run in columns
SIZES = (512, 256, 128, 64, 32, 16)  # multiples of 16, the lanes of the widest vector register


def by_rules(learner: AnyLearner, numba: bool) -> bool:
    """Whether passes made from the learner's rules run, and not their twins."""
    return numba or learner.rules.twin is None


def in_columns(
    game: Game, learners: tuple[AnyLearner, ...], stop: Stable | None, numba: bool
) -> bool:
    """Whether a block of columns does: one state, and learners of the simplest kind."""
    compact = game.compact
    return (
        not any(by_rules(learner, numba) for learner in learners)
        and stop is None
        and not isinstance(compact.moves, Functions)
        and compact.num_states == 1
        and compact.rewards.shape[1] == 1
        and isinstance(compact.moves, Sum)
        and compact.turns is compact.terminal is compact.observations is None
        and not compact.time_limit
        and all(
            x.rules.bootstrap == "max"
            and x.rules.twin != "outside"
            and x.rules.names != ("q", "visits")
            and not (x.rules.defers or x.rules.counterfactual)
            for x in learners
        )
    )


def block_size(
    game: Game,
    learners: tuple[AnyLearner, ...],
    dtype: np.dtype[Any],
    replicas: int,
    columns: bool,
    numba: bool,
) -> int:
    """Replicas of a block: as many lanes as the cache holds, shared out evenly over the blocks."""
    if columns:
        per_agent = 24  # generator, threshold and half
        values = 8 * game.num_agents + sum(game.num_actions)  # signals, alpha, scratch; tables
        cache = FIRST_CACHE * (2 if all(learner.learns for learner in learners) else 1)
        size = per_agent * game.num_agents + values * dtype.itemsize
    else:
        each = [_table_bytes(game, learners, i, dtype) for i in range(game.num_agents)]
        cache, size = SECOND_CACHE, 256 * game.num_agents + sum(each)
    most = next((n for n in SIZES if n * size <= cache), SIZES[-1])
    if not columns:
        rules = all(by_rules(x, numba) or x.rules.twin == "outside" for x in learners)
        widest = RULE_LANES if rules else _core.lanes(dtype.name).ROW_LANES
        most = max(1, min(most, widest, MOST // size))
    blocks = -(-replicas // most)
    return -(-replicas // blocks)


def _table_bytes(
    game: Game, learners: tuple[AnyLearner, ...], agent: int, dtype: np.dtype[Any]
) -> int:
    """Bytes of an agent's tables in a lane of a block of rows, which are padded there."""
    stride = _core.lanes(dtype.name).row_stride(game.num_actions[agent])
    padding = (stride / game.num_actions[agent]) if learners[agent].rules.twin else 1.0
    return math.ceil(padding * table_bytes(game, learners, agent, dtype.name))


def layout(
    game: Game,
    learners: tuple[AnyLearner, ...],
    stop: Stable | None,
    dtype: np.dtype[Any],
    numba: bool,
    replicas: int,
    threads: int,
) -> tuple[int, int]:
    """How many threads to use, at most `threads`, and the capacity of the block of each."""
    columns = in_columns(game, learners, stop, numba)
    threads = min(threads, -(-replicas // (SMALLEST if columns else 1)))
    capacity = block_size(game, learners, dtype, -(-replicas // threads), columns, numba)
    return threads, -(-capacity // SMALLEST) * SMALLEST if columns else capacity


def block_bytes(
    game: Game,
    learners: tuple[AnyLearner, ...],
    record: Record,
    dtype: np.dtype[Any],
    capacity: int,
    columns: bool,
) -> int:
    """At most how many bytes a block takes, see `Lanes` in src_cy/engine.pxi.

    Room for the tables of `capacity` replicas, less than a kilobyte for each lane and agent
    besides, a lane's counts and window, and the rewards in the type of the tables.
    """
    real, compact = dtype.itemsize, game.compact
    lanes = -(-capacity // SIZES[-1]) * SIZES[-1]
    size, largest = 2**17 + 256 * lanes, 0
    for i, (learner, actions) in enumerate(zip(learners, game.num_actions, strict=True)):
        entries = actions * real if columns else _table_bytes(game, learners, i, dtype)
        table = capacity * entries
        asked = 8 * game.num_agents * (learner.rules.joint or learner.rules.team)
        outside = learner.rules.twin == "outside"
        size += table + lanes * (128 if outside else 1024 + asked + 3 * actions * real)
        size += compact.rewards[i].size * real + 8 * game.num_states
        largest = max(largest, table)  # is held twice while it is copied
    if record.last is not None:
        size += 4 * lanes * record.last
    if isinstance(compact.moves, Functions):
        size += 8 * lanes * (compact.moves.words + compact.moves.state_size + 4 * game.num_agents)
        size += real * lanes * game.num_agents * (record.last or 0)
    if record.joint_actions:
        size += 8 * lanes * math.prod(game.num_actions)
    return size + largest


def checks_indices(checked: bool | None, *what: Any) -> bool:
    """Return whether indices are checked in compiled functions: by default, in those of users.

    what: a learner, or the functions of a game
    """
    if checked is not None:
        return checked
    kinds = [x if isinstance(x, FunctionType) else type(x) for x in what]
    ours = all(kind.__module__.split(".")[0] == "fastgames" for kind in kinds)
    made_of_functions = any(kind.__module__ == "fastgames.learners.custom" for kind in kinds)
    return not ours or made_of_functions


def _passes_of_game(
    moves: Functions, dtype: np.dtype[Any], checked: bool | None
) -> tuple[Any, ...]:
    """The passes made of a game's functions."""
    from fastgames.compiler.games import passes_of

    check = checks_indices(checked, moves.start, moves.step, moves.observe)
    return passes_of(moves, dtype, check)


def _game(compact: Compact, dtype: np.dtype[Any], checked: bool | None) -> SimpleNamespace:
    """A game as the compiled core takes it, see `Lanes` in src_cy/engine.pxi."""
    moves = compact.moves
    sums = compact.start_weights
    functions: dict[str, Any] = {"functions": None, "held": None}
    if isinstance(moves, Functions):
        passes = _passes_of_game(moves, dtype, checked)
        functions = {
            "functions": tuple(made.address for made in passes),
            "held": passes,
            "words": moves.words,
            "start_words": moves.start_words,
            "state_size": moves.state_size,
        }
    return SimpleNamespace(
        **functions,
        from_state=moves.from_state if isinstance(moves, Sum) else None,
        from_joint=moves.from_joint if isinstance(moves, Sum) else None,
        table=moves.next if isinstance(moves, Table) else None,
        chance_first=moves.first if isinstance(moves, Chances) else None,
        chance_state=moves.successor if isinstance(moves, Chances) else None,
        chance_sum=moves.cumulative if isinstance(moves, Chances) else None,
        start_state=compact.start_state,
        start_sums=None if sums is None else np.add.accumulate(sums),
        terminal=None if compact.terminal is None else compact.terminal.astype(np.uint8),
        time_limit=compact.time_limit,
        rewards_by_state=compact.rewards.shape[2] > 1,
        variants=compact.rewards.shape[1],
        reward_cells=math.prod(compact.rewards.shape[2:]),
    )


def _seat(
    game: Game,
    agent: int,
    learners: tuple[AnyLearner, ...],
    dtype: np.dtype[Any],
    numba: bool,
    checked: bool | None,
    columnar: bool,
) -> SimpleNamespace:
    """A seat as the compiled core takes it; columnar: whether its table may be in columns."""
    learner, compact, team = learners[agent], game.compact, members(learners, agent)
    rules, values = learner.rules, learner.values(game.discount)
    passes = _passes(game, agent, learners, dtype, numba, checked)
    return SimpleNamespace(
        actions=game.num_actions[agent],
        observations=game.num_observations[agent],
        discount=game.discount,
        choose=rules.twin,
        update=rules.update,
        columnar=columnar and passes is None and _is_columnar(game, agent, learner),
        bootstrap=rules.bootstrap,
        learns=learner.learns,
        defers=rules.defers,
        counterfactual=rules.counterfactual,
        joint=rules.joint,
        team=list(team) if rules.team else None,
        words=rules.words,
        draw=_drawn(rules),
        counts_visits=passes is None and "visits" in rules.names,
        tables=[(x.name, list(x.shape(game, agent, team)), x.shared) for x in rules.tables],
        whole=[x.name for x in rules.tables if x.kind == "int64"],
        parameters=rules.parameters,
        schedules=tuple(parts(values[name])[0] for name in rules.parameters),
        payoffs=np.ascontiguousarray(compact.rewards[agent], dtype),
        observe=_row(compact.observations, agent, np.int32),
        turns=_row(compact.turns, agent, np.uint8),
        rules=None if passes is None else tuple(made.address for made in passes),
        held=passes,
    )


def _is_columnar(game: Game, agent: int, learner: AnyLearner) -> bool:
    """Whether a learner with one observation does what learners in columns do."""
    rules, gamma = learner.rules, learner.values(game.discount).get("gamma", 0.0)
    return (
        game.num_observations[agent] == 1
        and game.compact.turns is None
        and rules.bootstrap == "max"
        and len(rules.tables) == 1
        and not (rules.defers or rules.counterfactual)
        and isinstance(gamma, float)
        and gamma == 0.0
    )


def _drawn(rules: Rules) -> str | None:
    """Which of the built-in passes draws what the rules' `draw` does, or None."""
    if rules.draw is qlearning.draw_explore and rules.parameters[2:3] == ("epsilon",):
        return "explore"
    return "unit" if rules.draw in (qlearning.draw_unit, fixed.draw) else None


def _passes(
    game: Game,
    agent: int,
    learners: tuple[AnyLearner, ...],
    dtype: np.dtype[Any],
    numba: bool,
    checked: bool | None,
) -> tuple[Any, Any] | None:
    """The passes made of an agent's rules, where these run."""
    if not by_rules(learners[agent], numba):
        return None
    from fastgames.compiler.passes import passes_of

    sizes = game.num_actions[agent], game.num_observations[agent]
    team, who = len(members(learners, agent)), f"learners[{agent}]"
    check = checks_indices(checked, learners[agent])
    return passes_of(learners[agent].rules, dtype, *sizes, team, check, who)


def _row(table: np.ndarray | None, agent: int, kind: Any) -> np.ndarray | None:
    return None if table is None else np.ascontiguousarray(table[agent], kind)


def core_arguments(
    game: Game,
    learners: tuple[AnyLearner, ...],
    record: Record,
    stop: Stable | None,
    dtype: np.dtype[Any],
    numba: bool,
    checked: bool | None,
) -> tuple[SimpleNamespace, list[SimpleNamespace]]:
    """A game and its seats as the compiled core takes them, shared by the blocks of a call.

    What Numba has to compile is compiled here, once: functions are those of this moment. A block
    that calls passes by their addresses holds these arguments, which hold the passes (`held`).
    """
    columns = in_columns(game, learners, stop, numba)
    watched = record.flips or stop is not None
    return _game(game.compact, dtype, checked), [
        _seat(game, i, learners, dtype, numba, checked, not watched and not columns)
        for i in range(len(learners))
    ]


class LaneBlock:
    """A block of the compiled core, with its built-in passes or the functions that Numba made.

    made: what `core_arguments` returned
    outside: see `Lanes` in src_cy/engine.pxi
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
    replicas: np.ndarray
    steps: np.ndarray
    tallied: np.ndarray
    loaded: bool
    ready: bool

    def __init__(
        self,
        game: Game,
        state: State,
        record: Record,
        stop: Stable | None,
        dtype: np.dtype[Any],
        capacity: int,
        bit_generator: np.random.BitGenerator | None,
        numba: bool,
        made: tuple[SimpleNamespace, list[SimpleNamespace]],
        outside: SimpleNamespace | None = None,
        checked: bool = False,
    ) -> None:
        learners = tuple(seat.learner for seat in state.seats)
        self.capacity, self.active = capacity, 0
        self.state, self.game = state, game
        self.columns = in_columns(game, learners, stop, numba)
        self.periods = 0 if stop is None else stop.periods
        self.last = 0 if state.window is None else state.window.shape[1]
        # numpy's own methods hold this lock too: others may draw from the generator meanwhile
        self.lock = nullcontext() if bit_generator is None else bit_generator.lock
        self.bit_generator = bit_generator
        self.made = made
        self.lanes = _core.lanes(dtype.name).Lanes(
            -(-capacity // SIZES[-1]) * SIZES[-1],
            capacity,
            *made,
            rows=not self.columns,
            flips=record.flips,
            joint_actions=record.joint_actions and not self.last,
            rewards=record.rewards and not self.last,
            stable=stop is not None,
            last=self.last,
            bit_generator=bit_generator,
            outside=outside,
        )
        self.stable, self.waits = self.lanes.stable, self.lanes.waits
        self.checked = checked
        self.nature = state.streams is not None and nature_draws(game.compact)
        self.replicas = np.zeros(capacity, np.int64)  # what each lane holds
        self.steps = np.zeros(capacity, np.int64)  # since each lane was last written
        self.tallied = np.zeros(capacity, np.int64)
        self.numba = numba
        self.loaded = False  # whether any lane ever held a replica
        self.ready = False  # whether the core has taken up what was last loaded
        # (index, name, kind, numbers) of the parameters that differ between replicas or change
        self.varying: list[list[tuple[int, str, int, Any]]] = []
        for seat, lanes in zip(state.seats, self.lanes.seats, strict=True):
            self.varying.append([])
            values = seat.learner.values(game.discount)
            for p, name in enumerate(seat.learner.rules.parameters):
                kind, numbers = parts(values[name])
                if kind == CONSTANT and not isinstance(numbers[0], np.ndarray):
                    lanes.value[p] = numbers[0]
                else:
                    self.varying[-1].append((p, name, kind, numbers))

    def load(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Take up these replicas in these lanes; lanes that never held one repeat the first."""
        state, self.ready = self.state, False
        into, where = _slice(lanes), _slice(replicas)
        self.replicas[into] = replicas
        for i, (seat, arrays) in enumerate(zip(state.seats, self.lanes.seats, strict=True)):
            self._load_tables(seat, arrays, into, where)
            if state.streams is not None:
                self._fill(arrays.stream, into, state.streams[where, i].T)
            self._fill(arrays.clock, into, seat.clock[where])
            for parameter in self.varying[i]:
                self._load_parameter(arrays, parameter, seat, into, where)
            if state.flips is not None:
                arrays.flips[into] = state.flips[where, i]
            if state.reward_sums is not None:
                arrays.reward_sum[into] = state.reward_sums[where, i]
            if seat.pending is not None:
                for name, array in seat.pending.arrays().items():
                    getattr(arrays, name)[into] = array[where]
        if self.lanes.joint_counts is not None:
            assert state.joint_counts is not None
            self.lanes.joint_counts[into] = state.joint_counts[where].reshape(len(lanes), -1)
        if not self.columns:
            self.lanes.state[into] = state.states[where]
            if isinstance(self.game, Variants):
                self.lanes.place(into, self.game.index[where])
            if state.ages is not None:
                self.lanes.age[into] = state.ages[where]
            if self.nature:
                assert state.streams is not None
                self.lanes.nature[:, into] = state.streams[where, -1].T
        if self.stable is not None:
            assert state.stable is not None
            self.stable[into] = state.stable[where]
        if state.window is not None:
            self.lanes.window[into] = state.window[where]
            if state.reward_window is not None:
                self.lanes.reward_window[into] = state.reward_window[where]
            self.lanes.window_at[into] = state.steps[where] % self.last
        self.loaded = True

    def _load_tables(self, seat: Seat, arrays: Any, into: Any, where: Any) -> None:
        if seat.learner.rules.twin == "outside":
            return
        table = seat.table[where]
        if not seat.learner.learns and not by_rules(seat.learner, self.numba):
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
        """Write into lanes; at first into all, for what is in none of them must make sense too."""
        if not self.loaded:
            lanes[...] = values[..., :1]
        lanes[..., into] = values

    def _load_parameter(
        self, arrays: Any, parameter: tuple[int, str, int, Any], seat: Seat, into: Any, where: Any
    ) -> None:
        p, name, kind, numbers = parameter
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

    def tally(self, lanes: np.ndarray, on: bool) -> None:
        """Count joint actions and sum rewards of these lanes from here on, or not."""
        self.lanes.tallying[lanes] = on
        self.ready = False

    def advance(self, steps: int) -> int:
        """Advance by at most `steps`, fewer only if a replica may stop then; return the number.

        The GIL is released.
        """
        if not self.ready or self.lanes.active != self.active:
            self.lanes.active = self.active
            self.lanes.begin()
            self.ready = True
        if self.checked:  # tables are looked at after every step
            steps = min(steps, 1)
        with self.lock:
            taken: int = self.lanes.advance(steps, self.periods)
        self.steps[: self.active] += taken
        self.tallied[: self.active] += taken * self.lanes.tallying[: self.active]
        if self.lanes.wrong[0]:
            raise self.error()
        if self.checked:
            self.check_tables()
        return taken

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
        if kind in (CHOSE_FRACTION, SEEN_FRACTION, PAID_OUTSIDE, ENDED_ODDLY):
            value = float(np.int64(value).view(np.float64))
        learner, game = f"learners[{agent}]", self.game
        if kind in (CHOSE_OUTSIDE, CHOSE_FRACTION):
            problem = out_of_range("action", value, game.num_actions[agent])
            return RuleError(f"choose of {learner}", replica, step, value, problem)
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
        names = {CHOOSE_FAILED: "choose", DRAW_FAILED: "draw", LEARN_FAILED: "learn"}
        if kind in names:
            function = f"{names[kind]} of {learner}"
        elif agent in (STEP, START):
            function = of_game({STEP: "step", START: "start"}[agent], game.name)
        else:
            function = of_game("observe", game.name, agent)
        return RuleError(function, replica, step, None, FAILED)

    def store(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Write these replicas back into the state."""
        state, out, where = self.state, _slice(lanes), _slice(replicas)
        for i, (seat, arrays) in enumerate(zip(state.seats, self.lanes.seats, strict=True)):
            if seat.learner.learns:
                self._store_tables(seat, arrays, out, where)
            seat.clock[where] += self.steps[out]
            if state.streams is not None:
                state.streams[where, i] = arrays.stream[:, out].T
            for p, name, kind, _ in self.varying[i]:
                if kind == EXPONENTIAL:
                    seat.recurrence[name][where] = arrays.first[p, out]
            if state.flips is not None:
                state.flips[where, i] = arrays.flips[out]
            if state.reward_sums is not None:
                state.reward_sums[where, i] = arrays.reward_sum[out]
            if seat.pending is not None:
                open_ = arrays.observation[out] >= 0
                for name, array in seat.pending.arrays().items():
                    array[where] = np.where(
                        open_, getattr(arrays, name)[out], -(name == "observation")
                    )
        if self.lanes.joint_counts is not None:
            assert state.joint_counts is not None
            shape = (len(lanes), *self.game.num_actions)
            state.joint_counts[where] = self.lanes.joint_counts[out].reshape(shape)
        if not self.columns:
            state.states[where] = self.lanes.state[out]
            if state.ages is not None:
                state.ages[where] = self.lanes.age[out]
            if self.nature:
                assert state.streams is not None
                state.streams[where, -1] = self.lanes.nature[:, out].T
        if self.stable is not None:
            assert state.stable is not None
            state.stable[where] = self.stable[out]
        if self.bit_generator is not None:
            state.generator = dict(self.bit_generator.state)
        state.steps[where] += self.steps[out]
        if state.window is None:
            state.counted[where] += self.tallied[out]
        else:
            state.window[where] = self.lanes.window[out]
            if state.reward_window is not None:
                state.reward_window[where] = self.lanes.reward_window[out]
            state.counted[where] = np.minimum(state.counted[where] + self.steps[out], self.last)
        self.steps[out] = self.tallied[out] = 0

    def _store_tables(self, seat: Seat, arrays: Any, out: Any, where: Any) -> None:
        if self.columns or arrays.columnar:
            seat.table[where, 0, :] = arrays.table[:, out].T
            return
        for name, array in arrays.tables.items():
            table = seat.tables[name]
            table[where] = array[(out, *(slice(n) for n in table.shape[1:]))]


def _slice(index: np.ndarray) -> Any:
    """The same as a slice where that is possible: it copies faster."""
    first, last = int(index[0]), int(index[-1])
    if last - first == len(index) - 1 and (index[1:] > index[:-1]).all():
        return slice(first, last + 1)
    return index
