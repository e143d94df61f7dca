# Passes that advance schedules and derive from parameters the numbers that kernels use.

cdef inline void derive_epsilon(
    int64_t lanes, double actions,
    doubles epsilon,   # IN (lanes,)
    ints threshold,    # OUT (lanes,) T - 1 with T = floor(epsilon 2^31); T itself may be 2^31, too large for int32
    reals scale,       # OUT (lanes,) A / T, or 0 if T = 0
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
    """Derive the numbers that kernels use from parameter p: it in the tables' type, or epsilon's threshold and scale."""
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


cdef extern from "fastgames/rules.h" nogil:
    double fg_advance(double value, double decay)
    double fg_hyperbolic(double start, double offset, double power, double t)


cdef inline void hyperbolic_values(
    int64_t lanes,
    doubles value,     # OUT (lanes,)
    doubles start, doubles offset, doubles power, doubles clock,  # IN (lanes,)
) noexcept nogil:
    cdef int64_t i
    cdef int others = 0
    for i in range(lanes):
        others |= power[i] != 1.0
    if others:
        for i in range(lanes):
            value[i] = fg_hyperbolic(start[i], offset[i], power[i], clock[i])
    else:  # without the exponential and the logarithm, which a vector computes for all lanes if for any
        for i in range(lanes):
            value[i] = fg_hyperbolic(start[i], offset[i], 1.0, clock[i])


cdef inline void advance_recurrence(int64_t lanes, doubles first, doubles second) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        first[i] = fg_advance(first[i], second[i])


cdef inline void count_clock(int64_t lanes, doubles clock, double steps) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        clock[i] += steps


cdef void find_values(Seat *s, int64_t lanes, int p, int64_t i, int64_t n, int64_t row) noexcept nogil:
    """Compute the values of parameter p in the n lanes from lane i on, at the step given by the clock.

    row: the row of that step, of tabulated schedules.
    """
    cdef int64_t at = p * lanes + i
    if s.schedule[p] == EXPONENTIAL:
        exponential_values(n, s.value + at, s.first + at, s.third + at)
    elif s.schedule[p] == LINEAR:
        linear_values(n, s.value + at, s.first + at, s.second + at, s.third + at, s.clock + i)
    elif s.schedule[p] == HYPERBOLIC:
        hyperbolic_values(n, s.value + at, s.first + at, s.second + at, s.third + at, s.clock + i)
    elif s.schedule[p] == TABULATED:
        memcpy(s.value + at, s.ahead[p] + row * lanes + i, n * sizeof(double))


cdef void use_parameter(Seat *s, int64_t lanes, int p) noexcept nogil:
    """Compute the value of parameter p at the step given by the clock, and derive the kernels' numbers from it."""
    find_values(s, lanes, p, 0, lanes, 0 if s.row == NULL else s.row[0])
    derive(s, lanes, p)


cdef void take_next_row(void *context, int64_t lanes, int k) noexcept nogil:
    """Go to the next row of tabulated schedules, which advance_schedules then copies."""
    (<Seat *>context).row[0] += 1


cdef void advance_schedules(void *context, int64_t lanes, int k) noexcept nogil:
    """Advance the clock and the recurrences by one step, then compute the values and the kernels' numbers."""
    cdef Seat *s = <Seat *>context
    cdef int p
    count_clock(lanes, s.clock, 1.0)
    for p in range(s.parameters):
        if s.schedule[p] == EXPONENTIAL:
            advance_recurrence(lanes, s.first + p * lanes, s.second + p * lanes)
        if s.schedule[p] != CONSTANT:
            use_parameter(s, lanes, p)
