"""Compare fastgames with other implementations: one table of ratios, measured on one CPU.

    make bench-rivals            # both tables, in an environment of their own
    python bench/rivals/compare.py [--rounds 5] [--only W1 W2 W3]

W1: matching pennies, two epsilon-greedy Q-learners (alpha = epsilon = 0.1), 20,000 steps a run.
W2: the same game, both choose at random, payoffs summed. W3: Calvano's pricing duopoly, a million
steps a run from epsilon = 1. The programs run in turn, in several rounds of alternating order;
medians of CPU time. Every result is checked: means over runs agree with ours within noise (other
streams), or the tables have the same bits (our streams).
"""

import argparse
import importlib
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass, field

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import ours

from fastgames import _core

if "v4" in _core.available():  # fastest for XLA in measurements
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_prefer_vector_width=512")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

NOISE = 4.0  # means agree if they differ by at most this many standard errors


@dataclass
class Contender:
    """One line of the table."""

    name: str
    measure: object  # function that returns (game-steps per CPU second, mean, runs or verdict)
    expected: object = None  # function that returns the value of each of our runs
    short: bool = False  # fewer rounds, for slow programs
    rates: list = field(default_factory=list)
    found: tuple = ()
    missing: str = ""

    def take_turn(self):
        """Measure once more and store the result."""
        if self.missing:
            return
        try:
            rate, *self.found = self.measure()
        except ImportError as error:
            self.missing = str(error).splitlines()[0]
        else:
            self.rates.append(rate)

    def verdict(self):
        """Return the verdict of the check, "ok" if it passed, and the mean."""
        mean, runs = self.found
        if isinstance(runs, str):
            return runs, ""
        values = self.expected()
        error = values.std() * np.sqrt(1 / runs + 1 / len(values))
        agrees = abs(mean - values.mean()) <= NOISE * error
        return "ok" if agrees else f"DIFFERS from {values.mean():.4f}", f"{mean:.4f}"


def timed(steps, runs, function, *args, **options):
    """Return a function that measures `runs` runs in this process."""

    def measure():
        began = time.process_time()
        values = function(*args, runs, **options)
        seconds = time.process_time() - began
        return runs * steps / seconds, float(np.mean(values)), runs

    return measure


def of(module, name, steps, runs, *args, **options):
    """Return the same for a function of a module whose imports may be missing."""

    def measure():
        return timed(
            steps, runs, getattr(importlib.import_module(module), name), *args, **options
        )()

    return measure


def in_c(source, kernel, runs):
    """Return a function that measures a C program."""

    def measure():
        import by_c

        return by_c.run(source, kernel, runs)

    return measure


def our_builds(function, steps, runs, **options):
    """Return our lines for every build that this CPU can run, the best build first."""
    return [
        Contender(
            f"fastgames {isa} {dtype}",
            timed(steps, runs // 4 if isa == "v2" else runs, function, dtype=dtype, isa=isa),
            **options,
        )
        for isa in reversed(_core.available())
        for dtype in ("float64", "float32")
    ]


def under_contract(dtype, runs):
    """Return the line of the kernel written by hand for W1, which must give our bits."""

    def measure():
        import by_c

        words = ours.exploring_words(0.1, dtype)
        streams = ours.streams(runs, dtype)
        rate, tables = by_c.lanes_under_contract(dtype, streams, ours.STEPS, 0.1, words)
        same = tables.tobytes() == ours.pennies_tables(runs, dtype).tobytes()
        return rate, None, "equal bits" if same else "DIFFERS in bits"

    return measure


def pennies():
    """W1."""
    n, check = ours.STEPS, {"expected": ours.expected_pennies}
    slow = {"short": True, **check}
    return [
        *our_builds(ours.pennies, n, 20_480, **check),
        Contender("C lanes, our streams, float64", under_contract("float64", 5_120)),
        Contender("C lanes, our streams, float32", under_contract("float32", 10_240)),
        Contender("C lanes, own streams, float32", in_c("pennies.c", "lanes", 15_360), **check),
        Contender("C without branches", in_c("pennies.c", "branchless", 2_000), **check),
        Contender("C, plain", in_c("pennies.c", "plain", 1_000), **check),
        Contender("Numba lanes, float32", of("by_numba", "pennies_lanes", n, 20_480), **check),
        Contender(
            "Numba lanes, float64",
            of("by_numba", "pennies_lanes", n, 5_120, real=np.float64),
            **check,
        ),
        Contender("Numba, plain", of("by_numba", "pennies", n, 500), **check),
        Contender("JAX, own xoshiro, float32", of("by_jax", "pennies", n, 8_192), **check),
        Contender(
            "JAX, own xoshiro, float64",
            of("by_jax", "pennies", n, 4_096, dtype="float64"),
            **check,
        ),
        Contender("JAX, first try", of("by_jax", "pennies_first_try", n, 512), **slow),
        Contender("NumPy, arrays over runs", of("by_numpy", "pennies_arrays", n, 1_000), **slow),
        Contender("NumPy, textbook listing", of("by_numpy", "pennies", n, 4), **check),
        Contender("plain Python", of("by_python", "pennies", n, 20), **check),
        Contender("PettingZoo, parallel", of("by_pettingzoo", "pennies", n, 8), **check),
        Contender("PettingZoo, AEC", of("by_pettingzoo", "pennies_turns", n, 2), **slow),
        Contender("OpenSpiel, game only", of("by_openspiel", "pennies_games_only", n, 8), **check),
        Contender("OpenSpiel, its Q-learners", of("by_openspiel", "pennies", n, 1), **slow),
    ]


def stepping():
    """W2."""
    n, check = ours.STEPS, {"expected": ours.expected_stepping}
    slow = {"short": True, **check}
    return [
        *our_builds(ours.stepping, n, 5_120, **check),
        Contender("C, plain", in_c("pennies.c", "stepping", 10_000), **check),
        Contender("Numba, plain", of("by_numba", "stepping", n, 1_000), **check),
        Contender("JAX, own xoshiro", of("by_jax", "stepping", n, 16_384), **check),
        Contender(
            "NumPy, a run's steps in arrays", of("by_numpy", "stepping_arrays", n, 200), **check
        ),
        Contender("NumPy, textbook listing", of("by_numpy", "stepping", n, 4), **check),
        Contender("plain Python", of("by_python", "stepping", n, 40), **check),
        Contender(
            "PettingZoo, own game, parallel", of("by_pettingzoo", "stepping", n, 10), **check
        ),
        Contender("PettingZoo rps_v2, parallel", of("by_pettingzoo", "stepping_rps", n, 1), **slow),
        Contender(
            "PettingZoo rps_v2, AEC", of("by_pettingzoo", "stepping_rps_turns", n, 1), **slow
        ),
        Contender("OpenSpiel, its bots in C++", of("by_openspiel", "stepping_bots", n, 8), **check),
        Contender("OpenSpiel, states", of("by_openspiel", "stepping", n, 16), **check),
    ]


def pricing():
    """W3; slow programs take only the first steps of the million."""
    n, check = 1_000_000, {"expected": ours.expected_pricing}
    given = ours.STAGE.payoffs, ours.START
    part, brief, briefer = 200_000, 50_000, 5_000
    partly = {"expected": lambda: ours.expected_pricing(part)}
    early = {"expected": lambda: ours.expected_pricing(brief)}
    zeros = {"expected": lambda: ours.expected_pricing(briefer, 0.0)}
    return [
        *our_builds(ours.pricing, n, 64, **check),
        Contender("C that keeps maxima", in_c("pricing.c", "cached", 16), **check),
        Contender("C, plain", in_c("pricing.c", "plain", 12), **check),
        Contender(
            "Numba that keeps maxima", of("by_numba", "pricing_cached", n, 8, *given, n), **check
        ),
        Contender("Numba, plain", of("by_numba", "pricing", n, 4, *given, n), **check),
        *(
            Contender(
                f"JAX, {dtype}, first {part:,} steps",  # no branches: as fast at any epsilon
                of("by_jax", "pricing", part, 64, *given, part, dtype=dtype),
                **partly,
            )
            for dtype in ("float32", "float64")
        ),
        Contender(
            f"plain Python, first {brief:,} steps",
            of("by_python", "pricing", brief, 4, *given, brief),
            **early,
        ),
        Contender(
            f"NumPy, textbook listing, first {brief:,}",
            of("by_numpy", "pricing", brief, 2, *given, brief),
            **early,
        ),
        Contender(
            f"OpenSpiel, its Q-learners, first {briefer:,}",
            of("by_openspiel", "pricing", briefer, 1, given[0], briefer),
            short=True,
            **zeros,
        ),
    ]


WORKLOADS = {
    "W1": ("matching pennies, two epsilon-greedy Q-learners", pennies),
    "W2": ("matching pennies, random actions, payoffs summed", stepping),
    "W3": ("Calvano's pricing duopoly, T = 1,000,000", pricing),
}
SHORT = 3  # rounds of slow programs


def compare(only, rounds):
    """Measure, print the table, and return whether every check was met."""
    began = time.monotonic()
    turns = {name: WORKLOADS[name][1]() for name in only}
    everyone = [contender for each in turns.values() for contender in each]
    for contender in everyone:  # compile, fill caches
        contender.take_turn()
        contender.rates.clear()
        print(".", end="", file=sys.stderr, flush=True)
    for k in range(rounds):
        for contender in everyone[:: 1 if k % 2 else -1]:
            if k < SHORT or not contender.short:
                contender.take_turn()
        print(f" round {k + 1}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{_cpu()}, one CPU, medians of {rounds} rounds in one session (*: {min(SHORT, rounds)})")
    print("x ours: how many times as fast fastgames is, best build, in float64 and float32")
    good = True
    for name, contenders in turns.items():
        title = f"{name}: {WORKLOADS[name][0]}"
        print(
            f"\n{title:<58}{'M steps/s':>11}{'min':>9}{'max':>9}{'x f64':>10}{'x f32':>10}  check"
        )
        good &= _print(contenders)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    return good


def _print(contenders):
    medians = {c.name: statistics.median(c.rates) for c in contenders if c.rates}
    best = [medians[contender.name] for contender in contenders[:2]]
    good = True
    for contender in sorted(contenders, key=lambda c: -medians.get(c.name, 0)):
        if contender.missing:
            print(f"  {contender.name:<56}not measured: {contender.missing}")
            continue
        rate, (verdict, mean) = medians[contender.name], contender.verdict()
        good &= "DIFFERS" not in verdict
        low, high = min(contender.rates), max(contender.rates)
        figures = "".join(f"{_short(x / 1e6):>{w}}" for x, w in ((rate, 11), (low, 9), (high, 9)))
        ratios = "".join(f"{_short(x / rate):>10}" for x in best)
        star = "*" if contender.short else ""
        print(f"  {contender.name + star:<56}{figures}{ratios}  {mean} {verdict}".rstrip())
    return good


def _short(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def _cpu():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    """Parse the command line, measure, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    options = parser.parse_args()
    return 0 if compare(options.only, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
