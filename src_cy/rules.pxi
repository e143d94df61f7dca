# Passes that call rules compiled by Numba, and passes that prepare the arguments of those rules.

cdef void draw_words(Seat *s, int64_t lanes, int steps) noexcept nogil:
    """Draw the random words from which an agent's own rule makes its signals."""
    fg_draw_words(steps * s.words, lanes, s.stream, s.u)


def draw_all_words(uint32_t[:, ::1] streams, int64_t[:, ::1] words):
    """Draw 31-bit words for callers outside the engine.

    streams: (4, n) uint32, modified in place; words: (count, n) int64, overwritten.
    """
    with nogil:
        fg_draw_words(words.shape[0], words.shape[1], &streams[0, 0], &words[0, 0])


cdef void act_by_rule(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Table *t = <Table *>context
    cdef Seat *s = t.seat
    s.act(lanes, t.block.active, s.sizes, s.value, s.tables, s.observation, s.u + k * s.words * lanes, s.drawn,
          s.signals + (k * lanes if s.drawn else 0), s.move, t.block.wrong)


cdef void learn_by_rule(void *context, int64_t lanes, int k) noexcept nogil:
    """Call the rule of an agent that learns at every step."""
    cdef Table *t = <Table *>context
    cdef Seat *s = t.seat
    cdef Block *b = t.block
    s.learn(lanes, b.active, s.sizes, b.counts, s.value, s.tables, b.always, s.observation, s.move, s.target, s.gamma,
            s.next_observation, b.nothing, b.never if b.over == NULL else b.over,
            s.signals + (k * lanes if s.drawn else 0), s.column, b.actions, b.rewards, s.watched, s.flip, b.wrong)


cdef void learn_open(Table *t, int64_t lanes, int k, int32_t *o2, int32_t *a2, int32_t *over) noexcept nogil:
    """Call the rule of an agent in the lanes that are due, with their pending moves."""
    cdef Seat *s = t.seat
    cdef Block *b = t.block
    s.learn(lanes, b.active, s.sizes, b.counts, s.value, s.tables, s.due, s.open_observation, s.open_action, s.gain,
            s.weight, o2, a2, over, s.signals + (k * lanes if s.drawn else 0), s.column, b.actions, b.rewards, s.watched,
            s.flip, b.wrong)


cdef inline bint takes_part(Seat *s, int32_t *states, int64_t i) noexcept nogil:
    """Return whether an agent learns from the step in the state of lane i: if it moves there, or asks for all steps."""
    return s.turns == NULL or s.steps or s.turns[states[i]]


cdef void learn_by_rule_when_due(void *context, int64_t lanes, int k) noexcept nogil:
    """Do the same as learn_when_due_or_cut (rows.pxi), with one call of the rule for all lanes."""
    cdef Table *t = <Table *>context
    cdef Seat *s = t.seat
    cdef Block *b = t.block
    cdef int64_t i
    cdef int over
    cdef bint moves
    if s.defers:
        for i in range(b.active):
            s.due[i] = s.open_observation[i] >= 0 and takes_part(s, b.state, i)
        learn_open(t, lanes, k, s.observation, s.move, b.never)
    for i in range(b.active):
        moves = takes_part(s, b.state, i)
        if moves:
            s.open_observation[i] = s.observation[i]
            s.open_action[i] = s.move[i]
            s.gain[i] = <real>0.0
            s.weight[i] = <real>1.0
        s.due[i] = False
        if s.open_observation[i] < 0:
            continue
        s.gain[i] = s.gain[i] + s.weight[i] * s.target[i]
        s.weight[i] = s.weight[i] * s.gamma[i]
        over = GOES_ON if b.over == NULL else b.over[i]
        moves = takes_part(s, b.next_state, i)
        s.due[i] = over == ENDED or (moves and (over == CUT or not s.defers))
        if s.cuts:
            s.reached[i] = s.next_observation[i]
        if over == CUT and not moves:  # cut before its next turn: the return of the move is not known
            if s.cuts:
                s.due[i] = True
                s.reached[i] = -1
            else:
                s.open_observation[i] = -1
    learn_open(t, lanes, k, s.reached if s.cuts else s.next_observation, b.nothing,
               b.never if b.over == NULL else b.over)
    for i in range(b.active):
        if s.due[i]:
            s.open_observation[i] = -1


cdef inline void gather_member(Team *team, Seat *s, int64_t lanes, int k, int m, int64_t i) noexcept nogil:
    """Gather the next observation and the signals of a member in lane i."""
    cdef int64_t at = i * team.members + m
    cdef int w
    team.o2[at] = s.next_observation[i]
    for w in range(s.words):
        team.signals[at * s.words + w] = s.signals[(k if s.drawn else w) * lanes + i]


cdef void learn_together(Table *t, int64_t lanes, int32_t *due, real *weight) noexcept nogil:
    """Call the rule of a team in the lanes that are due, and count its flips."""
    cdef Team *team = t.seat.team
    cdef Block *b = t.block
    cdef Seat *s
    cdef int m
    cdef int64_t i
    cdef bint watched = t.seat.watched
    team.learn(lanes, b.active, team.sizes, t.seat.value, team.tables, due, team.o, team.a, team.moves, team.o2,
               team.next_moves, team.rewards, weight, b.never if b.over == NULL else b.over, team.signals, watched,
               team.flip, b.wrong)
    if watched:
        for m in range(team.members):
            s = &b.seats[team.agents[m]]
            for i in range(b.active):
                if due[i]:
                    s.flip[i] += team.flip[i * team.members + m]


cdef void learn_as_team(void *context, int64_t lanes, int k) noexcept nogil:
    """Call the rule of a team that learns at every step."""
    cdef Table *t = <Table *>context
    cdef Team *team = t.seat.team
    cdef Block *b = t.block
    cdef Seat *s
    cdef int m
    cdef int64_t i, at
    for m in range(team.members):
        s = &b.seats[team.agents[m]]
        for i in range(b.active):
            at = i * team.members + m
            team.o[at] = s.observation[i]
            team.a[at] = s.move[i]
            team.rewards[at] = s.target[i]
            gather_member(team, s, lanes, k, m, i)
            if s.turns != NULL:
                team.moves[at] = s.turns[b.state[i]]
                team.next_moves[at] = s.turns[b.next_state[i]]
    learn_together(t, lanes, b.always, t.seat.gamma)


cdef inline bint any_moves(Block *b, Team *team, int32_t state) noexcept nogil:
    """Return whether a member of a team moves in a state."""
    cdef int m
    for m in range(team.members):
        if b.seats[team.agents[m]].turns[state]:
            return True
    return False


cdef inline bint open_move(Table *t, int64_t i) noexcept nogil:
    """Open the team's move of this step, if it moves, in lane i; return whether a move is pending."""
    cdef Team *team = t.seat.team
    cdef Block *b = t.block
    cdef Seat *s
    cdef int m
    cdef bint moves = any_moves(b, team, b.state[i]), pending = True
    for m in range(team.members):
        s = &b.seats[team.agents[m]]
        if moves:
            s.open_observation[i] = s.observation[i]
            s.open_action[i] = s.move[i] if s.turns[b.state[i]] else -1
            s.gain[i] = <real>0.0
            s.weight[i] = <real>1.0
        pending = pending and s.open_observation[i] >= 0
    return pending


cdef void learn_as_team_when_due(void *context, int64_t lanes, int k) noexcept nogil:
    """Do the same in games with turns, in the lanes in which a member is to move next or the episode is over."""
    cdef Table *t = <Table *>context
    cdef Team *team = t.seat.team
    cdef Block *b = t.block
    cdef Seat *s
    cdef int m, over
    cdef int64_t i, at
    cdef bint known
    for i in range(b.active):
        team.due[i] = False
        if not open_move(t, i):
            continue
        over = GOES_ON if b.over == NULL else b.over[i]
        known = over == ENDED or any_moves(b, team, b.next_state[i])  # else the return of the move is not known
        team.due[i] = known or (over == CUT and t.seat.cuts)
        for m in range(team.members):
            s = &b.seats[team.agents[m]]
            s.gain[i] = s.gain[i] + s.weight[i] * s.target[i]
            s.weight[i] = s.weight[i] * t.seat.gamma[i]
            at = i * team.members + m
            team.o[at] = s.open_observation[i]
            team.a[at] = max(s.open_action[i], 0)
            team.moves[at] = s.open_action[i] >= 0
            team.next_moves[at] = s.turns[b.next_state[i]]
            team.rewards[at] = s.gain[i]
            gather_member(team, s, lanes, k, m, i)
            if not known:
                team.o2[at] = -1
            if known or over != GOES_ON:
                s.open_observation[i] = -1
    learn_together(t, lanes, team.due, t.seat.weight)


cdef void hear_mediator(void *context, int64_t lanes, int k) noexcept nogil:
    """Draw the mediator's word of this step."""
    cdef Block *b = <Block *>context
    fg_draw_words(1, lanes, b.mediator, b.said)


cdef void count_step(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Block *b = <Block *>context
    cdef int64_t i
    for i in range(lanes):
        b.step[i] += 1


ctypedef struct Copy:  # a table that other agents read after its agent has learned
    Block *block
    char *table                            # (capacity, entries)
    char *before                           # (capacity, entries) the table before anyone learns in this step
    int64_t size                           # bytes of each lane


cdef void keep_table(void *context, int64_t lanes, int k) noexcept nogil:
    cdef Copy *c = <Copy *>context
    memcpy(c.before, c.table, c.block.active * c.size)


cdef void gather_moves(void *context, int64_t lanes, int k) noexcept nogil:
    """Gather every agent's action into b.actions, (lanes, agents)."""
    cdef Block *b = <Block *>context
    cdef int j
    cdef int64_t i
    cdef int32_t *move
    for j in range(b.agents):
        move = b.seats[j].move
        for i in range(b.active):
            b.actions[i * b.agents + j] = move[i]


cdef void gather_turns(void *context, int64_t lanes, int k) noexcept nogil:
    """Gather whether every agent moves in this step into b.moved, (lanes, agents)."""
    cdef Block *b = <Block *>context
    cdef int j
    cdef int64_t i
    for j in range(b.agents):
        for i in range(b.active):
            b.moved[i * b.agents + j] = b.seats[j].turns[b.state[i]]


cdef void gather_rewards(void *context, int64_t lanes, int k) noexcept nogil:
    """Gather every agent's reward into b.rewards, (lanes, agents)."""
    cdef Block *b = <Block *>context
    cdef int j
    cdef int64_t i
    cdef real *target
    for j in range(b.agents):
        target = b.seats[j].target
        for i in range(b.active):
            b.rewards[i * b.agents + j] = target[i]


cdef void find_columns(void *context, int64_t lanes, int k) noexcept nogil:
    """Look up the reward of every action of an agent, given the actions of the others."""
    cdef Table *t = <Table *>context
    cdef Seat *s = t.seat
    cdef Block *b = t.block
    cdef int64_t i, at
    cdef int a
    for i in range(b.active):
        at = b.cell[i] - s.move[i] * s.radix
        for a in range(s.actions):
            s.column[i * s.actions + a] = s.payoffs[at + a * s.radix]


# --- a game of functions ------------------------------------------------------------------------

cdef void imagine(void *context, int64_t lanes, int k) noexcept nogil:
    """Compute the reward of every action of an agent by one step of a copy of the state for each."""
    cdef Table *t = <Table *>context
    cdef Block *b = t.block
    b.imagine_rule(lanes, b.active, t.seat - b.seats, t.seat.actions, b.full_state, b.actions, b.word, b.scratch_state,
                   b.scratch, t.seat.column, b.wrong)


cdef void draw_nature(void *context, int64_t lanes, int k) noexcept nogil:
    """Draw nature's words of this step."""
    cdef Block *b = <Block *>context
    cdef int64_t w
    if b.bitgen != NULL:
        for w in range(b.words):
            b.word[w * lanes] = <int64_t>(b.bitgen.next_double(b.bitgen.state) * 2147483648.0)
    else:
        fg_draw_words(b.words, lanes, b.nature, b.word)


cdef void play(void *context, int64_t lanes, int k) noexcept nogil:
    """Step the game: write rewards, next observations, and whether the episode is over."""
    cdef Block *b = <Block *>context
    cdef int64_t i
    b.play_rule(lanes, b.active, b.observations, b.full_state, b.actions, b.word, b.scratch, b.reward, b.seen_next,
                b.moves_next, b.over, b.wrong)
    if b.time_limit:
        for i in range(b.active):
            b.age[i] += 1
            b.over[i] = CUT if b.over[i] == GOES_ON and b.age[i] >= b.time_limit else b.over[i]


cdef void begin_again(void *context, int64_t lanes, int k) noexcept nogil:
    """Begin the next episode in the lanes in which the episode is over."""
    cdef Block *b = <Block *>context
    cdef fg_generator g
    cdef int64_t i, w
    for i in range(b.active):
        if not b.over[i]:
            continue
        if b.bitgen != NULL:
            for w in range(b.start_words):
                b.start_word[w] = <int64_t>(b.bitgen.next_double(b.bitgen.state) * 2147483648.0)
        else:
            g = fg_generator_of(b.nature + i, lanes)
            for w in range(b.start_words):
                b.start_word[w] = fg_word31(&g)
            fg_keep_generator(g, b.nature + i, lanes)
        b.begin_rule(lanes, i, b.observations, b.full_state, b.start_word, b.seen_next, b.moves_next, b.wrong)
        b.age[i] = 0


cdef void see_on(void *context, int64_t lanes, int k) noexcept nogil:
    """Make the next observations the current ones, and the next turns."""
    cdef Block *b = <Block *>context
    memcpy(b.seen, b.seen_next, b.agents * lanes * sizeof(int32_t))
    if b.moves != NULL:
        memcpy(b.moves, b.moves_next, b.agents * lanes)


cdef void join_wide_moves(void *context, int64_t lanes, int k) noexcept nogil:
    """Compute the index of the joint action, modulo 2^31."""
    cdef Block *b = <Block *>context
    cdef int j
    cdef int64_t i, number
    for i in range(b.active):
        number = 0
        for j in range(b.agents):
            number = (number * b.counts[j] + b.seats[j].move[i]) & 0x7FFFFFFF
        b.joint[i] = <int32_t>number


cdef void keep_rewards(void *context, int64_t lanes, int k) noexcept nogil:
    """Write the rewards and the joint action of this step to the ring buffers of every lane."""
    cdef Block *b = <Block *>context
    cdef int64_t i, at
    cdef int j
    for i in range(b.active):
        at = i * b.last + b.window_at[i]
        b.window[at] = b.joint[i]
        for j in range(b.agents):
            b.reward_window[at * b.agents + j] = b.seats[j].target[i]
        b.window_at[i] = b.window_at[i] + 1 if b.window_at[i] + 1 < b.last else 0
