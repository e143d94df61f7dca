"""Figures of results (extra "plot").

The functions draw on `matplotlib.figure.Figure`. They need no display and use neither pyplot nor
rcParams, so a program that embeds them keeps its own style.

`draw` implements ``result.plot()``. Each kind of figure has a function of its own: `overview`,
`curves`, `trajectories`, `joint`, `sweep`. The other functions draw into one panel each;
`fastgames.papers` uses them as well.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastgames._common import checks
from fastgames.plot.joint_actions import joint, paired, preferred
from fastgames.plot.over_time import curves
from fastgames.plot.panels import overview
from fastgames.plot.parts import (
    bands,
    grid_map,
    heat_map,
    histograms,
    map_over_time,
    mark,
    price_response,
    spread,
)
from fastgames.plot.paths import trajectories
from fastgames.plot.style import (
    COLOURS,
    DPI,
    GREY,
    INK,
    PALE,
    check_path,
    figure,
    finish,
    label,
    save,
)
from fastgames.plot.sweeps import sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastgames.result import Result

KINDS: dict[str, Callable[..., "Figure"]] = {
    "overview": overview,
    "curves": curves,
    "trajectories": trajectories,
    "joint": joint,
    "sweep": sweep,
}

__all__ = [
    "COLOURS",
    "DPI",
    "GREY",
    "INK",
    "KINDS",
    "PALE",
    "bands",
    "check_path",
    "curves",
    "draw",
    "figure",
    "finish",
    "grid_map",
    "heat_map",
    "histograms",
    "joint",
    "label",
    "map_over_time",
    "mark",
    "overview",
    "paired",
    "preferred",
    "price_response",
    "save",
    "spread",
    "sweep",
    "trajectories",
]


def draw(
    result: "Result", path: str | Path | None = None, kind: str | None = None, **options: Any
) -> "Figure":
    """Draw a figure of a result and return it.

    Parameters
    ----------
    result : Result
        The result to draw.
    path : str or Path, optional
        File to write the figure to, in the format of its suffix (.png, .pdf, .svg).
    kind : str, optional
        "overview", "curves", "trajectories", "joint" or "sweep": the function of that name draws
        the figure. By default "sweep" if the run was over a grid, else "overview".
    **options
        Passed to the function of that kind.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError, OSError
        If kind is none of these, or as the function of that kind raises them.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.matching_pennies(), fg.QLearner(), steps=100, replicas=3, rng=7)
    >>> [axes.get_title(loc="left") for axes in draw(result, kind="joint").axes]
    ['Preferred in the end']
    """
    if kind is None:
        kind = "overview" if result.grid is None else "sweep"
    return KINDS[checks.one_of("kind", kind, KINDS)](result, path, **options)
