"""Compiled blocks: copies between the state of a run and the lanes of the compiled core."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from fastgames import _core
from fastgames.games import MatrixGame
from fastgames.learners import Learner
from fastgames.record import Record
from fastgames.rules.exponential import exp
from fastgames.schedules import CONSTANT, EXPONENTIAL, parts
from fastgames.state import Seat, State

CACHE = 32 * 1024  # bytes that the lanes of a block may take: the first cache
SIZES = (256, 128, 64, 32, 16)  # multiples of 16, the lanes of the widest vector register


def block_size(game: MatrixGame, dtype: np.dtype[Any], replicas: int, threads: int) -> int:
    """Lanes of a block: as many as the cache holds, but no thread idle for want of blocks."""
    per_agent = 24  # generator, threshold and half
    values = 8 * game.num_agents + sum(game.num_actions)  # signals, alpha, scratch; tables
    bytes_per_lane = per_agent * game.num_agents + values * dtype.itemsize
    most = next((n for n in SIZES if n * bytes_per_lane <= CACHE), SIZES[-1])
    blocks = max(-(-replicas // most), min(threads, -(-replicas // SIZES[-1])))
    per_block = -(-replicas // blocks)
    return -(-per_block // SIZES[-1]) * SIZES[-1]


def _seat_of(
    game: MatrixGame, agent: int, learner: Learner, dtype: np.dtype[Any], numba: bool
) -> tuple[Any, ...]:
    """A seat as the compiled core takes it, see `Lanes` in src_cy/engine.pxi."""
    rules, values = learner.rules, learner.values(game.discount)
    addresses = None
    if numba:
        from fastgames.jit.passes import addresses_of

        addresses = addresses_of(rules, dtype)
    schedules = tuple(parts(values[name])[0] for name in rules.parameters)
    payoffs = np.ascontiguousarray(game.payoffs[agent], dtype).ravel()
    return (game.num_actions[agent], rules.twin, rules.parameters, schedules, payoffs, addresses)


class LaneBlock:
    """A block of the compiled core, with its built-in passes or those that Numba made."""

    def __init__(
        self,
        game: MatrixGame,
        state: State,
        record: Record,
        dtype: np.dtype[Any],
        capacity: int,
        bit_generator: np.random.BitGenerator | None,
        numba: bool,
    ) -> None:
        self.capacity = capacity
        self.state = state
        # numpy's own methods hold this lock too: others may draw from the generator meanwhile
        self.lock = nullcontext() if bit_generator is None else bit_generator.lock
        self.rows = numba
        seats = [
            _seat_of(game, i, seat.learner, dtype, numba) for i, seat in enumerate(state.seats)
        ]
        self.lanes = _core.lanes(dtype.name).Lanes(
            capacity,
            seats,
            flips=record.flips,
            joint_actions=record.joint_actions,
            rewards=record.rewards,
            bit_generator=bit_generator,
        )
        # (index, name, kind, numbers) of the parameters that differ between replicas or change
        self.varying: list[list[tuple[int, str, int, Any]]] = []
        for seat, lanes in zip(state.seats, self.lanes.seats, strict=True):
            self.varying.append([])
            values = seat.learner.values(game.discount)
            for p, name in enumerate(seat.learner.rules.parameters):
                kind, numbers = parts(values[name])
                if kind == CONSTANT and not isinstance(numbers[0], np.ndarray):
                    lanes.value[p] = numbers[0]
                else:
                    self.varying[-1].append((p, name, kind, numbers))

    def load(self, first: int, count: int) -> None:
        """Take up replicas first … first + count - 1. Lanes beyond them repeat the first one."""
        self.first, self.count = first, count
        self.steps = self.tallied = 0  # since the state was last written
        where = slice(first, first + count)
        for i, (seat, lanes) in enumerate(zip(self.state.seats, self.lanes.seats, strict=True)):
            table = seat.table[where, 0, :]
            if not self.rows and not seat.learner.learns:
                table = np.add.accumulate(table, axis=1)  # running sums, as choose_fixed reads them
            self._fill(lanes.table if not self.rows else lanes.table.T, table.T)
            if self.state.streams is not None:
                self._fill(lanes.stream, self.state.streams[where, i].T)
            self._fill(lanes.clock, seat.clock[where])
            for p, name, kind, numbers in self.varying[i]:
                self._load_parameter(lanes, p, kind, numbers, seat, name, where)
            lanes.flips[:] = 0
            lanes.reward_sum[:] = 0.0
            if self.state.flips is not None:
                lanes.flips[:count] = self.state.flips[where, i]
            if self.state.reward_sums is not None:
                lanes.reward_sum[:count] = self.state.reward_sums[where, i]
        if self.state.joint_counts is not None:
            self.lanes.joint_counts[:count] = self.state.joint_counts[where].reshape(count, -1)

    def _fill(self, lanes: np.ndarray, values: np.ndarray) -> None:
        lanes[..., : self.count] = values
        if self.count < self.capacity:
            lanes[..., self.count :] = lanes[..., :1]

    def _load_parameter(
        self, lanes: Any, p: int, kind: int, numbers: Any, seat: Seat, name: str, where: slice
    ) -> None:
        first, second, third = (x[where] if isinstance(x, np.ndarray) else x for x in numbers)
        if kind == EXPONENTIAL:
            first = seat.recurrence[name][where]
            rates, index = np.unique(second, return_inverse=True)
            second = np.array([exp(-rate, np.float64) for rate in rates])[index.ravel()]
        for array, value in (
            (lanes.value, first),
            (lanes.first, first),
            (lanes.second, second),
            (lanes.third, third),
        ):
            self._fill(array[p], np.broadcast_to(value, self.count))

    def tally(self, on: bool) -> None:
        """Count joint actions and sum rewards from here on, or not."""
        self.tallying = on
        self.lanes.begin(tally=on)

    def advance(self, steps: int) -> None:
        """Take so many steps, without the GIL."""
        with self.lock:
            self.lanes.advance(steps)
        self.steps += steps
        self.tallied += steps if self.tallying else 0

    def store(self) -> None:
        """Write everything back into the state."""
        n, where = self.count, slice(self.first, self.first + self.count)
        for i, (seat, lanes) in enumerate(zip(self.state.seats, self.lanes.seats, strict=True)):
            if seat.learner.learns:
                table = lanes.table if not self.rows else lanes.table.T
                seat.table[where, 0, :] = table[:, :n].T
            seat.clock[where] += self.steps
            if self.state.streams is not None:
                self.state.streams[where, i] = lanes.stream[:, :n].T
            for p, name, kind, _ in self.varying[i]:
                if kind == EXPONENTIAL:
                    seat.recurrence[name][where] = lanes.first[p, :n]
            if self.state.flips is not None:
                self.state.flips[where, i] = lanes.flips[:n]
            if self.state.reward_sums is not None:
                self.state.reward_sums[where, i] = lanes.reward_sum[:n]
        if self.state.joint_counts is not None:
            counts = self.lanes.joint_counts[:n]
            self.state.joint_counts[where] = counts.reshape(self.state.joint_counts[where].shape)
        self.state.steps[where] += self.steps
        self.state.counted[where] += self.tallied
        self.steps = self.tallied = 0
