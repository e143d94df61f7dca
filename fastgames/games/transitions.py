"""Transitions of Markov games: the forms in which they are given, checked and converted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastgames._common.frozen import Frozen

from ._tables import SUM, FloatArray, array_of, float64, numbers, read_only, real_array
from .compact import Chances, Functions, Sum, Table

if TYPE_CHECKING:
    import numpy.typing as npt

IntArray: TypeAlias = "npt.NDArray[np.int32]"


@dataclass(eq=False, repr=False)
class Sparse(Frozen):
    """Probabilities of next states as compressed rows, one for each state and joint action.

    ``scipy.sparse.csr_array((p.data, p.indices, p.indptr), shape=p.shape)`` is the same matrix.

    Parameters
    ----------
    indptr : (S J + 1,) int64
        Index of the first entry of each row.
    indices : (entries,) int32
        Next states, in ascending order within a row.
    data : (entries,) float64
        Probabilities of these states, all above 0.
    shape : tuple of int
        (S J, S).
    """

    indptr: npt.NDArray[np.int64]
    indices: IntArray
    data: FloatArray
    shape: tuple[int, int]

    def tocsr(self) -> Sparse:
        """Return the object itself; `MarkovGame` accepts any object with this method."""
        return self

    def toarray(self) -> FloatArray:
        """Return the dense matrix, (S J, S) float64."""
        dense = np.zeros(self.shape)
        dense[np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)), self.indices] = self.data
        return dense


def as_sum(moves: Sum, shape: tuple[int, ...]) -> Sum:
    """Return checked transitions in the form of a sum, as read-only int32 arrays."""
    states, joints = shape[0], math.prod(shape[1:])
    parts = []
    for name, count in (("from_state", states), ("from_joint", joints)):
        part = array_of(f"transitions.{name}", getattr(moves, name), "iu", "integers")
        if part.shape != (count,):
            raise ValueError(
                f"transitions.{name} must have shape ({count},), got shape {part.shape}"
            )
        parts.append(part)
    for extreme in (np.argmin, np.argmax):
        state, joint = (int(extreme(part)) for part in parts)
        reached = int(parts[0][state]) + int(parts[1][joint])
        if not 0 <= reached < states:
            cell = tuple(int(digit) for digit in np.unravel_index(joint, shape[1:]))
            raise ValueError(
                f"transitions must be states in [0, {states}), got {reached} from state {state}, "
                f"joint action {cell}"
            )
    return Sum(int32(parts[0]), int32(parts[1]))


def as_table_or_sparse(transitions: Any, shape: tuple[int, ...]) -> tuple[IntArray | Sparse, bool]:
    """Return next states (S J,) int32, or probabilities, and True if these were given dense."""
    states, rows = shape[0], math.prod(shape)
    if hasattr(transitions, "tocsr"):
        return _from_csr(transitions.tocsr(), shape), False
    if isinstance(transitions, tuple) and len(transitions) == 2:
        pair = numbers("transitions[0]", transitions[0]), numbers("transitions[1]", transitions[1])
        if pair[0].ndim == len(shape) + 1:
            return _from_pair(*pair, shape), False
    given = numbers("transitions", transitions)
    if given.shape == shape:
        if given.dtype.kind == "f":
            raise TypeError(
                f"transitions of shape {shape} must hold next states, integers, "
                f"got dtype {given.dtype}"
            )
        flat = given.reshape(-1)
        _refuse_states(flat, None, shape)
        return int32(flat), False
    if given.shape != (*shape, states):
        raise ValueError(
            f"transitions must have shape {shape} (next states) or {(*shape, states)} "
            f"(probabilities), got shape {given.shape}"
        )
    dense = given.reshape(rows, states)
    row, successor = np.nonzero(dense)
    return _sparse(row, successor, float64(dense[row, successor]), shape), True


def _from_csr(matrix: Any, shape: tuple[int, ...]) -> Sparse:
    """Return transitions from a compressed sparse matrix (S J, S)."""
    states, rows = shape[0], math.prod(shape)
    if tuple(matrix.shape) != (rows, states):
        raise ValueError(
            f"transitions must have shape ({rows}, {states}), a row for every state and joint "
            f"action, got shape {tuple(matrix.shape)}"
        )
    row = np.repeat(np.arange(rows), np.diff(matrix.indptr))
    return _sparse(row, np.asarray(matrix.indices), real_array("transitions", matrix.data), shape)


def _from_pair(
    successors: npt.NDArray[Any], chances: npt.NDArray[Any], shape: tuple[int, ...]
) -> Sparse:
    """Return transitions from next states and their probabilities, (S, A_0, ..., A_{N-1}, K)."""
    if successors.dtype.kind == "f":
        raise TypeError(
            f"transitions[0] must hold next states, integers, got dtype {successors.dtype}"
        )
    if successors.shape[:-1] != shape or chances.shape != successors.shape:
        raise ValueError(
            f"transitions must be two arrays of shape {shape} and one more axis, got shapes "
            f"{successors.shape} and {chances.shape}"
        )
    row = np.repeat(np.arange(math.prod(shape)), successors.shape[-1])
    return _sparse(row, successors.reshape(-1), float64(chances.reshape(-1)), shape)


def _sparse(
    row: npt.NDArray[Any], successor: npt.NDArray[Any], chance: FloatArray, shape: tuple[int, ...]
) -> Sparse:
    """Return entries, given with their rows in ascending order, as a checked `Sparse`.

    row, successor, chance: (entries,)
    """
    states, rows = shape[0], math.prod(shape)
    _refuse_states(successor, row, shape)
    successor = successor.astype(np.int64)
    bad = ~(chance >= 0.0)
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            f"transitions must be probabilities, at least 0, got {chance[k]} for next state "
            f"{successor[k]} {_at(row[k], shape)}"
        )
    sums = np.bincount(row, weights=chance, minlength=rows)
    bad = ~(np.abs(sums - 1.0) <= SUM)
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            f"transitions must sum to 1, up to {SUM}, for every state and joint action, "
            f"got a sum of {sums[k]} {_at(k, shape)}"
        )
    cell = row * states + successor
    order = np.argsort(cell, kind="stable")
    order = order[chance[order] > 0.0]
    cell, chance = cell[order], chance[order]
    first = np.flatnonzero(np.diff(cell, prepend=-1))  # `reduceat` adds entries of one cell
    row, successor = np.divmod(cell[first], states)
    indptr = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=indptr[1:])
    data = np.add.reduceat(chance, first)
    return Sparse(read_only(indptr), int32(successor), read_only(data), (rows, states))


def _refuse_states(
    successor: npt.NDArray[Any], row: npt.NDArray[Any] | None, shape: tuple[int, ...]
) -> None:
    """Raise ValueError if a next state is not in [0, S); rows are 0, 1, ... if `row` is None."""
    bad = (successor < 0) | (successor >= shape[0])
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            f"transitions must be states in [0, {shape[0]}), got {successor[k]} "
            f"{_at(k if row is None else row[k], shape)}"
        )


def _at(row: int, shape: tuple[int, ...]) -> str:
    """Return a row of the transitions as text for errors."""
    state, *joint = (int(digit) for digit in np.unravel_index(row, shape))
    return f"from state {state}, joint action {tuple(joint)}"


def running_sums(sparse: Sparse) -> FloatArray:
    """Return the running sums within every row, (entries,) float64, added in order of entries."""
    first, sums = sparse.indptr[:-1], sparse.data.copy()
    lengths = np.diff(sparse.indptr)
    longer = np.arange(len(first))
    for k in range(1, int(lengths.max())):
        longer = longer[lengths[longer] > k]
        sums[first[longer] + k] += sums[first[longer] + k - 1]
    return read_only(sums)


def next_states(moves: Sum | Table | Chances | Functions) -> IntArray:
    """Return the next states of a game without chance, (S J,) int32."""
    assert not isinstance(moves, Chances | Functions)
    if isinstance(moves, Table):
        return moves.next
    following: IntArray = moves.from_state[:, None] + moves.from_joint
    return following.reshape(-1)


def same_parts(one: Sparse | Sum, two: Sparse | Sum) -> bool:
    """Return True if all fields of both objects are equal."""
    return all(np.array_equal(part, vars(two)[name]) for name, part in vars(one).items())


def int32(array: npt.NDArray[Any]) -> IntArray:
    """Return a read-only int32 copy of an array whose values are known to fit."""
    return read_only(np.array(array, np.int32, order="C"))
