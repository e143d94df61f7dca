"""The claims of the chapter, section by section, each with a small run that tests it.

Add a claim: write a function of `Arguments` that returns a `Finding` in `chapter_findings`, and
enter it in CLAIMS, with the source of its words and the threshold that they imply.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastgames.learners import COMA, MAPPO, HystereticQ, JointActionLearner, QLearner, Reinforce
from fastgames.papers import chapter_findings as find
from fastgames.papers import team_values
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.chapter_findings import EVEN, GROUP, MARGIN, MEAN_STEP, MEMBERS, Finding
from fastgames.papers.estimate import mean
from fastgames.papers.pair_coordination import falling
from fastgames.papers.report import Report, Row, picture
from fastgames.papers.team_gradients import PRINTED_PAID, exact_critic, exact_value
from fastgames.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS, STEPS = 1_000, 5_000


@dataclass(frozen=True)
class Claim:
    """A claim of a section.

    section: its topic; says: the claim; expected: text beside what is found; find: the runs;
    basis: source or derivation of the claim and its threshold, fixed before the runs
    """

    section: str
    says: str
    expected: str
    find: Callable[[Arguments], Finding]
    basis: str


@reproduction(
    replicas=Count(RUNS, "Number of runs of each claim, at least 1."),
    steps=Count(
        STEPS,
        f"Game steps of each run, at least {find.SLICES}. Single gradient steps, the iterated "
        "prisoner's dilemma and the bar problem take fewer.",
        f"[{find.SLICES}, inf)",
    ),
)
def chapter(asked: Arguments) -> Report:
    """Test the claims of the chapter with small runs; return a report.

    The sections are non-stationarity, three settings, independent learners, centralised training,
    value decomposition, gradients, credit, opponents and self-play. The other reproductions compare
    more figures of the same topics, from more runs.

    Words of the claims have a fixed meaning: "all" and "no" runs allow for a share of 0.04 of
    others, as the reproduction of coordination does, "most" is more than half, and "evenly" is up
    to 0.02.

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
        lines=(
            "Non-stationarity is in total variation between tenths of a run. Shares are of runs; "
            "intervals are of 95 %.",
        ),
        figure=picture(lambda: _draw(results, asked), asked.out),
        results=results,
    )


_VALUE, _CRITIC = exact_value(MEMBERS), exact_critic(MEMBERS)
_PLAIN, _BASED = (MEMBERS**2 + MEMBERS - 1) / 16.0, (MEMBERS - 1) / 16.0
_ALL, _NONE = f"at least {1.0 - MARGIN:.2f}", f"at most {MARGIN}"
_MOST, _FEW = "more than 0.5", "less than 0.5"
_NAIVE, _LOLA = ("{} ± {}".format(*PRINTED_PAID[eta]) for eta in (0.0, 1.0))

_MOVING, _SETTINGS = "non-stationarity", "settings"
_ALONE, _TOGETHER = "independent learners", "centralised training"
_VALUES, _GRADIENTS, _CREDIT = "decomposition", "gradients", "credit"
_OPPONENTS, _SELF = "opponents", "self-play"

CLAIMS = (
    Claim(
        _MOVING, "what an agent faces moves while the other one learns", "more than 0",
        find.moves_beside_a_learner, "definition: the other's policy is part of the problem",
    ),
    Claim(
        _MOVING, "it stays if the other one is frozen", "0",
        find.stays_beside_a_frozen_policy, "definition: the problem is that of one agent",
    ),
    Claim(
        _MOVING, "a supervisor who changes rewards is no second agent", "0",
        find.supervisor_is_no_agent, "definition: no other policy is part of the problem",
    ),
    Claim(
        _SETTINGS, "common interest: all runs coordinate", _ALL,
        find.common_interest, "Claus & Boutilier (1998): Q-learners without penalties",
    ),
    Claim(
        _SETTINGS, "conflict: learners cycle, evenly on average", f"flips; 0.5 ± {EVEN}",
        find.conflict, "no pure equilibrium; the game is the same with both actions exchanged",
    ),
    Claim(
        _SETTINGS, "mixed motives: all runs defect in the dilemma", _ALL,
        find.mixed_motives, "defection is dominant",
    ),
    Claim(
        _ALONE, "no run finds the optimum of the climbing game", _NONE,
        find.optimum("independent Q-learners", QLearner(explore=falling()), find.no_runs),
        "printed share 0.0, see `pair_coordination`",
    ),
    Claim(
        _ALONE, "with optimism (hysteretic) most runs find it", _MOST,
        find.optimum("hysteretic", HystereticQ(explore=falling()), find.most_runs),
        "printed share 0.891, see `pair_coordination`",
    ),
    Claim(
        _ALONE, "most runs hunt the hare, which is risk dominant", _MOST,
        find.hare, "the hare pays more beside uniform play: 3 against 2",
    ),
    Claim(
        _TOGETHER, "with one learner for both, all runs find the optimum of climbing", _ALL,
        find.one_learner_for_all, "printed share 1.0, see `pair_coordination`",
    ),
    Claim(
        _TOGETHER, "with a common value (MAPPO), no run does", _NONE,
        lambda asked: find.optimum("MAPPO", MAPPO(min(32, asked.steps)), find.no_runs)(asked),
        "Papoudakis et al. (2021): returns of 175, 7 a step, in five of five runs",
    ),
    Claim(
        _TOGETHER, "with a common critic (COMA), less than half do", _FEW,
        find.optimum("COMA", COMA(), find.few_runs),
        "Papoudakis et al. (2021): the optimum in one of five runs",
    ),
    Claim(
        _VALUES, "sums (VDN) earn 7 of 8 in the two-step game", "7.00 ± 0.05",
        find.decomposed("two-step game, VDN", team_values.earned, 7.0), "Rashid et al. (2018)",
    ),
    Claim(
        _VALUES, "monotonic mixtures (QMIX) earn 8", "8.00 ± 0.05",
        find.decomposed("two-step game, QMIX", team_values.earned, 8.0), "Rashid et al. (2018)",
    ),
    Claim(
        _VALUES, "QMIX misses the optimum of the QTRAN game", "0.00 ± 0.05",
        find.decomposed("QTRAN game, QMIX", find.at_best, 0.0), "Son et al. (2019), table 1",
    ),
    Claim(
        _VALUES, "weighted QMIX finds it", "1.00 ± 0.05",
        find.decomposed("QTRAN game, optimistic QMIX", find.at_best, 1.0),
        "Rashid et al. (2020), weighted QMIX",
    ),
    Claim(
        _GRADIENTS, f"variance of REINFORCE in a team of {MEMBERS}", f"{_PLAIN:.3f}",
        find.spread(Reinforce(1.0), None, _PLAIN), "(N^2 + N - 1) / 16",
    ),
    Claim(
        _GRADIENTS, "a baseline leaves the part of the others", f"{_BASED:.3f}",
        find.spread(Reinforce(1.0), _VALUE, _BASED), "(N - 1) / 16",
    ),
    Claim(
        _GRADIENTS, "a group of plays replaces a critic (GRPO): mean step", f"{MEAN_STEP:.3f}",
        find.group_of_plays, f"E sqrt(m (1 - m)), {GROUP} m binomial",
    ),
    Claim(
        _GRADIENTS, "REINFORCE: all runs end at the safe joint action under penalties", _ALL,
        find.safe_under_penalties, "Papoudakis et al. (2021): returns of 50, 2 a step, in all runs",
    ),
    Claim(
        _CREDIT, "the counterfactual baseline (COMA) leaves no variance", "0.000",
        find.spread(COMA(1.0, 0.0), _CRITIC, 0.0), "the others' parts cancel",
    ),
    Claim(
        _CREDIT, "Shapley values of two left gloves, one right", "1/6, 1/6, 2/3",
        find.gloves_share, "enumeration of the orders",
    ),
    Claim(
        _CREDIT, f"{find.CROWD} agents in the bar problem: difference rewards earn more in half "
        "the weeks than the team's reward", "the first is more",
        find.own_part, "Wolpert & Tumer (2001): they learn faster and reach more",
    ),
    Claim(
        _OPPONENTS, "best responses to frequencies (fictitious play) play evenly", f"0.5 ± {EVEN}",
        find.fictitious, "Robinson (1951): frequencies converge to the equilibrium",
    ),
    Claim(
        _OPPONENTS, "they repeat rock, paper and scissors ever longer", "1, 3, 5, 7, ...",
        find.longer_runs, "follows from the first choices by induction",
    ),
    Claim(
        _OPPONENTS, "models of frequencies (JAL): no run finds the optimum of climbing", _NONE,
        find.optimum("joint action learners", JointActionLearner(explore=falling()), find.no_runs),
        "printed share 0.0, see `pair_coordination`",
    ),
    Claim(
        _OPPONENTS, "naive gradients defect in the iterated dilemma", _NAIVE,
        find.iterated("iterated, naive", 0.0), "Foerster et al. (2018), table 3",
    ),
    Claim(
        _OPPONENTS, "gradients through the other's step (LOLA) cooperate", _LOLA,
        find.iterated("iterated, LOLA", 1.0), "Foerster et al. (2018), table 3",
    ),
    Claim(
        _SELF, "one table for both seats cycles, evenly on average", f"flips; 1/3 ± {EVEN}",
        find.cycle_of_one_table, "no pure equilibrium; the three actions are alike",
    ),
    Claim(
        _SELF, "one table gives both seats of chicken the same policy: difference", "0",
        find.one_policy, "definition",
    ),
)  # fmt: skip


def _draw(results: dict[str, Result], asked: Arguments) -> "Figure":
    """Draw the shares of runs at the optimum of the climbing game, by the kind of learning."""
    from fastgames import plot

    shares = {}
    for name, result in results.items():
        if name.startswith(find.OPTIMUM):
            alone = result.game.num_agents == 1
            found = mean(result.greedy(0)[:, 0] == 0) if alone else find.at(result, (0, 0))
            shares[name.removeprefix(find.OPTIMUM)] = found
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
