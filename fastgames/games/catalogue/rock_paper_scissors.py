"""Rock-paper-scissors: the winner takes 1 from the loser."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import zero_sum


@catalogued("Rock-paper-scissors")
def rock_paper_scissors() -> MatrixGame:
    """Return rock-paper-scissors: the winner takes 1 from the loser.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions rock, paper, scissors; competitive.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: both play (1/3, 1/3, 1/3); its value
    is 0.

    Source: Bowling & Veloso (2002), Multiagent learning using a variable learning rate,
    Artificial Intelligence 136, Table 1(b).

    Examples
    --------
    >>> rock_paper_scissors().payoffs[0]
    array([[ 0., -1.,  1.],
           [ 1.,  0., -1.],
           [-1.,  1.,  0.]])
    """
    return MatrixGame(
        zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
        name="rock-paper-scissors",
        actions=[("rock", "paper", "scissors")] * 2,
        source="Bowling & Veloso (2002), Artificial Intelligence 136:215-250, Table 1(b)",
    )
