"""The reproduction of policy gradients: games and closed forms by hand, and rows that notice."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames.papers import team_gradients as module
from fastgames.papers.arguments import Arguments
from fastgames.papers.estimate import Estimate

FEW = Arguments(20, 400)


@pytest.mark.parametrize("agents", [1, 2, 5])
def test_variances_by_enumeration(agents):
    """The step of agent 0 from uniform play is (reward - baseline) (a_0 - 1/2)."""
    joint = np.array(list(itertools.product((0, 1), repeat=agents)))
    total, score = joint.sum(axis=1), joint[:, 0] - 0.5
    noise = module.NOISE**2 / 4.0  # of a score of 1/2 in size
    for kind, baseline, extra in (
        ("REINFORCE", 0.0, noise),
        ("REINFORCE, baseline N / 2", agents / 2, noise),
        ("actor-critic, value N / 2", agents / 2, noise),
        ("actor-critic, value N / 2, no noise", agents / 2, 0.0),
        ("COMA, exact critic", total - joint[:, 0] + 0.5, 0.0),
    ):
        steps = (total - baseline) * score
        assert steps.mean() == pytest.approx(0.25)
        assert module.KINDS[kind][3](agents) == pytest.approx(steps.var() + extra)


@pytest.mark.parametrize("divisor", module.DEVIATIONS)
@pytest.mark.parametrize(("group", "chance"), module.GROUPS)
def test_mean_steps_of_groups_by_enumeration(group, chance, divisor):
    expected = 0.0
    for plays in itertools.product((0.0, 1.0), repeat=group):
        paid = np.array(plays)
        weight = np.prod(np.where(paid > 0, chance, 1 - chance))
        advantage = paid - paid.mean()
        if divisor != "none" and paid.std() > 0:
            advantage /= paid.std(ddof=int(divisor == "sample"))
        expected += weight * (advantage * (paid - chance)).mean()
    assert module.mean_step(group, chance, divisor) == pytest.approx(expected)


def test_games_with_and_without_noise():
    plain, noisy = module.adding(3), module.adding(3, 1.0)
    assert plain.payoffs[1, 1, 0, 1] == 2.0
    record = fg.Record(path=1)
    result = fg.run(noisy, fg.FixedPolicy([0.0, 1.0]), 1, 4_000, rng=1, record=record)
    rewards = result.path.rewards[:, 0]
    assert (rewards == rewards[:, :1]).all()
    assert rewards[:, 0].mean() == pytest.approx(3.0, abs=0.07)
    assert rewards[:, 0].std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("central", [False, True])
def test_a_step_of_actors_with_exact_critics(central):
    game = module.adding(3)
    logits = [np.array([0.0, x]) for x in (0.3, -0.4, 1.0)]
    chances = [1 / (1 + np.exp(-x[1])) for x in logits]
    result = fg.run(
        game, module.exact_actors(0.5, central), 1, 5, rng=2, record=fg.Record(path=1),
        start_tables=[{"logits": x} for x in logits], backend="reference",
    )  # fmt: skip
    for replica, actions in enumerate(result.path.actions[:, 0]):
        advantage = actions.sum() - sum(chances)
        for i, action in enumerate(actions):
            step = 0.5 * advantage * (action - chances[i])
            found = result.tables[i]["logits"][replica, 0]
            np.testing.assert_allclose(found, logits[i] + [-step, step], atol=1e-7)


def test_rewards_of_the_iterated_dilemma():
    """(1 - gamma) V of logits 0 is -1.5; always defecting pays -2, cooperating -1."""
    even = module.iterate(Arguments(3, 1), 0.0)
    for first, value in ((0.0, -1.5), (40.0, -1.0), (-40.0, -2.0)):
        learner = fg.LOLA(0.0, 0.0, initial=module._logits(np.full(5, first)))
        found = module.paid(fg.run(module.dilemma(), learner, 1, 2, rng=1, backend="reference"))
        np.testing.assert_allclose(found, value, atol=1e-9)
    assert module.paid(even).shape == (3,)


def test_rows_notice_what_differs():
    off = {
        key: Estimate(*[1.05 * np.sqrt(module.KINDS[key[1]][3](key[0])) + 1e-3] * 3)
        for key in itertools.product(module.TEAMS, module.KINDS)
    }
    rows = module._rows_of_variances(off, Arguments(1_000, 400))
    assert not any(row.ok for row in rows)
    curve = np.linspace(0.5, 0.95, 30)
    exact = np.stack([curve, np.zeros(30)])
    curves = dict.fromkeys(itertools.product((2, 8), module.PRINTED_UPDATES), exact)
    rows = {row.what: row.ok for row in module._rows_of_training(curves, Arguments(1_000, 400))}
    done = int(np.flatnonzero(curve > 0.9)[0])
    assert abs(done - 28) <= 2  # which is right for two kinds, and too soon for others
    assert not rows["2 agents, REINFORCE: updates until the mean chance is 0.9"]
    assert rows["2 agents, COMA with the exact critic: updates until the mean chance is 0.9"]
    assert not rows["8 agents, REINFORCE: updates until the mean chance is 0.9"]
    assert not rows["8 agents, actors with the exact value: updates until the mean chance is 0.9"]
    assert not rows["8 agents, REINFORCE: mean chance after 400 updates"]


def test_first_steps_that_differ_are_noticed(monkeypatch):
    assert all(row.ok for row in module._rows_of_first_steps(FEW))
    monkeypatch.setattr(module, "DILEMMA", ((-1.0, -3.0), (0.0, -2.1)))
    assert not any(row.ok for row in module._rows_of_first_steps(FEW))


def test_means_that_differ_are_noticed(monkeypatch):
    assert module.near(Estimate(1.0, 0.9, 1.1), 1.19)
    assert not module.near(Estimate(1.0, 0.9, 1.1), 1.21)
    monkeypatch.setattr(module, "mean_step", lambda group, chance, divisor: 0.3)
    rows = [row for row in module._rows_of_groups(FEW) if "one left out" not in row.what]
    assert len(rows) == 12
    assert not any(row.ok for row in rows)
