"""Names of a package, properties, and functions of higher layers, found when first used."""

import importlib
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pyright takes no cached_property where a protocol has a property
    cached = property
else:
    cached = cached_property


def later(
    package: str, modules: dict[str, tuple[str, ...]], former: dict[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` (PEP 562) of a package.

    modules: the names that each of its modules defines and the package offers as well. The modules
    themselves are attributes too. Type checkers need the same imports under TYPE_CHECKING.
    former: names that modules had before, and what they are called now.
    """
    former = former or {}
    defined_in = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        name = former.get(name, name)
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        if name not in defined_in:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        value = getattr(importlib.import_module(f"{package}.{defined_in[name]}"), name)
        setattr(sys.modules[package], name, value)  # next time it is found at once
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules, *defined_in})

    return get, names


def provided(module: str, name: str) -> Any:
    """Return a function of a module that is imported now.

    The methods of `Result` find what files, tables and pictures do in this way: these modules
    stand above it and import it.
    """
    return getattr(importlib.import_module(module), name)
