# Passes that record; a block runs only those whose records it keeps. A pass of `find_recorder` gets its Recorder; flips
# are counted by the passes that learn, or after them.

ctypedef struct Recorder:  # of one quantity
    Run run
    Block *block
    void *counts                           # (lanes, ...), or (agents, lanes, ...) if each agent has its own
    int64_t size                           # entries of a lane (of an agent)
    bint last                              # counts where `tallying` is 1, otherwise in all steps
    bint joint                             # reads Block.joint
    bint rewards                           # reads Seat.target, before learning overwrites rewards with targets
    bint states                            # reads the state, and so runs before the game moves
    bint counts_now                        # whether it counts in the next steps


cdef Run find_recorder(str name) except NULL:
    """Return the pass that records `name`; it runs before learning."""
    if name == "joint_counts":
        return count_joint
    if name == "reward_sums":
        return sum_rewards
    if name == "state_visits":
        return count_states
    if name == "pair_visits":
        return count_pairs
    if name == "path_actions":
        return keep_actions
    if name == "path_rewards":
        return keep_path_rewards
    if name == "path_states":
        return keep_states
    if name == "episode_counts":
        return count_episodes
    if name == "episode_returns":
        return sum_returns
    raise ValueError(f"no pass in src_cy/record.pxi records {name!r}")


cdef inline void flip(
    int64_t lanes,
    reals now,         # IN (lanes,) the greedy action after the step
    reals greedy,      # IN OUT (lanes,) the greedy action before the step; `now` afterwards
    int64_t *flips,    # IN OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        flips[i] += 1 if now[i] != greedy[i] else 0
        greedy[i] = now[i]


cdef void count_flips(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    scan(lanes, s.actions, s.table, s.best, s.action)
    flip(lanes, s.action, s.greedy, s.flips)


cdef void count_joint(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef int64_t *counts = <int64_t *>r.counts
    cdef int64_t i
    for i in range(lanes):
        counts[i * b.joint_actions + b.joint[i]] += b.tallying[i]


cdef void sum_rewards(void *context, int64_t lanes, int k) noexcept nogil:
    """Add every agent's reward to its sum, in float64 and in the order of steps."""
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef double *sums = <double *>r.counts
    cdef int64_t i
    cdef int j
    cdef Seat *s
    for j in range(b.agents):
        s = &b.seats[j]
        for i in range(lanes):
            sums[i] += s.target[i] if b.tallying[i] else 0.0
        sums += lanes


cdef inline int64_t action_of(Seat *s, int64_t i) noexcept nogil:
    """Return the action of an agent in lane i, in columns or rows."""
    return s.move[i] if s.move != NULL else <int64_t>s.action[i]


cdef void count_states(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef int64_t *counts = <int64_t *>r.counts
    cdef int64_t i
    for i in range(b.active):
        counts[i * r.size + (0 if b.state == NULL else b.state[i])] += 1


cdef void count_pairs(void *context, int64_t lanes, int k) noexcept nogil:
    """Count every agent's observation and action, where it moves."""
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef int64_t *counts = <int64_t *>r.counts
    cdef int64_t i, o
    cdef int j
    cdef Seat *s
    for j in range(b.agents):
        s = &b.seats[j]
        for i in range(b.active):
            if s.turns == NULL or s.turns[b.state[i]]:
                o = 0 if s.observation == NULL else s.observation[i]
                counts[i * r.size + o * s.actions + action_of(s, i)] += 1
        counts += <int64_t>s.observations * s.actions


cdef void keep_actions(void *context, int64_t lanes, int k) noexcept nogil:
    """Write the joint action of this step to the ring of every lane, as the two passes after it write the rest."""
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef int32_t *ring = <int32_t *>r.counts
    cdef int64_t i
    cdef int j
    for j in range(b.agents):
        for i in range(b.active):
            ring[i * r.size + b.path_at[i] * b.agents + j] = <int32_t>action_of(&b.seats[j], i)


cdef void keep_path_rewards(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef real *ring = <real *>r.counts
    cdef int64_t i
    cdef int j
    for j in range(b.agents):
        for i in range(b.active):
            ring[i * r.size + b.path_at[i] * b.agents + j] = b.seats[j].target[i]


cdef void keep_states(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef int32_t *ring = <int32_t *>r.counts
    cdef int64_t *wide = <int64_t *>r.counts
    cdef int64_t i
    for i in range(b.active):
        if b.full_state == NULL:
            ring[i * r.size + b.path_at[i]] = b.state[i]
        else:
            memcpy(wide + i * r.size + b.path_at[i] * b.state_size, b.full_state + i * b.state_size,
                   b.state_size * sizeof(int64_t))


cdef void go_on_path(void *context, int64_t lanes, int k) noexcept nogil:
    """Advance the place in the rings of the last steps; runs after the passes that write there."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(b.active):
        b.path_at[i] = b.path_at[i] + 1 if b.path_at[i] + 1 < b.path else 0


cdef void count_episodes(void *context, int64_t lanes, int k) noexcept nogil:
    """Count steps and episodes, see Counts.episode_counts in record.py."""
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef int64_t *c = <int64_t *>r.counts
    cdef int64_t i
    for i in range(b.active):
        if c[0] >= 0:
            c[0] += 1
        if b.over[i]:
            if c[0] >= 0:  # else it began before it was recorded
                c[1] += 1
                c[2] += c[0]
                c[3] = max(c[3], c[0])
            c[0] = 0
        c += r.size


cdef void sum_returns(void *context, int64_t lanes, int k) noexcept nogil:
    """Add every agent's reward to its returns, see Counts.episode_returns in record.py."""
    cdef Recorder *r = <Recorder *>context
    cdef Block *b = r.block
    cdef double *c
    cdef double x
    cdef int64_t i
    cdef int j
    for j in range(b.agents):
        c = <double *>r.counts + j * lanes * r.size
        for i in range(b.active):
            x = <double>b.seats[j].target[i]
            c[0] += x
            c[1] += c[2] * x
            c[2] *= b.discount
            if b.over[i]:
                if c[0] == c[0]:  # nan: it began before it was recorded
                    c[3] += c[0]
                    c[4] += c[1]
                c[0], c[1], c[2] = 0.0, 0.0, 1.0
            c += r.size


cdef void keep_cell(void *context, int64_t lanes, int k) noexcept nogil:
    """Write the cell of this step to the ring buffer of every lane."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(b.active):
        b.window[i * b.last + b.window_at[i]] = b.cell[i] - b.variant[i]
        b.window_at[i] = b.window_at[i] + 1 if b.window_at[i] + 1 < b.last else 0


cdef inline void add_flips(
    int64_t lanes,
    ints flip,         # IN OUT (lanes,) flips in this step; 0 afterwards
    ints changed,      # IN OUT (lanes,) nonzero if any agent's greedy action changed
    int64_t *flips,    # IN OUT (lanes,) flips in all steps
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        flips[i] += flip[i]
        changed[i] |= flip[i]
        flip[i] = 0


cdef inline void add_stable(
    int64_t lanes,
    ints changed,      # IN (lanes,)
    int64_t *stable,   # IN OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        stable[i] = 0 if changed[i] else stable[i] + 1
        changed[i] = 0


cdef void count_changes(void *context, int64_t lanes, int k) noexcept nogil:
    """Count the changes of every agent's greedy action, and the steps in a row without a change of any agent's."""
    cdef Block *b = <Block *>context
    cdef int j
    for j in range(b.agents):
        if b.seats[j].watched:
            add_flips(lanes, b.seats[j].flip, b.changed, b.seats[j].flips)
    if b.stable != NULL:
        add_stable(lanes, b.changed, b.stable)
