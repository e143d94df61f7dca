"""The merge against its rules, and the equilibria of two cars."""

import itertools

import pytest

import fastgames as fg
from fastgames.games import MatrixGame, merge


@pytest.mark.parametrize("cars", [2, 3, 4])
def test_the_rules(cars):
    game = merge(cars, delay=0.25, conflict=3.0)
    for s, joint in itertools.product(range(2**cars), itertools.product(range(2), repeat=cars)):
        standing = [i for i in range(cars) if not s >> i & 1]
        going = [i for i in standing if joint[i]]
        expected = [0.0] * cars
        for i in standing:
            expected[i] = -0.25
        for i in going:
            expected[i] = 1.0 if len(going) == 1 else -3.0
        assert game.rewards[(slice(None), s, *joint)].tolist() == expected
        after = s | 1 << going[0] if len(going) == 1 else s
        assert game.transitions[(s, *joint)] == after
    assert game.terminal.tolist() == [False] * (2**cars - 1) + [True]


@pytest.mark.parametrize(("delay", "discount"), [(0.1, 0.95), (0.0, 0.9), (0.5, 1.0)])
def test_two_cars_go_one_after_the_other_and_each_prefers_to_be_first(delay, discount):
    game = merge(delay=delay, conflict=1.0, discount=discount)
    first, second = 1.0, discount * 1.0 - delay  # the last car goes at once and gets 1
    later = game.rewards[:, 0] + 0.0
    later[1, 1, 0] += discount * 1.0
    later[0, 0, 1] += discount * 1.0
    stage = MatrixGame(later)  # nothing follows if none or both go: the least that can be
    assert stage.pure_equilibria() == [(0, 1), (1, 0)]
    assert first > second > 0.0
    assert stage.payoffs[:, 1, 0].tolist() == [first, second]


def test_learners_get_all_cars_through():
    result = fg.run(
        merge(3), fg.QLearner(0.2, explore=fg.EpsilonGreedy(0.02)), 5000, 8, rng=1, progress=False
    )
    for r in range(8):
        play = result.greedy(0)[r], result.greedy(1)[r], result.greedy(2)[r]
        state = 0
        for _ in range(3):
            state = int(merge(3).transitions[(state, *(int(g[state]) for g in play))])
        assert state == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"cars": 1}, r"cars must be a whole number in \[2, 6\], got 1"),
        ({"delay": -1.0}, r"delay must be a number in \[0, 1e12\], got -1.0"),
        ({"conflict": -1.0}, r"conflict must be a number in \[0, 1e12\], got -1.0"),
        ({"discount": 1.5}, r"discount must be a number in \[0, 1\], got 1.5"),
    ],
)
def test_arguments_outside_their_domains_are_refused(arguments, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        merge(**arguments)
