"""The base class of learners that estimate action values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from fastgames.games import Game
from fastgames.learners.base import Rules, Table, initial_of
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.initial import UniformRivals
from fastgames.learners.stepsize import VisitCount
from fastgames.rules import qlearning
from fastgames.schedules import Numeric, _Frozen, numeric

Q = Table("q")
VISITS = Table("visits", kind="int64")


@dataclass(frozen=True, eq=False)
class ValueLearner(_Frozen):
    """A learner with a table "q", and a table "visits" if its step size is a `VisitCount`.

    Subclasses document the parameters and define `rules`.
    """

    alpha: Any = 0.1
    gamma: Any = None
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0

    table = "q"
    learns = True

    def __post_init__(self) -> None:
        if not isinstance(self.alpha, VisitCount):
            object.__setattr__(self, "alpha", numeric("alpha", self.alpha, "(0, 1]", "[0, 1]"))
        if self.gamma is not None:
            object.__setattr__(self, "gamma", numeric("gamma", self.gamma, "[0, 1]"))
        if not isinstance(self.explore, EpsilonGreedy | Softmax):
            raise TypeError(f"explore must be an EpsilonGreedy or a Softmax, got {self.explore!r}")
        if not isinstance(self.initial, UniformRivals):
            object.__setattr__(self, "initial", initial_of(self.initial))

    def _rules(self, learn: Callable[..., Any], **others: Any) -> Rules:
        """Return the rules for this exploration and `learn`; others: more fields of `Rules`."""
        counts = isinstance(self.alpha, VisitCount)
        steps = "power" if counts else "alpha"
        tables = (Q, VISITS) if counts else (Q,)
        if isinstance(self.explore, EpsilonGreedy):
            rules = partial(
                Rules,
                twin="epsilon_greedy",
                parameters=(steps, "gamma", "epsilon"),
                draw=qlearning.draw_explore,
                choose=qlearning.choose_greedy,
                policy=qlearning.policy_epsilon,
            )
        else:
            rules = partial(
                Rules,
                twin="softmax",
                parameters=(steps, "gamma", "temperature"),
                draw=qlearning.draw_unit,
                choose=qlearning.choose_softmax,
                policy=qlearning.policy_softmax,
            )
        return rules(learn=learn, tables=tables, **others)

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        out: dict[str, Numeric] = {}
        if isinstance(self.alpha, VisitCount):
            out["power"] = self.alpha.power
        else:
            out["alpha"] = self.alpha
        out["gamma"] = discount if self.gamma is None else self.gamma
        if isinstance(self.explore, EpsilonGreedy):
            out["epsilon"] = self.explore.epsilon
        else:
            out["temperature"] = self.explore.temperature
        return out

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, broadcastable to (replicas, observations, actions)."""
        if isinstance(self.initial, UniformRivals):
            gamma = self.values(game.discount)["gamma"]
            tables = {"q": self.initial.table(game, agent, gamma)}
        else:
            tables = {"q": np.asarray(self.initial)}
        if isinstance(self.alpha, VisitCount):
            tables["visits"] = np.zeros((), np.int64)
        return tables
