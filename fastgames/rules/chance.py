"""Numbers, coins and dice from nature's random words, the 31-bit integers u of the contract."""


def number(u: int) -> float:
    """A number in [0, 1), float64."""
    return u * 2.0**-31


def below(u: int, n: int) -> int:
    """A whole number in [0, n), n < 2^31; each as likely as the others up to n / 2^31."""
    return (u * n) >> 31


def coin(u: int) -> int:
    """0 or 1."""
    return u >> 30


def happens(u: int, probability: float) -> bool:
    """Whether something of this probability happens."""
    return u * 2.0**-31 < probability
