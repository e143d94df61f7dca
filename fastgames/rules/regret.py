"""Regret matching, and functions shared by learners with a strategy table.

Regret matching: Hart & Mas-Colell, A Simple Adaptive Procedure Leading to Correlated Equilibrium,
Econometrica 68 (2000), with unconditional regrets. Regret matching+: Tammelin, Solving Large
Imperfect Information Games Using CFR+ (2014).

Tables are (strategy, regrets, average_strategy), each (observations, actions) of the type of the
run, and seen, (observations,) int64: the current strategy; the sum of payoffs that every action
would have earned minus the payoffs earned; the mean of the strategies played; and their number.
There are no parameters. The rules `draw`, `choose` and `policy` are those of `fixed`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def mean(strategy: np.ndarray, column: np.ndarray) -> Any:
    """The mean of the payoffs `column` (A,) over a strategy (A,), summed in index order."""
    total = strategy[0] * column[0]
    for a in range(1, len(column)):
        total = total + strategy[a] * column[a]
    return total


def average(strategy: np.ndarray, averages: np.ndarray, seen: np.ndarray, o: int) -> None:
    """Count a visit of o, and take strategy[o] into the mean, averages[o]; both in place.

    strategy, averages: (observations, actions); seen: (observations,) int64. The n-th strategy s
    changes the mean m by (s - m) / n, 1 / n in float64, then of their type: unlike a sum that
    serves in float32 for any number of visits.
    """
    real = averages.dtype.type
    seen[o] += 1
    step = real(1.0 / float(seen[o]))
    for a in range(strategy.shape[1]):
        averages[o, a] = averages[o, a] + step * (strategy[o, a] - averages[o, a])


def regret(regrets: np.ndarray, column: np.ndarray, earned: Any) -> None:
    """regrets += column - earned, both (A,); regrets is modified in place."""
    for a in range(len(column)):
        regrets[a] = regrets[a] + (column[a] - earned)


def forgive(regrets: np.ndarray) -> None:
    """Set negative regrets (A,) to 0, in place."""
    zero = regrets.dtype.type(0.0)
    for a in range(len(regrets)):
        if regrets[a] < zero:
            regrets[a] = zero


def match(regrets: np.ndarray, strategy: np.ndarray) -> None:
    """Write the strategy (A,) proportional to the positive regrets (A,), uniform if none is."""
    real = regrets.dtype.type
    total = real(0.0)
    for a in range(len(regrets)):
        if regrets[a] > real(0.0):
            total = total + regrets[a]
    for a in range(len(regrets)):
        if total <= real(0.0):
            strategy[a] = real(1.0) / real(len(regrets))
        elif regrets[a] > real(0.0):
            strategy[a] = regrets[a] / total
        else:
            strategy[a] = real(0.0)


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """regrets[o, k] += column[k] - (mean of column over strategy[o]), then match."""
    strategy, regrets, averages, seen = tables
    o = t.observation
    average(strategy, averages, seen, o)
    regret(regrets[o], t.column, mean(strategy[o], t.column))
    match(regrets[o], strategy[o])


def learn_plus(tables: Any, p: Any, t: "Outcome") -> None:
    """The same, and negative regrets are set to 0."""
    learn(tables, p, t)
    forgive(tables[1][t.observation])


def learn_played(tables: Any, p: Any, t: "Outcome") -> None:
    """regrets[o, k] += column[k] - column[a], then match."""
    strategy, regrets, averages, seen = tables
    o = t.observation
    average(strategy, averages, seen, o)
    regret(regrets[o], t.column, t.column[t.action])
    match(regrets[o], strategy[o])


def learn_played_plus(tables: Any, p: Any, t: "Outcome") -> None:
    """The same, and negative regrets are set to 0."""
    learn_played(tables, p, t)
    forgive(tables[1][t.observation])
