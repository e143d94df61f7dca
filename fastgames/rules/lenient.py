"""Lenient Q-learning: an agent ignores most low targets of actions that it has rarely visited.

Panait, Sullivan & Luke, Lenient Learners in Cooperative Multiagent Systems, AAMAS 2006; for
Q-values, and exploration by the temperatures, Wei & Luke, Lenient Learning in Independent-Learner
Stochastic Cooperative Games, JMLR 17 (2016); the leniency 1 - exp(-kappa T) as in Palmer, Tuyls,
Bloembergen & Savani, Lenient Multi-Agent Deep Reinforcement Learning, AAMAS 2018.

Form as in `qlearning`. The first random word selects the action, the second decides on leniency.
Tables are (q, temperatures). p is (alpha, gamma, omega, kappa, decay, greedy_below) or, with the
policies of `qlearning`, (alpha, gamma, epsilon or temperature, kappa, decay).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import argmax, epsilon_greedy, sample, softmax_weights, unit
from fastgames.rules.exponential import exp
from fastgames.rules.qlearning import choose_softmax as sample_softmax
from fastgames.rules.qlearning import discounted_best, update
from fastgames.rules.sums import mean

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

LOWEST = 2.0**-60  # temperatures stop decaying here, because CPUs are slow with subnormal numbers


def draw_unit(u: Any, p: Any, actions: int, real: Any) -> Any:
    """Two numbers in [0, 1)."""
    return unit(u[0], real), unit(u[1], real)


def choose_greedy(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Follow the first signal, greedy where it says so."""
    return epsilon_greedy(tables[0][o], signal[0])


def choose_softmax(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Sample from the softmax of q[o] by the first signal; p[2] is its temperature."""
    return sample_softmax(tables, p, o, signal[0])


def choose_tempered(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Sample from the softmax of q[o] by the first signal; its temperature is p[2] mean T[o].

    Where mean T[o] is below p[5]: the greedy action.
    """
    q = tables[0]
    real = q.dtype.type
    temperature = mean(tables[1][o])
    if temperature < real(p[5]):
        return argmax(q[o])
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], real(p[2]) * temperature, real, weights)
    return sample(weights, signal[0])


def policy_tempered(tables: Any, p: Any, o: int, out: Any) -> None:
    """Write the probabilities by which `choose_tempered` plays."""
    q = tables[0]
    real = q.dtype.type
    temperature = mean(tables[1][o])
    if temperature < real(p[5]):
        for a in range(q.shape[1]):
            out[a] = 0.0
        out[argmax(q[o])] = 1.0
    else:
        weights = np.empty(q.shape[1], q.dtype)
        softmax_weights(q[o], real(p[2]) * temperature, real, weights)
        total = 0.0
        for a in range(len(weights)):
            total += float(weights[a])
        for a in range(len(weights)):
            out[a] = float(weights[a]) / total


def learn(tables: Any, p: Any, t: "Outcome") -> None:
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
