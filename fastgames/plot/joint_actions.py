"""Heat maps of the joint actions that were played, and that agents prefer at the end."""

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

_MOST_JOINT = 2**24  # largest number of joint actions in a figure


def joint(result: "Result", path: str | Path | None = None, *, ax: Any = None) -> "Figure":
    """Draw the joint actions preferred at the end and, if recorded, those played.

    For two agents the panels are heat maps, in which frames mark the pure Nash equilibria of a
    matrix game. For more agents they are bars of the most frequent joint actions. Shares of
    preferred joint actions are over all replicas and observations; they are drawn if all agents
    move simultaneously and have the same observations.

    Parameters
    ----------
    result : Result
        Joint actions played need ``record=fg.Record(joint_actions=True)``.
    path : str or Path, optional
        File to write the figure to, in the format of its suffix.
    ax : Axes, sequence of Axes, Figure or SubFigure, optional
        As for `overview`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError, TypeError, ValueError, OSError
        As `overview`; ValueError also if there is nothing to draw.

    Examples
    --------
    >>> import fastgames as fg
    >>> record = fg.Record(joint_actions=True)
    >>> result = fg.run(fg.games.chicken(), fg.QLearner(), 100, 3, rng=7, record=record)
    >>> [axes.get_title(loc="left") for axes in joint(result).axes]
    ['Preferred in the end', 'Played']
    """
    panels = joint_panels(result)
    if not panels:
        if math.prod(result.game.num_actions) > _MOST_JOINT:
            raise ValueError(
                f"result must be of a game with at most {_MOST_JOINT} joint actions, "
                f"got {result.game.name!r} with {result.game.num_agents} agents"
            )
        raise ValueError(
            "result must have recorded joint actions, unless all agents move simultaneously and "
            f"have the same observations, got {result.record}; pass "
            "record=fg.Record(joint_actions=True)"
        )
    framed = "Framed: pure Nash equilibria." if len(equilibria(result)) else ""
    return compose(title_of(result), panels, 2, path, (4.6, 3.7), framed, ax)


def joint_panels(result: "Result") -> list[Panel]:
    """Return the panels of preferred and of played joint actions, those that the result has."""
    panels: list[Panel] = []
    if paired(result):
        panels.append(_panel(result, preferred(result), "Preferred in the end"))
    if result.joint_counts is not None:
        played = result.joint_counts.sum(axis=0) / max(result.joint_counts.sum(), 1)
        panels.append(_panel(result, played, "Played"))
    return panels


def _panel(result: "Result", shares: Any, title: str) -> Panel:
    """Return a panel of the shares (A_0, A_1, …) of joint actions.

    It is a heat map for two agents, and bars of the most frequent joint actions for more.
    """

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
    """Draw a frame around a cell of a heat map."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=COLOURS[1], linewidth=2.0
        )
    )


def equilibria(result: "Result") -> list[tuple[int, ...]]:
    """Return the pure equilibria of a matrix game of two agents, or [] if more than 8."""
    game = result.game
    if not isinstance(game, MatrixGame) or game.num_agents != 2:
        return []
    found = game.pure_equilibria()
    return found if len(found) <= MOST_CELLS else []


def paired(result: "Result") -> bool:
    """Return True if greedy actions form joint actions: same observations, simultaneous moves.

    Parameters
    ----------
    result : Result
        The result.

    Returns
    -------
    bool
        False also if the game has more than 2**24 joint actions.
    """
    compact = result.game.compact
    shapes = {result.greedy(i).shape[1] for i in range(result.game.num_agents)}
    few = math.prod(result.game.num_actions) <= _MOST_JOINT
    return few and compact.observations is None and not compact.has_turns and len(shapes) == 1


def preferred(result: "Result") -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the shares of the greedy joint actions over replicas and observations.

    Parameters
    ----------
    result : Result
        A result for which `paired` is True. Replicas of an interrupted run that took no step are
        left out.

    Returns
    -------
    (A_0, A_1, …) float64
        Shares in [0, 1], with sum 1.

    Raises
    ------
    ValueError
        If no replica has taken a step.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.prisoners_dilemma(), fg.QLearner(), steps=100, replicas=3, rng=7)
    >>> preferred(result).shape
    (2, 2)
    """
    sizes, shown = result.game.num_actions, begun(result)
    greedy = [result.greedy(i)[shown].ravel() for i in range(len(sizes))]
    cells = np.ravel_multi_index(tuple(greedy), sizes)
    return np.bincount(cells, minlength=int(np.prod(sizes))).reshape(sizes) / len(cells)
