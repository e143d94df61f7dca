"""Tables, rules and base classes of learners: the interface between learners and the engine."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastgames._common import checks
from fastgames.games import Game
from fastgames.schedules import Numeric, _Frozen, numeric

DIMENSIONS = ("observations", "actions", "agents", "others_actions", "joint_actions",
              "joint_observations")  # fmt: skip
KINDS = ("real", "int64")


@dataclass(frozen=True, eq=False)
class Table(_Frozen):
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
                checks.whole(f"a dimension {where}", dim, 1, 2**31 - 1)
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


@dataclass(frozen=True)
class Rules:
    """The rules of a learner; `fastgames.rules.qlearning` describes their form.

    Parameters
    ----------
    parameters : tuple of str
        Names of the entries of p, in order. The value of the next observation is multiplied by the
        parameter "gamma", or by the game's discount if there is none.
    tables : tuple of Table
        Tables in order. The first is (observations, actions); the agent prefers the action with the
        largest entry in it. `greedy`, flips and `Stable` use this preference.
    draw, choose, learn, policy : function
        The rules; `draw` and `policy` may be None.
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
    team : bool
        One learner controls all agents that have it. `learn(tables, p, t)` then takes, for every
        table, a tuple of the members' arrays or the array that they share, and a `TeamOutcome`.
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
    team: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables, in order."""
        return tuple(table.name for table in self.tables)


class AnyLearner(Protocol):
    """The protocol of learners: a frozen dataclass of the parameters."""

    @property
    def name(self) -> str:
        """Kind of learner, as named in files and on the command line."""

    @property
    def learns(self) -> bool:
        """True if the tables change."""

    @property
    def table(self) -> str:
        """Name of the first table of the rules, by which the learner chooses."""

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""


@dataclass(frozen=True, eq=False)
class RuleLearner(_Frozen, ABC):
    """The base class of learners that are defined by their rules.

    A subclass defines the domains of its numeric fields (`domains`) and its rules (`rules`). The
    parameters of the rules are its fields; "epsilon" or "temperature" is the field of `explore`.
    The first table starts at the field `initial`, if there is one.
    """

    learns = True
    may_explore_by_itself = False  # True: `explore` may be None

    def __post_init__(self) -> None:
        from fastgames.learners.explore import EpsilonGreedy, Softmax

        for name, domain in self.domains().items():
            value = getattr(self, name)
            if not (name == "gamma" and value is None):
                object.__setattr__(self, name, numeric(name, value, domain))
        explore = getattr(self, "explore", None)
        itself = explore is None and self.may_explore_by_itself
        if hasattr(self, "explore") and not (
            itself or isinstance(explore, EpsilonGreedy | Softmax)
        ):
            raise TypeError(f"explore must be an EpsilonGreedy or a Softmax, got {explore!r}")
        if hasattr(self, "initial"):
            object.__setattr__(self, "initial", initial_of(self.initial))

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, such as {"alpha": "(0, 1]"}."""
        return {}

    @property
    @abstractmethod
    def rules(self) -> Rules:
        """Rules of this learner."""

    @property
    def table(self) -> str:
        """Name of the first table, whose largest entry is the preferred action."""
        return self.rules.tables[0].name

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        out: dict[str, Numeric] = {}
        for name in self.rules.parameters:
            inside = name in ("epsilon", "temperature") and not hasattr(self, name)
            value = getattr(self.explore if inside else self, name)  # type: ignore[attr-defined]
            out[name] = discount if name == "gamma" and value is None else value
        return out

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        actions = game.num_actions[agent]
        out = {table.name: table.start(actions) for table in self.rules.tables}
        if hasattr(self, "initial"):
            out[self.table] = np.asarray(self.initial)
        return out


def initial_of(value: Any) -> float | np.ndarray:
    """Return the checked initial values of a table: a float or a read-only float64 array.

    value: finite, broadcastable to (replicas, observations, actions)
    """
    array = checks.finite_array("initial", value)
    if array.ndim > 3:
        raise ValueError(
            f"initial must broadcast to (replicas, observations, actions), got shape {array.shape}"
        )
    array.setflags(write=False)
    return float(array) if array.ndim == 0 else array
