"""Fictitious play: printed paths, values of zero-sum games, the cycles of Shapley and Jordan."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.values import value_of
from published import REST

import fastgames as fg
from fastgames.jit import compiled
from fastgames.learners import fictitious
from fastgames.rules.outcome import Outcome

PENNIES = fg.games.matching_pennies()


def path(game, steps, learners=None, backend="numba", dtype="float64"):
    """Return all actions, (steps, agents), the best responses before each step; and the result."""
    learners = fg.FictitiousPlay() if learners is None else learners
    result = fg.run(
        game, learners, steps, rng=0, backend=backend, dtype=dtype, progress=False,
        record=fg.Record(every=1, greedy=True),
    )  # fmt: skip
    seats = learners if isinstance(learners, list) else [learners] * game.num_agents
    pairs = zip(seats, game.num_actions, strict=True)
    first = [np.argmax(np.broadcast_to(me.initial, n)) for me, n in pairs]
    before = np.stack([greedy[:-1, 0, 0] for greedy in result.snapshots.greedy], axis=1)
    assert before[0].tolist() == first
    return before, result


def runs(actions):
    """The lengths of the runs of one joint action, without the last, which is cut."""
    changes = np.flatnonzero((actions[1:] != actions[:-1]).any(axis=1)) + 1
    return np.diff(np.concatenate([[0], changes]))


# --- paths ----------------------------------------------------------------------------------------


def test_pennies_by_hand():
    """Both begin with heads; sums of payoffs as they follow, the lowest index on ties."""
    actions, result = path(PENNIES, 6, backend="reference")
    assert actions.tolist() == [[0, 0], [0, 1], [0, 1], [1, 1], [1, 1], [1, 1]]
    # the row agent saw heads 1, tails 5; the column agent heads 3, tails 3
    assert result.tables[0]["payoffs"][0, 0].tolist() == [-4.0, 4.0]
    assert result.tables[1]["payoffs"][0, 0].tolist() == [0.0, 0.0]
    assert result.tables[0]["plays"][0, 0].tolist() == [3, 3]
    assert result.tables[1]["plays"][0, 0].tolist() == [1, 5]
    assert result.policy(0).tolist() == [[[0.0, 1.0]]]
    assert result.policy(1).tolist() == [[[1.0, 0.0]]]


def test_pennies_as_printed():
    """With a prior: Fudenberg & Levine, The Theory of Learning in Games (1998), section 2.2.

    The row agent begins with weights (1.5, 2) on the other's heads and tails, the column agent with
    (2, 1.5): they play TT, TH, TH, HH, HH, HH, HT, and end with (6.5, 4) and (6, 4.5).
    """
    weights = [np.array([1.5, 2.0]), np.array([2.0, 1.5])]
    learners = [
        fg.FictitiousPlay(initial=PENNIES.payoffs[0] @ weights[0]),
        fg.FictitiousPlay(initial=weights[1] @ PENNIES.payoffs[1]),
    ]
    actions, result = path(PENNIES, 7, learners, backend="reference")
    words = ["".join("HT"[a] for a in joint) for joint in actions]
    assert words == ["TT", "TH", "TH", "HH", "HH", "HH", "HT"]
    seen = [np.bincount(actions[:, 1 - i], minlength=2) for i in range(2)]
    np.testing.assert_array_equal(weights[0] + seen[0], [6.5, 4.0])
    np.testing.assert_array_equal(weights[1] + seen[1], [6.0, 4.5])
    sums = [PENNIES.payoffs[0] @ [6.5, 4.0], [6.0, 4.5] @ PENNIES.payoffs[1]]
    for agent in range(2):
        np.testing.assert_array_equal(result.tables[agent]["payoffs"][0, 0], sums[agent])


def test_persistent_miscoordination():
    """Two who gain by differing play alike: Fudenberg & Kreps, Games & Econ. Behav. 5 (1993)."""
    differ = 1.0 - np.eye(2)
    actions, _ = path(fg.MatrixGame([differ, differ]), 100, backend="reference")
    assert actions.tolist() == [[0, 0], [1, 1]] * 50


def test_beliefs_are_about_joint_play():
    """Agents 1 and 2 always meet, though each plays both actions half of the time.

    Action 0 of agent 0 earns 1 if they meet and -1 if not, action 1 a tenth. Taken as independent
    they would meet half of the time, and action 1 would be best; their joint play says 0.
    """
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0, 0] = 2 * np.eye(2) - 1
    payoffs[0, 1] = 0.1
    payoffs[1] = payoffs[2] = 1 - np.eye(2)
    actions, result = path(fg.MatrixGame(payoffs), 100, backend="reference")
    assert (actions[:, 1] == actions[:, 2]).all()
    assert actions[:, 1].mean() == 0.5
    assert (actions[:, 0] == 0).all()
    np.testing.assert_allclose(result.tables[0]["payoffs"][0, 0], [100.0, 10.0])


def test_it_is_q_learning_of_averages():
    """A greedy Q-learner that averages all its payoffs plays the same where nothing ties."""
    payoffs = np.random.default_rng(3).normal(size=(3, 3, 2, 4))
    game = fg.MatrixGame(payoffs)
    twin = fg.QLearner(fg.VisitCount(), 0.0, fg.EpsilonGreedy(0.0), counterfactual=True)
    one = fg.run(game, fg.FictitiousPlay(), 500, rng=1, backend="reference", progress=False)
    other = fg.run(game, twin, 500, rng=1, backend="reference", progress=False)
    for agent in range(3):
        np.testing.assert_allclose(
            one.tables[agent]["payoffs"] / 500, other.tables[agent]["q"], atol=1e-12
        )


def test_smooth_fictitious_play_settles():
    """As the docstring says it is written: at the logit equilibrium of asymmetric pennies."""
    game = fg.MatrixGame([[[1.1141, 0], [0, 0.2785]], [[0, 1.1141], [1.1141, 0]]])
    smooth = fg.QLearner(fg.VisitCount(), 0, fg.Softmax(0.5), counterfactual=True)
    result = fg.run(game, smooth, 100_000, 20, rng=1, progress=False)
    first = [result.policy(i)[:, 0, 0].mean() for i in range(2)]
    p, q = 0.5, 0.5  # the fixed point of the logit replies, by iteration
    for _ in range(1000):
        p, q = (
            p + 0.1 * (1 / (1 + np.exp(-(1.1141 * q - 0.2785 * (1 - q)) / 0.5)) - p),
            q + 0.1 * (1 / (1 + np.exp(-1.1141 * ((1 - p) - p) / 0.5)) - q),
        )
    assert (p, q) == pytest.approx(REST["asymmetric pennies, temperature 0.5"], abs=1e-6)
    assert first == pytest.approx([p, q], abs=0.003)


# --- zero-sum games -------------------------------------------------------------------------------


def gaps(game, steps, every):
    """(steps, ensured, conceded): what the frequencies of play bracket the value by."""
    result = fg.run(
        game, fg.FictitiousPlay(), steps, rng=0, backend="numba", progress=False,
        record=fg.Record(every=range(every, steps + 1, every), tables=("plays",)),
    )  # fmt: skip
    at = result.snapshots.steps
    play = [result.snapshots.tables[i]["plays"][:, 0, 0] / at[:, None] for i in range(2)]
    return at, (play[0] @ game.payoffs[0]).min(axis=1), (play[1] @ game.payoffs[0].T).max(axis=1)


@pytest.mark.parametrize("seed", range(4))
def test_frequencies_bracket_the_value(seed):
    """After every number of steps, and ever closer: Robinson, Annals of Mathematics 54 (1951)."""
    payoffs = np.random.default_rng(seed).integers(-5, 6, (4, 4)).astype(float)
    at, ensured, conceded = gaps(fg.MatrixGame([payoffs, -payoffs]), 20_000, 50)
    value = value_of(payoffs)
    assert len(at) == 400
    assert (ensured <= value + 1e-9).all()
    assert (value <= conceded + 1e-9).all()
    assert conceded[-1] - ensured[-1] < 0.15


def test_rate():
    """The gap falls as the root of the steps, as known for diagonal games with the lowest index.

    Abernethy, Lai & Wibisono, Fast Convergence of Fictitious Play for Diagonal Payoff Matrices,
    SODA 2021. A straight line through the logarithms.
    """
    diagonal = np.diag([1.0, 2.0, 3.0, 4.0])
    at, ensured, conceded = gaps(fg.MatrixGame([diagonal, -diagonal]), 200_000, 500)
    some = np.unique(np.geomspace(1, len(at) - 1, 60).astype(int))
    slope, _ = np.polyfit(np.log(at[some]), np.log((conceded - ensured)[some]), 1)
    assert slope == pytest.approx(-0.5, abs=0.05)


def test_frequencies_of_rock_paper_scissors():
    """A third each, in float32 as in float64: whole sums are exact."""
    for dtype in ("float64", "float32"):
        result = fg.run(
            fg.games.rock_paper_scissors(), fg.FictitiousPlay(), 100_000, rng=0, dtype=dtype,
            backend="numba", progress=False,
        )  # fmt: skip
        for agent in range(2):
            frequencies = result.tables[agent]["plays"][0, 0] / 100_000
            assert frequencies == pytest.approx([1 / 3] * 3, abs=0.01)


# --- where it does not converge -------------------------------------------------------------------


def test_shapley():
    """Runs grow by the root of x^3 = x^2 + 1, 1.4656, for ever; Shapley (1964).

    Six joint actions follow each other. Let a_n be the lengths of the runs and X_s how often the
    row agent has played its stint's action after its stint s, of the runs 2s + 1 and 2s + 2. The
    column agent moves on when the row's new action has been played as often as its last one:
    a_{2s+1} = X_{s-1} - X_{s-3}; and X_s = X_{s-1} + a_{2s+2}. Lengths that grow by x in every run
    then satisfy x = x^4 / (x^2 + 1).
    """
    actions, result = path(fg.games.shapley(), 10_000)
    lengths = runs(actions)
    order = [tuple(joint) for joint in actions[np.concatenate([[0], np.cumsum(lengths)])]]
    cycle = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)]
    assert order == [cycle[k % 6] for k in range(len(order))]
    (root,) = (x.real for x in np.roots([1, -1, 0, -1]) if abs(x.imag) < 1e-12)
    late = lengths[-6:]
    assert len(lengths) >= 15
    assert (np.diff(lengths[3:]) > 0).all()
    np.testing.assert_allclose(late[1:] / late[:-1], root, rtol=0.01)
    frequencies = np.cumsum(np.eye(3)[actions[:, 0]], axis=0) / np.arange(1, 10_001)[:, None]
    spread = frequencies[2_000:].max(axis=0) - frequencies[2_000:].min(axis=0)
    assert (spread > 0.2).all()
    np.testing.assert_array_equal(result.tables[0]["plays"][0, 0], np.bincount(actions[:, 0]))


def test_jordan():
    """Three-player pennies: runs grow by the golden ratio; Jordan, Games & Econ. Behavior 5 (1993).

    Agents 2, 1, 0 change in turn, each when the one that it watches has played heads and tails
    equally often. A stint is of three runs, and the first evens the lead that the last two of the
    stint before had won: a_{n+1} = a_n + a_{n-1}, Fibonacci's rule.
    """
    actions, _ = path(fg.games.jordan(), 10_000)
    lengths = runs(actions)
    assert len(lengths) > 15
    late = lengths[-6:]
    np.testing.assert_allclose(late[1:] / late[:-1], (1 + 5**0.5) / 2, rtol=0.01)
    assert {tuple(joint) for joint in actions} == {
        (0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 1, 0), (1, 0, 0)
    }  # fmt: skip


# --- runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_compiled_bits(real):
    """The same bits compiled."""
    fast = [compiled(rule) for rule in (fictitious.learn, fictitious.choose, fictitious.policy)]
    slow = [fictitious.learn, fictitious.choose, fictitious.policy]

    @settings(max_examples=50, deadline=None)
    @given(st.integers(1, 5), st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
    def check(actions, seeds):
        both = []
        for learn, choose, policy in (slow, fast):
            tables = fg.FictitiousPlay().rules.as_tables(
                (np.zeros((2, actions), real), np.zeros((2, actions), np.int64))
            )
            out, chosen = np.ones(actions), []
            for seed in seeds:
                rng = np.random.default_rng(seed)
                column = rng.integers(-2, 3, actions) if seed % 2 else rng.normal(size=actions)
                action = int(choose(tables, (), 1, 0))
                t = Outcome(1, action, real(0), real(0), 0, -1, False, column.astype(real))
                learn(tables, (), t)
                chosen.append(action)
            policy(tables, (), 1, out)
            both.append((tables[0].tobytes(), tables[1].tobytes(), out.tobytes(), chosen))
        assert both[0] == both[1]

    check()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_reference_bits(dtype):
    """In a game of several observations, against one that draws."""
    me = fg.FictitiousPlay(initial=np.random.default_rng(1).normal(size=(3, 9, 3)))
    results = [
        fg.run(
            fg.remember(fg.games.rock_paper_scissors()), [me, fg.QLearner(0.2)], 200, 3, rng=4,
            dtype=dtype, backend=backend, progress=False,
        )
        for backend in ("reference", "numba")
    ]  # fmt: skip
    for agent in range(2):
        for name, table in results[0].tables[agent].items():
            assert table.tobytes() == results[1].tables[agent][name].tobytes(), name
    assert results[0].policy(0).tobytes() == results[1].policy(0).tobytes()


def test_nothing_is_drawn():
    """Every seed and every replica go the same way."""
    game = fg.games.shapley()
    results = [
        fg.run(game, fg.FictitiousPlay(), 100, 3, rng=rng, backend="reference", progress=False)
        for rng in (1, 2)
    ]
    tables = np.concatenate([result.tables[0]["payoffs"] for result in results])
    assert (tables == tables[0]).all()


def test_only_the_rewards_of_the_step_count():
    """The discount changes nothing; every observation has beliefs of its own."""
    game = fg.games.prisoners_dilemma()
    results = [
        fg.run(
            fg.remember(game, discount=discount), fg.FictitiousPlay(), 50, rng=1,
            backend="reference", progress=False,
        )
        for discount in (0.0, 0.95)
    ]  # fmt: skip
    for result in results:
        # both cooperate from tables of 0, at state 0; then, defecting being better there, (1, 1)
        # follows, and at state 3 the same again, back to 0 once; from then on they defect
        payoffs, plays = (result.tables[0][name][0] for name in ("payoffs", "plays"))
        np.testing.assert_array_equal(payoffs[[1, 2]], 0)
        assert plays.sum() == 50
    assert results[0].tables[0]["payoffs"].tobytes() == results[1].tables[0]["payoffs"].tobytes()


def test_bad_input():
    """Initial values that do not fit, and games with turns, are refused."""
    with pytest.raises(ValueError, match="initial must be finite"):
        fg.FictitiousPlay(initial=[0.0, np.inf])
    with pytest.raises(ValueError, match="must broadcast to"):
        fg.run(PENNIES, fg.FictitiousPlay([1.0, 2.0, 3.0]), 10, backend="reference", progress=False)
    game = fg.games.random_markov_game(2, 3, (2, 2), rng=1, turns=True)
    with pytest.raises(ValueError, match="turns"):
        fg.run(game, fg.FictitiousPlay(), 10, backend="reference", progress=False)


@pytest.mark.parametrize("initial", [0.0, [3.0, -7.0]])
def test_smooth_fictitious_play_keeps_no_prior(initial):
    game, temperature = fg.games.battle_of_the_sexes(), 0.5
    learner = fg.QLearner(
        fg.VisitCount(), 0, fg.Softmax(temperature), counterfactual=True, initial=initial
    )
    record = fg.Record(joint_actions=True)
    result = fg.run(game, learner, 40, replicas=5, rng=1, record=record, backend="reference")
    for i in range(2):
        beliefs = result.joint_counts.sum(axis=1 + i) / 40
        payoffs = game.payoffs[i] if i == 0 else game.payoffs[i].T
        replies = np.exp(beliefs @ payoffs.T / temperature)
        replies /= replies.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(result.policy(i)[:, 0], replies, rtol=1e-10)
    once = fg.run(game, learner, 1, replicas=4000, rng=1, record=record)
    first = np.exp(np.broadcast_to(initial, 2) / temperature)
    first /= first.sum()  # the logit reply to `initial`, which is played once
    played = once.joint_counts.sum(axis=(0, 2)) / 4000
    assert abs(played[0] - first[0]) <= 4 * np.sqrt(first[0] * first[1] / 4000)
