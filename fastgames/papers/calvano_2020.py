"""Pricing algorithms that learn to collude (Calvano, Calzolari, Denicolò & Pastorello 2020).

Two Q-learners that observe the prices of the last period compete until no greedy action has changed
for 100,000 periods. Their profits then exceed those of the one-shot equilibrium by most of the gain
of a cartel, and a firm that undercuts is punished for a few periods.

Source: Calvano, Calzolari, Denicolò & Pastorello (2020), Artificial intelligence, algorithmic
pricing, and collusion, American Economic Review 110(10), 3267-3297.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.analysis import (
    DeviationResponse,
    best_responses,
    deviation_response,
    limit_cycle,
    profit_gain,
)
from fastgames.games import PricingGame
from fastgames.grids import grid as make_grid
from fastgames.papers import estimate
from fastgames.papers.arguments import AS_RUN, Arguments, Count, reproduction
from fastgames.papers.calvano_2020_heat_map import CELL_SESSIONS, map_of
from fastgames.papers.calvano_2020_setup import (
    ALPHA,
    GAIN_TOLERANCE,
    MOST,
    SESSIONS,
    SETTINGS,
    STABLE,
    learner,
    pricing,
    time_row,
)
from fastgames.papers.estimate import Estimate, beside
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.stop import Stable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNIT = 25_000  # periods per unit of the printed table
#: Periods to convergence of the baseline, in units of 25,000 and without the last 100,000: printed
#: value and tolerance.
PERIODS = {"mean": (70.05, 1.6), "SD": (11.73, 1.6), "median": (68.07, 1.1)}
GAIN_SD = (0.112, 0.010)
CYCLES = {"1": (0.643, 0.064), "2": (0.238, 0.057), "3 or more": (0.119, 0.043)}
MUTUAL = (0.505, 0.067)
BEFORE, AFTER = 3, 15  # periods of the price response shown


@reproduction(
    replicas=Count(
        lambda grid, **_: SESSIONS if grid is None else CELL_SESSIONS,
        "Number of sessions of each setting, by default 1,000; with `grid`, of each cell, by "
        "default 20.",
    ),
    steps=Count(MOST, "Largest number of periods of a session that has not converged."),
    own={
        "grid : (int, int), optional": "Numbers of values of alpha and of beta, at most 1,000 "
        "each. If given, return `fastgames.papers.heat_map` of the baseline's game instead.",
        "checkpoint : str or Path, optional": AS_RUN,
        "shard : (int, int), optional": "With `grid`, as for `fastgames.papers.heat_map`.",
        "parts : str or Path, optional": "With `grid`, as for `fastgames.papers.heat_map`.",
    },
    one_run=True,
)
def calvano(
    asked: Arguments,
    *,
    grid: tuple[int, int] | None = None,
    checkpoint: str | Path | None = None,
    shard: tuple[int, int] | None = None,
    parts: str | Path | None = None,
) -> Report:
    """Reproduce the paper's baseline and three variations of it; return a report.

    All SETTINGS are one run. The report measures the limit cycle of greedy play of every session
    after it converged:

    - The profit gain Delta of the firms' mean profits (`fastgames.analysis.profit_gain`).
    - The length of the price cycle.
    - The share of sessions in which all states of the cycle are mutual best responses. As in the
      authors' program, a best response is an action that no deviation for one period improves on,
      if all firms play greedily afterwards.
    - The price response to a deviation of the first firm to its static best response for one
      period.

    Returns
    -------
    Report
        A report with the result "settings", over the dimension "setting"; with `grid` the result
        "grid", over "alpha" and "beta".

    Notes
    -----
    Printed figures are of 1,000 sessions. A tolerance is three standard errors of the difference
    between two samples, of 1,000 sessions and of `replicas`.

    Examples
    --------
    >>> calvano(replicas=2, steps=1_000).title
    'Algorithmic collusion: 2 sessions of each setting'
    """
    if grid is not None:
        return map_of(grid, asked, checkpoint, shard, parts)
    for name, value in (("shard", shard), ("parts", parts)):
        if value is not None:
            raise ValueError(f"{name} must be None without grid, got {value!r}")
    replicas, threads = asked.replicas, asked.threads
    sessions = make_grid(setting=list(SETTINGS), repeats=replicas)
    alphas = {name: alpha for name, (_, alpha, _) in SETTINGS.items()}
    second = np.array([alphas[name] for name in sessions["setting"]])
    began = time.perf_counter()
    result = asked.run(
        sessions.games(lambda setting: pricing(**SETTINGS[setting][0])[1]),
        (learner(ALPHA), learner(second)),
        asked.steps,
        sessions,
        stop=Stable(STABLE),
        checkpoint=checkpoint,
    )
    cycle = limit_cycle(result, threads=threads)
    benchmarks = [pricing(**changes)[0] for changes, _, _ in SETTINGS.values()]
    nash, monopoly = (
        np.repeat([getattr(stage, name).profits for stage in benchmarks], replicas, axis=0)
        for name in ("nash", "monopoly")
    )
    gains = sessions.reshape(profit_gain(cycle, nash, monopoly))
    stage, game = pricing()
    greedy = [result.greedy(i)[:replicas] for i in range(2)]  # the baseline is the first setting
    start = result.states[:replicas]
    best = best_responses(game, greedy, deviations="once", start=start, threads=threads)
    assert best.mutual_on_path is not None
    response = deviation_response(
        game, greedy, agent=0, before=BEFORE, after=AFTER, prices=stage.prices, start=start,
        threads=threads,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    rows = [
        *_settings_rows(result, gains),
        *_baseline_rows(result, gains[0], cycle.length[:replicas], best.mutual_on_path == 1.0),
        *_response_rows(response),
    ]
    return Report(
        title=f"Algorithmic collusion: {replicas:,} sessions of each setting",
        rows=(*rows, time_row(result, seconds, checkpoint)),
        lines=(
            "Expected: printed value, ± three standard errors of the difference between two "
            "samples.",
            "Found: value with its 95 % confidence interval. Periods to converge are in units of "
            "25,000, without the last 100,000.",
        ),
        figure=picture(lambda: _draw(gains, response, stage), asked.out),
        results={"settings": result},
    )


def _settings_rows(result: Result, gains: Any) -> list[Row]:
    """Return the rows of all settings: convergence, and mean profit gains.

    gains: (settings, replicas)
    """
    rows = [
        Row(
            "sessions that converged",
            "all",
            f"{result.stopped.sum():,} of {result.replicas:,}",
            bool(result.stopped.all()),
        )
    ]
    for (name, (_, _, printed)), gain in zip(SETTINGS.items(), gains, strict=True):
        sizes = SESSIONS, len(gain)
        rows.append(
            beside(f"Delta: {name}", estimate.mean(gain), printed, GAIN_TOLERANCE, 3, sizes)
        )
    return rows


def _baseline_rows(result: Result, gain: Any, length: Any, mutual: Any) -> list[Row]:
    """Return the rows of the baseline: periods, profit gain, cycle lengths and best responses.

    gain, length, mutual: (replicas,) of the baseline
    """
    sizes = SESSIONS, len(gain)
    rows = []
    converged = result.stopped[: len(gain)]
    if converged.any():
        periods = (result.steps[: len(gain)][converged] - STABLE) / UNIT
        found = {
            "mean": estimate.mean(periods),
            "SD": estimate.deviation(periods),
            "median": estimate.median(periods),
        }
        for name, (printed, tolerance) in PERIODS.items():
            what = f"baseline: periods to converge, {name}"
            rows.append(beside(what, found[name], printed, tolerance, 2, sizes))
    rows.append(beside("baseline: Delta, SD", estimate.deviation(gain), *GAIN_SD, 3, sizes))
    for name, (printed, tolerance) in CYCLES.items():
        share = estimate.mean(length >= 3 if name == "3 or more" else length == int(name))
        rows.append(beside(f"baseline: price cycle of {name}", share, printed, tolerance, 3, sizes))
    what = "baseline: mutual best response on path"
    rows.append(beside(what, estimate.mean(mutual), *MUTUAL, 3, sizes))
    return rows


def _response_rows(response: DeviationResponse) -> list[Row]:
    """Return the rows of the price response, which the paper describes in words."""
    rival = response.mean_prices[:, 1]
    back = response.mean_prices[-1] / response.mean_prices[0] - 1.0
    return [
        Row(
            "baseline: rival's price before, after a cut",
            "falls",
            f"{rival[0]:.3f}, {rival[BEFORE + 1]:.3f}",
            bool(rival[BEFORE + 1] < rival[0]),
        ),
        Row(
            f"baseline: prices after {AFTER} periods, to before",
            "back within 2 %",
            " and ".join(f"{x:+.2%}" for x in back),
            bool((np.abs(back) <= 0.02).all()),
        ),
        Row(
            "baseline: sessions where the cut does not pay",
            "most",
            f"{(response.gain < 0.0).mean():.1%}",
            bool((response.gain < 0.0).mean() > 0.5),
        ),
    ]


def _draw(gains: Any, response: DeviationResponse, stage: PricingGame) -> "Figure":
    """Draw the price response, and the profit gains (settings, replicas)."""
    from fastgames import plot

    title = f"Pricing duopoly of two Q-learners, {gains.shape[1]:,} sessions of each setting"
    drawn, axes = plot.figure(2, 2, title, (5.6, 3.8))
    plot.price_response(
        axes[0], response, ("firm that cuts its price", "rival"),
        {"Nash": stage.nash.prices[0], "monopoly": stage.monopoly.prices[0]},
    )  # fmt: skip
    plot.finish(
        axes[0], "A price cut in period 0: mean, and middle half of sessions",
        "period", "price", legend="center right",
    )  # fmt: skip
    found = [estimate.mean(gain) for gain in gains]
    printed = [printed for _, _, printed in SETTINGS.values()]
    _estimates(axes[1], list(SETTINGS), found, printed)
    plot.finish(axes[1], "Profit gain: 0 Nash, 1 monopoly", "mean Delta", "", legend="upper left")
    return drawn


def _estimates(axes: Any, names: list[str], found: list[Estimate], printed: list[float]) -> None:
    """Draw printed values as marks and estimates with their intervals, one row for each name."""
    from fastgames import plot

    places = np.arange(len(names))[::-1]
    ends = [[e.value - e.low for e in found], [e.high - e.value for e in found]]
    axes.plot(printed, places, "|", color=plot.INK, markersize=16, label="printed")
    axes.errorbar(
        [e.value for e in found], places, xerr=ends, fmt="o", color=plot.COLOURS[1], markersize=5,
        label="found, 95 %",
    )  # fmt: skip
    axes.set_yticks(places, names)
    axes.set_ylim(-0.6, len(names) - 0.2)
