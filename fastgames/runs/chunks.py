"""Run a call in chunks: tasks of an executor, joined to the bits of one call."""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.interrupt import noted_interrupts
from fastgames._common.light import light_dataclass
from fastgames.engine.parts import chunk_of, with_part
from fastgames.engine.progress import reporter
from fastgames.engine.snapshots import Snapshots
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import LEAST, State, most_of_chunk
from fastgames.errors import KeepError, stretches
from fastgames.result import Result
from fastgames.runs.execution import Interrupted, Origin, execute
from fastgames.runs.executors import Pool, packed
from fastgames.runs.keep import Keep, reduced
from fastgames.runs.merging import cut, form_of_kept, joined_results, part_of_result

if TYPE_CHECKING:
    from fastgames.runs.folder import Folder

SECONDS = 5.0  # of work in a chunk
SHARE = 4  # chunks in flight for each worker; as many are made of the replicas that are left
_ended = b""  # the call in which this process was interrupted, if it is a worker


@light_dataclass(frozen=True)
class Task:
    """The replicas of a chunk: arguments, seed, the result that goes on, what to keep of them.

    call: the same for all chunks of a call, and of no other one
    """

    call: bytes
    spec: RunSpec
    seed: int | None
    resume: Result | None
    keep: Keep | None


@light_dataclass(frozen=True)
class Outcome:
    """What a task returns; game and learners, which the caller has, are left out.

    places: (n,) int64, which replicas of the chunk are finished: all, unless `interrupted`
    seconds: what the task took
    """

    places: np.ndarray
    state: State | None
    snapshots: Snapshots | None
    kept: dict[str, np.ndarray] | None
    seconds: float
    interrupted: bool


def work(task: Task | bytes, cancelled: Event | None = None) -> Outcome:
    """Run a chunk, in any process; cancelled: as for `execute`.

    In a process that was interrupted, no other chunk of the call is run.
    """
    global _ended
    if isinstance(task, bytes):
        import pickle

        task = pickle.loads(task)
    assert isinstance(task, Task)
    began, interrupted = time.perf_counter(), False
    places = np.arange(task.spec.replicas)
    if task.call == _ended:
        return Outcome(places[:0], None, None, None, 0.0, True)
    try:
        result = execute(task.spec, Origin(task.seed, None, task.resume), False, None, cancelled)
    except Interrupted as error:
        result, interrupted, _ended = error.result, True, task.call
        before = 0 if task.resume is None else task.resume.steps
        places = np.flatnonzero(result.stopped | (result.steps - before == task.spec.steps))
        if not len(places):
            return Outcome(places, None, None, None, 0.0, True)
        result = cut(result, chunk_of(task.spec, places), places)
    if task.keep is not None:
        result = reduced(result, task.keep)
    nobody: Any = None
    seats = [replace(seat, learner=nobody, schedules={}) for seat in result.state.seats]
    state = replace(result.state, seats=seats)
    seconds = time.perf_counter() - began
    return Outcome(places, state, result.snapshots, result.kept, seconds, interrupted)


class Chunks:
    """The chunks of one call: what is left to send, what is on its way, and what has come back."""

    spec: RunSpec
    seed: int | None
    resume: Result | None
    keep: Keep | None
    pool: Pool
    chunk: int | None
    folder: Folder | None
    threads: int
    call: bytes
    cancelled: Event
    failure: BaseException | None  # ends the call
    mending: bool  # True while the executor is replaced
    left: np.ndarray  # places of replicas to be sent
    sent: dict[int, np.ndarray]  # places by key of the future
    results: list[tuple[np.ndarray, Result]]
    finished: int  # replicas
    steps: int  # replica-steps
    seconds: float  # for a replica, at the best
    most: int  # replicas of a chunk

    def __init__(
        self,
        spec: RunSpec,
        origin: Origin,
        keep: Keep | None,
        pool: Pool,
        chunk: int | None,
        threads: int,
        folder: Folder | None,
    ) -> None:
        self.spec, self.seed, self.resume = with_part(spec), origin.seed, origin.resume
        self.keep, self.pool, self.chunk, self.folder = keep, pool, chunk, folder
        self.threads = threads
        self.call = os.urandom(16)
        self.cancelled = Event()
        self.failure = None
        self.mending = False
        self.left = np.arange(spec.replicas)
        self.sent = {}
        self.results = []
        self.finished = self.steps = 0
        self.seconds = math.inf
        self.most = most_of_chunk(spec)

    def run(self, progress: bool | None) -> Result:
        """Run all chunks and return the result of the call."""
        for places, result in () if self.folder is None else self.folder.read():
            self._take(places, result)
            self.left = np.setdiff1d(self.left, places, assume_unique=True)
        by_replicas = self.spec.stop is not None
        total = self.spec.replicas if by_replicas else self.spec.replicas * self.spec.steps
        with noted_interrupts() as pressed, reporter(total, progress) as report:
            while (len(self.left) and self.failure is None) or self.pool.flying:
                if pressed():
                    self._end(KeyboardInterrupt())
                    if not (self.pool.in_process or self.pool.has_come()):
                        break  # other processes may go on for long
                self._send()
                self._receive()
                report(self.finished if by_replicas else self.steps, self.steps)
        if self.failure is not None:
            raise self._error(self.failure)
        return self._joined()

    def _send(self) -> None:
        """Submit chunks while there is room for more."""
        room = math.inf if self.chunk is not None else SHARE * self.pool.workers
        while self.failure is None and len(self.left) and len(self.pool.flying) < room:
            places = self.left[: self._size()]
            try:
                self.sent[self._submit(places)] = places
            except BrokenExecutor as error:
                self._mend(error)
            except Exception as error:
                self._end(error)
            else:
                self.left = self.left[len(places) :]

    def _size(self) -> int:
        """Return the number of replicas of the next chunk."""
        if self.chunk is not None:
            return self.chunk
        workers = self.pool.workers
        share = -(-len(self.left) // (SHARE * workers))
        size = LEAST if math.isinf(self.seconds) else round(SECONDS / self.seconds)
        least = 1
        if self.spec.backend != "reference":
            least = min(LEAST, -(-self.spec.replicas // workers))
        return max(least, min(size, share, self.most))

    def _submit(self, places: np.ndarray) -> int:
        """Submit a chunk and return the key of its future."""
        spec = replace(chunk_of(self.spec, places), threads=self.threads, kept=False)
        resume = None if self.resume is None else part_of_result(self.resume, places)
        task = Task(self.call, spec, self.seed, resume, self.keep)
        if self.pool.in_process:
            return self.pool.submit(work, task, self.cancelled)
        return self.pool.submit(work, packed(task))

    def _receive(self) -> None:
        """Take the next result that has come, if one comes soon."""
        key = self.pool.next()
        if key is None:
            return
        places = self.sent.pop(key)
        try:
            outcome = self.pool.take(key)
            if outcome.interrupted and self.failure is None:
                self._end(KeyboardInterrupt())
            self._accept(places[outcome.places], outcome)
        except (BrokenExecutor, CancelledError) as error:
            self.left = np.union1d(self.left, places)
            self._mend(error)
        except BaseException as error:
            self._end(error)

    def _accept(self, places: np.ndarray, outcome: Outcome) -> None:
        """Take replicas that a worker returned, and write them."""
        if outcome.state is None:
            return
        self.seconds = min(self.seconds, outcome.seconds / len(places))
        spec = chunk_of(self.spec, places)
        for agent, seat in zip(spec.agents, outcome.state.seats, strict=True):
            seat.learner, seat.schedules = agent.learner, agent.schedules
        result = Result(
            spec.game, spec.learners, spec.record, self.seed, spec.dtype, spec.stream,
            outcome.snapshots, outcome.state, spec.stop, spec.grid, part=spec.part,
            kept=outcome.kept,
        )  # fmt: skip
        if self.results:
            expected, got = form_of_kept(self.results[0][1]), form_of_kept(result)
            if expected != got:
                problem = f"must return the same arrays every time, {expected}, got {got}"
                raise KeepError(result.numbers, problem)
        if self.folder is not None:
            self.folder.write(places, result)
        self._take(places, result)

    def _take(self, places: np.ndarray, result: Result) -> None:
        """Add replicas to those that are finished."""
        self.results.append((places, result))
        begun = 0 if self.resume is None else self.resume.steps[places]
        self.steps += int((result.steps - begun).sum())
        self.finished += len(places)

    def _mend(self, error: BaseException) -> None:
        """Take what came before the executor broke, and make a new one; once, else end the call."""
        if self.failure is not None or self.mending:
            return
        if not self.pool.rebuilds:
            self._end(error)
            return
        self.pool.rebuilds -= 1
        self.mending = True  # what else broke with the executor is no reason to end
        while self.failure is None and self.pool.has_come():
            self._receive()
        self.mending = False
        if self.failure is None:
            self.left = np.concatenate([*self.sent.values(), self.left])
            self.left.sort()
            self.sent.clear()
            self.pool.rebuild()

    def _end(self, error: BaseException) -> None:
        """End the call: send no more, cancel what has not begun, and wait for the rest."""
        if self.failure is None:
            self.failure = error
        self.cancelled.set()
        self.pool.cancel()

    def _joined(self) -> Result:
        """Return the result of all replicas that have come back."""
        places = np.sort(np.concatenate([places for places, _ in self.results]))
        spec = chunk_of(self.spec, places)
        if spec.part is not None and len(places) == spec.part.total:
            spec = replace(spec, part=None)
        at = [np.searchsorted(places, own) for own, _ in self.results]
        return joined_results(spec, [result for _, result in self.results], at)

    def _error(self, error: BaseException) -> BaseException:
        """Return the error of a call that was not finished, with what was."""
        assert self.spec.part is not None
        result = self._joined() if self.results else None
        numbers = self.spec.part.numbers
        left = numbers if result is None else np.setdiff1d(numbers, result.numbers)
        # Ctrl-C may come after the last replica.
        missing = (
            f"replicas {stretches(left)} are missing" if len(left) else "no replica is missing"
        )
        if isinstance(error, KeyboardInterrupt):
            return Interrupted(result, f"the run was interrupted; {missing}")
        if isinstance(error, BrokenExecutor | CancelledError):
            reason = str(error).rstrip(".") or type(error).__name__
            problem = f"the executor broke: {reason}; {missing}"
            return Interrupted(result, problem)
        error.result = result  # type: ignore[attr-defined]
        return error


def run(
    spec: RunSpec,
    origin: Origin,
    progress: bool | None,
    keep: Keep | None,
    executor: Any,
    chunk: Any,
    threads: int | None,
    checkpoint: Any,
    given: Any,
) -> Result:
    """Run a call in chunks and return its result; given: the seed that was given, or None."""
    size = None if chunk is None else checks.whole("chunk", chunk, "[1, inf)")
    folder = None
    if checkpoint is not None:
        from fastgames.runs.folder import Folder

        folder = Folder(checkpoint, spec, given, origin.resume, keep)
    pool = Pool(executor, spec.threads)
    workers = 1 if executor is None or threads is None else spec.threads
    try:
        return Chunks(spec, origin, keep, pool, size, workers, folder).run(progress)
    finally:
        pool.close()
        if folder is not None:
            folder.close()
