"""Payoffs of two agents from the table of agent 0.

Rows are the actions of agent 0, columns those of agent 1. The table of agent 1 has the same
orientation. The helpers derive it for symmetric, zero-sum and shared-payoff games, since a
transposed second table is a common mistake.
"""

from __future__ import annotations

import numpy as np

from fastgames.games._tables import FloatArray


def symmetric(table: list[list[float]]) -> FloatArray:
    """Return payoffs in which agent 1 gets for (i, j) the payoff of agent 0 for (j, i)."""
    own = np.array(table, dtype=np.float64)
    return np.stack([own, own.T])


def zero_sum(table: list[list[float]]) -> FloatArray:
    """Return payoffs in which agent 1 pays the payoff of agent 0."""
    own = np.array(table, dtype=np.float64)
    return np.stack([own, 0.0 - own])  # -own would turn 0 into -0


def shared(table: list[list[float]] | FloatArray) -> FloatArray:
    """Return payoffs in which both agents get the same."""
    own = np.array(table, dtype=np.float64)
    return np.stack([own, own])
