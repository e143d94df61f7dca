"""The climbing game with random payoffs, whose means are those of the climbing game."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games.procedural import ProceduralGame, saved_by_name
from fastgames.rules.chance import coin

from ._declaration import catalogued

_PAYOFFS = {  # the two payoffs of every joint action, each with probability 1/2
    "partial": (
        [[11.0, -30.0, 0.0], [-30.0, 14.0, 6.0], [0.0, 0.0, 5.0]],
        [[11.0, -30.0, 0.0], [-30.0, 0.0, 6.0], [0.0, 0.0, 5.0]],
    ),
    "full": (
        [[10.0, 5.0, 8.0], [5.0, 14.0, 12.0], [8.0, 12.0, 10.0]],
        [[12.0, -65.0, -8.0], [-65.0, 0.0, 0.0], [-8.0, 0.0, 0.0]],
    ),
}


@catalogued(
    "Noisy climbing",
    formula=r"\text{partial: } \begin{pmatrix} 11 & -30 & 0 \\ -30 & 14/0 & 6 \\ 0 & 0 & 5"
    r" \end{pmatrix} \qquad \text{full: } \begin{pmatrix} 10/12 & 5/{-65} & 8/{-8} \\ 5/{-65} &"
    r" 14/0 & 12/0 \\ 8/{-8} & 12/0 & 10/0 \end{pmatrix}",
)
@saved_by_name
def noisy_climbing(noise: str = "partial") -> ProceduralGame:
    """Return the climbing game with random payoffs, partially or fully stochastic.

    Two agents choose among a, b and c, and both get the same payoff. A learner that remembers the
    best payoff of an action prefers b, which may pay 14, although (a, a) pays more on average.

    Parameters
    ----------
    noise : str
        "partial": (b, b) pays 14 or 0, each with probability 1/2, and all else is as in `climbing`.
        "full": every joint action pays one of two amounts, each with probability 1/2.

    Returns
    -------
    ProceduralGame
        A game with actions a, b, c and one random word per step; cooperative. It has one state, and
        its episodes do not end.

    Raises
    ------
    ValueError
        If noise is not "partial" or "full".

    Notes
    -----
    The mean payoffs are, as printed, those of `climbing` except that (c, b) pays 6 on average if
    all payoffs are random: (a, a) pays 11, (b, b) pays 7.

    Source: Kapetanakis & Kudenko (2002), Reinforcement learning of coordination in cooperative
    multi-agent systems, AAAI-02, 326-331 (partially and fully stochastic climbing); as in Matignon,
    Laurent & Le Fort-Piat (2012), Knowledge Engineering Review 27, 1-31.

    Examples
    --------
    >>> game = noisy_climbing("full")
    >>> game.num_actions, game.words, game.largest_reward
    ((3, 3), 1, 65.0)
    """
    checks.one_of("noise", noise, _PAYOFFS)
    either, other = map(np.array, _PAYOFFS[noise])

    def start(state: Any, words: Any) -> None:
        state[0] = 0

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        row, column = actions[0], actions[1]
        payoff = either[row, column] if coin(words[0]) == 0 else other[row, column]
        rewards[0] = payoff
        rewards[1] = payoff
        return False

    def observe(state: Any, agent: int) -> int:
        return 0

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[3, 3],
        num_observations=[1, 1],
        state_bounds=[(0, 0)],
        words=1,
        largest_reward=float(max(np.abs(either).max(), np.abs(other).max())),
        actions=[("a", "b", "c")] * 2,
        name=f"noisy climbing, {noise}",
        source="Kapetanakis & Kudenko (2002), AAAI-02, 326-331",
    )
