"""The bar problem's reproduction: G by hand, its optimum and random play by enumeration."""

import itertools
import math
import sys

import numpy as np
import pytest

import fastgames as fg
from fastgames import papers
from fastgames.papers import bar_nights as bar
from fastgames.papers import estimate


def g_of(actions):
    return sum(x * math.exp(-x / 6.0) for x in map(actions.count, range(7)))


@pytest.fixture
def few(monkeypatch):
    """Leave one number of agents beside 100: every other one is compiled."""
    monkeypatch.setattr(sys.modules["fastgames.papers.bar_nights"], "SIZES", (20,))


@pytest.mark.parametrize("agents", [2, 5])
def test_optimum_and_random_play_by_enumeration(agents):
    weeks = [g_of(actions) for actions in itertools.product(range(7), repeat=agents)]
    assert bar.best(agents) == pytest.approx(max(weeks), abs=1e-12)
    assert bar.random_play(agents) == pytest.approx(np.mean(weeks), abs=1e-12)


def test_the_optimum_of_100():
    assert bar.best(100) == pytest.approx(6 * 6 * math.exp(-1) + 64 * math.exp(-64 / 6), abs=1e-12)


@pytest.mark.parametrize("kind", ["difference", "team", "own"])
def test_the_mean_of_g_over_the_last_weeks(monkeypatch, kind):
    monkeypatch.setattr(bar, "LAST", 4)
    arguments = papers.arguments.Arguments(3, 9, rng=5)
    found = bar.enjoyed(bar.play(arguments, 20, kind, 3), kind)
    learner = fg.QLearner(
        0.1, explore=fg.EpsilonGreedy(fg.Exponential(0.1, -math.log(0.999)), ties="random")
    )
    game, weeks = fg.games.bar_problem(20, rewards=kind), []
    result = fg.run(game, learner, 5, 3, rng=5)
    for _ in range(4):
        result = fg.run(game, learner, 1, resume=result)
        weeks.append((result.states * np.exp(-result.states / 6.0)).sum(axis=1))
    np.testing.assert_allclose(found, np.mean(weeks, axis=0), atol=1e-12)


def test_figures_are_found(few, tmp_path, capsys):
    report = papers.bar_problem(replicas=10, out=tmp_path / "picture.png")
    assert [row for row in report.rows if row.ok is False] == []
    assert [row.what for row in report.rows if row.ok] == [
        "100 agents: the optimum",
        "100 agents: difference rewards",
        "100 agents: team rewards",
        "100 agents: own rewards",
        "20 agents: difference rewards",
    ]
    assert report.results["100 agents, team rewards"].replicas == 10
    assert report.results["20 agents, team rewards"].replicas == 2
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert report.figure.axes[0].get_xticks().tolist() == [20, 100]
    assert capsys.readouterr() == ("", "")


def test_other_weeks_are_not_compared(few):
    report = papers.bar_problem(replicas=2, steps=50)
    assert [row.what for row in report.rows if row.ok is not None] == ["100 agents: the optimum"]


def test_figures_that_differ_are_noticed():
    for shift, ok in ((1.01, False), (0.99, True)):
        found = {
            kind: estimate.Estimate(*[value + shift * tolerance] * 3)
            for kind, (value, tolerance) in bar.COMPUTED.items()
        }
        assert [row.ok for row in bar._rows_of_figures(found, 3_000)] == [True, ok, ok, ok]


def test_tolerances_are_those_of_the_figures():
    assert {kind: tolerance for kind, (_, tolerance) in bar.COMPUTED.items()} == {
        "difference": 0.05, "team": 0.4, "own": 0.01
    }  # fmt: skip


def test_intervals_of_99_percent():
    """The half-width over that of 95 % is the ratio of the normal quantiles, 2.5758 / 1.9600."""
    sample = np.arange(10.0)
    one, other = estimate.mean(sample), estimate.mean(sample, estimate.Z99)
    assert (other.high - other.value) / (one.high - one.value) == pytest.approx(1.31422, abs=1e-5)
