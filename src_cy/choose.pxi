# Passes that choose actions from signals and tables, along the lanes. Twins of `choose` in the rules.
# A pass is a function of a context (a Seat, a Table or the Block) and the step k of the batch.

ctypedef void (*Run)(void *context, int64_t lanes, int k) noexcept nogil

ctypedef struct Pass:
    Run run
    void *context


cdef extern from "few.h" nogil:
    enum: FG_FEW
    enum: FG_EPSILON_GREEDY
    enum: FG_FIXED
    void (*const fg_choosers[])(int rule, int64_t lanes, const real *q, const real *signals, real *action) noexcept
    void (*const fg_learners[])(int discounted, int64_t lanes, const real *alpha, const real *gamma,
                                const real *reward, const real *action, real *q) noexcept


cdef extern from "softmax.h" nogil:
    enum: FG_VECTORS
    void fg_choose_softmax(int actions, int64_t lanes, const real *q, const real *signals, const real *temperature,
                           real *action)


cdef inline bint few(Seat *s) noexcept nogil:
    return 2 <= s.actions <= FG_FEW


cdef inline void choose_few(Seat *s, int rule, const real *q, int64_t lanes, int k) noexcept nogil:
    fg_choosers[s.actions - 2](rule, lanes, q, s.signals + k * lanes, s.action)


cdef inline void scan(
    int64_t lanes, int actions,
    reals q,           # IN (actions, lanes)
    reals best,        # OUT (lanes,) the largest entry
    reals greedy,      # OUT (lanes,) its index, the lowest on ties
) noexcept nogil:
    cdef int64_t i
    cdef int a
    cdef real x, y, b, g
    for i in range(lanes):
        x = q[i]
        y = q[lanes + i] if actions > 1 else x
        greedy[i] = <real>1.0 if y > x else <real>0.0
        best[i] = y if y > x else x
    for a in range(2, actions):
        for i in range(lanes):
            x = q[a * lanes + i]
            b = best[i]
            g = greedy[i]
            greedy[i] = <real>a if x > b else g
            best[i] = x if x > b else b


cdef inline void follow(
    int64_t lanes,
    reals signals,     # IN (lanes,)
    reals action,      # IN OUT (lanes,) the greedy action, replaced by the signal if that is an action
) noexcept nogil:
    cdef int64_t i
    cdef real g
    for i in range(lanes):
        g = action[i]
        action[i] = g if signals[i] < <real>0.0 else signals[i]


cdef inline void sample(
    int64_t lanes, int actions,
    reals sums,        # IN (actions, lanes) running sums of the weights
    reals x,           # IN (lanes,) in [0, 1)
    reals limit,       # scratch (lanes,)
    reals action,      # OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    cdef int a
    cdef real c
    for i in range(lanes):
        limit[i] = x[i] * sums[(actions - 1) * lanes + i]
        action[i] = <real>0.0
    for a in range(actions - 1):
        for i in range(lanes):
            c = sums[a * lanes + i]
            action[i] += <real>1.0 if c <= limit[i] else <real>0.0


cdef inline void softmax_sums(
    int64_t lanes, int actions,
    reals q,           # IN (actions, lanes)
    reals best,        # IN (lanes,)
    reals temperature, # IN (lanes,)
    reals sums,        # OUT (actions, lanes) running sums of exp((q - best) / temperature)
) noexcept nogil:
    cdef int64_t i
    cdef int a
    for i in range(lanes):
        sums[i] = exponential((q[i] - best[i]) / temperature[i])
    for a in range(1, actions):
        for i in range(lanes):
            sums[a * lanes + i] = sums[(a - 1) * lanes + i] + exponential(
                (q[a * lanes + i] - best[i]) / temperature[i]
            )


cdef void choose_greedy(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    if few(s):
        choose_few(s, FG_EPSILON_GREEDY, s.table, lanes, k)
        return
    scan(lanes, s.actions, s.table, s.best, s.action)
    follow(lanes, s.signals + k * lanes, s.action)


cdef void choose_by_softmax(Seat *s, real *q, int64_t lanes, int k) noexcept nogil:
    """Sample actions from the softmax of q, (actions, lanes)."""
    if FG_VECTORS and few(s):
        fg_choose_softmax(s.actions, lanes, q, s.signals + k * lanes, s.temperature, s.action)
        return
    scan(lanes, s.actions, q, s.best, s.action)
    softmax_sums(lanes, s.actions, q, s.best, s.temperature, s.weights)
    sample(lanes, s.actions, s.weights, s.signals + k * lanes, s.best, s.action)


cdef void choose_by_sums(Seat *s, real *sums, int64_t lanes, int k) noexcept nogil:
    """Sample actions in proportion to weights, given as running sums, (actions, lanes)."""
    if few(s):
        choose_few(s, FG_FIXED, sums, lanes, k)
        return
    sample(lanes, s.actions, sums, s.signals + k * lanes, s.best, s.action)


cdef void choose_softmax(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    choose_by_softmax(s, s.table, lanes, k)


cdef void choose_fixed(void *context, int64_t lanes, int k) noexcept nogil:
    """Sample actions from the table of a fixed policy, which holds running sums (LaneBlock writes them)."""
    cdef Seat *s = <Seat *>context
    choose_by_sums(s, s.table, lanes, k)
