"""What all environments need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.engine.arguments import check_game
from fastgames.games import Game, MarkovGame, make

RENDER_MODES = ("ansi", "human", "rgb_array")
_SHOWN = 8  # agents
_LINE, _WIDTH, _LETTERS = 24, 480, 56  # pixels of a line, of a picture; letters that fit


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


def render_mode_from(mode: Any, modes: tuple[str, ...] = RENDER_MODES) -> str | None:
    """Return `mode` if it is one of `modes` or None, else raise ValueError."""
    return None if mode is None else checks.one_of("render_mode", mode, modes)


def seed_from(seed: Any) -> int | None:
    """A seed that a game takes, or None."""
    return None if seed is None else checks.whole("seed", seed, 0, 2**64 - 1)


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


def picture(text: str, agents: int) -> np.ndarray:
    """Draw what `step_as_text` returns, a line for each part: (height, width, 3) uint8.

    agents: how many can be in the text. All pictures of one environment have the same size, which
    recorders of videos ask for. Raises ImportError where matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise checks.needs_extra("matplotlib", "plot", 'render_mode="rgb_array"') from error
    lines = 2 + min(agents, _SHOWN) + (agents > _SHOWN)
    height = _LINE * (lines + 1)
    figure = Figure(figsize=(_WIDTH / 100, height / 100), dpi=100, facecolor="white")
    for k, part in enumerate(text.split(" · ")):
        line = part if len(part) <= _LETTERS else part[: _LETTERS - 1] + "…"
        place = _LINE / 2 / _WIDTH, 1.0 - _LINE * (k + 1) / height
        figure.text(*place, line, va="center", fontsize=10, color="black", parse_math=False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.array(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]
