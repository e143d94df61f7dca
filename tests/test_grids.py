"""grid: the product in order, repeats fastest; a game for every combination that games know of."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgames as fg
from fastgames.grids import Grid, grid

NUMBERS = st.lists(
    st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=4,
    unique=True,
)


# --- the product --------------------------------------------------------------------------------


@given(values=st.lists(NUMBERS, max_size=4), repeats=st.integers(1, 4))
def test_the_product_is_that_of_nested_loops(values, repeats):
    names = [f"x{k}" for k in range(len(values))]
    sweep = grid(**dict(zip(names, values, strict=True)), repeats=repeats)
    cells = [cell for cell in itertools.product(*values) for _ in range(repeats)]
    assert len(sweep) == sweep.replicas == len(cells)
    assert sweep.shape == (*map(len, values), repeats)
    for k, name in enumerate(names):
        expected = np.array([cell[k] for cell in cells], np.float64)
        assert sweep[name].tobytes() == expected.tobytes()
        assert sweep[name].dtype == np.float64


def test_the_order_of_the_arguments_is_the_order_of_the_axes():
    sweep = grid(beta=[3, 1], alpha=[0.5, 0.25, 1.0], repeats=2)
    assert list(sweep.dims.items()) == [("beta", (3, 1)), ("alpha", (0.5, 0.25, 1.0))]
    assert sweep.beta.tolist() == [3.0] * 6 + [1.0] * 6
    assert sweep.alpha.tolist() == [0.5, 0.5, 0.25, 0.25, 1.0, 1.0] * 2


def test_arrays_are_read_only_and_a_grid_does_not_change():
    sweep = grid(alpha=[0.5, 0.25])
    for each in (sweep, grid(alpha=[0.5, 0.25], beta=[1, 2], repeats=3)):
        with pytest.raises(ValueError, match="read-only"):
            each.alpha[0] = 1.0
    with pytest.raises(AttributeError):
        sweep.repeats = 2
    sweep.dims["alpha"] = (9,)
    assert sweep.dims == {"alpha": (0.5, 0.25)}


def test_a_grid_compares_by_content_and_is_copied_and_pickled():
    one, same = (grid(alpha=[0.5, 0.25], repeats=3) for _ in range(2))
    assert one == same
    assert hash(one) == hash(same)
    for other in (
        grid(alpha=[0.5, 0.25], repeats=2),
        grid(alpha=[0.25, 0.5], repeats=3),
        grid(beta=[0.5, 0.25], repeats=3),
    ):
        assert one != other
    for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert isinstance(again, Grid)
        assert again == one
        assert (again.alpha == one.alpha).all()


def test_any_iterable_will_do_and_strings_are_labels():
    sweep = grid(a=range(2), b=np.linspace(0, 1, 3), c=("x", "y"), d=iter([np.float32(0.5), 2]))
    assert sweep.dims == {"a": (0, 1), "b": (0.0, 0.5, 1.0), "c": ("x", "y"), "d": (0.5, 2)}
    assert [type(v) for v in sweep.dims["d"]] == [float, int]
    assert sweep.c[:4].tolist() == ["x", "x", "y", "y"]


def test_nothing_but_repeats():
    assert grid(repeats=5).shape == (5,)
    assert len(grid()) == 1


def test_reshape_unfolds_the_replicas():
    sweep = grid(alpha=[0.5, 0.25], mu=[1, 2, 3], repeats=4)
    assert (sweep.reshape(sweep.alpha)[1] == 0.25).all()
    assert (sweep.reshape(sweep.mu)[:, 2] == 3).all()
    numbers = np.arange(24)
    assert sweep.reshape(numbers)[1, 2, 3] == 23
    assert sweep.reshape(numbers)[0, 1].tolist() == [4, 5, 6, 7]
    both = np.arange(48).reshape(2, 24)
    for axis in (1, -1):
        assert sweep.reshape(both, axis=axis).shape == (2, 2, 3, 4)
        assert (sweep.reshape(both, axis=axis)[1].ravel() == both[1]).all()
    assert sweep.reshape(np.zeros((24, 5, 2))).shape == (2, 3, 4, 5, 2)
    for wrong in (np.zeros(23), np.zeros((2, 24)), np.zeros(()), 3):
        with pytest.raises(ValueError, match="array must have 24 replicas along axis 0, got shape"):
            sweep.reshape(wrong)


# --- games --------------------------------------------------------------------------------------


def prize(bonus, name="prize"):
    """Two agents, two actions; the first cell pays more by the bonus."""
    return fg.MatrixGame([[[1 + bonus, 0], [0, 1]]] * 2, name=name)


def test_a_game_for_each_value_of_what_the_function_takes():
    sweep = grid(bonus=[0.5, 0.25], alpha=[0.1, 0.2, 0.3], repeats=2)
    variants = sweep.games(prize)
    assert [game.payoffs[0, 0, 0] for game in variants.games] == [1.5, 1.25]
    assert variants.index.tolist() == [0] * 6 + [1] * 6


def test_games_of_two_dimensions_that_are_not_neighbours():
    sweep = grid(alpha=[0.1, 0.2], low=[1, 2], beta=[7, 8, 9], high=["a", "b"], repeats=2)
    calls = []

    def make(high, low):  # in another order than the grid's
        calls.append((low, high))
        return prize(low + (high == "b") / 2, name=f"{low}{high}")

    variants = sweep.games(make)
    assert calls == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert all(type(low) is int for low, _ in calls)
    played = [variants.games[k].name for k in variants.index]
    assert played == [f"{int(low)}{high}" for low, high in zip(sweep.low, sweep.high, strict=True)]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (3, TypeError, "function must be callable, got 3"),
        (lambda: prize(1), ValueError, "function must have a parameter with the name of a dim"),
        (lambda name="x": prize(1), ValueError, "with the name of a dimension: bonus, alpha"),
        (lambda bonus, mu: prize(1), ValueError, "from bonus, alpha, got mu without"),
        (lambda bonus, /: prize(bonus), ValueError, "got bonus without a default"),
        (lambda *bonus, **alpha: prize(1), ValueError, "function must have a parameter"),
        (lambda bonus: 3, TypeError, "games"),
    ],
)
def test_functions_that_cannot_be_called(function, error, message):
    with pytest.raises(error, match=message):
        grid(bonus=[0.5, 0.25], alpha=[0.1]).games(function)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"alpha": []}, ValueError, r"alpha must have at least one value, got \[\]"),
        ({"alpha": np.zeros(0)}, ValueError, "alpha must have at least one value"),
        ({"alpha": 0.1}, TypeError, "alpha must be a list of numbers or of strings, got 0.1"),
        ({"alpha": "ab"}, TypeError, "alpha must be a list"),
        ({"alpha": np.array(0.1)}, ValueError, "alpha must have at least one"),
        ({"alpha": [0.1, "a"]}, TypeError, "alpha must be all numbers or all strings, got 'a'"),
        ({"alpha": [True, False]}, TypeError, "alpha must be all numbers or all strings, got True"),
        ({"alpha": [None]}, TypeError, "alpha must be all numbers"),
        ({"alpha": [[0.1, 0.2]]}, TypeError, "alpha must be all numbers"),
        ({"alpha": [1j]}, TypeError, "alpha must be all numbers"),
        ({"alpha": [0.1, np.nan]}, ValueError, "alpha must be finite, got nan"),
        ({"alpha": [np.inf]}, ValueError, "alpha must be finite, got inf"),
        ({"alpha": [10**400]}, ValueError, "alpha must be finite"),
        ({"alpha": [0.1, 0.2, 0.1]}, ValueError, "different values, got 0.1 more than once"),
        ({"alpha": [1, 1.0]}, ValueError, "different values, got 1 more than once"),
        ({"alpha": ["x", "x"]}, ValueError, "different values, got 'x' more than once"),
        ({"repeats": 0}, ValueError, r"repeats must be a whole number of at least 1, got 0"),
        ({"repeats": -3}, ValueError, "repeats must be"),
        ({"repeats": 1.5}, TypeError, "repeats must be"),
        ({"repeats": True}, TypeError, "repeats must be"),
        (
            {"not a name": [1]},
            ValueError,
            "must be an identifier, got 'not a name'",
        ),
        ({"1st": [1]}, ValueError, "identifier"),
        ({"lambda": [1]}, ValueError, "identifier"),
        ({"_x": [1]}, ValueError, "identifier"),
        ({"": [1]}, ValueError, "identifier"),
        ({"repeat": [1]}, ValueError, "results or grids use, got 'repeat'"),
        ({"replica": [1]}, ValueError, "results or grids use, got 'replica'"),
        ({"games": [1]}, ValueError, "results or grids use, got 'games'"),
        ({"steps": [1]}, ValueError, "results or grids use, got 'steps'"),
        ({"q_0": [1]}, ValueError, "results or grids use, got 'q_0'"),
        ({"snapshot_policy_12": [1]}, ValueError, "results or grids use, got 'snapshot_policy_12'"),
        ({"repeats": 2**48 + 1}, ValueError, "at most 2\\^48 replicas, got 281474976710657"),
        (
            {"a": range(1000), "b": range(1000), "repeats": 2**30},
            ValueError,
            "at most 2\\^48 replicas, got 1000 x 1000 x 1073741824",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        grid(**arguments)


def test_the_largest_grid_allocates_nothing():
    assert len(grid(repeats=2**48)) == 2**48


def test_names_that_are_not_there():
    sweep = grid(alpha=[0.1], beta=[1])
    with pytest.raises(AttributeError, match="this grid has no dimension 'gamma'"):
        _ = sweep.gamma
    with pytest.raises(ValueError, match="dimension must be one of 'alpha', 'beta', got 'alpa'"):
        _ = sweep["alpa"]
    assert not hasattr(sweep, "_alpha")


def test_what_it_looks_like():
    assert repr(grid(alpha=[0.1, 0.2], mu=[1], repeats=5)) == (
        "<Grid of alpha: 2, mu: 1; 5 repeats, 10 replicas>"
    )
