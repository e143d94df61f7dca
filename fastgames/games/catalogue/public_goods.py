"""The linear public goods game, in which each agent contributes everything or nothing."""

from __future__ import annotations

import numpy as np

from fastgames._common import checks
from fastgames.games.matrix import MatrixGame

from ._declaration import catalogued

_DOMAINS = {"agents": "[2, 20]", "endowment": "(0, inf)"}


@catalogued(
    "Public goods",
    domains=_DOMAINS,
    formula=r"u_i = e\,\mathbf{1}[i \text{ keeps}] + \frac{\text{factor}}{N}\,"
    r"\sum_j e\,\mathbf{1}[j \text{ contributes}]",
)
def public_goods(agents: int = 4, factor: float = 1.6, endowment: float = 1.0) -> MatrixGame:
    """Return the linear public goods game, in which each agent contributes or keeps its endowment.

    The contributions are multiplied by the factor and shared equally among all agents, whether they
    contributed or not: agent i gets endowment · (1 if it keeps, else 0) + factor · (contributions)
    / agents.

    Parameters
    ----------
    agents : int
        Number of agents, in [2, 20]. The table has agents · 2**agents payoffs.
    factor : float
        Multiplier of the contributions, in (1, agents). The group gains more from a contribution
        than it costs, its contributor gains less.
    endowment : float
        Endowment of every agent, in (0, inf).

    Returns
    -------
    MatrixGame
        Payoffs (agents, 2, ..., 2), actions contribute, keep; mixed.

    Raises
    ------
    TypeError
        If agents is not an int, or factor or endowment not a real number.
    ValueError
        If a parameter is outside its domain.

    Notes
    -----
    Equilibria: one, in dominant actions: all keep. All agents would be better off if all
    contributed. With two agents the game is a prisoner's dilemma.

    Source: Fehr & Gächter (2000), Cooperation and punishment in public goods experiments,
    American Economic Review 90, equation (1), with groups of 4 members and a marginal return
    factor / agents of 0.4. In the source an agent may contribute any part of 20.

    Examples
    --------
    >>> game = public_goods(agents=2, factor=1.5)
    >>> game.payoffs[:, 0, 1]  # agent 0 contributes, agent 1 keeps
    array([0.75, 1.75])
    """
    agents = checks.whole("agents", agents, _DOMAINS["agents"])
    try:
        factor = checks.real("factor", factor, f"(1, {agents})")
    except ValueError as error:
        raise ValueError(f"{error} with {agents} agents") from None
    endowment = checks.real("endowment", endowment, _DOMAINS["endowment"])
    keeps = np.indices((2,) * agents)  # keeps[i] is 1 where agent i keeps
    contributions = agents - keeps.sum(axis=0)
    return MatrixGame(
        endowment * (keeps + factor * contributions / agents),
        name="public goods",
        actions=[("contribute", "keep")] * agents,
        source="Fehr & Gächter (2000), American Economic Review 90:980-994, equation (1)",
    )
