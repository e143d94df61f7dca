"""Profit gain over alpha and beta: Figure 1 of Calvano et al. (2020)."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.analysis import limit_cycle, profit_gain
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

    Returns
    -------
    Report
        A report with the result "grid", over the dimensions "alpha" and "beta"; its `to_xarray` has
        their values.

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
    return map_of(grid, Arguments(replicas, steps, rng, dtype, threads, out), checkpoint)


def map_of(grid: Any, asked: Arguments, checkpoint: str | Path | None) -> Report:
    """Return the report of `heat_map`; check `grid`."""
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
    stage, game = pricing()
    began = time.perf_counter()
    result = asked.run(
        game,
        learner(cells["alpha"], cells["beta"]),
        asked.steps,
        cells,
        stop=Stable(STABLE),
        checkpoint=checkpoint,
    )
    cycle = limit_cycle(result, threads=asked.threads)
    gains = cells.reshape(profit_gain(cycle, stage.nash.profits, stage.monopoly.profits))
    seconds = time.perf_counter() - began
    alphas, betas = (np.array(values) for values in cells.dims.values())
    return Report(
        title=f"Profit gain over alpha and beta: {rows} x {columns} cells, "
        f"{cells.repeats:,} sessions each",
        rows=(
            *_rows(alphas, betas, gains, result.stopped),
            time_row(result, seconds, checkpoint),
        ),
        lines=(),
        figure=picture(lambda: _draw(alphas, betas, gains), asked.out),
        results={"grid": result},
    )


def _rows(alphas: Any, betas: Any, gains: Any, stopped: Any) -> list[Row]:
    """Return the rows of the report. gains: (alphas, betas, replicas); stopped: (sessions,)."""
    means = gains.mean(axis=-1)
    low, high = (np.unravel_index(cell, means.shape) for cell in (means.argmin(), means.argmax()))
    rows = [
        Row(
            "sessions that converged",
            "all",
            f"{stopped.sum():,} of {stopped.size:,}",
            bool(stopped.all()),
        ),
        Row(
            "cells whose mean profit is above the one-shot equilibrium's",
            "all",
            f"{(means > 0.0).sum():,} of {means.size:,}",
            bool((means > 0.0).all()),
        ),
    ]
    a, b = np.abs(alphas - ALPHA).argmin(), np.abs(betas - BETA).argmin()
    if abs(alphas[a] - ALPHA) <= NEAR[0] and abs(betas[b] - BETA) <= NEAR[1]:
        rows.append(
            estimate.beside(
                f"Delta next to the baseline: {_cell(alphas[a], betas[b])}",
                estimate.mean(gains[a, b]),
                SETTINGS["baseline"][2],
                GAIN_TOLERANCE,
                3,
                (SESSIONS, gains.shape[-1]),
            )
        )
    for name, (a, b) in (("least", low), ("largest", high)):
        what = f"{name} mean Delta: {_cell(alphas[a], betas[b])}"
        rows.append(Row(what, "", estimate.mean(gains[a, b]).text(3)))
    return rows


def _cell(alpha: float, beta: float) -> str:
    """Return the name of a cell of the grid."""
    return f"alpha {alpha:.3f}, beta {beta:.2g}"


def _draw(alphas: Any, betas: Any, gains: Any) -> "Figure":
    """Draw the heat map of the mean profit gains. gains: (alphas, betas, replicas)."""
    from fastgames import plot

    title = f"Pricing duopoly of two Q-learners, {gains.shape[-1]:,} sessions in each cell"
    drawn, axes = plot.figure(1, 1, title, (6.4, 4.8))
    plot.grid_map(
        axes[0], gains.mean(axis=-1), [f"{alpha:.3f}" for alpha in alphas],
        [f"{beta * 1e6:.3g}" for beta in betas], "{:.2f}",
    )  # fmt: skip
    plot.label(axes[0], "Mean profit gain Delta", "beta, 10⁻⁶", "alpha")
    return drawn
