"""Compare the speed of two revisions. Exit status 1 if one is slower or results differ.

    python bench/compare.py BASE [HEAD]      HEAD: the working tree by default

Both are built (bench/builds.py) and run the scenarios of bench/scenarios.py on one CPU, in two
processes that alternate: base, head, base, head, ... Neither runs twice in a row, because its
caches would be warm. CPU time is measured. Each round starts new processes, in the other order,
because the placement of memory changes times by one or two per cent. A round gives each scenario
one number, the ratio head / base of the lower quartiles of its samples; the rounds give the
confidence interval.

A scenario is suspicious if its interval includes a slowdown of more than 3 %. A second pass
measures only these, in twice as many rounds; a scenario is slower if this pass, too, finds a
slowdown of more than 3 % that is significant.
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

LIMIT = math.log(1.03)  # a scenario is slower if log(head / base) exceeds this
CONFIDENCE = 0.99  # level of the intervals
ROUNDS = 12
TURNS = 10  # samples of each revision per round
SECONDS = 0.04  # CPU time of a sample


def interval(rounds):
    """Return the mean log ratio of the rounds with its interval: (low, middle, high)."""
    from scipy import stats

    middle, error = np.mean(rounds), stats.sem(rounds)
    half = error * stats.t.ppf(0.5 + CONFIDENCE / 2, len(rounds) - 1)
    return middle - half, middle, middle + half


def is_suspicious(rounds):
    """Return whether the interval includes a slowdown beyond the limit."""
    return interval(rounds)[2] > LIMIT


def is_slower(rounds):
    """Return whether the mean slowdown is beyond the limit and significant."""
    low, middle, _ = interval(rounds)
    return low > 0 and middle > LIMIT


class Worker:
    """A process that runs one revision."""

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
        """Return the process's next answer."""
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a worker ended: {self.process.args}")
        return json.loads(line)

    def ask(self, name, steps):
        """Return {"seconds": ..., "digest": ...}, or {"skipped": reason}."""
        self.process.stdin.write(json.dumps([name, steps]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def work(site, cpu):
    """Answer the requests of `Worker` until its input ends."""
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
    """Return the steps that take about SECONDS, or the reason why the scenario cannot run."""
    steps = 256
    while True:
        answer = worker.ask(name, steps)
        if "skipped" in answer:
            return answer["skipped"]
        if answer["seconds"] > SECONDS / 3:
            return int(steps * SECONDS / answer["seconds"])
        steps *= 2


def one_round(base, head, name, steps):
    """Return the log ratio of a round, or the reason why there is none."""
    answers = [worker.ask(name, steps) for _ in range(TURNS) for worker in (base, head)]
    skipped = next((x["skipped"] for x in answers if "skipped" in x), None)
    if skipped is not None:
        return f"fails: {skipped}"
    if base.contract == head.contract and len({x["digest"] for x in answers}) > 1:
        return "gives another result under the same contract"
    seconds = np.array([x["seconds"] for x in answers]).reshape(TURNS, 2)
    return float(np.diff(np.log(np.quantile(seconds, 0.25, axis=0)))[0])


def measure(sites, cpu, steps, rounds):
    """Return {name: log ratios of the rounds, or a reason}; steps: {name: steps}."""
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
    """Print a line of the table."""
    if isinstance(found, str):
        print(f"{name:18} {found}", flush=True)
    else:
        low, middle, high = (math.exp(x) for x in interval(found))
        print(f"{name:18} {middle:7.3f}   {low:.3f} to {high:.3f}", flush=True)


def compare(sites, names):
    """Print the table; return the names of the scenarios that are slower or fail."""
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
    """Build both revisions, compare them, and exit with status 1 if one is slower."""
    import builds

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base")
    parser.add_argument("head", nargs="?", default=builds.WORKING_TREE)
    parser.add_argument("--scenarios", nargs="*", help="names of the scenarios to run")
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
