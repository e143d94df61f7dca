"""The rules compiled by Numba, to call from your own jitted loops.

Every module of `fastgames.rules` is here once more, with its functions compiled: `jit.streams`,
`jit.choice`, `jit.qlearning` and so on. They become a part of the loop that calls them.

>>> from fastgames import jit
>>> import numpy as np
>>> @jit.njit
... def a_word(seed, replica, role):
...     stream = np.empty(4, np.uint32)
...     jit.streams.start(seed, 0, replica, role, stream)
...     return jit.streams.next_word(stream)
>>> int(a_word(7, 0, 1))
2997349356

`jit.rules` gives what a learner does, with its parameters and tables, `jit.game` the functions of a
game. `jit.njit` keeps on disk what it compiles; `numba.njit` serves as well, but its `cache=True`
does not see that fastgames was upgraded. Numba is imported with this package, and only here.
"""

from typing import TYPE_CHECKING

from fastgames._common.interrupt import interrupts

with interrupts(0):  # half an import of Numba would break the next
    import numba  # noqa: F401

# isort: split
from fastgames.compiler.cache import njit
from fastgames.compiler.compile import compiled
from fastgames.errors import CompileError
from fastgames.jit.embed import GameFunctions, LearnerRules, game, rules
from fastgames.jit.namespaces import namespace
from fastgames.rules.outcome import Outcome, TeamOutcome

if TYPE_CHECKING:
    from fastgames.rules import (
        cells,
        chance,
        choice,
        coma,
        exp3,
        exponential,
        fictitious,
        fixed,
        hedge,
        hill_climbing,
        hyperbolic,
        hysteretic,
        lenient,
        listing,
        logarithm,
        minimax,
        mixed,
        nature,
        outcome,
        qlearning,
        regret,
        roots,
        sarsa,
        schedules,
        stepsize,
        streams,
        sums,
        value_decomposition,
        zero_sum,
    )

__all__ = [
    "CompileError",
    "GameFunctions",
    "LearnerRules",
    "Outcome",
    "TeamOutcome",
    "cells",
    "chance",
    "choice",
    "coma",
    "compiled",
    "exp3",
    "exponential",
    "fictitious",
    "fixed",
    "game",
    "hedge",
    "hill_climbing",
    "hyperbolic",
    "hysteretic",
    "lenient",
    "listing",
    "logarithm",
    "minimax",
    "mixed",
    "nature",
    "njit",
    "outcome",
    "qlearning",
    "regret",
    "roots",
    "rules",
    "sarsa",
    "schedules",
    "stepsize",
    "streams",
    "sums",
    "value_decomposition",
    "zero_sum",
]

if not TYPE_CHECKING:
    for _name in __all__:
        if _name.islower() and _name not in globals():
            globals()[_name] = namespace(_name)
