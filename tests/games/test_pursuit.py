"""Pursuit against a simulation with coordinates, and exact times to a catch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgames as fg
from fastgames.games import pursuit

MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
NAMES = ("up", "down", "left", "right")


def go(place, name, rows, columns, torus):
    """Return the (row, column) to which a move leads."""
    row, column = place[0] + MOVES[name][0], place[1] + MOVES[name][1]
    if torus:
        return row % rows, column % columns
    return (row, column) if row in range(rows) and column in range(columns) else place


def neighbours(place, rows, columns, torus):
    """The cells next to one, itself included."""
    around = {go(place, name, rows, columns, torus) for name in NAMES}
    return around | {place}


def catchers(prey, hunters, joint, *grid):
    """Return the hunters that catch the prey."""
    near = neighbours(prey, *grid) if joint else {prey}
    found = [hunter in near for hunter in hunters]
    return found if sum(found) >= (2 if joint else 1) else [False] * len(hunters)


@st.composite
def situations(draw):
    """A game's parameters, a state as coordinates, and what everyone does."""
    rows, columns = draw(st.integers(2, 6)), draw(st.integers(2, 6))
    place = st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1))
    hunters = draw(st.lists(place, min_size=2, max_size=4))
    flags = {name: draw(st.booleans()) for name in ("joint", "shared", "torus")}
    parameters = {"rows": rows, "columns": columns, "hunters": len(hunters), **flags}
    moves = draw(st.lists(st.integers(0, 3), min_size=len(hunters), max_size=len(hunters)))
    return parameters, draw(place), hunters, moves, draw(st.integers(0, 2**31 - 1))


@given(situations())
def test_every_step(situation):
    parameters, prey, hunters, moves, word = situation
    game = pursuit(**parameters)
    rows, columns, torus = (parameters[name] for name in ("rows", "columns", "torus"))
    state = np.array([columns * r + c for r, c in [prey, *hunters]])
    rewards = np.full(len(hunters), np.nan)
    ended = game.compact.moves.step(state, np.array(moves), rewards, np.array([word]))

    grid, joint = (rows, columns, torus), parameters["joint"]
    hunters = [go(h, NAMES[a], *grid) for h, a in zip(hunters, moves, strict=True)]
    if not any(catchers(prey, hunters, joint, *grid)):
        prey = go(prey, NAMES[word // 2**29], *grid)
    caught = catchers(prey, hunters, joint, *grid)
    assert state.tolist() == [columns * r + c for r, c in [prey, *hunters]]
    assert ended == any(caught)
    if parameters["shared"]:
        caught = [any(caught)] * len(hunters)
    assert rewards.tolist() == [1.0 if c else -0.1 for c in caught]


@given(situations(), st.integers(0, 6))
def test_what_hunters_see(situation, sight):
    parameters, prey, hunters, _, _ = situation
    game = pursuit(**parameters, sight=sight)
    rows, columns, torus = (parameters[name] for name in ("rows", "columns", "torus"))
    state = np.array([columns * r + c for r, c in [prey, *hunters]])
    side = 2 * sight + 1
    assert game.num_observations == (side**2 + 1,) * len(hunters)
    for i, (r, c) in enumerate(hunters):
        seen = game.compact.moves.observe(state, i)
        if seen == side**2:
            down, right = prey[0] - r, prey[1] - c
            if torus:  # the short way round
                down, right = (min(d % n, -d % n) for d, n in ((down, rows), (right, columns)))
            assert abs(down) > sight or abs(right) > sight
        else:
            down, right = seen // side - sight, seen % side - sight
            there = r + down, c + right
            if torus:
                assert abs(down) <= rows // 2 and abs(right) <= columns // 2
                there = there[0] % rows, there[1] % columns
            assert there == prey


@given(st.integers(2, 5), st.integers(2, 5), st.lists(st.integers(0, 2**31 - 1), min_size=3))
def test_starts_anywhere_but_on_the_prey(rows, columns, words):
    hunters, cells = len(words) - 1, rows * columns
    state = np.zeros(1 + hunters, np.int64)
    pursuit(rows, columns, hunters).compact.moves.start(state, np.array(words))
    assert state[0] == words[0] * cells // 2**31
    free = [cell for cell in range(cells) if cell != state[0]]
    assert state[1:].tolist() == [free[word * (cells - 1) // 2**31] for word in words[1:]]


def walk(side, torus):
    """Chances of the next cell of who moves at random, (cells, cells)."""
    out = np.zeros((side**2, side**2))
    for row in range(side):
        for column in range(side):
            for name in NAMES:
                r, c = go((row, column), name, side, side, torus)
                out[side * row + column, side * r + c] += 0.25
    return out


def mean_time(side, hunters, joint=False, torus=False, steps=400):
    """The mean number of steps to a catch if all move at random: sums of what is not caught yet."""
    cells, move = side**2, walk(side, torus)
    places = [divmod(k, side) for k in range(cells)]
    near = np.array(
        [[h in (neighbours(p, side, side, torus) if joint else {p}) for h in places]
         for p in places]
    )  # fmt: skip
    count = np.zeros((cells,) * (1 + hunters), int)  # prey, hunters
    apart = np.ones_like(count, bool)
    for i in range(hunters):
        shape = [cells] + [cells if k == i else 1 for k in range(hunters)]
        count = count + near.reshape(shape)
        apart &= ~np.eye(cells, dtype=bool).reshape(shape)
    free = count < (2 if joint else 1)
    alive = apart / apart.sum()
    time, left = 0.0, 1.0
    for _ in range(steps):
        time += left
        for axis in range(1, 1 + hunters):
            alive = np.moveaxis(np.tensordot(move.T, alive, (1, axis)), 0, axis)
        alive = np.tensordot(move.T, alive * free, (1, 0)) * free
        before, left = left, float(alive.sum())
    return time + left / (1.0 - left / before)  # what is left falls geometrically by then


@pytest.mark.parametrize(("joint", "torus"), [(False, False), (True, False), (False, True)])
def test_time_of_random_hunters(joint, torus):
    # With shared rewards every step pays -0.1, or 1 for a catch, after which all begins anew.
    game = pursuit(5, 5, 2, joint=joint, torus=torus, shared=True)
    learner = fg.FixedPolicy([0.25] * 4)
    result = fg.run(game, learner, 20_000, 100, rng=1, record=fg.Record(rewards=True))
    catches = (result.mean_reward[:, 0] + 0.1) / 1.1
    expected = 1.0 / mean_time(5, 2, joint, torus)
    assert abs(catches.mean() - expected) < 4.5 * catches.std() / np.sqrt(len(catches))
    assert catches.std() / np.sqrt(len(catches)) < 0.01 * expected
    np.testing.assert_array_equal(result.mean_reward[:, 0], result.mean_reward[:, 1])


def test_one_random_hunter_on_ten_by_ten():
    assert mean_time(10, 1, steps=1000) == pytest.approx(123.7, abs=0.05)  # as documented


@pytest.mark.slow
def test_two_random_hunters_on_ten_by_ten():
    expected = mean_time(10, 2, steps=200)
    assert expected == pytest.approx(60.4, abs=0.05)  # as documented
    learner = fg.FixedPolicy([0.25] * 4)
    record = fg.Record(rewards=True)
    result = fg.run(pursuit(shared=True), learner, 100_000, 100, rng=1, record=record)
    catches = (result.mean_reward[:, 0] + 0.1) / 1.1
    assert abs(catches.mean() - 1.0 / expected) < 4.5 * catches.std() / 10


def test_learning_hunters_are_much_faster():
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.1))
    game = pursuit(5, 5, sight=4, shared=True)
    last = fg.Record(rewards=True, last=10_000)
    result = fg.run(game, learner, 50_000, 20, rng=1, record=last)
    times = 1.1 / (result.mean_reward[:, 0] + 0.1)
    assert times.mean() < 0.5 * mean_time(5, 2)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"hunters": 1}, ValueError, r"hunters must be a whole number in \[2, 1024\], got 1"),
        ({"rows": 1}, ValueError, r"rows must be a whole number in \[2, 1024\], got 1"),
        ({"torus": 1}, TypeError, "torus must be True or False, got 1"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        pursuit(**parameters)
