"""Repeated games with memory: the state is what everybody did in the last periods."""

from __future__ import annotations

import math
import reprlib

import numpy as np
import numpy.typing as npt

from ._tables import whole
from .compact import Sum
from .markov import LIMIT, MarkovGame, check_size
from .matrix import MatrixGame


def remember(
    stage_game: MatrixGame,
    periods: int = 1,
    discount: float = 0.95,
    start: int | str | npt.ArrayLike = 0,
) -> MarkovGame:
    """The matrix game played for ever by agents that remember the last joint actions.

    Parameters
    ----------
    stage_game : MatrixGame
        Played in every period; J joint actions.
    periods : int
        How many of them are remembered, at least 1; J**periods values of every agent's actions
        must be fewer than 2^31.
    discount : float
        In [0, 1).
    start : int, or "uniform", or array_like (J**periods,)
        The state to start from, or "uniform" for each with the same probability, or probabilities.

    Returns
    -------
    MarkovGame
        J**periods states. The number of a state has the last joint actions as its digits, the
        latest period's first and in it agent 0's action first: for two agents and one period,
        ``a_0 * A_1 + a_1``. Rewards are a view of the payoffs, and no table of states and joint
        actions is made. Its `stage` is `stage_game`.

    Raises
    ------
    TypeError
        If stage_game is not a MatrixGame, or another argument is of a wrong type.
    ValueError
        If an argument is outside its domain.

    Examples
    --------
    >>> from fastgames.games import prisoners_dilemma
    >>> game = remember(prisoners_dilemma(), periods=2, discount=0.9)
    >>> game.num_states
    16
    >>> before = game.transitions[0, 0, 1]  # after (0, 1) now and (0, 0) before
    >>> int(before), int(game.transitions[before, 1, 0])  # the latest period counts 4 times as much
    (4, 9)
    """
    if not isinstance(stage_game, MatrixGame):
        raise TypeError(f"stage_game must be a MatrixGame; it is {reprlib.repr(stage_game)}")
    periods = whole("periods", periods, 1, LIMIT)
    joint = math.prod(stage_game.num_actions)
    if joint > 1 and periods > 31:  # a power that is quick to refuse and slow to compute
        raise ValueError(f"periods must leave fewer than 2^31 states; it is {periods}")
    states = joint**periods
    check_size("values of an agent", states, max(stage_game.num_actions))
    if isinstance(start, str):
        if start != "uniform":
            raise ValueError(f"start must be a state, probabilities or 'uniform'; it is {start!r}")
        start = np.full(states, 1.0 / states)
    latest = states // joint  # what the latest period's digit is worth
    game = MarkovGame(
        np.broadcast_to(
            stage_game.payoffs[:, None], (stage_game.num_agents, states, *stage_game.num_actions)
        ),
        Sum(np.arange(states, dtype=np.int32) // joint, np.arange(joint, dtype=np.int32) * latest),
        discount,
        start,
        name=f"{stage_game.name}, memory {periods}",
        actions=stage_game.actions,
        source=stage_game.source,
    )
    game._stage = stage_game
    return game
