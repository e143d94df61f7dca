"""The driver: replicas over blocks over threads, in slices short enough for Ctrl-C and progress.

A block is anything that does what `Block` says: compiled lanes (`fastgames.engine.compiled`) or the
plain-Python reference (`fastgames.engine.interpreted`). A lane that is done takes the next replica
at once; the bits depend on none of this.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import field
from typing import Protocol

import numpy as np

from fastgames._common.light import light_dataclass

SLICE = 0.01  # seconds of work between two looks at the world outside


class Block(Protocol):
    """Replicas stepped together; lanes 0 to active - 1 hold one each.

    stable: (capacity,) int64 steps in a row without a change, or None where nothing may stop
    waits: (capacity,) int64, for how many steps from now each lane may not stop, whatever `stable`
        is; at most 0: it may. Written by the engine, where `stable` is there
    """

    capacity: int
    active: int
    stable: np.ndarray | None
    waits: np.ndarray

    def load(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Take up these replicas from the state, in these lanes."""

    def tally(self, lanes: np.ndarray, on: bool) -> None:
        """Count joint actions and sum rewards of these lanes from here on, or not."""

    def advance(self, steps: int) -> int:
        """Advance by at most `steps`, fewer only if a replica may stop then; return the number."""

    def store(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Write these replicas back into the state."""


@light_dataclass()
class Work:
    """The work of a run: `steps` for each replica, with stops on the way.

    begun: (replicas,) int64, how many of them each has already taken
    todo: the replicas that have any left, ascending
    snapshots: steps (of this call), ascending, after which `snapshot(index, replicas)` runs
    tally_from: the step (of this call) from which joint actions and rewards are counted
    periods: steps in a row without a change after which a replica stops; 0: it does not
    earliest: (replicas,) int64, the step (of this call) before which each replica does not stop, or
        None: that is any
    """

    steps: int
    begun: np.ndarray
    todo: np.ndarray
    snapshots: list[int]
    tally_from: int
    periods: int
    snapshot: Callable[[int, np.ndarray], None] | None
    earliest: np.ndarray | None = None
    taken: int = 0  # of `todo`
    finished: int = 0  # replicas
    done: list[int] = field(default_factory=list)  # replica-steps, one entry per thread
    cancelled: bool = False
    asked: int = 0  # how often the state was asked for
    written: dict[int, int] = field(default_factory=dict)  # by thread, for which of these
    lock: threading.Lock = field(default_factory=threading.Lock)  # of the state, and of `taken`
    bell: threading.Event = field(default_factory=threading.Event)  # a thread ended, or has written

    def take(self, most: int) -> np.ndarray:
        """Return the next replicas, at most `most`."""
        with self.lock:
            self.taken += most
            return self.todo[self.taken - most : self.taken]


def run(
    work: Work,
    make_block: Callable[[], Block],
    threads: int,
    report: Callable[[int, int], None],
    save: Callable[[], None] | None = None,
    due: Callable[[], bool] = lambda: False,
) -> None:
    """Do the work on `threads` threads; on Ctrl-C let the blocks finish their slice, then re-raise.

    `report(replica-steps done, replicas finished)` is called about ten times a second from the
    calling thread; so is `save()`, whenever `due()` and every lane has written its replica back.
    """
    work.done = [0] * threads
    failures: list[BaseException] = []
    entering = threading.Lock()
    active: set[int] = set()  # threads at work
    ended: list[int] = []

    def loop(thread: int) -> None:
        with entering:
            if work.cancelled:
                return
            active.add(thread)
        try:
            Roster(work, make_block(), thread).work_off()
        except BaseException as error:  # handed to the caller's thread
            failures.append(error)
            work.cancelled = True
        finally:
            active.discard(thread)
            ended.append(thread)
            work.bell.set()

    def wait() -> None:
        work.bell.wait(0.1)  # not Thread.join(): interrupted, that takes a running thread for dead
        work.bell.clear()

    interrupt: BaseException | None = None  # Ctrl-C, or an error in `report`
    try:
        for thread in range(threads):
            threading.Thread(target=loop, args=(thread,), daemon=True).start()
        while len(ended) < threads and not work.cancelled:
            wait()
            report(sum(work.done), work.finished)
            if save is None or not due():
                continue
            work.asked += 1
            while any(work.written.get(thread, 0) < work.asked for thread in list(active)):
                wait()
            with work.lock:
                save()
        report(sum(work.done), work.finished)
    except BaseException as error:
        interrupt = error
    while True:  # whatever happens, no thread is left behind
        try:
            with entering:
                work.cancelled = True
            while active:
                wait()
            break
        except KeyboardInterrupt as error:
            interrupt = error
    if failures:
        raise failures[0]
    if interrupt is not None:
        raise interrupt


class Roster:
    """The replicas in the lanes of a block, and the steps that each has taken."""

    work: Work
    block: Block
    thread: int
    replicas: np.ndarray
    done: np.ndarray
    stops: np.ndarray
    snapshots: np.ndarray

    def __init__(self, work: Work, block: Block, thread: int) -> None:
        self.work, self.block, self.thread = work, block, thread
        self.replicas = np.zeros(block.capacity, np.int64)
        self.done = np.zeros(block.capacity, np.int64)  # steps of this call
        self.stops = np.array(sorted({*work.snapshots, work.tally_from, work.steps} - {0}))
        self.snapshots = np.array([*work.snapshots, np.iinfo(np.int64).max])
        block.active = 0

    def work_off(self) -> None:
        """Step replicas until none is left, or the work is cancelled."""
        work, block = self.work, self.block
        slice_steps = 64
        while not work.cancelled:
            taken = self._fill()
            if taken:
                self._stop_over()  # of a replica that is only taken up again
            if block.active == 0:
                if taken:
                    continue
                return
            steps = min(slice_steps, self._steps_to_a_stop())
            if work.earliest is not None:
                block.waits[: block.active] = self._earliest() - self.done[: block.active]
            began = time.perf_counter()
            taken = block.advance(steps)
            took = time.perf_counter() - began
            if taken == slice_steps and took < SLICE:
                slice_steps *= 2
            elif took > 2 * SLICE and slice_steps > 1:
                slice_steps //= 2
            self.done[: block.active] += taken
            work.done[self.thread] += taken * block.active
            self._stop_over()
            asked = work.asked
            if work.written.get(self.thread, 0) < asked:
                self._write(np.arange(block.active))
                work.written[self.thread] = asked
                work.bell.set()
        self._write(np.arange(block.active))

    def _steps_to_a_stop(self) -> int:
        done = self.done[: self.block.active]
        ahead = self.stops[self.stops.searchsorted(done, "right")] - done
        return int(ahead.min())

    def _earliest(self) -> np.ndarray:
        """Return the steps before which the replicas in the lanes do not stop."""
        assert self.work.earliest is not None
        earliest: np.ndarray = self.work.earliest[self.replicas[: self.block.active]]
        return earliest

    def _fill(self) -> int:
        """Give every free lane the next replica; return the number of replicas."""
        work, block = self.work, self.block
        if block.active == block.capacity:
            return 0
        replicas = work.take(block.capacity - block.active)
        if len(replicas):
            lanes = np.arange(block.active, block.active + len(replicas))
            block.active += len(replicas)
            self._enter(lanes, replicas, work.begun[replicas])
        return len(replicas)

    def _enter(self, lanes: np.ndarray, replicas: np.ndarray, done: np.ndarray) -> None:
        self.replicas[lanes], self.done[lanes] = replicas, done
        self.block.load(lanes, replicas)
        on = done >= self.work.tally_from
        for lanes_so, tallies in ((lanes[on], True), (lanes[~on], False)):
            if len(lanes_so):
                self.block.tally(lanes_so, tallies)

    def _stop_over(self) -> None:
        """Take snapshots, begin to tally, and let go of the replicas that are done."""
        work, block = self.work, self.block
        done = self.done[: block.active]
        over = done >= work.steps
        if work.periods:
            assert block.stable is not None
            stable = block.stable[: block.active] >= work.periods
            over |= stable if work.earliest is None else stable & (done >= self._earliest())
        nearest = self.snapshots.searchsorted(done)
        for index in sorted(set(nearest[self.snapshots[nearest] == done].tolist())):
            self._write(np.flatnonzero(done == self.snapshots[index]), index)
        if work.tally_from:
            begins = np.flatnonzero((done == work.tally_from) & ~over)
            if len(begins):
                block.tally(begins, True)
        if over.any():
            self._let_go(np.flatnonzero(over))

    def _let_go(self, lanes: np.ndarray) -> None:
        """Write these lanes back; the last ones move into the gaps: active lanes come first."""
        work, block = self.work, self.block
        self._write(lanes)
        with work.lock:
            work.finished += len(lanes)
        left = block.active - len(lanes)
        gaps = lanes[lanes < left]
        staying = np.ones(block.active, np.bool_)
        staying[lanes] = False
        movers = left + np.flatnonzero(staying[left:])
        block.active = left
        if len(movers):
            self._write(movers)
            self._enter(gaps, self.replicas[movers], self.done[movers])

    def _write(self, lanes: np.ndarray, snapshot: int | None = None) -> None:
        if not len(lanes):
            return
        with self.work.lock:
            self.block.store(lanes, self.replicas[lanes])
            if snapshot is not None:
                assert self.work.snapshot is not None
                self.work.snapshot(snapshot, self.replicas[lanes])
