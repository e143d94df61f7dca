"""Scenarios generated from the registry, for every registered learner and game.

Every learner, with every explorer, step size and option that it takes, plays a small game, a large
one and one with turns; every game of the catalogue is played by Q-learners; each in both types of
the tables, on one thread and on all. bench/README.md lists the scenarios that are left out, with
reasons.
"""

import inspect
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import fastgames as fg
from fastgames import registry

STEPS = 5_000
SIZES = {
    "small": fg.games.matching_pennies,
    "large": partial(fg.games.random_markov_game, 2, 100, 8, rng=1),
    "turns": fg.games.klein,
}
THREADS = {"one": 1, "all": None}
VALUES = {"epsilon": 0.1, "temperature": 1.0}  # values of explorers' parameters without defaults


@dataclass(frozen=True)
class Scenario:
    """A run with a permanent name, under which the history is stored.

    game: function that returns the game; learner: function (game, agent) that returns a learner
    """

    name: str
    game: Callable[[], fg.games.Game]
    learner: Callable[[Any, int], Any]
    dtype: str
    threads: int | None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `fastgames.run`, except replicas."""
        game = _once(self.game)
        return {
            "game": game,
            "learners": [self.learner(game, agent) for agent in range(game.num_agents)],
            "steps": STEPS,
            "dtype": self.dtype,
            "threads": self.threads,
        }


_once = cache(lambda make: make())


def _made(make, **given):
    """Return an explorer or step size; parameters without a default get one of `VALUES`."""
    for name, parameter in inspect.signature(make).parameters.items():
        if parameter.default is parameter.empty and name not in given:
            if name not in VALUES:
                raise ValueError(f"{make.__name__} needs a value for {name}: bench/generated.py")
            given[name] = VALUES[name]
    return make(**given)


def _takes_step_sizes(learner):
    """Return whether the learner's alpha may be one of `registry.STEP_SIZES`."""
    try:
        learner(alpha=next(iter(registry.STEP_SIZES.values()))())
    except TypeError:
        return False
    return True


def _words(learner):
    """Return the choices of each field of a learner that is one of several words."""
    forms = {field.name: field.metadata.get("form") for field in fields(learner)}
    return [
        [("", {}), *((f"{name}_{word}", {name: word}) for word in form.choices[1:])]
        for name, form in forms.items()
        if form is not None and form.choices
    ]


def _kinds():
    """Yield (name, function (game, agent) that returns the learner) for every kind of learner."""
    for name, learner in registry.LEARNERS.items():
        takes = inspect.signature(learner).parameters
        choices = []  # for each parameter: [(word of the name, keyword arguments)]
        if "explore" in takes:
            explorers = registry.EXPLORERS.items()
            choices.append([(word, {"explore": _made(make)}) for word, make in explorers])
            if takes["explore"].default is None:
                choices[-1].append(("", {}))
        if "alpha" in takes and _takes_step_sizes(learner):
            sizes = registry.STEP_SIZES.items()
            choices.append([(word, {"alpha": _made(make)}) for word, make in sizes])
            choices[-1].append(("alpha", {}))  # a number
        options = [option for option, p in takes.items() if p.default is False]
        choices += [[("", {}), (option, {option: True})] for option in options]
        choices += _words(learner)
        for parts in itertools.product(*choices):
            words = [name, *(word for word, _ in parts)]
            given = {key: value for _, more in parts for key, value in more.items()}
            yield "-".join(filter(None, words)), partial(_seated, learner, given)


def _seated(make, given, game, agent):
    """Return a learner for an agent of a game."""
    if hasattr(make, "sample"):
        given = make.sample(game, agent) | given
    elif make is fg.FixedPolicy:  # revisions before `sample`
        given = {"probabilities": np.full(game.num_actions[agent], 1 / game.num_actions[agent])}
    elif make.__name__ == "Exp3":
        given = {"low": -10.0, "high": 10.0}
    return make(**given)


def learner_scenarios() -> list[Scenario]:
    """Return the scenarios of every kind of learner, on games of several sizes."""
    return [
        Scenario(f"{kind}-{size}-{dtype}-{threads}", game, make, dtype, THREADS[threads])
        for kind, make in _kinds()
        for size, game in SIZES.items()
        for dtype in registry.DTYPES
        for threads in THREADS
    ]


def game_scenarios() -> list[Scenario]:
    """Return the scenarios of every game of the catalogue, played by default Q-learners."""
    return [
        Scenario(
            f"{name}-{dtype}-{threads}",
            game,
            lambda game, agent: fg.QLearner(),
            dtype,
            THREADS[threads],
        )
        for name, game in registry.GAMES.items()
        for dtype in registry.DTYPES
        for threads in THREADS
    ]


def excluded() -> dict[str, str]:
    """Return {pattern of names: reason}, the table "Left out" in bench/README.md."""
    _, _, text = Path(__file__).with_name("README.md").read_text().partition("## Left out\n")
    return dict(re.findall(r"^\| `(\S+)` \| (.+) \|$", text, re.MULTILINE))


def included(scenarios: list[Scenario]) -> list[Scenario]:
    """Return the scenarios that no pattern leaves out."""
    return [s for s in scenarios if not any(fnmatchcase(s.name, p) for p in excluded())]
