"""Measure runs in chunks: what executors and `keep` cost, and the memory over time with `keep`.

    python bench/chunks.py [--out memory.png]

Calvano's pricing game. It prints the time of a run in chunks of about five seconds over
that of the same run without chunks, the median of five, on two threads or workers. Then a million
short sessions run with `keep`, and the picture shows the memory of the process (Linux).
"""

import argparse
import os
import statistics
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import fastgames as fg
from fastgames import analysis, plot

WORKERS = 2
ROUNDS = 5
SESSIONS = 1_000_000
KEEP = analysis.summary("cycle_length", "profit_gain")


def study(decay):
    """Return the game and the learner; decay: of the exploration."""
    firm = fg.QLearner(
        alpha=0.15,
        explore=fg.EpsilonGreedy(fg.Exponential(1.0, decay)),
        initial=fg.UniformRivals(),
    )
    return fg.remember(fg.games.logit_bertrand(), periods=1, discount=0.95), firm


def overheads():
    """Print the time of runs in chunks over that of a run without."""
    call = (*study(4e-6), 3_000_000, 1024, 7)

    def seconds(**more):
        began = time.perf_counter()
        result = fg.run(*call, progress=False, **more)
        return time.perf_counter() - began, result

    ratios = {"process pool": [], "keep": []}
    with ProcessPoolExecutor(WORKERS) as pool:
        fg.run(*call[:2], 1, 64, executor=pool)  # starts the workers
        for _ in range(ROUNDS):
            alone, whole = seconds(threads=WORKERS)
            took, result = seconds(executor=pool)
            ratios["process pool"].append(took / alone)
            assert all(
                np.array_equal(one, other)
                for mine, others in zip(result.tables, whole.tables, strict=True)
                for one, other in zip(mine.values(), others.values(), strict=True)
            )
            took, result = seconds(threads=WORKERS, keep=KEEP)
            ratios["keep"].append(took / alone)
            for name, array in KEEP(whole).items():
                assert np.array_equal(result.kept[name], array), name
            print(f"{alone:.1f} s without chunks", flush=True)
    for name, found in ratios.items():
        print(f"{name:15}{statistics.median(found):.3f}  of {min(found):.3f} to {max(found):.3f}")


def memory():
    """Run the sessions; return the seconds and the MiB of this process at each sample."""
    seen, ended = [], threading.Event()
    began = time.perf_counter()

    def watch():
        while not ended.wait(0.5):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen.append((time.perf_counter() - began, pages * os.sysconf("SC_PAGE_SIZE") / 2**20))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        call = {"replicas": SESSIONS, "rng": 7, "stop": fg.Stable(10), "keep": KEEP}
        result = fg.run(*study(0.04), 400, **call)
    finally:
        ended.set()
        watcher.join()
    assert len(result.kept["cycle_length"]) == SESSIONS
    seconds, mebibytes = np.array(seen).T
    print(f"{SESSIONS:,} sessions in {seconds[-1]:.0f} s, at most {mebibytes.max():.0f} MiB")
    return seconds, mebibytes


def main():
    """Print both, and draw the memory if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out")
    out = parser.parse_args().out
    overheads()
    seconds, mebibytes = memory()
    if out is not None:
        drawn, (axis,) = plot.figure(1, 1, "A million pricing sessions with keep")
        axis.plot(seconds, mebibytes, color=plot.INK)
        axis.set_ylim(0, 2048)
        plot.finish(axis, "", "seconds", "MiB of the process")
        plot.save(drawn, out)


if __name__ == "__main__":
    main()
