"""`run`: validate the arguments, allocate the state, call the driver and return a `Result`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.interrupt import interrupts
from fastgames._common.seeds import generator_from, generator_of, seed_from
from fastgames.engine import driver
from fastgames.engine.arguments import checked_spec
from fastgames.engine.progress import reporter
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import State, fresh, resumed
from fastgames.engine.window import COUNTED, count_up
from fastgames.errors import ConvergenceWarning, RuleError, numbered
from fastgames.games import Game
from fastgames.learners import RuleLearner
from fastgames.record import Record
from fastgames.result import Result, doubts
from fastgames.stop import Stable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from fastgames.engine.snapshots import Snapshots
    from fastgames.grids import Grid
    from fastgames.io.checkpoint import Writer


class Interrupted(KeyboardInterrupt):
    """Exception that `run` raises on Ctrl-C.

    Attributes
    ----------
    result : Result
        The run up to the interruption; `result.steps` has the steps taken by each replica.
    """

    def __init__(self, result: Result) -> None:
        super().__init__("the run was interrupted; `result` has the steps taken so far")
        self.result = result


def run(
    game: Game,
    learners: RuleLearner | Sequence[RuleLearner],
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
    start_states: npt.ArrayLike | None = None,
    start_tables: Sequence[Mapping[str, npt.ArrayLike] | None] | None = None,
    reset: Sequence[int] | Mapping[int, str] | None = None,
    only: slice | npt.ArrayLike | None = None,
    opening: npt.ArrayLike | None = None,
) -> Result:
    """Run learners in a game, in many independent replicas, and return the result.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame, Variants or ProceduralVariants
        The game, or one game for each replica.
    learners : learner, or sequence of learners
        One learner for each agent, or one that every agent uses.
    steps : int
        Game steps for each replica, at least 1. With `stop`, an upper bound.
    replicas : int or Grid, optional
        Number of independent runs, at least 1. Unless given, 1; with `resume`, the number in that
        result; with `Variants`, the length of its index. The bits of a replica do not depend on the
        number of replicas. A `Grid` labels the replicas: `result.to_xarray()` has its dimensions.
    rng : None, int in [0, 2^64), SeedSequence or Generator
        The seed, or the source from which it is drawn; `result.seed` is the seed that was used. Not
        allowed with `resume`.
    record : Record, optional
        The quantities to record; nothing unless given.
    stop : Stable, optional
        Rule that stops a replica before its steps run out; `result.steps` and `result.stopped` show
        the outcome. If replicas may have stopped too early, `run` emits one `ConvergenceWarning`;
        `result.unchanged` and `result.exploring` mark these replicas.
    dtype : "float64" or "float32"
        The type of the tables and of the arithmetic on them; float64 unless given.
    backend : "auto", "cython", "numba" or "reference"
        All backends give the same bits and differ in speed. "auto" uses ahead-of-time compiled code
        ("cython") for everything that has it, and Numba for user-defined learners and games.
    stream : "fastgames" or "numpy"
        "numpy" draws from `np.random.default_rng(rng)`, as textbook code does; one replica only.
    threads : int, optional
        Number of threads; the number of CPUs unless given. The bits do not depend on it.
    progress : bool, optional
        Show the progress: a bar on a terminal (extra "cli") or in a notebook, lines in a log.
        Unless given, progress is shown for work longer than a second; in a log, for work longer
        than a minute.
    resume : Result, optional
        The result to continue from: tables, streams, schedules and counters. An agent whose learner
        does not equal its previous learner restarts its schedules and keeps its tables.
    checkpoint : str or Path, optional
        File to which the run is written atomically at intervals. The same call resumes from the
        file, however the run ended, and gives the same bits; if the run is complete, the call only
        reads the file. A file of another call is refused, and so is a path that cannot be written.
    checkpoint_every : float
        Seconds between two checkpoints. If the disk is full, the last checkpoint stays valid and
        the run continues with a warning.
    checked : None, True or False
        Level of checking for functions of a learner or a game. At every level an exception or a
        value out of range stops the run, no function can write to its read-only arguments, and
        tables are checked to be finite at the end of the run and at every checkpoint. Unless
        `checked` is False, an index outside its array also stops the run. This check takes 0 to 9 %
        of the time in functions compiled by Numba; without it, such an index may corrupt other
        memory of the process or crash it. (The check does not cover functions that you compiled
        yourself. backend="reference" always checks.) With True, indices are also checked in the
        functions of this library and tables after every step, so that the error names the step at
        which a table became non-finite. This is much slower and meant for debugging.
    start_states : array_like of int (replicas,), optional
        State of each replica before its first step, in [0, S) and not terminal; in a procedural
        game (replicas, state_size), within `state_bounds`; in one with reals a pair of this array
        and one of finite numbers (replicas, num_reals). No random word is drawn for it. Later
        episodes begin as the game says, and so do replicas unless `start_states` is given. Not
        allowed with `resume`.
    start_tables : sequence of mappings, optional
        For each agent, None or arrays by the names of its tables, such as
        ``[{"policy": [0.9, 0.1]}, None]``. They replace these tables before the first step of the
        call, with `resume` too, and are broadcast from the right to (replicas, *dimensions). A
        table of a team that all its members share is given for the first member. A strategy that a
        learner computes from other tables, such as "strategy" of `Hedge`, cannot be given; it is
        computed from them.
    reset : sequence of int, or mapping of int to str, optional
        Agents that begin anew where the run resumes: their tables are as before the first step of a
        run, and their schedules begin at step 0. A mapping from agents to "tables", "schedules" or
        "both" resets only these. Only with `resume`. Like `start_tables`, it restarts the count of
        steps without a change of `stop`, so that replicas that have stopped go on.
    only : slice or array_like of int, optional
        The replicas to run, by their numbers in [0, replicas): a part of the run, in which they
        have the bits that they have in the whole. All other arguments are those of the whole run:
        arrays with an entry for each replica, `Variants`, a `Grid`, `start_states`. The result has
        the replicas in ascending order, and ``result.numbers`` has their numbers;
        `fastgames.merge` joins parts. The seed must be given as `rng`, and `stream` be
        "fastgames". A part is resumed without `only`.
    opening : array_like of int (replicas, K, N), (K, N) or (N,), optional
        Joint actions of the first K steps of the call, in each replica or in all; (N,) stands for
        one step. The action of agent i is in [0, A_i), and 0 where it does not move. Agents draw
        and choose as in other steps, then these actions replace their choices. Agents learn from
        them, schedules advance, and records and `stop` count these steps
        (``Stable(periods, after=K)`` counts from the end of the opening). If the call ends before
        step K, a run that resumes continues the opening, unless it has its own.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, before anything is allocated or compiled.
    RuleError
        If a function of a learner or a game fails, a value that it returns is out of range, a
        table is not finite, or `opening` has an action other than 0 for an agent that does not
        move. The error has the function, the replica, the step and the value. If the check of the
        tables at the end of the run fails, `result` of the error is the complete run.
    CompileError (a TypeError)
        If Numba cannot compile such a function.
    Interrupted
        On Ctrl-C; `result` of the exception (and the checkpoint) has the steps taken so far.

    Warns
    -----
    ConvergenceWarning
        If replicas that `stop` ended may not have converged.

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
        checked=checked, start_states=start_states, start_tables=start_tables, reset=reset,
        only=only,
        opening=opening,
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
        former = partial(file.describe, spec, given, resume, former=True)
        found = file.read(path, call, spec.game, spec.learners, former)
        if found is None:
            file.check_writable(path)
    if found is not None:
        result, begun = found
        # Use the objects of the call, not their copies from the file.
        result = replace(
            result, game=spec.game, learners=spec.learners, grid=spec.grid, part=spec.part
        )
        state = result.state
        spec = replace(spec, opening=None, opening_steps=state.opening_steps)
        if state.generator is not None:
            generator = generator_of(state.generator)
    else:
        with numbered(spec.part):
            if resume is not None:
                state = resumed(resume.state, spec, resume.record, resume.seed)
            else:
                state = fresh(spec, None if generator else seed, generator)
        begun = state.steps.copy()
        result = Result(
            spec.game, spec.learners, spec.record, seed, spec.dtype, spec.stream,
            _room(spec, state), state, spec.stop, spec.grid, part=spec.part,
        )  # fmt: skip
    if checkpoint is not None:
        if found is not None and _left(result, spec.steps, begun).any():
            file.check_writable(path)
        writer = file.Writer(path, seconds, call, begun)
    with numbered(spec.part):
        _work_off(spec, result, begun, generator, progress, writer)
    if said := doubts(result):
        warnings.warn(said, ConvergenceWarning, stacklevel=2)
    return result


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


def _work_off(
    spec: RunSpec,
    result: Result,
    begun: np.ndarray,
    generator: np.random.Generator | None,
    progress: bool | None,
    writer: Writer | None,
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

    def snapshot(index: int, replicas: np.ndarray) -> None:
        """Take snapshot number `index` of some replicas, (count,) int64."""
        from fastgames.engine.snapshots import take

        assert snapshots is not None
        take(snapshots, index, replicas, state)

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
        snapshot=snapshot,
        earliest=earliest,
    )
    total = len(todo) if work.periods else len(todo) * steps - int(taken.sum(where=left))
    make_block, threads = _blocks(spec, state, min(spec.threads, len(todo)), len(todo), generator)
    with interrupts(1):  # a second Ctrl-C must not lose what the first one saves
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
