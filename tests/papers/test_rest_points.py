"""Softmax Q-learners in self-play rest at logit equilibria.

McKelvey & Palfrey (1995) define them; the figures stand in docs/published.md.
"""

import numpy as np
import pytest
from published import REST

import fastgames as fg

GAMES = {
    "asymmetric pennies": fg.MatrixGame([[[1.1141, 0], [0, 0.2785]], [[0, 1.1141], [1.1141, 0]]]),
    "prisoner's dilemma": fg.MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]),
}
TOLERANCE = 0.015


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("temperature", [0.5, 1.0])
@pytest.mark.parametrize("name", GAMES)
def test_softmax_learners_rest_at_the_logit_equilibrium(name, temperature, dtype):
    game, first_actions = GAMES[name], REST[f"{name}, temperature {temperature}"]
    learner = fg.QLearner(alpha=0.005, explore=fg.Softmax(temperature))
    record = fg.Record(joint_actions=True, last=2000)
    result = fg.run(game, learner, steps=10_000, replicas=600, rng=1, dtype=dtype, record=record)
    played = result.joint_counts.sum(axis=0) / (600 * 2000)
    for agent, expected in enumerate(first_actions):
        assert abs(result.policy(agent)[:, 0, 0].mean() - expected) < TOLERANCE
        assert abs(played.sum(axis=1 - agent)[0] - expected) < TOLERANCE
        # and it is an equilibrium: the policy is the softmax of the expected payoffs
    policies = [result.policy(agent)[:, 0].mean(axis=0) for agent in range(2)]
    values = [game.payoffs[0] @ policies[1], policies[0] @ game.payoffs[1]]
    for policy, value in zip(policies, values, strict=True):
        weights = np.exp(value / temperature)
        assert np.abs(policy - weights / weights.sum()).max() < TOLERANCE
