"""`run`: validates, allocates, calls the engine, wraps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastgames import _checks, engine
from fastgames.arguments import (
    agree_with,
    check_game,
    check_learner,
    check_memory,
    check_record,
    cpus,
    one_for_each,
)
from fastgames.games import MatrixGame
from fastgames.learners import Learner
from fastgames.progress import reporter
from fastgames.record import Record
from fastgames.registry import BACKENDS, DTYPES, STREAMS
from fastgames.result import Result
from fastgames.seeds import generator_from, generator_of, seed_from
from fastgames.snapshots import make_room, take
from fastgames.state import fresh, resumed


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run: `result` has what was done so far, its `steps` how far each came."""

    def __init__(self, result: Result) -> None:
        super().__init__("the run was interrupted; `result` has what was done so far")
        self.result = result


def run(
    game: MatrixGame,
    learners: Learner | Sequence[Learner],
    steps: int = 20_000,
    replicas: int | None = None,
    rng: Any = None,
    record: Record | None = None,
    dtype: str | None = None,
    backend: str = "auto",
    stream: str | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    resume: Result | None = None,
) -> Result:
    """Let learners play a game, in many independent replicas.

    Parameters
    ----------
    game : MatrixGame
    learners : one learner for each agent, or one for all
    steps : int
        Game steps for each replica, at least 1.
    replicas : int, optional
        Independent runs, at least 1; 1 unless given (with `resume`: as many as it has). The bits of
        a replica do not depend on how many there are.
    rng : None, int in [0, 2^64), SeedSequence or Generator
        The seed, or where to take it from; `result.seed` is what was used. Not with `resume`.
    record : Record, optional
    dtype : "float64" or "float32"
        The type of the tables and of the arithmetic on them; float64 unless given.
    backend : "auto", "cython", "numba" or "reference"
        Same bits, different speed. "auto" is "cython".
    stream : "fastgames" or "numpy"
        "numpy" draws from `np.random.default_rng(rng)` as a textbook listing does, for one replica.
    threads : int, optional
        As many as there are CPUs unless given. The bits do not depend on it.
    progress : bool, optional
        A progress bar; unless given, for work longer than a second, on a terminal.
    resume : Result, optional
        Go on from there: tables, streams, schedules, counters. An agent whose learner is not equal
        to the one that it had starts its schedules anew; its tables stay.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, before anything is allocated or compiled.
    Interrupted
        On Ctrl-C, with what is done so far as `result`.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> result = fg.run(game, fg.QLearner(alpha=0.1), steps=1000, replicas=4, rng=7)
    >>> result.tables[0]["q"].shape
    (4, 1, 2)
    """
    check_game(game)
    seats = one_for_each(learners, game.num_agents)
    steps = _checks.whole("steps", steps, 1, 2**62)
    if resume is not None:
        replicas, dtype, stream = agree_with(resume, game, rng, replicas, dtype, stream)
    replicas = _checks.whole("replicas", 1 if replicas is None else replicas, 1, 2**48)
    dtype = _checks.one_of("dtype", "float64" if dtype is None else dtype, DTYPES)
    stream = _checks.one_of("stream", "fastgames" if stream is None else stream, STREAMS)
    backend = _checks.one_of("backend", backend, BACKENDS)
    if stream == "numpy" and replicas != 1:
        raise ValueError(f'replicas must be 1 with stream="numpy", got {replicas}')
    threads = _checks.whole("threads", cpus() if threads is None else threads, 1, 1024)
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress must be None, True or False, got {progress!r}")
    record = check_record(Record() if record is None else record, steps, seats, resume)
    for i, learner in enumerate(seats):
        check_learner(game, i, learner, replicas, dtype)
    check_memory(game, seats, replicas, steps, record, dtype)

    generator: np.random.Generator | None = None
    seed: int | None
    if resume is not None:
        seed = resume.seed
        state = resumed(resume.state, game, seats, record, resume.record)
        if state.generator is not None:
            generator = generator_of(state.generator)
    elif stream == "numpy":
        generator, seed = generator_from(rng)
        state = fresh(game, seats, 1, dtype, None, record)
    else:
        seed = seed_from(rng)
        state = fresh(game, seats, replicas, dtype, seed, record)
    snapshots, stops = make_room(game, state, record, steps, dtype)
    result = Result(game, seats, record, seed, dtype, stream, snapshots, state)
    make_block = _blocks(result, backend, threads, generator)

    def snapshot(index: int, first: int, count: int) -> None:
        if snapshots is not None:
            take(snapshots, index, slice(first, first + count), state, game.discount)

    tally_from = 0 if record.last is None else steps - record.last
    work = engine.Work(replicas, steps, stops, tally_from, snapshot)
    try:
        with reporter(replicas * steps, progress) as report:
            engine.run(work, make_block, min(threads, -(-replicas // SMALLEST)), report)
    except KeyboardInterrupt:
        raise Interrupted(result) from None
    finally:
        if generator is not None:
            state.generator = dict(generator.bit_generator.state)
    return result


SMALLEST = 16  # replicas for which a thread of their own is worth it


def _blocks(
    result: Result, backend: str, threads: int, generator: np.random.Generator | None
) -> Callable[[], engine.Block]:
    """A function that makes a block, called once in every thread."""
    if backend == "reference":
        from fastgames.reference import ReferenceBlock

        return partial(ReferenceBlock, result.game, result.state, generator)
    from fastgames.lanes import LaneBlock, block_size

    dtype = np.dtype(result.dtype)
    if backend == "numba":  # compile here, once, and not in every thread
        from fastgames.jit.passes import addresses_of

        for learner in result.learners:
            addresses_of(learner.rules, dtype)
    capacity = block_size(result.game, dtype, result.replicas, threads)
    bit_generator = None if generator is None else generator.bit_generator
    return partial(
        LaneBlock,
        result.game,
        result.state,
        result.record,
        dtype,
        capacity,
        bit_generator,
        backend == "numba",
    )
