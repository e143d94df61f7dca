"""Counterparts of modules of rules, with compiled functions."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

from fastgames.compiler.cache import keep
from fastgames.compiler.compile import MOST_INLINED, compiled, length
from fastgames.functions.graph import FROZEN, is_dispatcher


def offered(rule: Callable[..., Any]) -> Any:
    """Return a compiled rule for users; it is inlined into its callers unless it is long."""
    inline = length(rule) <= MOST_INLINED
    made = compiled(rule, inline)
    if not is_dispatcher(made):  # NUMBA_DISABLE_JIT is set
        return made
    return keep(made, ("rule", inline), FROZEN.get(made))


def namespace(name: str, source: str) -> types.ModuleType:
    """Return the module `fastgames.jit.<name>`, which compiles each function on first access.

    source: the module of the functions
    """
    module = types.ModuleType(f"fastgames.jit.{name}", f"`{source}`, compiled.")

    def get(attribute: str) -> Any:
        if attribute.startswith("_"):  # Python itself looks up special names such as __path__
            raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")
        rules = importlib.import_module(source)
        if not hasattr(rules, attribute):
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {attribute!r}", name=attribute
            )
        value = getattr(rules, attribute)
        if isinstance(value, types.FunctionType):
            value = offered(value)
        setattr(module, attribute, value)
        return value

    def names() -> list[str]:
        rules = vars(importlib.import_module(source))
        return sorted(x for x in rules if not x.startswith("_"))

    vars(module).update(__getattr__=get, __dir__=names)
    sys.modules[module.__name__] = module  # supports `from fastgames.jit.choice import argmax`
    return module
