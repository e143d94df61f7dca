"""The reproduction of pairs in coordination games: shares by hand, and rows that notice."""

import numpy as np
import pytest

import fastgames as fg
from fastgames import papers
from fastgames.papers import pair_coordination as module
from fastgames.papers.arguments import Arguments


def at(cells, game):
    """Return a result whose greedy joint actions are `cells`, one for each replica."""
    tables = [{"q": np.eye(3)[[cell[i] for cell in cells]][:, None]} for i in range(2)]
    learner = fg.QLearner(1e-9)
    return fg.run(game, learner, 1, len(cells), rng=1, start_tables=tables, backend="reference")


def test_shares_by_hand():
    cells = [(0, 0), (1, 2), (1, 2), (2, 2), (2, 1)]
    for name, best in (("climbing", 0.2), ("penalty", 0.4)):
        result = at(cells, module.GAMES[name])
        assert module.joint_actions(result).tolist() == [0, 5, 5, 8, 7]
        assert module.share(result, name, "(b, c)").value == pytest.approx(0.4)
        assert module.share(result, name, "(c, b)").value == pytest.approx(0.2)
        assert module.share(result, name, module.BEST).value == pytest.approx(best)


def test_one_agent_chooses_the_joint_action():
    game = module.one_agent(fg.games.climbing())
    assert game.payoffs[0].tolist() == [11, -30, 0, -30, 7, 6, 0, 0, 5]


def test_shares_away_from_print_are_noticed():
    asked = Arguments(1_000, module.STEPS)
    cells = [(0, 1)] * 1_000  # nobody ends here
    results = {
        f"{name}, {kind}": at(cells, game)
        for name, game in module.GAMES.items()
        for kind in module.learners()
    }
    rows = module._rows(results, asked)
    wrong = {row.what for row in rows if not row.ok}
    printed = [
        (f"{name}, {kind}: share of runs at {cell}", value)
        for name, kinds in module.PRINTED.items()
        for kind, shares in kinds.items()
        for cell, value in shares.items()
    ]
    assert wrong == {what for what, value in printed if value > module.TOLERANCE}
    assert {row.expected for row in rows} >= {"0.891 ± 0.040", "0.966 ± 0.040"}


def test_other_steps_are_not_compared():
    report = papers.coordination(replicas=2, steps=20)
    assert {row.ok for row in report.rows} == {None}
    assert len(report.results) == 10
