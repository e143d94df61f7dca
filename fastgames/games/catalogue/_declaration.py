"""Declarations of games of the catalogue: title, formula and domains of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastgames._common.light import light_dataclass

_F = TypeVar("_F", bound=Callable[..., Any])


@light_dataclass(frozen=True)
class Declaration:
    """The declaration of a game, which its page and the tests read.

    Parameters
    ----------
    title : str
        Heading of the game's page.
    formula : str
        The payoffs in TeX, for games whose page has no table of them.
    domains : mapping of str to str
        Intervals such as "[2, 20]" of numeric parameters, by name: of those that do not depend on
        other parameters.
    ends : bool
        True if an episode can end before a time limit.
    slow : bool
        True if the example on the game's page takes long.
    """

    title: str
    formula: str
    domains: Mapping[str, str]
    ends: bool
    slow: bool


#: Declarations by the function that makes the game.
DECLARED: dict[Callable[..., Any], Declaration] = {}


def catalogued(
    title: str,
    *,
    formula: str = "",
    domains: Mapping[str, str] | None = None,
    ends: bool = False,
    slow: bool = False,
) -> Callable[[_F], _F]:
    """Return a decorator that declares a game and returns its function unchanged.

    Parameters
    ----------
    title, formula, domains, ends, slow
        As for `Declaration`.

    Examples
    --------
    >>> from fastgames.games import MatrixGame
    >>> @catalogued("Even or odd")
    ... def even_or_odd():
    ...     return MatrixGame([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])
    >>> DECLARED.pop(even_or_odd).title
    'Even or odd'
    """

    def declare(build: _F) -> _F:
        DECLARED[build] = Declaration(title, formula, domains or {}, ends, slow)
        return build

    return declare
