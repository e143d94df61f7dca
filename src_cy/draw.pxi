# Passes that draw random words and make signals of them, several steps ahead, along the lanes. Twins of `draw` in the
# rules.

cdef extern from "draw.h" nogil:
    ctypedef struct fg_generator:
        uint32_t a, b, c, d
    enum: FG_BATCH
    enum: FG_SIGNAL_EXPLORE
    enum: FG_SIGNAL_NUDGE
    enum: FG_SIGNAL_EXPLORE_AS_NUDGE
    enum: FG_SIGNAL_UNIT
    real fg_as_nudge(real explored)
    fg_generator fg_generator_of(const uint32_t *at, int64_t lanes)
    void fg_keep_generator(fg_generator g, uint32_t *at, int64_t lanes)
    int32_t fg_word31(fg_generator *g)
    void fg_draw(int signal, int steps, int64_t lanes, real last, uint32_t *generators,
                 const int32_t *threshold, const int32_t *half, const real *scale, real *signals)
    void fg_draw_words(int64_t words, int64_t lanes, uint32_t *generators, int64_t *u)

ctypedef void (*Draw)(Seat *seat, int64_t lanes, int steps) noexcept nogil


cdef void draw_explore(Seat *s, int64_t lanes, int steps) noexcept nogil:
    fg_draw(FG_SIGNAL_EXPLORE, steps, lanes, <real>(s.actions - 1), s.stream, s.threshold, s.half,
            s.scale, s.signals)


cdef void draw_nudge(Seat *s, int64_t lanes, int steps) noexcept nogil:
    fg_draw(FG_SIGNAL_NUDGE, steps, lanes, <real>1.0, s.stream, s.threshold, s.half, s.scale, s.signals)


cdef void draw_explore_as_nudge(Seat *s, int64_t lanes, int steps) noexcept nogil:
    fg_draw(FG_SIGNAL_EXPLORE_AS_NUDGE, steps, lanes, <real>1.0, s.stream, s.threshold, s.half,
            s.scale, s.signals)


cdef void draw_unit(Seat *s, int64_t lanes, int steps) noexcept nogil:
    fg_draw(FG_SIGNAL_UNIT, steps, lanes, <real>1.0, s.stream, s.threshold, s.half, s.scale, s.signals)


cdef uint32_t below(bitgen_t *g, uint32_t n) noexcept nogil:
    """Return what Generator.integers(n) draws: Lemire 2019, ACM TOMACS 29(1), algorithm 5, on 32 bits."""
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
    """Draw every agent's signal of one step of lane 0 from b.bitgen, in agent order, as textbook listings do.

    If b.nudge, signals of agents with two actions are nudges, see fg_nudge in draw.h.
    """
    cdef Seat *s
    cdef int i
    cdef double x
    for i in range(b.agents):
        s = &b.seats[i]
        if s.words == 0:
            continue
        x = b.bitgen.next_double(b.bitgen.state)
        if not s.explores:
            s.signals[0] = <real>x if <real>x < <real>1.0 else <real>(1.0 - 2.0 ** -24)
        elif x < s.value[s.epsilon_at * b.lanes]:
            s.signals[0] = <real>below(b.bitgen, <uint32_t>s.actions)
        else:
            s.signals[0] = <real>-1.0
        if b.nudge and s.actions == 2:
            s.signals[0] = fg_as_nudge(s.signals[0])
