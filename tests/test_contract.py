"""Runs follow the contract on streams, arithmetic and events: `library/contract.py`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.contract import Textbook, Words
from library.every import each_backend, each_dtype
from library.games import game_of_states

import fastgames as fg

RECORD = fg.Record(joint_actions=True, rewards=True, flips=True)


def assert_follows(result, learners, seed, steps):
    """The first and the last replica hold the bits of the textbook; return {replica: textbook}."""
    found = {}
    game, real = result.game, np.dtype(result.dtype).type
    for replica in (0, result.replicas - 1):
        textbook = Textbook(game, learners, real, Words(seed, replica, real)).play(steps)
        for i, learner in enumerate(learners):
            if not isinstance(learner, fg.FixedPolicy):
                assert result.tables[i]["q"][replica].tobytes() == textbook.q[i].tobytes()
        counts, totals = np.zeros(game.num_actions, int), np.zeros(game.num_agents)
        for step in textbook.history:
            counts[step.joint] += 1
            totals += np.array(step.rewards, real)
        assert (result.joint_counts[replica] == counts).all()
        assert (result.mean_reward[replica] == totals / steps).all()
        assert result.flips[replica].tolist() == textbook.flips
        found[replica] = textbook
    return found


ALPHAS = [
    0.2,
    fg.Exponential(0.5, np.log(2.0), 0.05),
    fg.Linear(0.9, 0.1, 7),
    fg.Hyperbolic(0.9, 2.0),
    fg.Hyperbolic(0.5, 3.0, 0.6),
    fg.Piecewise([2, 9.5, 20], [0.9, 0.1, 0.4]),
    fg.Piecewise([0, 5], [0.9, 0.1], "constant"),
    fg.Schedule(lambda t, a: a / (1 + t % 5), [0.5]),
]


@pytest.mark.usefixtures("passes_for_all_sizes")
@each_backend
@each_dtype
@given(
    seed=st.integers(0, 2**64 - 1),
    shape=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    gamma=st.sampled_from([0.0, 0.9]),
    epsilon=st.sampled_from([0.0, 0.3, 1.0]),
    alpha=st.sampled_from(ALPHAS),
    steps=st.integers(1, 30),
)
def test_a_run_follows_the_contract(backend, dtype, seed, shape, gamma, epsilon, alpha, steps):
    rng = np.random.default_rng(seed)
    game = fg.MatrixGame(rng.normal(size=(len(shape), *shape)))
    learner = fg.QLearner(alpha, gamma, fg.EpsilonGreedy(epsilon))
    policy = fg.FixedPolicy(rng.dirichlet(np.ones(shape[-1])))
    learners = [learner] * (len(shape) - 1) + [policy]
    more = {"dtype": dtype, "backend": backend, "record": RECORD}
    result = fg.run(game, learners, steps, 20, seed, **more)
    assert_follows(result, learners, seed, steps)


def test_the_last_of_a_million_replicas_follows_the_contract_too():
    learner = fg.QLearner(0.25, explore=fg.EpsilonGreedy(0.5))
    game, seed = fg.games.matching_pennies(), 2**40 + 1
    result = fg.run(game, learner, steps=21, replicas=1_000_000, rng=seed)
    for replica in (0, 127, 128, 499_999, 999_999):
        words = Words(seed, replica, np.float64)
        textbook = Textbook(game, [learner] * 2, np.float64, words).play(21)
        for i in range(2):
            assert (result.tables[i]["q"][replica] == textbook.q[i]).all()


@pytest.mark.usefixtures("passes_for_all_sizes")
@settings(max_examples=settings.default.max_examples // 2)
@each_backend
@each_dtype
@given(
    seed=st.integers(0, 2**64 - 1),
    agents=st.integers(2, 3),
    chances=st.booleans(),
    starts=st.booleans(),
    steps=st.integers(1, 60),
)
def test_a_run_of_a_game_of_states_follows_the_contract(
    backend, dtype, seed, agents, chances, starts, steps
):
    game = game_of_states(np.random.default_rng(seed), agents, chances, starts)
    learners = [fg.QLearner(fg.Linear(0.9, 0.1, 30), 0.8, fg.EpsilonGreedy(0.4))] * agents
    more = {"dtype": dtype, "backend": backend, "record": RECORD}
    result = fg.run(game, learners, steps, 20, seed, **more)
    for replica, textbook in assert_follows(result, learners, seed, steps).items():
        assert result.states[replica] == textbook.state
        assert result.state.ages[replica] == textbook.age
