"""Procedural games whose states have reals: the same bits in every body, in files and outside."""

import copy
import math
import pickle

import numpy as np
import pytest
from library.equal import assert_same
from library.runs import core_as

import fastgames as fg
from fastgames.errors import CompileError
from fastgames.games.procedural import check_states
from fastgames.rules import streams
from fastgames.rules.chance import below, happens, normal
from fastgames.rules.exponential import exp
from fastgames.rules.logarithm import log

# --- a user's example ---------------------------------------------------------------------------

GROWTH, CATCH = 0.8, 0.15


def stock_start(state, reals, words):
    reals[0] = 1.0


def harvest(state, reals, actions, rewards, words):
    for i in range(2):
        rewards[i] = CATCH * actions[i] * reals[0]
    left = reals[0] - rewards[0] - rewards[1]
    reals[0] = left + GROWTH * left * (1.0 - left)
    return False


def tenths(state, reals, agent):
    return min(int(10.0 * reals[0]), 9)


def fishery(**more):
    sizes = {"num_actions": (3, 3), "num_observations": (10, 10), "state_size": 0, "num_reals": 1}
    return fg.ProceduralGame(stock_start, harvest, tenths, **sizes, discount=0.9, **more)


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_a_stock_grows_as_in_a_loop_of_numpy(backend):
    record = fg.Record(path=40, rewards=True)
    result = fg.run(fishery(), fg.QLearner(), 40, replicas=6, rng=2, record=record, backend=backend)
    path, stock = result.path, np.ones(6)
    for t in range(40):
        assert (path.reals[:, t, 0] == stock).all()
        caught = CATCH * path.actions[:, t].T * stock
        assert (caught == path.rewards[:, t].T).all()
        left = stock - caught[0] - caught[1]
        stock = left + GROWTH * left * (1.0 - left)
    assert (result.reals[:, 0] == stock).all()
    assert result.states.shape == (6, 0)
    assert path.states.shape == (6, 40, 0)
    assert len(np.unique(stock)) > 3


# --- every body ---------------------------------------------------------------------------------


def firms_start(state, reals, words):
    state[0], state[1] = 0, below(words[0], 3)
    reals[0], reals[1] = 1.0, 1.0 + 0.5 * state[1]
    reals[2] = exp(-reals[1], np.float64)


def firms_step(state, reals, actions, rewards, words):
    """Two firms invest in capital, which wears out; demand is a random walk in logs."""
    state[0] += 1
    reals[2] = reals[2] * exp(normal(words[0], 0.0, 0.1), np.float64)
    total = math.sqrt(reals[0] * reals[1])
    for i in range(2):
        rewards[i] = reals[2] * log(1.0 + reals[i]) / total - 0.3 * actions[i]
        reals[i] = 0.9 * reals[i] + 0.5 * actions[i]
    if happens(words[1], 0.1):
        state[1] = -state[1]
    return state[0] == 9


def firms_observe(state, reals, agent):
    own = min(int(reals[agent]), 3)
    return 2 * own + (1 if reals[2] > 0.3 else 0)


def firms_turns(state, reals, agent):
    return agent == 0 or reals[0] > reals[1]


def firms(turns=False, **more):
    given = {
        "num_actions": (2, 3), "num_observations": (8, 8), "state_size": 2, "num_reals": 3,
        "words": 2, "start_words": 1, "discount": 0.9, "name": "firms",
        "turns": firms_turns if turns else None,
    } | more  # fmt: skip
    return fg.ProceduralGame(firms_start, firms_step, firms_observe, **given)


RECORDS = {
    "all": fg.Record(flips=True, rewards=True, path=5, action_visits=True, episodes=True),
    "last": fg.Record(joint_actions=True, rewards=True, last=6),
}
LEARNERS = {
    "q": fg.QLearner(0.5),
    "sarsa": fg.Sarsa(0.5, explore=fg.Softmax(0.7)),
    "wolf": fg.WoLFPHC(0.2),
    "counterfactual": fg.QLearner(0.3, counterfactual=True),
    "team": fg.VDN(),
}
RUN = {"steps": 60, "replicas": 20, "rng": 4, "record": RECORDS["all"]}


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("turns", [False, True])
def test_all_bodies_agree(learner, turns):
    if turns and learner in ("counterfactual", "team"):
        return
    game, number = firms(turns, time_limit=7 if turns else None), sorted(LEARNERS).index(learner)
    arguments = {
        "steps": 60,
        "replicas": 7,
        "rng": 3,
        "dtype": ("float64", "float32")[number % 2],
        "record": RECORDS[("all", "last")[number // 2 % 2]],
        "stop": fg.Stable(20) if number == 1 else None,
    }
    one = LEARNERS[learner]
    reference = fg.run(game, one, backend="reference", **arguments)
    assert np.isfinite(reference.reals).all() and reference.reals.shape == (7, 3)
    for capacity in (None, 3):
        with core_as(None, capacity):
            assert_same(reference, fg.run(game, one, threads=2, **arguments))
    assert_same(reference, fg.run(game, one, backend="numba", **arguments))


def test_whole_numbers_and_reals_are_parts_of_a_state():
    result = fg.run(firms(), fg.QLearner(), **RUN)
    raw = result.state.states
    assert (result.states == raw[:, :2]).all()
    assert result.reals.tobytes() == raw[:, 2:].tobytes()
    path = result.path
    assert path.states.shape == (20, 5, 2) and path.reals.shape == (20, 5, 3)
    early = fg.run(firms(), fg.QLearner(), 2, rng=1, record=fg.Record(path=3)).path
    assert np.isnan(early.reals[0, 0]).all() and (early.states[0, 0] == -1).all()
    assert np.isfinite(early.reals[0, 1:]).all()
    assert fg.run(fg.games.soccer(), fg.QLearner(), 2, backend="reference").reals is None
    assert fg.run(fg.games.chicken(), fg.QLearner(), 2).reals is None


def test_a_listing_draws_from_the_same_generator():
    results = [
        fg.run(firms(), fg.QLearner(), 60, rng=3, stream="numpy", backend=backend)
        for backend in ("reference", "auto")
    ]
    assert_same(*results)


# --- runs that go on, files ---------------------------------------------------------------------


@pytest.mark.parametrize("turns", [False, True])
def test_runs_that_go_on_have_the_bits_of_whole_ones(turns, tmp_path):
    game, learner, path = firms(turns), fg.QLearner(0.5), tmp_path / "half.zip"
    whole = fg.run(game, learner, **RUN)
    for backend in ("auto", "reference"):
        half = fg.run(game, learner, **RUN | {"steps": 23}, backend=backend)
        half.save(path)
        held = fg.load(path, game=firms(turns))
        assert_same(half, held)
        assert held.reals.tobytes() == half.reals.tobytes()
        assert_same(whole, fg.run(game, learner, 37, resume=held, record=RUN["record"]))
    arguments = RUN | {"checkpoint": tmp_path / "run.zip"}
    assert_same(whole, fg.run(game, learner, **arguments))
    assert_same(whole, fg.run(game, learner, **arguments))
    with pytest.raises(ValueError, match="game must be the game 'firms' of the file"):
        fg.load(path, game=firms(not turns))


def test_states_of_files_are_checked(tmp_path):
    game = firms(state_bounds=[(0, 9), (-2, 2)], real_bounds=[(0, 99), (0, 99), (0.0, 1e6)])
    result, path = fg.run(game, fg.QLearner(), **RUN), tmp_path / "result.zip"
    result.save(path)
    assert_same(result, fg.load(path, game=game))
    for k, value, message in (
        (2, np.nan, "states must have finite reals, got nan as real 0 of replica 3"),
        (4, -np.inf, "states must have finite reals, got -inf as real 2 of replica 3"),
        (3, -0.5, "within real_bounds of game 'firms', got -0.5 as real 1 of replica 3"),
    ):
        bad = copy.deepcopy(result)
        bad.state.states[3, k] = np.float64(value).view(np.int64)
        with pytest.raises(ValueError, match=message):
            bad.save(path)
        with pytest.raises(ValueError, match=message.replace("states must", "^states must")):
            fg.run(game, fg.QLearner(), 1, resume=bad)
    result.state.states[5, 1] = 3
    with pytest.raises(ValueError, match="state_bounds of game 'firms', got 3 as entry 1 of"):
        check_states(game, result.state.states)


def test_games_are_pickled_by_their_functions():
    game = firms(turns=True, real_bounds=[(0, 99)] * 3)
    other = pickle.loads(pickle.dumps(game))
    assert other == game and hash(other) == hash(game)
    assert (other.real_bounds == game.real_bounds).all()
    arguments = RUN | {"steps": 9, "backend": "reference"}
    assert_same(*(fg.run(one, fg.QLearner(), **arguments) for one in (game, other)))
    assert firms() != firms(turns=True)
    assert firms() == firms() and fishery() != firms()
    assert copy.deepcopy(game) is game


# --- first states, environments, variants -------------------------------------------------------


def test_first_states_are_pairs():
    whole, reals = np.arange(10).reshape(5, 2) % 3, np.linspace(0.5, 3.0, 15).reshape(5, 3)
    for backend in ("reference", "auto"):
        result = fg.run(
            firms(), fg.QLearner(), 1, replicas=5, rng=1, start_states=(whole, reals),
            record=fg.Record(path=1), backend=backend,
        )  # fmt: skip
        assert (result.path.states[:, 0] == whole).all()
        assert (result.path.reals[:, 0] == reals).all()
        assert (result.reals[:, :2] != reals[:, :2]).all()
    for given, error, message in (
        (whole, TypeError, r"start_states must be a pair \(states, reals\) in a game with reals"),
        ((whole, reals[:, :2]), ValueError, r"start_states\[1\] must have shape \(5, 3\)"),
        ((whole[:4], reals), ValueError, r"start_states\[0\] must have shape \(5, 2\)"),
        ((whole, reals * np.nan), ValueError, r"start_states\[1\] must"),
        ((whole + 0.5, reals), TypeError, r"start_states\[0\] must"),
    ):
        with pytest.raises(error, match=message):
            fg.run(firms(), fg.QLearner(), 1, replicas=5, start_states=given)
    bounded = firms(real_bounds=[(0, 2)] * 3)
    with pytest.raises(ValueError, match="start_states must be within real_bounds"):
        fg.run(bounded, fg.QLearner(), 1, replicas=5, start_states=(whole, reals))


def test_environments_have_the_bits_of_runs():
    game = firms(time_limit=5)
    learners = [fg.FixedPolicy([0.0, 1.0]), fg.QLearner(0.5)]
    whole = fg.run(game, learners, **RUN)
    envs = fg.VectorGame(game, 20, rng=4, learners=[None, fg.QLearner(0.5)])
    for _ in range(60):
        envs.step(np.ones((1, 20), np.int64))
    assert (envs.states == whole.states).all()
    assert envs.reals.tobytes() == whole.reals.tobytes()
    assert envs.tables(1)["q"].tobytes() == whole.tables[1]["q"].tobytes()
    envs.step(np.ones((1, 20), np.int64))
    again = pickle.loads(pickle.dumps(envs))
    envs.reset(mask=np.arange(20) < 7)
    assert (envs.states[:7, 0] == 0).all() and (envs.reals[:7, 0] == 1.0).all()
    assert (envs.reals[7:] == again.reals[7:]).all()
    assert fg.VectorGame(fg.games.chicken(), 2).reals is None


def scaled(scale):
    def start(state, reals, words):
        state[0] = 0
        reals[0], reals[1] = scale, 1.0 / scale

    def step(state, reals, actions, rewards, words):
        state[0] = (state[0] + actions[0]) % 4
        reals[0] = scale * (reals[0] + 0.25 * actions[1])
        reals[1] = reals[1] / 3.0
        rewards[0] = rewards[1] = reals[0]
        return reals[0] > 5.0 or reals[0] < 0.01

    def observe(state, reals, agent):
        return state[0]

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(4, 4), num_reals=2,
        discount=0.5, real_bounds=[(0, 10 * scale), (0, 9)],
    )  # fmt: skip


def test_variants_have_the_bits_of_their_games():
    games, index = [scaled(0.75), scaled(1.5)], np.arange(20) % 2
    variants = fg.ProceduralVariants(games, index)
    found = fg.run(variants, fg.QLearner(0.5), **RUN)
    assert_same(found, fg.run(variants, fg.QLearner(0.5), **RUN, backend="reference"))
    assert found.states.shape == (20, 2) and (found.states[:, 1] == index).all()
    assert variants.real_bounds.tolist() == [[0, 15], [0, 9]]
    for k, game in enumerate(games):
        alone = fg.run(game, fg.QLearner(0.5), **RUN)
        assert (found.states[index == k, :1] == alone.states[index == k]).all()
        assert found.reals[index == k].tobytes() == alone.reals[index == k].tobytes()
        assert found.path.reals[index == k].tobytes() == alone.path.reals[index == k].tobytes()
    assert pickle.loads(pickle.dumps(fg.ProceduralVariants([firms()], [0]))).num_reals == 3
    starts = (found.states, found.reals)
    begun = fg.run(variants, fg.QLearner(), 1, 20, start_states=starts, backend="reference")
    assert (begun.states[:, 1] == index).all()
    message = r"num_reals = 1 in games\[1\] and 2 in games\[0\]"
    with pytest.raises(ValueError, match=message):
        fg.ProceduralVariants([writing(0.0), writing(0.0, num_reals=1)], [0])


def test_a_users_loop_has_the_bits_of_a_run():
    made = fg.jit.game(fishery())
    begin, step, observe, state, words, start_words = made
    reals, paid, stock = made.reals, np.zeros(2), []
    begin(state, reals, start_words)
    for _ in range(5):
        step(state, reals, np.array([1, 2]), paid, words)
        stock.append(reals[0])
    learners = [fg.FixedPolicy(np.eye(3)[a]) for a in (1, 2)]
    record = fg.Record(path=5)
    result = fg.run(fishery(), learners, 5, rng=1, record=record, backend="reference")
    assert stock == [*result.path.reals[0, 1:, 0].tolist(), result.reals[0, 0]]
    assert observe(state, reals, 0) == int(10 * stock[-1])


def test_tables_and_labels_have_the_reals():
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    result = fg.run(firms(), fg.QLearner(), **RUN | {"backend": "reference", "replicas": 3})
    frame = result.to_pandas("path")
    assert frame[["real_0", "real_1", "real_2"]].to_numpy().tolist() == (
        result.path.reals.reshape(-1, 3).tolist()
    )
    labelled = result.to_xarray()
    assert labelled["reals"].dims == ("replica", "real_entry")
    assert labelled["path_reals"].dims == ("replica", "path", "real_entry")


def test_wrappers_show_the_reals():
    pytest.importorskip("pettingzoo")
    from fastgames.envs import GameEnv, ParallelGame

    env = ParallelGame(fishery(), render_mode="ansi")
    env.reset(seed=1)
    assert env.state().tolist() == [1.0] and env.state() in env.state_space
    env.step({"agent_0": 0, "agent_1": 2})
    assert env.state().tolist() == [0.7 + GROWTH * 0.7 * (1.0 - 0.7)]
    assert f"state {env.state()[0]}" in env.render()
    assert GameEnv(fishery()).reset(seed=1)[0] == 9


# --- tables -------------------------------------------------------------------------------------


def halving(chance=False):
    """A dose is halved or doubled within [1/4, 2]; each real has four values."""

    def start(state, reals, words):
        state[0], reals[0] = 0, 1.0

    def step(state, reals, actions, rewards, words):
        if actions[0] == 1 and reals[0] < 2.0:
            reals[0] = 2.0 * reals[0]
        elif actions[1] == 1 and reals[0] > 0.25:
            reals[0] = 0.5 * reals[0]
        if chance and happens(words[0], 0.5):
            reals[0] = 1.0
        for i in range(2):
            rewards[i] = reals[0] - 0.1 * actions[i]
        return False

    def observe(state, reals, agent):
        return int(2.0 * reals[0])

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(5, 5), num_reals=1,
        discount=0.9, words=int(chance),
    )  # fmt: skip


def test_tabulate_finds_states_by_their_bits():
    game = halving()
    found = fg.tabulate(game)
    assert sorted(found.procedural_reals[:, 0].tolist()) == [0.25, 0.5, 1.0, 2.0]
    assert found.procedural_states.tolist() == [[0]] * 4
    assert not found.procedural_reals.flags.writeable
    arguments = {"steps": 60, "replicas": 4, "rng": 2, "backend": "reference"}
    one, other = (fg.run(each, fg.QLearner(0.3), **arguments) for each in (game, found))
    assert one.tables[1]["q"].tobytes() == other.tables[1]["q"].tobytes()
    assert (one.reals == found.procedural_reals[other.states]).all()
    random = fg.tabulate(halving(chance=True))
    start = random.start
    paid = random.rewards[0, start, 1, 0]
    assert paid == 0.5 * (2.0 - 0.1) + 0.5 * (1.0 - 0.1)
    assert fg.tabulate(fg.games.soccer()).procedural_reals is None


def test_tabulate_refuses_reals_that_have_too_many_values():
    with pytest.raises(ValueError, match="must have at most most = 200 states that can be reach"):
        fg.tabulate(fishery(), most=200)
    message = "step of game 'firms' must use random words only by coin, below"
    with pytest.raises(ValueError, match=message):
        fg.tabulate(firms())
    hint = r"tabulate each of its games, as in tabulate\(game.games\[0\]\)"
    with pytest.raises(TypeError, match=hint):
        fg.tabulate(fg.ProceduralVariants([halving()], [0]))


# --- bad input ----------------------------------------------------------------------------------


def writing(value, after=3, at_start=False, num_reals=2):
    """Real 1 becomes `value` at step `after`, or at the start of the second episode."""

    def start(state, reals, words):
        reals[num_reals - 1] = value if at_start and state[0] > 0 else 0.0
        state[0] = 0

    def step(state, reals, actions, rewards, words):
        state[0] += 1
        rewards[0] = rewards[1] = 0.0
        if state[0] == after and not at_start:
            reals[1] = value
        return at_start and state[0] == after

    def observe(state, reals, agent):
        return 0

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(1, 1), num_reals=num_reals,
        name="odd",
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["reference", "auto"])
@pytest.mark.parametrize("at_start", [False, True])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_reals_that_are_not_finite_stop_the_run(value, at_start, backend):
    game = writing(value, at_start=at_start)
    with pytest.raises(fg.RuleError, match=r"to reals\[1\], but reals must be finite") as caught:
        fg.run(game, fg.QLearner(), 9, replicas=3, backend=backend)
    assert caught.value.function == ("start" if at_start else "step") + " of game 'odd'"
    assert caught.value.step == 2
    assert repr(float(caught.value.value)) == repr(value)


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_first_reals_that_are_not_finite_name_the_replica(backend):
    def start(state, reals, words):
        reals[0] = np.inf if below(words[0], 4) == 3 else 0.0

    def step(state, reals, actions, rewards, words):
        rewards[0] = 0.0
        return False

    game = fg.ProceduralGame(
        start, step, lambda state, reals, agent: 0, num_actions=(1,), num_observations=(1,),
        num_reals=1, start_words=1,
    )  # fmt: skip
    with pytest.raises(fg.RuleError, match=r"wrote inf to reals\[0\]") as caught:
        fg.run(game, fg.QLearner(), 5, replicas=30, rng=1, backend=backend)
    stream, words = [0] * 4, []
    for r in range(30):
        streams.start(1, 0, r, 1, stream)
        words.append(streams.next_word(stream) >> 1)
    first = next(r for r in range(30) if below(words[r], 4) == 3)
    assert (caught.value.replica, caught.value.step) == (first, 0)


BAD = [
    ({"num_reals": -1}, ValueError, r"num_reals must be a whole number in \[0, 2\^20\), got -1"),
    ({"num_reals": 1.0}, TypeError, "num_reals must be a whole number"),
    ({"num_reals": 0}, TypeError, r"start must take 2 arguments \(state, words\)"),
    ({"state_size": -1}, ValueError, r"state_size must be a whole number in \[0, 2\^20\)"),
    (
        {"real_bounds": [(0, 1)]},
        ValueError,
        r"real_bounds must be 3 pairs \(low, high\) of numbers",
    ),
    ({"real_bounds": [(0, 1), (1, 0), (0, 1)]}, ValueError, r"real_bounds\[1\] must have low <= "),
    ({"real_bounds": [(0, np.nan)] * 3}, ValueError, r"real_bounds\[0\] must be a finite number"),
    ({"real_bounds": [(2, 3)] * 3}, ValueError, "reals must be within real_bounds, got "),
    ({"num_reals": 2}, ValueError, "start of game 'firms' must run with words and actions of 0"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD)
def test_bad_games(changes, error, message):
    with pytest.raises(error, match=message):
        firms(**changes)


def test_reals_must_be_finite_in_the_first_step():
    with pytest.raises(ValueError, match=r"step of game 'odd' must run .* reals must be finite"):
        writing(np.nan, after=1)


@pytest.mark.parametrize("wrong", [np.exp, np.log, math.sin, np.sum])
def test_functions_with_other_bits_are_refused(wrong):
    def step(state, reals, actions, rewards, words):
        rewards[0] = rewards[1] = wrong(reals)
        return False

    with pytest.raises(ValueError, match="step must use functions that return the same bits"):
        fg.ProceduralGame(
            stock_start, step, tenths, num_actions=(1, 1), num_observations=(10, 10), num_reals=1
        )


def test_observe_may_not_write_reals():
    def observe(state, reals, agent):
        reals[0] = 2.0
        return 0

    with pytest.raises(ValueError, match="observe of game 'procedural' must run"):
        fg.ProceduralGame(
            stock_start, harvest, observe, num_actions=(3, 3), num_observations=(1, 1), num_reals=1
        )


def later(state, reals, agent):
    if agent > 5:
        reals[0] = 2.0
    return 0


def test_compiled_observe_may_not_write_reals():
    game = fg.ProceduralGame(
        stock_start, harvest, later, num_actions=(3, 3), num_observations=(1, 1), num_reals=1
    )
    with pytest.raises(CompileError, match="it writes to an array that it may only read"):
        fg.run(game, fg.QLearner(), 3)
