"""Everything that has a name: learners, games, backends. Tests are generated from here."""

from fastgames.games import CATALOGUE
from fastgames.learners import EpsilonGreedy, FixedPolicy, QLearner, Softmax

LEARNERS = {"q": QLearner, "fixed": FixedPolicy}
EXPLORERS = {"epsilon_greedy": EpsilonGreedy, "softmax": Softmax}
GAMES = CATALOGUE
BACKENDS = ("auto", "cython", "numba", "reference")
STREAMS = ("fastgames", "numpy")
DTYPES = ("float64", "float32")
