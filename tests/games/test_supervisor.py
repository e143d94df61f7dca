"""The supervisor against its rules, and the pay of agents that need no learning."""

import numpy as np
import pytest

import fastgames as fg
from fastgames.games import supervisor


@pytest.mark.parametrize(("actions", "change"), [(2, 0.25), (5, 0.5), (3, 0.0), (3, 1.0)])
def test_the_rules(actions, change):
    game = supervisor(actions, change)
    assert game.num_agents == 1 and game.num_observations == (1,) and game.start == 0
    for s in range(actions):
        assert game.rewards[0, s].tolist() == [float(a == s) for a in range(actions)]
        for a in range(actions):  # no action changes the future
            expected = np.full(actions, change / (actions - 1))
            expected[s] = 1.0 - change
            np.testing.assert_allclose(game.transitions[s, a] * np.ones(actions), expected)


def test_pay_of_an_agent_that_ignores_rewards_and_of_one_that_follows_them():
    game, record = supervisor(2, 0.1), fg.Record(rewards=True)
    kwargs = {"rng": 1, "record": record, "progress": False}
    fixed = fg.run(game, fg.FixedPolicy([0.5, 0.5]), 10_000, 20, **kwargs)
    assert fixed.mean_reward.mean() == pytest.approx(0.5, abs=0.01)
    follows = fg.run(game, win_stay(), 10_000, 20, **kwargs)
    assert follows.mean_reward.mean() == pytest.approx(1 - 0.1, abs=0.01)


def win_stay():
    """The learner that repeats an action that paid, and changes after 0."""

    def choose(tables, p, o, signal):
        return 1 if tables.q[o, 1] > tables.q[o, 0] else 0

    def learn(tables, p, t):
        tables.q[t.observation, t.action] = t.gain
        tables.q[t.observation, 1 - t.action] = 1.0 - t.gain

    return fg.Learner(choose, learn, {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_actions": 1}, r"num_actions must be a whole number in \[2, 100\], got 1"),
        ({"change": 1.5}, r"change must be a number in \[0, 1\], got 1.5"),
        ({"discount": 1.0}, r"discount must be a number in \[0, 1\), got 1.0"),
    ],
)
def test_arguments_outside_their_domains_are_refused(arguments, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        supervisor(**arguments)
