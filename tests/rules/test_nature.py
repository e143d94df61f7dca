"""Chance: what nature's word picks, interpreted and compiled, against exact arithmetic."""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from library.every import BODIES

from fastgames.rules import choice, nature


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@given(
    weights=st.lists(st.integers(0, 4), min_size=1, max_size=8).filter(sum),
    x=st.integers(0, 2**20 - 1),
)
@example(weights=[0, 1, 0, 2, 0], x=0)
@example(weights=[1, 1, 2], x=2**18)  # just on a running sum: the next one
@example(weights=[0, 0, 1], x=2**20 - 1)
def test_pick_counts_the_running_sums_that_x_has_passed(body, weights, x):
    sums = list(accumulate(weights))
    passed = [c <= Fraction(x, 2**20) * sums[-1] for c in sums[:-1]]
    index = body(nature.pick)(np.array(sums, float), x * 2.0**-20)
    assert index == sum(passed)
    assert weights[index] > 0
    assert index == choice.sample(np.array(weights, float), np.float64(x * 2.0**-20))
    possible = np.flatnonzero(weights)  # without what cannot happen: the same, by another number
    sums = np.add.accumulate(np.array(weights, float)[possible])
    assert possible[body(nature.pick)(sums, x * 2.0**-20)] == index
