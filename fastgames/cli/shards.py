"""Commands for parts of a run: `run --shard`, `merge`, and `shards`, which prints a script."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
import time as clock
import warnings
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from fastgames._common import checks
from fastgames.cli.parse import whole_of
from fastgames.cli.schedulers import SCHEDULERS, scheduled, script, shard_of
from fastgames.cli.show import show_report
from fastgames.cli.texts import PROGRAM
from fastgames.errors import stretches
from fastgames.io.files import check_writable
from fastgames.runs.execution import Interrupted
from fastgames.runs.merging import merge as merge_parts
from fastgames.runs.shards import MOST, Shard, Shards, listed

with contextlib.suppress(ImportError):  # `main` says so; nothing evaluates annotations before
    import typer
if TYPE_CHECKING:
    from fastgames.papers import Report

SHARDED = ("run", "reproduce")  # commands with --shard


def shard_for(
    shard: str | None, out: str | None, seed: str | None, stream: str, plot: Path | None
) -> Shard | None:
    """Return the shard that `run` is to run, None for a whole run.

    Unless `shard` is given, there is one if `out` is a folder and this is a task of a job array.

    Raises ValueError if another option does not go with it.
    """
    if shard is not None:
        part: Shard | None = shard_of(shard)
    elif out is not None and _is_folder(out):
        part = scheduled()
        if part is None:
            raise ValueError(
                f"out must be a file in a directory that exists, got {out!r}; it is a folder with "
                "--shard K/N only"
            )
    else:
        part = None
    if part is None:
        return None
    if out is None or Path(out).is_file():
        raise ValueError(f"out must be a folder with shard, got {out!r}")
    if seed is None:
        raise ValueError("seed must be given with shard, got none: all shards need the same one")
    if stream != "fastgames":
        raise ValueError(f"stream must be fastgames with shard, got {stream!r}")
    if plot is not None:
        raise ValueError(f"plot must be left out with shard, got {str(plot)!r}; draw merged parts")
    return part


def _is_folder(out: str) -> bool:
    """Return whether a path that was typed is meant as a folder."""
    return out.endswith(("/", os.sep)) or Path(out).is_dir()


def run_part(call: dict[str, Any], shard: Shard, out: str) -> int:
    """Run a shard of a call into the folder `out`, print what was done, and return the status."""
    began = clock.perf_counter()
    parts = Shards(out, call)
    try:
        result, ran = parts.run(shard)
    except Interrupted as stop:
        return interrupted(shard, stop)
    said = f"in {clock.perf_counter() - began:.2f} s" if ran else "were finished before"
    print(f"shard {shard}: {result.replicas:,} of {result.total:,} replicas {said}")
    print(f"result: {Path(out) / parts.path(shard).name}")
    return 0


def check_own(name: str, out: Path | None, own: Mapping[str, Any]) -> None:
    """Raise ValueError if options that only some figures have do not go with the rest.

    own: these options, None if not given, by the names of the arguments of figures
    """
    from fastgames.papers import NAMES

    for option, value in own.items():
        having = [key for key, each in NAMES.items() if option in signature(each).parameters]
        if value is not None and name not in having:
            flag = "merge" if option == "parts" else option
            raise ValueError(f"{flag} must go with {' or '.join(having)}, got {name!r}")
    shard, parts = own["shard"], own["parts"]
    if shard is None and parts is None:
        return
    flag = "merge" if shard is None else "shard"
    if own["grid"] is None:
        raise ValueError(f"grid must be given with {flag}, got none")
    if own["checkpoint"] is not None:
        raise ValueError(f"checkpoint must be left out with {flag}, got {str(own['checkpoint'])!r}")
    if shard is not None and parts is not None:
        raise ValueError(f"merge must be left out with shard, got {str(parts)!r}")
    if shard is not None and out is None:
        raise ValueError("out must be a folder with shard, got none")
    if shard is None and not parts.is_dir():
        raise ValueError(f"merge must be a folder, got {str(parts)!r}")


def reproduce_part(again: Callable[..., Report], given: Mapping[str, Any]) -> int:
    """Run a shard of a figure, print its report, and return the status.

    given: the arguments, with `shard` and `parts`
    """
    shard = given["shard"]
    try:
        report = again(**given)
    except Interrupted as stop:
        return interrupted(shard, stop)
    show_report(report)
    print(f"result: {given['parts'] / f'{shard.stem}.zip'}")
    return 0


def interrupted(shard: Shard, stop: Interrupted) -> int:
    """Print what an interrupted shard has finished, and return the exit status."""
    done = 0 if stop.result is None else stop.result.replicas
    print(
        f"{PROGRAM}: interrupted after {done:,} replicas of shard {shard}; the same command goes "
        "on from there",
        file=sys.stderr,
    )
    return 130


def merge(
    parts: Annotated[
        list[Path], typer.Argument(help="Folders and files that --shard or Result.save wrote.")
    ],
    out: Annotated[Path, typer.Option(help="Write the result there.")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Merge what is there, and say what is missing.")
    ] = False,
) -> int:
    """Join the parts of a run to the result of the whole."""
    if out.is_dir() or not out.parent.is_dir():
        raise ValueError(f"out must be a file in a directory that exists, got {str(out)!r}")
    check_writable(out)
    missing = [said for said in map(_missing_shards, parts) if said]
    if missing and not partial and len(parts) == 1:
        raise ValueError(
            f"parts must have all shards of the run, got none of {missing[0]}; --partial merges "
            "the others"
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "merged .* of .* replicas", RuntimeWarning)
        result = merge_parts(parts, partial)
    result.save(out)
    print(f"{result.replicas:,} of {result.total:,} replicas, seed {result.seed}")
    if result.replicas < result.total:
        lost = np.setdiff1d(np.arange(result.total), result.numbers, assume_unique=True)
        print(f"missing replicas: {stretches(lost)}")
        for said in missing:
            print(f"missing shards: {said}")
    print(f"result: {out}")
    return 0


def _missing_shards(path: Path) -> str:
    """Return the shards that a folder lacks as text, "" if it has all of them or is none."""
    try:
        _, missing = listed(path)
    except (ValueError, OSError):
        return ""
    return missing_text(missing) if missing else ""


def missing_text(missing: Sequence[Shard]) -> str:
    """Return shards as text, such as "3, 17 to 19 of 40"."""
    numbers = np.array([shard.number for shard in missing])
    return f"{stretches(numbers, 100)} of {missing[0].of}"


def shards(
    context: typer.Context,
    command: Annotated[
        list[str],
        typer.Argument(help="After --: run or reproduce, with --out FOLDER, without --shard."),
    ],
    number: Annotated[str, typer.Option("--number", "-n", metavar="N", help="Shards.")],
    slurm: Annotated[bool, typer.Option("--slurm", help="A script for sbatch.")] = False,
    pbs: Annotated[bool, typer.Option("--pbs", help="A script for qsub of PBS.")] = False,
    sge: Annotated[bool, typer.Option("--sge", help="A script for qsub of Grid Engine.")] = False,
    cpus: Annotated[str, typer.Option(metavar="N", help="CPUs and threads of a shard.")] = "1",
    memory: Annotated[
        str, typer.Option(metavar="N", help="GiB of a shard; of each of its CPUs in Grid Engine.")
    ] = "4",
    time: Annotated[
        str, typer.Option(metavar="H:MM:SS", help="The longest time of a shard.")
    ] = "1:00:00",
) -> int:
    """Print a submission script, to edit, that runs the shards of a run as a job array."""
    flags = {"slurm": slurm, "pbs": pbs, "sge": sge}
    chosen = [name for name, given in flags.items() if given]
    if len(chosen) != 1:
        got = " and ".join(f"--{name}" for name in chosen) or "none"
        raise ValueError(f"the scheduler must be one of --slurm, --pbs and --sge, got {got}")
    count = checks.whole("number", whole_of("number", number), f"[2, {MOST}]")
    sizes = {
        "cpus": checks.whole("cpus", whole_of("cpus", cpus), "[1, 1024]"),
        "memory": checks.whole("memory", whole_of("memory", memory), "[1, 65536]"),
    }
    if not re.fullmatch(r"\d{1,4}:[0-5]\d:[0-5]\d", time):
        raise ValueError(f"time must be hours, minutes and seconds such as 1:00:00, got {time!r}")
    options = _options_of(context, command)
    scheduler = SCHEDULERS[chosen[0]]
    words = shlex.join([PROGRAM, *command])
    if options.get("threads") is None:
        words += f' --threads "${scheduler.cpus}"'
    out = str(options["out"])
    if command[0] == "run":
        after = f"{PROGRAM} merge {shlex.quote(out)} --out {shlex.quote(Path(out).name + '.zip')}"
    else:
        after = shlex.join([PROGRAM, *_merging(command, out)])
    words += f" --shard auto/{count}"
    print(script(scheduler, count, time=time, command=words, after=after, **sizes), end="")
    return 0


def _options_of(context: typer.Context, command: Sequence[str]) -> dict[str, Any]:
    """Return the options of the command that shards run; raise unless it can be run in shards."""
    name, *rest = command
    checks.one_of("command", name, SHARDED)
    group: Any = context.find_root().command
    with group.get_command(context, name).make_context(name, rest) as parsed:
        options: dict[str, Any] = dict(parsed.params)
    if options.get("shard") is not None:
        raise ValueError(f"shard must be left out of the command, got {options['shard']!r}")
    if options.get("merge") is not None:
        raise ValueError(f"merge must be left out of the command, got {str(options['merge'])!r}")
    if options.get("out") is None:
        raise ValueError("out must be given in the command: the folder of the shards")
    if name == "run":
        shard_for("1/2", str(options["out"]), options["seed"], options["stream"], options["plot"])
    else:
        own = {name: options[name] for name in ("grid", "firms", "checkpoint")}
        check_own(options["name"], options["out"], own | {"shard": (1, 2), "parts": None})
    return options


def _merging(command: Sequence[str], out: str) -> list[str]:
    """Return the command that draws the shards of a figure, with --merge in place of --out."""
    words = list(command)
    if "--out" in words:
        at = words.index("--out")
        words[at : at + 2] = ["--merge", out]
    else:
        words = [f"--merge={out}" if word.startswith("--out=") else word for word in words]
    return words
