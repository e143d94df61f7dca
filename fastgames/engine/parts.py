"""Parts of a run: some of its replicas, with the bits that they have in the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastgames import _core
from fastgames.engine.spec import RunSpec
from fastgames.games._tables import array_of, refuse_cells
from fastgames.games.variants import part_of as part_of_game

_GAP = 64  # numbers left out between two others that are cheaper to make than to go around
_AT_A_TIME = 2**16


class Part(NamedTuple):
    """The replicas of a part of a run.

    Attributes
    ----------
    numbers : (n,) int64
        Their numbers in the whole run, ascending.
    total : int
        Replicas of the whole run.
    call : str
        Digest of the call: parts of equal calls can be merged.
    """

    numbers: np.ndarray
    total: int
    call: str = ""


def check_only(only: Any, total: int) -> np.ndarray | None:
    """Return the numbers of the replicas that `only` selects, ascending; None if it selects all."""
    domain = f"a slice or whole numbers in [0, {total})"
    if isinstance(only, slice):
        try:
            chosen = range(total)[only]
        except (TypeError, ValueError) as error:
            raise type(error)(f"only must be {domain}, got {only!r}: {error}") from None
        numbers = np.arange(chosen.start, chosen.stop, chosen.step, dtype=np.int64)
    else:
        empty = hasattr(only, "__len__") and len(only) == 0  # NumPy makes floats of it
        given = np.zeros(0, np.int64) if empty else array_of("only", only, "iu", "whole numbers")
        if given.ndim != 1:
            raise ValueError(f"only must be {domain}, one axis, got shape {given.shape}")
        refuse_cells("only", given, (given < 0) | (given >= total), f"in [0, {total})")
        numbers = given.astype(np.int64)
    if not len(numbers):
        raise ValueError(f"only must select at least 1 of {total} replicas, got {only!r}")
    numbers = np.sort(numbers)
    twice = numbers[:-1][numbers[1:] == numbers[:-1]]
    if len(twice):
        raise ValueError(f"only must have different numbers, got {twice[0]} twice")
    numbers.setflags(write=False)
    return None if len(numbers) == total else numbers


def part_of(spec: RunSpec, part: Part, resume: Any) -> RunSpec:
    """Return the specification of a part of a run.

    resume: the part that goes on, whose learners and game are those of the part already; or None
    """
    cut = _cut(spec, part.numbers, part.total, resume is not None)
    return replace(cut, part=part._replace(call=_digest(spec, part.call)))


def with_part(spec: RunSpec) -> RunSpec:
    """Return the specification of a run as that of a part, which may have all replicas."""
    if spec.part is not None:
        return spec
    return replace(spec, part=Part(np.arange(spec.replicas), spec.replicas, _digest(spec)))


def chunk_of(spec: RunSpec, places: np.ndarray) -> RunSpec:
    """Return the specification of some of the replicas of a part.

    places: (n,) int64, where they are among its replicas, ascending
    """
    assert spec.part is not None
    part = spec.part._replace(numbers=spec.part.numbers[places])
    return replace(_cut(spec, places, spec.replicas), part=part)


def _cut(spec: RunSpec, places: np.ndarray, total: int, cut: bool = False) -> RunSpec:
    """Return the arguments of some replicas, at `places` among `total`."""
    states, tables = spec.start_states, spec.start_tables
    if tables is not None:
        tables = [
            {name: _of_part(agent, name, array, places, total) for name, array in given.items()}
            for agent, given in zip(spec.agents, tables, strict=True)
        ]
    return replace(
        spec,
        game=part_of_game(spec.game, places, total, cut),
        learners=tuple(learner.part(places, total, cut) for learner in spec.learners),
        replicas=len(places),
        start_states=None if states is None else states[places],
        start_tables=tables,
        opening=None if spec.opening is None else spec.opening[places],
    )


def _digest(spec: RunSpec, call: str = "") -> str:
    """Return the digest of what a call says about all replicas and its result does not tell."""
    digest = hashlib.sha256(repr((call, spec.steps, spec.reset)).encode())
    arrays: dict[str, Any] = {"states": spec.start_states, "opening": spec.opening}
    for i, tables in enumerate(spec.start_tables or []):
        arrays |= {f"{i}/{name}": table for name, table in tables.items()}
    for name, array in arrays.items():
        if array is not None:
            digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _of_part(
    agent: Any, name: str, array: np.ndarray, places: np.ndarray, total: int
) -> np.ndarray:
    """Return a given table, broadcastable to (replicas, *dimensions), of some replicas."""
    by_replica = array.ndim == 1 + len(agent.shapes[name]) and len(array) == total
    return array[places] if by_replica else array


def first_streams(seed: int, numbers: np.ndarray, roles: int) -> np.ndarray:
    """Return the first states of the streams of these replicas, (n, roles, 4) uint32.

    numbers: (n,) int64, ascending
    """
    out = np.empty((len(numbers), roles, 4), np.uint32)
    for where, first, count in _stretches(numbers):
        made = np.empty((count, roles, 4), np.uint32)
        _core.lanes("float64").start_streams(seed, first, roles, made)
        out[where] = made[numbers[where] - first]
    return out


def _stretches(numbers: np.ndarray) -> Iterator[tuple[slice, int, int]]:
    """Yield parts of ascending numbers that lie close together, the first of each, and its width.

    The width counts the numbers in between as well.
    """
    ends = np.flatnonzero(np.diff(numbers) > _GAP) + 1
    for begin, end in zip([0, *ends.tolist()], [*ends.tolist(), len(numbers)], strict=True):
        for at in range(begin, end, _AT_A_TIME):
            where = slice(at, min(at + _AT_A_TIME, end))
            first, last = int(numbers[where][0]), int(numbers[where][-1])
            yield where, first, last - first + 1
