# Passes that step a matrix game and update the learners, along the lanes. Twins of `learn` in the rules.

cdef inline void join_digit(
    int64_t lanes, real base,
    reals action,      # IN (lanes,)
    ints joint,        # IN OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        joint[i] = <int32_t>(<real>joint[i] * base + action[i])


cdef inline void join_pair(
    int64_t lanes, real base,
    reals first,       # IN (lanes,)
    reals second,      # IN (lanes,)
    ints joint,        # OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        joint[i] = <int32_t>(first[i] * base + second[i])


cdef inline void join_wide(
    int64_t lanes, int base,
    reals action,      # IN (lanes,)
    ints joint,        # IN OUT (lanes,)
) noexcept nogil:
    """Append a digit in int32, for games with too many joint actions for exact float32 arithmetic."""
    cdef int64_t i
    for i in range(lanes):
        joint[i] = joint[i] * base + <int32_t>action[i]


cdef void move(void *context, int64_t lanes, int k) noexcept nogil:
    """Compute the index of the joint action; agent 0's action varies slowest."""
    cdef Block *b = <Block *>context
    cdef int i
    if b.joint_actions < (1 << 24):
        join_pair(lanes, b.seats[1].actions, b.seats[0].action, b.seats[1].action, b.joint)
        for i in range(2, b.agents):
            join_digit(lanes, b.seats[i].actions, b.seats[i].action, b.joint)
    else:
        for i in range(lanes):
            b.joint[i] = 0
        for i in range(b.agents):
            join_wide(lanes, b.seats[i].actions, b.seats[i].action, b.joint)


cdef extern from "lookup.h" nogil:
    void fg_look_up(int64_t lanes, int64_t entries, const real *table, const int32_t *index, real *out)


cdef inline void bootstrap(
    int64_t lanes,
    reals gamma,       # IN (lanes,)
    reals best,        # IN (lanes,)
    reals target,      # IN OUT (lanes,) the reward; then the reward plus gamma best
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        target[i] += gamma[i] * best[i]


cdef extern from "real.h" nogil:
    real q_update "FG_OF_REAL(updated)"(real q, real alpha, real target)


cdef inline void learn_sweep(
    int64_t lanes, int actions,
    reals alpha,       # IN (lanes,)
    reals target,      # IN (lanes,)
    reals action,      # IN (lanes,)
    reals q,           # IN OUT (actions, lanes): only the entry of the action changes
) noexcept nogil:
    cdef int64_t i
    cdef int a
    cdef real x
    for a in range(actions):
        for i in range(lanes):
            x = q_update(q[a * lanes + i], alpha[i], target[i])
            q[a * lanes + i] = x if action[i] == <real>a else q[a * lanes + i]


cdef void learn_q(void *context, int64_t lanes, int k) noexcept nogil:
    """Update Q-values with gamma = 0: the target is the reward, which the pass `reward` has written."""
    cdef Seat *s = <Seat *>context
    if few(s):
        fg_learners[s.actions - 2](0, lanes, s.alpha, s.gamma, s.target, s.action, s.table)
        return
    learn_sweep(lanes, s.actions, s.alpha, s.target, s.action, s.table)


cdef void learn_q_discounted(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    if few(s):
        fg_learners[s.actions - 2](1, lanes, s.alpha, s.gamma, s.target, s.action, s.table)
        return
    scan(lanes, s.actions, s.table, s.best, s.weights)
    bootstrap(lanes, s.gamma, s.best, s.target)
    learn_sweep(lanes, s.actions, s.alpha, s.target, s.action, s.table)


cdef inline void sweep_hysteretic(
    int64_t lanes, int actions,
    reals alpha,       # IN (lanes,) step size if target >= q
    reals beta,        # IN (lanes,) step size if target < q
    reals target,      # IN (lanes,)
    reals action,      # IN (lanes,)
    reals q,           # IN OUT (actions, lanes): only the entry of the action changes
) noexcept nogil:
    cdef int64_t i
    cdef int a
    cdef real x, step
    for a in range(actions):
        for i in range(lanes):
            x = q[a * lanes + i]
            step = beta[i] if target[i] < x else alpha[i]
            x = q_update(x, step, target[i])
            q[a * lanes + i] = x if action[i] == <real>a else q[a * lanes + i]


cdef void learn_hysteretic(void *context, int64_t lanes, int k) noexcept nogil:
    """Update hysteretic Q-values, the twin of `learn` in learners/hysteretic.py, which multiplies by gamma even if 0."""
    cdef Seat *s = <Seat *>context
    scan(lanes, s.actions, s.table, s.best, s.weights)
    bootstrap(lanes, s.gamma, s.best, s.target)
    sweep_hysteretic(lanes, s.actions, s.alpha, s.beta, s.target, s.action, s.table)


cdef void reward(void *context, int64_t lanes, int k) noexcept nogil:
    """Write every agent's reward to its target."""
    cdef Block *b = <Block *>context
    cdef int i
    for i in range(b.agents):
        fg_look_up(lanes, b.joint_actions, b.seats[i].payoffs, b.joint, b.seats[i].target)
