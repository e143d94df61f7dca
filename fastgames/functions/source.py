"""Digests of functions with everything that they read, and frozen copies of functions.

Both walk the same graph: a function, its defaults and closure, the globals that it reads, and,
recursively, the functions and classes among these. Attributes that it reads from a module are part
of the graph.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import dis
import enum
import functools
import hashlib
import linecache
import os
import platform
import struct
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from fastgames.functions.former import FORMER

LIBRARIES = ("numpy", "numba", "math", "cmath", "operator", "builtins")  # identified by version
_FUTURE = 0x1FE0000  # flags of `from __future__ import`, which do not affect compiled code
_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_MOST = 4096  # capacity of each memo of code objects
# Numba dispatchers made from `frozen` functions -> their digests.
FROZEN: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


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
        return self._digest(_loaded)

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
        if any(_reads_docstrings(code) for code in parts):
            return self.former
        return self._digest(_written)

    @functools.cached_property
    def former(self) -> str:
        """SHA-256 as `text` was when it covered docstrings, 64 hexadecimal digits; to read files.

        For functions of this package it covers the docstrings that they had then; see
        `fastgames.functions.former`.
        """
        return self._digest(_former)

    def changed(self) -> str:
        """Return the path of the first value that changed since construction, or "".

        The path lists the names that lead to the value, such as "learn: helper: CONSTANT".
        """
        return self._difference(Source(*self._functions))

    def __deepcopy__(self, memo: Any) -> Source:
        return self  # immutable

    def __reduce__(self) -> tuple[Any, ...]:
        return Source, self._functions  # code objects cannot be pickled; functions can, by name

    def _difference(self, other: Source) -> str:
        """Return the path of the first part that differs from `other`, or ""."""
        for (path, mine), (_, its) in zip(self._parts, other._parts, strict=False):
            if isinstance(mine, types.CodeType) and isinstance(its, types.CodeType):
                same = mine is its or _loaded(mine) == _loaded(its)
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
                return part.text() if of is _written else part.digest.encode()
            found: bytes = of(part) if isinstance(part, types.CodeType) else part
            return found

        return _joined(as_bytes(part) for _, part in self._parts).hex()

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
        encoded = _encoded(value)
        if encoded is not None:
            self._put(path, encoded)
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
        for name, value in _globals(function):
            self._put(path, b"global", name.encode())
            if value is _BUILT_IN:
                self._put(path, b"built in" if hasattr(builtins, name) else b"absent")
            else:
                self._add(f"{path}: {name}", value)
        for name, value in _attributes(function):
            self._put(path, b"attribute", name.encode())
            self._add(f"{path}: {name}", value)
        self._put(path, b"end")

    def _add_class(self, path: str, kind: type) -> None:
        """Append a class: its name and, unless a library's, its bases, members and functions."""
        self._put(path, b"class", f"{kind.__module__}.{kind.__qualname__}".encode())
        if _is_known(kind):
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


_BUILT_IN = object()  # stands for a name that is not a global of the function's module

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


def _encoded(value: Any) -> bytes | None:
    """Return the type and value of an object without Python objects as parts, else None."""
    kind = type(value)
    if value is None or value is Ellipsis or value is NotImplemented:
        return repr(value).encode()
    if kind is bool or kind is int:
        return f"{kind.__name__} {value}".encode()
    if kind is float:
        return b"float " + struct.pack("<d", value)
    if kind is complex:
        return b"complex " + struct.pack("<dd", value.real, value.imag)
    if kind is str:
        data: bytes = b"str " + value.encode("utf-8", "surrogatepass")
        return data
    if kind is bytes:
        data = b"bytes " + value
        return data
    if kind is np.ndarray or kind is np.memmap or isinstance(value, np.generic):
        if value.dtype.hasobject:
            return None
        array = np.asarray(value)
        what = f"{kind.__name__ if isinstance(value, np.generic) else 'array'} {_type(array.dtype)}"
        content = hashlib.sha256(array.tobytes()).digest()  # in C order for any memory layout
        return f"{what} {array.shape} ".encode() + content
    if isinstance(value, np.dtype):
        return f"dtype {_type(value)}".encode()
    if kind is range or kind is slice:
        parts = [_encoded(x) for x in (value.start, value.stop, value.step)]
        return None if None in parts else f"{kind.__name__} {parts}".encode()
    if kind is frozenset:
        parts = [_encoded(x) for x in value]
        return None if None in parts else f"frozenset {sorted(parts, key=repr)}".encode()
    if kind.__module__ == "numba.core.types.scalars":  # such as numba.float64, used as a cast
        return f"type of Numba {kind.__name__} {value}".encode()
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | np.ufunc) or (
        kind.__name__ == "_ArrayFunctionDispatcher"
    ):
        return f"library {value.__module__} {value.__name__}".encode() if _is_known(value) else None
    return None


def _type(dtype: np.dtype[Any]) -> str:
    """Return the text of a dtype with byte order, item size and fields."""
    fields = "" if dtype.names is None else f"{dtype.descr} {dtype.isalignedstruct}"
    return f"{dtype.str} {dtype.itemsize} {fields}"


def _is_known(value: Any) -> bool:
    """Return whether a library or Python itself defines this class or function under its name."""
    module = getattr(value, "__module__", None) or getattr(value, "__self__", None)
    module = getattr(module, "__name__", module)  # ufuncs have no module attribute; see below
    if isinstance(value, np.ufunc):
        module = "numpy"
    if not isinstance(module, str):
        return False
    root = module.split(".")[0]
    named = root in LIBRARIES or (isinstance(value, type) and root in sys.stdlib_module_names)
    found: Any = sys.modules.get(module)
    for name in getattr(value, "__qualname__", value.__name__).split("."):
        found = getattr(found, name, None)
    return named and found is value


def is_dispatcher(value: Any) -> bool:
    """Return whether a value is a function compiled by Numba, without importing Numba."""
    return any(
        kind.__name__ == "Dispatcher" and kind.__module__ == "numba.core.dispatcher"
        for kind in type(value).__mro__
    )


# --- names that a function reads ------------------------------------------------------------------


def outside(function: types.FunctionType) -> dict[str, Any]:
    """Return {name: value} of the values from outside that a function reads.

    These are the globals that it reads, its closure, and attributes of modules among these.
    """
    found = dict(_globals(function, absent=False))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # the cell is still empty
            continue
    return found | dict(_attributes(function))


def codes(code: types.CodeType) -> list[types.CodeType]:
    """Return a code object and the code objects of all functions within it."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [code, *(found for c in inner for found in codes(c))]


def _globals(function: types.FunctionType, absent: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the sorted names of the globals that a function reads, with their values.

    absent: also yield names that are not globals, with `_BUILT_IN` as value
    """
    names, _ = _names(function.__code__)
    for name in names:
        if name in function.__globals__:
            yield name, function.__globals__[name]
        elif absent:
            yield name, _BUILT_IN


def _attributes(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of attributes that a function may read from modules, by dotted path.

    The bytecode does not tell the object of an attribute, so every name is tried on every module.
    Modules of libraries are skipped.
    """
    modules = [(n, x) for n, x in _globals(function, False) if isinstance(x, types.ModuleType)]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            if isinstance(cell.cell_contents, types.ModuleType):
                modules.append((name, cell.cell_contents))
        except ValueError:
            continue
    seen: set[int] = set()
    while modules:
        path, module = modules.pop()
        if is_library(module) or id(module) in seen:
            continue
        seen.add(id(module))
        for name in _names(function.__code__)[1]:
            if hasattr(module, name):
                value = getattr(module, name)
                yield f"{path}.{name}", value
                if isinstance(value, types.ModuleType):
                    modules.append((f"{path}.{name}", value))


def is_library(module: types.ModuleType) -> bool:
    """Return whether a module belongs to a library, which is identified by its version."""
    return module.__name__.split(".")[0] in LIBRARIES and sys.modules.get(module.__name__) is module


_names_of: dict[int, tuple[types.CodeType, tuple[list[str], list[str]]]] = {}
_loaded_of: dict[int, tuple[types.CodeType, bytes]] = {}
_written_of: dict[int, tuple[types.CodeType, bytes]] = {}
_former_of: dict[int, tuple[types.CodeType, bytes]] = {}


def _once(known: dict[int, tuple[types.CodeType, Any]], make: Callable[[Any], Any]) -> Any:
    """Return `make` memoised by the identity of a code object, which is immutable."""

    @functools.wraps(make)
    def remembered(code: types.CodeType) -> Any:
        found = known.get(id(code))
        if found is None or found[0] is not code:
            if len(known) >= _MOST:
                known.clear()
            found = known[id(code)] = (code, make(code))
        return found[1]

    return remembered


_READING = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


def _find_names(code: types.CodeType) -> tuple[list[str], list[str]]:
    """Return the sorted globals that a code object reads, and all its names with attributes."""
    read: set[str] = set()
    for each in codes(code):
        read.update(
            instruction.argval
            for instruction in dis.get_instructions(each)
            if instruction.opname in _READING
        )
    return sorted(read), sorted({name for each in codes(code) for name in each.co_names})


_names = _once(_names_of, _find_names)


def _reads_docstrings(code: types.CodeType) -> bool:
    """Return whether a code object reads an attribute or a name `__doc__`."""
    return "__doc__" in _names(code)[1] and any(
        instruction.argval == "__doc__" and instruction.opname.startswith("LOAD")
        for each in codes(code)
        for instruction in dis.get_instructions(each)
    )


# --- digests of code ------------------------------------------------------------------------------


def _find_loaded(code: types.CodeType) -> bytes:
    """Return the SHA-256 of what a code object does: all but its name, file and line numbers."""
    parts: list[bytes] = [
        code.co_code,
        code.co_exceptiontable,
        repr((
            code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_argcount,
            code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & ~_FUTURE,
        )).encode(),
        *(_constant(x) for x in code.co_consts),
    ]  # fmt: skip
    return _joined(parts)


_loaded = _once(_loaded_of, _find_loaded)


def _constant(value: Any) -> bytes:
    """Return the bytes of a constant in code, with its type and the order of its items."""
    if isinstance(value, types.CodeType):
        inner: bytes = b"code" + _loaded(value)
        return inner
    if isinstance(value, tuple):
        return b"tuple" + _joined([_constant(x) for x in value])
    if isinstance(value, frozenset):
        return b"frozenset" + _joined(sorted(_constant(x) for x in value))
    if isinstance(value, slice):
        return b"slice" + _constant((value.start, value.stop, value.step))
    encoded = _encoded(value)
    assert encoded is not None, value
    return b"plain" + encoded


def _joined(parts: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of parts, each prefixed with its length."""
    data = b"".join([x for part in parts for x in (len(part).to_bytes(8, "little"), part)])
    return hashlib.sha256(data).digest()


def _find_written(code: types.CodeType, docstrings: bool = False) -> bytes:
    """Return the SHA-256 of a function's syntax tree; see `Source.text`."""
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename))
    found = [
        (line != code.co_firstlineno, tree)
        for line, made, tree in (defined(text) if text else ())
        if _loaded(made) == _loaded(code)
    ]
    if found:
        return digest_of_tree(min(found, key=lambda x: x[0])[1], docstrings)
    python = platform.python_implementation(), sys.version_info[:2], sys.implementation.cache_tag
    return _joined([b"code", repr(python).encode(), _loaded(code)])


_written = _once(_written_of, _find_written)


def _find_former(code: types.CodeType) -> bytes:
    """Return the SHA-256 of a function's syntax tree with docstrings; see `Source.former`."""
    if code.co_filename.startswith(_PACKAGE):
        present, former = FORMER.get(name_of(code), ("", ""))
        if present and _written(code).hex().startswith(present):
            return bytes.fromhex(former)
    return _find_written(code, docstrings=True)


_former = _once(_former_of, _find_former)


def name_of(code: types.CodeType) -> str:
    """Return the name of a function in `FORMER`: of its file and its own, "hedge.learn"."""
    file = os.path.splitext(os.path.basename(code.co_filename))[0]
    return f"{file}.{code.co_qualname}"


@functools.lru_cache(maxsize=8)
def defined(text: str) -> list[tuple[int, types.CodeType, ast.AST]]:
    """Return the line, code and tree of every function and lambda in the text of a file.

    Each node gets a unique line number before compiling, because the first line identifies its code
    object. Decorators are removed: their result is another function.
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    try:
        tree = ast.parse(text)
        nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        lines = []
        for number, node in enumerate(nodes, start=1):
            first = node.lineno
            if not isinstance(node, ast.Lambda):
                first = min([first, *(x.lineno for x in node.decorator_list)])
                node.decorator_list = []
            lines.append(first)
            node.lineno = node.end_lineno = number
            node.col_offset, node.end_col_offset = 0, 1
        made = codes(compile(tree, "<read>", "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError):  # the file is not the source of this code
        return []
    functions = {code.co_firstlineno: code for code in made if code.co_flags & 2}  # NEWLOCALS
    return [
        (line, functions[number], node)
        for number, (line, node) in enumerate(zip(lines, nodes, strict=True), start=1)
        if number in functions
    ]


def digest_of_tree(node: ast.AST, docstrings: bool) -> bytes:
    """Return the SHA-256 of a function's syntax tree, with or without docstrings, 32 bytes."""
    return _joined([b"text", _tree(node, docstrings, top=True)])


_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _tree(node: Any, docstrings: bool, top: bool = False) -> bytes:
    """Return a syntax tree as bytes that are the same in every version of Python.

    docstrings: whether to include the docstrings of functions and classes
    top: whether the node is the function itself; its name, defaults and annotations are skipped
    """
    if isinstance(node, ast.AST):
        skipped = {"type_comment", "kind"}
        if top:
            skipped |= {"name", "decorator_list", "returns", "type_params"}
        parts = [type(node).__name__.encode()]
        for field in sorted(node._fields):
            value = getattr(node, field, None)
            if field == "body" and isinstance(node, _DOCUMENTED) and not docstrings:
                value = node.body[ast.get_docstring(node, clean=False) is not None :]
            if field in skipped or value is None or value == []:
                continue
            if top and field == "args":
                value = _without_defaults(value)
            parts += [field.encode(), _tree(value, docstrings)]
        if isinstance(node, ast.Assert):
            parts.append(b"with" if __debug__ else b"without")
        return b"node" + _joined(parts)
    if isinstance(node, list):
        return b"list" + _joined([_tree(x, docstrings) for x in node])
    return _constant(node)


def _without_defaults(given: ast.arguments) -> ast.arguments:
    """Return the arguments of a function without defaults and annotations."""

    def plain(each: Any) -> Any:
        return None if each is None else ast.arg(each.arg)

    return ast.arguments(
        posonlyargs=[plain(x) for x in given.posonlyargs],
        args=[plain(x) for x in given.args],
        vararg=plain(given.vararg),
        kwonlyargs=[plain(x) for x in given.kwonlyargs],
        kw_defaults=[],
        kwarg=plain(given.kwarg),
        defaults=[],
    )


# --- frozen copies --------------------------------------------------------------------------------


_Made = dict[int, tuple[Any, Any]]  # id of a value -> the value and its copy


def frozen(*functions: Callable[..., Any]) -> tuple[Any, ...]:
    """Return copies of functions that keep reading the values that the functions read now.

    Plain functions that they call and arrays are copied as well. Functions compiled by Numba are
    replaced by new ones that compile copies. The copies have the digests of the functions.
    """
    made: _Made = {}
    return tuple(_frozen(function, made) for function in functions)


def _frozen(value: Any, made: _Made) -> Any:
    """Return the frozen copy of a value; immutable values are returned unchanged."""
    if id(value) in made:
        return made[id(value)][1]
    if isinstance(value, np.ndarray) and _encoded(value) is not None:
        array = np.array(value, order="C")
        array.setflags(write=False)
        return array
    if isinstance(value, list):
        out: list[Any] = []
        made[id(value)] = value, out
        out.extend(_frozen(x, made) for x in value)
        return out
    if isinstance(value, tuple):
        return tuple.__new__(type(value), [_frozen(x, made) for x in value])
    if isinstance(value, types.FunctionType) and not _is_known(value):
        return _frozen_function(value, made)
    if is_dispatcher(value) and value not in FROZEN:
        return _frozen_dispatcher(value, made)
    return value


def _frozen_function(function: types.FunctionType, made: _Made) -> types.FunctionType:
    """Return the frozen copy of a function, with globals and closure of its own."""
    code = function.__code__
    names: dict[str, Any] = {
        name: function.__globals__[name]
        for name in ("__name__", "__builtins__")
        if name in function.__globals__
    }
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    copy = types.FunctionType(code, names, function.__name__, None, cells or None)
    made[id(function)] = function, copy
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    copy.__defaults__ = _frozen(function.__defaults__, made)
    if function.__kwdefaults__:
        defaults = function.__kwdefaults__.items()
        copy.__kwdefaults__ = {name: _frozen(x, made) for name, x in defaults}
    attributes = dict(_attributes(function))

    def taken(name: str, value: Any) -> Any:
        if isinstance(value, types.ModuleType) and not is_library(value):
            return _frozen_module(name, value, attributes, made, {})
        return _frozen(value, made)

    for name, value in _globals(function, absent=False):
        names[name] = taken(name, value)
    for name, old, cell in zip(code.co_freevars, function.__closure__ or (), cells, strict=True):
        try:
            cell.cell_contents = taken(name, old.cell_contents)
        except ValueError:  # the cell is still empty
            continue
    return copy


def _frozen_module(
    path: str,
    module: types.ModuleType,
    attributes: dict[str, Any],
    made: _Made,
    seen: dict[int, types.ModuleType],
) -> types.ModuleType:
    """Return a stand-in for a module that holds frozen copies of the attributes that are read."""
    if id(module) in seen:
        return seen[id(module)]
    seen[id(module)] = copy = types.ModuleType(module.__name__)
    for name, value in attributes.items():
        above, _, last = name.rpartition(".")
        if above == path:
            inner = isinstance(value, types.ModuleType) and not is_library(value)
            vars(copy)[last] = (
                _frozen_module(name, value, attributes, made, seen)
                if inner
                else _frozen(value, made)
            )
    return copy


def _frozen_dispatcher(value: Any, made: _Made) -> Any:
    """Return a new Numba function of a frozen copy, with the same options and signatures."""
    kind = type(value)
    copy = kind(
        _frozen(value.py_func, made),
        locals=dict(value.locals or {}),
        targetoptions=dict(value.targetoptions),
        pipeline_class=value._compiler.pipeline_class,
    )
    made[id(value)] = value, copy
    if not value._can_compile:  # compiled for fixed signatures, to which it casts arguments
        for each in value.overloads.values():
            copy.compile(each.signature)
        copy.disable_compile()
    return copy
