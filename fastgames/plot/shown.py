"""Select the replicas of a result that began, and the snapshots that they came to."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games.pricing import PricingGame, market_of

if TYPE_CHECKING:
    from fastgames.engine.snapshots import Snapshots
    from fastgames.result import Result

Bools = np.ndarray[Any, np.dtype[np.bool_]]


def begun(result: "Result") -> Bools:
    """Return which replicas have taken a step, (replicas,); an interrupted run leaves some out.

    Raises ValueError if none has.
    """
    found: Bools = result.steps > 0
    if not found.any():
        raise ValueError(
            f"a picture needs replicas that have taken a step, got {result.replicas:,} replicas "
            "at step 0"
        )
    return found


def snapshots_of(result: "Result") -> "tuple[Snapshots, Bools] | None":
    """Return the snapshots that were taken, and which replicas they are of; None without any.

    Replicas without a snapshot are left out, and snapshots that no replica came to. A replica that
    `stop` ended stays as it was. What an interrupted replica did not come to is nan, and -1 for
    greedy actions.
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
    """Return what agents of a game choose, as axes say it: "price" of firms, else "action"."""
    return "price" if isinstance(market_of(game), PricingGame) else "action"


def mean(values: Any, axis: int | tuple[int, ...]) -> Any:
    """Return the mean of what is no nan; nan where there is nothing else."""
    missing = np.isnan(values)
    if not missing.any():
        return values.mean(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.where(missing, 0.0, values).sum(axis=axis) / (~missing).sum(axis=axis)
