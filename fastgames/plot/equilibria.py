"""Nash equilibria of a small matrix game, to be marked in pictures."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fastgames.games import MatrixGame

_SLACK = 1e-9  # of the largest payoff
_MOST_ACTIONS = 4  # of each of two agents, whose mixed equilibria are looked for
_MOST = 8  # that are marked; with more they are everywhere


def equilibria(game: "MatrixGame") -> list[list[np.ndarray[Any, np.dtype[np.float64]]]]:
    """Equilibria as one mix (A_i,) for each agent; none where there would be more than 8.

    All pure ones; for two agents of at most four actions also the mixed ones in which both mix
    equally many actions, by support enumeration: all, unless the game is degenerate.

    Source: Nisan, Roughgarden, Tardos & Vazirani (eds.), Algorithmic Game Theory, 2007,
    algorithm 3.4.
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
    """The equilibrium in which the agents mix exactly these actions, if there is one."""
    first, second = game.payoffs
    column = _indifferent(first[np.ix_(rows, columns)])
    row = _indifferent(second[np.ix_(rows, columns)].T)
    if row is None or column is None:
        return None
    x, y = np.zeros(len(first)), np.zeros(first.shape[1])
    x[rows], y[columns] = row, column
    slack = _SLACK * max(np.abs(game.payoffs).max(), 1e-300)
    for values, own in ((first @ y, x), (x @ second, y)):
        if values.max() > values @ own + slack:  # a better answer
            return None
    return [x, y]


def _indifferent(payoffs: Any) -> Any:
    """The mix over columns, all positive, that makes all rows pay the same; None without one."""
    n = len(payoffs)
    system = np.block([[payoffs, -np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    try:
        mix = np.linalg.solve(system, np.eye(n + 1)[n])[:n]
    except np.linalg.LinAlgError:
        return None
    return mix if np.all(mix > _SLACK) else None
