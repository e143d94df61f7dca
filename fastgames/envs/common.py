"""What all environments need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgames import _checks
from fastgames.arguments import check_game
from fastgames.games import Game, MarkovGame, make

RENDER_MODES = ("ansi", "human")
_SHOWN = 8  # agents


class _Numbers(dict[int, np.int64]):
    """Whole numbers as np.int64, which checkers of observations ask for.

    To look one up costs a tenth of making it.
    """

    def __missing__(self, number: int) -> np.int64:
        made = np.int64(number)
        if number < 2**16:
            self[number] = made
        return made


NUMBERS = _Numbers()


def game_from(game: Any) -> Game:
    """A game, or the one of that name in the catalogue."""
    if isinstance(game, str):
        return make(game)
    check_game(game)
    checked: Game = game
    return checked


def render_mode_from(mode: Any) -> str | None:
    """A render mode that there is, or None."""
    return None if mode is None else _checks.one_of("render_mode", mode, RENDER_MODES)


def seed_from(seed: Any) -> int | None:
    """A seed that a game takes, or None."""
    return None if seed is None else _checks.whole("seed", seed, 0, 2**64 - 1)


def flag(values: np.ndarray) -> Sequence[bool]:
    """A bool array as what gives its entries as bool at once."""
    view: Any = values.data
    flags: Sequence[bool] = view
    return flags


def action_masks(game: Game) -> tuple[np.ndarray, ...] | None:
    """Which actions make a difference: for each agent (states, A_i) int8; None where all always do.

    Whose turn it is not has action 0 alone.
    """
    if not isinstance(game, MarkovGame) or game.compact.turns is None:
        return None
    masks = []
    for count, moves in zip(game.num_actions, game.turns, strict=True):
        mask = np.repeat(moves[:, None], count, axis=1).astype(np.int8)
        mask[:, 0] = 1
        masks.append(mask)
    return tuple(masks)


def step_as_text(
    step: int, state: np.ndarray, played: Sequence[tuple[str, str]], rewards: Sequence[float]
) -> str:
    """One step in a line: the state now, and what each agent did and got.

    played: names of agents and of their actions, none before the first step.
    """
    numbers = state.tolist()
    parts = [f"step {step}", f"state {numbers[0] if len(numbers) == 1 else numbers}"]
    for (agent, action), reward in zip(played[:_SHOWN], rewards, strict=False):
        parts.append(f"{agent} {action} {reward:+g}")
    if len(played) > _SHOWN:
        parts.append(f"… and {len(played) - _SHOWN} more")
    return " · ".join(parts)
