"""Functions that all environments share: checks of arguments, action masks and rendering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.engine.arguments import check_game
from fastgames.games import Game, make
from fastgames.vector import VectorGame

RENDER_MODES = ("ansi", "human", "rgb_array")
_SHOWN = 8  # largest number of agents in a rendered step
_LINE, _WIDTH = 24, 480  # height of a line, width of an image, in pixels
_LETTERS = 56  # largest number of characters in a line of an image


class _Numbers(dict[int, np.int64]):
    """Cache of np.int64 by value; environment checkers require this type of observations.

    A look-up takes a tenth of the time of a conversion.
    """

    def __missing__(self, number: int) -> np.int64:
        made = np.int64(number)
        if number < 2**16:
            self[number] = made
        return made


NUMBERS = _Numbers()


def game_from(game: Any) -> Game:
    """Return a game, or the game of that name in the catalogue; raise TypeError for others."""
    if isinstance(game, str):
        return make(game)
    check_game(game)
    checked: Game = game
    return checked


def render_mode_from(mode: Any, modes: tuple[str, ...] = RENDER_MODES) -> str | None:
    """Return `mode` if it is one of `modes` or None, else raise ValueError."""
    return None if mode is None else checks.one_of("render_mode", mode, modes)


def seed_from(seed: Any) -> int | None:
    """Return a seed in [0, 2^64) as an int, or None; raise TypeError or ValueError for others."""
    return None if seed is None else checks.whole("seed", seed, "[0, 2^64)")


def flag(values: np.ndarray) -> Sequence[bool]:
    """Return a memoryview of a bool array, whose entries are Python bools."""
    view: Any = values.data
    flags: Sequence[bool] = view
    return flags


def action_masks(game: Game) -> tuple[np.ndarray, ...] | None:
    """Return the masks of actions that have an effect, (2, A_i) int8 for each agent.

    Row 0 is for states in which the agent does not move, where it has action 0 alone; row 1 for all
    others. None if all agents always move.
    """
    if not game.compact.has_turns:
        return None
    masks = tuple(np.ones((2, count), np.int8) for count in game.num_actions)
    for mask in masks:
        mask[0, 1:] = 0
    return masks


def numbers_of(envs: VectorGame, env: int) -> list[float]:
    """Return the whole numbers and the reals of the state of an environment."""
    reals = envs.reals
    whole: list[float] = envs.states[env].reshape(-1).tolist()
    return whole if reals is None else [*whole, *reals[env].tolist()]


def step_as_text(
    step: int, numbers: list[float], played: Sequence[tuple[str, str]], rewards: Sequence[float]
) -> str:
    """Return a line of text for a step: the state, and the action and reward of each agent.

    numbers: those of the state after the step
    played: names of agents and of their actions, empty before the first step
    rewards: rewards of these agents
    """
    parts = [f"step {step}", f"state {numbers[0] if len(numbers) == 1 else numbers}"]
    for (agent, action), reward in zip(played[:_SHOWN], rewards, strict=False):
        parts.append(f"{agent} {action} {reward:+g}")
    if len(played) > _SHOWN:
        parts.append(f"… and {len(played) - _SHOWN} more")
    return " · ".join(parts)


def picture(text: str, agents: int) -> np.ndarray:
    """Return an image (height, width, 3) uint8 of a text of `step_as_text`, one line per part.

    agents: largest number of agents in the text. It fixes the size of all images of an environment,
    as video recorders require. Raises ImportError if matplotlib is not installed.
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
