"""Games: `MatrixGame`, `MarkovGame`, `ProceduralGame`, `Variants`, and a catalogue.

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

from .markov import MarkovGame
from .matrix import MatrixGame
from .procedural import ProceduralGame
from .variants import Variants

if TYPE_CHECKING:
    from .alternating import AlternatingGame, klein
    from .auctions import first_price_auction, second_price_auction
    from .catalogue import (
        battle_of_the_sexes,
        biased_rock_paper_scissors,
        chicken,
        climbing,
        coordination,
        jordan,
        matching_pennies,
        penalty,
        prisoners_dilemma,
        public_goods,
        rock_paper_scissors,
        shapley,
        stag_hunt,
    )
    from .catalogue.coin_game import coin_game
    from .catalogue.el_farol import el_farol
    from .catalogue.grid_game import grid_game
    from .catalogue.pursuit import pursuit
    from .catalogue.soccer import soccer
    from .catalogue.traffic import traffic
    from .catalogue.two_step import two_step
    from .pricing import (
        Benchmark,
        MarketGame,
        PricingGame,
        cournot,
        homogeneous_bertrand,
        linear_bertrand,
        logit_bertrand,
    )
    from .random import random_markov_game
    from .registry import CATALOGUE, make, names
    from .repeated import remember
else:  # a process uses few games, so modules are imported on first access
    __getattr__, __dir__ = later(
        __name__,
        {
            "alternating": ("AlternatingGame", "klein"),
            "auctions": ("first_price_auction", "second_price_auction"),
            "catalogue": (
                "battle_of_the_sexes",
                "biased_rock_paper_scissors",
                "chicken",
                "climbing",
                "coordination",
                "jordan",
                "matching_pennies",
                "penalty",
                "prisoners_dilemma",
                "public_goods",
                "rock_paper_scissors",
                "shapley",
                "stag_hunt",
            ),
            "catalogue.coin_game": ("coin_game",),
            "catalogue.el_farol": ("el_farol",),
            "catalogue.grid_game": ("grid_game",),
            "catalogue.pursuit": ("pursuit",),
            "catalogue.soccer": ("soccer",),
            "catalogue.traffic": ("traffic",),
            "catalogue.two_step": ("two_step",),
            "pricing": (
                "Benchmark",
                "MarketGame",
                "PricingGame",
                "cournot",
                "homogeneous_bertrand",
                "linear_bertrand",
                "logit_bertrand",
            ),
            "random": ("random_markov_game",),
            "registry": ("CATALOGUE", "make", "names"),
            "repeated": ("remember",),
        },
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
    "Variants",
    "battle_of_the_sexes",
    "biased_rock_paper_scissors",
    "chicken",
    "climbing",
    "coin_game",
    "coordination",
    "cournot",
    "el_farol",
    "first_price_auction",
    "grid_game",
    "homogeneous_bertrand",
    "jordan",
    "klein",
    "linear_bertrand",
    "logit_bertrand",
    "make",
    "matching_pennies",
    "names",
    "penalty",
    "prisoners_dilemma",
    "public_goods",
    "pursuit",
    "random_markov_game",
    "remember",
    "rock_paper_scissors",
    "second_price_auction",
    "shapley",
    "soccer",
    "stag_hunt",
    "traffic",
    "two_step",
]
