"""The coin game against a simulation with coordinates, and what makes it a dilemma."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgames as fg
from fastgames.games import coin_game

MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))  # up, down, left, right
WORD = st.integers(0, 2**31 - 1)


def go(cell, action, size):
    """The cell that a move leads to."""
    row, column = divmod(cell, size)
    return (row + MOVES[action][0]) % size * size + (column + MOVES[action][1]) % size


def drop(positions, word, size):
    """Return the cell of a new coin."""
    free = [cell for cell in range(size**2) if cell not in positions]
    return free[word * len(free) // 2**31]


@given(st.integers(2, 5), st.booleans(), st.data())
def test_every_step(size, alternating, data):
    cell = st.integers(0, size**2 - 1)
    *positions, coin = data.draw(st.tuples(cell, cell, cell))
    colour, actions = data.draw(st.integers(0, 1)), data.draw(st.tuples(*[st.integers(0, 3)] * 2))
    words = data.draw(st.tuples(WORD, WORD))
    state, rewards = np.array([*positions, coin, colour]), np.full(2, np.nan)
    step = coin_game(size, alternating=alternating).compact.moves.step
    assert step(state, np.array(actions), rewards, np.array(words)) is False

    positions = [go(p, a, size) for p, a in zip(positions, actions, strict=True)]
    expected = [0, 0]
    if positions[0] == coin:
        expected[0] += 1
        expected[1] -= 2 if colour == 1 else 0
    if positions[1] == coin:
        expected[1] += 1
        expected[0] -= 2 if colour == 0 else 0
    if coin in positions:
        coin = drop(positions, words[0], size)
        colour = 1 - colour if alternating else int(words[1] >= 2**30)
    assert state.tolist() == [*positions, coin, colour]
    assert rewards.tolist() == expected


def word(number, count):
    """A random word that means this number below count."""
    return (2 * number + 1) * 2**30 // count


@pytest.mark.parametrize("size", [2, 3])
def test_a_coin_may_lie_in_any_cell_where_nobody_stands(size):
    start, cells, state = coin_game(size).compact.moves.start, size**2, np.zeros(4, np.int64)
    for one, two in itertools.product(range(cells), repeat=2):
        free = [cell for cell in range(cells) if cell not in (one, two)]
        for k, coin in enumerate(free):
            words = word(one, cells), word(two, cells), word(k, len(free)), word(k % 2, 2)
            start(state, np.array(words))
            assert state.tolist() == [one, two, coin, k % 2]


def test_everyone_sees_everything_from_its_own_side():
    game = coin_game()
    assert game.num_observations == (1458, 1458)
    every = itertools.product(range(9), range(9), range(9), range(2))
    for one, two, coin, colour in every:
        mirrored = np.array([two, one, coin, 1 - colour])
        mine = game.compact.moves.observe(np.array([one, two, coin, colour]), 0)
        assert mine == game.compact.moves.observe(mirrored, 1)
        assert decode(mine) == (one, two, coin, colour == 0)


def test_colour_blind_agents_get_nothing_on_average():
    # Whoever takes a coin, both together get 1 or -1 with the two colours, or 0 if both take it.
    step = coin_game().compact.moves.step
    words, rewards = np.zeros(2, np.int64), np.zeros(2)
    for one, two, coin in itertools.product(range(9), repeat=3):
        for actions in itertools.product(range(4), repeat=2):
            total = 0.0
            for colour in range(2):
                step(np.array([one, two, coin, colour]), np.array(actions), rewards, words)
                total += rewards.sum()
            assert total == 0.0


def decode(seen):
    """Own cell, the other's, the coin's, and whether it is of the own colour."""
    rest, others = divmod(seen, 2)
    rest, coin = divmod(rest, 9)
    return *divmod(rest, 9), coin, others == 0


def policy(takes):
    """Go to the coin the shortest way, or, if `takes` says no, anywhere but there. (1458, 4)."""
    out = np.zeros((1458, 4))
    for seen in range(1458):
        own, _, coin, mine = decode(seen)
        row, column = ((coin // 3 - own // 3) % 3, (coin % 3 - own % 3) % 3)
        if takes(mine):
            action = {1: 1, 2: 0}[row] if row else {0: 3, 1: 3, 2: 2}[column]
        else:
            action = next(a for a in range(4) if go(own, a, 3) != coin)
        out[seen, action] = 1.0
    return fg.FixedPolicy(out)


def test_is_a_dilemma():
    # Temptation > reward > punishment > sucker's payoff, and punishment is 0.
    all_coins, own_coins = policy(lambda mine: True), policy(lambda mine: mine)

    def means(*learners):
        result = fg.run(coin_game(), learners, 3000, 200, rng=1, record=fg.Record(rewards=True))
        mean = result.mean_reward
        return mean.mean(axis=0), 4.5 * mean.std(axis=0) / np.sqrt(len(mean))

    punishment, error = means(all_coins, all_coins)
    assert (np.abs(punishment) < error).all()
    reward, _ = means(own_coins, own_coins)
    (temptation, sucker), _ = means(all_coins, own_coins)
    assert temptation > reward.max() + 0.1
    assert reward.min() > 0.1
    assert sucker < -0.1


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"size": 1}, ValueError, r"size must be a whole number in \[2, 32\), got 1"),
        ({"alternating": 0}, TypeError, "alternating must be True or False, got 0"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        coin_game(**parameters)
