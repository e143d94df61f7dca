"""The rules of choosing, interpreted and compiled, against exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from library.every import each_body, each_real

from fastgames.rules import choice

word31 = st.integers(0, 2**31 - 1)
epsilons = st.floats(0.0, 1.0) | st.integers(0, 2**31).map(lambda t: t * 2.0**-31)
rows = st.lists(st.integers(-3, 3), min_size=1, max_size=8)


@each_body
@each_real
@given(u=word31, epsilon=epsilons, actions=st.integers(1, 9))
@example(u=0, epsilon=0.0, actions=2)
@example(u=0, epsilon=2.0**-31, actions=2)
@example(u=1, epsilon=2.0**-31, actions=2)
@example(u=2**31 - 1, epsilon=1.0, actions=3)
@example(u=2**31 - 1, epsilon=1.0 - 2.0**-53, actions=3)
@example(u=2**31 - 2, epsilon=1.0 - 2.0**-53, actions=3)
def test_explore_iff_u_is_below_the_threshold_then_in_equal_shares(body, real, u, epsilon, actions):
    threshold = Fraction(epsilon) * 2**31 // 1
    signal = body(choice.explore)(u, epsilon, actions, real)
    if u >= threshold:
        assert signal == choice.GREEDY
    else:
        share = Fraction(u) * actions / threshold  # exact; rounding moves it by 2 ulp at most
        slack = Fraction(float(np.spacing(real(actions)))) * 3
        assert max(0, int(share - slack)) <= signal <= min(actions - 1, int(share + slack))
        # and to the bit, as the contract writes it
        rounded = real(u) * real(actions / int(threshold))
        assert signal == min(actions - 1, int(rounded))


@each_body
@pytest.mark.parametrize("actions", [2, 3, 5, 7])
def test_explored_actions_share_the_words_equally(body, actions):
    """Every u of a small threshold, one by one."""
    threshold = 210 * 4  # each of 2, 3, 5, 7 divides it
    signals = [
        body(choice.explore)(u, threshold * 2.0**-31, actions, np.float64)
        for u in range(threshold + 5)
    ]
    assert signals[threshold:] == [choice.GREEDY] * 5
    counts = np.bincount(np.array(signals[:threshold], int))
    assert len(counts) == actions
    assert abs(counts - threshold // actions).max() <= 1  # u A / T may round across a whole number


@each_body
@given(u=word31)
@example(u=0)
@example(u=2**31 - 1)
@example(u=127)
def test_unit_is_the_word_on_its_grid_and_below_1(body, u):
    assert body(choice.unit)(u, np.float64) == Fraction(u, 2**31)
    assert body(choice.unit)(u, np.float32) == Fraction(u // 2**7, 2**24)


@each_body
@given(row=rows)
def test_argmax_is_the_lowest_index_of_the_maximum(body, row):
    assert body(choice.argmax)(np.array(row, float)) == row.index(max(row))


@each_body
@given(row=rows, signal=st.integers(-1, 7))
def test_epsilon_greedy_follows_the_signal_or_else_the_maximum(body, row, signal):
    action = body(choice.epsilon_greedy)(np.array(row, float), float(signal))
    assert action == (row.index(max(row)) if signal == -1 else signal)


@each_body
@each_real
@given(
    weights=st.lists(st.integers(0, 4), min_size=1, max_size=8).filter(sum),
    x=st.integers(0, 2**20 - 1),
)
@example(weights=[0, 1, 0, 2, 0], x=0)
@example(weights=[1, 1, 2], x=2**18)  # just on a running sum: the next action
@example(weights=[0, 0, 1], x=2**20 - 1)
def test_sample_counts_the_running_sums_that_x_has_passed(body, real, weights, x):
    limit = Fraction(x, 2**20) * sum(weights)
    passed = [sum(weights[: k + 1]) <= limit for k in range(len(weights) - 1)]
    index = body(choice.sample)(np.array(weights, real), real(x * 2.0**-20))
    assert index == sum(passed)
    assert weights[index] > 0 or sum(weights[index:]) == 0


@each_body
@each_real
@given(row=st.lists(st.floats(-20, 20), min_size=1, max_size=8), temperature=st.floats(0.5, 50))
def test_softmax_weights_are_exponentials_below_the_maximum(body, real, row, temperature):
    row = np.array(row, real)
    out = np.full(len(row), -1, real)
    body(choice.softmax_weights)(row, temperature, real, out)
    true = np.exp((row.astype(float) - float(row.max())) / temperature)
    scale = np.abs(row.astype(float) - float(row.max())).max() / temperature
    np.testing.assert_allclose(out, true, rtol=(8 + 4 * scale) * float(np.finfo(real).eps))
    assert out[row.argmax()] == 1.0
