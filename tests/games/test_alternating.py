"""Games in turn: tables against a simulation of the rules in words, and Klein's market."""

import doctest
import math
import pickle

import numpy as np
import pytest

from fastgames.games import MarkovGame, MatrixGame, alternating
from fastgames.games.alternating import AlternatingGame
from fastgames.games.catalogue.klein import klein
from fastgames.games.pricing import PricingGame


def stage_of(rows, columns):
    return MatrixGame(np.random.default_rng(3).normal(size=(2, rows, columns)), name="stage")


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 1)])
def test_tables_say_what_the_rules_say(shape):
    """Play at random by the rules in words; the tables pay, move and show the same."""
    stage = stage_of(*shape)
    game = AlternatingGame(stage, discount=0.9)
    assert isinstance(game, MarkovGame)
    assert (game.num_states, game.num_actions) == (sum(shape), shape)
    assert game.num_observations == (shape[1], shape[0])
    assert game.discount == 0.9
    rng = np.random.default_rng(4)
    held = [None, int(rng.integers(shape[1]))]
    state, visited = held[1], set()
    for period in range(400):
        mover, other = period % 2, 1 - period % 2
        visited.add(state)
        assert game.turns[:, state].tolist() == [mover == 0, mover == 1]
        assert game.observations[mover, state] == held[other]
        assert game.observations[other, state] == 0
        joint = rng.integers(shape)  # what the other one "plays" makes no difference
        held[mover] = int(joint[mover])
        np.testing.assert_array_equal(
            game.rewards[(slice(None), state, *joint)], stage.payoffs[(slice(None), *held)]
        )
        state = int(game.transitions[(state, *joint)])
    assert visited == set(range(sum(shape)))


def test_agent_0_begins_against_a_random_action():
    game = AlternatingGame(stage_of(2, 4))
    np.testing.assert_allclose(game.start, [0.25] * 4 + [0.0] * 2)
    assert AlternatingGame(stage_of(2, 4), start=5).start == 5
    weights = [0.0, 0.5, 0.0, 0.0, 0.5, 0.0]
    assert AlternatingGame(stage_of(2, 4), start=weights).start.tolist() == weights


def demand_profits(p, q):
    """Profits at these prices, as Klein (2021) states them."""
    if p < q:
        return p * (1 - p), 0.0
    if p > q:
        return 0.0, q * (1 - q)
    return p * (1 - p) / 2, p * (1 - p) / 2


@pytest.mark.parametrize("k", [2, 6, 7])
def test_klein(k):
    game = klein(k)
    assert (game.num_agents, game.num_states) == (2, 2 * (k + 1))
    assert game.num_observations == game.num_actions == (k + 1, k + 1)
    assert game.discount == 0.95
    assert isinstance(game.stage, PricingGame)
    for grid in game.stage.prices:
        assert grid.tolist() == [i / k for i in range(k + 1)]
    for mine in range(k + 1):
        for rival in range(k + 1):
            first, second = demand_profits(mine / k, rival / k)
            # Firm 0 sets `mine` while firm 1 holds `rival`; then firm 1 is to move.
            np.testing.assert_allclose(game.rewards[:, rival, mine, 0], [first, second])
            assert game.transitions[rival, mine, 0] == k + 1 + mine
            # The same with the firms exchanged.
            np.testing.assert_allclose(game.rewards[:, k + 1 + rival, 0, mine], [second, first])
            assert game.transitions[k + 1 + rival, 0, mine] == mine


def test_klein_benchmarks():
    stage = klein().stage
    assert stage.nash.prices.tolist() == stage.nash.profits.tolist() == [0.0, 0.0]
    assert stage.nash.quantities.tolist() == [0.5, 0.5]
    prices = np.linspace(0.0, 1.0, 10001)
    best = prices[np.argmax(prices * (1 - prices))]
    np.testing.assert_allclose(stage.monopoly.prices, best)
    np.testing.assert_allclose(stage.monopoly.quantities, (1 - best) / 2)
    np.testing.assert_allclose(stage.monopoly.profits, best * (1 - best) / 2)
    assert stage.payoffs.sum(axis=0).max() == pytest.approx(0.25)


def test_games_in_turn_survive_pickling():
    game = klein(4, discount=0.5, start=3)
    other = pickle.loads(pickle.dumps(game))
    assert type(other) is AlternatingGame
    assert (other, hash(other)) == (game, hash(game))
    assert (other.start, other.discount, other.name) == (3, 0.5, "sequential pricing")
    assert other.source == game.source != ""
    assert other.stage.monopoly.profits.tolist() == [0.125, 0.125]
    named = AlternatingGame(stage_of(2, 2), name="mine", source="here")
    other = pickle.loads(pickle.dumps(named))
    assert (other.name, other.source) == ("mine", "here")
    np.testing.assert_array_equal(other.start, named.start)
    with pytest.raises(AttributeError):
        game.stage = None


BAD = [
    (klein, {"k": 1}, ValueError, r"k must be a whole number in \[2, 256\], got 1"),
    (klein, {"k": 6.0}, TypeError, "k must be a whole number"),
    (klein, {"discount": 1.0}, ValueError, "discount must be in"),
    (klein, {"discount": math.nan}, ValueError, "discount must be in"),
    (klein, {"start": 14}, ValueError, r"start must be a whole number in \[0, 14\), got 14"),
    (klein, {"start": [0.5] * 14}, ValueError, "start must sum to 1"),
    (AlternatingGame, {"stage": None}, TypeError, "stage must be a MatrixGame, got None"),
    (
        AlternatingGame,
        {"stage": MatrixGame(np.zeros((3, 2, 2, 2)))},
        ValueError,
        "stage must be a game of 2 agents",
    ),
]


@pytest.mark.parametrize(("make", "arguments", "error", "message"), BAD)
def test_bad_parameters(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)


def test_docstrings():
    done = doctest.testmod(alternating)
    assert done.attempted == 3
    assert done.failed == 0
