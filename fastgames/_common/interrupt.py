"""Ctrl-C where it must not strike: in an import, or while a run is being ended or watched."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def interrupts(allowed: int) -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt inside at most `allowed` times.

    Further signals are held back. On leaving, they raise one KeyboardInterrupt if none was raised
    inside, and are dropped otherwise. A handler that does not raise is called every time. Outside
    the main thread, where no signal is handled, and where SIGINT is ignored this does nothing.
    """
    previous: Any = None
    if threading.current_thread() is threading.main_thread():
        previous = signal.getsignal(signal.SIGINT)
    if not callable(previous):  # ignored, or handled outside of Python
        yield
        return
    raised = held = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal raised, held
        if raised >= allowed:
            held += 1
            return
        try:
            previous(number, frame)
        except KeyboardInterrupt:
            raised += 1
            raise

    try:
        signal.signal(signal.SIGINT, handle)
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if held and not raised:
            previous(signal.SIGINT, None)


@contextmanager
def noted_interrupts() -> Iterator[Callable[[], bool]]:
    """Note SIGINT instead of raising KeyboardInterrupt; yield a function that tells if it came.

    A handler that does not raise is called every time and is not noted. Outside the main thread,
    where no signal is handled, and where SIGINT is ignored, nothing is noted. In a process that was
    forked inside, SIGINT raises as before.
    """
    previous: Any = None
    if threading.current_thread() is threading.main_thread():
        previous = signal.getsignal(signal.SIGINT)
    came, process = threading.Event(), os.getpid()

    def handle(number: int, frame: FrameType | None) -> None:
        try:
            previous(number, frame)
        except KeyboardInterrupt:
            if os.getpid() != process:
                raise
            came.set()

    if not callable(previous):
        yield came.is_set
        return
    try:
        signal.signal(signal.SIGINT, handle)
        yield came.is_set
    finally:
        signal.signal(signal.SIGINT, previous)
