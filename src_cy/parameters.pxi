# Parameters: schedules advance, and what the kernels use is derived from the values.

cdef inline void derive_epsilon(
    int64_t lanes, double actions,
    doubles epsilon,   # IN (lanes,)
    ints threshold,    # OUT (lanes,) T - 1, T = floor(epsilon 2^31): 2^31 itself would not fit
    reals scale,       # OUT (lanes,) A / T, 0 where T is
) noexcept nogil:
    cdef int64_t i
    cdef double t, s
    for i in range(lanes):
        t = floor(epsilon[i] * 2147483648.0)
        s = actions / t
        threshold[i] = <int32_t>(t - 1.0)
        scale[i] = <real>(s if t > 0.0 else 0.0)


cdef inline void round_to_real(
    int64_t lanes,
    doubles value,     # IN (lanes,)
    reals rounded,     # OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        rounded[i] = <real>value[i]


cdef void derive(Seat *s, int64_t lanes) noexcept nogil:
    """What the kernels use: the parameters in the tables' type, epsilon as threshold and scale."""
    if s.epsilon_at >= 0:
        derive_epsilon(lanes, s.actions, s.value + s.epsilon_at * lanes, s.threshold, s.scale)
    if s.alpha_at >= 0:
        round_to_real(lanes, s.value + s.alpha_at * lanes, s.alpha)
    if s.gamma_at >= 0:
        round_to_real(lanes, s.value + s.gamma_at * lanes, s.gamma)
    if s.temperature_at >= 0:
        round_to_real(lanes, s.value + s.temperature_at * lanes, s.temperature)


cdef void scheduled_values(
    int kind, int64_t lanes,
    doubles value,     # OUT (lanes,)
    doubles first, doubles second, doubles third, doubles clock,  # IN (lanes,)
) noexcept nogil:
    """The values used at the step that `clock` counts to."""
    cdef int64_t i
    cdef double part
    if kind == EXPONENTIAL:
        for i in range(lanes):
            value[i] = first[i] if first[i] > third[i] else third[i]
    elif kind == LINEAR:
        for i in range(lanes):
            part = clock[i] / third[i]
            part = part if part < 1.0 else 1.0
            value[i] = first[i] + (second[i] - first[i]) * part


cdef void advance_schedules(void *context, int64_t lanes, int k) noexcept nogil:
    """One step on: the clock, the recurrences, the values, and what is derived from them."""
    cdef Seat *s = <Seat *>context
    cdef int64_t i
    cdef int p
    cdef int64_t at
    for i in range(lanes):
        s.clock[i] += 1.0
    for p in range(s.parameters):
        at = p * lanes
        if s.schedule[p] == EXPONENTIAL:
            for i in range(lanes):
                s.first[at + i] *= s.second[at + i]
        scheduled_values(s.schedule[p], lanes, s.value + at, s.first + at, s.second + at,
                         s.third + at, s.clock)
    derive(s, lanes)
