# The engine: for each step, for each pass, call it. Passes are function pointers, so the choice of
# learners, records and schedules is paid once per block and not once per step.

import types

import numpy as np
cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport INFINITY, floor

include "block.pxi"
include "numeric.pxi"
include "draw.pxi"
include "parameters.pxi"
include "choose.pxi"
include "learn.pxi"
include "record.pxi"
include "rules.pxi"
include "pair.pxi"

REAL = np.dtype(np.float64 if FG_DOUBLE else np.float32)


def aligned(shape, dtype):
    """A zeroed array whose data starts on a cache line."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.zeros(size + 64, np.uint8)
    offset = -raw.ctypes.data % 64
    return raw[offset:offset + size].view(dtype).reshape(shape)


cdef void *address(array):
    return <void *><size_t>array.ctypes.data


cdef class Lanes:
    """A block of `lanes` replicas of one matrix game and its learners, stepped together.

    Parameters
    ----------
    lanes : int
        A multiple of 16.
    seats : list of (actions, twin, parameters, schedules, payoffs, rules)
        For each agent: A_i; "epsilon_greedy", "softmax" or "fixed"; the names of its parameters; the
        kind of schedule of each (0 constant, 1 exponential, 2 linear); its payoffs (joint actions,)
        in this build's REAL; the addresses of Numba's draw, choose and learn passes, or None for the built-in ones.
    flips, joint_actions, rewards : bool
        What is recorded (the latter two while `tally` is true).
    bit_generator : numpy.random.BitGenerator or None
        Given: the draws of lane 0 come from it, as a textbook listing makes them.

    Use: fill the arrays of `seats`, call begin(), then advance(steps) as often as wanted, read them.
    Each of `seats` is a namespace of arrays over lanes:
        value, first, second, third  (parameters, lanes) float64, see Seat in block.pxi
        clock                        (lanes,) float64
        stream                       (4, lanes) uint32
        table                        (actions, lanes) REAL, or (lanes, actions) under `rules`
        flips, reward_sum            (lanes,) int64, float64
    joint_counts is (lanes, joint actions) int64, or None where it is not recorded.
    """
    cdef Block b
    cdef Pass passes[MAX_PASSES]
    cdef Draw draws[MAX_AGENTS]
    cdef int num_passes
    cdef int batch
    cdef bint records_flips, records_joint, records_rewards, scheduled, fused, batched
    cdef list memory, twins
    cdef object bit_generator
    cdef readonly list seats
    cdef readonly object joint_counts

    def __init__(self, int lanes, list seats, *, bint flips, bint joint_actions, bint rewards,
                 bit_generator=None):
        cdef int i
        self.memory = []
        self.seats = []
        self.twins = []
        self.records_flips, self.records_joint, self.records_rewards = flips, joint_actions, rewards
        self.scheduled = any(any(schedules) for _, _, _, schedules, _, _ in seats)
        self.batch = 1 if self.scheduled else FG_BATCH
        self.bit_generator = bit_generator
        if bit_generator is not None:
            self.batch = 1
            self.b.bitgen = <bitgen_t *>PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")
        self.b.agents = len(seats)
        self.b.lanes = lanes
        self.b.joint_actions = 1
        for i in range(self.b.agents):
            self.b.joint_actions *= seats[i][0]
            self.add_seat(&self.b.seats[i], seats[i])
        self.b.joint = <int32_t *>self.scratch((lanes,), np.int32)
        self.joint_counts = None
        if joint_actions:
            self.joint_counts = aligned((lanes, self.b.joint_actions), np.int64)
            self.b.joint_counts = <int64_t *>address(self.joint_counts)

    cdef void *scratch(self, shape, dtype):
        array = aligned(shape, dtype)
        self.memory.append(array)
        return address(array)

    cdef add_seat(self, Seat *s, seat):
        cdef tuple parameters, schedules
        actions, twin, parameters, schedules, payoffs, rules = seat
        cdef int64_t lanes = self.b.lanes
        cdef int p
        arrays = types.SimpleNamespace()
        s.actions = actions
        s.parameters = len(parameters)
        for p in range(s.parameters):
            s.schedule[p] = schedules[p]
        s.alpha_at, s.gamma_at, s.epsilon_at, s.temperature_at = [
            parameters.index(name) if name in parameters else -1
            for name in ("alpha", "gamma", "epsilon", "temperature")]
        # What the caller fills and reads.
        arrays.value = aligned((s.parameters, lanes), np.float64)
        s.value = <double *>address(arrays.value)
        arrays.first = aligned((s.parameters, lanes), np.float64)
        s.first = <double *>address(arrays.first)
        arrays.second = aligned((s.parameters, lanes), np.float64)
        s.second = <double *>address(arrays.second)
        arrays.third = aligned((s.parameters, lanes), np.float64)
        s.third = <double *>address(arrays.third)
        arrays.clock = aligned((lanes,), np.float64)
        s.clock = <double *>address(arrays.clock)
        arrays.stream = aligned((4, lanes), np.uint32)
        s.stream = <uint32_t *>address(arrays.stream)
        arrays.table = aligned((actions, lanes) if rules is None else (lanes, actions), REAL)
        s.table = <real *>address(arrays.table)
        arrays.flips = aligned((lanes,), np.int64)
        s.flips = <int64_t *>address(arrays.flips)
        arrays.reward_sum = aligned((lanes,), np.float64)
        s.reward_sum = <double *>address(arrays.reward_sum)
        # What only the passes see.
        s.threshold = <int32_t *>self.scratch((lanes,), np.int32)
        s.half = <int32_t *>self.scratch((lanes,), np.int32)
        s.last_word = <uint32_t *>self.scratch((lanes,), np.uint32)
        s.half_word = <uint32_t *>self.scratch((lanes,), np.uint32)
        s.pair_flips = <same_width *>self.scratch((lanes,), np.int64 if FG_DOUBLE else np.int32)
        s.scale = <real *>self.scratch((lanes,), REAL)
        s.alpha = <real *>self.scratch((lanes,), REAL)
        s.gamma = <real *>self.scratch((lanes,), REAL)
        s.temperature = <real *>self.scratch((lanes,), REAL)
        s.u = <int64_t *>self.scratch((lanes,), np.int64)
        s.signals = <real *>self.scratch((FG_BATCH, lanes), REAL)
        s.weights = <real *>self.scratch((actions, lanes), REAL)
        s.best = <real *>self.scratch((lanes,), REAL)
        s.action = <real *>self.scratch((lanes,), REAL)
        s.target = <real *>self.scratch((lanes,), REAL)
        s.greedy = <real *>self.scratch((lanes,), REAL)
        self.memory.append(payoffs)
        s.payoffs = <real *>address(payoffs)
        if rules is not None:
            s.rules.draw = <DrawRule><size_t>rules[0]
            s.rules.choose = <ChooseRule><size_t>rules[1]
            s.rules.learn = <LearnRule><size_t>rules[2]
        self.seats.append(arrays)
        self.twins.append(twin)

    cdef void add(self, Run run, void *context):
        self.passes[self.num_passes].run = run
        self.passes[self.num_passes].context = context
        self.num_passes += 1

    def begin(self, *, bint tally):
        """Take up the arrays as the caller has filled them. `tally`: count joint actions, sum rewards."""
        cdef Seat *s
        cdef int i, p
        cdef int64_t lane
        cdef bint joint = tally and self.records_joint
        cdef bint rewards = tally and self.records_rewards
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            for p in range(s.parameters):
                scheduled_values(s.schedule[p], self.b.lanes, s.value + p * self.b.lanes,
                                 s.first + p * self.b.lanes, s.second + p * self.b.lanes,
                                 s.third + p * self.b.lanes, s.clock)
            derive(s, self.b.lanes)
            if s.rules.draw != NULL:
                self.draws[i] = draw_rules
            elif s.epsilon_at >= 0:
                self.draws[i] = draw_explore
            else:
                self.draws[i] = draw_unit
        self.num_passes = 0
        self.b.nudge = False
        self.fused = self.is_pair() and not joint and not rewards
        self.batched = (FG_MANY_REGISTERS and self.fused and self.batch == FG_BATCH
                        and self.b.seats[0].actions == self.b.seats[1].actions == 2
                        and explores(&self.b.seats[0], self.b.lanes)
                        and explores(&self.b.seats[1], self.b.lanes))
        if self.fused:
            self.add(step_pair_and_count_flips if self.records_flips else step_pair, &self.b)
            self.b.nudge = True
            for i in range(2):
                self.draws[i] = self.draw_for_pair(&self.b.seats[i])
        else:
            self.add_step(rewards)
        if joint:
            self.add(count_joint, &self.b)
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            if self.records_flips and self.twins[i] != "fixed" and not self.fused:
                if s.rules.draw != NULL:
                    for lane in range(self.b.lanes):
                        s.greedy[lane] = argmax_row(s, lane)
                    self.add(count_flips_rules, s)
                else:
                    scan(self.b.lanes, s.actions, s.table, s.best, s.greedy)
                    self.add(count_flips, s)
            if self.scheduled:
                self.add(advance_schedules, s)

    cdef bint is_pair(self):
        """Whether step_pair covers the game and its learners."""
        cdef int i
        if self.b.agents != 2:
            return False
        for i in range(2):
            if (not 2 <= self.b.seats[i].actions <= FG_PAIR_MAX or self.twins[i] != "epsilon_greedy"
                    or self.b.seats[i].rules.draw != NULL or self.discounts(i)):
                return False
        return True

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

    cdef add_step(self, bint rewards):
        """The passes of one step, in the order of the contract: choose, move, learn."""
        cdef Seat *s
        cdef int i
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            if s.rules.draw != NULL:
                self.add(choose_rules, s)
            elif self.twins[i] == "epsilon_greedy":
                self.add(choose_greedy, s)
            elif self.twins[i] == "softmax":
                self.add(choose_softmax, s)
            else:
                self.add(choose_fixed, s)
        self.add(move, &self.b)
        self.add(reward, &self.b)
        for i in range(self.b.agents):
            s = &self.b.seats[i]
            if rewards:
                self.add(sum_rewards, s)
            if s.rules.draw != NULL:
                self.add(learn_rules, s)
            elif self.twins[i] != "fixed":
                self.add(learn_q_discounted if self.discounts(i) else learn_q, s)

    def advance(self, int64_t steps):
        """Take `steps` steps, 0 to 2^31 - 1, without the GIL. Modifies the arrays of `seats` in place."""
        cdef int i, k, p, n
        with nogil:
            if self.batched:
                batch_two_by_two(&self.b, steps // FG_BATCH, self.records_flips)
                steps %= FG_BATCH
            while steps > 0:
                n = self.batch if steps >= self.batch else 1
                if self.b.bitgen != NULL:
                    draw_listing(&self.b)
                else:
                    for i in range(self.b.agents):
                        self.draws[i](&self.b.seats[i], self.b.lanes, n)
                for k in range(n):
                    for p in range(self.num_passes):
                        self.passes[p].run(self.passes[p].context, self.b.lanes, k)
                steps -= n
            if self.fused and self.records_flips:
                for i in range(2):
                    drain_flips(&self.b.seats[i], self.b.lanes)
