"""Draws from words: SciPy and exact arithmetic, and the same bits interpreted and compiled."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from library.every import each_body
from scipy import stats

from fastgames.jit import compiled
from fastgames.rules import chance

LAST = 2**31 - 1
WORDS = st.sampled_from([0, 1, 2**30 - 1, 2**30, LAST - 1, LAST]) | st.integers(0, LAST)
NUMBERS = st.floats(-1e6, 1e6)
MEANS = st.sampled_from([0.0, 1e-9, 1.0, 3, 500.0]) | st.floats(0.0, 500.0)
WEIGHTS = st.lists(st.floats(0.0, 9.0), min_size=1, max_size=6).filter(sum).map(np.array)
DRAWS = {
    "number": [],
    "open_number": [],
    "uniform": [NUMBERS, NUMBERS],
    "below": [st.integers(1, LAST)],
    "integer": [st.integers(-9, 9), st.integers(10, 2**20)],
    "coin": [],
    "happens": [st.floats(0.0, 1.0)],
    "categorical": [WEIGHTS],
    "normal": [NUMBERS, st.floats(0.0, 1e6)],
    "exponential": [st.floats(0.0, 1e6)],
    "poisson": [MEANS],
}


def probability(u):
    """The probability at which a word is a quantile."""
    return (u + 0.5) / 2**31


@pytest.mark.parametrize("name", DRAWS)
@given(data=st.data())
def test_interpreted_and_compiled_have_the_same_bits(name, data):
    rule, u = getattr(chance, name), data.draw(WORDS)
    arguments = [data.draw(each) for each in DRAWS[name]]
    expected = np.array(compiled(rule)(u, *arguments))
    for word in (u, np.int64(u)):
        found = np.array(rule(word, *arguments))
        assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


def test_every_function_of_chance_is_tested():
    own = [x for x in vars(chance).values() if getattr(x, "__module__", "") == chance.__name__]
    assert {x.__name__ for x in own} == set(DRAWS)


@pytest.mark.parametrize("name", ["uniform", "normal", "exponential", "poisson"])
@given(u=WORDS, numbers=st.tuples(*[st.floats(0.0, 400.0, width=32)] * 2))
def test_arguments_in_float32_compute_in_float64(name, u, numbers):
    """In NumPy a Python float is weak in an operation with a float32, in Numba it is not."""
    rule = getattr(chance, name)
    given_ = [np.float32(x) for x in numbers[: len(DRAWS[name])]]
    expected = rule(u, *map(float, given_))
    assert rule(u, *given_) == expected == compiled(rule)(u, *given_)


@each_body
@given(u=WORDS)
def test_open_number_is_exact(body, u):
    assert Fraction(body(chance.open_number)(u)) == Fraction(2 * u + 1, 2**32)


@each_body
@given(u=WORDS, low=NUMBERS, width=st.floats(1.0, 1e6))
def test_uniform_is_in_its_interval(body, u, low, width):
    high = low + width
    x = body(chance.uniform)(u, low, high)
    assert low <= x < high
    assert x == pytest.approx(stats.uniform.ppf(u / 2**31, low, high - low), rel=1e-12, abs=1e-9)


@each_body
@pytest.mark.parametrize(("low", "high"), [(1.0, np.nextafter(1.0, 2.0)), (1e9, 1e9 + 1e-6)])
def test_uniform_is_below_its_end_where_it_rounds(body, low, high):
    found = {body(chance.uniform)(u, low, high) for u in (0, 2**30, LAST)}
    assert all(low <= x < high for x in found)


@each_body
@given(
    u=WORDS, low=st.integers(-(2**40), 2**40), n=st.sampled_from([1, 6, 2**31]) | st.integers(1, 99)
)
@example(u=LAST, low=0, n=2**31)
def test_integer_by_exact_arithmetic(body, u, low, n):
    x = body(chance.integer)(u, low, low + n - 1)
    assert x == low + math.floor(Fraction(u * n, 2**31))
    assert low <= x <= low + n - 1


@each_body
@given(u=WORDS, weights=st.lists(st.integers(0, 4), min_size=1, max_size=8).filter(sum))
@example(u=2**29, weights=[1, 2, 1])  # just on a running sum: the next one
@example(u=LAST, weights=[1, 0])
def test_categorical_by_exact_arithmetic(body, u, weights):
    sums, x = np.cumsum(weights).tolist(), Fraction(u, 2**31)
    index = body(chance.categorical)(u, np.array(weights, float))
    assert index == sum(c <= x * sums[-1] for c in sums[:-1])
    assert weights[index] > 0


@given(u=WORDS, mean=NUMBERS, deviation=st.floats(1e-3, 1e3))
def test_normal_as_scipy(u, mean, deviation):
    z = stats.norm.ppf(probability(u))
    assert chance.normal(u, 0.0, 1.0) == pytest.approx(z, rel=1e-14, abs=1e-24)
    expected = stats.norm.ppf(probability(u), mean, deviation)
    assert chance.normal(u, mean, deviation) == pytest.approx(expected, rel=1e-14, abs=1e-8)
    assert chance.normal(u, mean, 0.0) == mean


@given(u=WORDS, mean=st.floats(1e-3, 1e3))
def test_exponential_as_scipy(u, mean):
    x = chance.exponential(u, mean)
    assert x == pytest.approx(stats.expon.ppf(probability(u), scale=mean), rel=1e-14)
    assert 0.0 < x < 22.2 * mean
    assert chance.exponential(u, 0.0) == 0.0


@given(u=WORDS, mean=MEANS)
@example(u=LAST, mean=500.0)
@example(u=0, mean=500.0)
@example(u=LAST, mean=0.0)
def test_poisson_as_scipy(u, mean):
    k, p = chance.poisson(u, mean), probability(u)
    close = 1e-12  # where the distribution function is this near to p, both are right
    if k != stats.poisson.ppf(p, mean):
        assert abs(stats.poisson.cdf(min(k, stats.poisson.ppf(p, mean)), mean) - p) < close
    assert k == 0 or stats.poisson.cdf(k - 1, mean) < p + close
    assert stats.poisson.cdf(k, mean) > p - close


def test_poisson_of_the_last_word_ends_for_every_mean():
    """The sum of the terms is nearer to 1 than the largest probability of a word."""
    means = np.concatenate([np.linspace(0.0, 500.0, 5_001), 10.0 ** np.arange(-300.0, 0.0)])
    jitted = compiled(chance.poisson)
    found = np.array([jitted(LAST, mean) for mean in means])
    assert (found <= means + 8.0 * np.sqrt(means) + 20.0).all()


@each_body
@pytest.mark.parametrize("mean", [-1e-9, 500.0001, math.inf, -math.inf, math.nan])
def test_poisson_rejects_other_means(body, mean):
    with pytest.raises(ValueError, match=r"mean must be in \[0, 500\]"):
        body(chance.poisson)(2**30, mean)


def test_moments_of_draws_from_a_stream():
    """The draws from words of the library's streams have the moments of their distributions."""
    import fastgames as fg

    n = 20_000
    words = fg.Streams(7, n, 0).words()[0].tolist()
    for name, arguments, mean, variance in [
        ("uniform", (-1.0, 2.0), 0.5, 0.75),
        ("integer", (1, 6), 3.5, 35 / 12),
        ("normal", (1.0, 2.0), 1.0, 4.0),
        ("exponential", (2.0,), 2.0, 4.0),
        ("poisson", (7.5,), 7.5, 7.5),
        ("categorical", (np.array([1.0, 1.0, 2.0]),), 1.25, 0.6875),
    ]:
        rule = compiled(getattr(chance, name))
        x = np.array([rule(u, *arguments) for u in words], float)
        assert abs(x.mean() - mean) < 4 * math.sqrt(variance / n), name
        assert abs(x.var() / variance - 1) < 0.1, name
