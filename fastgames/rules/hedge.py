"""Hedge, or exponential weights: Freund & Schapire, J. Computer and System Sciences 55 (1997).

Tables are those of `regret`, p is (eta,). The rules `draw`, `choose` and `policy` are those of
`fixed`. The paper weights actions by exp(eta payoffs), this module by exp(eta regrets). Regrets
differ from the summed payoffs by the same number for all actions, so the strategy is the same, and
regrets stay small while the sums of payoffs grow without bound.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import largest
from fastgames.rules.exponential import exp
from fastgames.rules.regret import average, mean, regret

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def weigh(sums: np.ndarray, eta: float, strategy: np.ndarray) -> None:
    """Write the strategy (A,) proportional to exp(eta (sums - max sums)); sums: (A,)."""
    real = sums.dtype.type
    best = largest(sums)
    total = real(0.0)
    for a in range(len(sums)):
        strategy[a] = exp(real(eta) * (sums[a] - best), real)
        total = total + strategy[a]
    for a in range(len(sums)):
        strategy[a] = strategy[a] / total


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """regrets[o, k] += column[k] - (mean of column over strategy[o]), then weigh."""
    strategy, regrets, averages, seen = tables
    o = t.observation
    average(strategy, averages, seen, o)
    regret(regrets[o], t.column, mean(strategy[o], t.column))
    weigh(regrets[o], p[0], strategy[o])
