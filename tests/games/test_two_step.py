"""The two-step game as Rashid et al. (2018), section 5 and Table 1, describe it."""

import itertools

import pytest

from fastgames.games import two_step


def test_every_way_through():
    game = two_step()
    best = {}
    for first in itertools.product(range(2), repeat=2):
        for second in itertools.product(range(2), repeat=2):
            stage = game.transitions[(game.start, *first)]
            paid = game.rewards[(slice(None), game.start, *first)].tolist()
            assert paid == [0.0, 0.0] and not game.terminal[stage]
            expected = 7.0 if first[0] == 0 else {(0, 0): 0.0, (1, 1): 8.0}.get(second, 1.0)
            paid = game.rewards[(slice(None), stage, *second)].tolist()
            assert paid == [expected, expected]
            assert game.terminal[game.transitions[(stage, *second)]]
            best[first, second] = game.discount * expected
    assert max(best.values()) == pytest.approx(7.92)
    assert [way for way, value in best.items() if value > 7.0] == [
        ((1, 0), (1, 1)),
        ((1, 1), (1, 1)),
    ]
