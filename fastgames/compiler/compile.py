"""From a rule to the Numba function made from it."""

from __future__ import annotations

import re
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from fastgames.errors import CompileError
from fastgames.functions.source import FROZEN, Source, frozen, outside

MOST_INLINED = 2200  # bytes of bytecode: what is longer compiles for minutes
MOST_MADE = 256  # what was compiled and is kept in memory; each takes 0.2 to 2.4 MB
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False}
_made: OrderedDict[tuple[Any, str], Any] = OrderedDict()  # the one used last comes last
_order = threading.Lock()  # of `_made`; held for moments
_making: set[Any] = set()  # the keys of what is being made, under Numba's lock


REFUSALS = (NumbaError, UnsupportedBytecodeError)  # the second is none of the first


def compiled(rule: Callable[..., Any], inline: bool = False, checked: bool = False) -> Any:
    """The njit-compiled form of a plain-Python rule; the plain functions that it calls go along.

    rule: a function in the subset that Numba compiles. Its bits are those of the interpreted rule:
    no fast-math, divisions as NumPy has them. inline: it becomes a part of what calls it; checked:
    an index out of its array raises IndexError.

    >>> from fastgames.rules import choice
    >>> import numpy as np
    >>> int(compiled(choice.argmax)(np.array([1.0, 3.0, 3.0])))
    1
    """
    if not isinstance(rule, types.FunctionType):
        raise TypeError(f"rule must be a plain function, got {rule!r}")
    what = "rule", inline, checked, rule.__module__, rule.__qualname__
    return once(what, [rule], partial(_compiled, inline, checked))


def _compiled(inline: bool, checked: bool, digest: str | None, rule: Any) -> Any:
    """The njit-compiled form of a frozen rule, whose names are its own."""
    helpers = {
        name: compiled(value, inline, checked)
        for name, value in rule.__globals__.items()
        if _is_plain(value)
    }
    for cell in rule.__closure__ or ():
        if _is_plain(_content(cell)):
            cell.cell_contents = compiled(cell.cell_contents, inline, checked)
    rule.__globals__.update(helpers)
    how = {"inline": "always"} if inline else {}
    made = numba.njit(rule, boundscheck=checked, **OPTIONS, **how)
    if digest is not None:
        FROZEN[made] = f"{inline} {checked} {sorted(OPTIONS.items())} {digest}"
    return made


def once(what: Any, functions: Sequence[Callable[..., Any]], make: Callable[..., Any]) -> Any:
    """Return `make(digest, *copies)`, which is called once for all functions of equal content.

    The functions are looked up by their digest at this moment, and `make` gets copies of them that
    no longer change, with the digest of these: so what it compiles is what was digested, whatever
    happens to the functions. One thread at a time makes anything, under Numba's own lock, and what
    it makes is found by others once it is whole. The `MOST_MADE` results used last are kept; the
    others live for as long as somebody holds them.

    what: what else decides the result, hashable
    functions: plain ones. Where one of them reads what has no digest, a dictionary say, nothing is
        kept: the digest is None, and the result is made anew in every call.
    """
    found = _found(what, Source(*functions))
    if found is not None:
        return found
    with global_compiler_lock:
        copies = frozen(*functions)
        source = Source(*copies)
        found = _found(what, source)
        if found is not None:
            return found
        key = what, tuple(f.__code__ for f in copies) if source.unknown else source.loaded
        if key in _making:  # a function that calls itself, which Numba will refuse
            return copies[0]
        _making.add(key)
        try:
            made = make(None if source.unknown else source.loaded, *copies)
        finally:
            _making.discard(key)
        if not source.unknown:
            with _order:
                _made[what, source.loaded] = made
                while len(_made) > MOST_MADE:
                    _made.popitem(last=False)
        return made


def _found(what: Any, source: Source) -> Any:
    """Return what was made of functions of this content, or None."""
    if source.unknown:
        return None
    key = what, source.loaded
    with _order:
        if key in _made:
            _made.move_to_end(key)
        return _made.get(key)


def check_enabled(what: str) -> None:
    """Raise RuntimeError where Numba is told to compile nothing: passes need addresses."""
    if config.DISABLE_JIT:
        raise RuntimeError(
            f"NUMBA_DISABLE_JIT must be unset or 0 to compile {what}, got {config.DISABLE_JIT}; "
            'or run with backend="reference"'
        )


def length(rule: Callable[..., Any], within: tuple[Any, ...] = ()) -> int:
    """Bytes of bytecode of a rule with all plain functions that it names.

    within: the functions that name it, which are counted already
    """
    assert isinstance(rule, types.FunctionType)
    within = (*within, rule)
    return len(rule.__code__.co_code) + sum(
        length(value, within)
        for value in outside(rule).values()
        if _is_plain(value) and value not in within
    )


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing is in it yet
        return None


def _is_plain(value: Any) -> bool:
    """Whether it is a function in Python, and not one of those that Numba knows."""
    if not isinstance(value, types.FunctionType):
        return False
    package: str = (value.__module__ or "").split(".")[0]
    return package not in ("numpy", "numba", "math")


def explained(what: str, functions: list[Callable[..., Any]], error: Exception) -> CompileError:
    """The error for functions that Numba cannot compile, in two lines: where, and why.

    what: which functions they are, such as "learners[0]"; the error says in which line it fails.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    files = {str(Path(f.__code__.co_filename)): f for f in functions}
    places = re.findall(r'File "([^"]+)", line (\d+)', text)
    places += re.findall(r"Raised from (.+) \((\d+)\)", text)
    where = None
    for file, line in reversed(places):
        for path in files:
            if Path(file).name == Path(path).name:
                where = (path, int(line))
                break
        if where is not None:
            break
    name, place = "", ""
    if where is not None:
        inside = [f for f in functions if _spans(f, *where)]
        name = f" {inside[0].__name__!r}," if inside else ""
        place = f" {where[0]}, line {where[1]},"
    return CompileError(f"{what}:{name}{place} cannot be compiled by Numba:\n{_reason(text)}")


def _spans(function: Any, file: str, line: int) -> bool:
    code = function.__code__
    lines = [number for _, _, number in code.co_lines() if number is not None]
    return bool(code.co_filename == file and min(lines) <= line <= max(lines))


def _reason(text: str) -> str:
    """The line of Numba's report that says most."""
    if "readonly array" in text and "setitem" in text:
        return (
            "it writes to an array that it may only read: `tables` in choose and policy, `state` "
            "in observe, `actions`, `words`, what an outcome holds, arrays from outside"
        )
    lines = [line.strip() for line in text.splitlines()]
    said = [
        line
        for line in lines
        if line and not line.startswith(("Failed in", "During", "File", ">>>", "-", "*", "<source"))
    ]
    telling = (
        "Unknown attribute", "NameError", "Untyped global", "is not defined", "Cannot unify",
        "No implementation of", "not supported", "unsupported", "Use of", "Cannot determine",
        "Invalid use", "Unsupported",
    )  # fmt: skip
    for word in telling:
        for line in said:
            if word in line:
                return line
    return said[0] if said else text[:200]
