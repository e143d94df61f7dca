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

    step is alpha if d >= 0 and beta if d < 0. It is meant for cooperative games: with beta < alpha
    an agent reacts less to low rewards caused by others' exploration. beta = alpha is Q-learning.

    Parameters
    ----------
    alpha, beta : float, schedule or array (replicas,)
        The step sizes for d >= 0 and for d < 0, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration.
    initial : float or array
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    With beta = 0 no value ever falls. This alone is not the distributed Q-learning of Lauer &
    Riedmiller (ICML 2000), which uses alpha = 1, starts below every payoff, and changes the greedy
    action of an observation only if its largest value rises. Without the last condition, agents
    with several actions of equal value all play the first of them: with alpha = 1, two agents paid
    10 for unequal actions and 0 for equal ones end at 0.

    Source: Matignon, Laurent & Le Fort-Piat, Hysteretic Q-Learning: an algorithm for Decentralized
    Reinforcement Learning in Cooperative Multi-Agent Teams, IROS 2007.

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.HystereticQ(0.5, beta=0.1)
    >>> result = fg.run(fg.games.climbing(), learner, 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 3)
    """

    alpha: Any = 0.1
    beta: Any = 0.01
    gamma: Any = None
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0

    name = "hysteretic_q"

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return {"alpha": "[0, 1]", "beta": "[0, 1]", "gamma": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _EPSILON if isinstance(self.explore, EpsilonGreedy) else _SOFTMAX
