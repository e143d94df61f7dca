"""The prisoner's dilemma: defecting is dominant, but mutual defection is worse for both."""

from __future__ import annotations

from fastgames._common import checks
from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued
from ._payoffs import symmetric


@catalogued("Prisoner's dilemma")
def prisoners_dilemma(
    reward: float = 3.0, sucker: float = 0.0, temptation: float = 5.0, punishment: float = 1.0
) -> MatrixGame:
    """Return the prisoner's dilemma: defecting is dominant, but mutual defection is worse for both.

    Parameters
    ----------
    reward, sucker, temptation, punishment : float
        R is paid to both if both cooperate, P to both if both defect, T to an agent that defects
        alone, S to the other. All are finite and temptation > reward > punishment > sucker. (The
        condition 2R > T + S, by which alternating does not beat cooperating, concerns the iterated
        game only and is not checked.)

    Returns
    -------
    MatrixGame
        Payoffs (2, 2, 2), actions cooperate, defect; mixed (T > S rules out cooperative, R > P
        rules out competitive).

    Raises
    ------
    TypeError
        If a parameter is not a real number.
    ValueError
        If a parameter is not finite, or the parameters are not in that order.

    Notes
    -----
    Equilibria: one, in dominant actions: both defect.

    Source: Axelrod (1984), The Evolution of Cooperation, ch. 1, Figure 1 (p. 8).

    Examples
    --------
    >>> prisoners_dilemma().payoffs[:, 0, 1]  # agent 0 cooperates, agent 1 defects
    array([0., 5.])
    """
    r = checks.real("reward", reward)
    s = checks.real("sucker", sucker)
    t = checks.real("temptation", temptation)
    p = checks.real("punishment", punishment)
    if not t > r > p > s:
        raise ValueError(
            "temptation, reward, punishment and sucker must be in descending order, "
            f"got {t}, {r}, {p} and {s}"
        )
    return MatrixGame(
        symmetric([[r, s], [t, p]]),
        name="prisoner's dilemma",
        actions=[("cooperate", "defect")] * 2,
        source="Axelrod (1984), The Evolution of Cooperation, ch. 1, Figure 1",
    )
