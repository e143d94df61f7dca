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


cdef void derive(Seat *s, int64_t lanes, int p) noexcept nogil:
    """What the kernels use of parameter p: in the tables' type, or epsilon as threshold and scale."""
    cdef double *value = s.value + p * lanes
    if p == s.epsilon_at:
        derive_epsilon(lanes, s.actions, value, s.threshold, s.scale)
    elif p == s.alpha_at:
        round_to_real(lanes, value, s.alpha)
    elif p == s.beta_at:
        round_to_real(lanes, value, s.beta)
    elif p == s.gamma_at:
        round_to_real(lanes, value, s.gamma)
    elif p == s.temperature_at:
        round_to_real(lanes, value, s.temperature)


cdef inline void exponential_values(
    int64_t lanes,
    doubles value,     # OUT (lanes,)
    doubles first,     # IN (lanes,)
    doubles floor_,    # IN (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        value[i] = first[i] if first[i] > floor_[i] else floor_[i]


cdef inline void linear_values(
    int64_t lanes,
    doubles value,     # OUT (lanes,)
    doubles start, doubles end, doubles steps, doubles clock,  # IN (lanes,)
) noexcept nogil:
    cdef int64_t i
    cdef double part
    for i in range(lanes):
        part = clock[i] / steps[i]
        part = part if part < 1.0 else 1.0
        value[i] = start[i] + (end[i] - start[i]) * part


cdef inline void multiply(int64_t lanes, doubles first, doubles second) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        first[i] *= second[i]


cdef inline void count_clock(int64_t lanes, doubles clock) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        clock[i] += 1.0


cdef void use_parameter(Seat *s, int64_t lanes, int p) noexcept nogil:
    """The values used at the step that the clock counts to, and what is derived from them."""
    cdef int64_t at = p * lanes
    if s.schedule[p] == EXPONENTIAL:
        exponential_values(lanes, s.value + at, s.first + at, s.third + at)
    elif s.schedule[p] == LINEAR:
        linear_values(lanes, s.value + at, s.first + at, s.second + at, s.third + at, s.clock)
    derive(s, lanes, p)


cdef void advance_schedules(void *context, int64_t lanes, int k) noexcept nogil:
    """One step on: the clock, the recurrences, the values, and what is derived from them."""
    cdef Seat *s = <Seat *>context
    cdef int p
    count_clock(lanes, s.clock)
    for p in range(s.parameters):
        if s.schedule[p] == EXPONENTIAL:
            multiply(lanes, s.first + p * lanes, s.second + p * lanes)
        if s.schedule[p] != CONSTANT:
            use_parameter(s, lanes, p)
