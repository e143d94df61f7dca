"""Q-learning."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgames import _checks
from fastgames.learners.base import Rules
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.rules import qlearning
from fastgames.schedules import Numeric, _Frozen, numeric

_EPSILON = Rules(
    twin="epsilon_greedy",
    parameters=("alpha", "gamma", "epsilon"),
    draw=qlearning.draw_explore,
    choose=qlearning.choose_greedy,
    learn=qlearning.learn,
    policy=qlearning.policy_epsilon,
)
_SOFTMAX = Rules(
    twin="softmax",
    parameters=("alpha", "gamma", "temperature"),
    draw=qlearning.draw_unit,
    choose=qlearning.choose_softmax,
    learn=qlearning.learn,
    policy=qlearning.policy_softmax,
)


@dataclass(frozen=True, eq=False)
class QLearner(_Frozen):
    """Tabular Q-learning: q[o, a] += alpha ((r + gamma max q[o']) - q[o, a]).

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1). None: the game's own, 0 for a matrix game.
    explore : EpsilonGreedy or Softmax
        How it explores.
    initial : float or array
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).

    Table: "q", (replicas, observations, actions). One random word per step.

    Source: Watkins & Dayan, Q-learning, Machine Learning 8 (1992), equation 1.
    """

    alpha: Any = 0.1
    gamma: Any = None
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0

    name = "q"
    table = "q"
    learns = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", numeric("alpha", self.alpha, "(0, 1]", "[0, 1]"))
        if self.gamma is not None:
            object.__setattr__(self, "gamma", numeric("gamma", self.gamma, "[0, 1)"))
        if not isinstance(self.explore, EpsilonGreedy | Softmax):
            raise TypeError(f"explore must be an EpsilonGreedy or a Softmax, got {self.explore!r}")
        initial = _checks.finite_array("initial", self.initial)
        if initial.ndim > 3:
            raise ValueError(
                "initial must broadcast to (replicas, observations, actions), "
                f"got shape {initial.shape}"
            )
        initial.setflags(write=False)
        object.__setattr__(self, "initial", float(initial) if initial.ndim == 0 else initial)

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _EPSILON if isinstance(self.explore, EpsilonGreedy) else _SOFTMAX

    def values(self, discount: float) -> dict[str, Numeric]:
        """The numeric parameters by the names the rules use; `discount`: the game's."""
        gamma = discount if self.gamma is None else self.gamma
        if isinstance(self.explore, EpsilonGreedy):
            return {"alpha": self.alpha, "gamma": gamma, "epsilon": self.explore.epsilon}
        return {"alpha": self.alpha, "gamma": gamma, "temperature": self.explore.temperature}

    def start(self) -> np.ndarray:
        """What the table starts at, to be broadcast to (replicas, observations, actions)."""
        return np.asarray(self.initial)
