"""Names that a function reads (globals, closure, attributes of modules), and kinds of values."""

from __future__ import annotations

import dis
import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

LIBRARIES = ("numpy", "numba", "math", "cmath", "operator", "builtins")  # identified by version
# Numba dispatchers made from `frozen` functions -> their digests.
FROZEN: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
BUILT_IN = object()  # stands for a name that is not a global of the function's module
_MOST = 4096  # capacity of each memo of code objects
_READING = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")  # instructions

T = TypeVar("T")


def outside(function: types.FunctionType) -> dict[str, Any]:
    """Return {name: value} of the values from outside that a function reads.

    These are the globals that it reads, its closure, and attributes of modules among these.
    """
    found = dict(globals_of(function, absent=False))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # the cell is still empty
            continue
    return found | dict(attributes_of(function))


def codes(code: types.CodeType) -> list[types.CodeType]:
    """Return a code object and the code objects of all functions within it."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code, *(found for c in inner for found in codes(c))]


def globals_of(function: types.FunctionType, absent: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the sorted names of the globals that a function reads, with their values.

    absent: also yield names that are not globals, with `BUILT_IN` as value
    """
    names, _ = names_in(function.__code__)
    for name in names:
        if name in function.__globals__:
            yield name, function.__globals__[name]
        elif absent:
            yield name, BUILT_IN


def attributes_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of attributes that a function may read from modules, by dotted path.

    The bytecode does not tell the object of an attribute, so every name is tried on every module.
    Modules of libraries are skipped.
    """
    modules = [(n, x) for n, x in globals_of(function, False) if isinstance(x, types.ModuleType)]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            if isinstance(cell.cell_contents, types.ModuleType):
                modules.append((name, cell.cell_contents))
        except ValueError:
            continue
    seen: set[int] = set()
    while modules:
        path, module = modules.pop()
        if is_library(module) or id(module) in seen:
            continue
        seen.add(id(module))
        for name in names_in(function.__code__)[1]:
            if hasattr(module, name):
                value = getattr(module, name)
                yield f"{path}.{name}", value
                if isinstance(value, types.ModuleType):
                    modules.append((f"{path}.{name}", value))


def is_library(module: types.ModuleType) -> bool:
    """Return whether a module belongs to a library, which is identified by its version."""
    return module.__name__.split(".")[0] in LIBRARIES and sys.modules.get(module.__name__) is module


def once(make: Callable[[types.CodeType], T]) -> Callable[[types.CodeType], T]:
    """Return `make` memoised by the identity of a code object, which is immutable."""
    known: dict[int, tuple[types.CodeType, T]] = {}

    @functools.wraps(make)
    def remembered(code: types.CodeType) -> T:
        found = known.get(id(code))
        if found is None or found[0] is not code:
            if len(known) >= _MOST:
                known.clear()
            found = known[id(code)] = (code, make(code))
        return found[1]

    return remembered


@once
def names_in(code: types.CodeType) -> tuple[list[str], list[str]]:
    """Return the sorted globals that a code object reads, and all its names with attributes."""
    read: set[str] = set()
    for each in codes(code):
        read.update(
            instruction.argval
            for instruction in dis.get_instructions(each)
            if instruction.opname in _READING
        )
    return sorted(read), sorted({name for each in codes(code) for name in each.co_names})


def is_known(value: Any) -> bool:
    """Return whether a library or Python itself defines this class or function under its name."""
    module = getattr(value, "__module__", None) or getattr(value, "__self__", None)
    module = getattr(module, "__name__", module)  # ufuncs have no module attribute; see below
    if isinstance(value, np.ufunc):
        module = "numpy"
    if not isinstance(module, str):
        return False
    root = module.split(".")[0]
    named = root in LIBRARIES or (isinstance(value, type) and root in sys.stdlib_module_names)
    found: Any = sys.modules.get(module)
    for name in getattr(value, "__qualname__", value.__name__).split("."):
        found = getattr(found, name, None)
    return named and found is value


def is_dispatcher(value: Any) -> bool:
    """Return whether a value is a function compiled by Numba, without importing Numba."""
    return any(
        kind.__name__ == "Dispatcher" and kind.__module__ == "numba.core.dispatcher"
        for kind in type(value).__mro__
    )
