# Passes of a game with states, along the lanes: joint action, rewards, next state, end of an episode.

cdef void play_opening(void *context, int64_t lanes, int k) noexcept nogil:
    """Replace the actions that agents chose by those of the opening, in the lanes in which it is not over."""
    cdef Block *b = <Block *>context
    cdef Seat *s
    cdef int32_t *joint
    cdef int64_t i
    cdef int j
    if b.wrong[0]:
        return
    for i in range(b.active):
        if b.opening_at[i] >= b.opening_steps:
            continue
        joint = b.opening + (i * b.opening_steps + b.opening_at[i]) * b.agents
        b.opening_at[i] += 1
        for j in range(b.agents):
            s = &b.seats[j]
            if joint[j] != 0 and s.turns != NULL and not s.turns[b.state[i]]:
                b.wrong[0], b.wrong[1], b.wrong[2], b.wrong[3] = OPENED_OUT_OF_TURN, j, i, joint[j]
                return
            s.move[i] = joint[j]
            if s.columnar:
                s.action[i] = <real>joint[j]


cdef void join_moves(void *context, int64_t lanes, int k) noexcept nogil:
    """Compute the index of the joint action; agent 0's action varies slowest."""
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
    """Compute the index of the rewards, if they depend on the state or differ between lanes."""
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
    """Write every agent's reward to its target."""
    cdef Block *b = <Block *>context
    cdef int j
    for j in range(b.agents):
        fg_look_up(lanes, b.cells, b.seats[j].payoffs, b.cell, b.seats[j].target)


cdef void go_by_joint(void *context, int64_t lanes, int k) noexcept nogil:
    """Set the next state to the joint action: a Sum with a memory of one period."""
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
    """Draw nature's next number in [0, 1) for lane i."""
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
    """Set b.over: ENDED at a terminal state, CUT at the time limit, else GOES_ON."""
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
    """Look up an agent's observation of the next state, for agents that do not observe the state itself."""
    cdef Table *t = <Table *>context
    look(lanes, t.seat.observe, t.block.next_state, t.seat.next_observation)


cdef void look_around(void *context, int64_t lanes, int k) noexcept nogil:
    """Look up an agent's observation of the current state, for agents that do not observe the state itself."""
    cdef Table *t = <Table *>context
    look(lanes, t.seat.observe, t.block.state, t.seat.observation)


cdef void prefer_again(void *context, int64_t lanes, int k) noexcept nogil:
    """Find the greedy action in the lanes in which a new episode begins."""
    cdef Table *t = <Table *>context
    fg_prefer(t.block.over, t.rows)


cdef void go_on(void *context, int64_t lanes, int k) noexcept nogil:
    """Make the next state the current one."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    cdef ints state = b.state
    cdef ints next_state = b.next_state
    for i in range(lanes):
        state[i] = next_state[i]


cdef void restart(void *context, int64_t lanes, int k) noexcept nogil:
    """Begin the next episode in the lanes in which the episode is over."""
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
    """Sample the first state of every replica with one of nature's words.

    streams: (replicas, roles, 4) uint32, the last role is nature's, modified in place; sums: (states,) float64, running
    sums of the start's weights; states: (replicas,) int32, overwritten.
    """
    cdef Block b
    cdef Py_ssize_t r, role = streams.shape[1] - 1
    b.bitgen = NULL
    with nogil:
        for r in range(streams.shape[0]):
            b.nature = &streams[r, role, 0]
            states[r] = <int32_t>sampled(&sums[0], sums.shape[0], chance(&b, 1, 0))
