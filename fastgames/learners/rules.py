"""Tables and rules, as learners declare them to the engine."""

import functools
import math
from collections import namedtuple
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.frozen import Frozen
from fastgames._common.light import light_dataclass
from fastgames.games import Game

DIMENSIONS = ("observations", "actions", "agents", "others_actions", "joint_actions",
              "joint_observations")  # fmt: skip
KINDS = ("real", "int64")
ASKS = ("counterfactual", "joint", "cuts", "steps", "opponents", "mediator")  # flags of `Rules`


@dataclass(eq=False, repr=False)
class Table(Frozen):
    """The declaration of a learner's table, of each agent with the learner or of a whole team.

    Parameters
    ----------
    name : str
        An identifier.
    dims : tuple
        Each dimension is an int in [1, 2^31), or "observations" or "actions" (of the agent),
        "agents" (of the game), "others_actions" (joint actions of all other agents of the game).
        For a table that a team shares, "agents", "joint_observations" and "joint_actions" count the
        members of the team.
    kind : "real" or "int64"
        The type of the entries. "real" is the type of the run, float64 or float32.
    initial : float, array or "uniform"
        Initial values, finite, broadcast from the right to (replicas, *dims). "uniform": one over
        the last dimension.
    shared : bool
        The members of the team share one table.

    Raises
    ------
    ValueError, TypeError
        If an argument is outside of its domain.

    Examples
    --------
    >>> import fastgames as fg
    >>> fg.Table("visits", ("observations",), kind="int64").dtype("float32")
    dtype('int64')
    """

    name: str
    dims: tuple[str | int, ...] = ("observations", "actions")
    kind: str = "real"
    initial: Any = 0.0
    shared: bool = False

    def _rank(self, field: str) -> int:
        return 1 + len(self.dims)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(f"name of a table must be an identifier, got {self.name!r}")
        where = f"of table {self.name!r}"
        if isinstance(self.dims, str) or not isinstance(self.dims, tuple | list) or not self.dims:
            raise TypeError(f"dims {where} must be a tuple of dimensions, got {self.dims!r}")
        for dim in self.dims:
            if isinstance(dim, str):
                checks.one_of(f"a dimension {where}", dim, DIMENSIONS)
            else:
                checks.whole(f"a dimension {where}", dim, "[1, 2^31)")
        object.__setattr__(self, "dims", tuple(self.dims))
        checks.one_of(f"kind {where}", self.kind, KINDS)
        if not isinstance(self.shared, bool):
            raise TypeError(f"shared {where} must be True or False, got {self.shared!r}")
        if isinstance(self.initial, str):
            checks.one_of(f"initial {where}", self.initial, ("uniform",))
            if isinstance(self.dims[-1], str) and self.dims[-1] != "actions":
                raise ValueError(
                    f'last dimension {where} must be "actions" or a number if initial is '
                    f'"uniform", got {self.dims[-1]!r}'
                )
            return
        initial = checks.finite_array(f"initial {where}", self.initial)
        initial.setflags(write=False)
        object.__setattr__(self, "initial", float(initial) if initial.ndim == 0 else initial)

    def dtype(self, real: str) -> np.dtype[Any]:
        """Return the dtype of the entries in a run with tables of type `real`."""
        return np.dtype("int64" if self.kind == "int64" else real)

    def start(self, actions: int) -> np.ndarray:
        """Return the initial values for an agent with this number of actions."""
        if isinstance(self.initial, str):
            last = self.dims[-1]
            return np.asarray(1.0 / (actions if isinstance(last, str) else last))
        return np.asarray(self.initial)

    def shape(self, game: Game, agent: int, members: tuple[int, ...]) -> tuple[int, ...]:
        """Return the dimensions for an agent of a game; members: its team, including itself."""
        actions, observations = game.num_actions, game.num_observations
        known = {
            "observations": observations[agent],
            "actions": actions[agent],
            "agents": len(members) if self.shared else game.num_agents,
            "others_actions": math.prod(actions) // actions[agent],
            "joint_actions": math.prod(actions[i] for i in members),
            "joint_observations": math.prod(observations[i] for i in members),
        }
        return tuple(known[dim] if isinstance(dim, str) else dim for dim in self.dims)


@functools.cache
def named(kind: str, names: tuple[str, ...]) -> Any:
    """Return the named tuple class of the entries of p or of the tables.

    A name that starts with an underscore or is a keyword is replaced by _0, _1, …
    """
    return namedtuple(kind, names, rename=True)


def takes_situation(choose: Any) -> bool:
    """Return whether a rule `choose` has a fifth parameter, for a `Situation`."""
    return isinstance(choose, FunctionType) and choose.__code__.co_argcount == 5


@light_dataclass(frozen=True)
class Rules(Frozen):
    """The rules of a learner; `fastgames.rules.qlearning` describes their form.

    Parameters
    ----------
    parameters : tuple of str
        Names of the entries of p, in order: p[0] or p.alpha. The value of the next observation is
        multiplied by the parameter "gamma", or by the game's discount if there is none.
    tables : tuple of Table
        Tables in order: tables[0] or tables.q. The first is (observations, actions); the agent
        prefers the action with the largest entry in it. `greedy`, flips and `Stable` use this
        preference.
    draw, choose, learn, policy : function
        The rules; `draw` and `policy` may be None.
        `choose` may take a fifth argument, a `fastgames.rules.outcome.Situation`.
    words : int
        Number of random words drawn in every step. With 1, `draw` takes a word and returns a
        signal. With more, it takes a tuple of words and returns a tuple of as many signals. With 0,
        it is not called and the signal is 0.
    twin : "epsilon_greedy", "softmax", "fixed", "outside" or None
        The built-in compiled passes that choose with the same bits; None: there are none.
    update : "q" or "hysteretic"
        The update of the built-in passes.
    bootstrap : "max", "next" or "expected"
        The value of the next observation: the maximum; the value of the next action ("expected" if
        there is none); or the mean over the current policy.
    defers : bool
        Learn only once the next action is known.
    counterfactual : bool
        Learn from the rewards that each own action would have received.
    joint : bool
        Learn from the actions and rewards of all agents.
    cuts : bool
        Learn also from moves that a time limit cuts before the agent's next turn.
    steps : bool
        In games with turns, learn from every step, whether the agent moves or not.
    opponents : bool
        Read the tables of all other agents.
    mediator : bool
        Read the word that the mediator, role N + 1, draws in every step.
    team : bool
        One learner controls all agents that have it. `learn(tables, p, t)` then takes, for every
        table, a tuple of the members' arrays or the array that they share, and a `TeamOutcome`.
    signals : int, optional
        Number of signals that `draw` returns; as many as words unless given.
    distributions : tuple of str
        Tables whose rows are probabilities of the actions.
    derived : tuple of str
        Tables that follow from the others.
    derive : function (tables, p, observation), or None
        It writes the derived tables of an observation, after others were given.
    learn_in_turns : function (tables, p, t), or None
        It replaces `learn` in games with turns.
    reads : str
        Name of the only table of the opponents that it reads, which must be their first; "": it may
        read all of their tables.
    of_game : tuple of str
        Tables that hold the game: they start as the game says in every call, and are not given.
    """

    parameters: tuple[str, ...]
    tables: tuple[Table, ...]
    draw: Callable[..., Any] | None
    choose: Callable[..., Any]
    learn: Callable[..., Any]
    policy: Callable[..., Any] | None
    words: int = 1
    twin: str | None = None
    update: str = "q"
    bootstrap: str = "max"
    defers: bool = False
    counterfactual: bool = False
    joint: bool = False
    cuts: bool = False
    steps: bool = False
    opponents: bool = False
    mediator: bool = False
    team: bool = False
    signals: int | None = None
    distributions: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    derive: Callable[..., None] | None = None
    learn_in_turns: Callable[..., Any] | None = None
    reads: str = ""
    of_game: tuple[str, ...] = ()

    def in_game(self, game: Game) -> "Rules":
        """Return the rules in a game, which may have turns."""
        if not game.compact.has_turns or self.learn_in_turns is None:
            return self
        return replace(self, learn=self.learn_in_turns)

    @property
    def situated(self) -> bool:
        """True if `choose` takes a `Situation`."""
        return takes_situation(self.choose)

    @property
    def num_signals(self) -> int:
        """Number of signals that `draw` returns."""
        return self.words if self.signals is None else self.signals

    def shown(self, reads: str) -> tuple[Table, ...]:
        """Return the tables that another learner sees, which reads this one; "": any."""
        return tuple(table for table in self.tables if reads in ("", table.name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables, in order."""
        return tuple(table.name for table in self.tables)

    def as_p(self, values: Iterable[Any]) -> Any:
        """Return the values of the parameters as the named tuple that rules take."""
        return named("Parameters", self.parameters)._make(values)

    def as_tables(self, tables: Iterable[Any]) -> Any:
        """Return tables as the named tuple that rules take."""
        return named("Tables", self.names)._make(tables)
