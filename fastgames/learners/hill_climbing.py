"""Policy hill-climbing (PHC), and its variant "win or learn fast" (WoLF-PHC)."""

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
    """Policy hill-climbing: Q-learning with a mixed policy that moves towards the greedy action.

    Every step moves probability from each other action to the action with the largest q: delta /
    (A - 1), or all of it if it has less. The policy can be mixed, but in games such as matching
    pennies it cycles around the equilibrium.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of q, in [0, 1].
    delta : float, schedule or array (replicas,)
        The step size of the policy, in [0, 1], small relative to alpha; 1 plays the greedy action.
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The probability of a uniformly random action instead of one from the policy, in [0, 1]. The
        probability used is floor(epsilon 2^31) / 2^31.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "policy", initially uniform, and "q", initially 0, both (replicas, observations,
    actions). Two random words per step.

    Source: Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial
    Intelligence 136 (2002), Table 5; epsilon as in their experiments, section 5.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.PHC(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["policy"].shape
    (2, 1, 2)
    """

    alpha: Any = 0.1
    delta: Any = 0.001
    gamma: Any = None
    epsilon: Any = 0.05

    name = "phc"

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return dict.fromkeys(("alpha", "delta", "gamma", "epsilon"), "[0, 1]")

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _PHC


@dataclass(frozen=True, eq=False)
class WoLFPHC(RuleLearner):
    """WoLF-PHC: policy hill-climbing with small steps while it wins and large ones while it loses.

    The agent wins if the value of its policy under q exceeds the value of its average policy so
    far, which stands for the unknown equilibrium. It converges in games in which `PHC` cycles.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of q, in [0, 1].
    delta_win, delta_lose : float, schedule or array (replicas,)
        The step sizes of the policy while it wins and while it loses, in [0, 1], small relative to
        alpha; delta_win must not exceed delta_lose, for schedules at their start. Equal step sizes
        give `PHC`.
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The probability of a uniformly random action instead of one from the policy, in [0, 1]. The
        probability used is floor(epsilon 2^31) / 2^31.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain, or if delta_win exceeds delta_lose.

    Notes
    -----
    Tables: "policy" and "average", initially uniform, and "q", initially 0, all
    (replicas, observations, actions), and "visits", (replicas, observations) int64. Two random
    words per step.

    Source: Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial
    Intelligence 136 (2002), Table 6; epsilon as in their experiments, section 5.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.WoLFPHC(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["visits"][:, 0]
    array([9, 9])
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
                "delta_win and delta_lose must have the same number of replicas, "
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
        """Return the domain of every numeric field, by name."""
        names = ("alpha", "delta_win", "delta_lose", "gamma", "epsilon")
        return dict.fromkeys(names, "[0, 1]")

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _WOLF


def _first(value: Numeric) -> np.ndarray:
    """Return the value of a parameter at the first step, () or (replicas,)."""
    return np.asarray(value.start if isinstance(value, Exponential | Linear) else value)
