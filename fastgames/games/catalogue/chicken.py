"""Chicken (hawk-dove): each agent prefers to go straight, unless the other does."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import symmetric


@catalogued("Chicken")
def chicken() -> MatrixGame:
    """Return chicken (hawk-dove): each agent prefers to go straight, unless the other does.

    Returns
    -------
    MatrixGame
        Payoffs (2, 2, 2), actions swerve (dove), straight (hawk); mixed.

    Notes
    -----
    Equilibria: one agent swerves and the other goes straight (two equilibria), and both play
    (1/2, 1/2).

    Source: Osborne & Rubinstein (1994), A Course in Game Theory, Example 16.3, Figure 17.2
    (Hawk-Dove).

    Examples
    --------
    >>> chicken().pure_equilibria()
    [(0, 1), (1, 0)]
    """
    return MatrixGame(
        symmetric([[3, 1], [4, 0]]),
        name="chicken",
        actions=[("swerve", "straight")] * 2,
        source="Osborne & Rubinstein (1994), A Course in Game Theory, Example 16.3",
    )
