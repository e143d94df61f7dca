"""Outcomes of functions of words: weights against the helpers called with numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgames.games._outcomes import outcomes
from fastgames.rules.chance import below, categorical, coin, happens, integer, number

ALL = 2**31


def found(call, words=1):
    """The weights of the results of a function of words."""
    weights = {}
    for weight, result in outcomes(call, words):
        assert weight > 0
        weights[result] = weights.get(result, 0) + weight
    assert sum(weights.values()) == ALL**words
    return weights


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 1000])
def test_below(n):
    weights = found(lambda words: below(words[0], n))
    assert list(weights) == list(range(n))
    first = 0
    for k, weight in weights.items():
        assert [below(u, n) for u in (first, first + weight - 1)] == [k, k]
        first += weight


def test_the_example_of_the_docstring():
    assert found(lambda words: below(words[0], 3)) == {0: 715827883, 1: 715827883, 2: 715827882}


def test_coin():
    assert found(lambda words: coin(words[0])) == {0: 2**30, 1: 2**30}


def test_integer():
    weights = found(lambda words: integer(words[0], 1, 6))
    assert list(weights) == [1, 2, 3, 4, 5, 6]
    assert list(weights.values()) == list(found(lambda words: below(words[0], 6)).values())


@pytest.mark.parametrize("weights", [[1, 2, 1], [0, 1, 0, 2], [1 / 3, 1 / 7, 0.1], [1e-12, 1.0]])
def test_categorical(weights):
    weights = np.array(weights, float)
    first = 0
    for k, weight in found(lambda words: categorical(words[0], weights)).items():
        assert [categorical(u, weights) for u in (first, first + weight - 1)] == [k, k]
        assert abs(weight / ALL - weights[k] / weights.sum()) <= 2**-30
        first += weight


@pytest.mark.parametrize("p", [0.0, 2.0**-40, 2.0**-31, 0.1, 1 / 3, 0.5, 1 - 2.0**-53, 1.0])
def test_happens(p):
    weights = found(lambda words: happens(words[0], p))
    true = weights.get(True, 0)
    assert true == sum(weights.values()) - weights.get(False, 0)
    assert true == 0 or happens(true - 1, p)
    assert true == ALL or not happens(true, p)


@pytest.mark.parametrize("limit", [0.0, 0.25, 1 / 3, 1.0, 7.5, -1.0, 2.0, np.float32(0.1)])
@pytest.mark.parametrize("factor", [1.0, 3, 0.1])
def test_comparisons_of_a_number(limit, factor):
    for compare in (
        lambda x: x < limit,
        lambda x: x <= limit,
        lambda x: x > limit,
        lambda x: x >= limit,
        lambda x: limit > x,
        lambda x: np.float64(limit) <= x,
    ):
        weights = found(lambda words, c=compare: bool(c(number(words[0]) * factor)))
        first = bool(compare(number(0) * factor))
        end = weights.get(first, 0)
        assert compare(np.float64(number(end - 1)) * factor) == first
        assert end == ALL or compare(np.float64(number(end)) * factor) != first


HELPERS = st.one_of(
    st.just(coin),
    st.integers(1, 9).map(lambda n: lambda u: below(u, n)),
    st.floats(0.0, 1.0).map(lambda p: lambda u: not happens(u, p)),  # not: non-decreasing in u
)


@given(st.lists(HELPERS, min_size=1, max_size=4))
def test_one_word_used_several_times(helpers):
    weights = found(lambda words: tuple(int(helper(words[0])) for helper in helpers))
    first = 0
    for result in sorted(weights):  # each is non-decreasing, so results are in order of words
        for u in (first, first + weights[result] - 1):
            assert tuple(int(helper(u)) for helper in helpers) == result
        first += weights[result]


def test_words_are_independent_and_later_calls_may_depend_on_earlier_ones():
    def call(words):
        if coin(words[1]):
            return "heads", int(below(words[0], 2))
        return "tails", int(below(words[2], 3)), len(words)

    weights = found(call, 3)
    thirds = found(lambda words: below(words[0], 3))
    heads = {("heads", k): 2**60 * ALL for k in range(2)}
    assert weights == heads | {("tails", k, 3): 2**30 * ALL * thirds[k] for k in range(3)}


def test_no_words():
    assert list(outcomes(len, 0)) == [(1, 0)]


def test_results_have_the_types_of_the_helpers():
    word = np.array([5])[0]
    for helper in (coin, lambda u: below(u, 3), lambda u: happens(u, 0.5)):
        results = {type(result) for _, result in outcomes(lambda words, h=helper: h(words[0]), 1)}
        assert results == {type(helper(word))}


def keep(words):
    np.zeros(1, np.int64)[0] = words[0]


REFUSED = {
    "words[0] + 1": lambda words: words[0] + 1,
    "1 - words[1]": lambda words: 1 - words[1],
    "words[0] % 4": lambda words: words[0] % 4,
    "words[0] & 1": lambda words: words[0] & 1,
    "words[0] * 0.5": lambda words: words[0] * 0.5,
    "words[0] * 0": lambda words: below(words[0], 0),
    "words[0] < 5": lambda words: words[0] < 5,
    "words[0] == 5": lambda words: words[0] == 5,
    "words[0] > words[1]": lambda words: words[0] > words[1],
    "bool(words[0])": lambda words: 1 if words[0] else 0,
    "int(words[0])": keep,
    "-words[0]": lambda words: -words[0],
    "words[0].item": lambda words: words[0].item(),
    "words[0] + words[1]": lambda words: words.sum(),
    "words[0] * 4 + 1": lambda words: words[0] * 4 + 1,
    "(words[0] * 4) >> 30": lambda words: words[0] * 4 >> 30,
    "number(words[0]) + 1": lambda words: number(words[0]) + 1,
    "number(words[0]) * -2": lambda words: number(words[0]) * -2,
    "int(number(words[0]) * 6)": lambda words: int(number(words[0]) * 6),
    "number(words[0]) < number(words[1])": lambda words: number(words[0]) < number(words[1]),
    "float(number(words[0]))": lambda words: np.zeros(1).__setitem__(0, number(words[0])),
}


@pytest.mark.parametrize("what", REFUSED)
def test_other_uses_are_refused_by_name(what):
    with pytest.raises(ValueError) as caught:
        list(outcomes(REFUSED[what], 2))
    message = (
        "must use random words only by coin, below, integer, happens and categorical of "
        "fastgames.rules.chance, got "
    )
    assert str(caught.value) == message + what
