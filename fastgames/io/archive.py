"""Results as files: one zip of plain .npy arrays and a JSON header, written whole or not at all.

A file is never trusted: nothing in it is executed, no array is allocated before its size has been
held against the size of the file, every value goes through the constructors' own checks, and
whatever a kernel uses as an index, or makes one of, is held against its range. Before a file is
written its contents pass the same checks, so what `save` accepts, `load` accepts.

The member "sha256sums" has the SHA-256 of every other member, as the program sha256sum prints them.
It finds damage, and changes made by somebody who did not also change the sums. It does not protect
from a forger, who can compute them anew: there is no secret in them. Files of format 2 have no
sums; of those only the CRC of each member is checked.
"""

import ast
import copy
import errno
import hashlib
import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from fastgames._common import checks
from fastgames._common.checks import LITTLE
from fastgames._common.fields import MOST_STEPS, declared
from fastgames._common.seeds import generator_of
from fastgames.engine.arguments import check_learner
from fastgames.engine.snapshots import KINDS as KINDS_OF_SNAPSHOTS
from fastgames.engine.snapshots import Snapshots
from fastgames.engine.spec import AgentSpec, RunSpec
from fastgames.engine.state import CONTRACT, Pending, Seat, State
from fastgames.games import Game, MarkovGame, MatrixGame, ProceduralGame, Variants
from fastgames.games.compact import Sum
from fastgames.games.markov import Sparse
from fastgames.games.procedural import check_observations, check_states
from fastgames.grids import Grid, grid
from fastgames.io.files import open_regular, replacing
from fastgames.learners import AnyLearner, Learner
from fastgames.record import Record
from fastgames.registry import DTYPES, EXPLORERS, INITIALS, LEARNERS, STEP_SIZES, STREAMS
from fastgames.result import Result
from fastgames.schedules import Exponential, Linear
from fastgames.stop import Stable

FORMAT = 3
OLDEST = 2  # the oldest format that is read; it has no sums
SUMS = "sha256sums"
KINDS: dict[str, Any] = {
    kind.__name__: kind
    for registered in (LEARNERS, EXPLORERS, STEP_SIZES, INITIALS)
    for kind in registered.values()
} | {"Exponential": Exponential, "Linear": Linear}
TYPES = ("<f8", "<f4", "<i8", "<i4", "<u4", "|u1")
CHUNK = 2**20  # bytes read at a time

_T = TypeVar("_T")


class _GivenError(Exception):
    """The file is a result, but not of the game or the learners that were given."""


# --- writing ------------------------------------------------------------------------------------


def save(result: Result, path: str | Path) -> None:
    """Write `result` to `path`; an existing file is replaced only once the new one is complete.

    Raises ValueError where `load` would refuse the file, as where a table has an infinite entry,
    and OSError where it cannot be written; then nothing is left behind.
    """
    write(path, *checked_contents(result))


def checked_contents(result: Result) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return `contents`; ValueError if `load` would refuse a file that holds them."""
    header, arrays = contents(result)
    try:
        text = json.dumps(header, default=plain)
        with np.errstate(all="ignore"):
            _result(Held(arrays), json.loads(text), result.game, result.learners)
    except (ValueError, TypeError, LookupError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"result must be one that a file can hold: {reason}") from None
    return header, arrays


def contents(result: Result) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header of a result's file, and its arrays by name (not copies)."""
    state, stop, sweep = result.state, result.stop, result.grid
    arrays: dict[str, np.ndarray] = {}
    pairs = zip(state.seats, result.spec.agents, strict=True)
    names = [_names(seat, agent) for seat, agent in pairs]
    header = {
        "format": FORMAT,
        "contract": result.contract,
        "game": encode_game(result.game, arrays),
        "learners": [encode(x, arrays, f"learners/{i}") for i, x in enumerate(result.learners)],
        "record": {field.name: getattr(result.record, field.name) for field in fields(Record)},
        "stop": None if stop is None else vars(stop),
        "grid": None if sweep is None else encode_grid(sweep),
        "seed": result.seed,
        "dtype": result.dtype,
        "stream": result.stream,
        "replicas": result.replicas,
        "generator": state.generator,
        "tables": names,
    }
    arrays |= _held(state, "state")
    for i, seat in enumerate(state.seats):
        arrays |= _held(seat, f"state/{i}")
        arrays |= {_place(f"state/{i}", name): seat.tables[name] for name in names[i]}
        arrays |= {f"state/{i}/recurrence/{name}": v for name, v in seat.recurrence.items()}
        if seat.pending is not None:
            arrays |= _held(seat.pending, f"state/{i}/pending")
    if result.snapshots is not None:
        arrays |= {f"snapshots/{name}": a for name, a in result.snapshots.arrays().items()}
    return header, arrays


def _held(holder: State | Seat | Pending, where: str) -> dict[str, np.ndarray]:
    """Return the declared arrays that are there, by their names in the file."""
    found = {each.name: getattr(holder, each.name) for each in declared(type(holder))}
    return {f"{where}/{name}": array for name, array in found.items() if array is not None}


def _place(where: str, table: str) -> str:
    """Return where a file has a table: under its name, unless the clock of the seat has that."""
    return f"{where}/tables/clock" if table == "clock" else f"{where}/{table}"


def _names(seat: Seat, agent: AgentSpec) -> list[str]:
    """The tables of an agent that its file holds; what a team shares is its first member's."""
    left_out = set()
    if not agent.first:
        left_out = {table.name for table in agent.rules.tables if table.shared}
    if not seat.learner.learns:  # its policy is among its parameters
        left_out.add(seat.learner.table)
    return [name for name in seat.tables if name not in left_out]


def write(path: str | Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a file, whole or not at all; raises OSError where that cannot be done."""
    with replacing(path) as file:
        archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        try:
            text = json.dumps(header, default=plain).encode()
            sums = [_add(archive, "header.json", text)]
            sums += [_add(archive, f"{name}.npy", array) for name, array in arrays.items()]
            archive.writestr(SUMS, "".join(sums))
            archive.close()
        except BaseException:
            archive.fp = None  # not closed: that would raise another error over this one
            raise


def _add(archive: zipfile.ZipFile, name: str, content: bytes | np.ndarray) -> str:
    """Add a member; return its line of the sums."""
    member = archive.open(name, "w", force_zip64=True)
    hashed = _Hashed(member)
    if isinstance(content, bytes):
        hashed.write(content)
    else:
        array: Any = np.ascontiguousarray(content)
        np.lib.format.write_array(hashed, array, allow_pickle=False)
    member.close()
    return f"{hashed.sha.hexdigest()}  {name}\n"


class _Hashed:
    """A file that is read or written, and the SHA-256 of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha.update(data)
        return self.file.write(data)

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sha.update(data)
        return data


def plain(value: Any) -> Any:
    """What JSON does not know: the arrays and scalars in the state of some bit generators."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.integer):
        return int(value)
    raise TypeError(f"cannot be written: {value!r}")


def encode(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    """A learner, or a part of one, for the header; its arrays are put under `name`."""
    if isinstance(value, Learner):
        found = {x: encode(v, arrays, f"{name}/{x}") for x, v in value.parameters.items()}
        return {"name": value.name, "parameters": found, "functions": _digest(value._key())}
    if type(value).__name__ in KINDS:
        found = {
            f.name: encode(getattr(value, f.name), arrays, f"{name}/{f.name}")
            for f in fields(value)
        }
        return {"kind": type(value).__name__, **found}
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    return value


def _digest(key: tuple[Any, ...]) -> str:
    return hashlib.sha256(repr(key).encode()).hexdigest()


def encode_grid(sweep: Grid) -> dict[str, Any]:
    """A grid for the header."""
    return {"dims": [list(each) for each in sweep.dims.items()], "repeats": sweep.repeats}


def encode_game(game: Game, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """A game for the header; its arrays are put under "game/". Games of a subclass lose it."""
    if isinstance(game, ProceduralGame):
        return {
            "kind": "ProceduralGame",
            "name": game.name,
            "made": None if game.made is None else list(game.made),
            "discount": game.discount,
            "time_limit": game.time_limit,
            "functions": _digest(game._key()),
        }
    games = game.games if isinstance(game, Variants) else (game,)
    first, compact = games[0], game.compact
    header: dict[str, Any] = {
        "kind": "MarkovGame" if isinstance(first, MarkovGame) else "MatrixGame",
        "variants": isinstance(game, Variants),
        "names": [each.name for each in games],
        "sources": [each.source for each in games],
        "actions": game.actions,
    }
    held = {"rewards": compact.rewards}
    if isinstance(game, Variants):
        held["index"] = game.index
    if isinstance(first, MarkovGame):
        moves = compact.moves if first._sparse is None else first._sparse
        header |= {
            "states": first.num_states,
            "discount": first.discount,
            "start": compact.start_state,
            "time_limit": first.time_limit,
            "moves": type(moves).__name__,
            "dense": first._dense,
        }
        some = ("start_weights", "terminal", "observations", "turns")
        header["held"] = [name for name in some if getattr(compact, name) is not None]
        held |= {name: getattr(compact, name) for name in header["held"]}
        held |= {f"moves/{x}": a for x, a in vars(moves).items() if isinstance(a, np.ndarray)}
    for name, array in held.items():
        arrays[f"game/{name}"] = array.view(np.uint8) if array.dtype == np.bool_ else array
    return header


# --- reading ------------------------------------------------------------------------------------


class Held:
    """The arrays of a file by name, checked as they are taken out; here of one to be written."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays

    def array(
        self,
        name: str,
        dtype: str | None = None,
        shape: tuple[int, ...] | None = None,
        within: tuple[float, float] | None = None,
    ) -> np.ndarray:
        """The array `name`, which must have this dtype and shape, and values within these two."""
        array = self._array(name, dtype, shape)
        if within is not None and array.size:
            low, high = within
            if not (array.min() >= low and array.max() <= high):  # nan is in no range
                value, place = _first(array, ~((array >= low) & (array <= high)))
                raise ValueError(f"{name} must be in [{low}, {high}], got {value} {place}")
        return array

    def _array(self, name: str, dtype: str | None, shape: tuple[int, ...] | None) -> np.ndarray:
        array = self.arrays[name]
        if array.dtype.str not in TYPES:
            raise ValueError(f"{name} must have one of the types {TYPES}, got {array.dtype}")
        _check_form(name, array.shape, array.dtype, shape, dtype)
        return array

    def decode(self, value: Any) -> Any:
        """Return what `encode` was given."""
        if isinstance(value, dict) and "kind" in value:
            kind = KINDS[checks.one_of("kind", value["kind"], KINDS)]
            return kind(**{k: self.decode(v) for k, v in value.items() if k != "kind"})
        if isinstance(value, dict):
            return self.array(value["array"])
        return value


class Archive(Held):
    """A result file, read with suspicion.

    Each array is in a file once. So all that are taken out of it, together, must not be larger than
    the file: one that many learners name counts as many times.
    """

    archive: zipfile.ZipFile
    size: int
    left: int
    sums: dict[str, str] | None

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.archive, self.size, self.left = archive, size, size
        self.sums = self._sums() if SUMS in archive.namelist() else None

    def member(self, name: str) -> zipfile.ZipInfo:
        """A member that is not larger than the file."""
        info = self.archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > self.size:
            raise ValueError(f"{name} is larger than the file")
        return info

    def _sums(self) -> dict[str, str]:
        """SHA-256 by member, of every other one."""
        lines = self.archive.read(self.member(SUMS)).decode().splitlines()
        sums = {name: sha for sha, _, name in (line.partition("  ") for line in lines)}
        names = self.archive.namelist()
        if len(names) != len(sums) + 1 or {*names} != {*sums, SUMS}:
            raise ValueError(f"{SUMS} must name every other member once")
        return sums

    def _check_sum(self, name: str, hashed: _Hashed) -> None:
        if self.sums is not None and hashed.sha.hexdigest() != self.sums[name]:
            raise ValueError(f"{name} was changed after it was written: its SHA-256 is another")

    def header(self) -> dict[str, Any]:
        """The header, if it is of a version that is read here."""
        with self.archive.open(self.member("header.json")) as member:
            hashed = _Hashed(member)
            header = json.loads(hashed.read())
        if not isinstance(header, dict):
            raise ValueError("the header is not an object")
        for name, oldest, newest in (("format", OLDEST, FORMAT), ("contract", 1, CONTRACT)):
            version = header[name]
            if type(version) is not int or not oldest <= version <= newest:
                reads = f"version {newest}" if oldest == newest else f"{oldest} to {newest}"
                raise ValueError(f"its {name} is version {version}, this fastgames reads {reads}")
        self._check_sum("header.json", hashed)
        if self.sums is None and header["format"] > OLDEST:
            raise ValueError(f"it lacks {SUMS!r}")
        return header

    def _array(self, name: str, dtype: str | None, shape: tuple[int, ...] | None) -> np.ndarray:
        info = self.member(f"{name}.npy")
        with self.archive.open(info) as file:
            member = _Hashed(file)
            found, kind = _array_header(member, name)
            _check_form(name, found, kind, shape, dtype)
            length = math.prod(found) * kind.itemsize
            self.left -= length
            if length > info.file_size or self.left < 0:
                raise ValueError(f"{name} and all before it are larger than the file")
            array = np.empty(found, kind)
            data, done = array.reshape(-1).view(np.uint8).data, 0
            while piece := member.read(min(CHUNK, length - done)):
                data[done : done + len(piece)] = piece
                done += len(piece)
            if done < length or member.read(1):  # at the end of a member its CRC is checked
                raise ValueError(f"{name} has not {length} bytes")
            self._check_sum(f"{name}.npy", member)
        return array


def _check_form(
    name: str,
    found: tuple[int, ...],
    kind: np.dtype[Any],
    shape: tuple[int, ...] | None,
    dtype: str | None,
) -> None:
    """Raise ValueError unless what was found has this shape and type; None: any."""
    if dtype is not None and kind != np.dtype(dtype):
        raise ValueError(f"{name} has type {kind}, not {dtype}")
    if shape is not None and found != shape:
        raise ValueError(f"{name} has shape {found}, not {shape}")


def _first(array: np.ndarray, bad: np.ndarray) -> tuple[Any, str]:
    """The first of the bad values, and where it is: the first axis has the replicas."""
    replica, *cell = (int(k) for k in np.argwhere(bad)[0])
    place = f" at [{', '.join(map(str, cell))}]" if cell else ""
    return array[(replica, *cell)], f"in replica {replica}{place}"


def _array_header(member: _Hashed, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array as `np.lib.format.write_array` writes them (format version 1.0).

    numpy's own reader is lenient where we need not be: it mends what Python 2 wrote, with warnings.
    """
    start = member.read(10)
    if start[:8] != b"\x93NUMPY\x01\x00" or len(start) < 10:
        raise ValueError(f"{name} is not an array")
    try:
        header = ast.literal_eval(member.read(int.from_bytes(start[8:], "little")).decode("ascii"))
        shape, kind = tuple(header["shape"]), np.dtype(TYPES[TYPES.index(header["descr"])])
        well = header["fortran_order"] is False and all(type(n) is int and n >= 0 for n in shape)
    except (SyntaxError, ValueError, TypeError, KeyError, MemoryError, RecursionError):
        well = False
    if not well:
        raise ValueError(f"{name} has no plain array header")
    return shape, kind


def load(
    path: str | Path,
    game: Game | None = None,
    learners: AnyLearner | Sequence[AnyLearner] | None = None,
) -> Result:
    """Read a result that `Result.save` wrote.

    Parameters
    ----------
    path : str or Path
        A regular file.
    game, learners : Game, learner or sequence of learners, optional
        As they were given to `run`; needed where they are made of functions of yours, which no file
        holds. They must be the same: source, constants, parameters.

    Returns
    -------
    Result

    Raises
    ------
    OSError
        If the file cannot be read.
    MemoryError
        If the file is larger than memory.
    ValueError
        If the file is not a result, is damaged, or is of another version.
    """
    given = learners if learners is None or isinstance(learners, Sequence) else (learners,)
    return read(path, lambda file: result_of(file, game, given))


def read(path: str | Path, use: Callable[[Archive], _T], argument: str = "path") -> _T:
    """What `use` makes of a file; whatever goes wrong within it is a ValueError."""
    path = Path(path)
    with open_regular(path, argument) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            # zipfile says of an error in reading the end of a file that it is no zip file.
            file.seek(max(0, size - 2**16))
            file.read(2**16)
            # Corrupt values may overflow during validation; silence the warnings.
            with zipfile.ZipFile(file) as archive, np.errstate(all="ignore"):
                _check_memory(path, size)
                return use(Archive(archive, size))
        except _GivenError as error:
            raise ValueError(f"{error} (reading {str(path)!r})") from None
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            ArithmeticError,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
            zipfile.BadZipFile,
        ) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:  # before the start
                error.filename = error.filename or str(path)
                raise
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"{argument} must be a result written by fastgames, {str(path)!r} is not: {reason}"
            ) from None


def _check_memory(path: Path, size: int) -> None:
    """Raise MemoryError if a file is larger than what is free: it may be one long hole."""
    if size > LITTLE:
        from fastgames._common.memory import available

        have = available()
        if have is not None and size > have:
            raise MemoryError(
                f"{str(path)!r} has {size / 2**30:,.1f} GiB, this machine has "
                f"{have / 2**30:,.1f} GiB of memory available"
            )


def result_of(
    file: Archive, given: Game | None = None, seats: Sequence[AnyLearner] | None = None
) -> Result:
    """The result in a file; given, seats: the game and the learners, where they are functions."""
    header = file.header()
    _check_given(header, given, seats)
    replicas = checks.whole("replicas", header["replicas"], 1)
    return _result(file, header, _game(file, header["game"], replicas, given), seats)


def _result(
    file: Held, header: dict[str, Any], game: Game, seats: Sequence[AnyLearner] | None
) -> Result:
    """The result of `game` that a header and arrays make; all of it is checked."""
    replicas = checks.whole("replicas", header["replicas"], 1)
    learners = tuple(_learner(file, x, i, seats) for i, x in enumerate(header["learners"]))
    if len(learners) != game.num_agents or len(header["tables"]) != game.num_agents:
        raise ValueError(f"it has {len(learners)} learners for {game.num_agents} agents")
    record = Record(**header["record"])
    stop = None if header["stop"] is None else Stable(**header["stop"])
    sweep = None if header["grid"] is None else _grid(header["grid"], replicas)
    dtype = checks.one_of("dtype", header["dtype"], DTYPES)
    stream = checks.one_of("stream", header["stream"], STREAMS)
    seed = header["seed"]
    if seed is not None:
        seed = checks.whole("seed", seed, 0, 2**64 - 1)
    spec = RunSpec(game, learners, replicas, dtype, stream, record, stop, grid=sweep)
    # Tables first: what learners start from may be as large, and only then is known to be there.
    seats_read = [
        _seat(file, f"state/{agent.agent}", names, agent)
        for agent, names in zip(spec.agents, header["tables"], strict=True)
    ]
    for agent, seat in zip(spec.agents, seats_read, strict=True):
        check_learner(spec, agent)
        for table in agent.rules.tables:
            if table.shared:
                seat.tables[table.name] = seats_read[agent.team[0]].tables[table.name]
    state = _state(file, spec, seats_read, header["generator"])
    snapshots = _snapshots(file, spec, seats_read)
    return Result(
        game, learners, record, seed, dtype, stream, snapshots, state, stop, sweep,
        header["contract"],
    )  # fmt: skip


def _grid(header: dict[str, Any], replicas: int) -> Grid:
    sweep = grid(repeats=header["repeats"], **dict(header["dims"]))
    if len(sweep) != replicas:
        raise ValueError(f"it has a grid of {len(sweep)} replicas, not {replicas}")
    return sweep


# --- games --------------------------------------------------------------------------------------


def _learner(file: Held, header: Any, agent: int, given: Sequence[AnyLearner] | None) -> AnyLearner:
    """A learner; one of functions must have been given."""
    if not (isinstance(header, dict) and "functions" in header):
        decoded: AnyLearner = file.decode(header)
        return decoded
    assert given is not None  # `_check_given`
    learner = given[agent if len(given) > 1 else 0]
    if not isinstance(learner, Learner) or _digest(learner._key()) != header["functions"]:
        raise _GivenError(
            f"learners[{agent}] must be the learner {header['name']!r} of the file: the same "
            f"source, constants, parameters and tables; got {learner!r}, which differs"
        )
    return learner


def _check_given(
    header: dict[str, Any], game: Game | None, learners: Sequence[AnyLearner] | None
) -> None:
    """Raise _GivenError unless the game and the learners that a file cannot hold were given."""
    lacks, seats = [], header["learners"]
    kind = header["game"]["kind"]
    if kind == "ProceduralGame" and header["game"]["made"] is None and game is None:
        lacks.append(("game", f"game {header['game']['name']!r}"))
    ours = [x["name"] for x in seats if isinstance(x, dict) and "functions" in x]
    if ours and learners is None:
        lacks.append(("learners", f"learner {ours[0]!r}"))
    if lacks:
        arguments, what = (" and ".join(words) for words in zip(*lacks, strict=True))
        call = ", ".join(f"{argument}=..." for argument, _ in lacks)
        raise _GivenError(
            f"{arguments} must be given as to run, got None: no file holds the functions of "
            f"{what}; call fastgames.load(path, {call})"
        )
    if ours and learners is not None and len(learners) not in (1, len(seats)):
        raise _GivenError(
            f"learners must be one, or one for each of {len(seats)} agents, got {len(learners)}"
        )


def _procedural(header: dict[str, Any], given: Game | None) -> Game:
    """A game of functions: the one given, or made anew by its name."""
    name, made = header["name"], header["made"]
    if given is None and made is not None:
        from fastgames.games.registry import CATALOGUE, make_again

        # Before it is made: other games are tables, of any size that a file asks for.
        if CATALOGUE[made[0]].__annotations__["return"] != "ProceduralGame":
            raise ValueError(f"{made[0]!r} is no game of functions")
        given = make_again(made[0], made[1])
        if not _is_game_of(header, given):
            raise _GivenError(
                f"game must be given: {made[0]!r} of the catalogue is not the game of the file, "
                "which another version of fastgames wrote"
            )
    if given is None or not _is_game_of(header, given):
        raise _GivenError(
            f"game must be the game {name!r} of the file: the same source, constants and "
            f"parameters; got {given!r}, which differs"
        )
    return given


def _is_game_of(header: dict[str, Any], game: Game) -> bool:
    return isinstance(game, ProceduralGame) and _digest(game._key()) == header["functions"]


def _game(file: Archive, header: dict[str, Any], replicas: int, given: Game | None) -> Game:
    if header["kind"] == "ProceduralGame":
        return _procedural(header, given)
    rewards = file.array("game/rewards", "float64")
    actions = header["actions"]
    kind = checks.one_of("kind of game", header["kind"], ("MatrixGame", "MarkovGame"))
    labels = [
        {"name": name, "source": source}
        for name, source in zip(header["names"], header["sources"], strict=True)
    ]
    if rewards.ndim != 4 or rewards.shape[1] != len(labels) or not labels:
        raise ValueError(f"game/rewards have shape {rewards.shape} for {len(labels)} games")
    agents, count, states, _ = rewards.shape
    shape = tuple(map(len, actions))
    games: list[Any]
    if kind == "MatrixGame":
        payoffs = rewards.reshape(agents, count, *shape)
        games = [MatrixGame(payoffs[:, v], actions=actions, **labels[v]) for v in range(count)]
    else:
        table = rewards[:, 0].reshape(agents, states, *shape)
        first = _markov_game(file, header, table, labels[0])
        games = [first, *_others(first, rewards, labels)]
    if not header["variants"]:
        if len(games) != 1:
            raise ValueError(f"it has {len(games)} games that are no variants")
        only: Game = games[0]
        return only
    return Variants(games, file.array("game/index", "int64", (replicas,)))


def _markov_game(
    file: Archive, header: dict[str, Any], rewards: np.ndarray, labels: dict[str, str]
) -> MarkovGame:
    states = checks.whole("states", header["states"], 1)
    if rewards.shape[1] == 1:
        rewards = np.broadcast_to(rewards, (len(rewards), states, *rewards.shape[2:]))
    kind = checks.one_of("moves", header["moves"], ("Sum", "Table", "Sparse"))
    moves: Any
    if kind == "Sum":
        moves = Sum(*(file.array(f"game/moves/{x}", "int32") for x in ("from_state", "from_joint")))
    elif kind == "Table":
        moves = file.array("game/moves/next", "int32").reshape(states, *rewards.shape[2:])
    else:
        moves = _sparse(file, states)
    some = {"start_weights": "float64", "terminal": "u1", "observations": "int32", "turns": "u1"}
    held = {name: file.array(f"game/{name}", some[name]) for name in header["held"]}
    flags = {name: held[name].astype(np.bool_) for name in ("terminal", "turns") if name in held}
    game = MarkovGame(
        rewards,
        moves,
        header["discount"],
        held.get("start_weights", header["start"]),
        flags.get("terminal"),
        held.get("observations"),
        turns=flags.get("turns"),
        time_limit=header["time_limit"],
        actions=header["actions"],
        **labels,
    )
    game._dense = kind == "Sparse" and header["dense"] is True  # in what form they were given
    return game


def _sparse(file: Archive, states: int) -> Sparse:
    indices = file.array("game/moves/indices", "int32")
    indptr = file.array("game/moves/indptr", "int64")
    data = file.array("game/moves/data", "float64", indices.shape)
    ends = indptr.ravel()[[0, -1]].tolist()
    if indptr.ndim != 1 or ends != [0, len(indices)] or (np.diff(indptr) < 0).any():
        raise ValueError("game/moves/indptr does not cut the entries into rows")
    return Sparse(indptr, indices, data, (len(indptr) - 1, states))


def _others(
    first: MarkovGame, rewards: np.ndarray, labels: list[dict[str, str]]
) -> list[MarkovGame]:
    """The variants after the first game, which share with it all but rewards, name and source.

    Not made by the constructor, which would copy what is shared: many times what the file holds.
    """
    if not np.isfinite(rewards).all():
        raise ValueError("game/rewards are not finite")
    games = []
    for v, label in enumerate(labels[1:], 1):
        if not all(isinstance(text, str) for text in label.values()):
            raise TypeError("a game has a name or a source that is no text")
        each = rewards[:, v : v + 1].copy()
        each.setflags(write=False)
        game = copy.copy(first)
        game._compact = replace(first.compact, rewards=each)
        game._name, game._source = label["name"], label["source"]
        games.append(game)
    return games


# --- states -------------------------------------------------------------------------------------


def _arrays(file: Held, kind: type, spec: RunSpec | AgentSpec, where: str) -> dict[str, np.ndarray]:
    """Return the arrays that a run holds of a kind, each checked against its declaration."""
    return {
        each.name: file.array(
            f"{where}/{each.name}", each.type(spec).name, each.shape(spec), each.bounds(spec)
        )
        for each in declared(kind)
        if each.present(spec)
    }


def _seat(file: Held, where: str, names: list[str], agent: AgentSpec) -> Seat:
    learner, replicas, dtype = agent.learner, agent.replicas, agent.dtype
    tables = {}
    known = {table.name: table for table in agent.rules.tables}
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{where} has a table with the name {name!r}")
        kind, size = None, None
        if name in known:
            size = (replicas, *agent.shape(known[name]))
            kind = known[name].dtype(dtype)
        tables[name] = array = _table(file, _place(where, name), kind, size, dtype, replicas)
        counts = name in known and not isinstance(learner, Learner)  # what the library counts
        _check_table(f"tables[{agent.agent}][{name!r}]", array, counts)
    for name, table in known.items() if learner.learns else ():
        if name not in tables and not (table.shared and not agent.first):
            raise ValueError(f"{where} has no table {name!r}")
    if not learner.learns:
        start = agent.starts[learner.table].astype(dtype)
        shape = (replicas, agent.observations, agent.actions)
        tables[learner.table] = np.broadcast_to(start, shape)
    recurrence = {}
    for name in agent.exponentials:
        v = recurrence[name] = file.array(f"{where}/recurrence/{name}", "float64", (replicas,))
        if not ((v >= 0.0) & (v <= agent.schedules[name][1][0])).all():
            raise ValueError(f"{where}/recurrence/{name} is not between 0 and its start")
    pending = None
    if agent.waits:
        pending = Pending(**_arrays(file, Pending, agent, f"{where}/pending"))
    arrays = _arrays(file, Seat, agent, where)
    return Seat(
        learner=learner,
        schedules=agent.schedules,
        tables=tables,
        recurrence=recurrence,
        pending=pending,
        **arrays,
    )


def _table(
    file: Held,
    name: str,
    kind: np.dtype[Any] | None,
    shape: tuple[int, ...] | None,
    dtype: str,
    replicas: int,
) -> np.ndarray:
    """A table; of one that no learner knows any more, kind and shape are not said."""
    array = file.array(name, None if kind is None else kind.name, shape)
    if len(array) != replicas or array.dtype not in (np.dtype(dtype), np.dtype("int64")):
        raise ValueError(f"{name} has shape {array.shape}, type {array.dtype}")
    return array


def _check_table(name: str, array: np.ndarray, counts: bool) -> None:
    """Raise ValueError unless a table is finite and, if its whole numbers are counts, in range."""
    if not array.size:
        return
    low, high = array.min(), array.max()
    if array.dtype.kind == "f" and not np.isfinite([low, high]).all():
        value, place = _first(array, ~np.isfinite(array))
        raise ValueError(f"{name} must be finite, got {value} {place}")
    if array.dtype.kind == "i" and counts and not 0 <= low <= high <= MOST_STEPS:
        value, place = _first(array, (array < 0) | (array > MOST_STEPS))
        raise ValueError(f"{name} must be in [0, {MOST_STEPS}], got {value} {place}")


def _state(file: Held, spec: RunSpec, seats: list[Seat], generator: Any) -> State:
    arrays = _arrays(file, State, spec, "state")
    states, terminal = arrays["states"], spec.game.compact.terminal
    if spec.stream == "fastgames":
        if not arrays["streams"].any(axis=-1).all():
            raise ValueError("state/streams has a state of zeros")
        generator = None
    else:
        generator_of(generator)
    if isinstance(spec.game, ProceduralGame):
        check_states(spec.game, states)
        check_observations(spec.game, states)
    if terminal is not None and terminal[states].any():
        raise ValueError("state/states has a terminal state")
    return State(seats=seats, generator=generator, **arrays)


def _snapshots(file: Held, spec: RunSpec, seats: list[Seat]) -> Snapshots | None:
    record = spec.record
    if record.every is None:
        return None
    steps = file.array("snapshots/steps", "int64", within=(0, MOST_STEPS))
    if steps.ndim != 1:
        raise ValueError(f"snapshots/steps has shape {steps.shape}")
    tables = [
        {
            name: file.array(
                f"snapshots/tables/{i}/{name}",
                seat.tables[name].dtype.name,
                (len(steps), *seat.tables[name].shape),
            )
            for name in record.tables
            if name in seat.tables
        }
        for i, seat in enumerate(seats)
    ]
    kinds: dict[str, Any] = {}
    for kind in KINDS_OF_SNAPSHOTS:
        kinds[kind.name] = None
        if getattr(record, kind.name):
            kinds[kind.name] = [
                file.array(
                    f"snapshots/{kind.name}/{agent.agent}",
                    kind.dtype,
                    (len(steps), spec.replicas, *kind.dims(agent)),
                    kind.bounds(agent),
                )
                for agent in spec.agents
            ]
    return Snapshots(steps, tables, **kinds)
