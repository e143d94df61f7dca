"""Choices in two parts: a random word gives a signal, and the signal gives an action.

The signal depends on the random word and the parameters, never on the tables, so that the compiled
lanes can draw several steps ahead. `u` is the 31-bit word of the contract, u = word >> 1.
"""

import math
from typing import Any

import numpy as np

from fastgames.rules.exponential import exp

GREEDY = -1  # the signal for the greedy action; an int, like actions


def explored(epsilon: float) -> float:
    """Return the probability of exploring that `explore` uses for `epsilon`.

    Parameters
    ----------
    epsilon : float
        Probability, in [0, 1].

    Returns
    -------
    float
        floor(epsilon 2^31) / 2^31, float64.
    """
    return math.floor(epsilon * 2147483648.0) / 2147483648.0


def explore(u: int, epsilon: float, actions: int, real: Any) -> int:
    """Return the signal of epsilon-greedy choice: the action to explore, or GREEDY.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31). The agent explores if and only if u <= floor(epsilon 2^31) - 1.
    epsilon : float
        Probability of exploring, in [0, 1]; float64 for either `real`.
    actions : int
        Number of actions A.
    real : type
        numpy.float32 or numpy.float64, the type in which the action is computed.

    Returns
    -------
    int
        An action in [0, A), uniformly distributed given that the agent explores; else GREEDY.
    """
    threshold = math.floor(epsilon * 2147483648.0)
    if u <= threshold - 1:
        return min(actions - 1, int(real(u) * real(actions / threshold)))
    return GREEDY


def unit(u: int, real: Any) -> Any:
    """Return the word u as a number in [0, 1) of type `real`.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    real : type
        numpy.float32 or numpy.float64.

    Returns
    -------
    real
        u / 2^31 in float64, (u >> 7) / 2^24 in float32.
    """
    if real(1.0) + real(1e-12) != real(1.0):
        return real(u) * real(2.0**-31)
    return real(u >> 7) * real(2.0**-24)


def argmax(row: np.ndarray) -> int:
    """Return the index of the largest entry, the lowest one on ties.

    Parameters
    ----------
    row : array (A,)
        Numbers without nan.

    Returns
    -------
    int
        Index in [0, A).
    """
    best = 0
    value = row[0]
    for a in range(1, len(row)):
        if row[a] > value:
            best = a
            value = row[a]
    return best


def largest(row: np.ndarray) -> Any:
    """Return the largest entry.

    Parameters
    ----------
    row : array (A,)
        Numbers without nan.

    Returns
    -------
    number
        The entry, of the type of the row.
    """
    best = row[0]
    for a in range(1, len(row)):
        if row[a] > best:
            best = row[a]
    return best


def epsilon_greedy(row: np.ndarray, signal: Any) -> int:
    """Return the action that an epsilon-greedy signal asks for.

    Parameters
    ----------
    row : array (A,)
        Values of the actions.
    signal : number
        Result of `explore`, as an int or a float: an action, or GREEDY.

    Returns
    -------
    int
        The action to explore, or for GREEDY the greedy action of `row`, the lowest one on ties.
    """
    if signal == GREEDY:
        return argmax(row)
    return int(signal)


def sample(weights: np.ndarray, x: Any) -> int:
    """Return an index sampled with probabilities proportional to the weights.

    Parameters
    ----------
    weights : array (A,)
        Non-negative weights, used as given; their sum is positive.
    x : real
        Random number in [0, 1), of the type of the weights.

    Returns
    -------
    int
        The number of k < A - 1 with c_k <= x c_{A-1}, where c_k are the running sums of the weights
        in index order.
    """
    total = weights[0]
    for k in range(1, len(weights)):
        total = total + weights[k]
    limit = x * total
    index = 0
    c = weights[0]
    for k in range(len(weights) - 1):
        if c <= limit:
            index += 1
        c = c + weights[k + 1]
    return index


def softmax_weights(row: np.ndarray, temperature: float, real: Any, out: np.ndarray) -> None:
    """Write the softmax weights exp((row - max row) / temperature) into `out`.

    Parameters
    ----------
    row : array (A,)
        Values of the actions, of type `real`.
    temperature : float
        Temperature, above 0; it is rounded to `real`.
    real : type
        numpy.float32 or numpy.float64, the type of the arithmetic.
    out : array (A,)
        Modified in place: the weights, not normalised, in [0, 1]; the largest is 1.
    """
    best = largest(row)
    for a in range(len(row)):
        out[a] = exp((row[a] - best) / real(temperature), real)
