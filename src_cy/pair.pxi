# Two Q-learners with 2 to FG_FEW actions, gamma = 0: a whole step in one pass, or all of it but the choice.

cdef extern from "pair.h" nogil:
    ctypedef struct fg_agent:
        const real *signal
        const real *action
        const real *alpha
        const real *payoffs
        real *q
        same_width *flips
    ctypedef void (*fg_pair_step)(int chosen, int flips, int64_t lanes, const fg_agent *s,
                                  const fg_agent *t) noexcept nogil
    const fg_pair_step fg_pair_steps[4][4]

cdef extern from "two_by_two.h" nogil:
    enum: FG_TOP_BIT
    ctypedef struct fg_player:
        const real *alpha
        const uint32_t *last
        const uint32_t *half
        const real *payoffs
        real *q
        uint32_t *generators
        same_width *flips
    void fg_steps_two_by_two(int flips, int64_t lanes, int64_t steps, const fg_player *p, const fg_player *r)


cdef inline fg_agent pair_agent(Seat *s, int64_t lanes, int k) noexcept nogil:
    cdef fg_agent agent
    agent.signal = s.signals + k * lanes
    agent.action = s.action
    agent.alpha = s.alpha
    agent.payoffs = s.payoffs
    agent.q = s.table
    agent.flips = s.pair_flips
    return agent


cdef inline void step(Block *b, int64_t lanes, int k, int chosen, int flips) noexcept nogil:
    cdef fg_agent s = pair_agent(&b.seats[0], lanes, k)
    cdef fg_agent t = pair_agent(&b.seats[1], lanes, k)
    fg_pair_steps[b.seats[0].actions - 2][b.seats[1].actions - 2](chosen, flips, lanes, &s, &t)


cdef void step_pair(void *context, int64_t lanes, int k) noexcept nogil:
    step(<Block *>context, lanes, k, 0, 0)


cdef void step_pair_and_count_flips(void *context, int64_t lanes, int k) noexcept nogil:
    step(<Block *>context, lanes, k, 0, 1)


cdef void step_chosen(void *context, int64_t lanes, int k) noexcept nogil:
    """Both have chosen."""
    step(<Block *>context, lanes, k, 1, 0)


cdef void step_chosen_and_count_flips(void *context, int64_t lanes, int k) noexcept nogil:
    step(<Block *>context, lanes, k, 1, 1)


cdef void find_half(Seat *s, int64_t lanes) noexcept nogil:
    """With two actions: the first u that explores action 1 (u A / T, rounded as fg_explore rounds it)."""
    cdef int64_t i, u
    for i in range(lanes):
        u = s.threshold[i] // 2
        while u <= s.threshold[i] and <real><int32_t>u * s.scale[i] < <real>1.0:
            u += 1
        while u > 0 and <real><int32_t>(u - 1) * s.scale[i] >= <real>1.0:
            u -= 1
        s.half[i] = <int32_t>min(u, <int64_t>2147483647)
        s.half_word[i] = (2 * <uint32_t>s.half[i]) ^ <uint32_t>FG_TOP_BIT
        s.last_word[i] = (2 * <uint32_t>s.threshold[i] + 1) ^ <uint32_t>FG_TOP_BIT


cdef bint explores(Seat *s, int64_t lanes) noexcept nogil:
    """Whether every lane ever explores, which steps_two_by_two takes for granted."""
    cdef int64_t i
    for i in range(lanes):
        if s.threshold[i] < 0:
            return False
    return True


cdef inline fg_player player(Seat *s) noexcept nogil:
    cdef fg_player p
    p.alpha = s.alpha
    p.last = s.last_word
    p.half = s.half_word
    p.payoffs = s.payoffs
    p.q = s.table
    p.generators = s.stream
    p.flips = s.pair_flips
    return p


cdef void steps_two_by_two(Block *b, int64_t steps, bint flips) noexcept nogil:
    """Steps of two agents with two actions each, draws included."""
    cdef fg_player p = player(&b.seats[0])
    cdef fg_player r = player(&b.seats[1])
    fg_steps_two_by_two(flips, b.lanes, steps, &p, &r)


cdef void drain_flips(Seat *s, int64_t lanes) noexcept nogil:
    """The narrow counts of fused steps, into the wide ones."""
    cdef int64_t i
    for i in range(lanes):
        s.flips[i] += s.pair_flips[i]
        s.pair_flips[i] = 0
