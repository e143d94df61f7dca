"""W1 beside what people run instead, interleaved in one run on one CPU: a table of ratios.

    python bench/rivals/pennies.py [--rounds 5]

Rivals: the textbook NumPy listing, a plain njit loop, Numba lanes written for this one game, and
pennies.c beside this file (plain C, branch-free C, C lanes for this one game), built with -O3
-march=native by the C compiler that is there. Ours go through the public API. Every rival's mean
q[0] + q[1] is held against ours: same process, other streams.
"""

from pathlib import Path

import numba
import numpy as np
from interleave import interleave

import fastgames as fg
from fastgames import _core

STEPS = 20_000
GAME = fg.games.matching_pennies()


def textbook(runs):
    """The chapter's listing."""
    payoffs = np.array([[1.0, -1.0], [-1.0, 1.0]])
    total = 0.0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        q, p = np.zeros(2), np.zeros(2)
        for _ in range(STEPS):
            a = rng.integers(2) if rng.random() < 0.1 else np.argmax(q)
            b = rng.integers(2) if rng.random() < 0.1 else np.argmax(p)
            r = payoffs[a, b]
            q[a] += 0.1 * (r - q[a])
            p[b] += 0.1 * (-r - p[b])
        total += q.sum()
    return total / runs


@numba.njit
def njit(runs):
    """The same loop under Numba, actions by comparison."""
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


@numba.njit(fastmath=True)
def _block(s, q0, q1, p0, p1, lanes):
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    alpha, one = np.float32(0.1), np.float32(1)
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


def numba_lanes(runs, lanes=128):
    """An expert's Numba: lanes for this one game, float32, fast-math, one word for both agents."""
    total = 0.0
    for seed in range(runs // lanes):
        s = np.random.default_rng(seed).integers(1, 2**32, (4, lanes), dtype=np.uint32)
        tables = np.zeros((4, lanes), np.float32)
        _block(s, *tables, lanes)
        total += float(tables[:2].sum())
    return total / (runs // lanes * lanes)


def ours(dtype, isa):
    """fastgames through its public API, on one build."""

    def run(runs):
        _core.isa = isa
        result = fg.run(
            GAME,
            fg.QLearner(),
            steps=STEPS,
            replicas=runs,
            rng=7,
            dtype=dtype,
            threads=1,
            progress=False,
        )
        return float(result.tables[0]["q"].sum(axis=(1, 2)).mean())

    return run


def main():
    """Interleave all of them and print medians and ratios."""
    contenders = {
        f"fastgames {isa} {dtype}": (ours(dtype, isa), 10_240)
        for isa in _core.available()
        for dtype in ("float64", "float32")
    }
    contenders |= {
        "numba-lanes-f32": (numba_lanes, 5_120),
        "njit-f64": (njit, 200),
        "textbook-f64": (textbook, 3),
    }
    interleave(
        __doc__.split("\n")[0],
        contenders,
        warm=128,
        steps=STEPS,
        source=Path(__file__).with_name("pennies.c"),
        arguments=["400"],
        best=f"fastgames {_core.available()[-1]} float64",
        check="mean q sum",
    )


if __name__ == "__main__":
    main()
