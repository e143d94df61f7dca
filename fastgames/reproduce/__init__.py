"""Published figures, run again, and one study of our own: traffic.

Every reproduction is a function that runs, compares what it found with what was printed, and
returns a `Report`; it prints nothing. On the command line: ``fastgames reproduce NAME``.

All take the same arguments (some take more):

replicas : int
    Independent runs (of each setting, where there are several), at least 1.
steps : int
    Game steps of each run (of each phase, where there are several).
rng : as in `fastgames.run`
dtype, threads : as in `fastgames.run`
out : str or Path, optional
    The picture is written there too.

>>> from fastgames import reproduce
>>> report = reproduce.cycling(replicas=100)
>>> report.lines[2]
"times Row's greedy action FLIPPED: 1172"
"""

from collections.abc import Callable

from fastgames.reproduce.afp import afp
from fastgames.reproduce.calvano import calvano
from fastgames.reproduce.cycling import cycling
from fastgames.reproduce.frozen import frozen
from fastgames.reproduce.heat_map import heat_map
from fastgames.reproduce.klein import klein
from fastgames.reproduce.report import Report, Row
from fastgames.reproduce.softmax import softmax
from fastgames.reproduce.sweep import sweep
from fastgames.reproduce.traffic import traffic
from fastgames.reproduce.waltman_kaymak import waltman_kaymak

#: Every reproduction by its name.
NAMES: dict[str, Callable[..., Report]] = {
    "cycling": cycling,
    "sweep": sweep,
    "softmax": softmax,
    "frozen": frozen,
    "calvano": calvano,
    "klein": klein,
    "afp": afp,
    "waltman-kaymak": waltman_kaymak,
    "traffic": traffic,
}

__all__ = [
    "NAMES",
    "Report",
    "Row",
    "afp",
    "calvano",
    "cycling",
    "frozen",
    "heat_map",
    "klein",
    "softmax",
    "sweep",
    "traffic",
    "waltman_kaymak",
]
