"""remember(): states against histories that are kept as lists, and no table of what it need not."""

import itertools
import tracemalloc
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgames.games import MarkovGame, MatrixGame, prisoners_dilemma, remember
from fastgames.games.compact import Sum

COUNTS = st.lists(st.integers(1, 3), min_size=2, max_size=3)


def stage(counts, seed=0):
    return MatrixGame(np.random.default_rng(seed).normal(size=(len(counts), *counts)))


def number(history, counts):
    """The state in which this is the history, the latest joint action first."""
    state = 0
    for joint in history:
        for action, count in zip(joint, counts, strict=True):
            state = state * count + action
    return state


def test_one_period_of_two_agents():
    game = remember(stage((2, 3)))
    assert game.num_states == 6
    for state, a, b in itertools.product(range(6), range(2), range(3)):
        assert game.transitions[state, a, b] == a * 3 + b  # a_0 A_1 + a_1, as `remember` says


def test_two_periods_by_hand():
    game = remember(stage((2, 2)), periods=2)
    state = 0
    seen = []
    for joint in [(0, 1), (1, 0), (1, 1), (0, 0)]:
        state = int(game.transitions[(state, *joint)])
        seen.append(state)
    # latest, then the one before: 01 00, 10 01, 11 10, 00 11
    assert seen == [0b0100, 0b1001, 0b1110, 0b0011]


@given(COUNTS, st.integers(1, 3), st.integers(0, 99))
def test_histories(counts, periods, seed):
    rng = np.random.default_rng(seed)
    one = stage(counts, seed)
    game = remember(one, periods)
    joints = list(itertools.product(*map(range, counts)))
    assert game.num_states == len(joints) ** periods
    history = deque([joints[rng.integers(len(joints))] for _ in range(periods)], maxlen=periods)
    moves = game.compact.moves
    for _ in range(30):
        state = number(history, counts)
        joint = joints[rng.integers(len(joints))]
        history.appendleft(joint)
        following = number(history, counts)
        assert game.transitions[(state, *joint)] == following
        assert moves.from_state[state] + moves.from_joint[joints.index(joint)] == following
        for agent in range(len(counts)):
            assert game.rewards[(agent, state, *joint)] == one.payoffs[(agent, *joint)]


def test_equals_the_game_of_full_tables():
    game = remember(stage((2, 3)), 2, discount=0.5, start=7)
    full = MarkovGame(
        game.rewards.copy(), game.transitions, 0.5, 7, name=game.name, actions=game.actions
    )
    assert game == full and hash(game) == hash(full)


def test_what_it_takes_over():
    game = remember(prisoners_dilemma(), 2, discount=0.9, start=3)
    assert game.name == "prisoner's dilemma, memory 2"
    assert game.actions == prisoners_dilemma().actions
    assert game.source == prisoners_dilemma().source
    assert game.discount == 0.9
    assert game.start == 3
    assert game.num_observations == (16, 16)
    assert game.compact.rewards.shape == (2, 1, 1, 4)
    assert game.compact.terminal is game.compact.turns is game.compact.observations is None
    assert remember(prisoners_dilemma()).discount == 0.95
    assert remember(prisoners_dilemma()).start == 0


def test_start():
    weights = [0.5, 0.0, 0.25, 0.25]
    assert remember(stage((2, 2)), start=weights).start.tolist() == weights
    assert remember(stage((2, 2)), start="uniform").start.tolist() == [0.25] * 4


def test_no_table_of_states_and_joint_actions_is_made():
    one = stage((10, 10))
    tracemalloc.start()
    game = remember(one, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert game.num_states == 10**6
    assert isinstance(game.compact.moves, Sum)
    assert peak < 40 * 10**6  # one byte for each state and joint action: 10^8
    assert game.rewards.shape == (2, 10**6, 10, 10)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (prisoners_dilemma().payoffs,),
            TypeError,
            "stage_game must be a MatrixGame, got ",
        ),
        (
            (stage((2, 2)), 0),
            ValueError,
            "periods must be a whole number in [1, 2147483648), got 0",
        ),
        (
            (stage((2, 2)), 1.0),
            TypeError,
            "periods must be a whole number in [1, 2147483648), got 1.0",
        ),
        (
            (stage((2, 2)), 15),
            ValueError,
            "values of an agent must have fewer than 2^31 entries, got 1073741824 x 2 = 2147483648",
        ),
        (
            (stage((15, 15)), 4),
            ValueError,
            "values of an agent must have fewer than 2^31 entries, "
            "got 2562890625 x 15 = 38443359375",
        ),
        (
            (stage((2, 2)), 10**9),
            ValueError,
            "periods must leave fewer than 2^31 states, got 1000000000",
        ),
        (
            (stage((2, 2)), 1, 1.0),
            ValueError,
            "discount must be in [0, 1), or 1 in a game with an end (terminal states or a time "
            "limit), got 1.0",
        ),
        ((stage((2, 2)), 1, 0.9, 4), ValueError, "start must be a whole number in [0, 4), got 4"),
        (
            (stage((2, 2)), 1, 0.9, "random"),
            ValueError,
            "start must be a state, probabilities or 'uniform', got 'random'",
        ),
        (
            (stage((2, 2)), 1, 0.9, [0.5, 0.5]),
            ValueError,
            "start must have shape (4,), got shape (2,)",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    tracemalloc.start()
    with pytest.raises(error) as caught:
        remember(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value).startswith(message)
    assert peak < 1e6


def test_one_joint_action_is_one_state_whatever_the_memory():
    assert remember(stage((1, 1)), 10**6).num_states == 1
