"""A result as tidy pandas data frames, and as Parquet files (extra "frames")."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.version import __version__
from fastgames.engine.recorded import UNITS as UNITS_OF_COUNTS
from fastgames.games.variants import index_of
from fastgames.io import labels
from fastgames.io.files import replacing

if TYPE_CHECKING:
    import pandas

    from fastgames.result import Result

Columns = dict[str, Any]  # of a frame, by name: arrays of one length, or pandas' categories

TAKEN = (
    "replica", "step", "agent", "observation", "action", "greedy", "probability", "action_visits"
)  # fmt: skip

#: What a unit of each column is; of columns of agents without the number of the agent.
UNITS = {
    "steps": "game steps",
    "step": "game steps",
    **UNITS_OF_COUNTS,
    "probability": "probability",
    "count": "game steps",
    "reward": "reward",
}


def frame(result: "Result", what: str = "replicas") -> "pandas.DataFrame":
    """A tidy table of a result: one row for each observation of it, one column for each variable.

    Parameters
    ----------
    result : Result
        Of any run.
    what : str
        "replicas": one row for each replica. ``steps``; ``stopped`` where the run had a `stop`;
        where recorded ``episodes``, ``mean_length`` and ``max_length``, and for agent i
        ``flips_i``, ``mean_reward_i``, ``regret_i``, ``mean_return_i`` and
        ``mean_discounted_return_i``; and where it has one observation ``greedy_i``, the name of the
        action that it prefers. After a run with `keep`, what it kept instead: ``gain``, or
        ``gain_0``, ``gain_1``, … of an array with more dimensions.

        "policies": one row for each replica, agent, observation and action. ``greedy``, whether it
        is the preferred one; ``probability`` where the learner has a policy; ``action_visits``
        where recorded; every table that has an entry for each observation and action, such as
        ``q`` (as ``action_values`` if a table of yours is called "action", or as another of these
        columns).

        "snapshots": the same for each snapshot, as far as recorded, with ``step`` in front. -1 and
        nan, and False in ``greedy``, stand where an interrupted run did not come to.

        "joint_actions": one row for each replica and joint action. ``action_0``, ``action_1``, …,
        and the ``count`` of steps in which it was played.

        "states": one row for each replica and state: ``state``, and its ``state_visits``.

        "path": one row for each replica and recorded step at its end. ``step``, ``state`` (of a
        procedural game ``state_0``, ``state_1``, …, and ``real_0``, …), ``action_0``, …,
        ``reward_0``, ….

    Returns
    -------
    pandas.DataFrame
        Every frame begins with ``replica`` and what replicas differ in: the dimensions of a `Grid`
        and ``repeat``, ``variant`` of `Variants`, the parameters of learners such as ``alpha_0``
        that are given for each replica. (A dimension may be called as a parameter, which is then
        left out.) Actions are categories, in the order of the game.

        ``attrs`` says where it comes from: what it is, game, learners, seed, dtype, stream,
        contract, the version of fastgames, and units of columns.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If what is none of these, or was not recorded, or a dimension of the grid is called as a
        column.

    Examples
    --------
    >>> import fastgames as fg
    >>> sweep = fg.grid(alpha=[0.1, 0.2], repeats=2)
    >>> result = fg.run(fg.games.chicken(), fg.QLearner(sweep.alpha), 100, sweep, rng=7)
    >>> frame(result)[["replica", "alpha", "repeat", "steps"]].to_numpy().tolist()[2]
    [2.0, 0.2, 0.0, 100.0]
    """
    with checks.importing("frames", "a data frame"):
        import pandas
    columns = KINDS[checks.one_of("what", what, KINDS)](result)
    table = pandas.DataFrame(columns)
    dims = () if result.grid is None else result.grid.dims
    kinds = {name: name.rstrip("0123456789_") for name in columns if name not in dims}
    units = {name: UNITS[kind] for name, kind in kinds.items() if kind in UNITS}
    about = {"what": what, **labels.attributes(result), "fastgames": __version__, "units": units}
    table.attrs.update(about)
    return table


def parquet(result: "Result", path: str | Path, what: str = "replicas") -> None:
    """Write `frame` of a result as a Parquet file, whole or not at all.

    ``pandas.read_parquet(path)`` gives the frame back, categories and ``attrs`` included. Other
    readers find the attributes in the file's metadata, as JSON under "PANDAS_ATTRS".

    Parameters
    ----------
    result : Result
        The result of which to write a frame.
    path : str or Path
        Replaced only once the new file is complete.
    what : str
        As for `frame`.

    Raises
    ------
    ImportError
        If pandas or pyarrow is not installed.
    ValueError
        As `frame`.
    OSError
        If the file cannot be written; then nothing is left behind.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise checks.needs_extra("pyarrow", "frames", "a Parquet file")
    table = frame(result, what)
    with replacing(path) as file:
        table.to_parquet(file, engine="pyarrow", index=False)


# --- the columns --------------------------------------------------------------------------------


def _replicas(result: "Result") -> Columns:
    columns: Columns = {"steps": result.steps}
    if result.stop is not None:
        columns["stopped"] = result.stopped
    for name, axes in result.COUNTED.items():
        counted = getattr(result, name)
        if counted is not None and axes in ((), ("agent",)):
            for place in np.ndindex(*counted.shape[1:]):
                columns["_".join(map(str, (name, *place)))] = counted[(slice(None), *place)]
    for name, kept in (result.kept or {}).items():
        for place in np.ndindex(*kept.shape[1:]):
            columns["_".join(map(str, (name, *place)))] = kept[(slice(None), *place)]
    for i, actions in enumerate(result.game.actions if result.kept is None else ()):
        greedy = result.greedy(i)
        if greedy.shape[1] == 1:
            columns[f"greedy_{i}"] = categories(greedy[:, 0], actions)
    return beside(result, columns, np.arange(result.replicas))


def _policies(result: "Result") -> Columns:
    agents = []
    for i in range(result.game.num_agents):
        values = _tables(result, i, result.tables[i])
        if result.learners[i].rules.policy is not None:
            values["probability"] = result.policy(i)
        if result.action_visits is not None:
            values["action_visits"] = result.action_visits[i]
        values["greedy"] = _marked(result.greedy(i), result.game.num_actions[i])
        agents.append({name: values[name][None] for name in sorted(values, key=_order)})
    columns, replicas = _long(result, agents, np.zeros(1, np.int64))
    del columns["step"]
    return beside(result, columns, replicas)


def _snapshots(result: "Result") -> Columns:
    taken = result.snapshots
    if taken is None:
        raise ValueError(
            'what="snapshots" needs record=fg.Record(every=…, policies=True), or greedy, or '
            f"tables; this run has {result.record}"
        )
    agents = []
    for i, actions in enumerate(result.game.num_actions):
        values = _tables(result, i, taken.tables[i])
        if taken.policies is not None:
            values["probability"] = taken.policies[i]
        if taken.greedy is not None:
            values["greedy"] = _marked(taken.greedy[i], actions)
        agents.append({name: values[name] for name in sorted(values, key=_order)})
    columns, replicas = _long(result, agents, taken.steps)
    return {"step": columns.pop("step"), **beside(result, columns, replicas)}


def _joint_actions(result: "Result") -> Columns:
    counts = result.joint_counts
    if counts is None:
        raise ValueError(
            'what="joint_actions" needs record=fg.Record(joint_actions=True); this run has '
            f"{result.record}"
        )
    replica, *joint = (axis.ravel() for axis in np.indices(counts.shape))
    named = zip(joint, result.game.actions, strict=True)
    columns: Columns = {f"action_{i}": categories(a, names) for i, (a, names) in enumerate(named)}
    columns["count"] = counts.ravel()
    return beside(result, columns, replica)


def _states(result: "Result") -> Columns:
    visits = result.state_visits
    if visits is None:
        raise ValueError(
            f'what="states" needs record=fg.Record(state_visits=True); this run has {result.record}'
        )
    replica, state = (axis.ravel() for axis in np.indices(visits.shape))
    return beside(result, {"state": state, "state_visits": visits.ravel()}, replica)


def _path(result: "Result") -> Columns:
    path = result.path
    if path is None:
        raise ValueError(
            f'what="path" needs record=fg.Record(path=…); this run has {result.record}'
        )
    replica, at = np.nonzero(path.steps >= 0)
    columns: Columns = {"step": path.steps[replica, at]}
    states = path.states[replica, at]
    if states.ndim == 1:
        columns["state"] = states
    else:
        columns |= {f"state_{k}": states[:, k] for k in range(states.shape[1])}
    if path.reals is not None:
        reals = path.reals[replica, at]
        columns |= {f"real_{k}": reals[:, k] for k in range(reals.shape[1])}
    for i, names in enumerate(result.game.actions):
        columns[f"action_{i}"] = categories(path.actions[replica, at, i], names)
    for i in range(result.game.num_agents):
        columns[f"reward_{i}"] = path.rewards[replica, at, i]
    return beside(result, columns, replica)


KINDS: dict[str, Callable[["Result"], Columns]] = {
    "replicas": _replicas,
    "policies": _policies,
    "snapshots": _snapshots,
    "joint_actions": _joint_actions,
    "states": _states,
    "path": _path,
}


def _tables(result: "Result", agent: int, tables: Columns) -> Columns:
    """Return the tables with an entry for each observation and action, by the column's name."""
    size = (result.replicas, result.game.num_observations[agent], result.game.num_actions[agent])
    return {
        f"{name}_values" if name in TAKEN else name: table
        for name, table in tables.items()
        if table.shape[-3:] == size
    }


def _order(name: str) -> int:
    """Return the columns of actions: whether greedy, probabilities, then the tables."""
    return {"greedy": 0, "probability": 1}.get(name, 2)


def _marked(greedy: np.ndarray, actions: int) -> np.ndarray:
    """Return whether each action is greedy: (…, observations) to (…, observations, actions)."""
    marked: np.ndarray = greedy[..., None] == np.arange(actions)
    return marked


def _long(result: "Result", agents: list[Columns], steps: np.ndarray) -> tuple[Columns, np.ndarray]:
    """Return arrays (steps, replicas, observations, actions) of all agents as long columns.

    Returns the columns, and the replica of each row. The agents' rows follow one another; what an
    agent does not have is nan.
    """
    names = list(dict.fromkeys(action for actions in result.game.actions for action in actions))
    places = {name: k for k, name in enumerate(names)}
    parts: list[Columns] = []
    sizes = zip(result.game.num_observations, result.game.actions, strict=True)
    for i, (observations, actions) in enumerate(sizes):
        shape = (len(steps), result.replicas, observations, len(actions))
        step, replica, observation, action = (axis.ravel() for axis in np.indices(shape))
        parts.append(
            {
                "step": steps[step],
                "replica": replica,
                "agent": np.full(len(step), i),
                "observation": observation,
                "action": np.array([places[name] for name in actions])[action],
                **{name: array.reshape(-1) for name, array in agents[i].items()},
            }
        )
    together = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        missing = (np.full(len(part["step"]), np.nan) for part in parts)
        found = [part.get(name, gap) for part, gap in zip(parts, missing, strict=True)]
        together[name] = np.concatenate(found)
    replicas = together.pop("replica")
    together["action"] = categories(together["action"], names)
    return together, replicas


def categories(codes: np.ndarray, names: Any) -> Any:
    """Return actions by name, in the order of the game."""
    import pandas

    return pandas.Categorical.from_codes(codes.astype(np.int64), pandas.Index(list(names)))


def beside(result: "Result", columns: Columns, replicas: np.ndarray) -> Columns:
    """Return the replica of every row and what replicas differ in, then these columns."""
    differ: Columns = {}
    if result.grid is not None:
        differ |= labels.on_grid(result)
    own = {"replica": replicas, "variant": replicas, **columns}
    taken = [name for name in differ if name in own]
    if taken:
        raise ValueError(
            f"a dimension of the grid must not be called as a column, got {taken[0]!r}; rename it"
        )
    index = index_of(result.game)
    if index is not None:
        differ["variant"] = index
    for i in range(result.game.num_agents):
        for name, array in labels.parameters(result, i).items():
            differ.setdefault(name, array)
    beside = {name: array[replicas] for name, array in differ.items()}
    return {"replica": result.numbers[replicas], **beside, **columns}
