"""The pure coordination game: both get 1 for the same action, 0 otherwise."""

from __future__ import annotations

import numpy as np

from fastgames._common import checks
from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import shared

_DOMAINS = {"actions": "[2, 4096]"}  # 4,096 actions make a table of 256 MiB


@catalogued("Coordination", domains=_DOMAINS)
def coordination(actions: int = 2) -> MatrixGame:
    """Return the pure coordination game: both get 1 for the same action, 0 otherwise.

    Parameters
    ----------
    actions : int
        Number of actions, in [2, 4096].

    Returns
    -------
    MatrixGame
        Payoffs (2, actions, actions); cooperative.

    Raises
    ------
    TypeError
        If actions is not an int.
    ValueError
        If actions is outside its domain.

    Notes
    -----
    Equilibria: both play the same action, or both play the same k actions with probability 1/k
    each: 2**actions - 1 equilibria in total.

    Source: Lewis (1969), Convention, ch. I (pure coordination); Schelling (1960), The Strategy of
    Conflict, ch. 4.

    Examples
    --------
    >>> coordination(3).pure_equilibria()
    [(0, 0), (1, 1), (2, 2)]
    """
    count = checks.whole("actions", actions, _DOMAINS["actions"])
    return MatrixGame(
        shared(np.eye(count)),
        name="coordination",
        source="Lewis (1969), Convention, ch. I",
    )
