"""Tables that a run starts with, and agents that begin anew where a run resumes."""

import numpy as np
import pytest
from library.equal import assert_same
from library.every import each_backend
from library.runs import random_tables

import fastgames as fg
from fastgames.engine.spec import RunSpec

PENNIES = fg.games.matching_pennies()
RNG = np.random.default_rng(11)
UNTIL_STABLE = {"steps": 4000, "stop": fg.Stable(100, after=0.05), "record": fg.Record(flips=True)}


def test_all_backends_start_every_learner_with_given_tables(learner_kind):
    game = learner_kind.game(PENNIES)
    learner = learner_kind.made(game)
    seats = [learner, fg.FixedPolicy([0.4, 0.6])] if learner_kind.learner == "minimax_q" else None
    seats = seats or [learner, learner]
    agents = RunSpec(game, tuple(seats), replicas=3).agents
    given = [random_tables(agent, RNG) for agent in agents]
    steps = max(40, learner.least_steps)
    call = {"steps": steps, "replicas": 3, "rng": 5, "start_tables": given}
    expected = fg.run(game, seats, backend="reference", **call)
    assert_same(fg.run(game, seats, backend="numba", **call), expected)
    if learner.rules.twin is not None:
        assert_same(fg.run(game, seats, backend="cython", **call), expected)
    other = fg.run(game, seats, backend="reference", **call | {"start_tables": None})
    assert not learner.learns or not np.array_equal(
        expected.tables[0][learner.table], other.tables[0][learner.table]
    )


@each_backend
def test_values_may_be_those_of_initial(backend):
    q = RNG.normal(size=(5, 1, 2))
    call = {"steps": 50, "replicas": 5, "rng": 2, "backend": backend}
    expected = fg.run(PENNIES, [fg.QLearner(initial=q), fg.QLearner()], **call)
    result = fg.run(PENNIES, fg.QLearner(), start_tables=[{"q": q}, None], **call)
    assert_same(result, expected)


def test_strategies_follow_from_given_weights():
    """After one step, the mean of the strategies played is the first of them."""
    weights = np.array([[0.3, -0.2], [2.0, 1.0], [-1.0, -3.0]])[:, None, :]
    more = {"steps": 1, "replicas": 3, "rng": 3}
    power = {"eta": np.array([0.5, 1.0, 2.0])}
    hedge = fg.run(PENNIES, fg.Hedge(**power), start_tables=[{"regrets": weights}, None], **more)
    w = np.exp(power["eta"][:, None, None] * weights)
    hedged = w / w.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(hedge.tables[0]["average_strategy"], hedged, rtol=1e-14)

    exp3 = fg.Exp3(0.2, low=-1)
    bandit = fg.run(PENNIES, exp3, start_tables=[None, {"log_weights": weights}], **more)
    w = np.exp(weights)
    mixed = 0.8 * w / w.sum(axis=-1, keepdims=True) + 0.1
    np.testing.assert_allclose(bandit.tables[1]["average_strategy"], mixed, rtol=1e-14)

    given = [{"regrets": weights}, None]
    matching = fg.run(PENNIES, fg.RegretMatching(), start_tables=given, **more)
    matched = [[[1.0, 0.0]], [[2 / 3, 1 / 3]], [[0.5, 0.5]]]
    np.testing.assert_allclose(matching.tables[0]["average_strategy"], matched, rtol=1e-14)


def test_strategies_follow_with_parameters_that_count_visits():
    """eta is 4 / (1 + n) after n visits of the observation; a start may have a number of them."""
    hedge = fg.Hedge(fg.ByVisits(fg.Hyperbolic(4.0, 1.0), of="observation"))
    given = {"regrets": [1.0, 0.0], "visits_eta": [[0], [1], [3]]}
    result = fg.run(PENNIES, hedge, 1, 3, rng=0, start_tables=[given, None])
    expected = 1.0 / (1.0 + np.exp(-4.0 / np.array([1.0, 2.0, 4.0])))
    played = result.tables[0]["average_strategy"][:, 0, 0]
    np.testing.assert_allclose(played, expected, rtol=1e-14)
    by_action = fg.Hedge(fg.ByVisits(fg.Hyperbolic(4.0, 1.0), of="action"))
    with pytest.raises(ValueError, match="must be None or empty if eta counts visits of actions"):
        fg.run(PENNIES, by_action, 1, 3, rng=0, start_tables=[given, None])


def test_a_policy_may_start_anywhere():
    pure = [{"policy": [1.0, 0.0]}, {"policy": [[0.0, 1.0]]}]
    still = fg.WoLFPHC(delta_win=0.0, delta_lose=0.0, epsilon=0.0)
    result = fg.run(
        PENNIES, still, 20, 4, rng=1, record=fg.Record(joint_actions=True), start_tables=pure
    )
    np.testing.assert_array_equal(result.joint_counts[:, 0, 1], np.full(4, 20))


@each_backend
def test_edited_tables_may_be_given_where_a_run_resumes(backend):
    call = {"steps": 30, "backend": backend}
    begun = fg.run(PENNIES, fg.QLearner(), replicas=4, rng=1, **call)
    edited = fg.run(PENNIES, fg.QLearner(), replicas=4, rng=1, **call)
    edited.tables[1]["q"][2] = [[3.0, -1.0]]
    given = begun.tables[1]["q"].copy()
    given[2] = [[3.0, -1.0]]
    result = fg.run(PENNIES, fg.QLearner(), resume=begun, start_tables=[None, {"q": given}], **call)
    assert_same(result, fg.run(PENNIES, fg.QLearner(), resume=edited, **call))


SCHEDULED = fg.QLearner(0.2, explore=fg.EpsilonGreedy(fg.Exponential(1.0, 1e-2)))


@each_backend
def test_reset_tables_are_those_of_a_new_run(backend):
    """An entrant replaces a firm once both have converged."""
    game = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
    converged = fg.run(game, SCHEDULED, replicas=4, rng=1, backend=backend, **UNTIL_STABLE)
    assert converged.stopped.all()
    by_hand = fg.run(game, SCHEDULED, replicas=4, rng=1, backend=backend, **UNTIL_STABLE)
    by_hand.tables[1]["q"][...] = 0.0
    by_hand.state.stable[...] = 0
    call = {**UNTIL_STABLE, "backend": backend}
    reset = fg.run(game, SCHEDULED, resume=converged, reset={1: "tables"}, **call)
    assert_same(reset, fg.run(game, SCHEDULED, resume=by_hand, **call))
    assert (reset.steps > converged.steps).all()


@each_backend
def test_reset_schedules_begin_at_step_0(backend):
    """As those of a learner that is not equal to its predecessor."""
    begun = fg.run(PENNIES, SCHEDULED, 60, 3, rng=1, backend=backend)
    other = fg.QLearner(0.2, explore=SCHEDULED.explore, initial=1.0)
    expected = fg.run(PENNIES, [SCHEDULED, other], 60, resume=begun, backend=backend)
    reset = fg.run(PENNIES, SCHEDULED, 60, resume=begun, backend=backend, reset={1: "schedules"})
    assert_same(reset, expected)
    kept = fg.run(PENNIES, SCHEDULED, 60, resume=begun, backend=backend)
    assert reset.state.seats[1].clock.tolist() == [60.0] * 3
    assert kept.state.seats[1].clock.tolist() == [120.0] * 3


def test_an_agent_that_is_named_begins_anew_in_both():
    begun = fg.run(PENNIES, SCHEDULED, 60, 3, rng=1)
    named = fg.run(PENNIES, SCHEDULED, 9, resume=begun, reset=[0])
    assert_same(named, fg.run(PENNIES, SCHEDULED, 9, resume=begun, reset={0: "both"}))
    half = fg.run(PENNIES, SCHEDULED, 9, resume=begun, reset={0: "tables"})
    both = fg.run(
        PENNIES,
        [fg.QLearner(0.2, explore=SCHEDULED.explore, initial=1.0), SCHEDULED],
        9,
        resume=begun,
        start_tables=[{"q": 0.0}, None],
    )
    assert_same(named, both)
    assert half.state.seats[0].clock.tolist() == [69.0] * 3


def climb(tables, p, t):
    """Move every member's parameters by its reward."""
    for i in range(len(t.actions)):
        tables.theta[i][t.observations[i], t.actions[i]] += p.alpha * t.rewards[i]


def choose(tables, p, observation, signal):
    return 0 if tables.theta[observation, 0] >= tables.theta[observation, 1] else 1


@pytest.mark.parametrize("backend", ["numba", "reference"])
def test_members_of_a_team_start_with_their_own_tables(backend):
    game = fg.games.prisoners_dilemma()
    team = fg.Learner(choose, climb, {"alpha": 0.5}, [fg.Table("theta")], words=0, team=True)
    thetas = [{"theta": [0.0, 1.0]}, {"theta": [2.0, 0.0]}]
    result = fg.run(game, team, 3, rng=0, backend=backend, start_tables=thetas)
    np.testing.assert_array_equal(result.tables[0]["theta"], [[[0.0, 1.0 + 3 * 0.5 * 5.0]]])
    np.testing.assert_array_equal(result.tables[1]["theta"], [[[2.0, 0.0]]])


def test_shared_tables_are_given_for_the_first_member_and_reset_together():
    game, team = fg.games.stag_hunt(), fg.COMA()
    shape = fg.run(game, team, 1, rng=0).tables[0]["q"].shape[1:]
    q = RNG.normal(size=shape)
    given = [{"q": q}, {"logits": [1.0, 2.0]}]
    call = {"steps": 20, "replicas": 2, "rng": 4, "start_tables": given}
    result = fg.run(game, team, backend="numba", **call)
    assert_same(result, fg.run(game, team, backend="reference", **call))
    with pytest.raises(ValueError, match=r"start_tables\[1\]\['q'\] must be given for agent 0"):
        fg.run(game, team, 1, rng=0, start_tables=[None, {"q": q}])
    with pytest.raises(ValueError, match=r"tables of all or no agents of the team \(0, 1\)"):
        fg.run(game, team, 1, resume=result, reset=[1])
    anew = fg.run(game, team, 1, resume=result, reset=[1, 0]).tables[0]
    one_step = team.alpha_critic * np.abs(game.payoffs).max()
    assert np.abs(anew["q"]).sum(axis=(1, 2)).max() <= one_step
    again = fg.run(game, team, 1, resume=result, start_tables=[{"q": q}, None])
    changed = again.tables[1]["q"] != np.broadcast_to(q, (2, *shape))
    assert (changed.sum(axis=(1, 2)) <= 1).all()


def test_checkpoints_hold_what_a_call_gives(tmp_path):
    call = {"steps": 50, "replicas": 2, "rng": 1, "checkpoint": tmp_path / "run.npz"}
    given = [{"policy": [0.2, 0.8]}, None]
    result = fg.run(PENNIES, fg.PHC(), start_tables=given, **call)
    assert_same(fg.run(PENNIES, fg.PHC(), start_tables=given, **call), result)
    for other in (None, [{"policy": [0.3, 0.7]}, None]):
        with pytest.raises(ValueError, match="start_tables"):
            fg.run(PENNIES, fg.PHC(), start_tables=other, **call)
    resumed = {"steps": 5, "resume": result, "checkpoint": tmp_path / "more.npz"}
    reset = fg.run(PENNIES, fg.PHC(), reset=[0], **resumed)
    assert_same(fg.run(PENNIES, fg.PHC(), reset={0: "both"}, **resumed), reset)
    with pytest.raises(ValueError, match="reset"):
        fg.run(PENNIES, fg.PHC(), reset=[1], **resumed)


BAD_TABLES = {
    "must be a sequence of 2 mappings.*, got {}": {},
    "must be a sequence of 2 mappings.*, got 1": [None],
    r"start_tables\[1\] must be None or a mapping, got 3": [None, 3],
    r"one of 'policy', 'q', got 'polcy'; did you mean 'policy'": [{"polcy": 0}, None],
    r"\['policy'\] must sum to 1 over the actions, got 0.9": [{"policy": [0.1, 0.8]}, None],
    r"\['policy'\] must be at least 0, got .*\[1\] = -0.5": [{"policy": [1.5, -0.5]}, None],
    r"\['q'\] must be finite, got .* = nan": [{"q": [0.0, np.nan]}, None],
    r"\['q'\] must be at most .* in size, got 1e\+308": [{"q": 1e308}, None],
    r"\['q'\] must broadcast to \(3, 1, 2\), got shape \(2, 1, 2\)": [
        {"q": np.ones((2, 1, 2))},
        None,
    ],
    r"\['seen'\] must hold whole numbers, got dtype float64": [None, {"seen": 0.5}],
    r"\['seen'\] must be at least 0, got -1": [None, {"seen": -1}],
    r"\['strategy'\] must not be given: it follows": [None, {"strategy": [0.5, 0.5]}],
}


@pytest.mark.parametrize("problem", BAD_TABLES)
def test_wrong_tables_are_refused(problem):
    with pytest.raises((TypeError, ValueError), match=problem):
        fg.run(PENNIES, [fg.PHC(), fg.Hedge()], 1, 3, rng=0, start_tables=BAD_TABLES[problem])


def test_a_fixed_policy_has_no_tables_to_give():
    with pytest.raises(ValueError, match="for a learner that never learns, got tables 'proba"):
        fg.run(
            PENNIES, [fg.PHC(), fg.FixedPolicy([0.5, 0.5])], 1, rng=0,
            start_tables=[None, {"probabilities": [0.1, 0.9]}],
        )  # fmt: skip


BAD_RESETS = {
    r"an agent in reset must be a whole number in \[0, 2\), got 2": [2],
    r"an agent in reset must be a whole number in \[0, 2\), got 0.5": [0.5],
    "reset must be a sequence of agents, or a mapping": "0",
    r"reset\[0\] must be one of 'tables', 'schedules', 'both', got 'table'": {0: "table"},
}


@pytest.mark.parametrize("problem", BAD_RESETS)
def test_wrong_resets_are_refused(problem):
    begun = fg.run(PENNIES, fg.PHC(), 1, rng=0)
    with pytest.raises((TypeError, ValueError), match=problem):
        fg.run(PENNIES, fg.PHC(), 1, resume=begun, reset=BAD_RESETS[problem])


def test_only_a_run_that_resumes_can_reset():
    with pytest.raises(ValueError, match=r"reset must be None without resume, got \[0\]"):
        fg.run(PENNIES, fg.PHC(), 1, rng=0, reset=[0])


@pytest.mark.parametrize("name, value", [("policy", -0.5), ("visits", -1)])
def test_edited_tables_are_checked(name, value):
    begun = fg.run(PENNIES, fg.WoLFPHC(), 1, rng=0)
    begun.tables[1][name][0, 0] = value
    with pytest.raises(ValueError, match=rf"resume.tables\[1\]\['{name}'\] must be at least 0"):
        fg.run(PENNIES, fg.WoLFPHC(), 1, resume=begun)
