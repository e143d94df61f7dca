"""`run`: validates, allocates, calls the driver, wraps."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.interrupt import interrupts
from fastgames._common.seeds import generator_from, generator_of, seed_from
from fastgames.engine import driver
from fastgames.engine.arguments import checked_spec
from fastgames.engine.progress import reporter
from fastgames.engine.snapshots import make_room, take
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import State, fresh, resumed
from fastgames.engine.window import COUNTED, count_up
from fastgames.errors import ConvergenceWarning, RuleError
from fastgames.games import Game
from fastgames.grids import Grid
from fastgames.learners import AnyLearner
from fastgames.record import Record
from fastgames.result import Result, doubts
from fastgames.stop import Stable

if TYPE_CHECKING:
    from pathlib import Path

    from fastgames.io.checkpoint import Writer


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run: `result` has what was done so far, its `steps` how far each came."""

    def __init__(self, result: Result) -> None:
        super().__init__("the run was interrupted; `result` has what was done so far")
        self.result = result


def run(
    game: Game,
    learners: AnyLearner | Sequence[AnyLearner],
    steps: int = 20_000,
    replicas: int | Grid | None = None,
    rng: Any = None,
    record: Record | None = None,
    stop: Stable | None = None,
    dtype: str | None = None,
    backend: str = "auto",
    stream: str | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    resume: Result | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 60.0,
    checked: bool | None = None,
) -> Result:
    """Let learners play a game, in many independent replicas.

    Parameters
    ----------
    game : MatrixGame, MarkovGame or Variants
    learners : one learner for each agent, or one for all
    steps : int
        Game steps for each replica, at least 1; with `stop`, at most so many.
    replicas : int or Grid, optional
        Independent runs, at least 1; 1 unless given (with `resume`: as many as it has; with
        `Variants`: as many as its index has). The bits of a replica do not depend on how many there
        are. A `Grid` labels them: `result.to_xarray()` has its dimensions.
    rng : None, int in [0, 2^64), SeedSequence or Generator
        The seed, or where to take it from; `result.seed` is what was used. Not with `resume`.
    record : Record, optional
    stop : Stable, optional
        When a replica stops before its steps run out: `result.steps` and `result.stopped` tell.
        Where that may be too early, a `ConvergenceWarning` says so once, and `result.unchanged` and
        `result.exploring` say which replicas it is about.
    dtype : "float64" or "float32"
        The type of the tables and of the arithmetic on them; float64 unless given.
    backend : "auto", "cython", "numba" or "reference"
        Same bits, different speed. "auto" takes what is compiled ahead ("cython") wherever there is
        a twin of it, and Numba for learners and games of your own.
    stream : "fastgames" or "numpy"
        "numpy" draws from `np.random.default_rng(rng)` as a textbook listing does, for one replica.
    threads : int, optional
        As many as there are CPUs unless given. The bits do not depend on it.
    progress : bool, optional
        Show how far the work has come: a bar on a terminal (extra "cli") or in a notebook, lines in
        a log. Unless given, for work longer than a second, in a log longer than a minute.
    resume : Result, optional
        Go on from there: tables, streams, schedules, counters. An agent whose learner is not equal
        to the one that it had starts its schedules anew; its tables stay.
    checkpoint : str or Path, optional
        A file to which the run is written on its way, whole or not at all. The same call goes on
        from there, however it ended, to the same bits; once all is done, it only reads the file.
        A file of another call is refused, and so is a place where no file can be written.
    checkpoint_every : float
        Seconds from one writing to the next. If the disk is full, the last one stays good, and
        the run goes on with a warning.
    checked : None, True or False
        How much is checked where functions of a learner or a game run. Always: an exception stops
        the run, and so does a value that is out of its range; no function can write to what it may
        only read; tables are finite when the run ends and when a checkpoint is written. Unless it
        is False, an index outside its array stops the run as well: in functions compiled by Numba
        that takes 0 to 9 % of the time, and without it such an index may destroy other memory of
        the process, or end it. (It does not reach into functions that you have compiled by
        yourself. backend="reference" always checks.) True: indices are checked in the functions of
        this library too, and tables after every step, so that the error names the step in which
        one ceased to be finite; much slower, for finding mistakes.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, before anything is allocated or compiled.
    RuleError
        If a function of a learner or a game fails, or what it returns is out of its range, or a
        table is not finite: with the function, the replica, the step and the value. Where tables
        are looked at when the run is over, `result` of the error is the run as it ended.
    CompileError (a TypeError)
        If Numba cannot compile such a function.
    Interrupted
        On Ctrl-C, with what is done so far as `result` (and in the checkpoint).

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> result = fg.run(game, fg.QLearner(alpha=0.1), steps=1000, replicas=4, rng=7)
    >>> result.tables[0]["q"].shape
    (4, 1, 2)
    """
    if resume is not None and not isinstance(resume, Result):
        raise TypeError(f"resume must be a Result, got {resume!r}")
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress must be None, True or False, got {progress!r}")
    spec = checked_spec(
        game, learners, steps=steps, replicas=replicas, rng=rng, record=record, stop=stop,
        dtype=dtype, backend=backend, stream=stream, threads=threads, resume=resume,
        checked=checked,
    )  # fmt: skip

    seed: int | None = None if resume is None else resume.seed
    generator: np.random.Generator | None = None
    if resume is not None and resume.state.generator is not None:
        generator = generator_of(resume.state.generator)
    elif resume is None and spec.stream == "numpy":
        generator, seed = generator_from(rng)
    elif resume is None:
        seed = seed_from(rng)

    writer: Writer | None = None
    found: tuple[Result, np.ndarray] | None = None
    if checkpoint is None and checkpoint_every != 60.0:
        raise ValueError(f"checkpoint_every needs checkpoint, got {checkpoint_every!r} without")
    if checkpoint is not None:
        from fastgames.io import checkpoint as file

        path, seconds = file.check(checkpoint, checkpoint_every)
        given: Any = None if rng is None else seed
        if generator is not None and seed is None:
            given = dict(generator.bit_generator.state)
        call = file.describe(spec, given, resume)
        found = file.read(path, call, spec.game, spec.learners)
        if found is None:
            file.check_writable(path)
    if found is not None:
        result, begun = found
        # The very ones of the call.
        result = replace(result, game=spec.game, learners=spec.learners, grid=spec.grid)
        state = result.state
        if state.generator is not None:
            generator = generator_of(state.generator)
    else:
        if resume is not None:
            state = resumed(resume.state, spec, resume.record)
        else:
            state = fresh(spec, None if generator else seed, generator)
        begun = state.steps.copy()
        result = Result(
            spec.game, spec.learners, spec.record, seed, spec.dtype, spec.stream,
            make_room(spec, state), state, spec.stop, spec.grid,
        )  # fmt: skip
    if checkpoint is not None:
        if found is not None and _left(result, spec.steps, begun).any():
            file.check_writable(path)
        writer = file.Writer(path, seconds, call, begun)
    _work_off(spec, result, begun, generator, progress, writer)
    if said := doubts(result):
        warnings.warn(said, ConvergenceWarning, stacklevel=2)
    return result


def _left(result: Result, steps: int, begun: np.ndarray) -> np.ndarray:
    """Return which replicas have steps left to take, (replicas,) bool."""
    left: np.ndarray = (result.steps - begun < steps) & ~result.stopped
    return left


def _work_off(
    spec: RunSpec,
    result: Result,
    begun: np.ndarray,
    generator: np.random.Generator | None,
    progress: bool | None,
    writer: Writer | None,
) -> None:
    """Take the steps that are left; `begun`: the steps of each replica before the call."""
    steps, record = spec.steps, spec.record
    state, game, snapshots = result.state, result.game, result.snapshots
    taken = state.steps - begun
    left = _left(result, steps, begun)
    earliest = None
    if result.stop is not None and result.stop.after:
        first = result.stop.first_counted(state)
        earliest = first + result.stop.periods - begun
    todo = np.flatnonzero(left)

    def snapshot(index: int, replicas: np.ndarray) -> None:
        assert snapshots is not None
        take(snapshots, index, replicas, state)

    def bring_up_to_date() -> None:
        if state.window is not None:
            for first in range(0, len(taken), COUNTED):
                count_up(state, game, slice(first, first + COUNTED))

    def check() -> None:
        error = state.error()
        if error is not None:
            error.result = result
            raise error

    def save() -> None:
        bring_up_to_date()
        check()
        assert writer is not None
        writer.save(result)

    def finish() -> None:
        if writer is None:
            bring_up_to_date()
        elif len(todo) or not writer.path.exists():  # else all was done, and is only read
            save()

    work = driver.Work(
        steps=steps,
        begun=taken,
        todo=todo,
        snapshots=[] if snapshots is None else (snapshots.steps - begun[0]).tolist(),
        tally_from=0 if record.last is None or state.window is not None else steps - record.last,
        periods=0 if result.stop is None else result.stop.periods,
        snapshot=snapshot,
        earliest=earliest,
    )
    total = len(todo) if work.periods else len(todo) * steps - int(taken.sum(where=left))
    make_block, threads = _blocks(spec, state, min(spec.threads, len(todo)), len(todo), generator)
    with interrupts(1):  # else a second Ctrl-C would lose what the first one saves
        try:
            with reporter(total, progress) as report:
                driver.run(
                    work,
                    make_block,
                    threads,
                    lambda done, finished: report(finished if work.periods else done, done),
                    None if writer is None else save,
                    lambda: writer is not None and writer.due(time.monotonic()),
                )
        except BaseException as error:
            try:
                finish()
            except (RuleError, ValueError) as unsaved:  # must not hide the error on its way
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
    """Return a function that makes a block, called once in every thread, and how many threads.

    threads, replicas: at most so many threads, for so many replicas
    """
    if spec.backend == "reference" or replicas == 0:
        from fastgames.engine.interpreted import ReferenceBlock

        return partial(ReferenceBlock, spec, state, generator), threads
    from fastgames.engine.compiled import LaneBlock, core_arguments, layout

    core = core_arguments(spec)
    threads, capacity = layout(spec, replicas, threads)
    bit_generator = None if generator is None else generator.bit_generator
    return partial(LaneBlock, spec, state, capacity, core, bit_generator), threads
