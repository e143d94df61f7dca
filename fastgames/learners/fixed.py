"""A policy that never changes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games import Game
from fastgames.learners.base import Rules, Table
from fastgames.rules import fixed
from fastgames.schedules import Numeric, _Frozen

_RULES = Rules(
    twin="fixed",
    parameters=(),
    draw=fixed.draw,
    choose=fixed.choose,
    learn=fixed.learn,
    policy=fixed.policy,
    tables=(Table("probabilities"),),
)


@dataclass(frozen=True, eq=False)
class FixedPolicy(_Frozen):
    """Plays the given probabilities for ever. Also how an agent is frozen, and made an opponent:

    ``fg.FixedPolicy(result.policy(1))`` plays what agent 1 of each replica plays now, so every
    replica has an opponent of its own; ``fg.FixedPolicy(result.agent(1, replica=5))`` is the same
    one for all.

    Parameters
    ----------
    probabilities : array (A,), (observations, A) or (replicas, observations, A), or a `Policy`
        Non-negative, each row sums to 1 within 1e-6; used as given, not normalised. One row plays
        the same at every observation, one replica's is for all of them.

    Notes
    -----
    Source: a mixed strategy (Nash 1951), or a stationary policy where there are observations.

    Table: "probabilities", (replicas, observations, A). One random word per step.
    """

    probabilities: Any

    name = "fixed"
    table = "probabilities"
    learns = False

    def __post_init__(self) -> None:
        p = checks.finite_array("probabilities", self.probabilities)
        if not 1 <= p.ndim <= 3 or p.size == 0:
            raise ValueError(
                "probabilities must have shape (A,), (observations, A) or "
                f"(replicas, observations, A), got {p.shape}"
            )
        checks.within("probabilities", p, "[0, inf)")
        sums = p.sum(axis=-1)
        wrong = np.abs(sums - 1.0) > 1e-6
        if wrong.any():
            where = tuple(int(k) for k in np.argwhere(wrong)[0])
            row = f" in row {where}" if where else ""
            raise ValueError(f"probabilities must sum to 1, got {sums[where]}{row}")
        p.setflags(write=False)
        object.__setattr__(self, "probabilities", p)

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _RULES

    def values(self, discount: float) -> dict[str, Numeric]:
        """No numeric parameters."""
        return {}

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """What the table holds, to be broadcast to (replicas, observations, A)."""
        return {"probabilities": np.asarray(self.probabilities)}
