"""How every picture looks: colours, the empty figure, titles and axes; and how it is written."""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastgames._common.checks import importing
from fastgames.io.files import replacing
from fastgames.plot.shown import begun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

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
    ax: Any = None,
) -> "Figure":
    """Draw these panels and a note below them; return the figure, written to `path` if given.

    ax: where to draw instead of on a new figure, see `places`; axes get neither title nor note.
    """
    if path is not None:
        check_path(path)
    if ax is not None:
        picture, axes, own = places(ax, len(panels), columns, title)
    else:
        if len(panels) == 1:  # room for the title
            size = (max(size[0], 6.4), max(size[1], 4.6))
        picture, axes = figure(len(panels), columns, title, size)
        own = picture
    for draw, place in zip(panels, axes, strict=True):
        draw(place)
    if note and own is not None:
        wide = own.bbox.width / own.dpi
        own.supxlabel(plain(textwrap.fill(note, int(15 * wide))), fontsize=9, color=GREY)
    if path is not None:
        save(picture, path)
    return picture


def places(
    ax: Any, panels: int, columns: int, title: str
) -> "tuple[Figure, list[Axes], Figure | SubFigure | None]":
    """Return where `panels` are drawn: the figure, the axes, and what was divided into them.

    ax: a Figure or SubFigure, which is divided; Axes if there is one panel, else a sequence of as
    many Axes as there are panels (None is divided then).
    """
    with importing("plot", "a picture"):
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure, SubFigure
    if isinstance(ax, Figure | SubFigure):
        axes = _divided(ax, panels, columns, title, 11 * ax.bbox.width / ax.dpi)
        return _whole_figure(ax), axes, ax
    given = [ax] if isinstance(ax, Axes) else ax
    if not isinstance(ax, Axes):
        if isinstance(ax, str) or not hasattr(ax, "__len__"):
            raise TypeError(f"ax must be Axes, several of them, or a Figure, got {ax!r}")
        given = [each for row in ax for each in (row if hasattr(row, "__len__") else [row])]
        wrong = [each for each in given if not isinstance(each, Axes)]
        if wrong:
            raise TypeError(f"ax must be Axes, several of them, or a Figure, got {wrong[0]!r}")
    if len(given) != panels:
        raise ValueError(
            f"ax must be {panels} Axes, one for each panel of this picture, got {len(given)}; "
            "give a sequence of them, or a Figure or SubFigure to be divided"
        )
    return _whole_figure(given[0].figure), given, None


def _whole_figure(part: Any) -> Any:
    """Return the figure that a SubFigure is in, or the figure itself."""
    while part is not part.figure:
        part = part.figure
    return part


def plain(text: str) -> str:
    """Return a text as it is to be drawn: a dollar sign is one, and begins no mathematics.

    Nor does matplotlib then leave a name that begins with an underscore out of a legend.
    """
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def title_of(result: "Result") -> str:
    """Return what was run, and how many of its replicas are drawn."""
    shown = begun(result)
    low, high = int(result.steps[shown].min()), int(result.steps.max())
    some = "" if shown.all() else f"{int(shown.sum()):,} of "
    learners = ", ".join(dict.fromkeys(type(learner).__name__ for learner in result.learners))
    name = result.game.name
    return (
        f"{name[:1].upper()}{name[1:]}, {learners}: {some}{result.replicas:,} "
        f"replica{'s' * (result.replicas > 1)} of {'up to ' * (low < high)}{high:,} steps"
    )


def figure(
    panels: int, columns: int, title: str, size: tuple[float, float] = (4.6, 3.3)
) -> "tuple[Figure, list[Axes]]":
    """Return an empty figure with so many panels of `size` inches, at most `columns` in a row.

    A notebook shows it; pyplot does not know of it.
    """
    with importing("plot", "a picture"):
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        from fastgames.plot.picture import Picture
    columns = min(columns, panels)
    rows = -(-panels // columns)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    picture: Figure = Picture(figsize=(size[0] * columns, size[1] * rows + 0.4), layout=layout)
    return picture, _divided(picture, panels, columns, title, 11 * size[0] * columns)


def _divided(
    picture: "Figure | SubFigure", panels: int, columns: int, title: str, letters: float
) -> "list[Axes]":
    """Return so many panels on an empty figure, with a title above of `letters` in a line."""
    columns = min(columns, panels)
    picture.suptitle(plain(textwrap.fill(title, max(int(letters), 20))), fontsize=12, color=INK)
    axes = list(picture.subplots(-(-panels // columns), columns, squeeze=False).flat)
    for unused in axes[panels:]:
        unused.remove()
    return axes[:panels]


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
    axes.set_title(plain(title), fontsize=10.5, color=INK, loc="left")
    axes.set_xlabel(plain(x), fontsize=9, color=INK)
    axes.set_ylabel(plain(y), fontsize=9, color=INK)
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
            axis.set_major_formatter(_numbers())
            axis.get_offset_text().set(fontsize=8, color=INK)
    across: Any = axes.xaxis.get_major_locator()
    if type(across).__name__ == "AutoLocator":
        across.set_params(nbins=6)  # more would touch each other: they are numbers of steps
    if legend and axes.get_legend_handles_labels()[1]:
        axes.legend(loc=legend, fontsize=8, labelcolor=INK, edgecolor="none", framealpha=0.9)


def colour_bar(axes: "Axes", image: Any, unit: str, extend: str = "neither") -> None:
    """Say which colour is how much; extend: the ends beyond which there are more."""
    low, high = image.get_clim()
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, shrink=0.9, extend=extend)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # lines are thinner than what says what they mean
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=3)
    bar.ax.set_ylabel(plain(unit), fontsize=8, color=INK)
    bar.formatter = _numbers()
    bar.update_ticks()
    if low == high:  # of a constant, and not from 0.9 to 1.1 of it
        bar.set_ticks([low])
    bar.ax.yaxis.get_offset_text().set(fontsize=8, color=INK)
    for spine in bar.ax.spines.values():
        spine.set_visible(False)


def _numbers() -> Any:
    from fastgames.plot.picture import Numbers

    return Numbers()


def few_ticks(axis: Any, names: Sequence[str]) -> None:
    """Write names at 0, 1, 2, …, as many as can be read.

    Numbers that do not fit are thinned out, words are turned first: each says what no other does.
    """
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    numbers = all(map(_is_number, names))
    if axis.axis_name == "y":
        most, turned = 16 if numbers else 24, False
    else:
        wide = axis.axes.get_window_extent().width / axis.axes.figure.dpi
        most = max(2, min(16, int(13 * wide) // (longest + 1)))
        turned = not numbers and len(names) > most
        if turned:
            most = max(2, int(6 * wide))
    every = max(1, -(-len(names) // most))
    axis.set_ticks(range(0, len(names), every), [plain(name) for name in names[::every]])
    for text in axis.get_ticklabels() if turned else ():
        text.set(rotation=40, ha="right", rotation_mode="anchor")


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
