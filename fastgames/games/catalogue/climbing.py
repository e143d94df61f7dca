"""The climbing game: the best joint action borders on the worst ones."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import shared


@catalogued("Climbing")
def climbing() -> MatrixGame:
    """Return the climbing game: the best joint action borders on the worst ones.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions a, b, c, one table for both agents; cooperative.

    Notes
    -----
    Equilibria: (a, a) for 11, (b, b) for 7, and both play (5/16, 0, 11/16) for 55/16. Independent
    learners tend to reach (c, c), which is not an equilibrium: agent 0 gains by changing to b.

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative
    multiagent systems, AAAI-98, 746-752; the table is as printed, with agent 0's actions as rows.

    Examples
    --------
    >>> climbing().payoffs[0]
    array([[ 11., -30.,   0.],
           [-30.,   7.,   6.],
           [  0.,   0.,   5.]])
    """
    return MatrixGame(
        shared([[11, -30, 0], [-30, 7, 6], [0, 0, 5]]),
        name="climbing",
        actions=[("a", "b", "c")] * 2,
        source="Claus & Boutilier (1998), AAAI-98, 746-752",
    )
