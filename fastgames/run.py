"""`run`: validates, allocates, calls the engine, wraps."""

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from fastgames import _checks, engine
from fastgames.games import MatrixGame
from fastgames.learners import Learner
from fastgames.policies import policy
from fastgames.progress import reporter
from fastgames.record import Record, Snapshots
from fastgames.registry import BACKENDS, DTYPES, LEARNERS, STREAMS
from fastgames.result import CONTRACT, Result
from fastgames.schedules import EXPONENTIAL, Exponential, Linear, parts
from fastgames.seeds import generator_from, generator_of, seed_from
from fastgames.state import Seat, State

MAX_AGENTS = 64  # src_cy/block.pxi


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run. `result` holds what was done so far; its `steps` say how far each came."""

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
        A progress bar; unless given, for work longer than a second when standard error is a terminal.
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
    if not isinstance(game, MatrixGame):
        raise TypeError(f"game must be a MatrixGame, got {game!r}")
    if not 2 <= game.num_agents <= MAX_AGENTS:
        raise ValueError(f"game must have 2 to {MAX_AGENTS} agents, got {game.num_agents}")
    seats = _one_for_each(learners, game.num_agents)
    steps = _checks.whole("steps", steps, 1, 2**62)
    if resume is not None:
        replicas, dtype, stream = _agree_with(resume, game, rng, replicas, dtype, stream)
    replicas = _checks.whole("replicas", 1 if replicas is None else replicas, 1, 2**48)
    dtype = _checks.one_of("dtype", "float64" if dtype is None else dtype, DTYPES)
    stream = _checks.one_of("stream", "fastgames" if stream is None else stream, STREAMS)
    backend = _checks.one_of("backend", backend, BACKENDS)
    if stream == "numpy" and replicas != 1:
        raise ValueError(f'replicas must be 1 with stream="numpy", got {replicas}')
    threads = _checks.whole("threads", _cpus() if threads is None else threads, 1, 1024)
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress must be None, True or False, got {progress!r}")
    record = _check_record(Record() if record is None else record, steps, seats, resume)
    for i, learner in enumerate(seats):
        _check_learner(game, i, learner, replicas, dtype)
    _check_memory(game, seats, replicas, steps, record, dtype)

    rng_now: np.random.Generator | None = None
    seed: int | None
    if resume is not None:
        seed = resume.seed
        state = _resumed(resume, game, seats, record)
        if state.generator is not None:
            rng_now = generator_of(state.generator)
    else:
        if stream == "numpy":
            rng_now, seed = generator_from(rng)
        else:
            seed = seed_from(rng)
        state = _fresh(game, seats, replicas, dtype, seed if stream == "fastgames" else None)
        _add_counters(state, game, record)

    return _execute(game, seats, steps, record, seed, dtype, stream, backend, threads, progress, state, rng_now)


def _execute(
    game: MatrixGame, learners: tuple[Learner, ...], steps: int, record: Record, seed: int | None,
    dtype: str, stream: str, backend: str, threads: int, progress: bool | None, state: State,
    rng: np.random.Generator | None,
) -> Result:
    replicas = len(state.steps)
    snapshots, stops = _snapshots(game, state, record, steps, dtype)

    def snapshot(index: int, first: int, count: int) -> None:
        assert snapshots is not None
        _take(snapshots, index, slice(first, first + count), state, game.discount)

    def make_block() -> engine.Block:
        if backend == "reference":
            from fastgames.reference import ReferenceBlock

            return ReferenceBlock(game, state, record, rng)
        from fastgames.lanes import LaneBlock, block_size

        real = np.dtype(dtype)
        capacity = block_size(game, real, replicas, threads)
        bit_generator = None if rng is None else rng.bit_generator
        return LaneBlock(game, state, record, real, capacity, bit_generator, backend == "numba")

    work = engine.Work(
        replicas, steps, stops, 0 if record.last is None else steps - record.last, snapshot
    )
    interrupted = False
    try:
        with reporter(replicas * steps, progress) as report:
            engine.run(work, make_block, min(threads, -(-replicas // 16)), report)
    except KeyboardInterrupt:
        interrupted = True
    if rng is not None:
        state.generator = rng.bit_generator.state  # type: ignore[assignment]
    result = Result(game, learners, record, seed, dtype, stream, snapshots, state)
    if interrupted:
        raise Interrupted(result)
    return result


# --- checks ------------------------------------------------------------------------------------


def _one_for_each(learners: Any, agents: int) -> tuple[Learner, ...]:
    kinds = tuple(LEARNERS.values())
    seats = (learners,) * agents if isinstance(learners, kinds) else learners
    if isinstance(seats, str) or not isinstance(seats, Sequence):
        raise TypeError(f"learners must be a learner or a sequence of learners, got {learners!r}")
    for learner in seats:
        if not isinstance(learner, kinds):
            raise TypeError(f"learners must be learners such as QLearner(), got {learner!r}")
    if len(seats) != agents:
        raise ValueError(f"learners must be one, or one for each of {agents} agents, got {len(seats)}")
    return tuple(seats)


def _agree_with(
    resume: Any, game: MatrixGame, rng: Any, replicas: int | None, dtype: str | None, stream: str | None
) -> tuple[int, str, str]:
    if not isinstance(resume, Result):
        raise TypeError(f"resume must be a Result, got {resume!r}")
    if resume.contract != CONTRACT:
        raise ValueError(
            f"resume follows version {resume.contract} of the streams, this fastgames version {CONTRACT}"
        )
    if rng is not None:
        raise ValueError(f"rng must be None with resume, which has its own streams, got {rng!r}")
    if game.num_actions != resume.game.num_actions:
        raise ValueError(
            f"game must have the actions that resume has, {resume.game.num_actions}, got {game.num_actions}"
        )
    given = {"replicas": replicas, "dtype": dtype, "stream": stream}
    for name, value in given.items():
        if value is not None and value != getattr(resume, name):
            raise ValueError(f"{name} must be that of resume, {getattr(resume, name)!r}, got {value!r}")
    return resume.replicas, resume.dtype, resume.stream


def _check_record(record: Any, steps: int, seats: tuple[Learner, ...], resume: Result | None) -> Record:
    if not isinstance(record, Record):
        raise TypeError(f"record must be a Record, got {record!r}")
    if record.last is not None and record.last > steps:
        raise ValueError(f"record.last must be at most steps, {steps}, got {record.last}")
    known = {learner.table for learner in seats}
    for name in record.tables:
        _checks.one_of("record.tables", name, known)
    if record.every is not None and resume is not None and np.ptp(resume.steps):
        raise ValueError("record.every needs replicas that stand at the same step; those of resume do not")
    return record


def _check_learner(game: MatrixGame, agent: int, learner: Learner, replicas: int, dtype: str) -> None:
    who = f"learners[{agent}]"
    shape = (replicas, game.num_states, game.num_actions[agent])
    start = learner.start()
    try:
        fits = np.broadcast_shapes(start.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        what = "initial" if learner.learns else "probabilities"
        raise ValueError(f"{what} of {who} must broadcast to {shape}, got shape {start.shape}")
    if not learner.learns and start.shape[-1] != shape[-1]:
        raise ValueError(f"probabilities of {who} must have {shape[-1]} actions, got {start.shape[-1]}")
    largest = float(np.finfo(dtype).max)
    for name, array in (("game.payoffs", game.payoffs[agent]), (f"initial of {who}", start)):
        if np.abs(array).max() > largest:
            raise ValueError(f"{name} must be finite in {dtype}, at most {largest:.3g} in size")
    for name, value in learner.values(game.discount).items():
        for part in _numbers(value):
            if isinstance(part, np.ndarray) and part.shape != (replicas,):
                raise ValueError(
                    f"{name} of {who} must be a number or an array ({replicas},), one value for each "
                    f"replica, got shape {part.shape}"
                )
        if name == "temperature":
            smallest = float(np.finfo(dtype).tiny)
            least = min(float(np.min(part)) for part in _temperatures(value))
            if least < smallest:
                raise ValueError(f"temperature of {who} must be at least {smallest:.3g} in {dtype}, got {least}")


def _numbers(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Exponential | Linear):
        return tuple(getattr(value, field.name) for field in fields(value))
    return (value,)


def _temperatures(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Exponential):
        return (value.floor,)
    if isinstance(value, Linear):
        return (value.start, value.end)
    return (value,)


def _check_memory(
    game: MatrixGame, seats: tuple[Learner, ...], replicas: int, steps: int, record: Record, dtype: str
) -> None:
    real = np.dtype(dtype).itemsize
    actions = game.num_states * sum(game.num_actions)
    joint = int(np.prod(game.num_actions, dtype=object))
    if joint > 2**31 - 1 or max(game.num_actions) > 2**24:
        raise ValueError(f"game must have fewer than 2^31 joint actions, got {joint}")
    each = actions * real + game.num_agents * (16 + 8) + 16
    each += game.num_agents * 8 * (record.flips + record.rewards) + joint * 8 * record.joint_actions
    if record.every is not None:
        held = len(record.tables) * real * actions + record.policies * 8 * actions
        held += record.greedy * 4 * game.num_agents * game.num_states
        each += (steps // record.every) * held
    need, have = each * replicas, _memory()
    if have is not None and need > have:
        raise ValueError(
            f"replicas (and what is recorded) must fit into memory: {replicas} replicas need "
            f"{need / 2**30:,.1f} GiB, {each:,} bytes each; this machine has {have / 2**30:,.1f} GiB"
        )


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows: numpy's own MemoryError has to do
        return None


def _cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


# --- state -------------------------------------------------------------------------------------


def _seat(game: MatrixGame, agent: int, learner: Learner, replicas: int, dtype: str) -> Seat:
    shape = (replicas, game.num_states, game.num_actions[agent])
    table = np.broadcast_to(learner.start().astype(dtype), shape)
    if learner.learns:
        table = table.copy()
    return Seat(learner, {learner.table: table}, np.zeros(replicas), _recurrences(learner, game, replicas))


def _recurrences(learner: Learner, game: MatrixGame, replicas: int) -> dict[str, np.ndarray]:
    out = {}
    for name, value in learner.values(game.discount).items():
        kind, (start, _, _) = parts(value)
        if kind == EXPONENTIAL:
            out[name] = np.broadcast_to(np.asarray(start, np.float64), (replicas,)).copy()
    return out


def _fresh(game: MatrixGame, seats: tuple[Learner, ...], replicas: int, dtype: str, seed: int | None) -> State:
    streams = None
    if seed is not None:
        from fastgames import _core

        streams = np.empty((replicas, game.num_agents, 4), np.uint32)
        _core.lanes(dtype).start_streams(seed, 0, game.num_agents, streams)
    return State(
        seats=[_seat(game, i, learner, replicas, dtype) for i, learner in enumerate(seats)],
        streams=streams,
        generator=None,
        steps=np.zeros(replicas, np.int64),
        counted=np.zeros(replicas, np.int64),
    )


def _resumed(resume: Result, game: MatrixGame, learners: tuple[Learner, ...], record: Record) -> State:
    """A copy of the state of `resume`, with learners that were replaced starting their schedules."""
    old, replicas = resume.state, resume.replicas
    seats = []
    for i, learner in enumerate(learners):
        seat = old.seats[i]
        fresh = _seat(game, i, learner, replicas, resume.dtype)
        tables = {name: table.copy() if name == "q" else table for name, table in seat.tables.items()}
        if learner.learns and learner.table in tables:
            fresh.tables = {}
        fresh.tables = tables | fresh.tables
        if learner == seat.learner:
            fresh.clock = seat.clock.copy()
            fresh.recurrence = {name: v.copy() for name, v in seat.recurrence.items()}
        seats.append(fresh)
    state = replace(old, seats=seats, streams=_copy(old.streams), steps=old.steps.copy(),
                    counted=old.counted.copy(), flips=_copy(old.flips),
                    joint_counts=_copy(old.joint_counts), reward_sums=_copy(old.reward_sums))
    if record.last is not None or (record.joint_actions, record.rewards) != (
        old.joint_counts is not None, old.reward_sums is not None
    ):  # a window of its own, or counters that do not cover the same steps: count anew
        state.joint_counts = state.reward_sums = None
        state.counted[:] = 0
    if not record.flips:
        state.flips = None
    _add_counters(state, game, record)
    return state


def _copy(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else array.copy()


def _add_counters(state: State, game: MatrixGame, record: Record) -> None:
    shape = (len(state.steps), game.num_agents)
    if record.flips and state.flips is None:
        state.flips = np.zeros(shape, np.int64)
    if record.rewards and state.reward_sums is None:
        state.reward_sums = np.zeros(shape)
    if record.joint_actions and state.joint_counts is None:
        state.joint_counts = np.zeros((len(state.steps), *game.num_actions), np.int64)


# --- snapshots ---------------------------------------------------------------------------------


def _snapshots(
    game: MatrixGame, state: State, record: Record, steps: int, dtype: str
) -> tuple[Snapshots | None, list[int]]:
    """Room for the snapshots, and the steps of this call after which they are taken."""
    if record.every is None:
        return None, []
    start, replicas = int(state.steps[0]), len(state.steps)
    stops = list(range(record.every - start % record.every, steps + 1, record.every))
    shapes = [(len(stops), replicas, game.num_states, n) for n in game.num_actions]
    return Snapshots(
        steps=np.array([start + stop for stop in stops], np.int64),
        tables=[
            {name: np.empty(shape, dtype) for name in record.tables if name in seat.tables}
            for seat, shape in zip(state.seats, shapes, strict=True)
        ],
        greedy=[np.empty(shape[:3], np.int32) for shape in shapes] if record.greedy else None,
        policies=[np.empty(shape) for shape in shapes] if record.policies else None,
    ), stops


def _take(snapshots: Snapshots, index: int, where: slice, state: State, discount: float) -> None:
    for i, seat in enumerate(state.seats):
        for name, table in snapshots.tables[i].items():
            table[index, where] = seat.tables[name][where]
        if snapshots.greedy is not None:
            snapshots.greedy[i][index, where] = seat.table[where].argmax(axis=-1)
        if snapshots.policies is not None:
            snapshots.policies[i][index, where] = policy(seat, discount, where)
