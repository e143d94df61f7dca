"""Progress of long work: a bar on a terminal or in a notebook, a line now and then in a log."""

import contextlib
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from fastgames._common.checks import importing, needs_extra

PATIENCE = 1.0  # seconds before a bar is drawn
MINUTE, HOUR = 60.0, 3600.0  # before a log has its first line, and at most between two
OFTEN = 0.5  # seconds between two updates of a notebook


class Display(Protocol):
    """Return where progress is shown."""

    def update(self, done: int, seconds: float, steps: int) -> None:
        """Show the work done after `seconds`, and its replica-steps."""

    def stop(self) -> None:
        """End the display."""


@contextlib.contextmanager
def reporter(total: int, show: bool | None) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with what is done so far, of `total`, and its replica-steps.

    show: True shows it at once, False never, None once the work takes longer than PATIENCE on a
    terminal or in a notebook, and longer than a MINUTE anywhere else.
    """
    patience: float
    make, patience = _place(show)
    began = time.monotonic()
    display = make(total) if show and make is not None else None

    def report(done: int, steps: int) -> None:
        nonlocal display, make
        seconds = time.monotonic() - began
        if display is None and make is not None and seconds > patience:
            try:
                display = make(total)
            except ImportError:  # a bar that nobody asked for
                make = None
        if display is not None:
            display.update(done, seconds, steps)

    try:
        yield report
    finally:
        if display is not None:
            display.stop()


def _place(show: bool | None) -> tuple[Callable[[int], Display] | None, float]:
    """Return what shows progress where this process writes, and for how long it waits."""
    if show is False or sys.stderr is None:
        return None, 0.0
    if _in_notebook():
        return Cell, PATIENCE
    if _on_terminal():
        return Bar, PATIENCE
    return Log, MINUTE


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # what stands there is no file, or closed
        return False


def _in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook, without importing IPython."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return ask is not None and hasattr(ask(), "kernel")


class Bar:
    """A bar on a terminal, drawn by rich; it vanishes when the work is done.

    Raises ImportError where rich is not installed.
    """

    bar: Any
    task: Any

    def __init__(self, total: int) -> None:
        self.bar = _bar()
        self.bar.start()
        self.task = self.bar.add_task("", total=total, rate="")

    def update(self, done: int, seconds: float, steps: int) -> None:
        """Draw it."""
        self.bar.update(self.task, completed=done, rate=_rate(steps, seconds))

    def stop(self) -> None:
        """Remove it."""
        self.bar.stop()


class Cell:
    """A bar below the cell of a notebook, which stays there."""

    total: int
    shown: float
    last: tuple[int, float, int]
    handle: Any

    def __init__(self, total: int) -> None:
        self.total, self.shown, self.last = total, 0.0, (0, 0.0, 0)
        display = importlib.import_module("IPython.display").display  # it is there: see _place
        self.handle = display(self._form(*self.last), display_id=True, raw=True)

    def update(self, done: int, seconds: float, steps: int) -> None:
        """Draw it, unless it was just drawn."""
        self.last = done, seconds, steps
        if seconds - self.shown >= OFTEN:
            self._draw()

    def stop(self) -> None:
        """Draw how far the work has come."""
        self._draw()

    def _draw(self) -> None:
        self.shown = self.last[1]
        self.handle.update(self._form(*self.last), raw=True)

    def _form(self, done: int, seconds: float, steps: int) -> dict[str, str]:
        """Return the bar as text and as HTML."""
        text = said(done, self.total, seconds, steps)
        return {
            "text/plain": f"stepping {text}",
            "text/html": f'stepping <progress value="{done}" max="{self.total}"></progress> {text}',
        }


class Log:
    """Lines in a log: each after twice the time of the one before, and at least every hour."""

    total: int
    due: float
    last: tuple[int, float, int]

    def __init__(self, total: int) -> None:
        self.total, self.due, self.last = total, 0.0, (0, 0.0, 0)

    def update(self, done: int, seconds: float, steps: int) -> None:
        """Write a line, if it is time for one."""
        self.last = done, seconds, steps
        if seconds >= self.due and seconds >= PATIENCE:
            self.due = seconds + min(seconds, HOUR)
            self._write()

    def stop(self) -> None:
        """Write how far the work has come, if anything was written before."""
        if self.due:
            self._write()

    def _write(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # a log that is closed or full ends no run
            print(f"fastgames: {said(self.last[0], self.total, *self.last[1:])}", file=sys.stderr,
                  flush=True)  # fmt: skip


def said(done: int, total: int, seconds: float, steps: int) -> str:
    """Return how far the work has come, how fast, and how long it will take."""
    share = done / total if total else 1.0
    parts = [f"{int(100 * share)} %", f"{_clock(seconds)} passed", _rate(steps, seconds)]
    if 0.0 < share < 1.0:
        parts.append(f"about {_clock(seconds / share - seconds)} left")
    return ", ".join(part for part in parts if part)


def _rate(steps: int, seconds: float) -> str:
    if not seconds or not steps:
        return ""
    rate = steps / seconds
    if rate < 1e5:
        return f"{rate / 1e3:.{1 if rate < 1e4 else 0}f} k steps/s"
    return f"{rate / 1e6:,.{0 if rate >= 1e7 else 2}f} M steps/s"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _bar() -> Any:
    try:
        with importing("cli", "a bar"):
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress,
                TaskProgressColumn,
                TextColumn,
                TimeRemainingColumn,
            )
    except ImportError:
        raise needs_extra("rich", "cli", "progress=True") from None
    return Progress(
        TextColumn("stepping"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
