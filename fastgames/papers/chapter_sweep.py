"""Exercise (a) of the chapter: raise alpha, lower epsilon, report the flips."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames.games import matching_pennies
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result
from fastgames.running import run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
EPSILONS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
CHAPTER = (0.1, 0.1)  # the chapter's own alpha and epsilon


def sweep(
    replicas: int = 1_000,
    steps: int = 20_000,
    rng: Any = 7,
    dtype: str = "float64",
    threads: int | None = None,
    out: str | Path | None = None,
) -> Report:
    """Flips of Row's greedy action for every alpha in ALPHAS and epsilon in EPSILONS, in one run.

    What theory lets us expect:

    - A larger alpha forgets sooner, so a preference changes hands sooner: at the chapter's epsilon
      the flips rise with alpha.
    - An agent learns that its other action has become the better one by trying it: without
      exploration it can only wait until losses have worn out the present one. So fewer flips with a
      smaller epsilon, at every alpha.
    - Not even epsilon = 0 ends them. Whatever pair of actions is preferred, one of the two agents
      loses 1 at every step; its value tends to -1, and the other action's lies above.

    Parameters
    ----------
    replicas : int
        Runs for each pair of alpha and epsilon.
    steps, rng, dtype, threads
        As `fastgames.run` has them.
    out : str or Path, optional
        Where to write the picture.

    Returns
    -------
    Report
        Result "grid": its replicas run over epsilon within alpha, `replicas` of each pair.

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        As `fastgames.run` and `fastgames.plot.overview`.
    """
    replicas = checks.whole("replicas", replicas, 1)
    shape = (len(ALPHAS), len(EPSILONS), replicas)
    alphas = np.broadcast_to(np.array(ALPHAS)[:, None, None], shape).ravel()
    epsilons = np.broadcast_to(np.array(EPSILONS)[None, :, None], shape).ravel()
    learner = QLearner(alpha=alphas, explore=EpsilonGreedy(epsilons))
    began = time.perf_counter()
    grid = run(
        matching_pennies(), learner, steps, alphas.size, rng, Record(flips=True), dtype=dtype,
        threads=threads,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    assert grid.flips is not None
    flips = grid.flips[:, 0].reshape(shape)
    return Report(
        title="Exercise (a): raise alpha, lower epsilon",
        rows=_rows(flips, grid, seconds),
        lines=_lines(np.median(flips, axis=-1)),
        figure=picture(lambda: _draw(flips, grid), out),
        results={"grid": grid},
    )


def _rows(flips: Any, grid: Result, seconds: float) -> tuple[Row, ...]:
    median = np.median(flips, axis=-1)
    alpha, epsilon = ALPHAS.index(CHAPTER[0]), EPSILONS.index(CHAPTER[1])
    along_alpha, along_epsilon = median[:, epsilon], median[alpha]
    return (
        Row(
            f"median flips, alpha {ALPHAS[0]} to {ALPHAS[-1]} (epsilon {CHAPTER[1]})",
            "rise with alpha",
            _numbers(along_alpha),
            bool(np.all(np.diff(along_alpha) > 0)),
        ),
        Row(
            f"median flips, epsilon {EPSILONS[-1]} to {EPSILONS[0]} (alpha {CHAPTER[0]})",
            "fall with epsilon",
            _numbers(along_epsilon[::-1]),
            bool(np.all(np.diff(along_epsilon) > 0)),
        ),
        Row(
            "the same at every other alpha",
            "fall with epsilon",
            f"at {(np.diff(median, axis=1) > 0).all(axis=1).sum()} of {len(ALPHAS)}",
            bool(np.all(np.diff(median, axis=1) > 0)),
        ),
        Row(
            "fewest flips in any run without exploration",
            "more than 0",
            f"{flips[:, 0].min():,}",
            bool(flips[:, 0].min() > 0),
        ),
        Row(
            "time",
            "",
            f"{grid.replicas:,} runs in {seconds:.2f} s, "
            f"{grid.steps.sum() / seconds / 1e6:,.0f} million steps per second",
        ),
    )


def _lines(median: Any) -> tuple[str, ...]:
    """What the grid shows beyond what was expected of it."""
    peaks = {EPSILONS[k]: ALPHAS[a] for k, a in enumerate(median.argmax(axis=0))}
    early = [epsilon for epsilon, alpha in peaks.items() if alpha < ALPHAS[-1]]
    if not early:
        return ("Flips rise with alpha up to the largest tried, at every epsilon.",)
    at = ", ".join(f"alpha = {peaks[epsilon]} at epsilon = {epsilon}" for epsilon in early)
    return (
        "More alpha is not always more flips: with little exploration they are most frequent at",
        f"{at}.",
    )


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:,.0f}" for value in values)


def _draw(flips: Any, grid: Result) -> "Figure":
    from fastgames import plot

    steps = int(grid.steps[0])
    median = np.median(flips, axis=-1)
    title = f"Matching pennies, {flips.shape[-1]:,} runs of {steps:,} steps for each setting"
    drawn, axes = plot.figure(2, 2, title, (5.4, 3.8))
    plot.grid_map(
        axes[0], median, [str(a) for a in ALPHAS], [str(e) for e in EPSILONS], "{:,.0f}"
    )  # fmt: skip
    plot.label(axes[0], "Flips of Row's greedy action (median)", "epsilon", "alpha")
    for epsilon, line, colour in zip(EPSILONS[1::2], median.T[1::2], plot.COLOURS, strict=False):
        axes[1].plot(ALPHAS, line, "o-", color=colour, markersize=4, label=f"epsilon {epsilon}")
    axes[1].plot(ALPHAS, median[:, 0], "o--", color=plot.GREY, markersize=4, label="epsilon 0")
    axes[1].set_xscale("log", base=2)
    axes[1].set_xticks(ALPHAS, [str(a) for a in ALPHAS])
    plot.finish(axes[1], "The same, by alpha", "alpha", "flips")
    return drawn
