"""A figure with a panel for each quantity that a result has."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.plot.joint_actions import joint_panels
from fastgames.plot.over_time import curve_panels, note
from fastgames.plot.parts import histograms, spread
from fastgames.plot.paths import trajectory_panels
from fastgames.plot.shown import begun, choice
from fastgames.plot.style import (
    FEW,
    GREY,
    MOST_AGENTS,
    MOST_LINES,
    Panel,
    compose,
    finish,
    title_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastgames.result import Result


def overview(result: "Result", path: str | Path | None = None, *, ax: Any = None) -> "Figure":
    """Draw a figure of a result with one panel for each quantity that it has.

    Parameters
    ----------
    result : Result
        The figure always has the final tables of learning agents, and the joint actions that
        agents prefer at the end if their greedy actions combine (see `joint`). If recorded, it
        also has rewards, policies, greedy actions and tables over time, trajectories of policies,
        joint actions played, flips and mean rewards. Distributions are over replicas, and over
        observations if there are several. Only the first four agents have panels of their own.
    path : str or Path, optional
        File to write the figure to, in the format of its suffix (.png, .pdf, .svg).
    ax : Axes, sequence of Axes, Figure or SubFigure, optional
        Axes to draw on, instead of a new figure: one Axes for a figure of one panel, else a
        sequence or array of one Axes per panel. The Axes get titles and labels; their figure gets
        none. A Figure or SubFigure is divided into panels.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ax is none of these.
    ValueError
        If matplotlib does not know the suffix of path, if the number of Axes is not the number of
        panels, or if no replica has taken a step.
    OSError
        If path cannot be written.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> figure = overview(fg.run(game, fg.QLearner(), steps=100, replicas=3, rng=7))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Final q-values of agent 0', 'Final q-values of agent 1', 'Preferred in the end']
    """
    over_time = curve_panels(result)
    panels = [
        *(panel for kind in over_time.values() for panel in kind),
        *(trajectory_panels(result) if max(result.game.num_observations) == 1 else []),
        *_final_panels(result),
        *joint_panels(result),
        *_counter_panels(result),
    ]
    columns = {2: 2 if len(panels) <= 6 else 4, 3: 3}.get(result.game.num_agents, 4)
    words = note(result) if over_time else ""
    return compose(title_of(result), panels, columns, path, note=words, ax=ax)


def _final_panels(result: "Result") -> list[Panel]:
    """Return a panel of the final table for each learning agent of the first four."""
    agents = range(min(result.game.num_agents, MOST_AGENTS))
    learning = [i for i in agents if result.learners[i].learns]
    return [_final_panel(result, i, result.learners[i].table) for i in learning]


def _final_panel(result: "Result", agent: int, name: str) -> Panel:
    """Return a panel of the distribution of an agent's final table, by action."""

    def draw(axes: "Axes") -> None:
        names = result.game.actions[agent]
        values = result.tables[agent][name][begun(result)].reshape(-1, len(names))
        title = f"Final {name}-values of agent {agent}"
        if len(values) >= FEW and len(names) <= MOST_LINES:
            histograms(axes, dict(zip(names, values.T, strict=True)))
            finish(axes, title, f"{name}-value", "share of replicas")
        else:
            spread(axes, values, names)
            finish(axes, title, choice(result.game), f"{name}-value")

    return draw


def _counter_panels(result: "Result") -> list[Panel]:
    """Return the panels of flips and of mean rewards, if recorded."""
    panels: list[Panel] = []
    agents, shown = range(result.game.num_agents), begun(result)
    learning = [i for i in agents if result.learners[i].learns]
    if result.flips is not None and learning:
        flips = {f"agent {i}": result.flips[shown, i] for i in learning}
        panels.append(_counter_panel(flips, "Changes of the greedy action", "flips"))
    if result.mean_reward is not None:
        rewards = {f"agent {i}": result.mean_reward[shown, i] for i in agents}
        panels.append(_counter_panel(rewards, "Mean reward", "reward per step"))
    return panels


def _counter_panel(values: Mapping[str, Any], title: str, unit: str) -> Panel:
    """Return a panel of distributions of values (replicas,), by name of the agent."""

    def draw(axes: "Axes") -> None:
        columns = np.stack(list(values.values()), axis=-1)
        if len(columns) >= FEW and len(values) <= MOST_LINES:
            histograms(axes, values)
            finish(axes, title, unit, "share of replicas")
        else:
            spread(axes, columns, list(values))
            axes.axhline(0.0, color=GREY, linewidth=0.8)
            finish(axes, title, "", unit)

    return draw
