"""plot: a panel for each thing recorded, the right numbers in it, and nothing global touched."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from library.processes import output_of
from matplotlib.figure import Figure

import fastgames as fg
from fastgames import plot
from fastgames.record import Record

EVERYTHING = Record(
    every=20, tables=("q",), greedy=True, policies=True, flips=True, joint_actions=True,
    rewards=True,
)  # fmt: skip
GAMES = {
    "two actions": fg.games.matching_pennies(),
    "three agents": fg.games.jordan(),
    "many actions": fg.games.coordination(20),
    "six agents": fg.games.public_goods(6),
}


def titles(figure):
    return [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes]


@pytest.fixture(scope="module")
def result():
    return fg.run(GAMES["two actions"], fg.QLearner(), 100, 40, 7, EVERYTHING)


def test_a_panel_for_each_thing_recorded(result):
    agents = ("What agent {} would play", "What agent {} prefers", "q-values of agent {}")
    expected = {kind.format(i) for kind in (*agents, "Final q-values of agent {}") for i in (0, 1)}
    expected |= {"Preferred in the end", "Played", "Changes of the greedy action", "Mean reward"}
    expected |= {"Expected reward", "Policies of agents 0 and 1"}
    found = titles(plot.overview(result))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_nothing_recorded():
    figure = plot.overview(fg.run(GAMES["two actions"], fg.QLearner(), 100, 40, 7))
    assert titles(figure) == [
        "Final q-values of agent 0", "Final q-values of agent 1", "Preferred in the end",
    ]  # fmt: skip


def test_agents_that_do_not_learn_have_no_flips_and_no_preferences():
    seats = (fg.FixedPolicy([0.2, 0.8]), fg.QLearner())
    figure = plot.overview(fg.run(GAMES["two actions"], seats, 100, 40, 7, EVERYTHING))
    found = titles(figure)
    assert "What agent 1 prefers" in found
    assert "What agent 0 prefers" not in found
    assert "Final q-values of agent 0" not in found
    flips = figure.axes[found.index("Changes of the greedy action")]
    assert flips.get_legend_handles_labels()[1] == ["agent 1"]


@pytest.mark.parametrize(
    ("game", "replicas"),
    [("two actions", 1), ("three agents", 5), ("many actions", 30), ("six agents", 30)],
)
def test_every_shape_can_be_drawn(game, replicas, tmp_path):
    path = tmp_path / "picture.png"
    explore = fg.Softmax(0.5) if replicas == 5 else fg.EpsilonGreedy(0.1)
    result = fg.run(GAMES[game], fg.QLearner(explore=explore), 60, replicas, 7, EVERYTHING)
    figure = plot.overview(result, path)
    assert isinstance(figure, Figure)
    assert path.read_bytes().startswith(b"\x89PNG")
    for axes in figure.axes:
        assert axes.get_xlabel() or axes.get_ylabel()


def test_the_numbers_in_the_panels(result):
    figure = plot.overview(result)
    by_title = dict(zip(titles(figure), figure.axes, strict=True))
    (line,) = by_title["What agent 1 prefers"].get_lines()
    shares = [(greedy == 0).sum() / 40 for greedy in result.snapshots.greedy[1]]
    np.testing.assert_array_equal(line.get_xdata(), [0, 20, 40, 60, 80, 100])
    np.testing.assert_allclose(line.get_ydata(), shares)
    lines = by_title["q-values of agent 0"].get_lines()
    for action, line in enumerate(lines):
        medians = [np.sort(q[:, 0, action])[19:21].mean() for q in result.snapshots.tables[0]["q"]]
        np.testing.assert_allclose(line.get_ydata(), medians)
    texts = [text.get_text() for text in by_title["Played"].texts]
    total = result.joint_counts.sum(axis=0).ravel()
    assert texts == [f"{100 * count / 4000:.0f} %" for count in total]


def test_preferred_counts_replicas():
    start = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]])[:, None]
    seats = (fg.QLearner(initial=start), fg.QLearner(initial=[1.0, 0.0]))
    still = fg.EpsilonGreedy(0.0)
    seats = tuple(fg.QLearner(alpha=1e-9, explore=still, initial=s.initial) for s in seats)
    result = fg.run(fg.games.chicken(), seats, 1, 4, 1)
    np.testing.assert_array_equal(plot.preferred(result), [[0.25, 0.0], [0.75, 0.0]])


@pytest.mark.parametrize(
    "values", [np.arange(1000), np.arange(1000) / 7.0, np.zeros(10), np.zeros(9, int)]
)
def test_histograms_are_shares(values):
    _, (axes,) = plot.figure(1, 1, "")
    plot.histograms(axes, {"a": values, "b": values + 0.0 * values})
    assert len(axes.patches) == 4  # an area and its outline for each
    for stairs in axes.patches:
        assert stairs.get_data().values.sum() == pytest.approx(1.0)


def test_histograms_of_whole_numbers_do_not_comb():
    _, (axes,) = plot.figure(1, 1, "")
    plot.histograms(axes, {"a": np.arange(120)}, bins=50)  # 2.4 numbers to each of 50 bins
    shares = axes.patches[0].get_data().values
    assert len(set(shares[:-1])) == 1


def test_not_numbers_are_left_out():
    _, (axes,) = plot.figure(1, 1, "")
    plot.histograms(axes, {"a": np.array([0.0, 1.0, np.nan])})
    assert axes.patches[0].get_data().values.sum() == pytest.approx(1.0)


def test_nothing_global_is_touched(result, tmp_path):
    before = dict(mpl.rcParams)
    result.plot(tmp_path / "picture.svg")
    assert dict(mpl.rcParams) == before
    code = (
        "import sys, fastgames as fg\n"
        "fg.run(fg.games.chicken(), fg.QLearner(), 10).plot(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    output_of(code, tmp_path / "other.png")
    assert (tmp_path / "other.png").exists()


def test_a_suffix_that_nobody_knows(result, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in one of .*\.png.* got '.*picture\.foo'"):
        plot.overview(result, tmp_path / "picture.foo")


def test_a_directory_that_is_not_there(result, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        plot.overview(result, tmp_path / "nowhere" / "picture.png")


def test_without_matplotlib(result, monkeypatch):
    monkeypatch.delitem(sys.modules, "fastgames.plot.picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'matplotlib: pip install "fastgames-engine\[plot\]"'):
        plot.overview(result)
