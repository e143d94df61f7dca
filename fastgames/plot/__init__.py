"""Pictures of results (extra "plot").

Drawn on `matplotlib.figure.Figure` alone: no display is needed, and neither pyplot nor rcParams is
touched, so a program that embeds this keeps its own style.

`draw` is ``result.plot()``; each kind of picture has a function of its own: `overview`, `curves`,
`trajectories`, `joint`, `sweep`. What they are made of draws into one panel each;
`fastgames.papers` uses that too.
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
    """A figure of a result.

    Parameters
    ----------
    result : Result
    path : str or Path, optional
        Written there, in the format that the suffix names (.png, .pdf, .svg).
    kind : str, optional
        "overview", "curves", "trajectories", "joint" or "sweep": the function of that name. None:
        "sweep" where the replicas were a grid, else "overview".
    **options
        Of that function.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError, TypeError, ValueError, OSError
        As the function of that kind.
    """
    if kind is None:
        kind = "overview" if result.grid is None else "sweep"
    return KINDS[checks.one_of("kind", kind, KINDS)](result, path, **options)
