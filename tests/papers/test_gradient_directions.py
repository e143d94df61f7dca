"""Directions of single steps: chances by enumeration, and rows that notice other learners."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames.papers import gradient_directions as module
from fastgames.papers.arguments import Arguments

FEW = Arguments(20, 400)


@pytest.mark.parametrize("agents", range(1, 7))
@pytest.mark.parametrize("baseline", ["none", "value"])
def test_chances_of_steps_uphill_by_enumeration(agents, baseline):
    joint = np.array(list(itertools.product((0, 1), repeat=agents)))
    paid = joint.all(axis=1) - (0.5**agents if baseline == "value" else 0.0)
    steps = paid[:, None] * (joint - 0.5)
    assert module.uphill(agents, baseline) == (steps.sum(axis=1) > 0).mean()


def test_only_one_joint_action_pays():
    game = module.all_or_nothing(3)
    assert game.payoffs.sum() == 3 and (game.payoffs[:, 1, 1, 1] == 1).all()


@pytest.mark.parametrize(
    "other",
    [
        lambda *steps, baseline: fg.MADDPG(
            *steps, baseline="none" if baseline == "value" else "value"
        ),
        lambda *steps, baseline: fg.MADDPG(0.0, 0.0, baseline=baseline),
    ],
    ids=["the other baseline", "no steps"],
)
def test_another_learner_than_maddpg_is_noticed(monkeypatch, other):
    assert all(row.ok for row in module.rows_of_critics(FEW))
    monkeypatch.setattr(module, "MADDPG", other)
    assert not any(row.ok for row in module.rows_of_critics(FEW))


def test_a_policy_that_does_not_start_evenly_is_noticed(monkeypatch):
    monkeypatch.setattr(module, "Reinforce", lambda step: fg.Reinforce(step, initial=[0.0, 0.5]))
    assert not any(row.ok for row in module.rows_of_directions(FEW))
