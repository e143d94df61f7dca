"""Numbers, coins and dice from nature's random words, the 31-bit integers u of the contract."""


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
