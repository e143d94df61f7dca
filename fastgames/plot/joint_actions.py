"""Joint actions as a heat map: what was played, and what agents prefer in the end."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import MatrixGame
from fastgames.plot.parts import heat_map
from fastgames.plot.shown import begun, choice
from fastgames.plot.style import (
    COLOURS,
    MOST_CELLS,
    Panel,
    compose,
    finish,
    label,
    plain,
    title_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastgames.result import Result

_MOST_JOINT = 2**24  # joint actions that are counted for a picture


def joint(result: "Result", path: str | Path | None = None, *, ax: Any = None) -> "Figure":
    """Joint actions: preferred in the end, and played, where they were recorded.

    For two agents heat maps, with the pure Nash equilibria of a matrix game framed; for more bars
    of the most frequent. Preferences are of all replicas and observations, and are there where all
    agents choose at once by the same observations.

    Parameters
    ----------
    result : Result
        ``record=fg.Record(joint_actions=True)`` for what was played.
    path : str or Path, optional
        Written there, in the format that the suffix names.
    ax : Axes, sequence of Axes, Figure or SubFigure, optional
        As for `overview`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError, ValueError, OSError
        As `overview`; ValueError also where there is nothing to draw.
    """
    panels = joint_panels(result)
    if not panels:
        if math.prod(result.game.num_actions) > _MOST_JOINT:
            raise ValueError(
                f"joint needs a game of at most {_MOST_JOINT} joint actions; "
                f"{result.game.name!r} has {result.game.num_agents} agents"
            )
        raise ValueError(
            "joint needs record=fg.Record(joint_actions=True) where agents do not choose at once "
            f"by the same observations; this run has {result.record}"
        )
    framed = "Framed: pure Nash equilibria." if len(equilibria(result)) else ""
    return compose(title_of(result), panels, 2, path, (4.6, 3.7), framed, ax)


def joint_panels(result: "Result") -> list[Panel]:
    """The panels of joint actions."""
    panels: list[Panel] = []
    if paired(result):
        panels.append(_panel(result, preferred(result), "Preferred in the end"))
    if result.joint_counts is not None:
        played = result.joint_counts.sum(axis=0) / max(result.joint_counts.sum(), 1)
        panels.append(_panel(result, played, "Played"))
    return panels


def _panel(result: "Result", shares: Any, title: str) -> Panel:
    """Shares of joint actions: a heat map for two agents, bars of the most frequent for more."""

    def draw(axes: "Axes") -> None:
        names = result.game.actions
        if shares.ndim == 2:
            high = max(50.0, 100.0 * shares.max()) if shares.size <= 64 else None
            heat_map(axes, 100.0 * shares, names[0], names[1], "{:.0f} %", high)
            for row, column in equilibria(result):
                _frame(axes, row, column)
            what = choice(result.game)
            label(axes, title, f"{what} of agent 1", f"{what} of agent 0")
            return
        largest = np.argsort(-shares, axis=None, kind="stable")[:MOST_CELLS]
        cells = [np.unravel_index(cell, shares.shape) for cell in largest]
        axes.barh(range(len(cells)), 100.0 * shares.ravel()[largest], color=COLOURS[0], height=0.7)
        finish(axes, title, "% of joint actions", "", grid=False)
        texts = [", ".join(names[i][a] for i, a in enumerate(cell)) for cell in cells]
        axes.set_yticks(range(len(cells)), [plain(text) for text in texts])
        axes.invert_yaxis()

    return draw


def _frame(axes: "Axes", row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=COLOURS[1], linewidth=2.0
        )
    )


def equilibria(result: "Result") -> list[tuple[int, ...]]:
    """The pure equilibria of a matrix game of two agents, as far as they can be told apart."""
    game = result.game
    if not isinstance(game, MatrixGame) or game.num_agents != 2:
        return []
    found = game.pure_equilibria()
    return found if len(found) <= MOST_CELLS else []


def paired(result: "Result") -> bool:
    """Whether all agents choose at once by the same observations, so that preferences combine."""
    compact = result.game.compact
    shapes = {result.greedy(i).shape[1] for i in range(result.game.num_agents)}
    few = math.prod(result.game.num_actions) <= _MOST_JOINT
    return few and compact.observations is None and compact.turns is None and len(shapes) == 1


def preferred(result: "Result") -> np.ndarray[Any, np.dtype[np.float64]]:
    """Shares of the greedy joint actions over replicas and observations: (A_0, A_1, …), sum 1.

    Only where `paired`. Replicas of an interrupted run that did not begin are left out.
    """
    sizes, shown = result.game.num_actions, begun(result)
    greedy = [result.greedy(i)[shown].ravel() for i in range(len(sizes))]
    cells = np.ravel_multi_index(tuple(greedy), sizes)
    return np.bincount(cells, minlength=int(np.prod(sizes))).reshape(sizes) / len(cells)
