# The engine calls every pass in every step. Passes are function pointers, so learners, records and schedules are
# dispatched once per block and not once per step.
#
# Two layouts. Columns: one state, tables (actions, lanes), all passes run along the lanes. Rows: any game and learner,
# tables (lane, observation, action), passes that access tables go lane by lane. LaneBlock decides.

import math
import types

import numpy as np
cimport cython
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport INFINITY, floor
from libc.string cimport memcpy

include "block.pxi"
include "numeric.pxi"
include "draw.pxi"
include "parameters.pxi"
include "choose.pxi"
include "learn.pxi"
include "record.pxi"
include "pair.pxi"
include "steps.pxi"
include "rows.pxi"
include "rules.pxi"
include "states.pxi"
include "outside.pxi"

REAL = np.dtype(np.float64 if FG_DOUBLE else np.float32)


def aligned(shape, dtype):
    """Return a zeroed array whose data starts on a cache line."""
    dtype = np.dtype(dtype)
    raw = np.zeros(math.prod(shape) * dtype.itemsize + 64, np.uint8)
    return np.ndarray(shape, dtype, raw, -raw.__array_interface__["data"][0] % 64)


ROW_LANES = FG_ROW_LANES
cdef enum:
    FAR = 1 << 21  # bytes of an agent's tables in a block, above which its rows are prefetched


def row_stride(actions):
    """Return the stride between rows of a table with `actions` actions, in entries, in the built-in passes' layout."""
    return fg_row_stride(actions)


cdef enum:
    AHEAD = 1 << 17  # values ahead of a tabulated schedule in a block, at least 16 for each lane


def rows_ahead(lanes):
    """Return the steps for which a block of so many lanes holds the values of a tabulated schedule."""
    return max(16, AHEAD // lanes)


def bytes_ahead(agents):
    """Return the bytes that an agent's schedules take in columns of so many agents, see Seat.values_ahead."""
    return FG_AHEAD * FG_GROUP * (16 + sizeof(real) + 4 * FG_MOST_ACTIONS) if agents <= FG_MOST_PLAYERS else 0


cdef void *address(array):
    return NULL if array is None else <void *><size_t>array.ctypes.data


ctypedef struct Loop:  # the passes of a block's step, as begin() lists them
    Block *block
    Pass *passes
    int num_passes
    Draw *draws
    int batch                              # steps for which signals are drawn at once
    Steps steps                            # how steps are taken in registers, if they are


cdef int64_t take(Loop *l, int64_t steps) noexcept nogil:
    """Take `steps` steps, or stop after an error; return the number of steps before that with the error."""
    cdef Block *b = l.block
    cdef int i, k, p, n
    cdef int64_t left = steps
    if l.steps.run != NULL:
        take_steps(&l.steps, b, steps)
        return steps
    while left > 0:
        n = l.batch if left >= l.batch else 1
        if b.bitgen != NULL:
            draw_listing(b)
        else:
            for i in range(b.agents):
                l.draws[i](&b.seats[i], b.lanes, n)
        for k in range(n):
            for p in range(l.num_passes):
                l.passes[p].run(l.passes[p].context, b.lanes, k)
            if b.wrong[0]:
                return steps - left + k
        left -= n
    return steps


cdef class Lanes:
    """A block of `lanes` replicas of one game and its learners, stepped together.

    Parameters
    ----------
    lanes, capacity : int
        The number of lanes, a multiple of 16; the number of lanes that may hold a replica, for which there are tables.
    game : CoreGame
        The game (fastgames/engine/core.py). Its arrays are contiguous and named as in Block.
    seats : list of CoreAgent
        The agents (fastgames/engine/core.py), in order. choose is "epsilon_greedy", "softmax", "fixed", "outside" or
        None; bootstrap "max", "expected" or "next"; update "q" or "hysteretic"; draw "explore", "unit" or None; each of
        schedules a Schedule of block.pxi. payoffs are of this build's REAL.
    counts : dict of str to CoreCount
        The recorded quantities by name (fastgames/engine/core.py).
    rows : bool
        The layout: rows if True, else columns. Columns require a game of one state and learners without visit counts,
        counterfactual rewards, deferred updates or rules compiled by Numba.
    stable : bool
        Whether the steps in a row without a change of a greedy action are counted.
    last : int
        The number of cells that `window` holds; 0: no window.
    opening : int
        The number of steps whose joint actions are given in advance; 0: none (rows only).
    outside : OutsideArrays or None
        The arrays of environments (fastgames/engine/core.py; see Outside in outside.pxi), written at every step, if
        agents are played from outside (rows only). Rows start on cache lines.
    bit_generator : numpy.random.BitGenerator or None
        If given, lane 0 draws from it in the order of a textbook listing.

    To use a block, fill the arrays, set `active`, call begin(), call advance(steps) any number of times, and read the
    arrays. The attribute `seats` has for each agent a SimpleNamespace of arrays over lanes:
        value, first, second, third  (parameters, lanes) float64, see Seat in block.pxi
        clock                        (lanes,) float64
        ahead                        dict by parameter of tabulated schedules, (rows_ahead(lanes) + 1, lanes) float64
        row                          (1,) int64, the row of the current step; None without tabulated schedules
        stream                       (4, lanes) uint32
        table                        columns: (actions, lanes) REAL; rows: (capacity, observations, stride)
        tables                       rows: dict by name, (capacity, *dimensions); built-in passes: (capacity, observations, stride)
        observation, action, gain, weight  (lanes,) the pending move
    The block has the arrays state, age, variant (lanes,) int32, see place(); nature (4, lanes) uint32;
    tallying, stable, waits, window_at (lanes,) int64; window (lanes, last) int32. If a learner asks for it, mediator
    (4, lanes) uint32 and step (lanes,) int64, the steps that each replica has taken; else these are None.
    path_at (lanes,) int64 and path: the place in the rings of the last steps and their length, if any are recorded.
    counts is a dict by name of (lanes, *dimensions), or (agents, lanes, *dimensions) if each agent has its own.
    In games of functions: state (lanes, state_size) int64, reward_window (lanes, last, agents) REAL; with turns, moves
    (agents, lanes) uint8.
    If there is an opening, opening (lanes, steps, agents) int32 and opening_at (lanes,) int64, the index of its next step.
    wrong (4,) int64 describes the first error of a function: its number in fastgames/errors.py, or 0; the agent, or the
    function of the game (-1: step, -2: start); the lane; the value, or its bits. After an error, advance() takes no steps.
    """
    cdef Block b
    cdef Table *agents
    cdef Loop loop
    cdef Outside out
    cdef int most_passes
    cdef bint records_flips, scheduled, fused, rows, by_joint, stays
    cdef bint records, records_joint, records_rewards  # in the steps to come, besides flips
    cdef Recorder *recorders
    cdef int num_recorders
    cdef list memory, given, order
    cdef Copy *copies
    cdef int num_copies
    cdef object bit_generator
    cdef int64_t reward_cells
    cdef readonly list seats
    cdef readonly dict counts
    cdef readonly object state, age, variant, nature, tallying, stable, waits, window, window_at
    cdef readonly object wrong, reward_window, path_at, mediator, step, moves, opening, opening_at
    cdef public int64_t active

    def __init__(self, int lanes, int capacity, game, list seats, dict counts, *, bint rows, bint stable,
                 int64_t last, int64_t opening=0, bit_generator=None, outside=None):
        cdef int i
        self.memory = []
        self.seats = []
        self.given = seats
        # Who reads the tables of others learns before those who do not, so that few tables are copied.
        self.order = sorted(range(len(seats)), key=lambda i: not seats[i].opponents)
        self.rows = rows
        self.active = capacity
        self.records_flips = "flips" in counts
        self.loop.block = &self.b
        self.scheduled = any(any(seat.schedules) for seat in seats)
        self.loop.batch = 1 if self.scheduled else FG_BATCH
        self.bit_generator = bit_generator
        if bit_generator is not None:
            self.loop.batch = 1
            self.b.bitgen = <bitgen_t *>PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")
        self.b.agents = len(seats)
        self.b.lanes = lanes
        self.b.discount = seats[0].discount
        joint = math.prod(seat.actions for seat in seats)
        self.b.joint_actions = joint if joint < 2**31 else 1
        self.b.seats = <Seat *>self.scratch((len(seats), sizeof(Seat)), np.uint8)
        self.agents = <Table *>self.scratch((len(seats), sizeof(Table)), np.uint8)
        self.loop.draws = <Draw *>self.scratch((len(seats), sizeof(void *)), np.uint8)
        tables = sum(len(seat.tables) for seat in seats)
        self.most_passes = 16 * len(seats) + tables + 64  # more than any list of passes has
        self.loop.passes = <Pass *>self.scratch((self.most_passes, sizeof(Pass)), np.uint8)
        self.wrong = self.kept((4,), np.int64)
        self.b.wrong = <int64_t *>address(self.wrong)
        self.b.joint = <int32_t *>self.scratch((lanes,), np.int32)
        self.add_counts(counts)
        if rows:
            self.add_game(game)
        for i in range(self.b.agents):
            self.add_seat(i, seats[i], capacity)
        if outside is not None:
            self.add_outside(outside)
        if rows:
            self.add_asked()
            self.add_copies()
            for i in range(self.b.agents):
                self.link_tables(i)
            for i in range(self.b.agents):
                if seats[i].team is not None and seats[i].team[0] == i:
                    self.add_team(i, seats[i].team)
        self.stable = self.waits = self.window = None
        self.tallying = self.kept((lanes,), np.int64)
        self.b.tallying = <int64_t *>address(self.tallying)
        if rows:
            if stable:
                self.stable = self.kept((lanes,), np.int64)
                self.b.stable = <int64_t *>address(self.stable)
                self.waits = self.kept((lanes,), np.int64)
                self.b.waits = <int64_t *>address(self.waits)
            if opening:
                self.opening = self.kept((lanes, opening, len(seats)), np.int32)
                self.opening_at = self.kept((lanes,), np.int64)
                self.b.opening_steps = opening
                self.b.opening = <int32_t *>address(self.opening)
                self.b.opening_at = <int64_t *>address(self.opening_at)
            self.window_at = self.kept((lanes,), np.int64)
            if last:
                if game.functions is not None:
                    self.reward_window = self.kept((lanes, last, len(seats)), REAL)
                    self.b.reward_window = <real *>address(self.reward_window)
                self.window = self.kept((lanes, last), np.int32)
                self.b.last = last
                self.b.window = <int32_t *>address(self.window)
                self.b.window_at = <int64_t *>address(self.window_at)

    cdef kept(self, shape, dtype):
        """Return a new zeroed array that lives as long as the block."""
        array = aligned(shape, dtype)
        self.memory.append(array)
        return array

    cdef filled(self, values, dtype):
        """Return a new one-dimensional array with these values that lives as long as the block."""
        array = self.kept((len(values),), dtype)
        array[:] = values
        return array

    cdef void *scratch(self, shape, dtype):
        return address(self.kept(shape, dtype))

    cdef add_counts(self, dict counts):
        """Allocate the arrays of the recorded quantities, and find the passes that fill them."""
        cdef Recorder *r
        lanes = self.b.lanes
        self.counts = {}
        self.recorders = <Recorder *>self.scratch((len(counts), sizeof(Recorder)), np.uint8)
        for name, count in counts.items():
            first = count.dims[:1] if count.by_agent else ()
            self.counts[name] = self.kept((*first, lanes, *count.dims[len(first):]), count.dtype)
            if name == "flips":  # the passes that learn count them
                continue
            r = &self.recorders[self.num_recorders]
            r.run, r.block, r.counts = find_recorder(name), &self.b, address(self.counts[name])
            r.last, r.joint, r.rewards, r.states = count.last, count.joint, count.rewards, count.states
            r.size = math.prod(count.dims[len(first):])
            self.num_recorders += 1
            if count.ring and self.path_at is None:
                self.path_at = self.kept((lanes,), np.int64)
                self.b.path, self.b.path_at = count.dims[0], <int64_t *>address(self.path_at)

    @property
    def path(self):
        return self.b.path

    cdef add_game(self, game):
        cdef Block *b = &self.b
        lanes = b.lanes
        self.memory.append(game)
        b.from_state = <int32_t *>address(game.from_state)
        b.from_joint = <int32_t *>address(game.from_joint)
        self.by_joint = (game.from_state is not None and not game.from_state.any()
                         and np.array_equal(game.from_joint, np.arange(b.joint_actions)))
        self.stays = game.from_state is not None and len(game.from_state) == 1
        b.table = <int32_t *>address(game.table)
        b.chance_first = <int64_t *>address(game.chance_first)
        b.chance_state = <int32_t *>address(game.chance_state)
        b.chance_sum = <double *>address(game.chance_sum)
        b.start_state = game.start_state
        b.start_sums = <double *>address(game.start_sums)
        b.start_states = 0 if game.start_sums is None else len(game.start_sums)
        b.terminal = <unsigned char *>address(game.terminal)
        b.time_limit = game.time_limit
        b.rewards_by_state = game.rewards_by_state
        self.reward_cells = game.reward_cells
        b.cells = game.variants * game.reward_cells
        self.state = self.kept((lanes,), np.int32)
        self.age = self.kept((lanes,), np.int32)
        self.variant = self.kept((lanes,), np.int32)
        self.nature = self.kept((4, lanes), np.uint32)
        b.state = <int32_t *>address(self.state)
        b.age = <int32_t *>address(self.age)
        b.variant = <int32_t *>address(self.variant)
        b.nature = <uint32_t *>address(self.nature)
        b.next_state = <int32_t *>self.scratch((lanes,), np.int32)
        b.cell = b.joint
        if b.rewards_by_state or game.variants > 1:
            b.cell = <int32_t *>self.scratch((lanes,), np.int32)
        b.changed = <int32_t *>self.scratch((lanes,), np.int32)
        b.ends = b.terminal != NULL or game.functions is not None
        if b.ends or b.time_limit:
            b.over = <int32_t *>self.scratch((lanes,), np.int32)
        if game.functions is not None:
            self.add_functions(game)

    cdef add_functions(self, game):
        """Allocate the arrays of a game of functions: its state, observations, rewards and nature's words."""
        cdef Block *b = &self.b
        lanes, agents = b.lanes, b.agents
        look, play_, begin, imagine_ = game.functions
        b.look_rule = <LookRule><size_t>look
        b.play_rule = <PlayRule><size_t>play_
        b.begin_rule = <BeginRule><size_t>begin
        b.imagine_rule = <ImagineRule><size_t>imagine_
        b.words, b.start_words, b.state_size = game.words, game.start_words, game.state_size
        self.state = self.kept((lanes, game.state_size), np.int64)
        b.full_state = <int64_t *>address(self.state)
        counts = self.filled([seat.observations for seat in self.given], np.int64)
        b.observations = <int64_t *>address(counts)
        b.word = <int64_t *>self.scratch((game.words + 1, lanes), np.int64)
        b.start_word = <int64_t *>self.scratch((game.start_words + 1,), np.int64)
        b.scratch_state = <int64_t *>self.scratch((game.state_size,), np.int64)
        b.scratch = <double *>self.scratch((agents,), np.float64)
        b.reward = <real *>self.scratch((agents, lanes), REAL)
        b.seen = <int32_t *>self.scratch((agents, lanes), np.int32)
        b.seen_next = <int32_t *>self.scratch((agents, lanes), np.int32)
        cell = self.kept((lanes,), np.int32)  # rewards of a step are a table with one cell per lane
        cell[:] = np.arange(lanes)
        b.cell, b.cells = <int32_t *>address(cell), lanes
        if game.turns:
            self.add_turns()

    cdef add_turns(self):
        """Allocate the masks of agents that move in a game of functions.

        Passes look up Seat.turns at b.state and b.next_state. So lane i has the number i as its state, and agents lanes
        + i as its next state, which is its entry of `moves_next`, right after `moves`.
        """
        cdef Block *b = &self.b
        both = self.kept((2, b.agents, b.lanes), np.uint8)
        self.moves = both[0]
        b.moves = <unsigned char *>address(both)
        b.moves_next = b.moves + b.agents * b.lanes
        now, after = self.kept((b.lanes,), np.int32), self.kept((b.lanes,), np.int32)
        now[:] = np.arange(b.lanes)
        after[:] = now + b.agents * b.lanes
        b.state, b.next_state = <int32_t *>address(now), <int32_t *>address(after)

    cdef add_asked(self):
        """Allocate the arguments that rules may ask for, and constant arrays for absent ones."""
        cdef Block *b = &self.b
        lanes, agents = b.lanes, b.agents
        counts = self.filled([seat.actions for seat in self.given], np.int64)
        b.counts = <int64_t *>address(counts)
        b.actions = <int64_t *>self.scratch((lanes, agents), np.int64)
        b.rewards = <real *>self.scratch((lanes, agents), REAL)
        always, nothing = self.kept((lanes,), np.int32), self.kept((lanes,), np.int32)
        always[:], nothing[:] = 1, -1
        b.always, b.nothing = <int32_t *>address(always), <int32_t *>address(nothing)
        b.never = <int32_t *>self.scratch((lanes,), np.int32)
        moved = self.kept((lanes, agents), np.uint8)
        moved[:] = 1
        b.moved = <unsigned char *>address(moved)
        if any(seat.mediated for seat in self.given):
            self.mediator = self.kept((4, lanes), np.uint32)
            b.mediator = <uint32_t *>address(self.mediator)
            b.said = <int64_t *>self.scratch((lanes,), np.int64)
        if any(seat.situated for seat in self.given):
            self.step = self.kept((lanes,), np.int64)
            b.step = <int64_t *>address(self.step)

    cdef add_copies(self):
        """Allocate copies of the tables whose agents learn before another agent reads them."""
        cdef Copy *c
        count = sum(len(seat.tables) for seat in self.given)
        self.copies = <Copy *>self.scratch((max(1, count), sizeof(Copy)), np.uint8)
        learns_at = [self.order.index(i if seat.team is None else seat.team[0]) for i, seat in enumerate(self.given)]
        for i, seat in enumerate(self.given):
            read = {other.reads for j, other in enumerate(self.given)
                    if i in other.opponents and learns_at[j] > learns_at[i]}
            if not seat.learns or not read:
                continue
            arrays = self.seats[i]
            arrays.before = {}
            for name, table in arrays.tables.items():
                if not read & {"", name}:
                    continue
                arrays.before[name] = self.kept(table.shape, table.dtype)
                c = &self.copies[self.num_copies]
                c.block, c.table, c.before = &self.b, <char *>address(table), <char *>address(arrays.before[name])
                c.size = table.nbytes // len(table)
                self.num_copies += 1

    cdef add_places(self, seat, list sizes, list places):
        """Append the sizes and addresses of what a learner's rules ask for, as compiler/passes.py reads them."""
        for i in seat.opponents:
            for name, dims, shared in self.given[i].tables:
                if seat.reads not in ("", name):
                    continue
                arrays = self.seats[self.given[i].team[0] if shared else i]
                sizes += dims
                table = getattr(arrays, "before", {}).get(name, arrays.tables[name])
                places.append(table.ctypes.data)
        if seat.mediated:
            places.append(<size_t>self.b.said)
        if seat.joint or seat.steps:
            places.append(<size_t>self.b.moved)

    cdef link_tables(self, int agent):
        """Write the sizes and addresses of an agent's tables, as the passes of its rules read them."""
        cdef Seat *s = &self.b.seats[agent]
        seat = self.given[agent]
        if seat.rules is None:
            return
        first = agent if seat.team is None else seat.team[0]
        sizes = [seat.actions, seat.observations, self.b.agents, agent]
        places = []
        for name, dims, shared in seat.tables:
            sizes += dims
            places.append(self.seats[first if shared else agent].tables[name].ctypes.data)
        self.add_places(seat, sizes, places)
        if seat.situated:
            places.append(<size_t>self.b.step)
        sizes, places = self.filled(sizes, np.int64), self.filled(places, np.int64)
        s.sizes = <int64_t *>address(sizes)
        s.tables = <int64_t *>address(places)

    cdef add_team(self, int agent, members):
        """Allocate the arrays into which the data of a team's members are gathered."""
        cdef Team *team = <Team *>self.scratch((sizeof(Team),), np.uint8)
        lanes, count, words = self.b.lanes, len(members), max(1, self.given[agent].words)
        agents = self.filled(members, np.int32)
        sizes, places = [self.given[agent].actions, self.given[agent].observations, self.b.agents, agent], []
        for k, (name, _, shared) in enumerate(self.given[agent].tables):
            for i in members[:1] if shared else members:
                sizes += self.given[i].tables[k][1]
                places.append(self.seats[i].tables[name].ctypes.data)
        self.add_places(self.given[agent], sizes, places)
        if self.given[agent].counterfactual:
            for i in members:
                sizes.append(self.given[i].actions)
                places.append(<size_t>self.b.seats[<int>i].column)
        sizes, places = self.filled(sizes, np.int64), self.filled(places, np.int64)
        team.members, team.agents = count, <int *>address(agents)
        team.sizes, team.tables = <int64_t *>address(sizes), <int64_t *>address(places)
        team.learn = <TeamRule><size_t>self.given[agent].rules[1]
        moves, next_moves = (self.kept((lanes, count), np.uint8) for _ in range(2))
        moves[:], next_moves[:] = 1, 1
        team.moves, team.next_moves = <unsigned char *>address(moves), <unsigned char *>address(next_moves)
        team.due = <int32_t *>self.scratch((lanes,), np.int32)
        team.o = <int64_t *>self.scratch((lanes, count), np.int64)
        team.a = <int64_t *>self.scratch((lanes, count), np.int64)
        team.o2 = <int64_t *>self.scratch((lanes, count), np.int64)
        team.rewards = <real *>self.scratch((lanes, count), REAL)
        team.signals = <real *>self.scratch((lanes, count, words), REAL)
        team.flip = <int32_t *>self.scratch((lanes, count), np.int32)
        self.b.seats[agent].team = team

    cdef add_seat(self, int agent, seat, int capacity):
        cdef Seat *s = &self.b.seats[agent]
        cdef int64_t lanes = self.b.lanes
        cdef int p
        cdef list parameters = list(seat.parameters)
        arrays = types.SimpleNamespace(columnar=seat.columnar)
        actions = seat.actions
        s.actions, s.observations = actions, seat.observations
        s.words, s.explores = seat.words, seat.draw == "explore"
        s.parameters = len(parameters)
        for p in range(s.parameters):
            s.schedule[p] = seat.schedules[p]
        s.alpha_at, s.beta_at, s.gamma_at, s.epsilon_at, s.temperature_at, s.power_at = [
            parameters.index(name) if name in parameters else -1
            for name in ("alpha", "beta", "gamma", "epsilon", "temperature", "power")]
        s.hysteretic = seat.update == "hysteretic"
        # Arrays that the caller fills and reads.
        for name in ("value", "first", "second", "third"):
            setattr(arrays, name, self.kept((s.parameters, lanes), np.float64))
        s.value = <double *>address(arrays.value)
        s.first = <double *>address(arrays.first)
        s.second = <double *>address(arrays.second)
        s.third = <double *>address(arrays.third)
        arrays.clock = self.kept((lanes,), np.float64)
        s.clock = <double *>address(arrays.clock)
        arrays.ahead, arrays.row = {}, None
        if TABULATED in seat.schedules:
            self.add_ahead(s, seat, arrays)
        arrays.stream = self.kept((4, lanes), np.uint32)
        s.stream = <uint32_t *>address(arrays.stream)
        flips = self.counts["flips"][agent] if self.records_flips else self.kept((lanes,), np.int64)
        s.flips = <int64_t *>address(flips)
        if seat.choose != "outside":
            self.add_scratch(s, seat)
        self.memory.append(seat)
        s.payoffs = <real *>address(seat.payoffs)
        if self.b.reward != NULL:
            s.payoffs = self.b.reward + agent * lanes
        if self.rows:
            self.add_rows(agent, seat, capacity, arrays)
        else:
            arrays.table = self.kept((actions, lanes), REAL)
            s.table = <real *>address(arrays.table)
        self.seats.append(arrays)

    cdef add_ahead(self, Seat *s, seat, arrays):
        """Allocate the values ahead of tabulated schedules, and one row after them, which no step uses."""
        cdef int p
        arrays.row = self.kept((1,), np.int64)
        s.row = <int64_t *>address(arrays.row)
        for p in range(s.parameters):
            if s.schedule[p] == TABULATED:
                arrays.ahead[p] = self.kept((rows_ahead(self.b.lanes) + 1, self.b.lanes), np.float64)
                s.ahead[p] = <double *>address(arrays.ahead[p])

    cdef add_scratch(self, Seat *s, seat):
        """Allocate the arrays that only the passes of an agent use."""
        lanes, actions = self.b.lanes, seat.actions
        s.threshold = <int32_t *>self.scratch((lanes,), np.int32)
        s.half = <int32_t *>self.scratch((lanes,), np.int32)
        s.bounds = <uint32_t *>self.scratch((FG_MOST_ACTIONS, lanes), np.uint32)
        if any(seat.schedules) and not self.rows and self.b.agents <= FG_MOST_PLAYERS:
            s.values_ahead = <double *>self.scratch((2, FG_AHEAD, FG_GROUP), np.float64)
            s.alpha_ahead = <real *>self.scratch((FG_AHEAD, FG_GROUP), REAL)
            s.bounds_ahead = <uint32_t *>self.scratch((FG_MOST_ACTIONS, FG_AHEAD, FG_GROUP), np.uint32)
        s.pair_flips = <same_width *>self.scratch((lanes,), np.int64 if FG_DOUBLE else np.int32)
        s.scale = <real *>self.scratch((lanes,), REAL)
        s.alpha = <real *>self.scratch((lanes,), REAL)
        s.beta = <real *>self.scratch((lanes,), REAL)
        s.gamma = <real *>self.scratch((lanes,), REAL)
        s.temperature = <real *>self.scratch((lanes,), REAL)
        s.signals = <real *>self.scratch((max(FG_BATCH, seat.words), lanes), REAL)
        s.weights = <real *>self.scratch((actions, lanes), REAL)
        s.best = <real *>self.scratch((lanes,), REAL)
        s.action = <real *>self.scratch((lanes,), REAL)
        s.target = <real *>self.scratch((lanes,), REAL)
        s.greedy = <real *>self.scratch((lanes,), REAL)

    cdef add_rows(self, int agent, seat, int capacity, arrays):
        cdef Seat *s = &self.b.seats[agent]
        cdef fg_rows *rows
        cdef int i
        within = self.kept((sizeof(fg_rows),), np.uint8)
        lanes = self.b.lanes
        self.agents[agent].block = &self.b
        self.agents[agent].seat = s
        s.stride, s.kind = fg_row_stride(s.actions), fg_row_kind(s.actions)
        if seat.rules is not None:  # rules read C-contiguous tables without padding
            s.stride, s.kind = s.actions, FG_ENTRIES
        s.bootstrap = {"max": MAX, "expected": EXPECTED, "next": NEXT}[seat.bootstrap]
        s.softmax = seat.choose == "softmax"
        s.defers = seat.defers
        s.counterfactual = seat.counterfactual
        s.cuts, s.steps = seat.cuts, seat.steps
        s.turns = <unsigned char *>address(seat.turns)
        if self.b.moves != NULL:
            s.turns = self.b.moves + agent * self.b.lanes
        s.simple = (seat.rules is None and seat.choose == "epsilon_greedy" and seat.bootstrap == "max"
                    and s.turns == NULL and not seat.defers and not seat.counterfactual
                    and not seat.counts_visits and not s.hysteretic and not seat.columnar)
        s.columnar = seat.columnar
        s.radix = 1
        if self.b.reward == NULL:
            for other in self.given[agent + 1:]:
                s.radix *= other.actions
        outside = seat.choose == "outside"
        if outside:
            arrays.table = self.kept((0,), REAL)
        elif s.columnar:
            arrays.table = self.kept((s.actions, lanes), REAL)
        else:
            arrays.table = self.kept((capacity, s.observations, s.stride), REAL)
            arrays.table[:] = -np.inf
        s.table = <real *>address(arrays.table)
        arrays.tables = {seat.tables[0][0]: arrays.table}
        for name, dims, shared in seat.tables[1:]:
            if shared and seat.team[0] != agent:
                continue
            kind = np.int64 if name in seat.whole else REAL
            shape = dims if seat.rules is not None else (s.observations, s.stride)
            arrays.tables[name] = self.kept((capacity, *shape), kind)
        if seat.counts_visits:
            s.visits = <int64_t *>address(arrays.tables["visits"])
        s.observe = <int32_t *>address(seat.observe)
        arrays.observation = self.kept((lanes,), np.int32)
        arrays.action = self.kept((lanes,), np.int32)
        arrays.gain = self.kept((lanes,), REAL)
        arrays.weight = self.kept((lanes,), REAL)
        s.open_observation = <int32_t *>address(arrays.observation)
        s.open_action = <int32_t *>address(arrays.action)
        s.gain = <real *>address(arrays.gain)
        s.weight = <real *>address(arrays.weight)
        s.observation, s.next_observation = self.b.state, self.b.next_state
        if self.b.seen != NULL:
            s.observation = self.b.seen + agent * self.b.lanes
            s.next_observation = self.b.seen_next + agent * self.b.lanes
        if s.observe != NULL:
            s.observation = <int32_t *>self.scratch((lanes,), np.int32)
            s.next_observation = <int32_t *>self.scratch((lanes,), np.int32)
        rows = <fg_rows *>address(within)
        self.agents[agent].rows = rows
        if seat.rules is None and not outside:
            s.alpha, s.gamma, s.flip = rows.alpha, rows.gamma, rows.flip
            s.move, s.prefers = rows.action, rows.prefers
        else:  # the block may have more than FG_ROW_LANES lanes
            s.gamma = <real *>self.scratch((lanes,), REAL)
            s.flip = <int32_t *>self.scratch((lanes,), np.int32)
            s.move = <int32_t *>self.scratch((lanes,), np.int32)
        for i in range(lanes):
            s.gamma[i] = seat.discount
        rows.far = capacity * s.observations * s.stride * sizeof(real) > FAR
        rows.wide, rows.actions, rows.stride = lanes, s.actions, s.stride
        for i in range(lanes if seat.rules is None and not outside else 0):
            rows.first[i] = min(i, capacity - 1) * s.observations * s.stride
        rows.payoffs, rows.cell = s.payoffs, self.b.cell
        rows.q, rows.now, rows.next = s.table, s.observation, s.next_observation
        rows.over = self.b.over
        if outside:
            return
        s.columns = <real *>self.scratch((s.actions, lanes), REAL)
        s.column = <real *>self.scratch((lanes, s.actions), REAL)
        s.due = <int32_t *>self.scratch((lanes,), np.int32)
        s.reached = <int32_t *>self.scratch((lanes,), np.int32)
        if seat.rules is not None:
            s.drawn = seat.draw is not None
            s.u = <int64_t *>self.scratch((FG_BATCH * max(1, s.words), lanes), np.int64)
            s.act = <ActRule><size_t>seat.rules[0]
            if seat.team is None:
                s.learn = <LearnRule><size_t>seat.rules[1]

    cdef add_outside(self, outside):
        """Point the block to the environments' arrays; the agents' targets are their rewards, written in place."""
        cdef Outside *out = &self.out
        cdef int i
        self.memory.append(outside)
        out.block, out.first, out.width = &self.b, outside.first, outside.rewards.shape[1]
        out.observations = <int32_t *>address(outside.observations) + out.first
        if self.b.over != NULL:
            out.reached = <int32_t *>address(outside.reached) + out.first
        out.terminated = <unsigned char *>address(outside.terminated) + out.first
        out.truncated = <unsigned char *>address(outside.truncated) + out.first
        for i in range(self.b.agents):
            self.b.seats[i].target = <real *>address(outside.rewards) + i * out.width + out.first

    cdef void add(self, Run run, void *context):
        self.loop.passes[self.loop.num_passes].run = run
        self.loop.passes[self.loop.num_passes].context = context
        self.loop.num_passes += 1

    def begin(self):
        """List the passes of a step and derive the kernels' numbers from the arrays that the caller has filled."""
        cdef Seat *s
        cdef int i, p
        cdef Recorder *r
        cdef bint tally = bool(self.tallying.any())
        self.records = self.records_joint = self.records_rewards = False
        for i in range(self.num_recorders):
            r = &self.recorders[i]
            r.counts_now = tally or not r.last
            if r.counts_now:
                self.records = True
                self.records_joint |= r.joint
                self.records_rewards |= r.rewards
        self.b.active = self.active
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            for p in range(s.parameters):
                use_parameter(s, self.b.lanes, p)
            self.loop.draws[i] = draw_explore if s.explores else draw_unit
            if s.words == 0:
                self.loop.draws[i] = draw_nothing
            elif s.act != NULL and not s.drawn:
                self.loop.draws[i] = draw_words
        self.loop.num_passes = 0
        self.b.nudge = False
        self.fused = False
        self.loop.steps.run = NULL
        if self.b.look_rule != NULL:
            self.b.look_rule(self.b.lanes, self.active, self.b.observations, self.b.full_state, self.b.seen,
                             self.b.moves, self.b.wrong)
        if self.rows:
            self.add_rows_step()
        else:
            self.add_columns_step()
        if self.b.window != NULL:
            self.add(keep_rewards if self.b.reward_window != NULL else keep_cell, &self.b)
        for i in range(self.b.agents if self.loop.steps.run == NULL else 0):
            if any(self.given[i].schedules) and not self.acts_falling(i):
                if self.b.seats[i].row != NULL:
                    self.add(take_next_row, &self.b.seats[i])
                self.add(advance_schedules, &self.b.seats[i])
        if self.rows and (self.records_flips or self.b.stable != NULL):
            self.add(count_changes, &self.b)  # last, so that vector loads do not follow close on scalar stores

    cdef void add_recorders(self, bint states):
        """Add the passes that record: those that read the state, before the game moves; or all others.

        The others run after moves, rewards and ends of episodes, and before learning.
        """
        cdef int i
        for i in range(self.num_recorders):
            if self.recorders[i].counts_now and self.recorders[i].states == states:
                self.add(self.recorders[i].run, &self.recorders[i])
        if self.b.path_at != NULL and not states:
            self.add(go_on_path, &self.b)

    # --- columns --------------------------------------------------------------------------------

    cdef add_columns_step(self):
        """Add the passes of one step in the order of the contract: choose, move, learn."""
        cdef Seat *s
        cdef int i
        cdef bint flips = self.records_flips
        self.fused = self.is_pair() and not self.records
        if self.stays_in_registers():
            self.prepare_steps()
            return
        if self.fused and self.all_epsilon_greedy():
            self.add(step_pair_and_count_flips if flips else step_pair, &self.b)
            self.b.nudge = True
            for i in range(2):
                self.loop.draws[i] = self.draw_for_pair(&self.b.seats[i])
            return
        for i in range(self.b.agents):
            choose = self.given[i].choose
            s = &self.b.seats[i]
            self.add(choose_greedy if choose == "epsilon_greedy" else
                     choose_softmax if choose == "softmax" else choose_fixed, s)
        if self.fused:
            self.add(step_chosen_and_count_flips if flips else step_chosen, &self.b)
            return
        self.add(move, &self.b)
        self.add(reward, &self.b)
        self.add_recorders(True)
        self.add_recorders(False)
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            if self.given[i].learns:
                self.add(learn_hysteretic if s.hysteretic else learn_q_discounted if self.discounts(i) else learn_q, s)
        if flips:
            for i in range(self.b.agents):
                s = &self.b.seats[i]
                if self.given[i].learns:
                    scan(self.b.lanes, s.actions, s.table, s.best, s.greedy)
                    self.add(count_flips, s)

    cdef bint is_pair(self):
        """Return whether step_pair or step_chosen supports the game and its learners."""
        cdef int i
        if self.b.agents != 2:
            return False
        for i in range(2):
            if not few(&self.b.seats[i]) or not self.given[i].learns or self.discounts(i):
                return False
            if self.b.seats[i].hysteretic:
                return False
        return True

    cdef bint stays_in_registers(self):
        """Return whether take_steps supports the learners, their schedules and what is recorded."""
        cdef Seat *s
        cdef int i, p
        for i in range(self.num_recorders):
            if self.recorders[i].counts_now and self.recorders[i].run not in (count_joint, sum_rewards):
                return False
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            if self.given[i].choose not in ("epsilon_greedy", "fixed"):
                return False
            for p in range(s.parameters):
                if changes(s, p) and p != s.epsilon_at and p != s.alpha_at:
                    return False
        return self.b.bitgen == NULL and find_steps(&self.b) != NULL

    cdef prepare_steps(self):
        """Write the arguments of take_steps, and compute the bounds that stay."""
        cdef Steps *steps = &self.loop.steps
        cdef fg_player *p
        cdef Recorder *r
        cdef Seat *s
        cdef int64_t lanes = self.b.lanes
        cdef int i, j
        cdef bint plain = True, fixed = True
        steps.run = find_steps(&self.b)
        steps.scheduled = False
        for i in range(self.b.agents):
            p, s = &steps.players[i], &self.b.seats[i]
            p.learns = self.given[i].learns
            p.alpha, p.alpha_moves, p.gamma, p.beta = s.alpha, 0, NULL, NULL
            if changes(s, s.alpha_at):
                p.alpha, p.alpha_moves = s.alpha_ahead, FG_GROUP
            if s.hysteretic or self.discounts(i):
                p.gamma = s.gamma
            if s.hysteretic:
                p.beta = s.beta
            p.bounds, p.width, p.bounds_move = s.bounds, lanes, 0
            if self.given[i].choose == "fixed":
                p.acts = FG_FIXED_POLICY
                find_policy_bounds(s, lanes)
            elif changes(s, s.epsilon_at):
                p.acts = FG_SCHEDULED
                p.bounds, p.width, p.bounds_move = s.bounds_ahead, FG_AHEAD * FG_GROUP, FG_GROUP
            elif explores(s, self.b.active):
                p.acts = FG_CONSTANT
                find_bounds(s, lanes)
            else:
                p.acts = FG_SCHEDULED
                find_scheduled_bounds(s, lanes, s.value + s.epsilon_at * lanes, s.bounds)
            p.payoffs, p.q, p.generators, p.flips, p.sums = s.payoffs, s.table, s.stream, s.pair_flips, NULL
            steps.scheduled |= p.alpha_moves != 0 or p.bounds_move != 0
            plain &= p.acts == FG_CONSTANT and p.learns and p.gamma == NULL and p.alpha_moves == 0
            fixed &= p.acts == FG_FIXED_POLICY
        steps.agents = FG_PLAIN if plain else FG_ALL_FIXED if fixed else FG_MIXED
        steps.records = self.records_flips
        steps.recorded.flips, steps.recorded.counts = self.records_flips, NULL
        steps.recorded.tallying = self.b.tallying
        for i in range(self.num_recorders):
            r = &self.recorders[i]
            if not r.counts_now:
                continue
            steps.records = True
            if r.run == count_joint:
                steps.recorded.counts = <int64_t *>r.counts
            else:
                for j in range(self.b.agents):
                    steps.players[j].sums = <double *>r.counts + j * lanes

    cdef bint all_epsilon_greedy(self):
        return all(seat.choose == "epsilon_greedy" for seat in self.given)

    cdef Draw draw_for_pair(self, Seat *s):
        if s.actions != 2:
            return draw_explore
        if self.scheduled:
            return draw_explore_as_nudge
        find_half(s, self.b.lanes)
        return draw_nudge

    cdef bint discounts(self, int i):
        cdef int at = self.b.seats[i].gamma_at
        return at >= 0 and (self.b.seats[i].schedule[at] != CONSTANT
                            or bool(self.seats[i].value[at].any()))

    # --- rows -----------------------------------------------------------------------------------

    cdef add_rows_step(self):
        """Add the passes of one step of a game with rows: choose, move, observe, learn, go to the next state."""
        cdef Block *b = &self.b
        cdef Seat *s
        cdef Table *t
        cdef int i
        for i in range(self.num_copies):
            self.add(keep_table, &self.copies[i])
        if b.mediator != NULL:
            self.add(hear_mediator, b)
        for i in range(b.agents):
            s = &b.seats[i]
            t = &self.agents[i]
            self.take_up(t)
            if self.acts_falling(i):
                self.loop.draws[i] = draw_nothing
                self.add(act_while_falling, t)
            elif self.given[i].choose == "outside":
                pass  # the caller has written its move
            elif s.simple:
                self.add(choose_preferred, t)
            elif s.act != NULL:
                self.add(act_by_rule, t)
            elif s.columnar:
                choose = self.given[i].choose
                self.add(choose_greedy if choose == "epsilon_greedy" else
                         choose_softmax if choose == "softmax" else choose_fixed, s)
                self.add(move_as_chosen, t)
            else:
                choose = self.given[i].choose
                self.add(choose_greedy_rows if choose == "epsilon_greedy" else
                         choose_softmax_rows if choose == "softmax" else choose_fixed_rows, t)
            if s.turns != NULL:
                self.add(stay_out, t)
        if b.opening != NULL and bool((self.opening_at[:self.active] < b.opening_steps).any()):
            self.add(play_opening, b)
        self.add_recorders(True)
        if b.play_rule != NULL or any(seat.joint for seat in self.given):
            self.add(gather_moves, b)
        has_turns = b.moves != NULL or any(seat.turns is not None for seat in self.given)
        if has_turns and any(seat.joint or seat.steps for seat in self.given):
            self.add(gather_turns, b)
        if b.play_rule != NULL:
            self.add_functions_step()
        else:
            self.add(join_moves, b)
            if b.cell != b.joint:
                self.add(find_cells, b)
            for i in range(b.agents):
                if self.given[i].counterfactual:
                    self.add(find_columns, &self.agents[i])
        if self.records_rewards or not self.all_simple() or b.reward_window != NULL or self.out.block != NULL:
            self.add(reward_by_cell, b)
        if b.play_rule == NULL and not self.stays:
            self.add(go_by_joint if self.by_joint else go_by_sum if b.from_state != NULL else
                     go_by_table if b.table != NULL else go_by_chance, b)
        if b.play_rule == NULL and b.over != NULL:
            self.add(end_episodes, b)
        self.add_recorders(False)
        if any(seat.joint for seat in self.given):
            self.add(gather_rewards, b)
        self.for_each_that_observes(look_ahead)
        if self.out.reached != NULL:
            self.add(show_reached, &self.out)
        self.for_each_simple(find_rows)
        for i in self.order:
            s = &b.seats[i]
            t = &self.agents[i]
            if not self.given[i].learns:
                continue
            if self.given[i].team is not None:
                if s.team != NULL:
                    self.add(learn_as_team_when_due if s.turns != NULL and not s.steps else learn_as_team, t)
            elif s.columnar:
                self.add(learn_hysteretic if s.hysteretic else learn_q, s)
            elif s.learn != NULL:
                due = s.defers or (s.turns != NULL and not s.steps)
                self.add(learn_by_rule_when_due if due else learn_by_rule, t)
            else:
                self.add(learn_rows if s.simple else
                         learn_when_due_or_cut if s.turns != NULL and b.time_limit else
                         learn_when_due if s.defers or s.turns != NULL else learn_at_once, t)
        if b.play_rule != NULL:
            self.add(begin_again, b)
            self.add(see_on, b)
        else:
            if not self.stays:
                self.add(go_on, b)
            if b.over != NULL:
                self.add(restart, b)
        self.for_each_that_observes(look_around)
        if b.over != NULL:
            self.for_each_simple(prefer_again)
        if b.step != NULL:
            self.add(count_step, b)
        if self.out.block != NULL:
            show_now(&self.out, b.lanes, 0)
            if b.play_rule != NULL or not self.stays:
                self.add(show_now, &self.out)

    cdef add_functions_step(self):
        """Add the passes that step a game of functions."""
        cdef Block *b = &self.b
        cdef int i
        if b.words:
            self.add(draw_nature, b)
        if self.records_joint or b.reward_window != NULL:
            self.add(join_wide_moves, b)
        for i in range(b.agents):
            if self.given[i].counterfactual:
                self.add(imagine, &self.agents[i])
        self.add(play, b)

    cdef void take_up(self, Table *t):
        """Prepare the data of the passes over rows: active lanes, current observations and greedy actions."""
        cdef Seat *s = t.seat
        cdef Block *b = t.block
        s.watched = self.given[t - self.agents].learns and (self.records_flips or b.stable != NULL)
        t.rows.lanes = b.active
        if s.observe != NULL:
            look_around(t, b.lanes, 0)
        if s.simple:
            fg_prefer(NULL, t.rows)

    cdef bint acts_falling(self, int i):
        """Return whether act_while_falling supports the agent. (If so, only LaneBlock advances its clock.)"""
        cdef Seat *s = &self.b.seats[i]
        return (self.rows and s.simple and self.b.bitgen == NULL and s.schedule[s.epsilon_at] == EXPONENTIAL
                and sum(bool(kind) for kind in self.given[i].schedules) == 1)

    cdef bint all_simple(self):
        """Return whether every agent that learns looks up its own reward (see `simple`)."""
        cdef int i
        for i in range(self.b.agents):
            if self.given[i].learns and not self.b.seats[i].simple:
                return False
        return True

    cdef void for_each_simple(self, Run run):
        cdef int i
        for i in range(self.b.agents):
            if self.b.seats[i].simple:
                self.add(run, &self.agents[i])

    cdef void for_each_that_observes(self, Run run):
        cdef int i
        for i in range(self.b.agents):
            if self.b.seats[i].observe != NULL:
                self.add(run, &self.agents[i])

    def place(self, lanes, which):
        """Write the offset of the rewards of these lanes' games; which: the index of each game's variant."""
        self.variant[lanes] = which * self.reward_cells

    def advance(self, int64_t steps, int64_t periods=0):
        """Take `steps` steps, 0 to 2^31 - 1, without the GIL, modify the arrays in place; return the steps taken.

        These are fewer after an error, or if `periods` > 0 and a lane becomes stable: it returns after the step at which
        a lane has been stable for `periods` steps, but not before that lane's `waits` steps have passed.
        """
        cdef int64_t done = 0, n, i
        with nogil:
            while done < steps and self.b.wrong[0] == 0:
                n = steps - done
                if periods > 0:
                    for i in range(self.b.active):
                        n = min(n, max(periods - self.b.stable[i], self.b.waits[i] - done))
                    if n <= 0:
                        break
                done += take(&self.loop, n)
            if (self.fused or self.loop.steps.run != NULL) and self.records_flips:
                for i in range(self.b.agents):
                    drain_flips(&self.b.seats[i], self.b.lanes)
        return done


include "stepper.pxi"
