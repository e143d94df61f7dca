"""From the words of a command line to games, learners, schedules and numbers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from fastgames._common import checks
from fastgames.cli.options import option, option_of_game, options_of, split_kind
from fastgames.games import Game, make
from fastgames.learners import RuleLearner
from fastgames.record import Record
from fastgames.registry import EXPLORERS, GAMES, INITIALS, LEARNERS, STEP_SIZES
from fastgames.schedules import ByVisits, Exponential, Hyperbolic, Linear, Piecewise

NUMBER = (
    "a number, exponential:START,RATE[,FLOOR], linear:START,END,STEPS, "
    "hyperbolic:START,OFFSET[,POWER], piecewise:STEP,VALUE,STEP,VALUE,…, "
    "constant:STEP,VALUE,STEP,VALUE,…, by_action[=INITIAL]:SCHEDULE, "
    "by_observation[=INITIAL]:SCHEDULE or visits[:POWER]"
)
SCHEDULES = {
    "exponential": (Exponential, (2, 3)),
    "linear": (Linear, (3,)),
    "hyperbolic": (Hyperbolic, (2, 3)),
    "piecewise": (lambda *x: Piecewise(x[::2], x[1::2]), range(2, 2**16, 2)),
    "constant": (lambda *x: Piecewise(x[::2], x[1::2], "constant"), range(2, 2**16, 2)),
}
VISITS = ("by_action", "by_observation")

#: What `--record` may name, by its default: the fields of `Record` without an option of their own.
RECORDS = {
    field.name: field.default
    for field in fields(Record)
    if field.name not in ("every", "tables", "greedy", "policies", "last")
}

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


def records_of(texts: list[str]) -> dict[str, Any]:
    """Return fields of `Record` by name: flags, and path=N."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        checks.one_of("record", name, RECORDS)
        if bool(equals) != (RECORDS[name] is None):
            raise ValueError(f"record must be {form_of(name)}, got {text!r}")
        found[name] = whole_of(name, value) if equals else True
    return found


def form_of(name: str) -> str:
    """Return the form of a name in RECORDS: itself, or with a number."""
    return f"{name}=N" if RECORDS[name] is None else name


def seed_of(text: str | None) -> int | None:
    """Return a seed in [0, 2^64), or None."""
    seed = whole_of("seed", text)
    return None if seed is None else checks.whole("seed", seed, "[0, 2^64)")


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


def game_of(text: str, options: Mapping[str, str]) -> Game:
    """Return a game by its name; parameters follow a colon, penalty:k=-10, or are options."""
    build = GAMES.get(text.partition(":")[0].replace("-", "_"))
    allowed = {} if build is None else inspect.signature(build).parameters
    words = [key for key, parameter in allowed.items() if isinstance(parameter.default, str)]
    name, parameters = split_name("game", text, words)
    for key, value in options.items():
        flag = option_of_game(key)
        if build is not None and key not in allowed:
            raise ValueError(
                f"{flag[2:]} must go with a game that has it, got {value!r} for {name!r}"
            )
        if key in parameters:
            raise ValueError(f"{key} of {name!r} must be given once, got {flag} as well")
        parameters[key] = value.strip() if key in words else value_of(key, value)
    return make(name, **parameters)


def split_name(what: str, text: str, words: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
    """Return a name and the parameters that are given after a colon; words: those that are text."""
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{what} must be NAME or NAME:PARAMETER=NUMBER,…, got {text!r}")
        key = key.strip()
        read = value.strip() if key in words else value_of(f"{what} parameter {key}", value)
        parameters[key] = read
    return name, parameters


def value_of(name: str, text: str) -> Any:
    """Return a number, a list of numbers with commas between them, or true or false."""
    word = text.strip().lower()
    if word in ("true", "false"):
        return word == "true"
    numbers = [
        int(part) if part.strip().lstrip("+-").isdigit() else float_of(name, part, "a number")
        for part in text.split(",")
    ]
    return numbers[0] if len(numbers) == 1 else numbers


def learners_of(
    game: Game, kinds: list[str], options: Mapping[str, list[str]]
) -> list[RuleLearner]:
    """Return a learner for each agent, from options given once or once for each agent."""
    agents = game.num_agents
    named = [split_name("learner", text) for text in each_of("learner", kinds, agents)]
    seats = [kind for kind, _ in named]
    takes = [options_of(kind) for kind in seats]
    given: list[dict[str, str]] = [{} for _ in seats]
    for name, values in options.items():
        for i, value in enumerate(each_of(name, values, agents)):
            if name in takes[i] and value != "-":
                given[i][name] = value
            elif not any(name in t for t in takes) or (len(values) > 1 and value != "-"):
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


def learner_of(kind: str, own: Mapping[str, Any], texts: Mapping[str, str]) -> RuleLearner:
    """Return a learner from the parameters after its name and the texts of its options."""
    kind, inner = split_kind(kind)
    if inner:
        theirs = options_of(inner)
        used = learner_of(inner, _among(own, theirs, True), _among(texts, theirs, True))
        own = _among(own, theirs, False) | {"learner": used}
        texts = _among(texts, theirs, False)
    forms, values = LEARNERS[kind].forms(), dict(own)
    for name in own:
        checks.one_of(f"parameter of {kind!r}", name, sorted(forms))
        if name in texts:
            raise ValueError(f"{name} of {kind!r} must be given once, got {option(name)} as well")
    of_explorers = [part for explorer in EXPLORERS.values() for part in fields(explorer)]
    reads = {part.name: part.metadata.get("kind", "number") for part in of_explorers}
    reads |= {name: form.kind for name, form in forms.items()}
    for name, text in texts.items():
        values[name] = _READ[reads[name]](name, text)
    explorers = {x.parameter: x for x in EXPLORERS.values()} if "explore" in forms else {}
    found = [name for name in explorers if name in values]
    if len(found) > 1:
        raise ValueError(
            f"{' and '.join(found)} must not both be given to one agent, "
            f"got {' and '.join(texts[name] for name in found)}"
        )
    for name in found:
        given = [part.name for part in fields(explorers[name]) if part.name in values]
        values["explore"] = explorers[name](**{part: values.pop(part) for part in given})
    for part in of_explorers:
        if part.name in values and part.name not in forms:
            raise ValueError(f"{part.name} must be given with epsilon, got no {option('epsilon')}")
    for part in fields(LEARNERS[kind]):
        needed = part.default is MISSING and part.default_factory is MISSING
        if needed and part.name not in values:
            raise ValueError(
                f"{part.name} must be given for the learner {kind!r}: {option(part.name)}"
            )
    learner: RuleLearner = LEARNERS[kind](**values)
    return learner


def _among(values: Mapping[str, Any], names: Sequence[str], among: bool) -> dict[str, Any]:
    """Return the values whose names are, or are not, among `names`."""
    return {name: value for name, value in values.items() if (name in names) == among}


def numeric_of(name: str, text: str) -> Any:
    """Return a number, a schedule or a `VisitCount` in the form of NUMBER."""
    kind, colon, rest = text.partition(":")
    if not colon and kind not in STEP_SIZES:
        return float_of(name, text, NUMBER)
    of, _, initial = kind.partition("=")
    if of in VISITS:
        count = whole_of(f"initial of {name}", initial or "0")
        return ByVisits(numeric_of(name, rest), of.removeprefix("by_"), count)
    known: dict[str, Any] = dict(SCHEDULES)
    known |= {key: (size, (0, 1)) for key, size in STEP_SIZES.items()} | dict.fromkeys(VISITS)
    schedule, counts = known[checks.one_of(f"schedule of {name}", kind, known)]
    numbers = [float_of(name, part, NUMBER) for part in rest.split(",")] if rest else []
    if len(numbers) not in counts:
        raise ValueError(f"{name} must be {NUMBER}, got {text!r}")
    return schedule(*numbers)


def initial_of(name: str, text: str) -> Any:
    """Return initial values: a number, one for each action, or a name such as uniform_rivals."""
    if text in INITIALS:
        return INITIALS[text]()
    domain = f"a number, one for each action with commas between them, or {', '.join(INITIALS)}"
    values = [float_of(name, part, domain) for part in text.split(",")]
    return values[0] if len(values) == 1 else values


def flag_of(name: str, text: str) -> bool:
    """Return true or false."""
    return checks.one_of(name, text.lower(), ("true", "false")) == "true"


def floats_of(name: str, text: str) -> list[float]:
    """Return numbers with commas between them."""
    return [float_of(name, part, "numbers with commas between them") for part in text.split(",")]


def float_of(name: str, text: str, domain: str) -> float:
    """Return a number; the error says what it must be."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be {domain}, got {text!r}") from None


_READ: dict[str, Callable[[str, str], Any]] = {  # kind of a field -> function (name, text)
    "number": numeric_of,
    "whole": whole_of,
    "initial": initial_of,
    "flag": flag_of,
    "text": lambda name, text: text,
    "probabilities": floats_of,
}
