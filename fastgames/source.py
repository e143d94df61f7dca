"""What a function is: a digest of its source and of all that it takes from outside."""

from __future__ import annotations

import hashlib
import inspect
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np

_CHANGES_BITS = ("fastmath", "error_model", "boundscheck", "parallel")  # options of numba.njit
LIBRARIES = ("numpy", "numba", "math", "cmath", "operator", "builtins")  # known by their versions


def fingerprint(*functions: Callable[..., Any], loaded: bool = False) -> str:
    """SHA-256 of functions, the plain functions that they call, and the constants that they use.

    loaded: of what Python has loaded, not of the text in their files, which may be newer; it holds
    for one version of Python.

    Raises TypeError for a value from outside that is no number, string, tuple, array or function.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()
    for function in functions:
        _add(digest, function, seen, _loaded if loaded else _text)
    return digest.hexdigest()


def outside(function: types.FunctionType) -> dict[str, Any]:
    """What a function takes from outside, by name.

    That is globals that it names, its closure, and what it may take from modules among these.
    """
    found: dict[str, Any] = {}
    names = sorted({name for code in codes(function.__code__) for name in code.co_names})
    for name in names:
        if name in function.__globals__:
            found[name] = function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        found[name] = cell.cell_contents
    modules = [(name, x) for name, x in found.items() if isinstance(x, types.ModuleType)]
    seen: set[int] = set()
    while modules:
        path, module = modules.pop()
        if module.__name__.split(".")[0] in LIBRARIES or id(module) in seen:
            continue
        seen.add(id(module))
        for name in names:
            if hasattr(module, name):
                value = found[f"{path}.{name}"] = getattr(module, name)
                if isinstance(value, types.ModuleType):
                    modules.append((f"{path}.{name}", value))
    return found


def codes(code: types.CodeType) -> list[types.CodeType]:
    """A code object and those of the functions within it."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code, *(found for c in inner for found in codes(c))]


def _add(digest: Any, value: Any, seen: set[int], text: Callable[[Any], str]) -> None:
    if hasattr(value, "py_func"):  # a function that Numba has compiled
        options = {name: x for name, x in value.targetoptions.items() if name in _CHANGES_BITS}
        digest.update(f"{sorted(options.items())}".encode() if options else b"")
        value = value.py_func
    if isinstance(value, types.FunctionType):
        if id(value) in seen:
            return
        seen.add(id(value))
        digest.update(b"function " + text(value).encode())
        for name, each in sorted(outside(value).items()):
            digest.update(f" {name}=".encode())
            _add(digest, each, seen, text)
        _add(digest, value.__defaults__, seen, text)
    elif isinstance(value, tuple | list):
        digest.update(f"({len(value)}".encode())
        for each in value:
            _add(digest, each, seen, text)
    elif isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    elif isinstance(value, types.ModuleType | types.BuiltinFunctionType | type | np.ufunc):
        fields = getattr(value, "_fields", None)  # of a NamedTuple
        digest.update(f"{value.__name__}{fields or ''}".encode())
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


def _loaded(function: types.FunctionType) -> str:
    """All that decides what a function does, as Python has compiled it."""
    return repr([
        (
            code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
            code.co_argcount, code.co_kwonlyargcount, code.co_flags,
            getattr(code, "co_exceptiontable", b""),
            [x for x in code.co_consts if not isinstance(x, types.CodeType)],
            sorted((function.__kwdefaults__ or {}).items()),
        )
        for code in codes(function.__code__)
    ])  # fmt: skip
