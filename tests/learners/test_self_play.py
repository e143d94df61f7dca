"""Self-play: shared tables, the pool of past ones, and what it refuses."""

import pickle

import numpy as np
import pytest

import fastgames as fg

PD = fg.games.prisoners_dilemma()
RPS = fg.games.rock_paper_scissors()


def test_seats_update_one_table_in_order():
    learner = fg.SelfPlay(fg.QLearner(0.5))
    opening = np.array([[0, 1], [1, 1]])
    result = fg.run(PD, learner, 2, rng=1, backend="reference", opening=opening)
    own = PD.payoffs[0]
    sucker, temptation, punishment = own[0, 1], own[1, 0], own[1, 1]
    q = np.array([0.5 * sucker, 0.5 * temptation])
    for _ in range(2):  # both defect in the second step
        q[1] += 0.5 * (punishment - q[1])
    assert result.tables[0]["q"][0, 0].tolist() == q.tolist()
    assert result.tables[1]["q"] is result.tables[0]["q"]


def _alone(turns, terminal, time_limit):
    """A random Markov game of one agent."""
    rng = np.random.default_rng(5)
    states, actions = 5, 3
    transitions = rng.dirichlet(np.ones(states), (states, actions))
    rewards = rng.normal(size=(1, states, actions))
    ends = np.arange(states) == 4 if terminal else None
    moves = np.array([[True, False, True, False, True]]) if turns else None
    return fg.MarkovGame(
        rewards, transitions, 0.9, terminal=ends, turns=moves, time_limit=time_limit
    )


@pytest.mark.parametrize(
    "inner",
    [
        fg.QLearner(0.1),
        fg.QLearner(fg.VisitCount(), explore=fg.Softmax(1.0)),
        fg.QLearner(fg.ByVisits(fg.Linear(0.5, 0.1, 9.0), "action")),
        fg.Sarsa(0.1),
        fg.LenientQ(),
        fg.WoLFPHC(),
        fg.ActorCritic(),
        fg.Reinforce(gamma=0.0),
    ],
    ids=lambda inner: inner.name,
)
@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("terminal, time_limit", [(True, None), (False, 7)])
def test_one_seat_learns_as_its_learner_does(inner, turns, terminal, time_limit):
    game = _alone(turns, terminal, time_limit)
    alone = fg.run(game, inner, 300, 2, rng=3, backend="reference")
    result = fg.run(game, fg.SelfPlay(inner), 300, 2, rng=3, backend="reference")
    assert alone.tables[0]["q" if "q" in alone.tables[0] else "logits"].any()
    for name, table in alone.tables[0].items():
        np.testing.assert_array_equal(result.tables[0][name], table)
    np.testing.assert_array_equal(result.policy(0), alone.policy(0))


INNER = {
    "softmax": fg.QLearner(0.1, explore=fg.Softmax(0.5)),
    "visits": fg.QLearner(fg.VisitCount(), explore=fg.EpsilonGreedy(0.3)),
    "sarsa": fg.Sarsa(0.2),
    "words": fg.LenientQ(),
    "columns": fg.RegretMatching(),
    "no words": fg.FictitiousPlay(),
}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("pool", [0, 3])
@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
def test_compiled_rules_give_the_bits_of_the_reference(inner, pool, dtype):
    learner = fg.SelfPlay(inner, pool=pool, interval=7)
    record = fg.Record(flips=True)
    runs = [
        fg.run(RPS, learner, 60, 3, rng=1, backend=backend, dtype=dtype, record=record)
        for backend in ("reference", "numba")
    ]
    for one, two in zip(runs[0].tables, runs[1].tables, strict=True):
        for name, table in one.items():
            np.testing.assert_array_equal(two[name], table)
    np.testing.assert_array_equal(runs[0].flips, runs[1].flips)


def test_pool_holds_the_tables_of_every_so_many_steps():
    learner = fg.SelfPlay(
        fg.QLearner(0.3, explore=fg.Softmax(1.0), initial=2.0), pool=3, interval=5
    )
    record = fg.Record(every=5, tables=("q",))
    result = fg.run(RPS, learner, 25, 2, rng=2, backend="reference", record=record)
    was = result.snapshots.tables[0]["q"]  # (6, replicas, 1, 3), at steps 0, 5, …, 25
    past = result.tables[0]["past_q"]
    for entry, step in enumerate((15, 20, 25)):
        np.testing.assert_array_equal(past[:, entry], was[step // 5])
    early = fg.run(RPS, learner, 9, 2, rng=2, backend="reference").tables[0]["past_q"]
    np.testing.assert_array_equal(early[:, 0], np.full((2, 1, 3), 2.0))
    np.testing.assert_array_equal(early[:, 1], was[1])


def test_only_the_first_seat_learns_with_a_pool():
    learner = fg.SelfPlay(fg.QLearner(1.0), pool=2)
    opening = np.array([[0, 1]])
    result = fg.run(PD, learner, 1, rng=1, backend="reference", opening=opening)
    assert result.tables[0]["q"][0, 0].tolist() == [PD.payoffs[0][0, 1], 0.0]


def test_other_seats_play_entries_of_the_pool_with_equal_probabilities():
    learner = fg.SelfPlay(fg.QLearner(0.0001, explore=fg.EpsilonGreedy(0.0)), pool=4)
    past = np.zeros((4, 1, 3))
    past[0, 0, 0] = past[1, 0, 1] = past[2, 0, 2] = past[3, 0, 2] = 1.0
    result = fg.run(
        RPS, learner, 400, 20, rng=4, backend="reference",
        start_tables=[{"past_q": past, "updates": np.array([4000])}, None],
        record=fg.Record(joint_actions=True),
    )  # fmt: skip
    counts = result.joint_counts.sum(axis=(0, 1))
    n = counts.sum()
    chances = np.array([0.25, 0.25, 0.5])
    assert n == 8000
    assert (np.abs(counts - n * chances) < 5 * np.sqrt(n * chances * (1 - chances))).all()
    assert set(result.tables[1]["copy"].ravel()) == {1, 2, 3, 4}
    assert (result.tables[0]["copy"] == 0).all()


def test_policies_of_all_seats_are_those_of_the_current_tables():
    learner = fg.SelfPlay(fg.QLearner(0.3, explore=fg.Softmax(1.0)), pool=2, interval=10)
    result = fg.run(RPS, learner, 50, 2, rng=2, backend="reference")
    np.testing.assert_array_equal(result.policy(0), result.policy(1))


def test_a_copy_is_kept_for_a_whole_episode():
    stage = np.broadcast_to(RPS.payoffs[:, None], (2, 1, 3, 3))
    game = fg.MarkovGame(stage, np.zeros((1, 3, 3), int), 0.9, time_limit=10)
    learner = fg.SelfPlay(fg.QLearner(0.1), pool=5, interval=1000)
    start = [{"updates": np.array([4000])}, None]
    played = [
        fg.run(game, learner, steps, 50, rng=3, backend="reference", start_tables=start).tables[1][
            "copy"
        ][:, 0]
        for steps in (10, 19, 20)
    ]
    np.testing.assert_array_equal(played[0], played[1])
    assert (played[1] != played[2]).any()


@pytest.mark.parametrize(
    "learner, error, text",
    [
        (fg.VDN(), ValueError, "controls several agents"),
        (fg.JointActionLearner(), ValueError, "learns from what each of the others does"),
        (fg.FixedPolicy([0.5, 0.5]), ValueError, "must be one that learns, such"),
        ("q", TypeError, "learner must be a registered learner"),
    ],
)
def test_learners_that_cannot_share_tables_are_refused(learner, error, text):
    with pytest.raises(error, match=text):
        fg.SelfPlay(learner)


def test_games_that_are_not_symmetric_are_refused():
    with pytest.raises(ValueError, match=r"agent 0 gets 1 at joint action \(0, 0\), and agent 1"):
        fg.run(fg.games.matching_pennies(), fg.SelfPlay(), 9, rng=1)
    with pytest.raises(ValueError, match="must be a game of tables for SelfPlay"):
        fg.run(fg.games.el_farol(4, capacity=2), fg.SelfPlay(), 9, rng=1)
    fg.run(
        fg.games.el_farol(4, capacity=2), fg.SelfPlay(unchecked=True), 9, rng=1, backend="reference"
    )


def test_learners_of_whole_episodes_are_refused_unless_gamma_is_0():
    stage = np.broadcast_to(RPS.payoffs[:, None], (2, 1, 3, 3))
    game = fg.MarkovGame(stage, np.zeros((1, 3, 3), int), 0.9, time_limit=10)
    with pytest.raises(ValueError, match="gamma of 'reinforce' must be 0 in SelfPlay"):
        fg.run(game, fg.SelfPlay(fg.Reinforce()), 20, rng=1)
    fg.run(game, fg.SelfPlay(fg.Reinforce(gamma=0.0)), 20, rng=1, backend="reference")


def test_groups_longer_than_the_run_are_refused():
    with pytest.raises(ValueError, match="group of learners"):
        fg.run(PD, fg.SelfPlay(fg.GRPO(8)), 7, rng=1)


def test_files_and_pickles_hold_the_learner(tmp_path):
    learner = fg.SelfPlay(fg.QLearner(0.3, explore=fg.Softmax(1.0)), pool=2, interval=10)
    assert pickle.loads(pickle.dumps(learner)) == learner
    result = fg.run(RPS, learner, 30, 2, rng=2, backend="reference")
    result.save(tmp_path / "a.fg")
    loaded = fg.load(tmp_path / "a.fg")
    assert loaded.learners[0] == learner
    for i in range(2):
        for name, table in result.tables[i].items():
            np.testing.assert_array_equal(loaded.tables[i][name], table)
    more = [fg.run(RPS, learner, 20, resume=x, backend="reference") for x in (result, loaded)]
    whole = fg.run(RPS, learner, 50, 2, rng=2, backend="reference")
    for each in more:
        np.testing.assert_array_equal(each.tables[1]["q"], whole.tables[1]["q"])
        np.testing.assert_array_equal(each.tables[0]["past_q"], whole.tables[0]["past_q"])
