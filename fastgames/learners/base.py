"""The base class of learners, and the example on the page of each."""

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from fastgames._common.frozen import Frozen
from fastgames._common.light import light_dataclass
from fastgames.games import Game
from fastgames.learners.fields import Form
from fastgames.learners.rules import Rules
from fastgames.schedules import Numeric, counts_visits


@light_dataclass(frozen=True)
class Example:
    """A run of a learner on its page, and the picture of it.

    game, learner: the code of both; kind, options: of `Result.plot`; record: the code of the
    record, with {every} for the steps between snapshots; says: a sentence about the picture
    """

    game: str
    learner: str
    kind: str = "trajectories"
    steps: int = 20_000
    replicas: int = 200
    record: str = "fg.Record(every={every}, policies=True)"
    options: str = ""
    says: str = ""


class RuleLearner(Frozen, ABC):
    """The base class of learners that are defined by their rules.

    A subclass is one file: its fields with their domains (`parameter`, `exploration`, …), its
    tables and rules (`rules`), and what is said about it. The parameters of the rules are its
    fields; "epsilon" or "temperature" is the field of `explore`, "power" that of a `VisitCount`.
    The first table starts at the field `initial`, if there is one.

    Attributes
    ----------
    name : str
        The learner in files, on the command line and in `fastgames.registry`.
    title, formula : str
        Title and formula (LaTeX) of its page.
    example : Example
        The run that its page shows. A class with an example is registered by `make names`.
    slow : bool
        Compiling it takes long; the quick tests leave out its page.
    batch : tuple of str
        The fields whose product is the number of steps before its first update, at least. A run
        must have as many steps.
    """

    name: str
    title: ClassVar[str]
    formula: ClassVar[str]
    example: ClassVar[Example]
    slow: ClassVar[bool] = False
    batch: ClassVar[tuple[str, ...]] = ()
    learns: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Keep the rules that the class defines as `plain_rules`; `rules` may count visits."""
        super().__init_subclass__(**options)
        if "rules" in cls.__dict__:
            cls.plain_rules = cls.__dict__["rules"]
            cls.rules = property(_counting, doc="Rules of this learner.")  # type: ignore[method-assign,assignment]

    def __post_init__(self) -> None:
        for name, form in self.forms().items():
            object.__setattr__(self, name, form.check(name, getattr(self, name)))
        self._check_visits()

    def _rank(self, field: str) -> int:
        form = self.forms().get(field)
        return 3 if form is not None and form.kind in ("initial", "probabilities") else 1

    def _check_visits(self) -> None:
        """Raise ValueError or TypeError if a parameter that counts visits is not one of `learn`."""
        if self._visits():
            _ = self.rules

    @classmethod
    def sample(cls, game: Game, agent: int) -> dict[str, Any]:
        """Return arguments for tests and benchmarks, where the defaults do not suit the game."""
        return {}

    @classmethod
    def domains(cls) -> dict[str, str]:
        """Return the domain of every numeric field, such as {"alpha": "(0, 1]"}."""
        return {name: form.domain for name, form in cls.forms().items() if form.domain}

    @classmethod
    def forms(cls) -> dict[str, Form]:
        """Return the forms of the fields, by name."""
        parts = fields(cls)
        return {part.name: part.metadata["form"] for part in parts if "form" in part.metadata}

    plain_rules: ClassVar[Any]  # the rules of an instance as its class defines them

    @property
    @abstractmethod
    def rules(self) -> Rules:
        """Rules of this learner."""

    @property
    def table(self) -> str:
        """Name of the first table, whose largest entry is the preferred action."""
        return self.rules.tables[0].name

    @property
    def least_steps(self) -> int:
        """The steps before its first update, at least."""
        return math.prod(getattr(self, name) for name in self.batch)

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        out: dict[str, Numeric] = {}
        for name in self.plain_rules.parameters:
            owner: Any = self
            if not hasattr(self, name):
                owner = self.alpha if name == "power" else self.explore  # type: ignore[attr-defined]
            value = getattr(owner, name)
            out[name] = discount if name == "gamma" and value is None else value
        return out

    def _visits(self) -> dict[str, Any]:
        """Return the parameters that depend on visits, by name, for `counting`."""
        values: dict[str, Any] = self.values(0.0)
        return {name: value for name, value in values.items() if counts_visits(value)}

    def check_team(self, game: Game, team: tuple[int, ...]) -> None:
        """Raise ValueError if these agents cannot be one team; most learners have no conditions."""

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        actions = game.num_actions[agent]
        out = {table.name: table.start(actions) for table in self.rules.tables}
        initial: Any = getattr(self, "initial", None)
        if hasattr(initial, "table"):  # it depends on the game
            out[self.table] = initial.table(game, agent, self.values(game.discount)["gamma"])
        elif initial is not None:
            out[self.table] = np.asarray(initial)
        return out


def _counting(learner: RuleLearner) -> Rules:
    """Return the rules of a learner, which count visits if a parameter depends on them."""
    rules: Rules | None = learner.__dict__.get("_counting_rules")
    if rules is None:
        rules = learner.plain_rules
        visits = learner._visits()
        if visits:
            from fastgames.learners.counting import counting

            rules = counting(rules, visits)
        learner.__dict__["_counting_rules"] = rules
    return rules
