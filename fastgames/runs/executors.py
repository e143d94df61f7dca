"""Executors that run the chunks of a call: threads of this process, or those that users give."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

SOON = 0.1  # seconds to wait for a result


def check_executor(executor: Any) -> None:
    """Raise TypeError unless `executor` submits functions, or is a function without arguments."""
    if not callable(executor) and not _submits(executor):
        raise TypeError(
            "executor must have a method submit(function, *arguments), or be a function that "
            f"returns such an object, got {executor!r}"
        )


def _submits(executor: Any) -> bool:
    return callable(getattr(executor, "submit", None)) and not isinstance(executor, type)


class Pool:
    """An executor, and the futures that it returned.

    Attributes
    ----------
    flying : dict
        The futures whose results have not been taken, by key.
    rebuilds : int
        How often it may be made anew.
    """

    flying: dict[int, Any]
    rebuilds: int
    _make: Callable[[], Any] | None
    _given: Any
    _executor: Any
    _keys: int
    _finished: SimpleQueue[int]
    _waiting: SimpleQueue[tuple[int, Any] | None] | None

    def __init__(self, given: Any, threads: int) -> None:
        """Take or make the executor; given: as `run` was given it, None: `threads` threads."""
        self._make = None
        if given is None:
            self._make = lambda: ThreadPoolExecutor(threads, thread_name_prefix="fastgames")
        elif not _submits(given):
            self._make = given
        self._given = given
        self.rebuilds = 0 if given is None or self._make is None else 1
        self._keys = 0
        self._begin()

    def _begin(self) -> None:
        """Begin with an executor to which nothing was submitted."""
        self.flying = {}
        self._finished = SimpleQueue()
        self._waiting = None
        self._executor = self._given if self._make is None else self._make()
        if not _submits(self._executor):
            raise TypeError(
                "executor must return an object with a method submit(function, *arguments), got "
                f"{self._executor!r}"
            )

    @property
    def in_process(self) -> bool:
        """True if functions run in threads of this process, which share its objects."""
        return isinstance(self._executor, ThreadPoolExecutor)

    @property
    def workers(self) -> int:
        """The number of workers as far as the executor tells, else of the CPUs here."""
        for name in ("_max_workers", "num_workers"):
            number = getattr(self._executor, name, None)
            if isinstance(number, int) and number > 0:
                return number
        client: Any = getattr(self._executor, "_client", None)  # of dask.distributed
        if hasattr(client, "ncores"):
            return max(1, int(sum(client.ncores().values())))
        return os.cpu_count() or 1

    def submit(self, function: Callable[..., Any], *arguments: Any) -> int:
        """Submit a call and return its key."""
        future = self._executor.submit(function, *arguments)
        self._keys += 1
        key, finished = self._keys, self._finished
        self.flying[key] = future
        if hasattr(future, "add_done_callback"):
            future.add_done_callback(lambda _: finished.put(key))
        else:
            self._wait_for(key, future)
        return key

    def _wait_for(self, key: int, future: Any) -> None:
        """Let a thread wait for a future that calls nobody."""
        if self._waiting is None:
            self._waiting = SimpleQueue()
            arguments = self._waiting, self._finished
            threading.Thread(target=_wait, args=arguments, daemon=True).start()
        self._waiting.put((key, future))

    def next(self) -> int | None:
        """Return the key of the next future that has finished, None if none does soon."""
        try:
            key = self._finished.get(timeout=SOON)
        except Empty:
            return None
        return key if key in self.flying else None

    def has_come(self) -> bool:
        """Return whether a future has finished."""
        return not self._finished.empty()

    def take(self, key: int) -> Any:
        """Return the result of a future, or raise its error; it flies no more."""
        try:
            return self.flying.pop(key).result()
        except Exception as error:
            if type(error).__name__ == "KilledWorker":  # of dask.distributed
                raise BrokenExecutor(str(error)) from error
            raise

    def cancel(self) -> None:
        """Cancel what has not begun, the last first; it flies no more."""
        for key, future in reversed(list(self.flying.items())):
            if hasattr(future, "cancel") and future.cancel():
                del self.flying[key]

    def rebuild(self) -> None:
        """Replace an executor that broke; nothing flies any more."""
        self.close()
        self._begin()

    def close(self) -> None:
        """Shut down an executor that was made here, and end its processes if they still work."""
        if self._waiting is not None:
            self._waiting.put(None)
        shutdown = getattr(self._executor, "shutdown", None)
        if self._make is not None and shutdown is not None:
            # Of Python's pools and of loky; before Python 3.14 there is no public name.
            processes = dict(getattr(self._executor, "_processes", None) or {})
            shutdown(wait=self.in_process)
            if self.flying:
                for process in processes.values():
                    process.terminate()


def _wait(waiting: SimpleQueue[tuple[int, Any] | None], finished: SimpleQueue[int]) -> None:
    """Wait for futures in turn, tell when each has finished, and end at None."""
    while (item := waiting.get()) is not None:
        key, future = item
        with contextlib.suppress(BaseException):  # `take` raises it again
            future.result()
        finished.put(key)


def packed(value: Any) -> bytes:
    """Return a value as bytes, functions of scripts and notebooks included."""
    try:
        import cloudpickle
    except ImportError:
        try:
            return pickle.dumps(value)
        except Exception as error:
            raise TypeError(
                f"executor must be given what can be pickled: {error}; install cloudpickle, which "
                'also pickles functions of scripts and notebooks (extra "executors")'
            ) from error
    data: bytes = cloudpickle.dumps(value)
    return data
