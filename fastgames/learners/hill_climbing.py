"""Policy hill-climbing, and with "win or learn fast" (WoLF)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.rules import hill_climbing, mixed
from fastgames.schedules import Exponential, Linear, Numeric

_POLICY, _Q = Table("policy", initial="uniform"), Table("q")

_PHC = Rules(
    parameters=("alpha", "gamma", "epsilon", "delta"),
    tables=(_POLICY, _Q),
    draw=mixed.draw,
    choose=mixed.choose,
    learn=hill_climbing.learn,
    policy=mixed.policy,
    words=2,
)
_WOLF = Rules(
    parameters=("alpha", "gamma", "epsilon", "delta_win", "delta_lose"),
    tables=(
        _POLICY,
        _Q,
        Table("average", initial="uniform"),
        Table("visits", dims=("observations",), kind="int64"),
    ),
    draw=mixed.draw,
    choose=mixed.choose,
    learn=hill_climbing.learn_wolf,
    policy=mixed.policy,
    words=2,
)


@dataclass(frozen=True, eq=False)
class PHC(RuleLearner):
    """Policy hill-climbing: Q-learning, and a mixed policy that moves towards the greedy action.

    At every step each other action gives delta / (A - 1) of its probability, or all that it has, to
    the action with the largest q. It can play mixed policies, but in games such as matching pennies
    it circles round the equilibrium.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of q, in [0, 1].
    delta : float, schedule or array (replicas,)
        The step size of the policy, in [0, 1], small beside alpha; 1 plays the greedy action.
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    epsilon : float, schedule or array (replicas,)
        The probability of an action uniformly at random in place of one from the policy, in
        [0, 1]. The probability used is floor(epsilon 2^31) / 2^31.

    Notes
    -----
    Tables: "policy", uniform at first, and "q", 0 at first, both (replicas, observations, actions).
    Two random words per step.

    Source: Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial
    Intelligence 136 (2002), Table 5; epsilon as in their experiments, section 5.
    """

    alpha: Any = 0.1
    delta: Any = 0.001
    gamma: Any = None
    epsilon: Any = 0.05

    name = "phc"

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return dict.fromkeys(("alpha", "delta", "gamma", "epsilon"), "[0, 1]")

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _PHC


@dataclass(frozen=True, eq=False)
class WoLFPHC(RuleLearner):
    """Policy hill-climbing that is cautious while it wins and fast while it loses.

    It wins where its policy is worth more by q than its average policy so far, which stands for the
    unknown equilibrium. It settles in games where `PHC` circles.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of q, in [0, 1].
    delta_win, delta_lose : float, schedule or array (replicas,)
        The step sizes of the policy while it wins and while it loses, in [0, 1], small beside
        alpha; delta_win may not be above delta_lose, schedules at their start. Equal ones are
        those of `PHC`.
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    epsilon : float, schedule or array (replicas,)
        The probability of an action uniformly at random in place of one from the policy, in
        [0, 1]. The probability used is floor(epsilon 2^31) / 2^31.

    Notes
    -----
    Tables: "policy" and "average", uniform at first, and "q", 0 at first, all
    (replicas, observations, actions), and "visits", (replicas, observations) int64. Two random
    words per step.

    Source: Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial
    Intelligence 136 (2002), Table 6; epsilon as in their experiments, section 5.
    """

    alpha: Any = 0.1
    delta_win: Any = 0.001
    delta_lose: Any = 0.002
    gamma: Any = None
    epsilon: Any = 0.05

    name = "wolf_phc"

    def __post_init__(self) -> None:
        super().__post_init__()
        win, lose = _first(self.delta_win), _first(self.delta_lose)
        if win.ndim and lose.ndim and len(win) != len(lose):
            raise ValueError(
                "delta_win and delta_lose must be for equally many replicas, "
                f"got {len(win)} and {len(lose)}"
            )
        win, lose = np.broadcast_arrays(win, lose)
        if np.any(win > lose):
            r = int(np.argmax(win > lose))
            raise ValueError(
                "delta_win must be at most delta_lose, which is "
                f"{lose.flat[r]}, got {win.flat[r]}" + (f" at index {r}" if win.ndim else "")
            )

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        names = ("alpha", "delta_win", "delta_lose", "gamma", "epsilon")
        return dict.fromkeys(names, "[0, 1]")

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _WOLF


def _first(value: Numeric) -> np.ndarray:
    """The value of a parameter at the first step, () or (replicas,)."""
    return np.asarray(value.start if isinstance(value, Exponential | Linear) else value)
