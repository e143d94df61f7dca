"""Compare rules called in a user's Numba loop with the same lines written there and fg.run.

    python bench/rivals/embedded.py [--rounds 9] [--only pennies pricing]

Medians of CPU time on one CPU without compilation; the programs run in turn, in several rounds.
It fails unless all three give the same bits.
"""

import argparse
import os
import statistics
import sys
import time

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numba
import numpy as np

import fastgames as fg
from fastgames import jit

SEED = 7
PENNIES = fg.games.matching_pennies()
STAGE = fg.games.logit_bertrand()
PRICING = fg.remember(STAGE, discount=0.95)
FALLING = fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6))
FACTOR = jit.rules(fg.QLearner(explore=FALLING), PRICING).schedule[2, 1]


# --- our rules, called --------------------------------------------------------------------------


@numba.njit
def pennies_called(payoffs, runs, steps):
    """Two Q-learners at matching pennies; (runs, agents, 1, actions)."""
    q = np.zeros((runs, 2, 1, 2))
    one, other = np.empty(4, np.uint32), np.empty(4, np.uint32)
    p = (0.1, 0.0, 0.1)
    for r in range(runs):
        mine, theirs = (q[r, 0],), (q[r, 1],)
        jit.streams.start(SEED, 0, r, 0, one)
        jit.streams.start(SEED, 0, r, 1, other)
        for _ in range(steps):
            x = jit.choice.explore(jit.streams.next_word(one) >> 1, p[2], 2, np.float64)
            a = jit.choice.epsilon_greedy(q[r, 0, 0], x)
            y = jit.choice.explore(jit.streams.next_word(other) >> 1, p[2], 2, np.float64)
            b = jit.choice.epsilon_greedy(q[r, 1, 0], y)
            jit.qlearning.learn(mine, p, jit.Outcome(0, a, payoffs[0, a, b], p[1], 0, -1, False))
            jit.qlearning.learn(theirs, p, jit.Outcome(0, b, payoffs[1, a, b], p[1], 0, -1, False))
    return q


@numba.njit
def pricing_called(payoffs, start, runs, steps):
    """Calvano's duopoly: a state for each pair of prices; (runs, agents, states, actions)."""
    m = payoffs.shape[1]
    q = np.empty((runs, 2, m * m, m))
    one, other = np.empty(4, np.uint32), np.empty(4, np.uint32)
    for r in range(runs):
        q[r, 0], q[r, 1] = start[0], start[1]
        mine, theirs = (q[r, 0],), (q[r, 1],)
        jit.streams.start(SEED, 0, r, 0, one)
        jit.streams.start(SEED, 0, r, 1, other)
        s, epsilon = 0, 1.0
        for _ in range(steps):
            x = jit.choice.explore(jit.streams.next_word(one) >> 1, epsilon, m, np.float64)
            a = jit.choice.epsilon_greedy(q[r, 0, s], x)
            y = jit.choice.explore(jit.streams.next_word(other) >> 1, epsilon, m, np.float64)
            b = jit.choice.epsilon_greedy(q[r, 1, s], y)
            s2, p = a * m + b, (0.15, 0.95, epsilon)
            jit.qlearning.learn(mine, p, jit.Outcome(s, a, payoffs[0, a, b], p[1], s2, -1, False))
            jit.qlearning.learn(theirs, p, jit.Outcome(s, b, payoffs[1, a, b], p[1], s2, -1, False))
            s = s2
            epsilon *= FACTOR
    return q


# --- the same lines, written there --------------------------------------------------------------


@numba.njit
def pennies_written(payoffs, runs, steps):
    """The same."""
    q = np.zeros((runs, 2, 1, 2))
    one, other = np.empty(4, np.uint32), np.empty(4, np.uint32)
    alpha, gamma, epsilon = 0.1, 0.0, 0.1
    for r in range(runs):
        jit.streams.start(SEED, 0, r, 0, one)
        jit.streams.start(SEED, 0, r, 1, other)
        for _ in range(steps):
            # agent 0: a word, then its action
            s0, s1, s2, s3 = int(one[0]), int(one[1]), int(one[2]), int(one[3])
            total = (s0 + s3) & 0xFFFFFFFF
            u = (((((total << 7) & 0xFFFFFFFF) | (total >> 25)) + s0) & 0xFFFFFFFF) >> 1
            shifted = (s1 << 9) & 0xFFFFFFFF
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            one[0], one[1], one[2] = s0, s1, s2 ^ shifted
            one[3] = ((s3 << 11) & 0xFFFFFFFF) | (s3 >> 21)
            threshold = int(np.floor(epsilon * 2147483648.0))
            a = -1
            if u <= threshold - 1:
                a = min(1, int(u * (2 / threshold)))
            if a == -1:
                a = 0
                best = q[r, 0, 0, 0]
                for k in range(1, 2):
                    if q[r, 0, 0, k] > best:
                        best = q[r, 0, 0, k]
                        a = k
            # agent 1
            s0, s1, s2, s3 = int(other[0]), int(other[1]), int(other[2]), int(other[3])
            total = (s0 + s3) & 0xFFFFFFFF
            u = (((((total << 7) & 0xFFFFFFFF) | (total >> 25)) + s0) & 0xFFFFFFFF) >> 1
            shifted = (s1 << 9) & 0xFFFFFFFF
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            other[0], other[1], other[2] = s0, s1, s2 ^ shifted
            other[3] = ((s3 << 11) & 0xFFFFFFFF) | (s3 >> 21)
            threshold = int(np.floor(epsilon * 2147483648.0))
            b = -1
            if u <= threshold - 1:
                b = min(1, int(u * (2 / threshold)))
            if b == -1:
                b = 0
                best = q[r, 1, 0, 0]
                for k in range(1, 2):
                    if q[r, 1, 0, k] > best:
                        best = q[r, 1, 0, k]
                        b = k
            # both learn
            best = q[r, 0, 0, 0]
            for k in range(1, 2):
                if q[r, 0, 0, k] > best:
                    best = q[r, 0, 0, k]
            target = payoffs[0, a, b] + gamma * best
            q[r, 0, 0, a] = q[r, 0, 0, a] + alpha * (target - q[r, 0, 0, a])
            best = q[r, 1, 0, 0]
            for k in range(1, 2):
                if q[r, 1, 0, k] > best:
                    best = q[r, 1, 0, k]
            target = payoffs[1, a, b] + gamma * best
            q[r, 1, 0, b] = q[r, 1, 0, b] + alpha * (target - q[r, 1, 0, b])
    return q


@numba.njit
def pricing_written(payoffs, start, runs, steps):
    """The same."""
    m, alpha, gamma = payoffs.shape[1], 0.15, 0.95
    q = np.empty((runs, 2, m * m, m))
    one, other = np.empty(4, np.uint32), np.empty(4, np.uint32)
    for r in range(runs):
        q[r, 0], q[r, 1] = start[0], start[1]
        jit.streams.start(SEED, 0, r, 0, one)
        jit.streams.start(SEED, 0, r, 1, other)
        s, epsilon = 0, 1.0
        for _ in range(steps):
            # agent 0: a word, then its action
            s0, s1, s2, s3 = int(one[0]), int(one[1]), int(one[2]), int(one[3])
            total = (s0 + s3) & 0xFFFFFFFF
            u = (((((total << 7) & 0xFFFFFFFF) | (total >> 25)) + s0) & 0xFFFFFFFF) >> 1
            shifted = (s1 << 9) & 0xFFFFFFFF
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            one[0], one[1], one[2] = s0, s1, s2 ^ shifted
            one[3] = ((s3 << 11) & 0xFFFFFFFF) | (s3 >> 21)
            threshold = int(np.floor(epsilon * 2147483648.0))
            a = -1
            if u <= threshold - 1:
                a = min(m - 1, int(u * (m / threshold)))
            if a == -1:
                a = 0
                best = q[r, 0, s, 0]
                for k in range(1, m):
                    if q[r, 0, s, k] > best:
                        best = q[r, 0, s, k]
                        a = k
            # agent 1
            s0, s1, s2, s3 = int(other[0]), int(other[1]), int(other[2]), int(other[3])
            total = (s0 + s3) & 0xFFFFFFFF
            u = (((((total << 7) & 0xFFFFFFFF) | (total >> 25)) + s0) & 0xFFFFFFFF) >> 1
            shifted = (s1 << 9) & 0xFFFFFFFF
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            other[0], other[1], other[2] = s0, s1, s2 ^ shifted
            other[3] = ((s3 << 11) & 0xFFFFFFFF) | (s3 >> 21)
            threshold = int(np.floor(epsilon * 2147483648.0))
            b = -1
            if u <= threshold - 1:
                b = min(m - 1, int(u * (m / threshold)))
            if b == -1:
                b = 0
                best = q[r, 1, s, 0]
                for k in range(1, m):
                    if q[r, 1, s, k] > best:
                        best = q[r, 1, s, k]
                        b = k
            # both learn
            next_s = a * m + b
            best = q[r, 0, next_s, 0]
            for k in range(1, m):
                if q[r, 0, next_s, k] > best:
                    best = q[r, 0, next_s, k]
            target = payoffs[0, a, b] + gamma * best
            q[r, 0, s, a] = q[r, 0, s, a] + alpha * (target - q[r, 0, s, a])
            best = q[r, 1, next_s, 0]
            for k in range(1, m):
                if q[r, 1, next_s, k] > best:
                    best = q[r, 1, next_s, k]
            target = payoffs[1, a, b] + gamma * best
            q[r, 1, s, b] = q[r, 1, s, b] + alpha * (target - q[r, 1, s, b])
            s = next_s
            epsilon *= FACTOR
    return q


# --- fg.run -------------------------------------------------------------------------------------


def run(game, learner, runs, steps):
    """Return the tables of fg.run, (runs, agents, states, actions)."""
    result = fg.run(game, learner, steps, runs, SEED, threads=1, progress=False)
    return np.stack([tables["q"] for tables in result.tables], axis=1)


# --- measured -----------------------------------------------------------------------------------


def workloads():
    """Return by name the number of runs, the steps, and the functions to call."""
    learner = fg.QLearner(alpha=0.15, explore=FALLING, initial=fg.UniformRivals())
    start = np.stack([jit.rules(learner, PRICING, i).tables[0] for i in (0, 1)])
    payoffs = np.ascontiguousarray(PENNIES.payoffs), np.ascontiguousarray(STAGE.payoffs)
    yield (
        "pennies",
        200,
        20_000,
        [
            ("written there", lambda runs, steps: pennies_written(payoffs[0], runs, steps)),
            ("rules called", lambda runs, steps: pennies_called(payoffs[0], runs, steps)),
            ("fg.run", lambda runs, steps: run(PENNIES, fg.QLearner(), runs, steps)),
        ],
    )
    yield (
        "pricing",
        32,
        100_000,
        [
            ("written there", lambda runs, steps: pricing_written(payoffs[1], start, runs, steps)),
            ("rules called", lambda runs, steps: pricing_called(payoffs[1], start, runs, steps)),
            ("fg.run", lambda runs, steps: run(PRICING, learner, runs, steps)),
        ],
    )


def measure(only, rounds):
    """Measure, print, and return whether all tables are equal."""
    good = True
    print(f"{rounds} rounds, one CPU; x: how many times as fast as the same lines written there")
    for name, runs, steps, programs in workloads():
        if name not in only:
            continue
        tables = [function(runs, steps) for _, function in programs]  # compiles
        rates = [[] for _ in programs]
        for k in range(rounds):
            for i in range(len(programs))[:: 1 if k % 2 else -1]:
                began = time.process_time()
                programs[i][1](runs, steps)
                rates[i].append(runs * steps / (time.process_time() - began) / 1e6)
        print(f"\n{name:<16}{'M steps/s':>12}{'min':>10}{'max':>10}{'x':>8}  tables")
        base = statistics.median(rates[0])
        for (title, _), found, q in zip(programs, rates, tables, strict=True):
            same = q.tobytes() == tables[-1].tobytes()
            good &= same
            median = statistics.median(found)
            print(f"  {title:<14}{median:>12,.1f}{min(found):>10,.1f}{max(found):>10,.1f}"
                  f"{median / base:>8.3f}  {'equal' if same else 'DIFFER'}")  # fmt: skip
    return good


def main():
    """Parse the command line, measure, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", choices=("pennies", "pricing"), default=[
        "pennies", "pricing"])  # fmt: skip
    options = parser.parse_args()
    return 0 if measure(options.only, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
