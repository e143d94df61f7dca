"""Reduce finished replicas to the arrays that the function `keep` of a run returns."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastgames._common.fields import declared
from fastgames.engine.state import FIELDS, Seat, State
from fastgames.errors import KeepError
from fastgames.functions.digests import digest_of_text
from fastgames.functions.source import fingerprint
from fastgames.grids import TAKEN
from fastgames.result import Result

Keep = Callable[[Result], Mapping[str, Any]]
_DOMAIN = "must return a dict of arrays with one entry for each replica of its argument"


def check_keep(keep: Any) -> None:
    """Raise TypeError unless `keep` is a function."""
    if not callable(keep):
        raise TypeError(f"keep must be a function of a Result that returns arrays, got {keep!r}")


def digest_of_keep(keep: Keep) -> str:
    """Return a digest of a function and of what it reads, as far as that has one."""
    if isinstance(keep, types.FunctionType):
        try:
            return fingerprint(keep)
        except TypeError:
            return digest_of_text(keep.__code__).hex()
    return repr(keep)


def reduced(result: Result, keep: Keep) -> Result:
    """Return a result with what `keep` returns in place of tables; raise KeepError if it fails."""
    try:
        given = keep(result)
    except Exception as error:
        problem = f"raised {type(error).__name__}: {error}"
        raise KeepError(result.numbers, problem) from error
    kept = _checked(given, result)
    spec, state = replace(result.spec, kept=True), result.state
    seats = [
        Seat(
            learner=seat.learner,
            schedules=seat.schedules,
            tables={},
            recurrence=seat.recurrence,
            **{field.name: getattr(seat, field.name) for field in declared(Seat)},
        )
        for seat in state.seats
    ]
    arrays = {field.name: getattr(state, field.name) for field in FIELDS if field.present(spec)}
    return replace(result, state=State(seats=seats, **arrays), kept=kept)


def _checked(given: Any, result: Result) -> dict[str, np.ndarray]:
    """Return what `keep` returned as arrays of bool, int64, float32 or float64, not views."""
    if not isinstance(given, Mapping):
        raise KeepError(result.numbers, f"{_DOMAIN}, got {given!r}")
    kept = {}
    for name, value in given.items():
        if not isinstance(name, str) or not name.isidentifier() or name in TAKEN.split():
            problem = "must name its arrays by identifiers that a result does not use"
            raise KeepError(result.numbers, f"{problem}, got {name!r}")
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise KeepError(result.numbers, f"{_DOMAIN}, got {name!r}: {error}") from None
        if array.dtype.kind not in "biuf":
            problem = "must return arrays of numbers or booleans"
            raise KeepError(result.numbers, f"{problem}, got {name!r} of type {array.dtype}")
        if not array.ndim or len(array) != result.replicas:
            got = f"got {name!r} of shape {array.shape} for {result.replicas} replicas"
            raise KeepError(result.numbers, f"{_DOMAIN}, {got}")
        kept[name] = array.astype(_type(array.dtype))
    return kept


def _type(dtype: np.dtype[Any]) -> str:
    """Return the type in which an array is kept."""
    if dtype.kind in "iu":
        return "int64"
    return dtype.name if dtype.name in ("bool", "float32") else "float64"
