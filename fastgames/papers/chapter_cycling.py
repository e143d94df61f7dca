"""Reproduction of the chapter's listing digit for digit, and a million runs of the same game.

Code 30.1.1, "A Q-Table That Refuses to Converge": two epsilon-greedy Q-learners play matching
pennies, and the greedy action of Row flips 1172 times in 20,000 steps.
"""

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import matching_pennies
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result
from fastgames.runs.running import run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Output printed in the chapter.
PRINTED = (
    "Row Q-values : [-0.016 -0.356]",
    "Col Q-values : [-0.35 0.123]",
    "times Row's greedy action FLIPPED: 1172",
    "(preferred Row,Col) every 4000 steps: [(0, 0), (0, 0), (0, 0), (1, 1), (0, 1)]",
)
PRINTED_FLIPS = 1172
STEPS, NOTED, SEED = 20_000, 4_000, 7  # constants of the listing
PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))
_DETAIL, _CLOSE = 5, 1_000  # steps between points of a curve, and steps of the close-up


@reproduction(
    replicas=Count(1_000_000, "Number of the many runs, at least 1."),
    steps=Count(STEPS, "Game steps of each of the many runs, at least 1."),
    engine="As for `fastgames.run`, for the many runs; the run of the listing is fixed.",
)
def cycling(asked: Arguments) -> Report:
    """Reproduce the chapter's run with its random numbers, then simulate many; return a report.

    Returns
    -------
    Report
        A report with the results "listing" and "population"; its `lines` are those of the listing.

    Examples
    --------
    >>> cycling(replicas=10).lines[0]
    'Row Q-values : [-0.016 -0.356]'
    """
    game, learner = matching_pennies(), QLearner(alpha=0.1, explore=EpsilonGreedy(0.1))
    every = max(1, asked.steps * NOTED // STEPS)
    began = time.perf_counter()
    many = asked.run(
        game,
        learner,
        asked.steps,
        asked.replicas,
        record=Record(every=every, greedy=True, flips=True),
    )
    seconds = time.perf_counter() - began
    listing = run(
        game, learner, STEPS, rng=SEED, stream="numpy",
        record=Record(every=_DETAIL, tables=("q",), greedy=True, flips=True),
    )  # fmt: skip
    lines = _lines(listing)
    rows = (*_listing_rows(lines), *_population_rows(many, seconds))
    return Report(
        title="A Q-table that refuses to converge",
        rows=rows,
        lines=lines,
        figure=picture(lambda: _draw(listing, many), asked.out),
        results={"listing": listing, "population": many},
    )


def _lines(listing: Result) -> tuple[str, ...]:
    """Return the lines that the listing prints."""
    assert listing.flips is not None
    assert listing.snapshots is not None
    assert listing.snapshots.greedy is not None
    row, column = (np.round(tables["q"][0, 0], 3) for tables in listing.tables)
    steps = listing.snapshots.steps
    noted = (steps > 0) & (steps % NOTED == 0)
    greedy = (agent[noted, 0, 0].tolist() for agent in listing.snapshots.greedy)
    return (
        f"Row Q-values : {_array(row)}",
        f"Col Q-values : {_array(column)}",
        f"times Row's greedy action FLIPPED: {listing.flips[0, 0]}",
        f"(preferred Row,Col) every {NOTED} steps: {list(zip(*greedy, strict=True))}",
    )


def _array(values: Any) -> str:
    """Return rounded values separated by one space; NumPy's own format pads columns."""
    return f"[{' '.join(str(value) for value in values.tolist())}]"


def _listing_rows(lines: tuple[str, ...]) -> list[Row]:
    """Return the rows that compare the lines of the listing with the printed ones."""
    rows = []
    for printed, found in zip(PRINTED, lines, strict=True):
        what, _, value = printed.partition(":")
        rows.append(
            Row(what.strip(), value.strip(), found.partition(":")[2].strip(), found == printed)
        )
    return rows


def _population_rows(many: Result, seconds: float) -> list[Row]:
    """Return the rows of the many runs: flips, preferred actions and time."""
    assert many.flips is not None
    flips = many.flips[:, 0]
    low, q1, middle, q3, high = np.quantile(flips, (0.005, 0.25, 0.5, 0.75, 0.995))
    shares = _pair_shares(many)[-1]
    steps = int(many.steps[0])
    name = f"{many.replicas:,} runs of {steps:,} steps"
    typical = bool(low <= PRINTED_FLIPS <= high) if steps == STEPS else None
    return [
        Row("fewest flips of Row in any run", "more than 0", f"{flips.min():,}", bool(flips.min())),
        Row(
            f"flips in {name}: middle 99 %",
            f"the chapter's {PRINTED_FLIPS} among them" if typical is not None else "",
            f"{low:,.0f} to {high:,.0f}",
            typical,
        ),
        Row("mean and standard deviation", "", f"{flips.mean():,.1f}, {flips.std():,.1f}"),
        Row("quartiles", "", f"{q1:,.0f}, {middle:,.0f}, {q3:,.0f}"),
        Row(
            "preferred (Row, Col) in the end",
            "",
            ", ".join(f"({a},{b}) {x:.1%}" for (a, b), x in zip(PAIRS, shares, strict=True)),
        ),
        Row(
            "time",
            "",
            f"{seconds:.2f} s, {many.steps.sum() / seconds / 1e6:,.0f} million steps per second",
        ),
    ]


def _pair_shares(many: Result) -> Any:
    """Return the shares of PAIRS at each snapshot, (snapshots, 4)."""
    assert many.snapshots is not None
    assert many.snapshots.greedy is not None
    row, column = (agent[:, :, 0] for agent in many.snapshots.greedy)
    return np.stack([((row == a) & (column == b)).mean(axis=1) for a, b in PAIRS], axis=-1)


def _draw(listing: Result, many: Result) -> "Figure":
    """Draw the Q-values of the listing, and flips and preferred actions of the many runs."""
    from fastgames import plot

    assert listing.snapshots is not None
    assert many.snapshots is not None
    assert many.flips is not None
    steps = int(many.steps[0])
    drawn, axes = plot.figure(
        4, 2, "A Q-table that refuses to converge: matching pennies", (6, 3.2)
    )
    taken, values = listing.snapshots.steps, listing.snapshots.tables[0]["q"][:, :, 0]
    for axis, last, width in ((axes[0], STEPS, 0.4), (axes[1], _CLOSE, 1.2)):
        shown = taken > STEPS - last
        plot.bands(axis, taken[shown], values[shown], ("heads", "tails"), width)
        title = f"The chapter's run, last {last:,} steps" if last < STEPS else "The chapter's run"
        plot.finish(axis, title, "game steps", "Row's q-value", legend="upper left")
    plot.histograms(axes[2], {"runs": many.flips[:, 0]}, bins=80)
    if steps == STEPS:
        plot.mark(axes[2], PRINTED_FLIPS, f"the chapter's {PRINTED_FLIPS}")
    title = f"Flips of Row's greedy action, {many.replicas:,} runs of {steps:,} steps"
    plot.finish(axes[2], title, "flips", "share of runs", legend="")
    axis = axes[3]
    names = [f"{'HT'[a]}{'HT'[b]}" for a, b in PAIRS]
    taken = many.snapshots.steps[1:]  # all replicas prefer heads at step 0
    below = np.zeros(len(taken))
    for name, shares, colour in zip(names, _pair_shares(many)[1:].T, plot.COLOURS, strict=False):
        bars = axis.bar(taken, shares, 0.12 * steps, below, color=colour, alpha=0.75, label=name)
        axis.bar_label(bars, fmt="{:.1%}", label_type="center", fontsize=8, color="white")
        below += shares
    axis.set_xlim(0.05 * steps, 1.25 * steps)
    axis.set_xticks(taken)
    title = "Preferred (Row, Col), H heads, T tails"
    plot.finish(axis, title, "game steps", "share of runs", legend="center right")
    return drawn
