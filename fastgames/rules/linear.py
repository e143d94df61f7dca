"""Inverses of the matrices of discounted chains, by plain elimination."""

from typing import Any

import numpy as np


def resolvent(chain: np.ndarray, gamma: float, out: np.ndarray) -> None:
    """Write the inverse of 1 - gamma P into `out`, by Gauss-Jordan elimination without pivoting.

    The matrix is diagonally dominant by rows, so that no row is exchanged. Entry (s, k) is the
    discounted number of visits of k after a start in s.

    Parameters
    ----------
    chain : array (S, S)
        P: probabilities of the next state in each row; a row of zeros ends the chain.
    gamma : float
        The discount factor, in [0, 1).
    out : array (S, S)
        The inverse, of the same type, overwritten.
    """
    real = chain.dtype.type
    states = len(chain)
    left = np.empty((states, states), chain.dtype)
    for s in range(states):
        for k in range(states):
            one = real(1.0) if s == k else real(0.0)
            left[s, k] = one - real(gamma) * chain[s, k]
            out[s, k] = one
    for s in range(states):
        pivot = left[s, s]
        for k in range(states):
            left[s, k] = left[s, k] / pivot
            out[s, k] = out[s, k] / pivot
        for row in range(states):
            if row != s:
                factor = left[row, s]
                for k in range(states):
                    left[row, k] = left[row, k] - factor * left[s, k]
                    out[row, k] = out[row, k] - factor * out[s, k]


def times(matrix: np.ndarray, column: np.ndarray, out: np.ndarray) -> None:
    """Write the product of a matrix (S, S) and a column (S,) into `out` (S,)."""
    for s in range(len(column)):
        total = column.dtype.type(0.0)
        for k in range(len(column)):
            total = total + matrix[s, k] * column[k]
        out[s] = total


def row_times(row: np.ndarray, matrix: np.ndarray, out: np.ndarray) -> None:
    """Write the product of a row (S,) and a matrix (S, S) into `out` (S,)."""
    for k in range(len(row)):
        total = row.dtype.type(0.0)
        for s in range(len(row)):
            total = total + row[s] * matrix[s, k]
        out[k] = total


def dot(one: np.ndarray, other: np.ndarray) -> Any:
    """Return the sum of products of two arrays of equal length, in index order."""
    total = one.dtype.type(0.0)
    for k in range(len(one)):
        total = total + one[k] * other[k]
    return total
