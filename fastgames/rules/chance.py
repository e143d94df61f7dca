"""What a game makes of nature's words, the 31-bit u of the contract."""


def number(u):
    """A number in [0, 1), float64."""
    return u * 2.0**-31


def below(u, n):
    """A whole number in [0, n), n < 2^31; each as likely as the others up to n / 2^31."""
    return (u * n) >> 31


def coin(u):
    """0 or 1."""
    return u >> 30


def happens(u, probability):
    """Whether something of this probability happens."""
    return u * 2.0**-31 < probability
