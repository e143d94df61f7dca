"""`fastgames speed`: it measures what it says, and a wrong bit shows. No time is asserted."""

from dataclasses import replace

import numpy as np
import pytest

import fastgames as fg
from fastgames import _core
from fastgames.cli import main as cli
from fastgames.cli import speed

WORKLOADS = speed.workloads()
GREEDY = [w for w in WORKLOADS if w.dtype == "float64" and "softmax" not in w.name]


@pytest.fixture
def call(capsys):
    """Call it; the exit status, standard output and standard error."""

    def called(*arguments):
        status = cli.main(["speed", *arguments])
        return status, *capsys.readouterr()

    return called


def measured(workload, same=True):
    return speed.Speed(workload, 1, 2e9, 1e6, same)


def test_it_measures_every_workload_on_one_thread_and_on_more(call):
    status, out, errors = call("--seconds", "0.001", "--threads", "2")
    assert (status, errors) == (0, "")
    assert out.count(" ok ") == 2 * len(WORKLOADS)
    assert f"build {_core.isa}" in out
    for workload in WORKLOADS:
        assert workload.name in out


@pytest.mark.parametrize("workload", GREEDY, ids=lambda w: w.name)
def test_the_listing_is_the_loop_that_run_reproduces_from_numpys_stream(workload):
    steps = 300
    found = speed.listing(workload.game, workload.learner, steps)
    result = fg.run(workload.game, workload.learner, steps, rng=7, stream="numpy")
    for table, expected in zip(found, result.tables, strict=True):
        assert table.shape == expected["q"][0].shape
        np.testing.assert_allclose(table, expected["q"][0], rtol=1e-12)


def test_the_softmax_listing_plays_softmax():
    (workload,) = [w for w in WORKLOADS if "softmax" in w.name]
    row, rng = np.array([1.0, 0.0]), np.random.default_rng(1)
    drawn = [speed._choose(rng, row, workload.learner.explore, 0) for _ in range(4000)]
    first = 1 / (1 + np.exp(-1 / workload.learner.explore.temperature))
    assert abs(np.mean(drawn) - (1 - first)) < 5 * np.sqrt(first * (1 - first) / 4000)


def test_a_wrong_bit_of_a_build_is_seen(monkeypatch):
    workload, builds, before = WORKLOADS[0], [], _core.available()[-1]
    monkeypatch.setattr(_core, "isa", before)

    def run(*args, backend="auto", **options):
        builds.append((_core.isa, backend))
        result = fg.run(*args, backend=backend, **options)
        if len(builds) == 2:
            result.tables[1]["q"][-1, 0, 1] = np.nextafter(result.tables[1]["q"][-1, 0, 1], 9)
        return result

    assert speed.check(workload)
    monkeypatch.setattr(speed, "run", run)
    assert not speed.check(workload)
    assert builds[0] == (before, "auto")
    assert builds[1] in [(_core.available()[0], "auto"), (before, "reference")]
    assert _core.isa == before


def test_bits_that_differ_are_said_and_fail(call, monkeypatch):
    found = [measured(WORKLOADS[0]), measured(WORKLOADS[1], same=False)]
    monkeypatch.setattr(speed, "measure", lambda *_: iter(found))
    status, out, _ = call()
    assert status == 1
    assert "differ" in out


def test_ctrl_c_shows_what_was_measured(call, monkeypatch):
    def measure(*_):
        yield measured(replace(WORKLOADS[0], name="the first"))
        raise KeyboardInterrupt

    monkeypatch.setattr(speed, "measure", measure)
    status, out, errors = call()
    assert (status, errors) == (130, "fastgames: interrupted, 1 measured\n")
    (row,) = [line for line in out.splitlines() if "the first" in line]
    assert [cell.strip() for cell in row.split("│")[3:]] == [
        "1", "2,000", "4,000", "x 2,000", "ok", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seconds", "0"), "seconds must be a number in (0, 86400], got 0.0"),
        (("--seconds", "nan"), "seconds must be a number in (0, 86400], got nan"),
        (("--seconds", "ten"), "seconds must be a number, got 'ten'"),
        (("--threads", "0"), "threads must be a whole number in [1, 1024], got 0"),
    ],
)
def test_bad_input(call, arguments, said):
    assert call(*arguments) == (2, "", f"fastgames: {said}\n")


def test_help_teaches(call):
    status, out, _ = call("--help")
    assert status == 0
    for word in ("M steps/s", "textbook", "bits", "Examples", "FASTGAMES_ISA"):
        assert word in out
