"""The first grid game of Hu & Wellman: two agents with crossing paths to their goals."""

from __future__ import annotations

import numpy as np

from fastgames.games.markov import MarkovGame

from ._declaration import catalogued

_SIDE = 3
_CELLS = _SIDE * _SIDE
_GOALS = (8, 6)
_STEPS = {"left": (-1, 0), "right": (1, 0), "down": (0, -1), "up": (0, 1)}  # column, row


@catalogued("Grid game", ends=True)
def grid_game() -> MarkovGame:
    """Return grid game 1: two agents cross a 3 x 3 grid from the lower to the upper corners.

    Cells are numbered from the lower left, row by row::

        6 7 8
        3 4 5
        0 1 2

    Agent 0 starts in cell 0 and its goal is 8; agent 1 starts in cell 2 and its goal is 6. Both
    agents move simultaneously to a neighbouring cell; an agent that would leave the grid stays. If
    both would enter the same cell and it is not a goal, both stay and get -1 each. An agent that
    reaches its goal gets 100 and the episode ends; all other rewards are 0.

    Returns
    -------
    MarkovGame
        A game of 81 states, ``9 * cell of agent 0 + cell of agent 1``, terminal if an agent is in
        its goal; actions left, right, down, up; discount 0.99. States with both agents in one cell
        are numbered but never entered, unless that cell is a goal and ends the episode.

    Notes
    -----
    Both agents can reach their goals in four steps without a collision, in ten ways. Such a path is
    worth 100 * 0.99**3 = 97.0 to each agent at the start, and 95.1 after one collision, as in the
    paper.

    Source: Hu & Wellman (2003), Nash Q-learning for general-sum stochastic games, Journal of
    Machine Learning Research 4, 1039-1069, section 5.1.

    Examples
    --------
    >>> game = grid_game()
    >>> game.rewards[:, game.start, 1, 0]  # agent 0 goes right, agent 1 left: both to cell 1
    array([-1., -1.])
    >>> divmod(int(game.transitions[game.start, 1, 3]), 9)  # right and up
    (1, 5)
    """
    column, row = np.arange(_CELLS) % _SIDE, np.arange(_CELLS) // _SIDE
    reached = np.empty((_CELLS, len(_STEPS)), np.int64)
    for action, (right, up) in enumerate(_STEPS.values()):
        x, y = column + right, row + up
        inside = (x >= 0) & (x < _SIDE) & (y >= 0) & (y < _SIDE)
        reached[:, action] = np.where(inside, _SIDE * y + x, np.arange(_CELLS))
    cells = np.divmod(np.arange(_CELLS**2), _CELLS)
    to = reached[cells[0]][:, :, None], reached[cells[1]][:, None, :]
    meet = (to[0] == to[1]) & (to[0] != _GOALS[0]) & (to[0] != _GOALS[1])
    stay = np.arange(_CELLS**2)[:, None, None]
    return MarkovGame(
        [np.where(to[i] == _GOALS[i], 100.0, np.where(meet, -1.0, 0.0)) for i in range(2)],
        np.where(meet, stay, _CELLS * to[0] + to[1]),
        discount=0.99,
        start=2,
        terminal=(cells[0] == _GOALS[0]) | (cells[1] == _GOALS[1]),
        name="grid game 1",
        actions=[tuple(_STEPS)] * 2,
        source="Hu & Wellman (2003), Journal of Machine Learning Research 4:1039-1069, section 5.1",
    )
