"""Options of `fastgames run` for the fields of learners and the parameters of games.

Their help is the first sentence about them in the docstrings.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Annotated, Any

from fastgames._common import checks
from fastgames.cli.show import described
from fastgames.registry import EXPLORERS, GAMES, LEARNERS

LEARNER, GAME = "learner_", "game_"  # prefixes of the arguments of `with_options`


def split_kind(kind: str) -> tuple[str, str]:
    """Return the name of a learner and that of the learner which it uses, "" if there is none.

    Raises ValueError if a name is unknown, or the first learner does not use another one.
    """
    outer, slash, inner = kind.partition("/")
    checks.one_of("learner", outer, LEARNERS)
    if slash:
        checks.one_of(f"learner of {outer!r}", inner, LEARNERS)
        if "learner" not in LEARNERS[outer].forms():
            raise ValueError(f"learner must be a single name for {outer!r}, got {kind!r}")
    return outer, inner


def options_of(kind: str) -> list[str]:
    """Return the options of a learner: its fields, with the parameters of its explorers.

    kind: its name, or both names of a learner that uses another one, such as "self_play/sarsa"
    """
    outer, inner = split_kind(kind)
    if inner:
        return options_of(outer) + options_of(inner)
    names = [name for name, form in LEARNERS[kind].forms().items() if form.kind != "learner"]
    if "explore" not in names:
        return names
    return [x for x in names if x != "explore"] + [
        part.name for explorer in EXPLORERS.values() for part in fields(explorer)
    ]


def option(name: str) -> str:
    """Return the option of a learner's field or a game's parameter, such as "--alpha-actor"."""
    return "--" + name.replace("_", "-")


def option_of_game(name: str) -> str:
    """Return the option of a game's parameter; it starts with --game- if a learner has that name.

    Examples
    --------
    >>> option_of_game("firms"), option_of_game("gamma")
    ('--firms', '--game-gamma')
    """
    taken = {field for kind in LEARNERS for field in options_of(kind)}
    return option(f"game_{name}" if name in taken else name)


def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with the options of learners and games added to its signature.

    command: takes them as keyword arguments, each named by its prefix and name
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    kept = [each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD]
    added = [*_of_learners(), *_of_games()]

    @functools.wraps(command)
    def extended(**given: Any) -> Any:
        return command(**given)

    extended.__signature__ = inspect.Signature([*kept, *added])  # type: ignore[attr-defined]
    extended.__annotations__ = {each.name: each.annotation for each in [*kept, *added]}
    return extended


def _of_learners() -> list[inspect.Parameter]:
    """Return a parameter for each option of the learners."""
    said: dict[str, list[tuple[str, str]]] = {}
    for kind in LEARNERS:
        texts, _ = described(LEARNERS[kind])
        for explorer in EXPLORERS.values():
            texts = described(explorer)[0] | texts
        for name in options_of(kind):
            said.setdefault(name, []).append((kind, texts[name]))
    return [
        _parameter(LEARNER + name, option(name), texts, list[str] | None, "Options of learners")
        for name, texts in said.items()
    ]


def _of_games() -> list[inspect.Parameter]:
    """Return a parameter for each option of the games."""
    said: dict[str, list[tuple[str, str]]] = {}
    for game, make in GAMES.items():
        texts, _ = described(make)
        for name in inspect.signature(make).parameters:
            said.setdefault(name, []).append((game, texts[name]))
    return [
        _parameter(GAME + name, option_of_game(name), texts, str | None, "Options of games")
        for name, texts in said.items()
    ]


def _parameter(
    name: str, flag: str, texts: list[tuple[str, str]], kind: Any, panel: str
) -> inspect.Parameter:
    """Return the parameter of an option; owners with the same description are listed before it.

    texts: the owner, a learner or a game, and its description of the option
    """
    import typer
    from rich.markup import escape

    sentences: dict[str, list[str]] = {}
    for owner, text in texts:
        sentences.setdefault(_first_sentence(text), []).append(owner)
    said = " ".join(f"{', '.join(owners)}: {text}" for text, owners in sentences.items())
    given = typer.Option(
        flag, help=escape(said), metavar="X", rich_help_panel=panel, show_default=False
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind, given],
    )


def _first_sentence(text: str) -> str:
    """Return the first sentence of a description, without its type."""
    body = text.partition(": ")[2]
    found = re.match(r".*?[.;](?=\s|$)", body)
    return (found[0] if found else body).rstrip(".;") + "."


def given_to(prefix: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with a prefix that were given, without the prefix."""
    return {
        name.removeprefix(prefix): value
        for name, value in options.items()
        if name.startswith(prefix) and value not in (None, [])
    }
