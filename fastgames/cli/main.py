"""The command line: ``fastgames games · run · merge · reproduce · …`` (extra "cli").

Errors are one line on standard error that names the argument, its value and its domain, and exit
status 2; Ctrl-C is one line and 130.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastgames._common import checks
from fastgames._common.version import __version__
from fastgames.cli.parse import (
    RECORDS,
    firms_of,
    float_of,
    form_of,
    game_of,
    learners_of,
    records_of,
    seed_of,
    sizes_of,
    times_of,
    whole_of,
)
from fastgames.cli.schedulers import shard_of
from fastgames.cli.shards import (
    check_own,
    merge,
    reproduce_part,
    run_part,
    shard_for,
    shards,
)
from fastgames.cli.show import (
    announcer,
    described,
    make_console,
    show_report,
    show_result,
    show_speeds,
    table_of,
)
from fastgames.cli.texts import (
    GAMES_EXAMPLES,
    LEARNERS_EXAMPLES,
    MERGE_EXAMPLES,
    PROGRAM,
    REPRODUCE_EXAMPLES,
    RUN_EXAMPLES,
    SHARDS_EXAMPLES,
    SPEED_EXAMPLES,
)
from fastgames.games import Game, MatrixGame
from fastgames.io.files import check_writable
from fastgames.learners import Softmax
from fastgames.record import Record
from fastgames.registry import BACKENDS, DTYPES, EXPLORERS, GAMES, LEARNERS, STREAMS
from fastgames.runs.execution import Interrupted
from fastgames.runs.running import run as run_game

try:
    import rich  # noqa: F401  for `cli.show`
    import typer

    _missing: ImportError | None = None
except ImportError as error:  # main() says so; nothing here evaluates the annotations before
    _missing = error

if TYPE_CHECKING:
    from fastgames.cli.speed import Speed

_SNAPSHOTS = 50  # on the way of a run that is plotted
MOST_SHOWN = 6  # agents whose actions are listed
MOST_COUNTS = 2**26  # counts of joint actions that `run` keeps, 8 bytes each


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line's own (`sys.argv[1:]`) unless given.

    Returns
    -------
    int
        0; 1 if a reproduction or the bits of `speed` differ; 2 after an error; 130 after Ctrl-C.
    """
    if _missing is not None:
        package = (_missing.name or "typer").partition(".")[0]
        return _fail(checks.needs_extra(package, "cli", "the command line"))
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _application().main(given or ["--help"], PROGRAM, standalone_mode=False)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130
    except (ValueError, TypeError, ImportError, OSError, MemoryError) as error:
        return _fail(error)
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of click, wherever typer keeps that
            context = getattr(error, "ctx", None)
            hint = f" Try: {context.command_path} --help" if context else ""
            message = error.format_message()
            return _fail(message + "." * (message[-1:] not in ".?") + hint)
        raise
    return int(status or 0)


def _fail(error: object) -> int:
    print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
    return 2


def _application() -> Any:
    from typer.core import TyperCommand

    from fastgames.cli.options import with_options

    class Command(TyperCommand):
        """A command that prints its epilog as written; typer would join and space its lines."""

        def format_help(self, ctx: Any, formatter: Any) -> None:
            """Write the help text."""
            text, self.epilog = self.epilog or "", None
            super().format_help(ctx, formatter)
            formatter.write(text)
            self.epilog = text

    app = typer.Typer(
        help="Learning in games at compiled speed.",
        epilog=f"More about a command: {PROGRAM} COMMAND --help",
    )
    app.callback()(_options)
    app.command(cls=Command, epilog=GAMES_EXAMPLES)(games)
    app.command(cls=Command, epilog=LEARNERS_EXAMPLES)(learners)
    app.command(cls=Command, epilog=RUN_EXAMPLES)(with_options(run))
    app.command(cls=Command, epilog=REPRODUCE_EXAMPLES)(reproduce)
    app.command(cls=Command, epilog=MERGE_EXAMPLES)(merge)
    app.command(cls=Command, epilog=SHARDS_EXAMPLES)(shards)
    app.command(cls=Command, epilog=SPEED_EXAMPLES)(speed)
    return typer.main.get_command(app)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Learning in games at compiled speed."""


def _reproductions() -> Iterable[str]:
    """Return the names of the reproductions."""
    from fastgames.papers import NAMES

    return NAMES


def _completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a function that lists the names which begin with what was typed."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def games() -> None:
    """List the games of the catalogue."""
    table = table_of("name", "agents", "states", "actions", "setting", "source")
    for name, build in GAMES.items():
        game = build()
        counts = str(game.num_agents), str(game.num_states or "-")
        actions = " x ".join(str(count) for count in game.num_actions[:MOST_SHOWN])
        actions += " x …" if game.num_agents > MOST_SHOWN else ""
        setting = game.setting if isinstance(game, MatrixGame) else ""
        table.add_row(name, *counts, actions, setting, game.source)
    make_console().print(table)


def learners() -> None:
    """List the learners, their parameters and domains, and where they come from."""
    table = table_of("learner", "parameter", "what it may be", "source")
    for name, kind in {**LEARNERS, **EXPLORERS}.items():
        parameters, source = described(kind)
        first = True
        for parameter, text in parameters.items():
            table.add_row(name if first else "", parameter, text, source if first else "")
            first = False
        table.add_section()
    make_console().print(table)


def run(
    game: Annotated[
        str,
        typer.Argument(
            help="A name from `fastgames games`, parameters after a colon.",
            autocompletion=_completing(lambda: GAMES),
        ),
    ],
    learner: Annotated[
        list[str] | None,
        typer.Option(
            help="A name from `fastgames learners`, parameters after a colon; q unless given. "
            "self_play/q plays q in self-play.",
            autocompletion=_completing(lambda: LEARNERS),
        ),
    ] = None,
    steps: Annotated[str, typer.Option(metavar="N", help="Game steps of each replica.")] = "20000",
    replicas: Annotated[str, typer.Option(metavar="N", help="Independent runs.")] = "1",
    seed: Annotated[
        str | None,
        typer.Option(metavar="N", help="In [0, 2^64); a new one unless given, and said."),
    ] = None,
    dtype: Annotated[
        str,
        typer.Option(help="float64 or float32.", autocompletion=_completing(lambda: DTYPES)),
    ] = "float64",
    backend: Annotated[
        str,
        typer.Option(
            help="auto, cython, numba or reference.", autocompletion=_completing(lambda: BACKENDS)
        ),
    ] = "auto",
    threads: Annotated[
        str | None, typer.Option(metavar="N", help="One for each CPU unless given.")
    ] = None,
    stream: Annotated[
        str,
        typer.Option(
            help="fastgames, or numpy for the draws of a textbook listing.",
            autocompletion=_completing(lambda: STREAMS),
        ),
    ] = "fastgames",
    every: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Snapshots N steps apart, or at 0,10,100, for --out and --plot."
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(metavar="N", help="Count rewards and plays over the last so many steps only."),
    ] = None,
    record: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Record as well: {', '.join(map(form_of, RECORDS))}.",
            autocompletion=_completing(lambda: RECORDS),
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="PATH", help="Write the result there.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it there: .png, .pdf, .svg.")] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N", help="Run part K of N into the folder --out; auto in a job array."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the memory and the time that it needs only.")
    ] = False,
    **options: Any,
) -> int:
    """Run learners in a game and print the results."""
    from fastgames.cli.options import GAME, LEARNER, given_to

    chosen = game_of(game, given_to(GAME, options))
    count, apart = whole_of("steps", steps) or 0, times_of(every)
    runs = whole_of("replicas", replicas)
    seats = learners_of(chosen, learner or ["q"], given_to(LEARNER, options))
    part = shard_for(shard, out, seed, stream, plot)
    file = None if part is not None or out is None else Path(out)
    for name, path in (("out", file), ("plot", plot)):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise ValueError(f"{name} must be a file in a directory that exists, got {str(path)!r}")
        if path is not None:
            check_writable(path)
    if plot is not None:
        from fastgames.plot import check_path

        check_path(plot, "plot")
        apart = max(1, count // _SNAPSHOTS) if apart is None else apart
    softmax = any(isinstance(getattr(seat, "explore", None), Softmax) for seat in seats)
    recorded = {
        "flips": True, "joint_actions": _few(chosen, runs or 0), "rewards": True,
        **records_of(record or []),
    }  # fmt: skip
    what = Record(
        every=apart, greedy=apart is not None, policies=apart is not None and softmax,
        last=whole_of("last", last), **recorded,
    )  # fmt: skip
    call: dict[str, Any] = {
        "game": chosen, "learners": seats, "steps": count, "replicas": runs, "rng": seed_of(seed),
        "record": what, "dtype": dtype, "backend": backend, "stream": stream,
        "threads": whole_of("threads", threads),
    }  # fmt: skip
    if dry_run:
        from fastgames.runs.estimating import estimate

        print(estimate(**call, only=None if part is None else part.only))
        return 0
    if part is not None:
        assert out is not None
        return run_part(call, part, out)
    began = time.perf_counter()
    try:
        result = run_game(**call)
    except Interrupted as stop:
        if file is not None:
            stop.result.save(file)
        saved = "" if file is None else f"; written to {file}"
        done = stop.result.steps
        print(
            f"{PROGRAM}: interrupted after {done.mean() / count:.0%} of the steps, "
            f"replicas stand at {done.min():,} to {done.max():,} of {count:,}{saved}",
            file=sys.stderr,
        )
        return 130
    seconds = time.perf_counter() - began
    show_result(result, seconds)
    if file is not None:
        result.save(file)
        print(f"result: {file}")
    if plot is not None:
        result.plot(plot)
        print(f"picture: {plot}")
    return 0


def reproduce(
    name: Annotated[
        str,
        typer.Argument(help="One of those below.", autocompletion=_completing(_reproductions)),
    ],
    replicas: Annotated[str | None, typer.Option(metavar="N", help="Independent runs.")] = None,
    steps: Annotated[str | None, typer.Option(metavar="N", help="Game steps of each run.")] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="In [0, 2^64); 7 unless given.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float64 or float32.")] = None,
    threads: Annotated[
        str | None, typer.Option(metavar="N", help="One for each CPU unless given.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory for the picture, fastgames-NAME.png; this one unless given."),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(metavar="AxB", help="calvano: a heat map, values of alpha x of beta."),
    ] = None,
    firms: Annotated[
        str | None, typer.Option(metavar="N,N", help="afp: numbers of firms; 2,3 unless given.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="calvano: a file to write the run to, and to go on from.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N", help="calvano --grid: run part K of N into the folder --out; see run."
        ),
    ] = None,
    merge: Annotated[
        Path | None, typer.Option(help="calvano --grid: draw the parts in this folder.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the memory and the time that it needs only, of those of one run.",
        ),
    ] = False,
) -> int:
    """Run a published figure again: what was expected, what was found, and a picture."""
    from fastgames.papers import NAMES

    name = checks.one_of("name", name.replace("_", "-"), NAMES)
    again = NAMES[name]
    if out is not None and out.exists() and not out.is_dir():
        raise ValueError(f"out must be a directory, got {str(out)!r}")
    own: dict[str, Any] = {
        "grid": sizes_of(grid), "firms": firms_of(firms), "checkpoint": checkpoint,
        "shard": None if shard is None else shard_of(shard), "parts": merge,
    }  # fmt: skip
    check_own(name, out, own)
    part = own["shard"]
    if part is not None:
        own["parts"] = out
    given: dict[str, Any] = own | {
        "replicas": whole_of("replicas", replicas), "steps": whole_of("steps", steps),
        "rng": seed_of(seed), "dtype": dtype, "threads": whole_of("threads", threads),
    }  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}
    if dry_run:
        if merge is not None:
            raise ValueError(f"dry-run must be left out with merge, got {str(merge)!r}")
        if again.estimate is None:
            having = [key for key, each in NAMES.items() if each.estimate is not None]
            raise ValueError(f"dry-run must go with {' or '.join(having)}, got {name!r}")
        print(again.estimate(**given))
        return 0
    if part is not None:
        return reproduce_part(again, given)
    out = out or Path()
    out.mkdir(parents=True, exist_ok=True)
    picture = out / f"{PROGRAM}-{name}{'-grid' * (grid is not None)}.png"
    check_writable(picture)
    began = time.perf_counter()
    try:
        report = again(**given)
    except KeyboardInterrupt:
        seconds = time.perf_counter() - began
        saved = "nothing was written" if checkpoint is None else f"{checkpoint} has what was done"
        print(f"{PROGRAM}: {name} was interrupted after {seconds:.1f} s; {saved}", file=sys.stderr)
        return 130
    show_report(report)
    if report.figure is None:
        print(checks.needs_extra("matplotlib", "plot", "a picture"), file=sys.stderr)
    else:
        from fastgames.plot import save

        save(report.figure, picture)
        print(f"picture: {picture}")
    return 0 if report.ok else 1


def speed(
    seconds: Annotated[
        str, typer.Option(metavar="S", help="About how long it may take: a number above 0.")
    ] = "10",
    threads: Annotated[
        str | None,
        typer.Option(metavar="N", help="Beside one: so many; one for each CPU unless given."),
    ] = None,
) -> int:
    """Measure what the engine does on this machine, and check it."""
    from fastgames.cli.speed import measure

    limit, most = float_of("seconds", seconds, "a number"), whole_of("threads", threads)
    found: list[Speed] = []
    try:
        with announcer() as announce:
            for each in measure(limit, most, announce):
                found.append(each)
    except KeyboardInterrupt:
        if found:
            show_speeds(found)
        print(f"{PROGRAM}: interrupted, {len(found)} measured", file=sys.stderr)
        return 130
    show_speeds(found)
    return 0 if all(each.same for each in found) else 1


def _few(game: Game, replicas: int) -> bool:
    """Return whether the joint actions of so many replicas are few enough to be counted."""
    return math.prod(game.num_actions) * replicas <= MOST_COUNTS
