"""Catalogue of well-known matrix games, with the payoffs of the cited sources.

Tables are written for agent 0: rows are its own actions, columns those of agent 1. The table of
agent 1 has the same orientation. The three helpers at the end derive it for symmetric, zero-sum and
shared-payoff games, since a transposed second table is a common mistake.
"""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

from fastgames.games._tables import FloatArray
from fastgames.games.matrix import MatrixGame

_MAX_ACTIONS = 4096  # limit of coordination(), which makes a table of 256 MiB
_MAX_AGENTS = 20  # limit of public_goods(), which makes a table of 160 MiB


def matching_pennies() -> MatrixGame:
    """Return matching pennies: agent 0 wins if the coins match, agent 1 if they differ.

    Returns
    -------
    MatrixGame
        Payoffs (2, 2, 2), actions heads, tails; competitive.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: both play (1/2, 1/2); its value is 0.

    Source: Bowling & Veloso (2002), Multiagent learning using a variable learning rate,
    Artificial Intelligence 136, Table 1(a); also Osborne & Rubinstein (1994), A Course in Game
    Theory, Example 17.1.

    Examples
    --------
    >>> matching_pennies().payoffs[0]
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    return MatrixGame(
        _zero_sum([[1, -1], [-1, 1]]),
        name="matching pennies",
        actions=[("heads", "tails")] * 2,
        source="Bowling & Veloso (2002), Artificial Intelligence 136:215-250, Table 1(a)",
    )


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
        _zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
        name="rock-paper-scissors",
        actions=[("rock", "paper", "scissors")] * 2,
        source="Bowling & Veloso (2002), Artificial Intelligence 136:215-250, Table 1(b)",
    )


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
        _zero_sum([[0, -25, 50], [25, 0, -5], [-50, 5, 0]]),
        name="biased rock-paper-scissors",
        actions=[("rock", "paper", "scissors")] * 2,
        source="Bošanský et al. (2016), Artificial Intelligence 237:1-40, Figure 7",
    )


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
    r = _real("reward", reward)
    s = _real("sucker", sucker)
    t = _real("temptation", temptation)
    p = _real("punishment", punishment)
    if not t > r > p > s:
        raise ValueError(
            "temptation, reward, punishment and sucker must be in descending order, "
            f"got {t}, {r}, {p} and {s}"
        )
    return MatrixGame(
        _symmetric([[r, s], [t, p]]),
        name="prisoner's dilemma",
        actions=[("cooperate", "defect")] * 2,
        source="Axelrod (1984), The Evolution of Cooperation, ch. 1, Figure 1",
    )


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
        _symmetric([[2, 0], [1, 1]]),
        name="stag hunt",
        actions=[("stag", "hare")] * 2,
        source="Osborne (2004), An Introduction to Game Theory, section 2.5",
    )


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
        _symmetric([[3, 1], [4, 0]]),
        name="chicken",
        actions=[("swerve", "straight")] * 2,
        source="Osborne & Rubinstein (1994), A Course in Game Theory, Example 16.3",
    )


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
    count = _integer("actions", actions, 2, _MAX_ACTIONS)
    return MatrixGame(
        _shared(np.eye(count)),
        name="coordination",
        source="Lewis (1969), Convention, ch. I",
    )


def climbing() -> MatrixGame:
    """Return the climbing game: the best joint action borders on the worst ones.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions a, b, c, one table for both agents; cooperative.

    Notes
    -----
    Equilibria: (a, a) for 11, (b, b) for 7, and both play (5/16, 0, 11/16) for 55/16. Independent
    learners tend to reach (c, c), which is not an equilibrium: agent 0 gains by changing to b.

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative
    multiagent systems, AAAI-98, 746-752; the table is as printed, with agent 0's actions as rows.

    Examples
    --------
    >>> climbing().payoffs[0]
    array([[ 11., -30.,   0.],
           [-30.,   7.,   6.],
           [  0.,   0.,   5.]])
    """
    return MatrixGame(
        _shared([[11, -30, 0], [-30, 7, 6], [0, 0, 5]]),
        name="climbing",
        actions=[("a", "b", "c")] * 2,
        source="Claus & Boutilier (1998), AAAI-98, 746-752",
    )


def penalty(k: float = -100.0) -> MatrixGame:
    """Return the penalty game: two best joint actions, and a penalty for mixing them up.

    Parameters
    ----------
    k : float
        Payoff of both agents for (a, c) and (c, a), finite, at most 0.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3), actions a, b, c, one table for both agents; cooperative.

    Raises
    ------
    TypeError
        If k is not a real number.
    ValueError
        If k is not finite or is above 0.

    Notes
    -----
    Equilibria: (a, a) and (c, c) for 10, (b, b) for 2, both play (1/6, 5/6, 0), both play
    (0, 5/6, 1/6). With k >= -10 also both play (1/2, 0, 1/2), and with k > -10 both play
    (2, 10 + k, 2) / (14 + k).

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative
    multiagent systems, AAAI-98, 746-752.

    Examples
    --------
    >>> penalty(k=-10).payoffs[0]
    array([[ 10.,   0., -10.],
           [  0.,   2.,   0.],
           [-10.,   0.,  10.]])
    """
    k = _real("k", k)
    if k > 0.0:
        raise ValueError(f"k must be at most 0, got {k}")
    return MatrixGame(
        _shared([[10, 0, k], [0, 2, 0], [k, 0, 10]]),
        name="penalty",
        actions=[("a", "b", "c")] * 2,
        source="Claus & Boutilier (1998), AAAI-98, 746-752",
    )


def shapley() -> MatrixGame:
    """Return Shapley's game, in which fictitious play runs through ever longer cycles.

    Agent 0 gets 1 if it plays the action of agent 1. Agent 1 gets 1 if its action is that of
    agent 0 plus 1, modulo 3. All other payoffs are 0.

    Returns
    -------
    MatrixGame
        Payoffs (2, 3, 3); mixed.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: both play (1/3, 1/3, 1/3), for 1/3
    each.

    Source: Shapley (1964), Some topics in two-person games, Advances in Game Theory (Annals of
    Mathematics Studies 52), 1-28; this table is the case beta = 0 of Sparrow, van Strien & Harris
    (2008), Games and Economic Behavior 63, 259-291.

    Examples
    --------
    >>> shapley().payoffs[1]
    array([[0., 1., 0.],
           [0., 0., 1.],
           [1., 0., 0.]])
    """
    one_ahead = np.roll(np.eye(3), 1, axis=1)  # action j pays agent 1 against i if j = i + 1 mod 3
    return MatrixGame(
        [np.eye(3), one_ahead],
        name="Shapley's game",
        source="Shapley (1964), Some topics in two-person games",
    )


def jordan() -> MatrixGame:
    """Return Jordan's game, three-player matching pennies.

    Agent 0 wins if it matches agent 1, agent 1 if it matches agent 2, agent 2 if it differs from
    agent 0. An agent gets 1 if it wins, else -1. Fictitious play does not converge in this game.

    Returns
    -------
    MatrixGame
        Payoffs (3, 2, 2, 2), actions heads, tails; mixed.

    Notes
    -----
    Equilibria: none in pure actions; one in mixed policies: all play (1/2, 1/2), for 0 each.

    Source: Jordan (1993), Three problems in learning mixed-strategy Nash equilibria, Games and
    Economic Behavior 5, 368-386; payoffs as in Bowling & Veloso (2002), Artificial Intelligence
    136, Table 7.

    Examples
    --------
    >>> jordan().payoffs[:, 0, 0, 1]  # agent 2 differs from both others
    array([ 1., -1.,  1.])
    """
    a0, a1, a2 = np.indices((2, 2, 2))
    wins = np.stack([a0 == a1, a1 == a2, a2 != a0])
    return MatrixGame(
        np.where(wins, 1.0, -1.0),
        name="Jordan's game",
        actions=[("heads", "tails")] * 3,
        source="Jordan (1993), Games and Economic Behavior 5:368-386; payoffs as in Bowling & "
        "Veloso (2002), Artificial Intelligence 136:215-250, Table 7",
    )


def public_goods(agents: int = 4, factor: float = 1.6, endowment: float = 1.0) -> MatrixGame:
    """Return the linear public goods game, in which each agent contributes everything or nothing.

    The contributions are multiplied by the factor and shared equally among all agents, whether they
    contributed or not: agent i gets endowment · (1 if it keeps, else 0) + factor · (contributions)
    / agents.

    Parameters
    ----------
    agents : int
        Number of agents, in [2, 20]. The table has agents · 2**agents payoffs.
    factor : float
        In (1, agents): the group gains more by a contribution than it costs, its contributor less.
    endowment : float
        Endowment of every agent, finite and above 0.

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
    agents = _integer("agents", agents, 2, _MAX_AGENTS)
    factor = _real("factor", factor)
    if not 1.0 < factor < agents:
        raise ValueError(f"factor must be in (1, {agents}) for {agents} agents, got {factor}")
    endowment = _real("endowment", endowment)
    if endowment <= 0.0:
        raise ValueError(f"endowment must be above 0, got {endowment}")
    keeps = np.indices((2,) * agents)  # keeps[i] is 1 where agent i keeps
    contributions = agents - keeps.sum(axis=0)
    return MatrixGame(
        endowment * (keeps + factor * contributions / agents),
        name="public goods",
        actions=[("contribute", "keep")] * agents,
        source="Fehr & Gächter (2000), American Economic Review 90:980-994, equation (1)",
    )


def _symmetric(table: list[list[float]]) -> FloatArray:
    """Return payoffs in which agent 1 gets for (i, j) the payoff of agent 0 for (j, i)."""
    own = np.array(table, dtype=np.float64)
    return np.stack([own, own.T])


def _zero_sum(table: list[list[float]]) -> FloatArray:
    """Return payoffs in which agent 1 pays the payoff of agent 0."""
    own = np.array(table, dtype=np.float64)
    return np.stack([own, 0.0 - own])  # -own would turn 0 into -0


def _shared(table: list[list[float]] | FloatArray) -> FloatArray:
    """Return payoffs in which both agents get the same."""
    own = np.array(table, dtype=np.float64)
    return np.stack([own, own])


def _real(argument: str, value: object) -> float:
    """Return the value as a finite float, else raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} must be a real number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # the int exceeds float64
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{argument} must be finite, got {number}")
    return number


def _integer(argument: str, value: object, low: int, high: int) -> int:
    """Return the value as an int in [low, high], else raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{argument} must be an int, got {value!r}")
    number = int(value)
    if not low <= number <= high:
        raise ValueError(f"{argument} must be in [{low}, {high}], got {number}")
    return number
