"""Rules that several learners and games share; the rules of one learner stand in its file.

`fastgames.rules.qlearning` describes their form.
"""

import importlib
from types import ModuleType

_MOVED = ("coma", "exp3", "fictitious", "hedge", "hill_climbing", "hysteretic", "lenient",
          "minimax", "regret", "sarsa", "value_decomposition")  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    """Return the module of a learner whose rules stood in this package before."""
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    return importlib.import_module(f"fastgames.learners.{name}")
