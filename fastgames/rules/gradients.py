"""Softmax policies of logits, mixed with uniform play, and gradient steps of them.

`tables.logits` is (observations, actions); `p.epsilon` is the share of uniform play. Form of the
rules as in `qlearning`.
"""

from typing import Any

import numpy as np

from fastgames.rules.choice import largest, sample
from fastgames.rules.exponential import exp


def softmax(logits: np.ndarray, out: np.ndarray) -> None:
    """Write exp(logits) / sum exp(logits) into `out`, both (A,), modified in place."""
    real = logits.dtype.type
    best = largest(logits)
    total = real(0.0)
    for a in range(len(out)):
        below = logits[a] - best
        out[a] = real(1.0) if below == real(0.0) else exp(below, real)  # exp(0) is 1
        total = total + out[a]
    for a in range(len(out)):
        out[a] = out[a] / total


def mixed(chance: Any, epsilon: float, actions: int, real: Any) -> Any:
    """Return the probability of an action whose softmax is `chance`, mixed with uniform play."""
    return (real(1.0) - real(epsilon)) * chance + real(epsilon) / real(actions)


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the policy of observation o."""
    logits = tables.logits
    real = logits.dtype.type
    actions = logits.shape[1]
    chances = np.empty(actions, logits.dtype)
    softmax(logits[o], chances)
    for a in range(actions):
        chances[a] = mixed(chances[a], p.epsilon, actions, real)
    return sample(chances, real(signal))


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the softmax of logits[o], mixed with uniform play, into `out` (A,)."""
    logits = tables.logits
    actions = logits.shape[1]
    chances = np.empty(actions, logits.dtype)
    softmax(logits[o], chances)
    for a in range(actions):
        out[a] = mixed(float(chances[a]), p.epsilon, actions, np.float64)


def climb(logits: np.ndarray, chances: np.ndarray, a: int, epsilon: float, step: Any) -> None:
    """Add step times the gradient of log pi(a) to the logits; all (A,), logits in place.

    d log pi(a) / d logits[b] = share ((1 if b is a else 0) - chances[b]). `share` is the part of
    pi(a) that is not exploration: 1 for epsilon = 0.
    """
    real = logits.dtype.type
    own = (real(1.0) - real(epsilon)) * chances[a]
    share = real(0.0)
    if own > real(0.0):
        share = own / (own + real(epsilon) / real(len(chances)))
    for b in range(len(chances)):
        is_a = real(1.0) if b == a else real(0.0)
        logits[b] = logits[b] + step * share * (is_a - chances[b])


def choose_softmax(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the softmax of logits[o], without uniform play."""
    logits = tables.logits
    chances = np.empty(logits.shape[1], logits.dtype)
    softmax(logits[o], chances)
    return sample(chances, logits.dtype.type(signal))


def policy_softmax(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the softmax of logits[o] into `out` (A,)."""
    logits = tables.logits
    chances = np.empty(logits.shape[1], logits.dtype)
    softmax(logits[o], chances)
    for a in range(len(out)):
        out[a] = chances[a]


def clips(ratio: Any, better: bool, clip: float, real: Any) -> Any:
    """Return whether the clipped objective min(r A, clip(r, 1 - c, 1 + c) A) is constant at r.

    It is if the ratio r of the new to the old probability has gone too far already in the direction
    of the advantage A: above 1 + c if A is positive (`better`), below 1 - c otherwise.
    """
    if better:
        return ratio > real(1.0 + clip)
    return ratio < real(1.0 - clip)
