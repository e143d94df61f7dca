"""Tabular Q-learning (Watkins & Dayan 1992, eq. 1), epsilon-greedy or softmax.

Every rule of a learner has the same form:
    draw(u, p, actions, real) -> signal         what one random word says
    choose(tables, p, o, signal) -> action      tables are read only
    learn(tables, p, o, a, r, o2, ended)        tables are modified in place
    policy(tables, p, o, out)                   writes the probabilities of the actions
`tables` is a tuple of arrays (observations, actions) of one type, `p` the float64 parameters.
"""

import math

import numpy as np

from fastgames.rules.choice import argmax, epsilon_greedy, explore, sample, softmax_weights, unit


def learn(tables, p, o, a, r, o2, ended):
    """q += alpha ((r + gamma best) - q); best = max q at o2 before the update, 0 once ended."""
    q = tables[0]
    real = q.dtype.type
    best = real(0.0)
    if not ended:
        best = q[o2, 0]
        for k in range(1, q.shape[1]):
            best = max(best, q[o2, k])
    target = r + real(p[1]) * best
    q[o, a] = q[o, a] + real(p[0]) * (target - q[o, a])


def draw_explore(u, p, actions, real):
    """p = (alpha, gamma, epsilon)."""
    return explore(u, p[2], actions, real)


def choose_greedy(tables, p, o, signal):
    """Follow the signal, greedy where it says so."""
    return epsilon_greedy(tables[0][o], signal)


def policy_epsilon(tables, p, o, out):
    """Uniform with the probability of exploring, T / 2^31, the rest on the greedy action."""
    row = tables[0][o]
    share = math.floor(p[2] * 2147483648.0) / 2147483648.0
    for a in range(len(row)):
        out[a] = share / len(row)
    out[argmax(row)] += 1.0 - share


def draw_unit(u, p, actions, real):
    """A number in [0, 1)."""
    return unit(u, real)


def choose_softmax(tables, p, o, signal):
    """Sample from the softmax of q[o]; p = (alpha, gamma, temperature)."""
    q = tables[0]
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], p[2], q.dtype.type, weights)
    return sample(weights, q.dtype.type(signal))


def policy_softmax(tables, p, o, out):
    """The softmax weights, normalised."""
    q = tables[0]
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], p[2], q.dtype.type, weights)
    total = 0.0
    for a in range(len(weights)):
        total += float(weights[a])
    for a in range(len(weights)):
        out[a] = float(weights[a]) / total
