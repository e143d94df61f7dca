"""plot: what each kind of picture draws, against numbers worked out from the result alone."""

import itertools
import pickle
import warnings

import nashpy
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text

import fastgames as fg
from fastgames import analysis, plot
from fastgames.plot import equilibria, over_time, paths, sweeps

PENNIES, DILEMMA = fg.games.matching_pennies(), fg.games.prisoners_dilemma()
POLICIES = fg.Record(every=10, policies=True)
SOFT = fg.QLearner(explore=fg.Softmax(0.5))


def by_title(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_title(loc="left")}


def labelled(axes, name):
    """The line, dots or stars of that name in the legend."""
    (line,) = [line for line in axes.get_lines() if line.get_label().startswith(name)]
    return line.get_xydata()


# --- which kind ---------------------------------------------------------------------------------


def test_one_call_for_each_kind(tmp_path):
    record = fg.Record(every=10, policies=True, joint_actions=True)
    result = fg.run(PENNIES, SOFT, 50, 20, 7, record)
    expected = {
        "curves": ["Expected reward", "What agent 0 would play", "What agent 1 would play"],
        "trajectories": ["Policies of agents 0 and 1"],
        "joint": ["Preferred in the end", "Played"],
    }
    for kind, titles in expected.items():
        path = tmp_path / f"{kind}.png"
        assert list(by_title(result.plot(path, kind=kind))) == titles
        assert path.read_bytes().startswith(b"\x89PNG")
    assert set(by_title(result.plot())) >= set(itertools.chain(*expected.values()))


def test_a_sweep_is_drawn_as_one():
    cells = fg.grid(alpha=[0.1, 0.2], repeats=3)
    result = fg.run(PENNIES, fg.QLearner(cells.alpha), 20, cells, 7, fg.Record(flips=True))
    assert list(by_title(result.plot())) == ["Changes of the greedy action"]
    assert "Final q-values of agent 0" in by_title(result.plot(kind="overview"))


def test_a_kind_that_is_not_there():
    with pytest.raises(ValueError, match=r"kind must be one of .* got 'curve'; did you mean"):
        fg.run(PENNIES, SOFT, 5).plot(kind="curve")


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("curves", {}, r"result must have snapshots of policies, .*; pass record=fg\.Record"),
        ("curves", {"what": "rewards"}, "what must be one of 'reward'"),
        ("curves", {"what": "policy"}, "result must have snapshots of policy, got Record"),
        ("trajectories", {}, r"result must have snapshots of policies, got .*record=fg\.Record"),
        ("trajectories", {"observation": 1}, r"observation must be .*\[0, 0\], got 1"),
        ("trajectories", {"lines": 0}, "lines must be .* at least 1, got 0"),
        ("sweep", {}, r"result must be of a run over a grid, got 2 .*; pass replicas=fg\.grid"),
    ],
)
def test_what_cannot_be_drawn(kind, options, words):
    with pytest.raises(ValueError, match=words):
        fg.run(PENNIES, SOFT, 5, 2).plot(kind=kind, **options)


def test_no_trajectories_of_four_actions():
    result = fg.run(fg.games.coordination(4), SOFT, 20, 2, 1, POLICIES)
    with pytest.raises(ValueError, match=r"an agent with three actions.*\(4, 4\) actions"):
        result.plot(kind="trajectories")


def test_no_joint_actions_of_agents_that_take_turns():
    game = fg.games.klein()
    result = fg.run(game, fg.QLearner(), 5, 2, 1)
    with pytest.raises(ValueError, match=r"got Record.*pass record=fg\.Record\(joint_actions=True"):
        result.plot(kind="joint")


# --- curves -------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", [DILEMMA, fg.games.jordan(), fg.games.rock_paper_scissors()])
def test_expected_rewards_are_those_of_the_policies(game):
    result = fg.run(game, SOFT, 40, 5, 7, POLICIES)
    found = over_time.expected_rewards(result)
    assert found.shape == (5, 5, game.num_agents)
    for t, r in itertools.product(range(5), range(5)):
        mixes = [policies[t, r, 0] for policies in result.snapshots.policies]
        np.testing.assert_allclose(found[t, r], game.expected_payoffs(mixes), atol=1e-14)


def test_expected_rewards_of_variants():
    games = [fg.games.prisoners_dilemma(temptation=t) for t in (4, 6)]
    result = fg.run(fg.Variants(games, [1, 0, 1]), SOFT, 20, 3, 7, POLICIES)
    found = over_time.expected_rewards(result)
    for r, which in enumerate([1, 0, 1]):
        mixes = [policies[1, r, 0] for policies in result.snapshots.policies]
        np.testing.assert_allclose(found[1, r], games[which].expected_payoffs(mixes))


def test_lines_are_medians_and_bands_quantiles():
    result = fg.run(DILEMMA, SOFT, 40, 21, 7, POLICIES)
    rewards = over_time.expected_rewards(result)
    axes = by_title(result.plot(kind="curves", what="reward"))["Expected reward"]
    lines = axes.get_lines()
    assert len(lines) == 2
    for agent, line in enumerate(lines):
        np.testing.assert_array_equal(line.get_xdata(), [0, 10, 20, 30, 40])
        np.testing.assert_allclose(line.get_ydata(), np.sort(rewards[..., agent], axis=1)[:, 10])
    half = axes.collections[1].get_paths()[0].vertices  # after 90 % of agent 0
    quarter = np.sort(rewards[:, :, 0], axis=1)[:, 5]
    for step, low in zip([0, 10, 20, 30, 40], quarter, strict=True):
        assert half[half[:, 0] == step, 1].min() == pytest.approx(low)


def test_values_that_jump_have_means():
    result = fg.run(PENNIES, fg.QLearner(), 40, 30, 7, POLICIES)
    axes = by_title(result.plot(kind="curves"))["What agent 1 would play"]
    (line,) = axes.get_lines()
    np.testing.assert_allclose(
        line.get_ydata(), result.snapshots.policies[1][:, :, 0, 0].mean(axis=1)
    )
    assert axes.get_ylabel() == "mean probability: heads"
    assert not axes.collections


def test_rewards_of_a_game_with_states_are_those_of_greedy_play():
    game = fg.remember(DILEMMA, discount=0.9)
    start = np.random.default_rng(0).normal(size=(20, 4, 2))
    learner = fg.QLearner(0.5, initial=start)
    result = fg.run(game, learner, 60, 20, 7, fg.Record(every=20, greedy=True))
    found = over_time.rewards_of_greedy_play(result)
    assert found.shape == (4, 20, 2)
    for t, r in itertools.product(range(4), range(20)):
        greedy = [taken[t, r] for taken in result.snapshots.greedy]
        state, seen, paid = int(result.states[r]), [], []
        while state not in seen:
            joint = (greedy[0][state], greedy[1][state])
            seen.append(state)
            paid.append(DILEMMA.payoffs[(slice(None), *joint)])
            state = joint[0] * 2 + joint[1]
        np.testing.assert_allclose(found[t, r], np.mean(paid[seen.index(state) :], axis=0))
    assert "Reward if all played greedily on" in by_title(result.plot(kind="curves"))


def test_no_rewards_where_nature_samples():
    game = fg.games.random_markov_game(2, 3, (2, 2), transitions="random", rng=1)
    result = fg.run(game, fg.QLearner(), 20, 2, 7, fg.Record(every=10, greedy=True))
    assert over_time.rewards_of_greedy_play(result) is None
    assert "reward" not in " ".join(by_title(result.plot(kind="curves")))


# --- trajectories -------------------------------------------------------------------------------


def test_paths_on_the_square():
    result = fg.run(PENNIES, SOFT, 40, 6, 7, POLICIES)
    (axes, *_) = result.plot(kind="trajectories").axes
    x, y = (policies[:, :, 0, 0] for policies in result.snapshots.policies)
    (paths,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    pieces = np.array(paths.get_segments()).reshape(6, 4, 2, 2)  # replica, time, ends
    np.testing.assert_allclose(pieces[:, :, 0], np.stack([x[:-1].T, y[:-1].T], axis=-1))
    np.testing.assert_allclose(pieces[:, :, 1], np.stack([x[1:].T, y[1:].T], axis=-1))
    assert paths.get_array().reshape(6, 4)[4].tolist() == [10, 20, 30, 40]
    np.testing.assert_allclose(labelled(axes, "start"), np.stack([x[0], y[0]], axis=-1))
    np.testing.assert_allclose(labelled(axes, "end"), np.stack([x[-1], y[-1]], axis=-1))
    np.testing.assert_allclose(labelled(axes, "Nash"), [[0.5, 0.5]])
    assert axes.get_xlabel() == "probability of heads, agent 0"


def test_paths_on_the_simplex():
    """A mix is where its corners, weighted, balance."""
    game = fg.games.rock_paper_scissors()
    result = fg.run(game, SOFT, 40, 6, 7, POLICIES)
    axes = by_title(result.plot(kind="trajectories"))["Policies of agent 1"]
    corners = {text.get_text(): np.array(text.xy) for text in axes.texts}
    assert set(corners) == {"rock", "paper", "scissors"}
    sides = [np.linalg.norm(a - b) for a, b in itertools.combinations(corners.values(), 2)]
    np.testing.assert_allclose(sides, 1.0)
    last = result.snapshots.policies[1][-1, :, 0]
    ends = sum(last[:, [a]] * corners[name] for a, name in enumerate(game.actions[1]))
    np.testing.assert_allclose(labelled(axes, "end"), ends)
    np.testing.assert_allclose(labelled(axes, "Nash"), [sum(corners.values()) / 3])


@pytest.mark.parametrize(("agents", "pairs"), [(3, "01 02 12"), (4, "01 23"), (7, "01 23 45")])
def test_pairs_of_agents(agents, pairs):
    result = fg.run(fg.games.public_goods(agents), SOFT, 20, 2, 1, POLICIES)
    found = list(by_title(result.plot(kind="trajectories")))
    assert found == [f"Policies of agents {i} and {j}" for i, j in pairs.split()]


def test_means_so_far():
    result = fg.run(PENNIES, SOFT, 40, 6, 7, POLICIES)
    (axes, *_) = result.plot(kind="trajectories", average=True).axes
    means = [policies[:, :, 0, 0].mean(axis=0) for policies in result.snapshots.policies]
    np.testing.assert_allclose(labelled(axes, "end"), np.stack(means, axis=-1))
    first = [policies[0, :, 0, 0] for policies in result.snapshots.policies]
    np.testing.assert_allclose(labelled(axes, "start"), np.stack(first, axis=-1))
    assert axes.get_title(loc="left") == "Mean policies so far of agents 0 and 1"


def test_an_observation_of_several():
    game = fg.remember(PENNIES, discount=0.9)
    result = fg.run(game, SOFT, 40, 6, 7, POLICIES)
    (axes, *_) = result.plot(kind="trajectories", observation=2).axes
    ends = np.stack([policies[-1, :, 2, 0] for policies in result.snapshots.policies], axis=-1)
    np.testing.assert_allclose(labelled(axes, "end"), ends)
    assert "observation 2" in axes.get_title(loc="left")


def test_of_many_replicas_some_have_lines_and_all_an_end():
    result = fg.run(PENNIES, SOFT, 20, 700, 7, POLICIES)
    (axes, *_) = result.plot(kind="trajectories", lines=8).axes
    starts = labelled(axes, "start")
    x, y = (policies[0, :, 0, 0] for policies in result.snapshots.policies)
    drawn = [0, 100, 200, 300, 399, 499, 599, 699]
    np.testing.assert_allclose(starts, np.stack([x[drawn], y[drawn]], axis=-1))
    (cells,) = [c for c in axes.collections if type(c).__name__ == "PolyCollection"]
    assert cells.get_array().sum() == 700
    names = axes.get_legend_handles_labels()[1]
    assert "8 of 700 replicas" in names
    assert "end of all 700" in names


def test_moves_between_a_few_policies():
    """Epsilon-greedy agents know two policies each."""
    result = fg.run(PENNIES, fg.QLearner(), 200, 30, 7, POLICIES)
    (axes,) = result.plot(kind="trajectories").axes
    prefers = [policies[:, :, 0, 0] > 0.5 for policies in result.snapshots.policies]
    at = prefers[0] * 2 + prefers[1]  # (times, replicas)
    moved = np.zeros((4, 4))
    for a, b in itertools.pairwise(at):
        np.add.at(moved, (a, b), 1 / a.size / (len(at) - 1))
    np.fill_diagonal(moved, 0.0)
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == np.count_nonzero(moved)
    places = list(itertools.product((0.05, 0.95), repeat=2))
    for arrow in arrows:
        start, end = (tuple(np.round(place, 6)) for place in arrow._posA_posB)
        share = moved[places.index(start), places.index(end)]
        assert arrow.get_linewidth() == pytest.approx(0.4 + 4.6 * share / moved.max())
    texts = {tuple(np.round(t.xy, 6)): t.get_text() for t in axes.texts}
    for k, (x, y) in enumerate(itertools.product((0.05, 0.95), repeat=2)):
        assert texts[x, y] == f"{100 * (at[-1] == k).mean():.0f} %"


def interrupted(steps, **arguments):
    """A result as Ctrl-C leaves it: replica r came to steps[r], and what it did not is not there.

    Replicas came to multiples of the distance between snapshots.
    """
    run = {"game": PENNIES, "learners": SOFT, "steps": max(steps), "rng": 7, **arguments}
    whole = fg.run(replicas=len(steps), **run)
    parts = {n: fg.run(replicas=len(steps), **{**run, "steps": n}) for n in set(steps) - {0}}
    start = fg.run(replicas=len(steps), **{**run, "steps": 1}).snapshots
    state, taken = whole.state, whole.snapshots
    state.steps[:] = steps
    for r, n in enumerate(steps):
        for i, seat in enumerate(state.seats):
            table = start.tables[i]["q"][0] if n == 0 else parts[n].tables[i]["q"]
            seat.tables["q"][r] = table[r]
        state.joint_counts[r] = 0 if n == 0 else parts[n].joint_counts[r]
        for arrays, missing in ((taken.greedy, -1), (taken.policies, np.nan)):
            for array in arrays:
                array[taken.steps > n, r] = missing
        for tables in taken.tables:
            tables["q"][taken.steps > n, r] = np.nan
        if n == 0:  # nobody came to them
            for array in (*taken.greedy, *taken.policies):
                array[0, r] = -1 if array.dtype.kind == "i" else np.nan
    return whole


ALL = fg.Record(every=10, tables=("q",), greedy=True, policies=True, joint_actions=True, flips=True)


def test_replicas_that_did_not_begin_are_left_out():
    steps = [40, 40, 30, 20, 10, 0, 0, 0, 0, 0, 0, 0]
    result = interrupted(steps, record=ALL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = result.plot()
    assert figure.get_suptitle().startswith(
        "Matching pennies, QLearner: 5 of 12 replicas of up to 40 steps"
    )
    drawn = by_title(figure)
    (line,) = drawn["What agent 0 prefers"].get_lines()
    heads = result.snapshots.greedy[0][:, :5, 0] == 0
    came = np.array(steps[:5]) >= np.arange(0, 50, 10)[:, None]
    shares = [row[there].mean() for row, there in zip(heads, came, strict=True)]
    np.testing.assert_allclose(line.get_ydata(), shares)
    assert plot.preferred(result).sum() == pytest.approx(1.0)
    expected = np.zeros((2, 2))
    for a, b in zip(result.greedy(0)[:5, 0], result.greedy(1)[:5, 0], strict=True):
        expected[a, b] += 1 / 5
    np.testing.assert_allclose(plot.preferred(result), expected)
    ends = labelled(result.plot(kind="trajectories").axes[0], "end")
    final = [[p[t // 10, r, 0, 0] for p in result.snapshots.policies] for r, t in enumerate(steps)]
    np.testing.assert_allclose(ends, final[:5])
    assert len(drawn["Final q-values of agent 0"].get_lines()) == 5  # each replica, few as they are


def test_snapshots_that_nobody_came_to_are_left_out():
    result = interrupted([40, 20, 20], record=ALL)
    result.state.steps[0] = 20
    for array in (*result.snapshots.greedy, *result.snapshots.policies):
        array[3:, 0] = -1 if array.dtype.kind == "i" else np.nan
    (line,) = by_title(result.plot())["What agent 0 prefers"].get_lines()
    assert line.get_xdata().tolist() == [0, 10, 20]


def test_nothing_is_drawn_of_a_run_that_did_not_begin():
    result = interrupted([10, 10], record=ALL)
    result.state.steps[:] = 0
    for kind in ("overview", "curves", "trajectories", "joint"):
        with pytest.raises(ValueError, match="a replica that has taken a step, got 2 replicas at"):
            result.plot(kind=kind)


def test_replicas_that_stopped_stay_as_they_were():
    """Their snapshots end with them; shares are of all replicas all the same."""
    stop, record = fg.Stable(15), fg.Record(every=50, greedy=True)
    result = fg.run(PENNIES, fg.QLearner(), 400, 50, 7, record, stop)
    assert 0 < result.stopped.sum() < 50
    greedy = result.snapshots.greedy[0][:, :, 0]
    assert (greedy == -1).any()
    filled = np.where(greedy == -1, result.greedy(0)[:, 0], greedy)
    axes = by_title(result.plot(kind="curves", what="greedy"))["What agent 0 prefers"]
    (line,) = axes.get_lines()
    np.testing.assert_allclose(line.get_ydata(), (filled == 0).mean(axis=1))


def test_curves_and_paths_begin_where_the_run_did():
    start = np.random.default_rng(1).normal(size=(6, 1, 2))
    learners = [fg.QLearner(explore=fg.Softmax(0.5), initial=start), SOFT]
    result = fg.run(PENNIES, learners, 40, 6, 7, POLICIES)
    weights = np.exp(start[:, 0] / 0.5)
    first = weights[:, 0] / weights.sum(axis=1)
    begin = labelled(result.plot(kind="trajectories").axes[0], "start")
    np.testing.assert_allclose(begin, np.stack([first, np.full(6, 0.5)], axis=-1))
    axes = by_title(result.plot(kind="curves"))["What agent 0 would play"]
    (line,) = axes.get_lines()
    assert line.get_xdata()[0] == 0
    assert line.get_ydata()[0] == pytest.approx(np.median(first))


def test_a_resumed_run_does_not_claim_to_show_the_start():
    half = fg.run(PENNIES, SOFT, 40, 6, 7, POLICIES)
    result = fg.run(PENNIES, SOFT, 40, record=POLICIES, resume=half)
    (axes, *_) = result.plot(kind="trajectories").axes
    names = axes.get_legend_handles_labels()[1]
    assert "step 50" in names
    assert "start" not in names


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_spaced(count):
    found = paths.spaced(count, 7)
    assert found[0] == 0
    assert found[-1] == count - 1
    assert len(found) == min(count, 7)


# --- equilibria ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_equilibria_are_those_of_nashpy(seed):
    """Random games are not degenerate: support enumeration finds all."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 5, 2))
    game = fg.MatrixGame(rng.normal(size=(2, *shape)))
    found = equilibria.equilibria(game)
    expected = list(nashpy.Game(*game.payoffs).vertex_enumeration())
    assert len(found) == len(expected)
    for mixes in expected:
        assert any(all(map(np.allclose, mixes, other)) for other in found)


@pytest.mark.parametrize("name", ["matching_pennies", "chicken", "stag_hunt", "jordan"])
def test_equilibria_of_classics_cannot_be_exploited(name):
    game = fg.games.make(name)
    for mixes in equilibria.equilibria(game):
        assert game.exploitability(mixes) < 1e-12
    assert len(equilibria.equilibria(game)) == {"matching_pennies": 1, "jordan": 0}.get(name, 3)


def test_equilibria_that_are_everywhere_are_not_marked():
    assert equilibria.equilibria(fg.MatrixGame(np.zeros((2, 3, 3)))) == []


# --- joint actions ------------------------------------------------------------------------------


def test_the_heat_map_of_joint_actions():
    result = fg.run(DILEMMA, SOFT, 50, 10, 7, fg.Record(joint_actions=True))
    axes = by_title(result.plot(kind="joint"))["Played"]
    shares = result.joint_counts.sum(axis=0) / 500
    np.testing.assert_allclose(axes.images[0].get_array(), 100 * shares)
    (frame,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert (round(frame.get_x()), round(frame.get_y())) == (1, 1)  # both defect
    assert [text.get_text() for text in axes.get_yticklabels()] == ["cooperate", "defect"]


def test_prices_in_place_of_numbers():
    game = fg.games.logit_bertrand()
    axes = by_title(fg.run(game, SOFT, 5, 2, 7).plot(kind="joint"))["Preferred in the end"]
    first = axes.get_yticklabels()[0].get_text()
    assert float(first) == pytest.approx(game.prices[0][0], rel=1e-3)


# --- sweeps -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swept():
    """Two dimensions of learners and one of games, and what came of each cell."""
    cells = fg.grid(alpha=[0.1, 0.2, 0.4], epsilon=[0.05, 0.5], temptation=[4.0, 6.0], repeats=5)
    game = cells.games(lambda temptation: fg.games.prisoners_dilemma(temptation=temptation))
    learner = fg.QLearner(cells.alpha, explore=fg.EpsilonGreedy(cells.epsilon))
    record = fg.Record(flips=True, rewards=True)
    return fg.run(game, learner, 50, cells, 7, record)


def cell_mean(result, values, **where):
    chosen = np.all([result.grid[name] == value for name, value in where.items()], axis=0)
    return values[chosen].mean()


def test_a_heat_map_over_two_dimensions(swept):
    figure = swept.plot()
    titles = by_title(figure)
    assert set(titles) == {
        f"{what}, agent {i}" for what in ("Mean reward", "Changes of the greedy action")
        for i in (0, 1)
    }  # fmt: skip
    axes = titles["Mean reward, agent 1"]
    drawn = axes.images[0].get_array()
    rewards = swept.mean_reward[:, 1]
    for (row, alpha), (column, epsilon) in itertools.product(
        enumerate([0.4, 0.2, 0.1]), enumerate([0.05, 0.5])
    ):
        expected = cell_mean(swept, rewards, alpha=alpha, epsilon=epsilon)
        assert drawn[row, column] == pytest.approx(expected)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["0.4", "0.2", "0.1"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epsilon", "alpha")
    assert figure.get_supxlabel() == "Mean over temptation, replicas."


def test_the_dimensions_that_were_asked_for(swept):
    axes = by_title(swept.plot(over=("temptation", "alpha"), value="flips"))
    drawn = axes["Changes of the greedy action, agent 0"].images[0].get_array()
    expected = cell_mean(swept, swept.flips[:, 0], temptation=6.0, alpha=0.2)
    assert drawn[0, 1] == pytest.approx(expected)


def test_lines_over_one_dimension(swept):
    axes = by_title(swept.plot(over="epsilon", value="mean_reward"))["Mean reward"]
    lines = axes.get_lines()
    assert len(lines) == 2
    for agent, line in enumerate(lines):
        np.testing.assert_array_equal(line.get_xdata(), [0.05, 0.5])
        for epsilon, y in zip([0.05, 0.5], line.get_ydata(), strict=True):
            assert y == np.median(swept.mean_reward[swept.grid.epsilon == epsilon, agent])


def test_numbers_of_ones_own(swept):
    welfare = swept.mean_reward.sum(axis=1)
    axes = by_title(swept.plot(value=welfare, name="Welfare"))["Welfare"]
    expected = cell_mean(swept, welfare, alpha=0.1, epsilon=0.5)
    assert axes.images[0].get_array()[2, 1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("episodes", "Episodes"),
        ("mean_length", "Mean length of an episode"),
        ("mean_return", "Mean return"),
        ("mean_discounted_return", "Mean discounted return"),
    ],
)
def test_episodes_over_one_dimension(name, title):
    """No episode of a replica may have ended: its means are nan, and left out."""
    cells = fg.grid(alpha=[0.1, 0.2], repeats=15)
    learner, record = fg.QLearner(cells.alpha), fg.Record(episodes=True)
    result = fg.run(fg.games.grid_game(), learner, 200, cells, 7, record)
    values = getattr(result, name).reshape(2, 15, -1)
    assert name == "episodes" or np.isnan(values).any()
    lines = result.plot(value=name).axes[0].get_lines()
    for i, line in enumerate(lines):
        np.testing.assert_allclose(line.get_ydata(), np.nanmedian(values[:, :, i], axis=1))
    assert title in by_title(result.plot())


def test_regret_over_one_dimension():
    cells = fg.grid(alpha=[0.1, 0.2], repeats=5)
    learner, record = fg.QLearner(cells.alpha), fg.Record(regret=True)
    result = fg.run(fg.games.chicken(), learner, 60, cells, 7, record)
    line, *_ = result.plot(value="regret").axes[0].get_lines()
    expected = np.median(result.regret.reshape(2, 5, 2)[:, :, 0], axis=1)
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_profit_gains_of_pricing_algorithms():
    stage = fg.games.logit_bertrand()
    cells = fg.grid(alpha=[0.1, 0.2], repeats=2)
    game = fg.remember(stage, discount=0.9)
    result = fg.run(game, fg.QLearner(cells.alpha), 500, cells, 1)
    gains = analysis.profit_gain(result, stage.nash.profits, stage.monopoly.profits)
    (line,) = result.plot(value=gains, name="Profit gain").axes[0].get_lines()
    np.testing.assert_allclose(line.get_ydata(), np.median(gains.reshape(2, 2), axis=1))


def test_words_along_an_axis():
    cells = fg.grid(kind=["b", "a"], repeats=2)
    result = fg.run(PENNIES, SOFT, 20, cells, 1, fg.Record(flips=True))
    axes = result.plot().axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["b", "a"]
    medians = np.median(result.flips[:, 0].reshape(2, 2), axis=1)
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), medians)


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_steps_where_nothing_was_recorded():
    cells = fg.grid(alpha=[0.1, 0.2], repeats=2)
    result = fg.run(DILEMMA, fg.QLearner(cells.alpha), 300, cells, 1, stop=fg.Stable(20))
    assert set(by_title(result.plot())) == {"Steps taken", "Share of replicas that stopped"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"value": "flip"}, "value must be one of .* got 'flip'; did you mean 'flips'"),
        ({"value": np.zeros(3)}, r"value must be .*numbers \(60,\) or \(60, 2\), got .*\(3,\)"),
        ({"over": "beta"}, "over must be one of 'alpha', 'epsilon', 'temptation', got 'beta'"),
        ({"over": ("alpha", "alpha")}, "one dimension or two different ones"),
        ({"over": ("alpha", "epsilon", "temptation")}, "one dimension or two different ones"),
    ],
)
def test_bad_sweeps(swept, options, words):
    with pytest.raises(ValueError, match=words):
        swept.plot(**options)


def test_what_was_not_recorded_cannot_be_swept():
    cells = fg.grid(alpha=[0.1, 0.2])
    result = fg.run(DILEMMA, fg.QLearner(cells.alpha), 5, cells, 1)
    with pytest.raises(ValueError, match="a recorded statistic, got 'flips' with Record"):
        plot.sweep(result, value="flips")


@pytest.mark.parametrize(
    ("largest", "text"), [(4106.4, "4,106"), (94.81, "94.8"), (0.0123, "0.0123")]
)
def test_three_digits(largest, text):
    assert sweeps._three_digits(np.array([0.001, -largest])).format(largest) == text


def test_a_hundred_agents_have_no_picture_of_joint_actions():
    result = fg.run(fg.games.el_farol(), fg.QLearner(), 20, 2, rng=1)
    with pytest.raises(ValueError, match=r"most \d+ joint actions, got 'El Farol' with 100 agents"):
        result.plot(kind="joint")
    assert result.plot().axes


# --- drawn on axes that are there ---------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded():
    return fg.run(PENNIES, SOFT, 40, 20, 7, ALL)


def test_one_panel_on_axes(recorded):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert recorded.plot(kind="trajectories", ax=left) is figure
    assert plot.curves(recorded, what="reward", ax=right) is figure
    assert list(by_title(figure)) == ["Policies of agents 0 and 1", "Expected reward"]
    assert figure.get_suptitle() == ""
    alone = by_title(recorded.plot(kind="curves", what="reward"))["Expected reward"]
    for one, other in zip(right.get_lines(), alone.get_lines(), strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


@pytest.mark.parametrize("kind", ["overview", "curves", "trajectories", "joint", "sweep"])
def test_every_kind_takes_axes_a_figure_or_a_part_of_one(kind, tmp_path):
    cells = fg.grid(alpha=[0.1, 0.2], repeats=6)
    result = fg.run(PENNIES, fg.QLearner(cells.alpha, explore=fg.Softmax(0.5)), 40, cells, 7, ALL)
    expected = [axes.get_title(loc="left") for axes in result.plot(kind=kind).axes]
    panels = len([title for title in expected if title])  # and no colour bars
    whole, halves = Figure(figsize=(12, 9)), Figure(figsize=(24, 9))
    several = Figure(figsize=(12, 9))
    part = halves.subfigures(1, 2)[1]
    places = [(whole, whole), (part, halves), (several.subplots(1, panels, squeeze=False), several)]
    for ax, figure in places:
        path = tmp_path / "picture.png"
        assert result.plot(path, kind=kind, ax=ax) is figure
        assert [
            axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")
        ] == [title for title in expected if title]
        assert path.read_bytes().startswith(b"\x89PNG")
    assert part.get_suptitle() == whole.get_suptitle() != ""


@pytest.mark.parametrize(
    ("kind", "ax", "error", "words"),
    [
        ("trajectories", 3, TypeError, "ax must be Axes, .* a Figure or a SubFigure, got 3"),
        ("trajectories", "new", TypeError, "ax must be Axes, .* a Figure or a SubFigure, got 'new"),
        ("joint", [None, 2], TypeError, "ax must be Axes, .* a Figure or a SubFigure, got None"),
        ("trajectories", [], ValueError, "ax must be 1 Axes, one for each panel of the figure, "),
    ],
)
def test_where_nothing_can_be_drawn(recorded, kind, ax, error, words):
    with pytest.raises(error, match=words):
        recorded.plot(kind=kind, ax=ax)


def test_one_axes_for_several_panels(recorded):
    axes = Figure().subplots()
    with pytest.raises(ValueError, match=r"ax must be 2 Axes, .* got 1; pass a sequence"):
        recorded.plot(kind="joint", ax=axes)
    assert not axes.get_title(loc="left")


# --- what stands at the axes --------------------------------------------------------------------


def texts_of(figure):
    """Every text that is drawn of a figure, as it is drawn."""
    FigureCanvasAgg(figure).draw()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def test_dollars_are_no_mathematics():
    """Nowhere: not in titles, labels, ticks, legends, corners, bars, heat maps."""
    words = ["$a$", r"b$\frac$", "c_1^2 $", "d $x$ and $y$"]
    two = [words[:2], words[2:]]
    simplices = np.zeros((2, 3, 3))
    three = fg.MatrixGame(simplices, name="$n$ and $", actions=[words[:3], words[1:]])
    pair = fg.MatrixGame(DILEMMA.payoffs, name="$n$ and $", actions=two)
    many = fg.MatrixGame(np.zeros((3, 2, 2, 2)), name="$n$", actions=[words[:2]] * 3)
    cells = fg.grid(cost=["$1", "$2 or $3"], repeats=6)
    swept = fg.run(pair, SOFT, 40, cells, 7, ALL)
    figures = [fg.run(game, SOFT, 40, 12, 7, ALL).plot() for game in (three, pair, many)]
    figures += [swept.plot(), swept.plot(value=np.arange(12.0), name="$z$ and $w$")]
    figures += [fg.run(pair, SOFT, 40, 12, 7, ALL).plot(kind="trajectories")]
    _, (axes,) = plot.figure(1, 1, "$t$")
    plot.bands(axes, np.arange(3), np.zeros((3, 2, 1)), ["$l$"])
    plot.mark(axes, 1.0, "$m$")
    plot.finish(axes, "$t$", "$x$", "$y$")
    seen = " ".join(
        text.get_text() for figure in [*figures, axes.figure] for text in texts_of(figure)
    )
    for word in ("$n$ and $", *words, "$2 or $3", "$z$ and $w$", "$l$", "$m$", "$t$", "$x$", "$y$"):
        assert word.replace("$", r"\$") in seen
    for figure in [*figures, axes.figure]:
        for text in texts_of(figure):
            assert text._preprocess_math(text.get_text())[1] is False
            assert text._preprocess_math(text.get_text())[0].count("\\$") == 0


def test_names_that_begin_with_an_underscore_are_in_the_legend():
    game = fg.MatrixGame(DILEMMA.payoffs, actions=[["_up", "_down"]] * 2)
    axes = by_title(fg.run(game, SOFT, 40, 12, 7, ALL).plot())["q-values of agent 0"]
    assert [text.get_text().strip() for text in axes.get_legend().get_texts()] == ["_up", "_down"]


@pytest.mark.parametrize(
    ("places", "expected", "end"),
    [
        ([0.0, 0.2, 0.4], ["0.0", "0.2", "0.4"], ""),
        ([0.0, 5000.0, 10_000.0], ["0", "5,000", "10,000"], ""),
        ([0.0, 500_000.0, 1e6], ["0.0", "0.5", "1.0"], "\N{MULTIPLICATION SIGN}10⁶"),
        ([0.0, 4.839e-5, 9.678e-5], ["0.00", "4.84", "9.68"], "\N{MULTIPLICATION SIGN}10⁻⁵"),
        ([0.002, 0.004], ["0.002", "0.004"], ""),
        ([-2e-20, 0.0, 2e-20], ["-2", "0", "2"], "\N{MULTIPLICATION SIGN}10⁻²⁰"),
        ([1000.001, 1000.002], ["0.001", "0.002"], "+1,000"),
        ([-1.0, -0.5, 0.0], ["-1.0", "-0.5", "0.0"], ""),
        ([1.0], ["1"], ""),
        ([], [], ""),
    ],
)
def test_numbers_at_an_axis(places, expected, end):
    from fastgames.plot.picture import Numbers

    numbers = Numbers()
    assert numbers.format_ticks(places) == expected
    assert numbers.get_offset() == end


@pytest.mark.parametrize(
    ("values", "expected", "power"),
    [
        ([0.05, 0.1, 0.4], ["0.05", "0.1", "0.4"], 0),
        ([1e-6, 4.839e-5, 1e-4], ["1", "48.39", "100"], -6),
        ([1e-9, 0.0, 1.0], ["1·10⁻⁹", "0", "1"], 0),
        ([1e6, 2.5e6], ["1", "2.5"], 6),
        ([12345.0, 0.5], ["12,345", "0.5"], 0),
    ],
)
def test_values_of_a_sweep(values, expected, power):
    from fastgames.plot.picture import scaled

    assert scaled(values) == (expected, power)


def shown_ticks(axis):
    """The texts of the ticks that are in view."""
    low, high = sorted(axis.get_view_interval())
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [text.get_text() for place, text in ticks if low <= place <= high]


def test_shares_end_at_1():
    """Also of replicas that all do the same; and what is constant has a bar around it."""
    same = fg.QLearner(explore=fg.EpsilonGreedy(0.0), initial=[0.0, 9.0])
    result = fg.run(DILEMMA, same, 50, 40, 7, fg.Record(every=10, greedy=True, policies=True,
                    flips=True, rewards=True))  # fmt: skip
    figure = result.plot()
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        if "share of" in axes.get_ylabel() or "probability" in axes.get_ylabel():
            assert axes.get_ylim()[1] <= 1.1
            assert max(float(text) for text in shown_ticks(axes.yaxis)) == 1.0
    square = by_title(figure)["Policies of agents 0 and 1"]
    assert shown_ticks(square.xaxis) == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert square.spines["left"].get_bounds() == (0.0, 1.0)
    flips = by_title(figure)["Changes of the greedy action"]
    assert shown_ticks(flips.xaxis) == ["0"]
    heights = by_title(figure)["Mean reward"].patches[0].get_data()
    (full,) = np.flatnonzero(heights.values)
    bar = heights.edges[full], heights.edges[full + 1]
    assert bar[0] < 1.0 < bar[1] < bar[0] + 0.05


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_the_share_of_replicas_that_stopped():
    """A mean of each cell, from 0 to 1: as a line, as numbers and as colours."""
    for count in (3, 12):
        cells = fg.grid(alpha=np.linspace(0.1, 0.5, count), epsilon=[0.1, 0.2], repeats=5)
        learner = fg.QLearner(cells.alpha, explore=fg.EpsilonGreedy(cells.epsilon))
        result = fg.run(PENNIES, learner, 200, cells, 7, stop=fg.Stable(12))
        shares = cells.reshape(result.stopped).mean(axis=2)
        assert 0.0 < shares.mean() < 1.0
        axes, *bars = result.plot(value="stopped").axes
        np.testing.assert_allclose(axes.images[0].get_array(), shares[::-1])
        assert axes.images[0].get_clim() == (0.0, 1.0)
        assert len(bars) == (count > 8)
        (line,) = result.plot(value="stopped", over="alpha").axes[0].get_lines()
        np.testing.assert_allclose(line.get_ydata(), shares.mean(axis=1))
    always = fg.run(DILEMMA, fg.FixedPolicy([0.5, 0.5]), 99, cells, 7, stop=fg.Stable(5))
    _, bar = always.plot(value="stopped").axes
    FigureCanvasAgg(bar.figure).draw()
    assert shown_ticks(bar.yaxis) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    _, bar = always.plot(value=np.full(len(cells), 7.5)).axes
    FigureCanvasAgg(bar.figure).draw()
    assert shown_ticks(bar.yaxis) == ["7.5"]


@pytest.mark.parametrize("columns", [4, 6, 9, 24])
def test_no_label_of_words_is_lost(columns):
    """Side by side, or turned; and thinned only where not even turned ones fit."""
    names = [f"{'a' * (k % 3)}synchronous\n{k} firms" for k in range(columns)]
    _, (axes,) = plot.figure(1, 1, "", (7.0, 3.8))
    plot.spread(axes, np.zeros((20, columns)), names)
    plot.finish(axes, "", "", "price")
    assert shown_ticks(axes.xaxis) == names
    FigureCanvasAgg(axes.figure).draw()
    boxes = [text.get_window_extent() for text in axes.xaxis.get_ticklabels()]
    turned = axes.xaxis.get_ticklabels()[0].get_rotation()
    for one, other in itertools.pairwise(boxes):
        assert turned or one.x1 < other.x0


def test_prices_stand_at_the_axes():
    stage = fg.games.logit_bertrand(prices=5)
    record = fg.Record(every=20, greedy=True, policies=True, joint_actions=True)
    for game in (stage, fg.remember(stage, discount=0.5)):
        result = fg.run(game, fg.QLearner(), 40, 12, 7, record)
        for kind in ("overview", "curves", "joint"):
            figure = result.plot(kind=kind)
            ticks = {text.get_text() for text in texts_of(figure)}
            assert set(stage.actions[0]) <= ticks
            assert not any("action" in axes.get_xlabel() for axes in figure.axes)
        assert set(result.to_xarray()["action_0"].values) == set(stage.actions[0])
        frame = result.to_pandas("policies")
        assert list(frame["action"].cat.categories) == list(stage.actions[0])


def test_the_price_response_has_bands():
    rng = np.random.default_rng(1)
    game = fg.remember(fg.games.logit_bertrand(prices=3), discount=0.9)
    greedy = [rng.integers(0, 3, (30, 9)) for _ in range(2)]
    response = analysis.deviation_response(game, greedy, agent=0, action=0)
    _, (axes,) = plot.figure(1, 1, "")
    plot.price_response(axes, response, ("cuts", "rival"), {})
    assert len(axes.collections) == 2
    for agent, band in enumerate(axes.collections):
        corners = band.get_paths()[0].vertices
        for k, period in enumerate(response.periods):
            found = corners[corners[:, 0] == period, 1]
            expected = np.quantile(response.prices[:, k, agent], [0.25, 0.75])
            np.testing.assert_allclose([found.min(), found.max()], expected)
    alone = analysis.deviation_response(game, [g[:1] for g in greedy], agent=0, action=0)
    _, (axes,) = plot.figure(1, 1, "")
    plot.price_response(axes, alone, ("cuts", "rival"), {})
    assert not axes.collections


def test_a_notebook_shows_the_picture(recorded):
    """As IPython asks: a method of the figure, without pyplot."""
    for kind in plot.KINDS.keys() - {"sweep"}:
        assert recorded.plot(kind=kind)._repr_png_().startswith(b"\x89PNG")
    again = pickle.loads(pickle.dumps(recorded.plot(kind="joint")))
    assert again._repr_png_().startswith(b"\x89PNG")
