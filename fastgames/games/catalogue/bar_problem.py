"""Wolpert and Tumer's bar problem: agents choose a night, and crowds spoil it for the team."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games.procedural import ProceduralGame, saved_by_name
from fastgames.rules.exponential import exp

from ._declaration import catalogued

_REWARDS = ("team", "difference", "own")
_DOMAINS = {
    "agents": "[2, 32768)",
    "nights": "[2, 1024]",
    "capacity": "[1e-3, 1e6]",
}


@catalogued(
    "Bar problem",
    domains=_DOMAINS,
    formula=r"G = \sum_{k} x_k\, e^{-x_k / c}, \qquad D_i = x_k e^{-x_k / c} - (x_k - 1)"
    r" e^{-(x_k - 1) / c} \text{ on the agent's night } k",
)
@saved_by_name
def bar_problem(
    agents: int = 100,
    nights: int = 7,
    capacity: float = 6.0,
    *,
    rewards: str = "team",
    discount: float = 0.0,
) -> ProceduralGame:
    """Return the bar problem, in which each agent attends a bar on one night of the week.

    Every week, all agents choose a night simultaneously. If x_k agents attend on night k, each of
    them enjoys exp(-x_k / capacity), and the team gets G = sum_k x_k exp(-x_k / capacity). There
    are more agents than the nights hold, so at the optimum most of them crowd one night and leave
    the other nights to few.

    Parameters
    ----------
    agents : int
        Number of agents N, in [2, 32768).
    nights : int
        Number of nights K, in [2, 1024].
    capacity : float
        Number c of agents at which a night is worth most, in [1e-3, 1e6].
    rewards : str
        Reward of an agent that attends on night k: "team", G; "own", its enjoyment exp(-x_k /
        capacity); or "difference", G minus the G of the same week in which this agent stays at
        home, which is phi(x_k) - phi(x_k - 1) with phi(x) = x exp(-x / capacity).
    discount : float
        Discount factor per week, in [0, 1). The default is 0, because no action of one agent
        changes its future options.

    Returns
    -------
    ProceduralGame
        A game with actions "0" to "K-1", the nights. The state has the attendance x_k of every
        night of the last week, so ``result.states`` gives G, whatever the rewards are; agents
        observe nothing. The game uses no random words, and its episodes do not end.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    With 100 agents, 7 nights and a capacity of 6, G is at most 13.2452 (six nights of 6, one of
    64). It is 9.246 if the nights are attended evenly, to which an agent's own enjoyment leads, and
    9.423 on average if all choose uniformly at random. The team's reward tells an agent little of
    its own night, because 99 others change it too; the difference reward is its own part of it.

    The difference reward is that of `fastgames.difference_rewards` with staying at home as default,
    which is not an action of this game.

    Source: Wolpert & Tumer (2001), Optimal payoff functions for members of collectives, Advances in
    Complex Systems 4, 265-279; a variant of Arthur's (1994) El Farol problem.

    Examples
    --------
    >>> game = bar_problem(rewards="difference")
    >>> game.num_agents, game.num_actions[0], game.state_size
    (100, 7, 7)
    """
    agents = checks.whole("agents", agents, _DOMAINS["agents"])
    nights = checks.whole("nights", nights, _DOMAINS["nights"])
    capacity = checks.real("capacity", capacity, _DOMAINS["capacity"])
    checks.one_of("rewards", rewards, _REWARDS)
    discount = checks.real("discount", discount, "[0, 1)")
    enjoyed = np.array([exp(-x / capacity, np.float64) for x in range(agents + 1)])
    worth = np.arange(agents + 1) * enjoyed  # what a night adds to G
    added = np.append(0.0, worth[1:] - worth[:-1])  # what one of those that attend adds
    paid = {"difference": added, "own": enjoyed}.get(rewards, worth)
    largest = float(np.abs(paid).max()) * (nights if rewards == "team" else 1)

    def start(state: Any, words: Any) -> None:
        for k in range(nights):
            state[k] = 0

    def observe(state: Any, agent: int) -> int:
        return 0

    def step_of_team(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        count(state, actions)
        team = 0.0
        for k in range(nights):
            team += paid[state[k]]
        for i in range(agents):
            rewards[i] = team
        return False

    def step_of_each(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        count(state, actions)
        for i in range(agents):
            rewards[i] = paid[state[actions[i]]]
        return False

    def count(state: Any, actions: Any) -> None:
        for k in range(nights):
            state[k] = 0
        for i in range(agents):
            state[actions[i]] += 1

    return ProceduralGame(
        start,
        step_of_team if rewards == "team" else step_of_each,
        observe,
        num_actions=[nights] * agents,
        num_observations=[1] * agents,
        state_size=nights,
        state_bounds=[(0, agents)] * nights,
        discount=discount,
        largest_reward=largest,
        name=f"bar problem, {rewards} rewards",
        source="Wolpert & Tumer (2001), Advances in Complex Systems 4:265-279",
    )
