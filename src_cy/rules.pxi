# Passes that hand a seat's lanes to the functions Numba made from its learner's rules.

cdef void draw_rules(Seat *s, int64_t lanes, int steps) noexcept nogil:
    cdef fg_generator g
    cdef int64_t i
    cdef int k
    for k in range(steps):
        for i in range(lanes):
            g.a = s.stream[i]
            g.b = s.stream[lanes + i]
            g.c = s.stream[2 * lanes + i]
            g.d = s.stream[3 * lanes + i]
            s.u[i] = fg_word31(&g)
            s.stream[i] = g.a
            s.stream[lanes + i] = g.b
            s.stream[2 * lanes + i] = g.c
            s.stream[3 * lanes + i] = g.d
        s.rules.draw(lanes, s.actions, s.parameters, s.value, s.u, s.signals + k * lanes)


cdef void choose_rules(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    s.rules.choose(lanes, s.actions, s.parameters, s.value, s.table, s.signals + k * lanes, s.action)


cdef void learn_rules(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    s.rules.learn(lanes, s.actions, s.parameters, s.value, s.table, s.action, s.target)


cdef inline real argmax_row(Seat *s, int64_t lane) noexcept nogil:
    cdef real *row = s.table + lane * s.actions
    cdef int a, best = 0
    for a in range(1, s.actions):
        best = a if row[a] > row[best] else best
    return <real>best


cdef void count_flips_rules(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = <Seat *>context
    cdef int64_t i
    cdef real now
    for i in range(lanes):
        now = argmax_row(s, i)
        s.flips[i] += 1 if now != s.greedy[i] else 0
        s.greedy[i] = now
