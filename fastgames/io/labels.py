"""A result as an xarray Dataset, every axis by its name (extra "labels")."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.checks import importing
from fastgames.games.variants import index_of
from fastgames.schedules import numbers

if TYPE_CHECKING:
    import xarray

    from fastgames.grids import Grid
    from fastgames.result import Result


def dataset(result: "Result") -> "xarray.Dataset":
    """Return everything of a result with labelled dimensions.

    Parameters
    ----------
    result : Result
        Of any run.

    Returns
    -------
    xarray.Dataset
        For agent i, whose learner has tables such as "q" and "visits":

        ================================ ==========================================================
        ``q_i``, ``visits_i``, …         (replica, observation_i, action_i)
        ``greedy_i``                     (replica, observation_i)
        ``policy_i``                     (replica, observation_i, action_i)
        ``snapshot_q_i``, …              the same after ``snapshot`` in front, where recorded
        ================================ ==========================================================

        For all: ``steps`` (replica); ``states`` (replica) where there are several, and ``reals``
        (replica, real_entry); ``stopped`` (replica) where the run had a `stop`; and where recorded
        ``flips``, ``mean_reward``, ``regret``, ``mean_return`` and ``mean_discounted_return``
        (replica, agent), ``episodes``, ``mean_length`` and ``max_length`` (replica),
        ``joint_counts`` (replica, action_0, action_1,
        …), ``state_visits`` (replica, state), ``action_visits_i`` (replica, observation_i,
        action_i), ``path_steps`` and ``path_states`` (replica, path), ``path_reals`` (replica,
        path, real_entry), ``path_actions`` and ``path_rewards`` (replica, path, agent).

        After a run with `keep`, there are no tables, greedy actions and policies; what it kept is
        there by its name, (replica, name_0, name_1, …).

        Coordinates: ``replica``, ``agent`` and ``observation_i`` count from 0, ``action_i`` has the
        names of the actions, ``snapshot`` the game steps after which it was taken, ``path`` the
        place of a step before the end, -1 for the last one. Parameters of a
        learner that differ between replicas are coordinates on ``replica``: ``alpha_i``,
        ``epsilon_i``; of a schedule its parts, such as ``epsilon_i_start``. ``variant`` (replica)
        is the number of the game that was played, of `Variants`.

        Where the replicas were a `Grid`, its dimensions, and ``repeat`` after them, take the place
        of ``replica`` everywhere, and have its values as coordinates. (A dimension may be called
        as a parameter, such as ``alpha_0``: then there is no other coordinate of that name.)

        Attributes: game, learners (a list of their texts), seed, dtype, stream, contract.

        The arrays are those of the result, not copies.

    Raises
    ------
    ImportError
        If xarray is not installed.
    ValueError
        If a dimension of the grid is called as a variable or as a dimension of one.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> labelled = dataset(fg.run(game, fg.QLearner(), steps=100, replicas=3, rng=7))
    >>> labelled["q_0"].sel(action_0="heads").shape
    (3, 1)
    """
    with importing("labels", "a labelled data set"):
        import xarray

    variables: dict[str, Any] = {"steps": (("replica",), result.steps)}
    if result.game.num_states > 1:
        variables["states"] = (("replica",), result.states)
    elif result.states.ndim > 1:
        variables["states"] = (("replica", "state_entry"), result.states)
    if result.reals is not None:
        variables["reals"] = (("replica", "real_entry"), result.reals)
    if result.stop is not None:
        variables["stopped"] = (("replica",), result.stopped)
    coordinates: dict[str, Any] = {
        "replica": (("replica",), result.numbers),
        "agent": np.arange(result.game.num_agents),
    }
    index = index_of(result.game)
    if index is not None:
        coordinates["variant"] = (("replica",), index)
    for i, names in enumerate(result.game.actions):
        rows = ("replica", f"observation_{i}")
        cells = (*rows, f"action_{i}")
        coordinates[f"observation_{i}"] = np.arange(result.game.num_observations[i])
        coordinates[f"action_{i}"] = list(names)
        coordinates |= _coordinates(result, i, cells)
        if result.kept is not None:
            continue
        for name, table in result.tables[i].items():
            variables[f"{name}_{i}"] = (("replica", *_axes(result, i, name)), table)
        variables[f"greedy_{i}"] = (rows, result.greedy(i))
        if result.learners[i].rules.policy is not None:
            variables[f"policy_{i}"] = (cells, result.policy(i))
    for name, array in (result.kept or {}).items():
        own = (f"{name}_{k}" for k in range(array.ndim - 1))
        variables[name] = (("replica", *own), array)
    variables |= _counters(result)
    if result.path is not None:
        coordinates["path"] = np.arange(-result.path.steps.shape[1], 0)
        variables |= _path(result)
    if result.snapshots is not None:
        coordinates["snapshot"] = ("snapshot", result.snapshots.steps, {"long_name": "game steps"})
        variables |= _snapshots(result)
    if result.grid is not None:
        axes = {axis for used, *_ in variables.values() for axis in used}
        taken = [name for name in result.grid.dims if name in variables or name in axes]
        if taken:
            raise ValueError(
                f"a dimension of the grid must not be called as a variable, got {taken[0]!r}; "
                "rename it"
            )
        variables, coordinates = by_grid(result, variables, coordinates)
    return xarray.Dataset(variables, coordinates, attributes(result))


def by_grid(
    result: "Result", variables: dict[str, Any], coordinates: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return variables and coordinates with the dimensions of the result's grid.

    They take the place of the dimension `replica`; in a part of a run, which may not fill the grid,
    they are coordinates along it.
    """
    grid = result.grid
    assert grid is not None
    if result.part is not None:
        along = {name: (("replica",), array) for name, array in on_grid(result).items()}
        return variables, coordinates | along
    own: dict[str, Any] = {name: list(values) for name, values in grid.dims.items()}
    own["repeat"] = np.arange(grid.repeats)
    return unfolded(variables, grid), unfolded(coordinates, grid) | own


def on_grid(result: "Result") -> dict[str, np.ndarray]:
    """Return the value of each dimension of the grid in every replica, and its repeat."""
    grid, numbers = result.grid, result.numbers
    assert grid is not None
    found = {name: grid[name][numbers] for name in grid.dims}
    return found | {"repeat": numbers % grid.repeats}


def attributes(result: "Result") -> dict[str, Any]:
    """Return the origin of a result as numbers and texts."""
    return {
        "game": result.game.name,
        "learners": [repr(learner) for learner in result.learners],
        "seed": result.seed,
        "dtype": result.dtype,
        "stream": result.stream,
        "contract": result.contract,
        **({} if result.part is None else {"replicas of the whole run": result.total}),
    }


def unfolded(variables: dict[str, Any], grid: "Grid") -> dict[str, Any]:
    """Return variables with the dimensions of a grid in place of `replica`."""
    dims = (*grid.dims, "repeat")
    out = {}
    for name, value in variables.items():
        if isinstance(value, tuple) and "replica" in value[0]:
            axes, array = value
            at = axes.index("replica")
            value = ((*axes[:at], *dims, *axes[at + 1 :]), grid.reshape(array, axis=at))
        out[name] = value
    return out


def _axes(result: "Result", agent: int, name: str) -> tuple[str, ...]:
    """Return the dimensions of an agent's table, without the first."""
    tables = {table.name: table.dims for table in result.learners[agent].rules.tables}
    known = ("observations", "actions")  # of a learner that sat there before
    own = {"observations": f"observation_{agent}", "actions": f"action_{agent}"}
    dims = tables.get(name, known)
    return tuple(own.get(str(dim), f"{name}_{agent}_{k}") for k, dim in enumerate(dims))


def _counters(result: "Result") -> dict[str, Any]:
    """Return the recorded counts of a run."""
    actions = tuple(f"action_{i}" for i in range(result.game.num_agents))
    found = {}
    for name, axes in result.COUNTED.items():
        array = getattr(result, name)
        if isinstance(array, list):  # one of each agent
            for i, own in enumerate(array):
                found[f"{name}_{i}"] = (("replica", *(f"{axis}_{i}" for axis in axes)), own)
        elif array is not None:
            found[name] = (("replica", *(actions if axes == ("actions",) else axes)), array)
    return found


def _path(result: "Result") -> dict[str, Any]:
    """Return the recorded last steps of a run."""
    path, axes = result.path, ("replica", "path")
    assert path is not None
    return {
        "path_steps": (axes, path.steps),
        "path_actions": ((*axes, "agent"), path.actions),
        "path_rewards": ((*axes, "agent"), path.rewards),
        "path_states": ((*axes, "state_entry")[: path.states.ndim], path.states),
    } | ({} if path.reals is None else {"path_reals": ((*axes, "real_entry"), path.reals)})


def _snapshots(result: "Result") -> dict[str, Any]:
    """Return the recorded snapshots of a run."""
    taken = result.snapshots
    assert taken is not None
    variables: dict[str, Any] = {}
    for i in range(result.game.num_agents):
        rows = ("snapshot", "replica", f"observation_{i}")
        cells = (*rows, f"action_{i}")
        for name, table in taken.tables[i].items():
            axes = ("snapshot", "replica", *_axes(result, i, name))
            variables[f"snapshot_{name}_{i}"] = (axes, table)
        if taken.greedy is not None:
            variables[f"snapshot_greedy_{i}"] = (rows, taken.greedy[i])
        if taken.policies is not None:
            variables[f"snapshot_policy_{i}"] = (cells, taken.policies[i])
    return variables


def parameters(result: "Result", agent: int) -> dict[str, np.ndarray]:
    """Return the numeric parameters of an agent's learner that differ between replicas.

    Of a schedule its parts: ``epsilon_0_start``.
    """
    found: dict[str, np.ndarray] = {}
    for name, value in result.learners[agent].values(result.game.discount).items():
        for part, number in numbers(value).items():
            if isinstance(number, np.ndarray):
                found[f"{name}_{agent}{part and '_'}{part}"] = number
    return found


def _coordinates(result: "Result", agent: int, cells: tuple[str, ...]) -> dict[str, Any]:
    """Return what differs between replicas in one agent's learner as coordinates."""
    learner = result.learners[agent]
    found: dict[str, Any] = {
        name: (("replica",), array) for name, array in parameters(result, agent).items()
    }
    start = learner.start(result.game, agent)[learner.table]
    if learner.learns and start.ndim == len(cells) and len(start) > 1:
        spec = result.spec.agents[agent]
        shape = (result.replicas, *spec.shapes[learner.table])
        found[f"initial_{agent}"] = (cells, np.broadcast_to(start, shape))
    return found
