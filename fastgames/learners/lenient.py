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
    """Lenient Q-learning: q[o, a] += alpha d, d = (r + gamma max q[o']) - q[o, a], or no update.

    If d < 0, the update is skipped with probability 1 - exp(-kappa T[o, a]). The temperature T of
    an action starts at 1 and is multiplied by decay at every visit, so that an agent is lenient at
    first and finally learns as Q-learning does. It must therefore explore while it is lenient:
    without `explore` it samples from the softmax of q[o] at the temperature omega mean T[o], the
    mean over the actions, and is greedy once mean T[o] is below greedy_below.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    kappa : float, schedule or array (replicas,)
        The leniency per unit of temperature, in [0, inf). 0: no update is skipped, as in
        Q-learning. (Another initial temperature is equivalent to another kappa, omega and
        greedy_below.)
    decay : float, schedule or array (replicas,)
        The factor of the temperature per visit, in [0, 1]. Temperatures of at most 2^-60 do not
        decay further.
    explore : EpsilonGreedy or Softmax, optional
        The exploration; None: by T, as above.
    initial : float or array
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).
    omega : float, schedule or array (replicas,)
        Without `explore`: the temperature of the softmax at T = 1, in units of q, in
        [1e-30, 1e30].
    greedy_below : float, schedule or array (replicas,)
        Without `explore`: the mean temperature T below which the agent is greedy, in [1e-6, 1].

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "q" and "temperatures", both (replicas, observations, actions). Two random words per
    step.

    Source: Panait, Sullivan & Luke, Lenient Learners in Cooperative Multiagent Systems, AAMAS 2006;
    for Q-values and this exploration Wei & Luke, JMLR 17 (2016), LMRL2; the leniency is that of
    Palmer, Tuyls, Bloembergen & Savani, Lenient Multi-Agent Deep Reinforcement Learning, AAMAS
    2018; LMRL2 is lenient with probability exp(-1 / (theta T)) instead. Temperatures do not diffuse
    between observations.

    The temperatures of LMRL2 fall from 50 to 2, at which it becomes greedy: omega=50,
    greedy_below=0.04 here. At that omega, actions with low values are rarely played and keep a high
    temperature, so that exploration outlasts the leniency towards the others unless kappa is about
    10^7. With the default of 500, the temperatures of all actions fall together: in the climbing
    and penalty games the best joint action is found in all of 200 runs for omega from 200 to 2,000
    and kappa from 300 to 10,000.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.climbing(), fg.LenientQ(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["temperatures"].shape
    (2, 1, 3)
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
        """Return the domain of every numeric field, by name."""
        return {
            "alpha": "[0, 1]",
            "gamma": "[0, 1]",
            "kappa": "[0, inf)",
            "decay": "[0, 1]",
            "omega": "[1e-30, 1e30]",  # keeps temperatures above 0 in float32
            "greedy_below": "[1e-6, 1]",
        }

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        if self.explore is None:
            return _TEMPERED
        return _EPSILON if isinstance(self.explore, EpsilonGreedy) else _SOFTMAX
