"""From the words of a command line to games, learners, schedules and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from fastgames._common import checks
from fastgames.games import Game, make
from fastgames.learners import AnyLearner, EpsilonGreedy, Softmax
from fastgames.registry import LEARNERS
from fastgames.schedules import Exponential, Linear

NUMBER = "a number, exponential:START,RATE[,FLOOR] or linear:START,END,STEPS"
SCHEDULES = {"exponential": (Exponential, (2, 3)), "linear": (Linear, (3,))}

# Below the options, as written: at most 78 columns wide.


def whole_of(name: str, text: str | None) -> int | None:
    """Return a whole number; None stands for an option that was not given."""
    try:
        return None if text is None else int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, got {text!r}") from None


def times_of(text: str | None) -> int | list[int] | None:
    """Return how many steps lie between two snapshots, or the times of all."""
    if text is None or "," not in text:
        return whole_of("every", text)
    return [whole_of("every", part) or 0 for part in text.split(",")]


def seed_of(text: str | None) -> int | None:
    """Return a seed in [0, 2^64), or None."""
    seed = whole_of("seed", text)
    return None if seed is None else checks.whole("seed", seed, 0, 2**64 - 1)


def sizes_of(text: str | None) -> tuple[int, int] | None:
    """Return the two sizes of a grid."""
    if text is None:
        return None
    sizes = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text)
    if sizes is None:
        raise ValueError(f"grid must be two whole numbers such as 20x20, got {text!r}")
    return int(sizes[1]), int(sizes[2])


def firms_of(text: str | None) -> list[int] | None:
    """Return numbers of firms with commas between them, or None."""
    return None if text is None else [whole_of("firms", part) or 0 for part in text.split(",")]


def game_of(text: str) -> Game:
    """Return a game by its name; parameters follow a colon: penalty:k=-10."""
    name, parameters = split_name("game", text)
    return make(name, **parameters)


def split_name(what: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return a name and the parameters that are given after a colon."""
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{what} must be NAME or NAME:PARAMETER=NUMBER,…, got {text!r}")
        number = float_of(f"{what} parameter {key}", value, "a number")
        whole = value.strip().lstrip("+-").isdigit()
        parameters[key.strip()] = int(value) if whole else number
    return name, parameters


def learners_of(
    game: Game, kinds: list[str], options: Mapping[str, list[str] | None]
) -> list[AnyLearner]:
    """Return a learner for each agent, from options given once or once for each agent."""
    agents = game.num_agents
    named = [split_name("learner", text) for text in each_of("learner", kinds, agents)]
    seats = [kind for kind, _ in named]
    takes = [options_of(checks.one_of("learner", kind, LEARNERS)) for kind in seats]
    given: list[dict[str, str]] = [{} for _ in seats]
    for name, values in options.items():
        for i, value in enumerate(each_of(name, values, agents) if values else []):
            if name in takes[i] and value != "-":
                given[i][name] = value
            elif not any(name in t for t in takes) or (len(values or []) > 1 and value != "-"):
                raise ValueError(
                    f"{name} must go with a learner that has it, got {value!r} for agent {i}, "
                    f"whose learner is {seats[i]!r}"
                )
    return [learner_of(kind, own, texts) for (kind, own), texts in zip(named, given, strict=True)]


def each_of(name: str, values: list[str], agents: int) -> list[str]:
    """Return the texts of an option, one for each agent."""
    if len(values) == 1:
        return values * agents
    if len(values) != agents:
        raise ValueError(
            f"{name} must be given once, or once for each of {agents} agents, "
            f"got {len(values)} times"
        )
    return values


def options_of(kind: str) -> set[str]:
    """Return the options that go with a learner."""
    names = {part.name for part in fields(LEARNERS[kind])}
    return names | ({"epsilon", "temperature"} if "explore" in names else set())


def learner_of(kind: str, own: Mapping[str, Any], texts: Mapping[str, str]) -> AnyLearner:
    """Return a learner from the parameters after its name and the texts of its options."""
    values = dict(own)
    allowed = {part.name for part in fields(LEARNERS[kind])}
    for name in own:
        checks.one_of(f"parameter of {kind!r}", name, sorted(allowed))
        if name in texts:
            raise ValueError(f"{name} of {kind!r} must be given once, got --{name} as well")
    for name, text in texts.items():
        values[name] = floats_of(name, text) if name == "probabilities" else numeric_of(name, text)
    if "epsilon" in values and "temperature" in values:
        raise ValueError(
            "epsilon and temperature must not both be given to one agent, "
            f"got {texts['epsilon']} and {texts['temperature']}"
        )
    explores = any(part.name == "explore" for part in fields(LEARNERS[kind]))
    if explores and "epsilon" in values:
        values["explore"] = EpsilonGreedy(values.pop("epsilon"))
    if "temperature" in values:
        values["explore"] = Softmax(values.pop("temperature"))
    for part in fields(LEARNERS[kind]):
        needed = part.default is MISSING and part.default_factory is MISSING
        if needed and part.name not in values:
            raise ValueError(f"{part.name} must be given for the learner {kind!r}: --{part.name}")
    learner: AnyLearner = LEARNERS[kind](**values)
    return learner


def numeric_of(name: str, text: str) -> float | Exponential | Linear:
    """Return a number or a schedule in the form of NUMBER."""
    kind, colon, rest = text.partition(":")
    if not colon:
        return float_of(name, text, NUMBER)
    schedule, counts = SCHEDULES[checks.one_of(f"schedule of {name}", kind, SCHEDULES)]
    numbers = [float_of(name, part, NUMBER) for part in rest.split(",")]
    if len(numbers) not in counts:
        raise ValueError(f"{name} must be {NUMBER}, got {text!r}")
    value: Exponential | Linear = schedule(*numbers)
    return value


def floats_of(name: str, text: str) -> list[float]:
    """Return numbers with commas between them."""
    return [float_of(name, part, "numbers with commas between them") for part in text.split(",")]


def float_of(name: str, text: str, domain: str) -> float:
    """Return a number; the error says what it must be."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be {domain}, got {text!r}") from None
