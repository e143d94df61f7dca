"""Trajectories of policies on the unit square (two actions each) or the simplex (three actions)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.games import MatrixGame
from fastgames.plot.equilibria import equilibria
from fastgames.plot.shown import snapshots_of
from fastgames.plot.style import (
    COLOURS,
    GREY,
    INK,
    MOST_AGENTS,
    PALE,
    Panel,
    colour_bar,
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

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])  # of the simplex, by action
_LINES = 100  # default of `lines`
_MANY = 500  # with at least this many replicas, their ends are drawn as a density
_PLACES = 12  # at most this many different policies are drawn as places with arrows between them
_COUNTED = 10_000  # largest number of replicas of which moves are counted
_BEND = 0.18  # curvature of the arrows, which separates the two directions


def trajectories(
    result: "Result",
    path: str | Path | None = None,
    *,
    observation: int = 0,
    average: bool = False,
    lines: int = _LINES,
    ax: Any = None,
) -> "Figure":
    """Draw the trajectories of policies over the snapshots, for many replicas.

    Two agents with two actions each have a unit square, of the probabilities of their first
    actions. Three such agents have a square for each pair; more agents are paired 0 with 1, 2 with
    3, and so on. An agent with three actions has a simplex. The figure has at most four panels.

    - Lines are replicas; they darken with time.
    - Circles mark the start. In a resumed run this is its first snapshot, and the legend gives the
      step.
    - Dots mark the end. With at least 500 replicas a density replaces them.
    - Stars mark Nash equilibria of a matrix game: for two agents with at most four actions each all
      of them unless the game is degenerate, else the pure ones. With more than 8, none is marked.

    If all replicas have at most 12 different policies, as greedy learners do, each policy is drawn
    as a disc. Its area grows with the share of replicas that end there, and arrows show the moves
    between discs, for at most 10,000 evenly spaced replicas.

    Parameters
    ----------
    result : Result
        A result with ``record=fg.Record(every=…, policies=True)``.
    path : str or Path, optional
        File to write the figure to, in the format of its suffix.
    observation : int
        Observation of each agent at which to draw its policy, in [0, O) with O the smallest number
        of observations of an agent.
    average : bool
        If True, draw at each snapshot the mean of the policies up to it. Time averages of no-regret
        learners converge even if their policies do not.
    lines : int
        Largest number of replicas with a line, at least 1; they are evenly spaced.
    ax : Axes, sequence of Axes, Figure or SubFigure, optional
        As for `overview`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError, TypeError, ValueError, OSError
        As `overview`; TypeError or ValueError also if an argument is outside its domain, ValueError
        if there is nothing to draw.

    Examples
    --------
    >>> import fastgames as fg
    >>> record = fg.Record(every=50, policies=True)
    >>> learner = fg.QLearner(explore=fg.Softmax(0.5))
    >>> result = fg.run(fg.games.matching_pennies(), learner, 100, 3, rng=7, record=record)
    >>> trajectories(result).axes[0].get_title(loc="left")
    'Policies of agents 0 and 1'
    """
    least = min(result.game.num_observations)
    observation = checks.whole("observation", observation, f"[0, {least - 1}]")
    lines = checks.whole("lines", lines, "[1, inf)")
    if not isinstance(average, bool):
        raise TypeError(f"average must be True or False, got {average!r}")
    if result.snapshots is None or result.snapshots.policies is None:
        raise ValueError(
            f"result must have snapshots of policies, got {result.record}; pass "
            "record=fg.Record(every=…, policies=True)"
        )
    panels = trajectory_panels(result, observation, average, lines, bar=True)
    if not panels:
        raise ValueError(
            "result must have an agent with three actions or two agents with two actions each, "
            f"and a snapshot, got {result.game.num_actions} actions and "
            f"{len(result.snapshots.steps)} snapshots"
        )
    return compose(title_of(result), panels, 3, path, (5.0, 4.3), ax=ax)


def trajectory_panels(
    result: "Result",
    observation: int = 0,
    average: bool = False,
    lines: int = _LINES,
    bar: bool = False,
) -> list[Panel]:
    """Return a square for pairs of agents with two actions, a simplex per agent with three.

    Three agents with two actions have all pairs, more are paired 0 with 1, 2 with 3, and so on;
    at most four panels. An empty list without snapshots of policies.

    bar: if True, the last panel has a colour bar of the game steps
    """
    held = snapshots_of(result)
    if held is None or held[0].policies is None:
        return []
    steps = held[0].steps
    policies = [policy[:, :, observation] for policy in held[0].policies]
    if average:
        counts = np.arange(1, len(policies[0]) + 1)[:, None, None]
        policies = [np.cumsum(policy, axis=0) / counts for policy in policies]
    marks = equilibria(result.game) if isinstance(result.game, MatrixGame) else []
    where = f", observation {observation}" if max(result.game.num_observations) > 1 else ""
    what = "Mean policies so far" if average else "Policies"
    actions = result.game.num_actions
    two = [i for i, count in enumerate(actions) if count == 2]
    pairs = list(zip(two[::2], two[1::2], strict=False))
    if len(two) == 3:  # all three faces of the cube of policies
        pairs = list(itertools.combinations(two, 2))
    views = [_square(result, pair, policies, marks, what + where) for pair in pairs]
    three = [i for i, count in enumerate(actions) if count == 3]
    views += [_simplex(result, i, policies, marks, what + where) for i in three]
    views = views[:MOST_AGENTS]
    return [_panel(view, steps, lines, bar and view is views[-1]) for view in views]


@dataclass(frozen=True)
class View:
    """Contents of a panel, in its own coordinates.

    title: title of the panel
    points: (times, replicas, 2) float64; nan at snapshots that an interrupted replica did not reach
    marks: (equilibria, 2) float64
    labels: two labels of the axes of a square, or three of the corners of a simplex
    """

    title: str
    points: Any
    marks: Any
    labels: tuple[str, ...]


def _square(
    result: "Result", pair: tuple[int, int], policies: Sequence[Any], marks: Any, what: str
) -> View:
    """Return the view of the probabilities of the first actions of two agents."""
    i, j = pair
    points = np.stack([policies[i][..., 0], policies[j][..., 0]], axis=-1)
    stars = np.array([[mixes[i][0], mixes[j][0]] for mixes in marks]).reshape(-1, 2)
    names = result.game.actions
    labels = tuple(f"probability of {names[k][0]}, agent {k}" for k in pair)
    return View(f"{what} of agents {i} and {j}", points, np.unique(stars, axis=0), labels)


def _simplex(result: "Result", agent: int, policies: Sequence[Any], marks: Any, what: str) -> View:
    """Return the view of an agent's policy on the simplex."""
    stars = np.array([mixes[agent] for mixes in marks]).reshape(-1, 3) @ CORNERS
    points = policies[agent] @ CORNERS
    stars = np.unique(stars.round(12), axis=0)
    return View(f"{what} of agent {agent}", points, stars, result.game.actions[agent])


def _panel(view: View, steps: Any, lines: int, bar: bool) -> Panel:
    """Return a panel that draws a view; bar: if True, with a colour bar of the game steps."""

    def draw(axes: "Axes") -> None:
        sample = view.points[:, spaced(view.points.shape[1], _COUNTED)]
        places, at = places_of(sample)
        few = len(places) <= _PLACES and len(sample) > 1
        _ground(axes, view, 0.1 if few else 0.02)
        if few:
            _draw_moves(axes, places, at, view.marks)
        else:
            _draw_paths(axes, view, steps, lines, bar)
        if len(view.marks):
            axes.plot(
                *view.marks.T, "*", color=INK, markersize=13, markeredgecolor="white",
                label="Nash equilibrium", zorder=6, linestyle="none", clip_on=False,
            )  # fmt: skip
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.02 if len(view.labels) == 3 else -0.16),
            ncols=2, fontsize=8, labelcolor=INK, edgecolor="none", handletextpad=0.4,
            columnspacing=1.2,
        )  # fmt: skip

    return draw


def _ground(axes: "Axes", view: View, room: float) -> None:
    """Draw the empty square or simplex with its labels; room: margin of a square, for discs."""
    axes.set_aspect("equal")
    if len(view.labels) == 2:
        finish(axes, view.title, *view.labels, legend="", grid=False)
        axes.set(xlim=(-room, 1.0 + room), ylim=(-room, 1.0 + room))
        for side, axis in (("bottom", axes.xaxis), ("left", axes.yaxis)):
            axis.set_ticks(np.linspace(0.0, 1.0, 5))
            axes.spines[side].set_bounds(0.0, 1.0)  # the domain of a probability
        axes.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], color=PALE, linewidth=0.8, zorder=0)
        return
    label(axes, view.title, "", "")
    axes.set_axis_off()
    axes.plot(*CORNERS[[0, 1, 2, 0]].T, color=GREY, linewidth=0.9, zorder=0)
    axes.set_xlim(-0.12, 1.12)
    axes.set_ylim(-0.1, 0.97)
    places = zip(CORNERS, view.labels, ("right", "left", "center"), (-1, -1, 1), strict=True)
    for corner, name, side, up in places:
        axes.annotate(
            plain(name), corner, xytext=(0, 9 * up), textcoords="offset points", fontsize=9,
            color=INK, ha="center", va="center" if side != "center" else "bottom",
        )  # fmt: skip


def _draw_paths(axes: "Axes", view: View, steps: Any, lines: int, bar: bool) -> None:
    """Draw lines of some replicas, darker with time, and their starts and ends.

    Ends of at least `_MANY` replicas are drawn as a density.
    """
    from matplotlib.collections import LineCollection

    replicas = view.points.shape[1]
    drawn = spaced(replicas, lines)
    points = view.points[:, drawn]
    if len(points) > 1:
        pieces = np.stack([points[:-1], points[1:]], axis=2).swapaxes(0, 1).reshape(-1, 2, 2)
        came = np.isfinite(pieces).all(axis=(1, 2))
        pieces = pieces[came]
        paths = LineCollection(
            list(pieces), cmap=_shades("Blues"), linewidths=0.8, alpha=_opaque(pieces), zorder=2
        )
        paths.set_array(np.tile(steps[1:], len(drawn))[came])
        paths.set_clim(steps[0], steps[-1])
        axes.add_collection(paths, autolim=False)
        axes.plot([], [], color=COLOURS[0], label=_which(len(drawn), replicas, bar))
        if bar:
            colour_bar(axes, paths, "game steps")
        axes.plot(
            *points[0].T, "o", color="white", markeredgecolor=GREY, markersize=3.5, zorder=3,
            label="start" if steps[0] == 0 else f"step {steps[0]:,}", markeredgewidth=0.7,
            clip_on=False,
        )  # fmt: skip
    if replicas >= _MANY:
        _draw_density(axes, view)
        return
    axes.plot(
        *last_of(points).T, "o", color=COLOURS[1], markersize=3.5, zorder=4, label="end",
        markeredgecolor="white", markeredgewidth=0.4, clip_on=False,
    )  # fmt: skip


def _which(drawn: int, replicas: int, bar: bool) -> str:
    """Return the label of the lines: the replicas, and the meaning of shades without a bar."""
    some = f"{drawn:,} of {replicas:,} replicas" if drawn < replicas else f"{replicas:,} replicas"
    return f"{some if replicas > 1 else '1 replica'}{'' if bar else ', darker later'}"


def _draw_density(axes: "Axes", view: View) -> None:
    """Draw the density of the last points of all replicas as hexagons, darker with more."""
    from matplotlib.patches import Polygon

    cells = axes.hexbin(
        *last_of(view.points).T, gridsize=40, extent=(0, 1, 0, 1), cmap=_shades("Reds"), mincnt=1,
        linewidths=0.1, zorder=4, alpha=0.85,
    )  # fmt: skip
    inside = CORNERS if len(view.labels) == 3 else [(0, 0), (1, 0), (1, 1), (0, 1)]
    cells.set_clip_path(Polygon(inside, transform=axes.transData))
    ends = f"end of all {view.points.shape[1]:,}"
    axes.plot([], [], "h", color=COLOURS[1], markersize=7, label=ends, linestyle="none")


def _shades(name: str) -> Any:
    """Return the colour map of that name without its nearly white colours."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps[name](np.linspace(0.25, 1.0, 128)))


def _opaque(pieces: Any) -> float:
    """Return the opacity of the lines: the longer they are in total, the lower.

    pieces: (pieces, 2, 2)
    """
    length = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=-1).sum()
    return float(np.clip(5.0 / np.sqrt(max(length, 1e-300)), 0.05, 0.9))


def _draw_moves(axes: "Axes", places: Any, at: Any, marks: Any) -> None:
    """Draw discs sized by the share that ends there, and arrows by the share that moves.

    places: (places, 2); at: (times, replicas), the index of each replica's place, or nan;
    marks: (equilibria, 2)
    """
    from matplotlib.patches import FancyArrowPatch

    shares, moves = shares_of(at, len(places))
    most = moves.max() or 1.0
    for i, j in zip(*np.nonzero(moves), strict=True):
        width = 0.4 + 4.6 * moves[i, j] / most
        axes.add_patch(
            FancyArrowPatch(
                places[i], places[j], connectionstyle=f"arc3,rad={_BEND}", arrowstyle="-|>",
                mutation_scale=7 + 2 * width, linewidth=width, color=COLOURS[0], alpha=0.55,
                shrinkA=14, shrinkB=14, zorder=2, clip_on=False,
            )
        )  # fmt: skip
        if moves[i, j] > 0.1 * most:
            axes.annotate(
                f"{100 * moves[i, j]:.2g} %", _along(places[i], places[j]), fontsize=8, color=INK,
                ha="center", va="center", zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
            )  # fmt: skip
    axes.scatter(
        places[:, 0], places[:, 1], s=40.0 + 1400.0 * shares, color=COLOURS[1], zorder=3,
        alpha=0.85, linewidths=0, clip_on=False,
    )  # fmt: skip
    for place, share in zip(places, shares, strict=True):
        near = any(np.linalg.norm(place - star) < 0.1 for star in marks)  # keep the star visible
        axes.annotate(f"{100 * share:.0f} %", place, xytext=(0, 14 if near else 0), fontsize=8.5,
                      textcoords="offset points", color=INK, ha="center", va="center",
                      zorder=7)  # fmt: skip
    axes.plot(
        [], [], "o", color=COLOURS[1], markersize=8, label="share in the end", linestyle="none"
    )
    axes.plot([], [], color=COLOURS[0], alpha=0.55, linewidth=3,
              label="share that moves between snapshots")  # fmt: skip


def _along(start: Any, end: Any, t: float = 0.36) -> Any:
    """Return the point (2,) at parameter t of a bent arrow.

    A third of the way, the labels of the two directions do not overlap.
    """
    ahead = end - start
    bend = (start + end) / 2 + _BEND * np.array([ahead[1], -ahead[0]])
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end


def spaced(count: int, most: int) -> Any:
    """Return at most `most` evenly spaced indices below `count`, first and last included."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def last_of(values: Any) -> Any:
    """Return the last finite entry of every replica, (replicas, …).

    values: (times, replicas, …)
    """
    came = np.isfinite(values.reshape(*values.shape[:2], -1)).all(axis=-1)
    last = len(came) - 1 - came[::-1].argmax(axis=0)
    return values[last, np.arange(values.shape[1])]


def places_of(points: Any) -> tuple[Any, Any]:
    """Return the distinct points (places, 2), rounded to 1e-9, and the index of each point.

    Indices are (times, replicas) float64, nan if a point is nan.
    """
    keys = points.round(9) @ np.array([1.0, 1.0j])
    came = np.isfinite(keys)
    found, numbers = np.unique(keys[came], return_inverse=True)
    at = np.full(keys.shape, np.nan)
    at[came] = numbers.reshape(-1)
    return np.stack([found.real, found.imag], axis=-1), at


def shares_of(at: Any, places: int) -> tuple[Any, Any]:
    """Return the shares of replicas by last place (places,), and of moves (places, places).

    Moves are shares of all pairs of successive snapshots of a replica; the diagonal is 0.
    """
    ends = np.bincount(last_of(at).astype(np.int64), minlength=places) / at.shape[1]
    codes = at[:-1] * places + at[1:]
    codes = codes[np.isfinite(codes)].astype(np.int64)
    moves = np.bincount(codes, minlength=places**2).reshape(places, places) / max(len(codes), 1)
    np.fill_diagonal(moves, 0.0)
    return ends, moves
