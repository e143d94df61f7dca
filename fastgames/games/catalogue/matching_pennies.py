"""Matching pennies: agent 0 wins if the coins match, agent 1 if they differ."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import zero_sum


@catalogued("Matching pennies")
def matching_pennies() -> MatrixGame:
    """Return matching pennies: agent 0 wins if the coins match, agent 1 if they differ.

    Returns
    -------
    MatrixGame
        Payoffs (2, 2, 2), actions heads, tails; competitive.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: both play (1/2, 1/2); its value is 0.

    Source: Bowling & Veloso (2002), Multiagent learning using a variable learning rate,
    Artificial Intelligence 136, Table 1(a); also Osborne & Rubinstein (1994), A Course in Game
    Theory, Example 17.1.

    Examples
    --------
    >>> matching_pennies().payoffs[0]
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    return MatrixGame(
        zero_sum([[1, -1], [-1, 1]]),
        name="matching pennies",
        actions=[("heads", "tails")] * 2,
        source="Bowling & Veloso (2002), Artificial Intelligence 136:215-250, Table 1(a)",
    )
