"""Names of this package and the modules that define them; made by `make names`, do not edit."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .catalogue.bar_problem import bar_problem
    from .catalogue.battle_of_the_sexes import battle_of_the_sexes
    from .catalogue.biased_rock_paper_scissors import biased_rock_paper_scissors
    from .catalogue.chicken import chicken
    from .catalogue.climbing import climbing
    from .catalogue.coin_game import coin_game
    from .catalogue.coordination import coordination
    from .catalogue.cournot import cournot
    from .catalogue.el_farol import el_farol
    from .catalogue.first_price_auction import first_price_auction
    from .catalogue.grid_game import grid_game
    from .catalogue.homogeneous_bertrand import homogeneous_bertrand
    from .catalogue.jordan import jordan
    from .catalogue.klein import klein
    from .catalogue.linear_bertrand import linear_bertrand
    from .catalogue.logit_bertrand import logit_bertrand
    from .catalogue.matching_pennies import matching_pennies
    from .catalogue.merge import merge
    from .catalogue.noisy_climbing import noisy_climbing
    from .catalogue.penalty import penalty
    from .catalogue.prisoners_dilemma import prisoners_dilemma
    from .catalogue.public_goods import public_goods
    from .catalogue.pursuit import pursuit
    from .catalogue.qtran import qtran
    from .catalogue.rock_paper_scissors import rock_paper_scissors
    from .catalogue.second_price_auction import second_price_auction
    from .catalogue.shapley import shapley
    from .catalogue.soccer import soccer
    from .catalogue.stag_hunt import stag_hunt
    from .catalogue.supervisor import supervisor
    from .catalogue.traders import traders
    from .catalogue.traffic import traffic
    from .catalogue.two_step import two_step

MODULES = {
    "matching_pennies": "catalogue.matching_pennies",
    "rock_paper_scissors": "catalogue.rock_paper_scissors",
    "biased_rock_paper_scissors": "catalogue.biased_rock_paper_scissors",
    "prisoners_dilemma": "catalogue.prisoners_dilemma",
    "stag_hunt": "catalogue.stag_hunt",
    "chicken": "catalogue.chicken",
    "battle_of_the_sexes": "catalogue.battle_of_the_sexes",
    "coordination": "catalogue.coordination",
    "climbing": "catalogue.climbing",
    "penalty": "catalogue.penalty",
    "shapley": "catalogue.shapley",
    "jordan": "catalogue.jordan",
    "public_goods": "catalogue.public_goods",
    "logit_bertrand": "catalogue.logit_bertrand",
    "linear_bertrand": "catalogue.linear_bertrand",
    "homogeneous_bertrand": "catalogue.homogeneous_bertrand",
    "cournot": "catalogue.cournot",
    "first_price_auction": "catalogue.first_price_auction",
    "second_price_auction": "catalogue.second_price_auction",
    "klein": "catalogue.klein",
    "grid_game": "catalogue.grid_game",
    "two_step": "catalogue.two_step",
    "soccer": "catalogue.soccer",
    "pursuit": "catalogue.pursuit",
    "el_farol": "catalogue.el_farol",
    "coin_game": "catalogue.coin_game",
    "traffic": "catalogue.traffic",
    "bar_problem": "catalogue.bar_problem",
    "merge": "catalogue.merge",
    "noisy_climbing": "catalogue.noisy_climbing",
    "supervisor": "catalogue.supervisor",
    "traders": "catalogue.traders",
    "qtran": "catalogue.qtran",
}

__all__ = [
    "bar_problem",
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
    "matching_pennies",
    "merge",
    "noisy_climbing",
    "penalty",
    "prisoners_dilemma",
    "public_goods",
    "pursuit",
    "qtran",
    "rock_paper_scissors",
    "second_price_auction",
    "shapley",
    "soccer",
    "stag_hunt",
    "supervisor",
    "traders",
    "traffic",
    "two_step",
]
