"""Rows of the reproduction of gradients on the direction of a step after a single sample."""

from math import comb

import numpy as np

from fastgames.games import MatrixGame
from fastgames.learners import MADDPG, Reinforce
from fastgames.papers.arguments import Arguments
from fastgames.papers.estimate import Estimate, mean, near
from fastgames.papers.report import Row
from fastgames.result import Result

SAMPLES = 200  # single steps of teams for each run asked


def rows_of_directions(asked: Arguments) -> list[Row]:
    """Return the rows on the chance that one sample's step points uphill.

    The agents play uniformly, and all are paid 1 if all play 1. The true gradients by the logits of
    action 1 are equal, so a step points uphill if the sum of the agents' steps is positive.
    """
    rows = []
    for agents in range(1, 7):
        result = asked.run(all_or_nothing(agents), Reinforce(1.0), 1, SAMPLES * asked.replicas)
        found, exact = _uphill(result), 2.0**-agents
        what = f"all or nothing, N = {agents}: share of samples that point uphill"
        rows.append(Row(what, f"{exact:.4f}", found.text(4), near(found, exact)))
    return rows


def all_or_nothing(agents: int) -> MatrixGame:
    """Return the game in which all agents get 1 if all play action 1."""
    pays = np.zeros((2,) * agents)
    pays[(1,) * agents] = 1.0
    return MatrixGame([pays] * agents, name="all or nothing")


def _uphill(result: Result) -> Estimate:
    """Return the share of replicas whose steps of the logits of action 1 have a positive sum."""
    steps = [table["logits"][:, 0, 1] for table in result.tables]
    return mean(np.sum(steps, axis=0) > 0.0)


def uphill(agents: int, baseline: str) -> float:
    """Return the chance that a step of MADDPG with exact critics points uphill.

    With k agents at action 1 the agents' scores have the sum k - agents / 2. Without a baseline the
    advantage is 1 if k = agents, and else 0. The baseline 2^-agents makes it negative for all other
    k, so that the step points uphill if k < agents / 2, too.
    """
    few = sum(comb(agents, k) for k in range(agents) if 2 * k < agents)
    return float(1 + (few if baseline == "value" else 0)) / 2.0**agents


def rows_of_critics(asked: Arguments) -> list[Row]:
    """Return the rows on the same chance for MADDPG with exact critics, for both baselines."""
    rows = []
    for agents in range(1, 7):
        game = all_or_nothing(agents)
        tables = [{"q": payoffs.reshape(1, -1)} for payoffs in game.payoffs]
        for baseline in ("none", "value"):
            learner = MADDPG(1.0, 0.0, baseline=baseline)
            result = asked.run(game, learner, 1, SAMPLES * asked.replicas, start_tables=tables)
            found, exact = _uphill(result), uphill(agents, baseline)
            what = f"all or nothing, N = {agents}, MADDPG, baseline {baseline}: share uphill"
            rows.append(Row(what, f"{exact:.4f}", found.text(4), near(found, exact)))
    return rows
