"""log: within 2 ulp of the true value, exact at 1, and the same bits in every body."""

import math

import mpmath
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastgames.jit import compiled
from fastgames.rules.logarithm import SQRT_HALF, log

ULP = 2.0
TINY, HUGE = np.finfo(float).tiny, np.finfo(float).max


def points(count):
    """All magnitudes, whole numbers, neighbours of 1, of the powers of 2 and of the seams."""
    rng = np.random.default_rng(3)
    near = 1.0 + rng.choice([-1, 1], count) * 2.0 ** rng.uniform(-53, -1, count)
    seams = np.concatenate([SQRT_HALF * 2.0 ** np.arange(-5, 6), 2.0 ** np.arange(-5, 6)])
    seams = [seams, np.nextafter(seams, 0), np.nextafter(seams, 9e9), [TINY, HUGE]]
    wide = 2.0 ** rng.uniform(-1022, 1023.99, count)
    whole = np.concatenate([np.arange(1.0, 200.0), np.floor(2.0 ** rng.uniform(1, 53, count))])
    return np.concatenate([near, wide, whole, *seams])


def test_within_2_ulp_of_mpmath():
    worst = 0.0
    with mpmath.workdps(60):
        for x in points(3000).tolist():
            true = mpmath.log(x)
            if x != 1.0:
                ulp = mpmath.ldexp(1, mpmath.frexp(true)[1] - 53)
                worst = max(worst, float(abs(log(x) - true) / ulp))
    assert 0.5 <= worst <= ULP  # no sooner than correctly rounded


def test_log_of_1_is_0():
    for body in (log, compiled(log)):
        assert body(1.0) == 0.0
        assert math.copysign(1.0, body(1.0)) == 1.0


def test_interpreted_and_compiled_give_the_same_bits():
    x = points(3000)
    jitted = compiled(log)
    expected = np.array([log(at) for at in x.tolist()])
    assert np.array([jitted(at) for at in x]).tobytes() == expected.tobytes()
    assert np.array([log(at) for at in x]).tobytes() == expected.tobytes()  # NumPy's scalars


def test_monotone_over_whole_numbers():
    jitted = compiled(log)
    y = np.array([jitted(float(n)) for n in range(1, 100_000)])
    assert (np.diff(y) > 0).all()


@given(n=st.integers(1, 1022), m=st.floats(1.0, 1.4))
def test_a_power_of_2_adds_n_ln_2(n, m):
    """The part of the reduction that is not near 1, by exact addition."""
    with mpmath.workdps(60):
        true = mpmath.log(mpmath.mpf(m)) + n * mpmath.ln2
        assert abs(log(math.ldexp(m, n)) - true) <= ULP * np.spacing(float(true))
