"""Parameters of markets that cannot be combined are refused by their names."""

import inspect
import warnings

import numpy as np
import pytest

import fastgames as fg

MARKETS = {
    name: build
    for name, build in fg.games.CATALOGUE.items()
    if isinstance(build(), fg.games.MarketGame)
}
COUNTS = ("firms", "bidders")  # whole numbers, checked elsewhere
GRIDS = ("prices", "quantities", "bids")
EXTREMES = (0.0, 1e-300, -1e-300, 1e-9, 0.5, 50.0, -50.0, 1e6, -1e6, 1e12, 1e150, 1e300, -1e300)
PARAMETERS = [
    (name, parameter)
    for name, build in MARKETS.items()
    for parameter in inspect.signature(build).parameters
    if parameter not in COUNTS + GRIDS
]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_a_parameter_makes_a_market_or_is_named(name, parameter):
    for value in EXTREMES:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                game = MARKETS[name](**{parameter: value})
            except ValueError as error:
                subject = str(error).partition(" must ")[0]
                named = subject.replace(" and ", ", ").split(", ")
                # The parameter itself, or all that it must fit.
                assert set(named) <= set(inspect.signature(MARKETS[name]).parameters)
                assert parameter in str(error)
                assert not set(named) & set(GRIDS)
                continue
        assert np.isfinite(game.payoffs).all()
        for benchmark in (game.nash, game.monopoly):
            assert np.isfinite(benchmark.prices).all()
            assert np.isfinite(benchmark.profits).all()
        for grid in game.choices:
            assert (np.diff(grid) > 0).all()


def test_an_outside_good_that_takes_the_market_is_named():
    message = r"a, c, a0, mu, xi must leave room for 15 prices, got .*a0 = 50.0, mu = 0.25"
    with pytest.raises(ValueError, match=message):
        fg.games.logit_bertrand(a0=50.0)
    game = fg.games.logit_bertrand(a0=50.0, prices=[1.25, 1.5])  # as the message says
    assert game.nash.prices.tolist() == [1.25, 1.25]  # c + mu: nobody buys


@pytest.mark.parametrize("value", [0.0, -1.0])
@pytest.mark.parametrize("auction", ["first_price_auction", "second_price_auction"])
def test_values_that_leave_no_room_for_bids_are_named(auction, value):
    with pytest.raises(ValueError, match="values must leave room for 21 bids, got values = "):
        MARKETS[auction](values=value)
    MARKETS[auction](2, [-3.0, -2.0], values=-1.0)


def test_prices_that_rounding_would_blur_are_refused():
    # With the outside good gone, two firms alike have a markup of 2 mu (q_i = 1 / 2).
    for a0 in (-50.0, -1e6, -2e8):
        nash = fg.games.logit_bertrand(a0=a0).nash.prices
        np.testing.assert_allclose(nash, 1.5, rtol=1e-5)
    with pytest.raises(ValueError, match=r"a0 must be in \[-2e\+08, 2e\+08\] for .* got -1e\+300"):
        fg.games.logit_bertrand(a0=-1e300)
