"""`RayExecutor`: the interface of `concurrent.futures` for Ray."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, wait
from itertools import islice
from typing import Any

from fastgames._common import checks

LARGE = 100 * 1024  # bytes of an argument from which Ray stores it apart from the task


class RayExecutor(Executor):
    """Executor that runs functions as tasks of Ray, on this machine or on a cluster.

    Parameters
    ----------
    threads : int
        CPUs that Ray reserves for each task, at least 1: the `threads` of the run.
    **ray_init : dict
        Arguments of `ray.init`, such as ``address="auto"`` for the cluster that this machine
        belongs to, or ``num_cpus=4`` for a Ray on this machine. Without any, a Ray that is
        initialised in this process is used; if there is none, ``ray.init()`` starts or finds one.

    Raises
    ------
    ImportError
        If Ray is not installed.
    TypeError, ValueError
        If `threads` is not a whole number of at least 1.

    Notes
    -----
    Ray schedules the tasks and runs those again whose worker died (three times unless the
    environment variable ``RAY_TASK_MAX_RETRIES`` says otherwise); then the future raises
    `BrokenExecutor`. `run` does not need ``executor=lambda: RayExecutor()``, therefore.

    The future that `submit` returns raises the error of the function itself, whose cause is Ray's
    error with the worker's traceback. Its `cancel` returns False for a task that may be running:
    one of the oldest, twice as many as run at a time.

    Examples
    --------
    >>> import fastgames as fg
    >>> game, learner = fg.games.matching_pennies(), fg.QLearner()
    >>> with fg.distributed.RayExecutor(num_cpus=2) as ray:  # doctest: +SKIP
    ...     result = fg.run(game, learner, replicas=10_000, rng=7, executor=ray)
    """

    threads: int

    def __init__(self, *, threads: int = 1, **ray_init: Any) -> None:
        self.threads = checks.whole("threads", threads, "[1, inf)")
        with checks.importing("ray", "RayExecutor"):
            import ray
        self._ray: Any = ray
        self._own = not ray.is_initialized()
        if self._own or ray_init:  # Ray refuses arguments where it is initialised
            ray.init(**ray_init)
        self._call = ray.remote(num_cpus=threads)(_call)
        self._lock = threading.Lock()
        self._futures: dict[_RayFuture, None] = {}  # not finished, in the order of submission
        self._stored: dict[int, _Stored] = {}  # by the identity of the argument
        self._closed = False

    @property
    def _max_workers(self) -> int:
        """The number of tasks that the CPUs of the cluster run at a time, at least 1."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)) // self.threads)

    def submit(
        self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any
    ) -> Future[Any]:
        """Run ``function(*arguments, **keywords)`` on Ray and return its future.

        Parameters
        ----------
        function : function
            Any function that cloudpickle can pickle.
        *arguments, **keywords
            Its arguments. Bytes of 100 KiB or more are put into Ray's object store; the same object
            is stored once while a task that uses it is not finished.

        Returns
        -------
        concurrent.futures.Future

        Raises
        ------
        RuntimeError
            If the executor was shut down.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("submit must not be called after shutdown")
            stored: list[_Stored] = []
            given = [self._put(value, stored) for value in arguments]
            named = {name: self._put(value, stored) for name, value in keywords.items()}
            reference = self._call.remote(function, *given, **named)
            future = _RayFuture(self, reference)
            self._futures[future] = None
            for one in stored:
                one.users += 1
        future.add_done_callback(lambda _: self._finished(future, stored))
        reference.future().add_done_callback(future.settle)
        return future

    def _put(self, value: Any, stored: list[_Stored]) -> Any:
        """Return Ray's reference to a large immutable argument, any other as it is."""
        if type(value) is not bytes or len(value) < LARGE:
            return value
        one = self._stored.get(id(value))
        if one is None:
            one = self._stored[id(value)] = _Stored(value, self._ray.put(value))
        stored.append(one)
        return one.reference

    def _finished(self, future: _RayFuture, stored: list[_Stored]) -> None:
        """Forget a future, and the arguments that no other one needs."""
        with self._lock:
            self._futures.pop(future, None)
            for one in stored:
                one.users -= 1
                if not one.users:
                    self._stored.pop(id(one.value), None)

    def _cancel(self, future: _RayFuture) -> bool:
        """Cancel the task of a future unless it may be running; return whether it is cancelled."""
        # In Ray 2.60, to cancel a task at the moment when it finishes can abort this process.
        some = 2 * self._max_workers
        with self._lock:
            if future in islice(self._futures, some):
                return False
        if not Future.cancel(future):
            return False
        self._ray.cancel(future.reference)
        return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse further functions; shut Ray down if this executor initialised it.

        Parameters
        ----------
        wait : bool
            Wait for the tasks first. If False, those that are not finished end with the Ray that is
            shut down, and go on in another one.
        cancel_futures : bool
            Cancel the tasks that have not begun.

        Notes
        -----
        A cluster that this process only connected to goes on.
        """
        with self._lock:
            first, self._closed = not self._closed, True
            futures = list(self._futures)
        if cancel_futures:
            for future in reversed(futures):
                future.cancel()
        if wait:
            _wait_for(futures)
        if self._own and first:
            self._ray.shutdown()


class _Stored:
    """An argument in Ray's object store, and the number of tasks in flight that use it."""

    def __init__(self, value: bytes, reference: Any) -> None:
        self.value, self.reference, self.users = value, reference, 0


class _RayFuture(Future[Any]):
    """Future of a task of Ray; reference: that to the result of the task."""

    def __init__(self, executor: RayExecutor, reference: Any) -> None:
        super().__init__()
        self.executor, self.reference = executor, reference

    def cancel(self) -> bool:
        """Cancel the task unless it may be running; return whether it is cancelled."""
        return self.cancelled() or self.executor._cancel(self)

    def settle(self, done: Future[Any]) -> None:
        """Take the result or the error of Ray's future."""
        if not self.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is None:
            self.set_result(done.result())
        else:
            self.set_exception(self._plain(error))

    def _plain(self, error: BaseException) -> BaseException:
        """Return the error of the function, or one of `concurrent.futures` for an error of Ray."""
        errors = self.executor._ray.exceptions
        plain = error
        if isinstance(error, errors.RayTaskError):
            cause = getattr(error, "cause", None)  # a text if it cannot be pickled
            plain = cause if isinstance(cause, BaseException) else error
        elif isinstance(error, errors.TaskCancelledError):
            plain = CancelledError(str(error))
        elif isinstance(error, errors.RayError):
            plain = BrokenExecutor(str(error))
        if plain is not error:
            plain.__cause__ = error
        return plain


def _call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a function; the one task that Ray is told of, for any function."""
    return function(*arguments, **keywords)


def _wait_for(futures: list[_RayFuture]) -> None:
    """Wait until futures have finished; `shutdown` has an argument named `wait`."""
    wait(futures)
