"""The two-step game: a choice between a safe second stage and one that requires coordination."""

from __future__ import annotations

import numpy as np

from fastgames.games.markov import MarkovGame

from ._declaration import catalogued

_SAFE = ((7.0, 7.0), (7.0, 7.0))
_RISKY = ((0.0, 1.0), (1.0, 8.0))
_FIRST, _A, _B, _END = range(4)


@catalogued("Two-step game", ends=True)
def two_step() -> MarkovGame:
    """Return the two-step game: agent 0 picks the second stage, in which both get the same reward.

    In the first stage all rewards are 0; the action of agent 0, A or B, leads to the stage of that
    name, for any action of agent 1. In the second stage both act once more, and the episode ends.
    Stage A pays 7 for every joint action, stage B pays ``[[0, 1], [1, 8]]``. A learner that
    undervalues stage B chooses the safe stage A.

    Returns
    -------
    MarkovGame
        A game of 4 states: 0 is the first stage, 1 stage A, 2 stage B, 3 the terminal state. Both
        agents observe the state. Actions A and B; discount 0.99; cooperative.

    Notes
    -----
    The optimal play is to go to stage B and to play B there, for 8, worth 0.99 * 8 = 7.92 at the
    start. If all joint actions are equally likely, the best fit to stage B by a sum of two values
    is ``[[-1.5, 2.5], [2.5, 6.5]]``, for which stage A looks better.

    Source: Rashid, Samvelyan, Schroeder de Witt, Farquhar, Foerster & Whiteson (2018), QMIX:
    Monotonic value function factorisation for deep multi-agent reinforcement learning, ICML,
    section 5 and Table 1.

    Examples
    --------
    >>> game = two_step()
    >>> game.transitions[0]
    array([[1, 1],
           [2, 2]], dtype=int32)
    >>> game.rewards[0, 2]
    array([[0., 1.],
           [1., 8.]])
    """
    rewards, following = np.zeros((4, 2, 2)), np.full((4, 2, 2), _END)
    rewards[_A], rewards[_B] = _SAFE, _RISKY
    following[_FIRST, 0], following[_FIRST, 1] = _A, _B
    return MarkovGame(
        [rewards, rewards],
        following,
        discount=0.99,
        start=_FIRST,
        terminal=[False, False, False, True],
        name="two-step",
        actions=[("A", "B")] * 2,
        source="Rashid et al. (2018), QMIX, ICML, Table 1",
    )
