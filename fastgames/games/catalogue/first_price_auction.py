"""A first-price auction: the highest bidder wins and pays its own bid."""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

from fastgames.games.pricing import MarketGame

from ._auctions import DOMAINS, auction
from ._declaration import catalogued


@catalogued(
    "First-price auction",
    domains=DOMAINS,
    formula=r"u_i = \frac{v_i - b_i}{\#\{j : b_j = \max_k b_k\}} \text{ where }"
    r" b_i = \max_k b_k \text{, else } 0",
)
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
    return auction(
        bidders,
        bids,
        values,
        lambda offers: reduce(np.maximum, offers),
        lambda worth, second: np.minimum(worth, second),
        name="first-price auction",
        source="Banchio & Skrzypacz (2022), EC '22",
    )
