"""The games that can be made by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .alternating import klein
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
from .cooperative import two_step
from .functions.coin_game import coin_game
from .functions.el_farol import el_farol
from .functions.pursuit import pursuit
from .functions.soccer import soccer
from .functions.traffic import traffic
from .grid import grid_game
from .markov import MarkovGame
from .matrix import MatrixGame
from .pricing import cournot, homogeneous_bertrand, linear_bertrand, logit_bertrand
from .procedural import ProceduralGame

#: Every game of the catalogue, under the name of the function that makes it.
CATALOGUE: dict[str, Callable[..., MatrixGame | MarkovGame | ProceduralGame]] = {
    build.__name__: build
    for build in (
        matching_pennies,
        rock_paper_scissors,
        biased_rock_paper_scissors,
        prisoners_dilemma,
        stag_hunt,
        chicken,
        battle_of_the_sexes,
        coordination,
        climbing,
        penalty,
        shapley,
        jordan,
        public_goods,
        logit_bertrand,
        linear_bertrand,
        homogeneous_bertrand,
        cournot,
        first_price_auction,
        second_price_auction,
        klein,
        grid_game,
        two_step,
        soccer,
        pursuit,
        el_farol,
        coin_game,
        traffic,
    )
}


def names() -> tuple[str, ...]:
    """The names `make` knows."""
    return tuple(CATALOGUE)


def make(name: str, /, **parameters: Any) -> MatrixGame | MarkovGame | ProceduralGame:
    """The game of that name.

    Parameters
    ----------
    name : str
        One of `names()`; hyphens serve for underscores.
    **parameters
        As the function of that name takes them.

    Returns
    -------
    MatrixGame, MarkovGame or ProceduralGame

    Raises
    ------
    TypeError
        If name is not a str, or the game has no such parameter, or one of a wrong type.
    ValueError
        If there is no such game, or a parameter is outside its domain.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a str; it is {name!r}")
    key = name.replace("-", "_")
    if key not in CATALOGUE:
        import difflib  # only for the error: it costs 5 ms at import

        nearest = difflib.get_close_matches(key, CATALOGUE, n=1, cutoff=0.0)
        raise ValueError(
            f"name must be one of {', '.join(CATALOGUE)}; it is {name!r} "
            f"(did you mean {nearest[0]!r}?)"
        )
    import inspect  # likewise

    build = CATALOGUE[key]
    allowed = inspect.signature(build).parameters
    for parameter in parameters:
        if parameter not in allowed:
            raise TypeError(
                f"{key} has no parameter {parameter!r}; "
                f"it takes {', '.join(allowed) or 'no parameters'}"
            )
    return build(**parameters)


def make_again(name: str, parameters: dict[str, Any]) -> MatrixGame | MarkovGame | ProceduralGame:
    """The game of that name, as `made` of a `ProceduralGame` has it."""
    return make(name, **parameters)
