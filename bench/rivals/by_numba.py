"""Numba: a plain jitted loop, and an expert's loop over lanes for one game."""

import os

import numba
import numpy as np

STEPS = 20_000
CACHE = os.environ.get("RIVALS_NUMBA_CACHE") == "1"  # compiled code kept between processes


@numba.njit(cache=CACHE)
def pennies(runs):
    """W1: the textbook's loop, actions by comparison."""
    total = 0.0
    for seed in range(runs):
        np.random.seed(seed)
        q0 = q1 = p0 = p1 = 0.0
        for _ in range(STEPS):
            a = int(np.random.random() * 2) if np.random.random() < 0.1 else int(q1 > q0)
            b = int(np.random.random() * 2) if np.random.random() < 0.1 else int(p1 > p0)
            r = 1.0 if a == b else -1.0
            if a:
                q1 += 0.1 * (r - q1)
            else:
                q0 += 0.1 * (r - q0)
            if b:
                p1 += 0.1 * (-r - p1)
            else:
                p0 += 0.1 * (-r - p0)
        total += q0 + q1
    return total / runs


@numba.njit(fastmath=True, cache=CACHE)
def _block(s, q0, q1, p0, p1, alpha, lanes):
    """Step `lanes` runs with xoshiro128+: one word for both agents, 15 bits and a coin each."""
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    one = alpha / alpha
    threshold = np.uint32(round(0.1 * 32768))
    for _ in range(STEPS):
        for i in range(lanes):
            a0, a1, a2, a3 = s0[i], s1[i], s2[i], s3[i]
            z = np.uint32(a0 + a3)
            w = np.uint32(a1 << np.uint32(9))
            a2 = np.uint32(a2 ^ a0)
            a3 = np.uint32(a3 ^ a1)
            a1 = np.uint32(a1 ^ a2)
            a0 = np.uint32(a0 ^ a3)
            s0[i], s1[i], s2[i] = a0, a1, np.uint32(a2 ^ w)
            s3[i] = np.uint32((a3 << np.uint32(11)) | (a3 >> np.uint32(21)))
            u = np.uint32(z >> np.uint32(16))
            v = np.uint32(z & np.uint32(0xFFFF))
            a, b, c, d = q0[i], q1[i], p0[i], p1[i]
            up = (u & np.uint32(1)) != 0 if np.uint32(u >> np.uint32(1)) < threshold else b > a
            left = (v & np.uint32(1)) != 0 if np.uint32(v >> np.uint32(1)) < threshold else d > c
            x = one if up == left else -one
            q1[i] = b + alpha * (x - b) if up else b
            q0[i] = a if up else a + alpha * (x - a)
            p1[i] = d - alpha * (x + d) if left else d
            p0[i] = c if left else c - alpha * (x + c)


def pennies_lanes(runs, real=np.float32, lanes=128):
    """W1 in lanes with fast-math: full blocks of lanes, at least one."""
    total, blocks = 0.0, max(1, runs // lanes)
    for seed in range(blocks):
        s = np.random.default_rng(seed).integers(1, 2**32, (4, lanes), dtype=np.uint32)
        tables = np.zeros((4, lanes), real)
        _block(s, *tables, real(0.1), lanes)
        total += float(tables[:2].sum(dtype=np.float64))
    return total / (blocks * lanes)


@numba.njit
def stepping(runs):
    """W2: a plain loop."""
    payoffs, total = np.array([[1.0, -1.0], [-1.0, 1.0]]), 0.0
    for seed in range(runs):
        np.random.seed(seed)
        for _ in range(STEPS):
            total += payoffs[int(np.random.random() * 2), int(np.random.random() * 2)]
    return total / (runs * STEPS)


@numba.njit
def pricing(payoffs, start, steps, runs):
    """W3: the textbook's loop."""
    m, total = start.shape[1], 0.0
    a = np.zeros(2, np.int64)
    for seed in range(runs):
        np.random.seed(seed)
        q = np.empty((2, m * m, m))
        for i in range(2):
            q[i] = start[i]
        s = 0
        for t in range(steps):
            epsilon = np.exp(-4e-6 * t)
            for i in range(2):
                explores = np.random.random() < epsilon
                a[i] = int(np.random.random() * m) if explores else np.argmax(q[i, s])
            s2 = a[0] * m + a[1]
            for i in range(2):
                target = payoffs[i, a[0], a[1]] + 0.95 * q[i, s2].max()
                q[i, s, a[i]] += 0.15 * (target - q[i, s, a[i]])
            s = s2
        total += q[0, s].max()
    return total / runs


@numba.njit
def _argmax(row):
    k = 0
    for i in range(1, len(row)):
        if row[i] > row[k]:
            k = i
    return k


@numba.njit
def pricing_cached(payoffs, start, steps, runs):
    """W3, an expert's version: stores each row's maximum and rescans only lowered rows."""
    m, total, factor = start.shape[1], 0.0, np.exp(-4e-6)
    a, x = np.zeros(2, np.int64), np.zeros(2)
    for seed in range(runs):
        np.random.seed(seed)
        q = np.empty((2, m * m, m))
        best, top = np.empty((2, m * m), np.int64), np.empty((2, m * m))
        for i in range(2):
            q[i] = start[i]
            best[i] = _argmax(start[i])
            top[i] = start[i].max()
        s, epsilon = 0, 1.0
        for _ in range(steps):
            for i in range(2):
                explores = np.random.random() < epsilon
                a[i] = int(np.random.random() * m) if explores else best[i, s]
            s2 = a[0] * m + a[1]
            for i in range(2):
                old = q[i, s, a[i]]
                x[i] = old + 0.15 * (payoffs[i, a[0], a[1]] + 0.95 * top[i, s2] - old)
            for i in range(2):
                q[i, s, a[i]] = x[i]
                if x[i] > top[i, s]:
                    top[i, s], best[i, s] = x[i], a[i]
                elif a[i] == best[i, s]:
                    best[i, s] = _argmax(q[i, s])
                    top[i, s] = q[i, s, best[i, s]]
            s = s2
            epsilon *= factor
        total += top[0, s]
    return total / runs
