"""Time of cold processes from start to result, as for a script that is run once.

    python bench/rivals/cold.py [--rounds 7]

W1 of compare.py, runs of 20,000 steps: start the interpreter, import, compile, run, print. Caches
of an earlier process exist: bytecode, and compiled code in lines marked "kept". Wall time on one
CPU, medians; the slowest are run once.
"""

import argparse
import importlib.util
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from by_c import COMPILER, command

FOLDER = Path(__file__).parent
RUNS = (1, 100, 1_000, 10_000)
LONG = 4.0  # seconds; slower programs are run once, and not with more runs

OURS = """
import sys
import fastgames as fg
runs, dtype = int(sys.argv[1]), sys.argv[2]
game, learner = fg.games.matching_pennies(), fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))
result = fg.run(game, learner, steps=20_000, replicas=runs, rng=7, dtype=dtype)
print(result.tables[0]["q"].sum(axis=(1, 2)).mean())
"""
NUMBA = "import sys, by_numba; print(by_numba.{}(int(sys.argv[1])))"
JAX = """
import sys, by_jax
runs = int(sys.argv[1])
print(by_jax.pennies(runs, unroll=4 if runs > 1_000 else 1))  # compiles faster
"""


def contenders(folder):
    """Return {name: (package, function (runs) -> (command line, added environment))}."""

    def python(code, *more, **environment):
        return lambda runs: ([sys.executable, "-c", code, str(runs), *more], environment)

    def compiled(kernel):
        program = folder / f"pennies-{kernel}"
        build = shlex.join(command("pennies.c", program))
        return lambda runs: (["sh", "-c", f"{build} && {program} {kernel} {runs}"], {})

    numba_kept = {"RIVALS_NUMBA_CACHE": "1", "NUMBA_CACHE_DIR": str(folder / "numba")}
    jax_kept = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    return {
        "import numpy, nothing else": ("numpy", python("import numpy")),
        "fastgames, float64": ("fastgames", python(OURS, "float64")),
        "fastgames, float32": ("fastgames", python(OURS, "float32")),
        "plain Python": (
            None,
            python("import sys, by_python; by_python.pennies(int(sys.argv[1]))"),
        ),
        "NumPy, arrays over runs": (
            "numpy",
            python("import sys, by_numpy; print(by_numpy.pennies_arrays(int(sys.argv[1])))"),
        ),
        "Numba, plain": ("numba", python(NUMBA.format("pennies"))),
        "Numba lanes, float32": ("numba", python(NUMBA.format("pennies_lanes"))),
        "Numba lanes, float32, code kept": (
            "numba",
            python(NUMBA.format("pennies_lanes"), **numba_kept),
        ),
        "JAX, float32": ("jax", python(JAX)),
        "JAX, float32, code kept": ("jax", python(JAX, **jax_kept)),
        "C, plain: compile and run": (COMPILER, compiled("plain")),
        "C lanes, float32: compile and run": (COMPILER, compiled("lanes")),
    }


def seconds(arguments, environment):
    """Return the wall time of one process."""
    began = time.perf_counter()
    subprocess.run(arguments, env=environment, check=True, stdout=subprocess.DEVNULL, cwd=FOLDER)
    return time.perf_counter() - began


def measure(rounds):
    """Return {(name, runs): seconds of each process}, and the skipped entries with reasons."""
    environment = os.environ.copy()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times, missing = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        environment["PYTHONPATH"] = os.pathsep.join([str(FOLDER), *_python_path()])
        turns = []
        for name, (package, line) in contenders(Path(folder)).items():
            reason = _lacking(package)
            if reason:
                missing[name] = reason
                continue
            seconds(line(1)[0], environment | line(1)[1])  # writes bytecode
            for runs in RUNS[:1] if "nothing" in name else RUNS:
                arguments, added = line(runs)
                times[name, runs] = [seconds(arguments, environment | added)]
                if added:  # this process wrote the cache of compiled code
                    times[name, runs] = [seconds(arguments, environment | added)]
                if times[name, runs][0] > LONG:
                    break
                turns.append((name, runs, arguments, environment | added))
            print(".", end="", file=sys.stderr, flush=True)
        for name, runs, *_ in turns:
            times[name, runs].clear()
        for k in range(rounds):
            for name, runs, arguments, given in turns[:: 1 if k % 2 else -1]:
                times[name, runs].append(seconds(arguments, given))
            print(f" round {k + 1}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times, missing


def _python_path():
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _lacking(package):
    if package == COMPILER:
        from shutil import which

        return None if which(COMPILER) else f"there is no C compiler {COMPILER!r}"
    if package is None or importlib.util.find_spec(package):
        return None
    return f"No module named {package!r}"


def main():
    """Parse the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.monotonic()
    times, missing = measure(rounds)
    print(f"whole processes of Python {platform.python_version()}, one CPU, seconds of wall time,")
    print(f"medians of {rounds} (*: once), runs of 20,000 steps; x: bare `import numpy`\n")
    print(f"{'runs':<36}" + "".join(f"{runs:>16,}" for runs in RUNS))
    bare = statistics.median(times.get(("import numpy, nothing else", 1), [float("nan")]))
    for name in contenders(Path()):
        if name in missing:
            print(f"{name:<36}not measured: {missing[name]}")
            continue
        print(f"{name:<36}" + "".join(_cell(times.get((name, runs)), bare) for runs in RUNS))
    print(f"\n{time.monotonic() - began:.0f} s in all")


def _cell(values, bare):
    if not values:
        return f"{'':>16}"
    middle = statistics.median(values)
    star = "*" if len(values) == 1 else ""
    return f"{middle:>9.3f}{star} x{middle / bare:<5.3g}".rjust(16)


if __name__ == "__main__":
    main()
