"""Minimax-Q for zero-sum games of two agents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgames.games import Game
from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.stepsize import VisitCount
from fastgames.rules import minimax, mixed
from fastgames.schedules import numeric

_EACH = ("observations", "actions", "others_actions")
_TABLES = (
    Table("policy", initial="uniform"),
    Table("q", _EACH),
    Table("value", ("observations",)),
)


def _rules(step: str, learn: Callable[..., Any], *more: Table) -> Rules:
    """Return the rules; step: the name of the step size's parameter; more: further tables."""
    return Rules(
        parameters=(step, "gamma", "epsilon"),
        tables=(*_TABLES, *more),
        draw=mixed.draw,
        choose=mixed.choose,
        learn=learn,
        policy=mixed.policy,
        words=2,
        joint=True,
    )


_BY_ALPHA = _rules("alpha", minimax.learn)
_BY_VISITS = _rules("power", minimax.learn_by_visits, Table("visits", _EACH, kind="int64"))


@dataclass(frozen=True, eq=False)
class MinimaxQ(RuleLearner):
    """Minimax-Q: learns the values of actions against a worst-case opponent.

    q[o, a, b] += alpha ((r + gamma value[o']) - q[o, a, b]), with the opponent's action b. Then
    policy[o] is a maximin strategy of the matrix game q[o], and value[o] its guaranteed payoff.

    It is for two agents that always move and whose rewards sum to 0; observations must identify the
    state. `fastgames.run` rejects other games of tables. It cannot check a `ProceduralGame`: the
    user must ensure that its rewards sum to 0 and that observations identify its states.

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0); visits are counted per (o, a, b).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The probability of a uniformly random action instead of one sampled from policy[o], in
        [0, 1]. The probability used is floor(epsilon 2^31) / 2^31.
    initial : float
        Initial value of "q" and "value". (Littman uses 1, the largest reward of a goal.)

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError for other games.

    Notes
    -----
    Tables: "policy", (replicas, observations, actions), initially uniform; "q", (replicas,
    observations, actions, actions of the opponent); "value", (replicas, observations); with
    VisitCount "visits", of the shape of q. Two random words per step.

    Source: Littman, Markov games as a framework for multi-agent reinforcement learning, ICML 1994,
    figure 1. Convergence: Littman & Szepesvári, A generalized reinforcement-learning model:
    convergence and applications, ICML 1996.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> result = fg.run(game, fg.MinimaxQ(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 2, 2)
    """

    alpha: Any = field(default_factory=lambda: VisitCount(0.6))
    gamma: Any = None
    epsilon: Any = 0.2
    initial: float = 0.0

    name = "minimax_q"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.alpha, VisitCount):
            object.__setattr__(self, "alpha", numeric("alpha", self.alpha, "(0, 1]", "[0, 1]"))
        if not isinstance(self.initial, float):
            raise ValueError(f"initial must be a number, got an array {self.initial.shape}")

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return {"gamma": "[0, 1]", "epsilon": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _BY_VISITS if isinstance(self.alpha, VisitCount) else _BY_ALPHA

    @property
    def power(self) -> Any:
        """Power of the step size; defined if alpha is a `VisitCount`."""
        return self.alpha.power

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        actions = game.num_actions[agent]
        tables = {table.name: table.start(actions) for table in self.rules.tables}
        return tables | {"q": np.asarray(self.initial), "value": np.asarray(self.initial)}

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError unless two agents always move, see the state, and rewards sum to 0."""
        if game.num_agents != 2:
            raise ValueError(
                f"game must have 2 agents for MinimaxQ, got {game.name!r} with {game.num_agents}"
            )
        if game.compact.turns is not None:
            raise ValueError(f"game must have no turns for MinimaxQ, got {game.name!r} with turns")
        seen = game.compact.observations
        if seen is not None and not _tells_states(seen[agent], game.compact.terminal):
            raise ValueError(
                f"observations of agent {agent} must identify the state for MinimaxQ, got "
                f"{len(np.unique(seen[agent]))} observations of {len(seen[agent])} states in "
                f"{game.name!r}; use another learner, such as QLearner"
            )
        rewards = game.compact.rewards  # (2, variants, states or 1, joint actions)
        sums = np.abs(rewards[0] + rewards[1])
        allowed = 1e-9 * np.abs(rewards).max(initial=0.0)
        if sums.max(initial=0.0) > allowed:
            raise ValueError(
                "rewards of game must sum to 0 in every state and joint action for MinimaxQ, got "
                f"sums of up to {sums.max():g} in {game.name!r}"
            )


def _tells_states(observations: np.ndarray, terminal: np.ndarray | None) -> bool:
    """Return whether observations (S,) identify all non-terminal states; terminal: (S,) bool."""
    seen = observations if terminal is None else observations[~terminal]
    return len(np.unique(seen)) == len(seen)
