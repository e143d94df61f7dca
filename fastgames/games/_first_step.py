"""A first step of a procedural game, which checks its functions before any run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastgames.errors import is_below, unwritable
from fastgames.games.compact import Functions

if TYPE_CHECKING:
    from fastgames.games.procedural import ProceduralGame


def try_out(game: ProceduralGame) -> None:
    """Take a first step with words and actions of 0; raise ValueError if a function fails."""
    functions = game.compact.moves
    assert isinstance(functions, Functions)
    state = np.zeros(functions.state_size, np.int64)
    rewards = np.full(game.num_agents, np.nan)
    what = "start"
    try:
        functions.start(state, unwritable(np.zeros(game.start_words, np.int64)))
        _check_first(game, functions, state)
        what = "observe"
        for i, count in enumerate(game.num_observations):
            seen = functions.observe(unwritable(state), i) + 0  # adding 0 raises TypeError for None
            if not is_below(seen, count):
                raise ValueError(
                    f"the observation of agent {i} must be a whole number in [0, {count}), got "
                    f"{seen} in the first state"
                )
        what = "turns"
        turns = functions.turns
        for i in range(game.num_agents if turns is not None else 0):
            assert turns is not None
            moves = turns(unwritable(state), i) + 0
            if not (moves == 0 or moves == 1):
                raise ValueError(
                    f"the return value must be True if agent {i} moves, else False, got {moves!r}"
                )
        what = "step"
        actions = unwritable(np.zeros(game.num_agents, np.int64))
        words = unwritable(np.zeros(game.words, np.int64))
        ended = functions.step(state, actions, rewards, words)
        if ended is None or not (ended == 0 or ended == 1):
            raise ValueError(
                "the return value must be True if a terminal state was reached, else False, got "
                f"{ended!r}"
            )
        bad = np.flatnonzero(~(np.abs(rewards) <= game.largest_reward))
        if len(bad):
            raise ValueError(
                f"the reward of agent {bad[0]} must be a number of absolute value at most "
                f"largest_reward, {game.largest_reward:g}, got {rewards[bad[0]]} (nan means that "
                "none was written)"
            )
        _check_finite(functions, state)
    except Exception as error:
        raise ValueError(
            f"{what} of game {game.name!r} must run with words and actions of 0, got "
            f"{type(error).__name__}: {error}"
        ) from error


def _check_first(game: ProceduralGame, functions: Functions, state: np.ndarray) -> None:
    """Raise ValueError if a first state, (entries,), is outside the game's bounds."""
    _check_finite(functions, state)
    parts = (
        ("state", "state_bounds", functions.whole_numbers(state), game.state_bounds),
        ("reals", "real_bounds", functions.real_numbers(state), game.real_bounds),
    )
    for name, bounds, values, pairs in parts:
        if pairs is None:
            continue
        low, high = pairs.T
        if ((values < low) | (values > high)).any():
            raise ValueError(f"{name} must be within {bounds}, got {values.tolist()}")


def _check_finite(functions: Functions, state: np.ndarray) -> None:
    """Raise ValueError if a real of a state, (entries,), is not finite."""
    reals = functions.real_numbers(state)
    if not np.isfinite(reals).all():
        raise ValueError(f"reals must be finite, got {reals.tolist()}")
