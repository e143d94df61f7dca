"""Checkpoints: the file from which the same call of `run` goes on after whatever ended it.

A checkpoint is the file of a result (`fastgames.storage`: `fastgames.load` reads it) that also says
of what call it is, and at which step that call began in every replica.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import os
import time
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from fastgames import storage
from fastgames.games import Game
from fastgames.grid import Grid
from fastgames.learners import AnyLearner
from fastgames.record import Record
from fastgames.result import CONTRACT, Result
from fastgames.stop import Stable

Call = dict[str, Any]  # argument -> its value, or {"sha256": the digest of its content}


def check(path: Any, every: Any) -> tuple[Path, float]:
    """The arguments `checkpoint` and `checkpoint_every`, or TypeError or ValueError."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint must be the path of a file, got {path!r}")
    path = Path(path)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"checkpoint must be a file in a directory that exists, got {str(path)!r}")
    if isinstance(every, bool) or not isinstance(every, numbers.Real):
        raise TypeError(f"checkpoint_every must be a number of seconds, got {every!r}")
    seconds = float(every)
    if not 0.0 < seconds < math.inf:
        raise ValueError(f"checkpoint_every must be seconds in (0, inf), got {every!r}")
    return path, seconds


def describe(
    game: Game,
    learners: tuple[AnyLearner, ...],
    steps: int,
    replicas: int | Grid,
    seed: int | dict[str, Any] | None,
    record: Record,
    stop: Stable | None,
    dtype: str,
    stream: str,
    resume: Result | None,
) -> Call:
    """All that decides the bits of a call, argument by argument.

    seed: the number of the seed that was given; the state of the numpy generator that was given,
    where there is no number for it (stream="numpy"); None where neither was.
    """
    from fastgames import __version__  # not there yet when this module is imported

    call: Call = {
        "version": __version__,
        "contract": CONTRACT,
        "steps": steps,
        "rng": {"sha256": _digest(seed, {})} if isinstance(seed, dict) else seed,
        "resume": None if resume is None else {"sha256": _digest(*storage.contents(resume))},
    }
    sweep = replicas if isinstance(replicas, Grid) else None
    count = replicas.replicas if isinstance(replicas, Grid) else replicas
    return call | _what(game, learners, count, sweep, record, stop, dtype, stream)


def _what(
    game: Game,
    learners: tuple[AnyLearner, ...],
    replicas: int,
    sweep: Grid | None,
    record: Record,
    stop: Stable | None,
    dtype: str,
    stream: str,
) -> Call:
    """That part of a call which its result tells as well."""
    arrays: dict[str, np.ndarray] = {}
    what: Call = {"game": {"sha256": _digest(storage.encode_game(game, arrays), arrays)}}
    for i, learner in enumerate(learners):
        arrays = {}
        what[f"learners[{i}]"] = {"sha256": _digest(storage.encode(learner, arrays, ""), arrays)}
    for field in fields(Record):
        value = getattr(record, field.name)
        what[f"record.{field.name}"] = list(value) if isinstance(value, tuple) else value
    return what | {
        "replicas": replicas,
        "grid": None if sweep is None else {"sha256": _digest(storage.encode_grid(sweep), {})},
        "stop": None if stop is None else stop.periods,
        "dtype": dtype,
        "stream": stream,
    }


def _digest(header: Any, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of a header and the arrays that it names, types and shapes included."""
    sha = hashlib.sha256(json.dumps(header, sort_keys=True, default=storage.plain).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def write(path: str | Path, result: Result, call: Call, begun: np.ndarray) -> None:
    """Write a checkpoint of a result that is being made by `call`.

    begun: (replicas,) int64, the steps of each replica when the call began.

    Raises OSError where that cannot be done; then the file that was there before is untouched, and
    nothing else is left.
    """
    header, arrays = storage.contents(result)
    storage.write(path, header | {"call": call}, arrays | {"begun": begun})


def read(
    path: str | Path,
    call: Call,
    game: Game | None = None,
    learners: tuple[AnyLearner, ...] | None = None,
) -> tuple[Result, np.ndarray] | None:
    """The result from which to go on, and the steps at which the call began, (replicas,) int64.

    game, learners: those of the call, for a file does not hold functions. None where there is no
    file. The result's arrays are new, and may be written to.

    Raises OSError where the file cannot be read, ValueError where it is of another call or another
    version, or damaged.
    """
    try:
        header = storage.read(path, storage.Archive.header, "checkpoint")
    except FileNotFoundError:
        return None
    found = header.get("call")
    if not isinstance(found, dict):
        raise ValueError(f"checkpoint {str(path)!r} is no checkpoint, but a result")
    if found.get("version") != call["version"]:
        raise ValueError(
            f"checkpoint {str(path)!r} is of another version: it was written by fastgames "
            f"{found.get('version')}, this is {call['version']}"
        )
    if found.get("contract") != call["contract"]:
        raise ValueError(
            f"checkpoint {str(path)!r} is of another version: it follows the contract on "
            f"streams and events in version {found.get('contract')}, this fastgames in version "
            f"{call['contract']}; `fastgames.load` reads it, but no run goes on from it"
        )
    difference = _difference(found, call)
    if difference is not None:
        raise ValueError(f"checkpoint {str(path)!r} is of another call: {difference}")
    return storage.read(path, lambda file: _parts(file, call, game, learners), "checkpoint")


def _parts(
    file: storage.Archive,
    call: Call,
    game: Game | None,
    learners: tuple[AnyLearner, ...] | None,
) -> tuple[Result, np.ndarray]:
    """The result and the steps at which the call began, held against each other and the call."""
    result = storage.result_of(file, game, learners)
    what = _what(
        result.game,
        result.learners,
        result.replicas,
        result.grid,
        result.record,
        result.stop,
        result.dtype,
        result.stream,
    )
    difference = _difference(what, {name: call[name] for name in what})
    if difference is None and isinstance(call["rng"], int) and result.seed != call["rng"]:
        difference = f"rng was {result.seed}, got {call['rng']}"
    if difference is not None:
        raise ValueError(f"it has not what its call asks for: {difference}")
    steps, every = call["steps"], result.record.every
    begun = file.array("begun", "int64", (result.replicas,), (0, storage.STEPS))
    done = result.steps - begun
    if not ((done >= 0) & (done <= steps)).all():
        raise ValueError(f"begun does not leave 0 to {steps} steps to the call")
    if result.snapshots is not None and every is not None:
        first = int(begun[0])
        due = np.arange(first - first % every + every, first + steps + 1, every)
        if not np.array_equal(result.snapshots.steps, due):
            raise ValueError("snapshots/steps are not those of its call")
    return result, begun


def _difference(found: Call, call: Call) -> str | None:
    """The first argument that differs, in words."""
    for name in call | found:
        was, got = found.get(name), call.get(name)
        if was != got:
            if isinstance(was, dict) or isinstance(got, dict):
                return f"{name} was not the same"
            return f"{name} was {was!r}, got {got!r}"
    return None


class Writer:
    """Writes the checkpoints of one call as it goes on.

    Made when the call begins: whatever a call that was killed left half written is removed.
    """

    path: Path
    every: float
    call: Call
    begun: np.ndarray
    last: float
    warned: bool

    def __init__(self, path: Path, every: float, call: Call, begun: np.ndarray) -> None:
        self.path, self.every, self.call, self.begun = path, every, call, begun
        self.last = time.monotonic()
        self.warned = False
        storage.remove_unfinished(path)

    def due(self, now: float) -> bool:
        """Whether it is time for the next one; `now`: of `time.monotonic`."""
        return now - self.last >= self.every

    def save(self, result: Result) -> None:
        """Write one. Where the disk is full, warn, once, and leave the one before as it is."""
        try:
            write(self.path, result, self.call, self.begun)
        except OSError as error:
            if not self.warned:
                self.warned = True
                warnings.warn(
                    f"checkpoint {str(self.path)!r} could not be written, the run goes on: {error}",
                    RuntimeWarning,
                    stacklevel=2,
                )
        self.last = time.monotonic()
