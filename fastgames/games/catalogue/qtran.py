"""The QTRAN game: its best joint action is out of reach of a monotonic mixture of values."""

from __future__ import annotations

from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import shared


@catalogued("QTRAN game")
def qtran() -> MatrixGame:
    """Return the QTRAN game: the best joint action borders on the worst ones, the others are equal.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions A, B, C, one table for both agents; cooperative.

    Notes
    -----
    Equilibria: (A, A) for 8, all profiles without A for 0, and those in which both play A with
    probability 3/8 for -9/2. The table is not monotonic: A is the best action of an agent if the
    other plays A, and the worst one otherwise. So `VDN` and `QMIX` cannot represent it.

    If all joint actions are equally likely, the best fit by a sum of two values is -56/9 for
    (A, A), -44/9 for the other joint actions with A, and -32/9 for those without A. The best
    monotonic fit that ranks A last is -8 for the joint actions with A, and 0 for the others.

    Source: Son, Kim, Kang, Hostallero & Yi (2019), QTRAN: Learning to factorize with
    transformation for cooperative multi-agent reinforcement learning, ICML, Table 1.

    Examples
    --------
    >>> qtran().payoffs[0]
    array([[  8., -12., -12.],
           [-12.,   0.,   0.],
           [-12.,   0.,   0.]])
    """
    return MatrixGame(
        shared([[8, -12, -12], [-12, 0, 0], [-12, 0, 0]]),
        name="qtran",
        actions=[("A", "B", "C")] * 2,
        source="Son et al. (2019), QTRAN, ICML, Table 1",
    )
