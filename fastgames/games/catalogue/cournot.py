"""A game of quantity competition for one good."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games._tables import FloatArray
from fastgames.games.pricing import Benchmark, MarketGame

from ._declaration import catalogued
from ._markets import check_finite, each, grids

_DOMAINS = {"firms": "[2, 20]", "intercept": "(0, inf)", "slope": "(0, inf)"}


@catalogued(
    "Cournot",
    domains=_DOMAINS,
    formula=r"P = \max\Bigl(a - b \sum_j q_j,\; 0\Bigr), \qquad u_i = (P - c_i)\, q_i",
)
@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def cournot(
    firms: int = 2,
    quantities: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 41,
    *,
    intercept: float = 40.0,
    slope: float = 1.0,
    cost: float | npt.ArrayLike = 4.0,
) -> MarketGame:
    """Return a game of quantity competition for one good.

    All firms sell at the price P = max(intercept - slope (q_0 + ... + q_{N-1}), 0), and firm i gets
    (P - cost_i) q_i, which may be negative.

    Parameters
    ----------
    firms : int
        Number of firms N, in [2, 20].
    quantities : int, array_like (A,), or N array_like (A_i,)
        Number of allowed quantities, at least 2, or the quantities, at least 0, one grid for all
        firms or one for each. A number makes a grid in equal steps from 0 to intercept / slope, the
        quantity at which the price is 0.
    intercept : float
        Price at a total quantity of 0, in (0, inf).
    slope : float
        Fall of the price per unit sold, in (0, inf).
    cost : float or array_like (N,)
        Cost of one unit, in [0, intercept), one number for all firms or one for each.

    Returns
    -------
    MarketGame
        A game with payoffs (N, A_0, ..., A_{N-1}) whose `choices` are quantities.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    Equilibrium: the n firms whose cost is below the price sell; the price is
    P = (intercept + the sum of their costs) / (n + 1), and each sells (P - cost_i) / slope.
    Monopoly: P = (intercept + the lowest cost) / 2, and the firms with that cost share the market
    equally.

    Source: Cournot (1838), Recherches sur les principes mathématiques de la théorie des richesses,
    ch. VII; Waltman & Kaymak (2008), Q-learning agents in a Cournot oligopoly model, Journal of
    Economic Dynamics and Control 32, 3275-3293, whose parameters are the defaults.

    Examples
    --------
    >>> game = cournot()
    >>> float(game.nash.quantities.sum().round(9)), float(game.nash.profits.sum().round(9))
    (24.0, 288.0)
    """
    firms = checks.whole("firms", firms, _DOMAINS["firms"])
    top = checks.real("intercept", intercept, _DOMAINS["intercept"])
    steep = checks.real("slope", slope, _DOMAINS["slope"])
    try:
        unit = each("cost", cost, firms, f"[0, {top!r})")
    except ValueError as error:
        raise ValueError(f"{error} with intercept = {top!r}") from None
    given = {"intercept": intercept, "slope": slope, "cost": cost}
    choices = grids("quantities", quantities, [0.0] * firms, [top / steep] * firms, given)
    for agent, grid in enumerate(choices):
        if grid[0] < 0.0:
            raise ValueError(f"quantities must be at least 0, got {grid[0]} for agent {agent}")
    offered = np.meshgrid(*choices, indexing="ij", sparse=True)
    price = np.maximum(top - steep * sum(offered), 0.0)
    payoffs = [(price - k) * q for k, q in zip(unit, offered, strict=True)]

    def benchmark(price: float, sold: FloatArray) -> Benchmark:
        """Return the outcome of a price and the quantities sold, (N,)."""
        return Benchmark(np.full(firms, price), sold, (price - unit) * sold)

    at = top
    for rivals, k in enumerate(sorted(unit.tolist()), start=1):
        if k < at:  # this firm sells too
            at = (rivals * at + k) / (rivals + 1)
    nash = benchmark(at, np.maximum(at - unit, 0.0) / steep)
    cheapest = unit == unit.min()
    at = (top + unit.min()) / 2.0
    monopoly = benchmark(at, cheapest * ((top - at) / steep / cheapest.sum()))
    check_finite(payoffs, nash, monopoly, given)
    return MarketGame(
        payoffs,
        choices,
        nash,
        monopoly,
        name="Cournot",
        source="Waltman & Kaymak (2008), J. Economic Dynamics and Control 32:3275-3293",
    )
