"""Rock-paper-scissors with a different prize for every winning action."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import zero_sum


@catalogued("Biased rock-paper-scissors")
def biased_rock_paper_scissors() -> MatrixGame:
    """Return rock-paper-scissors with a different prize for every winning action.

    Paper takes 25 from rock, rock 50 from scissors, scissors 5 from paper.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions rock, paper, scissors; competitive.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: both play (1/16, 10/16, 5/16); its
    value is 0.

    Source: Bošanský, Lisý, Lanctot, Čermák & Winands (2016), Algorithms for computing strategies
    in two-player simultaneous move games, Artificial Intelligence 237, Figure 7.

    Examples
    --------
    >>> game = biased_rock_paper_scissors()
    >>> game.exploitability([[1 / 16, 10 / 16, 5 / 16]] * 2)
    0.0
    """
    return MatrixGame(
        zero_sum([[0, -25, 50], [25, 0, -5], [-50, 5, 0]]),
        name="biased rock-paper-scissors",
        actions=[("rock", "paper", "scissors")] * 2,
        source="Bošanský et al. (2016), Artificial Intelligence 237:1-40, Figure 7",
    )
