"""How a learner that values actions explores."""

from dataclasses import dataclass
from typing import Any

from fastgames.schedules import _Frozen, numeric


@dataclass(frozen=True, eq=False)
class EpsilonGreedy(_Frozen):
    """With probability epsilon an action uniformly at random, else the greedy one (lowest on ties).

    Parameters
    ----------
    epsilon : float, schedule or array (replicas,)
        In [0, 1]. The probability used is floor(epsilon 2^31) / 2^31.

    Notes
    -----
    Source: Watkins 1989; Sutton & Barto, Reinforcement Learning (2nd ed. 2018), section 2.2.
    """

    epsilon: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", numeric("epsilon", self.epsilon, "[0, 1]"))


@dataclass(frozen=True, eq=False)
class Softmax(_Frozen):
    """Actions with probabilities proportional to exp(q / temperature) (Boltzmann exploration).

    Parameters
    ----------
    temperature : float, schedule or array (replicas,)
        In (0, inf); a schedule needs a positive floor (or end).

    Notes
    -----
    Source: Luce 1959; Sutton & Barto, Reinforcement Learning (1st ed. 1998), section 2.3.
    """

    temperature: Any

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "temperature", numeric("temperature", self.temperature, "(0, inf)")
        )
