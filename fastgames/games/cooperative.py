"""The two-step game: a safe second stage, or one where both must agree on the better action."""

from __future__ import annotations

import numpy as np

from .markov import MarkovGame

_SAFE = ((7.0, 7.0), (7.0, 7.0))
_RISKY = ((0.0, 1.0), (1.0, 8.0))
_FIRST, _A, _B, _END = range(4)


def two_step() -> MarkovGame:
    """The two-step game: agent 0 picks the second stage, where both are paid the same.

    In the first stage nobody is paid; agent 0's action, A or B, leads to the stage of that name,
    whatever agent 1 does. There both act once more, and the episode ends. Stage A pays 7 whatever
    they do, stage B ``[[0, 1], [1, 8]]``. A learner whose value of B is too low plays it safe.

    Returns
    -------
    MarkovGame
        4 states: 0 the first stage, 1 stage A, 2 stage B, 3 the end. Both see the state. Actions
        A and B; discount 0.99; cooperative.

    Notes
    -----
    The best is to go to stage B and both play B there: 8, worth 0.99 * 8 = 7.92 at the start. A
    sum of two values fits stage B at best by ``[[-1.5, 2.5], [2.5, 6.5]]``, if all joint actions
    are as likely, and then stage A looks better.

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
