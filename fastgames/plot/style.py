"""How every picture looks: colours, the empty figure, titles and axes; and how it is written."""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastgames._checks import importing
from fastgames.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastgames.result import Result

#: Paul Tol's "bright" scheme, which colour-blind readers can tell apart (SRON/EPS/TN/09-002).
COLOURS = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#CCBB44", "#66CCEE")
INK, GREY, PALE = "#333333", "#888888", "#DDDDDD"
DPI = 150
MOST_AGENTS = 4  # agents that get panels of their own
MOST_LINES = len(COLOURS)  # actions that get a colour of their own
MOST_CELLS = 8  # bars, or rows and columns of a heat map, that have room for a number
FEW = 10  # replicas, from which on a distribution is drawn and not each of them

Panel = Callable[["Axes"], None]
Place = Literal["best", "upper left", "lower right", "center right", ""]


def compose(
    title: str,
    panels: Sequence[Panel],
    columns: int,
    path: str | Path | None = None,
    size: tuple[float, float] = (4.6, 3.3),
    note: str = "",
) -> "Figure":
    """A figure of these panels, with a note below them, written to `path` if given."""
    if path is not None:
        check_path(path)
    if len(panels) == 1:  # room for the title
        size = (max(size[0], 6.4), max(size[1], 4.6))
    picture, axes = figure(len(panels), columns, title, size)
    for draw, place in zip(panels, axes, strict=True):
        draw(place)
    if note:
        wide = picture.get_size_inches()[0]
        picture.supxlabel(textwrap.fill(note, int(15 * wide)), fontsize=9, color=GREY)
    if path is not None:
        save(picture, path)
    return picture


def title_of(result: "Result") -> str:
    """What was run."""
    low, high = int(result.steps.min()), int(result.steps.max())
    learners = ", ".join(dict.fromkeys(type(learner).__name__ for learner in result.learners))
    name = result.game.name
    return (
        f"{name[:1].upper()}{name[1:]}, {learners}: {result.replicas:,} "
        f"replica{'s' * (result.replicas > 1)} of {'up to ' * (low < high)}{high:,} steps"
    )


def figure(
    panels: int, columns: int, title: str, size: tuple[float, float] = (4.6, 3.3)
) -> "tuple[Figure, list[Axes]]":
    """An empty figure with so many panels of `size` inches, at most `columns` in a row."""
    with importing("plot", "a picture"):
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    columns = min(columns, panels)
    rows = -(-panels // columns)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    picture = Figure(figsize=(size[0] * columns, size[1] * rows + 0.4), layout=layout)
    picture.suptitle(textwrap.fill(title, int(11 * size[0] * columns)), fontsize=12, color=INK)
    axes = list(picture.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[panels:]:
        unused.remove()
    return picture, axes[:panels]


def save(picture: "Figure", path: str | Path) -> None:
    """Write a figure, whole or not at all, in the format that the suffix of `path` names."""
    check_path(path)
    with replacing(path) as file:
        picture.savefig(file, format=Path(path).suffix[1:].lower(), dpi=DPI)


def check_path(path: str | Path, name: str = "path") -> None:
    """Raise ValueError unless matplotlib knows the suffix, ImportError without matplotlib."""
    with importing("plot", "a picture"):
        from matplotlib.backend_bases import FigureCanvasBase
    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in known:
        raise ValueError(f"{name} must end in one of .{', .'.join(known)}, got {str(path)!r}")


def label(axes: "Axes", title: str, x: str, y: str) -> None:
    """Title and labels, as all panels have them."""
    axes.set_title(title, fontsize=10.5, color=INK, loc="left")
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=3)


def finish(
    axes: "Axes", title: str, x: str, y: str, legend: Place = "best", grid: bool = True
) -> None:
    """Title, labels, legend (its place, or ""), and the quiet frame of panels with numbers."""
    label(axes, title, x, y)
    if grid:
        axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)
    for axis in (axes.xaxis, axes.yaxis):
        if type(axis.get_major_formatter()).__name__ == "ScalarFormatter":
            axis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    across: Any = axes.xaxis.get_major_locator()
    if type(across).__name__ == "AutoLocator":
        across.set_params(nbins=6)  # more would touch each other: they are numbers of steps
    if legend and axes.get_legend_handles_labels()[1]:
        axes.legend(loc=legend, fontsize=8, labelcolor=INK, edgecolor="none", framealpha=0.9)


def colour_bar(axes: "Axes", image: Any, unit: str) -> None:
    """Which colour is how much."""
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, shrink=0.9)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # lines are thinner than what says what they mean
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=3)
    bar.ax.set_ylabel(unit, fontsize=8, color=INK)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    for spine in bar.ax.spines.values():
        spine.set_visible(False)


def few_ticks(axis: Any, names: Sequence[str]) -> None:
    """Names at 0, 1, 2, …, as many as can be read: side by side they take more room."""
    longest = max(map(len, names)) if len(names) else 0
    most = 16 if axis.axis_name == "y" else max(2, min(16, 44 // (longest + 1)))
    every = -(-len(names) // most)
    axis.set_ticks(range(0, len(names), every), names[::every])
