"""What a function is: a digest of its source and of all that it takes from outside."""

from __future__ import annotations

import hashlib
import inspect
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np


def fingerprint(*functions: Callable[..., Any]) -> str:
    """SHA-256 of functions, the plain functions that they call, and the constants that they use.

    Raises TypeError for a value from outside that is no number, string, tuple, array or function.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()
    for function in functions:
        _add(digest, function, seen)
    return digest.hexdigest()


def outside(function: types.FunctionType) -> dict[str, Any]:
    """What a function takes from outside, by name: globals that it names, and its closure."""
    found = {}
    for code in codes(function.__code__):
        for name in code.co_names:
            if name in function.__globals__:
                found[name] = function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        found[name] = cell.cell_contents
    return found


def codes(code: types.CodeType) -> list[types.CodeType]:
    """A code object and those of the functions within it."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code, *(found for c in inner for found in codes(c))]


def _add(digest: Any, value: Any, seen: set[int]) -> None:
    value = getattr(value, "py_func", value)  # of a function that Numba has compiled
    if isinstance(value, types.FunctionType):
        if id(value) in seen:
            return
        seen.add(id(value))
        digest.update(b"function " + _text(value).encode())
        for name, each in sorted(outside(value).items()):
            digest.update(f" {name}=".encode())
            _add(digest, each, seen)
        _add(digest, value.__defaults__, seen)
    elif isinstance(value, tuple | list):
        digest.update(f"({len(value)}".encode())
        for each in value:
            _add(digest, each, seen)
    elif isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    elif isinstance(value, types.ModuleType | types.BuiltinFunctionType | type | np.ufunc):
        digest.update(f"{value.__name__}".encode())
    elif value is None or isinstance(value, bool | int | float | str | np.generic):
        digest.update(repr(value).encode())
    else:
        raise TypeError(
            "a function may use numbers, strings, tuples, arrays and plain functions from "
            f"outside, got {value!r}"
        )


def _text(function: types.FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed in, or made by exec
        return "".join(
            f"{code.co_code.hex()} {code.co_names} "
            f"{[x for x in code.co_consts if not isinstance(x, types.CodeType)]}"
            for code in codes(function.__code__)
        )
