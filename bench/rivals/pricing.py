"""W3 beside what people run instead, interleaved in one run on one CPU: a table of ratios.

    python bench/rivals/pricing.py [--rounds 5]

Calvano's pricing duopoly, a million steps from epsilon = 1. Rivals: a plain njit loop, JAX where it
is installed (a scan over steps of many runs at once, rows gathered, one bit array a step), and
pricing.c beside this file (a plain C loop, and one that keeps each row's maximum). Ours go through
the public API. The check is the row agent's mean largest value in the state where a run ends.
"""

from pathlib import Path

import numba
import numpy as np
from interleave import interleave

import fastgames as fg
from fastgames import _core

STEPS = 1_000_000
STAGE = fg.games.logit_bertrand()
GAME = fg.remember(STAGE, discount=0.95)
START = np.stack([STAGE.payoffs[0].mean(axis=1), STAGE.payoffs[1].mean(axis=0)]) / (1 - 0.95)


@numba.njit
def _njit(payoffs, start, seed):
    np.random.seed(seed)
    m = start.shape[1]
    q = np.empty((2, m * m, m))
    for i in range(2):
        q[i] = start[i]
    s, a = 0, np.zeros(2, np.int64)
    for t in range(STEPS):
        epsilon = np.exp(-4e-6 * t)
        for i in range(2):
            a[i] = np.random.randint(m) if np.random.random() < epsilon else np.argmax(q[i, s])
        s2 = a[0] * m + a[1]
        for i in range(2):
            target = payoffs[i, a[0], a[1]] + 0.95 * q[i, s2].max()
            q[i, s, a[i]] += 0.15 * (target - q[i, s, a[i]])
        s = s2
    return q[0, s].max()


def njit(runs):
    """A plain loop under Numba."""
    return np.mean([_njit(STAGE.payoffs, START, seed) for seed in range(runs)])


def jax_rival():
    """JAX over many runs at once, or None where it is not installed."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    m = START.shape[1]
    payoffs, start = jnp.asarray(STAGE.payoffs.reshape(2, -1)), jnp.asarray(START)

    def go(runs, steps):
        base = jnp.arange(runs) * m * m

        def step(carry, t):
            q, rows, s = carry
            epsilon = jnp.exp(-4e-6 * t)
            u = jax.random.bits(jax.random.fold_in(key, t), (2, runs), jnp.uint32) * 2.0**-32
            explored = jnp.minimum((u / epsilon * m).astype(jnp.int32), m - 1)
            a = jnp.where(u < epsilon, explored, jnp.argmax(rows, 2).astype(jnp.int32))
            s2 = a[0] * m + a[1]
            nexts = q[:, base + s2]
            old = jnp.take_along_axis(rows, a[:, :, None], 2)[:, :, 0]
            new = old + 0.15 * (payoffs[:, s2] + 0.95 * nexts.max(2) - old)
            q = q.at[jnp.arange(2)[:, None], base + s, a].set(new, unique_indices=True)
            same = (s2 == s)[None, :, None] & (jnp.arange(m) == a[:, :, None])
            return (q, jnp.where(same, new[:, :, None], nexts), s2), None

        key = jax.random.key(0, impl="rbg")
        q = jnp.tile(start[:, None], (1, runs * m * m, 1))
        s = jnp.zeros(runs, jnp.int32)
        carry = (q, q[:, base + s], s)
        return jax.lax.scan(step, carry, jnp.arange(steps))[0][1][0].max(1).mean()

    compiled = jax.jit(go, static_argnums=(0, 1))
    return lambda runs: float(compiled(runs, STEPS))


def ours(dtype, isa):
    """fastgames through its public API, on one build."""
    learner = fg.QLearner(
        alpha=0.15,
        explore=fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6)),
        initial=fg.UniformRivals(),
    )

    def run(runs):
        _core.isa = isa
        result = fg.run(
            GAME,
            learner,
            STEPS,
            runs,
            rng=7,
            dtype=dtype,
            threads=1,
            progress=False,
        )
        q = result.tables[0]["q"][np.arange(runs), result.states]
        return float(q.max(axis=1).mean())

    return run


def main():
    """Interleave all of them and print medians and ratios."""
    contenders = {
        f"fastgames {isa} {dtype}": (ours(dtype, isa), 64)
        for isa in _core.available()
        for dtype in ("float64", "float32")
    }
    contenders["njit-f64"] = (njit, 2)
    jax = jax_rival()
    if jax is not None:
        contenders["jax-f64"] = (jax, 64)
    interleave(
        __doc__.split("\n")[0],
        contenders,
        warm=64,
        steps=STEPS,
        source=Path(__file__).with_name("pricing.c"),
        arguments=["4"],
        best=f"fastgames {_core.available()[-1]} float64",
        check="mean value",
    )


if __name__ == "__main__":
    main()
