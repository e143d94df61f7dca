"""Statistics over the dimensions of a sweep: lines over one dimension, a heat map over two."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.plot.parts import bands, grid_map
from fastgames.plot.shown import begun, mean
from fastgames.plot.style import (
    MOST_CELLS,
    MOST_LINES,
    Panel,
    compose,
    few_ticks,
    finish,
    label,
    title_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastgames.grids import Grid
    from fastgames.result import Result

UNITS = {
    "mean_reward": ("Mean reward", "reward per step"),
    "flips": ("Changes of the greedy action", "flips"),
    "regret": ("Regret", "reward per step"),
    "episodes": ("Episodes", "episodes"),
    "mean_length": ("Mean length of an episode", "game steps"),
    "mean_return": ("Mean return", "reward per episode"),
    "mean_discounted_return": ("Mean discounted return", "reward per episode"),
    "stopped": ("Share of replicas that stopped", "share of replicas"),
    "steps": ("Steps taken", "game steps"),
}


def sweep(
    result: "Result",
    path: str | Path | None = None,
    *,
    value: Any = None,
    over: tuple[str, ...] | str | None = None,
    name: str = "",
    ax: Any = None,
) -> "Figure":
    """Draw statistics of a run over a grid (`fastgames.grid`) against its dimensions.

    Over one dimension each agent has a line: the median of the replicas with bands for the middle
    half and 90 % of them, or the share for boolean statistics. Over two dimensions each of the
    first four agents has a heat map of means. Replicas are pooled over the dimensions that are not
    drawn, and a note names these. Replicas of an interrupted run that took no step are left out.

    Parameters
    ----------
    result : Result
        A result of a run over a `Grid`.
    path : str or Path, optional
        File to write the figure to, in the format of its suffix.
    value : str or array (replicas,) or (replicas, N), optional
        "mean_reward", "flips", "regret", "episodes", "mean_length", "mean_return",
        "mean_discounted_return", "stopped" or "steps", as recorded; or an array of numbers or
        booleans, such as ``analysis.profit_gain(result, …)``. By default all recorded statistics,
        without "stopped" and "steps" if all replicas took the same number of steps.
    over : str, or tuple of one or two str, optional
        Dimensions to draw over; of two, the first is vertical. By default the first two that have
        several values.
    name : str
        Name of the statistic if value is an array.
    ax : Axes, sequence of Axes, Figure or SubFigure, optional
        As for `overview`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError, TypeError, ValueError, OSError
        As `overview`; TypeError or ValueError also if an argument is outside its domain, ValueError
        if the run was not over a grid.

    Examples
    --------
    >>> import fastgames as fg
    >>> cells = fg.grid(alpha=[0.1, 0.2], repeats=5)
    >>> record = fg.Record(flips=True)
    >>> learner = fg.QLearner(cells.alpha)
    >>> result = fg.run(fg.games.chicken(), learner, 100, cells, rng=7, record=record)
    >>> [axes.get_title(loc="left") for axes in sweep(result, value="flips").axes]
    ['Changes of the greedy action']
    """
    grid = result.grid
    if grid is None:
        raise ValueError(
            f"result must be of a run over a grid, got {result.replicas:,} replicas without one; "
            "pass replicas=fg.grid(…)"
        )
    dims = _dimensions(grid, over)
    values = statistics(result) if value is None else _chosen(result, value, name)
    shown = begun(result)
    panels = [
        panel
        for what, (unit, array) in values.items()
        for panel in _panels(
            grid, dims, what, unit, _whole(result, array, shown), array.dtype == np.bool_
        )
    ]
    left = [dim for dim, held in grid.dims.items() if dim not in dims and len(held) > 1]
    shares = [array.dtype == np.bool_ for _, array in values.values()]
    if len(dims) == 2 or all(shares):
        note = f"Mean over {', '.join([*left, 'replicas'])}."
    else:
        note = f"Median, middle half and 90 % of all replicas{' and of '.join(['', *left])}."
        note += " Shares are means." if any(shares) else ""
    size = (5.2, 3.8)
    note = note if result.replicas > 1 else ""
    return compose(title_of(result), panels, 2, path, size, note, ax)


def statistics(result: "Result") -> dict[str, tuple[str, Any]]:
    """Return {title: (unit, array)} of all recorded statistics (replicas,) or (replicas, N)."""
    found: dict[str, tuple[str, Any]] = {}
    for key, (title, unit) in UNITS.items():
        array = getattr(result, key)
        if array is None or (key in ("stopped", "steps") and np.ptp(result.steps) == 0):
            continue
        found[title] = (unit, array)
    if found:
        return found
    return {UNITS["steps"][0]: (UNITS["steps"][1], result.steps)}


def _chosen(result: "Result", value: Any, name: str) -> dict[str, tuple[str, Any]]:
    """Return {title: (unit, array)} of the statistic that `value` names or is."""
    if isinstance(value, str):
        title, unit = UNITS[checks.one_of("value", value, UNITS)]
        array = getattr(result, value)
        if array is None:
            raise ValueError(
                f"value must be a recorded statistic, got {value!r} with {result.record}"
            )
        return {title: (unit, array)}
    array = np.asarray(value)
    checks.not_masked("value", value)
    if array.dtype.kind not in "biuf" or array.shape not in (
        (result.replicas,),
        (result.replicas, result.game.num_agents),
    ):
        raise ValueError(
            f"value must be one of {', '.join(map(repr, UNITS))}, or numbers ({result.replicas},) "
            f"or ({result.replicas}, {result.game.num_agents}), got {array.dtype} of shape "
            f"{array.shape}"
        )
    return {name or "Value": (name or "value", array)}


def _dimensions(grid: "Grid", over: Any) -> tuple[str, ...]:
    """Return the one or two dimensions to draw over."""
    if over is None:
        several = [name for name, values in grid.dims.items() if len(values) > 1]
        return tuple((several or list(grid.dims))[:2])
    checks.ordered("over", over)
    names = (over,) if isinstance(over, str) else tuple(over)
    for name in names:
        checks.one_of("over", name, grid.dims)
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        raise ValueError(f"over must be one dimension or two different ones, got {over!r}")
    return names


def folded(grid: "Grid", dims: tuple[str, ...], array: Any) -> Any:
    """Reshape values (replicas, …) by the dimensions drawn; return (*dims, other replicas, …)."""
    whole = grid.reshape(array)
    names = list(grid.dims)
    whole = np.moveaxis(whole, [names.index(dim) for dim in dims], range(len(dims)))
    kept = whole.shape[: len(dims)]
    return whole.reshape(*kept, -1, *np.shape(array)[1:])


def _whole(result: "Result", array: Any, shown: Any) -> Any:
    """Return values of all replicas of the grid, (replicas of the grid, …) float64.

    Replicas that are not shown, or are in other parts of the run, are nan.
    """
    whole = np.full((result.total, *array.shape[1:]), np.nan)
    whole[result.numbers[shown]] = array[shown]
    return whole


def _panels(
    grid: "Grid", dims: tuple[str, ...], title: str, unit: str, array: Any, share: bool
) -> list[Panel]:
    """Return one panel of lines, or a heat map for each of the first four agents.

    array: (replicas of the grid, …); share: if True, values are 0 or 1
    """
    values = folded(grid, dims, array)
    if len(dims) == 1:
        lines = values.reshape(*values.shape[:2], -1)
        return [_line_panel(grid, dims[0], title, unit, lines, share)]
    if values.ndim == 3:
        return [_map_panel(grid, dims, title, unit, mean(values, 2), share)]
    agents = range(min(values.shape[3], 4))
    return [
        _map_panel(grid, dims, f"{title}, agent {i}", unit, mean(values[..., i], 2), share)
        for i in agents
    ]


def _line_panel(grid: "Grid", dim: str, title: str, unit: str, values: Any, share: bool) -> Panel:
    """Return a panel of lines over one dimension.

    values: (values of the dimension, replicas, lines); share: if True, values are 0 or 1
    """

    def draw(axes: "Axes") -> None:
        given = grid.dims[dim]
        words = isinstance(given[0], str)
        x = np.arange(len(given)) if words else np.array(given, np.float64)
        texts, name = names_of(grid, dim)
        lines = mean(values, 1)[:, None] if share else values
        lines = lines[:, :, :MOST_LINES]
        order = np.argsort(x)
        order = order[np.isfinite(lines[order]).any(axis=(1, 2))]
        names = [f"agent {i}" for i in range(lines.shape[2])]
        bands(axes, x[order], lines[order], names)
        if share:
            axes.set_ylim(-0.02, 1.02)
        if words:
            few_ticks(axes.xaxis, texts)
        elif x.min() > 0 and x.max() >= 20 * x.min():
            axes.set_xscale("log")
        if not words and len(x) <= MOST_CELLS:  # ticks at the values alone
            axes.set_xticks(x, texts)
            axes.set_xticks([], minor=True)
        elif not words:
            name = dim
        finish(axes, title, name, unit, legend="best" if lines.shape[2] > 1 else "")

    return draw


def _map_panel(
    grid: "Grid", dims: tuple[str, ...], title: str, unit: str, means: Any, share: bool
) -> Panel:
    """Return a heat map of means (first dimension, second dimension)."""

    def draw(axes: "Axes") -> None:
        from fastgames.plot.picture import form_of, tenth

        (rows, up), (columns, across) = (names_of(grid, dim) for dim in dims)
        power, _ = form_of(means)
        numbers, times = means / 10.0**power, f", {tenth(power)}" if power else ""
        ends = (0.0, 1.0) if share else None
        grid_map(axes, numbers, rows, columns, _three_digits(numbers), unit + times, ends)
        label(axes, title + times, across, up)

    return draw


def _three_digits(values: Any) -> str:
    """Return a format string that gives the largest absolute value at least three digits."""
    largest = np.abs(values[np.isfinite(values)]).max(initial=1e-9)
    return f"{{:,.{int(np.clip(2 - np.floor(np.log10(largest or 1.0)), 0, 9))}f}}"


def names_of(grid: "Grid", dim: str) -> tuple[list[str], str]:
    """Return the tick labels for the values of a dimension, and the label of its axis."""
    from fastgames.plot.picture import scaled, tenth

    values = grid.dims[dim]
    if isinstance(values[0], str):
        return [str(value) for value in values], dim
    texts, power = scaled([float(value) for value in values])
    return texts, f"{dim}, {tenth(power)}" if power else dim
