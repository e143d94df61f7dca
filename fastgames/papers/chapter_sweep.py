"""Exercise (a) of the chapter: flips of greedy actions as alpha rises and epsilon falls."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import matching_pennies
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
EPSILONS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
CHAPTER = (0.1, 0.1)  # alpha and epsilon of the chapter's listing


@reproduction(
    replicas=Count(1_000, "Number of runs for each pair of alpha and epsilon, at least 1."),
    steps=Count(20_000, "Game steps of each run, at least 1."),
    one_run=True,
)
def sweep(asked: Arguments) -> Report:
    """Count flips of Row's greedy action over ALPHAS and EPSILONS; return a report.

    All pairs of alpha and epsilon are one run. Theory predicts:

    - A learner with larger alpha forgets faster, so its greedy action changes more often: at the
      chapter's epsilon the flips increase with alpha.
    - An agent that explores finds out that its other action has become better. Without exploration
      it must wait until losses have lowered the value of its greedy action. So the flips decrease
      as epsilon falls, at every alpha.
    - Flips continue even at epsilon = 0. For any pair of greedy actions one of the two agents loses
      1 in every step; the value of its action tends to -1, below that of its other action.

    Returns
    -------
    Report
        A report with the result "grid". Its replicas are ordered by alpha, then by epsilon, with
        `replicas` runs of each pair.

    Examples
    --------
    >>> sweep(replicas=2, steps=100).results["grid"].replicas  # 6 values of alpha, 7 of epsilon
    84
    """
    shape = (len(ALPHAS), len(EPSILONS), asked.replicas)
    alphas = np.broadcast_to(np.array(ALPHAS)[:, None, None], shape).ravel()
    epsilons = np.broadcast_to(np.array(EPSILONS)[None, :, None], shape).ravel()
    learner = QLearner(alpha=alphas, explore=EpsilonGreedy(epsilons))
    began = time.perf_counter()
    grid = asked.run(
        matching_pennies(), learner, asked.steps, alphas.size, record=Record(flips=True)
    )
    seconds = time.perf_counter() - began
    assert grid.flips is not None
    flips = grid.flips[:, 0].reshape(shape)
    return Report(
        title="Exercise (a): raise alpha, lower epsilon",
        rows=_rows(flips, grid, seconds),
        lines=_lines(np.median(flips, axis=-1)),
        figure=picture(lambda: _draw(flips, grid), asked.out),
        results={"grid": grid},
    )


def _rows(flips: Any, grid: Result, seconds: float) -> tuple[Row, ...]:
    """Return the rows of the report. flips: (alphas, epsilons, replicas)."""
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
    """Return the lines on flips that do not rise with alpha. median: (alphas, epsilons)."""
    peaks = {EPSILONS[k]: ALPHAS[a] for k, a in enumerate(median.argmax(axis=0))}
    early = [epsilon for epsilon, alpha in peaks.items() if alpha < ALPHAS[-1]]
    if not early:
        return ("Flips rise with alpha up to its largest value, at every epsilon.",)
    at = ", ".join(f"alpha = {peaks[epsilon]} at epsilon = {epsilon}" for epsilon in early)
    return (
        "Flips do not always rise with alpha: with little exploration they are most frequent at",
        f"{at}.",
    )


def _numbers(values: Any) -> str:
    """Return numbers as text, separated by commas."""
    return ", ".join(f"{value:,.0f}" for value in values)


def _draw(flips: Any, grid: Result) -> "Figure":
    """Draw the median flips as a heat map and as lines. flips: (alphas, epsilons, replicas)."""
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
