"""Start-up time of fresh processes. Names are permanent."""

import json
import os
import statistics
import subprocess
import sys

import pytest
from checked import digest

import fastgames as fg
from fastgames import registry

IMPORTS = {"nothing": "pass", "numpy": "import numpy", "fastgames": "import fastgames"}

CALLS = """
import json, sys, time
times = [time.perf_counter()]
import fastgames as fg
times.append(time.perf_counter())
for _ in range(2):
    result = fg.run(fg.games.matching_pennies(), fg.QLearner(), 1000, rng=7, backend=sys.argv[1])
    times.append(time.perf_counter())
result.save(sys.argv[2])
print(json.dumps(times))
"""


@pytest.fixture
def fresh(benchmark):
    """Return a function that times fresh processes of a program and returns their outputs."""

    def start(program, *arguments):
        printed = []
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, "-c", program, *map(str, arguments)]

        def once():
            done = subprocess.run(
                command, env=environment, check=True, capture_output=True, text=True
            )
            printed.append(done.stdout)

        benchmark.pedantic(once, rounds=5, warmup_rounds=1)
        return printed

    return start


@pytest.mark.parametrize("what", IMPORTS)
def test_import(fresh, what):
    """Time a process that imports a module and ends."""
    loaded = fresh(f"{IMPORTS[what]}\nimport sys\nprint({what!r} in sys.modules)")
    assert set(loaded) == {f"{what != 'nothing'}\n"}


@pytest.mark.parametrize("backend", registry.BACKENDS)
def test_first_call(fresh, benchmark, backend, tmp_path):
    """Time a process that imports, runs, runs again, and ends; report each part."""
    path = tmp_path / "result"
    times = [json.loads(line) for line in fresh(CALLS, backend, path)]
    for what, i in (("import", 1), ("first_call", 2), ("second_call", 3)):
        took = statistics.median(t[i] - t[i - 1] for t in times[1:])  # the first is to warm up
        benchmark.extra_info[f"{what}_ms"] = round(1e3 * took, 2)
    game, learner = fg.games.matching_pennies(), fg.QLearner()
    expected = fg.run(game, learner, 1000, rng=7, backend="reference")
    benchmark.extra_info["digest"] = digest(fg.load(path))
    assert benchmark.extra_info["digest"] == digest(expected), "a faster wrong answer"
