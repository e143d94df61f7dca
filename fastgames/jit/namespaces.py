"""The modules of `fastgames.rules` once more, with their functions compiled."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

from fastgames.compiler.cache import keep
from fastgames.compiler.compile import MOST_INLINED, compiled, length
from fastgames.functions.source import FROZEN, is_dispatcher


def offered(rule: Callable[..., Any]) -> Any:
    """A rule as users call it: a part of the loop that calls it, unless it is long."""
    inline = length(rule) <= MOST_INLINED
    made = compiled(rule, inline)
    if not is_dispatcher(made):  # NUMBA_DISABLE_JIT is set
        return made
    return keep(made, ("rule", inline), FROZEN.get(made))


def namespace(name: str) -> types.ModuleType:
    """The module `fastgames.jit.<name>`: each function is compiled when it is first asked for."""
    module = types.ModuleType(f"fastgames.jit.{name}", f"`fastgames.rules.{name}`, compiled.")

    def get(attribute: str) -> Any:
        if attribute.startswith("_"):  # what Python asks of modules
            raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")
        rules = importlib.import_module(f"fastgames.rules.{name}")
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
        rules = vars(importlib.import_module(f"fastgames.rules.{name}"))
        return sorted(x for x in rules if not x.startswith("_"))

    vars(module).update(__getattr__=get, __dir__=names)
    sys.modules[module.__name__] = module  # for `from fastgames.jit.choice import argmax`
    return module
