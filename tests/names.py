"""Write the index of names of each package in `INDEXES`: `make names`.

An index, `_names.py` of its package, says which module defines a name, so that a process imports
only what it uses, and tells type checkers of all names. What stands in an index keeps its place;
new names are added at the end.
"""

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import FunctionType

from fastgames.games.catalogue._declaration import DECLARED
from fastgames.learners import RuleLearner

COMMAND = "make names"
HEAD = """\
\"""Names of this package and the modules that define them; made by `make names`, do not edit.\"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
"""


def games():
    """Return the module of every function that makes a game and is declared as such."""
    return _defined("fastgames.games", lambda x: isinstance(x, FunctionType) and x in DECLARED)


def learners():
    """Return the module of every class of learners that has an example."""
    return _defined("fastgames.learners", _is_learner)


def rules():
    """Return the path of every module of rules, those of learners included, by its last name."""
    shared = _modules("fastgames.rules")
    own = [
        module
        for module in _modules("fastgames.learners")
        if any(_is_rule(x, module) for x in vars(importlib.import_module(module)).values())
    ]
    return {path.rpartition(".")[2]: path for path in sorted([*own, *shared])}


#: Packages, and the functions that find the names in their indexes.
INDEXES = {"fastgames.games": games, "fastgames.learners": learners, "fastgames.jit": rules}


def _is_learner(value):
    return isinstance(value, type) and issubclass(value, RuleLearner) and hasattr(value, "example")


def _is_rule(value, module):
    """Return whether a value is a public function of a module that takes tables."""
    mine = isinstance(value, FunctionType) and value.__module__ == module
    return mine and value.__name__[0] != "_" and "tables" in inspect.signature(value).parameters


def _modules(package):
    """Return the paths of all modules of a package."""
    where = importlib.import_module(package).__path__
    return [each.name for each in pkgutil.walk_packages(where, f"{package}.")]


def _defined(package, predicate):
    """Return the name and the module, relative to the package, of each value to be listed."""
    return {
        name: path.removeprefix(f"{package}.")
        for path in _modules(package)
        for name, value in vars(importlib.import_module(path)).items()
        if getattr(value, "__module__", None) == path and predicate(value)
    }


def path(package):
    """Return the path of a package's index."""
    return Path(importlib.import_module(package).__file__).with_name("_names.py")


def in_order(listed, before):
    """Return names as a dict: those that stood in the index before, then new ones by alphabet."""
    kept = [name for name in before if name in listed]
    return {name: listed[name] for name in [*kept, *sorted(set(listed) - set(kept))]}


def text(package):
    """Return the text of a package's index."""
    before = importlib.import_module(f"{package}._names").MODULES
    index = in_order(INDEXES[package](), before)
    imports = {}
    for name, module in index.items():
        parent, _, last = module.rpartition(".")
        whole = name == last and module.startswith("fastgames.")  # the module itself is the name
        imports.setdefault(parent if whole else f".{module}", []).append(name)
    lines = []
    for module, names in sorted(imports.items()):
        lines += _imported(module, sorted(names, key=_kind))
    lines += ["", "MODULES = {", *(f'    "{k}": "{module}",' for k, module in index.items()), "}"]
    registered = {
        getattr(importlib.import_module(f"{package}.{module}"), name).name: name
        for name, module in index.items()
        if package == "fastgames.learners"
    }
    if registered:
        lines += ["", "REGISTERED = {", *(f'    "{k}": "{x}",' for k, x in registered.items()), "}"]
    lines += ["", "__all__ = [", *(f'    "{k}",' for k in sorted(index, key=_kind)), "]", ""]
    return HEAD + "\n".join(lines)


def _imported(module, names):
    """Return the lines that import names from a module, as ruff formats them."""
    line = f"    from {module} import {', '.join(names)}"
    if len(line) <= 100:
        return [line]
    return [f"    from {module} import (", *(f"        {name}," for name in names), "    )"]


def _kind(name):
    """Return the key by which ruff sorts names: constants, classes, functions."""
    return (not name.isupper(), not name[0].isupper(), name)


if __name__ == "__main__":
    for package in INDEXES:
        path(package).write_text(text(package), encoding="utf-8")
