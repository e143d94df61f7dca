"""Learning in games at compiled speed: matrix games, tabular learners, a million runs at once.

>>> import fastgames as fg
>>> result = fg.run(fg.games.matching_pennies(), fg.QLearner(alpha=0.1), steps=1000, rng=7)
"""

from fastgames import games
from fastgames._core import isa
from fastgames.games import MatrixGame
from fastgames.learners import EpsilonGreedy, FixedPolicy, QLearner, Softmax
from fastgames.record import Record
from fastgames.result import Result, load
from fastgames.run import Interrupted, run
from fastgames.schedules import Exponential, Linear

__version__ = "0.1.0"

__all__ = [
    "EpsilonGreedy",
    "Exponential",
    "FixedPolicy",
    "Interrupted",
    "Linear",
    "MatrixGame",
    "QLearner",
    "Record",
    "Result",
    "Softmax",
    "games",
    "isa",
    "load",
    "run",
]
