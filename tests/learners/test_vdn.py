"""Value decomposition against least squares, Q-learning and the two-step game."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames.learners import value_decomposition
from fastgames.rules.outcome import TeamOutcome

UNIFORM = fg.EpsilonGreedy(1.0)


def sums(result, observation):
    """The team's value of every joint action of two members, (replicas, A_0, A_1)."""
    one, two = (result.tables[i]["q"][:, observation] for i in range(2))
    return one[:, :, None] + two[:, None, :]


def best_sum(payoffs):
    """The sum of a value per row and one per column that is nearest, all cells alike."""
    rows, columns = payoffs.shape
    cells = list(itertools.product(range(rows), range(columns)))
    design = np.zeros((len(cells), rows + columns))
    for k, (a, b) in enumerate(cells):
        design[k, a] = design[k, rows + b] = 1.0
    values = np.linalg.lstsq(design, payoffs.ravel())[0]
    return (design @ values).reshape(payoffs.shape)


@pytest.fixture(scope="module")
def two_step():
    """Learnt from uniform play, with steps that become small."""
    learner = fg.VDN(fg.Linear(0.2, 0.0, 10_000), explore=UNIFORM)
    return fg.run(fg.games.two_step(), learner, steps=10_000, replicas=1000, rng=1)


def test_fits_the_second_stage_of_the_two_step_game(two_step):
    fitted = best_sum(np.array([[0.0, 1.0], [1.0, 8.0]]))
    np.testing.assert_allclose(fitted, [[-1.5, 2.5], [2.5, 6.5]])
    learnt = sums(two_step, 2)
    error = learnt.std(axis=0) / np.sqrt(1000)
    assert (np.abs(learnt.mean(axis=0) - fitted) < 4.5 * error).all()
    assert error.max() < 0.02
    np.testing.assert_allclose(sums(two_step, 1), np.full((1000, 2, 2), 7.0), atol=1e-6)


def test_plays_it_safe(two_step):
    # 7 discounted against what the fit makes of 8; agent 1 changes nothing there.
    expected = [[0.99 * 7.0] * 2, [0.99 * 6.5] * 2]
    np.testing.assert_allclose(sums(two_step, 0).mean(axis=0), expected, atol=0.03)
    assert (two_step.greedy(0)[:, 0] == 0).all()
    assert (two_step.greedy(0)[:, 2] == 1).all() and (two_step.greedy(1)[:, 2] == 1).all()


def test_a_constant_step_rests_at_the_same_fit_on_average():
    # The error is linear in the tables, and what is drawn does not depend on them: the mean of
    # the tables rests where the mean error of every entry is 0.
    payoffs = np.random.default_rng(1).normal(size=(3, 4))
    game = fg.MatrixGame([payoffs, payoffs])
    result = fg.run(game, fg.VDN(0.1, explore=UNIFORM), steps=400, replicas=4000, rng=2)
    learnt = sums(result, 0)
    error = learnt.std(axis=0) / np.sqrt(len(learnt))
    assert (np.abs(learnt.mean(axis=0) - best_sum(payoffs)) < 4.5 * error).all()


def test_finds_the_best_joint_action_of_a_sum():
    rng = np.random.default_rng(3)
    one, two = rng.permutation(5.0 * np.arange(4)), rng.permutation(5.0 * np.arange(3))
    shared = one[:, None] + two
    game = fg.MatrixGame([shared, shared])
    result = fg.run(game, fg.VDN(0.1, explore=UNIFORM), steps=4000, replicas=200, rng=3)
    np.testing.assert_allclose(sums(result, 0), np.broadcast_to(shared, (200, 4, 3)), atol=1e-6)
    assert (result.greedy(0) == one.argmax()).all() and (result.greedy(1) == two.argmax()).all()


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("ended", [False, True])
def test_one_step(real, ended):
    rng = np.random.default_rng(4)
    before = [rng.normal(size=(4, n)).astype(real) for n in (3, 2, 5)]
    seen, then, done = np.array([1, 3, 0]), np.array([0, 2, 3]), np.array([2, 1, 4])
    rewards = rng.normal(size=3).astype(real)
    after = [q.copy() for q in before]
    outcome = TeamOutcome(seen, done, rewards, real(0.9), then, ended, (0.0, 0.0, 0.0))
    rules = fg.VDN().rules
    tables, p = rules.as_tables([tuple(after)]), rules.as_p([0.25, 0.9, 0.1])
    value_decomposition.learn(tables, p, outcome)
    target = rewards.mean()
    if not ended:
        target += 0.9 * sum(q[o].max() for q, o in zip(before, then, strict=True))
    change = 0.25 * (target - sum(q[o, a] for q, o, a in zip(before, seen, done, strict=True)))
    for q, was, o, a in zip(after, before, seen, done, strict=True):
        expected = was.copy()
        expected[o, a] += change
        np.testing.assert_allclose(q, expected, rtol=1e-5)
        assert q.dtype == real


@pytest.mark.parametrize("explore", [fg.EpsilonGreedy(0.3), fg.Softmax(0.5)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_teams_of_one_are_q_learners(explore, dtype):
    game = fg.games.random_markov_game(2, 4, 3, rng=1)
    arguments = {"steps": 300, "replicas": 5, "rng": 3, "dtype": dtype}
    teams = [fg.VDN(0.2, explore=explore, initial=0.5, label=label) for label in "ab"]
    one = fg.run(game, teams, **arguments)
    other = fg.run(game, fg.QLearner(0.2, explore=explore, initial=0.5), **arguments)
    for i in range(2):
        np.testing.assert_array_equal(one.tables[i]["q"], other.tables[i]["q"])
        np.testing.assert_array_equal(one.policy(i), other.policy(i))


def test_what_a_team_gets_is_the_mean_of_its_members():
    # Of four agents with nothing to choose, the first and the third, and the other two are teams.
    game = fg.MatrixGame(np.reshape([1.0, 10.0, 2.0, 30.0], (4, 1, 1, 1, 1)))

    def values(*labels):
        learners = [fg.VDN(0.1, label=label) for label in labels]
        result = fg.run(game, learners, steps=500, rng=1)
        return [float(result.tables[i]["q"].item()) for i in range(4)]

    q = values("odd", "even", "odd", "even")
    assert q == pytest.approx([0.75, 10.0, 0.75, 10.0])
    q = values("all", "all", "all", "all")
    assert q == pytest.approx([43.0 / 16] * 4)


def test_bad_parameters():
    with pytest.raises(ValueError, match=r"alpha must be in \[0, 1\], got 1.5"):
        fg.VDN(1.5)
    with pytest.raises(TypeError, match="label must be a str, got 3"):
        fg.VDN(label=3)
