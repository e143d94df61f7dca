"""A fixed policy, which samples from its table and never learns; form as in `qlearning`."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import sample, unit

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def draw(u: int, p: Any, actions: int, real: Any) -> Any:
    """A number in [0, 1)."""
    return unit(u, real)


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Sample from the probabilities of observation o."""
    probabilities = tables[0]
    return sample(probabilities[o], probabilities.dtype.type(signal))


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Nothing."""


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """The probabilities, normalised."""
    row = tables[0][o]
    total = 0.0
    for a in range(len(row)):
        total += float(row[a])
    for a in range(len(row)):
        out[a] = float(row[a]) / total
