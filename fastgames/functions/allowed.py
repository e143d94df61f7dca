"""Names that functions of learners and games must not use, and their replacements.

`fastgames.functions.purity` walks the functions; this module holds the names and the predicates
that classify objects.
"""

from __future__ import annotations

import builtins
import cmath
import math
import operator
import types
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

RANDOM = ("random", "secrets", "uuid", "_random", "_uuid")
CLOCK = ("time", "datetime", "_datetime", "calendar", "zoneinfo", "timeit")
KNOWN = (  # standard library modules whose functions depend on their arguments only
    "math", "cmath", "operator", "_operator", "builtins", "enum", "typing", "collections",
    "numbers", "dataclasses", "functools", "_functools", "itertools", "heapq", "_heapq", "bisect",
    "_bisect",
)  # fmt: skip
BUILTINS = (
    "input", "open", "eval", "exec", "compile", "globals", "locals", "vars", "dir", "id", "hash",
    "getattr", "setattr", "delattr", "__import__", "breakpoint", "help", "memoryview", "exit",
    "quit", "aiter", "anext",
)  # fmt: skip

LIBRARY = {
    "exp": "from fastgames.rules.exponential import exp: exp(x, real)",
    "log": "from fastgames.rules.logarithm import log: log(x)",
    "tanh": "from fastgames.rules.hyperbolic import tanh: tanh(x, real)",
    "power": "x * x, or exp and log of fastgames.rules: exp(y * log(x), np.float64)",
    "sum": "a loop in index order, or from fastgames.rules.sums import total, mean, dot",
    "sort": "a loop, because the order of equal entries depends on the platform",
    "own": "it with + - * / and exp, log, tanh and sqrt of fastgames.rules",
}
INEXACT = {  # name in numpy, math, cmath or builtins -> key of LIBRARY
    **dict.fromkeys(("exp", "exp2", "expm1"), "exp"),
    **dict.fromkeys(("log", "log2", "log10", "log1p", "logaddexp", "logaddexp2"), "log"),
    **dict.fromkeys(("tanh", "sinh", "cosh"), "tanh"),
    **dict.fromkeys(("power", "pow", "float_power"), "power"),
    **dict.fromkeys(
        ("sum", "nansum", "mean", "nanmean", "average", "var", "nanvar", "std", "nanstd", "dot",
         "vdot", "inner", "matmul", "vecdot", "matvec", "vecmat", "tensordot", "einsum", "kron",
         "trapz", "trapezoid", "cov", "corrcoef", "convolve", "correlate", "fsum", "sumprod",
         "dist"), "sum",
    ),
    **dict.fromkeys(("argsort", "argpartition", "partition"), "sort"),
    **dict.fromkeys(
        ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "asin", "acos", "atan",
         "atan2", "arcsinh", "arccosh", "arctanh", "asinh", "acosh", "atanh", "hypot", "cbrt",
         "erf", "erfc", "gamma", "lgamma", "sinc", "i0", "phase", "polar", "rect"), "own",
    ),
}  # fmt: skip
ONLY = "use only its arguments and constants"
SAME_BITS = "use functions that return the same bits in Python and compiled"
KEEP = "store values that change in a table or in the state"
TUPLE = "read tables, p and t by field (p.alpha), tables and p also by position (p[0])"
SUMS = tuple(name for name, what in INEXACT.items() if what == "sum")
METHODS = ("sum", "mean", "var", "std", "dot", "argsort", "argpartition", "partition")
OF_INTS = ("actions", "observations", "next_observations")  # integer arrays of an outcome
INDEX_OPERATORS = ("[", "[]")


def root_of(value: Any) -> str:
    """Return "numpy.random" or "numpy.linalg" for their objects, else the top-level package."""
    if isinstance(value, types.ModuleType):
        name = value.__name__
    elif isinstance(value, types.BuiltinFunctionType | types.MethodType) and not isinstance(
        value.__self__, types.ModuleType | None
    ):
        owner = value.__self__
        name = owner.__module__ if isinstance(owner, type) else type(owner).__module__
    elif isinstance(value, types.FunctionType | types.BuiltinFunctionType | type):
        name = value.__module__
    else:
        name = getattr(value, "__module__", "") if callable(value) else ""
        name = name if isinstance(name, str) and name else type(value).__module__
    for within in ("numpy.random", "numpy.linalg"):
        if (name or "").startswith(within):
            return within
    return (name or "").split(".")[0]


def shown(value: Any, name: str, follows: str) -> str:
    """Return the name with its attribute path, and the real name if `name` is an alias."""
    if isinstance(value, types.ModuleType):
        known = value.__name__
    else:
        known = f"{root_of(value)}.{getattr(value, '__name__', type(value).__name__)}"
    alike = known in (name, name.replace("np.", "numpy."))
    return f"{name}{follows}" if alike else f"{name}{follows} (which is {known}{follows})"


def is_callable(value: Any) -> bool:
    """Return whether a value is callable and hashable."""
    return isinstance(value, Callable) and type(value).__hash__ is not None  # type: ignore[arg-type]


@cache
def inexact() -> dict[Any, str]:
    """Return {function: key of LIBRARY} for functions whose compiled form returns other bits."""
    found: dict[Any, str] = {}
    for module in (np, math, cmath, builtins):
        for name, instead in INEXACT.items():
            if hasattr(module, name):
                found[getattr(module, name)] = instead
    return found | {operator.pow: "power", operator.matmul: "sum", np.linalg.norm: "sum"}


@cache
def forbidden() -> tuple[Any, ...]:
    """Return the builtins that access state outside of the function."""
    return tuple(getattr(builtins, name) for name in BUILTINS if hasattr(builtins, name))


def is_constant(value: Any) -> bool:
    """Return whether a value is a number, string, dtype, None or array without objects."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufcSU" or value.dtype.names is not None
    return value is None or isinstance(
        value, int | float | complex | str | bytes | np.generic | Enum | range | slice | type(...)
        | np.dtype
    )  # fmt: skip


def is_plain(value: Any) -> bool:
    """Return whether a value is a user's Python function, which the walk reads as well."""
    function = getattr(value, "py_func", value)
    return isinstance(function, types.FunctionType) and root_of(function) not in (
        "fastgames", "numpy", "numpy.linalg", "numba", *KNOWN
    )  # fmt: skip


def is_stateless(value: Any) -> bool:
    """Return whether a value is a class or a function that holds no state of its own."""
    if isinstance(value, types.FunctionType | type) or hasattr(value, "py_func"):
        return True
    if isinstance(value, types.BuiltinFunctionType) and not isinstance(
        value.__self__, types.ModuleType | type | None
    ):
        return False  # a bound method, such as `append` of a list
    if isinstance(value, np.ufunc):
        return getattr(np, value.__name__, None) is value
    return root_of(value) in ("numpy", "numba", *KNOWN)
