"""Repeated games with memory: the state is the joint actions of the last periods."""

from __future__ import annotations

import math
import reprlib

import numpy as np
import numpy.typing as npt

from fastgames._common import checks

from .compact import Sum
from .markov import LIMIT, MarkovGame, check_size
from .matrix import MatrixGame


def remember(
    stage_game: MatrixGame,
    periods: int = 1,
    discount: float = 0.95,
    start: int | str | npt.ArrayLike = 0,
) -> MarkovGame:
    """Return the infinitely repeated game in which agents observe the last joint actions.

    Parameters
    ----------
    stage_game : MatrixGame
        The game of every period, with J joint actions.
    periods : int
        Number of past periods that agents observe, at least 1. J**periods times the number of
        actions of any agent must be below 2^31.
    discount : float
        Discount factor per period, in [0, 1).
    start : int, or "uniform", or array_like (J**periods,)
        The first state, or "uniform" for equal probabilities of all states, or the probability of
        every state.

    Returns
    -------
    MarkovGame
        A game of J**periods states. The number of a state has the last joint actions as its digits;
        the latest period is the slowest digit, and within a period agent 0's action is the slowest:
        for two agents and one period, ``a_0 * A_1 + a_1``. Rewards are a view of the payoffs, and
        no table of states and joint actions is allocated. `stage` of the game is `stage_game`.

    Raises
    ------
    TypeError
        If stage_game is not a MatrixGame, or another argument has a wrong type.
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
        raise TypeError(f"stage_game must be a MatrixGame, got {reprlib.repr(stage_game)}")
    periods = checks.whole("periods", periods, f"[1, {LIMIT})")
    joint = math.prod(stage_game.num_actions)
    if joint > 1 and periods > 31:  # refuse at once, as the power would take long to compute
        raise ValueError(f"periods must leave fewer than 2^31 states, got {periods}")
    states = joint**periods
    check_size("values of an agent", states, max(stage_game.num_actions))
    if isinstance(start, str):
        if start != "uniform":
            raise ValueError(f"start must be a state, probabilities or 'uniform', got {start!r}")
        start = np.full(states, 1.0 / states)
    latest = states // joint  # place value of the latest period's digit
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
