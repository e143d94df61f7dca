"""A game of price competition for one good, in which the lowest price takes the market."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games.pricing import Benchmark, PricingGame

from ._declaration import catalogued
from ._markets import check_finite, grids, shares

_DOMAINS = {"firms": "[2, 20]"}


@catalogued(
    "Homogeneous Bertrand",
    domains=_DOMAINS,
    formula=r"u_i = \frac{p_i - c}{\#\{j : p_j = \min_k p_k\}} \text{ where } p_i ="
    r" \min_k p_k \le \text{reservation, else } 0",
)
@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def homogeneous_bertrand(
    firms: int = 2,
    prices: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 100,
    *,
    cost: float = 2.0,
    reservation: float = 10.0,
    lowest: float = 0.01,
) -> PricingGame:
    """Return a game of price competition for one good, in which the lowest price takes the market.

    Consumers buy one unit if the lowest price is at most their reservation price. The firms with
    the lowest price share the market equally and get price - cost for each unit; other firms get 0.

    Parameters
    ----------
    firms : int
        Number of firms N, in [2, 20].
    prices : int, array_like (A,), or N array_like (A_i,)
        Number of allowed prices, at least 2, or the prices, one grid for all firms or one for each.
        A number makes a grid in equal steps from lowest to reservation.
    cost : float
        Cost of one unit of every firm, finite and below reservation.
    reservation : float
        Highest price at which consumers buy, finite.
    lowest : float
        Lowest price of the grid if `prices` is a number, finite and below reservation.

    Returns
    -------
    PricingGame
        A game with payoffs (N, A_0, ..., A_{N-1}).

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    Equilibrium: all charge the cost and get 0. On a grid with step h, a common price cost + x is
    also an equilibrium if undercutting does not pay: x - h <= x / N. Monopoly: all charge the
    reservation price.

    Source: Asker, Fershtman & Pakes (2022), Artificial intelligence, algorithm design, and pricing,
    AEA Papers and Proceedings 112, 452-456; the defaults are its parameters.

    Examples
    --------
    >>> game = homogeneous_bertrand()
    >>> [float(game.prices[0][i].round(2)) for i, j in game.pure_equilibria()]
    [2.03, 2.13]
    """
    firms = checks.whole("firms", firms, _DOMAINS["firms"])
    most, unit = checks.real("reservation", reservation), checks.real("cost", cost)
    least = checks.real("lowest", lowest)
    for argument, value in (("cost", unit), ("lowest", least)):
        if not value < most:
            raise ValueError(f"{argument} must be below reservation, {most}, got {value}")
    given = {"cost": cost, "reservation": reservation, "lowest": lowest}
    choices = grids("prices", prices, [least] * firms, [most] * firms, given)
    charged = np.meshgrid(*choices, indexing="ij", sparse=True)
    low = reduce(np.minimum, charged)
    margin = np.where(low <= most, low - unit, 0.0)
    payoffs = [margin * share for share in shares(charged, low)]

    def all_charge(price: float) -> Benchmark:
        """Return the outcome in which all firms charge the same price."""
        parts = np.full(firms, 1.0 / firms)
        return Benchmark(np.full(firms, price), parts, (price - unit) * parts)

    check_finite(payoffs, all_charge(unit), all_charge(most), given)
    return PricingGame(
        payoffs,
        choices,
        all_charge(unit),
        all_charge(most),
        name="homogeneous Bertrand",
        source="Asker, Fershtman & Pakes (2022), AEA Papers and Proceedings 112:452-456",
    )
