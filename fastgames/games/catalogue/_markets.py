"""Common parts of markets: their parameters, their grids of choices, and equal shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.games._tables import FloatArray, listed, read_only
from fastgames.games.pricing import Benchmark, ascending

_MAX_PAYOFFS: Final = 2**29  # 4 GiB


def each(argument: str, value: object, agents: int, domain: str | None = None) -> FloatArray:
    """Return the value as (agents,) float64, finite; a single number is used for all agents."""
    array = checks.finite_array(argument, value)
    if array.shape not in ((), (agents,)):
        raise ValueError(
            f"{argument} must be a number or have shape ({agents},), got shape {array.shape}"
        )
    if domain is not None:
        checks.within(argument, array, domain)
    return np.broadcast_to(array, (agents,))


def grids(
    argument: str,
    value: object,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    ends_from: Mapping[str, object],
) -> list[FloatArray]:
    """Return one ascending grid (A_i,) for each agent.

    value: a number m, for m numbers in equal steps from low[i] to high[i]; or an array (A,) for all
    agents; or N arrays (A_i,)
    low, high: (N,) ends of the grids
    ends_from: parameters that determine low and high, named in errors
    """
    ends = list(zip(np.asarray(low).tolist(), np.asarray(high).tolist(), strict=True))
    if not isinstance(value, Iterable):
        count = checks.whole(argument, value, "[2, 2^29)")
        _check_size(argument, [count] * len(ends))
        made = [np.linspace(*pair, count) for pair in ends]
        for i, (grid, (least, most)) in enumerate(zip(made, ends, strict=True)):
            if not (np.isfinite(grid).all() and (np.diff(grid) > 0.0).all()):
                raise ValueError(
                    f"{', '.join(ends_from)} must leave room for {count} {argument}, got "
                    f"{as_text(ends_from)}, a grid from {least:.6g} to {most:.6g} for agent {i}; "
                    f"give {argument} as an array, or change these parameters"
                )
        return [read_only(grid) for grid in made]
    given = listed(argument, value, f"a number, an array, or {len(ends)} arrays")
    if given and not isinstance(given[0], Iterable):
        given = [ascending(argument, given)] * len(ends)
    elif len(given) != len(ends):
        raise ValueError(
            f"{argument} must be a number, an array, or {len(ends)} arrays, got {len(given)}"
        )
    else:
        given = [ascending(f"{argument}[{agent}]", grid) for agent, grid in enumerate(given)]
    _check_size(argument, [len(grid) for grid in given])
    return given


def shares(chosen: Sequence[FloatArray], best: FloatArray) -> Iterator[FloatArray]:
    """Return an iterator over each agent's share, if agents with the best choice share equally.

    chosen: N arrays that broadcast to (A_0, ..., A_{N-1}); best: (A_0, ..., A_{N-1}), as each share
    """
    ties = sum((mine == best).astype(np.float64) for mine in chosen)
    return ((mine == best) / ties for mine in chosen)


def check_finite(
    payoffs: Iterable[Any], nash: Benchmark, monopoly: Benchmark, given: Mapping[str, object]
) -> None:
    """Raise ValueError naming the given parameters if a payoff or benchmark is not finite."""
    held = [getattr(benchmark, f.name) for benchmark in (nash, monopoly) for f in fields(benchmark)]
    if not all(np.isfinite(array).all() for array in (*payoffs, *held)):
        raise ValueError(f"{', '.join(given)} must give finite payoffs, got {as_text(given)}")


def as_text(given: Mapping[str, object]) -> str:
    """Return parameters and their values as text for errors."""
    return ", ".join(f"{name} = {value}" for name, value in given.items())


def _check_size(argument: str, counts: list[int]) -> None:
    """Raise ValueError if a game with these numbers of actions has too many payoffs."""
    payoffs = len(counts) * math.prod(counts)
    if payoffs > _MAX_PAYOFFS:
        raise ValueError(
            f"{argument} must make at most 2^29 payoffs, got {payoffs} for {len(counts)} agents "
            f"with {tuple(counts)} actions"
        )
