"""Checkpoints: the file from which the same call of `run` goes on after whatever ended it.

A checkpoint is the file of a result (`fastgames.io.results`: `fastgames.load` reads it) that also
says of what call it is, and at which step that call began in every replica.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastgames._common.fields import MOST_STEPS
from fastgames._common.version import __version__
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import CONTRACT
from fastgames.games import Game
from fastgames.io import archive, codec, files, results
from fastgames.learners import RuleLearner
from fastgames.result import Result

# Argument -> its value. What is more than a few numbers: {"is": what is known of it, "sha256": the
# digest of all of it}.
Call = dict[str, Any]
_MOST = 80  # characters of a value in an error


class _ArrayDigest(dict[str, Any]):
    """Type, shape and SHA-256 of an array; in this process also the array and its name in files."""

    def __init__(self, array: np.ndarray, name: str) -> None:
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        sha = hashlib.sha256(data).hexdigest()
        super().__init__(dtype=array.dtype.str, shape=list(array.shape), array=sha)
        self.array, self.name = array, name
        self.game: dict[str, Any] = {}  # the header of the game whose rewards it is


class _Default:
    """Stands for a parameter that was not given."""

    def __repr__(self) -> str:
        return "its default"


def check(path: Any, every: Any) -> tuple[Path, float]:
    """Return the arguments `checkpoint` and `checkpoint_every`, checked.

    The path is made absolute: the directory may change during the run.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint must be the path of a file, got {path!r}")
    given, path = path, Path(os.path.abspath(path))
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(
            f"checkpoint must be a file in a directory that exists, got {os.fspath(given)!r}"
        )
    files.check_regular(path, "checkpoint")
    if isinstance(every, bool) or not isinstance(every, numbers.Real):
        raise TypeError(f"checkpoint_every must be a number of seconds, got {every!r}")
    seconds = float(every)
    if not 0.0 < seconds < math.inf:
        raise ValueError(f"checkpoint_every must be seconds in (0, inf), got {every!r}")
    return path, seconds


def check_writable(path: Path) -> None:
    """Raise ValueError if no checkpoint can be written to `path`."""
    try:
        files.check_writable(path)
    except OSError as error:
        raise ValueError(
            f"checkpoint must be a file that can be written, got {str(path)!r}: {error}"
        ) from None


def describe(
    spec: RunSpec,
    seed: int | dict[str, Any] | None,
    resume: Result | None,
    former: bool = False,
) -> Call:
    """Return all that decides the bits of a call, argument by argument.

    seed: the number of the seed that was given; the state of the numpy generator that was given,
    where there is no number for it (stream="numpy"); None where neither was.
    former: with the digests of functions that earlier revisions wrote
    """
    call: Call = {
        "version": __version__,
        "contract": CONTRACT,
        "steps": spec.steps,
        "rng": {"sha256": _described(seed, {})["sha256"]} if isinstance(seed, dict) else seed,
        "resume": None if resume is None else _described(*results.contents(resume, former)),
    }
    if spec.start_states is not None:
        starts = _described({}, {"start_states": spec.start_states})
        call["start_states"] = {"sha256": starts["sha256"]}
    if spec.start_tables is not None:
        tables = {
            f"{agent.agent}/{name}": table
            for agent in spec.agents
            for name, table in agent.given.items()
        }
        call["start_tables"] = {"sha256": _described({}, tables)["sha256"]}
    if spec.opening is not None:
        joint = _described({}, {"opening": spec.opening})
        call["opening"] = {"sha256": joint["sha256"]}
    if spec.reset is not None:
        call["reset"] = [list(each) for each in sorted(spec.reset.items())]
    return call | _what(spec, former)


def _what(spec: RunSpec, former: bool = False) -> Call:
    """Return that part of a call which its result tells as well."""
    arrays: dict[str, np.ndarray] = {}
    sweep, stop = spec.grid, spec.stop
    what: Call = {}
    if spec.part is not None:  # first: arrays of other replicas differ as well
        what["only"] = {"sha256": _described({}, {"only": spec.part.numbers})["sha256"]}
    what["game"] = _described(codec.encode_game(spec.game, arrays, former), arrays)
    for i, learner in enumerate(spec.learners):
        arrays = {}
        header = codec.encode(learner, arrays, f"learners/{i}", former)
        what[f"learners[{i}]"] = _described(header, arrays)
    for name, value in results.recorded(spec.record).items():
        what[f"record.{name}"] = list(value) if isinstance(value, tuple) else value
    if sweep is not None:
        dims = {"dims": list(sweep.dims), **sweep.dims, "repeats": sweep.repeats}
    return what | {
        "replicas": spec.replicas if spec.part is None else spec.part.total,
        "grid": None if sweep is None else _described(dims, {}),
        "stop": None if stop is None else stop.periods,
        "stop.after": None if stop is None else stop.after,
        "dtype": spec.dtype,
        "stream": spec.stream,
    }


def _described(header: Any, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a header whose arrays are digests, and the digest of the header."""
    digests = {name: _ArrayDigest(array, name) for name, array in arrays.items()}
    if "game/rewards" in digests:
        digests["game/rewards"].game = header
    known = {**_with_digests(header, digests), **digests}
    text = json.dumps(known, sort_keys=True, default=archive.plain)
    return {"is": known, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _with_digests(value: Any, digests: dict[str, _ArrayDigest]) -> Any:
    """Return a header as JSON gives it back, with digests in place of the names of arrays."""
    if isinstance(value, dict):
        if value.keys() == {"array"}:
            return digests.pop(value["array"])
        return {key: _with_digests(each, digests) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_digests(each, digests) for each in value]
    return value


def write(path: str | Path, result: Result, call: Call, begun: np.ndarray) -> None:
    """Write a checkpoint of a result that is being made by `call`.

    begun: (replicas,) int64, the steps of each replica when the call began.

    Raises OSError where that cannot be done; then the file that was there before is untouched, and
    nothing else is left.
    """
    header, arrays = results.checked_contents(result)
    archive.write(path, header | {"call": call}, arrays | {"begun": begun})


def read(
    path: str | Path,
    call: Call,
    game: Game | None = None,
    learners: tuple[RuleLearner, ...] | None = None,
    former: Callable[[], Call] | None = None,
) -> tuple[Result, np.ndarray] | None:
    """Return the result to go on from, and the steps at which the call began, (replicas,) int64.

    game, learners: those of the call, for a file does not hold functions.
    former: returns the call with the digests of functions that earlier revisions wrote

    Return None if there is no file. The result's arrays are new, and may be written to.

    Raises OSError where the file cannot be read, ValueError where it is of another call or another
    version, or damaged.
    """
    try:
        header = archive.read(path, archive.Archive.header, "checkpoint")
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
        version = archive.read(path, lambda file: _contract(file, game, learners), "checkpoint")
        if version != call["contract"]:
            raise ValueError(
                f"checkpoint {str(path)!r} is of another version: it follows the contract on "
                f"streams and events in version {version}, this fastgames in version "
                f"{call['contract']}; `fastgames.load` reads it, but no run goes on from it"
            )
        found["contract"] = version
    difference = archive.read(path, lambda file: _difference(found, call, file), "checkpoint")
    if difference is not None and former is not None:
        earlier = former()
        if archive.read(path, lambda file: _difference(found, earlier, file), "checkpoint") is None:
            difference = None
    if difference is not None:
        raise ValueError(f"checkpoint {str(path)!r} is of another call: {difference}")
    return archive.read(path, lambda file: _parts(file, call, game, learners), "checkpoint")


def _contract(
    file: archive.Archive, game: Game | None, learners: tuple[RuleLearner, ...] | None
) -> int:
    """Return the version of the contract that the bits of a checkpoint follow."""
    return results.result_of(file, game, learners).contract


def _parts(
    file: archive.Archive,
    call: Call,
    game: Game | None,
    learners: tuple[RuleLearner, ...] | None,
) -> tuple[Result, np.ndarray]:
    """Return the result and the steps at which the call began; raise unless they fit it."""
    result = results.result_of(file, game, learners)
    what = _what(result.spec)
    difference = _difference(what, {name: call.get(name) for name in what}, file)
    if difference is None and isinstance(call["rng"], int) and result.seed != call["rng"]:
        difference = f"rng was {result.seed}, got {call['rng']}"
    if difference is not None:
        raise ValueError(f"it has not what its call asks for: {difference}")
    steps = call["steps"]
    begun = file.array("begun", "int64", (result.replicas,), (0, MOST_STEPS))
    done = result.steps - begun
    if not ((done >= 0) & (done <= steps)).all():
        raise ValueError(f"begun does not leave 0 to {steps} steps to the call")
    if result.snapshots is not None:
        due = result.record.times(int(begun[0]), steps)
        if not np.array_equal(result.snapshots.steps, due):
            raise ValueError("snapshots/steps are not those of its call")
    return result, begun


def _difference(found: Call, call: Call, file: archive.Archive) -> str | None:
    """Return the first argument that differs, in words; file: the checkpoint with the arrays."""
    for name in call | found:
        was, got = found.get(name), call.get(name)
        if was == got:
            continue
        if isinstance(was, dict) and isinstance(got, dict):
            if was.get("sha256") == got.get("sha256"):
                continue
            detail = _detail(name, was.get("is"), got.get("is"), file)
            return detail or f"{name} was not the same"
        if name == "resume":  # one of them had none
            return "resume was not the same"
        was, got = (x["is"] if isinstance(x, dict) and "is" in x else x for x in (was, got))
        return f"{name} was {_shown(was)}, got {_shown(got)}"
    return None


def _detail(path: str, was: Any, got: Any, file: archive.Archive) -> str | None:
    """Return the first part of an argument that differs, in words, or None."""
    if isinstance(got, _ArrayDigest) and isinstance(was, dict) and was.keys() == got.keys():
        return None if was == got else _cell(path, was, got, file)
    if isinstance(was, dict) and isinstance(got, dict) and was.get("kind") == got.get("kind"):
        lacks = _Default() if path == "game.made[1]" else None
        keys = got | was
        parts = [(_joined(path, key), was.get(key, lacks), got.get(key, lacks)) for key in keys]
    elif isinstance(was, list) and isinstance(got, list) and len(was) == len(got):
        parts = [(f"{path}[{i}]", *each) for i, each in enumerate(zip(was, got, strict=True))]
    elif was == got:
        return None
    elif path.endswith(".functions"):
        return f"{path} were not the same: their source, or a value that they use"
    else:
        return f"{path} was {_shown(was)}, got {_shown(got)}"
    found = (_detail(*part, file) for part in parts)
    return next((text for text in found if text is not None), None)


def _joined(path: str, key: str) -> str:
    """Return the name of a part, such as "game.discount" or "learners[0].alpha"."""
    if path == "game":
        key = key.removeprefix("game/")
    return f"{'game' if path == 'game.made[1]' else path}.{key}"


def _cell(path: str, was: dict[str, Any], got: _ArrayDigest, file: archive.Archive) -> str:
    """Return the first entry in which an array differs, in words."""
    if (was["dtype"], was["shape"]) != (got["dtype"], got["shape"]):
        return f"{path} was {_shown(was)}, got {_shown(got)}"
    if path.startswith("resume"):  # of which the file has digests only
        return f"{path} was not the same"
    array = np.ascontiguousarray(got.array)
    before = file.array(got.name, array.dtype.name, array.shape)
    one, other = (x.reshape(-1, 1).view(np.uint8) for x in (before, array))
    places = np.flatnonzero((one != other).any(axis=1))
    if not len(places):  # a file that does not hold what it says
        return f"{path} was not the same"
    cell = [int(k) for k in np.unravel_index(places[0], array.shape)]
    old, new = before[tuple(cell)], array[tuple(cell)]
    if got.game:
        path, cell = _place_of_reward(cell, got.game)
    return f"{path}{cell} was {old}, got {new}"


def _place_of_reward(cell: list[int], game: dict[str, Any]) -> tuple[str, list[int]]:
    """Return where the user gave an entry of the compact rewards.

    cell: agent, variant, state, joint action
    """
    agent, variant, state, joint = cell
    actions = np.unravel_index(joint, tuple(map(len, game["actions"])))
    matrix = game["kind"] == "MatrixGame"
    which = f"games[{variant}]." if game["variants"] else ""
    place = [agent, *([] if matrix else [state]), *map(int, actions)]
    return f"game.{which}{'payoffs' if matrix else 'rewards'}", place


def _shown(value: Any) -> str:
    """Return a value of a call in short form for an error; learners as Python writes them."""
    if isinstance(value, dict) and "kind" in value:
        kind = value["kind"]
        rest = ", ".join(f"{k}={_shown(v)}" for k, v in value.items() if k != "kind")
        text = f"{kind}({rest})"
    elif isinstance(value, dict) and {"dtype", "shape"} <= value.keys():
        return f"an array of shape {tuple(value['shape'])} and type {value['dtype']}"
    else:
        text = repr(value)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


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
        files.remove_unfinished(Path(os.path.realpath(path)))

    def due(self, now: float) -> bool:
        """Return whether the next one is due; now: of `time.monotonic`."""
        return now - self.last >= self.every

    def save(self, result: Result) -> None:
        """Write one. Where the disk is full, warn, once, and leave the one before as it is.

        Raises ValueError if a file cannot hold the result, as where a table has an infinite entry.
        """
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
