"""Hysteretic Q-learning against its closed forms and published figures (docs/published.md)."""

import numpy as np
import pytest
from published import CLIMBING

import fastgames as fg

# max(.01, .998^t), as in the source of CLIMBING
FALLING = fg.EpsilonGreedy(fg.Exponential(1.0, -np.log(0.998), 0.01))


def _shares(learner):
    """Return the share of runs by greedy joint action at the end of the climbing game, (3, 3)."""
    result = fg.run(fg.games.climbing(), learner, steps=5000, replicas=4000, rng=1)
    out = np.zeros((3, 3))
    np.add.at(out, (result.greedy(0)[:, 0], result.greedy(1)[:, 0]), 1 / 4000)
    return out


def test_hysteretic_learners_find_the_optimum_of_the_climbing_game_as_published():
    shares = _shares(fg.HystereticQ(alpha=0.1, beta=0.01, explore=FALLING))
    assert abs(shares[0, 0] - CLIMBING["hysteretic Q-learning, share of runs at (a, a)"]) < 0.05


def test_q_learners_miss_it_as_published():
    shares = _shares(fg.QLearner(alpha=0.1, explore=FALLING))
    assert shares[0, 0] == CLIMBING["Q-learning, share of runs at (a, a)"]
    assert abs(shares[2, 2] - CLIMBING["Q-learning, share of runs at (c, c)"]) < 0.05


@pytest.mark.parametrize(("alpha", "beta"), [(0.05, 0.005), (0.05, 0.2), (0.1, 0.0)])
def test_rests_at_the_expectile_of_its_rewards(alpha, beta):
    # Reward 1 with probability p, else 0: q moves by alpha (1 - q) or by -beta q, linear in q,
    # so its mean m rests where alpha p (1 - m) = beta (1 - p) m.
    p = 0.3
    game = fg.MatrixGame([[[1.0, 0.0]], [[0.0, 0.0]]])
    learners = [fg.HystereticQ(alpha, beta), fg.FixedPolicy([p, 1 - p])]
    q = fg.run(game, learners, steps=2000, replicas=4000, rng=2).tables[0]["q"][:, 0, 0]
    expected = alpha * p / (alpha * p + beta * (1 - p))
    assert abs(q.mean() - expected) <= 4 * q.std() / np.sqrt(len(q)) + 1e-12


@pytest.mark.parametrize("explore", [fg.EpsilonGreedy(0.3), fg.Softmax(0.5)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equal_steps_are_q_learning(explore, dtype):
    game = fg.games.random_markov_game(2, 4, 3, rng=1)
    arguments = {"steps": 300, "replicas": 5, "rng": 3, "dtype": dtype, "backend": "reference"}
    one = fg.run(game, fg.HystereticQ(0.2, 0.2, explore=explore, initial=0.5), **arguments)
    other = fg.run(game, fg.QLearner(0.2, explore=explore, initial=0.5), **arguments)
    for i in range(2):
        np.testing.assert_array_equal(one.tables[i]["q"], other.tables[i]["q"])
        np.testing.assert_array_equal(one.policy(i), other.policy(i))


def test_steps_outside_their_domain():
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got 1.5"):
        fg.HystereticQ(beta=1.5)


# --- what it is not: distributed Q-learning -----------------------------------------------------


def distributed(payoffs, steps, runs, rng):
    """The joint actions at the end of Lauer & Riedmiller's distributed Q-learning: (2, runs)."""
    count = len(payoffs)
    q, greedy = np.full((2, runs, count), -np.inf), np.zeros((2, runs), int)
    r = np.arange(runs)
    for _ in range(steps):
        random = rng.integers(count, size=(2, runs))
        played = np.where(rng.random((2, runs)) < 0.2, random, greedy)
        gain = payoffs[played[0], played[1]]
        for i in range(2):
            rises = gain > q[i].max(axis=1)
            q[i, r, played[i]] = np.maximum(q[i, r, played[i]], gain)
            greedy[i] = np.where(rises, played[i], greedy[i])
    return greedy


def test_without_losses_it_is_not_distributed_q_learning():
    game = fg.MatrixGame([[[0, 10], [10, 0]]] * 2)
    theirs = distributed(game.payoffs[0], 1000, 200, np.random.default_rng(1))
    assert (game.payoffs[0][theirs[0], theirs[1]] == 10).all()
    for learner in (
        fg.HystereticQ(1.0, beta=0.0),
        fg.HystereticQ(1.0, beta=0.0, explore=fg.EpsilonGreedy(0.2), initial=-100.0),
    ):
        result = fg.run(game, learner, 10_000, replicas=200, rng=1)
        assert (game.payoffs[0][result.greedy(0)[:, 0], result.greedy(1)[:, 0]] == 0).all()


def test_without_losses_and_ties_it_finds_what_distributed_q_learning_finds():
    game = fg.games.climbing()
    theirs = distributed(game.payoffs[0], 3000, 200, np.random.default_rng(1))
    assert (theirs == 0).all()
    learner = fg.HystereticQ(1.0, beta=0.0, explore=fg.EpsilonGreedy(0.2), initial=-100.0)
    result = fg.run(game, learner, 3000, replicas=200, rng=1)
    for i in range(2):
        assert (result.greedy(i) == 0).all()
