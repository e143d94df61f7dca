"""The rules compiled by Numba, for use in your own jitted loops.

Every module of `fastgames.rules`, and every module of a learner that defines rules, has a
counterpart here with compiled functions: `jit.streams`, `jit.choice`, `jit.hedge` and so on. Numba
inlines the functions into the loop that calls them, except long ones. The rules of a learner read
tables and parameters by name: pass named tuples, or use `jit.rules`.

>>> from fastgames import jit
>>> import numpy as np
>>> @jit.njit
... def a_word(seed, replica, role):
...     stream = np.empty(4, np.uint32)
...     jit.streams.start(seed, 0, replica, role, stream)
...     return jit.streams.next_word(stream)
>>> int(a_word(7, 0, 1))
2997349356

`jit.rules` returns the compiled rules of a learner with its parameters and tables, and `jit.game`
the compiled functions of a game. `jit.njit` caches compiled code on disk; `numba.njit` works as
well, but its `cache=True` does not detect an upgrade of fastgames. Importing this package imports
Numba; `import fastgames` does not.
"""

from typing import TYPE_CHECKING

from fastgames._common.interrupt import interrupts

with interrupts(0):  # an interrupted import of Numba would break the next import
    import numba  # noqa: F401

# isort: split
from fastgames.compiler.cache import njit
from fastgames.compiler.compile import compiled
from fastgames.errors import CompileError
from fastgames.jit import _names
from fastgames.jit.embed import GameFunctions, LearnerRules, game, rules
from fastgames.jit.namespaces import namespace
from fastgames.rules.outcome import Outcome, Situation, TeamOutcome

if TYPE_CHECKING:
    from fastgames.jit._names import *  # noqa: F403

__all__ = [
    "CompileError",
    "GameFunctions",
    "LearnerRules",
    "Outcome",
    "Situation",
    "TeamOutcome",
    "compiled",
    "game",
    "njit",
    "rules",
]
__all__ += _names.__all__

if not TYPE_CHECKING:
    globals().update({name: namespace(name, where) for name, where in _names.MODULES.items()})
