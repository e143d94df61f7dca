# Draws by the function that Numba made from a learner's rule.

cdef void draw_rules(Seat *s, int64_t lanes, int steps) noexcept nogil:
    cdef fg_generator g
    cdef int64_t i
    cdef int k
    for k in range(steps):
        for i in range(lanes):
            g = fg_generator_of(s.stream + i, lanes)
            s.u[i] = fg_word31(&g)
            fg_keep_generator(g, s.stream + i, lanes)
        s.rules.draw(lanes, s.actions, s.value, s.u, s.signals + k * lanes)
