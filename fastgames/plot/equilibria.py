"""Nash equilibria of a small matrix game, to mark in figures."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fastgames.games import MatrixGame

_SLACK = 1e-9  # relative to the largest absolute payoff; also the least probability in a support
_MOST_ACTIONS = 4  # largest number of actions per agent for mixed equilibria
_MOST = 8  # largest number of equilibria to mark; more would cover the figure


def equilibria(game: "MatrixGame") -> list[list[np.ndarray[Any, np.dtype[np.float64]]]]:
    """Return the Nash equilibria of a game, or an empty list if it finds more than 8.

    The list has all pure equilibria. For two agents with at most four actions each it also has
    the mixed equilibria with supports of equal size, found by support enumeration; these are all
    equilibria unless the game is degenerate.

    Parameters
    ----------
    game : MatrixGame
        The game.

    Returns
    -------
    list of list of (A_i,) float64
        For each equilibrium, the mixed strategy of every agent.

    Notes
    -----
    Source: Nisan, Roughgarden, Tardos & Vazirani (eds.), Algorithmic Game Theory, 2007,
    algorithm 3.4.

    Examples
    --------
    >>> import fastgames as fg
    >>> [mix.tolist() for mix in equilibria(fg.games.matching_pennies())[0]]
    [[0.5, 0.5], [0.5, 0.5]]
    """
    eyes = [np.eye(count) for count in game.num_actions]
    found = [[eyes[i][a] for i, a in enumerate(cell)] for cell in game.pure_equilibria()]
    if game.num_agents == 2 and max(game.num_actions) <= _MOST_ACTIONS:
        for size in range(2, min(game.num_actions) + 1):
            supports = (itertools.combinations(range(n), size) for n in game.num_actions)
            for rows, columns in itertools.product(*supports):
                mixes = _on(game, list(rows), list(columns))
                if mixes is not None:
                    found.append(mixes)
    return found if len(found) <= _MOST else []


def _on(game: "MatrixGame", rows: list[int], columns: list[int]) -> list[Any] | None:
    """Return the equilibrium with exactly these supports, [(A_0,), (A_1,)], or None."""
    first, second = game.payoffs
    column = _indifferent(first[np.ix_(rows, columns)])
    row = _indifferent(second[np.ix_(rows, columns)].T)
    if row is None or column is None:
        return None
    x, y = np.zeros(len(first)), np.zeros(first.shape[1])
    x[rows], y[columns] = row, column
    slack = _SLACK * max(np.abs(game.payoffs).max(), 1e-300)
    for values, own in ((first @ y, x), (x @ second, y)):
        if values.max() > values @ own + slack:  # an action outside the support pays more
            return None
    return [x, y]


def _indifferent(payoffs: Any) -> Any:
    """Return the mix (n,) over columns, all positive, with equal payoffs in all rows, or None.

    payoffs: (n, n)
    """
    n = len(payoffs)
    system = np.block([[payoffs, -np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    try:
        mix = np.linalg.solve(system, np.eye(n + 1)[n])[:n]
    except np.linalg.LinAlgError:
        return None
    return mix if np.all(mix > _SLACK) else None
