"""The claims of the chapter, section by section, each with a small run that tests it.

Add a claim: write a function of `Arguments` that returns a `Finding`, and enter it in CLAIMS.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.analysis import nonstationarity
from fastgames.games import (
    Game,
    MatrixGame,
    climbing,
    coordination,
    matching_pennies,
    penalty,
    prisoners_dilemma,
    remember,
    rock_paper_scissors,
    stag_hunt,
    supervisor,
)
from fastgames.learners import (
    COMA,
    GRPO,
    LOLA,
    FictitiousPlay,
    FixedPolicy,
    HystereticQ,
    JointActionLearner,
    QLearner,
    Reinforce,
    SelfPlay,
)
from fastgames.papers import team_values
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.estimate import Estimate, deviation, mean
from fastgames.papers.pair_coordination import falling, one_agent
from fastgames.papers.report import Report, Row, picture
from fastgames.papers.team_gradients import (
    adding,
    exact_critic,
    exact_value,
    gloves,
    mean_step,
    near,
)
from fastgames.record import Record
from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS, STEPS = 200, 5_000
SLICES = 10  # of the runs in which the other agent is frozen or learns
MEMBERS = 5  # of the team whose gradients are compared
GROUP = 4  # plays that GRPO compares
ITERATIONS = 200  # gradient steps in the iterated prisoner's dilemma
#: Payoffs of the iterated prisoner's dilemma in Foerster et al. (2018): mutual defection pays -2.
DILEMMA = ((-1.0, -3.0), (0.0, -2.0))
_OPTIMUM = "climbing, "  # the names of results in which the optimum is (A, A) of the climbing game


@dataclass(frozen=True)
class Finding:
    """What the runs of a claim show.

    found: text; ok: whether the claim holds; results: of the runs, by name
    """

    found: str
    ok: bool
    results: dict[str, Result] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A claim of a section.

    section: its topic; says: the claim; expected: text beside what is found; find: the runs
    """

    section: str
    says: str
    expected: str
    find: Callable[[Arguments], Finding]


@reproduction(
    replicas=Count(RUNS, "Number of runs of each claim, at least 1."),
    steps=Count(
        STEPS,
        f"Game steps of each run, at least {SLICES}. Single gradient steps and the iterated "
        "prisoner's dilemma take fewer.",
        f"[{SLICES}, inf)",
    ),
)
def chapter(asked: Arguments) -> Report:
    """Test the claims of the chapter with small runs; return a report.

    The sections are non-stationarity, three settings, independent learners, centralised training,
    value decomposition, gradients, credit, opponents and self-play. The other reproductions compare
    more figures of the same topics, from more runs.

    Returns
    -------
    Report
        A report with one row for each claim, and the results of their runs by name, such as
        "climbing, independent Q-learners".

    Examples
    --------
    >>> chapter(replicas=10, steps=100).rows[0].what
    'non-stationarity: what an agent faces moves while the other one learns'
    """
    began = time.perf_counter()
    rows: list[Row] = []
    results: dict[str, Result] = {}
    for claim in CLAIMS:
        finding = claim.find(asked)
        what = f"{claim.section}: {claim.says}"
        rows.append(Row(what, claim.expected, finding.found, finding.ok))
        results |= finding.results
    seconds = time.perf_counter() - began
    return Report(
        title=f"The chapter's claims: {asked.replicas:,} runs of each",
        rows=(*rows, Row("time", "", f"{seconds:,.1f} s")),
        lines=("Shares are of runs; intervals are of 95 %.",),
        figure=picture(lambda: _draw(results, asked), asked.out),
        results=results,
    )


def _at(result: Result, *cells: tuple[int, int]) -> Estimate:
    """Return the share of runs whose greedy joint action is one of `cells`."""
    one, other = (result.greedy(i)[:, 0] for i in range(2))
    return mean(np.any([(one == a) & (other == b) for a, b in cells], axis=0))


# --- non-stationarity ----------------------------------------------------------------------------


def _moves(asked: Arguments, game: Game, learners: Any) -> float:
    """Return how far what agent 0 faces moves between slices of a run, in total variation."""
    record = Record(every=asked.steps // SLICES, policies=True)
    result = asked.run(game, learners, asked.steps, asked.replicas, record=record)
    return float(nonstationarity(result, 0).variation.mean())


def _moves_beside_a_learner(asked: Arguments) -> Finding:
    """Return how far what Row faces moves if both agents learn."""
    found = _moves(asked, matching_pennies(), QLearner())
    return Finding(f"total variation {found:.3f}", found > 0.0)


def _stays_beside_a_frozen_policy(asked: Arguments) -> Finding:
    """Return how far what Row faces moves if the other agent has a fixed policy."""
    found = _moves(asked, matching_pennies(), (QLearner(), FixedPolicy([[0.25, 0.75]])))
    return Finding(f"total variation {found:.3f}", found == 0.0)


def _supervisor_is_no_agent(asked: Arguments) -> Finding:
    """Return how far the policies of others move the problem of a supervised agent."""
    found = _moves(asked, supervisor(), QLearner())
    return Finding(f"total variation {found:.3f}", found == 0.0)


# --- three settings ------------------------------------------------------------------------------


def _play(asked: Arguments, game: Game, learners: Any, **options: Any) -> Result:
    """Return a run of the given steps and replicas."""
    return asked.run(game, learners, asked.steps, asked.replicas, **options)


def _common_interest(asked: Arguments) -> Finding:
    """Return the share of runs in which both agents prefer the same action."""
    result = _play(asked, coordination(), QLearner(explore=falling()))
    share = _at(result, (0, 0), (1, 1))
    return Finding(share.text(3), share.value >= 0.95, {"coordination": result})


def _conflict(asked: Arguments) -> Finding:
    """Return the flips of Row in matching pennies, and how often it plays heads."""
    record = Record(flips=True, joint_actions=True)
    result = _play(asked, matching_pennies(), QLearner(), record=record)
    assert result.flips is not None and result.joint_counts is not None
    heads = mean(result.joint_counts[:, 0].sum(axis=1) / asked.steps)
    fewest = int(result.flips[:, 0].min())
    text = f"at least {fewest:,} flips; Row plays heads {heads.text(3)}"
    return Finding(text, fewest > 0 and abs(heads.value - 0.5) < 0.02, {"pennies": result})


def _mixed_motives(asked: Arguments) -> Finding:
    """Return the share of runs in which both agents prefer to defect."""
    result = _play(asked, prisoners_dilemma(), QLearner(explore=falling()))
    share = _at(result, (1, 1))
    return Finding(share.text(3), share.value >= 0.95, {"dilemma": result})


# --- independent learners and centralised training -----------------------------------------------


def _optimum(
    name: str, learner: Any, holds: Callable[[float], bool]
) -> Callable[[Arguments], Finding]:
    """Return the finding of a claim on the share of runs at the optimum of the climbing game."""

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        result = _play(asked, climbing(), learner)
        share = _at(result, (0, 0))
        return Finding(share.text(3), holds(share.value), {_OPTIMUM + name: result})

    return find


def _hare(asked: Arguments) -> Finding:
    """Return the share of runs in which both agents prefer the hare."""
    result = _play(asked, stag_hunt(), QLearner(explore=falling()))
    share = _at(result, (1, 1))
    return Finding(share.text(3), share.value > 0.5, {"stag hunt": result})


def _one_learner_for_all(asked: Arguments) -> Finding:
    """Return the share of runs at the optimum if one agent chooses the joint action."""
    game = one_agent(climbing())
    result = _play(asked, game, QLearner(explore=falling()))
    share = mean(result.greedy(0)[:, 0] == 0)
    return Finding(share.text(3), share.value >= 0.99, {f"{_OPTIMUM}one learner for all": result})


# --- value decomposition -------------------------------------------------------------------------


def _decomposed(name: str, measure: Callable[[Result], Any], value: float) -> Any:
    """Return the finding of a claim on the mean of a measure of a run of `value_decomposition`."""

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        game, learner, _ = team_values.runs(asked.steps)[name]
        result = _play(asked, game, learner)
        found = mean(measure(result))
        return Finding(found.text(3), abs(found.value - value) <= 0.05, {name: result})

    return find


def _at_best(result: Result) -> Any:
    """Return whether the greedy joint action of the QTRAN game is its best one, (replicas,)."""
    return (result.greedy(0)[:, 0] == 0) & (result.greedy(1)[:, 0] == 0)


# --- gradients and credit ------------------------------------------------------------------------


def _spread(learner: Any, tables: Any, variance: float) -> Callable[[Arguments], Finding]:
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


def _group_of_plays(asked: Arguments) -> Finding:
    """Compare a step of GRPO from p = 1/2 with E sqrt(m (1 - m)), m the share of successes."""
    learner = GRPO(GROUP, 1.0, deviation="population")
    game = MatrixGame([np.array([0.0, 1.0])], name="one of two pays")
    result = asked.run(game, learner, GROUP, 100 * asked.replicas)
    step = mean(result.tables[0]["logits"][:, 0, 1])
    return Finding(step.text(3), near(step, MEAN_STEP))


#: The mean step of the logit from which a group of plays starts at 0.
MEAN_STEP = mean_step(GROUP, 0.5, "population")


def _safe_under_penalties(asked: Arguments) -> Finding:
    """Return the share of runs of the penalty game in which both agents prefer B."""
    result = _play(asked, penalty(-100.0), Reinforce(0.01, 0.1))
    share = _at(result, (1, 1))
    return Finding(share.text(3), share.value >= 0.95, {"penalty": result})


def _gloves(asked: Arguments) -> Finding:
    """Return the Shapley values of two left gloves and a right one; a pair is worth 1."""
    credit = gloves()
    found = ", ".join(f"{x:.4f}" for x in credit)
    return Finding(found, bool(np.allclose(credit, [1 / 6, 1 / 6, 2 / 3], atol=1e-12)))


# --- opponents and self-play ---------------------------------------------------------------------


def _fictitious(asked: Arguments) -> Finding:
    """Return how often Row plays heads in fictitious play."""
    result = asked.run(
        matching_pennies(), FictitiousPlay(), asked.steps, 1, record=Record(joint_actions=True)
    )
    assert result.joint_counts is not None
    heads = result.joint_counts[0].sum(axis=1)[0] / asked.steps
    return Finding(f"{heads:.3f}", abs(heads - 0.5) < 0.02, {"fictitious play": result})


def _iterated(name: str, eta: float, holds: Callable[[float], bool]) -> Any:
    """Return the finding of a claim on the reward per step in the iterated prisoner's dilemma.

    Logits start normally distributed, and are stepped along exact values. Agents are paid while
    they learn; the mean is over the last quarter of the run.
    """

    def find(asked: Arguments) -> Finding:
        """Run the claim."""
        payoffs = np.array(DILEMMA)
        game = remember(MatrixGame([payoffs, payoffs.T], name="dilemma"), discount=0.96)
        rng = np.random.default_rng(7)
        learners = []
        for _ in range(2):
            logits = np.zeros((asked.replicas, game.num_states, 2))
            logits[..., 0] = rng.normal(size=logits.shape[:2])
            learners.append(LOLA(1.0, eta, initial=logits))
        steps = min(asked.steps, ITERATIONS)
        record = Record(rewards=True, last=-(-steps // 4))
        result = asked.run(game, learners, steps, asked.replicas, record=record)
        assert result.mean_reward is not None
        found = mean(result.mean_reward.mean(axis=1))
        return Finding(found.text(3), holds(found.value), {name: result})

    return find


def _cycle_of_one_table(asked: Arguments) -> Finding:
    """Return how often each action is played where one table plays rock, paper, scissors."""
    record = Record(joint_actions=True)
    result = _play(asked, rock_paper_scissors(), SelfPlay(QLearner()), record=record)
    assert result.joint_counts is not None
    shares = result.joint_counts.sum(axis=(0, 2)) / (asked.steps * asked.replicas)
    found = ", ".join(f"{share:.3f}" for share in shares)
    return Finding(found, bool(np.all(np.abs(shares - 1 / 3) < 0.02)), {"one table": result})


def _dilemma_of_one_table(asked: Arguments) -> Finding:
    """Return the share of runs in which the one table of both seats prefers to defect.

    Both seats turn to an action at once, so that the table learns what an action pays if both play
    it, except where a seat explores.
    """
    result = _play(asked, prisoners_dilemma(), SelfPlay(QLearner(explore=falling())))
    share = _at(result, (1, 1))
    return Finding(share.text(3), share.value < 0.95, {"one table in the dilemma": result})


# --- all of them ---------------------------------------------------------------------------------

_VALUE, _CRITIC = exact_value(MEMBERS), exact_critic(MEMBERS)
_PLAIN, _BASED = (MEMBERS**2 + MEMBERS - 1) / 16.0, (MEMBERS - 1) / 16.0

_MOVING, _SETTINGS = "non-stationarity", "settings"
_ALONE, _TOGETHER = "independent learners", "centralised training"
_VALUES, _GRADIENTS, _CREDIT = "decomposition", "gradients", "credit"
_OPPONENTS, _SELF = "opponents", "self-play"

CLAIMS = (
    Claim(
        _MOVING,
        "what an agent faces moves while the other one learns",
        "more than 0",
        _moves_beside_a_learner,
    ),
    Claim(_MOVING, "it stays if the other one is frozen", "0", _stays_beside_a_frozen_policy),
    Claim(
        _MOVING, "a supervisor who changes rewards is no second agent", "0", _supervisor_is_no_agent
    ),
    Claim(_SETTINGS, "common interest: learners coordinate", "at least 0.95", _common_interest),
    Claim(
        _SETTINGS,
        "conflict: learners cycle, evenly on average",
        "flips; 0.5 ± 0.02",
        _conflict,
    ),
    Claim(
        _SETTINGS, "mixed motives: learners defect in the dilemma", "at least 0.95", _mixed_motives
    ),
    Claim(
        _ALONE,
        "they miss the optimum of the climbing game",
        "at most 0.04",
        _optimum(
            "independent Q-learners", QLearner(explore=falling()), lambda share: share <= 0.04
        ),
    ),
    Claim(
        _ALONE,
        "optimism (hysteretic) finds it mostly",
        "more than 0.5",
        _optimum("hysteretic", HystereticQ(explore=falling()), lambda share: share > 0.5),
    ),
    Claim(_ALONE, "most hunt the hare, which needs no partner", "more than 0.5", _hare),
    Claim(
        _TOGETHER,
        "one learner for all finds the optimum of climbing",
        "at least 0.99",
        _one_learner_for_all,
    ),
    Claim(
        _TOGETHER,
        "actors with a common critic (COMA) find it sometimes",
        "more than 0",
        _optimum("COMA", COMA(), lambda share: share > 0.0),
    ),
    Claim(
        _VALUES,
        "sums (VDN) earn 7 of 8 in the two-step game",
        "7.00 ± 0.05",
        _decomposed("two-step game, VDN", team_values.earned, 7.0),
    ),
    Claim(
        _VALUES,
        "monotonic mixtures (QMIX) earn 8",
        "8.00 ± 0.05",
        _decomposed("two-step game, QMIX", team_values.earned, 8.0),
    ),
    Claim(
        _VALUES,
        "QMIX misses the optimum of the QTRAN game",
        "0.00 ± 0.05",
        _decomposed("QTRAN game, QMIX", _at_best, 0.0),
    ),
    Claim(
        _VALUES,
        "weighted QMIX finds it",
        "1.00 ± 0.05",
        _decomposed("QTRAN game, optimistic QMIX", _at_best, 1.0),
    ),
    Claim(
        _GRADIENTS,
        f"variance of REINFORCE in a team of {MEMBERS}",
        f"{_PLAIN:.3f}",
        _spread(Reinforce(1.0), None, _PLAIN),
    ),
    Claim(
        _GRADIENTS,
        "a baseline leaves the part of the others",
        f"{_BASED:.3f}",
        _spread(Reinforce(1.0), _VALUE, _BASED),
    ),
    Claim(
        _GRADIENTS,
        "a group of plays replaces a critic (GRPO): mean step",
        f"{MEAN_STEP:.3f}",
        _group_of_plays,
    ),
    Claim(
        _GRADIENTS,
        "REINFORCE ends at the safe joint action under penalties",
        "at least 0.95",
        _safe_under_penalties,
    ),
    Claim(
        _CREDIT,
        "the counterfactual baseline (COMA) leaves no variance",
        "0.000",
        _spread(COMA(1.0, 0.0), _CRITIC, 0.0),
    ),
    Claim(_CREDIT, "Shapley values of two left gloves, one right", "1/6, 1/6, 2/3", _gloves),
    Claim(
        _OPPONENTS,
        "best responses to frequencies (fictitious play) play evenly",
        "0.5 ± 0.02",
        _fictitious,
    ),
    Claim(
        _OPPONENTS,
        "models of frequencies (JAL) avoid the risk of climbing",
        "at most 0.04",
        _optimum(
            "joint action learners",
            JointActionLearner(explore=falling()),
            lambda share: share <= 0.04,
        ),
    ),
    Claim(
        _OPPONENTS,
        "naive gradients defect in the iterated dilemma",
        "nearer to -2",
        _iterated("iterated, naive", 0.0, lambda paid: paid < -1.5),
    ),
    Claim(
        _OPPONENTS,
        "gradients through the other's step (LOLA) cooperate",
        "nearer to -1",
        _iterated("iterated, LOLA", 1.0, lambda paid: paid > -1.5),
    ),
    Claim(
        _SELF,
        "one table for both seats cycles, evenly on average",
        "1/3 ± 0.02",
        _cycle_of_one_table,
    ),
    Claim(
        _SELF,
        "one table for both seats defects less than two learners do",
        "less than 0.95",
        _dilemma_of_one_table,
    ),
)


def _draw(results: dict[str, Result], asked: Arguments) -> "Figure":
    """Draw the shares of runs at the optimum of the climbing game, by the kind of learning."""
    from fastgames import plot

    shares = {}
    for name, result in results.items():
        if name.startswith(_OPTIMUM):
            alone = result.game.num_agents == 1
            found = mean(result.greedy(0)[:, 0] == 0) if alone else _at(result, (0, 0))
            shares[name.removeprefix(_OPTIMUM)] = found
    title = f"The optimum of the climbing game, {asked.replicas:,} runs of {asked.steps:,} steps"
    drawn, axes = plot.figure(1, 1, title, (6.4, 3.2))
    places = np.arange(len(shares))[::-1]
    axes[0].barh(
        places, [x.value for x in shares.values()],
        xerr=[(x.high - x.low) / 2.0 for x in shares.values()],
        color=plot.COLOURS[0], ecolor=plot.INK, height=0.6,
    )  # fmt: skip
    axes[0].set_yticks(places, list(shares))
    axes[0].set_xlim(0.0, 1.05)
    plot.finish(axes[0], "Runs that end at (A, A)", "share of runs", "", legend="")
    return drawn
