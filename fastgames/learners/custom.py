"""Learners made of users' own functions."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.frozen import Frozen
from fastgames._common.later import cached
from fastgames.functions.source import Source
from fastgames.games import Game
from fastgames.learners.base import RuleLearner
from fastgames.learners.rules import ASKS, Rules, Table, takes_situation
from fastgames.schedules import Numeric, numeric

MOST_PARAMETERS = 16  # MAX_PARAMETERS in src_cy/block.pxi
_FLAGS = ("counterfactual", "joint")  # names of `ASKS` that have a field of their own
_FORMS = {
    "draw": ("u", "p", "actions", "real"),
    "choose": ("tables", "p", "o", "signal"),
    "learn": ("tables", "p", "t"),
    "policy": ("tables", "p", "o", "out"),
}


@dataclass(frozen=True, eq=False)
class Learner(RuleLearner):
    """A learner made of plain functions, in the form of the rules in `fastgames.rules`.

    It runs interpreted on backend="reference" and compiled on "numba" and "auto", with the same
    bits. Numbers, tuples and arrays that the functions use from outside are constants. Plain
    functions that they call, including those of `fastgames.rules`, are compiled as well.

    Parameters
    ----------
    choose : function (tables, p, o, signal) -> action
        Returns the action, a whole number in [0, A) of any type. tables: a tuple of this agent's
        arrays, read-only; p: a tuple of the parameters' values, of the type of the tables; o: the
        observation; signal: the result of `draw` in this step. A function with a fifth parameter s
        also receives a `fastgames.rules.outcome.Situation`, with `s.agent` and `s.step`. Floats
        written in `choose` and `learn` have the type of the tables as well.
    learn : function (tables, p, t)
        Modifies the tables in place; they must stay finite. t: a
        `fastgames.rules.outcome.Outcome`, read-only. The target of one-step learning is
        `t.gain + t.weight * value`, with the value of `t.next_observation`, 0 if `t.ended`. Returns
        and traces stop at `t.ended or t.truncated`. For a team, t is a `TeamOutcome`, and every
        entry of tables is a tuple of the members' arrays or the array that they share.
    parameters : mapping of names to numbers, schedules or arrays (replicas,)
        The entries of p, in order. "gamma" may be None: the game's discount. Without "gamma",
        `t.weight` uses the game's discount.
    tables : sequence of Table
        The first has dims ("observations", "actions"); the agent prefers the action with the
        largest entry in a row of it.
    draw : function (u, p, actions, real) -> signal, optional
        Returns the signal of a random word. u: an int in [0, 2^31); with several `words` a tuple,
        and `draw` returns a tuple of as many signals. real: the type of the tables, np.float64 or
        np.float32. p: float64, here and in `policy`. `fastgames.rules.chance` turns words into
        random draws. Default: the word as a number in [0, 1).
    policy : function (tables, p, o, out), optional
        Writes the probabilities of the actions into `out`, for `result.policy`; tables are
        read-only.
    words : int
        Number of random words drawn in every step, in [0, 64].
    counterfactual : bool
        Provide the rewards that each own action would have received (`t.column`). In games with
        turns each move of the agent (of its team) must be followed by its own next move or by the
        end of the episode, unless it asks for "steps".
    joint : bool
        Provide the actions and rewards of all agents (`t.actions`, `t.rewards`, `t.others`). Must
        be False for a team, whose `TeamOutcome` has those of the members.
    team : bool
        One learner controls all agents that have it.
    name : str
        The name of the learner in files and messages.
    label : str
        Distinguishes teams that are otherwise equal.
    asks : sequence of str
        What else the functions are told: "counterfactual" and "joint", which set these flags;
        "cuts": `learn` is also called for moves that a time limit cuts before the agent's next
        turn, with `t.next_observation` -1; "steps": in games with turns `learn` is called for every
        step, whether the agent moves or not (`t.moves`); "opponents": the tables of all other
        agents, read-only (`t.opponents`, `s.opponents`); "mediator": a random word that is the same
        for all agents in a step (`t.word`, `s.word`).

    Raises
    ------
    TypeError, ValueError
        If an argument is outside of its domain, or if a function uses more than its arguments and
        constants.

    Notes
    -----
    Random numbers and clocks from outside, state outside of the tables, and functions that return
    other bits when compiled (`np.exp`, `np.sum`) are rejected; see "What a rule may use" on the
    site. A learner is a snapshot of its functions. After a change of a constant or a function that
    they use, `fastgames.run` rejects the learner; create a new one. An error in a function stops
    the run with a `RuleError`; see `checked` of `fastgames.run`.

    Examples
    --------
    >>> import fastgames as fg
    >>> def choose(tables, p, o, signal):
    ...     return 1 if signal < p[0] else 0
    >>> def learn(tables, p, t):
    ...     tables[0][t.observation, t.action] += t.gain
    >>> learner = fg.Learner(choose, learn, parameters={"rate": 1.0})
    >>> result = fg.run(fg.games.chicken(), learner, 5, 2, rng=1, backend="reference")
    >>> result.greedy(0).shape
    (2, 1)
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
    asks: Sequence[str] = ()

    def __post_init__(self) -> None:
        words = checks.whole("words", self.words, "[0, 64]")
        if self.draw is None and words > 1:
            raise ValueError(f"draw must be given if words is above 1, got words = {words}")
        if self.draw is None:
            from fastgames.rules.qlearning import draw_unit

            object.__setattr__(self, "draw", draw_unit)
        for what in _FORMS:
            if getattr(self, what) is not None or what in ("choose", "learn"):
                checks.function(what, getattr(self, what), self._form(what))
        for flag in (*_FLAGS, "team"):
            if not isinstance(getattr(self, flag), bool):
                raise TypeError(f"{flag} must be True or False, got {getattr(self, flag)!r}")
        for text in ("name", "label"):
            if not isinstance(getattr(self, text), str):
                raise TypeError(f"{text} must be a str, got {getattr(self, text)!r}")
        self._check_asks()
        self._check_parameters()
        self._check_tables()
        _ = self.functions  # take the snapshot now
        self._check_functions()
        self._check_visits()

    def _form(self, what: str) -> tuple[str, ...]:
        """Return the names of the arguments of a function."""
        situated = what == "choose" and takes_situation(self.choose)
        return (*_FORMS[what], "s") if situated else _FORMS[what]

    def _check_functions(self) -> None:
        """Raise ValueError or TypeError if a function uses more than arguments and constants."""
        from fastgames.functions.purity import check
        from fastgames.rules.outcome import Outcome, Situation, TeamOutcome

        fields = TeamOutcome._fields if self.team else Outcome._fields
        names = {"p": tuple(self.parameters), "tables": self.plain_rules.names, "t": fields}
        names["s"] = Situation._fields
        for what in _FORMS:
            function = getattr(self, what)
            if function is not None:
                check(what, function, self._form(what), names)

    def _check_asks(self) -> None:
        """Check the names of what the functions ask for; those that have flags set them."""
        if isinstance(self.asks, str) or not isinstance(self.asks, Sequence):
            raise TypeError(
                f'asks must be a sequence of names such as ("opponents",), got {self.asks!r}'
            )
        for name in self.asks:
            checks.one_of("asks", name, ASKS)
        for name in _FLAGS:
            object.__setattr__(self, name, getattr(self, name) or name in self.asks)
        if self.team and self.joint:
            raise ValueError(
                "joint must be False for a team, got True; its TeamOutcome has the actions and "
                "rewards of all members"
            )
        asks = tuple(name for name in ASKS if name in self.asks and name not in _FLAGS)
        object.__setattr__(self, "asks", asks)

    def _check_parameters(self) -> None:
        """Check names and values of the parameters, and convert the values."""
        if not isinstance(self.parameters, Mapping):
            raise TypeError(
                f'parameters must be a mapping such as {{"alpha": 0.1}}, got {self.parameters!r}'
            )
        if len(self.parameters) > MOST_PARAMETERS:
            raise ValueError(
                f"parameters must have at most {MOST_PARAMETERS} entries, "
                f"got {len(self.parameters)}"
            )
        checked: dict[str, Any] = {}
        for name, value in self.parameters.items():
            if not isinstance(name, str) or not name.isidentifier():
                raise ValueError(f"names of parameters must be identifiers, got {name!r}")
            if name == "gamma" and value is None:
                checked[name] = None
                continue
            domain = "[0, 1]" if name == "gamma" else "(-inf, inf)"
            checked[name] = numeric(name, value, domain, visits=True)
        object.__setattr__(self, "parameters", checked)

    def _check_tables(self) -> None:
        """Check the declarations of the tables."""
        tables = tuple(self.tables) if isinstance(self.tables, Sequence) else (self.tables,)
        for table in tables:
            if not isinstance(table, Table):
                raise TypeError(f"tables must be a sequence of Table, got {table!r}")
            if table.shared and not self.team:
                raise ValueError(
                    f"shared of table {table.name!r} must be False unless team=True, got True"
                )
        names = [table.name for table in tables]
        if len(set(names)) != len(names):
            raise ValueError(f"names of tables must be distinct, got {names}")
        if not tables or tables[0].dims != ("observations", "actions") or tables[0].shared:
            raise ValueError(
                'tables[0] must have dims ("observations", "actions") and shared=False, '
                f"got {tables[:1]}"
            )
        if tables[0].kind != "real":
            raise ValueError(f'kind of tables[0] must be "real", got {tables[0].kind!r}')
        object.__setattr__(self, "tables", tables)

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        asked: dict[str, Any] = dict.fromkeys(self.asks, True)
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
            **asked,
        )

    @property
    def table(self) -> str:
        """Name of the first table, whose largest entry is the preferred action."""
        return self.tables[0].name

    @cached
    def functions(self) -> Source:
        """Snapshot of the functions, taken when the learner was created."""
        given = (self.draw, self.choose, self.learn, self.policy)
        return Source(*(function for function in given if function is not None))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the functions and everything that they read, at creation; 64 hex digits."""
        return self.functions.text

    def _key(self) -> tuple[Any, ...]:
        return (
            *(self.name, self.label, self.words, self.counterfactual, self.joint, self.team),
            *((name, _content(x)) for name, x in self.parameters.items()),
            *(table._key() for table in self.tables),
            *((("asks", *self.asks),) if self.asks else ()),  # keys of earlier revisions have none
            self.fingerprint,
        )

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the parameters by name; discount: the game's, in place of None."""
        return {
            name: discount if value is None else value for name, value in self.parameters.items()
        }

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        return {table.name: table.start(game.num_actions[agent]) for table in self.rules.tables}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={reprlib.repr(x)}" for name, x in self.parameters.items())
        return f"<Learner {self.name!r}: {given}; tables {', '.join(self.rules.names)}>"


def _content(value: Any) -> Any:
    """Return a hashable description of a parameter, with all entries of arrays."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    return (type(value).__name__, value._key()) if isinstance(value, Frozen) else value
