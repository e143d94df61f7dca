# Passes that record; a block runs only those whose records it keeps. A pass of `find_recorder` gets its Recorder; flips
# are counted by the passes that learn, or after them.

ctypedef struct Recorder:  # of one quantity
    Run run
    Block *block
    void *counts                           # (lanes, ...), or (agents, lanes, ...) if each agent has its own
    bint last                              # counts where `tallying` is 1, otherwise in all steps
    bint joint                             # reads Block.joint
    bint rewards                           # reads Seat.target, before learning overwrites rewards with targets
    bint counts_now                        # whether it counts in the next steps


cdef Run find_recorder(str name) except NULL:
    """Return the pass that records `name`; it runs before learning."""
    if name == "joint_counts":
        return count_joint
    if name == "reward_sums":
        return sum_rewards
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
