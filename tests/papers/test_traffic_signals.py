"""The traffic study: its learners by hand, its plan, its counts, and rows that would notice."""

import importlib
from functools import partial

import numpy as np
import pytest

import fastgames as fg
from fastgames.games.catalogue.traffic import traffic as traffic_game
from fastgames.rules.outcome import TeamOutcome

study = importlib.import_module("fastgames.papers.traffic_signals")
REFERENCE = {"backend": "reference", "progress": False}


def observation(north_south, east_west, green):
    """Return an agent's observation: the class of each axis, of five, and the one with green."""
    return (north_south * 5 + east_west) * 2 + green


def test_the_critic_sees_crowded_neighbours_and_learns_by_hand():
    learner = study.critic_team(100, 1.0)
    rng = np.random.default_rng(3)
    advantage = [rng.normal(size=(50, 2)) for _ in range(4)]
    critic = [rng.normal(size=(50, 9)) for _ in range(4)]
    # On the grid 0 1 / 2 3 agents 0 and 1, 2 and 3 are neighbours along east-west.
    before = np.array([observation(*x) for x in ((3, 2, 0), (0, 4, 1), (2, 3, 0), (4, 4, 1))])
    after = np.array([observation(*x) for x in ((2, 2, 1), (3, 3, 0), (4, 0, 0), (0, 3, 1))])
    digests = {  # by hand: 3 * crowded neighbours north or south + crowded ones west or east
        "before": (0 + 1, 3 + 0, 3 + 1, 0 + 1),
        "after": (3 + 1, 0 + 0, 0 + 1, 3 + 0),
    }
    actions, rewards = np.array([0, 1, 1, 0]), np.array([-1.0, -2.0, -3.0, -4.0])
    tables = [a.copy() for a in advantage], [c.copy() for c in critic]
    outcome = TeamOutcome(before, actions, rewards, 0.9, after, False, (0.0,) * 4)
    learner.rules.learn((tuple(tables[0]), tuple(tables[1])), (0.25, 0.5, 0.1, 1.0), outcome)
    for i in range(4):
        cell = before[i], digests["before"][i]
        value = critic[i][after[i], digests["after"][i]]
        error = rewards[i] + 0.9 * value - critic[i][cell]
        critic[i][cell] += 0.5 * error
        own = before[i], actions[i]
        advantage[i][own] += 0.25 * (error - advantage[i][own])
        np.testing.assert_allclose(tables[1][i], critic[i], rtol=1e-13)
        np.testing.assert_allclose(tables[0][i], advantage[i], rtol=1e-13)


def test_without_neighbours_the_critic_has_one_digest_and_actors_never_see_it():
    game = traffic_game(levels=study.LEVELS, time_limit=60)
    result = fg.run(game, study.critic_team(300, np.array([0.0, 1.0])), 300, 2, 3, **REFERENCE)
    for tables in result.tables:
        assert np.any(tables["critic"][0, :, 0] != 0.0)
        assert not np.any(tables["critic"][0, :, 1:])
        assert np.any(tables["critic"][1, :, 1:] != 0.0)
        assert tables["advantage"].shape == (2, 50, 2)


def test_the_plan_and_what_it_counts():
    game = traffic_game(levels=study.LEVELS, time_limit=study.EPISODE)
    steps = 2 * study.EPISODE
    result = fg.run(
        game, study.planned(5, 3, 2), steps, 1, 3, fg.Record(rewards=True, joint_actions=True),
        **REFERENCE,
    )  # fmt: skip
    clock = np.arange(steps) % study.EPISODE
    played = [(clock + ahead) % 8 >= 5 for ahead in (0, 2, 2, 4)]
    expected = np.zeros((2, 2, 2, 2), int)
    np.add.at(expected, tuple(np.array(played, int)), 1)
    np.testing.assert_array_equal(result.joint_counts[0], expected)
    for tables, reward in zip(result.tables, result.mean_reward[0], strict=True):
        assert tables["clock"].tolist() == [[0]]
        assert tables["delay"].sum() / steps == pytest.approx(-reward, rel=1e-12)


def test_frozen_agents_play_what_they_prefer():
    game = traffic_game(levels=study.LEVELS, time_limit=study.EPISODE)
    trained = fg.run(game, fg.QLearner(), 400, 3, 3, **REFERENCE)
    driven = fg.run(
        game, study.frozen(trained, slice(1, 3)), 200, 2, 4, fg.Record(rewards=True), **REFERENCE
    )
    policies = [fg.FixedPolicy(np.eye(2)[trained.greedy(i)[1:]]) for i in range(4)]
    same = fg.run(game, policies, 200, 2, 4, fg.Record(rewards=True), **REFERENCE)
    np.testing.assert_array_equal(driven.mean_reward, same.mean_reward)


@pytest.fixture
def small(monkeypatch):
    """A study of a few steps."""
    monkeypatch.setattr("fastgames.papers.arguments.run", partial(fg.run, backend="reference"))
    monkeypatch.setattr(study, "GREENS", (4, 9))
    monkeypatch.setattr(study, "OFFSETS", (0,))
    monkeypatch.setattr(study, "TRIALS", 1)
    monkeypatch.setattr(study, "EPISODES", 1)


def test_a_small_study_has_all_there_is(small, tmp_path):
    report = study.traffic(replicas=2, steps=300, out=tmp_path / "traffic.png")
    assert (tmp_path / "traffic.png").stat().st_size > 10_000
    assert report.results["team"].replicas == 4
    assert report.results["independent"].replicas == 2
    assert sum(row.ok is not None for row in report.rows) == 3
    plan, alone = (report.results[f"{name} drives"] for name in ("plan", "independent"))
    nature = [result.state.streams[:, 4] for result in (plan, alone)]
    np.testing.assert_array_equal(*nature)  # so the same vehicles arrived
    text = {row.what: row.found for row in report.rows}
    surge = np.arange(study.EPISODE) % 80 >= 40
    found = plan.tables[0]["delay"][:, surge].mean()
    assert text["fixed plan: delay in surges"].startswith(f"{found:.2f} (")


def test_learners_that_do_not_beat_the_plan_are_noticed():
    rng = np.random.default_rng(5)
    surge = study.in_surge()
    delays = {name: rng.normal(5.0, 0.1, (30, study.EPISODE))
              for name in (study.PLAN, study.ALONE, study.OWN, study.SEEING)}  # fmt: skip
    delays[study.OWN][:, ~surge] -= 3.0  # better, but not in surges
    delays[study.OWN][:, surge] += 0.1
    delays[study.SEEING][:, surge] -= 1.0
    verdicts = [row.ok for row in study._rows((9, 9, 0), delays) if row.ok is not None]
    assert verdicts[1:] == [False, True]
    delays[study.ALONE] += 0.1
    assert not any(r.ok for r in study._rows((9, 9, 0), delays) if "independent" in r.what)


@pytest.mark.slow
def test_trained_signals_beat_the_plan_in_the_surges():
    report = study.traffic(replicas=30, rng=11)
    assert report.ok
    assert [row.ok for row in report.rows].count(True) == 3
    delays = {name: result.tables[0]["delay"][:, study.in_surge()].mean() / study.EPISODES
              for name, result in report.results.items() if name.endswith("drives")}  # fmt: skip
    assert max(delays, key=delays.get) == "plan drives"
