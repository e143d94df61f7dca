# A game of many states, in lanes: the joint action, the rewards, the state reached, the end of an episode.

cdef void join_moves(void *context, int64_t lanes, int k) noexcept nogil:
    """The joint action as a number, agent 0's digit slowest, and the cell where its rewards stand."""
    cdef Block *b = <Block *>context
    cdef int j
    cdef ints joint = b.joint
    cdef ints move = b.seats[0].move
    cdef int32_t base
    cdef int64_t i
    for i in range(lanes):
        joint[i] = move[i]
    for j in range(1, b.agents):
        move = b.seats[j].move
        base = b.seats[j].actions
        for i in range(lanes):
            joint[i] = joint[i] * base + move[i]


cdef void find_cells(void *context, int64_t lanes, int k) noexcept nogil:
    """Where rewards depend on the state, or differ between lanes."""
    cdef Block *b = <Block *>context
    cdef int32_t joint_actions = <int32_t>b.joint_actions if b.rewards_by_state else 0
    cdef ints state = b.state
    cdef ints joint = b.joint
    cdef ints cell = b.cell
    cdef ints variant = b.variant
    cdef int64_t i
    for i in range(lanes):
        cell[i] = variant[i] + state[i] * joint_actions + joint[i]


cdef void reward_by_cell(void *context, int64_t lanes, int k) noexcept nogil:
    """Every agent's reward into its target."""
    cdef Block *b = <Block *>context
    cdef int j
    for j in range(b.agents):
        fg_look_up(lanes, b.cells, b.seats[j].payoffs, b.cell, b.seats[j].target)


cdef void go_by_joint(void *context, int64_t lanes, int k) noexcept nogil:
    """The state is what was just played: a sum with memory of one period."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    cdef ints next_state = b.next_state
    cdef ints joint = b.joint
    for i in range(lanes):
        next_state[i] = joint[i]


cdef void go_by_sum(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(lanes):
        b.next_state[i] = b.from_state[b.state[i]] + b.from_joint[b.joint[i]]


cdef void go_by_table(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(lanes):
        b.next_state[i] = b.table[b.state[i] * b.joint_actions + b.joint[i]]


cdef inline double chance(Block *b, int64_t lanes, int64_t i) noexcept nogil:
    """Nature's next number in [0, 1) for lane i."""
    cdef fg_generator g
    cdef int32_t u
    if b.bitgen != NULL:
        return b.bitgen.next_double(b.bitgen.state)
    g = fg_generator_of(b.nature + i, lanes)
    u = fg_word31(&g)
    fg_keep_generator(g, b.nature + i, lanes)
    return <double>u * 4.656612873077392578125e-10  # 2^-31


cdef extern from "fastgames/rules.h" nogil:
    int64_t sampled "fg_nature_pick"(const double *sums, int64_t n, double x)


cdef void go_by_chance(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Block *b = <Block *>context
    cdef int64_t i, row, first
    for i in range(b.active):
        row = b.state[i] * b.joint_actions + b.joint[i]
        first = b.chance_first[row]
        b.next_state[i] = b.chance_state[
            first + sampled(b.chance_sum + first, b.chance_first[row + 1] - first, chance(b, lanes, i))]


cdef void end_episodes(void *context, int64_t lanes, int k) noexcept nogil:
    """Whether the episode is over: a terminal state is reached, or the time limit."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(lanes):
        b.over[i] = ENDED if b.terminal != NULL and b.terminal[b.next_state[i]] else GOES_ON
    if b.time_limit:
        for i in range(lanes):
            b.age[i] += 1
            b.over[i] = CUT if b.over[i] == GOES_ON and b.age[i] >= b.time_limit else b.over[i]


cdef inline void look(
    int64_t lanes,
    ints observe,      # IN (states,)
    ints state,        # IN (lanes,)
    ints observation,  # OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        observation[i] = observe[state[i]]


cdef void look_ahead(void *context, int64_t lanes, int k) noexcept nogil:
    """What an agent that does not see the state itself sees of the state reached."""
    cdef Table *t = <Table *>context
    look(lanes, t.seat.observe, t.block.next_state, t.seat.next_observation)


cdef void look_around(void *context, int64_t lanes, int k) noexcept nogil:
    """And of the state now."""
    cdef Table *t = <Table *>context
    look(lanes, t.seat.observe, t.block.state, t.seat.observation)


cdef void prefer_again(void *context, int64_t lanes, int k) noexcept nogil:
    """What is greedy where a new episode begins."""
    cdef Table *t = <Table *>context
    fg_prefer(t.block.over, t.rows)


cdef void go_on(void *context, int64_t lanes, int k) noexcept nogil:
    """The state reached is the state now."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    cdef ints state = b.state
    cdef ints next_state = b.next_state
    for i in range(lanes):
        state[i] = next_state[i]


cdef void restart(void *context, int64_t lanes, int k) noexcept nogil:
    """Where an episode is over, the next one begins."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(b.active):
        if b.over[i]:
            b.state[i] = b.start_state
            if b.start_sums != NULL:
                b.state[i] = <int32_t>sampled(b.start_sums, b.start_states, chance(b, lanes, i))
            if b.time_limit:
                b.age[i] = 0


def draw_states(uint32_t[:, :, ::1] streams, const double[::1] sums, int32_t[::1] states):
    """The first state of every replica: nature's word, sampled from the running sums of the start's weights.

    streams: (replicas, roles, 4) uint32, the last role is nature's, modified in place; states: (replicas,) int32, written.
    """
    cdef Block b
    cdef Py_ssize_t r, role = streams.shape[1] - 1
    b.bitgen = NULL
    with nogil:
        for r in range(streams.shape[0]):
            b.nature = &streams[r, role, 0]
            states[r] = <int32_t>sampled(&sums[0], sums.shape[0], chance(&b, 1, 0))
