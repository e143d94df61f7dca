"""Lenient Q-learning against its closed forms, and beside Q-learning."""

import numpy as np
import pytest

import fastgames as fg

MANY = {"replicas": 1000, "backend": "reference"}  # compiling would take longer than running
FEW = {"replicas": 10, "backend": "reference"}
FALLING = fg.EpsilonGreedy(fg.Exponential(1.0, -np.log(0.998), 0.01))  # max(.01, .998^t)


def _optimal(learner):
    """Return the share of runs whose greedy joint action is the optimum of the climbing game."""
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


@pytest.mark.parametrize("explore", [fg.EpsilonGreedy(0.3), fg.Softmax(0.5), None])
def test_plays_what_its_policy_says(explore):
    game = fg.games.battle_of_the_sexes()
    rest = {"decay": 0.98, "omega": 2.0} if explore is None else {}
    learner = fg.LenientQ(explore=explore, **rest)
    arguments = {"record": fg.Record(joint_actions=True), "backend": "reference"}
    result = fg.run(game, learner, steps=50, rng=1, backend="reference")
    policies = [result.policy(i)[0, 0] for i in range(2)]
    rest["decay"] = 1.0  # and the temperatures stay as they are
    frozen = fg.LenientQ(alpha=0.0, explore=explore, **rest)
    steps = 10_000
    played = fg.run(game, frozen, steps=steps, resume=result, **arguments)
    expected = np.outer(*policies)
    deviation = np.sqrt(expected * (1 - expected) / steps)
    assert (abs(played.joint_counts[0] / steps - expected) < 4 * deviation).all()


# --- exploring by the temperatures ---------------------------------------------------------------


def lmrl2(payoffs, theta, steps, runs, rng):
    """The greedy joint actions of LMRL2, written out from Wei & Luke: (runs,) 3 a_0 + a_1.

    alpha .1, temperatures from 50, decay .995, greedy below 2, moderation factor 1.
    """
    r = np.arange(runs)
    q, heat = np.zeros((2, runs, 3)), np.full((2, runs, 3), 50.0)
    for _ in range(steps):
        played = []
        for i in range(2):
            mean = heat[i].mean(axis=1)
            weights = np.exp((q[i] - q[i].max(axis=1, keepdims=True)) / mean[:, None])
            sums = weights.cumsum(axis=1)
            sampled = (sums[:, :2] <= rng.random(runs)[:, None] * sums[:, 2:]).sum(axis=1)
            played.append(np.where(mean < 2.0, q[i].argmax(axis=1), sampled))
        gain = payoffs[played[0], played[1]]
        for i, a in enumerate(played):
            learns = rng.random(runs) < 1.0 - np.exp(-1.0 / (theta * heat[i, r, a]))
            learns |= q[i, r, a] <= gain
            q[i, r, a] += np.where(learns, 0.1 * (gain - q[i, r, a]), 0.0)
            heat[i, r, a] *= 0.995
    return 3 * q[0].argmax(axis=1) + q[1].argmax(axis=1)


def test_the_settings_of_wei_and_luke_in_the_climbing_game():
    # At a large theta both forgive everything until long after the agents have become greedy.
    theirs = lmrl2(fg.games.climbing().payoffs[0], 1e7, 3000, 200, np.random.default_rng(1))
    assert (theirs == 0).mean() >= 0.99
    learner = fg.LenientQ(0.1, kappa=50 * 1e7, decay=0.995, omega=50.0, greedy_below=2 / 50)
    result = fg.run(fg.games.climbing(), learner, steps=3000, replicas=200, rng=1)
    assert ((result.greedy(0) == 0) & (result.greedy(1) == 0)).mean() >= 0.99


@pytest.mark.parametrize("steps", [2500, 10_000])
@pytest.mark.parametrize(
    "game", [fg.games.climbing(), fg.games.penalty(k=-100)], ids=lambda g: g.name
)
def test_the_defaults_do_what_leniency_is_for(game, steps):
    # 93 % is what hysteretic learners reach in the climbing game.
    result = fg.run(game, fg.LenientQ(), steps=steps, replicas=200, rng=2)
    best = game.payoffs[0][result.greedy(0)[:, 0], result.greedy(1)[:, 0]] == game.payoffs[0].max()
    assert best.mean() >= 0.98
    for i in range(2):  # it is greedy by then, as its policy says
        assert (result.policy(i).max(axis=-1) == 1.0).all()


def test_explores_by_the_mean_temperature_until_it_is_cold():
    # Two actions worth 0 and -1; fixed temperatures, from which the policy has a closed form.
    game = fg.MatrixGame(np.zeros((2, 2, 1)))
    for omega, below, expected in (
        (2.0, 0.04, [1 / (1 + np.exp(-1 / 2)), 1 / (1 + np.exp(1 / 2))]),
        (0.5, 0.04, [1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(2.0))]),
        (2.0, 1.0, [1 / (1 + np.exp(-1 / 2)), 1 / (1 + np.exp(1 / 2))]),  # 1 is not below 1
    ):
        learner = fg.LenientQ(0.0, decay=1.0, omega=omega, greedy_below=below, initial=[0.0, -1.0])
        other = fg.FixedPolicy([1.0])
        record = fg.Record(joint_actions=True)
        result = fg.run(game, [learner, other], 4000, replicas=10, rng=3, record=record)
        np.testing.assert_allclose(result.policy(0)[:, 0], [expected] * 10, rtol=1e-12)
        played = result.joint_counts[:, :, 0].sum(axis=0) / 40_000
        deviation = np.sqrt(expected[0] * expected[1] / 40_000)
        assert abs(played[0] - expected[0]) < 4 * deviation
    learner = fg.LenientQ(0.0, decay=0.5, greedy_below=0.4, initial=[0.0, -1.0])
    result = fg.run(game, [learner, fg.FixedPolicy([1.0])], 40, replicas=10, rng=3)
    assert (result.policy(0)[:, 0] == [1.0, 0.0]).all()


def test_parameters_outside_their_domain():
    with pytest.raises(ValueError, match=r"omega must be in \[1e-30, 1e30\], got 0.0"):
        fg.LenientQ(omega=0.0)
    with pytest.raises(ValueError, match=r"greedy_below must be in \[1e-6, 1\], got 2.0"):
        fg.LenientQ(greedy_below=2.0)
    with pytest.raises(TypeError, match=r"explore must be an EpsilonGreedy or a Softmax, got 0.1"):
        fg.LenientQ(explore=0.1)
    with pytest.raises(TypeError, match=r"explore must be an EpsilonGreedy or a Softmax, got None"):
        fg.HystereticQ(explore=None)
    with pytest.raises(ValueError, match=r"kappa must be in \[0, inf\), got -1.0"):
        fg.LenientQ(kappa=-1.0)
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\], got 1.5"):
        fg.LenientQ(decay=1.5)


def test_an_omega_that_its_schedule_rounds_to_zero_is_refused():
    """1 + (1e-30 - 1) is 0: the softmax would divide 0 by 0."""
    learner = fg.LenientQ(omega=fg.Linear(1.0, 1e-30, 1))
    with pytest.raises(ValueError, match=r"^omega of learners\[0\] must be at least .*, got 0.0"):
        fg.run(fg.games.climbing(), learner, 5, backend="reference")
    for dtype in ("float64", "float32"):
        fg.run(fg.games.climbing(), fg.LenientQ(omega=1e-30), 5, dtype=dtype, backend="reference")
