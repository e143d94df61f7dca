"""Frozen copies of functions, which keep reading the values that the functions read now."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgames.functions.digests import encoded
from fastgames.functions.graph import (
    FROZEN,
    attributes_of,
    globals_of,
    is_dispatcher,
    is_known,
    is_library,
)

_Made = dict[int, tuple[Any, Any]]  # id of a value -> the value and its copy


def frozen(*functions: Callable[..., Any]) -> tuple[Any, ...]:
    """Return copies of functions that keep reading the values that the functions read now.

    Plain functions that they call and arrays are copied as well. Functions compiled by Numba are
    replaced by new ones that compile copies. The copies have the digests of the functions.
    """
    made: _Made = {}
    return tuple(_frozen(function, made) for function in functions)


def _frozen(value: Any, made: _Made) -> Any:
    """Return the frozen copy of a value; immutable values are returned unchanged."""
    if id(value) in made:
        return made[id(value)][1]
    if isinstance(value, np.ndarray) and encoded(value) is not None:
        array = np.array(value, order="C")
        array.setflags(write=False)
        return array
    if isinstance(value, list):
        out: list[Any] = []
        made[id(value)] = value, out
        out.extend(_frozen(x, made) for x in value)
        return out
    if isinstance(value, tuple):
        return tuple.__new__(type(value), [_frozen(x, made) for x in value])
    if isinstance(value, types.FunctionType) and not is_known(value):
        return _frozen_function(value, made)
    if is_dispatcher(value) and value not in FROZEN:
        return _frozen_dispatcher(value, made)
    return value


def _frozen_function(function: types.FunctionType, made: _Made) -> types.FunctionType:
    """Return the frozen copy of a function, with globals and closure of its own."""
    code = function.__code__
    names: dict[str, Any] = {
        name: function.__globals__[name]
        for name in ("__name__", "__builtins__")
        if name in function.__globals__
    }
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    copy = types.FunctionType(code, names, function.__name__, None, cells or None)
    made[id(function)] = function, copy
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    copy.__defaults__ = _frozen(function.__defaults__, made)
    if function.__kwdefaults__:
        defaults = function.__kwdefaults__.items()
        copy.__kwdefaults__ = {name: _frozen(x, made) for name, x in defaults}
    attributes = dict(attributes_of(function))

    def taken(name: str, value: Any) -> Any:
        if isinstance(value, types.ModuleType) and not is_library(value):
            return _frozen_module(name, value, attributes, made, {})
        return _frozen(value, made)

    for name, value in globals_of(function, absent=False):
        names[name] = taken(name, value)
    for name, old, cell in zip(code.co_freevars, function.__closure__ or (), cells, strict=True):
        try:
            cell.cell_contents = taken(name, old.cell_contents)
        except ValueError:  # the cell is still empty
            continue
    return copy


def _frozen_module(
    path: str,
    module: types.ModuleType,
    attributes: dict[str, Any],
    made: _Made,
    seen: dict[int, types.ModuleType],
) -> types.ModuleType:
    """Return a stand-in for a module that holds frozen copies of the attributes that are read."""
    if id(module) in seen:
        return seen[id(module)]
    seen[id(module)] = copy = types.ModuleType(module.__name__)
    for name, value in attributes.items():
        above, _, last = name.rpartition(".")
        if above == path:
            inner = isinstance(value, types.ModuleType) and not is_library(value)
            vars(copy)[last] = (
                _frozen_module(name, value, attributes, made, seen)
                if inner
                else _frozen(value, made)
            )
    return copy


def _frozen_dispatcher(value: Any, made: _Made) -> Any:
    """Return a new Numba function of a frozen copy, with the same options and signatures."""
    kind = type(value)
    copy = kind(
        _frozen(value.py_func, made),
        locals=dict(value.locals or {}),
        targetoptions=dict(value.targetoptions),
        pipeline_class=value._compiler.pipeline_class,
    )
    made[id(value)] = value, copy
    if not value._can_compile:  # compiled for fixed signatures, to which it casts arguments
        for each in value.overloads.values():
            copy.compile(each.signature)
        copy.disable_compile()
    return copy
