"""Lenient Q-learning."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.rules import lenient, mixed, qlearning

_rules = partial(
    Rules, tables=(Table("q"), Table("temperatures", initial=1.0)), words=2, learn=lenient.learn
)
_TEMPERED = _rules(
    parameters=("alpha", "gamma", "omega", "kappa", "decay", "greedy_below"),
    draw=lenient.draw_unit,
    choose=lenient.choose_tempered,
    policy=lenient.policy_tempered,
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
    at first, and in the end learns as Q-learning does. So it must explore while it forgives:
    unless `explore` says otherwise it samples from the softmax of q[o] at the temperature omega
    mean T[o], the mean over the actions, and is greedy once mean T[o] is below greedy_below.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    kappa : float, schedule or array (replicas,)
        How lenient a temperature makes it, in [0, inf). 0: it learns from everything, as Q-learning
        does. (A start at another temperature would be another kappa, omega and greedy_below.)
    decay : float, schedule or array (replicas,)
        What a visit leaves of the temperature, in [0, 1]. Below 2^-60 it decays no more.
    explore : EpsilonGreedy or Softmax, optional
        How it explores; None: by T, as above.
    initial : float or array
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).
    omega : float, schedule or array (replicas,)
        Without `explore`: the temperature of the softmax where T is 1, in units of q, in
        [1e-30, 1e30].
    greedy_below : float, schedule or array (replicas,)
        Without `explore`: the mean temperature below which it is greedy, in [1e-6, 1].

    Notes
    -----
    Tables: "q" and "temperatures", both (replicas, observations, actions). Two random words per
    step.

    Source: Panait, Sullivan & Luke, Lenient Learners in Cooperative Multiagent Systems, AAMAS 2006;
    for Q-values and this exploration Wei & Luke, JMLR 17 (2016), LMRL2; the leniency is that of
    Palmer, Tuyls, Bloembergen & Savani, Lenient Multi-Agent Deep Reinforcement Learning, AAMAS
    2018, where LMRL2 forgives with probability exp(-1 / (theta T)). Temperatures do not diffuse
    between observations.

    LMRL2's run from 50 down to 2, where it becomes greedy: omega=50, greedy_below=0.04 here. At
    that omega an action that looks bad is seldom played and stays warm, so that exploring outlives
    the leniency for the others unless kappa is about 10^7. With the default of 500 all actions cool
    together: in the climbing and penalty games the best joint action is found in all of 200 runs
    for omega from 200 to 2,000 and kappa from 300 to 10,000.
    """

    alpha: Any = 0.1
    gamma: Any = None
    kappa: Any = 1000.0
    decay: Any = 0.995
    explore: EpsilonGreedy | Softmax | None = None
    initial: Any = 0.0
    omega: Any = 500.0
    greedy_below: Any = 0.04

    name = "lenient_q"
    may_explore_by_itself = True

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {
            "alpha": "[0, 1]",
            "gamma": "[0, 1]",
            "kappa": "[0, inf)",
            "decay": "[0, 1]",
            "omega": "[1e-30, 1e30]",  # so that no temperature is 0 in float32
            "greedy_below": "[1e-6, 1]",
        }

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        if self.explore is None:
            return _TEMPERED
        return _EPSILON if isinstance(self.explore, EpsilonGreedy) else _SOFTMAX
