"""Execute the checked arguments of a call: allocate, resume or read a checkpoint, and step."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.interrupt import interrupts
from fastgames._common.light import light_dataclass
from fastgames._common.seeds import generator_of
from fastgames.engine import driver
from fastgames.engine.progress import reporter
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import State, fresh, resumed
from fastgames.engine.window import COUNTED, count_up
from fastgames.errors import RuleError, numbered
from fastgames.result import Result

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from fastgames.engine.snapshots import Snapshots
    from fastgames.io.checkpoint import Writer


class Interrupted(KeyboardInterrupt):
    """Exception that `run` raises on Ctrl-C.

    Attributes
    ----------
    result : Result
        The run up to the interruption; `result.steps` has the steps taken by each replica. With
        `keep` or `executor`, a part of the run: the replicas that were finished; None without any.
    """

    def __init__(
        self,
        result: Result | None,
        message: str = "the run was interrupted; `result` has the steps taken so far",
    ) -> None:
        super().__init__(message)
        self.result: Result | Any = result  # users who give no executor need not look for None


@light_dataclass(frozen=True)
class Origin:
    """Where the replicas of a call come from.

    Attributes
    ----------
    seed : int or None
        The seed of the streams; None where `generator` draws.
    generator : Generator or None
        Under stream="numpy".
    resume : Result or None
        The result that goes on.
    """

    seed: int | None
    generator: np.random.Generator | None = None
    resume: Result | None = None


def execute(
    spec: RunSpec,
    origin: Origin,
    progress: bool | None,
    checkpoint: tuple[Path, float, Any] | None = None,
    cancelled: Event | None = None,
) -> Result:
    """Take the steps of a call and return its result.

    checkpoint: the path, the seconds between two checkpoints, and the seed that was given or None
    cancelled: set by another thread to interrupt the run
    """
    writer: Writer | None = None
    found: tuple[Result, np.ndarray] | None = None
    if checkpoint is not None:
        from fastgames.io import checkpoint as file

        path, seconds, given = checkpoint
        call = file.describe(spec, given, origin.resume)
        former = partial(file.describe, spec, given, origin.resume, former=True)
        found = file.read(path, call, spec.game, spec.learners, former)
        if found is None:
            file.check_writable(path)
    generator = origin.generator
    if found is not None:
        result, begun = found
        # Use the objects of the call, not their copies from the file.
        result = replace(
            result, game=spec.game, learners=spec.learners, grid=spec.grid, part=spec.part
        )
        spec = replace(spec, opening=None, opening_steps=result.state.opening_steps)
        if result.state.generator is not None:
            generator = generator_of(result.state.generator)
    else:
        result = _begun(spec, origin)
        begun = result.steps.copy()
    if checkpoint is not None:
        if found is not None and _left(result, spec.steps, begun).any():
            file.check_writable(path)
        writer = file.Writer(path, seconds, call, begun)
    with numbered(spec.part):
        _work_off(spec, result, begun, generator, progress, writer, cancelled)
    return result


def _begun(spec: RunSpec, origin: Origin) -> Result:
    """Return the result of a call before its first step."""
    seed, resume = origin.seed, origin.resume
    with numbered(spec.part):
        if resume is not None:
            state = resumed(resume.state, spec, resume.record, resume.seed)
        else:
            state = fresh(spec, None if origin.generator else seed, origin.generator)
    return Result(
        spec.game, spec.learners, spec.record, seed, spec.dtype, spec.stream,
        _room(spec, state), state, spec.stop, spec.grid, part=spec.part,
    )  # fmt: skip


def _room(spec: RunSpec, state: State) -> Snapshots | None:
    """Return room for the snapshots of a call, None if it takes none."""
    if spec.record.every is None:
        return None
    from fastgames.engine.snapshots import make_room

    return make_room(spec, state)


def _left(result: Result, steps: int, begun: np.ndarray) -> np.ndarray:
    """Return a mask of the replicas with steps left to take, (replicas,) bool."""
    left: np.ndarray = (result.steps - begun < steps) & ~result.stopped
    return left


def _taker(snapshots: Snapshots, state: State) -> Callable[[int, np.ndarray], None]:
    """Return the function (index, replicas) that takes a snapshot of some replicas."""
    from fastgames.engine.snapshots import taker

    return taker(snapshots, state)


def _work_off(
    spec: RunSpec,
    result: Result,
    begun: np.ndarray,
    generator: np.random.Generator | None,
    progress: bool | None,
    writer: Writer | None,
    cancelled: Event | None,
) -> None:
    """Take the remaining steps, modifying the state, the snapshots and the checkpoint.

    begun: steps that each replica had taken before the call, (replicas,) int64
    """
    steps, record = spec.steps, spec.record
    state, game, snapshots = result.state, result.game, result.snapshots
    taken = state.steps - begun
    left = _left(result, steps, begun)
    earliest = None
    if result.stop is not None and result.stop.after:
        first = result.stop.first_counted(state)
        earliest = first + result.stop.periods - begun
    todo = np.flatnonzero(left)

    def bring_up_to_date() -> None:
        """Compute the counts of the state from the window of the last steps, if it has one."""
        if state.window is not None:
            for first in range(0, len(taken), COUNTED):
                count_up(state, game, slice(first, first + COUNTED))

    def check() -> None:
        """Raise RuleError with the result if a table is not finite."""
        error = state.error()
        if error is not None:
            error.result = result
            raise error

    def save() -> None:
        """Write a checkpoint after checking the tables."""
        bring_up_to_date()
        check()
        assert writer is not None
        writer.save(result)

    def finish() -> None:
        """Update the counts, and write the last checkpoint if there is a writer."""
        state.close_opening()
        if writer is None:
            bring_up_to_date()
        elif len(todo) or not writer.path.exists():  # a complete checkpoint is only read
            save()

    work = driver.Work(
        steps=steps,
        begun=taken,
        todo=todo,
        snapshots=[] if snapshots is None else (snapshots.steps - begun[0]).tolist(),
        tally_from=0 if record.last is None or state.window is not None else steps - record.last,
        periods=0 if result.stop is None else result.stop.periods,
        snapshot=None if snapshots is None else _taker(snapshots, state),
        earliest=earliest,
    )
    total = len(todo) if work.periods else len(todo) * steps - int(taken.sum(where=left))
    make_block, threads = _blocks(spec, state, min(spec.threads, len(todo)), len(todo), generator)
    with interrupts(1):  # a second Ctrl-C must not lose what the first one saves
        try:
            with reporter(total, progress) as report:

                def look_out(done: int, finished: int) -> None:
                    """Report the progress; raise KeyboardInterrupt if the run was cancelled."""
                    report(finished if work.periods else done, done)
                    if cancelled is not None and cancelled.is_set():
                        raise KeyboardInterrupt

                driver.run(
                    work,
                    make_block,
                    threads,
                    look_out,
                    None if writer is None else save,
                    lambda: writer is not None and writer.due(time.monotonic()),
                )
        except BaseException as error:
            try:
                finish()
            except (RuleError, ValueError) as unsaved:  # must not replace the original error
                if writer is not None and not isinstance(error, RuleError):
                    message = f"checkpoint {str(writer.path)!r} was not written: {unsaved}"
                    warnings.warn(message, RuntimeWarning, stacklevel=3)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(result) from None
            raise
        finish()
        if writer is None:
            check()


def _blocks(
    spec: RunSpec,
    state: State,
    threads: int,
    replicas: int,
    generator: np.random.Generator | None = None,
) -> tuple[Callable[[], driver.Block], int]:
    """Return a function that makes a block, called once in every thread, and the thread count.

    threads: upper bound on the thread count; replicas: number of replicas to run
    """
    if spec.backend == "reference" or replicas == 0:
        from fastgames.engine.interpreted import ReferenceBlock

        return partial(ReferenceBlock, spec, state, generator), threads
    from fastgames.engine.compiled import LaneBlock, core_arguments, layout

    core = core_arguments(spec)
    threads, capacity = layout(spec, replicas, threads)
    bit_generator = None if generator is None else generator.bit_generator
    return partial(LaneBlock, spec, state, capacity, core, bit_generator), threads
