"""Lenient Q-learning against its closed forms, and beside Q-learning."""

import numpy as np
import pytest

import fastgames as fg

MANY = {"replicas": 1000, "backend": "reference"}  # compiling would take longer than running
FEW = {"replicas": 10, "backend": "reference"}
FALLING = fg.EpsilonGreedy(fg.Exponential(1.0, -np.log(0.998), 0.01))  # max(.01, .998^t)


def _optimal(learner):
    """How often the greedy joint action is the optimum of the climbing game in the end."""
    result = fg.run(fg.games.climbing(), learner, steps=5000, replicas=2000, rng=1)
    return np.mean((result.greedy(0) == 0) & (result.greedy(1) == 0))


def test_lenient_learners_find_the_optimum_of_the_climbing_game_where_q_learners_do_not():
    assert _optimal(fg.QLearner(0.1, explore=FALLING)) == 0.0
    assert _optimal(fg.LenientQ(0.1, kappa=3.0, decay=0.9995, explore=FALLING)) > 0.8


@pytest.mark.parametrize(("kappa", "decay"), [(2.0, 0.9), (0.5, 1.0), (1.0, 0.0), (30.0, 0.995)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_forgives_as_often_as_its_temperature_says(kappa, decay, dtype):
    # One action that loses 1 for certain, alpha 1: q is 0 until the first loss that is learnt from.
    steps = 6
    game = fg.MatrixGame(-np.ones((2, 1, 1)))
    learner = fg.LenientQ(1.0, kappa=kappa, decay=decay)
    result = fg.run(game, learner, steps=steps, rng=2, dtype=dtype, **MANY)
    temperatures = decay ** np.arange(steps)
    expected = np.prod(1 - np.exp(-kappa * temperatures))
    q = np.concatenate([result.tables[i]["q"].ravel() for i in range(2)])
    assert set(np.unique(q)) <= {0.0, -1.0}
    deviation = np.sqrt(expected * (1 - expected) / q.size)
    assert abs(np.mean(q == 0.0) - expected) <= 4 * deviation + 1e-12


def test_learns_from_every_gain():
    game = fg.MatrixGame(np.ones((2, 1, 1)))
    result = fg.run(game, fg.LenientQ(0.25, kappa=1e9, decay=1.0), steps=20, rng=1, **FEW)
    np.testing.assert_allclose(result.tables[0]["q"], 1 - 0.75**20, rtol=1e-14)


def test_temperatures_fall_with_the_visits_of_each_action():
    policy = [0.5, 0.3, 0.2]
    game = fg.MatrixGame(np.zeros((2, 3, 3)))
    learner = fg.LenientQ(decay=0.99, explore=fg.EpsilonGreedy(1.0))
    record = fg.Record(joint_actions=True)
    learners = [learner, fg.FixedPolicy(policy)]
    result = fg.run(game, learners, steps=500, rng=1, record=record, **FEW)
    visits = result.joint_counts.sum(axis=2)
    np.testing.assert_allclose(result.tables[0]["temperatures"][:, 0], 0.99**visits, rtol=1e-12)


def test_temperatures_stop_before_they_are_slow_numbers():
    game = fg.MatrixGame(np.zeros((2, 1, 1)))
    result = fg.run(game, fg.LenientQ(decay=0.5), steps=300, rng=1, dtype="float32", **FEW)
    assert (result.tables[0]["temperatures"] == 2.0**-60).all()


@pytest.mark.parametrize("explore", [fg.EpsilonGreedy(0.3), fg.Softmax(0.5)])
def test_no_leniency_is_q_learning_from_the_same_actions(explore):
    # Two words a step, so other actions than a Q-learner's: the values of what was played, by hand.
    game = fg.games.random_markov_game(2, 3, 2, rng=1)
    learner = fg.LenientQ(0.2, kappa=0.0, explore=explore)
    before = fg.run(game, learner, steps=40, rng=3, **FEW)
    arguments = {"record": fg.Record(joint_actions=True), "backend": "reference"}
    after = fg.run(game, learner, steps=1, resume=before, **arguments)
    r = np.arange(10)
    joint = [after.joint_counts.sum(axis=2 - i).argmax(axis=1) for i in range(2)]
    there = game.transitions[before.states, joint[0], joint[1]]
    np.testing.assert_array_equal(there, after.states)
    for i in range(2):
        q = before.tables[i]["q"].copy()
        reward = game.rewards[i, before.states, joint[0], joint[1]]
        target = reward + game.discount * q[r, there].max(axis=1)
        q[r, before.states, joint[i]] += 0.2 * (target - q[r, before.states, joint[i]])
        np.testing.assert_allclose(after.tables[i]["q"], q, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("explore", [fg.EpsilonGreedy(0.3), fg.Softmax(0.5)])
def test_plays_what_its_policy_says(explore):
    game = fg.games.battle_of_the_sexes()
    learner = fg.LenientQ(explore=explore)
    arguments = {"record": fg.Record(joint_actions=True), "backend": "reference"}
    result = fg.run(game, learner, steps=50, rng=1, backend="reference")
    policies = [result.policy(i)[0, 0] for i in range(2)]
    frozen = fg.LenientQ(alpha=0.0, explore=explore)
    steps = 10_000
    played = fg.run(game, frozen, steps=steps, resume=result, **arguments)
    expected = np.outer(*policies)
    deviation = np.sqrt(expected * (1 - expected) / steps)
    assert (abs(played.joint_counts[0] / steps - expected) < 4 * deviation).all()


def test_parameters_outside_their_domain():
    with pytest.raises(ValueError, match=r"kappa must be in \[0, inf\), got -1.0"):
        fg.LenientQ(kappa=-1.0)
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\], got 1.5"):
        fg.LenientQ(decay=1.5)
