"""Profit gain over alpha and beta: Figure 1 of Calvano et al. (2020)."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.analysis import limit_cycle, profit_gain
from fastgames.errors import stretches
from fastgames.grids import grid as make_grid
from fastgames.papers import estimate
from fastgames.papers.arguments import Arguments
from fastgames.papers.calvano_2020_setup import (
    ALPHA,
    BETA,
    GAIN_TOLERANCE,
    MOST,
    SESSIONS,
    SETTINGS,
    STABLE,
    learner,
    pricing,
    time_row,
)
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.runs.shards import Shard, check_shard
from fastgames.stop import Stable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOWEST, HIGHEST = 0.025, 0.25  # range of alpha
FASTEST = 2e-5  # largest beta
CELL_SESSIONS = 20  # sessions of each cell unless given
NEAR = 0.01, 2.5e-7  # distances in alpha and beta within which a cell is compared with the baseline


def heat_map(
    grid: tuple[int, int] = (20, 20),
    replicas: int = CELL_SESSIONS,
    steps: int = MOST,
    rng: Any = 7,
    dtype: str = "float64",
    threads: int | None = None,
    out: str | Path | None = None,
    checkpoint: str | Path | None = None,
    shard: tuple[int, int] | None = None,
    parts: str | Path | None = None,
) -> Report:
    """Reproduce the mean profit gain over a grid of alpha and beta; return a report.

    All cells are one run. The values of alpha are evenly spaced from 0.025 to 0.25; those of beta
    are evenly spaced up to 2e-5, and the first is one step above 0. The paper's figure has 100 of
    each.

    Parameters
    ----------
    grid : (int, int)
        Numbers of values of alpha and of beta, in [1, 1,000].
    replicas : int
        Number of sessions of each cell, at least 1.
    steps, rng, dtype, threads, out, checkpoint
        As for `fastgames.papers.calvano`.
    shard : (int, int), optional
        Number of a shard and of all shards: run every `shard[1]`-th session only, and write their
        profit gains and whether they converged to a file of the folder `parts`. A shard that was
        killed goes on where it was. The report is that of the shard, without a figure.
    parts : str or Path, optional
        Folder of the files of shards. Without `shard`, no session is run: the report is that of the
        sessions in the files, which must be of the same call.

    Returns
    -------
    Report
        A report with the result "grid", over the dimensions "alpha" and "beta"; its `to_xarray` has
        their values. With `parts` it has no tables, and ``kept["gain"]`` has the profit gains.

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        As `fastgames.run` and `fastgames.plot.overview`.

    Notes
    -----
    A session takes about 7 / beta periods, so cells with small beta take most of the time: 20 x 20
    cells with 20 sessions each take 11 billion periods, minutes on two cores. A mean over 20
    sessions has a standard error of .025.

    Examples
    --------
    >>> heat_map(grid=(2, 3), replicas=2, steps=1_000).title
    'Profit gain over alpha and beta: 2 x 3 cells, 2 sessions each'
    """
    replicas = checks.whole("replicas", replicas, "[1, inf)")
    steps = checks.whole("steps", steps, "[1, inf)")
    asked = Arguments(replicas, steps, rng, dtype, threads, out)
    return map_of(grid, asked, checkpoint, shard, parts)


def map_of(
    grid: Any,
    asked: Arguments,
    checkpoint: str | Path | None,
    shard: tuple[int, int] | None,
    parts: str | Path | None,
) -> Report:
    """Return the report of `heat_map`; check `grid`, `checkpoint`, `shard` and `parts`."""
    if not isinstance(grid, tuple) or len(grid) != 2:
        raise TypeError(
            f"grid must be a tuple of two whole numbers, got {grid!r}; pass the numbers of values "
            "of alpha and of beta"
        )
    rows, columns = (checks.whole("grid", size, "[1, 1000]") for size in grid)
    cells = make_grid(
        alpha=np.linspace(LOWEST, HIGHEST, rows),
        beta=FASTEST * np.arange(1, columns + 1) / columns,
        repeats=asked.replicas,
    )
    if parts is not None and checkpoint is not None:
        raise ValueError(f"checkpoint must be None with parts, got {str(checkpoint)!r}")
    if shard is not None and parts is None:
        raise ValueError(f"parts must be the folder of the shards, got None with shard {shard!r}")
    call: dict[str, Any] = {
        "game": pricing()[1],
        "learners": learner(cells["alpha"], cells["beta"]),
        "steps": asked.steps,
        "replicas": cells,
        "stop": Stable(STABLE),
    }
    title = (
        f"Profit gain over alpha and beta: {rows} x {columns} cells, "
        f"{cells.repeats:,} sessions each"
    )
    if shard is not None:
        assert parts is not None
        return _of_shard(title, call, asked, check_shard(shard), parts)
    began = time.perf_counter()
    merged: tuple[Row, ...] = ()
    if parts is None:
        result = asked.run(**call, checkpoint=checkpoint)
        gains = _gains(result, asked.threads)
    else:
        result, missing = asked.shards(parts, call, kept).merged()
        gains = np.full(cells.replicas, np.nan)
        gains[result.numbers] = _kept_gains(result)
        merged = (_merged_row(result, missing),)
    gains = cells.reshape(gains)
    seconds = time.perf_counter() - began
    alphas, betas = (np.array(values) for values in cells.dims.values())
    return Report(
        title=title,
        rows=(
            *merged,
            *_rows(alphas, betas, gains, result.stopped),
            time_row(result, seconds, parts or checkpoint),
        ),
        lines=(),
        figure=picture(lambda: _draw(alphas, betas, gains), asked.out),
        results={"grid": result},
    )


def _gains(result: Result, threads: int | None) -> np.ndarray:
    """Return the profit gain of every session, (replicas,)."""
    stage, _ = pricing()
    cycle = limit_cycle(result, threads=threads)
    return profit_gain(cycle, stage.nash.profits, stage.monopoly.profits)


def kept(part: Result) -> dict[str, np.ndarray]:
    """Return what shards keep of each session, by name: its profit gain."""
    return {"gain": _gains(part, 1)}


def _kept_gains(result: Result) -> np.ndarray:
    """Return the profit gains that shards kept, (sessions,)."""
    assert result.kept is not None
    return result.kept["gain"]


def _of_shard(
    title: str, call: dict[str, Any], asked: Arguments, shard: Shard, parts: str | Path
) -> Report:
    """Run a shard into the folder `parts`, and return its report."""
    began = time.perf_counter()
    result = asked.run_shard(parts, call, kept, shard)
    seconds = time.perf_counter() - began
    return Report(
        title=f"{title}, shard {shard}",
        rows=(
            Row(*_converged(result.stopped)),
            Row("mean Delta of these", "", estimate.mean(_kept_gains(result)).text(3)),
            time_row(result, seconds, parts),
        ),
        lines=(),
        figure=None,
        results={"grid": result},
    )


def _merged_row(result: Result, missing: list[Shard]) -> Row:
    """Return the row of the sessions that shards had; missing: the other shards."""
    found = f"{result.replicas:,} of {result.total:,}"
    if missing:
        numbers = np.array([shard.number for shard in missing])
        found += f", none of shards {stretches(numbers)} of {missing[0].of}"
    return Row("sessions in the parts", "all", found, not missing)


def _converged(stopped: Any) -> tuple[str, str, str]:
    """Return name, expected and found text of the sessions that converged."""
    return "sessions that converged", "all", f"{stopped.sum():,} of {stopped.size:,}"


def _rows(alphas: Any, betas: Any, gains: Any, stopped: Any) -> list[Row]:
    """Return the rows of the report; missing sessions are nan.

    gains: (alphas, betas, replicas); stopped: (sessions,)
    """
    means = _means(gains)
    there = int(np.isfinite(means).sum())
    low, high = (
        np.unravel_index(cell, means.shape) for cell in (np.nanargmin(means), np.nanargmax(means))
    )
    above = int((means > 0.0).sum())
    rows = [
        Row(*_converged(stopped), bool(stopped.all())),
        Row(
            "cells whose mean profit is above the one-shot equilibrium's",
            "all",
            f"{above:,} of {there:,}",
            above == there,
        ),
    ]
    a, b = np.abs(alphas - ALPHA).argmin(), np.abs(betas - BETA).argmin()
    near = abs(alphas[a] - ALPHA) <= NEAR[0] and abs(betas[b] - BETA) <= NEAR[1]
    if near and np.isfinite(means[a, b]):
        sample = _present(gains[a, b])
        rows.append(
            estimate.beside(
                f"Delta next to the baseline: {_cell(alphas[a], betas[b])}",
                estimate.mean(sample),
                SETTINGS["baseline"][2],
                GAIN_TOLERANCE,
                3,
                (SESSIONS, len(sample)),
            )
        )
    for name, (a, b) in (("least", low), ("largest", high)):
        what = f"{name} mean Delta: {_cell(alphas[a], betas[b])}"
        rows.append(Row(what, "", estimate.mean(_present(gains[a, b])).text(3)))
    return rows


def _present(sample: np.ndarray) -> np.ndarray:
    """Return the entries of a sample (n,) that are not nan."""
    present: np.ndarray = sample[~np.isnan(sample)]
    return present


def _means(gains: np.ndarray) -> np.ndarray:
    """Return the mean of every cell (alphas, betas); nan where it has no session."""
    count = (~np.isnan(gains)).sum(axis=-1)
    means = np.full(count.shape, np.nan)
    np.divide(np.nansum(gains, axis=-1), count, out=means, where=count > 0)
    return means


def _cell(alpha: float, beta: float) -> str:
    """Return the name of a cell of the grid."""
    return f"alpha {alpha:.3f}, beta {beta:.2g}"


def _draw(alphas: Any, betas: Any, gains: Any) -> "Figure":
    """Draw the heat map of the mean profit gains. gains: (alphas, betas, replicas)."""
    from fastgames import plot

    count, most = int((~np.isnan(gains)).sum()), gains.shape[-1]
    sessions = f"{most:,} sessions in each cell"
    if count < gains.size:
        sessions = f"{count:,} of {gains.size:,} sessions"
    title = f"Pricing duopoly of two Q-learners, {sessions}"
    drawn, axes = plot.figure(1, 1, title, (6.4, 4.8))
    plot.grid_map(
        axes[0], _means(gains), [f"{alpha:.3f}" for alpha in alphas],
        [f"{beta * 1e6:.3g}" for beta in betas], "{:.2f}",
    )  # fmt: skip
    plot.label(axes[0], "Mean profit gain Delta", "beta, 10⁻⁶", "alpha")
    return drawn
