"""Tabular Q-learning (Watkins & Dayan 1992, eq. 1), epsilon-greedy or softmax.

The rules of all learners have the same form:
    draw(u, p, actions, real) -> signal         converts a random word to a signal
    choose(tables, p, o, signal) -> action      reads the tables
    learn(tables, p, t)                         modifies the tables in place; t: an `Outcome`
    policy(tables, p, o, out)                   writes the probabilities of the actions
`tables` is a tuple of arrays (observations, actions), the first of the type of the run ("real"),
`p` the float64 parameters. Here tables are (q,) and p is (alpha, gamma, epsilon or temperature). If
the step size depends on visits, tables are (q, visits) and p is (power, ...).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import (
    argmax,
    epsilon_greedy,
    explore,
    explored,
    largest,
    sample,
    softmax_weights,
    unit,
)
from fastgames.rules.stepsize import visit

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def update(q: np.ndarray, o: int, a: int, target: Any, step: Any) -> None:
    """q[o, a] += step (target - q[o, a]); q is modified in place."""
    q[o, a] = q[o, a] + step * (target - q[o, a])


def discounted_best(q: np.ndarray, t: "Outcome") -> Any:
    """weight times the largest value at the next observation, or times 0 once ended."""
    best = q.dtype.type(0.0)
    if not t.ended:
        best = largest(q[t.next_observation])
    return t.weight * best


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """q[o, a] += alpha ((gain + weight max q[o2]) - q[o, a])."""
    q = tables[0]
    target = t.gain + discounted_best(q, t)
    update(q, t.observation, t.action, target, q.dtype.type(p[0]))


def learn_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """The same with the step size of the visit."""
    step = visit(tables[1], t.observation, t.action, p[0])
    learn(tables, (step, p[1], p[2]), t)


def learn_all(tables: Any, p: Any, t: "Outcome") -> None:
    """Every own action k: q[o, k] += alpha ((column[k] + weight max q[o2]) - q[o, k]).

    The maximum is that before the update.
    """
    q = tables[0]
    best = discounted_best(q, t)
    for k in range(q.shape[1]):
        update(q, t.observation, k, t.column[k] + best, q.dtype.type(p[0]))


def learn_all_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """The same; every own action is visited."""
    q = tables[0]
    best = discounted_best(q, t)
    for k in range(q.shape[1]):
        step = visit(tables[1], t.observation, k, p[0])
        update(q, t.observation, k, t.column[k] + best, q.dtype.type(step))


def draw_explore(u: int, p: Any, actions: int, real: Any) -> Any:
    """p[2] is epsilon."""
    return explore(u, p[2], actions, real)


def choose_greedy(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Follow the signal, greedy where it says so."""
    return epsilon_greedy(tables[0][o], signal)


def policy_epsilon(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Uniform with the probability of exploring, the rest on the greedy action."""
    row = tables[0][o]
    share = explored(p[2])
    for a in range(len(row)):
        out[a] = share / len(row)
    out[argmax(row)] += 1.0 - share


def draw_unit(u: int, p: Any, actions: int, real: Any) -> Any:
    """A number in [0, 1)."""
    return unit(u, real)


def choose_softmax(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Sample from the softmax of q[o]; p[2] is the temperature."""
    q = tables[0]
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], p[2], q.dtype.type, weights)
    return sample(weights, q.dtype.type(signal))


def policy_softmax(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """The softmax weights, normalised."""
    q = tables[0]
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], p[2], q.dtype.type, weights)
    total = 0.0
    for a in range(len(weights)):
        total += float(weights[a])
    for a in range(len(weights)):
        out[a] = float(weights[a]) / total
