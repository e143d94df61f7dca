"""tanh, sqrt and sums: accuracy against mpmath, and the same bits interpreted and compiled."""

import math

import mpmath
import numpy as np
import pytest

from fastgames.jit import compiled
from fastgames.rules.hyperbolic import SEAM, tanh
from fastgames.rules.roots import sqrt
from fastgames.rules.sums import dot, mean, total

REALS = [np.float32, np.float64]
ULP = 2.0  # documented


def points(real, count, largest=25.0):
    """Every size of both signs, the seam and its neighbours, and where the result becomes 1."""
    rng = np.random.default_rng(5)
    wide = rng.uniform(0.0, largest, count)
    small = 2.0 ** rng.uniform(-100, 0, count)
    seams = np.array([SEAM, 0.5, 1.0, 8.0, 9.0, 10.0, 18.0, 19.0, 20.0], real)
    near = [seams, np.nextafter(seams, real(0)), np.nextafter(seams, real(99))]
    x = np.concatenate([wide, small, *near]).astype(real)
    return np.concatenate([x, -x])


@pytest.mark.parametrize("real", REALS)
def test_tanh_within_2_ulp_of_mpmath(real):
    worst, bits = 0.0, np.finfo(real).nmant + 1
    with mpmath.workdps(60):
        for x in points(real, 2000):
            true = mpmath.tanh(float(x))
            ulp = mpmath.ldexp(1, mpmath.frexp(true)[1] - bits)
            worst = max(worst, float(abs(float(tanh(x, real)) - true) / ulp))
    assert 0.5 <= worst <= ULP  # no better than correctly rounded


@pytest.mark.parametrize("real", REALS)
def test_tanh_interpreted_and_compiled_have_the_same_bits(real):
    x = np.concatenate([points(real, 1000), real([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30])])
    expected = np.array([tanh(at, real) for at in x])
    assert expected.dtype == real
    jitted = compiled(tanh)
    assert np.array([jitted(at, real) for at in x], real).tobytes() == expected.tobytes()


@pytest.mark.parametrize("real", REALS)
def test_tanh_is_odd_bounded_and_exact_where_it_can_be(real):
    x = points(real, 1000)
    y = np.array([tanh(at, real) for at in x])
    assert (y == -np.array([tanh(-at, real) for at in x])).all()
    assert (np.abs(y) <= 1).all()
    assert [tanh(real(at), real) for at in (np.inf, -np.inf, 25.0)] == [1.0, -1.0, 1.0]
    assert math.copysign(1.0, tanh(real(-0.0), real)) == -1.0
    assert tanh(real(0.0), real) == 0.0
    assert math.isnan(tanh(real(np.nan), real))


@pytest.mark.parametrize("real", REALS)
def test_tanh_is_monotone_over_neighbours_of_the_seam_and_from_place_to_place(real):
    jitted = compiled(tanh)
    near = [real(SEAM)]
    for _ in range(2000):
        near.append(np.nextafter(near[-1], real(1)))
        near.insert(0, np.nextafter(near[0], real(0)))
    for x in (near, np.sort(points(real, 20_000))):
        assert (np.diff([jitted(at, real) for at in x]) >= 0).all()


@pytest.mark.parametrize("real", REALS)
def test_sqrt_is_correctly_rounded_in_both_bodies(real):
    x = np.abs(points(real, 500, 1e6))
    jitted = compiled(sqrt)
    bits = np.finfo(real).nmant + 1
    with mpmath.workdps(60):
        for at in x:
            found = sqrt(at, real)
            true = mpmath.sqrt(float(at))
            ulp = mpmath.ldexp(1, mpmath.frexp(true)[1] - bits)
            assert abs(float(found) - true) <= ulp / 2
            assert found == jitted(at, real)
    for body in (sqrt, jitted):
        assert math.isnan(body(real(-1.0), real))


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("n", [1, 7, 8, 200])
def test_sums_are_in_index_order_in_both_bodies(real, n):
    rng = np.random.default_rng(n)
    a, b = rng.random(n).astype(real), rng.random(n).astype(real)
    in_order = np.add.accumulate(a)[-1]  # which NumPy does in index order
    assert total(a) == compiled(total)(a) == in_order
    assert mean(a) == compiled(mean)(a) == in_order / real(n)
    assert dot(a, b) == compiled(dot)(a, b) == np.add.accumulate(a * b)[-1]
