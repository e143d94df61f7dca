"""Catalogue of games by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastgames._common.later import Later

from ._names import MODULES
from .catalogue._declaration import DECLARED, Declaration
from .markov import MarkovGame
from .matrix import MatrixGame
from .procedural import ProceduralGame

#: Functions that make the games of the catalogue, by name.
CATALOGUE: Mapping[str, Callable[..., MatrixGame | MarkovGame | ProceduralGame]] = Later(
    "fastgames.games", MODULES
)


def names() -> tuple[str, ...]:
    """Return the names of the games of the catalogue.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> names()[:2]
    ('matching_pennies', 'rock_paper_scissors')
    """
    return tuple(CATALOGUE)


def make(name: str, /, **parameters: Any) -> MatrixGame | MarkovGame | ProceduralGame:
    """Return the game with the given name and parameters.

    Parameters
    ----------
    name : str
        One of `names()`; hyphens are accepted in place of underscores.
    **parameters
        Parameters of the function of that name.

    Returns
    -------
    MatrixGame, MarkovGame or ProceduralGame

    Raises
    ------
    TypeError
        If name is not a str, if the game has no such parameter, or if a parameter has a wrong type.
    ValueError
        If there is no such game, or a parameter is outside its domain.

    Examples
    --------
    >>> make("penalty", k=-10)
    <MatrixGame 'penalty': 2 agents, (3, 3) actions, cooperative>
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {name!r}")
    key = name.replace("-", "_")
    if key not in CATALOGUE:
        import difflib  # only for the error: it costs 5 ms at import

        nearest = difflib.get_close_matches(key, CATALOGUE, n=1, cutoff=0.0)
        raise ValueError(
            f"name must be one of {', '.join(CATALOGUE)}, got {name!r}; "
            f"did you mean {nearest[0]!r}?"
        )
    import inspect  # not at import, where it costs several ms

    build = CATALOGUE[key]
    allowed = inspect.signature(build).parameters
    for parameter in parameters:
        if parameter not in allowed:
            raise TypeError(
                f"{key} has no parameter {parameter!r}; its parameters are "
                f"{', '.join(allowed) or '()'}"
            )
    return build(**parameters)


def about(name: str) -> Declaration:
    """Return what the game of that name declares, its title for instance.

    Examples
    --------
    >>> about("shapley").title
    "Shapley's game"
    """
    return DECLARED[CATALOGUE[name]]


def make_again(name: str, parameters: dict[str, Any]) -> MatrixGame | MarkovGame | ProceduralGame:
    """Return the game that `made` of a `ProceduralGame` describes."""
    return make(name, **parameters)
