"""Random draws from random words, the 31-bit integers u of the contract.

Every function takes one word, and returns the same bits interpreted and compiled. Draws from a
distribution are its quantiles at `number(u)` or `open_number(u)`, so they increase with the word.
"""

from typing import Any

import numpy as np

from fastgames.rules.choice import sample
from fastgames.rules.exponential import exp
from fastgames.rules.logarithm import log
from fastgames.rules.normal import quantile

LARGEST_MEAN = 500.0  # of `poisson`


def number(u: int) -> float:
    """Return the word u as a number in [0, 1).

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).

    Returns
    -------
    float
        u / 2^31, float64.
    """
    return u * 2.0**-31


def below(u: int, n: int) -> int:
    """Return a whole number in [0, n).

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    n : int
        Number of outcomes, in [1, 2^31).

    Returns
    -------
    int
        floor(u n / 2^31). All outcomes have the same probability up to n / 2^31.
    """
    return (u * n) >> 31


def coin(u: int) -> int:
    """Return 0 or 1 with equal probability.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).

    Returns
    -------
    int
        The highest bit of the word.
    """
    return u >> 30


def happens(u: int, probability: float) -> bool:
    """Return whether an event of the given probability occurs.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    probability : float
        Probability of the event, in [0, 1].

    Returns
    -------
    bool
        u / 2^31 < probability, in float64.
    """
    return u * 2.0**-31 < probability


def open_number(u: int) -> float:
    """Return the word u as a number in (0, 1), symmetric around 1/2.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).

    Returns
    -------
    float
        (u + 1/2) / 2^31, float64 and exact.
    """
    return (u + 0.5) * 2.0**-31


def uniform(u: int, low: float, high: float) -> float:
    """Return a number that is uniformly distributed on [low, high).

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    low, high : float
        Ends of the interval, low < high; high - low is finite.

    Returns
    -------
    float
        low + (high - low) u / 2^31, float64; low if that rounds to high.

    Notes
    -----
    There are 2^31 numbers, (high - low) / 2^31 apart. `number` is the draw on [0, 1).

    Examples
    --------
    >>> uniform(2**30, -1.0, 3.0)
    1.0
    """
    x = np.float64(low) + (np.float64(high) - np.float64(low)) * number(u)
    return float(x if x < high else np.float64(low))


def integer(u: int, low: int, high: int) -> int:
    """Return a whole number in [low, high], both ends included.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    low, high : int
        Smallest and largest number; high - low in [0, 2^31).

    Returns
    -------
    int
        low + floor(u n / 2^31) with n = high - low + 1.

    Notes
    -----
    The probabilities differ by at most 2^-31, which is n / 2^31 of 1 / n: one word is too coarse
    where n is near 2^31.

    Examples
    --------
    >>> [integer(u, 1, 6) for u in (0, 2**30, 2**31 - 1)]
    [1, 4, 6]
    """
    return low + below(u, high - low + 1)


def categorical(u: int, weights: Any) -> int:
    """Return an index with probabilities proportional to the weights.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    weights : array (n,)
        Non-negative float64, used as given; their sum is positive.

    Returns
    -------
    int
        The number of k < n - 1 with c_k <= c_{n-1} u / 2^31, where c_k are the running sums of the
        weights in index order.

    Notes
    -----
    Probabilities are multiples of 2^-31: an outcome of a smaller probability occurs with
    probability 2^-31 or never.

    Examples
    --------
    >>> weights = np.array([1.0, 2.0, 1.0])
    >>> [categorical(u, weights) for u in (0, 2**29, 2**31 - 1)]
    [0, 1, 2]
    """
    return sample(weights, number(u))


def normal(u: int, mean: float, deviation: float) -> float:
    """Return a normally distributed number.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    mean : float
        Mean.
    deviation : float
        Standard deviation, at least 0.

    Returns
    -------
    float
        mean + deviation z, float64, where z is the quantile of the standard normal distribution at
        (u + 1/2) / 2^31, with a relative error of about 1e-15.

    Notes
    -----
    |z| is at most 6.23, and there are 2^31 values: one word is too coarse for rarer events. The sum
    of two draws from two words, each with deviation / sqrt(2), has finer steps and longer tails.

    Source: algorithm AS 241, Wichura (1988), Applied Statistics 37(3).

    Examples
    --------
    >>> round(normal(2**31 * 975 // 1000, 10.0, 2.0), 6)
    13.919928
    """
    return float(np.float64(mean) + np.float64(deviation) * quantile(open_number(u)))


def exponential(u: int, mean: float) -> float:
    """Return an exponentially distributed number.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    mean : float
        Mean, at least 0.

    Returns
    -------
    float
        -mean log(1 - p) with p = (u + 1/2) / 2^31, float64, in (0, 22.2 mean).

    Notes
    -----
    One word is too coarse for draws above 22.2 means, which have probability 2^-32, and for the
    distances of draws near that.

    Examples
    --------
    >>> exponential(0, 1.0) > 0.0, round(exponential(2**31 - 1, 1.0), 3)
    (True, 22.181)
    """
    return float(-np.float64(mean) * log(1.0 - open_number(u)))


def poisson(u: int, mean: float) -> int:
    """Return a Poisson-distributed whole number.

    Parameters
    ----------
    u : int
        Random word, in [0, 2^31).
    mean : float
        Mean, in [0, 500].

    Returns
    -------
    int
        The smallest k at which the distribution function is at least (u + 1/2) / 2^31.

    Raises
    ------
    ValueError
        If mean is outside its domain. In a rule or a game it stops the run with a `RuleError`.

    Notes
    -----
    The terms of the distribution function are added from 0, so a draw takes k steps (inversion by
    sequential search: Devroye 1986, Non-Uniform Random Variate Generation, chapter X.3). One word
    is too coarse for outcomes that are less probable than 2^-31. For a larger mean, add draws from
    several words, each with a part of the mean.

    Examples
    --------
    >>> [poisson(u, 3.0) for u in (0, 2**30, 2**31 - 1)]
    [0, 3, 19]
    """
    rate = np.float64(mean)
    if not 0.0 <= rate <= LARGEST_MEAN:
        raise ValueError("mean must be in [0, 500]")
    p = open_number(u)
    probability = exp(-rate, np.float64)
    total = probability
    k = 0
    while total < p:
        k += 1
        probability = probability * (rate / k)
        total = total + probability
    return k
