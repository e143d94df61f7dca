# Draws: random words -> signals, several steps ahead, in lanes. Twins of `draw` in the rules.

ctypedef void (*Draw)(Seat *seat, int64_t lanes, int steps) noexcept nogil


cdef inline int32_t word31(uint32_t *s0, uint32_t *s1, uint32_t *s2, uint32_t *s3) noexcept nogil:
    """xoshiro128++: the next word, shifted to 31 bits."""
    cdef uint32_t word = rotate(s0[0] + s3[0], 7) + s0[0]
    cdef uint32_t shifted = s1[0] << 9
    s2[0] ^= s0[0]
    s3[0] ^= s1[0]
    s1[0] ^= s2[0]
    s0[0] ^= s3[0]
    s2[0] ^= shifted
    s3[0] = rotate(s3[0], 11)
    return <int32_t>(word >> 1)


cdef inline real explore(int32_t u, int32_t threshold, real scale, real last) noexcept nogil:
    cdef real x = <real>u * scale
    x = <real><int32_t>x
    x = last if x > last else x
    return x if u <= threshold else <real>-1.0


# One step's draw for a lane; BATCH of them in a row keep the generator in registers. They stand
# unrolled by hand because gcc vectorises along the lanes only where no inner loop is left.

cdef inline void explore_one(
    int64_t lanes, real last,
    words a, words b, words c, words d,                  # IN OUT (lanes,) the generators
    ints threshold,    # IN (lanes,)
    reals scale,       # IN (lanes,)
    reals signals,     # OUT (lanes,)
) noexcept nogil:
    cdef uint32_t s0, s1, s2, s3
    cdef int64_t i
    for i in range(lanes):
        s0 = a[i]
        s1 = b[i]
        s2 = c[i]
        s3 = d[i]
        signals[i] = explore(word31(&s0, &s1, &s2, &s3), threshold[i], scale[i], last)
        a[i] = s0
        b[i] = s1
        c[i] = s2
        d[i] = s3


cdef inline void explore_batch(
    int64_t lanes, real last,
    words a, words b, words c, words d,                  # IN OUT (lanes,) the generators
    ints threshold,    # IN (lanes,)
    reals scale,       # IN (lanes,)
    reals first, reals second, reals third, reals fourth,  # OUT (lanes,) signals of BATCH steps
) noexcept nogil:
    cdef uint32_t s0, s1, s2, s3
    cdef int64_t i
    for i in range(lanes):
        s0 = a[i]
        s1 = b[i]
        s2 = c[i]
        s3 = d[i]
        first[i] = explore(word31(&s0, &s1, &s2, &s3), threshold[i], scale[i], last)
        second[i] = explore(word31(&s0, &s1, &s2, &s3), threshold[i], scale[i], last)
        third[i] = explore(word31(&s0, &s1, &s2, &s3), threshold[i], scale[i], last)
        fourth[i] = explore(word31(&s0, &s1, &s2, &s3), threshold[i], scale[i], last)
        a[i] = s0
        b[i] = s1
        c[i] = s2
        d[i] = s3


cdef inline real nudge(int32_t u, int32_t threshold, int32_t half) noexcept nogil:
    """The signal of two actions for fg_pick in pair.h: half is the first u that explores action 1."""
    cdef real x = <real>-INFINITY if u >= half else <real>INFINITY
    return x if u <= threshold else <real>0.0


cdef inline void nudge_batch(
    int64_t lanes,
    words a, words b, words c, words d,                  # IN OUT (lanes,) the generators
    ints threshold,    # IN (lanes,)
    ints half,         # IN (lanes,)
    reals first, reals second, reals third, reals fourth,  # OUT (lanes,) signals of BATCH steps
) noexcept nogil:
    cdef uint32_t s0, s1, s2, s3
    cdef int64_t i
    for i in range(lanes):
        s0 = a[i]
        s1 = b[i]
        s2 = c[i]
        s3 = d[i]
        first[i] = nudge(word31(&s0, &s1, &s2, &s3), threshold[i], half[i])
        second[i] = nudge(word31(&s0, &s1, &s2, &s3), threshold[i], half[i])
        third[i] = nudge(word31(&s0, &s1, &s2, &s3), threshold[i], half[i])
        fourth[i] = nudge(word31(&s0, &s1, &s2, &s3), threshold[i], half[i])
        a[i] = s0
        b[i] = s1
        c[i] = s2
        d[i] = s3


cdef inline void nudge_one(
    int64_t lanes,
    words a, words b, words c, words d,                  # IN OUT (lanes,) the generators
    ints threshold,    # IN (lanes,)
    ints half,         # IN (lanes,)
    reals signals,     # OUT (lanes,)
) noexcept nogil:
    cdef uint32_t s0, s1, s2, s3
    cdef int64_t i
    for i in range(lanes):
        s0 = a[i]
        s1 = b[i]
        s2 = c[i]
        s3 = d[i]
        signals[i] = nudge(word31(&s0, &s1, &s2, &s3), threshold[i], half[i])
        a[i] = s0
        b[i] = s1
        c[i] = s2
        d[i] = s3


cdef inline void unit_one(
    int64_t lanes,
    words a, words b, words c, words d,                  # IN OUT (lanes,) the generators
    reals signals,     # OUT (lanes,)
) noexcept nogil:
    cdef uint32_t s0, s1, s2, s3
    cdef int64_t i
    for i in range(lanes):
        s0 = a[i]
        s1 = b[i]
        s2 = c[i]
        s3 = d[i]
        signals[i] = FG_UNIT(word31(&s0, &s1, &s2, &s3))
        a[i] = s0
        b[i] = s1
        c[i] = s2
        d[i] = s3


cdef void draw_explore(Seat *s, int64_t lanes, int steps) noexcept nogil:
    cdef int k
    cdef uint32_t *g = s.stream
    cdef real *signals = s.signals
    cdef real last = <real>(s.actions - 1)
    if steps == BATCH:
        explore_batch(lanes, last, g, g + lanes, g + 2 * lanes, g + 3 * lanes, s.threshold, s.scale,
                      signals, signals + lanes, signals + 2 * lanes, signals + 3 * lanes)
    else:
        for k in range(steps):
            explore_one(lanes, last, g, g + lanes, g + 2 * lanes, g + 3 * lanes, s.threshold, s.scale,
                        signals + k * lanes)


cdef void draw_nudge(Seat *s, int64_t lanes, int steps) noexcept nogil:
    cdef int k
    cdef uint32_t *g = s.stream
    cdef real *signals = s.signals
    if steps == BATCH and lanes == FG_FULL:
        nudge_batch(FG_FULL, g, g + FG_FULL, g + 2 * FG_FULL, g + 3 * FG_FULL, s.threshold, s.half,
                    signals, signals + FG_FULL, signals + 2 * FG_FULL, signals + 3 * FG_FULL)
    elif steps == BATCH:
        nudge_batch(lanes, g, g + lanes, g + 2 * lanes, g + 3 * lanes, s.threshold, s.half,
                    signals, signals + lanes, signals + 2 * lanes, signals + 3 * lanes)
    else:
        for k in range(steps):
            nudge_one(lanes, g, g + lanes, g + 2 * lanes, g + 3 * lanes, s.threshold, s.half,
                      signals + k * lanes)


cdef void find_half(Seat *s, int64_t lanes) noexcept nogil:
    """The first u whose explored action is 1: u A / T, rounded as explore() rounds it, grows with u."""
    cdef int64_t i, u
    for i in range(lanes):
        u = s.threshold[i] // 2
        while u <= s.threshold[i] and <real><int32_t>u * s.scale[i] < <real>1.0:
            u += 1
        while u > 0 and <real><int32_t>(u - 1) * s.scale[i] >= <real>1.0:
            u -= 1
        s.half[i] = <int32_t>min(u, <int64_t>2147483647)


cdef void draw_unit(Seat *s, int64_t lanes, int steps) noexcept nogil:
    cdef int k
    cdef uint32_t *g = s.stream
    for k in range(steps):
        unit_one(lanes, g, g + lanes, g + 2 * lanes, g + 3 * lanes, s.signals + k * lanes)


cdef uint32_t below(bitgen_t *g, uint32_t n) noexcept nogil:
    """What Generator.integers(n) draws: Lemire 2019, ACM TOMACS 29(1), algorithm 5, on 32 bits."""
    if n == 1:
        return 0
    cdef uint64_t m = <uint64_t>g.next_uint32(g.state) * n
    cdef uint32_t threshold
    if <uint32_t>m < n:
        threshold = (<uint32_t>0 - n) % n
        while <uint32_t>m < threshold:
            m = <uint64_t>g.next_uint32(g.state) * n
    return <uint32_t>(m >> 32)


cdef void draw_listing(Block *b) noexcept nogil:
    """Every agent's signal of one step of lane 0, drawn as a textbook listing does, in agent order."""
    cdef Seat *s
    cdef int i
    cdef double x
    for i in range(b.agents):
        s = &b.seats[i]
        x = b.bitgen.next_double(b.bitgen.state)
        if s.epsilon_at < 0:
            s.signals[0] = <real>x
        elif x < s.value[s.epsilon_at * b.lanes]:
            s.signals[0] = <real>below(b.bitgen, <uint32_t>s.actions)
        else:
            s.signals[0] = <real>-1.0
