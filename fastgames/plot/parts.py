"""Parts of panels: lines with bands, distributions, heat maps, marks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastgames.plot.style import COLOURS, FEW, GREY, INK, MOST_CELLS, colour_bar, few_ticks, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fastgames.analysis import DeviationResponse


def bands(axes: "Axes", x: Any, values: Any, names: Sequence[str], width: float = 1.4) -> None:
    """Draw medians over replicas as lines, with bands for the middle half and 90 % of them.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    x : (times,) real numbers
        Positions on the horizontal axis.
    values : (times, replicas, lines) float64
        At most ``len(COLOURS)`` lines are drawn; nan is left out.
    names : sequence of str
        Names of the lines, for the legend.
    width : float
        Width of the lines, in points.
    """
    quantile = np.nanquantile if np.isnan(values).any() else np.quantile
    low, below, middle, above, high = quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=1)
    marker = "o" if len(x) == 1 else ""
    for k, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        if values.shape[1] > 1:
            axes.fill_between(x, low[:, k], high[:, k], color=colour, alpha=0.12, linewidth=0)
            axes.fill_between(x, below[:, k], above[:, k], color=colour, alpha=0.25, linewidth=0)
        axes.plot(x, middle[:, k], marker=marker, color=colour, linewidth=width, label=plain(name))


def map_over_time(axes: "Axes", x: Any, values: Any, names: Sequence[str], unit: str) -> None:
    """Draw values over time as colours, with one row for each line.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    x : (times,) real numbers
        Times, increasing.
    values : (times, lines) float64
        Values to draw.
    names : sequence of str
        Names of the rows.
    unit : str
        Label of the colour bar.
    """
    edges = np.convolve(x, (0.5, 0.5), "valid")  # midpoints between two times
    first, last = (edges[0], edges[-1]) if len(edges) else (x[0] + 0.5, x[0] - 0.5)
    edges = np.concatenate([[2.0 * x[0] - first], edges, [2.0 * x[-1] - last]])
    later = values[1:] if len(values) > 1 else values  # initial values would widen the colour scale
    image = axes.pcolormesh(
        edges, np.arange(len(names) + 1) - 0.5, values.T, cmap="Blues", rasterized=True,
        vmin=later.min(), vmax=later.max(),
    )  # fmt: skip
    above, below = values[0].max() > later.max(), values[0].min() < later.min()
    ends = {(False, False): "neither", (True, False): "max", (False, True): "min"}
    colour_bar(axes, image, unit, ends.get((bool(above), bool(below)), "both"))
    few_ticks(axes.yaxis, names)


def histograms(axes: "Axes", values: Mapping[str, Any], bins: int = 50) -> None:
    """Draw overlaid histograms on common bins, as shares of the finite values of each name.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    values : mapping from str to (n,) array
        Numbers by name; at most ``len(COLOURS)`` names are drawn.
    bins : int
        Number of bins, at least 1. Integer values may get fewer.
    """
    from matplotlib.ticker import MaxNLocator

    finite = {name: x[np.isfinite(x)] for name, x in values.items()}
    together = np.concatenate(list(finite.values()))
    edges, whole, largest = _edges(together, bins), together.dtype.kind in "iu", 0.0
    for (name, x), colour in zip(finite.items(), COLOURS, strict=False):
        shares = np.histogram(x, edges)[0] / max(len(x), 1)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.25)
        axes.stairs(shares, edges, color=colour, linewidth=1.2, label=plain(name))
        largest = max(largest, shares.max())
    axes.set_ylim(0.0, min(1.14 * largest, 1.02) or 1.02)  # room for the legend; shares are <= 1
    if whole:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _edges(values: Any, bins: int) -> Any:
    """Return the bin edges for values (n,).

    Bins of integers cover equally many integers each: unequal bins would show false gaps.
    """
    if not len(values):
        return np.linspace(0.0, 1.0, bins + 1)
    low, high = values.min(), values.max()
    if values.dtype.kind in "iu":
        width = max(1, -(-(int(high) - int(low) + 1) // bins))
        return np.arange(int(low), int(high) + width + 1, width) - 0.5
    if low == high:  # centre a narrow bar on the constant
        half = 0.5 * abs(low) or 0.5
        return low + half * np.linspace(-1.0, 1.0, bins + 2 - bins % 2)
    return np.histogram_bin_edges(values, bins, (low, high))


def spread(axes: "Axes", values: Any, names: Sequence[str]) -> None:
    """Draw the distribution of each column of values.

    One row is drawn as bars, fewer than `FEW` rows as dots, more as the median, the middle half
    and 90 % of the values.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    values : (n, columns) float64
        Values to draw, n >= 1; nan is left out of the quantiles.
    names : sequence of str
        Names of the columns.
    """
    from fastgames.plot.picture import alone

    at = np.arange(len(names))
    if len(values) == 1:
        axes.bar(at, values[0], color=COLOURS[0], width=0.5)
        for x, value in zip(at, values[0], strict=True):
            if len(names) <= MOST_CELLS:
                axes.annotate(
                    alone(value), (x, value), xytext=(0, 3 if value >= 0 else -10),
                    textcoords="offset points", ha="center", fontsize=8, color=INK,
                )  # fmt: skip
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.margins(y=0.15)
    elif len(values) < FEW:
        for row in values:
            axes.plot(at, row, "o", color=COLOURS[0], markersize=5, alpha=0.7)
    else:
        marks = np.nanquantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
        axes.vlines(at, marks[0], marks[4], color=COLOURS[0], linewidth=1.2, alpha=0.5)
        axes.vlines(at, marks[1], marks[3], color=COLOURS[0], linewidth=4.0, alpha=0.5)
        axes.plot(at, marks[2], "o", color=COLOURS[0], markersize=4)
    axes.set_xlim(-0.5, len(names) - 0.5)
    few_ticks(axes.xaxis, names)


def heat_map(
    axes: "Axes", values: Any, rows: Sequence[str], columns: Sequence[str], text: str,
    high: float | None = None, low: float = 0.0, unit: str | None = None,
) -> None:  # fmt: skip
    """Draw values as colours, with their numbers in the cells or with a colour bar.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    values : (rows, columns) float64
        Values to draw. With at most `MOST_CELLS` rows and columns each cell shows its number,
        a dash if it is not finite; else there is a colour bar.
    rows, columns : sequence of str
        Names of the rows and columns.
    text : str
        Format of a number, such as "{:.0f} %".
    high, low : float
        Values of the darkest and the lightest colour; by default the maximum of values, and 0.
    unit : str, optional
        Label of the colour bar; by default the text after the number in `text`.
    """
    high = max(float(np.nanmax(values)), 1e-300) if high is None else high
    image = axes.imshow(values, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    if max(values.shape) <= MOST_CELLS:
        for (row, column), value in np.ndenumerate(values):
            shown = text.format(value) if np.isfinite(value) else "\N{EN DASH}"
            axes.text(column, row, shown, ha="center", va="center", fontsize=8,
                      color="white" if value > low + 0.6 * (high - low) else INK)  # fmt: skip
    else:
        colour_bar(axes, image, text.format(0.0).strip("0. ") if unit is None else unit)
    few_ticks(axes.yaxis, rows)
    few_ticks(axes.xaxis, columns)
    for spine in axes.spines.values():
        spine.set_visible(False)


def mark(axes: "Axes", x: float, text: str, side: Literal["left", "right"] = "right") -> None:
    """Draw a vertical line with a text beside it.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    x : float
        Position of the line, in data coordinates.
    text : str
        Text to write at the top of the line.
    side : "left" or "right"
        Side of the line on which the text stands.
    """
    axes.axvline(x, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.annotate(
        plain(text), (x, 1.0), xycoords=("data", "axes fraction"),
        xytext=(4 if side == "right" else -4, -2), textcoords="offset points", va="top",
        ha="left" if side == "right" else "right", fontsize=8, color=INK,
    )  # fmt: skip


def price_response(
    axes: "Axes", response: "DeviationResponse", names: Sequence[str],
    levels: Mapping[str, float],
) -> None:  # fmt: skip
    """Draw the mean prices of all firms around a deviation, and reference levels.

    Bands show the middle half of the replicas, if there are several.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    response : DeviationResponse
        From `fastgames.analysis.deviation_response`.
    names : sequence of str
        Names of the firms, one line for each.
    levels : mapping from str to float
        Prices to mark by a horizontal line, by name.
    """
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = response.price_quartiles
    lines = zip(names, response.mean_prices.T, low.T, high.T, COLOURS, strict=False)
    for name, path, below, above, colour in lines:
        if len(response.gain) > 1:
            axes.fill_between(response.periods, below, above, color=colour, alpha=0.18, linewidth=0)
        axes.plot(
            response.periods, path, "o-", color=colour, markersize=4, linewidth=1.4,
            label=plain(name),
        )  # fmt: skip
    for name, level in levels.items():
        axes.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)))
        axes.annotate(
            plain(name), (1.0, level), xycoords=("axes fraction", "data"), xytext=(0, 2),
            textcoords="offset points", ha="right", fontsize=8, color=INK,
        )  # fmt: skip


def grid_map(
    axes: "Axes", values: Any, rows: Sequence[str], columns: Sequence[str], text: str,
    unit: str = "", ends: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    """Draw a statistic over two dimensions of a sweep as a heat map, the first row at the bottom.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    values : (rows, columns) float64
        Values to draw.
    rows, columns : sequence of str
        Names of the rows and columns.
    text : str
        Format of a number, such as "{:.2f}".
    unit : str
        Label of the colour bar, if there is one (see `heat_map`).
    ends : (float, float), optional
        Values of the lightest and the darkest colour, such as (0, 1) for shares; by default the
        smallest and the largest value.
    """
    low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if ends is None else ends
    heat_map(axes, values[::-1], rows[::-1], columns, text, high, low, unit)
