# Parameters: schedules advance, and what the kernels use is derived from the values.

cdef void derive(Seat *s, int64_t lanes) noexcept nogil:
    """What the kernels use: the parameters in the tables' type, epsilon as threshold and scale."""
    cdef int64_t i
    cdef double t
    if s.epsilon_at >= 0:
        for i in range(lanes):
            t = floor(s.value[s.epsilon_at * lanes + i] * 2147483648.0)
            s.threshold[i] = <int32_t>(t - 1.0)
            s.scale[i] = <real>(s.actions / t if t > 0.0 else 0.0)
    if s.alpha_at >= 0:
        for i in range(lanes):
            s.alpha[i] = <real>s.value[s.alpha_at * lanes + i]
    if s.gamma_at >= 0:
        for i in range(lanes):
            s.gamma[i] = <real>s.value[s.gamma_at * lanes + i]
    if s.temperature_at >= 0:
        for i in range(lanes):
            s.temperature[i] = <real>s.value[s.temperature_at * lanes + i]


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
