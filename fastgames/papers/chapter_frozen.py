"""Exercise (c) of the chapter: Row converges while Col is frozen, and not once Col learns again."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.analysis import nonstationarity
from fastgames.games import matching_pennies
from fastgames.learners import EpsilonGreedy, FixedPolicy, QLearner, RuleLearner
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLICES = 20  # slices of each phase; flips are counted in each slice


@reproduction(
    replicas=Count(2_000, "Number of runs, at least 1."),
    steps=Count(10_000, "Steps of each of the three phases, at least 20.", f"[{SLICES}, inf)"),
)
def frozen(asked: Arguments) -> Report:
    """Count flips of Row's greedy action before, during and after a freeze of Col; return a report.

    Both agents learn in the first phase. Every run then continues in two ways: in one, Col plays a
    `FixedPolicy`, its policy at that moment, for a phase, and learns again in the third phase; in
    the control both agents learn throughout. By default a phase is half of the chapter's 20,000
    steps.

    Expected: against a fixed policy one of Row's actions is better, and Row converges to it; once
    Col learns again, Row does not converge. What Row faces (`analysis.nonstationarity`) stays the
    same while Col is frozen, and moves otherwise.

    Returns
    -------
    Report
        A report with the results "learning", "frozen" and "thawed" at the ends of the three phases,
        and "control" at the end of the third phase of the control.

    Examples
    --------
    >>> list(frozen(replicas=10, steps=100).results)
    ['learning', 'frozen', 'thawed', 'control']
    """
    steps = asked.steps
    learner = QLearner(alpha=0.1, explore=EpsilonGreedy(0.1))

    def moved(start: Result | None, column: RuleLearner) -> float:
        """Run a phase; return how far what Row faces moves between its slices, on average."""
        result = asked.run(
            matching_pennies(), (learner, column), steps, asked.replicas, resume=start,
            record=Record(every=steps // SLICES, policies=True),
            rng=asked.rng if start is None else None,
        )  # fmt: skip
        return float(nonstationarity(result, 0).variation.mean())

    def phase(start: Result | None, column: RuleLearner) -> tuple[Result, Any]:
        """Run a phase; return its result, and Row's flips in its slices (slices, replicas)."""
        counts, result = [], start
        for length in _lengths(steps):
            before = 0 if result is None or result.flips is None else result.flips[:, 0]
            result = asked.run(
                matching_pennies(), (learner, column), length, asked.replicas,
                record=Record(flips=True), resume=result,
                rng=asked.rng if result is None else None,  # a resumed run has its own streams
            )  # fmt: skip
            assert result.flips is not None
            counts.append(result.flips[:, 0] - before)
        assert result is not None
        return result, np.stack(counts)

    learning, flips_learning = phase(None, learner)
    fixed = FixedPolicy(learning.policy(1))
    still, flips_still = phase(learning, fixed)
    thawed, flips_thawed = phase(still, learner)
    moves = (moved(None, learner), moved(learning, fixed), moved(still, learner))
    control, flips_control = phase(learning, learner)
    control, more = phase(control, learner)
    flips = {"learning": flips_learning, "frozen": flips_still, "thawed": flips_thawed}
    flips["control"] = np.concatenate([flips_learning, flips_control, more])
    return Report(
        title="Exercise (c): freeze Col, then let it learn again",
        rows=_rows(flips, moves, still, steps),
        lines=(),
        figure=picture(lambda: _draw(flips, steps), asked.out),
        results={"learning": learning, "frozen": still, "thawed": thawed, "control": control},
    )


def _lengths(steps: int) -> list[int]:
    """Return the numbers of steps of the slices of a phase."""
    return [end - start for start, end in pairwise(k * steps // SLICES for k in range(SLICES + 1))]


def _rows(
    flips: dict[str, Any], moves: tuple[float, ...], still: Result, steps: int
) -> tuple[Row, ...]:
    """Return the rows of the report: means over the runs, with the exercise's expectations.

    moves: how far what Row faces moves in a slice, in the three phases
    """
    learning, frozen_, thawed = (
        float(flips[phase].sum(axis=0).mean()) for phase in ("learning", "frozen", "thawed")
    )
    settled = float((flips["frozen"][SLICES // 2 :].sum(axis=0) == 0).mean())
    unsettled = float((flips["thawed"][SLICES // 2 :].sum(axis=0) > 0).mean())
    payoffs = matching_pennies().payoffs[0] @ still.policy(1)[:, 0].T  # (actions, replicas)
    best = float((payoffs.argmax(axis=0) == still.greedy(0)[:, 0]).mean())
    half = f"the second {steps // 2:,} steps"
    return (
        Row(f"Row's flips in {steps:,} steps, both learning", "", f"{learning:,.1f}"),
        Row("the same, Col frozen", "fewer", f"{frozen_:,.1f}", frozen_ < learning),
        Row(
            f"runs without a flip in {half} of the freeze",
            "most",
            f"{settled:.1%}",
            settled > 0.5,
        ),
        Row("runs where Row prefers the best response to Col", "most", f"{best:.1%}", best > 0.5),
        Row("Row's flips, Col learning again", "more", f"{thawed:,.1f}", thawed > frozen_),
        Row(f"runs that flip in {half} after it", "most", f"{unsettled:.1%}", unsettled > 0.5),
        Row(
            f"total variation of what Row faces in {steps // SLICES:,} steps, both learning",
            "",
            f"{moves[0]:.3f}",
        ),
        Row("total variation, Col frozen", "0", f"{moves[1]:.3f}", moves[1] == 0.0),
        Row("total variation, Col learning again", "more", f"{moves[2]:.3f}", moves[2] > 0.0),
    )


def _draw(flips: dict[str, Any], steps: int) -> "Figure":
    """Draw the rates of flips over the three phases. flips: (slices, replicas) by phase."""
    from fastgames import plot

    replicas = flips["control"].shape[1]
    drawn, axes = plot.figure(1, 1, f"Matching pennies, {replicas:,} runs", (9.0, 3.6))
    axis = axes[0]
    frozen_ = np.concatenate([flips[phase] for phase in ("learning", "frozen", "thawed")])
    ends = np.cumsum(_lengths(steps) * 3)
    rate = 1000.0 / np.array(_lengths(steps) * 3)[:, None]
    both = np.stack([rate * flips["control"], rate * frozen_], axis=-1)
    plot.bands(axis, ends, both, ("both learn throughout", "Col frozen, then learning again"))
    axis.axvspan(steps, 2 * steps, color=plot.PALE, alpha=0.4, linewidth=0)
    top = 1.25 * float(np.quantile(both, 0.95, axis=1).max()) + 1.0
    for k, text in enumerate(("both learn", "Col frozen", "Col learns again")):
        axis.text(
            (k + 0.5) * steps, 0.97 * top, text, ha="center", va="top", fontsize=9, color=plot.INK
        )  # fmt: skip
    axis.set_ylim(-0.02 * top, top)
    axis.set_xlim(0, 3 * steps)
    title = "Flips of Row's greedy action (median; shaded: middle half, 90 %)"
    plot.finish(axis, title, "game steps", "flips per 1,000 steps")
    return drawn
