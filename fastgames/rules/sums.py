"""Sums in index order: NumPy's add in pairs, compiled ones do not. In the type of their entries."""


def total(row):
    """The sum of the entries. row: (n,), n at least 1."""
    result = row[0]
    for k in range(1, len(row)):
        result = result + row[k]
    return result


def mean(row):
    """The mean of the entries. row: (n,) of floats, n at least 1."""
    return total(row) / row.dtype.type(len(row))


def dot(row, other):
    """The sum of the products of the entries. row, other: (n,), n at least 1."""
    result = row[0] * other[0]
    for k in range(1, len(row)):
        result = result + row[k] * other[k]
    return result
