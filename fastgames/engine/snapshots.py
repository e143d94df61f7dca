"""Snapshots of a run: tables, greedy actions and policies at the times of `Record`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastgames.engine.policies import Writer, policy
from fastgames.engine.spec import AgentSpec, RunSpec
from fastgames.engine.state import State


class Kind(NamedTuple):
    """The declaration of what a snapshot holds of an agent besides its tables.

    name: of the field of `Record` that asks for it, and of `Snapshots`
    dims: the dimensions after the replicas
    bounds: between which numbers the entries lie
    unknown: what stands where an interrupted run did not come to
    take: function (state, agent, replicas, writer of the agent's policies) -> entries
    """

    name: str
    dtype: str
    dims: Callable[[AgentSpec], tuple[int, ...]]
    bounds: Callable[[AgentSpec], tuple[float, float] | None]
    unknown: float
    take: Callable[[State, int, np.ndarray, Writer], np.ndarray]


def _greedy(state: State, agent: int, where: np.ndarray, writer: Writer) -> np.ndarray:
    greedy: np.ndarray = state.seats[agent].table[where].argmax(axis=-1)
    return greedy


KINDS = (
    Kind(
        "greedy",
        "int32",
        lambda agent: (agent.observations,),
        lambda agent: (-1, agent.actions - 1),
        -1,
        _greedy,
    ),
    Kind(
        "policies",
        "float64",
        lambda agent: (agent.observations, agent.actions),
        lambda agent: None,
        np.nan,
        policy,
    ),
)


@dataclass(frozen=True, eq=False)
class Snapshots:
    """The snapshots of a run; the first axis of every array is the snapshot.

    steps: (snapshots,) int64, game steps of each replica
    tables: for each agent, by name, (snapshots, replicas, *dimensions)
    greedy: for each agent, (snapshots, replicas, observations) int32, or None
    policies: for each agent, (snapshots, replicas, observations, actions) float64, or None
    """

    steps: np.ndarray
    tables: list[dict[str, np.ndarray]]
    greedy: list[np.ndarray] | None
    policies: list[np.ndarray] | None

    def arrays(self) -> dict[str, Any]:
        """Return every array under a flat name, as files hold them."""
        out: dict[str, Any] = {"steps": self.steps}
        for i, tables in enumerate(self.tables):
            out |= {f"tables/{i}/{name}": table for name, table in tables.items()}
        for kind in KINDS:
            for i, array in enumerate(getattr(self, kind.name) or []):
                out[f"{kind.name}/{i}"] = array
        return out


def bytes_each(spec: RunSpec, count: int) -> int:
    """Return the bytes that each replica takes in `count` snapshots."""
    size = 0
    for agent in spec.agents:
        size += agent.table_bytes(spec.record.tables)
        for kind in KINDS:
            if getattr(spec.record, kind.name):
                size += math.prod(kind.dims(agent)) * np.dtype(kind.dtype).itemsize
    return count * size


def make_room(spec: RunSpec, state: State) -> Snapshots:
    """Return room for the snapshots of a call.

    What an interrupted run did not come to stays nan, and -1 for greedy actions and visits.
    """
    record = spec.record
    times = record.times(int(state.steps[0]), spec.steps)
    tables = [
        {
            name: _room((len(times), *seat.tables[name].shape), seat.tables[name].dtype)
            for name in record.tables
            if name in seat.tables
        }
        for seat in state.seats
    ]
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        shapes = [(len(times), spec.replicas, *kind.dims(agent)) for agent in spec.agents]
        asked = getattr(record, kind.name)
        kinds[kind.name] = [np.full(x, kind.unknown, kind.dtype) for x in shapes] if asked else None
    return Snapshots(np.array(times, np.int64), tables, **kinds)


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    return np.full(shape, -1 if dtype.kind == "i" else np.nan, dtype)


def taker(snapshots: Snapshots, state: State) -> Callable[[int, np.ndarray], None]:
    """Return the function (index, where) that fills in the replicas `where` of snapshot `index`."""
    writers = [Writer() for _ in state.seats]

    def take(index: int, where: np.ndarray) -> None:
        for i, seat in enumerate(state.seats):
            for name, table in snapshots.tables[i].items():
                table[index, where] = seat.tables[name][where]
            for kind in KINDS:
                arrays = getattr(snapshots, kind.name)
                if arrays is not None:
                    arrays[i][index, where] = kind.take(state, i, where, writers[i])

    return take
