"""Sequential pricing (Klein 2021): two Q-learners set their prices in turn.

Source: Klein (2021), Autonomous algorithmic collusion: Q-learning under sequential pricing, RAND
Journal of Economics 52, 538-558.
"""

import math
import time
from typing import TYPE_CHECKING, Any

from fastgames.games import PricingGame
from fastgames.games import klein as game_of
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers import estimate
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.schedules import Exponential

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS, STEPS, STEP_COUNT, ALPHA, LAST = 1_000, 500_000, 6, 0.3, 1_000  # as in the paper
PROFIT = 0.108  # printed as "about" this: mean over the last 1,000 periods
TOLERANCE = 0.002  # three standard errors of the difference, .0016, plus half a printed unit


@reproduction(
    replicas=Count(RUNS, "Number of runs, at least 1."),
    steps=Count(
        STEPS,
        "Number T of periods of each run, at least 1. One firm moves in each period, and "
        "epsilon_t = 10^(-6 t / T). The report compares with print only for 500,000 periods.",
    ),
    one_run=True,
)
def klein(asked: Arguments) -> Report:
    """Reproduce the mean profit at the end of learning on prices 0, 1/6, ..., 1; return a report.

    Returns
    -------
    Report
        A report with the result "klein".

    Examples
    --------
    >>> klein(replicas=10, steps=1_000).title
    'Sequential pricing: 10 runs of 1,000 periods'
    """
    steps = asked.steps
    game = game_of(STEP_COUNT)
    stage = game.stage
    assert isinstance(stage, PricingGame)
    nash, monopoly = (float(b.profits.mean()) for b in (stage.nash, stage.monopoly))
    explore = EpsilonGreedy(Exponential(1.0, 6.0 * math.log(10.0) / steps))
    last = min(LAST, steps)
    began = time.perf_counter()
    result = asked.run(
        game,
        QLearner(ALPHA, explore=explore),
        steps,
        asked.replicas,
        record=Record(rewards=True, last=last),
    )
    seconds = time.perf_counter() - began
    assert result.mean_reward is not None
    profits = result.mean_reward.mean(axis=1)
    profit = estimate.beside(
        f"mean profit over the last {last:,} periods",
        estimate.mean(profits),
        PROFIT if steps == STEPS else None,
        TOLERANCE,
        4,
        (RUNS, result.replicas),
    )
    return Report(
        title=f"Sequential pricing: {result.replicas:,} runs of {steps:,} periods",
        rows=(
            profit,
            Row(
                "at the one-shot equilibrium; at the monopoly price", "", f"{nash:g}; {monopoly:g}"
            ),
            Row(
                "time",
                "",
                f"{seconds:,.1f} s, {result.steps.sum() / seconds / 1e6:,.0f} million periods per "
                "second",
            ),
        ),
        lines=(),
        figure=picture(lambda: _draw(profits, monopoly, steps), asked.out),
        results={"klein": result},
    )


def _draw(profits: Any, monopoly: float, steps: int) -> "Figure":
    """Draw the distribution of profits (replicas,)."""
    from fastgames import plot

    title = f"Sequential pricing of two Q-learners, {len(profits):,} runs of {steps:,} periods"
    drawn, axes = plot.figure(1, 1, title, (7.0, 3.6))
    plot.histograms(axes[0], {"runs": profits}, bins=60)
    plot.mark(axes[0], monopoly, "monopoly", "left")
    if steps == STEPS:
        plot.mark(axes[0], PROFIT, "printed mean", "left")
    plot.finish(axes[0], "Mean profit at the end", "profit", "share of runs", legend="")
    return drawn
