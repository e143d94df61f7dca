"""The rules of learning: exact arithmetic, closed forms, and the same bits when compiled."""

from collections import namedtuple
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from library.every import BODIES, each_body, each_real

from fastgames.jit import compiled
from fastgames.learners import sarsa
from fastgames.rules import qlearning, stepsize
from fastgames.rules.choice import softmax_weights
from fastgames.rules.outcome import Outcome

RULES = {
    "q": qlearning.learn,
    "q_visits": qlearning.learn_by_visits,
    "q_all": qlearning.learn_all,
    "q_all_visits": qlearning.learn_all_by_visits,
    "sarsa_epsilon": sarsa.learn_epsilon,
    "sarsa_epsilon_visits": sarsa.learn_epsilon_by_visits,
    "sarsa_softmax": sarsa.learn_softmax,
    "sarsa_softmax_visits": sarsa.learn_softmax_by_visits,
}


TABLES = namedtuple("TABLES", "q visits")
#: Parameters by every name that a rule may use: a step size, gamma, and the exploration.
P = namedtuple("P", "alpha gamma epsilon power temperature")


@st.composite
def cases(draw, numbers, actions=None):
    """(q, visits, outcome), all numbers as Python has them; 3 observations."""
    actions = draw(st.integers(1, 6) if actions is None else actions)
    rows = st.lists(numbers, min_size=actions, max_size=actions)
    q = draw(st.lists(rows, min_size=3, max_size=3))
    visits = draw(st.lists(st.integers(0, 2**40), min_size=3 * actions, max_size=3 * actions))
    outcome = Outcome(
        observation=draw(st.integers(0, 2)),
        action=draw(st.integers(0, actions - 1)),
        gain=draw(numbers),
        weight=draw(st.sampled_from([0.0, 0.5, 0.75, 0.25])),
        next_observation=draw(st.integers(0, 2)),
        next_action=draw(st.integers(-1, actions - 1)),
        ended=draw(st.booleans()),
        column=draw(rows),
    )
    return q, visits, outcome


def learnt(rule, case, p, real):
    """(q, visits) after the rule."""
    q, visits, t = case
    q = np.array(q, real)
    visits = np.array(visits, np.int64).reshape(q.shape)
    t = t._replace(gain=real(t.gain), weight=real(t.weight), column=np.array(t.column, real))
    rule(TABLES(q, visits), p if isinstance(p, P) else P(*p, p[0], p[2]), t)
    return q, visits


@each_real
@pytest.mark.parametrize("name", RULES)
@given(
    case=cases(st.floats(-9, 9)),
    alpha=st.sampled_from([1.0, 0.6]) | st.floats(0.01, 1.0),
    explore=st.sampled_from([2.0**-31, 1.0]) | st.floats(1e-2, 1.0),
)
def test_interpreted_and_compiled_learn_the_same_bits(name, real, case, alpha, explore):
    p = (alpha, 0.9, explore)
    q, visits = learnt(RULES[name], case, p, real)
    assert q.dtype == real
    compiled_q, compiled_visits = learnt(compiled(RULES[name]), case, p, real)
    assert compiled_q.tobytes() == q.tobytes()
    assert compiled_visits.tobytes() == visits.tobytes()


def value_of(case, kind, epsilon):
    """Return the exact value of the next observation."""
    q, _, t = case
    row = [Fraction(x) for x in q[t.next_observation]]
    if t.ended:
        return Fraction(0)
    if kind == "q":
        return max(row)
    if t.next_action >= 0:
        return row[t.next_action]
    share = Fraction(int(epsilon * 2**31), 2**31)
    return (1 - share) * max(row) + share * sum(row) / len(row)


@each_body
@each_real
@pytest.mark.parametrize("kind", ["q", "sarsa_epsilon"])
@given(
    case=cases(st.integers(-8, 8).map(float), st.sampled_from([1, 2, 4])),
    alpha=st.sampled_from([1.0, 0.5, 0.25]),
    epsilon=st.sampled_from([0.0, 2.0**-32, 0.25, 0.5, 1.0]),
)
def test_one_entry_moves_by_alpha_towards_the_target(body, real, kind, case, alpha, epsilon):
    """Numbers of few bits: nothing is rounded, in either type."""
    q, visits, t = case
    after, visits_after = learnt(body(RULES[kind]), case, (alpha, 0.9, epsilon), real)
    target = Fraction(t.gain) + Fraction(t.weight) * value_of(case, kind, epsilon)
    q[t.observation][t.action] += Fraction(alpha) * (target - Fraction(q[t.observation][t.action]))
    assert after.tolist() == q
    assert visits_after.ravel().tolist() == visits


@each_real
@given(
    row=st.lists(st.floats(-9, 9), min_size=1, max_size=9),
    epsilon=st.sampled_from([0.0, 2.0**-31, 1.0]) | st.floats(0, 1),
)
def test_the_expectation_of_epsilon_greedy_in_the_order_that_is_written(real, row, epsilon):
    row = np.array(row, real)
    share = real(np.floor(epsilon * 2**31) / 2**31)
    total = np.add.accumulate(row)[-1]  # in index order
    expected = (real(1) - share) * row.max() + share * (total / real(len(row)))
    policy = np.zeros(len(row))
    qlearning.policy_epsilon((row[None],), (0.1, 0.9, epsilon), 0, policy)
    for body in BODIES.values():
        value = body(sarsa.expected_epsilon)(row, epsilon, real)
        assert value == expected
        np.testing.assert_allclose(value, policy @ row, atol=40 * np.finfo(real).eps)


@each_real
@given(
    row=st.lists(st.floats(-9, 9), min_size=1, max_size=9),
    temperature=st.floats(0.1, 100),
)
@example(row=[1.0, 1.0, -8.0], temperature=1e-3)  # only the first two have a weight
@example(row=[0.1, 0.7, 0.3, 0.9, 0.2, 0.6], temperature=0.7)
def test_the_expectation_of_softmax_in_the_order_that_is_written(real, row, temperature):
    row = np.array(row, real)
    weights = np.empty(len(row), real)
    softmax_weights(row, temperature, real, weights)
    top, bottom = (np.add.accumulate(x)[-1] for x in (weights * row, weights))
    wide = row.astype(float)
    true = np.exp((wide - wide.max()) / temperature)
    for body in BODIES.values():
        value = body(sarsa.expected_softmax)(row, temperature, real)
        assert value == top / bottom
        tolerance = 300 * np.finfo(real).eps * max(1, 1 / temperature)
        np.testing.assert_allclose(value, (true @ wide) / true.sum(), atol=tolerance)


@each_body
@each_real
@pytest.mark.parametrize("visits", [False, True])
@given(case=cases(st.floats(-9, 9)))
def test_counterfactual_learning_is_learning_from_each_action_alone(body, real, visits, case):
    suffix = "_visits" if visits else ""
    p = (0.75, 0.9, 0.5)
    q, counts = learnt(body(RULES["q_all" + suffix]), case, p, real)
    o = case[2].observation
    for k, gain in enumerate(case[2].column):
        alone = (*case[:2], case[2]._replace(action=k, gain=gain))
        alone_q, alone_counts = learnt(body(RULES["q" + suffix]), alone, p, real)
        assert q[o, k].tobytes() == alone_q[o, k].tobytes()
        assert counts[o, k] == alone_counts[o, k] == case[1][o * q.shape[1] + k] + visits
    others = np.arange(3) != o
    assert q[others].tobytes() == np.array(case[0], real)[others].tobytes()


@each_body
@given(n=st.integers(1, 2**50), power=st.sampled_from([0.5, 0.6, 1.0]) | st.floats(0.01, 1.0))
@example(n=3, power=1.0)
@example(n=49, power=1.0)
@example(n=1, power=0.6)
def test_the_step_of_the_nth_visit(body, n, power):
    visits = np.full((2, 3), 5, np.int64)
    visits[1, 2] = n - 1
    step = body(stepsize.visit)(visits, 1, 2, power)
    assert visits.tolist() == [[5, 5, 5], [5, 5, n]]
    if power == 1.0:
        assert step == 1.0 / n  # to the bit: 49 times 1/49 is not 1, but exp(-log(49)) differs
    elif n == 1:
        assert step == 1.0
    else:
        with mpmath.workdps(40):
            true = mpmath.mpf(n) ** -mpmath.mpf(power)
            # errors of the logarithm and the product grow by the size of the exponent
            assert abs(step / true - 1) <= (2 + 3 * power * np.log(n)) * 2.0**-52


@each_real
@each_body
def test_a_table_by_visits_is_the_average_of_what_was_seen(body, real):
    """Power 1 and gamma 0: whole rewards whose averages are whole."""
    q, visits = np.full((1, 2), real(100)), np.zeros((1, 2), np.int64)
    total = 0.0
    for n, reward in enumerate([4.0, 8.0, 0.0, 4.0, 9.0], 1):
        t = Outcome(0, 1, real(reward), real(0), 0, -1, False, np.empty(0, real))
        body(qlearning.learn_by_visits)((q, visits), (1.0, 0.0, 0.1), t)
        total += reward
        np.testing.assert_allclose(q[0, 1], total / n, rtol=4 * np.finfo(real).eps)
    assert q[0, 0] == 100
    assert visits.tolist() == [[0, 5]]
