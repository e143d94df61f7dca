"""Check that the loop gives the bits of fg.run, and compare their speed.

python compare.py          check the bits
python compare.py speed    also print game steps per second on one thread, medians of runs in turn
"""

import statistics
import sys
import time

import numpy as np
import pennies

import fastgames as fg

SEED, REPLICAS, STEPS = 2**40 + 7, 50, 2_000


def engine(replicas, steps):
    """Return the result of fg.run."""
    learner = fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))
    return fg.run(
        fg.games.matching_pennies(), learner, steps=steps, replicas=replicas, rng=SEED, threads=1
    )


def same_bits():
    """Check that tables and final streams of the loop equal those of fg.run."""
    result = engine(REPLICAS, STEPS)
    tables, streams = pennies.play(SEED, REPLICAS, STEPS)
    for i in range(2):
        np.testing.assert_array_equal(
            result.tables[i]["q"][:, 0].view("u8"), tables[:, i].view("u8")
        )
    np.testing.assert_array_equal(result.state.streams, streams)
    print(f"{REPLICAS} replicas of {STEPS:,} steps: the bits of fg.run, tables and streams")


def speed(replicas=400, steps=20_000, rounds=7):
    """Print the speed of fg.run, the cimported functions, and the same lines by hand."""
    _, streams = pennies.play(SEED, replicas, 0)
    ways = {
        "fg.run": lambda: engine(replicas, steps),
        "cimported functions": lambda: pennies.play(SEED, replicas, steps),
        "lines by hand": lambda: pennies.by_hand(streams.copy(), steps),
    }
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - begun)
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:20} {replicas * steps / median / 1e6:8.1f} million game steps a second")


if __name__ == "__main__":
    same_bits()
    if sys.argv[1:] == ["speed"]:
        speed()
