"""Setup of Calvano et al. (2020): the game, the learner and the settings."""

from pathlib import Path
from typing import Any

from fastgames.games import MarkovGame, PricingGame, logit_bertrand, remember
from fastgames.learners import EpsilonGreedy, QLearner, UniformRivals
from fastgames.papers.report import Row
from fastgames.result import Result
from fastgames.schedules import Exponential

SESSIONS = 1_000  # sessions of each setting in the paper
DISCOUNT, ALPHA, BETA = 0.95, 0.15, 4e-6
STABLE, MOST = 100_000, 10**9  # periods without a change that end a session; most periods in all

#: Settings by name: changes of the baseline's game, the second firm's alpha, and the printed mean
#: profit gain.
SETTINGS: dict[str, tuple[dict[str, Any], float, float]] = {
    "baseline": ({}, ALPHA, 0.849),
    "second firm's cost 0.75": ({"c": (1.0, 0.75)}, ALPHA, 0.812),
    "mu 0.5": ({"mu": 0.5}, ALPHA, 0.856),
    "second firm's alpha 0.05": ({}, 0.05, 0.821),
}
#: Tolerance of mean profit gains over 1,000 sessions: three standard errors of the difference of
#: two such means, like all tolerances of this reproduction.
GAIN_TOLERANCE = 0.015


def pricing(**changes: Any) -> tuple[PricingGame, MarkovGame]:
    """Return the one-period market, and the game of firms that observe the last period."""
    stage = logit_bertrand(**changes)
    return stage, remember(stage, 1, DISCOUNT, "uniform")


def learner(alpha: Any, beta: Any = BETA) -> QLearner:
    """Return the paper's learner; alpha, beta: a number or (replicas,)."""
    explore = EpsilonGreedy(Exponential(1.0, beta))
    return QLearner(alpha, explore=explore, initial=UniformRivals())


def time_row(result: Result, seconds: float, checkpoint: str | Path | None) -> Row:
    """Return the row of the time, with the speed unless a checkpoint may hold earlier periods."""
    total = int(result.steps.sum())
    text = f"{seconds:,.1f} s, {total / 1e9:,.2f} billion periods"
    if checkpoint is None:
        text += f", {total / seconds / 1e6:,.0f} million a second"
    return Row("time of this call", "", text)
