"""The claims of the chapter: each notices runs that contradict it."""

from math import comb

import numpy as np
import pytest

import fastgames as fg
from fastgames.papers import chapter_claims as module
from fastgames.papers.arguments import Arguments

FEW = Arguments(20, 2_000)


def claim(words):
    (found,) = [each for each in module.CLAIMS if words in each.says]
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
        ("they miss the optimum", "climbing", lambda: SAFE),
        ("optimism", "climbing", lambda: BAD),
        ("hunt the hare", "stag_hunt", lambda: TWO_GOOD),
        ("one learner for all", "climbing", lambda: BAD),
        ("common critic", "climbing", lambda: BAD),
        ("REINFORCE ends at", "penalty", lambda k: SAFE),
        ("fictitious play", "matching_pennies", lambda: TWO_GOOD),
        ("models of frequencies", "climbing", lambda: SAFE),
        ("cycles, evenly", "rock_paper_scissors", lambda: UNEVEN),
        ("defects less", "prisoners_dilemma", lambda: fg.MatrixGame([[[0, 0], [0, 9]]] * 2)),
        ("naive gradients", "DILEMMA", ((0.0, -3.0), (-1.0, -2.0))),
        ("gradients through", "DILEMMA", ((-2.0, -2.0), (-2.0, -2.0))),
    ],
)  # fmt: skip
def test_a_claim_that_does_not_hold_is_noticed(monkeypatch, words, name, other):
    monkeypatch.setattr(module, name, other)
    assert not claim(words).find(FEW).ok


@pytest.mark.parametrize("words", ["variance of REINFORCE", "the part of the others"])
def test_variances_of_another_game_are_noticed(monkeypatch, words):
    total = module.adding(5).payoffs[0]
    monkeypatch.setattr(module, "adding", lambda members: fg.MatrixGame([1.2 * total] * members))
    assert not claim(words).find(FEW).ok


def test_a_critic_that_is_not_exact_leaves_variance(monkeypatch):
    total = module.adding(5).payoffs[0]
    noisy = [{"q": (total + np.random.default_rng(1).normal(size=total.shape)).reshape(1, -1)}]
    find = module._spread(fg.COMA(1.0, 0.0), noisy + [{}] * 4, 0.0)
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
    assert not module._decomposed(name, module.team_values.earned, value)(FEW).ok


def test_shares_of_joint_actions_by_hand():
    learner = fg.QLearner(initial=np.array([[[0.0, 1]], [[1.0, 0]], [[0.0, 1]]]))
    result = fg.run(TWO_GOOD, [learner, learner], 1, 3, start_tables=None, backend="reference")
    one, other = (result.greedy(i)[:, 0].tolist() for i in range(2))
    pairs = list(zip(one, other, strict=True))
    assert module._at(result, (1, 1)).value == pytest.approx(pairs.count((1, 1)) / 3)
    assert module._at(result, (1, 1), (0, 0)).value == pytest.approx(
        (pairs.count((1, 1)) + pairs.count((0, 0))) / 3
    )


def test_every_claim_has_a_row_in_order():
    report = module.chapter(replicas=2, steps=20)
    assert [row.what for row in report.rows[:-1]] == [
        f"{each.section}: {each.says}" for each in module.CLAIMS
    ]
    assert {"climbing, COMA", "climbing, hysteretic", "two-step game, QMIX"} <= set(report.results)
    labels = [text.get_text() for text in report.figure.axes[0].get_yticklabels()]
    assert labels == [
        "independent Q-learners", "hysteretic", "one learner for all", "COMA",
        "joint action learners",
    ]  # fmt: skip
