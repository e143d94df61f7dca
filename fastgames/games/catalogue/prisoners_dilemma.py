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
    reward : float
        Payoff R of both agents if both cooperate, below temptation.
    sucker : float
        Payoff S of an agent that cooperates alone, below punishment.
    temptation : float
        Payoff T of an agent that defects alone, the largest payoff.
    punishment : float
        Payoff P of both agents if both defect, below reward.

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
        If a parameter is not finite, or unless temptation > reward > punishment > sucker.

    Notes
    -----
    Equilibria: one, in dominant actions: both defect. The condition 2R > T + S, by which
    alternating does not beat cooperating, concerns the iterated game only and is not checked.

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
