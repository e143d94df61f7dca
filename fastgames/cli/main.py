"""The command line: ``fastgames games · learners · run · reproduce · speed`` (extra "cli").

Errors are one line on standard error that names the argument, its value and its domain, and exit
status 2; Ctrl-C is one line and 130.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.version import __version__
from fastgames.games import Game, MarketGame, MatrixGame, make
from fastgames.io.files import check_writable
from fastgames.learners import AnyLearner, EpsilonGreedy, Softmax
from fastgames.record import Record
from fastgames.registry import BACKENDS, DTYPES, EXPLORERS, GAMES, LEARNERS, STREAMS
from fastgames.result import Result
from fastgames.running import Interrupted
from fastgames.running import run as run_game
from fastgames.schedules import Exponential, Linear

try:
    import typer
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    _missing: ImportError | None = None
except ImportError as error:  # main() says so; nothing here evaluates the annotations before
    _missing = error

if TYPE_CHECKING:
    from fastgames.cli.speed import Speed
    from fastgames.papers import Report

PROGRAM = "fastgames"
WIDTH = 120  # columns where standard output is not a terminal
MOST_ROWS = 8  # joint actions shown
_SNAPSHOTS = 50  # on the way of a run that is plotted
_NUMBER = "a number, exponential:START,RATE[,FLOOR] or linear:START,END,STEPS"
_SCHEDULES = {"exponential": (Exponential, (2, 3)), "linear": (Linear, (3,))}

# Below the options, as written: at most 78 columns wide.
RUN_EXAMPLES = """
Examples:
  fastgames run matching_pennies --replicas 1000 --seed 7
  fastgames run prisoners_dilemma --temperature 0.5 --plot dilemma.png
  fastgames run climbing --steps 5000 --epsilon exponential:1,0.002,0.01
  fastgames run chicken --learner q --learner fixed --probabilities .7,.3
  fastgames run penalty:k=-10 --alpha 0.1 --alpha 0.01 --out penalty.zip
  fastgames run matching_pennies --learner exp3:low=-1,high=1
  fastgames run cournot:firms=3 --steps 1000000 \\
      --temperature exponential:1000,1e-5,0.01
  fastgames run klein --steps 500000 --alpha 0.3 --last 1000 \\
      --epsilon exponential:1,2.763e-5

A learner option given once is for all agents. Given once for each agent, it
is for each in turn; - leaves an agent its default.
"""
REPRODUCE_EXAMPLES = """
Names:
  cycling         the chapter's listing, and a million runs of it
  sweep           exercise (a), flips over alpha and epsilon
  softmax         exercise (b), softmax's play frequencies and rest points
  frozen          exercise (c), freeze the column agent, let it learn again
  calvano         Calvano et al. (2020), algorithms that learn to collude
                  (1,000 sessions of 4 settings, a minute or two on 2 cores);
                  with --grid 20x20: their profits by alpha and beta,
                  20 sessions each
  klein           Klein (2021), two firms that set their prices in turn
  afp             Asker, Fershtman & Pakes (2022), learning from all prices
                  or one
  waltman-kaymak  Waltman & Kaymak (2008), Cournot duopoly
  traffic         signals that learn beside a fixed plan, when demand surges
                  (compiled by Numba as it runs, half a minute on 2 cores)

Examples:
  fastgames reproduce cycling
  fastgames reproduce cycling --replicas 10000 --out pictures
  fastgames reproduce sweep --steps 50000 --seed 1
  fastgames reproduce calvano --replicas 200
  fastgames reproduce calvano --grid 40x40 --checkpoint calvano.zip
  fastgames reproduce afp --firms 2,3,4

With --checkpoint the same command goes on where it was interrupted.
Exit status 1 if something differs from what was expected.
"""
GAMES_EXAMPLES = """
Example:
  fastgames games

To play one: fastgames run NAME. Its parameters follow a colon:
  fastgames run penalty:k=-10
  fastgames run logit_bertrand:firms=3,mu=0.5
"""
LEARNERS_EXAMPLES = """
Example:
  fastgames learners

To choose one: fastgames run GAME --learner NAME. Its parameters come after a
colon: exp3:low=-1,high=1. How it explores is chosen with --epsilon or
--temperature.
"""
SPEED_EXAMPLES = """
Columns:
  M steps/s  million game steps a second; in each, every agent takes one
             learning step
  textbook   how many times as fast as the loop that a textbook prints, in
             Python and NumPy
  bits       whether a few replicas come out to the bit as the slowest build
             makes them

Examples:
  fastgames speed
  fastgames speed --seconds 60 --threads 8
  FASTGAMES_ISA=v3 fastgames speed

The last one measures the build for AVX2 where there is AVX-512 as well.
"""


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
    app.command(cls=Command, epilog=RUN_EXAMPLES)(run)
    app.command(cls=Command, epilog=REPRODUCE_EXAMPLES)(reproduce)
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


# --- commands ----------------------------------------------------------------------------------


MOST_SHOWN = 6  # agents whose actions are listed
MOST_COUNTS = 2**26  # counts of joint actions that `run` keeps, 8 bytes each


def games() -> None:
    """List the games of the catalogue."""
    table = _table("name", "agents", "states", "actions", "setting", "source")
    for name, build in GAMES.items():
        game = build()
        counts = str(game.num_agents), str(game.num_states or "-")
        actions = " x ".join(str(count) for count in game.num_actions[:MOST_SHOWN])
        actions += " x …" if game.num_agents > MOST_SHOWN else ""
        setting = game.setting if isinstance(game, MatrixGame) else ""
        table.add_row(name, *counts, actions, setting, game.source)
    _console().print(table)


def learners() -> None:
    """List the learners, their parameters and domains, and where they come from."""
    table = _table("learner", "parameter", "what it may be", "source")
    for name, kind in (LEARNERS | EXPLORERS).items():
        parameters, source = described(kind)
        first = True
        for parameter, text in parameters.items():
            table.add_row(name if first else "", parameter, text, source if first else "")
            first = False
        table.add_section()
    _console().print(table)


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
            help="A name from `fastgames learners`, parameters after a colon; q unless given.",
            autocompletion=_completing(lambda: LEARNERS),
        ),
    ] = None,
    alpha: Annotated[
        list[str] | None, typer.Option(help=f"Step size in (0, 1]: {_NUMBER}.")
    ] = None,
    epsilon: Annotated[
        list[str] | None, typer.Option(help="Epsilon-greedy exploration, in [0, 1]; as --alpha.")
    ] = None,
    temperature: Annotated[
        list[str] | None, typer.Option(help="Softmax exploration, above 0; as --alpha.")
    ] = None,
    gamma: Annotated[
        list[str] | None,
        typer.Option(help="Discount in [0, 1], 1 only where episodes end; as --alpha."),
    ] = None,
    probabilities: Annotated[
        list[str] | None, typer.Option(help="Of a fixed learner's actions: 0.5,0.5.")
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
    out: Annotated[Path | None, typer.Option(help="Write the result there.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it there: .png, .pdf, .svg.")] = None,
) -> int:
    """Let learners play a game, and say what came out."""
    chosen = _game(game)
    count, apart = _whole("steps", steps) or 0, _times(every)
    runs = _whole("replicas", replicas)
    options = {
        "alpha": alpha, "epsilon": epsilon, "temperature": temperature, "gamma": gamma,
        "probabilities": probabilities,
    }  # fmt: skip
    seats = _learners(chosen, learner or ["q"], options)
    for name, path in (("out", out), ("plot", plot)):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise ValueError(f"{name} must be a file in a directory that exists, got {str(path)!r}")
        if path is not None:
            check_writable(path)
    if plot is not None:
        from fastgames.plot import check_path

        check_path(plot, "plot")
        apart = max(1, count // _SNAPSHOTS) if apart is None else apart
    softmax = any(isinstance(getattr(seat, "explore", None), Softmax) for seat in seats)
    record = Record(
        every=apart, greedy=apart is not None, policies=apart is not None and softmax,
        flips=True, joint_actions=_few(chosen, runs or 0), rewards=True, last=_whole("last", last),
    )  # fmt: skip
    began = time.perf_counter()
    try:
        result = run_game(
            chosen, seats, count, runs, _seed(seed), record,
            dtype=dtype, backend=backend, stream=stream, threads=_whole("threads", threads),
        )  # fmt: skip
    except Interrupted as stop:
        if out is not None:
            stop.result.save(out)
        saved = "" if out is None else f"; written to {out}"
        done = stop.result.steps
        print(
            f"{PROGRAM}: interrupted after {done.mean() / count:.0%} of the steps, "
            f"replicas stand at {done.min():,} to {done.max():,} of {count:,}{saved}",
            file=sys.stderr,
        )
        return 130
    seconds = time.perf_counter() - began
    _show_result(result, seconds)
    if out is not None:
        result.save(out)
        print(f"result: {out}")
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
        Path, typer.Option(help="Directory for the picture, fastgames-NAME.png.")
    ] = Path(),
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
) -> int:
    """Run a published figure again: what was expected, what was found, and a picture."""
    from fastgames.papers import NAMES

    name = checks.one_of("name", name.replace("_", "-"), NAMES)
    again = NAMES[name]
    if out.exists() and not out.is_dir():
        raise ValueError(f"out must be a directory, got {str(out)!r}")
    own = {"grid": _sizes(grid), "firms": _firms(firms), "checkpoint": checkpoint}
    for option, value in own.items():
        having = [key for key, each in NAMES.items() if option in signature(each).parameters]
        if value is not None and name not in having:
            raise ValueError(f"{option} must go with {' or '.join(having)}, got {name!r}")
    out.mkdir(parents=True, exist_ok=True)
    picture = out / f"{PROGRAM}-{name}{'-grid' * (grid is not None)}.png"
    check_writable(picture)
    options = own | {
        "replicas": _whole("replicas", replicas), "steps": _whole("steps", steps),
        "rng": _seed(seed), "dtype": dtype, "threads": _whole("threads", threads),
    }  # fmt: skip
    began = time.perf_counter()
    try:
        report = again(**{key: value for key, value in options.items() if value is not None})
    except KeyboardInterrupt:
        seconds = time.perf_counter() - began
        saved = "nothing was written" if checkpoint is None else f"{checkpoint} has what was done"
        print(f"{PROGRAM}: {name} was interrupted after {seconds:.1f} s; {saved}", file=sys.stderr)
        return 130
    _show_report(report)
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

    limit, most = _float("seconds", seconds, "a number"), _whole("threads", threads)
    found: list[Speed] = []
    try:
        with _announcer() as announce:
            for each in measure(limit, most, announce):
                found.append(each)
    except KeyboardInterrupt:
        if found:
            _show_speeds(found)
        print(f"{PROGRAM}: interrupted, {len(found)} measured", file=sys.stderr)
        return 130
    _show_speeds(found)
    return 0 if all(each.same for each in found) else 1


# --- what is printed ---------------------------------------------------------------------------


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False)


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def _show_report(report: Report) -> None:
    console = _console()
    console.print(report.title, style="bold")
    for line in report.lines:
        console.print(line, soft_wrap=True)
    table = _table("", "expected", "found", "")
    for row in report.rows:
        verdict = Text("ok", "green") if row.ok else Text("differs", "bold red")
        table.add_row(row.what, row.expected, row.found, verdict if row.ok is not None else "")
    console.print(table)


@contextlib.contextmanager
def _announcer() -> Iterator[Callable[[str, int, int], None]]:
    """Return a function that shows on a terminal what is being measured."""
    if not sys.stderr.isatty():
        yield lambda what, number, of: None
        return
    with Console(stderr=True, markup=False).status("") as status:
        yield lambda what, number, of: status.update(f"{number + 1} of {of}: {what}")


def _show_speeds(found: Sequence[Speed]) -> None:
    from fastgames import _core

    title = f"fastgames {__version__}, build {_core.isa} of {', '.join(_core.available())}"
    columns = "threads", "M steps/s", "M agent-steps/s", "textbook", "bits"
    table = _table("workload", "tables", title=title)
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
    _console().print(table)


def _show_result(result: Result, seconds: float) -> None:
    console = _console()
    game, steps = result.game, int(result.steps.max())
    title = f"{game.name}: {result.replicas:,} x {steps:,} steps"
    table = _table("agent", "learner", "mean reward", "flips", title=title)
    assert result.mean_reward is not None
    assert result.flips is not None
    for i, learner in enumerate(result.learners):
        table.add_row(
            str(i), repr(learner), _spread(result.mean_reward[:, i]), _spread(result.flips[:, i])
        )
    console.print(table)
    if result.joint_counts is None:
        print("joint actions were not counted: there are too many")
    elif game.compact.turns is None:  # else who does not move counts as playing its first action
        console.print(_joint_table(result))
    speed = result.steps.sum() / seconds / 1e6
    print(f"{seconds:.2f} s, {speed:,.1f} million steps per second, seed {result.seed}")


def _spread(values: Any) -> str:
    """Return the mean, and the standard deviation over replicas if there are several."""
    mean = f"{values.mean():,.4g}" if abs(values.mean()) < 1000 else f"{values.mean():,.0f}"
    return mean if len(values) == 1 else f"{mean} (sd {values.std():,.3g})"


def _few(game: Game, replicas: int) -> bool:
    """Return whether the joint actions of so many replicas are few enough to be counted."""
    return math.prod(game.num_actions) * replicas <= MOST_COUNTS


def _joint_table(result: Result) -> Table:
    """Return a table of the shares of joint actions: greedy at the end, and played."""
    from fastgames.plot import paired, preferred

    assert result.joint_counts is not None
    counts = result.joint_counts.sum(axis=0)
    columns = {"played": counts / max(counts.sum(), 1)}
    if paired(result):
        columns = {"preferred at the end": preferred(result), **columns}
    order = np.lexsort([-shares.ravel() for shares in reversed(columns.values())])[:MOST_ROWS]
    table = _table("joint action", *columns)
    names = _action_names(result.game)
    for cell in order:
        index = np.unravel_index(cell, counts.shape)
        joint = ", ".join(names[i][a] for i, a in enumerate(index))
        table.add_row(joint, *(f"{shares[index]:.1%}" for shares in columns.values()))
    return table


def _action_names(game: Game) -> Sequence[Sequence[str]]:
    """Return the names of the actions; prices or quantities if actions stand for these."""
    if isinstance(game, MarketGame):
        return [[f"{choice:.4g}" for choice in grid] for grid in game.choices]
    return game.actions


def described(kind: type) -> tuple[dict[str, str], str]:
    """Return parameters and source of a learner from its docstring.

    Parameters
    ----------
    kind : type
        A class of the registry, with a Numpy-style docstring and a paragraph "Source: …".

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


# --- what is given -----------------------------------------------------------------------------


def _whole(name: str, text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, got {text!r}") from None


def _times(text: str | None) -> int | list[int] | None:
    """Return how many steps lie between two snapshots, or the times of all."""
    if text is None or "," not in text:
        return _whole("every", text)
    return [_whole("every", part) or 0 for part in text.split(",")]


def _seed(text: str | None) -> int | None:
    seed = _whole("seed", text)
    return None if seed is None else checks.whole("seed", seed, 0, 2**64 - 1)


def _sizes(text: str | None) -> tuple[int, int] | None:
    """Return the two sizes of a grid."""
    if text is None:
        return None
    sizes = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text)
    if sizes is None:
        raise ValueError(f"grid must be two whole numbers such as 20x20, got {text!r}")
    return int(sizes[1]), int(sizes[2])


def _firms(text: str | None) -> list[int] | None:
    return None if text is None else [_whole("firms", part) or 0 for part in text.split(",")]


def _game(text: str) -> Game:
    """Return a game by its name; parameters follow a colon: penalty:k=-10."""
    name, parameters = _named("game", text)
    return make(name, **parameters)


def _named(what: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return a name and the parameters that are given after a colon."""
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{what} must be NAME or NAME:PARAMETER=NUMBER,…, got {text!r}")
        number = _float(f"{what} parameter {key}", value, "a number")
        whole = value.strip().lstrip("+-").isdigit()
        parameters[key.strip()] = int(value) if whole else number
    return name, parameters


def _learners(
    game: Game, kinds: list[str], options: Mapping[str, list[str] | None]
) -> list[AnyLearner]:
    """Return a learner for each agent, from options given once or once for each agent."""
    agents = game.num_agents
    named = [_named("learner", text) for text in _each("learner", kinds, agents)]
    seats = [kind for kind, _ in named]
    takes = [_takes(checks.one_of("learner", kind, LEARNERS)) for kind in seats]
    given: list[dict[str, str]] = [{} for _ in seats]
    for name, values in options.items():
        for i, value in enumerate(_each(name, values, agents) if values else []):
            if name in takes[i] and value != "-":
                given[i][name] = value
            elif not any(name in t for t in takes) or (len(values or []) > 1 and value != "-"):
                raise ValueError(
                    f"{name} must go with a learner that has it, got {value!r} for agent {i}, "
                    f"whose learner is {seats[i]!r}"
                )
    return [_learner(kind, own, texts) for (kind, own), texts in zip(named, given, strict=True)]


def _each(name: str, values: list[str], agents: int) -> list[str]:
    if len(values) == 1:
        return values * agents
    if len(values) != agents:
        raise ValueError(
            f"{name} must be given once, or once for each of {agents} agents, "
            f"got {len(values)} times"
        )
    return values


def _takes(kind: str) -> set[str]:
    """Return the options that go with a learner."""
    names = {part.name for part in fields(LEARNERS[kind])}
    return names | ({"epsilon", "temperature"} if "explore" in names else set())


def _learner(kind: str, own: Mapping[str, Any], texts: Mapping[str, str]) -> AnyLearner:
    values = dict(own)
    allowed = {part.name for part in fields(LEARNERS[kind])}
    for name in own:
        checks.one_of(f"parameter of {kind!r}", name, sorted(allowed))
        if name in texts:
            raise ValueError(f"{name} of {kind!r} must be given once, got --{name} as well")
    for name, text in texts.items():
        values[name] = _list(name, text) if name == "probabilities" else _numeric(name, text)
    if "epsilon" in values and "temperature" in values:
        raise ValueError(
            "epsilon and temperature must not both be given to one agent, "
            f"got {texts['epsilon']} and {texts['temperature']}"
        )
    explores = any(part.name == "explore" for part in fields(LEARNERS[kind]))
    if explores and "epsilon" in values:
        values["explore"] = EpsilonGreedy(values.pop("epsilon"))
    if "temperature" in values:
        values["explore"] = Softmax(values.pop("temperature"))
    for part in fields(LEARNERS[kind]):
        needed = part.default is MISSING and part.default_factory is MISSING
        if needed and part.name not in values:
            raise ValueError(f"{part.name} must be given for the learner {kind!r}: --{part.name}")
    learner: AnyLearner = LEARNERS[kind](**values)
    return learner


def _numeric(name: str, text: str) -> float | Exponential | Linear:
    """Return a number or a schedule in the form of _NUMBER."""
    kind, colon, rest = text.partition(":")
    if not colon:
        return _float(name, text, _NUMBER)
    schedule, counts = _SCHEDULES[checks.one_of(f"schedule of {name}", kind, _SCHEDULES)]
    numbers = [_float(name, part, _NUMBER) for part in rest.split(",")]
    if len(numbers) not in counts:
        raise ValueError(f"{name} must be {_NUMBER}, got {text!r}")
    value: Exponential | Linear = schedule(*numbers)
    return value


def _list(name: str, text: str) -> list[float]:
    return [_float(name, part, "numbers with commas between them") for part in text.split(",")]


def _float(name: str, text: str, domain: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be {domain}, got {text!r}") from None
