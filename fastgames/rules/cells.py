"""Moves on a grid of cells, which are numbered row by row from the upper left."""


def moved(cell: int, action: int, rows: int, columns: int, torus: bool) -> int:
    """The cell to the action's side: 0 up, 1 down, 2 left, 3 right.

    On a torus what leaves the grid comes back on the other side; else it stays where it is.
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
    """How far `there` is ahead of `here` along one axis of `size` cells; on a torus the short way.

    On a torus it is in [-(size // 2), size - size // 2).
    """
    if torus:
        half = size // 2
        return (there - here + size + half) % size - half
    return there - here
