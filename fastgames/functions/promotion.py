"""Number types in users' rules: the same promotion interpreted and compiled.

In an operation with a float32, Python's own floats are weak in NumPy (the result is float32) and
strong in Numba (the result is float64). With float32 tables, `choose` and `learn` of a user's
learner therefore receive their parameters, float literals and floats from outside as float32, both
interpreted and compiled. Integers are int64 in both: the reference passes NumPy integers, which
promote as Numba's do. `draw` and `policy` compute in float64, like the rules of the library, which
round explicitly.
"""

from __future__ import annotations

import builtins
import dis
import itertools
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgames.functions.graph import codes

Number = Callable[[Any], Any]


def is_users(rule: Any) -> bool:
    """Return whether a rule is a user's function; the library's rules round explicitly."""
    return isinstance(rule, types.FunctionType) and not _of_library(rule)


def computes_in(rule: Any, real: Any) -> Any:
    """Return the type of parameters and floats in `choose` and `learn`: float32 or float64.

    It is float32 for a user's rule with float32 tables (`real`), else float64.
    """
    return np.float32 if is_users(rule) and np.dtype(real) == np.float32 else np.float64


def for_numba(rule: Any, real: Any) -> Any:
    """Return a copy of `rule` to compile, whose floats have the type `computes_in(rule, real)`.

    Return `rule` itself if that type is float64.
    """
    inner = _counted(rule)
    if inner is not None:
        floats = computes_in(inner, real)
        return rule if floats is np.float64 else _around(rule, for_numba(inner, real), floats)
    if computes_in(rule, real) is np.float64:
        return rule
    return _Copies(np.float32, interpreted=False).of(rule)


def for_reference(rule: Any, real: Any, floats: Any = None) -> Any:
    """Return a copy of `rule` to interpret with Numba's promotion, for tables of type `real`.

    floats: the type of its floats; default: float32. Return `rule` itself if
    `computes_in(rule, real)` is float64.
    """
    inner = _counted(rule)
    if inner is not None:
        return _around(rule, for_reference(inner, real, floats), float)
    if computes_in(rule, real) is np.float64:
        return rule
    floats = floats or np.float32
    copy = _Copies(floats, interpreted=True).of(rule)

    def typed(*arguments: Any) -> Any:
        return copy(*(_argument(x, floats) for x in arguments))

    return typed


def _counted(rule: Any) -> Any:
    """Return the rule that a rule of `fastgames.learners.counting` wraps; None for other rules."""
    counts = getattr(rule, "__module__", None) == "fastgames.learners.counting"
    return rule.__globals__["rule"] if counts else None


def _around(rule: types.FunctionType, inner: Any, floats: Any) -> types.FunctionType:
    """Return a rule that counts visits, for another inner rule that takes p of type `floats`."""
    names = rule.__globals__ | {"rule": inner, "as_inner": floats}
    copy = types.FunctionType(rule.__code__, names, rule.__name__)
    copy.__module__ = rule.__module__
    return copy


def _argument(value: Any, floats: Any) -> Any:
    """Return an argument of a rule as Numba types it."""
    if isinstance(value, np.ndarray):
        return value.view(_Array)
    if isinstance(value, tuple):
        items = (_argument(x, floats) for x in value)
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return _number(value, floats, True)


class _Array(np.ndarray):
    """An array whose `shape` and `size` are int64, as in Numba: float32 / shape[0] is float64."""

    shape: Any = property(lambda self: tuple(np.int64(n) for n in np.shape(self.view(np.ndarray))))
    size: Any = property(lambda self: np.int64(np.size(self.view(np.ndarray))))


class _Copies:
    """Copies of functions whose number constants have fixed NumPy types.

    floats: the type of floats; interpreted: for the interpreter (else for Numba)
    """

    def __init__(self, floats: Any, *, interpreted: bool) -> None:
        self.floats, self.interpreted = floats, interpreted
        self.made: dict[int, Any] = {}

    def of(self, function: types.FunctionType) -> types.FunctionType:
        """Return the copy of a function, with copies of all functions that it calls."""
        if id(function) in self.made:
            made: types.FunctionType = self.made[id(function)]
            return made
        floats = np.float64 if _of_library(function) else self.floats
        names = dict(function.__globals__)
        code, variables = _code(function.__code__, floats, self.interpreted), list[Any]()
        if self.interpreted:
            code = _squares(code)
        else:
            code, variables = _constants_as_variables(code, floats)
        cells = [types.CellType() for _ in function.__closure__ or ()]
        copy = types.FunctionType(
            code, names, function.__name__, None, (*cells, *map(types.CellType, variables)) or None
        )
        self.made[id(function)] = copy
        copy.__module__ = function.__module__
        copy.__defaults__ = self.value(function.__defaults__, floats)
        if function.__kwdefaults__:
            copy.__kwdefaults__ = {
                name: self.value(x, floats) for name, x in function.__kwdefaults__.items()
            }
        used = {name for code in codes(function.__code__) for name in code.co_names}
        for name in used & set(names):
            names[name] = self.value(names[name], floats, used)
        if self.interpreted:
            names.update({x: f for x, f in _BUILTINS.items() if x in used and x not in names})
        for mine, theirs in zip(cells, function.__closure__ or (), strict=True):
            mine.cell_contents = self.value(theirs.cell_contents, floats, used)
        return copy

    def value(self, value: Any, floats: Any, used: set[str] | None = None) -> Any:
        """Return the copy of a value from outside; used: the attribute names it may be asked for.

        Functions and modules are copied, numbers converted; other values are returned unchanged.
        """
        if self.interpreted and callable(value) and _hashable(value) and value in _FUNCTIONS:
            return _FUNCTIONS[value]
        if self.interpreted and hasattr(value, "py_func"):  # Numba keeps its floats at float64
            return _Copies(np.float64, interpreted=True).of(value.py_func)
        if isinstance(value, types.FunctionType):
            package = (value.__module__ or "").split(".")[0]
            own = package not in ("numpy", "numba") and (self.interpreted or is_users(value))
            return self.of(value) if own else value
        if isinstance(value, types.ModuleType) and used is not None:
            return self.module(value, floats, used)
        return _number(value, floats, self.interpreted)

    def module(self, module: types.ModuleType, floats: Any, used: set[str]) -> types.ModuleType:
        """Return a module with copies of its attributes in `used`, or itself if none changes."""
        found = {
            name: getattr(module, name) for name in used if name in getattr(module, "__dict__", {})
        }
        found = {x: y for x, y in found.items() if not isinstance(y, types.ModuleType)}
        changed = {name: self.value(x, floats) for name, x in found.items()}
        if all(changed[name] is x for name, x in found.items()):
            return module
        copy = types.ModuleType(module.__name__)
        vars(copy).update(vars(module))
        vars(copy).update(changed)
        return copy


def _of_library(function: types.FunctionType) -> bool:
    """Return whether a function belongs to fastgames."""
    return (function.__module__ or "").split(".")[0] == "fastgames"


def _hashable(value: Any) -> bool:
    """Return whether the type of a value defines a hash."""
    return type(value).__hash__ is not None


def _code(code: types.CodeType, floats: Any, ints: bool) -> types.CodeType:
    """Return a code object whose number constants have fixed types; see `_number`."""
    constants = tuple(
        _code(x, floats, ints) if isinstance(x, types.CodeType) else _number(x, floats, ints)
        for x in code.co_consts
    )
    return code.replace(co_consts=constants)


_LOAD_CONST, _LOAD_DEREF = dis.opmap["LOAD_CONST"], dis.opmap["LOAD_DEREF"]


def _constants_as_variables(code: types.CodeType, floats: Any) -> tuple[types.CodeType, list[Any]]:
    """Return the code with its constants of type `floats` as free variables, and their values.

    Numba rejects constants of NumPy types in array expressions. Numba reads the result, and Python
    never runs it: the code lacks the instruction that copies free variables into the frame.
    """
    raw, values = bytearray(code.co_code), []
    places: dict[int, int] = {}  # index of a constant -> index of its variable
    first = len({*code.co_varnames, *code.co_cellvars}) + len(code.co_freevars)
    for at in range(0, len(raw), 2):
        index = raw[at + 1]
        extended = at > 0 and raw[at - 2] == dis.EXTENDED_ARG
        if raw[at] != _LOAD_CONST or extended or type(code.co_consts[index]) is not floats:
            continue
        if index not in places and first + len(places) < 256:
            places[index] = first + len(places)
            values.append(code.co_consts[index])
        if index in places:
            raw[at], raw[at + 1] = _LOAD_DEREF, places[index]
    names = tuple(f"constant {k}" for k in range(len(values)))
    return code.replace(co_code=bytes(raw), co_freevars=code.co_freevars + names), values


def _squares(code: types.CodeType) -> types.CodeType:
    """Return the code with the 2 of `x ** 2` as int8, so that float32 ** 2 is float32 as in Numba.

    An int64 exponent would promote the result to float64.
    """
    raw, two = bytearray(code.co_code), len(code.co_consts)
    instructions = list(dis.get_instructions(code))
    found = False
    for each, following in itertools.pairwise(instructions):
        exponent = each.opname in ("LOAD_CONST", "LOAD_SMALL_INT") and each.argval == 2
        power = following.opname == "BINARY_OP" and following.argrepr[:2] == "**"
        extended = each.offset > 0 and raw[each.offset - 2] == dis.EXTENDED_ARG
        if exponent and power and not extended and two < 256:
            raw[each.offset], raw[each.offset + 1] = _LOAD_CONST, two
            found = True
    constants = (*code.co_consts, np.int8(2)) if found else code.co_consts
    return code.replace(co_code=bytes(raw), co_consts=constants)


def _number(value: Any, floats: Any, ints: bool) -> Any:
    """Return a Python float as type `floats`, also within tuples; ints: convert ints to int64."""
    if type(value) is float:
        with np.errstate(over="ignore"):
            return floats(value)
    if ints and type(value) is int and -(2**63) <= value < 2**63:
        return np.int64(value)
    if type(value) is tuple:
        items = tuple(_number(x, floats, ints) for x in value)
        return value if all(x is y for x, y in zip(items, value, strict=True)) else items
    return value


def _range(*ends: Any) -> list[Any]:
    """Return the numbers of `range` as int64."""
    return [np.int64(i) for i in range(*ends)]


def _enumerate(items: Any, start: int = 0) -> list[Any]:
    """Return the pairs of `enumerate` with int64 indices."""
    return [(np.int64(i), x) for i, x in enumerate(items, start)]


def _round(x: Any, *digits: Any) -> Any:
    """Return `round(x, *digits)`, as int64 without digits."""
    return round(x, *digits) if digits else np.int64(round(x))


def _extreme(which: Any) -> Any:
    """Return `max` or `min` with a result of the common type of all arguments, as in Numba."""

    def extreme(*values: Any) -> Any:
        found = which(*values)
        return found if len(values) == 1 else np.result_type(*values).type(found)

    return extreme


_BUILTINS = {  # with the result types of Numba
    "float": np.float64,
    "int": lambda x=0: np.int64(int(x)),
    "len": lambda x: np.int64(len(x)),
    "range": _range,
    "enumerate": _enumerate,
    "round": _round,
    "max": _extreme(builtins.max),
    "min": _extreme(builtins.min),
}
_FUNCTIONS: dict[Any, Any] = {
    math.floor: lambda x: np.int64(math.floor(x)),
    math.ceil: lambda x: np.int64(math.ceil(x)),
    math.trunc: lambda x: np.int64(math.trunc(x)),
    math.sqrt: np.sqrt,
    math.ldexp: lambda x, n: np.ldexp(x, int(n)),
    math.frexp: lambda x: (np.frexp(x)[0], np.frexp(x)[1].astype(np.int64)),
    math.fabs: np.fabs,
    math.copysign: np.copysign,
}


def _as_array(make: Any) -> Any:
    """Return a constructor of arrays that returns an `_Array`."""
    return lambda *arguments, **more: make(*arguments, **more).view(_Array)


for _make in (np.zeros, np.ones, np.empty, np.full, np.zeros_like, np.ones_like, np.empty_like,
              np.full_like, np.arange, np.array, np.asarray, np.linspace):  # fmt: skip
    _FUNCTIONS[_make] = _as_array(_make)
