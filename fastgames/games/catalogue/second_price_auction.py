"""A second-price auction: the highest bidder wins and pays the second highest bid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastgames.games._tables import FloatArray
from fastgames.games.pricing import MarketGame

from ._auctions import DOMAINS, auction
from ._declaration import catalogued


@catalogued(
    "Second-price auction",
    domains=DOMAINS,
    formula=r"u_i = \frac{v_i - b^{(2)}}{\#\{j : b_j = \max_k b_k\}} \text{ where }"
    r" b_i = \max_k b_k \text{, else } 0 \qquad (b^{(2)}\text{: the second highest bid})",
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
    bidders : int
        Number of bidders N, in [2, 20].
    bids : int or array_like (A,)
        Number of allowed bids, at least 2, or the bids, of which the lowest is the reserve price. A
        number makes a grid in equal steps from 0 to the highest value.
    values : float or array_like (N,)
        Value of the good, at least the lowest bid, one number for all bidders or one for each.

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
    return auction(
        bidders,
        bids,
        values,
        _second_highest,
        lambda worth, second: worth,
        name="second-price auction",
        source="Vickrey (1961), Journal of Finance 16:8-37",
    )


def _second_highest(offers: list[FloatArray]) -> FloatArray:
    """Return the second highest bid of every joint action, (A, ..., A); on ties, the highest."""
    first = second = np.full((1,) * len(offers), -np.inf)
    for offer in offers:
        first, second = np.maximum(first, offer), np.maximum(second, np.minimum(first, offer))
    return second
