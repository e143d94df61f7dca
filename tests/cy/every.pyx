# Every exported function, for Python, with the names and arguments that vectors.txt has.

from libc.stdint cimport int64_t, uint32_t

from fastgames.cy cimport (
    chance, choice, exponential, logarithm, nature, qlearning, schedules, stepsize, streams
)

import numpy as np


def start(seed, replica, role):
    cdef streams.Stream s
    streams.start(seed, replica, role, &s)
    return [s.a, s.b, s.c, s.d]


def next_word(state):
    cdef streams.Stream s, t
    s.a, s.b, s.c, s.d = state
    t = s
    word = streams.next_word(&s)
    assert streams.next_word31(&t) == word >> 1
    return [word, s.a, s.b, s.c, s.d]


def words(state, n):
    cdef streams.Stream s
    s.a, s.b, s.c, s.d = state
    return [streams.next_word(&s) for _ in range(n)]


def philox(counter, key):
    cdef uint32_t[::1] c = np.array(counter, np.uint32)
    streams.philox(&c[0], key[0], key[1])
    return np.asarray(c).tolist()


def explore_f64(u, epsilon, actions):
    return choice.explore_f64(u, epsilon, actions)


def explore_f32(u, epsilon, actions):
    return choice.explore_f32(u, epsilon, actions)


ctypedef fused real:
    float
    double


def argmax(real[::1] row):
    return choice.argmax(&row[0], row.shape[0])


def largest(real[::1] row):
    return choice.largest(&row[0], row.shape[0])


def epsilon_greedy(real[::1] row, Py_ssize_t signal):
    return choice.epsilon_greedy(&row[0], row.shape[0], signal)


def sample(real[::1] weights, double x):
    return choice.sample(&weights[0], weights.shape[0], x)


def softmax_weights(real[::1] row, double temperature):
    out = np.empty_like(np.asarray(row))
    cdef real[::1] view = out
    choice.softmax_weights(&row[0], row.shape[0], temperature, &view[0])
    return out.tolist()


def update(real[:, ::1] q, Py_ssize_t o, Py_ssize_t a, double target, double step):
    qlearning.update(&q[0, 0], q.shape[1], o, a, target, step)
    return np.asarray(q).ravel().tolist()


def discounted_best(real[:, ::1] q, double weight, Py_ssize_t o2, bint ended):
    return qlearning.discounted_best(&q[0, 0], q.shape[1], weight, o2, ended)


def learn(
    real[:, ::1] q, double alpha, Py_ssize_t o, Py_ssize_t a, double gain, double weight, Py_ssize_t o2, bint ended
):
    qlearning.learn(&q[0, 0], q.shape[1], alpha, o, a, gain, weight, o2, ended)
    return np.asarray(q).ravel().tolist()


def visit(visits, power):
    cdef int64_t n = visits
    step = stepsize.visit(&n, power)
    return [n, step]


def pick(const double[::1] sums, x):
    return nature.pick(&sums[0], sums.shape[0], x)


def explored(epsilon):
    return choice.explored(epsilon)


def unit_f64(u):
    return choice.unit_f64(u)


def unit_f32(u):
    return choice.unit_f32(u)


def exp_f64(x):
    return exponential.exp_f64(x)


def exp_f32(x):
    return exponential.exp_f32(x)


def log(x):
    return logarithm.log(x)


def scheduled(value, floor):
    return schedules.exponential(value, floor)


def advance(value, decay):
    return schedules.advance(value, decay)


def linear(start, end, steps, t):
    return schedules.linear(start, end, steps, t)


def hyperbolic(start, offset, power, t):
    return schedules.hyperbolic(start, offset, power, t)


def number(u):
    return chance.number(u)


def below(u, n):
    return chance.below(u, n)


def coin(u):
    return chance.coin(u)


def happens(u, probability):
    return chance.happens(u, probability)


def chained(double[::1] row, double scale, double step):
    """Products of the caller handed on, and products that come back used.

    Each is rounded before it is used, as in Python, though it is one expression to the compiler. No product stands here
    twice: one that is needed for itself as well would not be fused anyway.
    """
    cdef double q = row[0] * scale
    cdef double[3] weights
    cdef int k
    for k in range(3):
        weights[k] = row[2 + k] * scale
    qlearning.update(&q, 1, 0, 0, row[1] * scale, step)
    return [
        q,
        choice.sample(weights, 3, 0.5),
        schedules.linear(row[5] * scale, row[6] * scale, 3.0, 1.0),
        1.0 - schedules.advance(row[7], scale),
        1.0 + qlearning.discounted_best(&row[8], 1, scale, 0, False),
        exponential.exp_f64(row[9] * scale),
    ]
