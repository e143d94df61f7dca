"""Markets: price and quantity competition, with one-shot Nash and monopoly benchmarks.

The benchmarks are computed from the parameters and do not depend on the grid. This module does not
call libm or LAPACK. It uses the exponentials of `rules`, so that a game, like its runs, has the
same bits on every CPU.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial, reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
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

from ._tables import FloatArray, action_names, listed, read_only, real_array, whole
from .matrix import MatrixGame

MAX_AGENTS: Final = 20
_MAX_PAYOFFS: Final = 2**29  # 4 GiB
_COARSE: Final = 1e8  # bounds a0, as Nash prices are computed up to 1e-14 of a - c - a0
_MAX_ROUNDS: Final = 200  # of best responses; 3,000 random games took at most 24


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
            _ascending(f"choices[{agent}]", grid) for agent, grid in enumerate(given)
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


@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def logit_bertrand(
    firms: int = 2,
    prices: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 15,
    *,
    a: float | npt.ArrayLike = 2.0,
    c: float | npt.ArrayLike = 1.0,
    a0: float = 0.0,
    mu: float = 0.25,
    xi: float = 0.1,
) -> PricingGame:
    """Return a game of price competition with logit demand.

    Firm i sells q_i = exp((a_i - p_i) / mu) / (sum_j exp((a_j - p_j) / mu) + exp(a0 / mu)) and
    gets (p_i - c_i) q_i. Consumers have mass 1; prices and profits have the unit of a, c and mu.

    Parameters
    ----------
    firms : int
        Number of firms N, in [2, 20].
    prices : int, array_like (A,), or N array_like (A_i,)
        Allowed prices: one grid for all firms, or one for each. A number m, at least 2, makes a
        grid for each firm: m prices in equal steps from pN - xi (pM - pN) to pM + xi (pM - pN),
        where pN and pM are its prices in `nash` and `monopoly`.
    a, c : float or array_like (N,)
        Quality of each firm's good and its cost of one unit.
    a0 : float
        Quality of the outside good.
    mu : float
        Horizontal differentiation, in (0, inf). As mu approaches 0, all consumers buy the good of
        the largest a_i - p_i.
    xi : float
        Extension of the grids beyond the Nash and monopoly prices, in [0, inf).

    Returns
    -------
    PricingGame
        A game with payoffs (N, A_0, ..., A_{N-1}).

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.
    RuntimeError
        If the iteration for the Nash prices does not converge.

    Notes
    -----
    Equilibrium: p_i - c_i = mu / (1 - q_i) for all firms; it is unique (Anderson, de Palma & Thisse
    1992, Discrete Choice Theory of Product Differentiation, chs. 6 and 7). The best response to
    given rivals is (p_i - c_i) / mu = 1 + w with w + log w = (a_i - c_i) / mu - 1 - log(sum of the
    other terms); best responses are iterated. The joint profit is maximal if all firms have the
    markup mu / (1 - sum_j q_j), which is computed in the same way.

    Source: Calvano, Calzolari, Denicolò & Pastorello (2020), Artificial intelligence, algorithmic
    pricing, and collusion, American Economic Review 110(10), 3267-3297; the defaults are its
    baseline.

    Examples
    --------
    >>> game = logit_bertrand()
    >>> game.nash.prices.round(5), game.monopoly.prices.round(5)
    (array([1.47293, 1.47293]), array([1.92498, 1.92498]))
    >>> game.nash.profits.round(5), game.monopoly.profits.round(5)
    (array([0.22293, 0.22293]), array([0.33749, 0.33749]))
    >>> float(game.prices[0][0].round(5)), float(game.prices[0][-1].round(5))
    (1.42772, 1.97019)
    """
    firms = whole("firms", firms, 2, MAX_AGENTS + 1)
    quality, cost = each("a", a, firms), each("c", c, firms)
    outside, scale = number("a0", a0), number("mu", mu, "(0, inf)")
    value = (quality - cost - outside) / scale
    if not np.isfinite(value).all():
        raise ValueError(f"mu must be large enough for a finite (a - c - a0) / mu, got {mu!r}")
    most = _COARSE * max(scale, float(np.abs([quality, cost]).max()))
    if abs(outside) > most:  # beyond this bound, rounding of a - c - a0 hides the prices
        raise ValueError(f"a0 must be in [{-most:g}, {most:g}] for these a, c and mu, got {a0!r}")
    given = {"a": a, "c": c, "a0": a0, "mu": mu, "xi": xi}

    def sold(charged: Iterable[Any]) -> list[FloatArray]:
        """Return the quantity of every firm at these prices, N arrays that broadcast."""
        return _logit([(b - outside - p) / scale for b, p in zip(quality, charged, strict=True)])

    def benchmark(markups: FloatArray) -> Benchmark:
        """Return the outcome of these markups (p_i - c_i) / mu, (N,)."""
        charged = cost + scale * markups
        quantities = np.array(sold(charged))
        return Benchmark(charged, quantities, (charged - cost) * quantities)

    nash = benchmark(_logit_nash(value.tolist()))
    monopoly = benchmark(_logit_monopoly(value.tolist()))
    beyond = number("xi", xi, "[0, inf)") * (monopoly.prices - nash.prices)
    choices = grids("prices", prices, nash.prices - beyond, monopoly.prices + beyond, given)
    charged = np.meshgrid(*choices, indexing="ij", sparse=True)
    payoffs = [(p - k) * q for p, k, q in zip(charged, cost, sold(charged), strict=True)]
    check_finite(payoffs, nash, monopoly, given)
    return PricingGame(
        payoffs,
        choices,
        nash,
        monopoly,
        name="logit Bertrand",
        source="Calvano et al. (2020), American Economic Review 110(10):3267-3297",
    )


@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def linear_bertrand(
    prices: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 15,
    *,
    gamma: float = 0.5,
    a: float | npt.ArrayLike = 1.0,
    c: float | npt.ArrayLike = 0.0,
    xi: float = 0.1,
) -> PricingGame:
    """Return a game of price competition of two firms with linear demand.

    Consumers have the utility sum_i (a_i - p_i) q_i - (q_0^2 + q_1^2) / 2 - gamma q_0 q_1. If both
    firms sell, firm i sells q_i = (a_i - gamma a_j - p_i + gamma p_j) / (1 - gamma^2); a firm that
    sells alone sells max(a_i - p_i, 0). Firm i gets (p_i - c_i) q_i.

    Parameters
    ----------
    prices : int, array_like (A,), or 2 array_like (A_i,)
        As for `logit_bertrand`. A grid made from a number has no price below 0.
    gamma : float
        Degree of substitution of the goods, in (0, 1).
    a, c : float or array_like (2,)
        Quality of each firm's good and its cost of one unit. Both firms must sell at the maximum of
        their joint profit: a_i - c_i > gamma (a_j - c_j).
    xi : float
        As for `logit_bertrand`.

    Returns
    -------
    PricingGame
        A game with payoffs (2, A_0, A_1).

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    Equilibrium: 2 p_i - gamma p_j = a_i - gamma a_j + c_i for both firms; for identical firms,
    p = (a (1 - gamma) + c) / (2 - gamma). Monopoly: p_i = (a_i + c_i) / 2.

    Source: Singh & Vives (1984), Price and quantity competition in a differentiated duopoly, RAND
    Journal of Economics 15, 546-554; with a = 1 and c = 0 this is the linear demand of the online
    appendix of Calvano et al. (2020), American Economic Review 110(10), 3267-3297.

    Examples
    --------
    >>> game = linear_bertrand(gamma=0.5)
    >>> game.nash.prices.round(6), game.monopoly.prices
    (array([0.333333, 0.333333]), array([0.5, 0.5]))
    """
    g = number("gamma", gamma, "(0, 1)")
    quality, cost = each("a", a, 2), each("c", c, 2)
    gain = quality - cost
    if not (gain > g * gain[::-1]).all():
        raise ValueError(
            "a and c must satisfy a_i - c_i > gamma (a_j - c_j) for both firms, "
            f"got a - c = {gain.tolist()} and gamma = {g}"
        )

    def benchmark(charged: FloatArray) -> Benchmark:
        """Return the outcome of these prices, (2,)."""
        quantities = np.array(_linear(quality, g, charged))
        return Benchmark(charged, quantities, (charged - cost) * quantities)

    own = quality - g * quality[::-1] + cost
    nash = benchmark((2.0 * own + g * own[::-1]) / (4.0 - g * g))
    monopoly = benchmark((quality + cost) / 2.0)
    beyond = number("xi", xi, "[0, inf)") * (monopoly.prices - nash.prices)
    low = np.maximum(nash.prices - beyond, 0.0)
    given = {"gamma": gamma, "a": a, "c": c, "xi": xi}
    choices = grids("prices", prices, low, monopoly.prices + beyond, given)
    charged = np.meshgrid(*choices, indexing="ij", sparse=True)
    sold = _linear(quality, g, charged)
    payoffs = [(p - k) * q for p, k, q in zip(charged, cost, sold, strict=True)]
    check_finite(payoffs, nash, monopoly, given)
    return PricingGame(
        payoffs,
        choices,
        nash,
        monopoly,
        name="linear Bertrand",
        source="Singh & Vives (1984), RAND Journal of Economics 15:546-554",
    )


@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def homogeneous_bertrand(
    firms: int = 2,
    prices: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 100,
    *,
    cost: float = 2.0,
    reservation: float = 10.0,
    lowest: float = 0.01,
) -> PricingGame:
    """Return a game of price competition for one good, in which the lowest price takes the market.

    Consumers buy one unit if the lowest price is at most their reservation price. The firms with
    the lowest price share the market equally and get price - cost for each unit; other firms get 0.

    Parameters
    ----------
    firms : int
        Number of firms N, in [2, 20].
    prices : int, array_like (A,), or N array_like (A_i,)
        Allowed prices: one grid for all firms, or one for each. A number m, at least 2, makes m
        prices in equal steps from lowest to reservation.
    cost : float
        Every firm's cost of one unit, below reservation.
    reservation : float
        The highest price at which consumers buy.
    lowest : float
        The lowest price of a grid made from a number, below reservation.

    Returns
    -------
    PricingGame
        A game with payoffs (N, A_0, ..., A_{N-1}).

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    Equilibrium: all charge the cost and get 0. On a grid with step h, a common price cost + x is
    also an equilibrium if undercutting does not pay: x - h <= x / N. Monopoly: all charge the
    reservation price.

    Source: Asker, Fershtman & Pakes (2022), Artificial intelligence, algorithm design, and pricing,
    AEA Papers and Proceedings 112, 452-456; the defaults are its parameters.

    Examples
    --------
    >>> game = homogeneous_bertrand()
    >>> [float(game.prices[0][i].round(2)) for i, j in game.pure_equilibria()]
    [2.03, 2.13]
    """
    firms = whole("firms", firms, 2, MAX_AGENTS + 1)
    most, unit = number("reservation", reservation), number("cost", cost)
    least = number("lowest", lowest)
    for argument, value in (("cost", unit), ("lowest", least)):
        if not value < most:
            raise ValueError(f"{argument} must be below reservation, {most}, got {value}")
    given = {"cost": cost, "reservation": reservation, "lowest": lowest}
    choices = grids("prices", prices, [least] * firms, [most] * firms, given)
    charged = np.meshgrid(*choices, indexing="ij", sparse=True)
    low = reduce(np.minimum, charged)
    margin = np.where(low <= most, low - unit, 0.0)
    payoffs = [margin * share for share in shares(charged, low)]

    def all_charge(price: float) -> Benchmark:
        """Return the outcome in which all firms charge the same price."""
        parts = np.full(firms, 1.0 / firms)
        return Benchmark(np.full(firms, price), parts, (price - unit) * parts)

    check_finite(payoffs, all_charge(unit), all_charge(most), given)
    return PricingGame(
        payoffs,
        choices,
        all_charge(unit),
        all_charge(most),
        name="homogeneous Bertrand",
        source="Asker, Fershtman & Pakes (2022), AEA Papers and Proceedings 112:452-456",
    )


@np.errstate(over="ignore", invalid="ignore")  # `check_finite` reports the overflow
def cournot(
    firms: int = 2,
    quantities: int | npt.ArrayLike | Sequence[npt.ArrayLike] = 41,
    *,
    intercept: float = 40.0,
    slope: float = 1.0,
    cost: float | npt.ArrayLike = 4.0,
) -> MarketGame:
    """Return a game of quantity competition for one good.

    All firms sell at the price P = max(intercept - slope (q_0 + ... + q_{N-1}), 0), and firm i gets
    (P - cost_i) q_i, which may be negative.

    Parameters
    ----------
    firms : int
        Number of firms N, in [2, 20].
    quantities : int, array_like (A,), or N array_like (A_i,)
        Allowed quantities, at least 0: one grid for all firms, or one for each. A number m, at
        least 2, makes m quantities in equal steps from 0 to intercept / slope, the quantity at
        which the price is 0.
    intercept, slope : float
        Intercept and slope of the demand, in (0, inf).
    cost : float or array_like (N,)
        Each firm's cost of one unit, in [0, intercept).

    Returns
    -------
    MarketGame
        A game with payoffs (N, A_0, ..., A_{N-1}) whose `choices` are quantities.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain, or the game would have over 2^29 payoffs.

    Notes
    -----
    Equilibrium: the n firms whose cost is below the price sell; the price is
    P = (intercept + the sum of their costs) / (n + 1), and each sells (P - cost_i) / slope.
    Monopoly: P = (intercept + the lowest cost) / 2, and the firms with that cost share the market
    equally.

    Source: Cournot (1838), Recherches sur les principes mathématiques de la théorie des richesses,
    ch. VII; Waltman & Kaymak (2008), Q-learning agents in a Cournot oligopoly model, Journal of
    Economic Dynamics and Control 32, 3275-3293, whose parameters are the defaults.

    Examples
    --------
    >>> game = cournot()
    >>> float(game.nash.quantities.sum().round(9)), float(game.nash.profits.sum().round(9))
    (24.0, 288.0)
    """
    firms = whole("firms", firms, 2, MAX_AGENTS + 1)
    top, steep = number("intercept", intercept, "(0, inf)"), number("slope", slope, "(0, inf)")
    try:
        unit = each("cost", cost, firms, f"[0, {top!r})")
    except ValueError as error:
        raise ValueError(f"{error} with intercept = {top!r}") from None
    given = {"intercept": intercept, "slope": slope, "cost": cost}
    choices = grids("quantities", quantities, [0.0] * firms, [top / steep] * firms, given)
    for agent, grid in enumerate(choices):
        if grid[0] < 0.0:
            raise ValueError(f"quantities must be at least 0, got {grid[0]} for agent {agent}")
    offered = np.meshgrid(*choices, indexing="ij", sparse=True)
    price = np.maximum(top - steep * sum(offered), 0.0)
    payoffs = [(price - k) * q for k, q in zip(unit, offered, strict=True)]

    def benchmark(price: float, sold: FloatArray) -> Benchmark:
        """Return the outcome of a price and the quantities sold, (N,)."""
        return Benchmark(np.full(firms, price), sold, (price - unit) * sold)

    at = top
    for rivals, k in enumerate(sorted(unit.tolist()), start=1):
        if k < at:  # this firm sells too
            at = (rivals * at + k) / (rivals + 1)
    nash = benchmark(at, np.maximum(at - unit, 0.0) / steep)
    cheapest = unit == unit.min()
    at = (top + unit.min()) / 2.0
    monopoly = benchmark(at, cheapest * ((top - at) / steep / cheapest.sum()))
    check_finite(payoffs, nash, monopoly, given)
    return MarketGame(
        payoffs,
        choices,
        nash,
        monopoly,
        name="Cournot",
        source="Waltman & Kaymak (2008), J. Economic Dynamics and Control 32:3275-3293",
    )


def number(argument: str, value: object, domain: str | None = None) -> float:
    """Return the value as a finite float in `domain`, an interval such as "(0, inf)", if given."""
    array = checks.finite_array(argument, value)
    if array.shape != ():
        raise ValueError(f"{argument} must be a number, got shape {array.shape}")
    if domain is not None:
        checks.within(argument, array, domain)
    return float(array)


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
        count = whole(argument, value, 2, _MAX_PAYOFFS)
        _check_size(argument, [count] * len(ends))
        made = [np.linspace(*pair, count) for pair in ends]
        for i, (grid, (least, most)) in enumerate(zip(made, ends, strict=True)):
            if not (np.isfinite(grid).all() and (np.diff(grid) > 0.0).all()):
                raise ValueError(
                    f"{', '.join(ends_from)} must leave room for {count} {argument}, got "
                    f"{_listed(ends_from)}, a grid from {least:.6g} to {most:.6g} for agent {i}; "
                    f"give {argument} as an array, or change these parameters"
                )
        return [read_only(grid) for grid in made]
    given = listed(argument, value, f"a number, an array, or {len(ends)} arrays")
    if given and not isinstance(given[0], Iterable):
        given = [_ascending(argument, given)] * len(ends)
    elif len(given) != len(ends):
        raise ValueError(
            f"{argument} must be a number, an array, or {len(ends)} arrays, got {len(given)}"
        )
    else:
        given = [_ascending(f"{argument}[{agent}]", grid) for agent, grid in enumerate(given)]
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
        raise ValueError(f"{', '.join(given)} must give finite payoffs, got {_listed(given)}")


def _listed(given: Mapping[str, object]) -> str:
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


def _ascending(argument: str, value: object) -> FloatArray:
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


def _linear(
    quality: FloatArray, gamma: float, charged: Sequence[FloatArray] | FloatArray
) -> list[FloatArray]:
    """Return the quantities that the two firms of `linear_bertrand` sell at these prices.

    charged: 2 arrays that broadcast to the shape of the arrays returned
    """
    sold = []
    for i, j in ((0, 1), (1, 0)):
        both = quality[i] - gamma * quality[j] - charged[i] + gamma * charged[j]
        # A firm alone sells less than `both`, in which the rival's quantity is negative.
        alone = quality[i] - charged[i]
        sold.append(np.maximum(np.minimum(both / (1.0 - gamma * gamma), alone), 0.0))
    return sold


def _logit(utilities: Sequence[Any]) -> list[FloatArray]:
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


def _logit_nash(values: list[float]) -> FloatArray:
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


def _logit_monopoly(values: list[float]) -> FloatArray:
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
