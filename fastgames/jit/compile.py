"""From a rule to the Numba function made from it."""

import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numba


@cache
def compiled(rule: Callable[..., Any]) -> Any:
    """The njit-compiled form of a plain-Python rule; the rules that it calls are compiled with it.

    rule: a function in the subset that Numba compiles. Its bits are those of the interpreted rule:
    no fast-math, divisions as NumPy has them, no bounds checks.

    >>> from fastgames.rules import choice
    >>> import numpy as np
    >>> int(compiled(choice.argmax)(np.array([1.0, 3.0, 3.0])))
    1
    """
    names = dict(rule.__globals__)
    for name in rule.__code__.co_names:
        if _is_rule(names.get(name)):
            names[name] = compiled(names[name])
    copy = types.FunctionType(
        rule.__code__, names, rule.__name__, rule.__defaults__, rule.__closure__
    )
    return numba.njit(copy, error_model="numpy", fastmath=False, boundscheck=False)


def _is_rule(value: Any) -> bool:
    return isinstance(value, types.FunctionType) and value.__module__.startswith("fastgames.rules.")
