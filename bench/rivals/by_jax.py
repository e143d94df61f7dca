"""JAX: a plain program, and the fastest that we found: arrays by action, a xoshiro generator.

`--xla_cpu_prefer_vector_width` sets the width of XLA's vectors, see `compare.py`.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

STEPS = 20_000
jax.config.update("jax_enable_x64", True)  # all types below are explicit


def _xoshiro(s):
    """Return the next word of xoshiro128+, and the next state."""
    a, b, c, d = s
    word, shifted = a + d, b << 9
    c, d = c ^ a, d ^ b
    b, a = b ^ c, a ^ d
    return word, (a, b, c ^ shifted, (d << 11) | (d >> 21))


def _generators(key, shape):
    return tuple(jax.random.bits(key, (4, *shape), jnp.uint32))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _pennies(runs, dtype, unroll, key):
    real = np.dtype(dtype).type
    one, alpha, threshold = real(1), real(0.1), np.uint32(round(0.1 * 32768))

    def step(carry, _):
        generators, q0, q1, p0, p1 = carry
        word, generators = _xoshiro(generators)
        u, v = word >> 16, word & np.uint32(0xFFFF)
        a = jnp.where((u >> 1) < threshold, (u & 1).astype(bool), q1 > q0)
        b = jnp.where((v >> 1) < threshold, (v & 1).astype(bool), p1 > p0)
        r = jnp.where(a == b, one, -one)
        q0, q1 = jnp.where(a, q0, q0 + alpha * (r - q0)), jnp.where(a, q1 + alpha * (r - q1), q1)
        p0, p1 = jnp.where(b, p0, p0 - alpha * (r + p0)), jnp.where(b, p1 - alpha * (r + p1), p1)
        return (generators, q0, q1, p0, p1), None

    zeros = jnp.zeros(runs, real)
    start = (_generators(key, (runs,)), zeros, zeros, zeros, zeros)
    end = jax.lax.scan(step, start, None, length=STEPS, unroll=unroll)[0]
    return (end[1] + end[2]).astype(jnp.float64).mean()


def pennies(runs, dtype="float32", width=1024, unroll=4):
    """W1, the fastest version: `width` runs at once, four steps in one pass over them."""
    batches = -(-runs // width)
    size = -(-runs // batches)  # one size, so that it compiles once
    sums = [_pennies(size, dtype, unroll, jax.random.key(seed)) for seed in range(batches)]
    return float(sum(sums)) / batches


@functools.partial(jax.jit, static_argnums=0)
def _first_try(runs, key):
    payoffs = jnp.array([[1.0, -1.0], [-1.0, 1.0]], jnp.float32)

    def one(key):
        def step(carry, _):
            key, q, p = carry
            key, k1, k2, k3, k4 = jax.random.split(key, 5)
            explores = jax.random.uniform(k1, dtype=jnp.float32) < 0.1
            a = jnp.where(explores, jax.random.randint(k2, (), 0, 2), jnp.argmax(q))
            explores = jax.random.uniform(k3, dtype=jnp.float32) < 0.1
            b = jnp.where(explores, jax.random.randint(k4, (), 0, 2), jnp.argmax(p))
            r = payoffs[a, b]
            q = q.at[a].add(np.float32(0.1) * (r - q[a]))
            p = p.at[b].add(np.float32(0.1) * (-r - p[b]))
            return (key, q, p), None

        zeros = jnp.zeros(2, jnp.float32)
        return jax.lax.scan(step, (key, zeros, zeros), None, length=STEPS)[0][1].sum()

    return jax.vmap(one)(jax.random.split(key, runs)).mean()


def pennies_first_try(runs):
    """W1 as in libraries of environments: the code of one run, vmapped."""
    return float(_first_try(runs, jax.random.key(0)))


@functools.partial(jax.jit, static_argnums=0)
def _stepping(runs, key):
    def step(carry, _):
        generators, total = carry
        word, generators = _xoshiro(generators)
        same = ((word >> 31) ^ (word >> 30)) & 1
        return (generators, total + 1 - 2 * same.astype(jnp.int32)), None

    start = (_generators(key, (runs,)), jnp.zeros(runs, jnp.int32))
    return jax.lax.scan(step, start, None, length=STEPS, unroll=4)[0][1].mean() / STEPS


def stepping(runs):
    """W2: one word for both agents, payoffs by the two bits."""
    return float(_stepping(runs, jax.random.key(0)))


@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def _pricing(payoffs, start, steps, runs, dtype, key):
    real, m = np.dtype(dtype).type, start.shape[1]
    payoffs, start = payoffs.reshape(2, -1).astype(real), start.astype(real)
    base, actions = jnp.arange(runs, dtype=jnp.int32) * (m * m), jnp.arange(m, dtype=jnp.int32)
    inside = {"mode": "promise_in_bounds"}

    def step(carry, t):
        generators, tables, rows, s = carry
        epsilon = jnp.exp(np.float32(-4e-6) * t.astype(jnp.float32))
        words, generators = _xoshiro(generators)
        u = (words >> 8).astype(jnp.float32) * np.float32(2**-24)
        explored = jnp.minimum((u / epsilon * m).astype(jnp.int32), m - 1)
        greedy = [jnp.argmax(row, 1).astype(jnp.int32) for row in rows]
        a = [jnp.where(u[i] < epsilon, explored[i], greedy[i]) for i in range(2)]
        s2 = a[0] * m + a[1]
        after, fetched = [], []
        for i in range(2):
            there = tables[i].at[base + s2].get(**inside)
            old = jnp.take_along_axis(rows[i], a[i][:, None], 1, **inside)[:, 0]
            target = payoffs[i].at[s2].get(**inside) + real(0.95) * there.max(1)
            new = old + real(0.15) * (target - old)
            unique = {"unique_indices": True, "indices_are_sorted": True, **inside}
            after.append(tables[i].at[base + s, a[i]].set(new, **unique))
            stale = (s2 == s)[:, None] & (actions == a[i][:, None])  # fetched before the update
            fetched.append(jnp.where(stale, new[:, None], there))
        return (generators, tuple(after), tuple(fetched), s2), None

    tables = tuple(jnp.tile(row, (runs * m * m, 1)) for row in start)
    rows = tuple(table[base] for table in tables)
    carry = (_generators(key, (2, runs)), tables, rows, jnp.zeros(runs, jnp.int32))
    end = jax.lax.scan(step, carry, jnp.arange(steps, dtype=jnp.int32))[0]
    return end[2][0].max(1).astype(jnp.float64).mean()


def pricing(payoffs, start, steps, runs, dtype="float32"):
    """W3: one table per agent; rows are fetched once and reused in the next step."""
    return float(_pricing(payoffs, start, steps, runs, dtype, jax.random.key(0)))
