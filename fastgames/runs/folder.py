"""The folder of a call in chunks: one checkpoint file for each chunk that is finished."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastgames.engine.parts import chunk_of, with_part
from fastgames.engine.spec import RunSpec
from fastgames.io import archive, checkpoint
from fastgames.result import Result
from fastgames.runs.keep import Keep, digest_of_keep
from fastgames.runs.merging import part_of_result

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
_locked: set[Folder] = set()  # those that are open in this process


def described(
    spec: RunSpec, given: Any, resume: Result | None, keep: str | None, former: bool = False
) -> checkpoint.Call:
    """Return the description of the call of some replicas; keep: its digest, None without it.

    The number of all replicas stands before what depends on it, and the numbers of these at the
    end, so that an error names the argument that differs.
    """
    call = checkpoint.describe(spec, given, resume, former)
    if keep is not None:
        call["keep"] = {"sha256": keep}
    first = {name: call.pop(name) for name in ("grid", "replicas")}
    last = {name: call.pop(name) for name in ("only",) if name in call}
    return first | call | last


class Folder:
    """Files of the finished chunks of one call.

    A process that works on the call holds a lock, which the system drops when the process ends.
    """

    path: Path
    spec: RunSpec
    given: Any
    resume: Result | None
    keep: str | None  # its digest
    warned: bool

    def __init__(
        self, path: Any, spec: RunSpec, given: Any, resume: Result | None, keep: Keep | None
    ) -> None:
        """Make and lock the folder; given: the seed that was given, None without one."""
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"checkpoint must be the path of a folder, got {path!r}")
        self.path = Path(os.path.abspath(path))
        if not self.path.parent.is_dir() or (self.path.exists() and not self.path.is_dir()):
            raise ValueError(
                "checkpoint must be a folder, or one to be made in a folder that exists, with keep "
                f"or executor, got {os.fspath(path)!r}"
            )
        self.spec, self.given, self.resume = with_part(spec), given, resume
        self.keep = None if keep is None else digest_of_keep(keep)
        self.warned = False
        try:
            self.path.mkdir(exist_ok=True)
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise ValueError(
                f"checkpoint must be a folder that can be written, got {str(path)!r}: {error}"
            ) from None
        _locked.add(self)
        self._take_lock()

    def _take_lock(self) -> None:
        """Raise ValueError if another process works on the folder."""
        if fcntl is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 1000).decode(errors="replace") or "unknown"
            self._forget()
            raise ValueError(
                f"checkpoint must be a folder that no other process writes, got {str(self.path)!r},"
                f" which process {holder} writes"
            ) from None
        except OSError:  # not every file system has locks
            return
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()} on {os.uname().nodename}".encode())

    def remove(self) -> None:
        """Remove the folder with all that was written here; leave what cannot be removed."""
        for path in (*self.path.glob("*.zip"), *self.path.glob(".*.part"), self.path / LOCK):
            with contextlib.suppress(OSError):
                path.unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def close(self) -> None:
        """Give the lock back."""
        if fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._forget()

    def _forget(self) -> None:
        """Close the file of the lock, which other processes may hold open."""
        _locked.remove(self)
        os.close(self._lock)

    def read(self) -> Iterator[tuple[np.ndarray, Result]]:
        """Yield where the replicas of each file are in the call, and their result.

        Raises ValueError if a file is of another call, damaged, or has replicas of another one.
        """
        assert self.spec.part is not None
        numbers, seen = self.spec.part.numbers, np.zeros(0, np.int64)
        for path in sorted(self.path.glob("*.zip")):
            held = archive.read(path, lambda file: file.array("numbers", "int64"), "checkpoint")
            places = np.searchsorted(numbers, held)
            known = places < len(numbers)
            if not known.all() or (numbers[places] != held).any() or np.isin(places, seen).any():
                raise ValueError(
                    f"checkpoint {str(path)!r} has replicas that this call or another file has not"
                )
            seen = np.union1d(seen, places)
            spec = chunk_of(self.spec, places)
            former = partial(self._call, spec, places, former=True)
            call = self._call(spec, places)
            found = checkpoint.read(path, call, spec.game, spec.learners, former)
            if found is not None:
                yield places, found[0]

    def _call(self, spec: RunSpec, places: np.ndarray, former: bool = False) -> checkpoint.Call:
        """Return the description of the call of a chunk."""
        resume = self.resume
        if resume is not None:
            resume = part_of_result(resume, places)
        return described(spec, self.given, resume, self.keep, former)

    def write(self, places: np.ndarray, result: Result) -> None:
        """Write a chunk. Where the disk is full, warn once."""
        spec = chunk_of(self.spec, places)
        begun = np.zeros(len(places), np.int64)
        if self.resume is not None:
            begun = self.resume.steps[places]
        path = self.path / f"{int(result.numbers[0]):015}.zip"
        try:
            checkpoint.write(path, result, self._call(spec, places), begun)
        except OSError as error:
            if not self.warned:
                self.warned = True
                warnings.warn(
                    f"checkpoint {str(path)!r} could not be written, the run goes on: {error}",
                    RuntimeWarning,
                    stacklevel=2,
                )


def _give_up_locks() -> None:
    """Close the locks in a process that was forked, which would hold them as long as it lives."""
    for folder in list(_locked):
        folder._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_up_locks)
