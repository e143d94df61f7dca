# Analysis of frozen greedy policies: their limit cycles, each agent's decision problem, and play after a
# deviation. These are plain loops over replicas; no learning step calls them. fastgames/analysis/ checks
# every argument before it calls them.

import numpy as np
from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset

cdef enum:
    MAX_AGENTS = 64

cdef double ROUNDING = 4.5e-16  # relative to the largest value: two units in the last place

# Arrays as `fastgames.games.compact` describes them; NULL if a game does not have them.
ctypedef struct Game:
    int agents
    int64_t states
    int64_t joints
    int64_t rows                            # `states`, or 1 if rewards do not depend on the state
    int64_t variants
    int64_t actions[MAX_AGENTS]
    int64_t stride[MAX_AGENTS]              # stride of each agent's action in the joint action's index
    const double *rewards                   # (agents, variants, rows, joints)
    const int32_t *variant                  # (replicas,); NULL: all replicas play variant 0
    const int32_t *from_state               # (states,) transitions: a Sum
    const int32_t *from_joint               # (joints,)
    const int32_t *next                     # (states * joints,) transitions: a Table
    const int64_t *first                    # (states * joints + 1,) transitions: Chances
    const int32_t *successor                # (entries,)
    const double *probability               # (entries,)
    const uint8_t *terminal                 # (states,)
    const uint8_t *turns                    # (agents, states)
    const int32_t *seen                     # (agents, states) observations
    const int32_t *greedy[MAX_AGENTS]       # (replicas, observations)
    int64_t observations[MAX_AGENTS]
    int32_t start                           # first state of an episode
    int64_t limit                           # steps after which an episode is cut; 0: no limit

# Scratch to evaluate one joint policy for one agent.
ctypedef struct Room:
    int32_t *joint                          # (states,) joint action
    int32_t *after                          # (states,) next state
    double *paid                            # (states,) reward of the agent
    double *value                           # (states,) discounted rewards of the agent
    int32_t *path                           # (states,) states on the walk
    uint8_t *mark                           # (states,) 0: not visited, 1: on the walk, 2: value known


cdef inline double larger(double x, double y) noexcept nogil:
    return y if y > x else x


cdef inline bint moves(const Game *g, int i, int32_t s) noexcept nogil:
    return g.turns == NULL or g.turns[i * g.states + s]


cdef inline int32_t choice(const Game *g, int i, int64_t r, int32_t s) noexcept nogil:
    """Return the action of agent i of replica r in state s; 0 if it does not move there."""
    if not moves(g, i, s):
        return 0
    cdef int32_t o = s if g.seen == NULL else g.seen[i * g.states + s]
    return g.greedy[i][r * g.observations[i] + o]


cdef inline int32_t joint_choice(const Game *g, int64_t r, int32_t s) noexcept nogil:
    cdef int64_t j = 0
    cdef int i
    for i in range(g.agents):
        j += choice(g, i, r, s) * g.stride[i]
    return <int32_t>j


cdef inline int32_t arrives(const Game *g, int32_t s, int64_t j) noexcept nogil:
    """Return the state that follows joint action j in s, terminal or not."""
    if g.next != NULL:
        return g.next[s * g.joints + j]
    return g.from_state[s] + g.from_joint[j]


cdef inline bint ends(const Game *g, int32_t s) noexcept nogil:
    return g.terminal != NULL and g.terminal[s]


cdef inline int32_t step(const Game *g, int32_t s, int64_t j, int64_t *age) noexcept nogil:
    """Return the next state, or the start of a new episode; modify `age`, the steps of the episode."""
    s = arrives(g, s, j)
    age[0] += 1
    if ends(g, s) or age[0] == g.limit:
        age[0] = 0
        return g.start
    return s


cdef inline const double *pays(const Game *g, int i, int64_t r, int32_t s) noexcept nogil:
    """Return the rewards of agent i in state s for every joint action, (joints,)."""
    cdef int64_t v = 0 if g.variant == NULL else g.variant[r]
    return g.rewards + ((i * g.variants + v) * g.rows + (s if g.rows > 1 else 0)) * g.joints


cdef inline double expects(const Game *g, int32_t s, int64_t j, const double *value) noexcept nogil:
    """Return the expected value of the next state; the value of terminal states is 0."""
    cdef double total = 0.0
    cdef int64_t k
    if g.first == NULL:
        return value[arrives(g, s, j)]
    j += s * g.joints
    for k in range(g.first[j], g.first[j + 1]):
        total += g.probability[k] * value[g.successor[k]]
    return total


cdef void find_cycle(
    const Game *g,
    int64_t r,
    int32_t s,              # IN the current state
    int64_t *seen,          # IN OUT (states,) step, counted over all walks, of the last visit to each state
    int64_t *walked,        # IN OUT steps of all walks so far
    int32_t *entry,         # OUT the first state of the cycle
    int64_t *length,        # OUT the length of the cycle in steps
) noexcept nogil:
    cdef int64_t before = walked[0]
    cdef int64_t age = 0
    if g.limit:  # every episode ends, so all episodes but the first are the same
        entry[0] = s = g.start
        length[0] = 0
        while True:
            s = step(g, s, joint_choice(g, r, s), &age)
            length[0] += 1
            if age == 0:
                return
    while seen[s] <= before:
        walked[0] += 1
        seen[s] = walked[0]
        s = step(g, s, joint_choice(g, r, s), &age)
    entry[0] = s
    length[0] = walked[0] + 1 - seen[s]


cdef void evaluate(const Game *g, double discount, Room *m) noexcept nogil:
    """Compute m.value from m.paid and m.after: walk forward to a known or repeated state, then back along the path."""
    cdef int32_t s, t
    cdef int64_t depth, d
    cdef double total, power
    for t in range(g.states):
        m.mark[t] = 0
        if ends(g, t):
            m.mark[t] = 2
            m.value[t] = 0.0
    for t in range(g.states):
        s, depth = t, 0
        while m.mark[s] == 0:
            m.mark[s] = 1
            m.path[depth] = s
            depth += 1
            s = m.after[s]
        if m.mark[s] == 1:  # the walk has closed a cycle at s
            total, power, d = 0.0, 1.0, depth
            while True:
                d -= 1
                total = m.paid[m.path[d]] + discount * total
                power *= discount
                if m.path[d] == s:
                    break
            m.value[s] = total / (1.0 - power)
        while depth > 0:
            depth -= 1
            s = m.path[depth]
            m.mark[s] = 2
            m.value[s] = m.paid[s] + discount * m.value[m.after[s]]


cdef void evaluate_random(const Game *g, double discount, double largest, Room *m) noexcept nogil:
    """Compute m.value in games of chance: sweep from its current values until changes are at the rounding level."""
    cdef double worst, v
    cdef double left = 1.0  # bound of the remaining share of the initial error
    cdef int32_t s
    while left > 1e-17:
        worst = 0.0
        left *= discount
        for s in range(g.states):
            if not ends(g, s):
                v = m.paid[s] + discount * expects(g, s, m.joint[s], m.value)
                worst = larger(worst, fabs(v - m.value[s]))
                m.value[s] = v
        if worst <= ROUNDING * largest:
            return


cdef void value_of(
    const Game *g,
    int i,
    int64_t r,
    double discount,
    double largest,         # IN bound of all values
    Room *m,                # IN OUT joint is read; in games of chance the sweeps start at value
) noexcept nogil:
    """Compute the value of every state for agent i if all agents play m.joint."""
    cdef int32_t s
    for s in range(g.states):
        if not ends(g, s):
            m.paid[s] = pays(g, i, r, s)[m.joint[s]]
            if g.first == NULL:
                m.after[s] = arrives(g, s, m.joint[s])
    if g.first == NULL:
        evaluate(g, discount, m)
    else:
        evaluate_random(g, discount, largest, m)


cdef inline double action_value(
    const Game *g, const double *pay, int32_t s, int64_t j, double discount, const double *value
) noexcept nogil:
    return pay[j] + discount * expects(g, s, j, value)


cdef void best_reply(
    const Game *g,
    int i,
    int64_t r,
    const int32_t *played,  # IN (states,) joint actions
    double discount,
    double largest,         # IN bound of all values
    double *before,         # scratch (states,)
    Room *m,                # IN OUT value: of `played`, then of the best response to the others
) noexcept nogil:
    """Compute agent i's best response by policy iteration (Howard 1960), starting at its current policy."""
    cdef const double *pay
    cdef double best, q, gained
    cdef int64_t a, j, better
    cdef int32_t s
    memcpy(m.joint, played, g.states * sizeof(int32_t))
    while True:
        better = 0
        for s in range(g.states):
            if ends(g, s) or not moves(g, i, s):
                continue
            pay = pays(g, i, r, s)
            best = action_value(g, pay, s, m.joint[s], discount, m.value) + ROUNDING * largest
            j = played[s] - choice(g, i, r, s) * g.stride[i]
            for a in range(g.actions[i]):
                q = action_value(g, pay, s, j, discount, m.value)
                if q > best:
                    best = q
                    better = 1
                    m.joint[s] = <int32_t>j
                j += g.stride[i]
        if not better:
            return
        memcpy(before, m.value, g.states * sizeof(double))
        value_of(g, i, r, discount, largest, m)
        gained = 0.0
        for s in range(g.states):
            gained += m.value[s] - before[s]
        if gained <= 0.0:  # the improvement was rounding only
            return


cdef inline double relative(double change, double base) noexcept nogil:
    return 0.0 if change == 0.0 else change / fabs(base)


cdef inline double share(int64_t part, int64_t whole) noexcept nogil:
    return 1.0 if whole == 0 else <double>part / <double>whole


cdef class Play:
    """Greedy policies of many replicas in one game.

    Parameters
    ----------
    num_states : int
        Number of states.
    actions : tuple of int
        Number of actions of every agent.
    greedy : list of (replicas, observations) int32, one for each agent
        The policies.
    rewards, terminal, turns, observations : arrays or None, as in `Compact`
        The game.
    variant : (replicas,) int or None
        The variant that each replica plays; None: variant 0.
    start, time_limit : int
        The first state of an episode; the steps after which one is cut, 0: no limit.
    from_state, from_joint | next | first, successor, probability : arrays
        Transitions that are a Sum | a Table | Chances.

    The methods take replicas first … last - 1, release the GIL, write only to the rows of those
    replicas, and may run in several threads.
    """
    cdef Game g
    cdef list memory

    def __init__(self, int64_t num_states, tuple actions, list greedy, rewards, *, variant=None,
                 int start=0, int64_t time_limit=0, terminal=None, turns=None, observations=None,
                 from_state=None, from_joint=None, next=None,
                 first=None, successor=None, probability=None):
        cdef Game *g = &self.g
        cdef int64_t joints = 1
        cdef int i
        self.memory = []
        g.agents = len(actions)
        g.states = num_states
        for i in reversed(range(g.agents)):
            g.actions[i] = actions[i]
            g.stride[i] = joints
            joints *= actions[i]
            g.observations[i] = greedy[i].shape[1]
            g.greedy[i] = <const int32_t *>self.keep(greedy[i], np.int32)
        g.joints = joints
        g.variants, g.rows = rewards.shape[1], rewards.shape[2]
        g.rewards = <const double *>self.keep(rewards, np.float64)
        g.variant = <const int32_t *>self.keep(variant, np.int32)
        g.from_state = <const int32_t *>self.keep(from_state, np.int32)
        g.from_joint = <const int32_t *>self.keep(from_joint, np.int32)
        g.next = <const int32_t *>self.keep(next, np.int32)
        g.first = <const int64_t *>self.keep(first, np.int64)
        g.successor = <const int32_t *>self.keep(successor, np.int32)
        g.probability = <const double *>self.keep(probability, np.float64)
        g.terminal = <const uint8_t *>self.keep(terminal, np.uint8)
        g.turns = <const uint8_t *>self.keep(turns, np.uint8)
        g.seen = <const int32_t *>self.keep(observations, np.int32)
        g.start = start
        g.limit = time_limit

    cdef const void *keep(self, array, dtype):
        if array is None:
            return NULL
        array = np.ascontiguousarray(array, dtype)
        self.memory.append(array)
        return <const void *><size_t>array.ctypes.data

    cdef Room room(self, list memory):
        """Return scratch arrays; `memory` owns them."""
        cdef Room m
        cdef list arrays = [np.zeros(self.g.states, dtype) for dtype in
                            (np.int32, np.int32, np.float64, np.float64, np.int32, np.uint8)]
        memory.extend(arrays)
        addresses = [array.ctypes.data for array in arrays]
        m.joint = <int32_t *><size_t>addresses[0]
        m.after = <int32_t *><size_t>addresses[1]
        m.paid = <double *><size_t>addresses[2]
        m.value = <double *><size_t>addresses[3]
        m.path = <int32_t *><size_t>addresses[4]
        m.mark = <uint8_t *><size_t>addresses[5]
        return m

    def find_cycles(self, int64_t first, int64_t last, const int32_t[::1] start,
                    int32_t[::1] entry, int64_t[::1] length):
        """Find the limit cycle of play from `start`: write its first state and its length.

        start: IN (replicas,); entry, length: OUT (replicas,)
        """
        cdef int64_t[::1] seen = np.zeros(self.g.states, np.int64)
        cdef int64_t walked = 0
        cdef int64_t r
        with nogil:
            for r in range(first, last):
                find_cycle(&self.g, r, start[r], &seen[0], &walked, &entry[r], &length[r])

    def follow_cycles(self, int64_t first, int64_t last, const int32_t[::1] entry,
                      const int64_t[::1] offsets, int32_t[::1] states, int32_t[:, ::1] actions,
                      double[:, ::1] rewards):
        """Follow every cycle once: write its states, the agents' actions, and their mean rewards.

        entry: IN (replicas,); offsets: IN (replicas + 1,)
        states: OUT (offsets[-1],); actions: OUT (offsets[-1], agents); rewards: OUT (replicas, agents)
        """
        cdef const Game *g = &self.g
        cdef int64_t r, k, age
        cdef int32_t s, j
        cdef int i
        with nogil:
            for r in range(first, last):
                s, age = entry[r], 0
                for i in range(g.agents):
                    rewards[r, i] = 0.0
                for k in range(offsets[r], offsets[r + 1]):
                    j = joint_choice(g, r, s)
                    states[k] = s
                    for i in range(g.agents):
                        actions[k, i] = choice(g, i, r, s)
                        rewards[r, i] += pays(g, i, r, s)[j]
                    s = step(g, s, j, &age)
                for i in range(g.agents):
                    rewards[r, i] /= <double>(offsets[r + 1] - offsets[r])

    def best_responses(self, int64_t first, int64_t last, double discount, double tolerance,
                       bint once, const double[:, ::1] largest, const int64_t[::1] offsets,
                       const int32_t[::1] states, double[:, :, ::1] shares,
                       double[:, :, ::1] losses, double[:, :, ::1] best, double[:, :, ::1] own):
        """Compare every agent's policy with its best responses: write the shares of states with one, and the losses.

        once: IN compare with the best deviation for one step; else with the best response policy
        largest: IN (agents, variants), bound of all values; `tolerance` is relative to it
        offsets, states: IN the cycles, or None
        shares: OUT (replicas, 2, agents + 1), share of all states and of the cycle in which the action is a best
            response; the last entry: in which the actions of all agents are
        losses: OUT (replicas, 2, agents), mean relative loss over all states and over the cycle
        best, own: OUT (replicas, agents, states), value of the best response and of the policy, or None
        """
        cdef const Game *g = &self.g
        cdef list memory = []
        cdef Room m = self.room(memory)
        cdef int32_t[::1] played = np.empty(g.states, np.int32)
        cdef int64_t[::1] passes = np.zeros(g.states, np.int64)  # visits of the cycle to each state
        cdef uint8_t[::1] mutual = np.empty(g.states, np.uint8)
        cdef double[::1] mine = np.zeros(g.states)
        cdef double[::1] before = np.zeros(g.states)
        cdef const double *pay
        cdef double q, most, loss, lost, lost_here, top
        cdef int64_t r, k, a, j, v, live, here, n, n_here, good, good_here
        cdef int32_t s
        cdef int i
        cdef bint fine
        with nogil:
            for r in range(first, last):
                v = 0 if g.variant == NULL else g.variant[r]
                live = here = 0
                memset(&passes[0], 0, g.states * sizeof(int64_t))
                if offsets is not None:
                    for k in range(offsets[r], offsets[r + 1]):
                        passes[states[k]] += 1
                for s in range(g.states):
                    played[s] = joint_choice(g, r, s)
                    mutual[s] = 1
                for i in range(g.agents):
                    top = largest[i, v]
                    memcpy(m.joint, &played[0], g.states * sizeof(int32_t))
                    memset(m.value, 0, g.states * sizeof(double))
                    value_of(g, i, r, discount, top, &m)
                    memcpy(&mine[0], m.value, g.states * sizeof(double))
                    if not once:
                        best_reply(g, i, r, &played[0], discount, top, &before[0], &m)
                    live = here = n = n_here = good = good_here = 0
                    lost = lost_here = 0.0
                    for s in range(g.states):
                        most = 0.0
                        if not ends(g, s):
                            pay = pays(g, i, r, s)
                            most = q = action_value(g, pay, s, played[s], discount, m.value)
                            if moves(g, i, s):
                                j = played[s] - choice(g, i, r, s) * g.stride[i]
                                for a in range(g.actions[i]):
                                    most = larger(most, action_value(
                                        g, pay, s, j + a * g.stride[i], discount, m.value))
                                fine = q >= most - tolerance * top
                                mutual[s] &= fine
                                n += 1
                                n_here += passes[s]
                                good += fine
                                good_here += passes[s] if fine else 0
                            live += 1
                            here += passes[s]
                            loss = larger(0.0, relative(most - mine[s], most))
                            lost += loss
                            lost_here += passes[s] * loss if passes[s] else 0.0
                        if best is not None:
                            best[r, i, s] = most
                            own[r, i, s] = mine[s]
                    shares[r, 0, i] = share(good, n)
                    shares[r, 1, i] = share(good_here, n_here)
                    losses[r, 0, i] = lost / <double>live
                    losses[r, 1, i] = lost_here / <double>here
                good = good_here = 0
                for s in range(g.states):
                    if mutual[s] and not ends(g, s):
                        good += 1
                        good_here += passes[s]
                shares[r, 0, g.agents] = share(good, live)
                shares[r, 1, g.agents] = share(good_here, here)

    def deviate(self, int64_t first, int64_t last, int agent, const int32_t[::1] forced,
                double discount, const double[:, ::1] largest, const int64_t[::1] offsets,
                const int32_t[::1] states, list prices, double[:, :, ::1] price,
                double[:, :, ::1] reward, double[:, ::1] cycle_price, double[::1] gain,
                double[::1] deviated):
        """Force an action of `agent` once in every state of the cycle, and record the play that follows.

        forced: IN (replicas,) the action, or None: the action with the largest immediate reward
        offsets, states: IN the cycles
        prices: IN list of (replicas or 1, actions) float64, the price of every action, one array per agent
        price, reward: OUT (replicas, periods, agents), means over the states of the cycle
        cycle_price: OUT (replicas, agents), mean price without a deviation
        gain: OUT (replicas,) mean change of the deviator's discounted rewards, relative to those without a deviation
        deviated: OUT (replicas,) share of the states in which the forced action differs from the policy's
        All but cycle_price are nan if the agent never moves.
        """
        cdef const Game *g = &self.g
        cdef list memory = []
        cdef Room m = self.room(memory)
        cdef const double *grid[MAX_AGENTS]
        cdef int64_t width[MAX_AGENTS]
        cdef int32_t held[MAX_AGENTS]
        cdef int32_t then[MAX_AGENTS]
        cdef const double *pay
        cdef int64_t periods = price.shape[1]
        cdef int64_t r, k, t, a, j, own, age, points
        cdef int32_t s
        cdef int i
        cdef double x
        for i in range(g.agents):
            grid[i] = <const double *><size_t>prices[i].ctypes.data
            width[i] = prices[i].shape[1] if prices[i].shape[0] > 1 else 0
        with nogil:
            for r in range(first, last):
                for s in range(g.states):
                    m.joint[s] = joint_choice(g, r, s)
                value_of(g, agent, r, discount, largest[agent, 0 if g.variant == NULL
                                                        else g.variant[r]], &m)
                for i in range(g.agents):
                    held[i] = 0
                    cycle_price[r, i] = 0.0
                    for t in range(periods):
                        price[r, t, i] = reward[r, t, i] = 0.0
                gain[r] = deviated[r] = 0.0
                points = 0
                for k in range(offsets[r], offsets[r + 1]):  # the agents' last actions when the cycle begins
                    for i in range(g.agents):
                        if moves(g, i, states[k]):
                            held[i] = choice(g, i, r, states[k])
                for k in range(offsets[r], offsets[r + 1]):
                    s = states[k]
                    for i in range(g.agents):
                        if moves(g, i, s):
                            held[i] = choice(g, i, r, s)
                        cycle_price[r, i] += grid[i][r * width[i] + held[i]]
                        then[i] = held[i]
                    if not moves(g, agent, s):
                        continue
                    points += 1
                    pay = pays(g, agent, r, s)
                    own = choice(g, agent, r, s)
                    j = m.joint[s] - own * g.stride[agent]
                    if forced is not None:
                        then[agent] = forced[r]
                    else:
                        then[agent] = 0
                        for a in range(1, g.actions[agent]):
                            if pay[j + a * g.stride[agent]] > pay[j + then[agent] * g.stride[agent]]:
                                then[agent] = <int32_t>a
                    j += then[agent] * g.stride[agent]
                    x = m.value[s]
                    gain[r] += relative(action_value(g, pay, s, j, discount, m.value) - x, x)
                    deviated[r] += then[agent] != own
                    age = k - offsets[r]
                    for t in range(periods):
                        if t > 0:
                            s = step(g, s, j, &age)
                            j = m.joint[s]
                            for i in range(g.agents):
                                if moves(g, i, s):
                                    then[i] = choice(g, i, r, s)
                        for i in range(g.agents):
                            price[r, t, i] += grid[i][r * width[i] + then[i]]
                            reward[r, t, i] += pays(g, i, r, s)[j]
                for i in range(g.agents):
                    cycle_price[r, i] /= <double>(offsets[r + 1] - offsets[r])
                    for t in range(periods):
                        price[r, t, i] /= <double>points
                        reward[r, t, i] /= <double>points
                gain[r] /= <double>points
                deviated[r] /= <double>points
