# Records: passes that run only where something is recorded.

cdef inline void flip(
    int64_t lanes,
    reals now,         # IN (lanes,) the greedy action after the step
    reals greedy,      # IN OUT (lanes,) before it
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
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(lanes):
        b.joint_counts[i * b.joint_actions + b.joint[i]] += 1


cdef void sum_rewards(void *context, int64_t lanes, int k) noexcept nogil:
    """In float64, whatever the tables' type, one step after the other."""
    cdef Seat *s = <Seat *>context
    cdef int64_t i
    for i in range(lanes):
        s.reward_sum[i] += s.target[i]
