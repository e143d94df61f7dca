"""Fixtures of all benchmarks: the machine in the report, and a check of every timed result."""

import time

import pytest
from checked import build, check, digest, memory
from machine import fingerprint

import fastgames as fg
from fastgames import _core
from fastgames.engine.arguments import cpus, one_for_each

LEAST = 0.06  # seconds of a run if the number of replicas is not given
FEWEST = 64  # least replicas per thread of such a run, and replicas in the reported digest


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add the fingerprint of the machine to the report."""
    machine_info["fastgames"] = fingerprint()


@pytest.fixture
def timed(benchmark):
    """Return a function that times a run, checks its result, and reports speed, memory and digest.

    The result must have the bits of the lowest instruction set and of the interpreted rules
    (`checked.check`). Without `replicas`, their number is chosen so that a run takes at least LEAST
    seconds; the bits of a replica do not depend on their number.
    """

    def time_run(game, learners, *, isa=None, rounds=5, **arguments):
        seats = one_for_each(learners, game.num_agents)
        arguments = {"steps": 20_000, "rng": 7, "threads": 1, "progress": False} | arguments
        arguments |= {"game": game, "learners": seats}
        if not any(learner.learns for learner in seats):  # else the result has no trace of play
            arguments.setdefault("record", fg.Record(joint_actions=True))
        with build(isa or _core.isa):
            if "replicas" not in arguments:
                arguments["replicas"] = _enough(arguments)
            result = benchmark.pedantic(fg.run, kwargs=arguments, rounds=rounds, warmup_rounds=1)
        check(result, **arguments)
        rate = arguments["steps"] * result.replicas / benchmark.stats.stats.median
        benchmark.extra_info |= {
            "replicas": result.replicas,
            "game_steps_per_s": round(rate),
            "agent_steps_per_s": round(rate * game.num_agents),
            "digest": digest(result, FEWEST),
            **memory(result, arguments.get("backend", "auto")),
        }

    return time_run


def _enough(arguments):
    """Return a number of replicas that takes at least `LEAST` seconds."""
    threads = arguments["threads"] or cpus()
    clock = time.process_time if threads == 1 else time.perf_counter
    replicas = FEWEST * threads
    while True:
        began = clock()
        fg.run(replicas=replicas, **arguments)
        if clock() - began >= LEAST:
            return replicas
        replicas *= 2


def pytest_terminal_summary(terminalreporter, config):
    """Print one line per scenario with its medians."""
    session = getattr(config, "_benchmarksession", None)
    rows = [(b.name, b.extra_info) for b in (session.benchmarks if session else [])]
    line = terminalreporter.write_line
    runs = [(name, info) for name, info in rows if "game_steps_per_s" in info]
    if runs:
        terminalreporter.section("million game-steps and agent-steps a second; bytes of a replica")
        line(f"{'game':>10}{'agent':>10}{'state':>10}{'block':>10}")
    for name, info in runs:
        rates = (info[f"{kind}_steps_per_s"] / 1e6 for kind in ("game", "agent"))
        numbers = "".join(f"{rate:10,.1f}" for rate in rates)
        numbers += f"{info['state_bytes']:10,}{info['block_bytes']:10,}"
        line(f"{numbers}  {name}  digest {info['digest']}")
    starts = [(name, info) for name, info in rows if "first_call_ms" in info]
    if starts:
        terminalreporter.section("milliseconds in a fresh process")
        line("".join(f"{what:>10}" for what in ("import", "1st call", "2nd call")))
    for name, info in starts:
        times = (info[f"{what}_ms"] for what in ("import", "first_call", "second_call"))
        line("".join(f"{took:10,.2f}" for took in times) + f"  {name}  digest {info['digest']}")
