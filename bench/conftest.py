"""What every benchmark shares: the machine in the report, and a digest of every result it timed."""

import hashlib
import platform

import pytest

import fastgames as fg
from fastgames import _core


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add what decides the speed."""
    machine_info["fastgames"] = {"isa": fg.isa, "builds": _core.available()}
    machine_info["processor"] = platform.processor() or platform.machine()


def digest(result) -> str:
    """A short hash of the bits of all tables and streams."""
    h = hashlib.sha256()
    for seat in result.state.seats:
        h.update(seat.table.tobytes())
    if result.state.streams is not None:
        h.update(result.state.streams.tobytes())
    return h.hexdigest()[:16]


@pytest.fixture
def timed(benchmark):
    """Time a run and check it: the digest of the timed result must be that of the v2/base build.

    Reports game-steps per second as `extra_info["msteps_per_s"]`.
    """

    def time(game, learners, *, isa=None, check_replicas=32, **arguments):
        arguments = {"steps": 20_000, "rng": 7, "threads": 1, "progress": False} | arguments
        before = _core.isa
        try:
            _core.isa = isa or before
            result = benchmark.pedantic(
                lambda: fg.run(game, learners, **arguments), rounds=5, warmup_rounds=1
            )
            _core.isa = _core.available()[0]
            few = arguments | {"replicas": min(check_replicas, arguments["replicas"])}
            expected = fg.run(game, learners, **few)
        finally:
            _core.isa = before
        n = few["replicas"]
        for seat, same in zip(result.state.seats, expected.state.seats, strict=True):
            assert seat.table[:n].tobytes() == same.table.tobytes(), "a faster wrong answer"
        steps = arguments["steps"] * arguments["replicas"]
        benchmark.extra_info["digest"] = digest(result)
        benchmark.extra_info["msteps_per_s"] = round(steps / benchmark.stats.stats.median / 1e6, 1)
        return result

    return time


def pytest_terminal_summary(terminalreporter, config):
    """Game-steps per second, one line a scenario: medians, on this machine, in this run."""
    session = getattr(config, "_benchmarksession", None)
    rows = [(b.name, b.extra_info) for b in (session.benchmarks if session else [])]
    if rows:
        terminalreporter.section(f"million game-steps per second ({platform.machine()}, {fg.isa})")
        for name, info in rows:
            if "msteps_per_s" in info:
                terminalreporter.write_line(
                    f"{info['msteps_per_s']:10,.1f}  {name}  digest {info['digest']}"
                )
