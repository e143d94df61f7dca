"""Purity checks: functions of learners and games may use only their arguments and constants.

The results of a run must be determined by its seed. The check walks the bytecode of a function and
of all plain functions that it calls once, and resolves every name to its object. It therefore
detects an alias (`import random as r`) and accepts a user's own function called `random`.
"""

from __future__ import annotations

import builtins
import difflib
import dis
import keyword
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from fastgames.functions.allowed import (
    CLOCK,
    INDEX_OPERATORS,
    KEEP,
    KNOWN,
    LIBRARY,
    METHODS,
    OF_INTS,
    ONLY,
    RANDOM,
    SAME_BITS,
    SUMS,
    TUPLE,
    forbidden,
    inexact,
    is_callable,
    is_constant,
    is_plain,
    is_stateless,
    root_of,
    shown,
)

Kinds = tuple[Any, ...]  # the known kind of every argument of a function, in order; None: unknown


@dataclass(frozen=True)
class _Found:
    """An object from outside, its name in the function, and the offset of its load instruction."""

    value: Any
    name: str
    at: int = -1


@dataclass(frozen=True)
class _Constant:
    """A constant of the bytecode."""

    value: Any


@dataclass(frozen=True)
class _Argument:
    """An argument with a known role: "tables", "p", "t", "s" or "ints" (an array of int64)."""

    role: str


@dataclass(frozen=True)
class _Method:
    """A method `name` of a value `of`, about to be called."""

    of: Any
    name: str


_INTS, _NULL = _Argument("ints"), _Argument("null")


def check(
    what: str,
    function: Callable[..., Any],
    form: tuple[str, ...],
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    """Raise ValueError or TypeError if a function uses more than its arguments and constants.

    Parameters
    ----------
    what : str
        The name of the argument that received the function, such as "learn".
    function : function
        The function to check.
    form : tuple of str
        The roles of its arguments, in order. The roles "tables", "p", "t", "s", "state", "actions"
        and "words" are known to the check; other names have no meaning.
    names : mapping, optional
        The names of "tables" and of "p", in order, and the fields of "t" and "s".

    Raises
    ------
    ValueError
        If the function uses random numbers, clocks or state from outside, or functions that return
        other bits when compiled.
    TypeError
        If it uses undefined names, objects that are not constants, or tables, parameters or fields
        that do not exist.
    """
    ints = ("state", "actions", "words")
    known = ("tables", "p", "t", "s")
    kinds = tuple(
        _INTS if x in ints else _Argument(x) if x in known and names else None for x in form
    )
    _Walk(what, names or {}, game=form[0] == "state").function(function, kinds)


class _Walk:
    """One walk over a function and all functions that it calls.

    what: the name of the argument; names: as in `check`; game: whether it is a game's function
    """

    def __init__(self, what: str, names: Mapping[str, tuple[str, ...]], game: bool) -> None:
        self.what, self.names = what, names
        self.words = "its `words`" if game else "`u` of draw and `signal`"
        self.seen: set[tuple[int, Kinds]] = set()

    def function(self, function: Any, kinds: Kinds) -> None:
        """Check a function; kinds: the known kinds of its arguments."""
        function = getattr(function, "py_func", function)  # unwrap a function compiled by Numba
        key = id(function), kinds
        if key in self.seen or root_of(function) == "fastgames":
            return
        self.seen.add(key)
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        place = _Place(function.__name__, function.__code__, function.__code__.co_firstlineno)
        for value in defaults:
            self.value(value, f"the default {value!r:.80}", place)
        _Reading(self, function, kinds).all()

    def value(self, value: Any, name: str, place: _Place, follows: str = "") -> str | None:
        """Raise if an object from outside must not be used; return a hint if it depends on its use.

        The hint says what to write instead of a sum; sums of integers are allowed.
        follows: the attribute path that is read from it, such as ".random"
        """
        root = root_of(value)
        full = shown(value, name, follows)
        if root in RANDOM or root == "numpy.random":
            hint = f"use the random words passed to it ({self.words}); fastgames.rules.chance"
            self.refuse(place, full, f"{hint} turns words into coins, dice, normal and other draws")
        if root in CLOCK:
            hint = "a clock is not determined by the seed; count steps in a table or in the state"
            self.refuse(place, full, hint)
        acts = callable(value) or isinstance(value, types.ModuleType)
        if acts and root in sys.stdlib_module_names and root not in KNOWN:
            self.refuse(place, full, "pass the value as a parameter or a constant")
        if isinstance(value, types.ModuleType):
            return None
        if any(value is x for x in forbidden()):
            self.refuse(place, name, "pass the value as a parameter or a constant")
        instead = inexact().get(value) if is_callable(value) else None
        if root == "numpy.linalg":
            instead = "sum"
        if instead is not None:
            text = f"write {LIBRARY[instead]}"
            if instead != "sum":
                self.refuse(place, name, text, domain=SAME_BITS)
            return text
        if isinstance(value, dict | list | set | bytearray):
            hint = f"a {type(value).__name__} is mutable; pass a parameter, or use a tuple or array"
            self.refuse(place, name, hint, kind=TypeError)
        if isinstance(value, tuple):
            for k, each in enumerate(value):
                self.value(each, f"{name}[{k}]", place)
        elif not is_constant(value) and not is_stateless(value):
            hint = "use numbers, strings, tuples, arrays and plain functions"
            self.refuse(place, f"{name}, a {type(value).__name__},", hint, kind=TypeError)
        return None

    def refuse(
        self,
        place: _Place,
        name: str,
        instead: str,
        *,
        domain: str = ONLY,
        kind: type[Exception] = ValueError,
    ) -> NoReturn:
        """Raise `kind` for a name at a place: "<what> must <domain>, got <name> in ...".

        instead: the second line of the message, which says what to write
        """
        raise kind(
            f"{self.what} must {domain}, got {name} in {place.function!r}, "
            f"{place.code.co_filename}, line {place.line}:\n{instead}"
        )


@dataclass
class _Place:
    """A place in the source: the function's name, its code and the line."""

    function: str
    code: types.CodeType
    line: int


class _Reading:
    """The walk over one function: an abstract interpreter with a stack of known values.

    Methods `on_<opname>` handle the instructions. None on the stack stands for an unknown value.
    """

    def __init__(self, walk: _Walk, function: types.FunctionType, kinds: Kinds) -> None:
        self.walk, self.module = walk, function
        self.names = walk.names
        self.cells: dict[str, Any] = {}
        code = function.__code__
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self.cells[name] = cell.cell_contents
            except ValueError:  # the cell is still empty
                continue
        arguments = code.co_varnames[: code.co_argcount]
        self.known = {x: k for x, k in zip(arguments, kinds, strict=False) if k is not None}
        self.stack: list[Any] = []
        self.later: dict[int, tuple[Any, ...]] = {}  # checked at the end unless a call clears them

    def all(self) -> None:
        """Check the function and all functions defined within it."""
        self.read(self.module.__code__, self.module.__name__, self.known)

    def read(self, code: types.CodeType, name: str, known: Mapping[str, Any]) -> None:
        """Check one code object; known: values of local variables."""
        instructions = list(dis.get_instructions(code))
        stored: dict[str, int] = {}
        for each in instructions:
            if each.opname.startswith(("STORE_FAST", "STORE_DEREF", "DELETE_FAST")):
                for x in each.argval if isinstance(each.argval, tuple) else (each.argval,):
                    stored[x] = stored.get(x, 0) + 1
        self.once = {x for x, count in stored.items() if count == 1 and x not in known}
        self.local = {x: value for x, value in known.items() if x not in stored}
        self.place = _Place(name, code, code.co_firstlineno)
        self.later.clear()
        self.stack.clear()
        for k, each in enumerate(instructions):
            self.rest = instructions[k + 1 : k + 9]
            if each.positions is not None and each.positions.lineno is not None:
                self.place.line = each.positions.lineno
            if each.is_jump_target:
                self.stack.clear()
            getattr(self, f"on_{each.opname.lower()}", self.other)(each)
        for value, *rest in self.later.values():
            if isinstance(value, str):
                self.walk.refuse(rest[1], rest[0], value, domain=SAME_BITS)
            self.walk.function(value, ())
        inner = {x: value for x, value in self.local.items() if x in code.co_cellvars}
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self.read(constant, name, inner)

    # --- the stack ------------------------------------------------------------------------------

    def pop(self) -> Any:
        """Pop and return the top value; None if nothing is known of it."""
        return self.stack.pop() if self.stack else None

    def other(self, each: dis.Instruction) -> None:
        """Handle an instruction without a handler: forget the stack, whose effect is unknown."""
        if each.opname.startswith("POP_JUMP"):
            self.pop()
        elif each.opname not in ("RESUME", "NOP", "CACHE", "PRECALL", "KW_NAMES", "COPY_FREE_VARS",
                                 "MAKE_CELL", "EXTENDED_ARG", "NOT_TAKEN"):  # fmt: skip
            self.stack.clear()

    def on_push_null(self, each: dis.Instruction) -> None:
        self.stack.append(_NULL)

    def on_pop_top(self, each: dis.Instruction) -> None:
        self.pop()

    def on_copy(self, each: dis.Instruction) -> None:
        n = each.arg or 1
        self.stack.append(self.stack[-n] if len(self.stack) >= n else None)

    def on_swap(self, each: dis.Instruction) -> None:
        n = each.arg or 1
        if len(self.stack) < n:
            self.stack = [None] * (n - len(self.stack)) + self.stack
        self.stack[-n], self.stack[-1] = self.stack[-1], self.stack[-n]

    def on_load_const(self, each: dis.Instruction) -> None:
        self.stack.append(_Constant(each.argval))

    on_load_small_int = on_load_const

    def on_load_fast(self, each: dis.Instruction) -> None:
        names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        self.stack.extend(self.local.get(name) for name in names)

    on_load_fast_check = on_load_fast_borrow = on_load_fast_load_fast = on_load_fast
    on_load_fast_borrow_load_fast_borrow = on_load_fast

    def on_store_fast(self, each: dis.Instruction) -> None:
        value = self.pop()
        if each.argval in self.once:
            self.local[each.argval] = value

    def on_store_deref(self, each: dis.Instruction) -> None:
        if each.argval in self.cells:
            self.refuse(f"nonlocal {each.argval}", KEEP)
        self.pop()

    on_delete_deref = on_store_deref

    def on_store_global(self, each: dis.Instruction) -> None:
        self.refuse(f"global {each.argval}", KEEP)

    on_delete_global = on_store_global

    def on_store_attr(self, each: dis.Instruction) -> None:
        self.refuse(f"an assignment to the attribute {each.argval}", KEEP)

    on_delete_attr = on_store_attr

    def on_store_subscr(self, each: dis.Instruction) -> None:
        self.pop()
        into = self.pop()
        self.pop()
        if isinstance(into, _Found):
            self.refuse(f"a write to {into.name}", KEEP)

    def on_import_name(self, each: dis.Instruction) -> None:
        self.pop()
        self.pop()
        module = sys.modules.get(each.argval.split(".")[0]) or types.ModuleType(each.argval)
        self.found(module, each.argval, each)

    def on_import_from(self, each: dis.Instruction) -> None:
        of = self.stack[-1] if self.stack else None
        if isinstance(of, _Found) and hasattr(of.value, each.argval):
            self.found(getattr(of.value, each.argval), f"{of.name}.{each.argval}", each)
        else:
            self.stack.append(None)

    # --- names ----------------------------------------------------------------------------------

    def on_load_global(self, each: dis.Instruction) -> None:
        name = each.argval
        if name in self.module.__globals__:
            value = self.module.__globals__[name]
        elif hasattr(builtins, name):
            value = getattr(builtins, name)
        else:
            near = difflib.get_close_matches(name, list(self.module.__globals__), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "define it, or pass it as a parameter"
            self.refuse(repr(name), hint, TypeError, "use names that are defined")
        # The order of NULL and value depends on Python's version; `on_call` accepts both orders.
        if each.arg is not None and each.arg & 1:
            self.stack.append(_NULL)
        self.found(value, name, each)

    def on_load_deref(self, each: dis.Instruction) -> None:
        if each.argval in self.cells:
            self.found(self.cells[each.argval], each.argval, each)
        else:
            self.stack.append(self.local.get(each.argval))

    def found(self, value: Any, name: str, each: dis.Instruction) -> None:
        """Check an object from outside and push it onto the stack."""
        place = _Place(self.place.function, self.place.code, self.place.line)
        instead = self.walk.value(value, name, place, self.follows())
        if instead is not None:
            self.later[each.offset] = (instead, name, place)
        elif is_plain(value):
            self.later[each.offset] = (value,)
        self.stack.append(_Found(value, name, each.offset))

    def follows(self) -> str:
        """Return the attribute path that the next instructions read, such as ".random"."""
        found = ""
        for each in self.rest:
            if each.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                break
            found += f".{each.argval}"
        return found

    def on_load_attr(self, each: dis.Instruction) -> None:
        method = sys.version_info >= (3, 12) and bool(each.arg is not None and each.arg & 1)
        self.attribute(each, method)

    def on_load_method(self, each: dis.Instruction) -> None:
        self.attribute(each, True)

    def attribute(self, each: dis.Instruction, method: bool) -> None:
        """Handle `of.name` for a module or class from outside, an argument or an unknown value.

        method: whether the instruction loads a method for a call
        """
        name, of = each.argval, self.pop()
        if isinstance(of, _Found) and isinstance(of.value, types.ModuleType | type):
            missing = object()
            value = getattr(of.value, name, missing)
            path = f"{of.name}.{name}"
            if value is missing and of.value is not sys.modules.get(of.value.__name__):
                self.stack += [None] * (1 + method)  # a module that is not imported yet
                return
            if value is missing:
                hint = f"{of.name} has no attribute {name!r}"
                self.refuse(path, hint, TypeError, "use names that are defined")
            if method:
                self.stack.append(_NULL)
            self.found(value, path, each)
            return
        if isinstance(of, _Argument) and of.role in self.names:
            self.field(of.role, name)
        ints = of is not None and not isinstance(of, _Constant) and _whole(of)
        if method and name in METHODS and not (ints and name in ("sum", "mean", "dot")):
            instead = "sort" if name not in SUMS else "sum"
            shown = f"{of.name}.{name}" if isinstance(of, _Found) else f".{name}()"
            self.walk.refuse(self.place, shown, f"write {LIBRARY[instead]}", domain=SAME_BITS)
        if method:
            self.stack += [_Method(_INTS if ints else of, name), None]
        elif isinstance(of, _Argument) and of.role == "t" and name in OF_INTS:
            self.stack.append(_INTS)
        else:
            self.stack.append(_INTS if ints and name in ("T", "flat", "shape") else None)

    def field(self, role: str, name: str) -> None:
        """Raise TypeError for a field that the tables, the parameters or an outcome do not have."""
        fields = [x for x in self.names[role] if not (x.startswith("_") or keyword.iskeyword(x))]
        if name in fields or hasattr(tuple, name):
            return
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f"did you mean {role}.{near[0]}?" if near else self.entries(role)
        self.refuse(f"{role}.{name}", hint, TypeError, f"read existing fields of {role}")

    def entries(self, role: str) -> str:
        """Return a hint that lists the entries of a tuple."""
        names = self.names[role]
        if not names:
            return f"{role} is empty"
        if role in ("t", "s"):
            return f"{role} has {', '.join(names)}"
        return f"its entries are {', '.join(f'{role}[{k}], {x!r}' for k, x in enumerate(names))}"

    # --- operations -----------------------------------------------------------------------------

    def on_binary_subscr(self, each: dis.Instruction) -> None:
        index, of = self.pop(), self.pop()
        if isinstance(of, _Argument) and of.role in self.names and isinstance(index, _Constant):
            key, count = index.value, len(self.names[of.role])
            if isinstance(key, str):
                known = key in self.names[of.role]
                hint = f"write {of.role}.{key}" if known else self.entries(of.role)
                self.refuse(f'{of.role}["{key}"]', hint, TypeError, TUPLE)
            if type(key) is int and not -count <= key < count:
                hint = self.entries(of.role)
                self.refuse(f"{of.role}[{key}]", hint, TypeError, "read an existing entry")
        self.stack.append(_INTS if of is _INTS else None)

    def on_binary_slice(self, each: dis.Instruction) -> None:
        self.pop()
        self.pop()
        self.stack.append(_INTS if self.pop() is _INTS else None)

    def on_build_slice(self, each: dis.Instruction) -> None:
        for _ in range(each.arg or 2):
            self.pop()
        self.stack.append(None)

    def on_build_tuple(self, each: dis.Instruction) -> None:
        for _ in range(each.arg or 0):
            self.pop()
        self.stack.append(None)

    on_build_list = on_build_tuple

    def on_binary_op(self, each: dis.Instruction) -> None:
        sign = each.argrepr.rstrip("=")
        if sign in INDEX_OPERATORS:
            self.on_binary_subscr(each)
            return
        right, left = self.pop(), self.pop()
        if sign == "@":
            self.walk.refuse(self.place, "@", f"write {LIBRARY['sum']}", domain=SAME_BITS)
        squared = isinstance(right, _Constant) and right.value in (1, 2)
        power_of = isinstance(left, _Constant) and isinstance(left.value, int)
        if sign == "**" and not squared and not power_of and left is not _INTS:
            self.walk.refuse(self.place, "**", f"write {LIBRARY['power']}", domain=SAME_BITS)
        whole = all(
            x is _INTS or (isinstance(x, _Constant) and isinstance(x.value, int))
            for x in (left, right)
        )
        self.stack.append(_INTS if whole and sign != "/" else None)

    def on_compare_op(self, each: dis.Instruction) -> None:
        right, left = self.pop(), self.pop()
        self.stack.append(_INTS if left is _INTS or right is _INTS else None)

    def on_unary_negative(self, each: dis.Instruction) -> None:
        self.stack.append(_INTS if self.pop() is _INTS else None)

    on_unary_invert = on_unary_negative

    def on_call(self, each: dis.Instruction) -> None:
        arguments = [self.pop() for _ in range(each.arg or 0)][::-1]
        pair = [self.pop(), self.pop()]
        called = next((x for x in pair if isinstance(x, _Found | _Method)), None)
        ints = bool(arguments) and all(_whole(x) for x in arguments)
        result = None
        if isinstance(called, _Method) and called.of is _INTS and called.name in ("copy", "ravel"):
            result = _INTS
        as_type = isinstance(called, _Method) and called.name == "astype"
        if as_type and any(map(_int_type, arguments)):
            result = _INTS
        if isinstance(called, _Found):
            if is_plain(called.value):
                self.later.pop(called.at, None)
                self.walk.function(called.value, tuple(map(_kind, arguments)))
            elif ints:
                self.later.pop(called.at, None)
            if any(called.value is x for x in _MAKERS) and any(map(_int_type, arguments)):
                result = _INTS
        self.stack.append(result)

    def on_call_kw(self, each: dis.Instruction) -> None:
        self.pop()
        self.on_call(each)

    def refuse(
        self,
        name: str,
        instead: str,
        kind: type[Exception] = ValueError,
        domain: str = ONLY,
    ) -> NoReturn:
        """Raise the error for a name at the current place."""
        self.walk.refuse(self.place, name, instead, domain=domain, kind=kind)


_MAKERS = (np.zeros, np.empty, np.ones, np.full, np.arange, np.array, np.asarray)


def _whole(value: Any) -> bool:
    """Return whether a value on the stack is known to hold integers only."""
    if isinstance(value, _Found):
        return getattr(getattr(value.value, "dtype", None), "kind", "") in tuple("iub")
    return value is _INTS or (isinstance(value, _Constant) and isinstance(value.value, int))


def _kind(value: Any) -> Any:
    """Return the kind of an argument as the called function sees it."""
    if isinstance(value, _Argument):
        return value
    return _INTS if isinstance(value, _Found) and _whole(value) else None


def _int_type(value: Any) -> bool:
    """Return whether a value is an integer or boolean type, passed as the dtype of an array."""
    return (
        isinstance(value, _Found)
        and isinstance(value.value, type)
        and issubclass(value.value, int | np.integer | np.bool_)
    )
