"""Shapley's game, in which fictitious play runs through ever longer cycles."""

from __future__ import annotations

import numpy as np

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued


@catalogued("Shapley's game")
def shapley() -> MatrixGame:
    """Return Shapley's game, in which fictitious play runs through ever longer cycles.

    Agent 0 gets 1 if it plays the action of agent 1. Agent 1 gets 1 if its action is that of
    agent 0 plus 1, modulo 3. All other payoffs are 0.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3); mixed.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: both play (1/3, 1/3, 1/3), for 1/3
    each.

    Source: Shapley (1964), Some topics in two-person games, Advances in Game Theory (Annals of
    Mathematics Studies 52), 1-28; this table is the case beta = 0 of Sparrow, van Strien & Harris
    (2008), Games and Economic Behavior 63, 259-291.

    Examples
    --------
    >>> shapley().payoffs[1]
    array([[0., 1., 0.],
           [0., 0., 1.],
           [1., 0., 0.]])
    """
    one_ahead = np.roll(np.eye(3), 1, axis=1)  # action j pays agent 1 against i if j = i + 1 mod 3
    return MatrixGame(
        [np.eye(3), one_ahead],
        name="Shapley's game",
        source="Shapley (1964), Some topics in two-person games",
    )
