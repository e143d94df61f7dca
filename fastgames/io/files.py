"""Files written whole or not at all, and files opened to be read.

Every file of the package is written by `replacing`: results, checkpoints, tables and pictures.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

_KINDS = {
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a new binary file that takes the place of `path` once it is complete.

    If the block raises, `path` is as it was and the new file is gone. A symbolic link is followed:
    the file that it points to is replaced. A device or a pipe is never replaced: what was written
    goes through it once it is complete.

    Parameters
    ----------
    path : str or path
        A regular file, a link to one, a character device, a pipe that somebody reads, or nothing.

    Raises
    ------
    ValueError
        If `path` is anything else: a block device, a socket.
    OSError
        If the file cannot be written.
    """
    if _is_sink(path):
        with _through(path) as file:
            yield file
        return
    _check_replaceable(path)
    target = Path(os.path.realpath(path))  # as it is now, even if the directory changes
    remove_unfinished(target)
    temporary, file = _temporary(target)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:  # while the lock holds, so that nobody takes it for a leftover
                os.replace(temporary, target)
        if fcntl is None:
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError or ValueError if `replacing` could not begin to write `path`."""
    if _is_sink(path):
        return
    _check_replaceable(path)
    temporary, file = _temporary(Path(os.path.realpath(path)))
    file.close()
    os.unlink(temporary)


def _check_replaceable(path: str | os.PathLike[str]) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    check_regular(path, "path")


def remove_unfinished(target: Path) -> None:
    """Remove the temporary files that killed processes left beside `target`.

    A process that still writes holds a lock on its file, which the kernel drops when it dies.
    """
    pattern = re.compile(re.escape(f".{target.name}.") + r"[0-9a-f]{16}\.part")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_unlocked(entry.path)


def _remove_unlocked(path: str) -> None:
    """Remove a temporary file; OSError if a process still has it."""
    if fcntl is None:
        os.unlink(path)
        return
    with open(path, "r+b") as file:  # for writing: over NFS a lock needs that
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)


def open_regular(path: str | os.PathLike[str], argument: str = "path") -> BinaryIO:
    """Open a regular file for reading; ValueError for a device, a pipe or a socket.

    Raises OSError if the file cannot be opened, as for a directory.
    """
    _check_kind(os.stat(path).st_mode, path, argument)  # to open a device may have effects
    # Whatever has taken its place since is opened without waiting, and looked at again.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = open(path, "rb", opener=lambda name, _: os.open(name, flags))  # noqa: SIM115
    try:
        _check_kind(os.fstat(file.fileno()).st_mode, path, argument)
    except BaseException:
        file.close()
        raise
    return file


def check_regular(path: str | os.PathLike[str], argument: str) -> None:
    """Raise ValueError if there is something at `path` that is no regular file."""
    with contextlib.suppress(FileNotFoundError):
        _check_kind(os.stat(path).st_mode, path, argument)


def _check_kind(mode: int, path: str | os.PathLike[str], argument: str) -> None:
    kind = stat.S_IFMT(mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):  # open() says what is wrong with a directory
        raise ValueError(
            f"{argument} must be a regular file, got {os.fspath(path)!r}, "
            f"which is {_KINDS.get(kind, 'something else')}"
        )


def _is_sink(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is a character device or a pipe; links are followed."""
    try:
        return stat.S_IFMT(os.stat(path).st_mode) in (stat.S_IFCHR, stat.S_IFIFO)
    except FileNotFoundError:
        return False


def _temporary(target: Path) -> tuple[Path, BinaryIO]:
    """Create and lock a new file beside `target`; its mode is that of any file of the user's."""
    while True:
        temporary = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
        file = open(temporary, "xb")  # noqa: SIM115
        if fcntl is not None:
            with contextlib.suppress(OSError):  # not every file system has locks
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        if temporary.exists():  # else another process took it for a leftover before the lock
            return temporary, file
        file.close()


@contextlib.contextmanager
def _through(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a temporary file, written through the device or pipe at `path` once it is complete."""
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        # A pipe that nobody reads would block for ever; so opened, it is an error.
        sink = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        with open(sink, "wb") as out:
            if hasattr(os, "set_blocking"):
                os.set_blocking(sink, True)
            shutil.copyfileobj(file, out)
