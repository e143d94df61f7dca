"""Registry of named learners, games and backends, from which tests are generated."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fastgames._common.later import Later
from fastgames.games import MarkovGame, MatrixGame, ProceduralGame
from fastgames.learners import EpsilonGreedy, Softmax, VisitCount
from fastgames.learners._names import MODULES, REGISTERED

#: Classes of learners by their names in files and on the command line.
LEARNERS: Mapping[str, Any] = Later(
    "fastgames.learners", {key: f"{MODULES[name]}:{name}" for key, name in REGISTERED.items()}
)
EXPLORERS: dict[str, type[EpsilonGreedy | Softmax]] = {
    "epsilon_greedy": EpsilonGreedy,
    "softmax": Softmax,
}
STEP_SIZES = {"visits": VisitCount}
INITIALS: Mapping[str, Any] = Later(
    "fastgames.learners", {"uniform_rivals": "initial:UniformRivals"}
)
BACKENDS = ("auto", "cython", "numba", "reference")
STREAMS = ("fastgames", "numpy")
DTYPES = ("float64", "float32")
#: Functions that make the games of the catalogue, by name; imported on first access.
GAMES: Mapping[str, Callable[..., MatrixGame | MarkovGame | ProceduralGame]]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "GAMES":
            from fastgames.games import CATALOGUE

            return CATALOGUE
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
