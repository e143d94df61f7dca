"""From a rule to the Numba function made from it."""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from fastgames.source import codes, outside

MOST_INLINED = 2200  # bytes of bytecode: what is longer compiles for minutes
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False}
_made: dict[tuple[Any, bool, bool], Any] = {}


REFUSALS = (NumbaError, UnsupportedBytecodeError)  # the second is none of the first


class CompileError(TypeError):
    """A function of a learner or a game is not in the subset of Python that Numba compiles."""


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
    key = (rule, inline, checked)
    if key in _made:
        return _made[key]
    if not isinstance(rule, types.FunctionType):
        raise TypeError(f"rule must be a plain function, got {rule!r}")
    _made[key] = rule  # where it calls itself, which Numba will refuse
    names = dict(rule.__globals__)
    for code in codes(rule.__code__):
        for name in code.co_names:
            if _is_plain(names.get(name)):
                names[name] = compiled(names[name], inline, checked)
    cells = tuple(
        types.CellType(compiled(cell.cell_contents, inline, checked))
        if _is_plain(cell.cell_contents)
        else cell
        for cell in rule.__closure__ or ()
    )
    copy = types.FunctionType(rule.__code__, names, rule.__name__, rule.__defaults__, cells or None)
    how = {"inline": "always"} if inline else {}
    _made[key] = numba.njit(copy, boundscheck=checked, **OPTIONS, **how)
    return _made[key]


def length(rule: Callable[..., Any]) -> int:
    """Bytes of bytecode of a rule with all plain functions that it names."""
    assert isinstance(rule, types.FunctionType)
    return len(rule.__code__.co_code) + sum(
        length(value) for value in outside(rule).values() if _is_plain(value) and value is not rule
    )


def _is_plain(value: Any) -> bool:
    """Whether it is a function in Python, and not one of those that Numba knows."""
    if not isinstance(value, types.FunctionType):
        return False
    package: str = value.__module__.split(".")[0]
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
