"""Reports, which all reproductions return."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Row:
    """A comparison of an expected with a found value.

    Attributes
    ----------
    what : str
        Name of the quantity.
    expected : str
        Expected value, "" if there is none.
    found : str
        Value found.
    ok : bool or None
        True if the values agree, None if there is no expected value.
    """

    what: str
    expected: str
    found: str
    ok: bool | None = None


@dataclass(frozen=True)
class Report:
    """The outcome of a reproduction.

    Attributes
    ----------
    title : str
        Title of the report.
    rows : tuple of Row
        Comparisons of expected and found values, in reading order.
    lines : tuple of str
        Lines of text: the output of a listing, or notes on the rows.
    figure : matplotlib.figure.Figure or None
        Figure of the results; None if matplotlib is not installed.
    results : dict of str to Result
        Results of the runs, by name.
    """

    title: str
    rows: tuple[Row, ...]
    lines: tuple[str, ...]
    figure: "Figure | None"
    results: dict[str, Result] = field(repr=False)

    @property
    def ok(self) -> bool:
        """True if no row has values that disagree."""
        return all(row.ok is not False for row in self.rows)


def picture(draw: Callable[[], "Figure"], out: str | Path | None) -> "Figure | None":
    """Return the figure of `draw`, and write it to `out` if given.

    Without matplotlib, return None, or raise ImportError if `out` is given.
    """
    try:
        drawn = draw()
    except ImportError:
        if out is not None:
            raise
        return None
    if out is not None:
        from fastgames.plot import save

        save(drawn, out)
    return drawn
