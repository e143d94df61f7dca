"""Store the speed of every scenario by commit as JSON, and draw it as one HTML page.

`python bench/history.py --add report.json` appends a report of pytest-benchmark to
bench/history/MACHINE.jsonl, one line a run, and draws the page; without --add it only draws.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from machine import key

HERE = Path(__file__).parent
NOTABLE = 0.05  # least relative change that the page lists, if it exceeds both quartile ranges


@dataclass(frozen=True)
class Timing:
    """One scenario in one run: seconds, game-steps per second and digest, or None."""

    median: float
    iqr: float
    steps_per_s: float | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        numbers = (self.median, 1.0 if self.steps_per_s is None else self.steps_per_s)
        if not all(0.0 < x < math.inf for x in numbers) or not 0.0 <= self.iqr < math.inf:
            raise ValueError(f"timing must be positive and finite, got {self}")


@dataclass(frozen=True)
class Run:
    """All scenarios of one commit on one machine; dirty: with uncommitted changes."""

    commit: str
    date: str
    dirty: bool
    machine: dict[str, Any]
    scenarios: dict[str, Timing]


# --- storage ------------------------------------------------------------------------------------


def run_of(report: dict[str, Any]) -> Run:
    """Return the run in a report of pytest-benchmark."""
    scenarios = {}
    for each in report["benchmarks"]:
        more = each["extra_info"]
        times = each["stats"]["median"], each["stats"]["iqr"]
        scenarios[each["name"]] = Timing(*times, more.get("game_steps_per_s"), more.get("digest"))
    commit = report["commit_info"]
    machine = report["machine_info"]["fastgames"]
    return Run(commit["id"], report["datetime"], bool(commit.get("dirty")), machine, scenarios)


def append(run: Run, folder: Path) -> Path:
    """Append a run to the history of its machine; return the path of the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key(run.machine)}.jsonl"
    with path.open("a") as file:
        file.write(json.dumps(asdict(run)) + "\n")
    return path


def read(folder: Path) -> dict[str, list[Run]]:
    """Return all runs of every machine, in the order in which they were added.

    Raise FileNotFoundError if there is no history, ValueError if a line is damaged.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise FileNotFoundError(f"no history in {folder}: make bench-history adds the first run")
    return {path.stem: list(_runs(path)) for path in paths}


def _runs(path: Path) -> Iterator[Run]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            run = Run(**json.loads(line))
            timings = {name: Timing(**timing) for name, timing in run.scenarios.items()}
            if key(run.machine) != path.stem:
                raise ValueError(f"it is of machine {key(run.machine)}")
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}, is not a run: {error}") from error
        yield Run(run.commit, run.date, run.dirty, run.machine, timings)


# --- pages --------------------------------------------------------------------------------------

STYLE = """
body { font: 14px system-ui, sans-serif; margin: 2em; color: #222 }
section { display: none }
figure { display: inline-block; margin: 0 1.5em 1em 0; width: 300px; vertical-align: top }
figcaption { font-size: 12px; overflow-wrap: anywhere }
svg { background: #f6f6f6 }
svg text { font-size: 10px; fill: #666 }
polyline { fill: none; stroke: #4477aa }
line { stroke: #aabbcc; stroke-width: 3 }
circle { fill: #4477aa }
circle.changed { fill: #cc3311 }
td { padding-right: 1.5em }
label { margin-right: 1em }
summary { font-weight: bold; margin: 0.5em 0 }
"""
WIDTH, HEIGHT, EDGE = 300, 90, 12


def value(timing: Timing) -> tuple[float, float, str]:
    """Return the drawn value of a timing, half its quartile range, and the unit."""
    if timing.steps_per_s is None:
        return 1e3 * timing.median, 5e2 * timing.iqr, "ms"
    rate = timing.steps_per_s / 1e6
    return rate, rate * timing.iqr / timing.median / 2, "M steps/s"


def chart(runs: list[Run], name: str) -> str:
    """Return the chart of one scenario: medians, quartile ranges, changes of the bits."""
    points = [(run, run.scenarios[name]) for run in runs if name in run.scenarios]
    values = [value(timing) for _, timing in points]
    low = 0.9 * max(0.0, min(middle - half for middle, half, _ in values))
    high = 1.1 * max(middle + half for middle, half, _ in values)

    def y(of: float) -> float:
        return round(EDGE + (HEIGHT - 2 * EDGE) * (high - max(of, low)) / (high - low), 1)

    marks, path, before = [], [], points[0][1].digest
    for i, ((run, timing), (middle, half, unit)) in enumerate(zip(points, values, strict=True)):
        x = round(EDGE + (WIDTH - 2 * EDGE) * (i + 0.5) / len(points), 1)
        path.append(f"{x},{y(middle)}")
        title = f"{run.commit[:10]}{' and changes' * run.dirty}, {run.date[:16]}: "
        title += f"{middle:,.4g} ± {half:.2g} {unit}, digest {timing.digest}"
        kind = "same" if timing.digest == before else "changed"
        marks.append(
            f'<line x1="{x}" x2="{x}" y1="{y(middle - half)}" y2="{y(middle + half)}"/>'
            f'<circle class="{kind}" cx="{x}" cy="{y(middle)}" r="4">'
            f"<title>{escape(title)}</title></circle>"
        )
        before = timing.digest
    return (
        f'<figure><svg width="{WIDTH}" height="{HEIGHT}"><polyline points="{" ".join(path)}"/>'
        f'{"".join(marks)}<text x="2" y="10">{high:,.4g}</text>'
        f'<text x="2" y="{HEIGHT - 2}">{low:,.4g}</text></svg>'
        f"<figcaption>{escape(name)}<br><b>{middle:,.4g}</b> {unit}</figcaption></figure>"
    )


def changes(runs: list[Run]) -> list[tuple[str, float, bool]]:
    """Return (name, time ratio, whether bits changed) of scenarios that the last run changed."""
    if len(runs) < 2:
        return []
    found = []
    for name, now in runs[-1].scenarios.items():
        before = runs[-2].scenarios.get(name)
        if before is None:
            continue
        ratio = now.median / before.median
        if now.steps_per_s and before.steps_per_s:
            ratio = before.steps_per_s / now.steps_per_s
        noise = (now.iqr / now.median + before.iqr / before.median) / 2
        bits = now.digest != before.digest
        if bits or abs(ratio - 1.0) > max(NOTABLE, noise):
            found.append((name, ratio, bits))
    return sorted(found, key=lambda each: -each[1])


def page(history: dict[str, list[Run]]) -> str:
    """Return the page: one selectable section per machine, without external resources."""
    chosen = "".join(f"#c{m}:checked ~ #s{m} {{ display: block }}\n" for m in history)
    choices = [
        f'<input type="radio" name="machine" id="c{m}"{"" if i else " checked"}>'
        f'<label for="c{m}">{escape(str(runs[-1].machine.get("cpu")))} ({m})</label>'
        for i, (m, runs) in enumerate(history.items())
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>fastgames: speed</title>'
        f"<style>{STYLE}{chosen}</style><h1>fastgames: speed by commit</h1>"
        "<p>Medians; bars: half the quartile range each way; red: other bits than the run before."
        f"<form>{''.join(choices)}{''.join(section(*each) for each in history.items())}</form>\n"
    )


def section(machine: str, runs: list[Run]) -> str:
    """Return the section of one machine: changes of the last run, and all charts."""
    told = "; ".join(f"{name} {value}" for name, value in runs[-1].machine.items())
    rows = [
        f"<tr><td>{escape(name)}<td>{ratio:.3f}<td>{'other bits' * bits}"
        for name, ratio, bits in changes(runs)
    ]
    names = sorted({name for run in runs for name in run.scenarios})
    groups = [
        f"<details open><summary>{escape(group)}</summary>"
        f"{''.join(chart(runs, name) for name in members)}</details>"
        for group, members in groupby(names, lambda name: name.partition("[")[0])
    ]
    return (
        f'<section id="s{machine}"><p>{escape(told)}<p>{len(runs)} runs.'
        f"<details><summary>{len(rows)} scenarios took another time in the last run than in the "
        f"one before</summary><table>{''.join(rows)}</table></details>{''.join(groups)}</section>"
    )


def main(arguments: list[str] | None = None) -> None:
    """Add a run if --add is given, then draw the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--add", type=Path, metavar="REPORT", help="a report of pytest-benchmark")
    parser.add_argument("--folder", type=Path, default=HERE / "history")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "bench-history.html")
    given = parser.parse_args(arguments)
    try:
        if given.add is not None:
            print(f"added to {append(_report(given.add), given.folder)}")
        drawn = page(read(given.folder))
    except (OSError, ValueError) as error:
        sys.exit(f"bench/history.py: {error}")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(drawn)
    print(f"drawn in {given.out}")


def _report(path: Path) -> Run:
    try:
        return run_of(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a report of pytest-benchmark: {error!r}") from error


if __name__ == "__main__":
    main()
