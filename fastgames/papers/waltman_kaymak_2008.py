"""Cournot oligopoly (Waltman & Kaymak 2008): memoryless Q-learners produce less than in Nash.

Source: Waltman & Kaymak (2008), Q-learning agents in a Cournot oligopoly model, Journal of Economic
Dynamics and Control 32, 3275-3293.
"""

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import cournot
from fastgames.grids import grid as make_grid
from fastgames.learners import QLearner, Softmax
from fastgames.papers import estimate
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result
from fastgames.schedules import Exponential

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS, STEPS, LAST = 100, 1_000_000, 100  # as in the paper
START, KEPT = 1_000.0, 0.99999  # initial temperature, and its factor of decay per period
FLOOR = 0.01  # smallest temperature; it is .045 after 10^6 periods
#: Joint quantity and joint profit of two firms, by alpha.
PRINTED = {0.05: (22.8, 299.1), 0.25: (21.2, 312.0)}
#: Three standard errors of the difference of two means of 100 runs, with standard deviations of 1.3
#: and 10.
TOLERANCES = 0.55, 4.2
SPREAD = 1.2, 1.4  # range of standard deviations of the joint quantity
SPREAD_TOLERANCE = 0.4  # three standard errors of the difference of two standard deviations


@reproduction(
    replicas=Count(RUNS, "Number of runs for each alpha, at least 1."),
    steps=Count(
        STEPS,
        "Periods of each run, at least 1. The report compares with print only for 10^6 periods.",
    ),
    one_run=True,
)
def waltman_kaymak(asked: Arguments) -> Report:
    """Reproduce the final joint quantity and profit of two firms; return a report.

    The values 0.05 and 0.25 of alpha are one run. Both firms choose from 41 quantities, with
    softmax exploration at a temperature that falls from 1,000 to .045. Expected: the firms produce
    less than the equilibrium quantity 24, and even less with the larger alpha.

    Returns
    -------
    Report
        A report with the result "waltman-kaymak", over the dimension "alpha".

    Examples
    --------
    >>> waltman_kaymak(replicas=10, steps=1_000).title
    'Cournot duopoly: 10 runs of 1,000 periods for each alpha'
    """
    steps = asked.steps
    runs = make_grid(alpha=list(PRINTED), repeats=asked.replicas)
    game = cournot()
    temperature = Exponential(START, -math.log(KEPT), FLOOR)
    last = min(LAST, steps)
    began = time.perf_counter()
    result = asked.run(
        game,
        QLearner(runs["alpha"], explore=Softmax(temperature)),
        steps,
        runs,
        record=Record(joint_actions=True, rewards=True, last=last),
    )
    seconds = time.perf_counter() - began
    assert result.joint_counts is not None
    assert result.mean_reward is not None
    joint = np.add.outer(*game.choices)
    quantities = runs.reshape((result.joint_counts * joint).sum(axis=(1, 2)) / last)
    profits = runs.reshape(result.mean_reward.sum(axis=1))
    return Report(
        title=f"Cournot duopoly: {asked.replicas:,} runs of {steps:,} periods for each alpha",
        rows=_rows(quantities, profits, result, seconds),
        lines=(
            f"Means over the last {last:,} periods. The equilibrium has joint quantity "
            f"{game.nash.quantities.sum():g} and joint profit {game.nash.profits.sum():g}.",
        ),
        figure=picture(lambda: _draw(quantities, game.nash.quantities.sum(), steps), asked.out),
        results={"waltman-kaymak": result},
    )


def _rows(quantities: Any, profits: Any, result: Result, seconds: float) -> tuple[Row, ...]:
    """Return the rows of the report. quantities, profits: (alphas, replicas)."""
    rows = []
    sizes = RUNS, quantities.shape[1]
    compared = int(result.steps[0]) == STEPS
    for (alpha, printed), *samples in zip(PRINTED.items(), quantities, profits, strict=True):
        for k, name in enumerate(("quantity", "profit")):
            what, found = f"alpha {alpha}: joint {name}", estimate.mean(samples[k])
            expected = printed[k] if compared else None
            rows.append(estimate.beside(what, found, expected, TOLERANCES[k], 1, sizes))
        spread = estimate.deviation(samples[0])
        slack = SPREAD_TOLERANCE * math.sqrt((1.0 + sizes[0] / sizes[1]) / 2.0)
        within = SPREAD[0] - slack <= spread.value <= SPREAD[1] + slack
        rows.append(
            Row(
                f"alpha {alpha}: joint quantity, SD",
                f"{SPREAD[0]} to {SPREAD[1]}, ± {slack:.1f}" if compared else "",
                spread.text(1),
                within if compared else None,
            )
        )
    total = result.steps.sum() / seconds / 1e6
    rows.append(Row("time", "", f"{seconds:,.1f} s, {total:,.1f} million periods per second"))
    return tuple(rows)


def _draw(quantities: Any, nash: float, steps: int) -> "Figure":
    """Draw the distributions of joint quantities (alphas, replicas)."""
    from fastgames import plot

    title = f"Cournot duopoly, {quantities.shape[1]:,} runs of {steps:,} periods each"
    drawn, axes = plot.figure(1, 1, title, (7.0, 3.6))
    names = [f"alpha {alpha}" for alpha in PRINTED]
    plot.histograms(axes[0], dict(zip(names, quantities, strict=True)), bins=30)
    plot.mark(axes[0], nash, "Nash")
    plot.finish(axes[0], "Joint quantity, mean of the last periods", "quantity",
                "share of runs", legend="upper left")  # fmt: skip
    return drawn
