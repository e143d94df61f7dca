"""A progress bar for work longer than a second, drawn by rich where it is installed."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from fastgames._checks import importing, needs_extra

PATIENCE = 1.0  # seconds before anything is drawn


@contextlib.contextmanager
def reporter(total: int, show: bool | None) -> Iterator[Callable[[int, int], None]]:
    """A function to call with what is done so far, of `total`, and with the replica-steps of that.

    show: True draws at once, False never, None after PATIENCE if standard error is a terminal.
    """
    if show is False or (show is None and not sys.stderr.isatty()):
        yield lambda done, steps: None
        return
    began = time.monotonic()
    bar = _bar() if show else None
    if show and bar is None:
        raise needs_extra("rich", "cli", "progress=True")
    task = None

    def report(done: int, steps: int) -> None:
        nonlocal bar, task
        seconds = time.monotonic() - began
        if task is None and (show or seconds > PATIENCE):
            bar = bar or _bar()
            if bar is None:
                return
            bar.start()
            task = bar.add_task("", total=total, rate="")
        if bar is not None and task is not None:
            rate = f"{steps / seconds / 1e6:,.0f} M steps/s" if seconds else ""
            bar.update(task, completed=done, rate=rate)

    try:
        yield report
    finally:
        if bar is not None and task is not None:
            bar.stop()


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
        return None
    return Progress(
        TextColumn("stepping"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
