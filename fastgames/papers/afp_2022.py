"""What algorithms learn from decides the price (Asker, Fershtman & Pakes 2022).

Firms sell one good, the lowest price takes the market. "Synchronous" learners update every price
that they could have charged, "asynchronous" ones only the price that they charged.

Source: Asker, Fershtman & Pakes (2022), Artificial intelligence, algorithm design, and pricing, AEA
Papers and Proceedings 112, 452-456.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.seeds import seed_from
from fastgames.games import homogeneous_bertrand
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.running import run
from fastgames.stop import Stable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRMS = (2, 3)
MOST_FIRMS = 4
RUNS, STEPS, ALPHA, PRICES = 1_000, 40_000, 0.1, 100  # of the paper
INITIAL = 10.0, 20.0
#: Final prices of synchronous learners, the same for two, three and four firms.
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
PRINTED = ("2.03", "2.13", "2.13", "2.13", "2.13")
SETTLED = 1_000  # steps without a change: by then a table is what it tends to, to the last bit


def afp(
    replicas: int = RUNS,
    steps: int = STEPS,
    rng: Any = 7,
    dtype: str = "float64",
    threads: int | None = None,
    out: str | Path | None = None,
    *,
    firms: Sequence[int] = FIRMS,
) -> Report:
    """Final prices of greedy learners without foresight, with two and more firms.

    Every value starts at a number drawn from [10, 20], more than any price earns, and all play what
    they think best. A run ends once no preferred price has changed for 1,000 steps.

    Two prices are equilibria, 2.03 and 2.13. Few runs end at the lower one: of four firms one in
    ten, of three one in 300, of two one in 2,400. So the least of 1,000 prices, which was printed
    as 2.03, is a matter of luck: here it may be either. The other quantiles must be as printed.

    Parameters
    ----------
    replicas : int
        Runs for each number of firms and kind of learning.
    steps : int
        After which a run that has not settled is cut.
    rng : as in `fastgames.run`
        Of the runs; the values to start with are drawn from `np.random.default_rng` of its seed.
    dtype, threads
        As `fastgames.run` has them.
    out : str or Path, optional
        Where to write the picture.
    firms : sequence of int
        Numbers of firms, in [2, 4]. The payoffs of four take 3.2 GB, and 8 GB while they are made.

    Returns
    -------
    Report
        Results "synchronous 2", "asynchronous 2", and so on.

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        As `fastgames.run` and `fastgames.plot.overview`.
    """
    replicas = checks.whole("replicas", replicas, 1)
    steps = checks.whole("steps", steps, 1)
    if isinstance(firms, str) or not isinstance(firms, Sequence) or not firms:
        raise TypeError(f"firms must be a sequence of at least one whole number, got {firms!r}")
    numbers = [checks.whole("firms", number, 2, MOST_FIRMS) for number in firms]
    seed = seed_from(rng)
    results: dict[str, Result] = {}
    prices: dict[str, Any] = {}
    began = time.perf_counter()
    for number in dict.fromkeys(numbers):
        game = homogeneous_bertrand(number, PRICES)
        shape = (number, replicas, 1, PRICES)
        values = np.random.default_rng(seed).uniform(*INITIAL, shape)
        for kind in ("synchronous", "asynchronous"):
            seats = [
                QLearner(ALPHA, 0.0, EpsilonGreedy(0.0), initial, kind == "synchronous")
                for initial in values
            ]
            result = run(
                game, seats, steps, replicas, seed, None, Stable(SETTLED), dtype, threads=threads
            )
            results[f"{kind} {number}"] = result
            prices[f"{kind}, {number} firms"] = _final(result, game.prices[0])
    seconds = time.perf_counter() - began
    return Report(
        title=f"Synchronous and asynchronous learning: {replicas:,} runs each",
        rows=tuple(_rows(prices, results, seconds)),
        lines=_lines(numbers),
        figure=picture(lambda: _draw(prices), out),
        results=results,
    )


def _final(result: Result, grid: Any) -> Any:
    """The lowest of the prices that the firms end with: what is paid, (replicas,)."""
    return grid[np.min([result.greedy(i)[:, 0] for i in range(result.game.num_agents)], axis=0)]


def _rows(prices: dict[str, Any], results: dict[str, Result], seconds: float) -> list[Row]:
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
    """What is not run, and why."""
    lines = [
        "Final prices: least / 25 % / 50 % / 75 % / largest. Few runs end at 2.03, so the least of",
        "1,000 may be 2.13 as well.",
    ]
    if MOST_FIRMS not in numbers:
        lines.append("Four firms (printed: the same) have 3.2 GB of payoffs: --firms 2,3,4.")
    lines.append("Five firms (printed: 2.03 throughout) are not run: the table would take 400 GB.")
    return tuple(lines)


def _draw(prices: dict[str, Any]) -> "Figure":
    from fastgames import plot

    size = (max(7.0, 1.5 * len(prices) + 1.0), 3.8)  # room for a name below each
    drawn, axes = plot.figure(1, 1, "Final prices, one good and 100 prices", size)
    columns = np.stack(list(prices.values()), axis=-1)
    plot.spread(axes[0], columns, [name.replace(", ", "\n") for name in prices])
    axes[0].axhline(2.0, color=plot.GREY, linewidth=0.8)
    axes[0].set_ylim(0.0, 10.4)
    plot.finish(axes[0], "Median, middle half and 90 % of the runs; line: cost", "", "price")
    return drawn
