"""Exp3: Auer, Cesa-Bianchi, Freund & Schapire, SIAM J. Computing 32 (2002), section 3.

Tables are (strategy, log_weights, average_strategy), each (observations, actions) of the type of
the run, and seen, (observations,) int64; p is (mixing, low, high). The rules `draw`, `choose` and
`policy` are those of `fixed`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import largest
from fastgames.rules.hedge import weigh
from fastgames.rules.regret import average

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def credit(log_weights: np.ndarray, a: int, x: Any) -> None:
    """log_weights[a] += x, then all are shifted so that the largest is 0; (A,), in place."""
    log_weights[a] = log_weights[a] + x
    best = largest(log_weights)
    for k in range(len(log_weights)):
        log_weights[k] = log_weights[k] - best


def mix(strategy: np.ndarray, mixing: float) -> None:
    """Replace so much of the strategy (A,) by uniform play, in place."""
    real = strategy.dtype.type
    share = real(mixing)
    for a in range(len(strategy)):
        strategy[a] = (real(1.0) - share) * strategy[a] + share / real(len(strategy))


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """log_weights[o, a] += (mixing / A) x / strategy[o, a], x = (gain - low) / (high - low).

    Then the strategy is (1 - mixing) weights / (sum of weights) + mixing / A.
    """
    strategy, log_weights, averages, seen = tables
    real = strategy.dtype.type
    o, a = t.observation, t.action
    average(strategy, averages, seen, o)
    x = (t.gain - real(p[1])) / real(p[2] - p[1])
    estimate = x / strategy[o, a]
    credit(log_weights[o], a, real(p[0]) * estimate / real(strategy.shape[1]))
    weigh(log_weights[o], 1.0, strategy[o])
    mix(strategy[o], p[0])
