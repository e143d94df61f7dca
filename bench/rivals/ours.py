"""fastgames through its public API, on one thread."""

import functools

import numpy as np

import fastgames as fg
from fastgames import _core

STEPS = 20_000
PENNIES = fg.games.matching_pennies()
STAGE = fg.games.logit_bertrand()
PRICING = fg.remember(STAGE, discount=0.95)
MEAN_RIVAL = [STAGE.payoffs[0].mean(axis=1), STAGE.payoffs[1].mean(axis=0)]
START = np.stack(MEAN_RIVAL) / (1 - 0.95)  # equals fg.UniformRivals()


def _run(isa, *args, **options):
    _core.isa = isa or _core.available()[-1]
    return fg.run(*args, rng=7, threads=1, progress=False, **options)


def pennies(runs, dtype="float64", isa=None):
    """W1: return q[0] + q[1] of the row agent in each run."""
    result = _run(isa, PENNIES, fg.QLearner(), steps=STEPS, replicas=runs, dtype=dtype)
    return result.tables[0]["q"].sum(axis=(1, 2))


def pennies_tables(runs, dtype):
    """W1: return the tables of both agents for seed 7, (runs, 2, 2)."""
    result = _run(None, PENNIES, fg.QLearner(), steps=STEPS, replicas=runs, dtype=dtype)
    return np.stack([table["q"][:, 0] for table in result.tables], axis=1)


def stepping(runs, dtype="float64", isa=None):
    """W2: return the row agent's mean payoff in each run; both choose at random."""
    coin, record = fg.FixedPolicy([0.5, 0.5]), fg.Record(rewards=True)
    result = _run(isa, PENNIES, coin, steps=STEPS, replicas=runs, dtype=dtype, record=record)
    return result.mean_reward[:, 0]


def pricing(runs, dtype="float64", isa=None, steps=1_000_000, initial=None):
    """W3: return the row agent's largest value in the last state of each run."""
    learner = fg.QLearner(
        alpha=0.15,
        explore=fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6)),
        initial=fg.UniformRivals() if initial is None else initial,
    )
    result = _run(isa, PRICING, learner, steps=steps, replicas=runs, dtype=dtype)
    return result.tables[0]["q"][np.arange(runs), result.states].max(axis=1)


# Many of our runs, computed once; the rivals' means are compared with theirs.
expected_pennies = functools.cache(lambda: pennies(20_480))
expected_stepping = functools.cache(lambda: stepping(1024))
expected_pricing = functools.cache(
    lambda steps=1_000_000, initial=None: pricing(256, steps=steps, initial=initial)
)


def streams(runs, dtype):
    """Return the first states of the streams of seed 7, (runs, 2, 4), by the stream contract."""
    states = np.empty((runs, 2, 4), np.uint32)
    _core.lanes(dtype).start_streams(7, 0, 2, states)
    return states


def exploring_words(epsilon, dtype):
    """Return the last word that explores and the first that explores action 1 of two."""
    threshold, real = int(epsilon * 2**31), np.dtype(dtype).type
    scale = real(2 / threshold)
    u = np.arange(threshold // 2 - 1000, threshold // 2 + 1000)
    half = u[(u.astype(real) * scale).astype(int) >= 1][0]
    return 2 * threshold - 1, 2 * int(half)
