"""A game of price competition of two firms with linear demand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games._tables import FloatArray
from fastgames.games.pricing import Benchmark, PricingGame

from ._declaration import catalogued
from ._markets import check_finite, each, grids

_DOMAINS = {"gamma": "(0, 1)", "xi": "[0, inf)"}


@catalogued(
    "Linear Bertrand",
    domains=_DOMAINS,
    formula=r"q_i = \frac{a_i - \gamma a_j - p_i + \gamma p_j}{1 - \gamma^2}, \qquad"
    r" u_i = (p_i - c_i)\, q_i",
)
@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def linear_bertrand(
    prices: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 15,
    *,
    gamma: float = 0.5,
    a: float | npt.ArrayLike = 1.0,
    c: float | npt.ArrayLike = 0.0,
    xi: float = 0.1,
) -> PricingGame:
    """Return a game of price competition of two firms with linear demand.

    Consumers have the utility sum_i (a_i - p_i) q_i - (q_0^2 + q_1^2) / 2 - gamma q_0 q_1. If both
    firms sell, firm i sells q_i = (a_i - gamma a_j - p_i + gamma p_j) / (1 - gamma^2); a firm that
    sells alone sells max(a_i - p_i, 0). Firm i gets (p_i - c_i) q_i.

    Parameters
    ----------
    prices : int, array_like (A,), or 2 array_like (A_i,)
        Number of allowed prices, at least 2, or the prices, one grid for all firms or one for each.
        A number makes grids as in `logit_bertrand`, without prices below 0.
    gamma : float
        Degree of substitution of the goods, in (0, 1).
    a : float or array_like (2,)
        Quality of the goods, finite, one number for all firms or one for each.
    c : float or array_like (2,)
        Cost of one unit, finite, one number for all firms or one for each. Both firms must sell at
        the maximum of their joint profit: a_i - c_i > gamma (a_j - c_j).
    xi : float
        Extension of the grids beyond the Nash and monopoly prices, in [0, inf).

    Returns
    -------
    PricingGame
        A game with payoffs (2, A_0, A_1).

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    Equilibrium: 2 p_i - gamma p_j = a_i - gamma a_j + c_i for both firms; for identical firms,
    p = (a (1 - gamma) + c) / (2 - gamma). Monopoly: p_i = (a_i + c_i) / 2.

    Source: Singh & Vives (1984), Price and quantity competition in a differentiated duopoly, RAND
    Journal of Economics 15, 546-554; with a = 1 and c = 0 this is the linear demand of the online
    appendix of Calvano et al. (2020), American Economic Review 110(10), 3267-3297.

    Examples
    --------
    >>> game = linear_bertrand(gamma=0.5)
    >>> game.nash.prices.round(6), game.monopoly.prices
    (array([0.333333, 0.333333]), array([0.5, 0.5]))
    """
    g = checks.real("gamma", gamma, _DOMAINS["gamma"])
    quality, cost = each("a", a, 2), each("c", c, 2)
    gain = quality - cost
    if not (gain > g * gain[::-1]).all():
        raise ValueError(
            "a and c must satisfy a_i - c_i > gamma (a_j - c_j) for both firms, "
            f"got a - c = {gain.tolist()} and gamma = {g}"
        )

    def benchmark(charged: FloatArray) -> Benchmark:
        """Return the outcome of these prices, (2,)."""
        quantities = np.array(_linear(quality, g, charged))
        return Benchmark(charged, quantities, (charged - cost) * quantities)

    own = quality - g * quality[::-1] + cost
    nash = benchmark((2.0 * own + g * own[::-1]) / (4.0 - g * g))
    monopoly = benchmark((quality + cost) / 2.0)
    beyond = checks.real("xi", xi, _DOMAINS["xi"]) * (monopoly.prices - nash.prices)
    low = np.maximum(nash.prices - beyond, 0.0)
    given = {"gamma": gamma, "a": a, "c": c, "xi": xi}
    choices = grids("prices", prices, low, monopoly.prices + beyond, given)
    charged = np.meshgrid(*choices, indexing="ij", sparse=True)
    sold = _linear(quality, g, charged)
    payoffs = [(p - k) * q for p, k, q in zip(charged, cost, sold, strict=True)]
    check_finite(payoffs, nash, monopoly, given)
    return PricingGame(
        payoffs,
        choices,
        nash,
        monopoly,
        name="linear Bertrand",
        source="Singh & Vives (1984), RAND Journal of Economics 15:546-554",
    )


def _linear(
    quality: FloatArray, gamma: float, charged: Sequence[FloatArray] | FloatArray
) -> list[FloatArray]:
    """Return the quantities that the two firms of `linear_bertrand` sell at these prices.

    charged: 2 arrays that broadcast to the shape of the arrays returned
    """
    sold = []
    for i, j in ((0, 1), (1, 0)):
        both = quality[i] - gamma * quality[j] - charged[i] + gamma * charged[j]
        # A firm alone sells less than `both`, in which the rival's quantity is negative.
        alone = quality[i] - charged[i]
        sold.append(np.maximum(np.minimum(both / (1.0 - gamma * gamma), alone), 0.0))
    return sold
