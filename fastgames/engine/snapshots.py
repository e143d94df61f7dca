"""Snapshots of a run: tables, greedy actions and policies at the times of `Record`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames.engine.policies import policy
from fastgames.engine.state import State, members
from fastgames.games import Game
from fastgames.learners import AnyLearner
from fastgames.record import Record


@dataclass(frozen=True, eq=False)
class Snapshots:
    """What was taken on the way; the first axis of every array is the snapshot.

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
        """Every array under a flat name, as files hold them."""
        out: dict[str, Any] = {"steps": self.steps}
        for i, tables in enumerate(self.tables):
            out |= {f"tables/{i}/{name}": table for name, table in tables.items()}
        for kind in ("greedy", "policies"):
            for i, array in enumerate(getattr(self, kind) or []):
                out[f"{kind}/{i}"] = array
        return out


def bytes_each(
    game: Game, learners: tuple[AnyLearner, ...], dtype: str, record: Record, count: int
) -> int:
    """Bytes that each replica takes in so many snapshots.

    In each of them, for every agent: its tables (r O_i A_i for "q"; r: bytes of the tables' type),
    4 O_i for greedy actions, 8 O_i A_i for a policy.
    """
    size = 0
    sizes = zip(learners, game.num_observations, game.num_actions, strict=True)
    for agent, (learner, rows, actions) in enumerate(sizes):
        team = members(learners, agent)
        size += sum(
            math.prod(table.shape(game, agent, team)) * table.dtype(dtype).itemsize
            for table in learner.rules.tables
            if table.name in record.tables
        )
        size += rows * (4 * record.greedy + 8 * actions * record.policies)
    return count * size


def make_room(game: Game, state: State, record: Record, steps: int) -> Snapshots | None:
    """Room for the snapshots of a call that takes `steps` steps.

    What an interrupted run did not come to stays nan, and -1 for greedy actions and visits.
    """
    if record.every is None:
        return None
    times, replicas = record.times(int(state.steps[0]), steps), len(state.steps)
    sizes = zip(game.num_observations, game.num_actions, strict=True)
    shapes = [(len(times), replicas, *size) for size in sizes]
    return Snapshots(
        steps=np.array(times, np.int64),
        tables=[
            {
                name: _room((len(times), *seat.tables[name].shape), seat.tables[name].dtype)
                for name in record.tables
                if name in seat.tables
            }
            for seat in state.seats
        ],
        greedy=[np.full(shape[:3], -1, np.int32) for shape in shapes] if record.greedy else None,
        policies=[np.full(shape, np.nan) for shape in shapes] if record.policies else None,
    )


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    return np.full(shape, -1 if dtype.kind == "i" else np.nan, dtype)


def take(
    snapshots: Snapshots, index: int, where: np.ndarray, state: State, discount: float
) -> None:
    """Fill in the replicas `where` of snapshot `index`."""
    for i, seat in enumerate(state.seats):
        for name, table in snapshots.tables[i].items():
            table[index, where] = seat.tables[name][where]
        if snapshots.greedy is not None:
            snapshots.greedy[i][index, where] = seat.table[where].argmax(axis=-1)
        if snapshots.policies is not None:
            snapshots.policies[i][index, where] = policy(state, i, discount, where)
