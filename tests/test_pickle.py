"""Games, learners, results and environments survive pickling and copying, here and elsewhere."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cloudpickle
import gymnasium
import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames.envs import AECGame, GameEnv, GameVectorEnv, parallel_env
from fastgames.games import CATALOGUE


def pickled(thing, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(thing, protocol))


def through_cloudpickle(thing):
    return cloudpickle.loads(cloudpickle.dumps(thing))


WAYS = [partial(pickled, protocol=protocol) for protocol in (2, 3, 4, 5)]
WAYS += [through_cloudpickle, copy.copy, copy.deepcopy]
IDS = ["pickle2", "pickle3", "pickle4", "pickle5", "cloudpickle", "copy", "deepcopy"]
again = pytest.mark.parametrize("again", WAYS, ids=IDS)


# A game and a learner as users write them: functions at the top level of a module.


def start(state, words):
    state[0] = words[0] & 1


def step(state, actions, rewards, words):
    rewards[0] = 1.0 if actions[0] == state[0] else 0.0
    rewards[1] = 1.0 if actions[1] == actions[0] else 0.0
    state[0] = words[0] & 1
    return False


def observe(state, agent):
    return state[0]


def choose(tables, p, o, signal):
    return 1 if signal < p[1] else 0


def learn(tables, p, t):
    tables[0][t.observation, t.action] += p[0] * (t.gain - tables[0][t.observation, t.action])


def policy(tables, p, o, out):
    out[0] = 1.0 - p[1]
    out[1] = p[1]


def users_game(**changes):
    functions = {"start": start, "step": step, "observe": observe} | changes
    return fg.ProceduralGame(
        **functions,
        num_actions=(2, 2),
        num_observations=(2, 2),
        words=1,
        start_words=1,
        discount=0.5,
        time_limit=7,
        largest_reward=1.0,
        actions=[("left", "right"), ("up", "down")],
        name="guessing",
        source="here",
    )


def users_learner():
    parameters = {"alpha": np.array([0.1, 0.2, 0.3]), "chance": 0.5}
    table = fg.Table("q", initial=np.array([0.25]))
    return fg.Learner(choose, learn, parameters, (table,), policy=policy, label="mine")


def play(game, learners):
    return fg.run(game, learners, 20, replicas=3, rng=1, backend="reference")


def assert_read_only(learner):
    """Every array of a learner, as its constructor leaves it."""
    for value in vars(learner).values():
        for part in (value, *vars(value).values()) if hasattr(value, "__dict__") else (value,):
            if isinstance(part, np.ndarray):
                assert not part.flags.writeable


# --- games --------------------------------------------------------------------------------------


@again
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_game_of_the_catalogue(name, again):
    game = CATALOGUE[name]()  # not by `make`: as `fg.games.<name>()`
    assert getattr(fg.games, name) is CATALOGUE[name]
    other = again(game)
    assert type(other) is type(game)
    assert (other, hash(other), repr(other)) == (game, hash(game), repr(game))


# No default among them, by place and by name, of NumPy's types, and a list that changes later.
LEVELS = [2, 4]
CALLS = {
    "soccer": ((np.int64(3), 5), {}),
    "pursuit": ((4,), {"columns": 5, "hunters": 3, "torus": True, "time_limit": 9}),
    "el_farol": ((7, 4), {"bad": np.float32(-0.1), "classes": 3}),
    "coin_game": ((), {"size": 4, "alternating": True, "discount": np.float64(0.5)}),
    "traffic": ((1, 3), {"rate": 0.1, "levels": LEVELS}),
    "bar_problem": ((9,), {"capacity": np.float32(2.5), "rewards": "difference"}),
    "noisy_climbing": (("full",), {}),
}
PROCEDURAL = [name for name in CATALOGUE if isinstance(CATALOGUE[name](), fg.ProceduralGame)]


@pytest.mark.parametrize("name", PROCEDURAL)
def test_a_game_of_functions_is_kept_as_its_name_and_parameters(name, tmp_path):
    arguments, named = CALLS[name]
    game = CATALOGUE[name](*arguments, **named)
    assert game != CATALOGUE[name]()
    assert game == fg.games.make(game.made[0], **game.made[1])
    assert len(pickle.dumps(game)) < 300
    if name == "traffic":
        LEVELS.append(6)
    result = fg.run(game, fg.QLearner(), 9, rng=1, replicas=2, backend="reference")
    result.save(tmp_path / "result.zip")
    for other in (pickled(result), copy.deepcopy(result), fg.load(tmp_path / "result.zip")):
        assert other.game == game
        assert_same(other, result)


def test_a_refused_parameter_is_reported_as_by_the_function_itself():
    with pytest.raises(TypeError, match=r"soccer\(\) got an unexpected keyword argument 'row'"):
        fg.games.soccer(row=3)
    with pytest.raises(TypeError, match="levels must be a sequence of int"):
        fg.games.traffic(levels=np.array(3))


@again
def test_a_users_game(again):
    game = users_game()
    other = again(game)
    assert (other, other.actions, other.time_limit) == (game, game.actions, 7)
    assert (other is game) == (again in (copy.copy, copy.deepcopy))


class Guessing(fg.ProceduralGame):
    """A subclass with arguments and attributes of its own."""

    def __init__(self, limit):
        super().__init__(
            start,
            step,
            observe,
            num_actions=(2, 2),
            num_observations=(2, 2),
            words=1,
            start_words=1,
            time_limit=limit,
        )
        self.limit = limit


@again
def test_a_game_of_a_subclass(again):
    other = again(Guessing(5))
    assert (type(other), other.limit, other.time_limit) == (Guessing, 5, 5)
    assert other == Guessing(5)


def test_functions_inside_others_are_left_to_the_pickler():
    bonus = 0.75

    def paying(state, actions, rewards, words):
        rewards[0] = rewards[1] = bonus
        return False

    game = users_game(step=paying, observe=lambda state, agent: 0)
    for other in (copy.copy(game), copy.deepcopy(game), through_cloudpickle(game)):
        run = play(other, fg.QLearner(1.0, 0.0))
        assert run.tables[0]["q"].max() == 0.75
    with pytest.raises((AttributeError, pickle.PicklingError), match=r"local object.*paying"):
        pickle.dumps(game)


# --- learners -----------------------------------------------------------------------------------


@again
def test_every_learner(learner_kind, again):
    learner = learner_kind.made()
    other = again(learner)
    assert (type(other), other, hash(other)) == (type(learner), learner, hash(learner))
    assert other.rules == learner.rules
    assert_read_only(other)


def step_size(t, scale):
    return scale / (1 + t)


ARRAYS = np.array([0.1, 0.2, 0.3])
WITH_ARRAYS = [
    fg.QLearner(
        fg.Linear(ARRAYS, 0.05, 9),
        ARRAYS,
        fg.EpsilonGreedy(fg.Exponential(ARRAYS, 0.1, 0.01)),
        initial=[[1.0, 2.0]],
    ),
    fg.QLearner(fg.VisitCount(ARRAYS + 0.6), explore=fg.Softmax(ARRAYS)),
    fg.QLearner(fg.Hyperbolic(ARRAYS, 3.0), fg.Piecewise([0, 10], [ARRAYS, 0.05])),
    fg.QLearner(fg.ByVisits(fg.Linear(ARRAYS, 0.05, 9), initial=[[[1, 2]]])),
    fg.QLearner(fg.Schedule(step_size, [ARRAYS])),
    fg.LenientQ(initial=[1.0, 2.0]),
    fg.FixedPolicy([[0.25, 0.75], [0.5, 0.5]]),
    users_learner(),
]


@again
@pytest.mark.parametrize("learner", WITH_ARRAYS, ids=[x.name for x in WITH_ARRAYS])
def test_arrays_of_a_learner_stay_read_only(learner, again):
    other = again(learner)
    assert other == learner
    assert_read_only(other)
    for table in other.tables if isinstance(other, fg.Learner) else ():
        assert_read_only(table)
    for value in other.parameters.values() if isinstance(other, fg.Learner) else ():
        assert not isinstance(value, np.ndarray) or not value.flags.writeable


def test_a_cached_digest_of_functions_stays_behind():
    learner = users_learner()
    assert learner.fingerprint
    assert learner.fingerprint.encode() not in pickle.dumps(learner)


# --- results ------------------------------------------------------------------------------------

RUNS = {
    "users": lambda: play(users_game(), users_learner()),
    "teams": lambda: play(fg.games.climbing(), fg.VDN()),
    "turns": lambda: play(fg.games.klein(), fg.Sarsa()),
    "records": lambda: fg.run(
        fg.games.pursuit(3, 3, sight=1),
        [fg.QLearner(fg.Linear(0.5, 0.1, 9)), fg.LenientQ()],
        20,
        replicas=fg.grid(gamma=[0.5, 0.9]),
        record=fg.Record(every=5, tables=("q",), greedy=True, flips=True, rewards=True),
        stop=fg.Stable(15),
        rng=3,
        backend="reference",
    ),
}


@again
@pytest.mark.parametrize("name", RUNS)
def test_results(name, again):
    result = RUNS[name]()
    other = again(result)
    assert_same(other, result)
    assert (other.game, other.learners, other.seed) == (result.game, result.learners, result.seed)
    assert (other.grid, other.stop, other.record) == (result.grid, result.stop, result.record)
    arguments = {"steps": 10, "backend": "reference"}
    ahead, expected = (
        fg.run(x.game, x.learners, resume=x, record=x.record, stop=x.stop, **arguments)
        for x in (other, result)
    )
    assert_same(ahead, expected)


# --- other processes ----------------------------------------------------------------------------


def unpacked(call):
    function, arguments = cloudpickle.loads(call)
    return cloudpickle.dumps(function(*arguments))


@pytest.mark.parametrize("game", [fg.games.soccer(), users_game()], ids=["soccer", "users"])
def test_tasks_of_a_process_pool_bring_their_results_back(game, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1])  # where the processes find this module
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        # as concurrent.futures does it, with pickle; as joblib and Ray do it, with cloudpickle
        plain = pool.submit(play, game, users_learner())
        rich = pool.submit(unpacked, cloudpickle.dumps((play, (game, users_learner()))))
        expected = play(game, users_learner())
        for result in (plain.result(120), cloudpickle.loads(rich.result(120))):
            assert_same(result, expected)
            assert result.game == game
            assert result.learners == expected.learners


# --- loading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "learners", "lacks"),
    [
        (users_game, fg.QLearner, "game"),
        (fg.games.prisoners_dilemma, users_learner, "learners"),
        (users_game, users_learner, "game and learners"),
    ],
    ids=["game", "learner", "both"],
)  # fmt: skip
def test_loading_asks_for_what_no_file_holds(game, learners, lacks, tmp_path):
    path = tmp_path / "result.zip"
    result = play(game(), learners())
    result.save(path)
    wanted = ", ".join(f"{name}=..." for name in lacks.split(" and "))
    with pytest.raises(ValueError) as raised:
        fg.load(path)
    message = str(raised.value)
    assert message.startswith(f"{lacks} must be given as to run, got None: no file holds")
    assert f"call fastgames.load(path, {wanted})" in message
    assert str(path) in message
    assert "written by fastgames" not in message
    assert_same(fg.load(path, game=game(), learners=learners()), result)


def test_loading_with_another_game_or_learner_names_it(tmp_path):
    path = tmp_path / "result.zip"
    play(users_game(), users_learner()).save(path)
    other = fg.Learner(choose, learn, {"alpha": 0.7, "chance": 0.5}, name="another")
    cases = [
        ({"game": fg.games.soccer()}, "game must be the game 'guessing' of the file"),
        ({"learners": other}, "learners.0. must be the learner 'learner' of the file.*'another'"),
        ({"learners": fg.QLearner()}, "learners.0. must be the learner 'learner' of the file"),
        ({"learners": [users_learner()] * 3}, "learners must be one, or one for each of 2 agents"),
    ]
    for change, message in cases:
        with pytest.raises(ValueError, match=message) as raised:
            fg.load(path, **{"game": users_game(), "learners": users_learner()} | change)
        assert "written by fastgames" not in str(raised.value)


# --- environments -------------------------------------------------------------------------------


def played_alone(env):
    """Return what an environment returns over some steps."""
    shown, actions = [], np.random.default_rng(5)
    for _ in range(30):
        seen = env.step(int(actions.integers(env.action_space.n)))
        shown.append((repr(seen), env.unwrapped.render()))
        if seen[2] or seen[3]:
            shown.append(repr(env.reset()))
    return shown


def played_together(env):
    shown, actions = [], np.random.default_rng(5)
    for _ in range(30):
        seen = env.step({x: int(actions.integers(env.action_space(x).n)) for x in env.agents})
        shown.append((repr(seen), env.render(), env.state().tolist()))
        if not env.agents:
            shown.append(repr(env.reset()))
    return shown


def played_in_turn(env):
    shown, actions = [], np.random.default_rng(5)
    for _ in range(60):
        if not env.agents:
            env.reset()
        agent = env.agent_selection
        last = env.last()
        shown.append((agent, repr(last), env.render()))
        over = last[2] or last[3]
        env.step(None if over else int(actions.integers(env.action_space(agent).n)))
    return shown


def played_at_once(env):
    actions = np.random.default_rng(5)
    count = env.single_action_space.n
    return [repr(env.step(actions.integers(count, size=env.num_envs))) for _ in range(30)]


ENVS = {
    "GameEnv": (lambda game: GameEnv(game, 1, render_mode="ansi"), played_alone),
    "learning": (lambda game: GameEnv(game, 0, fg.Sarsa(0.5), dtype="float32"), played_alone),
    "GameVectorEnv": (lambda game: GameVectorEnv(game, 5, 1, fg.QLearner(0.3)), played_at_once),
    "ParallelGame": (lambda game: parallel_env(game, 7, "ansi"), played_together),
    "AECGame": (lambda game: AECGame(game, 7, "ansi"), played_in_turn),
}
GAMES = {
    "matrix": fg.games.prisoners_dilemma,
    "turns": fg.games.klein,
    "ends": fg.games.grid_game,
    "functions": partial(fg.games.pursuit, 3, 3, time_limit=6),
    "users": users_game,
}


@again
@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("name", ENVS)
def test_a_copy_of_an_environment_goes_on_from_where_it_stands(name, game, again):
    make, played = ENVS[name]
    env = make(GAMES[game]())
    env.reset(seed=3)
    played(env)
    if name == "AECGame":
        env.reset()
    copies = [again(env), again(env)]
    first = played(copies[0])
    assert played(env) == first  # a copy did not move it
    assert played(copies[1]) == first
    assert played(env) != first or (name, game) == ("GameVectorEnv", "matrix")


@pytest.mark.parametrize("again", [pickled, copy.deepcopy, through_cloudpickle])
def test_a_copy_of_a_registered_environment_goes_on(again):
    env = gymnasium.make("fastgames/Soccer-v0", max_episode_steps=11)
    env.reset(seed=3)
    played_alone(env)
    other = again(env)
    assert other.spec == env.spec
    assert played_alone(other) == played_alone(env)


def test_a_copy_before_the_first_reset_begins_where_the_environment_would():
    env = GameEnv(users_game())
    other = copy.deepcopy(env)
    assert other.game_seed == env.game_seed
    assert other.reset() == env.reset()
    assert played_alone(other) == played_alone(env)


@again
def test_a_copy_of_streams_goes_on_and_moves_nothing_else(again):
    streams = fg.Streams(7, 3, 1)
    streams.words(5)
    copies = [again(streams), again(streams)]
    first = copies[0].words(4).tolist()
    assert streams.words(4).tolist() == first
    assert copies[1].words(4).tolist() == first
