"""Checks of tables and labels, shared by all games; errors name the argument and the value."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastgames._common import checks

if TYPE_CHECKING:
    import numpy.typing as npt

FloatArray: TypeAlias = "npt.NDArray[np.float64]"

# Tolerance for sums of probabilities that were computed in float32.
SUM = 1e-6
_AGENTS_FIRST = "give numpy.moveaxis(numpy.array({}), -1, 0)"


def listed(argument: str, value: object, domain: str) -> list[Any]:
    """Return the items of a sequence; refuse a str, whose characters are never meant as items."""
    checks.ordered(argument, value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        try:
            return list(value)
        except TypeError:  # a 0-d array is an Iterable but cannot be iterated over
            pass
    raise TypeError(f"{argument} must be {domain}, got {reprlib.repr(value)}")


def string(argument: str, value: object) -> str:
    """Return the value if it is a str, else raise TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a str, got {reprlib.repr(value)}")
    return value


def array_of(argument: str, value: object, kinds: str, what: str) -> npt.NDArray[Any]:
    """Return the value, or a conversion of it, as an array whose dtype has one of `kinds`."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{argument} must be a rectangular array, got {reprlib.repr(value)}"
        ) from None
    if array.dtype.kind not in kinds:
        raise TypeError(f"{argument} must hold {what}, got dtype {array.dtype}")
    checks.not_masked(argument, value)
    return array


def numbers(argument: str, value: object) -> npt.NDArray[Any]:
    """Return the value, or a conversion of it, as an array of integers or floats."""
    return array_of(argument, value, "iuf", "real numbers, integer or float")


def float64(array: npt.NDArray[Any]) -> FloatArray:
    """Return the array as float64; callers must not write to it, as it may be their own array."""
    with np.errstate(over="ignore"):  # a large long double becomes inf, which callers refuse
        return np.asarray(array, dtype=np.float64)


def real_array(argument: str, value: object) -> FloatArray:
    """Return the value as float64; callers must not write to it, as it may be their own array."""
    return float64(numbers(argument, value))


def refuse_cells(
    argument: str, array: npt.NDArray[Any], bad: npt.NDArray[np.bool_], domain: str
) -> None:
    """Raise ValueError with the first entry of `array` that the mask `bad` selects, if any."""
    if bad.any():
        cell = tuple(np.argwhere(bad)[0].tolist())
        place = f"{argument}[{', '.join(map(str, cell))}] = " if cell else ""
        raise ValueError(f"{argument} must be {domain}, got {place}{array[cell]}")


def distribution(argument: str, value: object, count: int) -> FloatArray:
    """Return the value as probabilities (count,) float64, at least 0, with sum 1 up to 1e-6."""
    weights = real_array(argument, value)
    if weights.shape != (count,):
        raise ValueError(f"{argument} must have shape ({count},), got shape {weights.shape}")
    refuse_cells(argument, weights, ~(weights >= 0.0), "at least 0")
    if not abs(weights.sum() - 1.0) <= SUM:
        raise ValueError(f"{argument} must sum to 1, up to {SUM}, got a sum of {weights.sum()}")
    return weights


def same_shapes(argument: str, tables: list[npt.NDArray[Any]], axes: str) -> tuple[int, ...]:
    """Return the common shape of the tables of all agents, of which there must be at least 1."""
    if len(tables) < 1:
        raise ValueError(f"{argument} must be for at least 1 agent, got {len(tables)}")
    shape = tables[0].shape
    for agent, table in enumerate(tables):
        if table.shape != shape:
            raise ValueError(
                f"{argument} must have the same shape {axes} for every agent, "
                f"got {shape} for agent 0 and {table.shape} for agent {agent}"
            )
    return shape


def refuse_pairs(argument: str, value: object, states: int) -> None:
    """Raise ValueError if a nested list has a tuple of all agents' payoffs in each cell.

    Books print games in this form: [[(3, 3), (0, 5)], [(5, 0), (1, 1)]]. Read with the axis of
    agents first, the same numbers are the payoffs of another game. states: 1 if there is an axis
    of states, else 0
    """
    kinds: list[type] = []
    length = 0
    while isinstance(value, list | tuple) and value:
        kinds.append(tuple if isinstance(value, tuple) else list)
        length, value = len(value), value[0]
    agents = len(kinds) - 1 - states  # if the last axis is that of agents
    if agents >= 2 and length == agents and kinds[-1] is tuple and list in kinds:
        raise ValueError(
            f"{argument} must have the axis of agents first, got tuples of {agents} numbers, which "
            f"look like the payoffs of {agents} agents in each cell; "
            f"{_AGENTS_FIRST.format(argument)}, or write lists if each is a row of one agent's"
        )


def pairs_hint(argument: str, shape: tuple[int, ...], states: int) -> str:
    """Return a hint for an array whose last axis may be that of agents, else ""."""
    agents = len(shape) - 1 - states
    last = agents >= 2 and shape[-1] == agents
    return f"; if the last axis is that of agents, {_AGENTS_FIRST.format(argument)}" if last else ""


def agents_text(count: int) -> str:
    """Return a number of agents as text."""
    return f"{count} agent" if count == 1 else f"{count} agents"


def action_names(
    actions: Sequence[Sequence[str]] | None, num_actions: tuple[int, ...]
) -> tuple[tuple[str, ...], ...]:
    """Return the checked names of every agent's actions; "0", "1", ... if none are given."""
    if actions is None:
        return tuple(tuple(str(action) for action in range(count)) for count in num_actions)
    given = listed("actions", actions, "one sequence of names for each agent")
    if len(given) != len(num_actions):
        raise ValueError(
            f"actions must be one sequence of names for each of the {len(num_actions)} agents, "
            f"got {len(given)}"
        )
    named = []
    for agent, (value, count) in enumerate(zip(given, num_actions, strict=True)):
        names = listed(f"actions[{agent}]", value, "a sequence of names")
        for action, name in enumerate(names):
            string(f"actions[{agent}][{action}]", name)
        if len(names) != count or len(set(names)) != count:
            raise ValueError(f"actions[{agent}] must be {count} distinct names, got {names}")
        named.append(tuple(names))
    return tuple(named)


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Make an array read-only and return it."""
    array.flags.writeable = False
    return array
