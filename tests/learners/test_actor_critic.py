"""The actor-critic against its definition, and the values of its policy by linear algebra."""

import numpy as np
import pytest
from library.gradients import adding_game, changes, mix, score

import fastgames as fg
from fastgames.learners import actor_critic
from fastgames.rules.outcome import Outcome

RULES = fg.ActorCritic().rules


@pytest.mark.parametrize("end", ["", "ended", "truncated"])
@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_a_step_is_the_error_times_the_score(end, epsilon):
    rng = np.random.default_rng(1)
    logits, value = rng.normal(size=(3, 4)), rng.normal(size=3)
    tables = RULES.as_tables((logits.copy(), value.copy()))
    given = Outcome(1, 2, 0.7, 0.9, 0, -1, end == "ended", truncated=end == "truncated")
    actor_critic.learn(tables, RULES.as_p([0.3, 0.4, 0.9, epsilon]), given)
    error = 0.7 + (0.0 if end == "ended" else 0.9 * value[0]) - value[1]
    value[1] += 0.4 * error
    logits[1] += 0.3 * error * score(logits[1], 2, epsilon)
    np.testing.assert_allclose(tables.value, value, atol=1e-12)
    np.testing.assert_allclose(tables.logits, logits, atol=1e-8)


@pytest.mark.parametrize("epsilon", [0.0, 0.4])
def test_the_critic_learns_the_value_of_the_policy(epsilon):
    states, gamma = 4, 0.8
    game = fg.games.random_markov_game(1, states, 3, rng=4, transitions="deterministic")
    logits = np.random.default_rng(1).normal(size=(states, 3))
    learner = fg.ActorCritic(0.0, fg.Hyperbolic(1.0, 20.0, 0.8), gamma, epsilon, logits)
    result = fg.run(game, learner, 50_000, 40, rng=1)
    play = mix(logits, epsilon)
    moves = np.zeros((states, states))
    for s in range(states):
        np.add.at(moves[s], game.transitions[s], play[s])
    rewards = (play * game.rewards[0]).sum(axis=1)
    exact = np.linalg.solve(np.eye(states) - gamma * moves, rewards)
    visited = np.linalg.matrix_power(moves, 200)[game.start] > 1e-6
    found = result.tables[0]["value"].mean(axis=0)
    np.testing.assert_allclose(found[visited], exact[visited], atol=0.02)


@pytest.mark.parametrize("agents", [2, 5])
def test_the_variance_of_a_step_is_that_of_a_baseline_of_the_value(agents):
    # Eq. 8.5 of an open textbook draft, chapter 17: an actor-critic with the exact value N / 2 of a
    # game of one step.
    value = {"value": np.full(1, agents / 2)}
    found = changes(adding_game(agents, 1.0), fg.ActorCritic(1.0, 0.0), value)
    assert found.mean() == pytest.approx(0.25, abs=0.01)
    assert found.var() == pytest.approx((agents - 1) / 16 + 0.25, rel=0.03)
