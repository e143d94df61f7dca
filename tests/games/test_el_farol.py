"""El Farol against counting by hand, and its equilibria."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom

import fastgames as fg
from fastgames.games import el_farol


def play(game, actions, before=0):
    """The rewards of a joint action, and the state after it."""
    state, rewards = np.array([before]), np.full(len(actions), np.nan)
    ended = game.compact.moves.step(state, np.array(actions), rewards, np.zeros(0, np.int64))
    assert ended is False
    return rewards, int(state[0])


@given(st.data())
def test_pays_by_the_count(data):
    actions = data.draw(st.lists(st.integers(0, 1), min_size=2, max_size=12))
    capacity = data.draw(st.integers(1, len(actions) - 1))
    bad, stay, good = sorted(data.draw(st.sets(st.floats(-50, 50), min_size=3, max_size=3)))
    game = el_farol(len(actions), capacity, good, bad, stay)
    rewards, attendance = play(game, actions, before=data.draw(st.integers(0, len(actions))))
    assert attendance == actions.count(1)
    for action, reward in zip(actions, rewards, strict=True):
        if action == 0:
            assert reward == stay
        else:
            assert reward == (bad if actions.count(1) > capacity else good)


@given(st.integers(2, 40), st.data())
def test_what_is_seen_of_the_last_attendance(agents, data):
    classes = data.draw(st.integers(1, agents + 1))
    game = el_farol(agents, 1, classes=classes)
    seen = [game.compact.moves.observe(np.array([a]), 0) for a in range(agents + 1)]
    assert game.num_observations == (classes,) * agents
    assert seen == sorted(seen) and set(seen) == set(range(classes))
    sizes = np.bincount(seen)
    assert sizes.max() - sizes.min() <= 1  # as equal as can be


def test_the_first_state_is_an_empty_bar():
    state = np.array([7])
    el_farol().compact.moves.start(state, np.zeros(0, np.int64))
    assert state[0] == 0


def test_pure_equilibria():
    # As many as there is room for, and no other number.
    game = el_farol(7, 4)
    for attending in range(8):
        actions = [1] * attending + [0] * (7 - attending)
        rewards, _ = play(game, actions)
        gains = []
        for i in range(7):
            other = [*actions[:i], 1 - actions[i], *actions[i + 1 :]]
            gains.append(play(game, other)[0][i] - rewards[i])
        assert (max(gains) <= 0.0) == (attending == 4)


@pytest.mark.parametrize(("good", "bad", "stay"), [(1.0, -1.0, 0.0), (3.0, 0.0, 1.0)])
def test_mixed_equilibrium(good, bad, stay):
    # With all others attending with probability p, it is all the same to go or to stay; here
    # agent 0 goes for sure, which is worse for the others.
    def attending(others_at_most, others, p):
        share = binom.cdf(others_at_most, others, p)
        return good * share + bad * (1 - share)

    p = brentq(lambda p: attending(59, 99, p) - stay, 0.01, 0.99)
    learners = [fg.FixedPolicy([0.0, 1.0])] + [fg.FixedPolicy([1 - p, p])] * 99
    game = el_farol(100, 60, good, bad, stay)
    steps = 40_000
    result = fg.run(game, learners, steps, rng=1, record=fg.Record(rewards=True))
    first, *others = result.mean_reward[0]
    error = (good - bad) / 2 / np.sqrt(steps)  # at most
    assert abs(first - stay) < 4.5 * error
    expected = p * attending(58, 98, p) + (1 - p) * stay
    assert abs(np.mean(others) - expected) < 4.5 * error


def test_learners_fill_the_bar_mostly_to_its_capacity():
    # Arthur's observation, and Whitehead's of learners by reinforcement. (At times all who attend
    # find it crowded, stay at home, and come back one by one.)
    learner = fg.QLearner(0.1, explore=fg.EpsilonGreedy(0.02))
    attendance = fg.run(el_farol(), learner, 2000, 200, rng=1).states[:, 0]
    assert 57 <= np.median(attendance) <= 62
    assert attendance.max() < 70


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"agents": 1}, r"agents must be a whole number in \[2, 32768\), got 1"),
        ({"agents": 10, "capacity": 10}, r"capacity must be a whole number in \[1, 10\), got 10"),
        ({"classes": 102}, r"classes must be a whole number in \[1, 101\], got 102"),
        ({"discount": 1.0}, r"discount must be a number in \[0, 1\), got 1.0"),
        ({"stay": 1.0}, "good, stay and bad must be in descending order, got 1.0, 1.0 and -1.0"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        el_farol(**parameters)
