"""When a replica stops before its steps run out."""

from dataclasses import dataclass

from fastgames import _checks


@dataclass(frozen=True)
class Stable:
    """Stop a replica once nothing that was learnt changed what anyone prefers, for long enough.

    After each step: if any agent's greedy action in a row that it just updated changed, n = 0, else
    n += 1; the replica stops when n = periods. `steps` counts them all.

    Parameters
    ----------
    periods : int
        In [1, 2^31).

    Notes
    -----
    Source: Calvano, Calzolari, Denicolò & Pastorello, AER 110 (2020), section III.B.
    """

    periods: int

    def __post_init__(self) -> None:
        _checks.whole("periods", self.periods, 1, 2**31 - 1)
