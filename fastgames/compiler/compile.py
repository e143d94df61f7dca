"""Compilation of rules into Numba functions, and explanations of Numba's errors."""

from __future__ import annotations

import dis
import re
import threading
import types
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from fastgames.errors import CompileError
from fastgames.functions.frozen import frozen
from fastgames.functions.graph import FROZEN, outside
from fastgames.functions.source import Source

MOST_INLINED = 2200  # bytes of bytecode that Numba inlines; more takes minutes to compile
MOST_MERGED = 7000  # the same for LLVM, which inlines functions once each is compiled
MOST_MADE = 256  # entries of the memory cache `_made`; each takes 0.2 to 2.4 MB
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False}
_made: OrderedDict[tuple[Any, str], Any] = OrderedDict()  # most recently used last
_order = threading.Lock()  # guards `_made`; held briefly
_making: set[Any] = set()  # keys of the results being compiled, guarded by Numba's lock


REFUSALS = (NumbaError, UnsupportedBytecodeError)  # the second is not a subclass of the first


def compiled(rule: Callable[..., Any], inline: bool = False, checked: bool = False) -> Any:
    """Return the compiled form of a rule; plain functions that it calls are compiled as well.

    The results have the same bits as those of the interpreted rule: no fast-math, division as in
    NumPy.

    Parameters
    ----------
    rule : function
        A plain function in the subset of Python that Numba compiles.
    inline : bool
        Numba inlines the rule into its callers. Otherwise LLVM does, unless the rule is long.
    checked : bool
        Raise IndexError for an index outside of its array.

    Returns
    -------
    function
        The compiled function.

    Raises
    ------
    TypeError
        If `rule` is not a plain function.

    Examples
    --------
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
    """Return the compiled form of a frozen rule, whose globals it may modify."""
    how = {"inline": "always"} if inline else {"forceinline": length(rule) <= MOST_MERGED}
    helpers = {
        name: compiled(value, inline, checked)
        for name, value in rule.__globals__.items()
        if _is_plain(value)
    }
    for cell in rule.__closure__ or ():
        if _is_plain(_content(cell)):
            cell.cell_contents = compiled(cell.cell_contents, inline, checked)
    rule.__globals__.update(helpers)
    made = numba.njit(rule, boundscheck=checked, **OPTIONS, **how)
    if digest is not None:
        FROZEN[made] = f"{how} {checked} {sorted(OPTIONS.items())} {digest}"
    return made


def once(what: Any, functions: Sequence[Callable[..., Any]], make: Callable[..., Any]) -> Any:
    """Return `make(digest, *copies)`, called once for all functions of equal content.

    The functions are looked up by their current digest. `make` receives frozen copies and their
    digest, so that the compiled code matches the digest even if the functions change meanwhile. One
    thread at a time calls `make`, under Numba's own lock; other threads see a result only once it
    is complete. The `MOST_MADE` most recently used results are kept in memory; others live as long
    as a caller holds them.

    what: everything else that determines the result, hashable
    functions: plain functions. If one of them reads a value that has no digest (a dictionary, for
        example), the digest is None, nothing is kept, and every call makes a new result.
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
        if key in _making:  # a recursive function, which Numba will reject
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
    """Return the result for functions of this content, or None; mark it as recently used."""
    if source.unknown:
        return None
    key = what, source.loaded
    with _order:
        if key in _made:
            _made.move_to_end(key)
        return _made.get(key)


def check_enabled(what: str) -> None:
    """Raise RuntimeError if NUMBA_DISABLE_JIT is set; passes need addresses of compiled code.

    what: the functions to compile, for the message
    """
    if config.DISABLE_JIT:
        raise RuntimeError(
            f"NUMBA_DISABLE_JIT must be unset or 0 to compile {what}, got {config.DISABLE_JIT}; "
            'unset it, or run with backend="reference"'
        )


def length(rule: Callable[..., Any], within: tuple[Any, ...] = ()) -> int:
    """Return the bytes of bytecode of a rule with the plain functions that it reads.

    A function counts once for each place that reads it, as often as it is inlined.

    within: the functions that refer to it, which are not counted again
    """
    assert isinstance(rule, types.FunctionType)
    within = (*within, rule)
    read = Counter(each.argval for each in dis.get_instructions(rule))
    return len(rule.__code__.co_code) + sum(
        max(1, read[name]) * length(value, within)
        for name, value in outside(rule).items()
        if _is_plain(value) and value not in within
    )


def _content(cell: types.CellType) -> Any:
    """Return the content of a closure cell, None if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:  # the cell is still empty
        return None


def _is_plain(value: Any) -> bool:
    """Return whether a value is a Python function, other than those that Numba supports itself."""
    if not isinstance(value, types.FunctionType):
        return False
    package: str = (value.__module__ or "").split(".")[0]
    return package not in ("numpy", "numba", "math")


def explained(what: str, functions: list[Callable[..., Any]], error: Exception) -> CompileError:
    """Return the error for functions that Numba cannot compile: a line of place, one of reason.

    what: the owner of the functions, such as "rules of learners[0]"
    functions: the candidates; the one that contains the failing line is named
    error: the error raised by Numba
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
    """Return whether a function contains a line of a file."""
    code = function.__code__
    lines = [number for _, _, number in code.co_lines() if number is not None]
    return bool(code.co_filename == file and min(lines) <= line <= max(lines))


def _reason(text: str) -> str:
    """Return the most informative line of Numba's report."""
    if "readonly array" in text and "setitem" in text:
        return (
            "it writes to an array that it may only read: `tables` in choose and policy, `state` "
            "in observe, `actions`, `words`, the fields of an outcome, or arrays from outside"
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
