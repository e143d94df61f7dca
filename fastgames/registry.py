"""Everything that has a name: learners, games, backends. Tests are generated from here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastgames.games import MarkovGame, MatrixGame, ProceduralGame
from fastgames.learners import EpsilonGreedy, Softmax, UniformRivals, VisitCount

LEARNERS: dict[str, Any]  # loaded when asked for
EXPLORERS: dict[str, type[EpsilonGreedy | Softmax]] = {
    "epsilon_greedy": EpsilonGreedy,
    "softmax": Softmax,
}
STEP_SIZES = {"visits": VisitCount}
INITIALS = {"uniform_rivals": UniformRivals}
BACKENDS = ("auto", "cython", "numba", "reference")
STREAMS = ("fastgames", "numpy")
DTYPES = ("float64", "float32")
GAMES: dict[
    str, Callable[..., MatrixGame | MarkovGame | ProceduralGame]
]  # the catalogue; loaded when asked for

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "GAMES":
            from fastgames.games import CATALOGUE

            return CATALOGUE
        if name == "LEARNERS":
            from fastgames.learners import LEARNERS

            return LEARNERS
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
