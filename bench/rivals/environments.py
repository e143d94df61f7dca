"""Compare `VectorGame` with other ways of stepping environments from outside.

    python bench/rivals/environments.py [--rounds 7]

8,192 copies of matching pennies and of Calvano's pricing game (225 states). All programs play the
same actions, drawn before; each returns observations and rewards of every step, and its rewards
must sum to ours. "A call a step": the caller has the arrays between two steps. The programs run in
turn, in several rounds; medians of CPU time on one CPU. If JAX, NumPy or PettingZoo is missing,
its line says so.
"""

import argparse
import os
import statistics
import time

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
from machine import fingerprint

import fastgames as fg

COPIES, STEPS, BATCHES = 8192, 2000, 16


_made = {}  # objects that are created or compiled once


def games():
    """Return the two games."""
    pricing = fg.remember(fg.games.logit_bertrand(), periods=1, discount=0.95)
    return [fg.games.matching_pennies(), pricing]


def drawn(game):
    """Return the actions of some steps, which are played repeatedly."""
    rng = np.random.default_rng(1)
    each = [rng.integers(0, a, (BATCHES, COPIES), np.int32) for a in game.num_actions]
    return np.ascontiguousarray(np.stack(each, axis=1))


def ours(game, actions, dtype):
    """Step `VectorGame`."""
    key = game.name, dtype, "ours"
    if key not in _made:
        _made[key] = fg.VectorGame(game, COPIES, rng=1, dtype=dtype)
    envs, total = _made[key], 0.0
    for t in range(STEPS):
        envs.step(actions[t % BATCHES])
        if t >= STEPS - BATCHES:
            total += float(envs.rewards.sum(dtype=np.float64))
    return total


def engine(game, actions, dtype):
    """Run fg.run with fixed policies, drawing and sampling included."""
    policies = [fg.FixedPolicy(np.full(a, 1 / a)) for a in game.num_actions]
    fg.run(game, policies, STEPS, COPIES, rng=1, dtype=dtype, threads=1)


def numpy_arrays(game, actions, dtype):
    """Step by fancy indices in NumPy."""
    rewards = np.asarray(game.payoffs if game.num_states == 1 else game.rewards[:, 0], dtype)
    flat, count = rewards.reshape(2, -1), game.num_actions[1]
    state, total = np.zeros(COPIES, np.int32), 0.0
    for t in range(STEPS):
        joint = actions[t % BATCHES, 0] * count + actions[t % BATCHES, 1]
        got = flat[:, joint]
        state = joint if game.num_states > 1 else state
        if t >= STEPS - BATCHES:
            total += float(got.sum(dtype=np.float64))
    return total


def _jax_step(game, dtype):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    rewards = np.asarray(game.payoffs if game.num_states == 1 else game.rewards[:, 0], dtype)
    flat, count, moves = jnp.asarray(rewards.reshape(2, -1)), game.num_actions[1], game.num_states

    def step(state, action):  # for one environment
        joint = action[0] * count + action[1]
        return (joint if moves > 1 else state), flat[:, joint]

    return jax, jnp, jax.vmap(step, in_axes=(0, 1), out_axes=(0, 1))


def jax_calls(game, actions, dtype):
    """Call a jitted, vmapped step once per step."""
    key = game.name, dtype, "calls"
    if key not in _made:
        jax, jnp, step = _jax_step(game, dtype)
        on_device = [jnp.asarray(a) for a in actions]
        _made[key] = jax.jit(step), on_device, jnp.zeros(COPIES, jnp.int32)
    step, on_device, state = _made[key]
    total = 0.0
    for t in range(STEPS):
        state, got = step(state, on_device[t % BATCHES])
        if t >= STEPS - BATCHES:
            total += float(np.asarray(got).sum(dtype=np.float64))
    state.block_until_ready()
    return total


def jax_scan(game, actions, dtype):
    """Take all steps in one scan, which excludes learners outside JAX."""
    key = game.name, dtype, "scan"
    if key not in _made:
        jax, jnp, step = _jax_step(game, dtype)

        def run(state, actions, sums):
            def one(carry, t):
                state, _ = carry
                state, got = step(state, actions[t % BATCHES])
                return (state, got), jnp.where(t >= STEPS - BATCHES, got.sum(), 0.0)

            start = state, jnp.zeros((2, COPIES), dtype)
            carry, sums = jax.lax.scan(one, start, jnp.arange(STEPS))
            return sums.sum(), carry

        _made[key] = jax.jit(run), jnp.asarray(actions), jnp.zeros(COPIES, jnp.int32)
    run, on_device, state = _made[key]
    return float(run(state, on_device, 0.0)[0])


def pettingzoo(game, actions, dtype):
    """Step one copy of a parallel environment as users write it; it supports one copy only."""
    if game.num_states > 1:
        raise ImportError("its own environment would be another")
    from by_pettingzoo import Pennies

    env, total = Pennies(), 0.0
    env.reset()
    for t in range(STEPS):
        a, b = int(actions[t % BATCHES, 0, 0]), int(actions[t % BATCHES, 1, 0])
        total += sum(env.step({"row": a, "column": b})[1].values())
    return None


def environment(game, actions, dtype):
    """Step one copy of our PettingZoo environment."""
    from fastgames.envs import parallel_env

    env = parallel_env(game)
    env.reset(seed=1)
    first, second = env.possible_agents
    for t in range(STEPS):
        a, b = int(actions[t % BATCHES, 0, 0]), int(actions[t % BATCHES, 1, 0])
        env.step({first: a, second: b})


LINES = [
    ("VectorGame, a call a step", ours, COPIES),
    ("the engine's own stepping (run)", engine, COPIES),
    ("JAX: jit(vmap(step)), a call a step", jax_calls, COPIES),
    ("JAX: all steps in one scan", jax_scan, COPIES),
    ("NumPy, arrays", numpy_arrays, COPIES),
    ("PettingZoo, hand-written, one copy", pettingzoo, 1),
    ("PettingZoo, fastgames.envs, one copy", environment, 1),
]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print({**fingerprint(), "fastgames": fg.__version__, "build": fg.isa})
    for game in games():
        actions = drawn(game)
        for dtype in ("float64", "float32"):
            table(game, actions, dtype, rounds)


def table(game, actions, dtype, rounds):
    """Measure one game with one dtype."""
    print(f"\n{game.name}, {dtype}, {COPIES:,} copies, {STEPS} steps: M environment-steps a second")
    expected = ours(game, actions, dtype)
    rates, notes = {name: [] for name, _, _ in LINES}, {}
    for k in range(rounds + 1):  # the first round warms up and checks
        for name, function, copies in LINES:
            if name in notes and k:
                continue
            began = time.process_time()
            try:
                total = function(game, actions, dtype)
            except ImportError as error:
                notes[name] = f"not timed: {error}"
                continue
            if k:
                rates[name].append(copies * STEPS / (time.process_time() - began) / 1e6)
            elif total is not None:
                close = abs(total - expected) <= 1e-4 * abs(expected) + 1e-6 * COPIES
                assert close, f"{name}: rewards sum to {total}, ours to {expected}"
    best = statistics.median(rates[LINES[0][0]])
    for name, _, _ in LINES:
        if rates[name]:
            middle = statistics.median(rates[name])
            spread = f"({min(rates[name]):,.2f} to {max(rates[name]):,.2f})"
            print(f"  {name:38} {middle:10,.2f} {spread:24} ours is {best / middle:,.1f} times it")
        else:
            print(f"  {name:38} {notes[name]}")


if __name__ == "__main__":
    main()
