"""Selection of the replicas of a result that took a step, and of their snapshots."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games.pricing import PricingGame, market_of

if TYPE_CHECKING:
    from fastgames.engine.snapshots import Snapshots
    from fastgames.result import Result

Bools = np.ndarray[Any, np.dtype[np.bool_]]


def begun(result: "Result") -> Bools:
    """Return a mask (replicas,) of the replicas that have taken a step; raise ValueError if none.

    In an interrupted run some replicas may not have taken a step.
    """
    found: Bools = result.steps > 0
    if not found.any():
        raise ValueError(
            "result must have a replica that has taken a step, got "
            f"{result.replicas:,} replicas at step 0"
        )
    return found


def snapshots_of(result: "Result") -> "tuple[Snapshots, Bools] | None":
    """Return the snapshots and a mask (replicas,) of their replicas, or None without snapshots.

    Replicas without a snapshot, and snapshots that no replica reached, are left out. A replica that
    `stop` ended keeps its final values. Values that an interrupted replica did not reach are nan,
    greedy actions -1.
    """
    taken = result.snapshots
    if taken is None:
        return None
    came = taken.steps[:, None] <= result.steps
    kept, shown = came.any(axis=1), begun(result)
    if not kept.any():
        return None
    if came.all():
        return taken, shown
    shown &= (came | result.stopped)[kept].any(axis=0)
    ended = (~came & result.stopped)[np.ix_(kept, shown)]
    agents = range(result.game.num_agents)

    def chosen(array: Any, final: Any) -> Any:
        """Select snapshots and replicas of an array; fill in final values after a stop."""
        part = array[np.ix_(kept, shown)]
        when, who = np.nonzero(ended)
        part[when, who] = final[shown][who]
        return part

    greedy, policies = taken.greedy, taken.policies
    return replace(
        taken,
        steps=taken.steps[kept],
        tables=[
            {name: chosen(table, result.tables[i][name]) for name, table in taken.tables[i].items()}
            for i in agents
        ],
        greedy=greedy and [chosen(greedy[i], result.greedy(i)) for i in agents],
        policies=policies and [chosen(policies[i], result.policy(i)) for i in agents],
    ), shown


def choice(game: Any) -> str:
    """Return the name of a choice on axes: "price" in pricing games, else "action"."""
    return "price" if isinstance(market_of(game), PricingGame) else "action"


def mean(values: Any, axis: int | tuple[int, ...]) -> Any:
    """Return the mean over the entries that are not nan; nan if all are."""
    missing = np.isnan(values)
    if not missing.any():
        return values.mean(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.where(missing, 0.0, values).sum(axis=axis) / (~missing).sum(axis=axis)
