"""C programs in their own processes, built by $CC or cc with -O3 -march=native."""

import functools
import os
import platform
import subprocess
import tempfile
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
COMPILER = os.environ.get("CC", "cc")
FLAGS = ["-O3", "-march=native", "-fno-trapping-math"]
if platform.machine() == "x86_64":
    FLAGS.append("-mprefer-vector-width=512")
_builds = tempfile.TemporaryDirectory()


def command(source, program, *flags):
    """Return the compiler's command line."""
    return [COMPILER, *FLAGS, *flags, str(FOLDER / source), "-o", str(program), "-lm"]


@functools.cache
def build(source, *flags):
    """Build the program and return its path; unknown flags after the first are left out."""
    program = Path(_builds.name) / Path(source).stem
    try:
        made = subprocess.run(command(source, program, *flags), capture_output=True, text=True)
        if made.returncode and flags:
            made = subprocess.run(
                command(source, program, *flags[:1]), capture_output=True, text=True
            )
    except FileNotFoundError:
        raise ImportError(f"there is no C compiler {COMPILER!r}") from None
    if made.returncode:
        raise RuntimeError(made.stderr)
    return program


def run(source, kernel, runs):
    """Return (game-steps per CPU second, mean of the check, number of runs)."""
    program = build(source)
    out = subprocess.run([program, kernel, str(runs)], check=True, capture_output=True, text=True)
    rate, mean, simulated = out.stdout.split()
    return float(rate), float(mean), int(simulated)


def lanes_under_contract(dtype, streams, steps, alpha, words):
    """Return (game-steps per CPU second, tables (runs, 2, 2)).

    Raise ImportError if the CPU lacks the instructions that the kernel uses.
    """
    # Fused operations have other bits; with -fsched… gcc keeps two groups in registers.
    flags = "-ffp-contract=off", "-fschedule-insns", "-fsched-pressure"
    program = build("pennies_lanes.c", *flags)
    numbers = [f"f{dtype[-2:]}", steps, len(streams), alpha, *words, 1]
    out = subprocess.run(
        [program, *map(str, numbers)], input=streams.tobytes(), capture_output=True
    )
    said = out.stderr.decode().strip()
    if out.returncode == 3:
        raise ImportError(said)
    if out.returncode:
        raise RuntimeError(f"pennies_lanes ended with {out.returncode}: {said}")
    return float(said), np.frombuffer(out.stdout, dtype).reshape(len(streams), 2, 2)
