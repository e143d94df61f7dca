"""The solver of zero-sum matrix games against HiGHS, and against games whose solution is known."""

import numpy as np
import pytest
from library.values import value_of

from fastgames.compiler.compile import compiled
from fastgames.games import biased_rock_paper_scissors, matching_pennies, rock_paper_scissors
from fastgames.rules.zero_sum import entering, guaranteed, has_saddle_point, leaving, solve


def _normal(rng, shape):
    return rng.normal(size=shape)


def _few(rng, shape):
    """Many ties, and equal rows and columns."""
    return rng.integers(-1, 2, shape).astype(float)


def _whole(rng, shape):
    return rng.integers(-9, 10, shape).astype(float)


def _repeated(rng, shape):
    """Rows and columns of a smaller game, several times."""
    small = rng.normal(size=(3, 3))
    return small[np.ix_(rng.integers(0, 3, shape[0]), rng.integers(0, 3, shape[1]))]


def _nearly(rng, shape):
    """Ties but for rounding."""
    return _few(rng, shape) + 1e-15 * rng.normal(size=shape)


def _constant_rows(rng, shape):
    payoffs = rng.normal(size=shape)
    payoffs[rng.random(shape[0]) < 0.5] = rng.integers(-1, 2)
    return payoffs


def _constant(rng, shape):
    return np.full(shape, rng.normal())


def _one_changed(rng, shape):
    """Return the table of a learner after its first rewards."""
    payoffs = np.zeros(shape)
    payoffs.flat[rng.integers(payoffs.size, size=2)] = rng.normal(size=2)
    return payoffs


KINDS = [_normal, _few, _whole, _repeated, _nearly, _constant_rows, _constant, _one_changed]


def matrices(kind, count, seed=1):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield kind(rng, tuple(rng.integers(1, 11, 2)))


@pytest.fixture(scope="module")
def fast():
    return compiled(solve)


@pytest.mark.parametrize("kind", KINDS)
def test_value_of_highs_and_a_strategy_that_guarantees_it(kind, fast):
    for payoffs in matrices(kind, 250):
        strategy = np.full(len(payoffs), np.nan)
        value = fast(payoffs, strategy)
        assert value == pytest.approx(value_of(payoffs), abs=1e-9)
        assert strategy.min() >= 0.0
        assert strategy.sum() == pytest.approx(1.0, abs=1e-14)
        assert (strategy @ payoffs).min() == pytest.approx(value, abs=1e-14 * abs(payoffs).max())


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_agent_can_hold_it_to_that(kind, fast):
    # The minimax theorem: a certificate that needs no other solver. Also for larger matrices.
    rng = np.random.default_rng(2)
    for shape in [*rng.integers(1, 11, (200, 2)), (25, 40), (40, 25)]:
        payoffs = kind(rng, tuple(shape))
        mine, theirs = np.empty(shape[0]), np.empty(shape[1])
        value = fast(payoffs, mine)
        assert value == pytest.approx(-fast(-payoffs.T.copy(), theirs), abs=1e-11)


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_interpreted_and_compiled(kind, real, fast):
    for payoffs in matrices(kind, 25, seed=3):
        given = payoffs.astype(real)
        one, other = np.empty(len(given), real), np.empty(len(given), real)
        assert np.float64(solve(given, one)).tobytes() == np.float64(fast(given, other)).tobytes()
        assert one.tobytes() == other.tobytes()
        assert given.tobytes() == payoffs.astype(real).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_float32_tables_are_solved_in_float64(kind):
    for payoffs in matrices(kind, 20, seed=4):
        given = payoffs.astype(np.float32)
        strategy = np.empty(len(given), np.float32)
        value = solve(given, strategy)
        saddle = has_saddle_point(given, given.min(axis=1).max())
        assert saddle or value == guaranteed(strategy, given)
        exact = value_of(given.astype(float))  # a probability is off by at most 2^-25
        largest = float(abs(given).max())
        assert value == pytest.approx(exact, abs=len(given) * 2**-25 * largest + 1e-9)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e3, 1e9])
def test_scale_and_origin_do_not_matter(scale, fast):
    for payoffs in matrices(_normal, 50, seed=5):
        strategy = np.empty(len(payoffs))
        moved = scale * (payoffs - 3.0)
        value = fast(moved, strategy)
        assert value / scale == pytest.approx(value_of(payoffs) - 3.0, abs=1e-9)


def test_saddle_points():
    for kind in KINDS:
        for payoffs in matrices(kind, 100, seed=6):
            floor = payoffs.min(axis=1).max()
            exists = floor == payoffs.max(axis=0).min()
            assert has_saddle_point(payoffs, floor) == exists
            strategy = np.empty(len(payoffs))
            value = solve(payoffs, strategy)
            if exists:
                assert value == floor
                safe = payoffs.min(axis=1) == floor
                assert strategy.tolist() == (safe / safe.sum()).tolist()


@pytest.mark.parametrize(
    "payoffs, strategy, value",
    [
        (matching_pennies().payoffs[0], [1 / 2, 1 / 2], 0),
        (rock_paper_scissors().payoffs[0], [1 / 3] * 3, 0),
        (biased_rock_paper_scissors().payoffs[0], [1 / 16, 10 / 16, 5 / 16], 0),
        ([[4.0, 0.0], [0.0, 1.0]], [1 / 5, 4 / 5], 4 / 5),
        (
            [[3.0, -1.0], [-2.0, 1.0]],
            [3 / 7, 4 / 7],
            1 / 7,
        ),  # (ad - bc) / (a - b - c + d)
        ([[2.0, 3.0, 1.0]], [1], 1),
        ([[2.0], [3.0], [1.0]], [0, 1, 0], 3),
        ([[4.0, 2.0], [3.0, 1.0]], [1, 0], 2),  # dominance
        ([[0.0, 0.0], [-1.0, 5.0], [0.0, 7.0]], [0.5, 0, 0.5], 0),  # all that is as safe
        (np.zeros((4, 3)), [0.25] * 4, 0),
    ],
)
def test_known_games(payoffs, strategy, value):
    payoffs = np.array(payoffs, float)
    found = np.full(len(payoffs), np.nan)
    assert solve(payoffs, found) == pytest.approx(value, abs=1e-12)
    assert found == pytest.approx(strategy, abs=1e-12)


def test_ties_go_to_the_lowest_number():
    # Bland's rule, with which no sequence of pivots comes back to where it was.
    tableau = np.array(
        [
            [1.0, 2.0, 1.0, 3.0],
            [1.0, 2.0, 1.0, 2.0],
            [1.0, 0.5, 0.0, 0.0],  # prices
            [1.0, 0.0, 0.0, 0.0],  # numbers of the columns; those of the rows are 3 and 2
        ]
    )
    assert entering(tableau) == 1
    assert leaving(tableau, 0) == leaving(tableau, 1) == 1


def test_matrices_with_numbers_that_are_not_finite_have_some_strategy(fast):
    """The same interpreted and compiled, written in its place only; without a loop or a crash."""
    rng = np.random.default_rng(7)
    for bad in (np.nan, np.inf, -np.inf):
        for _ in range(200):
            payoffs = rng.normal(size=rng.integers(1, 6, 2))
            payoffs.flat[rng.integers(payoffs.size)] = bad
            payoffs[rng.random(payoffs.shape) < 0.3] = bad
            before, around = payoffs.copy(), np.full(len(payoffs) + 2, np.nan)
            strategy, interpreted = around[1:-1], np.full(len(payoffs), np.nan)
            value = fast(payoffs, strategy)
            with np.errstate(invalid="ignore"):
                assert np.array_equal(solve(payoffs, interpreted), value, equal_nan=True)
            assert strategy.tobytes() == interpreted.tobytes()
            assert ((strategy >= 0.0) & (strategy <= 1.0)).all()
            assert np.isnan(around[[0, -1]]).all()
            np.testing.assert_array_equal(payoffs, before)
