"""Lenient Q-learning: an agent forgives what is new to it.

Panait, Sullivan & Luke, Lenient Learners in Cooperative Multiagent Systems, AAMAS 2006; for
Q-values Wei & Luke, Lenient Learning in Independent-Learner Stochastic Cooperative Games, JMLR 17
(2016); the leniency 1 - exp(-kappa T) as in Palmer, Tuyls, Bloembergen & Savani, Lenient
Multi-Agent Deep Reinforcement Learning, AAMAS 2018.

Form as in `qlearning`, whose policies these learners share. Two random words: what it does, and
whether it is lenient. Tables are (q, temperatures), p is (alpha, gamma, epsilon or temperature of
its softmax, kappa, decay).
"""

from typing import Any

from fastgames.rules.choice import epsilon_greedy, unit
from fastgames.rules.exponential import exp
from fastgames.rules.outcome import Outcome
from fastgames.rules.qlearning import choose_softmax as sample_softmax
from fastgames.rules.qlearning import discounted_best, update

LOWEST = 2.0**-60  # as good as 0; temperatures stop here, before numbers that CPUs are slow with


def draw_unit(u: Any, p: Any, actions: int, real: Any) -> Any:
    """Two numbers in [0, 1)."""
    return unit(u[0], real), unit(u[1], real)


def choose_greedy(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Follow the first signal, greedy where it says so."""
    return epsilon_greedy(tables[0][o], signal[0])


def choose_softmax(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Sample from the softmax of q[o] by the first signal; p[2] is its temperature."""
    return sample_softmax(tables, p, o, signal[0])


def learn(tables: Any, p: Any, t: Outcome) -> None:
    """q[o, a] += alpha (target - q[o, a]), target = gain + weight max q[o2]; T[o, a] *= decay.

    Where the target is below q[o, a], nothing is learnt with probability 1 - exp(-kappa T[o, a]):
    if the second signal is below that. T is that before it decays.
    """
    q, temperatures = tables
    real = q.dtype.type
    o, a = t.observation, t.action
    temperature = temperatures[o, a]
    target = t.gain + discounted_best(q, t)
    forgives = False
    if target < q[o, a]:
        forgives = t.signal[1] < real(1.0) - exp(-(real(p[3]) * temperature), real)
    if not forgives:
        update(q, o, a, target, real(p[0]))
    if temperature > real(LOWEST):
        temperatures[o, a] = temperature * real(p[4])
