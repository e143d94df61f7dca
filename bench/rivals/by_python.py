"""Plain Python on lists and floats, with the standard library only.

Every function of the modules `by_…` returns a mean over runs, which must agree with ours.
"""

import math
import random

STEPS = 20_000


def pennies(runs):
    """W1: the mean of the row agent's q[0] + q[1]."""
    total = 0.0
    for seed in range(runs):
        draw = random.Random(seed).random
        payoffs = ((1.0, -1.0), (-1.0, 1.0))
        q, p = [0.0, 0.0], [0.0, 0.0]
        for _ in range(STEPS):
            a = int(draw() * 2) if draw() < 0.1 else int(q[1] > q[0])
            b = int(draw() * 2) if draw() < 0.1 else int(p[1] > p[0])
            r = payoffs[a][b]
            q[a] += 0.1 * (r - q[a])
            p[b] += 0.1 * (-r - p[b])
        total += q[0] + q[1]
    return total / runs


def stepping(runs):
    """W2: the row agent's mean payoff if both choose at random."""
    payoffs, total = ((1.0, -1.0), (-1.0, 1.0)), 0.0
    for seed in range(runs):
        bits = random.Random(seed).getrandbits
        for _ in range(STEPS):
            total += payoffs[bits(1)][bits(1)]
    return total / (runs * STEPS)


def pricing(payoffs, start, steps, runs):
    """W3: the mean of the row agent's largest value in the state where a run ends."""
    m, total, exp = len(start[0]), 0.0, math.exp
    for seed in range(runs):
        draw = random.Random(seed).random
        ours, theirs = payoffs.tolist()
        q = [start[0].tolist() for _ in range(m * m)]
        p = [start[1].tolist() for _ in range(m * m)]
        s = 0
        for t in range(steps):
            epsilon, x, y = exp(-4e-6 * t), q[s], p[s]
            a = int(draw() * m) if draw() < epsilon else x.index(max(x))
            b = int(draw() * m) if draw() < epsilon else y.index(max(y))
            s = a * m + b
            x[a] += 0.15 * (ours[a][b] + 0.95 * max(q[s]) - x[a])
            y[b] += 0.15 * (theirs[a][b] + 0.95 * max(p[s]) - y[b])
        total += max(q[s])
    return total / runs
