"""Profit gains of frozen greedy policies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.analysis.cycles import LimitCycle, cycles_of
from fastgames.analysis.distributions import LimitDistribution, distributions_of
from fastgames.analysis.frozen import freeze, threads_of
from fastgames.result import Result


def profit_gain(
    profits: Result | LimitCycle | LimitDistribution | npt.ArrayLike,
    nash: npt.ArrayLike,
    monopoly: npt.ArrayLike,
    *,
    per_agent: bool = False,
) -> np.ndarray:
    """Return the profit gain Delta: 0 at one-shot Nash profits, 1 at monopoly profits.

    Parameters
    ----------
    profits : Result, LimitCycle, LimitDistribution or (replicas, N) float
        Mean profit of every agent in a period; for a Result the profits on its limit cycle, or in
        its limit distribution if the game has chance.
    nash, monopoly : number, (N,) or (replicas, N)
        Profit of every agent in a period, in the one-shot Nash equilibrium and in monopoly.
    per_agent : bool
        If True, return the gain of each agent, (profit_i - nash_i) / (monopoly_i - nash_i).

    Returns
    -------
    (replicas,) float64, or (replicas, N) if per_agent
        The profit gain.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if monopoly profits are not above Nash profits.

    Notes
    -----
    Delta = (mean profit - mean Nash profit) / (mean monopoly profit - mean Nash profit), with means
    over the agents. If firms differ, the mean of the gains of the firms is a different number, and
    the gain of a firm with equal monopoly and Nash profits is undefined; so the means come first.

    Source: Calvano et al. (2020), section IV.

    Examples
    --------
    >>> profit_gain([[0.3, 0.3], [0.25, 0.29]], nash=0.2, monopoly=0.4)
    array([0.5 , 0.35])
    """
    if isinstance(profits, Result):
        frozen, threads = freeze(profits, None), threads_of(None)
        long_run = distributions_of if frozen.chance else cycles_of
        profits = long_run(frozen, None, threads)
    if isinstance(profits, LimitCycle | LimitDistribution):
        profits = profits.rewards
    earned = checks.finite_array("profits", profits)
    if earned.ndim != 2 or 0 in earned.shape:
        raise ValueError(f"profits must have shape (replicas, N), got {earned.shape}")
    low = _benchmark("nash", nash, earned.shape)
    high = _benchmark("monopoly", monopoly, earned.shape)
    if not per_agent:
        earned, low, high = (x.mean(axis=1) for x in (earned, low, high))
    worse = high <= low
    if worse.any():
        where = tuple(int(k) for k in np.argwhere(worse)[0])
        raise ValueError(
            f"monopoly must be greater than nash, got {high[where]} and {low[where]} at {where}"
        )
    gain: np.ndarray = (earned - low) / (high - low)
    return gain


def _benchmark(name: str, value: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return benchmark profits, checked and broadcast to (replicas, N)."""
    array = checks.finite_array(name, value)
    if array.shape not in ((), shape[1:], shape):
        raise ValueError(f"{name} must have shape (), ({shape[1]},) or {shape}, got {array.shape}")
    return np.broadcast_to(array, shape)
