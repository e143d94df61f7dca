"""What follows a deviation from frozen greedy policies: the punishment picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.analysis.cycles import cycles_of
from fastgames.analysis.frozen import (
    Frozen,
    discount_of,
    freeze,
    in_blocks,
    threads_of,
    whole_numbers,
)
from fastgames.games import Game, Variants
from fastgames.games.pricing import market_of
from fastgames.result import Result

STATIC = "static best response"


@dataclass(frozen=True, eq=False, repr=False)
class DeviationResponse:
    """Paths around a deviation, of every replica, each the mean over the states of its cycle.

    A replica in whose cycle the agent never moves has nan, and is left out of the means.

    Attributes
    ----------
    periods : (P,) int64
        -before to after; the deviation is in period 0.
    prices : (replicas, P, N) float64
        What the agents' actions stand for, in every period; an agent that does not move is shown
        with its last action. Before the deviation: the mean over the cycle.
    rewards : (replicas, P, N) float64
    gain : (replicas,) float64
        Change of the deviator's discounted rewards, from the deviation on, as a part of what they
        would be without it: (Q - V) / |V|. Below 0 the deviation does not pay.
    deviated : (replicas,) float64
        Share of the states of the cycle (those in which the agent moves) in which the forced action
        is not what it would have played anyway.
    """

    periods: np.ndarray
    prices: np.ndarray
    rewards: np.ndarray
    gain: np.ndarray
    deviated: np.ndarray

    @property
    def mean_prices(self) -> np.ndarray:
        """Mean over replicas, (P, N)."""
        return self._mean(self.prices)

    @property
    def price_quartiles(self) -> np.ndarray:
        """Quartiles over replicas, (2, P, N): the middle half of them lies between the two."""
        prices = self.prices[~np.isnan(self.gain)]
        quartiles: np.ndarray = np.quantile(prices, (0.25, 0.75), axis=0)
        return quartiles

    @property
    def mean_rewards(self) -> np.ndarray:
        """Mean over replicas, (P, N)."""
        return self._mean(self.rewards)

    @property
    def relative_prices(self) -> np.ndarray:
        """Mean over replicas of price / mean price of the cycle - 1, (P, N)."""
        return self._mean(self.prices / self.prices[:, :1] - 1.0)

    def _mean(self, paths: np.ndarray) -> np.ndarray:
        mean: np.ndarray = paths[~np.isnan(self.gain)].mean(axis=0)
        return mean

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
    threads: int | None = None,
) -> DeviationResponse:
    """Force one agent off its limit cycle for one period; nobody learns, all go on greedily.

    The deviation is tried from every state of the cycle in which the agent moves, and a replica's
    path is the mean over them. So the periods before it show the mean of the cycle.

    Parameters
    ----------
    game, greedy, start, threads
        As for `limit_cycle`.
    agent : int
        Who deviates, in [0, N).
    action : int, (replicas,) int or "static best response"
        What it plays instead, in [0, A_i): a price cut, the Nash price. "static best response":
        what pays it most in that period against what the others play, the lowest index on ties.
    before, after : int
        Periods to show; before at least 1, after at least 0.
    prices : N arrays (A_i,) or (replicas, A_i), optional
        What the actions stand for, finite. Unless given, the choices of the market that is played
        or repeated (`MarketGame`, `remember`), and their numbers in any other game. Files do not
        hold a market: give the prices with a game that `load` returned.
    discount : float, optional
        In [0, 1), for `gain`; the game's unless given.

    Returns
    -------
    DeviationResponse

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or nature samples, as for `limit_cycle`.

    Notes
    -----
    Calvano et al. (2020), section IV: one firm cuts its price to the static best response; the
    other punishes it; both go back to where they were within a few periods. As in the program that
    the authors published, a session with a longer cycle enters with the mean over its states, and a
    forced price that the firm would have set anyway is not left out (see `deviated`).

    Examples
    --------
    Pavlov defects after unequal actions: one period of punishment, then peace.

    >>> import fastgames as fg
    >>> dilemma = fg.remember(fg.MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]))
    >>> pavlov = [[[0, 1, 1, 0]], [[0, 1, 1, 0]]]
    >>> response = deviation_response(dilemma, pavlov, agent=0, after=3)
    >>> response.prices[0].T.astype(int)
    array([[0, 1, 1, 0, 0],
           [0, 0, 1, 0, 0]])
    """
    frozen = freeze(game, greedy)
    replicas, agents = frozen.replicas, frozen.game.num_agents
    agent = checks.whole("agent", agent, 0, agents - 1)
    forced = _forced(frozen, agent, action)
    before = checks.whole("before", before, 1, 2**20)
    after = checks.whole("after", after, 0, 2**20)
    grids = _grids(frozen, _prices(frozen.game) if prices is None else prices)
    discount = discount_of(frozen, discount)
    threads = threads_of(threads)
    cycle = cycles_of(frozen, start, threads)
    path, paid = np.empty((2, replicas, after + 1, agents))
    usual = np.empty((replicas, agents))
    gain, deviated = np.empty((2, replicas))
    largest = frozen.largest / (1.0 - discount)
    in_blocks(
        replicas,
        threads,
        lambda a, b: frozen.play.deviate(
            a,
            b,
            agent,
            forced,
            discount,
            largest,
            cycle.offsets,
            cycle.states,
            grids,
            path,
            paid,
            usual,
            gain,
            deviated,
        ),
    )
    return DeviationResponse(
        periods=np.arange(-before, after + 1),
        prices=_preceded(path, usual, before),
        rewards=_preceded(paid, cycle.rewards, before),
        gain=gain,
        deviated=deviated,
    )


def _preceded(path: np.ndarray, usual: np.ndarray, before: int) -> np.ndarray:
    return np.concatenate([np.repeat(usual[:, None], before, axis=1), path], axis=1)


def _forced(frozen: Frozen, agent: int, action: Any) -> np.ndarray | None:
    if isinstance(action, str):
        checks.one_of("action", action, (STATIC,))
        return None
    array = whole_numbers("action", action, frozen.game.num_actions[agent])
    if array.shape not in ((), (frozen.replicas,)):
        raise ValueError(
            f"action must be one, or one for each replica, ({frozen.replicas},), "
            f"got shape {array.shape}"
        )
    return np.ascontiguousarray(np.broadcast_to(array, frozen.replicas))


def _prices(game: Game) -> list[np.ndarray] | None:
    """Return what actions stand for, (A_i,) or (replicas, A_i) an agent, if the game tells."""
    games = game.games if isinstance(game, Variants) else (game,)
    markets = [market_of(each) for each in games]
    grids = [market.choices for market in markets if market is not None]
    if len(grids) < len(games):
        return None
    if not isinstance(game, Variants):
        return list(grids[0])
    return [np.stack(grid)[game.index] for grid in zip(*grids, strict=True)]


def _grids(frozen: Frozen, prices: Any) -> list[np.ndarray]:
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
