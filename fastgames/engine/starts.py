"""Checks of given first states, actions and tables, and of what a resumed run begins anew."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.engine.spec import AgentSpec, RunSpec, members
from fastgames.games import Game, ProceduralGame
from fastgames.games._tables import array_of, refuse_cells
from fastgames.games.compact import Functions
from fastgames.games.procedural import check_states
from fastgames.learners import RuleLearner, Table

if TYPE_CHECKING:
    from fastgames.engine.state import Seat

TOLERANCE = 1e-6  # of the sum of given probabilities, as of a FixedPolicy
PARTS = ("tables", "schedules", "both")


def check_start_states(game: Game, given: Any, replicas: int, resume: Any) -> np.ndarray:
    """Return the first states of the replicas, as `State.states` holds them."""
    name = "start_states"
    if resume is not None:
        raise ValueError(f"{name} must be None with resume, which has its own states")
    if isinstance(game, ProceduralGame):
        return _check_entries(game, name, given, replicas)
    states = array_of(name, given, "iu", "whole numbers")
    _check_shape(name, states, (replicas,))
    refuse_cells(
        name, states, (states < 0) | (states >= game.num_states), f"in [0, {game.num_states})"
    )
    states = states.astype(np.int32)
    terminal = game.compact.terminal
    if terminal is not None:
        refuse_cells(name, states, terminal[states], "no terminal states")
    return states


def _check_entries(game: ProceduralGame, name: str, given: Any, replicas: int) -> np.ndarray:
    """Return the first states of a procedural game, (replicas, entries) int64."""
    moves, reals = game.compact.moves, np.empty((replicas, 0))
    assert isinstance(moves, Functions)
    whole = name
    if game.num_reals:
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise TypeError(
                f"{name} must be a pair (states, reals) in a game with reals, got "
                f"{reprlib.repr(given)}"
            )
        whole, (given, second) = f"{name}[0]", given
        reals = checks.finite_array(f"{name}[1]", second)
        _check_shape(f"{name}[1]", reals, (replicas, game.num_reals))
    states = array_of(whole, given, "iu", "whole numbers")
    _check_shape(whole, states, (replicas, game.state_size))
    refuse_cells(whole, states, states > np.iinfo(np.int64).max, "below 2^63")
    joined = moves.joined(states.astype(np.int64), reals)
    check_states(game, joined, name)
    return joined


def _check_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        what = "one state for each replica"
        raise ValueError(f"{name} must have shape {shape}, {what}, got shape {array.shape}")


def check_opening(game: Game, given: Any, replicas: int) -> np.ndarray:
    """Return the joint actions of the first steps, (replicas, K, N) int32."""
    name, agents = "opening", game.num_agents
    joint = array_of(name, given, "iu", "whole numbers")
    steps = (1, 1, *joint.shape)[-2]
    shape = (replicas, steps, agents)
    if steps < 1 or not 1 <= joint.ndim <= 3 or joint.shape != shape[3 - joint.ndim :]:
        raise ValueError(
            f"{name} must have shape ({replicas}, K, {agents}), (K, {agents}) or ({agents},), the "
            f"joint actions of the first K >= 1 steps, got shape {joint.shape}"
        )
    bad = (joint < 0) | (joint >= np.array(game.num_actions))
    agent = int(np.argwhere(bad)[0, -1]) if bad.any() else 0
    refuse_cells(name, joint, bad, f"in [0, {game.num_actions[agent]}) for agent {agent}")
    return np.broadcast_to(joint.astype(np.int32), shape)


def check_start_tables(spec: RunSpec, given: Any) -> list[dict[str, np.ndarray]]:
    """Return the given tables of each agent, by name."""
    name, agents = "start_tables", len(spec.agents)
    domain = f"a sequence of {agents} mappings from names of tables to arrays, one for each agent"
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise TypeError(f"{name} must be {domain}, got {given!r}")
    if len(given) != agents:
        raise ValueError(f"{name} must be {domain}, got {len(given)}")
    return [_check_tables(agent, each) for agent, each in zip(spec.agents, given, strict=True)]


def _check_tables(agent: AgentSpec, given: Any) -> dict[str, np.ndarray]:
    """Return the given tables of an agent, each broadcastable to (replicas, *dimensions)."""
    name, rules = f"start_tables[{agent.agent}]", agent.rules
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} must be None or a mapping, got {given!r}")
    if given and not agent.learner.learns:
        raise ValueError(
            f"{name} must be None or empty for a learner that never learns, got tables "
            f"{', '.join(map(repr, given))}"
        )
    for table in given:
        checks.one_of(f"a table in {name}", table, rules.names)
    by_action = [k for k, v in agent.values.items() if getattr(v, "of", "") == "action"]
    if given and rules.derive is not None and by_action:
        raise ValueError(
            f"{name} must be None or empty if {by_action[0]} counts visits of actions: "
            f"{rules.derived[0]!r}, which follows from other tables, is of an observation"
        )
    tables = [table for table in rules.tables if table.name in given]
    return {table.name: _check_table(agent, table, given[table.name]) for table in tables}


def _check_table(agent: AgentSpec, table: Table, given: Any) -> np.ndarray:
    name = f"start_tables[{agent.agent}][{table.name!r}]"
    if table.shared and not agent.first:
        raise ValueError(
            f"{name} must be given for agent {agent.team[0]}, the first of the team that shares "
            "the table"
        )
    if table.name in agent.rules.derived:
        raise ValueError(f"{name} must not be given: it follows from other tables")
    if table.name in agent.rules.of_game:
        raise ValueError(f"{name} must not be given: it holds the game")
    if table.kind == "int64":
        array = array_of(name, given, "iu", "whole numbers")
        refuse_cells(name, array, array > np.iinfo(np.int64).max, "below 2^63")
        array = array.astype(np.int64)
    else:
        array = checks.finite_array(name, given)
        most = float(np.finfo(agent.dtype).max) / 8
        refuse_cells(name, array, np.abs(array) > most, f"at most {most:.3g} in size")
    shape = (agent.replicas, *agent.shapes[table.name])
    _check_broadcasts(name, array, shape)
    _check_domain(name, agent, table, array)
    if table.name in agent.rules.distributions:
        _check_sums(name, np.broadcast_to(array, (*array.shape[:-1], shape[-1])))
    return array


def _check_broadcasts(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name} must broadcast to {shape}, got shape {array.shape}")


def _check_domain(name: str, agent: AgentSpec, table: Table, array: np.ndarray) -> None:
    """Raise if a probability or a count of a built-in learner is negative."""
    counts = table.kind == "int64" and not hasattr(agent.learner, "functions")
    if counts or table.name in agent.rules.distributions:
        refuse_cells(name, array, array < 0, "at least 0")


def _check_sums(name: str, array: np.ndarray) -> None:
    """Raise unless the entries of every row are probabilities with sum 1."""
    sums = array.sum(axis=-1)
    bad = np.abs(sums - 1.0) > TOLERANCE
    if bad.any():
        row = tuple(int(k) for k in np.argwhere(bad)[0])
        where = f" in row {row}" if row else ""
        raise ValueError(f"{name} must sum to 1 over the actions, got {sums[row]}{where}")


def check_reset(given: Any, learners: tuple[RuleLearner, ...], resume: Any) -> dict[int, str]:
    """Return what of each agent begins anew: "tables", "schedules" or "both", by agent."""
    if resume is None:
        raise ValueError(f"reset must be None without resume, got {given!r}")
    if isinstance(given, str) or not isinstance(given, Sequence | Mapping):
        raise TypeError(
            f"reset must be a sequence of agents, or a mapping from agents to "
            f"{', '.join(map(repr, PARTS))}, got {given!r}"
        )
    out: dict[int, str] = {}
    for agent in given:
        number = checks.whole("an agent in reset", agent, f"[0, {len(learners)})")
        part = given[agent] if isinstance(given, Mapping) else "both"
        out[number] = checks.one_of(f"reset[{number}]", part, PARTS)
    for agent, part in out.items():
        team = members(learners, agent)
        shared = any(table.shared for table in learners[agent].rules.tables)
        kept = any(out.get(i, "schedules") == "schedules" for i in team)
        if shared and kept and part != "schedules":
            raise ValueError(
                f"reset must have the tables of all or no agents of the team {team}, which shares "
                f"tables, got {given!r}"
            )
    return out


def check_resumed(agent: AgentSpec, seat: Seat) -> None:
    """Raise if a table of a resumed run was edited to values outside of its domain."""
    for table in agent.rules.tables:
        array = seat.tables.get(table.name)
        if agent.learner.learns and array is not None:
            _check_domain(f"resume.tables[{agent.agent}][{table.name!r}]", agent, table, array)


def derive(agent: AgentSpec, seat: Seat) -> None:
    """Compute the tables that follow from others, such as a strategy from regrets."""
    rules = agent.rules
    assert rules.derive is not None
    values = seat.values(slice(None))
    for r in range(agent.replicas):
        tables = rules.as_tables(seat.tables[name][r] for name in rules.names)
        p = rules.as_p(float(values[name][r]) for name in rules.parameters)
        for o in range(agent.observations):
            rules.derive(tables, p, o)
