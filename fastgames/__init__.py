"""Engine for learning in games: matrix and Markov games, tabular learners, a million replicas.

>>> import fastgames as fg
>>> result = fg.run(fg.games.matching_pennies(), fg.QLearner(alpha=0.1), steps=1000, rng=7)
"""

from typing import TYPE_CHECKING

from fastgames._core import isa  # first: it reports an unsupported CPU before NumPy can crash

# isort: split
from fastgames import games
from fastgames._common.later import later
from fastgames._common.version import __version__ as __version__
from fastgames.errors import ConvergenceWarning, KeepError, RuleError
from fastgames.games import MarkovGame, MatrixGame, ProceduralGame, Variants
from fastgames.learners import EpsilonGreedy, Softmax, Table, VisitCount, _names
from fastgames.record import Record
from fastgames.result import Result
from fastgames.runs.execution import Interrupted
from fastgames.runs.running import run
from fastgames.stop import Stable

if TYPE_CHECKING:
    from fastgames import analysis as analysis
    from fastgames import cy as cy
    from fastgames import distributed as distributed
    from fastgames import envs as envs
    from fastgames import jit as jit
    from fastgames import papers as papers
    from fastgames.cy import get_include
    from fastgames.engine.policies import Policy
    from fastgames.games import (
        ProceduralVariants,
        aristocrat_rewards,
        difference_rewards,
        remember,
        shapley_rewards,
        tabulate,
    )
    from fastgames.grids import Grid, grid
    from fastgames.io.results import load
    from fastgames.learners import Learner, UniformRivals
    from fastgames.learners._names import *  # noqa: F403
    from fastgames.runs.estimating import Estimate, estimate
    from fastgames.runs.merging import merge
    from fastgames.schedules import (
        ByVisits,
        Exponential,
        Hyperbolic,
        Linear,
        Piecewise,
        Schedule,
    )
    from fastgames.streams import Streams
    from fastgames.vector import VectorGame
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "analysis": (),
            "distributed": (),
            "envs": (),
            "jit": (),
            "papers": (),
            "engine.policies": ("Policy",),
            "grids": ("Grid", "grid"),
            "io.results": ("load",),
            "runs.estimating": ("Estimate", "estimate"),
            "runs.merging": ("merge",),
            "cy": ("get_include",),
            "games": (
                "ProceduralVariants",
                "aristocrat_rewards",
                "difference_rewards",
                "remember",
                "shapley_rewards",
                "tabulate",
            ),
            "schedules": (
                "ByVisits",
                "Exponential",
                "Hyperbolic",
                "Linear",
                "Piecewise",
                "Schedule",
            ),
            "streams": ("Streams",),
            "vector": ("VectorGame",),
            "learners": ("Learner", "UniformRivals", *_names.__all__),
        },
        former={"reproduce": "papers"},
    )

__all__ = [
    "ByVisits",
    "ConvergenceWarning",
    "EpsilonGreedy",
    "Estimate",
    "Exponential",
    "Grid",
    "Hyperbolic",
    "Interrupted",
    "KeepError",
    "Learner",
    "Linear",
    "MarkovGame",
    "MatrixGame",
    "Piecewise",
    "Policy",
    "ProceduralGame",
    "ProceduralVariants",
    "Record",
    "Result",
    "RuleError",
    "Schedule",
    "Softmax",
    "Stable",
    "Streams",
    "Table",
    "UniformRivals",
    "Variants",
    "VectorGame",
    "VisitCount",
    "aristocrat_rewards",
    "difference_rewards",
    "estimate",
    "games",
    "get_include",
    "grid",
    "isa",
    "load",
    "merge",
    "remember",
    "run",
    "shapley_rewards",
    "tabulate",
]
__all__ += _names.__all__
