"""The numbers of a user's rules where tables are float32: the same promotion in every body.

Beside a float32, Python's own numbers are weak in NumPy (the result is float32) and strong in
Numba (float64). So where tables are float32, `choose` and `learn` of a user's learner get their
parameters, and the floats written in them or taken from outside, as float32 in both bodies. Whole
numbers are int64 in both: the reference hands them over as NumPy's, whose promotion is Numba's.
`draw` and `policy` compute in float64, as the rules of the library do, which round explicitly.
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

from fastgames.functions.source import codes

Number = Callable[[Any], Any]


def is_users(rule: Any) -> bool:
    """Return whether a rule is a user's; the library's rules round explicitly."""
    return isinstance(rule, types.FunctionType) and not _of_library(rule)


def computes_in(rule: Any, real: Any) -> Any:
    """The type of the parameters and floats of `choose` and `learn`, for tables of type `real`."""
    return np.float32 if is_users(rule) and np.dtype(real) == np.float32 else np.float64


def for_numba(rule: Any, real: Any) -> Any:
    """`rule` to be compiled, for tables of type `real`: its floats are of the type it computes in.

    The rule itself where that is float64.
    """
    if computes_in(rule, real) is np.float64:
        return rule
    return _Copies(np.float32, interpreted=False).of(rule)


def for_reference(rule: Any, real: Any, floats: Any = None) -> Any:
    """`rule` to be interpreted with Numba's promotion, for tables of type `real`.

    floats: the type it computes in, that of `computes_in` unless given. The rule itself where all
    is float64.
    """
    if computes_in(rule, real) is np.float64:
        return rule
    floats = floats or np.float32
    copy = _Copies(floats, interpreted=True).of(rule)

    def typed(*arguments: Any) -> Any:
        return copy(*(_argument(x, floats) for x in arguments))

    return typed


def _argument(value: Any, floats: Any) -> Any:
    """Return an argument of a rule as Numba types it."""
    if isinstance(value, np.ndarray):
        return value.view(_Array)
    if isinstance(value, tuple):
        items = (_argument(x, floats) for x in value)
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return _number(value, floats, True)


class _Array(np.ndarray):
    """An array whose sizes are int64, as Numba has them: float32 / shape[0] is then float64."""

    shape: Any = property(lambda self: tuple(np.int64(n) for n in np.shape(self.view(np.ndarray))))
    size: Any = property(lambda self: np.int64(np.size(self.view(np.ndarray))))


class _Copies:
    """Copies of functions whose numbers have fixed types."""

    def __init__(self, floats: Any, *, interpreted: bool) -> None:
        self.floats, self.interpreted = floats, interpreted
        self.made: dict[int, Any] = {}

    def of(self, function: types.FunctionType) -> types.FunctionType:
        """The copy of a function, with copies of all that it calls."""
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
        """A value that a function takes from outside; used: the names that it may take of it."""
        if self.interpreted and callable(value) and _hashable(value) and value in _FUNCTIONS:
            return _FUNCTIONS[value]
        if self.interpreted and hasattr(value, "py_func"):  # its floats stay float64 in Numba
            return _Copies(np.float64, interpreted=True).of(value.py_func)
        if isinstance(value, types.FunctionType):
            package = (value.__module__ or "").split(".")[0]
            own = package not in ("numpy", "numba") and (self.interpreted or is_users(value))
            return self.of(value) if own else value
        if isinstance(value, types.ModuleType) and used is not None:
            return self.module(value, floats, used)
        return _number(value, floats, self.interpreted)

    def module(self, module: types.ModuleType, floats: Any, used: set[str]) -> types.ModuleType:
        """A module with copies of what a function may take of it, itself if they are the same."""
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
    return (function.__module__ or "").split(".")[0] == "fastgames"


def _hashable(value: Any) -> bool:
    return type(value).__hash__ is not None


def _code(code: types.CodeType, floats: Any, ints: bool) -> types.CodeType:
    """A code object whose constants are numbers of fixed types."""
    constants = tuple(
        _code(x, floats, ints) if isinstance(x, types.CodeType) else _number(x, floats, ints)
        for x in code.co_consts
    )
    return code.replace(co_consts=constants)


_LOAD_CONST, _LOAD_DEREF = dis.opmap["LOAD_CONST"], dis.opmap["LOAD_DEREF"]


def _constants_as_variables(code: types.CodeType, floats: Any) -> tuple[types.CodeType, list[Any]]:
    """The code with its numbers of type `floats` as free variables, and their values.

    Numba takes no constant of NumPy's types in an expression over whole arrays. The result is read
    by Numba and never run: it does not copy these variables into its frame.
    """
    raw, values = bytearray(code.co_code), []
    places: dict[int, int] = {}  # of a constant: which variable it becomes
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
    """The code with the 2 of `x ** 2` as int8: a float32 squared is a float32, as in Numba."""
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
    """Python's own number as one of NumPy's, also in tuples; ints: whole numbers too."""
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
    return [np.int64(i) for i in range(*ends)]


def _enumerate(items: Any, start: int = 0) -> list[Any]:
    return [(np.int64(i), x) for i, x in enumerate(items, start)]


def _round(x: Any, *digits: Any) -> Any:
    return round(x, *digits) if digits else np.int64(round(x))


def _extreme(which: Any) -> Any:
    """`max` or `min`: of several numbers, one of the type that all have in common."""

    def extreme(*values: Any) -> Any:
        found = which(*values)
        return found if len(values) == 1 else np.result_type(*values).type(found)

    return extreme


_BUILTINS = {  # what Numba makes of them
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
    return lambda *arguments, **more: make(*arguments, **more).view(_Array)


for _make in (np.zeros, np.ones, np.empty, np.full, np.zeros_like, np.ones_like, np.empty_like,
              np.full_like, np.arange, np.array, np.asarray, np.linspace):  # fmt: skip
    _FUNCTIONS[_make] = _as_array(_make)
