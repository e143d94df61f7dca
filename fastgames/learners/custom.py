"""A learner of your own."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.later import cached
from fastgames.functions.source import Source
from fastgames.games import Game
from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.schedules import Numeric, _Frozen, numeric

MOST_PARAMETERS = 16  # MAX_PARAMETERS in src_cy/block.pxi
_FORMS = {
    "draw": ("u", "p", "actions", "real"),
    "choose": ("tables", "p", "o", "signal"),
    "learn": ("tables", "p", "t"),
    "policy": ("tables", "p", "o", "out"),
}


@dataclass(frozen=True, eq=False)
class Learner(RuleLearner):
    """A learner made of plain functions, in the form of those in `fastgames.rules`.

    It runs on backend="reference", interpreted, and on "numba" and "auto", compiled, with the same
    bits. Numbers, tuples and arrays that the functions take from outside are constants; plain
    functions that they call (those of `fastgames.rules` too) are compiled along. Randomness and
    clocks from outside, state outside of the tables, and functions with other bits compiled than
    interpreted (`np.exp`, `np.sum`) are refused: see "What a rule may use" on the site. A learner
    is what its functions were when it was made: after a change of a constant or of such a function
    a run with it is refused; make it anew. What goes wrong in them stops the run with a
    `RuleError`; see `checked` of `fastgames.run`.

    Parameters
    ----------
    choose : function (tables, p, o, signal) -> action
        tables: a tuple of this agent's arrays, read-only; p: a tuple of the parameters' values, of
        the type of the tables; o: the observation; signal: what `draw` made of this step's word.
        Floats written in `choose` and `learn` are of the type of the tables too. The action is a
        whole number in [0, A), of any type.
    learn : function (tables, p, t)
        Modifies the tables in place; they must stay finite. t: a
        `fastgames.rules.outcome.Outcome`, read-only; `t.gain + t.weight * (what t.next_observation
        is worth, 0 if t.ended)` is the target of one-step learning. For a team a `TeamOutcome`, and
        tables as there is written.
    parameters : mapping of names to numbers, schedules or arrays (replicas,)
        p, in order. "gamma" may be None: the game's discount, which `t.weight` is made of where
        there is no "gamma" at all.
    tables : sequence of Table
        The first is (observations, actions); its largest entry of a row is what the agent prefers.
    draw : function (u, p, actions, real) -> signal, optional
        u: a word, in [0, 2^31), or with several `words` a tuple; then it returns a tuple of as many
        signals. real: the type of the tables, np.float64 or np.float32. p: float64, here and in
        `policy`. Not given: the word as a number in [0, 1).
    policy : function (tables, p, o, out), optional
        Writes the probabilities of the actions into `out`, for `result.policy`; tables are
        read-only.
    words : int
        How many random words it draws in every step.
    counterfactual, joint, team : bool
        Whether it asks for what each of its actions would have got (`t.column`); for what everyone
        did and got (`t.actions`, `t.rewards`, `t.others`); whether one learner holds all the agents
        at which it sits.
    name, label : str
        The label tells two equal teams apart.

    Notes
    -----
    Raises TypeError or ValueError where an argument is outside its domain, and where a function
    uses more than its arguments and constants.
    """

    choose: Callable[..., Any]
    learn: Callable[..., Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = (Table("q"),)
    draw: Callable[..., Any] | None = None
    policy: Callable[..., Any] | None = None
    words: int = 1
    counterfactual: bool = False
    joint: bool = False
    team: bool = False
    name: str = "learner"
    label: str = ""

    def __post_init__(self) -> None:
        words = checks.whole("words", self.words, 0, 64)
        if self.draw is None and words > 1:
            raise ValueError(f"draw must be given where words is {words}")
        if self.draw is None:
            from fastgames.rules.qlearning import draw_unit

            object.__setattr__(self, "draw", draw_unit)
        for what in _FORMS:
            if getattr(self, what) is not None or what in ("choose", "learn"):
                checks.function(what, getattr(self, what), _FORMS[what])
        for flag in ("counterfactual", "joint", "team"):
            if not isinstance(getattr(self, flag), bool):
                raise TypeError(f"{flag} must be True or False, got {getattr(self, flag)!r}")
        for text in ("name", "label"):
            if not isinstance(getattr(self, text), str):
                raise TypeError(f"{text} must be a str, got {getattr(self, text)!r}")
        self._check_parameters()
        self._check_tables()
        _ = self.functions  # as they are now
        self._check_functions()

    def _check_functions(self) -> None:
        """Raise ValueError or TypeError if a function uses more than arguments and constants."""
        from fastgames.functions.purity import check
        from fastgames.rules.outcome import Outcome, TeamOutcome

        fields = TeamOutcome._fields if self.team else Outcome._fields
        names = {"p": tuple(self.parameters), "tables": self.rules.names, "t": fields}
        for what, form in _FORMS.items():
            function = getattr(self, what)
            if function is not None:
                check(what, function, form, names)

    def _check_parameters(self) -> None:
        if not isinstance(self.parameters, Mapping):
            raise TypeError(
                f'parameters must be a mapping such as {{"alpha": 0.1}}, got {self.parameters!r}'
            )
        if len(self.parameters) > MOST_PARAMETERS:
            raise ValueError(
                f"parameters must be at most {MOST_PARAMETERS}, got {len(self.parameters)}"
            )
        checked: dict[str, Any] = {}
        for name, value in self.parameters.items():
            if not isinstance(name, str) or not name.isidentifier():
                raise ValueError(f"parameters must have identifiers as names, got {name!r}")
            if name == "gamma" and value is None:
                checked[name] = None
                continue
            domain = "[0, 1]" if name == "gamma" else "(-inf, inf)"
            checked[name] = numeric(name, value, domain)
        object.__setattr__(self, "parameters", checked)

    def _check_tables(self) -> None:
        tables = tuple(self.tables) if isinstance(self.tables, Sequence) else (self.tables,)
        for table in tables:
            if not isinstance(table, Table):
                raise TypeError(f"tables must be Tables, got {table!r}")
            if table.shared and not self.team:
                raise ValueError(f"table {table.name!r} is shared, but the learner is no team")
        names = [table.name for table in tables]
        if len(set(names)) != len(names):
            raise ValueError(f"tables must have distinct names, got {names}")
        if not tables or tables[0].dims != ("observations", "actions") or tables[0].shared:
            raise ValueError(
                'the first of tables must be an agent\'s own ("observations", "actions"), '
                f"got {tables[:1]}"
            )
        if tables[0].kind != "real":
            raise ValueError(f'the first of tables must be "real", got {tables[0].kind!r}')
        object.__setattr__(self, "tables", tables)

    @cached
    def rules(self) -> Rules:
        """What it does in a step."""
        return Rules(
            parameters=tuple(self.parameters),
            tables=tuple(self.tables),
            draw=self.draw if self.words else None,
            choose=self.choose,
            learn=self.learn,
            policy=self.policy,
            words=self.words,
            counterfactual=self.counterfactual,
            joint=self.joint,
            team=self.team,
        )

    @property
    def table(self) -> str:
        """The name of the table that it prefers by."""
        return self.tables[0].name

    @cached
    def functions(self) -> Source:
        """The source of its functions when the learner was made."""
        given = (self.draw, self.choose, self.learn, self.policy)
        return Source(*(function for function in given if function is not None))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the functions, and of all that they read, when this was made."""
        return self.functions.text

    def _key(self) -> tuple[Any, ...]:
        return (
            *(self.name, self.label, self.words, self.counterfactual, self.joint, self.team),
            *((name, _content(x)) for name, x in self.parameters.items()),
            *(table._key() for table in self.tables),
            self.fingerprint,
        )

    def values(self, discount: float) -> dict[str, Numeric]:
        """Its parameters; `discount`: the game's."""
        return {
            name: discount if value is None else value for name, value in self.parameters.items()
        }

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """What its tables start at, each to be broadcast to (replicas, *its dimensions)."""
        return {table.name: table.start(game.num_actions[agent]) for table in self.tables}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={reprlib.repr(x)}" for name, x in self.parameters.items())
        return f"<Learner {self.name!r}: {given}; tables {', '.join(self.rules.names)}>"


def _content(value: Any) -> Any:
    """A parameter in words that say all of it, in arrays as well."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    return (type(value).__name__, value._key()) if isinstance(value, _Frozen) else value
