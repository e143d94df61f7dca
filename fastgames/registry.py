"""Registry of named learners, games and backends, from which tests are generated."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fastgames.games import MarkovGame, MatrixGame, ProceduralGame
from fastgames.learners import EpsilonGreedy, Softmax, UniformRivals, VisitCount

LEARNERS: dict[str, Any]  # imported on first access
EXPLORERS: dict[str, type[EpsilonGreedy | Softmax]] = {
    "epsilon_greedy": EpsilonGreedy,
    "softmax": Softmax,
}
STEP_SIZES = {"visits": VisitCount}
INITIALS = {"uniform_rivals": UniformRivals}
BACKENDS = ("auto", "cython", "numba", "reference")
STREAMS = ("fastgames", "numpy")
DTYPES = ("float64", "float32")
GAMES: Mapping[
    str, Callable[..., MatrixGame | MarkovGame | ProceduralGame]
]  # the catalogue; imported on first access

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "GAMES":
            from fastgames.games import CATALOGUE

            return CATALOGUE
        if name == "LEARNERS":
            from fastgames.learners import LEARNERS

            return LEARNERS
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
