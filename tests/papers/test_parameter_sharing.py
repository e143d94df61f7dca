"""What parameter sharing costs: the game and rewards by hand, and rows that notice."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames.papers import parameter_sharing as module
from fastgames.papers.arguments import Arguments

FEW = Arguments(20, module.UPDATES)


@pytest.mark.parametrize("agents", [2, 4, 6])
def test_the_halves_have_to_play_apart(agents):
    payoffs, half = module.halves(agents).payoffs, agents // 2
    good = {(0,) * half + (1,) * half, (1,) * half + (0,) * half}
    for joint in itertools.product((0, 1), repeat=agents):
        assert (payoffs[(slice(None), *joint)] == (joint in good)).all()


@pytest.mark.parametrize("agents", [2, 4])
def test_rewards_of_policies_by_enumeration(agents):
    game, rng = module.halves(agents), np.random.default_rng(3)
    ones = rng.uniform(size=agents)
    players = [fg.FixedPolicy([[1 - p, p]]) for p in ones]
    result = fg.run(game, players, 1, 1, rng=1, backend="reference")
    expected = 0.0
    for joint in itertools.product((0, 1), repeat=agents):
        chance = np.prod(np.where(joint, ones, 1 - ones))
        expected += chance * game.payoffs[(0, *joint)]
    assert module.earned(result) == pytest.approx([expected], abs=1e-6)


def test_no_shared_policy_earns_more_than_an_even_one():
    ones = np.linspace(0.0, 1.0, 1_001)
    for agents in (2, 4, 6):
        rewards = 2.0 * (ones * (1.0 - ones)) ** (agents // 2)
        assert rewards.max() == rewards[500] == 2.0 / 2.0**agents


def swapped(kind):
    return lambda rollout, *, shared, initial: kind(rollout, shared=not shared, initial=initial)


def still(kind):
    return lambda rollout, *, shared, initial: kind(
        rollout, alpha_actor=0.0, shared=shared, initial=initial
    )


@pytest.mark.parametrize("name", module.SHARING)
def test_learners_that_share_otherwise_or_do_not_learn_are_noticed(monkeypatch, name):
    kind = module.SHARING[name]
    monkeypatch.setattr(module, "HALVES", (4,))
    for change, ok in ((lambda kind: kind, True), (swapped, False), (still, False)):
        monkeypatch.setattr(module, "SHARING", {name: change(kind)})
        results = {}
        rows = module.rows_of_sharing(FEW, results)
        assert [row.ok for row in rows] == [ok, ok]
        assert list(results) == [
            f"4 agents, {name}, {kind}" for kind in ("a shared policy", "own policies")
        ]


def test_fewer_updates_are_compared_with_the_bound_only():
    fewer = Arguments(20, 10)
    for rewards, ok in ((np.full(20, 0.12), True), (np.full(20, 0.13), False)):
        row = module._row_of_sharing(4, "IPPO", rewards, 0.125, True, fewer)
        assert (row.ok, row.expected) == (ok, "at most 0.125")
    row = module._row_of_sharing(4, "IPPO", np.full(20, 0.12), 0.125, False, fewer)
    assert (row.ok, row.expected) == (None, "")
