"""Soccer against a simulation with coordinates, and figures on the 2 x 4 field.

The figures and their source stand in docs/published.md.
"""

import itertools

import numpy as np
import pytest
from published import SOCCER
from scipy.optimize import linprog

import fastgames as fg
from fastgames.compiler.compile import compiled
from fastgames.games.catalogue.soccer import soccer
from fastgames.rules.zero_sum import solve

SIZES = [(2, 4), (4, 5)]
STEPS = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1), "stay": (0, 0)}
GOAL_ROWS = {(2, 4): (0, 1), (4, 5): (1, 2)}


# --- the rules once more, with coordinates ------------------------------------------------------


def play(size, places, ball, joint, first):
    """Places, ball and the rewards of A after a step. `places`: {"A": (row, column), "B": …}."""
    places, other = dict(places), {"A": "B", "B": "A"}
    goal_column = {"A": -1, "B": size[1]}
    for who in (first, other[first]):
        (row, column), (south, east) = places[who], STEPS[joint[who]]
        to = (row + south, column + east)
        if to == places[other[who]]:
            ball = other[who]
        elif to[0] in range(size[0]) and to[1] in range(size[1]):
            places[who] = to
        elif ball == who and to[0] in GOAL_ROWS[size] and to[1] == goal_column[who]:
            return places, ball, 1.0 if who == "A" else -1.0, True
    return places, ball, 0.0, False


def states(size):
    """All that can be: places and the ball."""
    field = list(itertools.product(range(size[0]), range(size[1])))
    for a, b in itertools.permutations(field, 2):
        for ball in "AB":
            yield {"A": a, "B": b}, ball


def state_of(size, places, ball):
    return [*(row * size[1] + column for row, column in places.values()), "AB".index(ball)]


@pytest.mark.parametrize("size", SIZES)
def test_every_step(size):
    game = soccer(*size)
    moves = game.compact.moves
    assert game.actions == (tuple(STEPS),) * 2
    for places, ball in states(size):
        before = state_of(size, places, ball)
        for a, b in itertools.product(range(5), repeat=2):
            joint = {"A": game.actions[0][a], "B": game.actions[1][b]}
            for coin in range(2):
                state, rewards = np.array(before), np.full(2, np.nan)
                word = np.array([(2**31 - 1) * coin])
                ended = moves.step(state, np.array([a, b]), rewards, word)
                now, held, reward, over = play(size, places, ball, joint, "AB"[coin])
                assert state.tolist() == state_of(size, now, held)
                assert rewards.tolist() == [reward, -reward]
                assert not np.signbit(rewards[rewards == 0.0]).any()
                assert ended is over


@pytest.mark.parametrize("size, count", [((2, 4), 112), ((4, 5), 760)])
def test_both_see_all_of_every_state(size, count):
    game = soccer(*size)
    assert game.num_observations == (count, count)
    every = [np.array(state_of(size, *each)) for each in states(size)]
    seen = [[game.compact.moves.observe(state, agent) for state in every] for agent in range(2)]
    assert seen[0] == seen[1] == list(range(count))


@pytest.mark.parametrize(
    "size, a, b", [((2, 4), (0, 2), (0, 1)), ((4, 5), (1, 3), (2, 1)), ((1, 4), (0, 2), (0, 1))]
)
def test_kick_off(size, a, b):
    for coin, ball in enumerate("AB"):
        state = np.full(3, -1)
        soccer(*size).compact.moves.start(state, np.array([2**30 * coin]))
        assert state.tolist() == state_of(size, {"A": a, "B": b}, ball)


def test_same_compiled():
    moves = soccer().compact.moves
    step, observe, start = (compiled(f) for f in (moves.step, moves.observe, moves.start))
    one, other = np.zeros((2, 3), np.int64)
    start(other, np.array([2**30]))
    moves.start(one, np.array([2**30]))
    assert one.tolist() == other.tolist()
    for places, ball in states((2, 4)):
        for a, b, coin in itertools.product(range(5), range(5), range(2)):
            joint, word, paid = np.array([a, b]), np.array([2**30 * coin]), np.zeros((2, 2))
            one[:] = other[:] = state_of((2, 4), places, ball)
            assert observe(other, 1) == moves.observe(one, 1)
            assert step(other, joint, paid[1], word) == moves.step(one, joint, paid[0], word)
            assert one.tolist() == other.tolist()
            assert paid[0].tobytes() == paid[1].tobytes()


def test_a_run_scores():
    record = fg.Record(rewards=True, flips=False)
    result = fg.run(
        soccer(), fg.QLearner(), steps=500, replicas=2, rng=1, record=record, backend="reference"
    )
    assert (np.abs(result.mean_reward).max() > 0.0).all()
    assert result.mean_reward.sum(axis=1) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"columns": 3}, {"rows": 101}, {"columns": 101}])
def test_sizes_that_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^{name} must be a whole number in"):
        soccer(**wrong)
    with pytest.raises(TypeError, match=f"^{name} must be a whole number"):
        soccer(**{name: 4.0})


# --- the printed figures ------------------------------------------------------------------------


def tables(size):
    """Return A's rewards (S, 5, 5) and the transitions (S, 5, 5, S), 0 after a goal."""
    every = list(states(size))
    number = {tuple(state_of(size, *each)): k for k, each in enumerate(every)}
    rewards = np.zeros((len(every), 5, 5))
    following = np.zeros((len(every), 5, 5, len(every)))
    for s, (places, ball) in enumerate(every):
        for (a, north), (b, south) in itertools.product(enumerate(STEPS), repeat=2):
            for first in "AB":
                after = play(size, places, ball, {"A": north, "B": south}, first)
                rewards[s, a, b] += 0.5 * after[2]
                if not after[3]:
                    following[s, a, b, number[tuple(state_of(size, *after[:2]))]] += 0.5
    return rewards, following, number


@pytest.fixture(scope="module")
def small():
    return tables((2, 4))


KICK_OFFS = [(2, 1, 0), (2, 1, 1)]  # A has the ball, B has it


def test_shapleys_value_iteration(small):
    rewards, following, number = small
    values, sweeps, change = np.zeros(112), 0, 1.0
    while change >= 1e-8:
        games = rewards + 0.9 * following @ values
        new = np.array([solve(game, np.empty(5)) for game in games])
        sweeps, change, values = sweeps + 1, np.abs(new - values).max(), new
    assert sweeps == SOCCER["sweeps of value iteration until no value changes by 1e-8"]
    with_ball, without = (values[number[state]] for state in KICK_OFFS)
    assert round(with_ball, 4) == SOCCER["value at kick-off with the ball"]
    assert without == pytest.approx(-with_ball, abs=1e-7)
    for game, value in zip(rewards + 0.9 * following @ values, values, strict=True):
        assert value == pytest.approx(highs(game), abs=1e-7)  # a fixed point for HiGHS, too


def highs(game):
    found = linprog(
        np.append(np.zeros(5), -1.0),
        A_ub=np.column_stack([-game.T, np.ones(5)]),
        b_ub=np.zeros(5),
        A_eq=np.append(np.ones(5), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * 5 + [(None, None)],
    )
    return found.x[-1]


def test_worst_case_of_uniform_play(small):
    rewards, following, number = small
    paid, comes = rewards.mean(axis=1), following.mean(axis=1)
    values = np.zeros(112)
    for _ in range(300):
        values = (paid + 0.9 * comes @ values).min(axis=1)
    found = np.mean([values[number[state]] for state in KICK_OFFS])
    assert round(found, 3) == SOCCER["worst case of uniform play"]
