"""The normal quantile: accuracy against mpmath and SciPy, and the same bits in every body."""

import math

import mpmath
import numpy as np
from library.every import each_body
from scipy import stats

from fastgames.jit import compiled
from fastgames.rules.normal import MIDDLE, quantile

ERROR = 1e-15  # documented, relative


def points(count):
    """Probabilities of every size, of both halves, and around the seams of the approximations."""
    rng = np.random.default_rng(3)
    seams = np.array([0.5 - MIDDLE, math.exp(-25.0), 2.0**-32, 0.5])
    seams = np.concatenate([seams, np.nextafter(seams, 0), np.nextafter(seams, 1)])
    small = 10.0 ** -rng.uniform(0, 300, count)
    words = (rng.integers(0, 2**31, count) + 0.5) / 2**31
    p = np.concatenate([rng.random(count), small, 10.0 ** -rng.uniform(0, 16, count), words, seams])
    return np.concatenate([p, 1.0 - p[p > 1e-16]])


def test_within_1e_15_of_mpmath():
    """By one step of Newton's method, whose error is of the order of the square of that of z."""
    worst = 0.0
    with mpmath.workdps(50):
        for p in points(700).tolist():
            if p == 0.5:
                continue
            z = mpmath.mpf(quantile(p))
            outside = min(mpmath.mpf(p), 1 - mpmath.mpf(p))
            excess = mpmath.erfc(abs(z) / mpmath.sqrt(2)) / 2 - outside
            worst = max(worst, float(abs(excess / mpmath.npdf(z) / z)))
    assert 1e-16 < worst <= ERROR


def test_as_scipy():
    p = points(2000)
    found = np.array([quantile(at) for at in p.tolist()])
    np.testing.assert_allclose(found, stats.norm.ppf(p), rtol=1e-14, atol=1e-300)


def test_interpreted_and_compiled_have_the_same_bits():
    p = np.concatenate([points(2000), [0.0, 1.0, np.nan]])
    jitted = compiled(quantile)
    expected = np.array([quantile(at) for at in p.tolist()])
    assert np.array([jitted(at) for at in p]).tobytes() == expected.tobytes()
    assert np.array([quantile(at) for at in p]).tobytes() == expected.tobytes()  # NumPy's scalars


@each_body
def test_the_ends(body):
    found = [body(quantile)(p) for p in (0.0, 1.0, -1.0, 2.0, 0.5)]
    assert found == [-np.inf, np.inf, -np.inf, np.inf, 0.0]
    assert math.isnan(body(quantile)(math.nan))


def test_odd_and_monotone_over_words():
    jitted, u = compiled(quantile), np.random.default_rng(0).integers(0, 2**31, 20_000)
    p = np.unique(np.concatenate([u, np.arange(2000), 2**31 - 1 - np.arange(2000)]) + 0.5) / 2**31
    z = np.array([jitted(at) for at in p])
    assert (np.diff(z) > 0).all()
    assert (z == -np.array([jitted(1.0 - at) for at in p])).all()
