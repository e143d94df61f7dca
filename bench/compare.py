"""Two revisions side by side: is one slower? Exit status 1 if so, or if results differ.

    python bench/compare.py BASE [HEAD]      HEAD: the working tree unless given

Both are built (bench/builds.py) and run the scenarios of bench/scenarios.py on one CPU, in two
processes that take turns: base, head, base, head, ... Neither ever runs twice in a row, since it
would find its caches warm. What counts is CPU time. Each round starts the processes anew, the
other one first, because where memory happens to lie is worth a per cent or two; it gives each
scenario one number, the ratio head / base of the lower quartiles of its samples. Rounds give the
interval.

A scenario is suspicious where a slowdown of more than 3 % is not excluded. A second pass measures
those alone, in twice as many rounds; what it too finds slower by more than 3 %, and not by chance,
is slower.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np

LIMIT = math.log(1.03)  # of log(head / base): beyond this, a scenario is slower
CONFIDENCE = 0.99  # of an interval
ROUNDS = 12
TURNS = 10  # in a round
SECONDS = 0.04  # CPU time of a sample


def interval(rounds):
    """The mean over rounds of their log ratios, and where it lies for sure: (low, middle, high)."""
    from scipy import stats

    middle, error = np.mean(rounds), stats.sem(rounds)
    half = error * stats.t.ppf(0.5 + CONFIDENCE / 2, len(rounds) - 1)
    return middle - half, middle, middle + half


def is_suspicious(rounds):
    """Whether a slowdown beyond the limit is not excluded."""
    return interval(rounds)[2] > LIMIT


def is_slower(rounds):
    """Whether a slowdown is beyond the limit, and there for sure."""
    low, middle, _ = interval(rounds)
    return low > 0 and middle > LIMIT


class Worker:
    """A process with one revision in it."""

    def __init__(self, site, cpu):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", str(site), str(cpu)],
            env={**os.environ, "PYTHONPATH": str(site), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.contract = self.answer()["contract"]

    def answer(self):
        """What the process says next."""
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a worker ended: {self.process.args}")
        return json.loads(line)

    def ask(self, name, steps):
        """{"seconds": ..., "digest": ...}, or {"skipped": why}."""
        self.process.stdin.write(json.dumps([name, steps]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def work(site, cpu):
    """Answer what `Worker` asks, until nothing more comes."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
    import scenarios

    scenarios.check_origin(site)
    from fastgames.result import CONTRACT

    print(json.dumps({"contract": CONTRACT}), flush=True)
    ready = {}
    for line in sys.stdin:
        name, steps = json.loads(line)
        try:
            if (name, steps) not in ready:
                ready[name, steps] = scenarios.prepare(name, steps)
                ready[name, steps]()
            began = time.process_time()
            result = ready[name, steps]()
            answer = {"seconds": time.process_time() - began, "digest": scenarios.digest(result)}
        except Exception as error:  # an older revision may raise anything
            answer = {"skipped": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def steps_for(worker, name):
    """How many steps take about SECONDS, or why the worker cannot run the scenario."""
    steps = 256
    while True:
        answer = worker.ask(name, steps)
        if "skipped" in answer:
            return answer["skipped"]
        if answer["seconds"] > SECONDS / 3:
            return int(steps * SECONDS / answer["seconds"])
        steps *= 2


def one_round(base, head, name, steps):
    """The log ratio of a round, or why there is none."""
    answers = [worker.ask(name, steps) for _ in range(TURNS) for worker in (base, head)]
    skipped = next((x["skipped"] for x in answers if "skipped" in x), None)
    if skipped is not None:
        return f"fails: {skipped}"
    if base.contract == head.contract and len({x["digest"] for x in answers}) > 1:
        return "gives another result under the same contract"
    seconds = np.array([x["seconds"] for x in answers]).reshape(TURNS, 2)
    return float(np.diff(np.log(np.quantile(seconds, 0.25, axis=0)))[0])


def measure(sites, cpu, steps, rounds):
    """{name: a log ratio for each round, or why there is none}. steps: of each scenario."""
    found = {name: [] for name in steps}
    for number in range(rounds):
        with ExitStack() as stack:
            order = (0, 1) if number % 2 == 0 else (1, 0)
            workers = {i: stack.enter_context(Worker(sites[i], cpu)) for i in order}
            for name in steps:
                if isinstance(found[name], list):
                    ratio = one_round(workers[0], workers[1], name, steps[name])
                    found[name] = ratio if isinstance(ratio, str) else [*found[name], ratio]
    return found


def show(name, found):
    """A line of the table."""
    if isinstance(found, str):
        print(f"{name:18} {found}", flush=True)
    else:
        low, middle, high = (math.exp(x) for x in interval(found))
        print(f"{name:18} {middle:7.3f}   {low:.3f} to {high:.3f}", flush=True)


def compare(sites, names):
    """Print the table; the names of the scenarios that are slower, or fail."""
    cpu = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    with Worker(sites[0], cpu) as base:
        steps = {name: steps_for(base, name) for name in names}
    for name in [name for name in steps if isinstance(steps[name], str)]:
        show(name, f"not in base: {steps.pop(name)}")
    print(f"{'head / base':18} {'time':>7}   {CONFIDENCE:.0%} interval, {ROUNDS} rounds")
    found = measure(sites, cpu, steps, ROUNDS)
    for name in found:
        show(name, found[name])
    bad = [name for name in found if isinstance(found[name], str)]
    again = [name for name in found if name not in bad and is_suspicious(found[name])]
    if again:
        print(f"{'once more':18} {'time':>7}   {CONFIDENCE:.0%} interval, {2 * ROUNDS} rounds")
        found = measure(sites, cpu, {name: steps[name] for name in again}, 2 * ROUNDS)
        for name in again:
            show(name, found[name])
            if isinstance(found[name], str) or is_slower(found[name]):
                bad.append(name)
    return bad


def main():
    """Build, measure, judge."""
    import builds

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base")
    parser.add_argument("head", nargs="?", default=builds.WORKING_TREE)
    parser.add_argument("--scenarios", nargs="*", help="some of them only")
    given = parser.parse_args()
    sites = builds.build_both(given.base, given.head)
    import scenarios

    print(f"base: {given.base}\nhead: {given.head}")
    bad = compare(sites, given.scenarios or list(scenarios.SCENARIOS))
    if bad:
        sys.exit(f"slower, or wrong: {', '.join(bad)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], int(sys.argv[3]))
    else:
        main()
