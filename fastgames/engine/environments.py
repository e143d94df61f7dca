"""Environments: replicas in compiled blocks that are stepped by actions from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from fastgames import _core
from fastgames._common.checks import check_fits
from fastgames.engine.compiled import (
    RULE_LANES,
    LaneBlock,
    block_bytes,
    block_size,
    core_arguments,
)
from fastgames.engine.core import OutsideArrays
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import State, begin_episodes, bytes_each
from fastgames.learners.outside import Outside

LANES = 1024  # of a block without learners: data passed between passes stays in the L1 cache
WIDTH = 16  # entries to which rows are padded: they start on cache lines, for aligned stores


def outside(spec: RunSpec) -> tuple[int, ...]:
    """Return the agents whose actions come from outside."""
    return tuple(i for i, learner in enumerate(spec.learners) if isinstance(learner, Outside))


def capacity(spec: RunSpec) -> int:
    """Return the number of environments in a block, a multiple of 16."""
    if len(outside(spec)) < len(spec.learners):
        most = block_size(spec, spec.replicas)
    else:
        most = LANES if spec.functions is None else RULE_LANES
    return _padded(min(most, spec.replicas))


def check_memory(spec: RunSpec) -> None:
    """Raise ValueError if the environments exceed the available memory."""
    count, size = spec.replicas, capacity(spec)
    each = bytes_each(spec) + spec.game.num_agents * (8 + spec.real.itemsize) + 2
    need = each * count + -(-count // size) * block_bytes(spec, size)
    check_fits("num_envs", "environments", count, need, each)


def episodes_end(spec: RunSpec) -> bool:
    """Return whether episodes of the game may end."""
    compact = spec.game.compact
    return spec.functions is not None or compact.terminal is not None or compact.time_limit > 0


def _padded(count: int) -> int:
    """Return the smallest multiple of WIDTH that is at least `count`."""
    return -(-count // WIDTH) * WIDTH


class Environments:
    """Environments in blocks, and the arrays in which a step of all of them writes.

    Attributes
    ----------
    spec : RunSpec
        The arguments; a replica is an environment.
    out : OutsideArrays
        The arrays that a step writes, padded. Observations and those reached are the same array if
        episodes never end.
    blocks : list of LaneBlock
        The blocks; all but the last are full.
    stepper : _core Stepper
        ``stepper.step(actions)`` steps all environments; `busy` is its lock.
    advance : function (actions)
        `stepper.step`, or `step` if a schedule is tabulated.
    """

    def __init__(self, spec: RunSpec, state: State) -> None:
        self.spec = spec
        self.out = _arrays(spec)
        self.blocks = _blocks(spec, state, self.out)
        lanes = [block.lanes for block in self.blocks]
        self.stepper = _core.lanes(spec.dtype).Stepper(lanes, outside(spec))
        self.advance = self.step if self.blocks[0].tabulated else self.stepper.step
        self.load(state)

    def load(self, state: State) -> None:
        """Copy the state into the blocks and clear rewards, ends and errors of the last step."""
        self._state = state
        self.stepper.taken = 0
        for k, block in enumerate(self.blocks):
            block.state = state
            block.lanes.wrong[:] = 0
            block.steps[:] = 0
            block.load(*self._stretch(k))
            block.lanes.active = block.active
            block.lanes.begin()
        self.out.reached[...] = self.out.observations
        for array in (self.out.rewards, self.out.terminated, self.out.truncated):
            array[...] = 0

    def step(self, actions: Any) -> int:
        """Step all environments as `stepper.step` does, after filling tabulated schedules."""
        with self.alone():
            self._settle()
            for block in self.blocks:
                block.look_further()
        wrong: int = self.stepper.step(actions)
        return wrong

    def stored(self) -> State:
        """Return the state after copying the blocks into it."""
        self._settle()
        for k, block in enumerate(self.blocks):
            block.store(*self._stretch(k))
        return self._state

    def restart(self, envs: np.ndarray) -> None:
        """Begin an episode in these environments; rewards and ends of their last step are cleared.

        Streams and tables continue, pending moves are discarded. Raise RuleError if the start of
        the game fails; no environment is modified then.

        envs: (n,) int64, ascending
        """
        if not len(envs):
            return
        streams = self._state.streams
        assert streams is not None
        states, streams = self._state.states[envs], streams[envs]
        parts = list(self._parts(envs))
        for block, lanes, part in parts:
            if block.nature:
                streams[part, -1] = block.lanes.nature[:, lanes].T
        begin_episodes(self.spec, states, streams, replicas=envs)
        for block, lanes, part in parts:
            block.lanes.wrong[:] = 0
            block.restart(lanes, states[part], streams[part, -1])
        out = self.out
        out.reached[:, envs] = out.observations[:, envs]
        for array in (out.rewards, out.terminated, out.truncated):
            array[..., envs] = 0

    def _parts(self, envs: np.ndarray) -> Iterator[tuple[LaneBlock, np.ndarray, slice]]:
        """Yield each block with some of these environments, their lanes and their slice of envs."""
        begins = np.arange(len(self.blocks) + 1) * self.blocks[0].active
        cuts = np.searchsorted(envs, begins).tolist()
        for k, block in enumerate(self.blocks):
            part = slice(cuts[k], cuts[k + 1])
            if part.start < part.stop:
                yield block, envs[part] - begins[k], part

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the step lock; raise RuntimeError if another thread is stepping."""
        if self.stepper.busy:
            raise RuntimeError(
                "another thread is stepping these environments: one thread at a time"
            )
        self.stepper.busy = True
        try:
            yield
        finally:
            self.stepper.busy = False

    def states(self) -> np.ndarray:
        """Return the current states, (envs,) or (envs, entries) int64, a copy."""
        now = [block.lanes.state[: block.active].copy() for block in self.blocks]
        return np.concatenate(now).astype(np.int64)

    def moves(self) -> np.ndarray:
        """Return the mask of the agents that move in a game of functions with turns, (N, envs)."""
        now = [block.lanes.moves[:, : block.active] for block in self.blocks]
        return np.concatenate(now, axis=1).astype(np.bool_)

    def check(self) -> None:
        """Raise RuleError if a user-defined function failed in the last step."""
        for block in self.blocks:
            if block.lanes.wrong[0]:
                self._settle()
                raise block.error()

    def check_tables(self) -> None:
        """Raise RuleError if a table of an internal learner has an entry that is not finite."""
        self._settle()
        for block in self.blocks:
            block.check_tables()

    def _stretch(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the lanes of block k and the indices of their environments, (active,) int64."""
        lanes = np.arange(self.blocks[k].active)
        return lanes, lanes + k * self.blocks[0].active

    def _settle(self) -> None:
        """Add the steps taken since the last call to the step counts of the blocks."""
        for block in self.blocks:
            block.steps[: block.active] += self.stepper.taken
        self.stepper.taken = 0


def _arrays(spec: RunSpec) -> OutsideArrays:
    """Return the arrays that a step writes, (N, width) and (width,), on cache lines."""
    aligned = _core.lanes(spec.dtype).aligned
    each, width = (spec.game.num_agents, _padded(spec.replicas)), _padded(spec.replicas)
    seen = aligned(each, np.int32)
    return OutsideArrays(
        rewards=aligned(each, spec.dtype),
        observations=seen,
        reached=aligned(each, np.int32) if episodes_end(spec) else seen,
        terminated=aligned((width,), np.bool_),
        truncated=aligned((width,), np.bool_),
    )


def _blocks(spec: RunSpec, state: State, out: OutsideArrays) -> list[LaneBlock]:
    """Return blocks that hold all environments; all but the last are full."""
    most, core = capacity(spec), core_arguments(spec)
    blocks = []
    for first in range(0, spec.replicas, most):
        size = min(most, spec.replicas - first)
        block = LaneBlock(spec, state, size, core, outside=replace(out, first=first))
        block.active = size
        blocks.append(block)
    return blocks
