# Runs of many steps of a few epsilon-greedy Q-learners with a few actions each, in registers.

cdef extern from "steps.h" nogil:
    enum: FG_TOP_BIT
    enum: FG_MOST_ACTIONS
    enum: FG_MOST_PLAYERS
    ctypedef struct fg_player:
        const real *alpha
        const uint32_t *last
        const uint32_t *bounds
        const real *payoffs
        real *q
        uint32_t *generators
        same_width *flips
    ctypedef void (*fg_steps)(int flips, int64_t lanes, int64_t steps, const fg_player *players) noexcept nogil
    fg_steps fg_find_steps(int n, const int *actions)


cdef fg_steps find_steps(Block *b) noexcept nogil:
    """Return the function that takes the steps of the block's agents, or NULL."""
    cdef int actions[FG_MOST_PLAYERS]
    cdef int i
    if b.agents > FG_MOST_PLAYERS:
        return NULL
    for i in range(b.agents):
        actions[i] = b.seats[i].actions
    return fg_find_steps(b.agents, actions)


cdef bint explores(Seat *s, int64_t lanes) noexcept nogil:
    """Return whether every lane can explore (T > 0), as take_steps requires."""
    cdef int64_t i
    for i in range(lanes):
        if s.threshold[i] < 0:
            return False
    return True


cdef int64_t first_u(Seat *s, int64_t i, int k) noexcept nogil:
    """Return the first u of lane i that explores an action >= k (u A / T, rounded as fg_explore_scaled rounds it)."""
    cdef int64_t u = <int64_t>(<double>s.threshold[i] * k / s.actions)
    while u <= s.threshold[i] and <real><int32_t>u * s.scale[i] < <real>k:
        u += 1
    while u > 0 and <real><int32_t>(u - 1) * s.scale[i] >= <real>k:
        u -= 1
    return min(u, <int64_t>2147483647)


cdef void find_half(Seat *s, int64_t lanes) noexcept nogil:
    """Compute the first u that explores action 1, for nudges."""
    cdef int64_t i
    for i in range(lanes):
        s.half[i] = <int32_t>first_u(s, i, 1)


cdef void find_bounds(Seat *s, int64_t lanes) noexcept nogil:
    """Compute the last word that explores, and the bounds below which words explore actions before k.

    These are bounds of whole 32-bit words; u = word >> 1.
    """
    cdef int64_t i
    cdef int k
    for i in range(lanes):
        s.last_word[i] = (2 * <uint32_t>s.threshold[i] + 1) ^ <uint32_t>FG_TOP_BIT
    for k in range(1, s.actions):
        for i in range(lanes):
            s.bounds[(k - 1) * lanes + i] = (2 * <uint32_t>first_u(s, i, k)) ^ <uint32_t>FG_TOP_BIT


cdef void take_steps(fg_steps run, Block *b, int64_t steps, bint flips) noexcept nogil:
    cdef fg_player players[FG_MOST_PLAYERS]
    cdef Seat *s
    cdef int i
    for i in range(b.agents):
        s = &b.seats[i]
        players[i].alpha = s.alpha
        players[i].last = s.last_word
        players[i].bounds = s.bounds
        players[i].payoffs = s.payoffs
        players[i].q = s.table
        players[i].generators = s.stream
        players[i].flips = s.pair_flips
    run(flips, b.lanes, steps, players)
