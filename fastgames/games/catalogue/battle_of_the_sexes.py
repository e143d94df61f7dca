"""The battle of the sexes (Bach or Stravinsky): coordination with opposed preferences."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued


@catalogued("Battle of the sexes")
def battle_of_the_sexes() -> MatrixGame:
    """Return the battle of the sexes (Bach or Stravinsky): coordination with opposed preferences.

    Agent 0 prefers Bach, agent 1 prefers Stravinsky, and both prefer either concert together to
    different concerts.

    Returns
    -------
    MatrixGame
        Payoffs (2, 2, 2), actions bach, stravinsky; mixed.

    Notes
    -----
    Equilibria: both go to Bach (2, 1), both go to Stravinsky (1, 2), and agent 0 plays
    (2/3, 1/3) while agent 1 plays (1/3, 2/3), for 2/3 each.

    Source: Osborne & Rubinstein (1994), A Course in Game Theory, Example 15.3.

    Examples
    --------
    >>> battle_of_the_sexes().pure_equilibria()
    [(0, 0), (1, 1)]
    """
    return MatrixGame(
        [[[2, 0], [0, 1]], [[1, 0], [0, 2]]],
        name="battle of the sexes",
        actions=[("bach", "stravinsky")] * 2,
        source="Osborne & Rubinstein (1994), A Course in Game Theory, Example 15.3",
    )
