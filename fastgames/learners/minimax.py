"""Minimax-Q."""

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
    """Minimax-Q: it learns what its actions are worth against the worst of opponents.

    q[o, a, b] += alpha ((r + gamma value[o']) - q[o, a, b]), where b is what the opponent did; then
    policy[o] is a maximin strategy of the matrix game q[o], and value[o] what it guarantees.

    For two agents whose rewards sum to 0 and who always move; the agent must see the state. Other
    games of tables are refused. A `ProceduralGame` cannot be looked through: that its rewards sum
    to 0, and that observations tell its states apart, is for you to know.

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0); visits are those of (o, a, b).
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    epsilon : float, schedule or array (replicas,)
        In [0, 1]: with this probability it plays an action uniformly at random, else it samples
        policy[o]. The probability used is floor(epsilon 2^31) / 2^31.
    initial : float
        What "q" and "value" start at. (Littman's start at 1, the largest that a goal pays.)

    Notes
    -----
    Tables: "policy", (replicas, observations, actions), from uniform; "q", (replicas, observations,
    actions, actions of the opponent); "value", (replicas, observations); with VisitCount "visits",
    of the shape of q. Two random words per step.

    Source: Littman, Markov games as a framework for multi-agent reinforcement learning, ICML 1994,
    figure 1. That it converges: Littman & Szepesvári, A generalized reinforcement-learning model:
    convergence and applications, ICML 1996.
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
        """The domain of every numeric field."""
        return {"gamma": "[0, 1]", "epsilon": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """What it does in a step."""
        return _BY_VISITS if isinstance(self.alpha, VisitCount) else _BY_ALPHA

    @property
    def power(self) -> Any:
        """The power of the step size, where that falls with the visits."""
        return self.alpha.power

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """What its tables start at, each to be broadcast to (replicas, *its dimensions)."""
        actions = game.num_actions[agent]
        tables = {table.name: table.start(actions) for table in self.rules.tables}
        return tables | {"q": np.asarray(self.initial), "value": np.asarray(self.initial)}

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError unless two agents always move, see the state, and rewards sum to 0."""
        if game.num_agents != 2:
            raise ValueError(
                f"MinimaxQ needs a game of 2 agents; {game.name!r} has {game.num_agents}"
            )
        if game.compact.turns is not None:
            raise ValueError(
                f"MinimaxQ needs a game in which both always move; {game.name!r} has turns"
            )
        seen = game.compact.observations
        if seen is not None and not _tells_states(seen[agent], game.compact.terminal):
            raise ValueError(
                "observations of game must tell MinimaxQ all states apart, for it learns what a "
                f"state is worth; in {game.name!r} agent {agent} has "
                f"{len(np.unique(seen[agent]))} observations of {len(seen[agent])} states; "
                "learners such as QLearner may sit there"
            )
        rewards = game.compact.rewards  # (2, variants, states or 1, joint actions)
        sums = np.abs(rewards[0] + rewards[1])
        allowed = 1e-9 * np.abs(rewards).max(initial=0.0)
        if sums.max(initial=0.0) > allowed:
            raise ValueError(
                "MinimaxQ needs rewards that sum to 0 in every state and joint action; those of "
                f"{game.name!r} sum to up to {sums.max():g}"
            )


def _tells_states(observations: np.ndarray, terminal: np.ndarray | None) -> bool:
    """Return whether observations (S,) tell all states apart in which an episode goes on."""
    seen = observations if terminal is None else observations[~terminal]
    return len(np.unique(seen)) == len(seen)
