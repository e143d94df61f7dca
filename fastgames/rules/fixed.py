"""A fixed policy, which samples from its table and never learns; form as in `qlearning`."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import sample, unit

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def draw(u: int, p: Any, actions: int, real: Any) -> Any:
    """Return the random word as a number in [0, 1) of type `real`."""
    return unit(u, real)


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the policy, row o of tables[0]; signal: in [0, 1)."""
    probabilities = tables[0]
    return sample(probabilities[o], probabilities.dtype.type(signal))


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Do nothing: the policy is fixed."""


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the normalised probabilities of row o of tables[0] into `out`, (A,) float64."""
    row = tables[0][o]
    total = 0.0
    for a in range(len(row)):
        total += float(row[a])
    for a in range(len(row)):
        out[a] = float(row[a]) / total
