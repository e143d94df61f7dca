"""reproduce: the figures that were printed, and reports that would notice if they were not."""

import sys

import numpy as np
import pytest

import fastgames as fg
from fastgames import reproduce
from fastgames.reproduce import cycling as cycling_
from fastgames.reproduce.report import Report, Row

SMALL = {"replicas": 60, "steps": 2_000}


@pytest.fixture(scope="module")
def reports():
    return {
        "cycling": reproduce.cycling(replicas=200),
        "sweep": reproduce.sweep(replicas=30),
        "softmax": reproduce.softmax(replicas=200),
        "frozen": reproduce.frozen(**SMALL),
    }


def row(report, what):
    (found,) = [r for r in report.rows if what in r.what]
    return found


@pytest.mark.parametrize("name", reproduce.NAMES)
def test_what_was_expected_is_found(reports, name):
    report = reports[name]
    assert [r for r in report.rows if r.ok is False] == []
    assert report.ok
    assert all((r.ok is None) == (r.expected == "") for r in report.rows)
    assert any(r.ok for r in report.rows)
    assert report.figure is not None


def test_the_chapters_lines(reports):
    # As the chapter prints them.
    assert reports["cycling"].lines == (
        "Row Q-values : [-0.016 -0.356]",
        "Col Q-values : [-0.35 0.123]",
        "times Row's greedy action FLIPPED: 1172",
        "(preferred Row,Col) every 4000 steps: [(0, 0), (0, 0), (0, 0), (1, 1), (0, 1)]",
    )


def test_the_listing_itself(reports):
    """The listing, written out here as the chapter has it."""
    rng = np.random.default_rng(7)
    q = np.zeros((2, 2))
    flips, before = 0, 0
    for _ in range(20_000):
        row, column = (
            int(rng.integers(2)) if rng.random() < 0.1 else int(values.argmax()) for values in q
        )
        reward = 1.0 if row == column else -1.0
        q[0, row] += 0.1 * (reward + 0.0 - q[0, row])
        q[1, column] += 0.1 * (-reward + 0.0 - q[1, column])
        flips, before = flips + (q[0].argmax() != before), q[0].argmax()
    listing = reports["cycling"].results["listing"]
    assert flips == listing.flips[0, 0]
    for agent in (0, 1):
        np.testing.assert_array_equal(listing.tables[agent]["q"][0, 0], q[agent])


def test_a_listing_that_differs_is_noticed():
    module = sys.modules["fastgames.reproduce.cycling"]
    rows = module._listing_rows(("Row Q-values : [-0.016 -0.357]", *module.PRINTED[1:]))
    assert [r.ok for r in rows] == [False, True, True, True]
    assert rows[0].expected == "[-0.016 -0.356]"
    assert rows[0].found == "[-0.016 -0.357]"
    assert not Report("", tuple(rows), (), None, {}).ok
    assert Report("", (Row("a", "", "b"),), (), None, {}).ok


def test_the_population_is_the_chapters_game_on_the_engines_streams(reports):
    report = reports["cycling"]
    again = fg.run(
        fg.games.matching_pennies(), fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1)),
        20_000, 200, 7, fg.Record(flips=True),
    )  # fmt: skip
    population = report.results["population"]
    np.testing.assert_array_equal(population.flips, again.flips)
    assert population.snapshots.steps.tolist() == [4000, 8000, 12000, 16000, 20000]
    mean, deviation = again.flips[:, 0].mean(), again.flips[:, 0].std()
    assert row(report, "mean and standard").found == f"{mean:,.1f}, {deviation:,.1f}"
    shares = row(report, "preferred (Row, Col) in the end").found
    heads = (again.greedy(0) == 0) & (again.greedy(1) == 0)
    assert f"(0,0) {heads.mean():.1%}" in shares


def test_other_steps_are_not_compared_with_the_chapters_flips():
    report = cycling_(replicas=20, steps=500)
    assert row(report, "middle 99 %").ok is None
    assert report.results["population"].snapshots.steps.tolist() == [100, 200, 300, 400, 500]
    assert report.ok


def test_each_cell_of_the_sweep_is_the_run_it_says(reports):
    grid = reports["sweep"].results["grid"]
    alphas, epsilons = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8), (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
    assert grid.replicas == len(alphas) * len(epsilons) * 30
    for a, e in ((0, 0), (2, 4), (5, 6)):
        learner = fg.QLearner(alphas[a], explore=fg.EpsilonGreedy(epsilons[e]))
        first = (a * len(epsilons) + e) * 30
        alone = fg.run(
            fg.games.matching_pennies(), learner, 20_000, first + 30, 7, fg.Record(flips=True)
        )
        np.testing.assert_array_equal(grid.flips[first : first + 30], alone.flips[first:])
    cell = grid.flips[(2 * 7 + 4) * 30 :][:30, 0]
    assert f"{np.median(cell):,.0f}" in row(reports["sweep"], "alpha 0.02 to 0.8").found.split(", ")


def test_the_rest_points(reports):
    """Equilibria found here by iterating the logit response, not copied from the module."""
    pennies = np.array([[[1.1141, 0], [0, 0.2785]], [[0, 1.1141], [1.1141, 0]]])
    dilemma = np.array([[[3.0, 0], [5, 1]], [[3, 5], [0, 1]]])
    cases = ((pennies, 1.0), (pennies, 0.5), (dilemma, 0.5), (dilemma, 1.0))
    for k, (payoffs, temperature) in enumerate(cases):
        x, y = np.full(2, 0.5), np.full(2, 0.5)
        for _ in range(5000):
            u, v = np.exp(payoffs[0] @ y / temperature), np.exp(x @ payoffs[1] / temperature)
            x, y = 0.9 * x + 0.1 * u / u.sum(), 0.9 * y + 0.1 * v / v.sum()
        result = reports["softmax"].results[f"rest {k}"]
        np.testing.assert_array_equal(result.game.payoffs, payoffs)
        shares = result.joint_counts.sum(axis=0) / result.joint_counts.sum()
        assert shares[0].sum() == pytest.approx(x[0], rel=0.02)
        assert shares[:, 0].sum() == pytest.approx(y[0], rel=0.02)
        rows = [r for r in reports["softmax"].rows if "first action" in r.what][2 * k : 2 * k + 2]
        assert [r.expected.split()[0] for r in rows] == [f"{x[0]:.6f}", f"{y[0]:.6f}"]
        assert rows[0].found.startswith(f"{shares[0].sum():.6f}")


def test_the_frequencies_of_heads(reports):
    report = reports["softmax"]
    soft = report.results["softmax"]
    for k, temperature in enumerate((0.1, 0.2, 0.5, 1.0)):
        counts = soft.joint_counts[200 * k : 200 * (k + 1)]
        assert counts[0].sum() == 5_000
        distance = 100 * np.mean([abs(c[0].sum() / c.sum() - 0.5) for c in counts])
        what = f"heads in the last 5,000 steps, points from 1/2: temperature {temperature}"
        assert row(report, what).found == f"{distance:.2f}"
    assert f"{100 / np.sqrt(2 * np.pi * 5000):.2f}" in report.lines[2]


def test_a_frozen_agent_does_not_learn_and_goes_on_afterwards(reports):
    results = reports["frozen"].results
    learning, frozen, thawed, control = (
        results[name] for name in ("learning", "frozen", "thawed", "control")
    )
    np.testing.assert_array_equal(frozen.policy(1), learning.policy(1))
    np.testing.assert_array_equal(frozen.tables[1]["q"], learning.tables[1]["q"])
    assert (thawed.tables[1]["q"] != learning.tables[1]["q"]).any()
    assert thawed.steps.tolist() == control.steps.tolist() == [6_000] * 60
    # The control is one run of three phases.
    learner = fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))
    whole = fg.run(fg.games.matching_pennies(), learner, 6_000, 60, 7, fg.Record(flips=True))
    np.testing.assert_array_equal(control.flips, whole.flips)
    np.testing.assert_array_equal(control.tables[0]["q"], whole.tables[0]["q"])
    flips = (frozen.flips - learning.flips)[:, 0].mean()
    assert row(reports["frozen"], "the same, Col frozen").found == f"{flips:,.1f}"
    assert flips < learning.flips[:, 0].mean() / 10


@pytest.mark.parametrize("name", reproduce.NAMES)
def test_quiet_with_a_picture_where_asked(name, tmp_path, capsys):
    path = tmp_path / "picture.png"
    reproduce.NAMES[name](replicas=20, steps=200, rng=3, dtype="float32", threads=1, out=path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", reproduce.NAMES)
def test_refused(name):
    for argument, value in (("replicas", 0), ("steps", 0), ("rng", -1), ("dtype", "float16")):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            reproduce.NAMES[name](**({"replicas": 2, "steps": 100} | {argument: value}))
    with pytest.raises(TypeError, match="steps must be"):
        reproduce.NAMES[name](replicas=2, steps=100.0)


def test_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report = reproduce.frozen(replicas=5, steps=20)
    assert report.figure is None
    with pytest.raises(ImportError, match=r"fastgames\[plot\]"):
        reproduce.frozen(replicas=5, steps=20, out=tmp_path / "picture.png")
