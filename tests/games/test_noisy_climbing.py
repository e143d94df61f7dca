"""Noisy climbing against its printed payoffs and the means of the climbing game."""

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames.games import noisy_climbing

PRINTED = {
    "partial": """
         11/11 -30/-30   0/0
        -30/-30  14/0    6/6
          0/0     0/0    5/5
    """,
    "full": """
         10/12   5/-65   8/-8
          5/-65  14/0   12/0
          8/-8   12/0   10/0
    """,
}


@pytest.mark.parametrize("noise", PRINTED)
def test_payoffs(noise):
    game = noisy_climbing(noise)
    for row, line in enumerate(PRINTED[noise].strip().splitlines()):
        for column, cell in enumerate(line.split()):
            paid = []
            for word in (0, 2**30):
                rewards, state = np.zeros(2), np.zeros(1, int)
                ended = game.compact.moves.step(
                    state, np.array([row, column]), rewards, np.array([word])
                )
                assert ended is False and state[0] == 0 and rewards[0] == rewards[1]
                paid.append(rewards[0])
            assert sorted(paid) == sorted(map(float, cell.split("/")))


def test_means_are_those_of_the_climbing_game():
    climbing = fg.games.climbing().payoffs
    assert (fg.tabulate(noisy_climbing("partial")).rewards[:, 0] == climbing).all()
    full = climbing.copy()
    full[:, 2, 1] = 6.0  # the printed game is symmetric
    assert (fg.tabulate(noisy_climbing("full")).rewards[:, 0] == full).all()


def test_a_learner_that_remembers_the_best_payoff_is_misled():
    """Optimistic values of full noise: the largest payoff of each action is 12, 14 and 12."""
    game = noisy_climbing("full")
    learner = fg.HystereticQ(1.0, 0.0, gamma=0.0, explore=fg.EpsilonGreedy(1.0))
    result = fg.run(game, learner, 2000, 4, rng=1, progress=False)
    assert (result.tables[0]["q"] == [[12.0, 14.0, 12.0]]).all()


@pytest.mark.parametrize("noise", PRINTED)
def test_compiled_games_give_the_bits_of_interpreted_ones(noise):
    runs = [
        fg.run(noisy_climbing(noise), fg.QLearner(0.1), 50, 2, rng=3, backend=backend)
        for backend in ("reference", "numba")
    ]
    assert_same(*runs)


@pytest.mark.parametrize("noise", ["none", None, 1])
def test_other_noise_is_refused(noise):
    with pytest.raises(ValueError, match=r"^noise must be one of 'partial', 'full', got "):
        noisy_climbing(noise)
