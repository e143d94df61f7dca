"""What every comparison with rivals shares: one run, one CPU, interleaved, medians, ratios."""

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time


def interleave(title, contenders, *, warm, steps, source, arguments, best, check):
    """Run everything in turn, several rounds, and print a table.

    contenders: name -> (function of a number of runs that returns a check, number of runs of
    `steps` steps each); warm: runs before anything is timed. source: a C file, built with -O3
    -march=native, that prints lines "name steps-per-second check" when called with `arguments`.
    best: the name that the others are compared with; check: what the checks are, which all must
    agree on within noise.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for function, runs in contenders.values():
        function(min(runs, warm))  # compile
    rates: dict[str, list[float]] = {}
    checks: dict[str, list[float]] = {}

    def note(name, rate, found):
        rates.setdefault(name, []).append(float(rate))
        checks.setdefault(name, []).append(float(found))

    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "rival")
        flags = ["-O3", "-march=native", "-fno-trapping-math"]
        if platform.machine() == "x86_64":
            flags.append("-mprefer-vector-width=512")
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *flags, str(source), "-o", program, "-lm"], check=True)
        for _ in range(rounds):
            for name, (function, runs) in contenders.items():
                began = time.process_time()
                found = function(runs)
                note(name, runs * steps / (time.process_time() - began), found)
            out = subprocess.run(
                [program, *arguments], check=True, capture_output=True, text=True
            ).stdout
            for line in out.splitlines():
                note(*line.split())
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(f"{platform.processor() or platform.machine()}, one CPU, medians of {rounds} rounds")
    print(f"{'':26}{'M steps/s':>12}{'min':>9}{'max':>9}{'of ours f64':>13}{check:>14}")
    for name, rate in sorted(medians.items(), key=lambda item: -item[1]):
        low, high = min(rates[name]), max(rates[name])
        numbers = f"{rate / 1e6:12,.1f}{low / 1e6:9,.1f}{high / 1e6:9,.1f}"
        mean = statistics.mean(checks[name])
        print(f"{name:26}{numbers}{rate / medians[best]:13.3f}{mean:14.4f}")
