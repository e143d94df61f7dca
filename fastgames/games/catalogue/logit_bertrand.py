"""A game of price competition with logit demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games._tables import FloatArray
from fastgames.games.pricing import Benchmark, PricingGame

from ._declaration import catalogued
from ._logit import market_shares, monopoly_markups, nash_markups
from ._markets import check_finite, each, grids

_COARSE: Final = 1e8  # bounds a0, as Nash prices are computed up to 1e-14 of a - c - a0
_DOMAINS = {"firms": "[2, 20]", "mu": "(0, inf)", "xi": "[0, inf)"}


@catalogued(
    "Logit Bertrand",
    domains=_DOMAINS,
    formula=r"q_i = \frac{e^{(a_i - p_i)/\mu}}{\sum_j e^{(a_j - p_j)/\mu} + e^{a_0/\mu}},"
    r" \qquad u_i = (p_i - c_i)\, q_i",
)
@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def logit_bertrand(
    firms: int = 2,
    prices: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 15,
    *,
    a: float | npt.ArrayLike = 2.0,
    c: float | npt.ArrayLike = 1.0,
    a0: float = 0.0,
    mu: float = 0.25,
    xi: float = 0.1,
) -> PricingGame:
    """Return a game of price competition with logit demand.

    Firm i sells q_i = exp((a_i - p_i) / mu) / (sum_j exp((a_j - p_j) / mu) + exp(a0 / mu)) and
    gets (p_i - c_i) q_i. Consumers have mass 1; prices and profits have the unit of a, c and mu.

    Parameters
    ----------
    firms : int
        Number of firms N, in [2, 20].
    prices : int, array_like (A,), or N array_like (A_i,)
        Number of allowed prices, at least 2, or the prices, one grid for all firms or one for each.
        A number makes a grid for each firm, in equal steps from pN - xi (pM - pN) to
        pM + xi (pM - pN), where pN and pM are its prices in `nash` and `monopoly`.
    a : float or array_like (N,)
        Quality of the goods, finite, one number for all firms or one for each.
    c : float or array_like (N,)
        Cost of one unit, finite, one number for all firms or one for each.
    a0 : float
        Quality of the outside good, finite.
    mu : float
        Horizontal differentiation, in (0, inf). As mu approaches 0, all consumers buy the good of
        the largest a_i - p_i.
    xi : float
        Extension of the grids beyond the Nash and monopoly prices, in [0, inf).

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
    RuntimeError
        If the iteration for the Nash prices does not converge.

    Notes
    -----
    Equilibrium: p_i - c_i = mu / (1 - q_i) for all firms; it is unique (Anderson, de Palma & Thisse
    1992, Discrete Choice Theory of Product Differentiation, chs. 6 and 7). The best response to
    given rivals is (p_i - c_i) / mu = 1 + w with w + log w = (a_i - c_i) / mu - 1 - log(sum of the
    other terms); best responses are iterated. The joint profit is maximal if all firms have the
    markup mu / (1 - sum_j q_j), which is computed in the same way.

    Source: Calvano, Calzolari, Denicolò & Pastorello (2020), Artificial intelligence, algorithmic
    pricing, and collusion, American Economic Review 110(10), 3267-3297; the defaults are its
    baseline.

    Examples
    --------
    >>> game = logit_bertrand()
    >>> game.nash.prices.round(5), game.monopoly.prices.round(5)
    (array([1.47293, 1.47293]), array([1.92498, 1.92498]))
    >>> game.nash.profits.round(5), game.monopoly.profits.round(5)
    (array([0.22293, 0.22293]), array([0.33749, 0.33749]))
    >>> float(game.prices[0][0].round(5)), float(game.prices[0][-1].round(5))
    (1.42772, 1.97019)
    """
    firms = checks.whole("firms", firms, _DOMAINS["firms"])
    quality, cost = each("a", a, firms), each("c", c, firms)
    outside, scale = checks.real("a0", a0), checks.real("mu", mu, _DOMAINS["mu"])
    value = (quality - cost - outside) / scale
    if not np.isfinite(value).all():
        raise ValueError(f"mu must be large enough for a finite (a - c - a0) / mu, got {mu!r}")
    most = _COARSE * max(scale, float(np.abs([quality, cost]).max()))
    if abs(outside) > most:  # beyond this bound, rounding of a - c - a0 hides the prices
        raise ValueError(f"a0 must be in [{-most:g}, {most:g}] for these a, c and mu, got {a0!r}")
    given = {"a": a, "c": c, "a0": a0, "mu": mu, "xi": xi}

    def sold(charged: Iterable[Any]) -> list[FloatArray]:
        """Return the quantity of every firm at these prices, N arrays that broadcast."""
        return market_shares(
            [(b - outside - p) / scale for b, p in zip(quality, charged, strict=True)]
        )

    def benchmark(markups: FloatArray) -> Benchmark:
        """Return the outcome of these markups (p_i - c_i) / mu, (N,)."""
        charged = cost + scale * markups
        quantities = np.array(sold(charged))
        return Benchmark(charged, quantities, (charged - cost) * quantities)

    nash = benchmark(nash_markups(value.tolist()))
    monopoly = benchmark(monopoly_markups(value.tolist()))
    beyond = checks.real("xi", xi, _DOMAINS["xi"]) * (monopoly.prices - nash.prices)
    choices = grids("prices", prices, nash.prices - beyond, monopoly.prices + beyond, given)
    charged = np.meshgrid(*choices, indexing="ij", sparse=True)
    payoffs = [(p - k) * q for p, k, q in zip(charged, cost, sold(charged), strict=True)]
    check_finite(payoffs, nash, monopoly, given)
    return PricingGame(
        payoffs,
        choices,
        nash,
        monopoly,
        name="logit Bertrand",
        source="Calvano et al. (2020), American Economic Review 110(10):3267-3297",
    )
