"""What Numba has compiled, kept on disk for the next process.

Numba's own `cache=True` looks at one source file. These functions are made of several: a pass of
its text, of the rules in it, and of all that they call and name. So a file here is named by a
digest of all that decides its contents, and is never out of date; it begins with a digest of them,
and one that is damaged is not read. Where there is no directory, or it cannot be written, nothing
is kept, and nothing fails.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import pickle
import platform
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite  # type: ignore[import-untyped]
import numba
import numpy as np
from numba import types
from numba.core import config
from numba.core.bytecode import FunctionIdentity
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.core.typing.templates import Signature

from fastgames._common.version import __version__
from fastgames.compiler.compile import OPTIONS
from fastgames.functions.source import Source, frozen, is_dispatcher

MOST_FILES = 1000  # of some 60 kB each: beyond, the quarter that was not used for longest goes
_DIGEST = hashlib.sha256().digest_size
_HEAD = b"fastgames compiled 3\n"  # of files; also part of their names, so others are never read


def _number_apart() -> None:
    """Let this process number what Numba compiles from a number that no other process has.

    Numba names the symbols of compiled code by the function's name, its number in this process and
    its types, and of two symbols of one name LLVM takes the first that was loaded. All our passes
    have the same names and types: with Numba's own numbers, which begin at 1 in every process, code
    from disk would be exchanged for other code that this process made under the same number.
    """
    FunctionIdentity._unique_ids = itertools.count(secrets.randbits(64))


_number_apart()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_number_apart)


def _how() -> str:
    """All that decides what is compiled besides the functions: versions, and how we compile."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    above = [here.parent / "functions" / name for name in ("promotion.py", "source.py")]
    for file in [*sorted(here.glob("*.py")), *above]:
        digest.update(file.read_bytes())
    versions = (__version__, numba.__version__, llvmlite.__version__, np.__version__)
    python = (platform.python_implementation(), sys.version_info[:3])
    return repr((_HEAD, versions, python, digest.hexdigest()))


_HOW = _how()


def directory() -> Path | None:
    """Where compiled functions are kept; None where they are not.

    $FASTGAMES_CACHE_DIR (empty: nowhere), else "fastgames" in $NUMBA_CACHE_DIR, else in what the
    platform has for caches: $XDG_CACHE_HOME or ~/.cache, ~/Library/Caches, %LOCALAPPDATA%. It is
    not used where others may write to it, or to a directory above it that is not sticky.
    """
    given = os.environ.get("FASTGAMES_CACHE_DIR")
    if given is not None:
        return Path(given).absolute() if given else None
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR).absolute() / "fastgames"
    with contextlib.suppress(RuntimeError):  # nobody's home
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "fastgames"
        name = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
        root = os.environ.get(name, "")
        return (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "fastgames"
    return None


class Kept:
    """A function's compiled forms on disk, in the place of Numba's own cache of it.

    what: tells the function from every other one; None: it is not kept
    """

    cache_path = None

    def __init__(self, what: str | None) -> None:
        self._what = what

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return what was compiled for a signature, or None."""
        name = self._name(signature)
        data = None if name is None else _read(name)
        if data is None:
            return None
        if data[: len(_HEAD)] != _HEAD:
            return None
        digest, payload = data[len(_HEAD) : len(_HEAD) + _DIGEST], data[len(_HEAD) + _DIGEST :]
        if hashlib.sha256(payload).digest() != digest:
            return None
        try:
            context.refresh()
            return CompileResult._rebuild(context, *pickle.loads(payload))
        except Exception:  # it names a module that is not there in this process
            return None

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep what was compiled for a signature."""
        name = self._name(signature)
        if name is None or made.lifted or made.library.has_dynamic_globals:
            return
        try:
            payload = dumps(made._reduce())
        except Exception:  # there is something in it that cannot be kept
            return
        with contextlib.suppress(OSError):
            _write(name, _HEAD + hashlib.sha256(payload).digest() + payload)

    def _name(self, signature: Any) -> str | None:
        """The file of a signature."""
        text = described(signature)
        if self._what is None or text is None:
            return None
        cpu = cpu_target.target_context.codegen().magic_tuple()
        digest = hashlib.sha256(repr((self._what, text, cpu, _HOW)).encode())
        return f"{digest.hexdigest()[:40]}.bin"

    def enable(self) -> None:
        """Numba asks for it."""

    disable = flush = enable


class Live(Kept):
    """The same for a function of the user's, which may read something else by the time it compiles.

    Whenever Numba is about to compile it for a signature, it is copied with all that it reads then;
    the copy is compiled, and kept under its digest.

    function: of Numba; what: its options
    """

    def __init__(self, function: Any, what: Any) -> None:
        super().__init__(None)
        self._options, self._function = what, function.py_func
        self._compiler = function._compiler
        self._asked: dict[Any, str | None] = {}  # by signature: what it was when it was asked for

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return what was compiled for a signature of what the function is now, or None."""
        (self._compiler.py_func,) = copies = frozen(self._function)
        source = Source(*copies)
        self._what = None if source.unknown else repr((self._options, source.loaded))
        self._asked[signature] = self._what
        return super().load_overload(signature, context)

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep what was compiled for a signature."""
        self._what = self._asked.pop(signature)
        super().save_overload(signature, made)


# --- the directory --------------------------------------------------------------------------------


class _Directory:
    """The directory where compiled functions are kept, open: for a `with` statement.

    What is loaded from there is run, so nobody else may be able to write to it. It is opened once;
    its owner and mode are those of what is open, and files are opened relative to it, so it makes
    no difference who renames it, or puts another one in its place, meanwhile. Windows has other
    means; there files go by their paths.

    Raises OSError where there is no such directory, or others may write to it.
    """

    def __init__(self, create: bool) -> None:
        root = directory()
        if root is None:
            raise FileNotFoundError("compiled functions are not kept")
        if create:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.fd: int | None = None
        self._prefix = f"{root}{os.sep}"
        if os.name != "nt":
            self._open(os.path.realpath(root))

    def _open(self, root: str) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        self.fd = os.open(root, flags)
        try:
            _check_owner(root, os.fstat(self.fd))
            for parent in Path(root).parents:
                _check_owner(str(parent), parent.lstat(), parent=True)
        except BaseException:
            os.close(self.fd)
            raise
        self._prefix = ""

    def open(self, name: str, flags: int) -> int:
        """Open a file in it, for its owner only where it is new."""
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # it may be a pipe
        return os.open(self._prefix + name, flags, 0o600, dir_fd=self.fd)

    def replace(self, name: str, new: str) -> None:
        """Rename a file in it."""
        os.replace(self._prefix + name, self._prefix + new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        """Remove a file from it."""
        os.unlink(self._prefix + name, dir_fd=self.fd)

    def names(self) -> list[str]:
        """The names of all files in it."""
        return os.listdir(self._prefix if self.fd is None else self.fd)

    def used(self, name: str) -> float:
        """When a file in it was used last."""
        return os.stat(self._prefix + name, dir_fd=self.fd, follow_symlinks=False).st_mtime

    def __enter__(self) -> _Directory:
        return self

    def __exit__(self, *error: object) -> None:
        if self.fd is not None:
            os.close(self.fd)


def _check_owner(path: str, found: os.stat_result, parent: bool = False) -> None:
    """Raise PermissionError unless a file or directory is out of the reach of others.

    It must belong to this user or to root, and others must not be able to write to it. Of a
    directory above (parent), whoever can write to it could rename what is in it, unless it has the
    sticky bit, as /tmp has; and a group of which the user is the only member is nobody else.
    """
    mode = found.st_mode
    others = mode & 0o022
    if parent and (mode & stat.S_ISVTX or (others == 0o020 and _is_own_group(found.st_gid))):
        others = 0
    if found.st_uid not in (0, os.geteuid()) or others:
        raise PermissionError(f"others may write to {path}")


def _is_own_group(group: int) -> bool:
    """Return whether a group is this user's private one: same name, no other member."""
    import grp
    import pwd

    user = os.geteuid()
    with contextlib.suppress(KeyError):
        name, members = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
        return user != 0 and members.gr_name == name and set(members.gr_mem) <= {name}
    return False


def _read(name: str) -> bytes | None:
    """Return the bytes of a file of the directory, or None if it is not there or not ours."""
    try:
        with _Directory(create=False) as place, open(place.open(name, os.O_RDONLY), "rb") as file:
            found = os.fstat(file.fileno())
            if os.name != "nt":
                _check_owner(name, found)
            if not stat.S_ISREG(found.st_mode):
                return None
            with contextlib.suppress(OSError, TypeError):  # Windows has paths only
                os.utime(file.fileno() if os.name != "nt" else place._prefix + name)
            return file.read()
    except OSError:
        return None


def _write(name: str, data: bytes) -> None:
    """Write a file whole, or not at all; leave room for it."""
    with _Directory(create=True) as place:
        temporary = f"{secrets.token_hex(16)}.tmp"
        try:
            with open(place.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                file.write(data)
            place.replace(temporary, name)
        except BaseException:
            with contextlib.suppress(OSError):
                place.unlink(temporary)
            raise
        names = place.names()
        if len(names) > MOST_FILES:
            _drop(place, names, len(names) - MOST_FILES * 3 // 4)


def _drop(place: _Directory, names: list[str], count: int) -> None:
    """Remove the files that were not used for longest, of ours."""
    found = []
    for name in names:
        with contextlib.suppress(OSError):  # another process was faster
            if name.endswith((".bin", ".tmp")):
                found.append((place.used(name), name))
    for _, name in sorted(found)[:count]:
        with contextlib.suppress(OSError):
            place.unlink(name)


def described(kind: Any) -> str | None:
    """Types in words that mean the same in every process; None where there are no such words."""
    if isinstance(kind, types.BaseTuple):
        parts = [described(x) for x in kind]
        if None in parts:
            return None
        made_as = getattr(kind, "instance_class", tuple)
        fields = getattr(made_as, "_fields", "")
        return f"{made_as.__module__}.{made_as.__qualname__}{fields}({', '.join(map(str, parts))})"
    if isinstance(kind, Signature):
        return described((kind.return_type, *kind.args))
    if isinstance(kind, tuple):
        parts = [described(x) for x in kind]
        return None if None in parts else repr(parts)
    plain = isinstance(kind, types.Number | types.Boolean | types.NumberClass | types.NoneType)
    plain = plain or (
        isinstance(kind, types.Omitted) and isinstance(kind.value, bool | int | float)
    )
    pointer = isinstance(kind, types.CPointer | types.Array)
    if plain or (pointer and isinstance(kind.dtype, types.Number | types.Boolean)):
        return str(kind)
    return None


def keep(function: Any, what: Any, digest: str | None) -> Any:
    """Let a function's compiled forms be kept on disk, and return it, not yet compiled.

    function: of Numba, made of frozen functions
    what: its text, its options: all that decides what it is, besides
    digest: that of the frozen functions; None: it is not kept
    """
    if digest is not None:
        function._cache = Kept(repr((what, digest)))
    return function


def cfunc(
    function: Callable[..., Any],
    signature: Any,
    options: dict[str, Any],
    what: Any,
    digest: str | None,
) -> Any:
    """`numba.cfunc` of a function, compiled or from disk; `what`, `digest`: as for `keep`."""
    made = CFunc(function, normalize_signature(signature), locals={}, options=options)
    keep(made, (what, sorted(options.items())), digest).compile()
    return made


def njit(function: Callable[..., Any] | None = None, *, cache: bool = True, **options: Any) -> Any:
    """`numba.njit` for loops that call rules, with the rules' own options, and kept on disk.

    The options are `OPTIONS` of fastgames.compiler.compile (division as NumPy has it, no fast-math)
    unless given otherwise. What is compiled is found again in the next process for as long as the
    function, all functions that it calls (those of fastgames and your own) and all constants that
    they read are the same: unlike `numba.njit(cache=True)`, which looks at the one file of the
    function, and would go on with the old rules after an upgrade of fastgames. Constants are those
    of the first call with arguments of these types, in helpers that Numba compiles too. A function
    that takes functions as arguments, or reads something that has no digest (a dictionary, say), is
    compiled in every process.

    function: in the subset of Python that Numba compiles; not given, this returns a decorator.
    cache: whether it is kept on disk. options: others of numba.njit
    """
    if function is None:
        return functools.partial(njit, cache=cache, **options)
    given = {**OPTIONS, **options}
    made = numba.njit(**given)(function)
    if cache and is_dispatcher(made):  # else NUMBA_DISABLE_JIT is set
        made._cache = Live(made, ("njit", sorted(given.items())))
    return made
