"""Procedural games with turns: the bits of Markov games with turns, in every body."""

import itertools
import pickle

import numpy as np
import pytest
from library import equal
from library.equal import assert_same
from library.learners import KINDS
from library.runs import Setup

import fastgames as fg
from fastgames import registry
from fastgames.rules.chance import below, coin

# --- the bits of tables -------------------------------------------------------------------------


def as_functions(game, **more):
    """The functions of a Markov game without chance, which read its tables."""
    agents, first = game.num_agents, int(game.start)
    rewards = np.ascontiguousarray(game.rewards).reshape(agents, game.num_states, -1)
    moves = np.ascontiguousarray(game.transitions).reshape(game.num_states, -1)
    seen, ends = np.ascontiguousarray(game.observations), np.array(game.terminal)
    turning, sizes = np.ascontiguousarray(game.turns), np.array(game.num_actions)

    def start(state, words):
        state[0] = first

    def step(state, actions, paid, words):
        joint = 0
        for i in range(agents):
            joint = joint * sizes[i] + actions[i]
        for i in range(agents):
            paid[i] = rewards[i, state[0], joint]
        state[0] = moves[state[0], joint]
        return ends[state[0]]

    def observe(state, agent):
        return seen[agent, state[0]]

    def turns(state, agent):
        return turning[agent, state[0]]

    return fg.ProceduralGame(
        start, step, observe, turns=turns, num_actions=game.num_actions, discount=game.discount,
        num_observations=game.num_observations, time_limit=game.time_limit,
        actions=game.actions, name=game.name, source=game.source, **more,
    )  # fmt: skip


def tables(agents, shape, seed, **more):
    """A Markov game in which any number of agents moves in a state, none too."""
    game = fg.games.random_markov_game(
        agents, 6, shape, rng=seed, transitions="deterministic", **more
    )
    turns = np.random.default_rng(seed).random((agents, 6)) < 0.6
    turns[:, int(game.start)] = True
    return fg.MarkovGame(
        game.rewards, game.transitions, game.discount, game.start, game.terminal,
        game.observations, turns=turns, time_limit=game.time_limit,
    )  # fmt: skip


TABLES = {
    "ends": tables(2, (2, 3), 7, terminal=1, observations=4),
    "cut": tables(2, (3, 2), 5, time_limit=5),
    "both": tables(3, (2, 2, 3), 7, terminal=1, time_limit=4),
    "neither": tables(2, (4, 2), 11),
}
FUNCTIONS = {name: as_functions(game) for name, game in TABLES.items()}
WITH_TURNS = [kind for kind in KINDS if kind.suits(TABLES["both"])]
APART = {"states", "path_states", "window", "reward_window", "state_visits"}


def assert_bits_of(tables, functions):
    """Runs of tables and of functions are equal in all that does not depend on the states."""
    left, right = (equal._contents(result) for result in (tables, functions))
    assert left.keys() == right.keys()
    for name in left.keys() - APART:
        assert equal._bits(left[name]) == equal._bits(right[name]), name
    assert (tables.states == functions.states[:, 0]).all()


def test_these_games_have_turns_in_which_nobody_or_all_move():
    counts = np.concatenate([game.turns.sum(axis=0) for game in TABLES.values()])
    assert set(counts.tolist()) == {0, 1, 2, 3}
    assert all(game.compact.has_turns for game in (*TABLES.values(), *FUNCTIONS.values()))
    assert not fg.games.soccer().compact.has_turns


GAME_OF = dict(zip(WITH_TURNS, itertools.cycle(sorted(TABLES)), strict=False))
RECORDS = [
    fg.Record(flips=True, rewards=True, action_visits=True, path=3),
    fg.Record(joint_actions=True, rewards=True, last=5),
]


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.parametrize("kind", WITH_TURNS, ids=str)
def test_every_learner_has_the_bits_of_tables(kind):
    number, name = WITH_TURNS.index(kind), GAME_OF[kind]
    game, functions = TABLES[name], FUNCTIONS[name]
    learners = [kind.made(game), *[fg.QLearner(0.5)] * (game.num_agents - 1)]
    dtype, record = registry.DTYPES[number // 4 % 2], RECORDS[number // 8 % 2]
    setup = Setup(
        game, learners, 40, 5, 3, dtype, record, fg.Stable(12) if number % 5 == 0 else None
    )
    expected = setup.run(backend="reference")
    setup.game = functions
    reference = setup.run(backend="reference")
    assert_bits_of(expected, reference)
    for backend, capacity in (("auto", None), ("auto", 2), ("numba", None)):
        assert_same(reference, setup.run(backend=backend, threads=2, capacity=capacity))


def second(tables, p, o, signal):
    return 1


def watch(tables, p, t):
    """Count who moved, and who played which action."""
    for i in range(2):
        tables.moved[i] += t.moves[i]
        tables.played[i, t.actions[i]] += 1


def zero_sum():
    game = tables(2, (2, 2), 13)
    rewards = np.stack([game.rewards[0], -game.rewards[0]])
    return fg.MarkovGame(rewards, game.transitions, 0.9, game.start, turns=game.turns)


def surely(tables, p, o, out):
    out[0], out[1] = 0.0, 1.0


WATCHER = {
    "policy": surely,
    "tables": (fg.Table("q"), fg.Table("moved", (2,)), fg.Table("played", (2, 2))),
}
SEE_ALL = {
    "minimax": lambda: fg.MinimaxQ(0.5),
    "joint": lambda: fg.Learner(second, watch, asks=["joint"], **WATCHER),
    "steps": lambda: fg.Learner(second, watch, asks=["joint", "steps"], **WATCHER),
}


@pytest.mark.parametrize("what", SEE_ALL)
def test_learners_see_who_moved_as_in_tables(what):
    game = zero_sum()
    functions, learner = as_functions(game), SEE_ALL[what]()
    expected = fg.run(game, learner, 40, 3, rng=5, backend="reference")
    assert_bits_of(expected, fg.run(functions, learner, 40, 3, rng=5, backend="reference"))
    assert_bits_of(expected, fg.run(functions, learner, 40, 3, rng=5))
    if what == "steps":  # with the turns of the states that were visited, counted by hand
        path = fg.run(game, learner, 40, 3, rng=5, record=fg.Record(path=40)).path
        moved = game.turns[:, path.states].sum(axis=2).T
        np.testing.assert_array_equal(expected.tables[0]["moved"], moved)


def choose(tables, p, o, signal, s):
    return 1 if signal < 0.3 else (s.step + s.agent) % 2


def learn(tables, p, t):
    truncated = 10.0 if t.truncated else 1.0
    tables.seen[t.observation, t.action] += t.gain * truncated + t.weight * t.next_observation


def policy(tables, p, o, out):
    for a in range(len(out)):
        out[a] = 1.0 / len(out)


@pytest.mark.parametrize("asks", [(), ("cuts", "mediator"), ("joint", "opponents")])
@pytest.mark.parametrize("name", ["ends", "both"])
def test_a_users_learner_has_the_bits_of_tables(name, asks):
    learner = fg.Learner(choose, learn, {}, (fg.Table("seen"),), policy=policy, asks=asks)
    arguments = {"steps": 40, "replicas": 5, "rng": 3, "record": fg.Record(rewards=True)}
    expected = fg.run(TABLES[name], learner, backend="reference", **arguments)
    for backend in ("reference", "auto"):
        assert_bits_of(expected, fg.run(FUNCTIONS[name], learner, backend=backend, **arguments))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_listing_has_the_bits_of_tables(name):
    learner = fg.Sarsa(0.5, explore=fg.Softmax(0.7))
    arguments = {"steps": 60, "rng": 3, "stream": "numpy"}
    expected = fg.run(TABLES[name], learner, backend="reference", **arguments)
    for backend in ("reference", "auto"):
        found = fg.run(FUNCTIONS[name], learner, backend=backend, **arguments)
        assert (found.states[:, 0] == expected.states).all()
        for i in range(TABLES[name].num_agents):
            assert found.tables[i]["q"].tobytes() == expected.tables[i]["q"].tobytes()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tabulate_returns_the_turns(name):
    """The tables have the states that can be reached, in another order."""
    found = fg.tabulate(FUNCTIONS[name])
    assert found.compact.has_turns
    numbers = found.procedural_states[:, 0]
    assert (found.turns == TABLES[name].turns[:, numbers]).all()
    arguments = {"steps": 80, "replicas": 4, "rng": 2, "record": fg.Record(action_visits=True)}
    for learner in (fg.QLearner(0.3), fg.Sarsa(0.5, explore=fg.Softmax(0.7)), fg.WoLFPHC(0.2)):
        one = fg.run(FUNCTIONS[name], learner, **arguments)
        other = fg.run(found, learner, **arguments)
        assert (one.states[:, 0] == numbers[other.states]).all()
        one.state.states = other.state.states
        assert_same(one, other)


# --- a game with chance -------------------------------------------------------------------------


def auction(rounds=3, words=2, name="auction", worth=5, **more):
    """Agents raise a price in turns; who is asked is drawn; an agent that passes ends the game."""

    def start(state, words):
        state[0], state[1] = 0, below(words[0], 2)

    def step(state, actions, rewards, words):
        mover = state[1]
        for i in range(2):
            rewards[i] = 0.0
        if actions[mover] == 0:
            rewards[1 - mover] = float(worth - state[0])
            return True
        state[0] = min(state[0] + 1, 6)
        state[1] = 1 - mover if coin(words[0]) == 1 else mover
        return state[0] > rounds

    def observe(state, agent):
        return state[0]

    def turns(state, agent):
        return state[1] == agent

    return fg.ProceduralGame(
        start, step, observe, turns=turns, num_actions=(2, 3), num_observations=(7, 7),
        state_size=2, words=words, start_words=1, discount=0.9, name=name, **more,
    )  # fmt: skip


RUN = {"steps": 60, "replicas": 20, "rng": 4, "record": fg.Record(rewards=True, action_visits=True)}


@pytest.mark.parametrize("limit", [None, 2])
def test_runs_that_go_on_have_the_bits_of_whole_ones(limit, tmp_path):
    game, learner = auction(time_limit=limit), fg.Sarsa(0.5, explore=fg.Softmax(0.7))
    whole = fg.run(game, learner, **RUN)
    assert_same(whole, fg.run(game, learner, **RUN, backend="reference"))
    for backend in ("auto", "reference"):
        half = fg.run(game, learner, **RUN | {"steps": 23}, backend=backend)
        assert (half.state.seats[0].pending.observation >= 0).any()
        half.save(tmp_path / "half.zip")
        held = fg.load(tmp_path / "half.zip", game=auction(time_limit=limit))
        assert_same(half, held)
        rest = fg.run(auction(time_limit=limit), learner, 37, resume=held, record=RUN["record"])
        assert_same(whole, rest)
    path = tmp_path / "run.zip"
    assert_same(whole, fg.run(game, learner, checkpoint=path, **RUN))
    other = auction(time_limit=limit, rounds=2)
    with pytest.raises(ValueError, match="game must be the game 'auction' of the file"):
        fg.load(tmp_path / "half.zip", game=other)


def test_environments_say_who_moves_and_have_the_bits_of_runs():
    game, learner = auction(time_limit=3), fg.QLearner(0.5)
    whole = fg.run(game, learner, **RUN | {"record": None})
    envs = fg.VectorGame(game, 20, rng=4, learners=[None, learner])
    outside = fg.run(game, [fg.FixedPolicy([1.0, 0.0]), learner], **RUN | {"record": None})
    for _ in range(60):
        states = envs.states
        assert (envs.moves == (states[:, 1] == np.arange(2)[:, None])).all()
        envs.step(np.zeros((1, 20), np.int64))
    assert (envs.states == outside.states).all()
    assert envs.tables(1)["q"].tobytes() == outside.tables[1]["q"].tobytes()
    assert envs.tables(1)["q"].tobytes() != whole.tables[1]["q"].tobytes()
    copied = pickle.loads(pickle.dumps(fg.VectorGame(fg.games.soccer(), 2, rng=1)))
    assert copied.moves.all()
    envs.reset(mask=np.arange(20) < 7)
    assert (envs.moves == (envs.states[:, 1] == np.arange(2)[:, None])).all()


def test_an_agent_that_does_not_move_plays_action_0():
    always_2 = [fg.FixedPolicy([0.0, 1.0]), fg.FixedPolicy([0.0, 0.0, 1.0])]
    for backend in ("reference", "auto"):
        path = fg.run(
            auction(), always_2, 30, 8, rng=1, record=fg.Record(path=30), backend=backend
        ).path
        mover = path.states[:, :, 1]
        assert (path.actions[:, :, 0] == (mover == 0)).all()
        assert (path.actions[:, :, 1] == 2 * (mover == 1)).all()


def test_an_agent_learns_from_the_rewards_until_its_next_turn():
    """Agent 0 moves in every third step only, and is paid 1, 2 and 3 in turn: by hand."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        state[0] = (state[0] + 1) % 3
        rewards[0], rewards[1] = 3.0 if state[0] == 0 else float(state[0]), 1.0
        return False

    def observe(state, agent):
        return 0

    def turns(state, agent):
        return agent == 1 or state[0] == 0

    game = fg.ProceduralGame(
        start, step, observe, turns=turns, num_actions=(1, 1), num_observations=(1, 1), discount=0.5
    )
    gain, weight = 1 + 0.5 * 2 + 0.25 * 3, 0.125
    for backend in ("reference", "auto"):
        result = fg.run(game, fg.QLearner(1.0), 6, rng=1, backend=backend)
        assert result.tables[0]["q"].ravel().tolist() == [gain + weight * gain]
        assert result.tables[1]["q"].ravel().tolist() == [sum(0.5**k for k in range(6))]


def test_variants_have_the_bits_of_their_games():
    games = [auction(name="one"), auction(name="two", rounds=2, worth=4)]
    index = np.arange(20) % 2
    variants = fg.ProceduralVariants(games, index)
    found = fg.run(variants, fg.QLearner(0.5), **RUN)
    assert_same(found, fg.run(variants, fg.QLearner(0.5), **RUN, backend="reference"))
    for k, game in enumerate(games):
        alone = fg.run(game, fg.QLearner(0.5), **RUN)
        assert (
            found.tables[1]["q"][index == k].tobytes() == alone.tables[1]["q"][index == k].tobytes()
        )
    plain = fg.ProceduralGame(
        *(getattr(games[0].compact.moves, name) for name in ("start", "step", "observe")),
        num_actions=(2, 3), num_observations=(7, 7), state_size=2, words=2, start_words=1,
        discount=0.9,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"got turns in games\[0\] and none in games\[1\]"):
        fg.ProceduralVariants([games[0], plain], [0, 1])
    assert plain != games[0]


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("learner", [fg.QLearner(counterfactual=True), fg.RegretMatching()])
def test_learners_are_refused_as_in_tables(learner):
    messages = []
    for game in (TABLES["ends"], FUNCTIONS["ends"]):
        said = r"^learners\[0\] needs counterfactual rewards, which are undefined in games with"
        with pytest.raises(ValueError, match=said) as caught:
            fg.run(game, learner, 5)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def counting(turns):
    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        state[0] += 1
        rewards[0] = rewards[1] = 0.0
        return False

    return fg.ProceduralGame(
        start, step, lambda state, agent: 0, turns=turns, num_actions=(2, 2),
        num_observations=(1, 1), name="counting",
    )  # fmt: skip


def half(state, agent):
    return 0.5 if state[0] == 3 and agent == 1 else 1.0


def two(state, agent):
    return 2 if state[0] == 3 and agent == 1 else 1


def failing(state, agent):
    if state[0] == 3 and agent == 1:
        raise ValueError("no turn")
    return True


@pytest.mark.parametrize("backend", ["reference", "auto"])
@pytest.mark.parametrize(("turns", "value"), [(half, 0.5), (two, 2), (failing, None)])
def test_turns_out_of_range_stop_the_run(turns, value, backend):
    with pytest.raises(fg.RuleError) as caught:
        fg.run(counting(turns), fg.QLearner(), 9, replicas=3, backend=backend)
    assert caught.value.function == "turns of game 'counting' for agent 1"
    assert (caught.value.step, caught.value.value) == (2, value)
    if value is not None:
        assert f"returned {value}, but must return True if the agent moves" in str(caught.value)
    with pytest.raises(fg.RuleError, match="turns of game 'counting' for agent 1"):
        envs = fg.VectorGame(counting(turns), 3, rng=1)
        for _ in range(3):
            envs.step(np.zeros((2, 3), np.int64))


BAD = [
    (3, TypeError, "turns must be a plain function"),
    (lambda state: True, TypeError, "turns must take 2 arguments"),
    (lambda state, agent: None, ValueError, "turns of game 'counting' must run"),
    (lambda state, agent: 2, ValueError, "must be True if agent 0 moves, else False, got 2"),
    (lambda state, agent: np.random.random() < 0.5, ValueError, "turns must use only"),
]  # fmt: skip


@pytest.mark.parametrize(("turns", "error", "message"), BAD)
def test_bad_turns(turns, error, message):
    with pytest.raises(error, match=message):
        counting(turns)


def test_tabulate_names_the_state_in_which_turns_are_odd():
    def step(state, actions, rewards, words):
        state[0] = (state[0] + 1) % 5
        rewards[0] = rewards[1] = 0.0
        return False

    def start(state, words):
        state[0] = 0

    def never(state, agent):
        return False

    sizes = {"num_actions": (2, 2), "num_observations": (1, 1)}
    game = fg.ProceduralGame(start, step, lambda state, agent: 0, turns=two, **sizes)
    message = r"turns of game 'procedural' returned 2, .* in state \[3\] for agent 1"
    with pytest.raises(ValueError, match=message):
        fg.tabulate(game)
    game = fg.ProceduralGame(start, step, lambda state, agent: 0, turns=never, **sizes)
    with pytest.raises(ValueError, match="turns must let an agent move"):
        fg.tabulate(game)


def test_functions_for_users_loops_have_turns():
    game = auction()
    made = fg.jit.game(game)
    made.state[:] = 2, 1
    assert [bool(made.turns(made.state, i)) for i in range(2)] == [False, True]
    assert fg.jit.game(fg.games.soccer()).turns is None


def test_wrappers_mask_the_actions_of_agents_that_do_not_move():
    pytest.importorskip("pettingzoo")
    from fastgames.envs import GameEnv, GameVectorEnv, ParallelGame

    one, many, all_agents = GameEnv(auction()), GameVectorEnv(auction(), 9), ParallelGame(auction())
    (_, info), (_, infos), (_, each) = (env.reset(seed=3) for env in (one, many, all_agents))
    assert not all_agents.metadata["is_parallelizable"]
    for _ in range(3):
        moves = one._envs.states[0, 1] == 0
        assert info["action_mask"].tolist() == [1, int(moves)]
        of_all = [int(mover == 0) for mover in many._envs.states[:, 1]]
        assert infos["action_mask"][:, 1].tolist() == of_all
        mover = int(all_agents.state()[1])
        assert all_agents.movers() == [f"agent_{mover}"]
        assert each[f"agent_{mover}"]["action_mask"].tolist() == [1] * (2 + mover)
        assert each[f"agent_{1 - mover}"]["action_mask"].tolist() == [1] + [0] * (2 - mover)
        *_, ended, _, info = one.step(1)
        infos = many.step(np.ones(9, np.int64))[-1]
        each = all_agents.step({"agent_0": 1, "agent_1": 1})[-1]
        if ended:
            break
