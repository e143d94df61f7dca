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
import os
import pickle
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite  # type: ignore[import-untyped]
import numba
import numpy as np
from numba import types
from numba.core import config
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.core.typing.templates import Signature

import fastgames
from fastgames.jit.compile import OPTIONS
from fastgames.source import fingerprint

MOST_FILES = 1000  # of some 60 kB each: beyond, the quarter that was not used for longest goes
_DIGEST = hashlib.sha256().digest_size


def _how() -> str:
    """All that decides what is compiled besides the functions: versions, and how we compile."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    versions = (fastgames.__version__, numba.__version__, llvmlite.__version__, np.__version__)
    python = (platform.python_implementation(), sys.version_info[:3])
    return repr((versions, python, digest.hexdigest()))


_HOW = _how()


def directory() -> Path | None:
    """Where compiled functions are kept; None where they are not.

    $FASTGAMES_CACHE_DIR (empty: nowhere), else "fastgames" in $NUMBA_CACHE_DIR, else in what the
    platform has for caches: $XDG_CACHE_HOME or ~/.cache, ~/Library/Caches, %LOCALAPPDATA%. One that
    others may write to is not used.
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

    what: tells the function from every other one
    """

    cache_path = None

    def __init__(self, what: str) -> None:
        self._what = what

    def load_overload(self, signature: Any, context: Any) -> Any:
        """What was compiled for a signature, or None."""
        path = self._path(signature)
        if path is None or not _is_ours(path.parent):
            return None
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return None
        try:
            context.refresh()
            made = CompileResult._rebuild(context, *pickle.loads(data[_DIGEST:]))
        except Exception:  # it names a module that is not there in this process
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return made

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep what was compiled for a signature."""
        path = self._path(signature)
        if path is None or (path.parent.exists() and not _is_ours(path.parent)):
            return
        if made.lifted or made.library.has_dynamic_globals:
            return
        try:
            payload = dumps(made._reduce())
        except Exception:  # there is something in it that cannot be kept
            return
        with contextlib.suppress(OSError):
            _write(path, hashlib.sha256(payload).digest() + payload)

    def _path(self, signature: Any) -> Path | None:
        root, text = directory(), described(signature)
        if root is None or text is None:
            return None
        cpu = cpu_target.target_context.codegen().magic_tuple()
        digest = hashlib.sha256(repr((self._what, text, cpu, _HOW)).encode())
        return root / f"{digest.hexdigest()[:40]}.bin"

    def enable(self) -> None:
        """Numba asks for it."""

    disable = flush = enable


def _is_ours(root: Path) -> bool:
    """Whether nobody else may write there: what is loaded is run."""
    if os.name == "nt":  # which has other means
        return True
    try:
        found = root.stat()
    except OSError:
        return False
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & 0o022


def _write(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all; leave room for it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(".tmp", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    names = os.listdir(path.parent)
    if len(names) > MOST_FILES:
        _drop(path.parent, len(names) - MOST_FILES * 3 // 4)


def _drop(root: Path, count: int) -> None:
    """Remove the files that were not used for longest, of ours."""
    found = []
    for entry in os.scandir(root):
        with contextlib.suppress(OSError):  # another process was faster
            if entry.name.endswith((".bin", ".tmp")):
                found.append((entry.stat().st_mtime, entry.path))
    for _, path in sorted(found)[:count]:
        with contextlib.suppress(OSError):
            os.unlink(path)


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


def told(what: Any, *functions: Callable[..., Any]) -> str | None:
    """What to tell a function by: `what` (its text, options) and the functions that it is made of.

    None where it names something that has no digest: a module's object, a dictionary.
    """
    try:
        return repr((what, fingerprint(*functions, loaded=True)))
    except TypeError:
        return None


def keep(function: Any, what: Any, *functions: Callable[..., Any]) -> Any:
    """The same function (of Numba, not yet compiled), with its compiled forms kept on disk."""
    text = told(what, *functions)
    if text is not None:
        function._cache = Kept(text)
    return function


def cfunc(
    function: Callable[..., Any],
    signature: Any,
    options: dict[str, Any],
    what: Any,
    *functions: Callable[..., Any],
) -> Any:
    """`numba.cfunc` of a function, compiled or from disk; `what`, `functions`: as `told` has it."""
    made = CFunc(function, normalize_signature(signature), locals={}, options=options)
    keep(made, (what, sorted(options.items())), *functions).compile()
    return made


def njit(function: Callable[..., Any] | None = None, *, cache: bool = True, **options: Any) -> Any:
    """`numba.njit` for loops that call rules, with the rules' own options, and kept on disk.

    The options are `OPTIONS` of fastgames.jit.compile (division as NumPy has it, no fast-math)
    unless given otherwise. What is compiled is found again in the next process for as long as the
    function, all functions that it calls (those of fastgames and your own) and all constants that
    they name are the same: unlike `numba.njit(cache=True)`, which looks at the one file of the
    function, and would go on with the old rules after an upgrade of fastgames. A function that
    takes functions as arguments, or names something that has no digest (a dictionary, say), is
    compiled in every process.

    function: in the subset of Python that Numba compiles; not given, this returns a decorator.
    cache: whether it is kept on disk. options: others of numba.njit
    """
    if function is None:
        return functools.partial(njit, cache=cache, **options)
    given = {**OPTIONS, **options}
    made = numba.njit(**given)(function)
    return keep(made, ("njit", sorted(given.items())), function) if cache else made
