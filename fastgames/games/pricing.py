"""Markets: matrix games whose actions represent numbers, with two benchmarks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ._tables import FloatArray, action_names, listed, read_only, real_array
from .matrix import MatrixGame


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Reference outcome of a market, to compare other outcomes with.

    Parameters
    ----------
    prices : (N,) float64, read-only
        Price of each firm, or bid of each bidder.
    quantities : (N,) float64, read-only
        Quantity sold by each firm, or probability that each bidder wins.
    profits : (N,) float64, read-only
        Profit of each firm or bidder, in the unit of the payoffs.
    """

    prices: FloatArray
    quantities: FloatArray
    profits: FloatArray

    def __post_init__(self) -> None:
        for field in fields(self):
            copy = np.array(getattr(self, field.name), dtype=np.float64)
            object.__setattr__(self, field.name, read_only(copy))

    def __reduce__(self) -> tuple[type[Benchmark], tuple[FloatArray, ...]]:
        # Unpickled arrays are writable; the constructor makes them read-only again.
        return Benchmark, (self.prices, self.quantities, self.profits)


class MarketGame(MatrixGame):
    """Matrix game whose actions represent numbers, with two benchmarks.

    Games compare and hash like every `MatrixGame`, by payoffs and labels.

    Parameters
    ----------
    payoffs : array_like, (N, A_0, ..., A_{N-1}), or N arrays (A_0, ..., A_{N-1})
        As for `MatrixGame`.
    choices : sequence of N array_like (A_i,)
        The numbers that the actions of every agent represent (prices, quantities or bids), in
        ascending order.
    nash : Benchmark
        Equilibrium of the game played once, with a continuum of choices.
    monopoly : Benchmark
        Outcome that maximises the sum of profits.
    name, source : str
        As for `MatrixGame`.
    actions : sequence of N sequences of A_i distinct str, optional
        Names of every agent's actions; unless given, the choices, rounded to as many decimals as
        are needed to distinguish them.

    Raises
    ------
    TypeError, ValueError
        If payoffs or labels are refused by `MatrixGame`, or choices or benchmarks do not fit them.

    Examples
    --------
    >>> from fastgames.games import MarketGame, cournot
    >>> game = cournot(quantities=[10, 12])
    >>> isinstance(game, MarketGame), game.actions[0], game.choices[0]
    (True, ('10', '12'), array([10., 12.]))
    """

    __slots__ = ("_choices", "_monopoly", "_nash")

    def __init__(
        self,
        payoffs: npt.ArrayLike | Iterable[npt.ArrayLike],
        choices: Sequence[npt.ArrayLike],
        nash: Benchmark,
        monopoly: Benchmark,
        *,
        name: str = "market",
        actions: Sequence[Sequence[str]] | None = None,
        source: str = "",
    ) -> None:
        super().__init__(payoffs, name=name, actions=actions, source=source)
        given = listed("choices", choices, "one array for each agent")
        self._choices: tuple[FloatArray, ...] = tuple(
            ascending(f"choices[{agent}]", grid) for agent, grid in enumerate(given)
        )
        counts = tuple(len(grid) for grid in self._choices)
        if counts != self.num_actions:
            raise ValueError(
                f"choices must have one number for each of the {self.num_actions} actions, "
                f"got {counts}"
            )
        if actions is None:
            self._actions = tuple(map(_names, self._choices))
        for argument, benchmark in (("nash", nash), ("monopoly", monopoly)):
            if not isinstance(benchmark, Benchmark):
                raise TypeError(f"{argument} must be a Benchmark, got {benchmark!r}")
            if any(getattr(benchmark, f.name).shape != (len(counts),) for f in fields(benchmark)):
                raise ValueError(
                    f"{argument} must have {len(counts)} agents, as payoffs have, got {benchmark}"
                )
        self._nash: Benchmark = nash
        self._monopoly: Benchmark = monopoly

    @property
    def choices(self) -> tuple[FloatArray, ...]:
        """Numbers that the actions represent, an array (A_i,) per agent, ascending, read-only."""
        return self._choices

    @property
    def nash(self) -> Benchmark:
        """Equilibrium of the game played once, with a continuum of choices.

        For equilibria on the grid see `pure_equilibria`.
        """
        return self._nash

    @property
    def monopoly(self) -> Benchmark:
        """Outcome that maximises the sum of profits."""
        return self._monopoly

    def __reduce__(self) -> tuple[Callable[..., MatrixGame], tuple[Any, ...]]:
        make = partial(type(self), name=self._name, actions=self._actions, source=self._source)
        return make, (self._payoffs, self._choices, self._nash, self._monopoly)


class PricingGame(MarketGame):
    """`MarketGame` whose actions represent prices."""

    __slots__ = ()

    @property
    def prices(self) -> tuple[FloatArray, ...]:
        """Prices that the actions represent, an array (A_i,) per firm, ascending, read-only."""
        return self._choices


def ascending(argument: str, value: object) -> FloatArray:
    """Return the value as a new read-only array (A,) float64, A >= 1, finite and ascending."""
    grid = np.array(real_array(argument, value))
    if grid.ndim != 1 or not grid.size:
        raise ValueError(f"{argument} must have shape (A,), A >= 1, got shape {grid.shape}")
    if not np.isfinite(grid).all() or (np.diff(grid) <= 0.0).any():
        raise ValueError(f"{argument} must be finite and strictly ascending, got {grid}")
    return read_only(grid)


def market_of(game: Any) -> MarketGame | None:
    """Return the game itself or its stage game if it is a market, else None."""
    stage = getattr(game, "stage", game)
    return stage if isinstance(stage, MarketGame) else None


def numbered(game: Any) -> Any:
    """Return a copy of the game with actions named "0", "1", … if their names are its choices."""
    market = market_of(game)
    if market is None or game.actions != tuple(map(_names, market.choices)):
        return game
    again = copy.copy(game)
    again._actions = action_names(None, game.num_actions)
    return again


def _names(grid: FloatArray) -> tuple[str, ...]:
    """Return the numbers as text with equal decimals, rounded by at most a twentieth of a step."""
    slack = np.diff(grid).min(initial=np.abs(grid).max(initial=1.0)) / 20.0
    for decimals in range(16):
        names = tuple(f"{value:.{decimals}f}" for value in grid.tolist())
        far = any(abs(float(name) - x) > slack for name, x in zip(names, grid, strict=True))
        if not far and len(set(names)) == len(names):
            return names
    return tuple(map(repr, grid.tolist()))
