# Two epsilon-greedy Q-learners at matching pennies, one replica after the other, without the GIL.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from fastgames.cy cimport choice, qlearning, streams

import numpy as np

cdef double[2][2] PAYOFF = [[1.0, -1.0], [-1.0, 1.0]]  # of agent 0; agent 1 loses what it wins


cdef void play_one(
    double *q,  # IN OUT (agents, actions)
    streams.Stream *stream,  # IN OUT (agents,)
    int64_t steps,
    double alpha,
    double epsilon,
) noexcept nogil:
    cdef Py_ssize_t[2] action
    cdef Py_ssize_t signal
    cdef double reward
    cdef int64_t t
    cdef int i
    for t in range(steps):
        for i in range(2):
            signal = choice.explore_f64(streams.next_word31(&stream[i]), epsilon, 2)
            action[i] = choice.epsilon_greedy(q + 2 * i, 2, signal)
        reward = PAYOFF[action[0]][action[1]]
        qlearning.update(q, 2, 0, action[0], reward, alpha)  # nothing comes after: no best to add
        qlearning.update(q + 2, 2, 0, action[1], -reward, alpha)


def play(uint64_t seed, int replicas, int64_t steps, double alpha=0.1, double epsilon=0.1):
    """The bits of fg.run(matching_pennies(), QLearner(alpha, explore=EpsilonGreedy(epsilon)), rng=seed).

    Tables (replicas, agents, actions), and where the streams stand (replicas, agents, 4) uint32.
    """
    tables = np.zeros((replicas, 2, 2))
    streams_then = np.empty((replicas, 2, 4), np.uint32)
    cdef double[:, :, ::1] q = tables
    cdef uint32_t[:, :, ::1] state = streams_then
    cdef streams.Stream *stream
    cdef int r, i
    with nogil:
        for r in range(replicas):
            stream = <streams.Stream *>&state[r, 0, 0]
            for i in range(2):
                streams.start(seed, r, i, &stream[i])
            play_one(&q[r, 0, 0], stream, steps, alpha, epsilon)
    return tables, streams_then


# --- the same with every line written here, to see what the calls cost ----------------------------

cdef inline uint32_t turned(uint32_t x, int k) noexcept nogil:
    return (x << k) | (x >> (32 - k))


cdef void play_one_by_hand(
    double *q, uint32_t *state, int64_t steps, double alpha, double epsilon
) noexcept nogil:
    cdef int64_t threshold = <int64_t>(epsilon * 2147483648.0)
    cdef double scale = 2.0 / <double>threshold if threshold > 0 else 0.0
    cdef double reward
    cdef double *row
    cdef uint32_t *s
    cdef uint32_t word, shifted
    cdef int32_t u
    cdef int[2] action
    cdef int64_t t
    cdef int i
    for t in range(steps):
        for i in range(2):
            s = state + 4 * i
            word = turned(s[0] + s[3], 7) + s[0]
            shifted = s[1] << 9
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= shifted
            s[3] = turned(s[3], 11)
            u = <int32_t>(word >> 1)
            row = q + 2 * i
            if u < threshold:
                action[i] = min(1, <int>(<double>u * scale))
            else:
                action[i] = row[1] > row[0]
        reward = PAYOFF[action[0]][action[1]]
        q[action[0]] += alpha * (reward - q[action[0]])
        q[2 + action[1]] += alpha * (-reward - q[2 + action[1]])


def by_hand(uint32_t[:, :, ::1] state, int64_t steps, double alpha=0.1, double epsilon=0.1):
    """The tables, from streams (replicas, 2, 4) that were started elsewhere; those are modified."""
    tables = np.zeros((state.shape[0], 2, 2))
    cdef double[:, :, ::1] q = tables
    cdef int r
    with nogil:
        for r in range(state.shape[0]):
            play_one_by_hand(&q[r, 0, 0], &state[r, 0, 0], steps, alpha, epsilon)
    return tables
