"""Counts over the last steps of replicas that may stop at any time, from their windows."""

import math

import numpy as np

from fastgames.engine.state import COVER_LAST, State
from fastgames.games import Game, Variants
from fastgames.record import COUNTS, NOTHING, Played

COUNTED = 4096  # replicas at a time


def count_up(state: State, game: Game, replicas: slice) -> None:
    """Compute the counts over the last steps of these replicas from their windows, in place.

    A step is added after the step before; its rewards are rounded to the type of the tables.
    """
    assert state.window is not None
    window, steps, counted = state.window[replicas], state.steps[replicas], state.counted[replicas]
    arrays = {name: getattr(state, name) for name in COVER_LAST}
    counts = {
        name: np.zeros_like(array[replicas]) for name, array in arrays.items() if array is not None
    }
    joint, last = any(COUNTS[name].joint for name in counts), window.shape[1]
    joint_actions = math.prod(game.num_actions)
    for k in range(int(counted.max(initial=0))):
        rows = np.flatnonzero(counted > k)
        at = (steps[rows] - counted[rows] + k) % last
        actions = NOTHING
        if joint:
            number = window[rows, at] % joint_actions
            actions = np.array(np.unravel_index(number, game.num_actions))
        played = Played(rows, actions, _rewards(state, game, replicas, rows, at))
        for name, array in counts.items():
            COUNTS[name].add(array, played)
    for name, array in counts.items():
        arrays[name][replicas] = array


def _rewards(
    state: State, game: Game, replicas: slice, rows: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Return the rewards at these places of the windows, (count, N) of the type of the tables."""
    found: np.ndarray
    if state.reward_window is not None:
        found = state.reward_window[replicas][rows, at]
        return found
    assert state.window is not None
    payoffs = game.compact.rewards  # (N, variants, states or 1, joint actions)
    variant = game.index[replicas][rows] if isinstance(game, Variants) else np.zeros_like(rows)
    cells = state.window[replicas][rows, at]
    found = payoffs.reshape(*payoffs.shape[:2], -1)[:, variant, cells]
    return found.astype(state.seats[0].table.dtype).T
