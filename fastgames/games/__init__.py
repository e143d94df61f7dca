"""Games: matrix games, Markov games, procedural games, variants of these, and a catalogue.

>>> from fastgames.games import make, names
>>> "prisoners_dilemma" in names()
True
>>> make("penalty", k=-10).payoffs[0, 0].tolist()
[10.0, 0.0, -10.0]
>>> make("cournot", firms=3).nash.quantities
array([9., 9., 9.])
"""

from typing import TYPE_CHECKING

from fastgames._common.later import later

from . import _names
from .markov import MarkovGame
from .matrix import MatrixGame
from .procedural import ProceduralGame
from .variants import Variants

if TYPE_CHECKING:
    from ._names import *  # noqa: F403
    from .alternating import AlternatingGame
    from .credit import aristocrat_rewards, difference_rewards, shapley_rewards
    from .pricing import Benchmark, MarketGame, PricingGame
    from .procedural_variants import ProceduralVariants
    from .random import random_markov_game
    from .registry import CATALOGUE, make, names
    from .repeated import remember
    from .tabulated import tabulate
else:  # a process uses few games, so modules are imported on first access
    __getattr__, __dir__ = later(
        __name__,
        {
            "alternating": ("AlternatingGame",),
            "credit": ("aristocrat_rewards", "difference_rewards", "shapley_rewards"),
            "pricing": ("Benchmark", "MarketGame", "PricingGame"),
            "procedural_variants": ("ProceduralVariants",),
            "random": ("random_markov_game",),
            "registry": ("CATALOGUE", "make", "names"),
            "repeated": ("remember",),
            "tabulated": ("tabulate",),
        },
        index=_names.MODULES,
    )

Game = MatrixGame | MarkovGame | ProceduralGame | Variants

__all__ = [
    "CATALOGUE",
    "AlternatingGame",
    "Benchmark",
    "Game",
    "MarketGame",
    "MarkovGame",
    "MatrixGame",
    "PricingGame",
    "ProceduralGame",
    "ProceduralVariants",
    "Variants",
    "aristocrat_rewards",
    "difference_rewards",
    "make",
    "names",
    "random_markov_game",
    "remember",
    "shapley_rewards",
    "tabulate",
]
__all__ += _names.__all__
