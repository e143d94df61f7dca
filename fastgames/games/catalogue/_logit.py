"""Logit demand: market shares, and the markups of its two benchmarks.

This module does not call libm or LAPACK. It uses the exponentials of `rules`, so that a game, like
its runs, has the same bits on every CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import numpy as np

from fastgames.games._tables import FloatArray
from fastgames.rules.exponential import (
    COEFFICIENTS,
    INV_LN2,
    LN2_HIGH,
    LN2_LOW,
    LOWEST,
    ROUNDER,
    exp,
)
from fastgames.rules.logarithm import log

_MAX_ROUNDS: Final = 200  # of best responses; 3,000 random games took at most 24


def market_shares(utilities: Sequence[Any]) -> list[FloatArray]:
    """Return the market shares of goods with these utilities and an outside good of utility 0.

    utilities: N arrays, in units of mu, that broadcast to the shape of the arrays returned
    """
    peak = reduce(np.maximum, utilities, np.float64(0.0))
    weights = [_exp(u - peak) for u in utilities]
    total = sum(weights, start=_exp(-peak))
    return [weight / total for weight in weights]


def _exp(x: Any) -> FloatArray:
    """Return exp(x) of every entry x <= 0, by the operations of `rules.exponential.exp`."""
    inside = np.maximum(x, LOWEST[1])
    n = (inside * INV_LN2 + ROUNDER[1]) - ROUNDER[1]
    r = (inside - n * LN2_HIGH) - n * LN2_LOW
    p: Any = COEFFICIENTS[0]
    for coefficient in COEFFICIENTS[1:]:
        p = p * r + coefficient
    p = 1.0 + (r + r * r * p)
    return np.where(x < LOWEST[1], 0.0, (p * np.ldexp(1.0, n.astype(np.int64) - 1)) * 2.0)


def nash_markups(values: list[float]) -> FloatArray:
    """Return the equilibrium markups (p_i - c_i) / mu, (N,) float64.

    values: (a_i - c_i - a0) / mu

    No best response is below 1, and each best response increases with the rivals' prices; so the
    iteration increases from 1 to the equilibrium. Near it each round at least halves the distance:
    the derivative of a best response by a rival's price is q_i q_j / (1 - q_i), a matrix of
    spectral radius below 1/2.
    """
    markups = [1.0] * len(values)
    close = 1e-14 * (1.0 + max(map(abs, values)))
    for _ in range(_MAX_ROUNDS):
        moved = 0.0
        for i, value in enumerate(values):
            others = [v - y for j, (v, y) in enumerate(zip(values, markups, strict=True)) if j != i]
            best = 1.0 + _omega(value - 1.0 - _log_sum([0.0, *others]))
            moved = max(moved, abs(best - markups[i]))
            markups[i] = best
        if moved <= close:
            return np.array(markups)
    raise RuntimeError(
        f"the Nash prices were not found in {_MAX_ROUNDS} rounds of best responses for "
        f"(a - c - a0) / mu = {values}"
    )


def monopoly_markups(values: list[float]) -> FloatArray:
    """Return the equal markups (p_i - c_i) / mu that maximise the joint profit, (N,) float64."""
    return np.full(len(values), 1.0 + _omega(_log_sum(values) - 1.0))


def _omega(z: float) -> float:
    """Return the w > 0 with w + log w = z, Lambert's W of e^z, without overflow.

    Newton's method for t + e^t = z starts above the root and decreases to it.
    """
    t = log(z) if z > 1.0 else z
    for _ in range(8):
        e = exp(t, float)
        t -= (t + e - z) / (1.0 + e)
    return float(exp(t, float))


def _log_sum(logs: list[float]) -> float:
    """Return the logarithm of a sum of numbers from their logarithms."""
    peak = max(logs)
    return float(peak + log(sum(exp(x - peak, float) for x in logs)))
