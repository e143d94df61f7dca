"""GRPO against its objective, differentiated numerically, and against closed forms of a bandit."""

from math import comb

import numpy as np
import pytest
from library.gradients import mix
from scipy.optimize import approx_fprime, brentq

import fastgames as fg
from fastgames.learners import grpo
from fastgames.rules.outcome import Outcome

SHAPE = (3, 4)  # observations, actions


def tables_of(learner, logits, reference=None):
    """Return the tables of a learner with these logits, before a group."""
    even = np.full(SHAPE, 1 / SHAPE[1])
    return learner.rules.as_tables(
        (
            logits.copy(), even if reference is None else reference.copy(),
            np.zeros((learner.group, *SHAPE), np.int64), np.zeros(learner.group), np.ones(1),
            np.zeros(1, np.int64),
        )
    )  # fmt: skip


def drawn_plays(rng, group):
    """Return the moves (o, a, reward, weight) of each play."""
    return [
        [
            (*(int(rng.integers(n)) for n in SHAPE), rng.normal(), rng.choice([0.9, 0.81]))
            for _ in range(rng.integers(1, 6))
        ]
        for _ in range(group)
    ]


def learn(learner, tables, plays, gamma=0.9):
    """Let the rule learn from plays; their last outcomes are of all kinds in turn."""
    p = learner.rules.as_p(learner.values(gamma).values())
    for g, moves in enumerate(plays):
        for k, (o, a, reward, weight) in enumerate(moves):
            last = k == len(moves) - 1
            o2 = (-1 if g % 3 == 1 else 0) if last else moves[k + 1][0]
            over = last and g % 3 > 0
            given = Outcome(o, a, reward, weight, o2, -1, last and not over, truncated=over)
            grpo.learn(tables, p, given)


def advantages_of(plays, deviation, leave_one_out):
    """Return the advantages of plays by their definition."""
    returns = np.array([returned(moves) for moves in plays])
    middle = returns.mean()
    if leave_one_out:
        middle = np.array([np.delete(returns, g).mean() for g in range(len(returns))])
    divisor = {"none": 1.0, "population": returns.std(), "sample": returns.std(ddof=1)}
    return (returns - middle) / divisor[deviation]


def returned(moves):
    """Return the discounted return of a play."""
    total, factor = 0.0, 1.0
    for *_, reward, weight in moves:
        total += factor * reward
        factor *= weight
    return total


def objective(logits, old, plays, advantages, learner, reference):
    """Return the objective of Shao et al. (2024), equation 3, without division by lengths."""
    new, old, total = mix(logits.reshape(SHAPE)), mix(old), 0.0
    for moves, advantage in zip(plays, advantages, strict=True):
        for o, a, *_ in moves:
            r = new[o, a] / old[o, a]
            clipped = np.clip(r, 1 - learner.clip, 1 + learner.clip)
            s = reference[o, a] / new[o, a]
            total += min(r * advantage, clipped * advantage)
            total -= learner.beta * (s - np.log(s) - 1)
    return total / len(plays)


@pytest.mark.parametrize("deviation", ["sample", "population", "none"])
@pytest.mark.parametrize("leave_one_out", [False, True])
@pytest.mark.parametrize(("epochs", "alpha"), [(1, 0.5), (4, 1.0)])
def test_a_group_is_steps_along_the_gradient_of_the_objective(
    deviation, leave_one_out, epochs, alpha
):
    rng = np.random.default_rng(1)
    reference = rng.dirichlet(np.ones(SHAPE[1]), SHAPE[0])
    learner = fg.GRPO(
        5, alpha, None, deviation, leave_one_out, epochs, 0.3, 0.2, reference=reference
    )
    logits = rng.normal(size=SHAPE)
    tables = tables_of(learner, logits, reference)
    clipped = 0
    for _ in range(2):  # the second group starts from cleared tables
        plays = drawn_plays(rng, 5)
        learn(learner, tables, plays)
        old, advantages = logits, advantages_of(plays, deviation, leave_one_out)
        for _ in range(epochs):
            args = (old, plays, advantages, learner, reference)
            gradient = approx_fprime(logits.ravel(), objective, 1e-7, *args)
            ratio = mix(logits) / mix(old)
            clipped += (abs(ratio - 1) > 0.3).sum()
            logits = logits + alpha * gradient.reshape(SHAPE)
        np.testing.assert_allclose(tables.logits, logits, atol=1e-5)
        logits = tables.logits.copy()
    assert (clipped > 0) == (epochs > 1)
    assert not tables.plays.any()


def test_equal_returns_give_no_step_and_no_division():
    # The mean of three times 0.1 is not 0.1 in floating point.
    learner = fg.GRPO(3)
    tables = tables_of(learner, np.zeros(SHAPE))
    learn(learner, tables, [[(0, a, 0.1, 0.0)] for a in (0, 1, 2)])
    assert not tables.logits.any()
    assert tables.finished[0] == 0


def test_tables_of_users_with_numbers_out_of_range_are_survived():
    learner = fg.GRPO(2)
    tables = tables_of(learner, np.zeros(SHAPE))
    for wrong in (-3, 2, 10**9):
        tables.finished[0] = wrong
        learn(learner, tables, [[(0, 1, 1.0, 0.0)]])
        assert tables.finished[0] == 1


# --- closed forms, of the formula of Shao et al. (2024) -------------------------------------------


def mean_step(group, p, deviation):
    """Return E sqrt(m (1 - m)), with the factor of each convention; p (1 - p) (1 - 1/G) for none.

    That is the mean step of the chance's logit, m the share of successes in a group.
    """
    if deviation == "none":
        return p * (1 - p) * (1 - 1 / group)
    m = np.arange(group + 1) / group
    chances = [comb(group, k) * p**k * (1 - p) ** (group - k) for k in range(group + 1)]
    factor = 1.0 if deviation == "population" else np.sqrt(1 - 1 / group)
    return factor * np.dot(chances, np.sqrt(m * (1 - m)))


PRINTED = {
    (2, 0.5): (0.25, 0.176777, 0.125),
    (2, 0.2): (0.16, 0.113137, 0.08),
    (4, 0.5): (0.404006, 0.349880, 0.1875),
    (4, 0.2): (0.265247, 0.229711, 0.12),
}


def bandit_steps(p, learner):
    """Return the change of the logit of the action that pays 1, in many runs of one group."""
    game = fg.MatrixGame([np.array([0.0, 1.0])])
    start = np.array([0.0, np.log(p / (1 - p))])
    tables = [{"logits": start}]
    found = fg.run(game, learner, learner.group, 50_000, rng=1, start_tables=tables)
    return found.tables[0]["logits"][:, 0, 1] - start[1]


@pytest.mark.parametrize(("group", "p"), PRINTED)
def test_the_mean_step_is_that_of_the_closed_form(group, p):
    kinds = ("population", "sample", "none")
    for deviation, printed in zip(kinds, PRINTED[group, p], strict=True):
        assert mean_step(group, p, deviation) == pytest.approx(printed, abs=1e-6)
        steps = bandit_steps(p, fg.GRPO(group, 1.0, deviation=deviation))
        error = steps.std() / np.sqrt(len(steps))
        assert steps.mean() == pytest.approx(printed, abs=4 * error)


def test_a_mean_of_the_others_is_not_biased():
    steps = bandit_steps(0.2, fg.GRPO(4, 1.0, deviation="none", leave_one_out=True))
    assert steps.mean() == pytest.approx(0.16, abs=4 * steps.std() / np.sqrt(len(steps)))


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_distance_holds_the_policy_near_the_reference(beta):
    # At rest the mean step of the advantages cancels beta (0.3 - p), that of the distance.
    game = fg.MatrixGame([np.array([0.0, 1.0])])
    learner = fg.GRPO(8, 0.01, beta=beta, reference=[0.7, 0.3])
    rest = brentq(lambda p: mean_step(8, p, "sample") + beta * (0.3 - p), 0.3, 1.0)
    found = fg.run(game, learner, 20_000, 200, rng=1).policy(0)[:, 0, 1]
    assert found.mean() == pytest.approx(rest, abs=0.01)


# --- refused, and gone on from --------------------------------------------------------------------


def test_groups_that_are_longer_than_the_run_are_refused():
    game = fg.games.chicken()
    words = r"group of learners\[1\] must be at most the steps of the run, 9, got 10"
    with pytest.raises(ValueError, match=words):
        fg.run(game, [fg.GRPO(9), fg.GRPO(10)], 9)
    result = fg.run(game, fg.GRPO(9), 9, backend="reference")
    fg.run(game, fg.GRPO(9), 1, resume=result, backend="reference")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ([1.0], r"reference of GRPO must have 2 actions for agent 0 .*, got shape \(1,\)"),
        ([[0.5, 0.5]] * 3, r"reference of .*\[0\] must broadcast to \(2, 1, 2\), got .*\(3, 2\)"),
        (np.full((3, 1, 2), 0.5), r"reference of .* must broadcast to \(2, 1, 2\), got shape \(3,"),
    ],
    ids=["actions", "observations", "replicas"],
)
def test_references_of_another_shape_are_refused(reference, words):
    with pytest.raises(ValueError, match=words):
        fg.run(fg.games.chicken(), fg.GRPO(2, reference=reference), 9, 2)


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"group": 1}, ValueError, r"group must be a whole number in \[2, 2\^31\), got 1"),
        ({"group": 2.5}, TypeError, "group must be a whole number"),
        ({"epochs": 0}, ValueError, "epochs must be a whole number"),
        ({"deviation": "populatoin"}, ValueError, "deviation must .* did you mean 'population'"),
        ({"leave_one_out": 1}, TypeError, "leave_one_out must be True or False, got 1"),
        ({"reference": [0.5, 0.6]}, ValueError, "reference must sum to 1, got 1.1"),
        ({"clip": -0.1}, ValueError, "clip must be in"),
    ],
)
def test_parameters_outside_of_their_domains_are_refused(given, kind, words):
    with pytest.raises(kind, match=words):
        fg.GRPO(**given)


def test_games_whose_episodes_do_not_end_are_refused():
    with pytest.raises(ValueError, match="gamma of GRPO must be 0 where episodes do not end"):
        fg.run(fg.remember(fg.games.prisoners_dilemma()), fg.GRPO(), 10)


def test_a_group_goes_on_where_a_run_or_a_file_was_cut(tmp_path):
    game, learner = fg.games.grid_game(), fg.GRPO(3, epochs=2)
    whole = fg.run(game, learner, 90, 3, rng=1, backend="reference")
    part = fg.run(game, learner, 37, 3, rng=1, backend="reference")
    part.save(tmp_path / "part.zip")
    rest = fg.run(game, learner, 53, resume=fg.load(tmp_path / "part.zip"), backend="reference")
    for one, other in zip(whole.tables, rest.tables, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
