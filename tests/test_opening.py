"""Runs whose first joint actions the caller gives."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.contract import Generator, Textbook, Words
from library.equal import assert_same
from library.every import FEW, each_backend, each_dtype
from library.games import game_of_states
from library.runs import core_as

import fastgames as fg
from fastgames.engine import driver

PENNIES = fg.games.matching_pennies()
DILEMMA = fg.games.prisoners_dilemma()
MEMORY = fg.remember(DILEMMA, discount=0.9)
RECORD = fg.Record(joint_actions=True, rewards=True, flips=True)


def opened(textbook, rng, steps):
    """Take steps with random joint actions, in which an agent that does not move has 0."""
    for _ in range(steps):
        moves = textbook.world.turns[:, textbook.state]
        textbook.opening.append(tuple((rng.integers(textbook.num_actions) * moves).tolist()))
        textbook.step()
    return textbook


def assert_follows(result, textbooks):
    """The replicas hold the bits of these textbooks."""
    for replica, textbook in enumerate(textbooks):
        for i, q in enumerate(textbook.q):
            assert result.tables[i]["q"][replica].tobytes() == q.tobytes()
        assert result.flips[replica].tolist() == textbook.flips
        assert result.states[replica] == textbook.state


@pytest.mark.usefixtures("passes_for_all_sizes")
@FEW
@each_backend
@each_dtype
@given(
    seed=st.integers(0, 2**64 - 1),
    agents=st.integers(2, 3),
    chances=st.booleans(),
    starts=st.booleans(),
    sarsa=st.booleans(),
    length=st.integers(1, 9),
    steps=st.integers(0, 20),
)
def test_an_opening_follows_the_contract(
    backend, dtype, seed, agents, chances, starts, sarsa, length, steps
):
    rng, real = np.random.default_rng(seed), np.dtype(dtype).type
    game = game_of_states(rng, agents, chances, starts)
    make = fg.Sarsa if sarsa else fg.QLearner
    learners = [make(fg.Linear(0.9, 0.1, 30), 0.8, fg.EpsilonGreedy(0.4))] * agents
    textbooks = [Textbook(game, learners, real, Words(seed, r, real), r) for r in range(3)]
    opening = [opened(textbook, rng, length).opening for textbook in textbooks]
    more = {"dtype": dtype, "backend": backend, "record": RECORD, "opening": opening}
    result = fg.run(game, learners, length + steps, 3, seed, **more)
    assert_follows(result, [textbook.play(steps) for textbook in textbooks])


@each_backend
def test_a_generator_draws_as_without_an_opening(backend):
    learner = fg.QLearner(0.3, explore=fg.EpsilonGreedy(0.5))
    source = Generator(np.random.default_rng(4))
    textbook = Textbook(MEMORY, [learner] * 2, np.float64, source)
    opening = opened(textbook, np.random.default_rng(1), 6).opening
    more = {"stream": "numpy", "record": RECORD, "backend": backend}
    assert_follows(fg.run(MEMORY, learner, 20, rng=4, opening=opening, **more), [textbook.play(14)])


def test_all_learners_learn_from_an_opening_with_the_same_bits(learner_kind):
    game = learner_kind.game(PENNIES)
    learner = learner_kind.made(game)
    seats = [learner, fg.FixedPolicy([0.4, 0.6])] if learner_kind.learner == "minimax_q" else None
    seats = seats or [learner, learner]
    steps = max(7, learner.least_steps)
    opening = np.random.default_rng(3).integers(0, 2, (3, steps, 2))
    call = {"steps": steps + 13, "replicas": 3, "rng": 5, "record": RECORD}
    expected = fg.run(game, seats, backend="reference", opening=opening, **call)
    assert_same(fg.run(game, seats, backend="numba", opening=opening, **call), expected)
    if learner.rules.twin is not None:
        assert_same(fg.run(game, seats, opening=opening, **call), expected)
    counts = fg.run(game, seats, opening=opening, **call | {"steps": steps}).joint_counts
    for replica, played in enumerate(opening):
        np.testing.assert_array_equal(
            counts[replica], np.histogram2d(*played.T, bins=2, range=[(0, 1)] * 2)[0]
        )
    streams = fg.run(game, seats, **call).state.streams
    np.testing.assert_array_equal(expected.state.streams, streams)


@each_backend
def test_sarsa_learns_from_the_actions_of_the_opening(backend):
    """Its next action is that of the opening too, not the one that it chose."""
    sarsa = fg.Sarsa(0.5, 0.5, fg.EpsilonGreedy(0.0))
    opening = [(1, 0), (0, 1), (0, 0)]
    result = fg.run(MEMORY, sarsa, 3, rng=1, backend=backend, opening=opening)
    q, state, pays = np.zeros((4, 2)), 0, DILEMMA.payoffs[0]
    for here, there in itertools.pairwise(opening):
        reached = 2 * here[0] + here[1]
        target = pays[here] + 0.5 * q[reached, there[0]]
        q[state, here[0]] += 0.5 * (target - q[state, here[0]])
        state = reached
    np.testing.assert_allclose(result.tables[0]["q"][0], q, rtol=1e-15)


@pytest.mark.parametrize("backend", ["numba", "reference"])
def test_importance_weights_are_those_of_the_opening(backend):
    """After one step, the weight of the action played is exp(mixing x / (A p)), x in [0, 1]."""
    exp3 = fg.Exp3(0.2, low=-1)
    for a, b in np.ndindex(2, 2):
        result = fg.run(PENNIES, exp3, 1, 4, rng=2, backend=backend, opening=[a, b])
        x = (PENNIES.payoffs[0, a, b] + 1) / 2
        expected = np.full(2, -0.2 * x / (2 * 0.5))
        expected[a] = 0.0  # the largest is shifted to 0
        log_weights = result.tables[0]["log_weights"]
        np.testing.assert_allclose(log_weights, np.broadcast_to(expected, (4, 1, 2)), rtol=1e-15)


LEARNERS = {
    "in columns": (DILEMMA, fg.QLearner(0.3, 0.0)),
    "in columns and rows": (DILEMMA, [fg.QLearner(0.3, 0.0), fg.ExpectedSarsa(0.3, 0.9)]),
    "falling": (MEMORY, fg.QLearner(explore=fg.EpsilonGreedy(fg.Exponential(0.9, 0.1)))),
    "softmax": (MEMORY, fg.QLearner(fg.Linear(0.5, 0.1, 9), explore=fg.Softmax(0.5))),
    "visits": (MEMORY, fg.Sarsa(fg.VisitCount())),
    "counterfactual": (DILEMMA, fg.QLearner(counterfactual=True)),
    "fixed": (MEMORY, [fg.QLearner(), fg.FixedPolicy([0.2, 0.8])]),
    "team": (fg.games.stag_hunt(), fg.COMA()),
}


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("stop", [None, fg.Stable(4)])
@pytest.mark.parametrize("name", LEARNERS)
def test_blocks_threads_and_cuts_do_not_change_the_bits(name, stop, tmp_path):
    """Replicas of all kinds take the lanes of those that stopped, in and after their opening."""
    game, learners = LEARNERS[name]
    opening = np.random.default_rng(7).integers(0, 2, (40, 9, 2))
    record = fg.Record(joint_actions=True, flips=True, path=5)
    call = {"replicas": 40, "rng": 3, "record": record, "stop": stop}
    whole = fg.run(game, learners, 30, opening=opening, backend="reference", **call)
    for capacity, threads in ((16, 1), (3, 1), (16, 2)):
        with core_as(None, capacity):
            assert_same(fg.run(game, learners, 30, opening=opening, threads=threads, **call), whole)
    for cut in (4, 9, 12):
        part = fg.run(game, learners, cut, opening=opening, **call)
        part.save(tmp_path / "part.npz")
        part = fg.load(tmp_path / "part.npz")
        rest = {"resume": part, "record": record, "stop": stop}
        assert_same(fg.run(game, learners, 30 - cut, **rest), whole)
        assert_same(fg.run(game, learners, 30 - cut, backend="reference", **rest), whole)


@each_backend
def test_a_resumed_run_may_have_an_opening_of_its_own(backend):
    """Firms deviate once, and learn on; it replaces what is left of the opening before."""
    call = {"rng": 1, "record": fg.Record(path=4), "backend": backend}
    first = fg.run(MEMORY, fg.QLearner(), 5, 2, opening=np.zeros((9, 2), int), **call)
    more = call | {"rng": None, "resume": first}
    then = fg.run(MEMORY, fg.QLearner(), 2, opening=[[[1, 0]], [[1, 1]]], **more)
    assert then.path.actions[:, -2].tolist() == [[1, 0], [1, 1]]
    assert then.path.actions[:, -4:-2].tolist() == [[[0, 0]] * 2] * 2
    left = fg.run(MEMORY, fg.QLearner(), 4, opening=[1, 1], **more)
    one = fg.run(MEMORY, fg.QLearner(), 1, opening=[1, 1], **more)
    unopened = fg.run(MEMORY, fg.QLearner(), 3, **more | {"resume": one})
    assert_same(left, unopened)
    assert left.state.opening is None


@each_backend
def test_an_interrupted_opening_goes_on_from_a_checkpoint(backend, tmp_path, monkeypatch):
    """Where replicas wait for a lane, their opening is to come, that of others is over."""
    opening = np.random.default_rng(7).integers(0, 2, (3, 30, 2))
    call = {"steps": 50, "replicas": 3, "rng": 3, "opening": opening, "backend": backend}
    whole = fg.run(MEMORY, fg.QLearner(), **call)

    run, path = driver.run, tmp_path / "run.npz"

    def take_once(work, *others):
        taken = [lambda most: work.todo[:1]]

        def take(most):
            if not taken:
                raise KeyboardInterrupt
            return taken.pop()(most)

        work.take = take
        run(work, *others)

    with monkeypatch.context() as patch:
        patch.setattr(driver, "run", take_once)
        with pytest.raises(fg.Interrupted) as caught:
            fg.run(MEMORY, fg.QLearner(), checkpoint=path, **call)
    assert caught.value.result.state.opening is not None
    with pytest.raises(ValueError, match="of another call: opening"):
        fg.run(MEMORY, fg.QLearner(), checkpoint=path, **call | {"opening": opening[::-1]})
    for _ in range(2):  # the second call only reads the file
        assert_same(fg.run(MEMORY, fg.QLearner(), checkpoint=path, **call), whole)
    with pytest.raises(ValueError, match="of another call: opening"):
        fg.run(MEMORY, fg.QLearner(), checkpoint=path, **call | {"opening": None})


def test_games_of_functions_have_openings():
    def step(state, actions, rewards, words):
        rewards[:] = 10 * actions[0] + actions[1]
        return False

    game = fg.ProceduralGame(
        lambda state, words: None, step, lambda state, agent: 0,
        num_actions=(3, 4), num_observations=(1, 1), largest_reward=40.0,
    )  # fmt: skip
    opening = [[(2, 3), (0, 1), (1, 2)], [(1, 1), (2, 2), (0, 0)]]
    call = {"record": fg.Record(path=3), "backend": "reference", "opening": opening}
    result = fg.run(game, fg.QLearner(gamma=0.0), 3, 2, rng=1, **call)
    np.testing.assert_array_equal(result.path.actions, opening)
    assert result.path.rewards[:, :, 1].tolist() == [[23, 1, 12], [11, 22, 0]]


def choose(tables, p, o, signal, s):
    return 1 if tables.q[o, 1] + p.bonus * s.step > tables.q[o, 0] else 0


def learn(tables, p, t):
    for i in range(len(t.actions)):
        tables.q[t.observation, t.action] += p.bonus * t.rewards[i]


def policy(tables, p, o, out):
    out[:] = 1.0 / len(out)


def test_learners_of_users_learn_from_an_opening():
    mine = fg.Learner(
        choose, learn, {"bonus": fg.Linear(0.1, 0.4, 9)}, policy=policy, words=0, joint=True
    )
    call = {"steps": 25, "replicas": 5, "rng": 2, "record": RECORD}
    call["opening"] = np.random.default_rng(1).integers(0, 2, (5, 12, 2))
    seats = [mine, fg.QLearner(0.5)]
    expected = fg.run(MEMORY, seats, backend="reference", **call)
    assert_same(fg.run(MEMORY, seats, **call), expected)
    assert not np.array_equal(
        expected.joint_counts, fg.run(MEMORY, seats, **call | {"opening": None}).joint_counts
    )


def test_an_opening_may_be_of_one_step_of_all_replicas_or_of_each():
    call = {"steps": 9, "replicas": 3, "rng": 1}
    one = fg.run(PENNIES, fg.QLearner(), opening=[1, 0], **call)
    assert_same(fg.run(PENNIES, fg.QLearner(), opening=[[1, 0]], **call), one)
    assert_same(fg.run(PENNIES, fg.QLearner(), opening=[[[1, 0]]] * 3, **call), one)


ALTERNATING = fg.MarkovGame(
    np.zeros((2, 2, 2, 2)), np.array([np.ones((2, 2), int), np.zeros((2, 2), int)]), 0.9,
    turns=[0, 1],
)  # fmt: skip


@each_backend
def test_an_agent_that_does_not_move_must_have_action_0(backend):
    fits = [[(1, 0), (0, 1), (0, 0)]] * 3
    call = {"steps": 5, "replicas": 3, "rng": 1, "backend": backend}
    fg.run(ALTERNATING, fg.QLearner(), opening=fits, **call)
    wrong = np.array(fits)
    wrong[2, 1, 0] = 1
    message = (
        "opening must have action 0 for agent 0, which does not move in this state, got 1 "
        "(replica 2, step 1)"
    )
    with pytest.raises(fg.RuleError, match=re.escape(message)) as caught:
        fg.run(ALTERNATING, fg.QLearner(), opening=wrong, **call)
    assert (caught.value.function, caught.value.value) == ("opening", 1)


@pytest.mark.parametrize(
    ("opening", "error", "message"),
    [
        ([0, 2], ValueError, "must be in [0, 2) for agent 1, got opening[1] = 2"),
        ([[0, 0], [-1, 0]], ValueError, "in [0, 2) for agent 0, got opening[1, 0] = -1"),
        ([[[0, 1]] * 3, [[1, 7]] * 3], ValueError, "for agent 1, got opening[1, 0, 1] = 7"),
        ([0, 0, 0], ValueError, "must have shape (2, K, 2), (K, 2) or (2,), the joint actions of"),
        ([[[0, 0]]] * 3, ValueError, "must have shape (2, K, 2)"),
        ([[[0, 0]]], ValueError, "must have shape (2, K, 2)"),
        ([[[[0, 0]]]], ValueError, "must have shape (2, K, 2)"),
        (np.zeros((0, 2), int), ValueError, "the first K >= 1 steps, got shape (0, 2)"),
        (np.zeros((2, 0, 2), int), ValueError, "the first K >= 1 steps, got shape (2, 0, 2)"),
        (1, ValueError, "must have shape (2, K, 2)"),
        ([0.0, 1.0], TypeError, "must hold whole numbers, got dtype float64"),
        ([[0, 0], [0]], ValueError, "rectangular"),
    ],
)  # fmt: skip
def test_openings_that_cannot_be(opening, error, message):
    with pytest.raises(error, match="opening .*" + re.escape(message)):
        fg.run(PENNIES, fg.QLearner(), 3, replicas=2, rng=1, opening=opening)
