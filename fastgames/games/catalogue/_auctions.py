"""Sealed-bid auctions of one good with complete information about the values."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games._tables import FloatArray
from fastgames.games.pricing import Benchmark, MarketGame

from ._markets import check_finite, each, grids, shares

DOMAINS = {"bidders": "[2, 20]"}


@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def auction(
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
    bidders = checks.whole("bidders", bidders, DOMAINS["bidders"])
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
