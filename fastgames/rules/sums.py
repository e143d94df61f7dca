"""Sums in index order and in the type of the entries; NumPy's sums are pairwise."""

from typing import Any


def total(row: Any) -> Any:
    """Return the sum of the entries. row: (n,), n at least 1."""
    result = row[0]
    for k in range(1, len(row)):
        result = result + row[k]
    return result


def mean(row: Any) -> Any:
    """Return the mean of the entries. row: (n,) of floats, n at least 1."""
    return total(row) / row.dtype.type(len(row))


def dot(row: Any, other: Any) -> Any:
    """Return the sum of the products of the entries. row, other: (n,), n at least 1."""
    result = row[0] * other[0]
    for k in range(1, len(row)):
        result = result + row[k] * other[k]
    return result
