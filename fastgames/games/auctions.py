"""Sealed-bid auctions of one good with complete information about the bidders' values."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
import numpy.typing as npt

from ._tables import FloatArray, whole
from .pricing import MAX_AGENTS, Benchmark, MarketGame, check_finite, each, grids, shares


def first_price_auction(
    bidders: int = 2,
    bids: int | npt.ArrayLike = 21,
    *,
    values: float | npt.ArrayLike = 1.0,
) -> MarketGame:
    """Return a first-price auction: the highest bidder wins and pays its own bid.

    If k bidders tie for the highest bid, each wins with probability 1 / k. Payoffs are means over
    this draw: bidder i gets (values_i - its bid) / k if its bid is the highest, else 0.

    Parameters
    ----------
    bidders : int
        Number of bidders N, in [2, 20].
    bids : int or array_like (A,)
        Allowed bids; the lowest is the reserve price. A number m, at least 2, makes m bids in equal
        steps from 0 to the highest value.
    values : float or array_like (N,)
        Value of the good to each bidder, or to all; at least the lowest bid.

    Returns
    -------
    MarketGame
        A game with payoffs (N, A, ..., A) whose `choices` are bids. In its benchmarks prices are
        bids and quantities are probabilities of winning.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    `nash` is the limit of the equilibria in undominated bids as the grid becomes finer: bidders
    with the highest value bid the second highest value (the same value if two bidders share it),
    other bidders bid their own values, and a bidder with the highest value wins ties. `monopoly` is
    the bidding ring: all bid the lowest bid, and a bidder with the highest value wins. For all pure
    equilibria on a grid see `pure_equilibria`.

    Source: Krishna (2010), Auction Theory, 2nd ed., ch. 2 (the rules); Banchio & Skrzypacz (2022),
    Artificial intelligence and auction design, EC '22, arXiv:2202.05947 (a game of Q-learners with
    equal values).

    Examples
    --------
    >>> game = first_price_auction(2, [0.0, 0.25, 0.5, 0.75, 1.0])
    >>> game.payoffs[:, 3, 2], game.payoffs[:, 3, 3]
    (array([0.25, 0.  ]), array([0.125, 0.125]))
    >>> game.pure_equilibria()
    [(2, 2), (3, 3), (4, 4)]
    """
    return _auction(
        bidders,
        bids,
        values,
        lambda offers: reduce(np.maximum, offers),
        lambda worth, second: np.minimum(worth, second),
        name="first-price auction",
        source="Banchio & Skrzypacz (2022), EC '22",
    )


def second_price_auction(
    bidders: int = 2,
    bids: int | npt.ArrayLike = 21,
    *,
    values: float | npt.ArrayLike = 1.0,
) -> MarketGame:
    """Return a second-price auction: the highest bidder wins and pays the second highest bid.

    If k bidders tie for the highest bid, each wins with probability 1 / k and, for k > 1, pays its
    own bid. Payoffs are means over this draw: bidder i gets (values_i - price) / k if its bid is
    the highest, else 0.

    Parameters
    ----------
    bidders, bids, values
        As for `first_price_auction`.

    Returns
    -------
    MarketGame
        A game with payoffs (N, A, ..., A) whose `choices` are bids. In its benchmarks prices are
        bids and quantities are probabilities of winning.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    `nash` is the equilibrium in dominant bids: all bid their values (on a grid, a bidder's value is
    dominant only if it is an allowed bid). For the many other pure equilibria on the grid see
    `pure_equilibria`. `monopoly` is the bidding ring: all bid the lowest bid, and a bidder with the
    highest value wins.

    Source: Vickrey (1961), Counterspeculation, auctions, and competitive sealed tenders, Journal of
    Finance 16, 8-37; Banchio & Skrzypacz (2022), EC '22 (a game of Q-learners).

    Examples
    --------
    >>> game = second_price_auction(2, [0.0, 0.25, 0.5, 0.75, 1.0])
    >>> game.payoffs[:, 3, 2], game.payoffs[:, 3, 3]
    (array([0.5, 0. ]), array([0.125, 0.125]))
    """
    return _auction(
        bidders,
        bids,
        values,
        _second_highest,
        lambda worth, second: worth,
        name="second-price auction",
        source="Vickrey (1961), Journal of Finance 16:8-37",
    )


@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def _auction(
    bidders: int,
    bids: int | npt.ArrayLike,
    values: float | npt.ArrayLike,
    price: Callable[[list[FloatArray]], FloatArray],
    nash_bids: Callable[[FloatArray, float], FloatArray],
    name: str,
    source: str,
) -> MarketGame:
    """Return an auction with the given rules.

    price: maps the bids of all, which broadcast to (A, ..., A), to the price that the winner pays;
    nash_bids: maps the values (N,) and the second highest of them to the equilibrium bids (N,)
    """
    bidders = whole("bidders", bidders, 2, MAX_AGENTS + 1)
    worth = each("values", values, bidders)
    given = {"values": values}
    choices = grids("bids", bids, [0.0] * bidders, [worth.max()] * bidders, given)
    if any(not np.array_equal(grid, choices[0]) for grid in choices):
        raise ValueError(f"bids must be the same for all bidders, got {choices}")
    least = choices[0][0]
    if worth.min() < least:
        raise ValueError(f"values must be at least the lowest bid, {least}, got {worth.min()}")
    offers = list(np.meshgrid(*choices, indexing="ij", sparse=True))
    paid = price(offers)
    won = shares(offers, reduce(np.maximum, offers))
    payoffs = [(value - paid) * share for value, share in zip(worth, won, strict=True)]

    highest = worth == worth.max()
    chances = highest / highest.sum()
    second = float(np.sort(worth)[-2])
    nash = Benchmark(nash_bids(worth, second), chances, (worth - second) * chances)
    ring = Benchmark(np.full(bidders, least), chances, (worth - least) * chances)
    check_finite(payoffs, nash, ring, given)
    return MarketGame(
        payoffs,
        choices,
        nash,
        ring,
        name=name,
        source=source,
    )


def _second_highest(offers: list[FloatArray]) -> FloatArray:
    """Return the second highest bid of every joint action, (A, ..., A); on ties, the highest."""
    first = second = np.full((1,) * len(offers), -np.inf)
    for offer in offers:
        first, second = np.maximum(first, offer), np.maximum(second, np.minimum(first, offer))
    return second
