"""Sums in index order and in the type of the entries; NumPy's sums are pairwise."""

from typing import Any


def total(row: Any) -> Any:
    """Return the sum of the entries, added in index order.

    Parameters
    ----------
    row : array (n,)
        Numbers, n at least 1.

    Returns
    -------
    number
        The sum, of the type of the row.
    """
    result = row[0]
    for k in range(1, len(row)):
        result = result + row[k]
    return result


def mean(row: Any) -> Any:
    """Return the mean of the entries, added in index order.

    Parameters
    ----------
    row : array (n,)
        Floats, n at least 1.

    Returns
    -------
    real
        The mean, of the type of the row.
    """
    return total(row) / row.dtype.type(len(row))


def dot(row: Any, other: Any) -> Any:
    """Return the sum of the products of the entries, added in index order.

    Parameters
    ----------
    row, other : array (n,)
        Numbers, n at least 1.

    Returns
    -------
    number
        The sum, of the type of the products.
    """
    result = row[0] * other[0]
    for k in range(1, len(row)):
        result = result + row[k] * other[k]
    return result
