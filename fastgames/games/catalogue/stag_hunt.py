"""The stag hunt: hunting a stag takes both agents, hunting a hare takes one."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import symmetric


@catalogued("Stag hunt")
def stag_hunt() -> MatrixGame:
    """Return the stag hunt: hunting a stag takes both agents, hunting a hare takes one.

    Returns
    -------
    MatrixGame
        Payoffs (2, 2, 2), actions stag, hare; mixed.

    Notes
    -----
    Equilibria: both hunt the stag (2 each, payoff dominant), both hunt the hare (1 each, the safer
    choice), and both play (1/2, 1/2).

    Source: Osborne (2004), An Introduction to Game Theory, section 2.5, for two hunters. The
    story is from Rousseau (1755), Discourse on Inequality, part II; Skyrms (2004), The Stag Hunt
    and the Evolution of Social Structure, uses it as a model of the social contract.

    Examples
    --------
    >>> stag_hunt().pure_equilibria()
    [(0, 0), (1, 1)]
    """
    return MatrixGame(
        symmetric([[2, 0], [1, 1]]),
        name="stag hunt",
        actions=[("stag", "hare")] * 2,
        source="Osborne (2004), An Introduction to Game Theory, section 2.5",
    )
