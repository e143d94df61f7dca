"""Rows of the reproduction of gradients on what parameter sharing costs."""

from typing import Any

import numpy as np

from fastgames.games import MatrixGame
from fastgames.learners import IPPO, MAPPO
from fastgames.papers.arguments import Arguments
from fastgames.papers.estimate import mean
from fastgames.papers.report import Row
from fastgames.result import Result

UPDATES = 400  # of the runs that are compared with their limits
#: Tolerance of what learning earns in the end, as in tables of the limits of value decomposition.
LIMIT = 0.05
HALVES = (2, 4)  # numbers of agents of which one half has to play 0 and the other half 1
ROLLOUT = 32  # moves of such agents between two updates
#: Learners of these agents by name. Their logits start at 0 and 1, because uniform play is the best
#: that agents with the same policy can do.
SHARING: dict[str, type[IPPO] | type[MAPPO]] = {"IPPO": IPPO, "MAPPO": MAPPO}


def halves(agents: int) -> MatrixGame:
    """Return the game that pays all agents 1 if the halves play 0 and 1, or 1 and 0, and else 0."""
    actions = np.indices((2,) * agents)
    first, second = actions[: agents // 2], actions[agents // 2 :]
    apart = (first == 1 - second[0]).all(axis=0) & (second == second[0]).all(axis=0)
    return MatrixGame([apart.astype(np.float64)] * agents, name="halves")


def earned(result: Result) -> Any:
    """Return the expected reward of the policies of every run of `halves`, (replicas,)."""
    ones = np.stack([result.policy(i)[:, 0, 1] for i in range(result.game.num_agents)])
    first, second = np.split(ones, 2)
    apart: Any = (1.0 - first).prod(axis=0) * second.prod(axis=0)
    return apart + first.prod(axis=0) * (1.0 - second).prod(axis=0)


def rows_of_sharing(asked: Arguments, results: dict[str, Result]) -> list[Row]:
    """Return the rows on what agents earn with a policy that all share, and with their own.

    results: by name, to which those of the rows are added
    """
    rows = []
    for agents in HALVES:
        best = 2.0 / 2.0**agents
        for name, kind in SHARING.items():
            for shared in (True, False):
                learner = kind(ROLLOUT, shared=shared, initial=[0.0, 1.0])
                result = asked.run(halves(agents), learner, ROLLOUT * asked.steps, asked.replicas)
                policy = "a shared policy" if shared else "own policies"
                results[f"{agents} agents, {name}, {policy}"] = result
                rows.append(_row_of_sharing(agents, name, earned(result), best, shared, asked))
    return rows


def _row_of_sharing(
    agents: int, name: str, rewards: Any, best: float, shared: bool, asked: Arguments
) -> Row:
    """Return the row on these rewards of runs, (replicas,).

    No run may earn more than `best` with a shared policy. Means are compared with their limits
    after UPDATES only, up to a share LIMIT of them.
    """
    found, limit = mean(rewards), best if shared else 1.0
    what = f"{agents} agents, {name}, {'a shared policy' if shared else 'own policies'}: reward"
    possible = not shared or float(np.max(rewards)) <= best + 1e-6
    if asked.steps != UPDATES:
        at_most, ok = (f"at most {best}", possible) if shared else ("", None)
        return Row(what, at_most, found.text(3), ok)
    ok = possible and abs(found.value - limit) <= LIMIT * limit
    return Row(what, f"{limit:.3f} ± {LIMIT:.0%}", found.text(3), ok)
