"""Checks of tables and labels, shared by all games: each error names the argument and the value."""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks

FloatArray = npt.NDArray[np.float64]

# A policy or a row of chances computed in float32 sums to 1 only this closely.
SUM = 1e-6
_AGENTS_FIRST = "give numpy.moveaxis(numpy.array({}), -1, 0)"


def listed(argument: str, value: object, domain: str) -> list[Any]:
    """The items of a sequence; a str is refused, for nobody means its characters."""
    checks.ordered(argument, value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        try:
            return list(value)
        except TypeError:  # a 0-d array is an Iterable that cannot be iterated over
            pass
    raise TypeError(f"{argument} must be {domain}; it is {reprlib.repr(value)}")


def string(argument: str, value: object) -> str:
    """The value if it is a str."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a str; it is {reprlib.repr(value)}")
    return value


def whole(argument: str, value: object, low: int, high: int) -> int:
    """The value as an int in [low, high)."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be an int; it is {reprlib.repr(value)}")
    if not low <= number < high:
        raise ValueError(f"{argument} must be in [{low}, {high}); it is {number}")
    return number


def array_of(argument: str, value: object, kinds: str, what: str) -> npt.NDArray[Any]:
    """The value as an array of one of these kinds of dtype; it may be the caller's own array."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{argument} must be a rectangular array; it is ragged: {reprlib.repr(value)}"
        ) from None
    if array.dtype.kind not in kinds:
        raise TypeError(f"{argument} must hold {what}; its dtype is {array.dtype}")
    checks.not_masked(argument, value)
    return array


def numbers(argument: str, value: object) -> npt.NDArray[Any]:
    """The value as an array of integers or floats."""
    return array_of(argument, value, "iuf", "real numbers, integer or float")


def float64(array: npt.NDArray[Any]) -> FloatArray:
    """The array in float64; not to be written to."""
    with np.errstate(over="ignore"):  # a long double too large becomes inf, refused by the caller
        return np.asarray(array, dtype=np.float64)


def real_array(argument: str, value: object) -> FloatArray:
    """The value as float64, not to be written to: it may be the caller's own array."""
    return float64(numbers(argument, value))


def refuse_cells(
    argument: str, array: npt.NDArray[Any], bad: npt.NDArray[np.bool_], domain: str
) -> None:
    """Raise ValueError naming the first bad cell, if there is one."""
    if bad.any():
        cell = tuple(np.argwhere(bad)[0].tolist())
        index = ", ".join(map(str, cell))
        raise ValueError(f"{argument} must be {domain}; {argument}[{index}] is {array[cell]}")


def distribution(argument: str, value: object, count: int) -> FloatArray:
    """The value as probabilities (count,) float64: at least 0, with sum 1 up to 1e-6."""
    weights = real_array(argument, value)
    if weights.shape != (count,):
        raise ValueError(f"{argument} must have shape ({count},); its shape is {weights.shape}")
    refuse_cells(argument, weights, ~(weights >= 0.0), "at least 0")
    if not abs(weights.sum() - 1.0) <= SUM:
        raise ValueError(f"{argument} must sum to 1, up to {SUM}; it sums to {weights.sum()}")
    return weights


def same_shapes(argument: str, tables: list[npt.NDArray[Any]], axes: str) -> tuple[int, ...]:
    """The shape that the tables of all agents have; at least 2 agents."""
    if len(tables) < 2:
        raise ValueError(f"{argument} must be for at least 2 agents; the number is {len(tables)}")
    shape = tables[0].shape
    for agent, table in enumerate(tables):
        if table.shape != shape:
            raise ValueError(
                f"{argument} must have the same shape {axes} for every agent; "
                f"{argument}[0] has {shape} and {argument}[{agent}] has {table.shape}"
            )
    return shape


def refuse_pairs(argument: str, value: object, states: int) -> None:
    """Raise ValueError if a nested list has a tuple of all agents' payoffs in each cell.

    Books print games so: [[(3, 3), (0, 5)], [(5, 0), (1, 1)]]. Read with the axis of agents first,
    these would be the payoffs of another game. states: 1 if there is an axis of states, else 0.
    """
    kinds: list[type] = []
    length = 0
    while isinstance(value, list | tuple) and value:
        kinds.append(tuple if isinstance(value, tuple) else list)
        length, value = len(value), value[0]
    agents = len(kinds) - 1 - states  # if the last axis is theirs
    if agents >= 2 and length == agents and kinds[-1] is tuple and list in kinds:
        raise ValueError(
            f"{argument} must have the axis of agents first, got tuples of {agents} numbers, which "
            f"look like the payoffs of {agents} agents in each cell; "
            f"{_AGENTS_FIRST.format(argument)}, or write lists if each is a row of one agent's"
        )


def pairs_hint(argument: str, shape: tuple[int, ...], states: int) -> str:
    """Return what to do if an array of a wrong shape has the axis of agents last, else ""."""
    agents = len(shape) - 1 - states
    last = agents >= 2 and shape[-1] == agents
    return f"; if the last axis is that of agents, {_AGENTS_FIRST.format(argument)}" if last else ""


def action_names(
    actions: Sequence[Sequence[str]] | None, num_actions: tuple[int, ...]
) -> tuple[tuple[str, ...], ...]:
    """The names of the actions, checked; "0", "1", ... if none are given."""
    if actions is None:
        return tuple(tuple(str(action) for action in range(count)) for count in num_actions)
    given = listed("actions", actions, "one sequence of names for each agent")
    if len(given) != len(num_actions):
        raise ValueError(
            f"actions must be one sequence of names for each of the {len(num_actions)} agents; "
            f"there are {len(given)}"
        )
    named = []
    for agent, (value, count) in enumerate(zip(given, num_actions, strict=True)):
        names = listed(f"actions[{agent}]", value, "a sequence of names")
        for action, name in enumerate(names):
            string(f"actions[{agent}][{action}]", name)
        if len(names) != count or len(set(names)) != count:
            raise ValueError(f"actions[{agent}] must be {count} distinct names; it is {names}")
        named.append(tuple(names))
    return tuple(named)


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array itself, from now on not to be written to."""
    array.flags.writeable = False
    return array
