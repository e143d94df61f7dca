"""Pictures of results (extra "plot").

Drawn on `matplotlib.figure.Figure` alone: no display is needed, and neither pyplot nor rcParams is
touched, so a program that embeds this keeps its own style. The small functions at the end draw one
panel each; `fastgames.reproduce` uses them too.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastgames._checks import needs_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastgames.analysis import DeviationResponse
    from fastgames.result import Result

#: Paul Tol's "bright" scheme, which colour-blind readers can tell apart (SRON/EPS/TN/09-002).
COLOURS = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#CCBB44", "#66CCEE")
INK, GREY, PALE = "#333333", "#888888", "#DDDDDD"
DPI = 150
_MOST_AGENTS = 4  # agents that get panels of their own
_MOST_LINES = len(COLOURS)  # actions that get a colour of their own
_MOST_CELLS = 8  # bars, or rows and columns of a heat map, that have room for a number
_FEW = 10  # replicas, from which on a distribution is drawn and not each of them


def overview(result: "Result", path: str | Path | None = None) -> "Figure":
    """A figure of a result: one panel for each thing that it has.

    Parameters
    ----------
    result : Result
        What it has decides what is drawn. Always: the final tables of learning agents and the
        joint actions that they prefer at the end. Where recorded: policies, greedy actions and
        tables over time, joint actions played, flips, mean rewards. Distributions are over
        replicas (and observations, where there are several). The first four agents have panels of
        their own.
    path : str or Path, optional
        Written there, in the format that the suffix names (.png, .pdf, .svg).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError, OSError
        If path has a suffix that matplotlib does not know, or cannot be written.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> figure = overview(fg.run(game, fg.QLearner(), steps=100, replicas=3, rng=7))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Final q-values of agent 0', 'Final q-values of agent 1', 'Preferred in the end']
    """
    if path is not None:
        check_path(path)
    panels = [*_agents_panels(result), *_joint_panels(result)]
    columns = {2: 2 if len(panels) <= 6 else 4, 3: 3}.get(result.game.num_agents, 4)
    steps = int(result.steps.max())
    learners = ", ".join(dict.fromkeys(type(learner).__name__ for learner in result.learners))
    title = (
        f"{result.game.name}, {learners}: {result.replicas:,} "
        f"replica{'s' * (result.replicas > 1)} of {steps:,} steps"
    )
    picture, axes = figure(len(panels), columns, title)
    if result.replicas > 1 and (result.record.tables or result.record.policies):
        note = "Lines over time: median of the replicas; shaded: the middle half and 90 % of them."
        picture.supxlabel(note, fontsize=9, color=GREY)
    for draw, place in zip(panels, axes, strict=True):
        draw(place)
    if path is not None:
        save(picture, path)
    return picture


def figure(
    panels: int, columns: int, title: str, size: tuple[float, float] = (4.6, 3.3)
) -> "tuple[Figure, list[Axes]]":
    """An empty figure with so many panels of `size` inches, at most `columns` in a row."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise needs_extra("matplotlib", "plot", "a picture") from None
    columns = min(columns, panels)
    rows = -(-panels // columns)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    picture = Figure(figsize=(size[0] * columns, size[1] * rows + 0.4), layout=layout)
    picture.suptitle(title, fontsize=12, color=INK)
    axes = list(picture.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[panels:]:
        unused.remove()
    return picture, axes[:panels]


def save(picture: "Figure", path: str | Path) -> None:
    """Write a figure in the format that the suffix of `path` names."""
    check_path(path)
    picture.savefig(path, dpi=DPI)


def check_path(path: str | Path, name: str = "path") -> None:
    """Raise ValueError unless matplotlib knows the suffix, ImportError without matplotlib."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise needs_extra("matplotlib", "plot", "a picture") from None
    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in known:
        raise ValueError(f"{name} must end in one of .{', .'.join(known)}, got {str(path)!r}")


# --- the panels of an overview -----------------------------------------------------------------

Panel = Callable[["Axes"], None]
Place = Literal["best", "upper left", "lower right", "center right", ""]


def _agents_panels(result: "Result") -> list[Panel]:
    """One panel for each agent of everything that belongs to one agent, kind after kind."""
    agents = range(min(result.game.num_agents, _MOST_AGENTS))
    learning = [i for i in agents if result.learners[i].learns]
    taken = result.snapshots
    panels: list[Panel] = []
    if taken is not None and len(taken.steps):
        if taken.policies is not None:
            panels += [_policy_panel(result, i, taken.steps, taken.policies[i]) for i in agents]
        if taken.greedy is not None:
            panels += [_greedy_panel(result, i, taken.steps, taken.greedy[i]) for i in learning]
        for name in result.record.tables:
            held = [i for i in agents if name in taken.tables[i]]
            panels += [
                _table_panel(result, i, taken.steps, name, taken.tables[i][name]) for i in held
            ]
    panels += [_final_panel(result, i, result.learners[i].table) for i in learning]
    return panels


def _joint_panels(result: "Result") -> list[Panel]:
    """The panels that belong to all agents together."""
    agents = range(result.game.num_agents)
    learning = [i for i in agents if result.learners[i].learns]
    panels: list[Panel] = []
    if paired(result):
        panels.append(_joint_panel(result, preferred(result), "Preferred in the end"))
    if result.joint_counts is not None:
        played = result.joint_counts.sum(axis=0) / max(result.joint_counts.sum(), 1)
        panels.append(_joint_panel(result, played, "Played"))
    if result.flips is not None and learning:
        flips = {f"agent {i}": result.flips[:, i] for i in learning}
        panels.append(_counter_panel(flips, "Changes of the greedy action", "flips"))
    if result.mean_reward is not None:
        rewards = {f"agent {i}": result.mean_reward[:, i] for i in agents}
        panels.append(_counter_panel(rewards, "Mean reward", "reward per step"))
    return panels


def _policy_panel(result: "Result", agent: int, steps: Any, policies: Any) -> Panel:
    def draw(axes: "Axes") -> None:
        title = f"What agent {agent} would play"
        _chances(
            axes, steps, policies.mean(axis=2), result.game.actions[agent], title, "probability"
        )

    return draw


def _greedy_panel(result: "Result", agent: int, steps: Any, greedy: Any) -> Panel:
    def draw(axes: "Axes") -> None:
        names = result.game.actions[agent]
        title = f"What agent {agent} prefers"
        if greedy[0].size == 1:
            axes.step(steps, greedy[:, 0, 0], where="post", color=COLOURS[0], linewidth=1.0)
            axes.set_ylim(-0.2, len(names) - 0.8)
            finish(axes, title, "game steps", "greedy action")
            _few_ticks(axes.yaxis, names)
            return
        shares = np.stack([(greedy == a).mean(axis=(1, 2)) for a in range(len(names))], axis=-1)
        _chances(axes, steps, shares[:, None], names, title, "share of replicas")

    return draw


def _chances(
    axes: "Axes", steps: Any, values: Any, names: Sequence[str], title: str, unit: str
) -> None:
    """Numbers that sum to 1 over the last axis of values (times, replicas, actions), over time."""
    if len(names) > _MOST_LINES:
        map_over_time(axes, steps, values.mean(axis=1), names, unit)
        finish(axes, title, "game steps", "action", grid=False)
        return
    if len(names) == 2:  # the second only mirrors the first
        values, names, unit = values[..., :1], names[:1], f"{unit}: {names[0]}"
    bands(axes, steps, values, names)
    axes.set_ylim(-0.02, 1.02)
    finish(axes, title, "game steps", unit, legend="best" if len(names) > 1 else "")


def _table_panel(result: "Result", agent: int, steps: Any, name: str, table: Any) -> Panel:
    def draw(axes: "Axes") -> None:
        names = result.game.actions[agent]
        title = f"{name}-values of agent {agent}"
        if len(names) > _MOST_LINES:
            map_over_time(axes, steps, table.mean(axis=(1, 2)), names, f"mean {name}-value")
            finish(axes, title, "game steps", "action", grid=False)
        else:
            bands(axes, steps, table.mean(axis=2), names)
            finish(axes, title, "game steps", f"{name}-value")

    return draw


def _final_panel(result: "Result", agent: int, name: str) -> Panel:
    def draw(axes: "Axes") -> None:
        names = result.game.actions[agent]
        values = result.tables[agent][name].reshape(-1, len(names))
        title = f"Final {name}-values of agent {agent}"
        if len(values) >= _FEW and len(names) <= _MOST_LINES:
            histograms(axes, dict(zip(names, values.T, strict=True)))
            finish(axes, title, f"{name}-value", "share of replicas")
        else:
            spread(axes, values, names)
            finish(axes, title, "action", f"{name}-value")

    return draw


def _joint_panel(result: "Result", shares: Any, title: str) -> Panel:
    """Shares of joint actions: a heat map for two agents, bars of the most frequent for more."""

    def draw(axes: "Axes") -> None:
        names = result.game.actions
        if shares.ndim == 2:
            high = max(50.0, 100.0 * shares.max()) if shares.size <= 64 else None
            heat_map(axes, 100.0 * shares, names[0], names[1], "{:.0f} %", high)
            label(axes, title, "agent 1", "agent 0")
            return
        largest = np.argsort(-shares, axis=None, kind="stable")[:_MOST_CELLS]
        cells = [np.unravel_index(cell, shares.shape) for cell in largest]
        axes.barh(range(len(cells)), 100.0 * shares.ravel()[largest], color=COLOURS[0], height=0.7)
        finish(axes, title, "% of joint actions", "", grid=False)
        texts = [", ".join(names[i][a] for i, a in enumerate(cell)) for cell in cells]
        axes.set_yticks(range(len(cells)), texts)
        axes.invert_yaxis()

    return draw


def _counter_panel(values: Mapping[str, Any], title: str, unit: str) -> Panel:
    """What was counted, one number for each replica, by agent."""

    def draw(axes: "Axes") -> None:
        columns = np.stack(list(values.values()), axis=-1)
        if len(columns) >= _FEW and len(values) <= _MOST_LINES:
            histograms(axes, values)
            finish(axes, title, unit, "share of replicas")
        else:
            spread(axes, columns, list(values))
            axes.axhline(0.0, color=GREY, linewidth=0.8)
            finish(axes, title, "", unit)

    return draw


def paired(result: "Result") -> bool:
    """Whether all agents choose at once by the same observations, so that preferences combine."""
    compact = result.game.compact
    shapes = {result.greedy(i).shape[1] for i in range(result.game.num_agents)}
    return compact.observations is None and compact.turns is None and len(shapes) == 1


def preferred(result: "Result") -> np.ndarray[Any, np.dtype[np.float64]]:
    """Shares of the greedy joint actions over replicas and observations: (A_0, A_1, …), sum 1.

    Only where `paired`.
    """
    sizes = result.game.num_actions
    greedy = [result.greedy(i).ravel() for i in range(len(sizes))]
    cells = np.ravel_multi_index(tuple(greedy), sizes)
    return np.bincount(cells, minlength=int(np.prod(sizes))).reshape(sizes) / len(cells)


# --- what panels are made of -------------------------------------------------------------------


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
    if legend and axes.get_legend_handles_labels()[1]:
        axes.legend(loc=legend, fontsize=8, labelcolor=INK, edgecolor="none", framealpha=0.9)


def bands(axes: "Axes", x: Any, values: Any, names: Sequence[str], width: float = 1.4) -> None:
    """Lines over time: median over replicas, shaded where the middle half and 90 % of them lie.

    values: (times, replicas, lines), at most as many lines as COLOURS.
    """
    low, below, middle, above, high = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=1)
    marker = "o" if len(x) == 1 else ""
    for k, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        if values.shape[1] > 1:
            axes.fill_between(x, low[:, k], high[:, k], color=colour, alpha=0.12, linewidth=0)
            axes.fill_between(x, below[:, k], above[:, k], color=colour, alpha=0.25, linewidth=0)
        axes.plot(x, middle[:, k], marker=marker, color=colour, linewidth=width, label=name)


def map_over_time(axes: "Axes", x: Any, values: Any, names: Sequence[str], unit: str) -> None:
    """Values (times, lines) as colours: time to the right, one row for each line."""
    half = (x[-1] - x[0]) / max(len(x) - 1, 1) / 2 or 0.5
    image = axes.imshow(
        values.T, aspect="auto", origin="lower", cmap="Blues", interpolation="nearest",
        extent=(x[0] - half, x[-1] + half, -0.5, len(names) - 0.5),
    )  # fmt: skip
    _colour_bar(axes, image, unit)
    _few_ticks(axes.yaxis, names)


def _colour_bar(axes: "Axes", image: Any, unit: str) -> None:
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=3)
    bar.ax.set_ylabel(unit, fontsize=8, color=INK)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    for spine in bar.ax.spines.values():
        spine.set_visible(False)


def histograms(axes: "Axes", values: Mapping[str, Any], bins: int = 50) -> None:
    """Overlaid distributions on common bins, as shares of each, by name."""
    finite = {name: x[np.isfinite(x)] for name, x in values.items()}
    edges = _edges(np.concatenate(list(finite.values())), bins)
    for (name, x), colour in zip(finite.items(), COLOURS, strict=False):
        shares = np.histogram(x, edges)[0] / max(len(x), 1)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.25)
        axes.stairs(shares, edges, color=colour, linewidth=1.2, label=name)
    axes.margins(y=0.14)
    axes.set_ylim(bottom=0.0)


def _edges(values: Any, bins: int) -> Any:
    """Bin edges; for whole numbers all bins hold equally many of them, or the bars would comb."""
    if not len(values):
        return np.linspace(0.0, 1.0, bins + 1)
    low, high = values.min(), values.max()
    if values.dtype.kind in "iu":
        width = max(1, -(-(int(high) - int(low) + 1) // bins))
        return np.arange(int(low), int(high) + width + 1, width) - 0.5
    return np.histogram_bin_edges(values, bins, (low, high))


def spread(axes: "Axes", values: Any, names: Sequence[str]) -> None:
    """Columns of values (n, columns): each value as a dot if few, else median, half and 90 %."""
    at = np.arange(len(names))
    if len(values) == 1:
        axes.bar(at, values[0], color=COLOURS[0], width=0.5)
        for x, value in zip(at, values[0], strict=True):
            if len(names) <= _MOST_CELLS:
                axes.annotate(
                    f"{value:,.4g}", (x, value), xytext=(0, 3 if value >= 0 else -10),
                    textcoords="offset points", ha="center", fontsize=8, color=INK,
                )  # fmt: skip
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.margins(y=0.15)
    elif len(values) < _FEW:
        for row in values:
            axes.plot(at, row, "o", color=COLOURS[0], markersize=5, alpha=0.7)
    else:
        marks = np.nanquantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
        axes.vlines(at, marks[0], marks[4], color=COLOURS[0], linewidth=1.2, alpha=0.5)
        axes.vlines(at, marks[1], marks[3], color=COLOURS[0], linewidth=4.0, alpha=0.5)
        axes.plot(at, marks[2], "o", color=COLOURS[0], markersize=4)
    axes.set_xlim(-0.5, len(names) - 0.5)
    _few_ticks(axes.xaxis, names)


def heat_map(
    axes: "Axes", values: Any, rows: Sequence[str], columns: Sequence[str], text: str,
    high: float | None = None, low: float = 0.0,
) -> None:  # fmt: skip
    """Values (rows, columns) as colours from `low` to `high`, with the numbers where they fit."""
    high = max(float(np.nanmax(values)), 1e-300) if high is None else high
    image = axes.imshow(values, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    if max(values.shape) <= _MOST_CELLS:
        for (row, column), value in np.ndenumerate(values):
            axes.text(column, row, text.format(value), ha="center", va="center", fontsize=8,
                      color="white" if value > low + 0.6 * (high - low) else INK)  # fmt: skip
    else:
        _colour_bar(axes, image, text.format(0.0).strip("0. "))
    _few_ticks(axes.yaxis, rows)
    _few_ticks(axes.xaxis, columns)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _few_ticks(axis: Any, names: Sequence[str]) -> None:
    """Names at 0, 1, 2, …, as many as can be read."""
    every = -(-len(names) // 16)
    axis.set_ticks(range(0, len(names), every), names[::every])


def mark(axes: "Axes", x: float, text: str, side: Literal["left", "right"] = "right") -> None:
    """A vertical line at x, and what it is, on one side of it."""
    axes.axvline(x, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.annotate(
        text, (x, 1.0), xycoords=("data", "axes fraction"),
        xytext=(4 if side == "right" else -4, -2), textcoords="offset points", va="top",
        ha="left" if side == "right" else "right", fontsize=8, color=INK,
    )  # fmt: skip


def price_response(
    axes: "Axes", response: "DeviationResponse", names: Sequence[str],
    levels: Mapping[str, float],
) -> None:  # fmt: skip
    """Mean prices of all firms around a deviation, one line for each name, and levels to compare.

    response: of `fastgames.analysis.deviation_response`. levels: prices by their names.
    """
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for name, path, colour in zip(names, response.mean_prices.T, COLOURS, strict=False):
        axes.plot(
            response.periods, path, "o-", color=colour, markersize=4, linewidth=1.4, label=name
        )
    for name, level in levels.items():
        axes.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)))
        axes.annotate(
            name, (1.0, level), xycoords=("axes fraction", "data"), xytext=(0, 2),
            textcoords="offset points", ha="right", fontsize=8, color=INK,
        )  # fmt: skip
