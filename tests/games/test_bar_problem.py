"""The bar problem against counting by hand, its optimum, and the published and computed means."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same

import fastgames as fg
from fastgames.games import bar_problem

KINDS = ("team", "difference", "own")


def week(game, actions):
    """The rewards of a joint action, and the attendance after it."""
    state, rewards = np.full(game.state_size, 9), np.full(len(actions), np.nan)
    ended = game.compact.moves.step(state, np.array(actions), rewards, np.zeros(0, int))
    assert ended is False
    return rewards, state.tolist()


def g_of(attendance, capacity):
    return sum(x * math.exp(-x / capacity) for x in attendance)


@given(st.data())
def test_rewards_by_the_definition(data):
    nights = data.draw(st.integers(2, 5))
    actions = data.draw(st.lists(st.integers(0, nights - 1), min_size=2, max_size=12))
    capacity = data.draw(st.floats(0.5, 20))
    attendance = [actions.count(k) for k in range(nights)]
    whole = g_of(attendance, capacity)
    expected = dict.fromkeys(KINDS)
    expected["team"] = [whole] * len(actions)
    expected["own"] = [math.exp(-attendance[k] / capacity) for k in actions]
    expected["difference"] = []
    for i in range(len(actions)):
        others = actions[:i] + actions[i + 1 :]  # the week without agent i
        without = g_of([others.count(k) for k in range(nights)], capacity)
        expected["difference"].append(whole - without)
    for kind in KINDS:
        game = bar_problem(len(actions), nights, capacity, rewards=kind)
        rewards, state = week(game, actions)
        np.testing.assert_allclose(rewards, expected[kind], atol=1e-12)
        assert state == attendance
        assert (np.abs(rewards) <= game.largest_reward).all()


def test_largest_rewards_hold_for_the_extremes():
    for kind, agents, capacity in itertools.product(KINDS, (2, 9, 40), (0.01, 3.0, 1e6)):
        game = bar_problem(agents, 3, capacity, rewards=kind)
        for actions in ([0] * agents, [k % 3 for k in range(agents)], [0] * (agents - 1) + [1]):
            assert (np.abs(week(game, actions)[0]) <= game.largest_reward).all()


def test_difference_rewards_are_those_of_an_agent_that_stays_at_home():
    """`fg.difference_rewards` of a bar with one more night that is worth nothing: to stay."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        team = 0.0
        for k in range(3):
            attending = 0
            for i in range(5):
                attending += 1 if actions[i] == k else 0
            team += worth[attending]
        for i in range(5):
            rewards[i] = team
        return False

    def observe(state, agent):
        return 0

    worth = np.array([x * math.exp(-x / 1.5) for x in range(6)])
    bar = fg.ProceduralGame(start, step, observe, num_actions=[4] * 5, num_observations=[1] * 5)
    credit = fg.difference_rewards(bar, default=3)
    closed = bar_problem(5, 3, 1.5, rewards="difference")
    for actions in itertools.product(range(3), repeat=5):
        rewards = np.zeros(5)
        credit.compact.moves.step(np.zeros(1, int), np.array(actions), rewards, np.zeros(0, int))
        np.testing.assert_allclose(rewards, week(closed, actions)[0], atol=1e-12)


def test_the_optimum():
    # six nights of 6 agents and one of 64
    actions = [k // 6 if k < 36 else 6 for k in range(100)]
    best = week(bar_problem(), actions)[0][0]
    assert best == pytest.approx(13.2452, abs=5e-5)
    for i, k in itertools.product((0, 99), range(7)):  # no agent can improve it alone
        moved = [*actions[:i], k, *actions[i + 1 :]]
        assert week(bar_problem(), moved)[0][0] <= best + 1e-12


def test_uniform_play():
    """The mean of G, in which the others on one's night are binomial: E exp(-x / c) is known.

    Nights that are attended evenly would be worth 100 exp(-100 / 42) = 9.246.
    """
    assert 100 * math.exp(-100 / 42) == pytest.approx(9.246, abs=5e-4)
    shrink = math.exp(-1 / 6)
    mean = 100 * shrink * (1 - 1 / 7 + shrink / 7) ** 99
    uniform = fg.FixedPolicy(np.full(7, 1 / 7))
    result = fg.run(
        bar_problem(), uniform, 2000, 20, rng=1, record=fg.Record(rewards=True), progress=False
    )
    assert result.mean_reward.mean() == pytest.approx(mean, abs=0.03)


LEARNER = fg.QLearner(
    0.1, explore=fg.EpsilonGreedy(fg.Exponential(0.1, -math.log(0.999)), ties="random")
)


def test_learners_with_the_difference_reward_are_near_the_optimum():
    game, worth = bar_problem(rewards="difference"), []
    result = fg.run(game, LEARNER, 2900, 20, rng=1, progress=False)
    for _ in range(10):
        result = fg.run(game, LEARNER, 10, resume=result, progress=False)
        worth.append((result.states * np.exp(-result.states / 6.0)).sum(axis=1))
    assert np.mean(worth) == pytest.approx(13.228, abs=0.05)


@pytest.mark.parametrize(
    ("rewards", "mean", "tolerance"), [("team", 9.46, 0.4), ("own", 9.253, 0.01)]
)
def test_learners_with_other_rewards_are_not(rewards, mean, tolerance):
    result = fg.run(
        bar_problem(rewards=rewards),
        LEARNER,
        3000,
        20,
        rng=1,
        record=fg.Record(rewards=True, last=100),
        progress=False,
    )
    paid = result.mean_reward  # G for all; or the parts of G that the agents enjoy
    found = paid[:, 0] if rewards == "team" else paid.sum(axis=1)
    assert found.mean() == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("rewards", KINDS)
def test_compiled_games_give_the_bits_of_interpreted_ones(rewards):
    runs = [
        fg.run(bar_problem(12, rewards=rewards), LEARNER, 50, 2, rng=3, backend=backend)
        for backend in ("reference", "numba")
    ]
    assert_same(*runs)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"rewards": "shared"}, ValueError, "rewards must be one of 'team', 'difference', 'own'"),
        ({"rewards": 1}, ValueError, "rewards must be one of 'team', 'difference', 'own', got 1"),
        ({"nights": 1}, ValueError, r"nights must be a whole number in \[2, 1024\], got 1"),
        ({"agents": 2.0}, TypeError, r"agents must be a whole number in \[2, 32768\), got 2.0"),
        ({"capacity": 0.0}, ValueError, r"capacity must be a number in \[1e-3, 1e6\], got 0.0"),
        ({"discount": 1.0}, ValueError, r"discount must be a number in \[0, 1\), got 1.0"),
    ],
)
def test_arguments_outside_their_domains_are_refused(arguments, kind, said):
    with pytest.raises(kind, match=f"^{said}"):
        bar_problem(**arguments)
