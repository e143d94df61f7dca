"""Fictitious play: Brown, Iterative Solution of Games by Fictitious Play (1951).

Tables are (payoffs, plays), both (observations, actions): the sum of payoffs that every own action
would have earned against the others' past actions, of the type of the run; and the number of times
that it was played, int64. There are no random words and no parameters.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import argmax

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """The best reply to what the others did so far, the lowest index on ties."""
    return argmax(tables[0][o])


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """payoffs[o, k] += column[k] for every own action k, and count the play."""
    payoffs, plays = tables
    o = t.observation
    for k in range(payoffs.shape[1]):
        payoffs[o, k] = payoffs[o, k] + t.column[k]
    plays[o, t.action] += 1


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """All on the best reply."""
    for a in range(len(out)):
        out[a] = 0.0
    out[argmax(tables[0][o])] = 1.0
