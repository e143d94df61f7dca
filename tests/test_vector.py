"""VectorGame and Streams: the bits of the interpreted reference and of `run`."""

import contextlib
import copy
import pickle
import runpy
import threading
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from library.games import markov_games, matrix_games
from library.learners import AHEAD
from library.runs import core_as, setups

import fastgames as fg
from fastgames import _core, registry
from fastgames.engine import environments
from fastgames.engine.interpreted import FunctionWorld, TableWorld
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import fresh
from fastgames.learners.outside import Outside

BUILDS = _core.available()
CAPACITIES = st.sampled_from([16, 32, 1024])
SIZES = st.sampled_from([1, 2, 3, 15, 16, 17, 33])


def actions_for(game, agents, num_envs, rng):
    return np.stack([rng.integers(0, game.num_actions[i], num_envs) for i in agents])


def assert_like_the_reference(game, num_envs, steps, rng, dtype):
    """Random actions in all environments, beside the interpreted game."""
    envs = fg.VectorGame(game, num_envs, rng, dtype=dtype)
    agents, compact = range(game.num_agents), game.compact
    seats = tuple(Outside() for _ in agents)
    state = fresh(RunSpec(game, seats, num_envs, dtype, backend="reference"), rng)
    kind = FunctionWorld if isinstance(game, fg.ProceduralGame) else TableWorld
    worlds = [kind(game, state, r, None) for r in range(num_envs)]
    draw = np.random.default_rng(rng % 1000)

    def assert_shows(rows, views):
        assert rows.tolist() == [[view.observation for view in row] for row in views]

    def seen():
        return [[world.view(i) for world in worlds] for i in agents]

    assert_shows(envs.observations, seen())
    for _ in range(steps):
        actions = actions_for(game, agents, num_envs, draw)
        moves = np.array([[view.moves for view in row] for row in seen()])
        assert (envs.moves == moves).all()
        _, rewards, terminated, truncated = envs.step(actions)
        joints = np.where(moves, actions, 0).T
        taken = [w.step(tuple(j.tolist()), []) for w, j in zip(worlds, joints, strict=True)]
        expected = np.array([step.rewards for step in taken]).T.astype(dtype)
        assert rewards.tobytes() == expected.tobytes()
        assert terminated.tolist() == [step.ended for step in taken]
        assert truncated.tolist() == [step.over and not step.ended for step in taken]
        assert_shows(envs.next_observations, seen())
        for world, step in zip(worlds, taken, strict=True):
            if step.over:
                world.restart()
        assert_shows(envs.observations, seen())
    assert envs.states.tolist() == [np.asarray(world.state).tolist() for world in worlds]
    if compact.terminal is None and not compact.time_limit and kind is TableWorld:
        assert np.shares_memory(envs.next_observations, envs.observations)


@given(data=st.data())
def test_every_game_steps_as_the_reference(data):
    few = st.one_of(
        markov_games(), matrix_games(), st.sampled_from(TABLES).map(lambda make: make())
    )
    game, num_envs = data.draw(few), data.draw(SIZES)
    arguments = game, num_envs, data.draw(st.integers(1, 12)), data.draw(st.integers(0, 2**64 - 1))
    for build in BUILDS:
        with core_as(build, None), pytest.MonkeyPatch.context() as patch:
            patch.setattr(environments, "LANES", data.draw(CAPACITIES))
            assert_like_the_reference(*arguments, data.draw(st.sampled_from(registry.DTYPES)))


TABLES = [
    make for make in registry.GAMES.values() if not isinstance(make(), fg.ProceduralGame)
]  # fmt: skip
FUNCTIONS = sorted(set(registry.GAMES) - {make.__name__ for make in TABLES})


@pytest.mark.parametrize(
    "name",
    [n if n == "coin_game" else pytest.param(n, marks=pytest.mark.slow) for n in FUNCTIONS],
)
def test_games_of_functions_step_as_the_reference(name):
    for dtype in registry.DTYPES[:1] if name != "coin_game" else registry.DTYPES:
        assert_like_the_reference(registry.GAMES[name](), 130, 30, 7, dtype)


def play_by_hand(envs, agent, learner, dtype):
    """A function that chooses for a fixed policy by its interpreted rules."""
    rules, real = learner.rules, np.dtype(dtype).type
    table = np.broadcast_to(
        learner.start(envs.game, agent)["probabilities"],
        (envs.num_envs, envs.game.num_observations[agent], envs.game.num_actions[agent]),
    ).astype(dtype)
    streams = fg.Streams(envs.seed, envs.num_envs, agent)

    def act():
        signals = [real(rules.draw(int(u), (), 0, real)) for u in streams.words()[0]]
        return [
            rules.choose((table[r],), (), envs.observations[agent, r], signals[r])
            for r in range(envs.num_envs)
        ]

    return act, streams


@given(data=st.data())
def test_learners_inside_have_the_bits_of_a_run(data):
    setup = data.draw(setups(kinds=AHEAD, steps=12))
    game, replicas = setup.game, setup.replicas
    agents = range(game.num_agents)
    outside = data.draw(st.sets(st.sampled_from(agents), min_size=1))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    learners = list(setup.learners)
    for i in outside:
        p = rng.random((game.num_observations[i], game.num_actions[i])) + 0.01
        learners[i] = fg.FixedPolicy(p / p.sum(axis=1, keepdims=True))
    inside = [None if i in outside else learners[i] for i in agents]
    build = data.draw(st.sampled_from(BUILDS))
    result = setup.run(learners=tuple(learners), record=None, stop=None)
    capacity = data.draw(st.sampled_from([None, 16, 32]))
    with core_as(build, capacity):
        envs = fg.VectorGame(game, replicas, setup.rng, inside, setup.dtype)
        if capacity is not None and any(inside):
            assert environments.capacity(envs._spec) == min(capacity, -(-replicas // 16) * 16)
    hands = [play_by_hand(envs, i, learners[i], setup.dtype) for i in envs.agents]
    for _ in range(setup.steps):
        envs.step([act() for act, _ in hands])
    for i in agents:
        if i not in outside:
            for name, table in envs.tables(i).items():
                assert table.tobytes() == result.tables[i][name].tobytes()
            assert envs.policy(i).tobytes() == result.policy(i).tobytes()
    for i, (_, streams) in zip(envs.agents, hands, strict=True):
        assert (result.state.streams[:, i] == streams.state.T).all()
    assert (envs.states == result.states).all()


@given(
    games=st.integers(1, 40), role=st.integers(0, 3), count=st.integers(0, 9), seed=st.integers(0)
)
def test_streams_are_those_of_the_rules(games, role, count, seed):
    from fastgames.rules.streams import next_word, start

    seed %= 2**64
    streams = fg.Streams(seed, games, role)
    words = streams.words(count)
    streams.state[:] = 0  # a copy: nothing comes of it
    assert words.shape == (count, games) and words.dtype == np.int64
    for r in range(games):
        state = [0, 0, 0, 0]
        start(seed % 2**32, seed >> 32, r, role, state)
        assert words[:, r].tolist() == [next_word(state) >> 1 for _ in range(count)]
        assert streams.state[:, r].tolist() == state


def test_streams_of_many_replicas_do_not_depend_on_how_many():
    many = fg.Streams(5, 2**14 + 9, 1)
    assert (many.state[:, :7] == fg.Streams(5, 7, 1).state).all()
    single = fg.run(fg.games.matching_pennies(), fg.QLearner(), 1, 2**14 + 9, rng=5)
    many.words()
    assert (single.state.streams[:, 1] == many.state.T).all()


def through_a_pickle(thing):
    return pickle.loads(pickle.dumps(thing))


def pursuit():
    return fg.games.random_markov_game(
        2, 9, (3, 2), rng=1, transitions="random", terminal=2, start="random", time_limit=5
    )


def same(one, other):
    """Two lists of lists of arrays."""
    rows = zip(one, other, strict=True)
    return all((x == y).all() for xs, ys in rows for x, y in zip(xs, ys, strict=True))


@pytest.mark.parametrize("learners", [None, [None, fg.Sarsa()]])
def test_a_reset_with_a_seed_begins_anew(learners):
    rng = np.random.default_rng(0)
    envs = fg.VectorGame(pursuit(), 20, 3, learners)
    actions = [actions_for(envs.game, envs.agents, 20, rng) for _ in range(30)]

    def trace():
        return [[x.copy() for x in envs.step(a)] for a in actions]

    first = [envs.observations.copy(), trace(), envs.states]
    assert envs.reset(3) is envs.observations and envs.seed == 3
    assert not envs.rewards.any() and not envs.terminated.any()
    again = [envs.observations.copy(), trace(), envs.states]
    assert same(first[1], again[1])
    assert (first[0] == again[0]).all() and (first[2] == again[2]).all()
    envs.reset(4)
    assert not same(trace(), again[1])


def test_a_reset_without_a_seed_begins_an_episode_and_streams_go_on():
    game = pursuit()
    envs = fg.VectorGame(game, 300, 3, [None, fg.Sarsa()])
    zeros = np.zeros((1, 300), np.int64)
    for _ in range(3):
        envs.step(zeros)
    table = envs.tables(1)["q"]
    state = envs._state()
    streams = state.streams[:, -1].copy()
    envs.reset()
    assert (envs.tables(1)["q"] == table).all()  # nothing is learnt by it, and nothing lost
    assert (state.ages == 0).all()
    assert (state.seats[1].pending.observation == -1).all()
    sums = np.add.accumulate(game.compact.start_weights)
    for r in range(300):  # the next word of nature, as it is sampled
        world = TableWorld(game, state, r, None)
        world.stream[:] = streams[r]
        world.restart()
        assert world.state == envs.states[r]
        assert sums[world.state] > 0


@pytest.mark.parametrize("learners", [None, [None, fg.Sarsa()]])
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_a_pickle])
def test_a_copy_goes_on_with_the_same_bits(learners, again):
    rng = np.random.default_rng(0)
    envs = fg.VectorGame(pursuit(), 35, 3, learners, dtype="float32")
    actions = [actions_for(envs.game, envs.agents, 35, rng) for _ in range(20)]
    for a in actions:
        envs.step(a)
    other = again(envs)
    shown = ("observations", "next_observations", "rewards", "terminated", "truncated", "states")

    def equal():
        return all((getattr(envs, name) == getattr(other, name)).all() for name in shown)

    assert equal()
    for a in actions:
        envs.step(a)
    assert not equal()
    for a in actions:
        other.step(a)
    assert equal()
    if learners is not None:
        assert envs.tables(1)["q"].tobytes() == other.tables(1)["q"].tobytes()


def test_the_same_arrays_are_written_at_every_step():
    envs = fg.VectorGame(pursuit(), 5, 1)
    one, two = envs.step(np.zeros((2, 5), int)), envs.step(np.zeros((2, 5), int))
    assert one is two
    assert all(x is y for x, y in zip(
        one, (envs.observations, envs.rewards, envs.terminated, envs.truncated), strict=True
    ))  # fmt: skip


@pytest.mark.parametrize("num_envs", [1, 5, 16])
def test_actions_of_any_whole_numbers_do(num_envs):
    plain = np.arange(2 * num_envs).reshape(2, num_envs) % 2
    expected = fg.VectorGame(fg.games.matching_pennies(), num_envs, 1).step(plain)[1].tolist()
    read_only = plain.astype(np.int32)
    read_only.setflags(write=False)
    forms = [
        plain.tolist(),
        np.asfortranarray(plain),
        np.repeat(plain, 2, axis=1)[:, ::2],
        read_only,
    ]
    shifted = np.frombuffer(b"x" + plain.tobytes(), np.uint8)[1:].view(np.int64)
    forms.append(shifted.reshape(2, num_envs))  # at an odd address
    forms += [plain.astype(kind) for kind in ("i1", "i2", ">i4", ">i8", "u1", "u4", "u8")]
    for form in forms:
        envs = fg.VectorGame(fg.games.matching_pennies(), num_envs, 1)
        assert envs.step(form)[1].tolist() == expected
    one = fg.VectorGame(fg.games.matching_pennies(), num_envs, 1, [None, fg.QLearner()])
    assert one.step(plain[0])[0].shape == (2, num_envs)


BAD = [
    (np.zeros((2, 4)), TypeError, "whole numbers of shape"),
    (np.zeros((2, 4), bool), TypeError, "whole numbers of shape"),
    (np.zeros((2, 5), int), ValueError, r"got shape \(2, 5\)"),
    (np.zeros(8, int), ValueError, r"got shape \(8,\)"),
    (np.zeros(4, int), ValueError, r"got shape \(4,\)"),
    (np.zeros((3, 4), np.int32), ValueError, r"got shape \(3, 4\)"),
    ([[0, 0, 0, 0], [0, 2, 0, 0]], ValueError, r"agent 1 .*\[0, 2\), got 2 in environment 1"),
    ([[0, 0, -1, 0], [0, 0, 0, 0]], ValueError, r"agent 0 .*\[0, 3\), got -1 in environment 2"),
    (np.array([[0, 0, 0, 3], [0, 0, 0, 0]], np.int32), ValueError, "got 3 in environment 3"),
    (np.full((2, 4), 2**40), ValueError, "agent 0 must be in"),
    (np.full((2, 4), 2**63 + 2, np.uint64), ValueError, "agent 0 must be in"),
    (np.full((2, 4), 2**31 - 1, np.int32), ValueError, "agent 0 must be in"),
    ("left", TypeError, "whole numbers"),
    (None, TypeError, "whole numbers"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=lambda case: str(case[0])[:20])
def test_wrong_actions_are_named_and_move_nothing(case):
    actions, error, text = case
    envs = fg.VectorGame(pursuit(), 4, 3)
    envs.step(np.ones((2, 4), int))
    before = envs.states, envs.observations.copy(), envs.rewards.copy()
    with pytest.raises(error, match=text):
        envs.step(actions)
    after = envs.states, envs.observations, envs.rewards
    assert all((x == y).all() for x, y in zip(before, after, strict=True))


def test_wrong_arguments_are_named():
    game = fg.games.matching_pennies()
    q = fg.QLearner()
    for arguments, error, text in [
        (("pennies", 3), TypeError, "game must be"),
        ((game, 0), ValueError, "num_envs must be a whole number"),
        ((game, 2.0), TypeError, "num_envs must be a whole number"),
        ((game, 2, "seed"), TypeError, "rng must be"),
        ((game, 2, 1, [None]), ValueError, "one for each of 2 agents"),
        ((game, 2, 1, [q, q]), ValueError, "learners must have None"),
        ((game, 2, 1, q), TypeError, "learners must be a sequence"),
        ((game, 2, 1, [None, np.ones(2)]), TypeError, "learners must be learners"),
        ((game, 2, 1, [None, "q"]), TypeError, "learners must be learners"),
        ((game, 2, 1, [None, fg.FixedPolicy([1.0, 0, 0])]), ValueError, r"of learners\[1\]"),
        ((game, 2, 1, None, "float16"), ValueError, "dtype must be one of"),
        ((game, 2, 1, None, "float64", 1), TypeError, "checked must be"),
        ((game, 2**39), ValueError, "num_envs must fit into memory"),
        ((fg.Variants([game], [0, 0, 0]), 2), ValueError, "the length of the index"),
    ]:  # fmt: skip
        with pytest.raises(error, match=text):
            fg.VectorGame(*arguments)
    envs = fg.VectorGame(game, 2, 1, [None, q])
    with pytest.raises(ValueError, match="agent must have an internal learner, got 0"):
        envs.policy(0)
    with pytest.raises(ValueError, match=r"agent must be a whole number in \[0, 1\]"):
        envs.tables(2)
    for arguments in ((1, 0, 0), (1, 2, -1)):
        with pytest.raises(ValueError, match="must be a whole number"):
            fg.Streams(*arguments)


def test_what_fails_in_a_game_of_functions_says_where():
    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        state[0] += actions[0]
        rewards[:] = 0.0
        return False

    def observe(state, agent):
        return state[0]

    game = fg.ProceduralGame(start, step, observe, num_actions=(2, 2), num_observations=(3, 3))
    envs = fg.VectorGame(game, 140, 1)
    actions = np.zeros((2, 140), int)
    actions[0, 133] = 1
    envs.step(actions), envs.step(actions)
    with pytest.raises(fg.RuleError, match=r"returned 3, .* \[0, 3\) \(replica 133, step 2\)"):
        envs.step(actions)
    envs.reset(1)
    assert not envs.observations.any()
    assert envs.step(actions)[0][0, 133] == 1


def test_a_second_thread_is_refused_while_one_steps():
    """Both would write the same places."""
    envs = fg.VectorGame(fg.games.matching_pennies(), 2_000_000, 1)
    actions = np.ones((2, 2_000_000), np.int32)
    done = threading.Event()

    def go():
        while not done.is_set():
            with contextlib.suppress(RuntimeError):  # then the other one was first
                envs.step(actions)

    calls = {
        "step": lambda: envs.step(actions),
        "reset": lambda: envs.reset(3),
        "states": lambda: envs.states,
    }
    refused = set()
    thread = threading.Thread(target=go)
    thread.start()
    try:
        for _ in range(1_000_000):
            for name, call in calls.items():
                if envs._envs.stepper.busy and name not in refused:
                    try:
                        call()
                    except RuntimeError as error:
                        assert "one thread at a time" in str(error)
                        refused.add(name)
            if len(refused) == len(calls):
                break
    finally:
        done.set()
        thread.join()
    assert len(refused) == len(calls)
    envs.reset(1)
    assert (envs.step(actions)[1][0] == 1.0).all()


def test_other_threads_step_meanwhile():
    """Without the GIL: each has the bits that it has alone."""
    game, actions = pursuit(), np.ones((2, 5000), np.int32)

    def last(seed, out):
        envs = fg.VectorGame(game, 5000, seed)
        for _ in range(50):
            envs.step(actions)
        out[seed] = envs.states.tolist()

    alone, together = {}, {}
    for seed in range(3):
        last(seed, alone)
    threads = [threading.Thread(target=last, args=(seed, together)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone == together


def test_the_numpy_example_has_the_bits_of_a_run(capsys):
    runpy.run_path(str(Path(__file__).parents[1] / "examples/numpy_learner.py"))
    assert capsys.readouterr().out == "equal to the bit: True\n"
