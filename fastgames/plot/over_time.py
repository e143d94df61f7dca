"""Learning curves: the data of snapshots over time, with median and bands over replicas."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.games import ProceduralGame, Variants
from fastgames.plot.parts import bands, map_over_time
from fastgames.plot.shown import begun, choice, mean, snapshots_of
from fastgames.plot.style import (
    COLOURS,
    MOST_AGENTS,
    MOST_LINES,
    Panel,
    compose,
    few_ticks,
    finish,
    title_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastgames.engine.snapshots import Snapshots
    from fastgames.result import Result

BANDS = "Lines over time: median of the replicas; shaded: the middle half and 90 % of them."
_FEW_VALUES = 8  # with at most this many different values, the mean replaces the median
_MOST_FOLLOWED = 1_000  # largest number of replicas with limit cycles


def curves(
    result: "Result",
    path: str | Path | None = None,
    *,
    what: str | None = None,
    ax: Any = None,
) -> "Figure":
    """Draw learning curves: the median over replicas, the middle half and 90 % of them.

    Rewards, policies or greedy actions with at most 8 different values over all replicas in the
    last snapshot, as of greedy policies, have the mean over replicas instead, without bands.

    Parameters
    ----------
    result : Result
        A result with snapshots: ``record=fg.Record(every=…, policies=True)``, or greedy, or
        tables.
    path : str or Path, optional
        File to write the figure to, in the format of its suffix.
    what : str, optional
        "reward", "policy", "greedy" or the name of a table. By default everything recorded.

        A run does not record rewards over time; they are computed from the snapshots. In a game
        of one state the reward is the exact expected reward of the recorded policies, exploration
        included. In a game with states and without chance it is the mean reward on the limit cycle
        of the recorded greedy actions, from the state of each replica at the end of the run
        (`fastgames.analysis.limit_cycle`), for at most 1,000 replicas unless the game is
        `Variants`.
    ax : Axes, sequence of Axes, Figure or SubFigure, optional
        As for `overview`. ``what="reward"`` needs one Axes.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError, TypeError, ValueError, OSError
        As `overview`; ValueError also if there is nothing to draw.

    Examples
    --------
    >>> import fastgames as fg
    >>> record = fg.Record(every=50, policies=True)
    >>> result = fg.run(fg.games.chicken(), fg.QLearner(), 100, 3, rng=7, record=record)
    >>> [axes.get_title(loc="left") for axes in curves(result, what="reward").axes]
    ['Expected reward']
    """
    found = curve_panels(result)
    if what is not None:
        checks.one_of("what", what, dict.fromkeys(["reward", "policy", "greedy", *_names(result)]))
        found = {what: found.get(what, [])}
    panels = [panel for kind in found.values() for panel in kind]
    if not panels:
        raise ValueError(
            f"result must have snapshots of {what or 'policies, greedy actions or tables'}, "
            f"got {result.record}; pass record=fg.Record(every=…, policies=True, greedy=True, "
            "tables=…)"
        )
    columns = min(result.game.num_agents, MOST_AGENTS)
    if found.get("reward") and columns == 2:  # rewards share the first row with both agents
        columns = 3
    return compose(title_of(result), panels, columns, path, note=note(result), ax=ax)


def note(result: "Result") -> str:
    """Return the note that explains the bands, "" for a single replica."""
    return BANDS if result.replicas > 1 else ""


def _names(result: "Result") -> list[str]:
    """Return the names of all learners' tables, each once."""
    return list(dict.fromkeys(n for x in result.learners for n in x.rules.names))


def curve_panels(result: "Result") -> dict[str, list[Panel]]:
    """Return the panels over time by kind: one for rewards, one per agent for other kinds."""
    held = snapshots_of(result)
    if held is None:
        return {}
    taken, _ = held
    agents = range(min(result.game.num_agents, MOST_AGENTS))
    panels: dict[str, list[Panel]] = {}
    rewards = expected_rewards(result)
    if rewards is not None:
        panels["reward"] = [_reward_panel(result, taken.steps, "Expected reward", rewards)]
    elif (rewards := rewards_of_greedy_play(result)) is not None:
        title = "Reward if all played greedily on"
        panels["reward"] = [_reward_panel(result, taken.steps, title, rewards)]
    if taken.policies is not None:
        panels["policy"] = [_policy_panel(result, i, taken) for i in agents]
    if taken.greedy is not None:
        learning = [i for i in agents if result.learners[i].learns]
        panels["greedy"] = [_greedy_panel(result, i, taken) for i in learning]
    for name in result.record.tables:
        found = [i for i in agents if name in taken.tables[i]]
        found = [i for i in found if taken.tables[i][name].ndim == 4]
        panels[name] = [_table_panel(result, i, name, taken) for i in found]
    return panels


def expected_rewards(result: "Result") -> np.ndarray | None:
    """Return the expected rewards of the policies of each snapshot, in closed form.

    Shape (snapshots, replicas, N), for the snapshots and replicas of `snapshots_of`. None unless
    policies were recorded in a game of one state with tables of rewards.
    """
    game, held = result.game, snapshots_of(result)
    if held is None or isinstance(game, ProceduralGame) or game.num_states > 1:
        return None
    taken, shown = held
    if taken.policies is None:
        return None
    replicas = int(shown.sum())
    played = game.index[shown] if isinstance(game, Variants) else np.zeros(replicas, np.int64)
    out = np.empty((len(taken.steps), replicas, game.num_agents))
    for i in range(game.num_agents):
        table = game.compact.rewards[i][:, 0].reshape(-1, *game.num_actions)
        for t in range(len(taken.steps)):
            values = table[played] if len(table) > 1 else np.broadcast_to(
                table, (replicas, *game.num_actions)
            )  # fmt: skip
            for policy in reversed(taken.policies):
                values = np.einsum("r...a,ra->r...", values, policy[t, :, 0])
            out[t, :, i] = values
    return out


def rewards_of_greedy_play(result: "Result") -> np.ndarray | None:
    """Return the mean rewards on the limit cycles of the greedy actions of each snapshot.

    Shape (snapshots, replicas, N). Play begins in the states of the replicas at the end of the run.
    If all replicas play one game, only the first 1,000 are used. None unless greedy actions were
    recorded in a game with states and without chance; nan in snapshots that an interrupted replica
    did not reach.
    """
    from fastgames.analysis import limit_cycle

    game, held = result.game, snapshots_of(result)
    if held is None or isinstance(game, ProceduralGame) or game.num_states == 1:
        return None
    taken, shown = held
    if taken.greedy is None:
        return None
    which = np.flatnonzero(shown)
    if not isinstance(game, Variants):
        which = which[:_MOST_FOLLOWED]
    out = np.full((len(taken.steps), len(which), game.num_agents), np.nan)
    for t in range(len(taken.steps)):
        greedy = [each[t, : len(which)] for each in taken.greedy]
        came = (greedy[0] >= 0).all(axis=1)
        if not came.any():
            continue
        played = game
        if isinstance(game, Variants):
            played = Variants(game.games, game.index[which[came]])
        try:
            out[t, came] = limit_cycle(
                played, [each[came] for each in greedy], start=result.states[which[came]]
            ).rewards
        except ValueError:  # a game with chance has no limit cycle
            return None
    return out


def _reward_panel(result: "Result", steps: Any, title: str, rewards: np.ndarray) -> Panel:
    """Return a panel of rewards (snapshots, replicas, N) over time, one line per agent."""

    def draw(axes: "Axes") -> None:
        names = [f"agent {i}" for i in range(rewards.shape[-1])]
        lines = rewards
        if len(names) > MOST_LINES:
            lines, names = rewards.mean(axis=-1, keepdims=True), ["mean of the agents"]
        lines, kind = _steady(lines)
        bands(axes, steps, lines, names)
        count, begun_too = rewards.shape[1], int(begun(result).sum())
        some = "" if count == begun_too else f", {count:,} replicas"
        finish(axes, title + some, "game steps", f"{kind}reward per step")

    return draw


def _policy_panel(result: "Result", agent: int, taken: "Snapshots") -> Panel:
    """Return a panel of an agent's policy over time, averaged over observations."""

    def draw(axes: "Axes") -> None:
        assert taken.policies is not None
        title, names = f"What agent {agent} would play", result.game.actions[agent]
        means = taken.policies[agent].mean(axis=2)
        what = choice(result.game)
        _chances(axes, taken.steps, means, names, title, "probability", what)

    return draw


def _greedy_panel(result: "Result", agent: int, taken: "Snapshots") -> Panel:
    """Return a panel of an agent's greedy actions over time."""

    def draw(axes: "Axes") -> None:
        assert taken.greedy is not None
        greedy, names = taken.greedy[agent], result.game.actions[agent]
        title = f"What agent {agent} prefers"
        if greedy[0].size == 1:
            axes.step(taken.steps, greedy[:, 0, 0], where="post", color=COLOURS[0], linewidth=1.0)
            axes.set_ylim(-0.2, len(names) - 0.8)
            finish(axes, title, "game steps", f"greedy {choice(result.game)}")
            few_ticks(axes.yaxis, names)
            return
        counts = [(greedy == a).sum(axis=(1, 2)) for a in range(len(names))]
        shares = np.stack(counts, axis=-1) / (greedy >= 0).sum(axis=(1, 2))[:, None]
        what = choice(result.game)
        _chances(axes, taken.steps, shares[:, None], names, title, "share of replicas", what)

    return draw


def _chances(
    axes: "Axes", steps: Any, values: Any, names: Sequence[str], title: str, unit: str, what: str
) -> None:
    """Draw values (times, replicas, actions) over time, which sum to 1 over the last axis."""
    if len(names) > MOST_LINES:
        map_over_time(axes, steps, mean(values, 1), names, unit)
        finish(axes, title, "game steps", what, grid=False)
        return
    values, kind = _steady(values)
    unit = kind + unit
    if len(names) == 2:  # the second line is 1 minus the first
        values, names, unit = values[..., :1], names[:1], f"{unit}: {names[0]}"
    bands(axes, steps, values, names)
    axes.set_ylim(-0.02, 1.02)
    finish(axes, title, "game steps", unit, legend="best" if len(names) > 1 else "")


def _steady(values: Any) -> tuple[Any, str]:
    """Return values (times, replicas, lines) and "", or their mean (times, 1, lines) and "mean ".

    The mean replaces the values if replicas have only a few different ones in the last snapshot, as
    greedy policies do: a median would jump between them, and bands would span them all.
    """
    last = values[-1]
    if values.shape[1] > 1 and len(np.unique(last[np.isfinite(last)].round(9))) <= _FEW_VALUES:
        return mean(values, 1)[:, None], "mean "
    return values, ""


def _table_panel(result: "Result", agent: int, name: str, taken: "Snapshots") -> Panel:
    """Return a panel of an agent's table over time, averaged over observations."""

    def draw(axes: "Axes") -> None:
        table, names = taken.tables[agent][name], result.game.actions[agent]
        title = f"{name}-values of agent {agent}"
        if len(names) > MOST_LINES:
            map_over_time(axes, taken.steps, mean(table, (1, 2)), names, f"mean {name}-value")
            finish(axes, title, "game steps", choice(result.game), grid=False)
        else:
            bands(axes, taken.steps, table.mean(axis=2), names)
            finish(axes, title, "game steps", f"{name}-value")

    return draw
