"""What the engine needs to know of a learner."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastgames.games import Game
from fastgames.schedules import Numeric


@dataclass(frozen=True)
class Rules:
    """The rules of a learner (see `fastgames.rules.qlearning` for their form).

    twin: how it chooses, by the name of the built-in compiled passes with the same bits:
        "epsilon_greedy", "softmax" or "fixed"
    parameters: the names of p, in order
    bootstrap: what it takes the next observation to be worth: "max", "next" (the value of its next
        action, "expected" where there is none) or "expected" (the mean over what it plays now)
    tables: the names of its tables, in order
    defers: whether it learns only once it knows its next action
    counterfactual: whether it asks for the rewards that each own action would have got
    """

    twin: str
    parameters: tuple[str, ...]
    draw: Callable[..., Any]
    choose: Callable[..., Any]
    learn: Callable[..., Any]
    policy: Callable[..., Any]
    bootstrap: str = "max"
    tables: tuple[str, ...] = ("q",)
    defers: bool = False
    counterfactual: bool = False


class Learner(Protocol):
    """A learner: a frozen dataclass of its parameters.

    `name`: how files and the command line call it. `table`: the name of the table that it chooses
    by, the first of its rules' tables. `learns`: whether tables change.
    """

    name: str
    table: str
    learns: bool

    @property
    def rules(self) -> Rules:
        """What it does in a step."""

    def values(self, discount: float) -> dict[str, Numeric]:
        """Its numeric parameters by the names its rules use; `discount`: the game's."""

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """What its tables start at, to be broadcast to (replicas, observations, actions)."""
