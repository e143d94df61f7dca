"""Policy gradients: variances in teams, groups of plays, and gradients through the other's step.

Figures are closed forms, or printed in:

- Reinforcement Learning, From First Principles to the Frontier, an open course without peer review,
  chapter 17, section 8 (variances of estimators, and updates that learning takes);
- Lowe, Wu, Tamar, Harb, Abbeel & Mordatch (2017), Multi-agent actor-critic for mixed
  cooperative-competitive environments, NeurIPS, proposition 1 (directions of single samples);
- Shao et al. (2024), DeepSeekMath, arXiv:2402.03300 (GRPO, whose mean steps follow from its
  definition);
- Kuba et al. (2022), Trust region policy optimisation in multi-agent reinforcement learning, ICLR,
  proposition 1 (what parameter sharing costs);
- Foerster, Chen, Al-Shedivat, Whiteson, Abbeel & Mordatch (2018), Learning with opponent-learning
  awareness, AAMAS, table 3.
"""

import time
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.games import Game, MarkovGame, MatrixGame, ProceduralGame, shapley_rewards
from fastgames.learners import (
    COMA,
    GRPO,
    LOLA,
    ActorCritic,
    Learner,
    Reinforce,
    Table,
)
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.estimate import Estimate, Z, deviation, mean, near
from fastgames.papers.gradient_directions import SAMPLES, rows_of_critics, rows_of_directions
from fastgames.papers.parameter_sharing import UPDATES, rows_of_sharing
from fastgames.papers.report import Report, Row, picture
from fastgames.record import Record
from fastgames.result import Result
from fastgames.rules.chance import normal
from fastgames.rules.gradients import choose_softmax, climb, policy_softmax, softmax

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = 1_000
PLAYS = 50  # single steps of groups for each run asked
NOISE = 1.0
TEAMS = (2, 5, 8)
LEARNT = 0.9  # the mean chance of the better action at which learning counts as done
#: Updates until then in teams of 2 and 8, as printed; REINFORCE in a team of 8 does not get there.
PRINTED_UPDATES = {
    "REINFORCE": (44, None), "actors with the exact value": (32, 38),
    "actors with exact values of joint actions": (28, 32), "COMA with the exact critic": (28, 27),
}  # fmt: skip
PRINTED_CHANCE = 0.72  # of REINFORCE in a team of 8 after 400 updates
#: Groups of GRPO: the number of plays, and the chance of the action that pays.
GROUPS = ((2, 0.5), (2, 0.2), (4, 0.5), (4, 0.2))
DEVIATIONS = ("population", "sample", "none")
#: Rewards per step in the iterated prisoner's dilemma and tolerances, by eta: as printed, and that
#: of eta 0.5 as computed by another program.
ITERATIONS = 200
DILEMMA = ((-1.0, -3.0), (0.0, -2.0))
PRINTED_PAID = {0.0: (-1.98, 0.04), 1.0: (-1.06, 0.06)}
COMPUTED_PAID = {0.5: (-1.16, 0.06)}
#: First steps of the logits in the states CC, CD, DC, DD and the start: of the own value, and what
#: LOLA adds. From logits 0, and from soft tit for tat.
FIRST_STEPS = {
    "logits 0": (
        ((0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 0.0)),
        (-1.5, -1.5, -1.5, -1.5, -0.25),
        (4.35, -4.35, 4.35, -4.35, 0.0),
    ),
    "soft tit for tat": (
        ((1.0, -1.0, 1.0, -1.0, 1.0), (1.0, 1.0, -1.0, -1.0, 1.0)),
        (-0.17836, -0.16380, -0.16380, -0.15635, -0.02760),
        (3.6530, -1.4733, 1.2865, -3.5005, -0.0016),
    ),
}


@reproduction(
    replicas=Count(
        RUNS,
        f"Number of training runs of each kind, at least 1; {SAMPLES} times as many single steps "
        f"of teams, {PLAYS} times as many of groups.",
    ),
    steps=Count(
        UPDATES,
        "Most updates of a training run, at least 1. The report compares these runs with print "
        f"only for {UPDATES}.",
    ),
    engine="As for `fastgames.run`; every run of the report has the same rng.",
)
def gradients(asked: Arguments) -> Report:
    """Compare steps of policy gradients with closed forms and print; return a report.

    - All agents play 1 in one of 2^N samples, and only then does a sample's step point uphill. The
      same holds for MADDPG with exact critics, unless the advantage subtracts their mean.
    - If one half of the agents has to play 0 and the other half 1, the best policy that all share
      earns 2 / 2^N, and policies of their own earn 1.
    - In the adding game all agents get the number of them that play 1, plus noise. Steps from
      uniform play vary with the square of the number of agents, with it if a value is the baseline,
      and not at all for the counterfactual baseline of COMA. Training takes more or fewer updates
      accordingly.
    - Steps of GRPO have means that depend on the divisor of its advantages.
    - Shapley values of the glove game.
    - In the iterated prisoner's dilemma, naive gradients lead to defection, and those of LOLA in
      most runs to cooperation.

    Returns
    -------
    Report
        A report with the results of training, by agents and kind, such as "2 agents, REINFORCE",
        and of the iterated dilemma, such as "dilemma, eta 1.0".

    Examples
    --------
    >>> list(gradients(replicas=2, steps=10).results)[0]
    '2 agents, REINFORCE'
    """
    began = time.perf_counter()
    variances = {(n, kind): _spread(asked, n, kind) for n in TEAMS for kind in KINDS}
    curves, results = _train(asked)
    rows = [
        *rows_of_directions(asked),
        *rows_of_critics(asked),
        *_rows_of_variances(variances, asked),
        *_rows_of_training(curves, asked),
        *rows_of_sharing(asked, results),
        *_rows_of_groups(asked),
        _row_of_gloves(),
        *_rows_of_first_steps(asked),
    ]
    for eta, (value, tolerance) in (PRINTED_PAID | COMPUTED_PAID).items():
        result = results[f"dilemma, eta {eta}"] = iterate(asked, eta)
        found = mean(paid(result))
        what = f"iterated dilemma, eta {eta}: reward per step, as discounted"
        source = "" if eta in PRINTED_PAID else " (computed)"
        ok = abs(found.value - value) <= max(tolerance, found.high - found.low)
        rows.append(Row(what, f"{value} ± {tolerance}{source}", found.text(3), ok))
    seconds = time.perf_counter() - began
    return Report(
        title=f"Policy gradients: {asked.replicas:,} training runs of each kind",
        rows=(*rows, Row("time", "", f"{seconds:,.1f} s")),
        lines=(
            "Intervals are of 95 %; means that follow from a formula are within four standard "
            "errors.",
            "Variances are of the step of one logit of one agent from uniform play, of step size "
            "1.",
        ),
        figure=picture(lambda: _draw(variances, curves, asked), asked.out),
        results=results,
    )


# --- variances -----------------------------------------------------------------------------------


def adding(agents: int, noise: float = 0.0) -> Game:
    """Return the game in which all agents get the number of them that play action 1.

    noise: standard deviation of a normal number that is added to the reward of all
    """
    if noise == 0.0:
        total = np.indices((2,) * agents).sum(axis=0).astype(np.float64)
        return MatrixGame([total] * agents, name="adding")

    def start(state: Any, words: Any) -> None:
        state[0] = 0

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        total = 0.0
        for i in range(agents):
            total += actions[i]
        total = normal(words[0], total, noise)
        for i in range(agents):
            rewards[i] = total
        return False

    def observe(state: Any, agent: int) -> int:
        return 0

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[2] * agents,
        num_observations=[1] * agents,
        words=1,
        largest_reward=agents + 10.0 * noise,
        state_bounds=[(0, 0)],
        name="adding, with noise",
    )


def exact_critic(agents: int) -> list[dict[str, Any]]:
    """Return the start tables of COMA in the adding game: the values of the joint actions."""
    total = np.indices((2,) * agents).sum(axis=0).astype(np.float64)
    return [{"q": total.reshape(1, -1)}, *[{}] * (agents - 1)]


def exact_value(agents: int) -> list[dict[str, Any]]:
    """Return the start tables of learners with values: the value of uniform play."""
    return [{"value": np.full(1, agents / 2.0)}] * agents


#: Kinds of estimators, with (learner, start tables of N agents, noise, variance for N agents).
KINDS: dict[str, tuple[Any, Any, float, Any]] = {
    "REINFORCE": (
        Reinforce(1.0), None, NOISE, lambda n: (n**2 + n - 1) / 16.0 + NOISE**2 / 4.0,
    ),
    "REINFORCE, baseline N / 2": (
        Reinforce(1.0), exact_value, NOISE, lambda n: (n - 1) / 16.0 + NOISE**2 / 4.0,
    ),
    "actor-critic, value N / 2": (
        ActorCritic(1.0, 0.0), exact_value, NOISE, lambda n: (n - 1) / 16.0 + NOISE**2 / 4.0,
    ),
    "actor-critic, value N / 2, no noise": (
        ActorCritic(1.0, 0.0), exact_value, 0.0, lambda n: (n - 1) / 16.0,
    ),
    "COMA, exact critic": (COMA(1.0, 0.0), exact_critic, 0.0, lambda n: 0.0),
}  # fmt: skip


def _spread(asked: Arguments, agents: int, kind: str) -> Estimate:
    """Return the standard deviation of the step of agent 0's logit of action 1."""
    learner, tables, noise, _ = KINDS[kind]
    replicas = asked.replicas if kind.startswith("COMA") else SAMPLES * asked.replicas
    given = None if tables is None else tables(agents)
    result = asked.run(adding(agents, noise), learner, 1, replicas, start_tables=given)
    return deviation(result.tables[0]["logits"][:, 0, 1])


def _rows_of_variances(found: dict[tuple[int, str], Estimate], asked: Arguments) -> list[Row]:
    """Return the rows that compare variances with their closed forms, up to 3 % for 1,000 runs."""
    rows = []
    share = 0.03 * max(1.0, float(np.sqrt(RUNS / asked.replicas)))
    for (agents, kind), each in found.items():
        exact = KINDS[kind][3](agents)
        value, low, high = (x**2 for x in (each.value, each.low, each.high))
        rows.append(
            Row(
                f"{agents} agents, {kind}: variance",
                f"{exact:.4f} ± {share:.0%}" if exact else "0",
                f"{value:.4f} ({low:.4f} to {high:.4f})",
                abs(value - exact) <= share * exact + 1e-12,
            )
        )
    return rows


# --- training ------------------------------------------------------------------------------------


def exact_actors(alpha: float, central: bool) -> Learner:
    """Return actors whose critic knows the value of the adding game from the others' logits.

    The advantage is the reward minus the value, or, if `central`, the value of the joint action
    minus the value.
    """

    def learn(tables: Any, p: Any, t: Any) -> None:
        row = tables.logits[t.observation]
        real = row.dtype.type
        chances = np.empty(2, row.dtype)
        value, worth = real(0.0), real(0.0)
        for other in t.opponents:
            softmax(other.logits[0], chances)
            value = value + chances[1]
        for a in t.actions:
            worth = worth + real(a)
        softmax(row, chances)
        value = value + chances[1]
        earned = worth if p.central > real(0.0) else real(t.gain)
        climb(row, chances, t.action, 0.0, p.alpha * (earned - value))

    return Learner(
        choose_softmax,
        learn,
        parameters={"alpha": alpha, "central": float(central), "gamma": 0.0},
        tables=(Table("logits"),),
        policy=policy_softmax,
        joint=True,
        asks=("opponents",),
        name="actors with an exact critic",
    )


def _trained(kind: str, agents: int) -> tuple[Any, Any]:
    """Return the learner of a kind and its start tables.

    The source steps one logit by 0.5: the difference of our two logits moves twice as far.
    """
    if kind == "REINFORCE":
        return Reinforce(0.25), None
    if kind == "COMA with the exact critic":
        return COMA(0.25, 0.0), exact_critic(agents)
    return exact_actors(0.25, kind == "actors with exact values of joint actions"), None


def _train(asked: Arguments) -> tuple[dict[tuple[int, str], Any], dict[str, Result]]:
    """Train teams of 2 and 8; return curves by team and kind, and the results.

    A curve has the mean chance of action 1 after each update, and half of its interval, (2, U + 1).
    REINFORCE in a team of 2 has ten times as many runs, because its curve is flat near LEARNT.
    """
    curves, results = {}, {}
    for agents in (2, 8):
        for kind in PRINTED_UPDATES:
            learner, tables = _trained(kind, agents)
            long = kind == "REINFORCE" and agents == 8
            steps = asked.steps if long else min(asked.steps, 60)
            game = adding(agents, 0.0 if kind.startswith("COMA") else NOISE)
            many = 10 if kind == "REINFORCE" and agents == 2 else 1
            result = asked.run(
                game, learner, steps, many * asked.replicas, start_tables=tables,
                record=Record(every=1, policies=True),
            )  # fmt: skip
            assert result.snapshots is not None and result.snapshots.policies is not None
            chances = np.mean([p[:, :, 0, 1] for p in result.snapshots.policies], axis=0)
            half = Z * chances.std(axis=1) / np.sqrt(chances.shape[1])
            curves[agents, kind] = np.stack([chances.mean(axis=1), half])
            results[f"{agents} agents, {kind}"] = result
    return curves, results


def _rows_of_training(curves: dict[tuple[int, str], Any], asked: Arguments) -> list[Row]:
    """Return the rows on the updates until the mean chance of action 1 is above LEARNT.

    Figures of fewer than 1,000 runs may also differ by their interval.
    """
    rows = []
    for (agents, kind), (curve, half) in curves.items():
        printed = PRINTED_UPDATES[kind][agents == 8]
        first, found, last = (_updates(c) for c in (curve + half, curve, curve - half))
        text = "never" if found is None else f"{found} ({first} to {last or 'never'})"
        what = f"{agents} agents, {kind}: updates until the mean chance is {LEARNT}"
        if asked.steps != UPDATES:
            rows.append(Row(what, "", text))
        elif printed is None:
            rows.append(Row(what, "never", text, found is None))
        else:
            low = high = found or 0
            if asked.replicas < RUNS:
                low, high = first or 0, last or UPDATES
            ok = found is not None and low - 2 <= printed <= high + 2
            rows.append(Row(what, f"{printed} ± 2", text, ok))
    chance, half = curves[8, "REINFORCE"][:, -1]
    what = f"8 agents, REINFORCE: mean chance after {asked.steps:,} updates"
    text = f"{chance:.3f} ({chance - half:.3f} to {chance + half:.3f})"
    if asked.steps == UPDATES:
        ok = bool(abs(chance - PRINTED_CHANCE) <= max(0.02, 2.0 * half))
        rows.append(Row(what, f"{PRINTED_CHANCE} ± 0.02", text, ok))
    else:
        rows.append(Row(what, "", text))
    return rows


def _updates(curve: Any) -> int | None:
    """Return the first update after which a curve is above LEARNT, or None."""
    done = np.flatnonzero(curve > LEARNT)
    return int(done[0]) if done.size else None


# --- groups and credit ---------------------------------------------------------------------------


def mean_step(group: int, chance: float, divisor: str) -> float:
    """Return the mean step of the logit of an action that pays 1, of two, by GRPO with alpha 1.

    With k successes of `group` plays and m = k / group, that is E sqrt(m (1 - m)) for the
    population deviation, sqrt(1 - 1 / group) times it for that of the sample, and p (1 - p) (1 - 1
    / group) without a divisor.
    """
    if divisor == "none":
        return chance * (1.0 - chance) * (1.0 - 1.0 / group)
    m = np.arange(group + 1) / group
    weights = [comb(group, k) * chance**k * (1.0 - chance) ** (group - k) for k in range(group + 1)]
    factor = 1.0 if divisor == "population" else np.sqrt(1.0 - 1.0 / group)
    return float(factor * np.dot(weights, np.sqrt(m * (1.0 - m))))


def _rows_of_groups(asked: Arguments) -> list[Row]:
    """Return the rows on the mean steps of GRPO, with all divisors and leaving one out."""
    rows = []
    game = MatrixGame([np.array([0.0, 1.0])], name="one of two pays")
    for group, chance in GROUPS:
        start = np.array([0.0, np.log(chance / (1.0 - chance))])
        kinds = {f"deviation {d}": (d, False, mean_step(group, chance, d)) for d in DEVIATIONS}
        kinds["deviation none, one left out"] = ("none", True, chance * (1.0 - chance))
        for kind, (divisor, out, exact) in kinds.items():
            learner = GRPO(group, 1.0, deviation=divisor, leave_one_out=out)
            result = asked.run(
                game, learner, group, PLAYS * asked.replicas, start_tables=[{"logits": start}]
            )
            step = mean(result.tables[0]["logits"][:, 0, 1] - start[1])
            what = f"GRPO, {group} plays, chance {chance}, {kind}: mean step"
            rows.append(Row(what, f"{exact:.4f}", step.text(4), near(step, exact)))
    return rows


def gloves() -> Any:
    """Return the Shapley values of two left gloves and a right one; a pair is worth 1."""
    left, other, right = np.indices((2, 2, 2))
    pairs = np.minimum(left + other, right).astype(np.float64)
    return shapley_rewards(MatrixGame([pairs] * 3, name="gloves"), 0).payoffs[:, 1, 1, 1]


def _row_of_gloves() -> Row:
    """Return the row on the Shapley values of gloves."""
    credit = gloves()
    ok = bool(np.allclose(credit, [1 / 6, 1 / 6, 2 / 3], rtol=0.0, atol=1e-12))
    found = ", ".join(f"{x:.6f}" for x in credit)
    return Row("Shapley values of two left gloves and a right one", "1/6, 1/6, 2/3", found, ok)


# --- the iterated dilemma ------------------------------------------------------------------------


def dilemma() -> MarkovGame:
    """Return the iterated prisoner's dilemma; its last state is the start."""
    payoffs = np.array(DILEMMA)
    following = np.broadcast_to(np.arange(4).reshape(2, 2), (5, 2, 2))
    rewards = [np.broadcast_to(x, (5, 2, 2)) for x in (payoffs, payoffs.T)]
    return MarkovGame(rewards, following, 0.96, start=4, name="iterated dilemma")


def _logits(parameters: Any) -> Any:
    """Return logits (..., 5, 2) with these of the first action (..., 5), and 0 of the last."""
    return np.stack([parameters, np.zeros_like(parameters)], axis=-1)


def iterate(asked: Arguments, eta: float) -> Result:
    """Return a run of LOLA from normally distributed logits."""
    rng = np.random.default_rng(asked.rng)
    learners = [
        LOLA(1.0, eta, initial=_logits(rng.normal(size=(asked.replicas, 5)))) for _ in range(2)
    ]
    return asked.run(dilemma(), learners, min(asked.steps, ITERATIONS), asked.replicas)


def paid(result: Result) -> Any:
    """Return (1 - gamma) V, the mean over both agents, of every run, (replicas,)."""
    game = result.game
    assert isinstance(game, MarkovGame)
    one, other = (result.policy(i) for i in range(2))
    chances = np.einsum("rsa,rsb->rsab", one, other).reshape(len(one), 5, 4)
    chain = np.zeros((len(one), 5, 5))
    chain[..., :4] = chances
    rewards = game.rewards.mean(axis=0)[0].ravel()
    values = np.linalg.solve(np.eye(5) - game.discount * chain, (chances @ rewards)[..., None])
    return (1.0 - game.discount) * values[:, 4, 0]


def _rows_of_first_steps(asked: Arguments) -> list[Row]:
    """Return the rows on the first steps of both agents' logits, naive and what LOLA adds."""
    rows = []
    for name, (starts, naive, added) in FIRST_STEPS.items():
        steps = {}
        for eta in (0.0, 1.0):
            learners = [LOLA(1.0, eta, initial=_logits(np.array(x))) for x in starts]
            result = asked.run(dilemma(), learners, 1, 1)
            steps[eta] = [
                table["logits"][0, :, 0] - x for table, x in zip(result.tables, starts, strict=True)
            ]
        for what, expected, found in (
            ("naive step", naive, steps[0.0]),
            ("what LOLA adds", added, [b - a for a, b in zip(steps[0.0], steps[1.0], strict=True)]),
        ):
            other = found[1][[0, 2, 1, 3, 4]]  # as the second agent sees the states
            ok = all(np.allclose(x, expected, rtol=0.0, atol=1e-3) for x in (found[0], other))
            text = ", ".join(f"{x:.4g}" for x in expected)
            seen = ", ".join(f"{x:.3f}" for x in found[0])
            rows.append(Row(f"iterated dilemma from {name}: {what}", text, seen, ok))
    return rows


def _draw(
    variances: dict[tuple[int, str], Estimate], curves: dict[tuple[int, str], Any], asked: Arguments
) -> "Figure":
    """Draw variances by the number of agents over their closed forms, and training of 8 agents."""
    from fastgames import plot

    title = f"Policy gradients in the adding game, {asked.replicas:,} training runs"
    drawn, axes = plot.figure(2, 2, title, (5.4, 3.8))
    for kind, colour in zip(KINDS, plot.COLOURS, strict=False):
        exact = [KINDS[kind][3](n) for n in TEAMS]
        found = [variances[n, kind].value ** 2 for n in TEAMS]
        axes[0].plot(TEAMS, exact, color=colour, linewidth=0.8)
        axes[0].plot(TEAMS, found, "o", color=colour, markersize=4, label=kind)
    plot.finish(
        axes[0], "Variance of a step (lines: closed forms)", "agents", "variance",
        legend="upper left",
    )  # fmt: skip
    for (agents, kind), colour in zip(
        [key for key in curves if key[0] == 8], plot.COLOURS, strict=False
    ):
        curve = curves[agents, kind][0]
        axes[1].plot(np.arange(len(curve)), curve, color=colour, linewidth=1.4, label=kind)
    axes[1].axhline(LEARNT, color=plot.GREY, linewidth=0.8)
    axes[1].set_xlim(0, 100)
    plot.finish(axes[1], "Training of 8 agents", "updates", "mean chance of the better action")
    return drawn
