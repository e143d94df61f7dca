"""Reproductions find the published figures (docs/published.md), and their reports notice if not.

By default with few runs, whose tolerances are wide; the slow tests have all that was printed.
"""

import math
import sys

import numpy as np
import pytest
from library.equal import assert_same
from library.papers import COMPILED
from published import ASKER, CALVANO, CHAPTER, KLEIN, WALTMAN

import fastgames as fg
from fastgames import papers as reproduce
from fastgames.papers import cycling as cycling_
from fastgames.papers import estimate
from fastgames.papers.report import Report, Row

SMALL = {"replicas": 60, "steps": 2_000}
SESSIONS = 12  # of each of Calvano's settings


@pytest.fixture(scope="module")
def reports():
    return {
        "coordination": reproduce.coordination(replicas=200),
        "cycling": reproduce.cycling(replicas=200),
        "sweep": reproduce.sweep(replicas=30),
        "softmax": reproduce.softmax(replicas=200),
        "frozen": reproduce.frozen(**SMALL),
        "calvano": reproduce.calvano(replicas=SESSIONS, rng=2),
        "klein": reproduce.klein(replicas=16),
        "afp": reproduce.afp(replicas=16),
        "waltman-kaymak": reproduce.waltman_kaymak(replicas=3),
        "value-decomposition": reproduce.value_decomposition(replicas=20),
    }


def row(report, what):
    (found,) = [r for r in report.rows if what in r.what]
    return found


@pytest.mark.parametrize("name", [name for name in reproduce.NAMES if name not in COMPILED])
def test_what_was_expected_is_found(reports, name):
    report = reports[name]
    assert [r for r in report.rows if r.ok is False] == []
    assert report.ok
    assert all((r.ok is None) == (r.expected == "") for r in report.rows)
    assert any(r.ok for r in report.rows)
    assert report.figure is not None


def test_the_chapters_lines(reports):
    lines = (line.partition(":") for line in reports["cycling"].lines)
    assert {what.strip(): found.strip() for what, _, found in lines} == CHAPTER.figures


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
    module = sys.modules["fastgames.papers.chapter_cycling"]
    rows = module._listing_rows(("Row Q-values : [-0.016 -0.357]", *module.PRINTED[1:]))
    assert [r.ok for r in rows] == [False, True, True, True]
    assert rows[0].expected == CHAPTER["Row Q-values"]
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
    assert population.snapshots.steps.tolist() == [0, 4000, 8000, 12000, 16000, 20000]
    mean, deviation = again.flips[:, 0].mean(), again.flips[:, 0].std()
    assert row(report, "mean and standard").found == f"{mean:,.1f}, {deviation:,.1f}"
    shares = row(report, "preferred (Row, Col) in the end").found
    heads = (again.greedy(0) == 0) & (again.greedy(1) == 0)
    assert f"(0,0) {heads.mean():.1%}" in shares


def test_other_steps_are_not_compared_with_the_chapters_flips():
    report = cycling_(replicas=20, steps=500)
    assert row(report, "middle 99 %").ok is None
    assert report.results["population"].snapshots.steps.tolist() == [0, 100, 200, 300, 400, 500]
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
    # What Row faces is Col's policy.
    record = fg.Record(every=100, policies=True)
    whole = fg.run(fg.games.matching_pennies(), learner, 2_000, 60, 7, record)
    moved = np.abs(np.diff(whole.snapshots.policies[1][:, :, 0, 0], axis=0)).mean()
    name = "total variation of what Row faces in 100 steps, both learning"
    assert row(reports["frozen"], name).found == f"{moved:.3f}"
    assert row(reports["frozen"], "total variation, Col frozen").found == "0.000"


# --- Calvano et al. ------------------------------------------------------------------------------

SETTINGS = ({}, {"c": [1.0, 0.75]}, {"mu": 0.5}, {})
PRINTED_GAINS = [
    f"{CALVANO[name]:.3f}" for name in CALVANO.figures if name.startswith("mean Delta")
]
EXPLORE = fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6))


def profits(prices, c=(1.0, 1.0), mu=0.25):
    """Profits of two firms with logit demand, by the paper's formula."""
    weights = [math.exp((2.0 - p) / mu) for p in prices]
    return [(p - k) * w / (sum(weights) + 1.0) for p, k, w in zip(prices, c, weights, strict=True)]


def cycle_of(result, replica):
    """The states of a session's limit cycle: 15 times the first firm's price, and the second's."""
    first, second = (result.greedy(i)[replica].tolist() for i in range(2))
    path = [int(result.states[replica])]
    while path.count(path[-1]) < 2:
        path.append(15 * first[path[-1]] + second[path[-1]])
    return path[path.index(path[-1]) + 1 :]


def test_calvanos_sessions_are_those_of_the_paper():
    """Settings written out here, one run for each; replicas count on from setting to setting."""
    found = reproduce.calvano(replicas=3, steps=4_000, rng=5).results["settings"]
    assert found.grid.dims["setting"] == tuple(
        sys.modules["fastgames.papers.calvano_2020"].SETTINGS
    )
    assert found.stop == fg.Stable(100_000)
    for k, changes in enumerate(SETTINGS):
        game = fg.remember(fg.games.logit_bertrand(**changes), 1, 0.95, "uniform")
        seats = [
            fg.QLearner(alpha, explore=EXPLORE, initial=fg.UniformRivals())
            for alpha in (0.15, 0.05 if k == 3 else 0.15)
        ]
        alone = fg.run(game, seats, 4_000, 3 * (k + 1), 5)
        for i in range(2):
            np.testing.assert_array_equal(
                found.tables[i]["q"][3 * k : 3 * (k + 1)], alone.tables[i]["q"][3 * k :]
            )


def test_calvanos_gains(reports):
    """Delta, by hand: the mean profit on the cycle between that of Nash and that of monopoly."""
    report, n = reports["calvano"], SESSIONS
    result = report.results["settings"]
    rows = [r for r in report.rows if r.what.startswith("Delta: ")]
    assert [r.expected.split()[0] for r in rows] == PRINTED_GAINS
    for k, changes in enumerate(SETTINGS):
        stage = fg.games.logit_bertrand(**changes)
        nash, monopoly = stage.nash.profits.sum(), stage.monopoly.profits.sum()
        gains = []
        for replica in range(k * n, (k + 1) * n):
            paid = [
                sum(profits((stage.prices[0][s // 15], stage.prices[1][s % 15]), **changes))
                for s in cycle_of(result, replica)
            ]
            gains.append((np.mean(paid) - nash) / (monopoly - nash))
        assert rows[k].found.startswith(f"{np.mean(gains):.3f} (")
        if k == 0:
            assert row(report, "Delta, SD").found.startswith(f"{np.std(gains):.3f} (")


def test_calvanos_other_figures(reports):
    report, n = reports["calvano"], SESSIONS
    result = report.results["settings"]
    periods = (result.steps[:n] - 100_000) / 25_000
    for what, value in (
        ("mean", periods.mean()), ("SD", periods.std()), ("median", np.median(periods))
    ):  # fmt: skip
        assert row(report, f"converge, {what}").found.startswith(f"{value:.2f} (")
    lengths = np.array([len(cycle_of(result, replica)) for replica in range(n)])
    shares = (lengths == 1).mean(), (lengths == 2).mean(), (lengths >= 3).mean()
    for what, share in zip(("1", "2", "3 or more"), shares, strict=True):
        assert row(report, f"price cycle of {what}").found.startswith(f"{share:.3f} (")
    for what, name, digits in (
        ("converge, mean", "periods to convergence, mean", 2),
        ("converge, SD", "periods to convergence, SD", 2),
        ("converge, median", "periods to convergence, median", 2),
        ("Delta, SD", "SD of Delta, baseline", 3),
        ("cycle of 1", "share of sessions with a price cycle of 1", 3),
        ("cycle of 2", "share of sessions with a price cycle of 2", 3),
        ("cycle of 3", "share of sessions with a price cycle of 3 or more", 3),
        ("mutual best response", "share of sessions in a mutual best response", 3),
    ):
        assert row(report, what).expected.startswith(f"{CALVANO[name]:.{digits}f} ± ")


@pytest.mark.parametrize("steps", [10**9, 20_000])  # converged, and not by far
def test_calvanos_mutual_best_responses_and_price_cut(reports, steps):
    """By solving for the values of the strategies, and by playing the cut."""
    if steps == 10**9:
        report = reports["calvano"]
    else:
        report = reproduce.calvano(replicas=SESSIONS, steps=steps)
    result = report.results["settings"]
    stage = fg.games.logit_bertrand()
    mutual, before, after, loses = [], [], [], []
    states = np.arange(225)
    for replica in range(SESSIONS):
        greedy = [result.greedy(i)[replica] for i in range(2)]
        cycle = cycle_of(result, replica)
        goes = 15 * greedy[0] + greedy[1]
        best = np.ones(225, bool)
        for i in range(2):
            reward = stage.payoffs[i].ravel()
            move = np.eye(225)[goes]
            value = np.linalg.solve(np.eye(225) - 0.95 * move, reward[goes])
            changed = (
                15 * np.arange(15)[:, None] + greedy[1] if i == 0
                else 15 * greedy[0] + np.arange(15)[:, None]
            )  # fmt: skip
            values = reward[changed] + 0.95 * value[changed]
            best &= values[greedy[i], states] >= values.max(axis=0) - 1e-9
            if i == 0:
                cut = reward[changed].argmax(axis=0)
                lost = np.mean((values[cut, states] / value)[cycle]) < 1.0
        mutual.append(best[cycle].all())
        loses.append(lost)
        before.append(np.mean([stage.prices[1][s % 15] for s in cycle]))
        at = [15 * cut[s] + greedy[1][s] for s in cycle]
        after.append(np.mean([stage.prices[1][greedy[1][s]] for s in at]))
    found = row(report, "mutual best response").found
    assert found.startswith(f"{np.mean(mutual):.3f} (")
    found = row(report, "rival's price before, after").found
    assert found == f"{np.mean(before):.3f}, {np.mean(after):.3f}"
    assert row(report, "the cut does not pay").found == f"{np.mean(loses):.1%}"
    rival = report.figure.axes[0].lines[1]
    drawn = dict(zip(rival.get_xdata(), rival.get_ydata(), strict=True))
    assert list(drawn) == list(range(-3, 16))
    assert [drawn[-3], drawn[-1], drawn[0]] == pytest.approx([np.mean(before)] * 3)
    assert drawn[1] == pytest.approx(np.mean(after))


def test_calvanos_sessions_that_do_not_converge_are_noticed():
    report = reproduce.calvano(replicas=2, steps=500)
    assert row(report, "sessions that converged").found == "0 of 8"
    assert not report.ok
    assert [r for r in report.rows if "converge," in r.what] == []


def test_calvanos_checkpoint(tmp_path):
    path = tmp_path / "calvano.zip"
    once = reproduce.calvano(replicas=2, steps=3_000, checkpoint=path).results["settings"]
    assert path.exists()
    again = reproduce.calvano(replicas=2, steps=3_000, checkpoint=path).results["settings"]
    assert_same(once, again)
    with pytest.raises(ValueError, match="checkpoint"):
        reproduce.calvano(replicas=2, steps=3_001, checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint"):
        reproduce.calvano(replicas=2, steps=3_000, grid=(2, 2), checkpoint=path)


def test_each_cell_of_the_heat_map_is_the_run_it_says(tmp_path):
    report = reproduce.calvano(2, 3_000, 3, grid=(4, 5), out=tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    labelled = report.results["grid"].to_xarray()
    np.testing.assert_allclose(labelled.alpha, [0.025, 0.1, 0.175, 0.25])
    np.testing.assert_allclose(labelled.beta, [4e-6, 8e-6, 1.2e-5, 1.6e-5, 2e-5])
    game = fg.remember(fg.games.logit_bertrand(), 1, 0.95, "uniform")
    explore = fg.EpsilonGreedy(fg.Exponential(1.0, 1.6e-5))
    learner = fg.QLearner(0.175, explore=explore, initial=fg.UniformRivals())
    first = 2 * (2 * 5 + 3)
    alone = fg.run(game, learner, 3_000, first + 2, 3)
    np.testing.assert_allclose(
        labelled.q_0.sel(alpha=0.175, beta=1.6e-5, method="nearest"), alone.tables[0]["q"][first:]
    )
    assert [r.what for r in report.rows if "baseline" in r.what] == []  # no cell is near
    # The picture: alpha upwards, beta to the right.
    axes = report.figure.axes[0]
    rows, columns = (
        [float(text.get_text()) for text in axis.get_ticklabels()]
        for axis in (axes.yaxis, axes.xaxis)
    )
    assert rows == [0.25, 0.175, 0.1, 0.025]
    assert columns == [4, 8, 12, 16, 20]  # millionths
    stage = fg.games.logit_bertrand()
    paid = [
        np.mean([profits((stage.prices[0][s // 15], stage.prices[1][s % 15])) for s in cycle])
        for cycle in (cycle_of(report.results["grid"], r) for r in (first, first + 1))
    ]
    nash, monopoly = stage.nash.profits[0], stage.monopoly.profits[0]
    gain = (np.mean(paid) - nash) / (monopoly - nash)
    assert axes.images[0].get_array()[1, 3] == pytest.approx(gain)


def test_the_heat_maps_means():
    report = reproduce.heat_map((1, 2), 3, rng=2)
    result = report.results["grid"]
    assert report.ok
    assert result.stopped.all()
    stage = fg.games.logit_bertrand()
    gains = []
    for replica in range(6):
        paid = [
            np.mean(profits((stage.prices[0][s // 15], stage.prices[1][s % 15])))
            for s in cycle_of(result, replica)
        ]
        gains.append(np.mean(paid))
    nash, monopoly = stage.nash.profits[0], stage.monopoly.profits[0]
    means = (np.reshape(gains, (2, 3)).mean(axis=1) - nash) / (monopoly - nash)
    for name, value in (("least", means.min()), ("largest", means.max())):
        assert row(report, f"{name} mean Delta").found.startswith(f"{value:.3f} (")
        beta = ("1e-05", "2e-05")[list(means).index(value)]
        assert row(report, f"{name} mean Delta").what.endswith(f"alpha 0.025, beta {beta}")


def test_the_heat_map_compares_the_cell_next_to_the_baseline():
    module = sys.modules["fastgames.papers.calvano_2020_heat_map"]
    alphas, betas = np.array([0.05, 0.1, 0.145]), np.array([4e-6, 2e-6])
    gains = np.full((3, 2, 250), 0.5)
    gains[2, 0, :125], gains[2, 0, 125:] = 0.72, 0.92
    rows = module._rows(alphas, betas, gains, np.ones(1500, bool))
    (near,) = [r for r in rows if "next to the baseline" in r.what]
    assert near.expected == f"{CALVANO['mean Delta, baseline']} ± 0.024"
    assert near.found.startswith("0.820 (")
    assert near.ok is False
    assert rows[1].ok
    assert not module._rows(alphas, betas, gains - 0.5, np.ones(1500, bool))[1].ok


@pytest.mark.parametrize("grid", [(0, 2), (2, 1001), (2, 2, 2), "2x2", 3, (2.0, 2)])
def test_grids_refused(grid):
    with pytest.raises((TypeError, ValueError), match="grid must be"):
        reproduce.calvano(grid=grid)


# --- the other pricing learners ------------------------------------------------------------------


def test_kleins_runs(reports):
    report = reports["klein"]
    found = report.results["klein"]
    rate = -math.log(1e-6) / 500_000
    learner = fg.QLearner(0.3, 0.95, fg.EpsilonGreedy(fg.Exponential(1.0, rate)))
    # The last thousand periods of a run, counted as the difference of two runs.
    ends = [
        fg.run(fg.games.klein(6), learner, steps, 2, 7, fg.Record(rewards=True))
        for steps in (499_000, 500_000)
    ]
    np.testing.assert_array_equal(found.tables[0]["q"][:2], ends[1].tables[0]["q"])
    last = (500_000 * ends[1].mean_reward - 499_000 * ends[0].mean_reward) / 1_000
    np.testing.assert_allclose(found.mean_reward[:2], last, rtol=1e-8)
    profit = row(report, "mean profit over the last 1,000 periods")
    assert profit.expected.startswith(f"{KLEIN[profit.what]:.4f} ±")
    assert profit.found.startswith(f"{found.mean_reward.mean():.4f} (")


def test_other_periods_are_not_compared_with_kleins_or_waltmans():
    for again in (reproduce.klein, reproduce.waltman_kaymak):
        report = again(replicas=2, steps=300)
        assert {r.ok for r in report.rows} == {None}


@pytest.mark.parametrize("kind", ["synchronous", "asynchronous"])
@pytest.mark.parametrize("firms", [2, 3])
def test_greedy_learners_of_one_good(reports, firms, kind):
    """The whole run again: there is no chance in it after the values that it starts with."""
    result = reports["afp"].results[f"{kind} {firms}"]
    prices = np.linspace(0.01, 10, 100)
    initial = np.random.default_rng(7).uniform(10, 20, (firms, 16, 1, 100))[:, :, 0]
    for replica in range(3):
        values = initial[:, replica].copy()
        for _ in range(result.steps[replica]):
            played = values.argmax(axis=1)
            for i in range(firms):
                rivals = np.delete(played, i)
                low, ties = rivals.min(), (rivals == rivals.min()).sum()
                own = np.where(np.arange(100) < low, prices - 2, 0.0)
                own[low] = (prices[low] - 2) / (1 + ties)
                learns = slice(None) if kind == "synchronous" else played[i]
                values[i, learns] += 0.1 * (own[learns] - values[i, learns])
        for i in range(firms):
            np.testing.assert_allclose(result.tables[i]["q"][replica, 0], values[i], atol=1e-12)
    lowest = prices[np.min([result.greedy(i)[:, 0] for i in range(firms)], axis=0)]
    quantiles = " / ".join(f"{q:.2f}" for q in np.quantile(lowest, (0, 0.25, 0.5, 0.75, 1)))
    (found,) = [r for r in reports["afp"].rows if r.what == f"{kind}, {firms} firms"]
    assert found.found == quantiles
    printed = " / ".join(f"{price:.2f}" for price in ASKER["final price of 2, 3 and 4 firms"])
    assert found.expected == (printed if kind == "synchronous" else "")


def test_the_price_paid_is_the_lowest():
    report = reproduce.afp(replicas=5, steps=3, firms=[2])
    for kind in ("synchronous", "asynchronous"):
        result = report.results[f"{kind} 2"]
        final = np.stack([result.greedy(i)[:, 0] for i in range(2)])
        assert (final[0] != final[1]).any()
        lowest = np.linspace(0.01, 10, 100)[final.min(axis=0)]
        (found,) = [r.found for r in report.rows if r.what == f"{kind}, 2 firms"]
        assert found.startswith(f"{lowest.min():.2f} / ")
        assert found.endswith(f" / {lowest.max():.2f}")
    assert row(report, "runs that settled").ok is False


def test_final_prices_that_differ_are_noticed(reports):
    module = sys.modules["fastgames.papers.afp_2022"]
    results = reports["afp"].results
    low, high, higher = 2.0282, 2.1291, 2.2300
    for final, ok in (
        ([high] * 8, True), ([low, *[high] * 7], True), ([low] * 8, False),
        ([*[high] * 7, higher], False), ([1.9273, *[high] * 7], False),
    ):  # fmt: skip
        rows = module._rows({"synchronous, 2 firms": np.array(final)}, results, 1.0)
        assert rows[0].ok is ok
        assert rows[1].found.startswith(f"{final.count(low)} of 8")


def test_firms_refused():
    for firms in ([1], [5], [2, 0]):
        with pytest.raises(ValueError, match=r"firms must be a whole number in \[2, 4\]"):
            reproduce.afp(firms=firms)
    for firms in ([2.0], [], 2, "2"):
        with pytest.raises(TypeError, match="firms must be"):
            reproduce.afp(firms=firms)
    assert set(reproduce.afp(replicas=2, steps=20, firms=[2, 2]).results) == {
        "synchronous 2", "asynchronous 2"
    }  # fmt: skip


def test_waltmans_runs(reports):
    report = reports["waltman-kaymak"]
    found = report.results["waltman-kaymak"]
    assert found.joint_counts.sum(axis=(1, 2)).tolist() == [100] * 6
    quantities = np.add.outer(np.arange(41), np.arange(41))
    low, high = WALTMAN["lowest and highest SD of the joint quantity"]
    for k, alpha in enumerate((0.05, 0.25)):
        quantity, profit = WALTMAN[f"joint quantity and joint profit, alpha {alpha}"]
        counts = found.joint_counts[3 * k : 3 * (k + 1)]
        sold = (counts * quantities).sum(axis=(1, 2)) / 100
        price = np.maximum(40 - quantities, 0) - 4
        earned = (counts * price * quantities).sum(axis=(1, 2)) / 100
        for what, printed, sample in (
            ("quantity", quantity, sold), ("profit", profit, earned)
        ):  # fmt: skip
            (r,) = [r for r in report.rows if r.what == f"alpha {alpha}: joint {what}"]
            assert r.expected.startswith(f"{printed} ± ")
            assert r.found.startswith(f"{sample.mean():.1f} (")
        spread = row(report, f"alpha {alpha}: joint quantity, SD")
        assert spread.expected.startswith(f"{low} to {high}")
        assert spread.found.startswith(f"{sold.std():.1f} (")
    # Wiring: the same run, shorter, written out.
    short = reproduce.waltman_kaymak(replicas=2, steps=500, rng=4).results["waltman-kaymak"]
    learner = fg.QLearner(
        [0.05, 0.05, 0.25, 0.25],
        explore=fg.Softmax(fg.Exponential(1000.0, -math.log(0.99999), 1e-3)),
    )
    alone = fg.run(fg.games.cournot(), learner, 500, 4, 4)
    np.testing.assert_array_equal(short.tables[1]["q"], alone.tables[1]["q"])


# --- estimates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statistic", "truth"),
    [(estimate.mean, 0.5), (estimate.deviation, 12**-0.5), (estimate.median, 0.5)],
)
def test_intervals_cover_the_truth_as_often_as_they_say(statistic, truth):
    rng = np.random.default_rng(1)
    found = [statistic(rng.random(200)) for _ in range(2_000)]
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert 0.935 < covered < 0.965
    assert all(e.low <= e.value <= e.high for e in found)


def test_statistics():
    sample = [1.0, 2.0, 4.0, 9.0]
    assert estimate.mean(sample).value == 4.0
    assert estimate.mean([True, False, True, True]).value == 0.75
    assert estimate.deviation(sample).value == pytest.approx(math.sqrt(9.5))
    assert estimate.median(sample).value == 3.0
    for statistic in (estimate.mean, estimate.deviation, estimate.median):
        (one,) = {statistic([2.0]).low, statistic([2.0]).value, statistic([2.0]).high}
        assert one == (0.0 if statistic is estimate.deviation else 2.0)


def test_tolerances_grow_as_standard_errors_do():
    found = estimate.Estimate(0.86, 0.85, 0.87)
    for runs, allowed in ((1000, "0.015"), (250, "0.024"), (10**9, "0.011")):
        r = estimate.beside("x", found, 0.849, 0.015, 3, (1000, runs))
        assert r.expected == f"0.849 ± {allowed}"
    assert not estimate.beside("x", found, 0.849, 0.0109, 3, (1000, 1000)).ok
    assert estimate.beside("x", found, 0.849, 0.0111, 3, (1000, 1000)).ok
    assert estimate.beside("x", found, 0.871, 0.0111, 3, (1000, 1000)).ok
    assert estimate.beside("x", found, None, 0.1, 2, (1, 1)) == Row("x", "", "0.86 (0.85 to 0.87)")


# --- all that was printed ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["calvano", "klein", "afp", "waltman-kaymak"])
def test_what_was_printed_is_found(name):
    report = reproduce.NAMES[name]()
    assert [r for r in report.rows if r.ok is False] == []


@pytest.mark.slow
def test_the_heat_map_of_the_paper_in_small():
    report = reproduce.calvano(grid=(20, 20), replicas=10)
    assert [r for r in report.rows if r.ok is False] == []
    assert any("next to the baseline" in r.what for r in report.rows)


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in COMPILED else ())
        for name in reproduce.NAMES
    ],
)
def test_quiet_with_a_picture_where_asked(name, tmp_path, capsys):
    path = tmp_path / "picture.png"
    reproduce.NAMES[name](replicas=20, steps=200, rng=3, dtype="float32", threads=1, out=path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", reproduce.NAMES)
def test_refused(name):
    for argument, value in (("replicas", 0), ("steps", 0), ("rng", -1), ("dtype", "float16")):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            reproduce.NAMES[name](**({"replicas": 2, "steps": 1000} | {argument: value}))
    with pytest.raises(TypeError, match="steps must be"):
        reproduce.NAMES[name](replicas=2, steps=100.0)


def test_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "fastgames.plot.picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report = reproduce.frozen(replicas=5, steps=20)
    assert report.figure is None
    with pytest.raises(ImportError, match=r"fastgames-engine\[plot\]"):
        reproduce.frozen(replicas=5, steps=20, out=tmp_path / "picture.png")


def test_the_afp_figure_names_every_kind_of_learning(reports):
    axes = reports["afp"].figure.axes[0]
    names = [text.get_text() for text in axes.get_xticklabels()]
    kinds = [
        f"{kind}\n{firms} firms" for firms in (2, 3) for kind in ("synchronous", "asynchronous")
    ]
    assert names == kinds
    assert axes.get_xticks().tolist() == [0, 1, 2, 3]


def test_the_price_response_of_calvano_has_bands(reports):
    axes = reports["calvano"].figure.axes[0]
    assert len(axes.collections) == 2
    assert "middle half" in axes.get_title(loc="left")


def test_the_limits_of_sums_are_least_squares():
    """For weights of joint actions that are products, as where members choose independently."""
    module = sys.modules["fastgames.papers.team_values"]
    games = {
        "QTRAN game": (fg.games.qtran().payoffs[0], np.full(3, 1 / 3)),
        "QTRAN game around (B, B), epsilon 0.185": (fg.games.qtran().payoffs[0], None),
        "linear game": (np.array([[1.0, 5.0], [5.0, 9.0]]), np.full(2, 1 / 2)),
        "monotonic game": (np.array([[0.0, 0.0], [0.0, 10.0]]), np.full(2, 1 / 2)),
    }
    compared = 0
    for limit in module.LIMITS:
        game, _, learner = limit.run.rpartition(", ")
        if learner != "VDN" or game not in games:
            continue
        payoffs, shares = games[game]
        if shares is None:
            a = module.RARE["VDN"] / 3.0
            shares = np.array([a, 1.0 - 2.0 * a, a])
        size = len(payoffs)
        design = np.concatenate(
            [np.repeat(np.eye(size), size, 0), np.tile(np.eye(size), (size, 1))], 1
        )
        root = np.sqrt(np.outer(shares, shares).ravel())
        found = design @ np.linalg.lstsq(root[:, None] * design, root * payoffs.ravel())[0]
        for cell in limit.cells:
            assert limit.value == pytest.approx(found.reshape(size, size)[cell], abs=1e-9)
            compared += 1
    assert compared == 9 + 5 + 4 + 4


def test_values_away_from_their_limits_are_noticed():
    module = sys.modules["fastgames.papers.team_values"]
    runs = module.ENOUGH
    found = [
        estimate.Estimate(x.value + 0.11, x.value + 0.11, x.value + 0.11) for x in module.LIMITS
    ]
    assert not any(row.ok for row in module._rows_of_limits(found, runs))
    exact = [estimate.Estimate(x.value, x.value, x.value) for x in module.LIMITS]
    assert all(row.ok for row in module._rows_of_limits(exact, runs))
    # A wide interval is no excuse, unless the runs are few.
    wide = [estimate.Estimate(x.value + 0.11, x.value, x.value + 0.22) for x in module.LIMITS]
    assert not any(row.ok for row in module._rows_of_limits(wide, runs))
    assert all(row.ok for row in module._rows_of_limits(wide, runs - 1))
