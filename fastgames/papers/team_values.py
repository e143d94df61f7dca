"""Value decomposition: what sums and monotonic mixtures of the members' values can represent."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import Game, MatrixGame, qtran, two_step
from fastgames.learners import QMIX, VDN, EpsilonGreedy
from fastgames.learners.qmix import mixed
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.estimate import Estimate, mean
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.schedules import Exponential

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Values of the joint actions, row by row, as printed by Son et al. (2019), Table 1.
SON_VDN = (-5.42, -4.57, -4.70, -4.35, -3.51, -3.63, -3.87, -3.02, -3.14)
SON_QMIX_WITH_A = -8.08
SON_QMIX_WITHOUT_A = (0.01, 0.03)  # lowest and highest
#: The same of the monotonic game [[0, 0], [0, 10]], by Albrecht, Christianos & Schäfer (2024).
MONOTONIC_VDN = (-2.43, 2.51, 2.60, 7.53)
MONOTONIC_QMIX = (0.0, 0.0, 0.0, 10.0)
#: The same of the first stage and of stage B of the two-step game, by Rashid et al. (2018).
RASHID_VDN = ((6.94, 6.94, 6.35, 6.36), (-1.87, 2.31, 2.33, 6.51))
RASHID_QMIX = ((6.93, 6.93, 7.92, 7.92), (0.0, 1.0, 1.0, 8.0))

#: The values of (A, A) and of the other joint actions with A where play is around (B, B), which Dai
#: & Hao (2022) print for networks. They print no exploration; RARE has the epsilons whose limits
#: are nearest to these values. QMIX gives all joint actions with A one value.
DAI_VDN = (-20.21, -10.12)
DAI_QMIX = -11.92
RARE = {"VDN": 0.185, "QMIX": 0.03}

ENOUGH = 1_000  # runs from which on the tolerances of LIMITS are exact
LAST = 1e-4  # the step size at the end of a run
#: Around (B, B), QMIX plays (A, A) in one step of 10,000. Before it has done so, it values (A, A)
#: at about -23, twice the other joint actions with A, and every play of (A, A) moves all these
#: values towards 8: in 40,000 steps, with four such plays, they remain 0.13 above the limit. Runs
#: are therefore longer there, by this factor, and their step sizes end higher.
LONGER = 2.5
LAST_RARE = 1e-3
_FIRST, _A, _B = 0, 1, 2  # states of the two-step game


@dataclass(frozen=True)
class Limit:
    """A value to which a run tends, and what is printed for it.

    run: its name in the report
    what: the joint actions in words
    cells: those joint actions
    value: the value of each of them in the limit of many steps
    printed: what is printed for them, or ""
    state: the state
    tolerance: the allowed distance
    """

    run: str
    what: str
    cells: tuple[tuple[int, int], ...]
    value: float
    printed: str = ""
    state: int = 0
    tolerance: float = 0.05


AROUND = {name: f"QTRAN game around (B, B), epsilon {RARE[name]}, {name}" for name in RARE}
_WITH_A = ((0, 1), (0, 2), (1, 0), (2, 0))
_WITHOUT_A = ((1, 1), (1, 2), (2, 1), (2, 2))
_ALL = ((0, 0), (0, 1), (1, 0), (1, 1))


def _rare(learner: str) -> tuple[float, float]:
    """Return the limits of (A, A) and of (A, B) in the QTRAN game if A is played rarely.

    Both play A with probability a, so the payoffs of the joint actions have the weights a^2,
    a (1 - a) and (1 - a)^2. QMIX gives one value to (A, A), (A, B) and (B, A).
    """
    a = RARE[learner] / 3.0
    if learner == "QMIX":
        value = (8.0 * a - 24.0 * (1.0 - a)) / (2.0 - a)
        return value, value
    with_a, without = 8.0 * a - 12.0 * (1.0 - a), -12.0 * a
    everyone = a * with_a + (1.0 - a) * without
    return 2.0 * with_a - everyone, with_a + without - everyone


LIMITS = (
    Limit("QTRAN game, VDN", "(A, A)", ((0, 0),), -56 / 9, "-5.42", 0, 0.02),
    Limit("QTRAN game, VDN", "one plays A", _WITH_A, -44 / 9, "-4.70 to -3.87", 0, 0.02),
    Limit("QTRAN game, VDN", "none plays A", _WITHOUT_A, -32 / 9, "-3.63 to -3.02", 0, 0.02),
    Limit("QTRAN game, QMIX", "(A, A)", ((0, 0),), -8.0, "-8.08", 0, 0.1),
    Limit("QTRAN game, QMIX", "one plays A", _WITH_A, -8.0, "-8.08", 0, 0.1),
    Limit("QTRAN game, QMIX", "none plays A", _WITHOUT_A, 0.0, "0.01 to 0.03", 0, 0.1),
    Limit(AROUND["VDN"], "(A, A)", ((0, 0),), _rare("VDN")[0], f"{DAI_VDN[0]}", 0, 0.1),
    Limit(AROUND["VDN"], "one plays A", _WITH_A, _rare("VDN")[1], f"{DAI_VDN[1]}", 0, 0.1),
    Limit(AROUND["QMIX"], "one plays A", _WITH_A, _rare("QMIX")[1], f"{DAI_QMIX}", 0, 0.1),
    *(
        Limit(f"linear game, {learner}", f"{cell}", (cell,), value)
        for learner in ("VDN", "QMIX")
        for cell, value in zip(_ALL, (1.0, 5.0, 5.0, 9.0), strict=True)
    ),
    *(
        Limit("monotonic game, VDN", f"{cell}", (cell,), value, f"{printed:.2f}")
        for cell, value, printed in zip(_ALL, (-2.5, 2.5, 2.5, 7.5), MONOTONIC_VDN, strict=True)
    ),
    *(
        Limit("monotonic game, QMIX", f"{cell}", (cell,), value, f"{value:.2f}")
        for cell, value in zip(_ALL, MONOTONIC_QMIX, strict=True)
    ),
    *(
        Limit(f"two-step game, {learner}", f"{stage}, {cell}", (cell,), value, f"{seen:.2f}", state)
        for learner, printed, limits in (
            ("VDN", RASHID_VDN, ((7.0, 7.0, 6.5, 6.5), (-1.5, 2.5, 2.5, 6.5))),
            ("QMIX", RASHID_QMIX, ((7.0, 7.0, 8.0, 8.0), (0.0, 1.0, 1.0, 8.0))),
        )
        for k, (stage, state) in enumerate((("first stage", _FIRST), ("stage B", _B)))
        for cell, value, seen in zip(_ALL, limits[k], printed[k], strict=True)
    ),
)


@reproduction(
    replicas=Count(ENOUGH, "Number of runs of each learner in each game, at least 1."),
    steps=Count(
        40_000, f"Game steps of each run, at least 1; {LONGER} times as many around (B, B)."
    ),
    engine="As for `fastgames.run`; every run of the report has the same rng.",
)
def value_decomposition(asked: Arguments) -> Report:
    """Compare what VDN and QMIX learn with the best fits of sums and mixtures; return a report.

    Both learn from uniform play in four games: the QTRAN game, a linear and a monotonic matrix game
    and the two-step game; the weighted forms of QMIX in the QTRAN game too. There VDN and QMIX also
    learn from epsilon-greedy play that starts at (B, B), where (A, A) is rare; VDN explores with
    another epsilon than QMIX. Step sizes fall exponentially.

    Expected: the values of the joint actions tend to the best fit of a sum (VDN) or of a monotonic
    function that ranks A last (QMIX), weighted by how often they are played. The weighted forms
    find (A, A). In the two-step game VDN earns 7 and QMIX 8. Printed values are of neural networks.

    Returns
    -------
    Report
        A report with one result for each run, by the name of the game and the learner, such as
        "QTRAN game, VDN".

    Examples
    --------
    >>> list(value_decomposition(replicas=2, steps=100).results)[0]
    'QTRAN game, VDN'
    """
    results = {
        name: asked.run(game, learner, steps, asked.replicas)
        for name, (game, learner, steps) in runs(asked.steps).items()
    }
    found = _found(results)
    return Report(
        title="Value decomposition: sums and monotonic mixtures",
        rows=(*_rows_of_limits(found, asked.replicas), *_rows_of_play(results)),
        lines=(
            "Intervals are of 95 %; printed values of networks are beside the limits.",
            f"Around (B, B), VDN explores with epsilon {RARE['VDN']} and QMIX with {RARE['QMIX']}: "
            "the source of the printed values has no epsilon, and these come nearest to them.",
            f"QMIX plays (A, A) there about {_rarely(asked.steps):,.0f} times in a run, too rarely "
            "for the value of (A, A) itself to reach the limit.",
        ),
        figure=picture(lambda: _draw(found, asked), asked.out),
        results=results,
    )


def _rarely(steps: int) -> float:
    """Return how often QMIX plays (A, A) around (B, B) on average; steps: as given."""
    return int(LONGER * steps) * (RARE["QMIX"] / 3.0) ** 2


def runs(steps: int) -> dict[str, tuple[Game, Any, int]]:
    """Return the game, the learner and the steps of every run by its name."""
    fast, medium, slow = (Exponential(a, np.log(a / LAST) / steps) for a in (0.05, 0.02, 0.01))
    uniform = EpsilonGreedy(1.0)
    makes: dict[str, Any] = {"VDN": VDN, "QMIX": QMIX}
    games: dict[str, Game] = {
        "linear game": MatrixGame([[[1, 5], [5, 9]]] * 2, name="linear"),
        "monotonic game": MatrixGame([[[0, 0], [0, 10]]] * 2, name="monotonic"),
        "two-step game": two_step(),
    }
    out: dict[str, tuple[Game, Any, int]] = {
        "QTRAN game, VDN": (qtran(), VDN(fast, explore=uniform), steps),
        # from this step size QMIX ranks A last in all runs
        "QTRAN game, QMIX": (qtran(), QMIX(slow, explore=uniform), steps),
    }
    for weighting in ("optimistic", "central"):
        weighted = QMIX(medium, explore=uniform, weighting=weighting)
        out[f"QTRAN game, {weighting} QMIX"] = (qtran(), weighted, steps)
    longer = int(LONGER * steps)
    for name, make in makes.items():
        first = 0.02 if name == "VDN" else 0.05  # from 0.05 VDN may leave (B, B)
        alpha = Exponential(first, np.log(first / LAST_RARE) / longer)
        learner = make(alpha, explore=EpsilonGreedy(RARE[name]), initial=[0.0, 1.0, 0.0])
        out[AROUND[name]] = (qtran(), learner, longer)
    for game in games:
        gamma = 1.0 if game == "two-step game" else None
        for name, make in makes.items():
            out[f"{game}, {name}"] = (games[game], make(fast, gamma, uniform), steps)
    return out


def _values(result: Result, state: int) -> Any:
    """Return the team's value of every joint action in a state, (replicas, A_0, A_1)."""
    one, two = (result.tables[i]["q"][:, state] for i in range(2))
    learner = result.learners[0]
    if not isinstance(learner, QMIX):
        return one[:, :, None] + two[:, None, :]
    tables, rules = result.tables[0], learner.rules
    out = np.empty((*one.shape, two.shape[1]), one.dtype)
    units = np.empty(learner.hidden, one.dtype)
    joint = state * (result.tables[1]["q"].shape[1] + 1)  # both observe the state
    for r in range(len(out)):
        own = rules.as_tables(tables[name][r] for name in rules.names)
        for a, b in np.ndindex(out.shape[1:]):
            out[r, a, b] = mixed(own, joint, np.array([one[r, a], two[r, b]]), units)
    return out


def _found(results: dict[str, Result]) -> list[Estimate]:
    """Return the estimate of every one of LIMITS: means over its joint actions and the runs."""
    values: dict[tuple[str, int], Any] = {}
    out = []
    for limit in LIMITS:
        key = limit.run, limit.state
        if key not in values:
            values[key] = _values(results[limit.run], limit.state)
        rows, columns = np.transpose(limit.cells)
        out.append(mean(values[key][:, rows, columns].mean(axis=1)))
    return out


def _rows_of_limits(found: list[Estimate], replicas: int) -> list[Row]:
    """Return the rows that compare values of joint actions with their limits.

    With fewer than ENOUGH runs, half the width of the interval is added to the tolerance.
    """
    rows = []
    for limit, estimate in zip(LIMITS, found, strict=True):
        allowed = limit.tolerance
        if replicas < ENOUGH:
            allowed += (estimate.high - estimate.low) / 2.0
        printed = f"; printed {limit.printed}" if limit.printed else ""
        rows.append(
            Row(
                f"{limit.run}: {limit.what}",
                f"{limit.value:.3f} ± {allowed:.2g}{printed}",
                estimate.text(3),
                abs(estimate.value - limit.value) <= allowed,
            )
        )
    return rows


def _rows_of_play(results: dict[str, Result]) -> list[Row]:
    """Return the rows on greedy joint actions, and on the joint action that is played rarely."""
    rarest = mean(_values(results[AROUND["QMIX"]], 0)[:, 0, 0])
    rows = [Row(f"{AROUND['QMIX']}: (A, A)", "", rarest.text(3))]
    for weighting in ("optimistic", "central"):
        result = results[f"QTRAN game, {weighting} QMIX"]
        share = mean((result.greedy(0)[:, 0] == 0) & (result.greedy(1)[:, 0] == 0))
        what = f"QTRAN game, {weighting} QMIX: share of runs at (A, A)"
        rows.append(Row(what, "at least 0.99", share.text(3), share.value >= 0.99))
    for name, expected in (("VDN", 7.0), ("QMIX", 8.0)):
        found = mean(earned(results[f"two-step game, {name}"]))
        what = f"two-step game, {name}: earned by greedy play"
        rows.append(Row(what, f"{expected:.0f}", found.text(3), found.value == expected))
    return rows


def earned(result: Result) -> Any:
    """Return the rewards that greedy play earns in the two-step game, (replicas,)."""
    game, replicas = two_step(), np.arange(result.replicas)
    one, two = result.greedy(0), result.greedy(1)
    stage = np.where(one[:, _FIRST] == 0, _A, _B)
    return game.rewards[0, stage, one[replicas, stage], two[replicas, stage]]


def _draw(found: list[Estimate], asked: Arguments) -> "Figure":
    """Draw what was found over the limits, with one colour for each learner."""
    from fastgames import plot

    title = f"Values of joint actions, {asked.replicas:,} runs of {asked.steps:,} steps each"
    drawn, axes = plot.figure(1, 1, title, (5.4, 4.6))
    axis = axes[0]
    ends = [min(x.value for x in LIMITS), max(x.value for x in LIMITS)]
    axis.plot(ends, ends, color=plot.GREY, linewidth=0.8)
    for name, marker, colour in zip(("VDN", "QMIX"), "os", plot.COLOURS, strict=False):
        pairs = [(x, y) for x, y in zip(LIMITS, found, strict=True) if x.run.endswith(f" {name}")]
        axis.errorbar(
            [x.value for x, _ in pairs], [y.value for _, y in pairs],
            [(y.high - y.low) / 2.0 for _, y in pairs],
            fmt=marker, color=colour, markersize=4, label=name,
        )  # fmt: skip
    plot.finish(axis, "Learnt values and their limits", "limit", "found", legend="upper left")
    return drawn
