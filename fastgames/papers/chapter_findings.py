"""Small runs that test the claims of the chapter.

Each function runs the games of one claim and returns a `Finding`. Words of claims have a fixed
meaning for all of them: "all" and "no" runs allow for a share MARGIN of others, "most" is more than
half, and "evenly" is up to EVEN. Exact statements have no margin, and means that follow from a
formula are within four standard errors. Values of value decomposition and of the iterated dilemma
have the tolerances of the reproductions of these topics.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastgames.analysis import nonstationarity
from fastgames.games import (
    Game,
    MatrixGame,
    chicken,
    climbing,
    coordination,
    matching_pennies,
    penalty,
    prisoners_dilemma,
    rock_paper_scissors,
    supervisor,
)
from fastgames.learners import (
    GRPO,
    FictitiousPlay,
    FixedPolicy,
    QLearner,
    Reinforce,
    SelfPlay,
)
from fastgames.papers import bar_nights, team_gradients, team_values
from fastgames.papers.arguments import Arguments
from fastgames.papers.estimate import Estimate, deviation, mean, near
from fastgames.papers.pair_coordination import falling, one_agent
from fastgames.papers.team_gradients import (
    adding,
    gloves,
    mean_step,
)
from fastgames.record import Record
from fastgames.result import Result

MARGIN = 0.04  # as between two samples of the reproduction of coordination
EVEN = 0.02
SLICES = 10  # of the runs in which the other agent is frozen or learns
MEMBERS = 5  # of the team whose gradients are compared
GROUP = 4  # plays that GRPO compares
CROWD, WEEKS = 100, 1_000  # agents of the bar problem, and most weeks of their runs
#: A stag hunt whose hare is risk dominant: a partner has to be surer than 3/4 to hunt the stag.
HUNT = ((4.0, 0.0), (3.0, 3.0))
OPTIMUM = "climbing, "  # the names of results in which the optimum is (A, A) of the climbing game


@dataclass(frozen=True)
class Finding:
    """What the runs of a claim show.

    found: text; ok: whether the claim holds; results: of the runs, by name
    """

    found: str
    ok: bool
    results: dict[str, Result] = field(default_factory=dict)


def at(result: Result, *cells: tuple[int, int]) -> Estimate:
    """Return the share of runs whose greedy joint action is one of `cells`."""
    one, other = (result.greedy(i)[:, 0] for i in range(2))
    return mean(np.any([(one == a) & (other == b) for a, b in cells], axis=0))


def all_runs(share: float) -> bool:
    """Return whether a share of runs is as good as all."""
    return share >= 1.0 - MARGIN


def no_runs(share: float) -> bool:
    """Return whether a share of runs is as good as none."""
    return share <= MARGIN


def most_runs(share: float) -> bool:
    """Return whether a share of runs is more than half."""
    return share > 0.5


def few_runs(share: float) -> bool:
    """Return whether a share of runs is less than half."""
    return share < 0.5


# --- non-stationarity ----------------------------------------------------------------------------


def _moves(asked: Arguments, game: Game, learners: Any) -> Estimate:
    """Return how far what agent 0 faces moves between slices of a run, in total variation."""
    record = Record(every=asked.steps // SLICES, policies=True)
    result = asked.run(game, learners, asked.steps, asked.replicas, record=record)
    return mean(nonstationarity(result, 0).variation.mean(axis=1))


def moves_beside_a_learner(asked: Arguments) -> Finding:
    """Return how far what Row faces moves if both agents learn."""
    found = _moves(asked, matching_pennies(), QLearner())
    return Finding(found.text(3), found.low > 0.0)


def stays_beside_a_frozen_policy(asked: Arguments) -> Finding:
    """Return how far what Row faces moves if the other agent has a fixed policy."""
    found = _moves(asked, matching_pennies(), (QLearner(), FixedPolicy([[0.25, 0.75]])))
    return Finding(found.text(3), found.value == found.high == 0.0)


def supervisor_is_no_agent(asked: Arguments) -> Finding:
    """Return how far the policies of others move the problem of a supervised agent."""
    found = _moves(asked, supervisor(), QLearner())
    return Finding(found.text(3), found.value == found.high == 0.0)


# --- three settings ------------------------------------------------------------------------------


def _play(asked: Arguments, game: Game, learners: Any, **options: Any) -> Result:
    """Return a run of the given steps and replicas."""
    return asked.run(game, learners, asked.steps, asked.replicas, **options)


def common_interest(asked: Arguments) -> Finding:
    """Return the share of runs in which both agents prefer the same action."""
    result = _play(asked, coordination(), QLearner(explore=falling()))
    share = at(result, (0, 0), (1, 1))
    return Finding(share.text(3), all_runs(share.value), {"coordination": result})


def conflict(asked: Arguments) -> Finding:
    """Return the flips of Row in matching pennies, and how often it plays heads."""
    record = Record(flips=True, joint_actions=True)
    result = _play(asked, matching_pennies(), QLearner(), record=record)
    assert result.flips is not None and result.joint_counts is not None
    heads = mean(result.joint_counts[:, 0].sum(axis=1) / asked.steps)
    fewest = int(result.flips[:, 0].min())
    text = f"at least {fewest:,} flips; Row plays heads {heads.text(3)}"
    return Finding(text, fewest > 0 and abs(heads.value - 0.5) <= EVEN, {"pennies": result})


def mixed_motives(asked: Arguments) -> Finding:
    """Return the share of runs in which both agents prefer to defect."""
    result = _play(asked, prisoners_dilemma(), QLearner(explore=falling()))
    share = at(result, (1, 1))
    return Finding(share.text(3), all_runs(share.value), {"dilemma": result})


# --- independent learners and centralised training -----------------------------------------------


def optimum(
    name: str, learner: Any, holds: Callable[[float], bool]
) -> Callable[[Arguments], Finding]:
    """Return the finding of a claim on the share of runs at the optimum of the climbing game."""

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        result = _play(asked, climbing(), learner)
        share = at(result, (0, 0))
        return Finding(share.text(3), holds(share.value), {OPTIMUM + name: result})

    return find


def hare(asked: Arguments) -> Finding:
    """Return the share of runs in which both agents prefer the hare."""
    payoffs = np.array(HUNT)
    game = MatrixGame([payoffs, payoffs.T], name="stag hunt")
    result = _play(asked, game, QLearner(explore=falling()))
    share = at(result, (1, 1))
    return Finding(share.text(3), most_runs(share.value), {"stag hunt": result})


def one_learner_for_all(asked: Arguments) -> Finding:
    """Return the share of runs at the optimum if one agent chooses the joint action."""
    game = one_agent(climbing())
    result = _play(asked, game, QLearner(explore=falling()))
    share = mean(result.greedy(0)[:, 0] == 0)
    return Finding(share.text(3), all_runs(share.value), {f"{OPTIMUM}one learner for all": result})


# --- value decomposition -------------------------------------------------------------------------


def decomposed(name: str, measure: Callable[[Result], Any], value: float) -> Any:
    """Return the finding of a claim on the mean of a measure of a run of `value_decomposition`."""

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        game, learner, _ = team_values.runs(asked.steps)[name]
        result = _play(asked, game, learner)
        found = mean(measure(result))
        return Finding(found.text(3), abs(found.value - value) <= 0.05, {name: result})

    return find


def at_best(result: Result) -> Any:
    """Return whether the greedy joint action of the QTRAN game is its best one, (replicas,)."""
    return (result.greedy(0)[:, 0] == 0) & (result.greedy(1)[:, 0] == 0)


# --- gradients and credit ------------------------------------------------------------------------


def spread(learner: Any, tables: Any, variance: float) -> Callable[[Arguments], Finding]:
    """Return the finding of a claim on the variance of one gradient step from uniform play.

    The step is that of the logit of action 1 of a member of the adding game; its mean is 1/4.
    """

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        replicas = 100 * asked.replicas
        result = asked.run(adding(MEMBERS), learner, 1, replicas, start_tables=tables)
        steps = result.tables[0]["logits"][:, 0, 1]
        found = deviation(steps)
        ok = near(found, np.sqrt(variance)) and near(mean(steps), 0.25)
        return Finding(f"{found.value**2:.3f} ({found.low**2:.3f} to {found.high**2:.3f})", ok)

    return find


def group_of_plays(asked: Arguments) -> Finding:
    """Compare a step of GRPO from p = 1/2 with E sqrt(m (1 - m)), m the share of successes."""
    learner = GRPO(GROUP, 1.0, deviation="population")
    game = MatrixGame([np.array([0.0, 1.0])], name="one of two pays")
    result = asked.run(game, learner, GROUP, 100 * asked.replicas)
    step = mean(result.tables[0]["logits"][:, 0, 1])
    return Finding(step.text(3), near(step, MEAN_STEP))


#: The mean step of the logit from which a group of plays starts at 0.
MEAN_STEP = mean_step(GROUP, 0.5, "population")


def safe_under_penalties(asked: Arguments) -> Finding:
    """Return the share of runs of the penalty game in which both agents prefer B."""
    result = _play(asked, penalty(-100.0), Reinforce(0.01, 0.1))
    share = at(result, (1, 1))
    return Finding(share.text(3), all_runs(share.value), {"penalty": result})


def gloves_share(asked: Arguments) -> Finding:
    """Return the Shapley values of two left gloves and a right one; a pair is worth 1."""
    credit = gloves()
    found = ", ".join(f"{x:.4f}" for x in credit)
    return Finding(found, bool(np.allclose(credit, [1 / 6, 1 / 6, 2 / 3], atol=1e-12)))


def own_part(asked: Arguments) -> Finding:
    """Compare difference rewards after half of the weeks with the team's reward after all.

    A tenth of the runs asked, at least 2, has enough: each has CROWD agents. The enjoyment of all
    is averaged over the last 100 weeks.
    """
    weeks, runs = min(asked.steps, WEEKS), max(asked.replicas // 10, 2)
    found, results = {}, {}
    for kind, part in (("difference", weeks // 2), ("team", weeks)):
        result = bar_nights.play(replace(asked, steps=part), CROWD, kind, runs)
        found[kind] = mean(bar_nights.enjoyed(result, kind))
        results[f"bar problem, {kind} rewards"] = result
    own, team = found["difference"], found["team"]
    text = f"{own.text(2)}; {team.text(2)}"
    return Finding(text, own.low > team.high, results)


# --- opponents and self-play ---------------------------------------------------------------------


def fictitious(asked: Arguments) -> Finding:
    """Return how often Row plays heads in fictitious play."""
    result = asked.run(
        matching_pennies(), FictitiousPlay(), asked.steps, 1, record=Record(joint_actions=True)
    )
    assert result.joint_counts is not None
    heads = result.joint_counts[0].sum(axis=1)[0] / asked.steps
    return Finding(f"{heads:.3f}", abs(heads - 0.5) <= EVEN, {"fictitious play": result})


def longer_runs(asked: Arguments) -> Finding:
    """Return how often in succession fictitious play takes the same action, run after run.

    Both agents start with the first action, and take it if their best actions are tied. The last
    run may be cut by the end.
    """
    result = asked.run(
        rock_paper_scissors(), FictitiousPlay(), asked.steps, 1, record=Record(path=asked.steps)
    )
    assert result.path is not None
    ok, text = True, ""
    for played in np.moveaxis(result.path.actions[0], -1, 0):
        ends = np.flatnonzero(np.diff(played))
        lengths = np.diff(ends, prepend=-1)
        ok &= bool(len(lengths)) and np.array_equal(lengths, 1 + 2 * np.arange(len(lengths)))
        text = ", ".join(str(length) for length in lengths[:4])
    return Finding(f"{text}, ...", ok)


def iterated(name: str, eta: float) -> Callable[[Arguments], Finding]:
    """Return the finding of a claim on the reward per step in the iterated prisoner's dilemma.

    The reward is (1 - gamma) V of the policies in the end, as in the reproduction of gradients.
    """

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        value, tolerance = team_gradients.PRINTED_PAID[eta]
        result = team_gradients.iterate(asked, eta)
        found = mean(team_gradients.paid(result))
        ok = abs(found.value - value) <= max(tolerance, found.high - found.low)
        return Finding(found.text(3), ok, {name: result})

    return find


def cycle_of_one_table(asked: Arguments) -> Finding:
    """Return how often each action is played if one table plays rock, paper, scissors."""
    record = Record(joint_actions=True, flips=True)
    result = _play(asked, rock_paper_scissors(), SelfPlay(QLearner()), record=record)
    assert result.joint_counts is not None and result.flips is not None
    shares = result.joint_counts.sum(axis=(0, 2)) / (asked.steps * asked.replicas)
    fewest = int(result.flips.min())
    found = ", ".join(f"{share:.3f}" for share in shares)
    ok = fewest > 0 and bool(np.all(np.abs(shares - 1 / 3) <= EVEN))
    return Finding(f"at least {fewest:,} flips; {found}", ok, {"one table": result})


def one_policy(asked: Arguments) -> Finding:
    """Return the largest difference between the policies of both seats of chicken."""
    result = _play(asked, chicken(), SelfPlay(QLearner(explore=falling())))
    found = float(np.abs(result.policy(0) - result.policy(1)).max())
    return Finding(f"{found:.3f}", found == 0.0, {"chicken, one table": result})
