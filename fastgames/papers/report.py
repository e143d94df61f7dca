"""What every reproduction brings back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Row:
    """One comparison: `what`, what was `expected` ("" if nothing was), what was `found`.

    `ok` says whether they agree; None where there is nothing to agree with.
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
    rows : tuple of Row
        Expected and found, in the order to read them.
    lines : tuple of str
        Text: what a listing prints, or what was found, in sentences.
    figure : matplotlib.figure.Figure or None
        None where matplotlib is not installed.
    results : dict of str to Result
        The runs behind it, by name.
    """

    title: str
    rows: tuple[Row, ...]
    lines: tuple[str, ...]
    figure: "Figure | None"
    results: dict[str, Result] = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether no row disagrees."""
        return all(row.ok is not False for row in self.rows)


def picture(draw: Callable[[], "Figure"], out: str | Path | None) -> "Figure | None":
    """What `draw` returns, written to `out` if given; None without matplotlib and `out`."""
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
