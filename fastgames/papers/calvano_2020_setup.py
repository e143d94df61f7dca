"""The setup of Calvano et al. (2020): the game, the learner and the settings."""

from pathlib import Path
from typing import Any

from fastgames.games import MarkovGame, PricingGame, logit_bertrand, remember
from fastgames.learners import EpsilonGreedy, QLearner, UniformRivals
from fastgames.papers.report import Row
from fastgames.result import Result
from fastgames.schedules import Exponential

SESSIONS = 1_000  # of each setting, in the paper
DISCOUNT, ALPHA, BETA = 0.95, 0.15, 4e-6
STABLE, MOST = 100_000, 10**9  # periods without a change before a session ends; at most

#: Every setting: what differs from the baseline in the game, the second firm's alpha, and the mean
#: profit gain printed.
SETTINGS: dict[str, tuple[dict[str, Any], float, float]] = {
    "baseline": ({}, ALPHA, 0.849),
    "second firm's cost 0.75": ({"c": (1.0, 0.75)}, ALPHA, 0.812),
    "mu 0.5": ({"mu": 0.5}, ALPHA, 0.856),
    "second firm's alpha 0.05": ({}, 0.05, 0.821),
}
#: Tolerances of means of the profit gain, for 1,000 sessions: three standard errors of the
#: difference of two such means, as everywhere below.
GAIN_TOLERANCE = 0.015


def pricing(**changes: Any) -> tuple[PricingGame, MarkovGame]:
    """The market of one period, and the game of firms that remember the last one."""
    stage = logit_bertrand(**changes)
    return stage, remember(stage, 1, DISCOUNT, "uniform")


def learner(alpha: Any, beta: Any = BETA) -> QLearner:
    """The paper's algorithm; alpha, beta: a number or (replicas,)."""
    explore = EpsilonGreedy(Exponential(1.0, beta))
    return QLearner(alpha, explore=explore, initial=UniformRivals())


def time_row(result: Result, seconds: float, checkpoint: str | Path | None) -> Row:
    """How long it all took; how fast that is only where this call did all of it."""
    total = int(result.steps.sum())
    text = f"{seconds:,.1f} s, {total / 1e9:,.2f} billion periods"
    if checkpoint is None:
        text += f", {total / seconds / 1e6:,.0f} million a second"
    return Row("time of this call", "", text)
