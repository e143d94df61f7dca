"""Write the index of names of each package in `INDEXES`: `make names`.

An index, `_names.py` of its package, says which module defines a name, so that a process imports
only what it uses, and tells type checkers of all names. What stands in an index keeps its place;
new names are added at the end.
"""

import importlib
import pkgutil
from pathlib import Path
from types import FunctionType

from fastgames.games.catalogue._declaration import DECLARED

COMMAND = "make names"
HEAD = """\
\"""Names of this package and the modules that define them; made by `make names`, do not edit.\"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
"""


def is_game(value):
    """Return True for a function that makes a game and is declared as such."""
    return isinstance(value, FunctionType) and value in DECLARED


#: Packages, and which of the values that their modules define are in the index.
INDEXES = [("fastgames.games", is_game)]


def path(package):
    """Return the path of a package's index."""
    return Path(importlib.import_module(package).__file__).with_name("_names.py")


def found(package, predicate):
    """Return the name and the module, relative to the package, of each value to be listed."""
    listed = {}
    for each in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        module = importlib.import_module(each.name)
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) == each.name and predicate(value):
                listed[name] = each.name.removeprefix(f"{package}.")
    return listed


def in_order(listed, before):
    """Return names as a dict: those that stood in the index before, then new ones by alphabet."""
    kept = [name for name in before if name in listed]
    return {name: listed[name] for name in [*kept, *sorted(set(listed) - set(kept))]}


def text(package, predicate):
    """Return the text of a package's index."""
    before = importlib.import_module(f"{package}._names").MODULES
    index = in_order(found(package, predicate), before)
    imports = {}
    for name, module in index.items():
        imports.setdefault(module, []).append(name)
    lines = []
    for module, names in sorted(imports.items()):
        lines.append(f"    from .{module} import {', '.join(sorted(names, key=_kind))}")
    lines += ["", "MODULES = {", *(f'    "{k}": "{module}",' for k, module in index.items()), "}"]
    lines += ["", "__all__ = [", *(f'    "{k}",' for k in sorted(index, key=_kind)), "]", ""]
    return HEAD + "\n".join(lines)


def _kind(name):
    """Return the key by which ruff sorts names: constants, classes, functions."""
    return (not name.isupper(), not name[0].isupper(), name)


if __name__ == "__main__":
    for package, predicate in INDEXES:
        path(package).write_text(text(package, predicate), encoding="utf-8")
