# Passes for two Q-learners with 2 to FG_FEW actions and gamma = 0: a whole step, or a step without the choice.

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
    """Step the game and both learners; earlier passes have chosen the actions."""
    step(<Block *>context, lanes, k, 1, 0)


cdef void step_chosen_and_count_flips(void *context, int64_t lanes, int k) noexcept nogil:
    step(<Block *>context, lanes, k, 1, 1)


cdef void drain_flips(Seat *s, int64_t lanes) noexcept nogil:
    """Add the flips of fused steps to the 64-bit counts and reset them."""
    cdef int64_t i
    for i in range(lanes):
        s.flips[i] += s.pair_flips[i]
        s.pair_flips[i] = 0
