"""Learning in games at compiled speed: matrix and Markov games, tabular learners, a million runs.

>>> import fastgames as fg
>>> result = fg.run(fg.games.matching_pennies(), fg.QLearner(alpha=0.1), steps=1000, rng=7)
"""

import importlib
from typing import Any

from fastgames import games
from fastgames._core import isa
from fastgames.games import MarkovGame, MatrixGame, Variants, remember
from fastgames.grid import Grid, grid
from fastgames.learners import (
    EpsilonGreedy,
    ExpectedSarsa,
    FixedPolicy,
    QLearner,
    Sarsa,
    Softmax,
    UniformRivals,
    VisitCount,
)
from fastgames.record import Record
from fastgames.result import Result, load
from fastgames.run import Interrupted, run
from fastgames.schedules import Exponential, Linear
from fastgames.stop import Stable

__version__ = "0.1.0"

__all__ = [
    "EpsilonGreedy",
    "ExpectedSarsa",
    "Exponential",
    "FixedPolicy",
    "Grid",
    "Interrupted",
    "Linear",
    "MarkovGame",
    "MatrixGame",
    "QLearner",
    "Record",
    "Result",
    "Sarsa",
    "Softmax",
    "Stable",
    "UniformRivals",
    "Variants",
    "VisitCount",
    "games",
    "grid",
    "isa",
    "load",
    "remember",
    "run",
]


def __getattr__(name: str) -> Any:
    """`fastgames.analysis` and `fastgames.reproduce` are imported when they are first used."""
    if name in ("analysis", "reproduce"):
        return importlib.import_module(f"fastgames.{name}")
    raise AttributeError(f"module 'fastgames' has no attribute {name!r}")
