"""PHC and WoLF-PHC against the paper: its tables of the algorithms, and where they settle.

Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial Intelligence 136
(2002).
"""

from itertools import pairwise

import numpy as np
import pytest
from library.rules import outcomes

import fastgames as fg
from fastgames.learners import hill_climbing

# --- the rules, beside Tables 5 and 6 in plain NumPy --------------------------------------------

WIN, LOSE = 0.01 * np.sqrt(2), 0.01 * np.sqrt(7)  # no policy is its average but for rounding


def _textbook_step(policy, q, o, delta):
    """Table 5, step (c)."""
    greedy = q[o].argmax()
    moved = np.minimum(policy[o], delta / (len(q[o]) - 1))
    moved[greedy] = 0.0
    policy[o] -= moved
    policy[o, greedy] += moved.sum()


def _textbook_q(q, t, alpha):
    """Table 5, step (b)."""
    best = 0.0 if t.ended else q[t.next_observation].max()
    o, a = t.observation, t.action
    q[o, a] = (1 - alpha) * q[o, a] + alpha * (t.gain + t.weight * best)


@pytest.mark.parametrize("delta", [0.003, 0.2, 1.0])
@pytest.mark.parametrize("actions", [2, 5])
def test_phc_is_table_5(actions, delta):
    rng = np.random.default_rng(1)
    rules = fg.PHC().rules
    tables = rules.as_tables((np.full((3, actions), 1 / actions), np.zeros((3, actions))))
    policy, q = (table.copy() for table in tables)
    for t in outcomes(rng, 500, 3, actions):
        hill_climbing.learn(tables, rules.as_p([0.1, 0.9, 0.0, delta]), t)
        _textbook_q(q, t, 0.1)
        _textbook_step(policy, q, t.observation, delta)
        np.testing.assert_allclose(tables[1], q, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(tables[0], policy, atol=1e-12)


@pytest.mark.parametrize("actions", [2, 5])
def test_wolf_phc_is_table_6(actions):
    rng = np.random.default_rng(2)
    uniform = np.full((3, actions), 1 / actions)
    rules = fg.WoLFPHC().rules
    tables = rules.as_tables(
        (uniform.copy(), np.zeros((3, actions)), uniform.copy(), np.zeros(3, np.int64))
    )
    policy, q, average, visits = (table.copy() for table in tables)
    won = 0
    for t in outcomes(rng, 500, 3, actions):
        hill_climbing.learn_wolf(tables, rules.as_p([0.5, 0.9, 0.0, WIN, LOSE]), t)
        o = t.observation
        _textbook_q(q, t, 0.5)
        visits[o] += 1
        average[o] += (policy[o] - average[o]) / visits[o]
        wins = policy[o] @ q[o] > average[o] @ q[o]
        _textbook_step(policy, q, o, WIN if wins else LOSE)
        won += wins
        for table, expected in zip(tables, (policy, q, average, visits), strict=True):
            np.testing.assert_allclose(table, expected, rtol=1e-12, atol=1e-12)
    assert 20 < won < 480


# --- what follows from them ---------------------------------------------------------------------


def test_policies_remain_distributions():
    """However long and with whatever steps: no error adds up."""
    actions = 7
    game = fg.MatrixGame(np.random.default_rng(1).normal(size=(2, actions, actions)))
    learner = fg.WoLFPHC(0.1, np.array([1e-5, 3e-4, 0.3]), np.array([2e-5, 1e-3, 0.7]))
    record = fg.Record(every=1000, tables=("policy",))
    arguments = {"replicas": 3, "rng": 1, "record": record, "backend": "numba"}
    result = fg.run(game, learner, steps=300_000, dtype="float32", **arguments)
    for tables in result.snapshots.tables:
        policy = tables["policy"].astype(np.float64)
        assert policy.min() >= 0.0
        assert abs(policy.sum(axis=-1) - 1).max() <= actions * np.finfo(np.float32).eps


def test_a_step_of_1_plays_the_greedy_action():
    game = fg.games.random_markov_game(2, 4, 3, rng=1)
    result = fg.run(game, fg.PHC(delta=1.0), steps=400, replicas=5, rng=1, backend="reference")
    played = result.tables[0]["policy"]
    seen = result.tables[0]["q"].any(axis=-1)
    assert seen.sum() > 15
    np.testing.assert_array_equal(
        played[seen], np.eye(3)[result.tables[0]["q"].argmax(axis=-1)][seen]
    )


def test_wolf_with_equal_steps_is_phc():
    game = fg.games.random_markov_game(2, 4, 3, rng=1)
    arguments = {"steps": 400, "replicas": 5, "rng": 1, "backend": "reference"}
    one = fg.run(game, fg.PHC(delta=0.03), **arguments)
    other = fg.run(game, fg.WoLFPHC(0.1, 0.03, 0.03), **arguments)
    for name in ("policy", "q"):
        np.testing.assert_array_equal(one.tables[1][name], other.tables[1][name])


def test_the_average_is_that_of_the_policies_played():
    learner = fg.WoLFPHC(0.1, 0.01, 0.02)
    record = fg.Record(every=1, tables=("policy",))
    arguments = {"replicas": 5, "rng": 1, "record": record, "backend": "reference"}
    result = fg.run(fg.games.shapley(), learner, steps=200, **arguments)
    played = result.snapshots.tables[0]["policy"][:-1]  # before each step
    assert (played[0] == 1 / 3).all()
    np.testing.assert_allclose(result.tables[0]["average"], played.mean(axis=0), rtol=1e-12)
    assert (result.tables[0]["visits"] == 200).all()


@pytest.mark.parametrize("learner", [fg.PHC(delta=0.01), fg.WoLFPHC(0.1, 0.005, 0.01)])
def test_learns_the_best_response_to_a_fixed_policy(learner):
    """They are rational (the paper, section 4)."""
    game = fg.games.rock_paper_scissors()
    rival = fg.FixedPolicy([0.5, 0.2, 0.3])  # mostly rock: paper is best
    result = fg.run(game, [learner, rival], steps=5000, replicas=20, rng=1)
    assert (result.tables[0]["policy"][:, 0].argmax(axis=-1) == 1).all()
    assert result.tables[0]["policy"][:, 0, 1].mean() > 0.95


def test_plays_what_its_policy_says():
    game = fg.games.rock_paper_scissors()
    arguments = {"record": fg.Record(joint_actions=True), "backend": "reference"}
    result = fg.run(game, fg.PHC(delta=0.02), steps=50, rng=1)
    frozen, steps = fg.PHC(alpha=0.0, delta=0.0, epsilon=0.3), 10_000
    played = fg.run(game, frozen, steps=steps, resume=result, **arguments)
    table = [result.tables[i]["policy"][0, 0] for i in range(2)]
    expected = np.outer(*(0.3 / 3 + 0.7 * row for row in table))
    np.testing.assert_allclose(np.outer(*(played.policy(i)[0, 0] for i in range(2))), expected)
    deviation = np.sqrt(expected * (1 - expected) / steps)
    assert (abs(played.joint_counts[0] / steps - expected) < 4 * deviation).all()


def test_winning_may_not_be_faster_than_losing():
    with pytest.raises(ValueError, match=r"delta_win must be at most delta_lose, which is 0.001"):
        fg.WoLFPHC(delta_win=0.002, delta_lose=0.001)
    with pytest.raises(ValueError, match=r"which is 0.5, got 0.6 at index 1"):
        fg.WoLFPHC(delta_win=np.array([0.1, 0.6]), delta_lose=fg.Linear(0.5, 0.1, 10))
    with pytest.raises(ValueError, match=r"same number of replicas, got 2 and 3"):
        fg.WoLFPHC(delta_win=np.array([0.1, 0.2]), delta_lose=np.array([0.3, 0.3, 0.3]))


# --- where they settle (the paper, sections 5.1 and 5.4) ----------------------------------------

KNOTS = [0, 5_000, 15_000, 35_000, 75_000, 155_000, 300_000, 600_000]


def _distances(game, make):
    """Return the distance of the policies from uniform in the second half, (snapshots, replicas).

    make(rate): a learner; rate(f): a schedule that follows f(t), straight between the KNOTS. The
    distance is the largest of |probability - 1 / A| over agents and actions.
    """
    stand = {"replicas": 16, "rng": 1}
    for start, end in pairwise(KNOTS):
        learner = make(lambda f, s=start, e=end: fg.Linear(f(s), f(e), e - s))
        record = fg.Record(every=1000, tables=("policy",))
        result = fg.run(game, learner, steps=end - start, record=record, backend="numba", **stand)
        stand = {"resume": result}
    assert result.steps.tolist() == [KNOTS[-1]] * 16
    policies = [tables["policy"] for tables in result.snapshots.tables]
    return np.max([abs(x - 1 / x.shape[-1]).max(axis=(2, 3)) for x in policies], axis=0)


def _delta(t):
    return 1 / (20_000 + t)


def _phc(start):
    """PHC with alpha = 1 / (start + t / 10,000) and delta = 1 / (20,000 + t)."""
    return lambda rate: fg.PHC(rate(lambda t: 1 / (start + t / 10_000)), rate(_delta))


def _wolf(start, ratio):
    """WoLF-PHC with that alpha, that delta where it wins, and `ratio` times it where it loses."""
    return lambda rate: fg.WoLFPHC(
        rate(lambda t: 1 / (start + t / 10_000)), rate(_delta), rate(lambda t: ratio * _delta(t))
    )


@pytest.mark.parametrize(
    ("game", "start"), [(fg.games.matching_pennies(), 100), (fg.games.rock_paper_scissors(), 50)]
)
def test_wolf_settles_where_phc_circles(game, start):
    # Rock-paper-scissors with 100: one run in 64 is still on its way.
    assert _distances(game, _wolf(start, 2)).max() < 0.035
    assert _distances(game, _phc(start)).max(axis=0).min() > 0.07


def test_three_players_settle_with_a_ratio_of_3_and_not_of_2():
    game = fg.games.jordan()
    assert _distances(game, _wolf(100, 3)).max() < 0.05
    assert _distances(game, _wolf(100, 2)).max(axis=0).min() > 0.4  # they visit the boundary
