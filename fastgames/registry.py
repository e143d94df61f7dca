"""Everything that has a name: learners, games, backends. Tests are generated from here."""

from fastgames.games import CATALOGUE
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

LEARNERS = {"q": QLearner, "sarsa": Sarsa, "expected_sarsa": ExpectedSarsa, "fixed": FixedPolicy}
EXPLORERS = {"epsilon_greedy": EpsilonGreedy, "softmax": Softmax}
STEP_SIZES = {"visits": VisitCount}
INITIALS = {"uniform_rivals": UniformRivals}
GAMES = CATALOGUE
BACKENDS = ("auto", "cython", "numba", "reference")
STREAMS = ("fastgames", "numpy")
DTYPES = ("float64", "float32")
