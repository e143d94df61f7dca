"""Files of arrays: one zip of plain .npy arrays and a JSON header, written whole or not at all.

A file is never trusted: nothing in it is executed, and no array is allocated before its size has
been held against the size of the file.

The member "sha256sums" has the SHA-256 of every other member, as the program sha256sum prints them.
It finds damage, and changes made by somebody who did not also change the sums. It does not protect
from a forger, who can compute them anew: there is no secret in them. Files of format 2 have no
sums; of those only the CRC of each member is checked.
"""

import ast
import errno
import hashlib
import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from fastgames._common.checks import LITTLE
from fastgames.engine.state import CONTRACT
from fastgames.io.files import open_regular, replacing

FORMAT = 3
OLDEST = 2  # the oldest format that is read; it has no sums
SUMS = "sha256sums"
TYPES = ("<f8", "<f4", "<i8", "<i4", "<u4", "|u1")
CHUNK = 2**20  # bytes read at a time

_T = TypeVar("_T")


class GivenError(Exception):
    """The file is a result, but not of the game or the learners that were given."""


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
    """Return an array or a scalar of NumPy as JSON can write it."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.integer):
        return int(value)
    raise TypeError(f"cannot be written: {value!r}")


class Held:
    """The arrays of a file that will be written, by name, checked as they are taken out."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays

    def array(
        self,
        name: str,
        dtype: str | None = None,
        shape: tuple[int, ...] | None = None,
        within: tuple[float, float] | None = None,
    ) -> np.ndarray:
        """Return the array `name`; raise unless dtype, shape and the range of values fit."""
        array = self._array(name, dtype, shape)
        if within is not None and array.size:
            low, high = within
            if not (array.min() >= low and array.max() <= high):  # nan is in no range
                value, place = first(array, ~((array >= low) & (array <= high)))
                raise ValueError(f"{name} must be in [{low}, {high}], got {value} {place}")
        return array

    def _array(self, name: str, dtype: str | None, shape: tuple[int, ...] | None) -> np.ndarray:
        array = self.arrays[name]
        if array.dtype.str not in TYPES:
            raise ValueError(f"{name} must have one of the types {TYPES}, got {array.dtype}")
        _check_form(name, array.shape, array.dtype, shape, dtype)
        return array


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
        """Return the entry of a member; raise if it is larger than the file."""
        info = self.archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > self.size:
            raise ValueError(f"{name} is larger than the file")
        return info

    def _sums(self) -> dict[str, str]:
        """Return the SHA-256 of every other member, by name."""
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
        """Return the header; raise if it is of a version that cannot be read."""
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


def first(array: np.ndarray, bad: np.ndarray) -> tuple[Any, str]:
    """Return the first of the bad values and its place in words; the first axis is the replicas."""
    replica, *cell = (int(k) for k in np.argwhere(bad)[0])
    place = f" at [{', '.join(map(str, cell))}]" if cell else ""
    return array[(replica, *cell)], f"in replica {replica}{place}"


def _array_header(member: _Hashed, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type that `np.lib.format.write_array` has written (format version 1.0).

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


def read(path: str | Path, use: Callable[[Archive], _T], argument: str = "path") -> _T:
    """Return `use(archive)` for a file; whatever goes wrong within it raises ValueError."""
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
        except GivenError as error:
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
