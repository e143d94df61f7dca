"""Hysteretic Q-learning."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.rules import hysteretic, qlearning

_rules = partial(Rules, tables=(Table("q"),), learn=hysteretic.learn, update="hysteretic")
_EPSILON = _rules(
    twin="epsilon_greedy",
    parameters=("alpha", "gamma", "epsilon", "beta"),
    draw=qlearning.draw_explore,
    choose=qlearning.choose_greedy,
    policy=qlearning.policy_epsilon,
)
_SOFTMAX = _rules(
    twin="softmax",
    parameters=("alpha", "gamma", "temperature", "beta"),
    draw=qlearning.draw_unit,
    choose=qlearning.choose_softmax,
    policy=qlearning.policy_softmax,
)


@dataclass(frozen=True, eq=False)
class HystereticQ(RuleLearner):
    """Hysteretic Q-learning: q[o, a] += step d, d = (r + gamma max q[o']) - q[o, a].

    step is alpha where d >= 0 and beta where d < 0. For teams: with beta < alpha an agent forgives
    others who explore. beta = alpha is Q-learning.

    Parameters
    ----------
    alpha, beta : float, schedule or array (replicas,)
        The step sizes of gains and of losses, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    explore : EpsilonGreedy or Softmax
        How it explores.
    initial : float or array
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    With beta = 0 no value ever falls. That alone is not the distributed Q-learning of Lauer &
    Riedmiller (ICML 2000), which has alpha = 1, starts below every payoff, and changes the greedy
    action of an observation only where its largest value rises. Without the last, agents who come
    to value several actions alike all play the first of them: with alpha = 1, two agents paid 10
    for unequal actions and 0 for equal ones end at 0.

    Source: Matignon, Laurent & Le Fort-Piat, Hysteretic Q-Learning: an algorithm for Decentralized
    Reinforcement Learning in Cooperative Multi-Agent Teams, IROS 2007.
    """

    alpha: Any = 0.1
    beta: Any = 0.01
    gamma: Any = None
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0

    name = "hysteretic_q"

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {"alpha": "[0, 1]", "beta": "[0, 1]", "gamma": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _EPSILON if isinstance(self.explore, EpsilonGreedy) else _SOFTMAX
