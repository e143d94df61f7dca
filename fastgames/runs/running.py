"""`run`: check the arguments of a call, execute it and return its `Result`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastgames._common.seeds import generator_from, generator_of, seed_from
from fastgames.engine.arguments import checked_spec
from fastgames.engine.spec import RunSpec
from fastgames.errors import ConvergenceWarning
from fastgames.games import Game
from fastgames.learners import RuleLearner
from fastgames.record import Record
from fastgames.result import Result, doubts
from fastgames.runs.execution import Origin, execute
from fastgames.stop import Stable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from fastgames.grids import Grid


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
    keep: Callable[[Result], Mapping[str, npt.ArrayLike]] | None = None,
    executor: Any = None,
    chunk: int | None = None,
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
        Number of threads; the number of CPUs unless given, 1 in the workers of `executor`. The bits
        do not depend on it.
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
        With `keep` or `executor` it is a folder, made if needed, with a file for each finished
        group; two processes cannot use one folder at a time.
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
    keep : function, optional
        Function of a `Result` that returns a dict of arrays, each (replicas, ...) of bool, int or
        float. It is called with groups of finished replicas, of any size, in any order;
        ``part.numbers`` are their numbers, ascending. An entry must depend on its own replica only,
        and names, types and shapes be the same every time. ``result.kept`` has the arrays of all
        replicas; the tables of finished replicas and all that only serves to resume are dropped, so
        that the run takes little memory. Steps, states and records stay.
        `fastgames.analysis.summary` makes such functions.
    executor : object or function, optional
        Object with ``submit(function, *arguments)``, such as a `ProcessPoolExecutor`, that runs
        groups of replicas in its workers; or a function without arguments that makes one: if a
        worker dies and breaks the executor, another one is made, once. Arguments and results are
        pickled, by cloudpickle if it is installed. The bits are those of a run without executor.
    chunk : int, optional
        Replicas in a group, at least 1. Unless given, groups take about five seconds but have at
        least 64 replicas, which run fastest together, if there are as many for every worker. Only
        with `keep` or `executor`.

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
    KeepError (a ValueError)
        If `keep` fails or returns something else; `result` of the error has the other replicas.
    CompileError (a TypeError)
        If Numba cannot compile such a function.
    Interrupted
        On Ctrl-C; `result` of the exception (and the checkpoint) has the steps taken so far. With
        `keep` or `executor` it has the replicas that were finished, and a broken executor raises it
        too.

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
    chunked = keep is not None or executor is not None
    if chunked:
        _check_chunked(keep, executor, stream, resume)
    elif chunk is not None:
        raise ValueError(f"chunk needs keep or executor, got {chunk!r} without")
    spec = checked_spec(
        game, learners, steps=steps, replicas=replicas, rng=rng, record=record, stop=stop,
        dtype=dtype, backend=backend, stream=stream, threads=threads, resume=resume,
        checked=checked, start_states=start_states, start_tables=start_tables, reset=reset,
        only=only,
        opening=opening, kept=keep is not None,
    )  # fmt: skip

    origin = _origin(spec, rng, resume)
    if checkpoint is None and checkpoint_every != 60.0:
        raise ValueError(f"checkpoint_every needs checkpoint, got {checkpoint_every!r} without")
    file = None
    if chunked:
        from fastgames.runs import chunks

        result = chunks.run(
            spec, origin, progress, keep, executor, chunk, threads, checkpoint,
            None if rng is None else origin.seed,
        )  # fmt: skip
    else:
        if checkpoint is not None:
            from fastgames.io import checkpoint as files

            file = (*files.check(checkpoint, checkpoint_every), _given(origin, rng))
        result = execute(spec, origin, progress, file)
    if said := doubts(result):
        warnings.warn(said, ConvergenceWarning, stacklevel=2)
    return result


def _check_chunked(keep: Any, executor: Any, stream: Any, resume: Result | None) -> None:
    """Raise if `keep` or `executor` is outside its domain, or the stream is numpy's."""
    from fastgames.runs.executors import check_executor
    from fastgames.runs.keep import check_keep

    if keep is not None:
        check_keep(keep)
    if executor is not None:
        check_executor(executor)
    if "numpy" in (stream, resume and resume.stream):
        raise ValueError('stream must be "fastgames" with keep or executor, got "numpy"')


def _origin(spec: RunSpec, rng: Any, resume: Result | None) -> Origin:
    """Return the seed, the generator and the result from which a call begins."""
    if resume is not None:
        held = resume.state.generator
        return Origin(resume.seed, None if held is None else generator_of(held), resume)
    if spec.stream == "numpy":
        generator, seed = generator_from(rng)
        return Origin(seed, generator)
    return Origin(seed_from(rng))


def _given(origin: Origin, rng: Any) -> Any:
    """Return the seed that a checkpoint names, or the state of the generator; None if not given."""
    if origin.generator is not None and origin.seed is None:
        return dict(origin.generator.bit_generator.state)
    return None if rng is None else origin.seed
