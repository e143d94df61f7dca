"""The penalty game: two best joint actions, and a penalty for mixing them up."""

from __future__ import annotations

from fastgames._common import checks
from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import shared

_DOMAINS = {"k": "(-inf, 0]"}


@catalogued("Penalty", domains=_DOMAINS)
def penalty(k: float = -100.0) -> MatrixGame:
    """Return the penalty game: two best joint actions, and a penalty for mixing them up.

    Parameters
    ----------
    k : float
        Payoff of both agents for (a, c) and (c, a), in (-inf, 0].

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions a, b, c, one table for both agents; cooperative.

    Raises
    ------
    TypeError
        If k is not a real number.
    ValueError
        If k is outside its domain.

    Notes
    -----
    Equilibria: (a, a) and (c, c) for 10, (b, b) for 2, both play (1/6, 5/6, 0), both play
    (0, 5/6, 1/6). With k >= -10 also both play (1/2, 0, 1/2), and with k > -10 both play
    (2, 10 + k, 2) / (14 + k).

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative
    multiagent systems, AAAI-98, 746-752.

    Examples
    --------
    >>> penalty(k=-10).payoffs[0]
    array([[ 10.,   0., -10.],
           [  0.,   2.,   0.],
           [-10.,   0.,  10.]])
    """
    k = checks.real("k", k, _DOMAINS["k"])
    return MatrixGame(
        shared([[10, 0, k], [0, 2, 0], [k, 0, 10]]),
        name="penalty",
        actions=[("a", "b", "c")] * 2,
        source="Claus & Boutilier (1998), AAAI-98, 746-752",
    )
