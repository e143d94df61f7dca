"""Exploration of learners that estimate action values.

`parameter` is the name of its parameter in the rules, at position 2 of p; `rules` are the fields of
`Rules` of a learner that explores in this way.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastgames._common import checks
from fastgames._common.frozen import Frozen
from fastgames.rules import qlearning
from fastgames.schedules import numeric

TIES = ("first", "random")  # how a choice among equal values is made
TEXT_OF_TIES = {"kind": "text", "unless": "first"}  # files hold it only if it is "random"


@dataclass(eq=False, repr=False)
class EpsilonGreedy(Frozen):
    """Epsilon-greedy exploration, a uniformly random action with probability epsilon, else greedy.

    Parameters
    ----------
    epsilon : float, schedule or array (replicas,)
        The probability of exploring, in [0, 1]. The probability used is
        floor(epsilon 2^31) / 2^31.
    ties : "first" or "random"
        The greedy action is the one with the largest value: on ties the one with the lowest index,
        or each of them with the same probability. Learners with random ties are compiled by Numba.
        Greedy actions in results and records are those with the lowest index in both cases.

    Raises
    ------
    ValueError, TypeError
        If an argument is outside of its domain.

    Notes
    -----
    Random ties take no further random word. With T = floor(epsilon 2^31), an agent explores if its
    31-bit word u is below T; else the action among m tied ones has the index
    floor((u - T) m / (2^31 - T)).

    Source: Watkins 1989; Sutton & Barto, Reinforcement Learning (2nd ed. 2018), section 2.2.

    Examples
    --------
    >>> import fastgames as fg
    >>> fg.QLearner(explore=fg.EpsilonGreedy(0.2)).explore.epsilon
    0.2
    """

    epsilon: Any
    ties: str = field(default=TIES[0], metadata=TEXT_OF_TIES)

    parameter: ClassVar[str] = "epsilon"

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", numeric("epsilon", self.epsilon, "[0, 1]"))
        checks.one_of("ties", self.ties, TIES)

    @property
    def rules(self) -> dict[str, Any]:
        """Fields of `Rules` of a learner that explores in this way."""
        if self.ties == "first":
            return {
                "twin": "epsilon_greedy",
                "draw": qlearning.draw_explore,
                "choose": qlearning.choose_greedy,
                "policy": qlearning.policy_epsilon,
            }
        from fastgames.rules import ties

        return {"draw": ties.draw, "choose": ties.choose, "policy": ties.policy, "signals": 2}


@dataclass(eq=False, repr=False)
class Softmax(Frozen):
    """Softmax (Boltzmann) exploration, with probabilities proportional to exp(q / temperature).

    Parameters
    ----------
    temperature : float, schedule or array (replicas,)
        The temperature, in units of q, in (0, inf); a schedule needs a positive floor (or end).

    Raises
    ------
    ValueError, TypeError
        If temperature is outside of its domain.

    Notes
    -----
    Source: Luce 1959; Sutton & Barto, Reinforcement Learning (1st ed. 1998), section 2.3.

    Examples
    --------
    >>> import fastgames as fg
    >>> fg.QLearner(explore=fg.Softmax(0.5)).explore.temperature
    0.5
    """

    temperature: Any

    parameter: ClassVar[str] = "temperature"
    rules: ClassVar[dict[str, Any]] = {
        "twin": "softmax",
        "draw": qlearning.draw_unit,
        "choose": qlearning.choose_softmax,
        "policy": qlearning.policy_softmax,
    }

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "temperature", numeric("temperature", self.temperature, "(0, inf)")
        )
