"""Results as files: one zip of plain .npy arrays and a JSON header, written whole or not at all.

A file is never trusted: nothing in it is executed, no array is allocated before its size has been
held against the size of the file, and every value goes through the constructors' own checks.
"""

import ast
import io
import json
import math
import os
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from fastgames import _checks
from fastgames.arguments import check_learner
from fastgames.games import MatrixGame
from fastgames.learners import EpsilonGreedy, FixedPolicy, Learner, QLearner, Softmax
from fastgames.record import Record
from fastgames.registry import DTYPES, STREAMS
from fastgames.result import CONTRACT, Result
from fastgames.schedules import Exponential, Linear
from fastgames.seeds import generator_of
from fastgames.snapshots import Snapshots
from fastgames.state import Seat, State

FORMAT = 1
KINDS = {
    k.__name__: k for k in (QLearner, FixedPolicy, EpsilonGreedy, Softmax, Exponential, Linear)
}
TYPES = {t: t for t in ("<f8", "<f4", "<i8", "<i4", "<u4")}
HEADER_LIMIT = 16 * 2**20  # bytes of JSON that load() is willing to read


def save(result: Result, path: str | Path) -> None:
    """Write `result` to `path`; an existing file is replaced only once the new one is complete.

    Raises OSError where the file cannot be written; then nothing is left behind.
    """
    arrays: dict[str, np.ndarray] = {"payoffs": result.game.payoffs}
    header = {
        "format": FORMAT,
        "contract": result.contract,
        "game": {
            "name": result.game.name,
            "actions": [list(names) for names in result.game.actions],
            "source": result.game.source,
        },
        "learners": [_encode(x, arrays, f"learners/{i}") for i, x in enumerate(result.learners)],
        "record": {field.name: getattr(result.record, field.name) for field in fields(Record)},
        "seed": result.seed,
        "dtype": result.dtype,
        "stream": result.stream,
        "replicas": result.replicas,
        "generator": result.state.generator,
        "held": [],
    }
    state = result.state
    for name in ("streams", "steps", "counted", "flips", "joint_counts", "reward_sums"):
        if getattr(state, name) is not None:
            arrays[f"state/{name}"] = getattr(state, name)
    for i, seat in enumerate(state.seats):
        arrays[f"state/clock/{i}"] = seat.clock
        if "q" in seat.tables:
            arrays[f"state/q/{i}"] = seat.tables["q"]
        for name, v in seat.recurrence.items():
            arrays[f"state/recurrence/{i}/{name}"] = v
    if result.snapshots is not None:
        arrays |= {f"snapshots/{name}": a for name, a in result.snapshots.arrays().items()}
    header["held"] = sorted(arrays)
    _write(Path(path), header, arrays)


def _write(path: Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    file = open(temporary, "xb")  # noqa: SIM115  (as any file of the user's: mode by the umask)
    try:
        with file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                archive.writestr("header.json", json.dumps(header, default=_plain))
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(
                            member, np.ascontiguousarray(array), allow_pickle=False
                        )
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _plain(value: Any) -> Any:
    """What JSON does not know: the arrays and scalars in the state of some bit generators."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.integer):
        return int(value)
    raise TypeError(f"cannot be written: {value!r}")


def _encode(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    if type(value).__name__ in KINDS:
        parts = {
            f.name: _encode(getattr(value, f.name), arrays, f"{name}/{f.name}")
            for f in fields(value)
        }
        return {"kind": type(value).__name__, **parts}
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    return value


class _Archive:
    """A result file, read with suspicion."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.archive, self.size = archive, size

    def member(self, name: str, limit: int) -> zipfile.ZipInfo:
        info = self.archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > min(limit, self.size):
            raise ValueError(f"{name} is larger than the file")
        return info

    def header(self) -> dict[str, Any]:
        header = json.loads(self.archive.read(self.member("header.json", HEADER_LIMIT)))
        if not isinstance(header, dict):
            raise ValueError("the header is not an object")
        return header

    def array(
        self, name: str, dtype: str | None = None, shape: tuple[int, ...] | None = None
    ) -> np.ndarray:
        """The array `name`, which must have this dtype and shape, where they are given."""
        info = self.member(f"{name}.npy", self.size)
        with self.archive.open(info) as member:
            found, kind = _array_header(member, name)
            if dtype is not None and kind != np.dtype(dtype):
                raise ValueError(f"{name} has type {kind}, not {dtype}")
            if shape is not None and found != shape:
                raise ValueError(f"{name} has shape {found}, not {shape}")
            length = math.prod(found) * kind.itemsize
            if length > info.file_size:
                raise ValueError(f"{name} says that it is larger than the file")
            data = member.read()  # checks the CRC at its end
            if len(data) != length:
                raise ValueError(f"{name} has {len(data)} bytes, not {length}")
        return np.frombuffer(bytearray(data), kind).reshape(found)

    def decode(self, value: Any) -> Any:
        if isinstance(value, dict) and "kind" in value:
            kind = KINDS[_checks.one_of("kind", value["kind"], KINDS)]
            return kind(**{k: self.decode(v) for k, v in value.items() if k != "kind"})
        if isinstance(value, dict):
            return self.array(value["array"])
        return value


def _array_header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array as `np.lib.format.write_array` writes them (format version 1.0).

    numpy's own reader is lenient where we need not be: it mends what Python 2 wrote, with warnings.
    """
    start = member.read(10)
    if start[:8] != b"\x93NUMPY\x01\x00" or len(start) < 10:
        raise ValueError(f"{name} is not an array")
    try:
        header = ast.literal_eval(member.read(int.from_bytes(start[8:], "little")).decode("ascii"))
        shape, kind = tuple(header["shape"]), np.dtype(TYPES[header["descr"]])
        plain = header["fortran_order"] is False and all(type(n) is int and n >= 0 for n in shape)
    except (SyntaxError, ValueError, TypeError, KeyError, MemoryError, RecursionError):
        plain = False
    if not plain:
        raise ValueError(f"{name} has no plain array header")
    return shape, kind


def load(path: str | Path) -> Result:
    """Read a result that `Result.save` wrote.

    Raises OSError where the file cannot be read, ValueError where it is not a result, is damaged,
    or is of another version.
    """
    path = Path(path)
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _result(_Archive(archive, len(data)))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"path must be a result written by fastgames, {str(path)!r} is not: {reason}"
        ) from None


def _result(file: _Archive) -> Result:
    header = file.header()
    for name, version in (("format", FORMAT), ("contract", CONTRACT)):
        if header[name] != version:
            raise ValueError(
                f"its {name} is version {header[name]}, this fastgames reads version {version}"
            )
    game = MatrixGame(file.array("payoffs", "float64"), **header["game"])
    learners = tuple(file.decode(x) for x in header["learners"])
    if len(learners) != game.num_agents:
        raise ValueError(f"it has {len(learners)} learners for {game.num_agents} agents")
    record = Record(**header["record"])
    dtype = _checks.one_of("dtype", header["dtype"], DTYPES)
    stream = _checks.one_of("stream", header["stream"], STREAMS)
    replicas = _checks.whole("replicas", header["replicas"], 1)
    seed = header["seed"]
    if seed is not None:
        seed = _checks.whole("seed", seed, 0, 2**64 - 1)
    held = set(header["held"])
    for i, learner in enumerate(learners):
        check_learner(game, i, learner, replicas, dtype)
    state = _state(file, held, game, learners, dtype, stream, replicas, header["generator"])
    snapshots = _snapshots(file, held, game, record, dtype, replicas)
    return Result(game, learners, record, seed, dtype, stream, snapshots, state)


def _state(
    file: _Archive,
    held: set[str],
    game: MatrixGame,
    learners: tuple[Learner, ...],
    dtype: str,
    stream: str,
    replicas: int,
    generator: Any,
) -> State:
    agents = game.num_agents

    def counter(name: str, kind: str, shape: tuple[int, ...]) -> np.ndarray | None:
        return file.array(f"state/{name}", kind, shape) if f"state/{name}" in held else None

    seats = []
    for i, learner in enumerate(learners):
        shape = (replicas, game.num_states, game.num_actions[i])
        tables = {}
        if learner.learns or f"state/q/{i}" in held:
            tables["q"] = file.array(f"state/q/{i}", dtype, shape)
        if not learner.learns:
            tables[learner.table] = np.broadcast_to(learner.start().astype(dtype), shape)
        recurrence = {
            name: file.array(f"state/recurrence/{i}/{name}", "float64", (replicas,))
            for name, value in learner.values(game.discount).items()
            if isinstance(value, Exponential)
        }
        clock = file.array(f"state/clock/{i}", "float64", (replicas,))
        seats.append(Seat(learner, tables, clock, recurrence))
    streams = None
    if stream == "fastgames":
        streams = file.array("state/streams", "uint32", (replicas, agents, 4))
        if not streams.any(axis=-1).all():
            raise ValueError("state/streams has a state of zeros")
    else:
        generator_of(generator)
    return State(
        seats=seats,
        streams=streams,
        generator=generator,
        steps=file.array("state/steps", "int64", (replicas,)),
        counted=file.array("state/counted", "int64", (replicas,)),
        flips=counter("flips", "int64", (replicas, agents)),
        joint_counts=counter("joint_counts", "int64", (replicas, *game.num_actions)),
        reward_sums=counter("reward_sums", "float64", (replicas, agents)),
    )


def _snapshots(
    file: _Archive, held: set[str], game: MatrixGame, record: Record, dtype: str, replicas: int
) -> Snapshots | None:
    if record.every is None:
        return None
    steps = file.array("snapshots/steps", "int64")
    shapes = [(len(steps), replicas, game.num_states, n) for n in game.num_actions]
    agents = range(game.num_agents)

    def each(kind: str, type_: str, axes: int) -> list[np.ndarray]:
        return [file.array(f"snapshots/{kind}/{i}", type_, shapes[i][:axes]) for i in agents]

    return Snapshots(
        steps=steps,
        tables=[
            {
                name: file.array(f"snapshots/tables/{i}/{name}", dtype, shapes[i])
                for name in record.tables
                if f"snapshots/tables/{i}/{name}" in held
            }
            for i in agents
        ],
        greedy=each("greedy", "int32", 3) if record.greedy else None,
        policies=each("policies", "float64", 4) if record.policies else None,
    )
