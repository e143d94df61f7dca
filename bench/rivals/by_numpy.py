"""NumPy: a textbook listing, and many runs at once in arrays."""

import numpy as np

STEPS = 20_000
PAYOFFS = np.array([[1.0, -1.0], [-1.0, 1.0]])


def pennies(runs):
    """W1 as printed: one run after the other."""
    total = 0.0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        q, p = np.zeros(2), np.zeros(2)
        for _ in range(STEPS):
            a = rng.integers(2) if rng.random() < 0.1 else np.argmax(q)
            b = rng.integers(2) if rng.random() < 0.1 else np.argmax(p)
            r = PAYOFFS[a, b]
            q[a] += 0.1 * (r - q[a])
            p[b] += 0.1 * (-r - p[b])
        total += q.sum()
    return total / runs


def pennies_arrays(runs):
    """W1, all runs at once: arrays by action, float32, one uniform for both coins of an agent."""
    rng, one, alpha = np.random.default_rng(0), np.float32(1), np.float32(0.1)
    q, p = np.zeros((2, runs), np.float32), np.zeros((2, runs), np.float32)
    u = np.empty((2, runs), np.float32)
    for _ in range(STEPS):
        rng.random(out=u, dtype=np.float32)
        a = np.where(u[0] < 0.1, u[0] < 0.05, q[1] > q[0])
        b = np.where(u[1] < 0.1, u[1] < 0.05, p[1] > p[0])
        r = np.where(a == b, one, -one)
        up, left = alpha * a, alpha * b
        q[1] += up * (r - q[1])
        q[0] += (alpha - up) * (r - q[0])
        p[1] -= left * (r + p[1])
        p[0] -= (alpha - left) * (r + p[0])
    return float(q.sum(axis=0).mean())


def stepping(runs):
    """W2 as printed."""
    total = 0.0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        for _ in range(STEPS):
            total += PAYOFFS[rng.integers(2), rng.integers(2)]
    return total / (runs * STEPS)


def stepping_arrays(runs):
    """W2 with all steps of a run in one array, which is possible without learners."""
    total = 0.0
    for seed in range(runs):
        a, b = np.random.default_rng(seed).integers(0, 2, (2, STEPS), dtype=np.int8)
        total += PAYOFFS[a, b].sum()
    return total / (runs * STEPS)


def pricing(payoffs, start, steps, runs):
    """W3 as printed."""
    m, total = start.shape[1], 0.0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        q = np.repeat(start[:, None, :], m * m, axis=1)
        s = 0
        for t in range(steps):
            epsilon = np.exp(-4e-6 * t)
            a = rng.integers(m) if rng.random() < epsilon else np.argmax(q[0, s])
            b = rng.integers(m) if rng.random() < epsilon else np.argmax(q[1, s])
            s2 = a * m + b
            q[0, s, a] += 0.15 * (payoffs[0, a, b] + 0.95 * q[0, s2].max() - q[0, s, a])
            q[1, s, b] += 0.15 * (payoffs[1, a, b] + 0.95 * q[1, s2].max() - q[1, s, b])
            s = s2
        total += q[0, s].max()
    return total / runs
