"""Declarations of the arrays that every replica of a run holds.

A field of a dataclass that is made by `held` is an array with one entry for each replica. Its
declaration says type, dimensions, bounds and when it is there; allocation, memory, resuming, files
and the copies between a run and its blocks loop over the declarations.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

MOST_STEPS = 2**62  # that a run can take


class Field(NamedTuple):
    """The declaration of an array (replicas, *dims) of a run, or of an agent in it.

    name : str
        The attribute that holds the array.
    dtype : str, or function spec -> str
        A type of NumPy, or "real": the type of the tables.
    dims : function spec -> tuple of int
        The dimensions after the first. The functions here take the `RunSpec` of a run; those of an
        agent's arrays its `AgentSpec`.
    bounds : function spec -> (low, high) or None
        Between which numbers the entries lie; None: any.
    present : function spec -> bool
        Whether the run has the array.
    start : number, or tuple of numbers
        The entries before the first step; those along the last axis.
    lanes : str
        Under which name a compiled block has the array; "": among its `counts` under `name`, or it
        is copied in a way of its own.
    by_agent : bool
        Whether the second axis is the agents, each of which has its column in the block.
    """

    name: str
    dtype: str | Callable[[Any], str]
    dims: Callable[[Any], tuple[int, ...]]
    bounds: Callable[[Any], tuple[float, float] | None]
    present: Callable[[Any], bool]
    start: float | tuple[float, ...]
    lanes: str
    by_agent: bool

    def type(self, spec: Any) -> np.dtype[Any]:
        """Return the type of the entries."""
        dtype = self.dtype if isinstance(self.dtype, str) else self.dtype(spec)
        return np.dtype(spec.dtype if dtype == "real" else dtype)

    def shape(self, spec: Any) -> tuple[int, ...]:
        """Return the shape of the array."""
        return (spec.replicas, *self.dims(spec))

    def size(self, spec: Any) -> int:
        """Return the bytes that the array takes for each replica; 0 if the run does not have it."""
        return math.prod(self.dims(spec)) * self.type(spec).itemsize if self.present(spec) else 0

    def make(self, spec: Any) -> np.ndarray:
        """Return the array as it is before the first step."""
        array = np.zeros(self.shape(spec), self.type(spec))  # its pages cost nothing until used
        if self.start:
            array[...] = self.start
        return array


def held(
    dtype: str | Callable[[Any], str],
    dims: Callable[[Any], tuple[int, ...]] = lambda spec: (),
    *,
    bounds: Callable[[Any], tuple[float, float] | None] = lambda spec: None,
    present: Callable[[Any], bool] = lambda spec: True,
    start: float | tuple[float, ...] = 0,
    lanes: str = "",
    by_agent: bool = False,
) -> Any:
    """Return a dataclass field that is an array of every replica, declared as in `Field`."""
    declared = (dtype, dims, bounds, present, start, lanes, by_agent)
    return dataclasses.field(default=None, metadata={"held": declared})


@functools.cache
def declared(kind: type) -> tuple[Field, ...]:
    """Return the declarations of the arrays of a dataclass."""
    found = ((field.name, field.metadata.get("held")) for field in dataclasses.fields(kind))
    return tuple(Field(name, *what) for name, what in found if what is not None)


def made(kind: type, spec: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a dataclass that a run has, by name, before the first step."""
    return {field.name: field.make(spec) for field in declared(kind) if field.present(spec)}
