"""Style of all figures: colours, layout, titles and axes; and writing of figures to files."""

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

#: Paul Tol's "bright" scheme, which colour-blind readers can distinguish (SRON/EPS/TN/09-002).
COLOURS = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#CCBB44", "#66CCEE")
INK, GREY, PALE = "#333333", "#888888", "#DDDDDD"
DPI = 150
MOST_AGENTS = 4  # largest number of agents with panels of their own
MOST_LINES = len(COLOURS)  # largest number of actions with a colour of their own
MOST_CELLS = 8  # largest number of bars, or of rows or columns of a heat map, with numbers
FEW = 10  # with at least this many replicas, a distribution replaces single dots

_DOMAIN_OF_AX = "Axes, a sequence of Axes, a Figure or a SubFigure"

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
    """Draw panels and a note below them; return the figure, and write it to `path` if given.

    ax: Axes or a figure to draw on, see `places`; given Axes get neither title nor note
    """
    if path is not None:
        check_path(path)
    if ax is not None:
        picture, axes, own = places(ax, len(panels), columns, title)
    else:
        if len(panels) == 1:  # the title needs room
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
    """Return the figure, one Axes per panel, and the figure or subfigure divided into them.

    ax: a Figure or SubFigure to divide, or Axes: one for a single panel, else a sequence of one for
    each panel. The last value returned is None for Axes.
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
            raise TypeError(f"ax must be {_DOMAIN_OF_AX}, got {ax!r}")
        given = [each for row in ax for each in (row if hasattr(row, "__len__") else [row])]
        wrong = [each for each in given if not isinstance(each, Axes)]
        if wrong:
            raise TypeError(f"ax must be {_DOMAIN_OF_AX}, got {wrong[0]!r}")
    if len(given) != panels:
        raise ValueError(
            f"ax must be {panels} Axes, one for each panel of the figure, got {len(given)}; "
            "pass a sequence of Axes, or a Figure or SubFigure to divide"
        )
    return _whole_figure(given[0].figure), given, None


def _whole_figure(part: Any) -> Any:
    """Return the figure that contains a SubFigure, or the figure itself."""
    while part is not part.figure:
        part = part.figure
    return part


def plain(text: str) -> str:
    """Return a text that matplotlib draws literally.

    Dollar signs are escaped, so they do not begin mathematics. A space precedes an initial
    underscore, or matplotlib would leave the name out of legends.
    """
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def title_of(result: "Result") -> str:
    """Return the title of a figure: game, learners, number of replicas drawn, and steps."""
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
    """Return an empty figure and its panels.

    A notebook displays the figure; pyplot does not hold it.

    Parameters
    ----------
    panels : int
        Number of panels, at least 1.
    columns : int
        Largest number of panels in a row, at least 1.
    title : str
        Title of the figure.
    size : (float, float)
        Width and height of a panel, in inches.

    Returns
    -------
    matplotlib.figure.Figure, list of matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> picture, panels = figure(3, columns=2, title="Three panels")
    >>> len(panels)
    3
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
    """Divide an empty figure into panels; return them. letters: characters per line of title."""
    columns = min(columns, panels)
    picture.suptitle(plain(textwrap.fill(title, max(int(letters), 20))), fontsize=12, color=INK)
    axes = list(picture.subplots(-(-panels // columns), columns, squeeze=False).flat)
    for unused in axes[panels:]:
        unused.remove()
    return axes[:panels]


def save(picture: "Figure", path: str | Path) -> None:
    """Write a figure to a file atomically, in the format of its suffix.

    Parameters
    ----------
    picture : matplotlib.figure.Figure
        The figure to write.
    path : str or Path
        File to write; its suffix names a format of matplotlib, such as .png, .pdf or .svg.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If matplotlib does not know the suffix.
    OSError
        If the file cannot be written.
    """
    check_path(path)
    with replacing(path) as file:
        picture.savefig(file, format=Path(path).suffix[1:].lower(), dpi=DPI)


def check_path(path: str | Path, name: str = "path") -> None:
    """Check that matplotlib can write a file of this suffix.

    Parameters
    ----------
    path : str or Path
        The path to check.
    name : str
        Name of the argument, for the message.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If matplotlib does not know the suffix.

    Examples
    --------
    >>> check_path("figure.png")
    """
    with importing("plot", "a picture"):
        from matplotlib.backend_bases import FigureCanvasBase
    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in known:
        raise ValueError(f"{name} must end in one of .{', .'.join(known)}, got {str(path)!r}")


def label(axes: "Axes", title: str, x: str, y: str) -> None:
    """Set the title and the labels of a panel in the style of all figures.

    Parameters
    ----------
    axes : Axes
        The panel.
    title, x, y : str
        Title, and labels of the horizontal and the vertical axis.
    """
    axes.set_title(plain(title), fontsize=10.5, color=INK, loc="left")
    axes.set_xlabel(plain(x), fontsize=9, color=INK)
    axes.set_ylabel(plain(y), fontsize=9, color=INK)
    axes.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=3)


def finish(
    axes: "Axes", title: str, x: str, y: str, legend: Place = "best", grid: bool = True
) -> None:
    """Set the title, labels, legend, grid and frame of a panel in the style of all figures.

    Parameters
    ----------
    axes : Axes
        The panel, with everything drawn.
    title, x, y : str
        Title, and labels of the horizontal and the vertical axis.
    legend : str
        Location of the legend, as for matplotlib, or "" for none.
    grid : bool
        If True, draw horizontal grid lines.
    """
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
        across.set_params(nbins=6)  # more step numbers would overlap
    if legend and axes.get_legend_handles_labels()[1]:
        axes.legend(loc=legend, fontsize=8, labelcolor=INK, edgecolor="none", framealpha=0.9)


def colour_bar(axes: "Axes", image: Any, unit: str, extend: str = "neither") -> None:
    """Draw a colour bar with a label.

    extend: ends of the scale beyond which there are values, as for matplotlib
    """
    low, high = image.get_clim()
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, shrink=0.9, extend=extend)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # the bar is opaque even if the lines are not
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=3)
    bar.ax.set_ylabel(plain(unit), fontsize=8, color=INK)
    bar.formatter = _numbers()
    bar.update_ticks()
    if low == high:  # a constant needs one tick, not a range around it
        bar.set_ticks([low])
    bar.ax.yaxis.get_offset_text().set(fontsize=8, color=INK)
    for spine in bar.ax.spines.values():
        spine.set_visible(False)


def _numbers() -> Any:
    """Return a new formatter of numbers; import matplotlib only when called."""
    from fastgames.plot.picture import Numbers

    return Numbers()


def few_ticks(axis: Any, names: Sequence[str]) -> None:
    """Set ticks with names at 0, 1, 2, …, as many as fit.

    Numbers that do not fit are thinned out. Words are rotated first, because a missing word cannot
    be inferred from its neighbours.
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
    """Return True if a name reads as a number."""
    try:
        float(name)
    except ValueError:
        return False
    return True
