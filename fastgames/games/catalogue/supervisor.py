"""One agent whose reward a supervisor changes now and then."""

from __future__ import annotations

import numpy as np

from fastgames._common import checks
from fastgames.games.markov import MarkovGame

from ._declaration import catalogued

_DOMAINS = {"num_actions": "[2, 100]", "change": "[0, 1]"}


@catalogued(
    "Supervisor",
    domains=_DOMAINS,
    formula=r"r = \begin{cases} 1 & \text{the supervisor rewards the agent's action} \\ 0 &"
    r" \text{else} \end{cases}",
)
def supervisor(num_actions: int = 2, change: float = 0.001, *, discount: float = 0.0) -> MarkovGame:
    """Return the game of one agent whose reward a supervisor changes now and then.

    In each step the supervisor rewards one action, which the agent does not observe: it pays 1, and
    all others pay 0. After the step the supervisor changes its mind with probability `change`, and
    then rewards one of the other actions, each with the same probability.

    Parameters
    ----------
    num_actions : int
        Number of actions A, in [2, 100].
    change : float
        Probability of a change after a step, in [0, 1].
    discount : float
        Discount factor per step, in [0, 1). The default is 0, because no action changes the future.

    Returns
    -------
    MarkovGame
        A game of one agent and A states, the action that is rewarded; the first is action 0. The
        agent has one observation.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The supervisor does not learn and does not respond to the agent, so there is no second agent:
    the reward is not stationary for another reason than in a game. With 2 actions, an agent that
    always plays the action that paid last time, or changes after a 0, is paid with probability
    1 - change; an agent that ignores rewards is paid with probability 1/2.

    Source: this project's own (2026); a bandit whose best arm changes at random times, as in
    Garivier & Moulines (2011), On upper-confidence bound policies for switching bandit problems.

    Examples
    --------
    >>> game = supervisor()
    >>> game.num_agents, game.num_observations, game.rewards[0, 1]
    (1, (1,), array([0., 1.]))
    """
    count = checks.whole("num_actions", num_actions, _DOMAINS["num_actions"])
    change = checks.real("change", change, _DOMAINS["change"])
    discount = checks.real("discount", discount, "[0, 1)")
    to = np.full((count, count), change / (count - 1))
    np.fill_diagonal(to, 1.0 - change)
    return MarkovGame(
        np.eye(count)[None],
        np.repeat(to[:, None], count, axis=1),
        discount,
        observations=np.zeros((1, count), np.int64),
        name="supervisor",
        source="this project's own (2026)",
    )
