"""Moves on a grid of cells, which are numbered row by row from the upper left."""


def moved(cell: int, action: int, rows: int, columns: int, torus: bool) -> int:
    """Return the cell next to `cell` in the direction of `action`.

    Parameters
    ----------
    cell : int
        Number of the cell, in [0, rows * columns).
    action : int
        Direction: 0 up, 1 down, 2 left, 3 right.
    rows, columns : int
        Size of the grid, each at least 1.
    torus : bool
        If True, a move across an edge enters the grid on the opposite side. If False, it leaves the
        cell unchanged.

    Returns
    -------
    int
        Number of the cell reached.
    """
    row = cell // columns
    column = cell - row * columns
    if action == 0:
        row -= 1
    elif action == 1:
        row += 1
    elif action == 2:
        column -= 1
    else:
        column += 1
    if torus:
        row = (row + rows) % rows
        column = (column + columns) % columns
    elif row < 0 or row >= rows or column < 0 or column >= columns:
        return cell
    return row * columns + column


def ahead(here: int, there: int, size: int, torus: bool) -> int:
    """Return the distance from `here` to `there` along one axis, with its sign.

    Parameters
    ----------
    here, there : int
        Positions, in [0, size).
    size : int
        Number of cells of the axis.
    torus : bool
        Whether the axis is closed. If so, the distance is the shorter one of the two.

    Returns
    -------
    int
        there - here; on a torus the same modulo `size`, in [-(size // 2), size - size // 2).
    """
    if torus:
        half = size // 2
        return (there - here + size + half) % size - half
    return there - here
