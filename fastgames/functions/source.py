"""Snapshots of functions with everything that they read, and their digests.

`Source` walks a graph: a function, its defaults and closure, the globals that it reads, and,
recursively, the functions and classes among these. Attributes that it reads from a module are part
of the graph.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import functools
import types
from collections.abc import Callable
from typing import Any

from fastgames.functions.digests import (
    digest_of_code,
    digest_of_former_text,
    digest_of_text,
    encoded,
    joined,
    reads_docstrings,
)
from fastgames.functions.graph import (
    BUILT_IN,
    FROZEN,
    attributes_of,
    globals_of,
    is_dispatcher,
    is_known,
)


def fingerprint(*functions: Callable[..., Any], loaded: bool = False) -> str:
    """Return the SHA-256 of functions and of everything that they read; see `Source`.

    Parameters
    ----------
    *functions : function
        The functions, in order.
    loaded : bool
        Hash the compiled code, which is valid for one version of Python. Default: hash the source
        text; see `Source.text`.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If a value from outside has no digest.

    Examples
    --------
    >>> fingerprint(lambda x: x + 1) == fingerprint(lambda x: x + 1.0)
    False
    """
    source = Source(*functions)
    return source.loaded if loaded else source.text


class Source:
    """A snapshot of functions and everything that they read, taken at construction.

    It covers their code with its constants, default arguments, closures, the globals that they
    read, and the same for all plain functions, classes and functions compiled by Numba among these.
    It is stored as a list of parts, each bytes, a code object or a function that fastgames
    compiled, which identifies the functions: every part contains its type and its length, and a
    repeated function is represented by its number. Different constants, two constants exchanged, or
    1 in place of 1.0 or True give a different list.

    Attributes
    ----------
    unknown : str
        "path = value" of the first value that has no digest; "" if all have one.
    """

    unknown: str

    def __init__(self, *functions: Callable[..., Any]) -> None:
        self._functions = functions
        self._parts: list[tuple[str, Any]] = []
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []  # keeps objects alive, so that the ids in `_numbers` stay valid
        self.unknown = ""
        for function in functions:
            self._add(getattr(function, "__name__", "function"), function)
        del self._numbers, self._alive

    @functools.cached_property
    def loaded(self) -> str:
        """SHA-256 of the parts with the compiled code, 64 hexadecimal digits."""
        return self._digest(digest_of_code)

    @functools.cached_property
    def text(self) -> str:
        """SHA-256 of the parts with the source text of the code, 64 hexadecimal digits; for files.

        It is the same in every version of Python. The text of a function is the syntax tree of this
        function or lambda without its name, comments, annotations and docstrings (its own, and
        those of functions and classes inside); two lambdas on one line have separate trees. If the
        source file is missing or no longer contains the text that Python compiled, the compiled
        code and Python's version are hashed instead; compiled code contains docstrings. Docstrings
        are covered if a function reads the attribute `__doc__`.
        """
        parts = (part for _, part in self._parts if isinstance(part, types.CodeType))
        if any(reads_docstrings(code) for code in parts):
            return self.former
        return self._digest(digest_of_text)

    @functools.cached_property
    def former(self) -> str:
        """SHA-256 as `text` was when it covered docstrings, 64 hexadecimal digits; to read files.

        For functions of this package it covers the docstrings that they had then; see
        `fastgames.functions.former`.
        """
        return self._digest(digest_of_former_text)

    def check_unchanged(self, name: str, made: Any) -> None:
        """Raise ValueError if the functions, or what they read, have changed since construction.

        The error has the path of the first value that changed, such as "learn: helper: CONSTANT".

        name: of the argument; made: the learner or game of the functions
        """
        changed = self._difference(Source(*self._functions))
        if changed:
            raise ValueError(
                f"{name} must be made of functions that have not changed since, got {made!r}, "
                f"where {changed!r} has; make it anew"
            )

    def __deepcopy__(self, memo: Any) -> Source:
        return self  # immutable

    def __reduce__(self) -> tuple[Any, ...]:
        return Source, self._functions  # code objects cannot be pickled; functions can, by name

    def _difference(self, other: Source) -> str:
        """Return the path of the first part that differs from `other`, or ""."""
        for (path, mine), (_, its) in zip(self._parts, other._parts, strict=False):
            if isinstance(mine, types.CodeType) and isinstance(its, types.CodeType):
                same = mine is its or digest_of_code(mine) == digest_of_code(its)
            else:
                same = mine == its
            if not same:
                return path
        return "" if len(self._parts) == len(other._parts) else self._parts[-1][0]

    def _digest(self, of: Callable[[types.CodeType], bytes]) -> str:
        """Return the SHA-256 of the parts; of: the digest of a code object."""
        if self.unknown:
            raise TypeError(
                "values from outside of a function must be numbers, strings, tuples, arrays, "
                f"classes or plain functions, got {self.unknown}"
            )

        def as_bytes(part: Any) -> bytes:
            if isinstance(part, _Compiled):
                return part.text() if of is digest_of_text else part.digest.encode()
            found: bytes = of(part) if isinstance(part, types.CodeType) else part
            return found

        return joined(as_bytes(part) for _, part in self._parts).hex()

    def _put(self, path: str, *parts: Any) -> None:
        """Append parts, each with the path of its value."""
        self._parts.extend((path, part) for part in parts)

    def _again(self, path: str, value: Any) -> bool:
        """Return whether a value was added before; if so, append its number as its only part."""
        number = self._numbers.setdefault(id(value), len(self._numbers))
        if number < len(self._alive):
            self._put(path, b"again", b"%d" % number)
            return True
        self._alive.append(value)
        return False

    def _add(self, path: str, value: Any) -> None:
        """Append the parts of a value and of everything that it refers to."""
        found = encoded(value)
        if found is not None:
            self._put(path, found)
        elif isinstance(value, types.FunctionType):
            if not self._again(path, value):
                self._add_function(path, value)
        elif isinstance(value, type):
            if not self._again(path, value):
                self._add_class(path, value)
        elif isinstance(value, enum.Enum):
            self._put(path, b"member", str(value.name).encode())
            self._add(path, type(value))
        elif isinstance(value, tuple | list):
            if isinstance(value, list) and self._again(path, value):
                return
            self._put(path, b"sequence", b"%d" % len(value))
            self._add(path, type(value))
            for each in value:
                self._add(path, each)
        elif isinstance(value, types.ModuleType):
            self._put(path, b"module", value.__name__.encode())
        elif is_dispatcher(value):
            if not self._again(path, value):
                self._add_dispatcher(path, value)
        else:
            self.unknown = self.unknown or f"{path} = {value!r}"
            self._put(path, _Unknown(value))

    def _add_function(self, path: str, function: types.FunctionType) -> None:
        """Append a function: its code, defaults, closure, globals and module attributes."""
        self._put(path, b"function", function.__code__)
        for value in (function.__defaults__, *sorted((function.__kwdefaults__ or {}).items())):
            self._add(path, value)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            self._put(path, b"cell", name.encode())
            try:
                self._add(f"{path}: {name}", cell.cell_contents)
            except ValueError:
                self._put(path, b"empty")
        for name, value in globals_of(function):
            self._put(path, b"global", name.encode())
            if value is BUILT_IN:
                self._put(path, b"built in" if hasattr(builtins, name) else b"absent")
            else:
                self._add(f"{path}: {name}", value)
        for name, value in attributes_of(function):
            self._put(path, b"attribute", name.encode())
            self._add(f"{path}: {name}", value)
        self._put(path, b"end")

    def _add_class(self, path: str, kind: type) -> None:
        """Append a class: its name and, unless a library's, its bases, members and functions."""
        self._put(path, b"class", f"{kind.__module__}.{kind.__qualname__}".encode())
        if is_known(kind):
            return
        self._add(path, kind.__bases__)
        if issubclass(kind, enum.Enum):
            for name, member in kind.__members__.items():
                self._put(f"{path}.{name}", b"member", member.name.encode(), name.encode())
                self._add(f"{path}.{name}", member.value)
        fields = kind.__dict__.get("_fields")
        if fields is not None:  # of a NamedTuple
            self._add(path, fields)
            self._add(path, tuple(sorted(kind.__dict__.get("_field_defaults", {}).items())))
        for name, value in sorted(vars(kind).items()):
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            if isinstance(value, property):
                value = (value.fget, value.fset, value.fdel)
            elif isinstance(value, types.FunctionType):
                generated = fields is not None and name in _OF_NAMED_TUPLES
                if generated or value.__module__ == "enum":
                    continue
            elif (
                issubclass(kind, enum.Enum)
                or name in _OF_CLASSES
                or type(value).__name__ in _DESCRIPTORS
            ):
                continue
            self._put(path, b"attribute", name.encode())
            self._add(f"{path}.{name}", value)
        self._put(path, b"end")

    def _add_dispatcher(self, path: str, value: Any) -> None:
        """Append a function that Numba compiles: its options, locals, signatures and function."""
        known = FROZEN.get(value)
        if known is not None:
            self._put(path, b"frozen", _Compiled(known, value.py_func))
            return
        self._put(path, b"compiled", b"%d" % len(value.targetoptions))
        for name, option in sorted(value.targetoptions.items()):
            self._put(path, name.encode())
            self._add(path, tuple(sorted(option)) if isinstance(option, set) else option)
        self._put(path, repr(sorted((value.locals or {}).items(), key=str)).encode())
        self._put(path, value._compiler.pipeline_class.__qualname__.encode())
        if not value._can_compile:  # compiled for fixed signatures, to which it casts arguments
            signatures = [str(made.signature) for made in value.overloads.values()]
            self._put(path, repr(signatures).encode())
        self._add(path, value.py_func)


class _Unknown:
    """A value that has no digest; it equals only itself."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unknown) and self.value is other.value

    __hash__ = None  # type: ignore[assignment]


@dataclasses.dataclass(frozen=True)
class _Compiled:
    """A function that fastgames compiled from a frozen copy.

    Attributes
    ----------
    digest : str
        Its entry of `FROZEN`: how it was compiled, and the `Source.loaded` of the copy.
    function : function
        The frozen copy.
    """

    digest: str
    function: types.FunctionType = dataclasses.field(compare=False)

    def text(self) -> bytes:
        """Return how the function was compiled and its `Source.text`."""
        how, _, _ = self.digest.rpartition(" ")
        return f"{how} {Source(self.function).text}".encode()


_OF_NAMED_TUPLES = (
    "__new__", "__repr__", "__getnewargs__", "__replace__", "_asdict", "_make", "_replace",
)  # fmt: skip
_OF_CLASSES = (
    "__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__",
    "__annotations_cache__", "__annotate__", "__annotate_func__", "__firstlineno__", "__slots__",
    "__static_attributes__", "__orig_bases__", "__match_args__", "__abstractmethods__", "_abc_impl",
    "_fields", "_field_defaults",
)  # fmt: skip
_DESCRIPTORS = ("_tuplegetter", "member_descriptor", "getset_descriptor")
