"""What the engine needs to know of a learner."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastgames.schedules import Numeric


@dataclass(frozen=True)
class Rules:
    """The rules of a learner (see `fastgames.rules.qlearning` for their form).

    `twin`: the built-in compiled passes with the same bits. `parameters`: the names of p, in order.
    """

    twin: str
    parameters: tuple[str, ...]
    draw: Callable[..., Any]
    choose: Callable[..., Any]
    learn: Callable[..., Any]
    policy: Callable[..., Any]


class Learner(Protocol):
    """A learner: a frozen dataclass of its parameters.

    `name`: how files and the command line call it. `table`: the name of its table, of shape
    (replicas, observations, actions). `learns`: whether the table changes.
    """

    name: str
    table: str
    learns: bool

    @property
    def rules(self) -> Rules:
        """What it does in a step."""

    def values(self, discount: float) -> dict[str, Numeric]:
        """Its numeric parameters by the names its rules use."""

    def start(self) -> np.ndarray:
        """What its table starts at, to be broadcast to (replicas, observations, actions)."""
