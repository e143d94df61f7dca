"""Exercise (b) of the chapter: softmax in place of the greedy choice, and its rest points."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import MatrixGame, matching_pennies, prisoners_dilemma
from fastgames.learners import EpsilonGreedy, QLearner, Softmax
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPERATURES = (0.1, 0.2, 0.5, 1.0)

#: Rest points: game, temperature, and each agent's probability of its first action. These are logit
#: quantal response equilibria, computed from the definition in McKelvey & Palfrey (1995), Games and
#: Economic Behavior 10, 6-38, which does not print them.
REST = (
    ("asymmetric pennies", 1.0, (0.586784, 0.451807)),
    ("asymmetric pennies", 0.5, (0.617522, 0.371982)),
    ("prisoner's dilemma", 0.5, (0.099788, 0.099788)),
    ("prisoner's dilemma", 1.0, (0.226751, 0.226751)),
)
TOLERANCE = 0.02  # relative; a constant alpha leaves a bias of order alpha
_REST_ALPHA, _REST_STEPS = 0.005, 20_000  # small enough for the tolerance, long enough to converge


@reproduction(
    replicas=Count(
        2_000,
        "Number of runs for each temperature, for epsilon-greedy, and for each rest point; at "
        "least 1.",
    ),
    steps=Count(
        20_000,
        "Steps of matching pennies, at least 4. The rest points always take 20,000.",
        "[4, inf)",
    ),
    engine="As for `fastgames.run`; every run of the report has the same rng.",
)
def softmax(asked: Arguments) -> Report:
    """Compare softmax with epsilon-greedy exploration in matching pennies; return a report.

    The report has the frequencies of Row's heads over the last quarter of training.

    Expected: softmax agents mix in every step, so their policies are closer to the equilibrium 1/2
    than those of an epsilon-greedy agent, 0.05 and 0.95. The exercise asks if the frequencies over
    a whole quarter are closer too; the report answers it.

    Returns
    -------
    Report
        A report with the results "epsilon-greedy", "softmax" (`replicas` runs of each temperature,
        one temperature after the other) and "rest 0" to "rest 3".

    Notes
    -----
    A softmax learner with constant alpha rests near the logit quantal response equilibrium, in
    which each policy is proportional to exp(expected payoff / temperature). The report compares the
    four in REST.

    Examples
    --------
    >>> softmax(replicas=10, steps=100).lines[0]
    "Are the play frequencies closer to fifty-fifty than epsilon-greedy's?"
    """
    replicas, steps = asked.replicas, asked.steps

    def play(game: MatrixGame, learner: QLearner, steps: int, replicas: int) -> Result:
        """Run a game and count joint actions in the last quarter of the steps."""
        record = Record(joint_actions=True, last=steps // 4)
        return asked.run(game, learner, steps, replicas, record=record)

    pennies = matching_pennies()
    temperatures = np.repeat(TEMPERATURES, replicas)
    greedy = play(pennies, QLearner(0.1, explore=EpsilonGreedy(0.1)), steps, replicas)
    soft = play(pennies, QLearner(0.1, explore=Softmax(temperatures)), steps, temperatures.size)
    results = {"epsilon-greedy": greedy, "softmax": soft}
    found = []
    for k, (name, temperature, _) in enumerate(REST):
        learner = QLearner(_REST_ALPHA, explore=Softmax(temperature))
        result = results[f"rest {k}"] = play(_rest_game(name), learner, _REST_STEPS, replicas)
        found.append(_first_actions(result))
    near = _distances(greedy, soft, steps // 4)
    return Report(
        title="Exercise (b): softmax in place of the greedy choice",
        rows=(*_pennies_rows(near, steps // 4), *_rest_rows(found)),
        lines=_lines(near, steps // 4),
        figure=picture(lambda: _draw(greedy, soft, found), asked.out),
        results=results,
    )


def _rest_game(name: str) -> MatrixGame:
    """Return the game of that name in REST."""
    if name == "prisoner's dilemma":
        return prisoners_dilemma()
    return MatrixGame(
        [[[1.1141, 0.0], [0.0, 0.2785]], [[0.0, 1.1141], [1.1141, 0.0]]], name="asymmetric pennies"
    )


def _first_actions(result: Result) -> tuple[float, float]:
    """Return each agent's frequency of its first action over all replicas, in [0, 1]."""
    assert result.joint_counts is not None
    shares = result.joint_counts.sum(axis=0) / result.joint_counts.sum()
    return float(shares[0].sum()), float(shares[:, 0].sum())


def _heads(result: Result) -> Any:
    """Return the number of Row's heads in each replica, (replicas,) int64."""
    assert result.joint_counts is not None
    return result.joint_counts[:, 0].sum(axis=-1)


def _distances(greedy: Result, soft: Result, counted: int) -> dict[str, tuple[float, Any]]:
    """Return mean distances from 1/2 in percentage points.

    "played" is the distance of the frequencies of heads, "policy" that of its probability at the
    end; each has epsilon-greedy's number, and softmax's by temperature (temperatures,).
    """

    def points(shares: Any, settings: int) -> Any:
        """Return the mean distances of shares (settings * replicas,) from 1/2, (settings,)."""
        return 100.0 * np.abs(shares - 0.5).reshape(settings, -1).mean(axis=1)

    return {
        kind: (float(points(one, 1)[0]), points(many, len(TEMPERATURES)))
        for kind, one, many in (
            ("played", _heads(greedy) / counted, _heads(soft) / counted),
            ("policy", greedy.policy(0)[:, 0, 0], soft.policy(0)[:, 0, 0]),
        )
    }


def _coin(tosses: int) -> float:
    """Return a fair coin's mean distance from 1/2 in percentage points, for many tosses."""
    return 100.0 / float(np.sqrt(2.0 * np.pi * tosses))


def _pennies_rows(near: dict[str, tuple[float, Any]], counted: int) -> list[Row]:
    """Return the rows of matching pennies: distances from 1/2 of policies and frequencies."""
    greedy, soft = near["policy"]
    rows = [
        Row(
            f"policy at the end, points from 1/2: temperature {temperature}",
            f"less than epsilon-greedy's {greedy:.1f}",
            f"{distance:.1f}",
            bool(distance < greedy),
        )
        for temperature, distance in zip(TEMPERATURES, soft, strict=True)
    ]
    greedy, soft = near["played"]
    what = f"heads in the last {counted:,} steps, points from 1/2"
    rows.append(Row(f"{what}: epsilon-greedy", "", f"{greedy:.2f}"))
    for temperature, distance in zip(TEMPERATURES, soft, strict=True):
        rows.append(Row(f"{what}: temperature {temperature}", "", f"{distance:.2f}"))
    return rows


def _rest_rows(found: list[tuple[float, float]]) -> list[Row]:
    """Return the rows of the rest points."""
    rows = []
    for (name, temperature, expected), shares in zip(REST, found, strict=True):
        for agent, want, share in zip(("Row", "Col"), expected, shares, strict=True):
            rows.append(
                Row(
                    f"{name}, temperature {temperature}: {agent}'s first action",
                    f"{want:.6f} ± {TOLERANCE:.0%}",
                    f"{share:.6f} ({share / want - 1:+.2%})",
                    abs(share / want - 1) <= TOLERANCE,
                )
            )
    return rows


def _lines(near: dict[str, tuple[float, Any]], counted: int) -> tuple[str, ...]:
    """Return the lines that answer the exercise's question."""
    greedy, soft = near["played"]
    pairs = list(zip(TEMPERATURES, soft, strict=True))
    closer = ", ".join(str(t) for t, distance in pairs if distance < greedy)
    farther = ", ".join(str(t) for t, distance in pairs if distance >= greedy)
    return (
        "Are the play frequencies closer to fifty-fifty than epsilon-greedy's?",
        f"Yes at temperature {closer or 'none'}; no at {farther or 'none'}.",
        f"Epsilon-greedy's are {greedy:.2f} points from 1/2 on average; a fair coin's would be "
        f"{_coin(counted):.2f}.",
        "Epsilon-greedy agents mix little in any step, but their flips balance heads and tails.",
    )


def _draw(greedy: Result, soft: Result, found: list[tuple[float, float]]) -> "Figure":
    """Draw the heads and policies of matching pennies, and the rest points."""
    from fastgames import plot

    steps = int(greedy.steps[0])
    title = f"Matching pennies, {greedy.replicas:,} runs of {steps:,} steps each; rest points"
    drawn, axes = plot.figure(3, 3, title, (4.8, 3.5))
    shown = [k for k, t in enumerate(TEMPERATURES) if t in (0.2, 1.0)]

    def by_name(one: Any, many: Any) -> dict[str, Any]:
        """Return epsilon-greedy's values (replicas,), and softmax's at two temperatures."""
        rows = many.reshape(len(TEMPERATURES), -1)
        names = {f"softmax, temperature {TEMPERATURES[k]}": rows[k] for k in shown}
        return {"epsilon-greedy": one, **names}

    plot.mark(axes[0], steps // 4 / 2, "half")
    plot.histograms(axes[0], by_name(_heads(greedy), _heads(soft)), bins=40)
    title = f"Row's heads in the last {steps // 4:,} steps"
    plot.finish(axes[0], title, "heads", "share of runs", legend="")
    policies = by_name(greedy.policy(0)[:, 0, 0], soft.policy(0)[:, 0, 0])
    plot.mark(axes[1], 0.5, "half")
    plot.histograms(axes[1], policies, bins=40)
    plot.finish(axes[1], "What Row would play at the end", "probability of heads", "share of runs")
    places = np.arange(2 * len(REST))[::-1]
    axis = axes[2]
    axis.plot(
        [p for _, _, e in REST for p in e], places, "|", color=plot.INK, markersize=16,
        label="rest point",
    )  # fmt: skip
    axis.plot(
        [p for shares in found for p in shares], places, "o", color=plot.COLOURS[1], markersize=5,
        label="found",
    )  # fmt: skip
    texts = [
        f"{'pennies' if 'pennies' in name else 'dilemma'} {t}, {agent}"
        for name, t, _ in REST
        for agent in ("Row", "Col")
    ]
    axis.set_xlim(0.0, 0.8)
    plot.finish(
        axis, "Rest points by temperature", "share of the first action", "", legend="lower right"
    )
    axis.set_yticks(places, texts)
    return drawn
