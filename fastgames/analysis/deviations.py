"""Play after a deviation from frozen greedy policies, such as punishment in pricing games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.analysis.cycles import LimitCycle, cycles_of
from fastgames.analysis.distributions import beginning
from fastgames.analysis.frozen import (
    BLOCK,
    Frozen,
    discount_of,
    freeze,
    in_blocks,
    threads_of,
    whole_numbers,
)
from fastgames.analysis.paths import Deviation, Paths
from fastgames.analysis.tables import Columns, Tabulated
from fastgames.games import Game, Variants
from fastgames.games.pricing import market_of
from fastgames.result import Result

STATIC = "static best response"


@dataclass(frozen=True, eq=False, repr=False)
class DeviationResponse(Tabulated):
    """Paths around a deviation for every replica, each a mean over the states of its limit cycle.

    In a game with chance they are means over the limit distribution instead, and "cycle" stands for
    it. A replica is nan if the agent never moves in its cycle, and is then left out of the means.

    Attributes
    ----------
    periods : (P,) int64
        -before to after; the deviation is in period 0.
    prices : (replicas, P, N) float64
        Prices of the agents' actions in every period; an agent that does not move keeps the price
        of its last action. Before the deviation: the mean over the cycle.
    rewards : (replicas, P, N) float64
        Rewards of the agents in every period. Before the deviation: the mean over the cycle.
    gain : (replicas,) float64
        Relative change (Q - V) / |V| of the deviator's discounted rewards from the deviation on,
        with Q their value with and V without the deviation. Below 0 the deviation is unprofitable.
        It has no bound if V is 0 in a state of the cycle: then inf or -inf, or nan if both occur;
        `change` is always finite.
    change : (replicas,) float64
        The change Q - V itself, in the units of the game's rewards.
    deviated : (replicas,) float64
        Share of the states of the cycle in which the forced action differs from the greedy action
        of the agent, among those in which it moves; in [0, 1].
    baseline_prices, baseline_rewards : (replicas, P, N) float64
        Prices and rewards without the deviation, from the same states and with the same shocks.
    """

    periods: np.ndarray
    prices: np.ndarray
    rewards: np.ndarray
    gain: np.ndarray
    change: np.ndarray
    deviated: np.ndarray
    baseline_prices: np.ndarray
    baseline_rewards: np.ndarray

    @property
    def mean_prices(self) -> np.ndarray:
        """Prices averaged over replicas, (P, N) float64."""
        return self._mean(self.prices)

    @property
    def price_quartiles(self) -> np.ndarray:
        """Lower and upper quartiles of prices over replicas, (2, P, N) float64."""
        prices = self.prices[~np.isnan(self.deviated)]
        quartiles: np.ndarray = np.quantile(prices, (0.25, 0.75), axis=0)
        return quartiles

    @property
    def mean_rewards(self) -> np.ndarray:
        """Rewards averaged over replicas, (P, N) float64."""
        return self._mean(self.rewards)

    @property
    def relative_prices(self) -> np.ndarray:
        """Prices relative to the cycle's mean price, minus 1, averaged over replicas, (P, N)."""
        return self._mean(self.prices / self.prices[:, :1] - 1.0)

    def _mean(self, paths: np.ndarray) -> np.ndarray:
        """Return the mean (P, N) of paths (replicas, P, N) over the replicas that are not nan."""
        mean: np.ndarray = paths[~np.isnan(self.deviated)].mean(axis=0)
        return mean

    def _count(self) -> int:
        return len(self.gain)

    def _frames(self) -> dict[str, Columns]:
        means = {name: getattr(self, name) for name in ("gain", "change", "deviated")}
        replica, period, agent = (axis.ravel() for axis in np.indices(self.prices.shape))
        return {
            "replicas": {"replica": np.arange(len(self.gain)), **means},
            "paths": {
                "replica": replica,
                "period": self.periods[period],
                "agent": agent,
                "price": self.prices.ravel(),
                "reward": self.rewards.ravel(),
                "baseline_price": self.baseline_prices.ravel(),
                "baseline_reward": self.baseline_rewards.ravel(),
            },
        }

    def _coordinates(self) -> dict[str, np.ndarray]:
        return {"period": self.periods}

    def _arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        axes = ("replica", "period", "agent")
        arrays = {name: array for name, array in vars(self).items() if name != "periods"}
        return {name: (axes[: array.ndim], array) for name, array in arrays.items()}

    def __repr__(self) -> str:
        return (
            f"<DeviationResponse of {len(self.gain)} replicas: "
            f"periods {self.periods[0]} to {self.periods[-1]}>"
        )


def deviation_response(
    game: Result | Game,
    greedy: Sequence[npt.ArrayLike] | None = None,
    *,
    agent: int,
    action: npt.ArrayLike | str = STATIC,
    before: int = 1,
    after: int = 15,
    prices: Sequence[npt.ArrayLike] | None = None,
    start: npt.ArrayLike | None = None,
    discount: float | None = None,
    shocks: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> DeviationResponse:
    """Force one agent to deviate for one period from long-run play; return the paths around it.

    No agent learns, and all agents play greedily after the deviation. The deviation starts from
    every state of the cycle in which the agent moves; the path of a replica is the mean over these
    starts. The periods before the deviation therefore have the mean of the cycle.

    In a game with chance, the deviation starts from the states of the limit distribution, with
    their shares as weights. Paths are expected values, or those of given shocks.

    Parameters
    ----------
    game, greedy, start, threads
        As for `limit_cycle`; with chance as for `limit_distribution`.
    agent : int
        The agent that deviates, in [0, N).
    action : int, (replicas,) int or "static best response"
        The action of the deviation, in [0, A_i), such as a price cut or the Nash price.
        "static best response" is the action with the largest reward in that period against the
        actions of the others, the lowest index on ties.
    before, after : int
        Number of periods before and after the deviation: before in [1, 2^20], after in [0, 2^20].
    prices : N arrays (A_i,) or (replicas, A_i), optional
        Prices of the actions, finite. By default the choices of the market that is played or
        repeated (`MarketGame`, `remember`), and action indices in any other game. Files do not
        hold a market: pass the prices with a game that `load` returned.
    discount : float, optional
        Discount factor of `gain`, in [0, 1); by default that of the game.
    shocks : (after,) or (replicas, after) float, optional
        Random numbers in [0, 1) of nature, which give the next states after the periods 0 to
        after - 1, as the quantiles of their distribution in ascending order; a run uses the random
        word u of the step as u / 2^31. The paths with and without the deviation have the same
        shocks. They do not affect `gain`, `change` and the periods before. Without chance they have
        no effect. By default, paths are expected values.

    Returns
    -------
    DeviationResponse

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if shocks are given for a game in which episodes
        begin in random states.

    Notes
    -----
    With chance, a period of the paths takes one sum over the states that have a positive
    probability then; the limit distribution takes more, see `limit_distribution`. If agents take
    turns, the expected price that an agent holds solves a linear system in the states.

    Source: Calvano et al. (2020), section IV. One firm cuts its price to the static best response,
    the other punishes it, and both return to their old prices within a few periods. As in the
    authors' published program, a session with a longer cycle enters with the mean over its states,
    and forced prices equal to the firm's greedy price are included (see `deviated`).

    Examples
    --------
    Pavlov defects after unequal actions: one period of punishment, then cooperation.

    >>> import fastgames as fg
    >>> dilemma = fg.remember(fg.MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]))
    >>> pavlov = [[[0, 1, 1, 0]], [[0, 1, 1, 0]]]
    >>> response = deviation_response(dilemma, pavlov, agent=0, after=3)
    >>> response.prices[0].T.astype(int)
    array([[0, 1, 1, 0, 0],
           [0, 0, 1, 0, 0]])

    A competitor (state 1) comes in a period with probability 0.2, and leaves with 0.5; a high price
    pays more if there is none:

    >>> moves = [[[0.8, 0.2]] * 2, [[0.5, 0.5]] * 2]
    >>> market = fg.MarkovGame([[[2.0, 4.0], [1.0, 0.0]]], moves, discount=0.9)
    >>> response = deviation_response(market, [[[1, 0]]], agent=0, action=0, after=2)
    >>> response.rewards[0, :, 0].round(2), response.baseline_rewards[0, :, 0].round(2)
    (array([3.14, 1.71, 3.14, 3.14]), array([3.14, 3.14, 3.14, 3.14]))
    """
    frozen = freeze(game, greedy)
    replicas, agents = frozen.replicas, frozen.game.num_agents
    agent = checks.whole("agent", agent, f"[0, {agents - 1}]")
    forced = _forced(frozen, agent, action)
    before = checks.whole("before", before, "[1, 2^20]")
    after = checks.whole("after", after, "[0, 2^20]")
    grids = _grids(frozen, _prices(frozen.game) if prices is None else prices)
    wanted = Deviation(
        agent, forced, discount_of(frozen, discount), grids, _shocks(frozen, shocks, after), after
    )
    threads = threads_of(threads)
    cycle = None if frozen.chance else cycles_of(frozen, start, threads)
    begin = beginning(frozen, start) if frozen.chance else None
    found = _Found.empty(replicas, after + 1, agents)
    # without chance, most of the time of a small block would be that of calls of NumPy
    size = BLOCK if cycle is None else max(BLOCK, min(512, 2**18 // frozen.compact.num_states))
    in_blocks(replicas, threads, lambda a, b: found.fill(frozen, a, b, wanted, cycle, begin), size)
    if cycle is not None:
        _certain(frozen, wanted, cycle, found, threads)
    return DeviationResponse(
        periods=np.arange(-before, after + 1),
        prices=_preceded(found.prices, found.usual_prices, before),
        rewards=_preceded(found.rewards, found.usual_rewards, before),
        gain=found.gains[:, 0].copy(),
        change=found.gains[:, 1].copy(),
        deviated=found.gains[:, 2].copy(),
        baseline_prices=_preceded(found.baseline_prices, found.usual_prices, before),
        baseline_rewards=_preceded(found.baseline_rewards, found.usual_rewards, before),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """Paths and means of all replicas, which blocks of replicas fill in."""

    prices: np.ndarray
    rewards: np.ndarray
    baseline_prices: np.ndarray
    baseline_rewards: np.ndarray
    usual_prices: np.ndarray
    usual_rewards: np.ndarray
    gains: np.ndarray

    @classmethod
    def empty(cls, replicas: int, periods: int, agents: int) -> _Found:
        """Return arrays to fill in."""
        paths, means = (replicas, periods, agents), (replicas, agents)
        shapes = (paths, paths, paths, paths, means, means, (replicas, 3))
        return cls(*(np.empty(shape) for shape in shapes))

    def fill(
        self,
        frozen: Frozen,
        first: int,
        last: int,
        wanted: Deviation,
        cycle: LimitCycle | None,
        start: np.ndarray | None,
    ) -> None:
        """Write the rows of replicas first to last - 1."""
        paths, rows = Paths(frozen, first, last, wanted, cycle, start), slice(first, last)
        self.usual_prices[rows], self.usual_rewards[rows] = paths.usual()
        nodes = paths.deviators()
        usual, forced = paths.chain.played(nodes), paths.deviate(nodes)
        self.baseline_prices[rows], self.baseline_rewards[rows] = paths.follow(nodes, usual)
        values, _ = frozen.values(first, last, wanted.discount)
        self.gains[rows] = paths.gains(nodes, forced, values[:, wanted.agent])
        if cycle is None:
            self.prices[rows], self.rewards[rows] = paths.follow(nodes, forced)


def _certain(
    frozen: Frozen, wanted: Deviation, cycle: LimitCycle, found: _Found, threads: int
) -> None:
    """Write the paths and means of play without chance, which the compiled core computes."""
    largest = frozen.largest / (1.0 - wanted.discount)
    gain, deviated = np.empty((2, frozen.replicas))
    in_blocks(
        frozen.replicas,
        threads,
        lambda a, b: frozen.play.deviate(
            a,
            b,
            wanted.agent,
            wanted.forced,
            wanted.discount,
            largest,
            cycle.offsets,
            cycle.states,
            wanted.grids,
            found.prices,
            found.rewards,
            found.usual_prices,
            gain,
            deviated,
        ),
    )
    found.usual_rewards[:] = cycle.rewards
    found.gains[:, 0], found.gains[:, 2] = gain, deviated


def _shocks(frozen: Frozen, shocks: Any, after: int) -> np.ndarray | None:
    """Return the checked shocks (replicas, after) float64, or None for expected paths."""
    if shocks is None:
        return None
    array = checks.finite_array("shocks", shocks)
    if array.shape not in ((after,), (frozen.replicas, after)):
        raise ValueError(
            f"shocks must have shape ({after},) or ({frozen.replicas}, {after}), got {array.shape}"
        )
    checks.within("shocks", array, "[0, 1)")
    if frozen.restarts and frozen.compact.start_weights is not None:
        raise ValueError(
            "shocks must be None if episodes begin in a random state, which is a second shock of a "
            f"period, got an array of shape {array.shape}"
        )
    return np.broadcast_to(array, (frozen.replicas, after))


def _preceded(path: np.ndarray, usual: np.ndarray, before: int) -> np.ndarray:
    """Return path (replicas, periods, N) after `before` periods of usual (replicas, N)."""
    return np.concatenate([np.repeat(usual[:, None], before, axis=1), path], axis=1)


def _forced(frozen: Frozen, agent: int, action: Any) -> np.ndarray | None:
    """Return the forced actions (replicas,) int32, or None for the static best response."""
    if isinstance(action, str):
        checks.one_of("action", action, (STATIC,))
        return None
    array = whole_numbers("action", action, frozen.game.num_actions[agent])
    if array.shape not in ((), (frozen.replicas,)):
        raise ValueError(
            f"action must have shape () or ({frozen.replicas},), got {array.shape}; "
            "pass one action, or one for each replica"
        )
    return np.ascontiguousarray(np.broadcast_to(array, frozen.replicas))


def _prices(game: Game) -> list[np.ndarray] | None:
    """Return the prices (A_i,) or (replicas, A_i) of each agent's actions, None if no market."""
    games = game.games if isinstance(game, Variants) else (game,)
    markets = [market_of(each) for each in games]
    grids = [market.choices for market in markets if market is not None]
    if len(grids) < len(games):
        return None
    if not isinstance(game, Variants):
        return list(grids[0])
    return [np.stack(grid)[game.index] for grid in zip(*grids, strict=True)]


def _grids(frozen: Frozen, prices: Any) -> list[np.ndarray]:
    """Return the checked prices of each agent, (1, A_i) or (replicas, A_i) float64."""
    counts = frozen.game.num_actions
    if prices is None:
        return [np.arange(count, dtype=np.float64)[None] for count in counts]
    domain = "a sequence of one array (A_i,) or (replicas, A_i) for each agent"
    if isinstance(prices, str) or not isinstance(prices, Sequence | np.ndarray):
        raise TypeError(f"prices must be {domain}, got {prices!r}")
    if len(prices) != len(counts):
        raise ValueError(f"prices must be {domain}, {len(counts)} of them, got {len(prices)}")
    grids = []
    for i, count in enumerate(counts):
        grid = np.ascontiguousarray(np.atleast_2d(checks.finite_array(f"prices[{i}]", prices[i])))
        if grid.shape not in ((1, count), (frozen.replicas, count)):
            raise ValueError(
                f"prices[{i}] must have shape ({count},) or ({frozen.replicas}, {count}), "
                f"got {np.shape(prices[i])}"
            )
        grids.append(grid)
    return grids
