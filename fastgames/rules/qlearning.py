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
    """Move q[o, a] towards a target, in place: q[o, a] += step (target - q[o, a]).

    Parameters
    ----------
    q : array (observations, actions)
        Table of values; one entry is modified in place.
    o, a : int
        Observation and action.
    target, step : real
        Target and step size, of the type of q.
    """
    q[o, a] = q[o, a] + step * (target - q[o, a])


def discounted_best(q: np.ndarray, t: "Outcome") -> Any:
    """Return t.weight times the largest value at the next observation.

    Parameters
    ----------
    q : array (observations, actions)
        Table of values, read-only.
    t : Outcome
        Outcome of a move.

    Returns
    -------
    real
        weight max q[o2], of the type of q; 0 if the episode has ended.
    """
    best = q.dtype.type(0.0)
    if not t.ended:
        best = largest(q[t.next_observation])
    return t.weight * best


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Update q in place: q[o, a] += alpha ((gain + weight max q[o2]) - q[o, a]).

    tables: (q,); p[0]: alpha, rounded to the type of q; t: the outcome. At the end of an episode 0
    replaces the maximum.
    """
    q = tables[0]
    target = t.gain + discounted_best(q, t)
    update(q, t.observation, t.action, target, q.dtype.type(p[0]))


def learn_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update q in place as `learn` does, with the step size of the visit in place of alpha.

    tables: (q, visits), both modified; p[0]: the power of the step size, see `stepsize.visit`.
    """
    step = visit(tables[1], t.observation, t.action, p[0])
    learn(tables, (step, p[1], p[2]), t)


def learn_all(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the values of all own actions k in place, from counterfactual rewards.

    q[o, k] += alpha ((column[k] + weight max q[o2]) - q[o, k]), with the maximum before the update.
    tables: (q,); p[0]: alpha, rounded to the type of q; t: the outcome, with its `column`.
    """
    q = tables[0]
    best = discounted_best(q, t)
    for k in range(q.shape[1]):
        update(q, t.observation, k, t.column[k] + best, q.dtype.type(p[0]))


def learn_all_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update q in place as `learn_all` does, with step sizes by visits in place of alpha.

    Every own action is visited. tables: (q, visits), both modified; p[0]: the power of the step
    size, see `stepsize.visit`.
    """
    q = tables[0]
    best = discounted_best(q, t)
    for k in range(q.shape[1]):
        step = visit(tables[1], t.observation, k, p[0])
        update(q, t.observation, k, t.column[k] + best, q.dtype.type(step))


def draw_explore(u: int, p: Any, actions: int, real: Any) -> Any:
    """Return the signal of epsilon-greedy choice, see `choice.explore`; p[2]: epsilon."""
    return explore(u, p[2], actions, real)


def choose_greedy(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return the action to explore or, if the signal is GREEDY, the greedy action of q[o]."""
    return epsilon_greedy(tables[0][o], signal)


def policy_epsilon(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the probabilities of the epsilon-greedy policy at o into `out`, (A,) float64.

    Every action has epsilon / A, the greedy one 1 - epsilon more; epsilon is the probability of
    exploring that `explored` returns for p[2].
    """
    row = tables[0][o]
    share = explored(p[2])
    for a in range(len(row)):
        out[a] = share / len(row)
    out[argmax(row)] += 1.0 - share


def draw_unit(u: int, p: Any, actions: int, real: Any) -> Any:
    """Return the random word as a number in [0, 1) of type `real`."""
    return unit(u, real)


def choose_softmax(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the softmax of q[o].

    p[2]: the temperature, above 0; signal: a number in [0, 1).
    """
    q = tables[0]
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], p[2], q.dtype.type, weights)
    return sample(weights, q.dtype.type(signal))


def policy_softmax(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the softmax of q[o] into `out`, (A,) float64; p[2]: the temperature, above 0."""
    q = tables[0]
    weights = np.empty(q.shape[1], q.dtype)
    softmax_weights(q[o], p[2], q.dtype.type, weights)
    total = 0.0
    for a in range(len(weights)):
        total += float(weights[a])
    for a in range(len(weights)):
        out[a] = float(weights[a]) / total
