"""Disk cache of compiled functions, shared by processes.

Numba's own `cache=True` checks one source file. The functions here depend on several: a pass
depends on its text, its rules, and everything that these call and read. The name of a cache file is
therefore a digest of everything that determines its contents, and a file is never out of date. A
file begins with a digest of its contents, and damaged files are ignored. If the directory is
missing or not writable, nothing is cached, and a process warns of it once.
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
import warnings
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
from fastgames.functions.frozen import frozen
from fastgames.functions.graph import is_dispatcher
from fastgames.functions.source import Source

MOST_FILES = 1000  # of about 60 kB each; if exceeded, the least recently used quarter is removed
_DIGEST = hashlib.sha256().digest_size
_HEAD = b"fastgames compiled 3\n"  # file header; part of the names, so other formats are not read


def _number_apart() -> None:
    """Start Numba's function counter at a random number, which is unique to this process.

    Numba builds symbol names from the function's name, its number in this process and its types.
    If two symbols have the same name, LLVM uses the one loaded first. All passes have the same
    names and types, so with Numba's own numbers, which start at 1 in every process, code loaded
    from disk could be replaced by other code that this process compiled under the same number.
    """
    FunctionIdentity._unique_ids = itertools.count(secrets.randbits(64))


_number_apart()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_number_apart)


def _how() -> str:
    """Return a text of the versions and compiler sources, which also determine compiled code."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    names = "digests.py", "frozen.py", "graph.py", "promotion.py", "source.py"
    above = [here.parent / "functions" / name for name in names]
    for file in [*sorted(here.glob("*.py")), *above]:
        digest.update(file.read_bytes())
    versions = (__version__, numba.__version__, llvmlite.__version__, np.__version__)
    python = (platform.python_implementation(), sys.version_info[:3])
    return repr((_HEAD, versions, python, digest.hexdigest()))


_HOW = _how()


def directory() -> Path | None:
    """Return the cache directory, or None if caching is off.

    The directory is $FASTGAMES_CACHE_DIR (empty: caching is off), else "fastgames" in
    $NUMBA_CACHE_DIR, else "fastgames" in the platform's cache directory: $XDG_CACHE_HOME or
    ~/.cache, ~/Library/Caches, %LOCALAPPDATA%. It is ignored if other users may write to it, or to
    a parent directory without the sticky bit.
    """
    given = os.environ.get("FASTGAMES_CACHE_DIR")
    if given is not None:
        return Path(given).absolute() if given else None
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR).absolute() / "fastgames"
    with contextlib.suppress(RuntimeError):  # the user has no home directory
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "fastgames"
        name = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
        root = os.environ.get(name, "")
        return (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "fastgames"
    return None


class Kept:
    """The compiled forms of a function on disk; replaces Numba's cache of the function.

    what: a text that identifies the function; None: it is not cached
    """

    cache_path = None

    def __init__(self, what: str | None) -> None:
        self._what = what

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the compiled form for a signature, or None if it is not cached."""
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
        except Exception:  # it refers to a module that this process cannot import
            return None

    def save_overload(self, signature: Any, made: Any) -> None:
        """Store the compiled form for a signature, if it can be stored."""
        name = self._name(signature)
        if name is None or made.lifted or made.library.has_dynamic_globals:
            return
        try:
            payload = dumps(made._reduce())
        except Exception:  # it holds an object that cannot be pickled
            return
        if directory() is None:
            return
        try:
            _write(name, _HEAD + hashlib.sha256(payload).digest() + payload)
        except OSError as error:
            _warn_once(error)

    def _name(self, signature: Any) -> str | None:
        """Return the name of the file for a signature, or None if it is not cached."""
        text = described(signature)
        if self._what is None or text is None:
            return None
        cpu = cpu_target.target_context.codegen().magic_tuple()
        digest = hashlib.sha256(repr((self._what, text, cpu, _HOW)).encode())
        return f"{digest.hexdigest()[:40]}.bin"

    def enable(self) -> None:
        """Do nothing; part of the interface of Numba's caches."""

    disable = flush = enable


class Live(Kept):
    """The disk cache of a user's function, whose globals may change before it is compiled.

    Whenever Numba is about to compile the function for a signature, the function is copied with
    everything that it reads at that time. The copy is compiled and stored under its digest.

    function: a Numba dispatcher; what: its options
    """

    def __init__(self, function: Any, what: Any) -> None:
        super().__init__(None)
        self._options, self._function = what, function.py_func
        self._compiler = function._compiler
        self._asked: dict[Any, str | None] = {}  # signature -> identity at `load_overload`

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the compiled form of the function as it is now for a signature, or None."""
        (self._compiler.py_func,) = copies = frozen(self._function)
        source = Source(*copies)
        self._what = None if source.unknown else repr((self._options, source.loaded))
        self._asked[signature] = self._what
        return super().load_overload(signature, context)

    def save_overload(self, signature: Any, made: Any) -> None:
        """Store the compiled form for a signature."""
        self._what = self._asked.pop(signature)
        super().save_overload(signature, made)


# --- the directory --------------------------------------------------------------------------------


class _Directory:
    """The open cache directory; a context manager.

    Files from the directory are executed, so no other user may be able to write to it. It is opened
    once, its owner and mode are checked on the open descriptor, and files are opened relative to
    that descriptor. Renaming or replacing the directory meanwhile therefore has no effect. Windows
    has no such calls; files are opened by path there.

    Raises OSError if the directory does not exist or other users may write to it.
    """

    def __init__(self, create: bool) -> None:
        root = directory()
        if root is None:
            raise FileNotFoundError("the cache directory must be set, got None")
        if create:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.fd: int | None = None
        self._prefix = f"{root}{os.sep}"
        if os.name != "nt":
            self._open(os.path.realpath(root))

    def _open(self, root: str) -> None:
        """Open the directory and check its owner and mode, and those of its parents."""
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
        """Return the descriptor of a file in it; new files get mode 0600."""
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # pipes must not block
        return os.open(self._prefix + name, flags, 0o600, dir_fd=self.fd)

    def replace(self, name: str, new: str) -> None:
        """Rename a file in it."""
        os.replace(self._prefix + name, self._prefix + new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        """Remove a file from it."""
        os.unlink(self._prefix + name, dir_fd=self.fd)

    def names(self) -> list[str]:
        """Return the names of all files in it."""
        return os.listdir(self._prefix if self.fd is None else self.fd)

    def used(self, name: str) -> float:
        """Return the time at which a file in it was last used, in seconds since the epoch."""
        return os.stat(self._prefix + name, dir_fd=self.fd, follow_symlinks=False).st_mtime

    def __enter__(self) -> _Directory:
        return self

    def __exit__(self, *error: object) -> None:
        if self.fd is not None:
            os.close(self.fd)


def _check_owner(path: str, found: os.stat_result, parent: bool = False) -> None:
    """Raise PermissionError if other users may write to a file or directory.

    It must belong to this user or to root, and no other user may have write permission. In a parent
    directory (`parent`), write permission allows renaming its entries, unless the sticky bit is
    set, as it is for /tmp. A group whose only member is this user does not count as other users.
    """
    mode = found.st_mode
    others = mode & 0o022
    if parent and (mode & stat.S_ISVTX or (others == 0o020 and _is_own_group(found.st_gid))):
        others = 0
    if found.st_uid not in (0, os.geteuid()) or others:
        raise PermissionError(
            f"{path} must be writable by its owner only, got mode {mode & 0o7777:o} and owner "
            f"{found.st_uid}"
        )


def _is_own_group(group: int) -> bool:
    """Return whether a group is this user's private group: same name, no other member."""
    import grp
    import pwd

    user = os.geteuid()
    with contextlib.suppress(KeyError):
        name, members = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
        return user != 0 and members.gr_name == name and set(members.gr_mem) <= {name}
    return False


def _read(name: str) -> bytes | None:
    """Return the bytes of a cache file, or None if it is missing or others may write to it."""
    try:
        with _Directory(create=False) as place, open(place.open(name, os.O_RDONLY), "rb") as file:
            found = os.fstat(file.fileno())
            if os.name != "nt":
                _check_owner(name, found)
            if not stat.S_ISREG(found.st_mode):
                return None
            with contextlib.suppress(OSError, TypeError):  # on Windows, utime takes paths only
                os.utime(file.fileno() if os.name != "nt" else place._prefix + name)
            return file.read()
    except OSError:
        return None


def _write(name: str, data: bytes) -> None:
    """Write a cache file atomically; remove old files if there are more than `MOST_FILES`."""
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


_warned = False  # whether this process has warned that it cannot write to the directory


def _warn_once(error: OSError) -> None:
    """Warn that compiled code is not kept, the first time in this process."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"compiled code could not be kept in {str(directory())!r}, every process compiles it "
            f"again: {error}; set FASTGAMES_CACHE_DIR to a directory that only you can write to, "
            "or to nothing to keep no compiled code",
            RuntimeWarning,
            stacklevel=2,
        )


def _drop(place: _Directory, names: list[str], count: int) -> None:
    """Remove the `count` least recently used cache files."""
    found = []
    for name in names:
        with contextlib.suppress(OSError):  # another process removed it
            if name.endswith((".bin", ".tmp")):
                found.append((place.used(name), name))
    for _, name in sorted(found)[:count]:
        with contextlib.suppress(OSError):
            place.unlink(name)


def described(kind: Any) -> str | None:
    """Return a text of a Numba type that is the same in every process, or None if there is none."""
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
    """Attach the disk cache to a function and return the function, not yet compiled.

    function: a Numba dispatcher made from frozen functions
    what: everything else that determines its code, such as its text and options
    digest: the digest of the frozen functions; None: it is not cached
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
    """Return `numba.cfunc` of a function, compiled or from disk; `what`, `digest` as in `keep`."""
    made = CFunc(function, normalize_signature(signature), locals={}, options=options)
    keep(made, (what, sorted(options.items())), digest).compile()
    return made


def njit(function: Callable[..., Any] | None = None, *, cache: bool = True, **options: Any) -> Any:
    """Compile a function that calls rules as `numba.njit` does, and cache it on disk.

    Parameters
    ----------
    function : function, optional
        A function in the subset of Python that Numba compiles. If it is not given, `njit` returns a
        decorator.
    cache : bool
        Store the compiled code on disk.
    **options
        Options of `numba.njit`. The defaults are `OPTIONS` of fastgames.compiler.compile, the
        options of the rules: division as in NumPy, no fast-math.

    Returns
    -------
    function
        The compiled function, or a decorator.

    Notes
    -----
    A later process loads the compiled code as long as the function, all functions that it calls
    (those of fastgames and your own) and all constants that they read are the same. In contrast,
    `numba.njit(cache=True)` checks only the file of the function, and would use the old rules after
    an upgrade of fastgames. Constants, also those of helpers that Numba compiles, have the values
    of the first call with arguments of these types. A function that takes functions as arguments,
    or reads a value that has no digest (a dictionary, for example), is compiled in every process.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgames import jit
    >>> @jit.njit
    ... def greedy(row):
    ...     return jit.choice.argmax(row)
    >>> int(greedy(np.array([1.0, 3.0, 2.0])))
    1
    """
    if function is None:
        return functools.partial(njit, cache=cache, **options)
    given = {**OPTIONS, **options}
    made = numba.njit(**given)(function)
    if cache and is_dispatcher(made):  # not a dispatcher if NUMBA_DISABLE_JIT is set
        made._cache = Live(made, ("njit", sorted(given.items())))
    return made
