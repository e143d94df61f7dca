"""plot: what each kind of picture draws, against numbers worked out from the result alone."""

import itertools
import warnings

import nashpy
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import FancyArrowPatch, Rectangle

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
        ("curves", {}, r"curves need snapshots of something: record=fg\.Record"),
        ("curves", {"what": "rewards"}, "what must be one of 'reward'"),
        ("curves", {"what": "policy"}, "curves need snapshots of policy"),
        ("trajectories", {}, r"trajectories need snapshots of policies: record=fg\.Record"),
        ("trajectories", {"observation": 1}, r"observation must be .*\[0, 0\], got 1"),
        ("trajectories", {"lines": 0}, "lines must be .* at least 1, got 0"),
        ("sweep", {}, "a sweep needs a run whose replicas were a grid"),
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
    with pytest.raises(ValueError, match=r"joint needs record=fg\.Record\(joint_actions=True\)"):
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
    for agent, line in enumerate(axes.get_lines()):
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
        with pytest.raises(ValueError, match="replicas that have taken a step, got 2 replicas at"):
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
    for agent, line in enumerate(axes.get_lines()):
        np.testing.assert_array_equal(line.get_xdata(), [0.05, 0.5])
        for epsilon, y in zip([0.05, 0.5], line.get_ydata(), strict=True):
            assert y == np.median(swept.mean_reward[swept.grid.epsilon == epsilon, agent])


def test_numbers_of_ones_own(swept):
    welfare = swept.mean_reward.sum(axis=1)
    axes = by_title(swept.plot(value=welfare, name="Welfare"))["Welfare"]
    expected = cell_mean(swept, welfare, alpha=0.1, epsilon=0.5)
    assert axes.images[0].get_array()[2, 1] == pytest.approx(expected)


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
    with pytest.raises(ValueError, match="value 'flips' was not recorded; this run has Record"):
        plot.sweep(result, value="flips")


@pytest.mark.parametrize(
    ("largest", "text"), [(4106.4, "4,106"), (94.81, "94.8"), (0.0123, "0.0123")]
)
def test_three_digits(largest, text):
    assert sweeps._three_digits(np.array([0.001, -largest])).format(largest) == text


def test_a_hundred_agents_have_no_picture_of_joint_actions():
    result = fg.run(fg.games.el_farol(), fg.QLearner(), 20, 2, rng=1)
    with pytest.raises(ValueError, match=r"at most \d+ joint actions; 'El Farol' has 100 agents"):
        result.plot(kind="joint")
    assert result.plot().axes
