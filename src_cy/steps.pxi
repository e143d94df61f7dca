# Runs of many steps of a few agents with a few actions each, in registers: see steps.h.

cdef extern from "steps.h" nogil:
    enum: FG_TOP_BIT
    enum: FG_MOST_ACTIONS
    enum: FG_MOST_PLAYERS
    enum: FG_AHEAD
    enum: FG_GROUP
    enum: FG_PLAIN
    enum: FG_MIXED
    enum: FG_ALL_FIXED
    enum: FG_CONSTANT
    enum: FG_SCHEDULED
    enum: FG_FIXED_POLICY
    int32_t fg_whole_below(double x)
    ctypedef struct fg_player:
        int acts, learns
        const real *alpha
        const real *gamma
        const real *beta
        const uint32_t *bounds
        int64_t width, alpha_moves, bounds_move
        const real *payoffs
        real *q
        uint32_t *generators
        same_width *flips
        double *sums
    ctypedef struct fg_records:
        int flips
        int64_t *counts
        const int64_t *tallying
    ctypedef void (*fg_steps)(int agents, int64_t width, int64_t lanes, int64_t steps, const fg_player *players,
                              const fg_records *records) noexcept nogil
    fg_steps fg_find_steps(int n, const int *actions)
    void fg_fall(int64_t lanes, int64_t steps, double *first, const double *decay, const double *floor_,
                 double *values)

ctypedef struct Steps:  # the arguments of a function of steps.h
    fg_steps run                           # NULL: the passes take the steps
    int agents                             # FG_PLAIN, FG_MIXED or FG_ALL_FIXED
    bint scheduled                         # whether an agent's epsilon or alpha changes
    fg_player players[FG_MOST_PLAYERS]
    bint records
    fg_records recorded


cdef fg_steps find_steps(Block *b) noexcept nogil:
    """Return the function that takes the steps of the block's agents, or NULL."""
    cdef int actions[FG_MOST_PLAYERS]
    cdef int i
    if b.agents > FG_MOST_PLAYERS:
        return NULL
    for i in range(b.agents):
        actions[i] = b.seats[i].actions
    return fg_find_steps(b.agents, actions)


cdef bint changes(Seat *s, int p) noexcept nogil:
    return p >= 0 and s.schedule[p] != CONSTANT


cdef bint explores(Seat *s, int64_t lanes) noexcept nogil:
    """Return whether every lane can explore (T > 0), as the bounds of words require."""
    cdef int64_t i
    for i in range(lanes):
        if s.threshold[i] < 0:
            return False
    return True


cdef int64_t first_u(Seat *s, int64_t i, int k) noexcept nogil:
    """Return the first u of lane i that explores an action >= k (u A / T, rounded as fg_explore_scaled rounds it)."""
    cdef int64_t u = <int64_t>(<double>s.threshold[i] * k / s.actions)
    while u <= s.threshold[i] and <real><int32_t>u * s.scale[i] < <real>k:
        u += 1
    while u > 0 and <real><int32_t>(u - 1) * s.scale[i] >= <real>k:
        u -= 1
    return min(u, <int64_t>2147483647)


cdef void find_half(Seat *s, int64_t lanes) noexcept nogil:
    """Compute the first u that explores action 1, for nudges."""
    cdef int64_t i
    for i in range(lanes):
        s.half[i] = <int32_t>first_u(s, i, 1)


cdef void find_bounds(Seat *s, int64_t lanes) noexcept nogil:
    """Compute the bounds of whole words, of which u is the upper 31 bits, for FG_CONSTANT."""
    cdef int64_t i
    cdef int k
    for i in range(lanes):
        s.bounds[i] = (2 * <uint32_t>s.threshold[i] + 1) ^ <uint32_t>FG_TOP_BIT
    for k in range(1, s.actions):
        for i in range(lanes):
            s.bounds[k * lanes + i] = (2 * <uint32_t>first_u(s, i, k)) ^ <uint32_t>FG_TOP_BIT


cdef inline bint reaches(int64_t u, real sum_, real total) noexcept nogil:
    """Return whether u samples an action after the one with this running sum, as fg_sample does."""
    return sum_ <= FG_UNIT(<int32_t>u) * total


cdef uint32_t policy_bound(real sum_, real total) noexcept nogil:
    """Return the largest odd word that samples an action up to the one with this running sum, or 0."""
    cdef int64_t u, end = <int64_t>1 << 31
    cdef int64_t size = 1 if FG_DOUBLE else 128  # words in a row with the same FG_UNIT
    if not total > 0:
        return 0  # an empty lane
    u = min(<int64_t>(<double>sum_ / <double>total * 2147483648.0) // size * size, end)
    while u < end and not reaches(u, sum_, total):
        u += size
    while u > 0 and reaches(u - size, sum_, total):
        u -= size
    return <uint32_t>max(2 * u - 1, 0)


cdef void find_policy_bounds(Seat *s, int64_t lanes) noexcept nogil:
    """Compute the bounds of a fixed policy, for FG_FIXED_POLICY, from its running sums."""
    cdef real *total = s.table + (s.actions - 1) * lanes
    cdef int64_t i
    cdef int k
    for k in range(1, s.actions):
        for i in range(lanes):
            s.bounds[k * lanes + i] = (policy_bound(s.table[(k - 1) * lanes + i], total[i])
                                       ^ <uint32_t>FG_TOP_BIT)


cdef inline void find_thresholds(
    int64_t n,
    doubles epsilon,   # IN (n,)
    ints last,         # OUT (n,) T - 1
) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        last[i] = fg_whole_below(epsilon[i] * 2147483648.0)


cdef inline void halve_thresholds(
    int64_t n,
    ints last,         # IN (n,) T - 1
    ints half,         # OUT (n,) T / 2, rounded up
) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        half[i] = (last[i] >> 1) + 1


cdef inline void find_scheduled_bound(
    int64_t n, double part, double up,
    doubles epsilon,   # IN (n,)
    ints bound,        # OUT (n,) T part, rounded up
) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        bound[i] = <int32_t>(floor(epsilon[i] * 2147483648.0) * part + up)


cdef void find_scheduled_bounds(Seat *s, int64_t n, double *epsilon, uint32_t *bounds) noexcept nogil:
    """Compute bounds, (actions, n), from epsilon, (n,), for FG_SCHEDULED."""
    cdef int k
    find_thresholds(n, epsilon, <int32_t *>bounds)
    if s.actions == 2:  # cheaper
        halve_thresholds(n, <int32_t *>bounds, <int32_t *>bounds + n)
        return
    for k in range(1, s.actions):
        find_scheduled_bound(n, <double>k / s.actions, 1.0 - 0.5 / s.actions, epsilon, <int32_t *>bounds + k * n)


cdef void look_steps_ahead(Seat *s, int64_t lanes, int64_t i, int64_t n, int64_t row, int64_t steps) noexcept nogil:
    """Compute step sizes and bounds of the n lanes from lane i on for `steps` steps, and advance their schedules.

    row: the row of the first of these steps, of tabulated schedules.
    """
    cdef double *values
    cdef int64_t t, lane
    cdef int j, p
    for j in range(2):
        p = s.alpha_at if j == 0 else s.epsilon_at
        values = s.values_ahead + j * FG_AHEAD * FG_GROUP
        if not changes(s, p):
            continue
        lane = p * lanes + i
        if s.schedule[p] == EXPONENTIAL:
            fg_fall(n, steps, s.first + lane, s.second + lane, s.third + lane, values)
            continue
        for t in range(steps):
            find_values(s, lanes, p, i, n, row + t)
            memcpy(values + t * FG_GROUP, s.value + lane, n * sizeof(double))
            count_clock(n, s.clock + i, 1.0)
        count_clock(n, s.clock + i, -<double>steps)
    count_clock(n, s.clock + i, <double>steps)
    if changes(s, s.alpha_at):
        round_to_real(FG_AHEAD * FG_GROUP, s.values_ahead, s.alpha_ahead)
    if changes(s, s.epsilon_at):
        find_scheduled_bounds(s, FG_AHEAD * FG_GROUP, s.values_ahead + FG_AHEAD * FG_GROUP, s.bounds_ahead)


cdef fg_player from_lane(fg_player p, int64_t i) noexcept nogil:
    """Return the player whose lanes begin with lane i of p's; what is computed ahead begins there already."""
    if not p.alpha_moves:
        p.alpha += i
    if not p.bounds_move:
        p.bounds += i
    if p.gamma != NULL:
        p.gamma += i
    if p.beta != NULL:
        p.beta += i
    if p.sums != NULL:
        p.sums += i
    p.q += i
    p.generators += i
    p.flips += i
    return p


cdef void take_scheduled_steps(Steps *to_take, Block *b, int64_t steps) noexcept nogil:
    """Take the steps of agents whose parameters change, group by group of lanes, FG_AHEAD steps at a time."""
    cdef fg_player players[FG_MOST_PLAYERS]
    cdef fg_records recorded
    cdef Seat *s
    cdef int64_t group = FG_GROUP, ahead = FG_AHEAD, first, i, n, t, m
    cdef int j, p
    for i from 0 <= i < b.lanes by group:
        n = min(group, b.lanes - i)
        for j in range(b.agents):
            players[j] = from_lane(to_take.players[j], i)
        recorded = to_take.recorded
        recorded.tallying += i
        if recorded.counts != NULL:
            recorded.counts += i * b.joint_actions
        for t from 0 <= t < steps by ahead:
            m = min(ahead, steps - t)
            for j in range(b.agents):
                s = &b.seats[j]
                first = t if s.row == NULL else s.row[0] + t
                look_steps_ahead(s, b.lanes, i, n, first, m)
            to_take.run(FG_MIXED, b.lanes, n, m, players, &recorded if to_take.records else NULL)
    for j in range(b.agents):
        s = &b.seats[j]
        if s.row != NULL:
            s.row[0] += steps
        for p in range(s.parameters):
            use_parameter(s, b.lanes, p)


cdef void take_steps(Steps *to_take, Block *b, int64_t steps) noexcept nogil:
    if to_take.scheduled:
        take_scheduled_steps(to_take, b, steps)
    else:
        to_take.run(to_take.agents, b.lanes, b.lanes, steps, to_take.players,
                    &to_take.recorded if to_take.records else NULL)
