"""Synchronous and asynchronous learning of prices (Asker, Fershtman & Pakes 2022).

Firms sell a homogeneous good, and the lowest price takes the market. "Synchronous" learners update
the values of all prices in every period, "asynchronous" ones only that of the price they charged.

Source: Asker, Fershtman & Pakes (2022), Artificial intelligence, algorithm design, and pricing, AEA
Papers and Proceedings 112, 452-456.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.seeds import seed_from
from fastgames.games import homogeneous_bertrand
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.stop import Stable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRMS = (2, 3)
MOST_FIRMS = 4
RUNS, STEPS, ALPHA, PRICES = 1_000, 40_000, 0.1, 100  # as in the paper
INITIAL = 10.0, 20.0
#: Final prices of synchronous learners, the same for two, three and four firms.
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
PRINTED = ("2.03", "2.13", "2.13", "2.13", "2.13")
SETTLED = 1_000  # steps without a change, after which tables equal their limits to the last bit


@reproduction(
    replicas=Count(
        RUNS, "Number of runs for each number of firms and kind of learning, at least 1."
    ),
    steps=Count(STEPS, "Largest number of steps of a run that has not settled, at least 1."),
    engine="As for `fastgames.run`; `np.random.default_rng` of the same seed draws the initial "
    "values.",
    own={
        "firms : sequence of int": "Numbers of firms, each in [2, 4]. The payoffs of four firms "
        "take 3.2 GB, and 8 GB while they are built."
    },
)
def afp(asked: Arguments, *, firms: Sequence[int] = FIRMS) -> Report:
    """Reproduce the final prices of greedy learners with discount factor 0; return a report.

    Initial values are drawn uniformly from [10, 20], above the profit of any price, and all firms
    play greedily. A run ends when no greedy price has changed for 1,000 steps.

    Returns
    -------
    Report
        A report with the results "synchronous 2", "asynchronous 2", and so on.

    Notes
    -----
    Two prices are equilibria, 2.03 and 2.13. The share of runs that end at the lower one is about
    one in ten for four firms, one in 300 for three and one in 2,400 for two. So the lowest of 1,000
    prices, printed as 2.03, may be either price; the other quantiles must equal the printed ones.

    Examples
    --------
    >>> afp(replicas=10, firms=[2]).rows[0].what
    'synchronous, 2 firms'
    """
    if isinstance(firms, str) or not isinstance(firms, Sequence) or not firms:
        raise TypeError(f"firms must be a sequence of at least one whole number, got {firms!r}")
    numbers = [checks.whole("firms", number, f"[2, {MOST_FIRMS}]") for number in firms]
    seed = seed_from(asked.rng)
    results: dict[str, Result] = {}
    prices: dict[str, Any] = {}
    began = time.perf_counter()
    for number in dict.fromkeys(numbers):
        game = homogeneous_bertrand(number, PRICES)
        shape = (number, asked.replicas, 1, PRICES)
        values = np.random.default_rng(seed).uniform(*INITIAL, shape)
        for kind in ("synchronous", "asynchronous"):
            seats = [
                QLearner(ALPHA, 0.0, EpsilonGreedy(0.0), initial, kind == "synchronous")
                for initial in values
            ]
            result = asked.run(
                game, seats, asked.steps, asked.replicas, rng=seed, stop=Stable(SETTLED)
            )
            results[f"{kind} {number}"] = result
            prices[f"{kind}, {number} firms"] = _final(result, game.prices[0])
    seconds = time.perf_counter() - began
    return Report(
        title=f"Synchronous and asynchronous learning: {asked.replicas:,} runs each",
        rows=tuple(_rows(prices, results, seconds)),
        lines=_lines(numbers),
        figure=picture(lambda: _draw(prices), asked.out),
        results=results,
    )


def _final(result: Result, grid: Any) -> Any:
    """Return the final market price, the lowest greedy price of the firms, (replicas,)."""
    return grid[np.min([result.greedy(i)[:, 0] for i in range(result.game.num_agents)], axis=0)]


def _rows(prices: dict[str, Any], results: dict[str, Result], seconds: float) -> list[Row]:
    """Return the rows of the report: quantiles of prices, settled runs and time."""
    rows = []
    for name, final in prices.items():
        found = [f"{price:.2f}" for price in np.quantile(final, QUANTILES)]
        if name.startswith("asynchronous"):
            rows.append(Row(name, "", " / ".join(found)))
            continue
        alike = found[1:] == list(PRINTED[1:]) and found[0] in PRINTED
        rows.append(Row(name, " / ".join(PRINTED), " / ".join(found), alike))
        lower = np.abs(final - float(PRINTED[0])) < 0.01
        rows.append(Row(f"{name}: runs at 2.03", "", f"{lower.sum():,} of {final.size:,}"))
    settled = np.concatenate([result.stopped for result in results.values()])
    rows.append(Row("runs that settled", "all", f"{settled.sum():,} of {settled.size:,}",
                    bool(settled.all())))  # fmt: skip
    return [*rows, Row("time", "", f"{seconds:,.1f} s")]


def _lines(numbers: list[int]) -> tuple[str, ...]:
    """Return the lines of the report: how to read the quantiles, and cases that are not run."""
    lines = [
        "Final prices: minimum / 25 % / 50 % / 75 % / maximum. Few runs end at 2.03, so the",
        "minimum of 1,000 runs may be 2.13.",
    ]
    if MOST_FIRMS not in numbers:
        lines.append("Four firms (printed: the same) need 3.2 GB for payoffs; use --firms 2,3,4.")
    lines.append("Five firms (printed: 2.03 throughout) are not run; payoffs would take 400 GB.")
    return tuple(lines)


def _draw(prices: dict[str, Any]) -> "Figure":
    """Draw the distributions of final prices, by kind of learning and number of firms."""
    from fastgames import plot

    size = (max(7.0, 1.5 * len(prices) + 1.0), 3.8)  # each name needs room below its column
    drawn, axes = plot.figure(1, 1, "Final prices, one good and 100 prices", size)
    columns = np.stack(list(prices.values()), axis=-1)
    plot.spread(axes[0], columns, [name.replace(", ", "\n") for name in prices])
    axes[0].axhline(2.0, color=plot.GREY, linewidth=0.8)
    axes[0].set_ylim(0.0, 10.4)
    plot.finish(axes[0], "Median, middle half and 90 % of the runs; line: cost", "", "price")
    return drawn
