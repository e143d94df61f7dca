"""exp: within 2 ulp of the true value, monotone, exact at 0, and the same bits in every body."""

import importlib
import math

import mpmath
import numpy as np
import pytest

from fastgames import _core
from fastgames.jit import compiled
from fastgames.rules.exponential import exp

REALS = {"f32": np.float32, "f64": np.float64}
# Documented: 0 below the cut-off, inf above the largest finite result.
CUT_OFF = {"f32": -86.0, "f64": -707.0}
LARGEST = {"f32": 88.722839, "f64": 709.782712893384}  # ln of the largest finite number
ULP = 2.0

each_real = pytest.mark.parametrize("real", REALS)
each_lanes = pytest.mark.parametrize(
    ("build", "real"), [(build, real) for build in _core.available() for real in REALS]
)


def lanes(build, real):
    return importlib.import_module(f"fastgames._core.lanes_{build}_{real}").exp


def boundaries(real):
    """Return points at which the reduction x = n ln 2 + r changes n, whole n ln 2, and ends."""
    low, high = CUT_OFF[real], LARGEST[real]
    halves = np.arange(math.ceil(2 * low / math.log(2)), math.floor(2 * high / math.log(2)) + 1)
    ends = [low, high, 0.0, 2.0**-30, -(2.0**-30), 2.0**-12, -(2.0**-12)]
    return np.concatenate([halves * math.log(2) / 2, ends]).astype(REALS[real])


def around(points, each):
    """The `each` floats on either side of every point, and the points: (points, 2 each + 1)."""
    whole = {4: np.int32, 8: np.int64}[points.dtype.itemsize]
    order = points.view(whole)
    order = np.where(order < 0, np.iinfo(whole).min - order, order)  # ordered as the floats are
    order = order[:, None] + np.arange(-each, each + 1, dtype=whole)
    return np.where(order < 0, np.iinfo(whole).min - order, order).astype(whole).view(points.dtype)


def random_points(real, count, seed=0):
    """Uniform over the range of finite results, and small ones of every size."""
    rng = np.random.default_rng(seed)
    wide = rng.uniform(CUT_OFF[real], LARGEST[real], count)
    small = rng.choice([-1, 1], count) * 2.0 ** rng.uniform(-60, 6, count)
    return np.concatenate([wide, small]).astype(REALS[real])


def points(real, count, each):
    x = np.concatenate([random_points(real, count), around(boundaries(real), each).ravel()])
    return x[(x >= CUT_OFF[real]) & (x <= LARGEST[real])]


def test_neighbours_are_the_next_floats():
    x = np.array([0.0, 1.0, -1.0], np.float32)
    up = np.nextafter(x, np.float32(np.inf))
    assert (around(x, 1)[:, 2] == up).all()
    assert (around(x, 1)[:, 0] == np.nextafter(x, np.float32(-np.inf))).all()


@each_real
def test_within_2_ulp_of_mpmath(real):
    x = points(real, 3000, 1)
    y = lanes(_core.available()[-1], real)(x)
    info = np.finfo(REALS[real])
    with mpmath.workdps(40):
        for at, got in zip(x.tolist(), y.tolist(), strict=True):
            true = mpmath.exp(at)
            ulp = mpmath.ldexp(1, max(mpmath.frexp(true)[1] - 1, info.minexp) - info.nmant)
            if true <= info.max:
                assert abs(got - true) <= ULP * ulp, at


@each_real
def test_interpreted_compiled_and_every_build_give_the_same_bits(real):
    x = points(real, 2000, 2)
    x = np.concatenate(
        [x, REALS[real]([np.inf, -np.inf, 0.0, -0.0, 1e4, -1e4, 1e-44, 88.9, 709.9])]
    )
    with np.errstate(over="ignore"):
        expected = np.array([exp(at, REALS[real]) for at in x])
    assert expected.dtype == REALS[real]
    jitted = compiled(exp)
    numba = np.array([jitted(at, REALS[real]) for at in x], REALS[real])
    assert numba.tobytes() == expected.tobytes()
    for build in _core.available():
        assert lanes(build, real)(x).tobytes() == expected.tobytes()
        assert lanes(build, real)(x[3:8]).tobytes() == expected[3:8].tobytes()  # no whole vector


@each_lanes
def test_special_values(build, real):
    kind, cut = REALS[real], REALS[real](CUT_OFF[real])
    below = np.nextafter(cut, kind(-np.inf))
    huge = np.finfo(kind).max
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, cut, below, huge, -huge], kind)
    jitted = compiled(exp)
    for y in (lanes(build, real)(x), [exp(at, kind) for at in x], [jitted(at, kind) for at in x]):
        assert y[0] == y[1] == 1.0
        assert y[2] == y[7] == np.inf
        assert y[3] == y[6] == y[8] == 0.0
        assert np.isnan(y[4])
        assert 0.0 < y[5] < 1e-37
        assert y[5] == kind(y[5]) >= np.finfo(kind).tiny  # not subnormal


@each_lanes
def test_monotone_over_neighbouring_floats(build, real):
    """300 floats on either side of every boundary; 5,000 neighbours at 200 random places."""
    for starts, each in ((boundaries(real), 300), (random_points(real, 100, seed=1), 2500)):
        x = around(starts, each)
        y = lanes(build, real)(x.ravel()).reshape(x.shape)
        assert (np.diff(x, axis=1) > 0).sum() >= x.size * 0.99  # but for -0 and 0
        assert (y[:, 1:] >= y[:, :-1]).all()


@each_real
def test_monotone_from_one_place_to_the_next(real):
    x = np.sort(points(real, 200_000, 50))
    y = lanes(_core.available()[-1], real)(x)
    assert (np.diff(y) >= 0).all()


def float32_sweep(low, high, step):
    """Every `step`-th float32 from low to high, both negative or both positive, in chunks."""
    ends = np.array([low, high], np.float32).view(np.int32).tolist()
    for start in range(min(ends), max(ends), 2**22 * step):
        stop = min(start + (2**22 + 1) * step, max(ends))
        yield np.arange(start, stop, step, dtype=np.int64).astype(np.int32).view(np.float32)


@pytest.mark.parametrize(
    "step", [61, pytest.param(1, marks=pytest.mark.slow)], ids=["every 61st", "every"]
)
@pytest.mark.parametrize(("low", "high"), [(-86.0, -1e-9), (1e-9, 88.72)])
def test_a_sweep_of_float32_is_monotone_and_within_2_ulp(low, high, step):
    """NumPy's float64 exp stands for the true value: its error is 2^-29 of a float32's ulp."""
    compiled_exp = lanes(_core.available()[-1], "f32")
    for x in float32_sweep(low, high, step):
        y = compiled_exp(x)
        assert (np.diff(y) * np.sign(low) >= 0).all()  # negative floats come in descending order
        true = np.exp(x.astype(np.float64))
        ulp = np.spacing(true.astype(np.float32)).astype(np.float64)
        assert (np.abs(y - true) <= ULP * ulp).all()
