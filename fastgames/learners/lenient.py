"""Lenient Q-learning.

The first random word of a step selects the action, the second decides on leniency.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fields import exploration, initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.rules import mixed, qlearning, ties
from fastgames.rules.choice import argmax, epsilon_greedy, sample, softmax_weights, unit
from fastgames.rules.exponential import exp
from fastgames.rules.qlearning import choose_softmax as sample_softmax
from fastgames.rules.qlearning import discounted_best, update
from fastgames.rules.sums import mean
from fastgames.rules.ties import chosen
from fastgames.rules.ties import draw as draw_explore_or_tie

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

LOWEST = 2.0**-60  # temperatures stop decaying here, because CPUs are slow with subnormal numbers


@dataclass(frozen=True, eq=False)
class LenientQ(RuleLearner):
    """Lenient Q-learning, which at first ignores results below its expectation.

    The update is q[o, a] += alpha d with d = (r + gamma max q[o']) - q[o, a]. If d < 0, it is
    skipped with probability 1 - exp(-kappa T[o, a]). The temperature T of an action starts at 1 and
    is multiplied by decay at every visit, so that an agent is lenient at first and finally learns
    as Q-learning does. It must therefore explore while it is lenient: if `explore` is None, it
    samples from the softmax of q[o] at the temperature omega mean T[o], the mean over the actions,
    and is greedy if mean T[o] is below greedy_below.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    kappa : float, schedule or array (replicas,)
        The leniency per unit of temperature, in [0, inf). With 0 no update is skipped, as in
        Q-learning. (Another initial temperature is equivalent to another kappa, omega and
        greedy_below.)
    decay : float, schedule or array (replicas,)
        The factor of the temperature per visit, in [0, 1]. Temperatures of at most 2^-60 do not
        decay further.
    explore : EpsilonGreedy or Softmax, optional
        The exploration. None: the softmax at the temperature omega mean T[o], as above.
    initial : float or array
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).
    omega : float, schedule or array (replicas,)
        The temperature of the softmax at T = 1, in units of q, in [1e-30, 1e30]. It has no effect
        if `explore` is given.
    greedy_below : float, schedule or array (replicas,)
        The mean temperature T below which the agent is greedy, in [1e-6, 1]. It has no effect if
        `explore` is given.

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

    alpha: Any = parameter(0.1, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    kappa: Any = parameter(1000.0, "[0, inf)")
    decay: Any = parameter(0.995, "[0, 1]")
    explore: EpsilonGreedy | Softmax | None = exploration(None)
    initial: Any = initial_values()
    omega: Any = parameter(500.0, "[1e-30, 1e30]")  # temperatures stay above 0 in float32
    greedy_below: Any = parameter(0.04, "[1e-6, 1]")

    name = "lenient_q"
    title = "Lenient Q-learning"
    formula = (
        r"Q(o,a) \leftarrow Q(o,a) + \alpha\,\delta \quad\text{if } \delta \ge 0 \text{ or with "
        r"probability } e^{-\kappa\,T(o,a)}, \qquad T(o,a) \leftarrow \text{decay} \cdot T(o,a), "
        r"\qquad \pi(a \mid o) \propto e^{Q(o,a) / (\omega\,\bar T(o))}"
    )
    example: ClassVar[Example] = Example(
        "climbing()",
        "fg.LenientQ()",
        kind="joint",
        record="fg.Record(joint_actions=True)",
        says=(
            "The agents explore as long as they are lenient, and find the best joint action, "
            "(a, a)."
        ),
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        parameters: tuple[str, ...]
        if self.explore is None:
            parameters = ("alpha", "gamma", "omega", "kappa", "decay", "greedy_below")
            functions = draw_unit, choose_tempered, policy_tempered
        else:
            parameters = ("alpha", "gamma", self.explore.parameter, "kappa", "decay")
            epsilon = isinstance(self.explore, EpsilonGreedy)
            functions = (
                mixed.draw if epsilon else draw_unit,
                choose_greedy if epsilon else choose_softmax,
                qlearning.policy_epsilon if epsilon else qlearning.policy_softmax,
            )
        random = self.explore is not None and getattr(self.explore, "ties", "") == "random"
        if random:
            functions = draw_tied, choose_tied, ties.policy
        draw, choose, policy = functions
        return Rules(
            parameters=parameters,
            tables=(Table("q"), Table("temperatures", initial=1.0)),
            draw=draw,
            choose=choose,
            learn=learn,
            policy=policy,
            words=2,
            signals=3 if random else 2,
        )


def draw_unit(u: Any, p: Any, actions: int, real: Any) -> Any:
    """Return the two random words as numbers in [0, 1) of type `real`."""
    return unit(u[0], real), unit(u[1], real)


def choose_greedy(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return the action to explore or, if the first signal is GREEDY, the greedy action of q[o]."""
    return epsilon_greedy(tables.q[o], signal[0])


def draw_tied(u: Any, p: Any, actions: int, real: Any) -> Any:
    """Return the signals of `ties.draw` for the first word, the second word between them."""
    first, second = draw_explore_or_tie(u[0], p, actions, real)
    return first, unit(u[1], real), second


def choose_tied(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return the action to explore, else one of the greedy actions of q[o]; p[2]: epsilon."""
    return chosen(tables.q[o], p[2], signal[0], signal[2])


def choose_softmax(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the softmax of q[o] with the first signal."""
    return sample_softmax(tables, p, o, signal[0])


def choose_tempered(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the softmax of q[o] at the temperature omega mean T[o].

    It uses the first signal. If mean T[o] is below greedy_below, it returns the greedy action.
    """
    q = tables.q
    real = q.dtype.type
    temperature = mean(tables.temperatures[o])
    if temperature < real(p.greedy_below):
        return argmax(q[o])
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], real(p.omega) * temperature, real, weights)
    return sample(weights, signal[0])


def policy_tempered(tables: Any, p: Any, o: int, out: Any) -> None:
    """Write the probabilities of the actions in `choose_tempered` into `out`, (A,) float64."""
    q = tables.q
    real = q.dtype.type
    temperature = mean(tables.temperatures[o])
    if temperature < real(p.greedy_below):
        for a in range(q.shape[1]):
            out[a] = 0.0
        out[argmax(q[o])] = 1.0
    else:
        weights = np.empty(q.shape[1], q.dtype)
        softmax_weights(q[o], real(p.omega) * temperature, real, weights)
        total = 0.0
        for a in range(len(weights)):
            total += float(weights[a])
        for a in range(len(weights)):
            out[a] = float(weights[a]) / total


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Move q[o, a] by alpha towards gain + weight max q[o2], unless the agent is lenient.

    If the target is below q[o, a], the agent is lenient with probability 1 - exp(-kappa T[o, a]):
    if the second signal is below this number. Then T[o, a] is multiplied by decay.
    """
    q, temperatures = tables.q, tables.temperatures
    real = q.dtype.type
    o, a = t.observation, t.action
    temperature = temperatures[o, a]
    target = t.gain + discounted_best(q, t)
    forgives = False
    if target < q[o, a]:
        forgives = t.signal[1] < real(1.0) - exp(-(real(p.kappa) * temperature), real)
    if not forgives:
        update(q, o, a, target, real(p.alpha))
    if temperature > real(LOWEST):
        temperatures[o, a] = temperature * real(p.decay)
