"""Reproductions of published figures, and one study of our own: traffic.

Every reproduction is a function that simulates, compares its figures with the printed ones, and
returns a `Report`; it prints nothing. Its command is ``fastgames reproduce NAME``. The page
"Published figures" (`docs/published.md`) lists the printed figures and their sources.

All functions have these parameters; some have more:

replicas : int
    Number of independent runs, or of runs of each setting if there are several; at least 1.
steps : int
    Game steps of each run, or of each phase if there are several.
rng, dtype, threads
    As for `fastgames.run`.
out : str or Path, optional
    File to write the figure to.

A reproduction of a single run has the function `estimate`, which takes the same parameters and
returns the memory and the time that the run needs, as `fastgames.estimate` does:
``papers.calvano.estimate(grid=(100, 100), replicas=1000)``. It is None where there are several
runs.

>>> from fastgames import papers
>>> report = papers.cycling(replicas=100)
>>> report.lines[2]
"times Row's greedy action FLIPPED: 1172"
"""

from fastgames.papers.afp_2022 import afp
from fastgames.papers.arguments import Reproduction
from fastgames.papers.bar_nights import bar_problem
from fastgames.papers.calvano_2020 import calvano
from fastgames.papers.calvano_2020_heat_map import heat_map
from fastgames.papers.chapter_claims import chapter
from fastgames.papers.chapter_cycling import cycling
from fastgames.papers.chapter_frozen import frozen
from fastgames.papers.chapter_softmax import softmax
from fastgames.papers.chapter_sweep import sweep
from fastgames.papers.klein_2021 import klein
from fastgames.papers.pair_coordination import coordination
from fastgames.papers.report import Report, Row
from fastgames.papers.team_gradients import gradients
from fastgames.papers.team_values import value_decomposition
from fastgames.papers.traffic_signals import traffic
from fastgames.papers.waltman_kaymak_2008 import waltman_kaymak

#: Reproductions by name.
NAMES: dict[str, Reproduction] = {
    "chapter": chapter,
    "cycling": cycling,
    "sweep": sweep,
    "softmax": softmax,
    "frozen": frozen,
    "calvano": calvano,
    "klein": klein,
    "afp": afp,
    "waltman-kaymak": waltman_kaymak,
    "value-decomposition": value_decomposition,
    "bar-problem": bar_problem,
    "coordination": coordination,
    "gradients": gradients,
    "traffic": traffic,
}

__all__ = [
    "NAMES",
    "Report",
    "Reproduction",
    "Row",
    "afp",
    "bar_problem",
    "calvano",
    "chapter",
    "coordination",
    "cycling",
    "frozen",
    "gradients",
    "heat_map",
    "klein",
    "softmax",
    "sweep",
    "traffic",
    "value_decomposition",
    "waltman_kaymak",
]
