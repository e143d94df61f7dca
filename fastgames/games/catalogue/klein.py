"""Klein's sequential pricing game: two firms set prices in turn, each for two periods."""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games.alternating import AlternatingGame
from fastgames.games.pricing import Benchmark, PricingGame

from ._declaration import catalogued
from ._markets import shares

_DOMAINS = {"k": "[2, 256]"}  # 256 steps make a table of 0.5 GiB


@catalogued(
    "Klein's sequential pricing",
    domains=_DOMAINS,
    formula=r"u_i = p_i \cdot \begin{cases} 1 - p_i & p_i < p_j \\ (1 - p_i)/2 & p_i = p_j \\"
    r" 0 & p_i > p_j \end{cases}",
)
def klein(
    k: int = 6, *, discount: float = 0.95, start: int | npt.ArrayLike | None = None
) -> AlternatingGame:
    """Return Klein's sequential pricing game: two firms set prices in turn, each for two periods.

    The prices are 0, 1 / k, ..., 1. The firm with the lower price sells 1 - price units; at equal
    prices each firm sells half of that. A unit costs nothing.

    Parameters
    ----------
    k : int
        Number of steps of the price grid, in [2, 256].
    discount : float
        Discount factor per period, in [0, 1).
    start : int or array_like (S,), optional
        First state of an episode, or the probability of every state, as for `AlternatingGame`.
        Unless given, firm 0 moves first, against a random price.

    Returns
    -------
    AlternatingGame
        A game of 2 (k + 1) states. `stage` is a `PricingGame` with the prices and the benchmarks of
        the simultaneous game played once.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain.

    Notes
    -----
    In the equilibrium of the game played once, prices and profits are 0. At the monopoly price 1/2
    (on the grid if k is even), each firm gets 1/8.

    Source: Klein (2021), Autonomous algorithmic collusion: Q-learning under sequential pricing,
    RAND Journal of Economics 52, 538-558; the model of Maskin & Tirole (1988), Econometrica 56,
    571-599.

    Examples
    --------
    >>> game = klein()
    >>> game.num_states, game.num_observations
    (14, (7, 7))
    >>> game.stage.monopoly.profits
    array([0.125, 0.125])
    """
    k = checks.whole("k", k, _DOMAINS["k"])
    prices = np.arange(k + 1) / k
    charged = np.meshgrid(prices, prices, indexing="ij", sparse=True)
    low = reduce(np.minimum, charged)
    payoffs = [low * (1.0 - low) * share for share in shares(charged, low)]

    def both_charge(price: float) -> Benchmark:
        """Return the outcome in which both firms charge the same price."""
        half = np.full(2, (1.0 - price) / 2.0)
        return Benchmark(np.full(2, price), half, price * half)

    stage = PricingGame(
        payoffs,
        (prices, prices),
        both_charge(0.0),  # firms undercut each other down to the cost
        both_charge(0.5),  # maximises price (1 - price)
        name="sequential pricing",
        source="Klein (2021), RAND Journal of Economics 52:538-558",
    )
    return AlternatingGame(stage, discount, start)
