"""Studies that once took a detour, in the few lines that they take now, beside the detour.

Others are where their feature is tested: draws of soccer by resets of single games in
test_vector_reset.py; an entrant after convergence, and members of a team that start with their own
tables, in test_start_tables.py.
"""

import numpy as np

import fastgames as fg
from fastgames.rules import qlearning

STAGE = fg.games.prisoners_dilemma()
MARKET = fg.remember(STAGE, discount=0.9)
PRICES = np.array([2.0, 1.0])  # of action 0, cooperate, and 1, defect
FIRST = ((0, 0), (0, 1), (1, 1), (0, 0))


def choose(tables, p, o, signal, s):
    """Choose as a Q-learner, after the actions of an opening."""
    if s.step < len(FIRST):
        return FIRST[s.step][s.agent]
    return qlearning.choose_greedy(tables, p, o, signal)


def test_a_period_of_given_prices():
    call = {"steps": 40, "replicas": 3, "rng": 5}
    learner = fg.QLearner(0.2, 0.9, fg.EpsilonGreedy(0.3))
    result = fg.run(MARKET, learner, opening=FIRST, **call)

    values = {"alpha": 0.2, "gamma": 0.9, "epsilon": 0.3}
    detour = fg.Learner(choose, qlearning.learn, values, draw=qlearning.draw_explore)
    expected = fg.run(MARKET, detour, backend="reference", **call)
    for mine, other in zip(result.tables, expected.tables, strict=True):
        assert mine["q"].tobytes() == other["q"].tobytes()


def test_the_mean_price_of_a_market():
    """The detour is a third agent without a choice, whose reward is the mean of both prices."""
    call = {"steps": 500, "replicas": 4, "rng": 5}
    learner = fg.QLearner(0.2, explore=fg.EpsilonGreedy(0.3))
    mean = (PRICES[:, None] + PRICES) / 2
    record = fg.Record(joint_actions=True, path=7)
    result = fg.run(MARKET, learner, record=record, **call)
    prices = (result.joint_counts * mean).sum(axis=(1, 2)) / result.steps
    last = PRICES[result.path.actions].mean(axis=2)

    payoffs = np.stack([*STAGE.payoffs, mean])[..., None]
    watched = fg.remember(fg.MatrixGame(payoffs), discount=0.9)
    seats, record = [learner, learner, fg.FixedPolicy([1.0])], fg.Record(rewards=True, path=7)
    detour = fg.run(watched, seats, record=record, **call)
    np.testing.assert_array_equal(prices, detour.mean_reward[:, 2])
    np.testing.assert_array_equal(last, detour.path.rewards[:, :, 2])
    for i in range(2):
        assert result.tables[i]["q"].tobytes() == detour.tables[i]["q"].tobytes()
