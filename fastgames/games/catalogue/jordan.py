"""Jordan's game, three-player matching pennies."""

from __future__ import annotations

import numpy as np

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued


@catalogued("Jordan's game")
def jordan() -> MatrixGame:
    """Return Jordan's game, three-player matching pennies.

    Agent 0 wins if it matches agent 1, agent 1 if it matches agent 2, agent 2 if it differs from
    agent 0. An agent gets 1 if it wins, else -1. Fictitious play does not converge in this game.

    Returns
    -------
    MatrixGame
        Payoffs (3, 2, 2, 2), actions heads, tails; mixed.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: all play (1/2, 1/2), for 0 each.

    Source: Jordan (1993), Three problems in learning mixed-strategy Nash equilibria, Games and
    Economic Behavior 5, 368-386; payoffs as in Bowling & Veloso (2002), Artificial Intelligence
    136, Table 7.

    Examples
    --------
    >>> jordan().payoffs[:, 0, 0, 1]  # agent 2 differs from both others
    array([ 1., -1.,  1.])
    """
    a0, a1, a2 = np.indices((2, 2, 2))
    wins = np.stack([a0 == a1, a1 == a2, a2 != a0])
    return MatrixGame(
        np.where(wins, 1.0, -1.0),
        name="Jordan's game",
        actions=[("heads", "tails")] * 3,
        source="Jordan (1993), Games and Economic Behavior 5:368-386; payoffs as in Bowling & "
        "Veloso (2002), Artificial Intelligence 136:215-250, Table 7",
    )
