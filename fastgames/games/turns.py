"""Joint actions that can be played in games with turns, and agents that may wait there."""

from __future__ import annotations

import math

import numpy as np

from .compact import Chances, Compact, Sum, Table


def playable(turns: np.ndarray, num_actions: tuple[int, ...]) -> np.ndarray:
    """Return the mask of the joint actions that can be played in each state, (S, J) bool.

    Agents that do not move play action 0.

    turns: (N, S) bool, mask of the agents that move
    """
    digits = np.unravel_index(np.arange(math.prod(num_actions)), num_actions)
    out = np.ones((turns.shape[1], len(digits[0])), np.bool_)
    for moves, actions in zip(turns, digits, strict=True):
        out &= moves[:, None] | (actions == 0)
    return out


def may_wait(compact: Compact, num_actions: tuple[int, ...], agents: tuple[int, ...]) -> bool:
    """Return whether a move of any of the agents may lead to a state in which none of them moves.

    Terminal states do not count: they end the episode.
    """
    turns, moves = compact.turns, compact.moves
    if turns is None:
        return False
    acts = np.asarray(turns[list(agents)].any(axis=0))  # (S,)
    ends = np.zeros_like(acts) if compact.terminal is None else compact.terminal
    rows = playable(turns, num_actions) & (acts & ~ends)[:, None]  # (S, J)
    if isinstance(moves, Chances):
        row = np.repeat(np.arange(rows.size), np.diff(moves.first))
        after = moves.successor[rows.ravel()[row]]
    elif isinstance(moves, Sum):
        after = (moves.from_state[:, None] + moves.from_joint)[rows]
    else:
        assert isinstance(moves, Table)  # of functions it is not known
        after = moves.next[rows.ravel()]
    return not bool((acts | ends)[after].all())
