"""Names of a package, properties, and functions of higher layers, found when first used."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:  # pyright takes no cached_property where a protocol has a property
    cached = property
else:
    cached = cached_property


def later(
    package: str,
    modules: dict[str, tuple[str, ...]],
    former: dict[str, str] | None = None,
    index: Mapping[str, str] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` (PEP 562) of a package.

    modules: the names that each of its modules defines and the package offers as well. The modules
    themselves are attributes too. Type checkers need the same imports under TYPE_CHECKING.
    former: names that modules had before, and what they are called now.
    index: further names, and the modules that define them.
    """
    former, index = former or {}, index or {}
    defined_in = {name: module for module, names in modules.items() for name in names}
    defined_in |= index
    modules = {module.partition(".")[0]: () for module in index.values()} | modules

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


class Later(Mapping[str, T]):
    """Read-only mapping of names to what modules of a package define under these names.

    All names are known at once; a module is imported when its name is looked up.

    Parameters
    ----------
    package : str
        Name of the package.
    index : mapping of str to str
        The names, in order, and where each is defined: "module", relative to the package, or
        "module:attribute" if the attribute has another name.

    Examples
    --------
    >>> found = Later("os", {"join": "path"})
    >>> list(found), found["join"]("a", "b").replace(chr(92), "/")
    (['join'], 'a/b')
    """

    def __init__(self, package: str, index: Mapping[str, str]) -> None:
        self._package, self._index = package, index

    def __getitem__(self, name: str) -> T:
        module, _, attribute = self._index[name].partition(":")
        found = importlib.import_module(f"{self._package}.{module}")
        value: T = getattr(found, attribute or name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, name: object) -> bool:
        return name in self._index  # the inherited method would import the module

    def __repr__(self) -> str:
        return f"<names of {self._package}: {', '.join(self._index)}>"


def provided(module: str, name: str) -> Any:
    """Return a function of a module that is imported now.

    The methods of `Result` find what files, tables and pictures do in this way: these modules
    stand above it and import it.
    """
    return getattr(importlib.import_module(module), name)
