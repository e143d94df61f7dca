"""Schedules count game steps from 0, by their formulas; compared with the formulas in mpmath."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.every import each_backend

import fastgames as fg
from fastgames import registry

# One action each, payoff 1: after T steps 1 - q is the product of the 1 - alpha_t.
LONELY = fg.MatrixGame(np.ones((2, 1, 1)))


def exponential(t, start, rate, floor):
    return max(mpmath.mpf(floor), start * mpmath.exp(-mpmath.mpf(rate) * t))


def linear(t, start, end, steps):
    return start + (mpmath.mpf(end) - start) * min(t / mpmath.mpf(steps), 1)


FORMULAS = [
    (fg.Exponential(0.5, 0.01), lambda t: exponential(t, 0.5, 0.01, 0)),
    (fg.Exponential(0.5, 0.1, 0.05), lambda t: exponential(t, 0.5, 0.1, 0.05)),
    (fg.Exponential(0.1, 0.3, 0.4), lambda t: mpmath.mpf(0.4)),
    (fg.Exponential(0.3, 0.0), lambda t: mpmath.mpf(0.3)),
    (fg.Exponential(0.9, 1e6, 0.0), lambda t: mpmath.mpf(0.9) if t == 0 else mpmath.mpf(0)),
    (fg.Linear(0.9, 0.1, 20), lambda t: linear(t, 0.9, 0.1, 20)),
    (fg.Linear(0.01, 1.0, 37.5), lambda t: linear(t, 0.01, 1.0, 37.5)),
    (fg.Linear(0.2, 0.4, 0.5), lambda t: linear(t, 0.2, 0.4, 0.5)),
]
each_formula = pytest.mark.parametrize(("schedule", "formula"), FORMULAS)


@each_backend
@pytest.mark.parametrize("steps", [1, 2, 4, 50])
@each_formula
def test_alpha_is_the_scheduled_value_of_every_step(schedule, formula, steps, backend):
    q = fg.run(LONELY, fg.QLearner(alpha=schedule), steps=steps, rng=1, backend=backend).tables[0][
        "q"
    ]
    with mpmath.workdps(30):
        left = mpmath.fprod(1 - formula(t) for t in range(steps))
    assert q[0, 0, 0] == pytest.approx(float(1 - left), abs=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 30])
@each_formula
def test_policies_use_the_value_of_the_next_step(schedule, formula, steps):
    game = fg.MatrixGame(np.zeros((2, 4, 4)))
    learner = fg.QLearner(explore=fg.EpsilonGreedy(schedule), initial=[1.0, 0.0, 0.0, 0.0])
    policy = fg.run(game, learner, steps=steps, rng=1).policy(0)[0, 0]
    epsilon = float(formula(steps))
    np.testing.assert_allclose(policy, epsilon / 4 + (1 - epsilon) * np.eye(4)[0], atol=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 30])
@pytest.mark.parametrize(
    ("schedule", "formula"), [FORMULAS[k] for k in range(len(FORMULAS)) if k not in (0, 3, 4)]
)
def test_temperatures_too(schedule, formula, steps):
    game = fg.MatrixGame(np.zeros((2, 3, 3)))
    learner = fg.QLearner(1e-300, explore=fg.Softmax(schedule), initial=[0.1, 0.5, 0.2])
    policy = fg.run(game, learner, steps=steps, rng=1).policy(0)[0, 0]
    weights = np.exp(np.array([0.1, 0.5, 0.2]) / float(formula(steps)))
    np.testing.assert_allclose(policy, weights / weights.sum(), rtol=1e-11)


def test_gamma_too():
    """q' = q + alpha (1 + gamma_t q - q)."""
    gamma = fg.Linear(0.0, 0.9, 10)
    q, expected = fg.run(LONELY, fg.QLearner(0.5, gamma), steps=25, rng=1).tables[0]["q"], 0.0
    for t in range(25):
        expected += 0.5 * (1 + 0.9 * min(t / 10, 1) * expected - expected)
    assert q[0, 0, 0] == pytest.approx(expected, rel=1e-13)


@given(data=st.data())
def test_a_schedule_by_replica_is_that_of_each_replica(data):
    rates = np.array(data.draw(st.lists(st.floats(0, 3), min_size=17, max_size=17)))
    together = fg.run(
        LONELY, fg.QLearner(fg.Exponential(0.5, rates, 0.01)), steps=9, replicas=17, rng=1
    )
    for k in (0, 7, 16):
        alone = fg.run(LONELY, fg.QLearner(fg.Exponential(0.5, rates[k], 0.01)), steps=9, rng=1)
        assert together.tables[0]["q"][k] == alone.tables[0]["q"][0]


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_schedules_are_float64_whatever_the_tables_are(dtype):
    result = fg.run(LONELY, fg.QLearner(fg.Exponential(0.5, 1e-9)), steps=10, rng=1, dtype=dtype)
    assert result.state.seats[0].recurrence["alpha"].dtype == np.float64
    assert 0.5 - 6e-9 < result.state.seats[0].recurrence["alpha"][0] < 0.5 - 4e-9


def test_schedules_and_learners_are_equal_when_their_values_are():
    array = np.array([0.1, 0.2])
    assert fg.Exponential(0.5, array) == fg.Exponential(0.5, array.copy())
    assert hash(fg.Exponential(0.5, array)) == hash(fg.Exponential(0.5, array.copy()))
    assert fg.Exponential(0.5, array) != fg.Exponential(0.5, array[::-1])
    assert fg.Linear(1, 0, 5) != fg.Linear(1, 0, 6)
    assert fg.QLearner(0.1) == fg.QLearner(0.1, explore=fg.EpsilonGreedy(0.1))
    assert fg.QLearner(0.1) != fg.QLearner(0.1, explore=fg.Softmax(0.1))


def test_what_was_given_cannot_change_a_learner_afterwards():
    alphas = np.array([0.1, 0.2])
    learner, schedule = fg.QLearner(alphas), fg.Linear(alphas, 0.5, 3)
    policy = fg.FixedPolicy(alphas / 0.3)
    alphas[:] = 9.0
    assert learner.alpha.tolist() == schedule.start.tolist() == [0.1, 0.2]
    assert policy.probabilities.sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="read-only"):
        learner.alpha[0] = 0.5
