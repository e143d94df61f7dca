"""Credit in the bar problem (Wolpert & Tumer 2001): own parts of the team's reward beat all of it.

Source: Wolpert & Tumer (2001), Optimal payoff functions for members of collectives, Advances in
Complex Systems 4, 265-279. The figures are computed from the paper's definitions.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import bar_problem as bar
from fastgames.learners import EpsilonGreedy, QLearner
from fastgames.papers import estimate
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.estimate import Estimate
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result
from fastgames.schedules import Exponential

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NIGHTS, CAPACITY = 7, 6.0
AGENTS = 100  # of the figures; the picture also has SIZES
SIZES = (20, 50, 200, 500, 1_000)
WEEKS, LAST = 3_000, 100  # weeks of a run, and those at its end over which G is averaged
PART = 40  # the runs of each of SIZES are this part of the replicas
#: The mean of G over the last weeks by the kind of the rewards, and the tolerance.
COMPUTED = {"difference": (13.228, 0.05), "team": (9.46, 0.4), "own": (9.253, 0.01)}
OPTIMUM = 13.2452  # of 100 agents: six nights of 6, one of 64


@reproduction(
    replicas=Count(
        1_000,
        "Number of runs for each kind of rewards with 100 agents, at least 1. The other numbers of "
        "agents have a fortieth of it, at least 2.",
    ),
    steps=Count(WEEKS, "Weeks of each run, at least 1. Figures are compared for 3,000 only."),
    engine="As for `fastgames.run`; every run of the report has the same rng.",
)
def bar_problem(asked: Arguments) -> Report:
    """Compare difference rewards, the team's reward and own enjoyment; return a report.

    Agents choose one of 7 nights. They are stateless Q-learners, alpha 0.1, whose epsilon falls
    from 0.1 by a thousandth in every week. G, the enjoyment of all agents, is averaged over the
    last 100 weeks.

    Expected: with difference rewards 100 agents come close to the optimum of G, and agents of any
    number earn more than with the team's reward. That reward tells an agent little of its own
    night, and own enjoyment spreads all agents evenly, so that both earn the less the more agents
    there are. Of 200 agents or more, a second or third night may stay crowded: in a large crowd an
    agent's difference is close to 0 whether it leaves or not.

    Returns
    -------
    Report
        A report with one result for each number of agents and kind of rewards, such as "100 agents,
        difference rewards".

    Examples
    --------
    >>> list(bar_problem(replicas=2, steps=10).results)[0]
    '100 agents, difference rewards'
    """
    results: dict[str, Result] = {}
    found: dict[int, dict[str, Estimate]] = {}
    for agents in (AGENTS, *SIZES):
        replicas = asked.replicas if agents == AGENTS else max(asked.replicas // PART, 2)
        found[agents] = {}
        for kind in COMPUTED:
            result = play(asked, agents, kind, replicas)
            results[f"{agents:,} agents, {kind} rewards"] = result
            found[agents][kind] = estimate.mean(enjoyed(result, kind), estimate.Z99)
    return Report(
        title=f"The bar problem: {asked.replicas:,} runs of {asked.steps:,} weeks",
        rows=(*_rows_of_figures(found[AGENTS], asked.steps), *_rows_of_sizes(found, asked.steps)),
        lines=(
            f"Means of G over the last {min(LAST, asked.steps):,} weeks; intervals are of 99 %.",
            f"{AGENTS} agents have {asked.replicas:,} runs, the other numbers of agents "
            f"{max(asked.replicas // PART, 2):,} each.",
        ),
        figure=picture(lambda: _draw(found, asked), asked.out),
        results=results,
    )


def play(asked: Arguments, agents: int, kind: str, replicas: int) -> Result:
    """Return the run of a number of agents with a kind of rewards."""
    explore = EpsilonGreedy(Exponential(0.1, -math.log(0.999)), ties="random")
    last = min(LAST, asked.steps)
    # G follows from the agents' rewards, unless these are differences.
    record = Record(path=last) if kind == "difference" else Record(rewards=True, last=last)
    game = bar(agents, NIGHTS, CAPACITY, rewards=kind)
    return asked.run(game, QLearner(0.1, explore=explore), asked.steps, replicas, record=record)


def enjoyed(result: Result, kind: str) -> Any:
    """Return the mean of G over the last weeks of every run, (replicas,)."""
    if kind == "difference":
        assert result.path is not None
        nights = result.path.actions
        attended = np.stack([(nights == k).sum(axis=2) for k in range(NIGHTS)])
        return _worth(attended).sum(axis=0).mean(axis=1)
    assert result.mean_reward is not None
    return result.mean_reward[:, 0] if kind == "team" else result.mean_reward.sum(axis=1)


def _worth(agents: Any) -> Any:
    """Return what nights with these numbers of agents add to G."""
    return agents * np.exp(-agents / CAPACITY)


def best(agents: int) -> float:
    """Return the largest G of a number of agents: the best split over the nights.

    The best G of n agents on one night more is the largest sum of the worth of x of them on this
    night and the best G of n - x on the others.
    """
    worth = _worth(np.arange(agents + 1))
    total = worth
    for _ in range(NIGHTS - 1):
        total = np.array([(worth[: n + 1] + total[n::-1]).max() for n in range(agents + 1)])
    return float(total[agents])


def random_play(agents: Any) -> Any:
    """Return the mean of G if all agents choose a night uniformly at random.

    The number of others on an agent's night is binomial, and so is the mean of exp(-x / capacity).
    """
    shrink = math.exp(-1.0 / CAPACITY)
    return agents * shrink * (1.0 - (1.0 - shrink) / NIGHTS) ** (agents - 1)


def _rows_of_figures(found: dict[str, Estimate], steps: int) -> list[Row]:
    """Return the rows that compare 100 agents with the computed figures."""
    rows = [
        Row(
            f"{AGENTS} agents: the optimum",
            f"{OPTIMUM:.4f}",
            f"{best(AGENTS):.4f}",
            abs(best(AGENTS) - OPTIMUM) < 5e-5,
        )
    ]
    for kind, (value, tolerance) in COMPUTED.items():
        what, estimated = f"{AGENTS} agents: {kind} rewards", found[kind]
        if steps != WEEKS:
            rows.append(Row(what, "", estimated.text(3)))
            continue
        ok = abs(estimated.value - value) <= tolerance
        rows.append(Row(what, f"{value:.3f} ± {tolerance}", estimated.text(3), ok))
    return rows


def _rows_of_sizes(found: dict[int, dict[str, Estimate]], steps: int) -> list[Row]:
    """Return the rows of all numbers of agents, in order: found beside optimum and random play."""
    rows = []
    for agents, means in sorted(found.items()):
        bounds = f"{best(agents):.3f}, {random_play(agents):.3f}"
        rows.append(Row(f"{agents:,} agents: optimum, random play", "", bounds))
        if agents == AGENTS:
            continue
        team, own, difference = (means[kind] for kind in ("team", "own", "difference"))
        more, ok = ("", None) if steps != WEEKS else ("more", difference.value > team.value)
        rows += [
            Row(f"{agents:,} agents: team rewards", "", team.text(3)),
            Row(f"{agents:,} agents: own rewards", "", own.text(3)),
            Row(f"{agents:,} agents: difference rewards", more, difference.text(3), ok),
        ]
    return rows


def _draw(found: dict[int, dict[str, Estimate]], asked: Arguments) -> "Figure":
    """Draw the means of G by the number of agents, with the optimum and random play."""
    from fastgames import plot

    title = f"The bar problem, runs of {asked.steps:,} weeks"
    drawn, axes = plot.figure(1, 1, title, (6.4, 4.2))
    axis, sizes = axes[0], sorted(found)
    lines = np.unique(np.geomspace(sizes[0], sizes[-1], 60).astype(int))
    axis.plot(lines, [best(int(n)) for n in lines], color=plot.INK, linewidth=0.8, label="optimum")
    axis.plot(
        lines, random_play(lines), "--", color=plot.GREY, linewidth=0.8, label="random play"
    )  # fmt: skip
    for kind, marker, colour in zip(COMPUTED, "os^", plot.COLOURS, strict=False):
        each = [found[n][kind] for n in sizes]
        axis.errorbar(
            sizes, [x.value for x in each], [(x.high - x.low) / 2.0 for x in each],
            fmt=f"{marker}-", color=colour, markersize=4, linewidth=1.2, label=f"{kind} rewards",
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axis.minorticks_off()
    axis.set_ylim(-0.5, 22.0)  # leaves room for the legend
    plot.finish(axis, "Enjoyment of all agents at the end", "agents", "G", legend="upper left")
    return drawn
