"""The driver: blocks of replicas over threads, in slices short enough for Ctrl-C and progress.

A block is anything with load(first, count), advance(steps), store() and tally(on): compiled lanes
(`fastgames.lanes`) or the plain-Python reference (`fastgames.reference`).
"""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

SLICE = 0.01  # seconds of work between two looks at the world outside


class Block(Protocol):
    """Replicas stepped together."""

    capacity: int

    def load(self, first: int, count: int) -> None:
        """Take up replicas first … first + count - 1 from the state."""

    def tally(self, on: bool) -> None:
        """Count joint actions and sum rewards from here on, or not."""

    def advance(self, steps: int) -> None:
        """Take so many steps."""

    def store(self) -> None:
        """Write everything back into the state."""


@dataclass(eq=False, repr=False)
class Work:
    """What is to be done: `steps` for each of `replicas`, with stops on the way.

    snapshots: steps (of this call), ascending, after which `snapshot(index, first, count)` runs.
    tally_from: the step (of this call) from which joint actions and rewards are counted.
    """

    replicas: int
    steps: int
    snapshots: list[int]
    tally_from: int
    snapshot: Callable[[int, int, int], None]
    done: list[int] = field(default_factory=list)  # replica-steps, one entry per thread
    cancelled: bool = False


def run(
    work: Work, make_block: Callable[[], Block], threads: int, report: Callable[[int], None]
) -> None:
    """Do the work on `threads` threads; on Ctrl-C let the blocks finish their slice, then re-raise.

    `report(replica-steps done)` is called about ten times a second from the calling thread.
    """
    work.done = [0] * threads
    failures: list[BaseException] = []
    firsts = itertools.count()  # next() is atomic: each block is taken once
    entering = threading.Lock()
    active: set[int] = set()  # threads at work
    ended: list[int] = []
    bell = threading.Event()  # rings when a thread ends

    def loop(thread: int) -> None:
        with entering:
            if work.cancelled:
                return
            active.add(thread)
        try:
            block = make_block()
            while not work.cancelled:
                first = next(firsts) * block.capacity
                if first >= work.replicas:
                    return
                _run_block(work, block, first, thread)
        except BaseException as error:  # handed to the caller's thread
            failures.append(error)
            work.cancelled = True
        finally:
            active.discard(thread)
            ended.append(thread)
            bell.set()

    def wait() -> None:
        bell.wait(0.1)  # not Thread.join(): interrupted, it takes a running thread for a dead one
        bell.clear()

    interrupt: BaseException | None = None  # Ctrl-C, or an error in `report`
    try:
        for thread in range(threads):
            threading.Thread(target=loop, args=(thread,), daemon=True).start()
        while len(ended) < threads and not work.cancelled:
            wait()
            report(sum(work.done))
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


def _run_block(work: Work, block: Block, first: int, thread: int) -> None:
    count = min(block.capacity, work.replicas - first)
    block.load(first, count)
    block.tally(work.tally_from == 0)
    stops = sorted({*work.snapshots, work.tally_from, work.steps} - {0})
    done, slice_steps = 0, 64
    snapshots = {step: index for index, step in enumerate(work.snapshots)}
    for stop in stops:
        while done < stop and not work.cancelled:
            steps = min(slice_steps, stop - done)
            began = time.perf_counter()
            block.advance(steps)
            took = time.perf_counter() - began
            if steps == slice_steps and took < SLICE:
                slice_steps *= 2
            elif took > 2 * SLICE and slice_steps > 1:
                slice_steps //= 2
            done += steps
            work.done[thread] += steps * count
        if work.cancelled:
            break
        if done in snapshots:
            block.store()
            work.snapshot(snapshots[done], first, count)
        if done == work.tally_from:
            block.tally(True)
    block.store()
