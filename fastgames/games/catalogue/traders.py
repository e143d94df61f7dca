"""Two traders who adjust their bids for the same good."""

from __future__ import annotations

import numpy as np

from fastgames._common import checks
from fastgames.games.markov import MarkovGame

from ._declaration import catalogued

_DOMAINS = {"levels": "[3, 100]"}


@catalogued(
    "Two traders",
    domains=_DOMAINS,
    formula=r"r_i = \begin{cases} L - b_i & b_i > b_j \\ (L - b_i) / 2 & b_i = b_j \\ 0 & b_i < b_j"
    r" \end{cases}",
)
def traders(levels: int = 6, *, discount: float = 0.9) -> MarkovGame:
    """Return the game of two traders who adjust their bids for a good that both value alike.

    In each step a unit of the good is sold. Both traders first lower their bid by one, hold it or
    raise it by one, within 0 to `levels` - 1. The higher bid then wins: its trader gets the value
    `levels` minus its bid, and the other gets nothing. With equal bids the good is shared.

    Parameters
    ----------
    levels : int
        Number of bids L, and the value of the good, in [3, 100].
    discount : float
        Discount factor per step, in [0, 1).

    Returns
    -------
    MarkovGame
        A game of L^2 states, the bids: number b_0 L + b_1. It has the actions lower, hold, raise;
        it is without chance and begins with both bids 0. Both traders observe the state.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    If bids were chosen once and freely, a trader would always outbid a bid below L - 2; in the pure
    equilibria both bid L - 2 and get 1 each, or both bid L - 1 and get 1/2 each. Together they earn
    most with both bids at 0, L / 2 each, which is no equilibrium of one period. What is best for
    one trader depends on where the other moves its bid meanwhile.

    Source: this project's own (2026); bids and ties as in a first-price auction of one good with
    known and equal values.

    Examples
    --------
    >>> game = traders()
    >>> game.num_states, game.rewards[:, 0, 2, 1]  # from (0, 0) to (1, 0)
    (36, array([5., 0.]))
    """
    levels = checks.whole("levels", levels, _DOMAINS["levels"])
    discount = checks.real("discount", discount, "[0, 1)")
    first, second, move_0, move_1 = np.ogrid[:levels, :levels, -1:2, -1:2]
    own, other = np.broadcast_arrays(
        np.clip(first + move_0, 0, levels - 1), np.clip(second + move_1, 0, levels - 1)
    )
    shape = (levels**2, 3, 3)
    shares = ((own > other) + 0.5 * (own == other), (other > own) + 0.5 * (own == other))
    rewards = [share * (levels - bid) for share, bid in zip(shares, (own, other), strict=True)]
    return MarkovGame(
        [table.reshape(shape) for table in rewards],
        (own * levels + other).reshape(shape),
        discount,
        name="two traders",
        actions=[("lower", "hold", "raise")] * 2,
        source="this project's own (2026)",
    )
