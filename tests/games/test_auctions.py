"""Auctions against their rules, bidder by bidder, and against what theory says of equilibria."""

import itertools
import math
import pickle

import numpy as np
import pytest

from fastgames.games import MarketGame, first_price_auction, second_price_auction

BOTH = [first_price_auction, second_price_auction]
# Sixteenths: every payoff is exact in floats.
VALUES = {2: [1.0, 0.75], 3: [0.5, 1.0, 1.0], 4: [0.25, 0.5, 0.25, 1.0]}
BIDS = [0.0, 0.25, 0.5, 0.75, 1.0]


def payoffs(make, values, offers):
    """Return the bidders' payoffs by the text of the rules: a mean over ties of the highest."""
    ranked = sorted(offers, reverse=True)
    price = ranked[0] if make is first_price_auction else ranked[1]
    winners = [i for i, offer in enumerate(offers) if offer == ranked[0]]
    gains = [0.0] * len(offers)
    for winner in winners:
        gains[winner] += (values[winner] - price) / len(winners)
    return gains


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("bidders", [2, 3, 4])
def test_payoffs_cell_by_cell(make, bidders):
    game = make(bidders, BIDS, values=VALUES[bidders])
    assert [grid.tolist() for grid in game.choices] == [BIDS] * bidders
    for cell in itertools.product(range(5), repeat=bidders):
        expected = payoffs(make, VALUES[bidders], [BIDS[k] for k in cell])
        np.testing.assert_allclose(game.payoffs[(slice(None), *cell)], expected, rtol=1e-15)


@pytest.mark.parametrize("make", BOTH)
def test_grids(make):
    assert make().num_actions == (21, 21)
    np.testing.assert_allclose(make().choices[0], np.arange(21) / 20)
    np.testing.assert_allclose(make(3, 5, values=[1.0, 2.0, 8.0]).choices[2], [0, 2, 4, 6, 8])


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("bidders", [2, 3, 4])
def test_one_value_for_all(make, bidders):
    """In equilibrium nobody gains, in the ring all gain the value less the reserve price."""
    game = make(bidders, [0.125, 0.5, 1.0], values=1.0)
    assert game.nash.prices.tolist() == [1.0] * bidders
    assert game.nash.profits.tolist() == [0.0] * bidders
    assert game.monopoly.prices.tolist() == [0.125] * bidders
    np.testing.assert_allclose(game.monopoly.profits, 0.875 / bidders)
    for found in (game.nash, game.monopoly):
        np.testing.assert_allclose(found.quantities, 1.0 / bidders)
    assert game.payoffs.sum(axis=0).max() == pytest.approx(game.monopoly.profits.sum())


@pytest.mark.parametrize("make", BOTH)
def test_different_values(make):
    """The highest value wins and pays the second highest; in the ring, the reserve price."""
    game = make(3, 3, values=[2.0, 5.0, 3.0])
    truth = [2.0, 5.0, 3.0] if make is second_price_auction else [2.0, 3.0, 3.0]
    assert game.nash.prices.tolist() == truth
    assert game.nash.quantities.tolist() == [0.0, 1.0, 0.0]
    assert game.nash.profits.tolist() == [0.0, 2.0, 0.0]
    assert game.monopoly.profits.tolist() == [0.0, 5.0, 0.0]
    tied = make(3, 3, values=[5.0, 2.0, 5.0])
    assert tied.nash.quantities.tolist() == tied.monopoly.quantities.tolist() == [0.5, 0.0, 0.5]
    assert tied.nash.profits.tolist() == [0.0, 0.0, 0.0]
    assert tied.monopoly.profits.tolist() == [2.5, 0.0, 2.5]


@pytest.mark.parametrize("bidders", [2, 3])
def test_truth_is_dominant_in_second_price_auctions(bidders):
    """Whatever the others bid, no bid does better than the value, and all others worse at times."""
    game = second_price_auction(bidders, BIDS, values=VALUES[bidders])
    for i, value in enumerate(VALUES[bidders]):
        mine = np.moveaxis(game.payoffs[i], i, 0)
        truth = mine[BIDS.index(value)]
        for k, bid in enumerate(BIDS):
            assert (mine[k] <= truth).all()
            assert bid == value or (mine[k] < truth).any()
    truthful = tuple(BIDS.index(value) for value in VALUES[bidders])
    assert truthful in game.pure_equilibria()
    assert game.payoffs[(slice(None), *truthful)].tolist() == game.nash.profits.tolist()


@pytest.mark.parametrize("steps", [8, 32, 128])
@pytest.mark.parametrize("values", [[1.0, 1.0], [1.0, 0.5]])
def test_first_price_equilibria_close_in_on_the_limit(steps, values):
    """On finer grids all equilibria in undominated bids (below the value) come close to `nash`."""
    game = first_price_auction(2, np.arange(steps + 1) / steps, values=values)
    bids = game.choices[0]
    found = [
        cell
        for cell in game.pure_equilibria()
        if all(bids[k] < value for k, value in zip(cell, values, strict=True))
    ]
    assert found
    for cell in found:
        offers = np.array([bids[k] for k in cell])
        np.testing.assert_allclose(offers, game.nash.prices, atol=2.1 / steps)
        np.testing.assert_allclose(
            game.payoffs[(slice(None), *cell)], game.nash.profits, atol=2.1 / steps
        )


@pytest.mark.parametrize("make", BOTH)
def test_auctions_survive_pickling(make):
    game = make(3, 5, values=[1.0, 0.5, 1.0])
    other = pickle.loads(pickle.dumps(game))
    assert type(other) is MarketGame
    assert other == game
    assert other.nash.prices.tolist() == game.nash.prices.tolist()


BAD = [
    ({"bidders": 1}, ValueError, r"bidders must be a whole number in \[2, 20\], got 1"),
    ({"bidders": "2"}, TypeError, "bidders must be a whole number"),
    ({"bids": 1}, ValueError, r"bids must be a whole number in \[2"),
    ({"bids": [0.5, 0.25]}, ValueError, "bids must be finite and strictly ascending"),
    ({"bids": [[0, 1], [0, 2]]}, ValueError, "bids must be the same for all bidders"),
    ({"bids": [1.5, 2.0]}, ValueError, "values must be at least the lowest bid, 1.5, got 1.0"),
    ({"bids": [1, 2], "values": [3, 0.5]}, ValueError, "values must be at least .* 0.5"),
    ({"values": -1.0}, ValueError, "values must leave room for 21 bids"),
    ({"values": [1.0] * 3}, ValueError, r"values must be .* shape \(2,\)"),
    ({"values": math.inf}, ValueError, "values must be finite"),
    ({"bidders": 8}, ValueError, r"bids must make at most 2\^29 payoffs, .* 8 agents"),
]


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_parameters(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)
