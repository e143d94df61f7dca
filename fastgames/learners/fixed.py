"""Fixed policies."""

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
    """A fixed policy: samples actions from given probabilities and never learns.

    It can freeze a trained agent and use it as an opponent. ``fg.FixedPolicy(result.policy(1))``
    plays the current policy of agent 1 in each replica, so every replica has its own opponent;
    ``fg.FixedPolicy(result.agent(1, replica=5))`` plays that of replica 5 in all replicas.

    Parameters
    ----------
    probabilities : array (A,), (observations, A) or (replicas, observations, A), or a `Policy`
        Non-negative, each row sums to 1 within 1e-6; used as given, not normalised. A single row is
        used at every observation, and the rows of a single replica in every replica.

    Raises
    ------
    ValueError
        If the shape is another, an entry is negative, or a row does not sum to 1.
    TypeError
        If the entries are not real numbers.

    Notes
    -----
    Source: a mixed strategy (Nash 1951), or a stationary policy where there are observations.

    Table: "probabilities", (replicas, observations, A). One random word per step.

    Examples
    --------
    >>> import fastgames as fg
    >>> policy = fg.FixedPolicy([0.25, 0.75])
    >>> result = fg.run(fg.games.chicken(), policy, 9, 2, rng=1, backend="reference")
    >>> result.policy(0)[0]
    array([[0.25, 0.75]])
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
        """Rules of this learner."""
        return _RULES

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return {}: a fixed policy has no numeric parameters."""
        return {}

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return the table by name, broadcastable to (replicas, observations, A)."""
        return {"probabilities": np.asarray(self.probabilities)}
