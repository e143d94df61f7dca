"""Maximin strategies and values of small zero-sum matrix games, for the row agent.

Dantzig's simplex method on the linear program of the game (Dantzig 1951, A proof of the equivalence
of the programming problem and the game problem; von Neumann's minimax theorem), with Bland's rule
(Bland, Mathematics of Operations Research 2, 1977): ties go to the lowest number, so that the same
matrix always takes the same pivots. All arithmetic is in float64 for every type of the matrix.
"""

from typing import Any

import numpy as np

from fastgames.rules.choice import largest

ZERO = 1e-12  # smaller entries are rounding errors: the tableau starts with entries in [1, 2]
PIVOTS = 50  # limit of pivots per row and column: Bland's rule takes about one


def smallest(row: np.ndarray) -> Any:
    """Return the smallest entry.

    Parameters
    ----------
    row : array (B,)
        Numbers without nan.

    Returns
    -------
    number
        The entry, of the type of the row.
    """
    least = row[0]
    for b in range(1, len(row)):
        if row[b] < least:
            least = row[b]
    return least


def guaranteed(strategy: np.ndarray, payoffs: np.ndarray) -> float:
    """Return the smallest expected payoff of a mixed strategy against any column.

    Parameters
    ----------
    strategy : array (A,)
        Probabilities of the rows.
    payoffs : array (A, B)
        Payoffs of the row agent.

    Returns
    -------
    float
        The minimum over columns b of sum_a strategy[a] payoffs[a, b], float64.
    """
    least = np.inf
    for b in range(payoffs.shape[1]):
        total = 0.0
        for a in range(payoffs.shape[0]):
            total = total + np.float64(strategy[a]) * np.float64(payoffs[a, b])
        if total < least:
            least = total
    return least


def solve(payoffs: np.ndarray, strategy: np.ndarray) -> float:
    """Write a maximin strategy into `strategy`, and return the payoff that it guarantees.

    Parameters
    ----------
    payoffs : array (A, B)
        Finite payoffs of the row agent.
    strategy : array (A,)
        Modified in place: the probabilities of the rows. Of the type of the payoffs.

    Returns
    -------
    float
        The value of the game, float64.

    Notes
    -----
    A matrix may have several maximin strategies. If single actions are maximin, the strategy gives
    the same probability to all of them, so it is uniform for a matrix of equal payoffs. Otherwise
    it is the one at which the pivots arrive, always the same for the same matrix.

    One array of (A + 2) (B + 2) float64 is allocated unless there is a saddle point.
    """
    for a in range(len(strategy)):
        strategy[a] = smallest(payoffs[a])
    floor = largest(strategy)
    if has_saddle_point(payoffs, floor):
        spread(strategy, floor)
        return np.float64(floor)
    tableau = np.empty((payoffs.shape[0] + 2, payoffs.shape[1] + 2))
    start(payoffs, tableau)
    for _ in range(PIVOTS * (payoffs.shape[0] + payoffs.shape[1])):
        column = entering(tableau)
        if column < 0:
            break
        row = leaving(tableau, column)
        if row < 0:
            break
        pivot(tableau, row, column)
    read(tableau, strategy)
    return guaranteed(strategy, payoffs)


def has_saddle_point(payoffs: np.ndarray, floor: Any) -> bool:
    """Return whether a column limits the row agent to `floor`.

    Parameters
    ----------
    payoffs : array (A, B)
        Payoffs of the row agent.
    floor : number
        The largest payoff that a single row guarantees.

    Returns
    -------
    bool
        True if the smallest of the columns' largest payoffs equals `floor`.
    """
    ceiling = largest(payoffs[:, 0])
    for b in range(1, payoffs.shape[1]):
        ceiling = min(ceiling, largest(payoffs[:, b]))
    return ceiling == floor


def spread(least: np.ndarray, floor: Any) -> None:
    """Write equal probabilities for all rows that guarantee `floor`, and 0 for the others.

    Parameters
    ----------
    least : array (A,)
        The payoff that each row guarantees; replaced in place by the probabilities.
    floor : number
        The largest entry of `least`.
    """
    rows = 0
    for a in range(len(least)):
        if least[a] == floor:
            rows += 1
    for a in range(len(least)):
        least[a] = 1.0 / rows if least[a] == floor else 0.0


# The program: maximise the sum of y subject to M y <= 1 and y >= 0, where M is the matrix, shifted
# and scaled to [1, 2]. At the optimum 1 / sum is the value of M, y / sum the other agent's minimax
# strategy, and the prices of the constraints divided by the sum are the maximin strategy.
# The tableau: M with a column of right-hand sides and a row of prices. The last row and column hold
# the numbers of the variables of the columns and rows; the variables of the rows are the basis.
# Number b is y_b, number B + a the slack of constraint a.


def start(payoffs: np.ndarray, tableau: np.ndarray) -> None:
    """Write the first tableau, whose basis consists of the slacks.

    Parameters
    ----------
    payoffs : array (A, B)
        Payoffs of the row agent, not all equal.
    tableau : array (A + 2, B + 2)
        Float64, modified in place.
    """
    rows, columns = payoffs.shape
    low = payoffs[0, 0]
    high = low
    for a in range(rows):
        for b in range(columns):
            low = min(low, payoffs[a, b])
            high = max(high, payoffs[a, b])
    size = np.float64(high) - np.float64(low)
    for a in range(rows):
        for b in range(columns):
            tableau[a, b] = 1.0 + (np.float64(payoffs[a, b]) - np.float64(low)) / size
        tableau[a, columns] = 1.0
        tableau[a, columns + 1] = columns + a
    for b in range(columns):
        tableau[rows, b] = 1.0
        tableau[rows + 1, b] = b
    tableau[rows, columns] = 0.0


def entering(tableau: np.ndarray) -> int:
    """Return the column that enters the basis by Bland's rule.

    Parameters
    ----------
    tableau : array (A + 2, B + 2)
        Tableau, float64, read-only.

    Returns
    -------
    int
        Column in [0, B), or -1 at the optimum.
    """
    prices = tableau[tableau.shape[0] - 2]
    numbers = tableau[tableau.shape[0] - 1]
    found = -1
    for b in range(tableau.shape[1] - 2):
        if prices[b] > ZERO and (found < 0 or numbers[b] < numbers[found]):
            found = b
    return found


def leaving(tableau: np.ndarray, column: int) -> int:
    """Return the row that leaves the basis by Bland's rule.

    Parameters
    ----------
    tableau : array (A + 2, B + 2)
        Tableau, float64, read-only.
    column : int
        The column that enters the basis.

    Returns
    -------
    int
        Row in [0, A), or -1 if all entries of the column are at most ZERO, the rounding error.
    """
    right = tableau.shape[1] - 2
    found = -1
    least = 0.0
    for a in range(tableau.shape[0] - 2):
        if tableau[a, column] > ZERO:
            ratio = tableau[a, right] / tableau[a, column]
            first = found < 0 or ratio < least
            if first or (ratio == least and tableau[a, right + 1] < tableau[found, right + 1]):
                found = a
                least = ratio
    return found


def pivot(tableau: np.ndarray, row: int, column: int) -> None:
    """Exchange the variables of a row and a column, which enters the basis.

    Parameters
    ----------
    tableau : array (A + 2, B + 2)
        Tableau, float64, modified in place.
    row, column : int
        The row in [0, A) that leaves the basis, and the column in [0, B) that enters it.
    """
    rows, columns = tableau.shape[0] - 1, tableau.shape[1] - 1
    inverse = 1.0 / tableau[row, column]
    for b in range(columns):
        tableau[row, b] = tableau[row, b] * inverse
    for a in range(rows):
        if a != row:
            factor = tableau[a, column]
            for b in range(columns):
                tableau[a, b] = tableau[a, b] - factor * tableau[row, b]
            tableau[a, column] = -factor * inverse
    tableau[row, column] = inverse
    number = tableau[row, columns]
    tableau[row, columns] = tableau[rows, column]
    tableau[rows, column] = number


def read(tableau: np.ndarray, strategy: np.ndarray) -> None:
    """Write the maximin strategy at the optimum: the normalised prices of the constraints.

    Parameters
    ----------
    tableau : array (A + 2, B + 2)
        Optimal tableau, float64, read-only.
    strategy : array (A,)
        Modified in place. A constraint whose slack is in the basis has the price 0.
    """
    rows, columns = tableau.shape[0] - 2, tableau.shape[1] - 2
    total = 0.0
    for b in range(columns):
        if tableau[rows + 1, b] >= columns:
            total = total + max(-tableau[rows, b], 0.0)
    for a in range(rows):
        strategy[a] = 0.0
    for b in range(columns):
        if tableau[rows + 1, b] >= columns:
            strategy[int(tableau[rows + 1, b]) - columns] = max(-tableau[rows, b], 0.0) / total
