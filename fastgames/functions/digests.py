"""Digests of code objects, of their source text, and of values without references to others."""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import linecache
import os
import platform
import struct
import sys
import types
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastgames.functions.former import FORMER
from fastgames.functions.graph import codes, is_known, names_in, once

_FUTURE = 0x1FE0000  # flags of `from __future__ import`, which do not affect compiled code
_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep


def encoded(value: Any) -> bytes | None:
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
        parts = [encoded(x) for x in (value.start, value.stop, value.step)]
        return None if None in parts else f"{kind.__name__} {parts}".encode()
    if kind is frozenset:
        parts = [encoded(x) for x in value]
        return None if None in parts else f"frozenset {sorted(parts, key=repr)}".encode()
    if kind.__module__ == "numba.core.types.scalars":  # such as numba.float64, used as a cast
        return f"type of Numba {kind.__name__} {value}".encode()
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | np.ufunc) or (
        kind.__name__ == "_ArrayFunctionDispatcher"
    ):
        return f"library {value.__module__} {value.__name__}".encode() if is_known(value) else None
    return None


def _type(dtype: np.dtype[Any]) -> str:
    """Return the text of a dtype with byte order, item size and fields."""
    fields = "" if dtype.names is None else f"{dtype.descr} {dtype.isalignedstruct}"
    return f"{dtype.str} {dtype.itemsize} {fields}"


def reads_docstrings(code: types.CodeType) -> bool:
    """Return whether a code object reads an attribute or a name `__doc__`."""
    return "__doc__" in names_in(code)[1] and any(
        instruction.argval == "__doc__" and instruction.opname.startswith("LOAD")
        for each in codes(code)
        for instruction in dis.get_instructions(each)
    )


@once
def digest_of_code(code: types.CodeType) -> bytes:
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
    return joined(parts)


def _constant(value: Any) -> bytes:
    """Return the bytes of a constant in code, with its type and the order of its items."""
    if isinstance(value, types.CodeType):
        inner: bytes = b"code" + digest_of_code(value)
        return inner
    if isinstance(value, tuple):
        return b"tuple" + joined([_constant(x) for x in value])
    if isinstance(value, frozenset):
        return b"frozenset" + joined(sorted(_constant(x) for x in value))
    if isinstance(value, slice):
        return b"slice" + _constant((value.start, value.stop, value.step))
    found = encoded(value)
    assert found is not None, value
    return b"plain" + found


def joined(parts: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of parts, each prefixed with its length."""
    data = b"".join([x for part in parts for x in (len(part).to_bytes(8, "little"), part)])
    return hashlib.sha256(data).digest()


@once
def digest_of_text(code: types.CodeType) -> bytes:
    """Return the SHA-256 of a function's syntax tree; see `Source.text`."""
    return _digest_of_text(code, docstrings=False)


@once
def digest_of_former_text(code: types.CodeType) -> bytes:
    """Return the SHA-256 of a function's syntax tree with docstrings; see `Source.former`."""
    if code.co_filename.startswith(_PACKAGE):
        present, former = FORMER.get(name_of(code), ("", ""))
        if present and digest_of_text(code).hex().startswith(present):
            return bytes.fromhex(former)
    return _digest_of_text(code, docstrings=True)


def _digest_of_text(code: types.CodeType, docstrings: bool) -> bytes:
    """Return the SHA-256 of a function's syntax tree, or of its code if the text is missing."""
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename))
    found = [
        (line != code.co_firstlineno, tree)
        for line, made, tree in (defined(text) if text else ())
        if digest_of_code(made) == digest_of_code(code)
    ]
    if found:
        return digest_of_tree(min(found, key=lambda x: x[0])[1], docstrings)
    python = platform.python_implementation(), sys.version_info[:2], sys.implementation.cache_tag
    return joined([b"code", repr(python).encode(), digest_of_code(code)])


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
    return joined([b"text", _tree(node, docstrings, top=True)])


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
        return b"node" + joined(parts)
    if isinstance(node, list):
        return b"list" + joined([_tree(x, docstrings) for x in node])
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
