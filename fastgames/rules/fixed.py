"""A fixed policy: it samples from its table and never learns. Same form as `qlearning`."""

from fastgames.rules.choice import sample, unit


def draw(u, p, actions, real):
    """A number in [0, 1)."""
    return unit(u, real)


def choose(tables, p, o, signal):
    """Sample from the probabilities of observation o."""
    probabilities = tables[0]
    return sample(probabilities[o], probabilities.dtype.type(signal))


def learn(tables, p, t):
    """Nothing."""


def policy(tables, p, o, out):
    """The probabilities, normalised."""
    row = tables[0][o]
    total = 0.0
    for a in range(len(row)):
        total += float(row[a])
    for a in range(len(row)):
        out[a] = float(row[a]) / total
