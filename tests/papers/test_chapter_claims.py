"""The claims of the chapter: each notices runs that contradict it."""

from math import comb

import numpy as np
import pytest

import fastgames as fg
from fastgames.papers import bar_nights, chapter_claims, pair_coordination, team_gradients
from fastgames.papers import chapter_findings as module
from fastgames.papers.arguments import Arguments

FEW = Arguments(20, 2_000)


def claim(words):
    (found,) = [each for each in chapter_claims.CLAIMS if words in each.says]
    return found


SAFE = fg.MatrixGame([[[11, 0, 0], [0, 1, 0], [0, 0, 1]]] * 2)  # (A, A) is easy to find
BAD = fg.MatrixGame([[[0, 9, 0], [9, 9, 0], [0, 0, 0]]] * 2)  # (A, A) is bad
UNEVEN = fg.MatrixGame([np.diag([5.0, 1.0, 0.0])] * 2)
TWO_BAD = fg.MatrixGame([[[0, 9], [9, 0]]] * 2)
TWO_GOOD = fg.MatrixGame([[[9, 0], [0, 0]]] * 2)


@pytest.mark.parametrize(
    ("words", "name", "other"),
    [
        ("while the other one learns", "QLearner", lambda: fg.FixedPolicy([[0.5, 0.5]])),
        ("if the other one is frozen", "FixedPolicy", lambda given: fg.QLearner()),
        ("no second agent", "supervisor", fg.games.matching_pennies),
        ("common interest", "coordination", lambda: TWO_BAD),
        ("conflict", "matching_pennies", lambda: TWO_GOOD),
        ("mixed motives", "prisoners_dilemma", lambda: TWO_GOOD),
        ("no run finds the optimum of the climbing", "climbing", lambda: SAFE),
        ("optimism", "climbing", lambda: BAD),
        ("hunt the hare", "HUNT", ((4.0, 0.0), (1.0, 1.0))),
        ("one learner for both", "climbing", lambda: BAD),
        ("common value", "climbing", lambda: SAFE),
        ("common critic", "climbing", lambda: SAFE),
        ("safe joint action", "penalty", lambda k: SAFE),
        ("fictitious play", "matching_pennies", lambda: TWO_GOOD),
        ("ever longer", "rock_paper_scissors", fg.games.matching_pennies),
        ("models of frequencies", "climbing", lambda: SAFE),
        ("cycles, evenly", "rock_paper_scissors", lambda: UNEVEN),
        ("cycles, evenly", "SelfPlay", lambda given: fg.FixedPolicy([1 / 3] * 3)),
        ("of chicken the same policy", "SelfPlay", lambda given: given),
    ],
)  # fmt: skip
def test_a_claim_that_does_not_hold_is_noticed(monkeypatch, words, name, other):
    monkeypatch.setattr(module, name, other)
    assert not claim(words).find(FEW).ok


@pytest.mark.parametrize(
    ("words", "payoffs"),
    [
        ("naive gradients", ((0.0, -3.0), (-1.0, -2.0))),
        ("gradients through", ((-2.0, -2.0), (-2.0, -2.0))),
    ],
)
def test_iterated_games_other_than_the_dilemma_are_noticed(monkeypatch, words, payoffs):
    monkeypatch.setattr(team_gradients, "DILEMMA", payoffs)
    assert not claim(words).find(FEW).ok


def test_rewards_without_own_parts_are_noticed(monkeypatch):
    few, bar = Arguments(20, 200), bar_nights.bar
    assert claim("difference rewards").find(few).ok
    monkeypatch.setattr(bar_nights, "bar", lambda *given, rewards: bar(*given, rewards="team"))
    assert not claim("difference rewards").find(few).ok


def test_words_of_claims_have_their_thresholds():
    """The margins are those of `pair_coordination`, whatever the runs show."""
    assert module.MARGIN == pair_coordination.TOLERANCE == 0.04
    assert module.all_runs(0.96) and not module.all_runs(0.959)
    assert module.no_runs(0.04) and not module.no_runs(0.041)
    assert module.most_runs(0.51) and not module.most_runs(0.5)
    assert module.few_runs(0.49) and not module.few_runs(0.5)
    for each in chapter_claims.CLAIMS:
        assert each.basis
        bound = {"all runs": "at least 0.96", "no run ": "at most 0.04", "most runs": "more than"}
        for words, expected in bound.items():
            assert words not in each.says or each.expected.startswith(expected)


@pytest.mark.parametrize("words", ["variance of REINFORCE", "the part of the others"])
def test_variances_of_another_game_are_noticed(monkeypatch, words):
    total = module.adding(5).payoffs[0]
    monkeypatch.setattr(module, "adding", lambda members: fg.MatrixGame([1.2 * total] * members))
    assert not claim(words).find(FEW).ok


def test_a_critic_that_is_not_exact_leaves_variance(monkeypatch):
    total = module.adding(5).payoffs[0]
    noisy = [{"q": (total + np.random.default_rng(1).normal(size=total.shape)).reshape(1, -1)}]
    find = module.spread(fg.COMA(1.0, 0.0), noisy + [{}] * 4, 0.0)
    assert not find(FEW).ok


def test_the_mean_step_of_grpo_is_its_closed_form(monkeypatch):
    group = module.GROUP
    shares = np.arange(group + 1) / group
    chances = np.array([comb(group, k) for k in range(group + 1)]) / 2**group
    exact = chances @ np.sqrt(shares * (1 - shares))
    assert exact == pytest.approx(module.MEAN_STEP, abs=1e-12)
    assert exact == pytest.approx(0.404006, abs=1e-6)
    monkeypatch.setattr(module, "MEAN_STEP", 0.349880)  # of the sample deviation
    assert not claim("group of plays").find(FEW).ok


@pytest.mark.parametrize("name", ["two-step game, VDN", "two-step game, QMIX"])
def test_earnings_away_from_the_claim_are_noticed(name):
    value = 8.0 if name.endswith("VDN") else 7.0
    assert not module.decomposed(name, module.team_values.earned, value)(FEW).ok


def test_shares_of_joint_actions_by_hand():
    learner = fg.QLearner(initial=np.array([[[0.0, 1]], [[1.0, 0]], [[0.0, 1]]]))
    result = fg.run(TWO_GOOD, [learner, learner], 1, 3, start_tables=None, backend="reference")
    one, other = (result.greedy(i)[:, 0].tolist() for i in range(2))
    pairs = list(zip(one, other, strict=True))
    assert module.at(result, (1, 1)).value == pytest.approx(pairs.count((1, 1)) / 3)
    assert module.at(result, (1, 1), (0, 0)).value == pytest.approx(
        (pairs.count((1, 1)) + pairs.count((0, 0))) / 3
    )


def test_every_claim_has_a_row_in_order():
    report = chapter_claims.chapter(replicas=2, steps=20)
    assert [row.what for row in report.rows[:-1]] == [
        f"{each.section}: {each.says}" for each in chapter_claims.CLAIMS
    ]
    assert {"climbing, COMA", "climbing, hysteretic", "two-step game, QMIX"} <= set(report.results)
    labels = [text.get_text() for text in report.figure.axes[0].get_yticklabels()]
    assert labels == [
        "independent Q-learners", "hysteretic", "one learner for all", "MAPPO", "COMA",
        "joint action learners",
    ]  # fmt: skip
