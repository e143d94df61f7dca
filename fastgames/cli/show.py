"""Tables that commands print (extra "cli")."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.version import __version__
from fastgames.games import Game, MarketGame
from fastgames.result import Result

try:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ImportError:  # `main` says so; nothing here evaluates the annotations before
    pass

if TYPE_CHECKING:
    from fastgames.cli.speed import Speed
    from fastgames.papers import Report

WIDTH = 120  # columns where standard output is not a terminal
MOST_ROWS = 8  # joint actions shown


def make_console() -> Console:
    """Return a console for standard output, of a fixed width unless that is a terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False)


def table_of(*columns: str, title: str | None = None) -> Table:
    """Return an empty table with these columns."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def show_report(report: Report) -> None:
    """Print the report of a reproduction."""
    console = make_console()
    console.print(report.title, style="bold")
    for line in report.lines:
        console.print(line, soft_wrap=True)
    table = table_of("", "expected", "found", "")
    for row in report.rows:
        verdict = Text("ok", "green") if row.ok else Text("differs", "bold red")
        table.add_row(row.what, row.expected, row.found, verdict if row.ok is not None else "")
    console.print(table)


@contextlib.contextmanager
def announcer() -> Iterator[Callable[[str, int, int], None]]:
    """Return a function that shows on a terminal what is being measured."""
    if not sys.stderr.isatty():
        yield lambda what, number, of: None
        return
    with Console(stderr=True, markup=False).status("") as status:
        yield lambda what, number, of: status.update(f"{number + 1} of {of}: {what}")


def show_speeds(found: Sequence[Speed]) -> None:
    """Print the measurements of `fastgames speed`."""
    from fastgames import _core

    title = f"fastgames {__version__}, build {_core.isa} of {', '.join(_core.available())}"
    columns = "threads", "M steps/s", "M agent-steps/s", "textbook", "bits"
    table = table_of("workload", "tables", title=title)
    for name in columns:
        table.add_column(name, justify="right")
    for i, each in enumerate(found):
        work, first = each.workload, i == 0 or found[i - 1].workload is not each.workload
        rates = each.steps_per_second / 1e6, each.agent_steps_per_second / 1e6
        table.add_row(
            work.name if first else "",
            work.dtype if first else "",
            str(each.threads),
            *(f"{rate:,.4g}" if rate < 1000 else f"{rate:,.0f}" for rate in rates),
            f"x {each.steps_per_second / each.listing:,.0f}",
            Text("ok", "green") if each.same else Text("differ", "bold red"),
        )
    make_console().print(table)


def show_result(result: Result, seconds: float) -> None:
    """Print a summary of a run."""
    console = make_console()
    game, steps = result.game, int(result.steps.max())
    title = f"{game.name}: {result.replicas:,} x {steps:,} steps"
    counted = {name: getattr(result, name) for name in ("mean_reward", *result.COUNTED)}
    counted = {name: array for name, array in counted.items() if array is not None}
    columns = [name for name in counted if result.COUNTED[name] == ("agent",)]
    table = table_of("agent", "learner", *(x.replace("_", " ") for x in columns), title=title)
    for i, learner in enumerate(result.learners):
        table.add_row(str(i), repr(learner), *(spread(counted[name][:, i]) for name in columns))
    console.print(table)
    for name, array in counted.items():
        if result.COUNTED[name] == ():
            print(f"{name.replace('_', ' ')}: {spread(array)}")
    if result.joint_counts is None:
        print("joint actions were not counted: there are too many")
    elif not game.compact.has_turns:  # else who does not move counts as playing its first action
        console.print(joint_table(result))
    speed = result.steps.sum() / seconds / 1e6
    print(f"{seconds:.2f} s, {speed:,.1f} million steps per second, seed {result.seed}")


def spread(values: Any) -> str:
    """Return the mean, and the standard deviation over replicas if there are several."""
    mean = f"{values.mean():,.4g}" if abs(values.mean()) < 1000 else f"{values.mean():,.0f}"
    return mean if len(values) == 1 else f"{mean} (sd {values.std():,.3g})"


def joint_table(result: Result) -> Table:
    """Return a table of the shares of joint actions: greedy at the end, and played."""
    from fastgames.plot import paired, preferred

    assert result.joint_counts is not None
    counts = result.joint_counts.sum(axis=0)
    columns = {"played": counts / max(counts.sum(), 1)}
    if paired(result):
        columns = {"preferred at the end": preferred(result), **columns}
    order = np.lexsort([-shares.ravel() for shares in reversed(columns.values())])[:MOST_ROWS]
    table = table_of("joint action", *columns)
    names = action_names(result.game)
    for cell in order:
        index = np.unravel_index(cell, counts.shape)
        joint = ", ".join(names[i][a] for i, a in enumerate(index))
        table.add_row(joint, *(f"{shares[index]:.1%}" for shares in columns.values()))
    return table


def action_names(game: Game) -> Sequence[Sequence[str]]:
    """Return the names of the actions; prices or quantities if actions stand for these."""
    if isinstance(game, MarketGame):
        return [[f"{choice:.4g}" for choice in grid] for grid in game.choices]
    return game.actions


def described(kind: Callable[..., Any]) -> tuple[dict[str, str], str]:
    """Return parameters and source of a learner or a game from its docstring.

    Parameters
    ----------
    kind : class or function
        An entry of the registry, with a Numpy-style docstring and a paragraph "Source: …".

    Returns
    -------
    dict of str to str, str
        For each parameter its type and description in one line; the source.
    """
    text = inspect.getdoc(kind) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?:\n\n(?=\S)|\Z)", text, re.DOTALL | re.MULTILINE)
    parameters = {}
    for entry in re.split(r"\n(?=\S)", section[1] if section else ""):
        head, _, body = entry.partition("\n")
        names, _, type_ = head.partition(" : ")
        for name in names.split(",") if names else ():
            parameters[name.strip()] = " ".join(f"{type_}: {body}".split())
    source = re.search(r"^Source: (.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return parameters, " ".join(source[1].split()) if source else ""
