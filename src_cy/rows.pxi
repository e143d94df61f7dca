# Passes that choose and learn for agents whose tables have rows, so that observations differ between lanes.

cdef extern from "rows.h" nogil:
    enum: FG_ROW_LANES
    ctypedef struct fg_rows:
        real alpha[]
        real gamma[]
        int64_t first[]
        int32_t action[]
        int32_t prefers[]
        int32_t flip[]
        int64_t lanes
        int64_t wide
        int far
        int64_t actions
        int64_t stride
        real *q
        const real *payoffs
        const int32_t *cell
        const int32_t *now
        const int32_t *next
        const int32_t *over
    int64_t fg_row_stride(int64_t actions)
    void fg_learn(int ends, int watched, fg_rows *s)
    void fg_prefer(const int32_t *over, fg_rows *s)
    void fg_act_while_falling(int64_t lanes, int64_t actions, double *v, const double *factor, const double *least,
                              uint32_t *generators, const int32_t *prefers, int32_t *action)
    int fg_row_kind(int64_t actions)
    int32_t fg_scan_row(int kind, int64_t actions, const real *row, real *best)
    void fg_find_rows(fg_rows *s)
    enum: FG_ENTRIES

ctypedef struct Table:  # one agent of a block
    Block *block
    Seat *seat
    fg_rows *rows


# --- choose -------------------------------------------------------------------------------------

cdef inline void follow_rows(
    int64_t lanes,
    reals signals,     # IN (lanes,)
    ints prefers,      # IN (lanes,)
    ints move,         # OUT (lanes,) the signal if it is an action, else the greedy action
) noexcept nogil:
    cdef int64_t i
    cdef int32_t x
    for i in range(lanes):
        x = <int32_t>signals[i]
        move[i] = prefers[i] if x < 0 else x


cdef inline void fetch_columns(Seat *s, int64_t active, int64_t lanes, real *columns) noexcept nogil:
    """Gather the rows of the current observations into `columns`, (actions, lanes)."""
    cdef int64_t i
    cdef int a
    cdef real *row
    for i in range(active):
        row = own(s, i) + s.observation[i] * s.stride
        for a in range(s.actions):
            columns[a * lanes + i] = row[a]


cdef inline void as_moves(
    int64_t lanes,
    reals action,      # IN (lanes,)
    ints move,         # OUT (lanes,)
) noexcept nogil:
    cdef int64_t i
    for i in range(lanes):
        move[i] = <int32_t>action[i]


cdef void move_as_chosen(void *context, int64_t lanes, int k) noexcept nogil:
    """Convert the actions of an agent whose table is in columns to moves, after it has chosen along the lanes."""
    cdef Seat *s = (<Table *>context).seat
    as_moves(lanes, s.action, s.move)


cdef void choose_preferred(void *context, int64_t lanes, int k) noexcept nogil:
    """Choose epsilon-greedily, with the greedy action known from the previous step."""
    cdef Seat *s = (<Table *>context).seat
    follow_rows(lanes, s.signals + k * lanes, s.prefers, s.move)


cdef void act_while_falling(void *context, int64_t lanes, int k) noexcept nogil:
    """Draw and choose epsilon-greedily, if epsilon falls exponentially and nothing else is scheduled."""
    cdef Seat *s = (<Table *>context).seat
    cdef int64_t at = s.epsilon_at * lanes
    fg_act_while_falling(lanes, s.actions, s.first + at, s.second + at, s.third + at, s.stream, s.prefers, s.move)


cdef void draw_nothing(Seat *s, int64_t lanes, int steps) noexcept nogil:
    """No-op: the agent draws no words, or its choosing pass draws them."""


cdef void choose_greedy_rows(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = (<Table *>context).seat
    fg_prefer(NULL, (<Table *>context).rows)
    follow_rows(lanes, s.signals + k * lanes, s.prefers, s.move)


cdef void choose_softmax_rows(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Seat *s = (<Table *>context).seat
    fetch_columns(s, (<Table *>context).block.active, lanes, s.columns)
    choose_by_softmax(s, s.columns, lanes, k)
    as_moves(lanes, s.action, s.move)


cdef void choose_fixed_rows(void *context, int64_t lanes, int k) noexcept nogil:
    """Sample actions from the table of a fixed policy, which holds running sums (LaneBlock writes them)."""
    cdef Seat *s = (<Table *>context).seat
    fetch_columns(s, (<Table *>context).block.active, lanes, s.columns)
    choose_by_sums(s, s.columns, lanes, k)
    as_moves(lanes, s.action, s.move)


cdef void stay_out(void *context, int64_t lanes, int k) noexcept nogil:
    """Set the action to 0 in the lanes in which it is not the agent's turn."""
    cdef Seat *s = (<Table *>context).seat
    cdef Block *b = (<Table *>context).block
    cdef int64_t i
    for i in range(lanes):
        s.move[i] = s.move[i] if s.turns[b.state[i]] else 0


# --- learn --------------------------------------------------------------------------------------

cdef void learn_rows(void *context, int64_t lanes, int k) noexcept nogil:
    """Update one Q-value per lane, for a `simple` agent (see Seat)."""
    cdef Table *t = <Table *>context
    fg_learn(t.block.ends, t.seat.watched, t.rows)


cdef void find_rows(void *context, int64_t lanes, int k) noexcept nogil:
    fg_find_rows((<Table *>context).rows)


cdef inline real *own(Seat *s, int64_t i) noexcept nogil:
    """Return the table of lane i, (observations, stride)."""
    return s.table + i * s.observations * s.stride


cdef inline int64_t *own_visits(Seat *s, int64_t i) noexcept nogil:
    return NULL if s.visits == NULL else s.visits + i * s.observations * s.stride


cdef inline real expectation(Seat *s, int64_t lanes, int64_t i, const real *q) noexcept nogil:
    """Return the expected value of a row under the current policy; twin of expected_* in learners/sarsa.py."""
    cdef int a
    cdef real best, total, share, weight
    fg_scan_row(s.kind, s.actions, q, &best)
    if s.softmax:
        share = exponential((q[0] - best) / s.temperature[i])
        total = share * q[0]
        for a in range(1, s.actions):
            weight = exponential((q[a] - best) / s.temperature[i])
            total = total + weight * q[a]
            share = share + weight
        return total / share
    total = q[0]
    for a in range(1, s.actions):
        total = total + q[a]
    share = <real>(floor(s.value[s.epsilon_at * lanes + i] * 2147483648.0) / 2147483648.0)
    return (<real>1.0 - share) * best + share * (total / <real>s.actions)


cdef inline real worth(Seat *s, int64_t lanes, int64_t i, const real *q, int64_t a2) noexcept nogil:
    """Return the value of the next observation, whose row is q and whose action is a2, or -1 if not known."""
    cdef real best
    if s.bootstrap == MAX:
        fg_scan_row(s.kind, s.actions, q, &best)
        return best
    if s.bootstrap == NEXT and a2 >= 0:
        return q[a2]
    return expectation(s, lanes, i, q)


cdef inline real step_size(Seat *s, int64_t lanes, int64_t i, int64_t *visits) noexcept nogil:
    """Return alpha, or visits^-power after counting this visit (rules/stepsize.py)."""
    cdef double power
    if visits == NULL:
        return s.alpha[i]
    visits[0] += 1
    power = s.value[s.power_at * lanes + i]
    if power == 1.0:
        return <real>(1.0 / <double>visits[0])
    return <real>exponential_double(-power * logarithm(<double>visits[0]))


cdef void learn_one(
    Table *t, int64_t lanes, int64_t i,
    int64_t o, int64_t a, real gain, real weight,  # IN observation, action, rewards since, discount of what follows
    int64_t o2, int64_t a2, int ended,             # IN next observation, action there or -1, whether terminal
    real *column,                                  # IN (actions,) the reward of every own action, or NULL
) noexcept nogil:
    """Update lane i from one move; if watched, count a change of the row's greedy action."""
    cdef Seat *s = t.seat
    cdef real *q = own(s, i)
    cdef real *row = q + o * s.stride
    cdef int64_t *visits = own_visits(s, i)
    cdef real value, alpha, best
    cdef int32_t before = 0
    cdef int64_t b
    if s.watched:
        before = fg_scan_row(s.kind, s.actions, row, &best)
    value = <real>0.0 if ended else worth(s, lanes, i, q + o2 * s.stride, a2)
    if s.counterfactual:
        for b in range(s.actions):
            alpha = step_size(s, lanes, i, NULL if visits == NULL else visits + o * s.stride + b)
            row[b] = q_update(row[b], alpha, column[b] + weight * value)
    else:
        alpha = step_size(s, lanes, i, NULL if visits == NULL else visits + o * s.stride + a)
        value = gain + weight * value
        if s.hysteretic and value < row[a]:
            alpha = s.beta[i]
        row[a] = q_update(row[a], alpha, value)
    if s.watched and fg_scan_row(s.kind, s.actions, row, &best) != before:
        t.rows.flip[i] += 1


cdef void learn_at_once(void *context, int64_t lanes, int k) noexcept nogil:
    """Update an agent that moves at every step and learns at once."""
    cdef Table *t = <Table *>context
    cdef Seat *s = t.seat
    cdef Block *b = t.block
    cdef int64_t i, at
    cdef int a
    cdef real weight
    for i in range(b.active):
        learn_one(t, lanes, i, s.observation[i], s.move[i], s.target[i], s.gamma[i], s.next_observation[i], -1,
                  b.over != NULL and b.over[i] == ENDED, s.column + i * s.actions)


cdef inline void learn_due(void *context, int64_t lanes, bint cuts) noexcept nogil:
    """Let an agent that takes turns, or waits for its next action, learn from the rewards since its move.

    cuts: whether a time limit may cut an episode before the agent's next turn. A constant, so that it costs nothing.
    """
    cdef Table *t = <Table *>context
    cdef Seat *s = t.seat
    cdef Block *b = t.block
    cdef int64_t i
    cdef bint over
    for i in range(b.active):
        if s.turns == NULL or s.turns[b.state[i]]:
            if s.defers and s.open_observation[i] >= 0:
                learn_one(t, lanes, i, s.open_observation[i], s.open_action[i], s.gain[i], s.weight[i],
                          s.observation[i], s.move[i], False, NULL)
            s.open_observation[i] = s.observation[i]
            s.open_action[i] = s.move[i]
            s.gain[i] = <real>0.0
            s.weight[i] = <real>1.0
        if s.open_observation[i] < 0:
            continue
        s.gain[i] = s.gain[i] + s.weight[i] * s.target[i]
        s.weight[i] = s.weight[i] * s.gamma[i]
        over = b.over != NULL and b.over[i] != GOES_ON
        if cuts and over and b.over[i] == CUT and not s.turns[b.next_state[i]]:
            s.open_observation[i] = -1  # discard the move: its return is not known
        elif over or (not s.defers and s.turns[b.next_state[i]]):
            learn_one(t, lanes, i, s.open_observation[i], s.open_action[i], s.gain[i], s.weight[i],
                      s.next_observation[i], -1, over and b.over[i] == ENDED, s.column + i * s.actions)
            s.open_observation[i] = -1


cdef void learn_when_due(void *context, int64_t lanes, int k) noexcept nogil:
    """Update the lanes in which the agent is to move next or the episode is over."""
    learn_due(context, lanes, False)


cdef void learn_when_due_or_cut(void *context, int64_t lanes, int k) noexcept nogil:
    """Do the same in games with turns and a time limit, which discards moves that the limit cuts."""
    learn_due(context, lanes, True)
