# Two epsilon-greedy Q-learners with 2 to FG_PAIR_MAX actions, gamma = 0: a whole step in one pass.

cdef extern from "pair.h" nogil:
    enum: FG_PAIR_MAX
    ctypedef struct fg_agent:
        const real *signal
        const real *alpha
        const real *payoffs
        real *q
        uint32_t *generators
        const uint32_t *last_word
        const uint32_t *half_word
        same_width *flips
    ctypedef void (*fg_pair_step)(int flips, int64_t lanes, const fg_agent *s,
                                  const fg_agent *t) noexcept nogil
    const fg_pair_step fg_pair_steps[4][4]
    void fg_batch_two_by_two(int64_t lanes, const fg_agent *s, const fg_agent *t)
    void fg_batch_two_by_two_and_count_flips(int64_t lanes, const fg_agent *s, const fg_agent *t)


cdef inline fg_agent pair_agent(Seat *s, int64_t lanes, int k) noexcept nogil:
    cdef fg_agent agent
    agent.signal = s.signals + k * lanes
    agent.alpha = s.alpha
    agent.payoffs = s.payoffs
    agent.q = s.table
    agent.generators = s.stream
    agent.last_word = s.last_word
    agent.half_word = s.half_word
    agent.flips = s.pair_flips
    return agent


cdef inline void step(Block *b, int64_t lanes, int k, int flips) noexcept nogil:
    cdef fg_agent s = pair_agent(&b.seats[0], lanes, k)
    cdef fg_agent t = pair_agent(&b.seats[1], lanes, k)
    fg_pair_steps[b.seats[0].actions - 2][b.seats[1].actions - 2](flips, lanes, &s, &t)


cdef void step_pair(void *context, int64_t lanes, int k) noexcept nogil:
    step(<Block *>context, lanes, k, 0)


cdef void step_pair_and_count_flips(void *context, int64_t lanes, int k) noexcept nogil:
    step(<Block *>context, lanes, k, 1)


cdef bint explores(Seat *s, int64_t lanes) noexcept nogil:
    """Whether every lane ever explores, which fg_two_by_two takes for granted."""
    cdef int64_t i
    for i in range(lanes):
        if s.threshold[i] < 0:
            return False
    return True


cdef void batch_two_by_two(Block *b, int64_t batches, bint flips) noexcept nogil:
    """Batches of FG_BATCH steps of two agents with two actions each, draws included."""
    cdef fg_agent s = pair_agent(&b.seats[0], b.lanes, 0)
    cdef fg_agent t = pair_agent(&b.seats[1], b.lanes, 0)
    cdef int64_t n
    for n in range(batches):
        if flips:
            fg_batch_two_by_two_and_count_flips(b.lanes, &s, &t)
        else:
            fg_batch_two_by_two(b.lanes, &s, &t)


cdef void drain_flips(Seat *s, int64_t lanes) noexcept nogil:
    """The narrow counts of step_pair_and_count_flips, into the wide ones."""
    cdef int64_t i
    for i in range(lanes):
        s.flips[i] += s.pair_flips[i]
        s.pair_flips[i] = 0
