"""What the engine needs to know of a learner."""

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
    """A table of a learner: one for every agent that has it, or one for a whole team.

    Parameters
    ----------
    name : str
    dims : tuple
        Each a whole number or one of "observations" and "actions" (the agent's own), "agents" (in
        the game), "others_actions" (joint actions of all other agents in the game); for a table
        that a team shares "agents", "joint_observations" and "joint_actions" (of its members).
    kind : "real" or "int64"
        "real" is the type of the run, float64 or float32.
    initial : float, array or "uniform"
        What it starts at, broadcast from the right to (replicas, *dims); "uniform": one over the
        last dimension.
    shared : bool
        Whether it is the team's.
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
                    f'initial {where} may be "uniform" where the last dimension is "actions" or a '
                    f"number, got {self.dims[-1]!r}"
                )
            return
        initial = checks.finite_array(f"initial {where}", self.initial)
        initial.setflags(write=False)
        object.__setattr__(self, "initial", float(initial) if initial.ndim == 0 else initial)

    def dtype(self, real: str) -> np.dtype[Any]:
        """The type of its entries in a run with tables of type `real`."""
        return np.dtype("int64" if self.kind == "int64" else real)

    def start(self, actions: int) -> np.ndarray:
        """What it starts at for an agent of so many actions."""
        if isinstance(self.initial, str):
            last = self.dims[-1]
            return np.asarray(1.0 / (actions if isinstance(last, str) else last))
        return np.asarray(self.initial)

    def shape(self, game: Game, agent: int, members: tuple[int, ...]) -> tuple[int, ...]:
        """Its dimensions for an agent of a game; members: those of its team, itself included."""
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
    """The rules of a learner (see `fastgames.rules.qlearning` for their form).

    parameters: the names of p, in order; "gamma" is what the next observation's value is
        multiplied by (without it, the game's discount is)
    tables: in order; the first is (observations, actions), and the agent prefers the action whose
        entry there is the largest: that is what `greedy`, flips and `Stable` look at
    words: how many random words it draws at every step. With 1, `draw` gets a word and returns a
        signal; with more, it gets a tuple of words and returns a tuple of as many signals; with 0
        it is not called, and the signal is 0
    twin: how it chooses, by the name of the built-in compiled passes with the same bits, or None:
        "epsilon_greedy", "softmax" or "fixed"
    update: how these learn: "q", or "hysteretic"
    bootstrap: what it takes the next observation to be worth: "max", "next" (the value of its next
        action, "expected" where there is none) or "expected" (the mean over what it plays now)
    defers: whether it learns only once it knows its next action
    counterfactual: whether it asks for the rewards that each own action would have got
    joint: whether it asks for all agents' actions and rewards
    team: whether one learner holds all agents at which it sits: `learn(tables, p, t)` then gets
        for every table a tuple of the members' arrays, or the array that they share, and a
        `TeamOutcome`
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
        """The names of the tables, in order."""
        return tuple(table.name for table in self.tables)


class AnyLearner(Protocol):
    """A learner: a frozen dataclass of its parameters.

    `name`: how files and the command line call it. `table`: the name of the table that it chooses
    by, the first of its rules' tables. `learns`: whether tables change.
    """

    @property
    def name(self) -> str:
        """Its kind."""

    @property
    def learns(self) -> bool:
        """Whether tables change."""

    @property
    def table(self) -> str:
        """The name of the first of its rules' tables."""

    @property
    def rules(self) -> Rules:
        """What it does in a step."""

    def values(self, discount: float) -> dict[str, Numeric]:
        """Its numeric parameters by the names its rules use; `discount`: the game's."""

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """What its tables start at, each to be broadcast to (replicas, *its dimensions)."""


@dataclass(frozen=True, eq=False)
class RuleLearner(_Frozen, ABC):
    """What learners that are described by their rules have in common.

    A subclass says with `domains` where its numeric fields lie, and with `rules` what it does. The
    rules' parameters are its fields, "epsilon" or "temperature" that of its field `explore`, and
    what its first table starts at its field `initial` where it has one.
    """

    learns = True
    may_explore_by_itself = False  # whether `explore` may be None

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
        """The domain of every numeric field, such as {"alpha": "(0, 1]"}."""
        return {}

    @property
    @abstractmethod
    def rules(self) -> Rules:
        """What it does in a step."""

    @property
    def table(self) -> str:
        """The name of the table that it prefers by."""
        return self.rules.tables[0].name

    def values(self, discount: float) -> dict[str, Numeric]:
        """Its numeric parameters by the names its rules use; `discount`: the game's."""
        out: dict[str, Numeric] = {}
        for name in self.rules.parameters:
            inside = name in ("epsilon", "temperature") and not hasattr(self, name)
            value = getattr(self.explore if inside else self, name)  # type: ignore[attr-defined]
            out[name] = discount if name == "gamma" and value is None else value
        return out

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """What its tables start at, each to be broadcast to (replicas, *its dimensions)."""
        actions = game.num_actions[agent]
        out = {table.name: table.start(actions) for table in self.rules.tables}
        if hasattr(self, "initial"):
            out[self.table] = np.asarray(self.initial)
        return out


def initial_of(value: Any) -> float | np.ndarray:
    """What a table (observations, actions) starts at, checked."""
    array = checks.finite_array("initial", value)
    if array.ndim > 3:
        raise ValueError(
            f"initial must broadcast to (replicas, observations, actions), got shape {array.shape}"
        )
    array.setflags(write=False)
    return float(array) if array.ndim == 0 else array
