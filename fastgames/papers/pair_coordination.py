"""Pairs that learn the climbing and the penalty game: shares of runs by their joint action.

Source: Reinforcement Learning, From First Principles to the Frontier, an open course without peer
review, chapter 17, section 6.6. The games and joint action learners are those of Claus & Boutilier
(1998), The dynamics of reinforcement learning in cooperative multiagent systems, AAAI.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import MatrixGame, climbing, penalty
from fastgames.learners import EpsilonGreedy, HystereticQ, JointActionLearner, QLearner, Softmax
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.estimate import Estimate, beside, mean
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.schedules import Exponential

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS, STEPS = 1_000, 5_000
TOLERANCE = 0.04  # between two samples of 1,000 runs
GAMES = {"climbing": climbing(), "penalty": penalty(-100.0)}
BEST = "a best joint action"
CELLS = {
    **{
        f"({one}, {other})": ((i, j),)
        for i, one in enumerate("abc")
        for j, other in enumerate("abc")
    },
    BEST: (),  # those of the game
}
#: Shares of runs by game, learner and greedy joint action, as printed.
PRINTED = {
    "climbing": {
        "hysteretic Q-learning": {"(a, a)": 0.891, "(b, b)": 0.109},
        "Q-learning": {"(a, a)": 0.0, "(c, c)": 0.898, "(b, c)": 0.102},
        "Boltzmann Q-learning": {"(a, a)": 0.130, "(b, b)": 0.783},
        "joint action learners": {"(a, a)": 0.0, "(b, c)": 0.966},
        "one learner for both": {"(a, a)": 1.0},
    },
    "penalty": {
        "hysteretic Q-learning": {BEST: 0.941},
        "Q-learning": {BEST: 0.0, "(b, b)": 1.0},
        "Boltzmann Q-learning": {BEST: 0.892},
        "joint action learners": {BEST: 0.0, "(b, b)": 1.0},
        "one learner for both": {BEST: 1.0, "(a, a)": 0.485, "(c, c)": 0.515},
    },
}


def falling() -> EpsilonGreedy:
    """Return epsilon-greedy exploration with max(0.01, 0.998^t)."""
    return EpsilonGreedy(Exponential(1.0, -np.log(0.998), 0.01))


def learners() -> dict[str, Any]:
    """Return the learner of both agents by its name; "one learner for both" plays for them."""
    cooling = Softmax(Exponential(20.0, -np.log(0.997), 0.05))
    return {
        "hysteretic Q-learning": HystereticQ(0.1, 0.01, explore=falling()),
        "Q-learning": QLearner(0.1, explore=falling()),
        "Boltzmann Q-learning": QLearner(0.1, explore=cooling),
        "joint action learners": JointActionLearner(0.1, explore=falling()),
        # (a, a) and (c, c) of the penalty game are alike unless ties go to the first action
        "one learner for both": QLearner(0.1, explore=replace(falling(), ties="random")),
    }


@reproduction(
    replicas=Count(RUNS, "Number of runs of each learner in each game, at least 1."),
    steps=Count(
        STEPS, "Game steps of each run, at least 1. The report compares with print for 5,000 only."
    ),
    engine="As for `fastgames.run`; every run of the report has the same rng.",
)
def coordination(asked: Arguments) -> Report:
    """Compare where pairs end in the climbing and the penalty game with print; return a report.

    Independent Q-learners, hysteretic learners, joint action learners, and one learner that chooses
    for both agents play the climbing game and the penalty game with -100. Tables start at 0, alpha
    is 0.1 (0.01 for losses of hysteretic learners), epsilon max(0.01, 0.998^t), the temperature of
    "Boltzmann Q-learning" max(0.05, 20 * 0.997^t).

    Expected: shares of runs whose greedy joint action at the end is a certain one. Joint action
    learners never find the best one, although they know what it pays.

    Returns
    -------
    Report
        A report with one result for each game and learner, such as "climbing, Q-learning".

    Examples
    --------
    >>> list(coordination(replicas=2, steps=10).results)[1]
    'climbing, Q-learning'
    """
    results: dict[str, Result] = {}
    began = time.perf_counter()
    for name, game in GAMES.items():
        for kind, learner in learners().items():
            played = one_agent(game) if kind == "one learner for both" else game
            results[f"{name}, {kind}"] = asked.run(played, learner, asked.steps, asked.replicas)
    seconds = time.perf_counter() - began
    return Report(
        title=f"Coordination of pairs: {asked.replicas:,} runs of {asked.steps:,} steps",
        rows=(*_rows(results, asked), Row("time", "", f"{seconds:,.1f} s")),
        lines=("Shares of runs by their greedy joint action at the end; intervals are of 95 %.",),
        figure=picture(lambda: _draw(results, asked), asked.out),
        results=results,
    )


def one_agent(game: MatrixGame) -> MatrixGame:
    """Return the game of one agent that chooses the joint action, row by row."""
    return MatrixGame([game.payoffs[0].ravel()], name=f"{game.name}, played by one agent")


def joint_actions(result: Result) -> Any:
    """Return the greedy joint action of every run, 3 * row + column, (replicas,)."""
    if result.game.num_agents == 1:
        return result.greedy(0)[:, 0]
    return 3 * result.greedy(0)[:, 0] + result.greedy(1)[:, 0]


def share(result: Result, name: str, cell: str) -> Estimate:
    """Return the share of runs at a cell, or at a best joint action of the game of this name."""
    payoffs = GAMES[name].payoffs[0]
    cells = np.argwhere(payoffs == payoffs.max()) if cell == BEST else CELLS[cell]
    return mean(np.isin(joint_actions(result), [3 * i + j for i, j in cells]))


def _rows(results: dict[str, Result], asked: Arguments) -> list[Row]:
    """Return the rows that compare shares with the printed ones."""
    rows = []
    for name, kinds in PRINTED.items():
        for kind, shares in kinds.items():
            for cell, printed in shares.items():
                found = share(results[f"{name}, {kind}"], name, cell)
                known = printed if asked.steps == STEPS else None
                sizes = (RUNS, asked.replicas)
                what = f"{name}, {kind}: share of runs at {cell}"
                rows.append(beside(what, found, known, TOLERANCE, 3, sizes))
    return rows


def _draw(results: dict[str, Result], asked: Arguments) -> "Figure":
    """Draw the shares of runs at a best joint action, and the printed ones."""
    from fastgames import plot

    title = f"Coordination of pairs, {asked.replicas:,} runs of {asked.steps:,} steps"
    drawn, axes = plot.figure(2, 2, title, (5.4, 3.0))
    for axis, name in zip(axes, GAMES, strict=True):
        kinds = list(PRINTED[name])
        found = [share(results[f"{name}, {kind}"], name, BEST) for kind in kinds]
        places = np.arange(len(kinds))[::-1]
        axis.barh(
            places, [x.value for x in found], xerr=[(x.high - x.low) / 2.0 for x in found],
            color=plot.COLOURS[0], ecolor=plot.INK, height=0.6,
        )  # fmt: skip
        printed = [PRINTED[name][kind].get(BEST, 0.0) for kind in kinds]
        if name == "climbing":  # whose best joint action is one cell
            printed = [PRINTED[name][kind]["(a, a)"] for kind in kinds]
        axis.plot(printed, places, "d", color=plot.COLOURS[1], markersize=6, label="printed")
        axis.set_yticks(places, kinds)
        axis.set_xlim(-0.03, 1.05)
        plot.finish(axis, f"{name}: runs at {BEST}", "share of runs", "", legend="")
    return drawn
