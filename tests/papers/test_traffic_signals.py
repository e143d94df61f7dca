"""The traffic study: its plans, its counts, and rows that notice learners that do worse."""

import importlib
from functools import partial

import numpy as np
import pytest

import fastgames as fg

study = importlib.import_module("fastgames.papers.traffic_signals")
REFERENCE = {"backend": "reference", "progress": False}


def test_a_plan_turns_each_light_an_offset_later_and_counts_the_delay_of_a_period():
    steps = 2 * study.EPISODE
    record = fg.Record(rewards=True, joint_actions=True)
    plan = study.planned(8, 12, 1, 4)
    clock = np.arange(steps)
    # East-west begins in steps 1, 5 and 9 of each period of 12 and lasts 8 steps.
    played = [(clock % 12 >= 1) & (clock % 12 < 9), (clock % 12 >= 5) | (clock % 12 < 1),
              (clock % 12 >= 9) | (clock % 12 < 5)]  # fmt: skip
    for k in (*range(1, 13), steps):  # whole periods do not tell the direction of the offset
        result = fg.run(study.street(), plan, k, 1, 3, record, **REFERENCE)
        expected = np.zeros((2, 2, 2), int)
        np.add.at(expected, tuple(np.array(played, int)[:, :k]), 1)
        np.testing.assert_array_equal(result.joint_counts[0], expected)
    for tables, reward in zip(result.tables, result.mean_reward[0], strict=True):
        assert tables["clock"].tolist() == [[0]]
        assert tables["delay"].sum() / steps == pytest.approx(-reward, rel=1e-12)


def test_delays_are_counted_by_step_of_the_period():
    steps = 3 * study.PERIOD
    expected, plan = np.zeros(study.PERIOD), study.planned(8, 12, 0, 0)
    total = 0.0
    for k in range(1, steps + 1):  # a run of one step more has the delay of this step more
        one = fg.run(study.street(), plan, k, 1, 3, fg.Record(rewards=True), **REFERENCE)
        now = -one.mean_reward[0, 0] * k
        expected[(k - 1) % study.PERIOD] += now - total
        total = now
    np.testing.assert_allclose(one.tables[0]["delay"][0], expected, atol=1e-9)


@pytest.mark.parametrize("learner", [fg.QLearner(), fg.IPPO(60, alpha_actor=5.0)])
def test_frozen_agents_play_what_they_prefer(learner):
    trained = fg.run(study.street(), learner, 480, 2, 3, **REFERENCE)
    policies = [fg.FixedPolicy(np.eye(2)[trained.greedy(i)]) for i in range(study.SIGNALS)]
    runs = [
        fg.run(study.street(), each, 200, 2, 4, fg.Record(rewards=True), **REFERENCE)
        for each in (study.frozen(trained), policies)
    ]
    np.testing.assert_array_equal(runs[0].mean_reward, runs[1].mean_reward)


def test_the_search_finds_the_best_plans(monkeypatch):
    monkeypatch.setattr(study, "CYCLES", (4,))
    monkeypatch.setattr(study, "TRIALS", 1)
    ran = partial(fg.run, backend="reference")
    monkeypatch.setattr("fastgames.papers.arguments.run", ran)
    asked = importlib.import_module("fastgames.papers.arguments").Arguments(2, 960, 5)
    best = study.search(study.street(), asked)
    delay = {}
    for begin in range(4):
        for offset in range(4):
            result = fg.run(
                study.street(), study.planned(2, 4, begin, offset), study.EPISODE, 16, 5,
                fg.Record(rewards=True), only=[4 * begin + offset], **REFERENCE,
            )  # fmt: skip
            delay[2, 4, begin, offset] = -result.mean_reward[0, 0]
    assert best[study.OFFSETS] == min(delay, key=delay.get)
    equal = {plan: each for plan, each in delay.items() if plan[3] == 0}
    assert best[study.EQUAL] == min(equal, key=equal.get)


def test_a_small_study_has_all_there_is(monkeypatch, tmp_path):
    for name, value in {"CYCLES": (4,), "TRIALS": 1, "EPISODES": 1, "ROLLOUT": 50}.items():
        monkeypatch.setattr(study, name, value)
    ran = partial(fg.run, backend="reference")
    monkeypatch.setattr("fastgames.papers.arguments.run", ran)
    report = study.traffic(replicas=2, steps=960, out=tmp_path / "traffic.png")
    assert (tmp_path / "traffic.png").stat().st_size > 10_000
    assert sum(row.ok is not None for row in report.rows) == 7
    tested = [report.results[f"{name}, tested"] for name in (study.OFFSETS, study.JOINT)]
    nature = [result.state.streams[:, study.SIGNALS] for result in tested]
    np.testing.assert_array_equal(*nature)  # so the same vehicles arrived
    text = {row.what: row.found for row in report.rows}
    found = tested[0].tables[0]["delay"].sum(axis=1).mean() / study.EPISODE
    assert text[f"{study.OFFSETS}: delay"].startswith(f"{found:.3f} (")


def test_each_row_notices_a_controller_that_does_worse():
    names = (study.OFFSETS, study.EQUAL, study.TEAM, study.DIFFERENCE, study.ARISTOCRAT, study.OWN,
             study.JOINT)  # fmt: skip
    rng = np.random.default_rng(5)
    plans = {study.OFFSETS: (8, 12, 0, 4), study.EQUAL: (8, 12, 0, 0)}

    def wrong(**changed):
        level = dict(zip(names, (1.6, 2.2, 2.2, 24.0, 1.3, 1.3, 1.3), strict=True))
        level |= {getattr(study, name): value for name, value in changed.items()}
        delays = {name: rng.normal(x, 0.01, (30, study.PERIOD)) for name, x in level.items()}
        return [row.what for row in study._rows(plans, delays) if row.ok is False]

    assert wrong() == []
    assert wrong(EQUAL=1.8) == ["share of delay that offsets save"]
    assert wrong(OWN=1.7) == [f"IPPO: less delay than {study.OFFSETS}"]
    assert wrong(JOINT=1.7) == [f"MAPPO: less delay than {study.OFFSETS}"]
    assert len(wrong(JOINT=2.3)) == len(wrong(ARISTOCRAT=2.3)) == 2
    assert len(wrong(DIFFERENCE=1.0)) == 1


@pytest.mark.slow
def test_signals_learn_to_coordinate():
    assert study.traffic(replicas=20, rng=11).ok
