"""Checks of arguments: each error names the argument, the value and the domain."""

import math
import numbers
import operator
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

LITTLE = 2**26  # bytes that are not worth a look at what memory there is


def whole(name: str, value: Any, domain: str) -> int:
    """Return `value` as an int; raise unless it is a whole number in `domain`.

    domain: an interval as text, such as "[2, 20]", "[1, inf)" or "[0, 2^31)"
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if isinstance(value, bool | np.bool_) or number is None:
        raise TypeError(f"{name} must be {_whole_in(domain)}, got {_short(value)}")
    if outside(number, domain):
        raise ValueError(f"{name} must be {_whole_in(domain)}, got {_short(value)}")
    return number


def real(name: str, value: Any, domain: str = "(-inf, inf)") -> float:
    """Return `value` as a float; raise unless it is a finite number in `domain`, an interval."""
    what = "a finite number" if domain == "(-inf, inf)" else f"a number in {domain}"
    not_masked(name, value)
    number = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(number, bool | np.bool_) or not isinstance(number, numbers.Real):
        raise TypeError(f"{name} must be {what}, got {_short(value)}")
    try:
        converted = float(number)
    except OverflowError:  # the int exceeds float64
        converted = math.inf
    if not math.isfinite(converted) or outside(converted, domain):
        raise ValueError(f"{name} must be {what}, got {_short(value)}")
    return converted


def outside(value: Any, domain: str) -> Any:
    """Return whether `value`, which is not nan, is outside an interval; entry by entry for arrays.

    domain: text such as "[2, 20]", "(0, inf)" or "[-2^63, 2^63)"
    """
    low, high = _ends(domain)
    below = value < low if domain[0] == "[" else value <= low
    above = value > high if domain[-1] == "]" else value >= high
    return below | above


@lru_cache(256)
def _ends(domain: str) -> tuple[float, float]:
    """Return the ends of an interval; those that are whole numbers are exact ints."""
    low, high = map(_end, domain[1:-1].split(", "))
    return low, high


def _end(text: str) -> float:
    base, power, exponent = text.partition("^")
    if power:
        size: int = abs(int(base)) ** int(exponent)
        return -size if base.startswith("-") else size
    try:
        return int(text)
    except ValueError:
        return float(text)


def _whole_in(domain: str) -> str:
    """Return how messages name the whole numbers of an interval."""
    if domain.startswith("[") and domain.endswith(", inf)"):
        return f"a whole number of at least {domain[1:-6]}"
    return f"a whole number in {domain}"


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value`; raise unless it is one of `choices`, and suggest the nearest."""
    choices = tuple(choices)
    if isinstance(value, str) and value in choices:
        return value
    import difflib  # only for the error: it costs 5 ms at import

    allowed = ", ".join(repr(c) for c in choices)
    near = difflib.get_close_matches(str(value), choices, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{name} must be one of {allowed}, got {value!r}{hint}")


def not_masked(name: str, value: Any) -> None:
    """Raise TypeError for a masked array, and for a list of them: NumPy reads under the mask."""
    if _has_mask(value):
        raise TypeError(f"{name} must not be a masked array; pass value.filled(...) or value.data")


def _has_mask(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_has_mask(each) for each in value if type(each) not in (float, int))
    plain = type(value) is np.ndarray or not isinstance(value, np.ndarray)
    return not plain and isinstance(value, np.ma.MaskedArray)


def ordered(name: str, value: Any) -> None:
    """Raise TypeError for a set: its order may differ from one process to the next."""
    if isinstance(value, Set):
        raise TypeError(f"{name} must be in a fixed order, as a list is, got {_short(value)}")


def finite_array(name: str, value: Any) -> np.ndarray:
    """Return `value` as a float64 array; raise unless its entries are finite real numbers."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged
        raise ValueError(f"{name} must be a rectangular array of numbers ({error})") from None
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be real numbers, got {_short(value)}")
    not_masked(name, value)
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        place = f"{name}[{', '.join(map(str, where))}]" if where else name
        raise ValueError(f"{name} must be finite, got {place} = {array[where]}")
    return array


def within(name: str, array: np.ndarray, domain: str) -> None:
    """Check that every entry lies in `domain`, an interval such as "(0, 1]" or "[0, inf)"."""
    bad = outside(array, domain)
    if bad.any():
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        place = f" at index {where[0] if len(where) == 1 else where}" if where else ""
        raise ValueError(f"{name} must be in {domain}, got {array[where]}{place}")


def function(name: str, value: Any, form: tuple[str, ...]) -> None:
    """Raise TypeError unless `value` is a plain function of as many arguments as `form` names."""
    if not isinstance(value, FunctionType):
        raise TypeError(f"{name} must be a plain function, got {_short(value)}")
    import inspect  # here, for few processes come by

    parameters = inspect.signature(value).parameters
    if len(parameters) != len(form):
        raise TypeError(
            f"{name} must take {len(form)} arguments ({', '.join(form)}); {value.__name__} "
            f"takes {len(parameters)} ({', '.join(parameters)})"
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@contextmanager
def importing(extra: str, what: str) -> Iterator[None]:
    """Hold Ctrl-C back while packages of an extra are imported; half an import breaks the next.

    Raises the error of `needs_extra` where one is not installed.
    """
    from fastgames._common.interrupt import interrupts

    try:
        with interrupts(0):
            yield
    except ModuleNotFoundError as error:
        raise needs_extra(str(error.name).partition(".")[0], extra, what) from error


def needs_extra(package: str, extra: str, what: str) -> ImportError:
    """Return the error for a package that is not installed; it says what to install."""
    return ImportError(f'{what} needs {package}: pip install "fastgames-engine[{extra}]"')


def check_fits(
    name: str, unit: str, count: int, need: int, each: int, kept: int | None = None
) -> None:
    """Raise ValueError if `need` bytes exceed the available memory.

    name: the argument that asks for them
    unit, count, each: what takes the memory, how many of these there are, bytes of one of them
    kept: bytes of these that a run with `keep` needs, None where there is no such argument
    """
    if need <= LITTLE:
        return
    from fastgames._common.memory import available, in_units  # it imports pathlib

    have = available()
    if have is not None and need > have:
        hint = ""
        if kept is not None:
            hint = f"; with keep=, {in_units(kept)} of these stay, and what keep returns"
        raise ValueError(
            f"{name} must fit into memory: {count} {unit} need {need / 2**30:,.1f} GiB, "
            f"{each:,} bytes each; this machine has {have / 2**30:,.1f} GiB available{hint}"
        )
