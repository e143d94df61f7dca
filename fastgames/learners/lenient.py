"""Lenient Q-learning."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.rules import lenient, mixed, qlearning

_rules = partial(
    Rules, tables=(Table("q"), Table("temperatures", initial=1.0)), words=2, learn=lenient.learn
)
_EPSILON = _rules(
    parameters=("alpha", "gamma", "epsilon", "kappa", "decay"),
    draw=mixed.draw,
    choose=lenient.choose_greedy,
    policy=qlearning.policy_epsilon,
)
_SOFTMAX = _rules(
    parameters=("alpha", "gamma", "temperature", "kappa", "decay"),
    draw=lenient.draw_unit,
    choose=lenient.choose_softmax,
    policy=qlearning.policy_softmax,
)


@dataclass(frozen=True, eq=False)
class LenientQ(RuleLearner):
    """Lenient Q-learning: q[o, a] += alpha d, d = (r + gamma max q[o']) - q[o, a], or not.

    Where d < 0, nothing is learnt with probability 1 - exp(-kappa T[o, a]). The temperature T of an
    action is 1 at first, and is multiplied by decay at every visit: an agent forgives others
    at first, and in the end learns as Q-learning does.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    kappa : float, schedule or array (replicas,)
        How lenient a temperature makes it, in [0, inf). (A start at another temperature is another
        kappa: only their product matters.) 0 is Q-learning.
    decay : float, schedule or array (replicas,)
        What a visit leaves of the temperature, in [0, 1]. Below 2^-60 it decays no more.
    explore : EpsilonGreedy or Softmax
        How it explores; not by T.
    initial : float or array
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).

    Notes
    -----
    Tables: "q" and "temperatures", both (replicas, observations, actions). Two random words per
    step.

    Source: Panait, Sullivan & Luke, Lenient Learners in Cooperative Multiagent Systems, AAMAS 2006;
    for Q-values Wei & Luke, JMLR 17 (2016); this leniency Palmer, Tuyls, Bloembergen &
    Savani, Lenient Multi-Agent Deep Reinforcement Learning, AAMAS 2018.
    """

    alpha: Any = 0.1
    gamma: Any = None
    kappa: Any = 3.0
    decay: Any = 0.9995
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0

    name = "lenient_q"

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {"alpha": "[0, 1]", "gamma": "[0, 1]", "kappa": "[0, inf)", "decay": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _EPSILON if isinstance(self.explore, EpsilonGreedy) else _SOFTMAX
