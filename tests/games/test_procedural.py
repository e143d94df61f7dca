"""Games of functions: the bits of tables, in every body; and what goes wrong in them."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames import registry
from fastgames.jit import CompileError
from fastgames.rules.chance import below, coin, happens

SMALL = {  # games of the catalogue in a size that the reference plays quickly
    "el_farol": {"agents": 7, "capacity": 4},
    "pursuit": {"rows": 3, "columns": 3, "hunters": 2, "sight": 1},
}
PROCEDURAL = [k for k, make in registry.GAMES.items() if isinstance(make(), fg.ProceduralGame)]
RECORD = fg.Record(every=9, greedy=True, flips=True, rewards=True)


def small(name):
    return fg.games.make(name, **SMALL.get(name, {}))


# --- a game given as tables and as functions ----------------------------------------------------


def as_functions(game, **more):
    """A Markov game of two agents without chance, its tables read by functions."""
    rewards, moves, ends = game.rewards, np.ascontiguousarray(game.transitions), game.terminal
    seen, first = np.ascontiguousarray(game.observations), int(game.start)

    def start(state, words):
        state[0] = first

    def step(state, actions, paid, words):
        s = state[0]
        for i in range(2):
            paid[i] = rewards[i, s, actions[0], actions[1]]
        state[0] = moves[s, actions[0], actions[1]]
        return ends[state[0]]

    def observe(state, agent):
        return seen[agent, state[0]]

    return fg.ProceduralGame(
        start,
        step,
        observe,
        num_actions=game.num_actions,
        num_observations=game.num_observations,
        discount=game.discount,
        time_limit=game.time_limit,
        **more,
    )


def deterministic(**more):
    return fg.games.random_markov_game(
        2, 6, (2, 3), rng=4, transitions="deterministic", terminal=1, observations=4, **more
    )


LEARNERS = {
    "q": fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.3)),
    "sarsa": fg.Sarsa(0.5, explore=fg.Softmax(0.7)),
    "visits": fg.QLearner(fg.VisitCount(0.7), explore=fg.EpsilonGreedy(fg.Exponential(1.0, 0.1))),
    "counterfactual": fg.QLearner(0.3, counterfactual=True),
    "regret": fg.RegretMatching(),
    "team": fg.VDN(),
    "fixed": fg.FixedPolicy(np.full((4, 1), 1.0)),
}


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(set(LEARNERS) - {"fixed"}))
def test_functions_have_the_bits_of_tables(name):
    """Episodes that end and are cut, observations, columns; joint actions, windows, stopping."""
    tables = deterministic(time_limit=5)
    functions, learner = as_functions(tables), LEARNERS[name]
    for record, stop in (
        (RECORD, None),
        (fg.Record(joint_actions=True, rewards=True, last=6), None),
        (fg.Record(joint_actions=True, rewards=True, last=6), fg.Stable(12)),
    ):
        arguments = {"steps": 40, "replicas": 5, "rng": 3, "record": record, "stop": stop}
        expected = fg.run(tables, learner, backend="reference", **arguments)
        for backend in ("reference", "auto"):
            result = fg.run(functions, learner, backend=backend, threads=2, **arguments)
            assert (result.states[:, 0] == expected.states).all()
            assert (result.steps == expected.steps).all()
            assert (result.mean_reward == expected.mean_reward).all()
            for i, held in enumerate(expected.tables):
                for table, values in held.items():
                    assert result.tables[i][table].tobytes() == values.tobytes()
            if record.joint_actions:
                assert (result.joint_counts == expected.joint_counts).all()
            else:
                assert (result.flips == expected.flips).all()


# --- the games of the catalogue -----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("name", PROCEDURAL)
def test_all_bodies_agree(name):
    game = small(name)
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.3))
    for dtype, stop in (("float64", None), ("float32", fg.Stable(30))):
        record = fg.Record(flips=True, rewards=True, last=None if stop is None else 9)
        arguments = {"steps": 60, "rng": 2, "dtype": dtype, "record": record, "stop": stop}
        reference = fg.run(game, learner, replicas=5, backend="reference", **arguments)
        assert_same(reference, fg.run(game, learner, replicas=5, threads=2, **arguments))
        half = fg.run(game, learner, replicas=5, **arguments | {"steps": 23, "record": None})
        arguments |= {"steps": 37, "record": None, "rng": None}
        rest = fg.run(game, learner, resume=half, **arguments)
        if stop is None:
            assert (rest.states == reference.states).all()
            assert rest.tables[0]["q"].tobytes() == reference.tables[0]["q"].tobytes()


@pytest.mark.parametrize("name", PROCEDURAL)
def test_they_are_made_again_from_their_names(name, tmp_path):
    game = small(name)
    assert game == small(name)
    assert hash(game) == hash(small(name))
    assert pickle.loads(pickle.dumps(game)) == game
    result = fg.run(game, fg.QLearner(), 20, replicas=3, rng=1, backend="reference")
    result.save(tmp_path / "result.zip")
    assert_same(result, fg.load(tmp_path / "result.zip"))


def test_a_run_goes_on_from_a_checkpoint(tmp_path):
    game, path = small("pursuit"), tmp_path / "run.zip"
    arguments = {"steps": 50, "replicas": 3, "rng": 1, "record": fg.Record(flips=True)}
    whole = fg.run(game, fg.QLearner(), **arguments)
    fg.run(game, fg.QLearner(), checkpoint=path, **arguments)
    assert_same(whole, fg.run(small("pursuit"), fg.QLearner(), checkpoint=path, **arguments))
    with pytest.raises(ValueError, match=r"game\.rows was 3, got its default"):
        fg.run(fg.games.make("pursuit"), fg.QLearner(), checkpoint=path, **arguments)


def test_a_listing_draws_nature_from_the_same_generator():
    game = small("el_farol")
    results = [
        fg.run(small("pursuit"), fg.QLearner(), 60, rng=3, stream="numpy", backend=backend)
        for backend in ("reference", "auto")
    ]
    assert (results[0].states == results[1].states).all()
    assert results[0].tables[1]["q"].tobytes() == results[1].tables[1]["q"].tobytes()
    assert game.num_states == 0


# --- words --------------------------------------------------------------------------------------


def dice(words=2, start_words=1):
    """A state that keeps nature's words."""

    def start(state, words):
        state[0] = 0
        for k in range(len(words)):
            state[3] = words[k]

    def step(state, actions, rewards, words):
        state[0] += 1
        state[1], state[2] = words[0], words[len(words) - 1]
        rewards[0] = below(words[0], 6)
        rewards[1] = coin(words[1])
        return state[0] == 3

    def observe(state, agent):
        return state[0]

    return fg.ProceduralGame(
        start, step, observe, num_actions=(1, 1), num_observations=(4, 4), state_size=4,
        words=words, start_words=start_words,
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_natures_words_are_those_of_its_stream_in_order(backend):
    """One at the start; two a step; another one after a step that ends an episode."""
    from fastgames.rules import streams

    words = []
    state = [0] * 4
    streams.start(7, 0, 0, 2, state)
    words = [streams.next_word(state) >> 1 for _ in range(9)]
    seen = []
    for steps in range(1, 5):
        result = fg.run(dice(), fg.QLearner(), steps, rng=7, backend=backend)
        seen.append(result.states[0].tolist())
    assert seen == [
        [1, words[1], words[2], words[0]],
        [2, words[3], words[4], words[0]],
        [0, words[5], words[6], words[7]],
        [1, words[8], result.states[0, 2], words[7]],
    ]


def test_replicas_start_with_words_of_their_own():
    many = fg.run(dice(), fg.QLearner(), 1, replicas=300, rng=7)
    alone = fg.run(dice(), fg.QLearner(), 1, replicas=300, rng=7, backend="reference")
    assert (many.states == alone.states).all()
    assert len(np.unique(many.states[:, 3])) == 300


def lottery():
    """One agent without a choice is paid 2 with probability 0.3, else -1 or 0 by a coin."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        rewards[0] = 2.0 if happens(words[0], 0.3) else coin(words[1]) - 1.0
        return False

    return fg.ProceduralGame(
        start, step, lambda state, agent: 0, num_actions=(1,), num_observations=(1,), words=2
    )


def test_random_rewards_have_the_moments_of_a_closed_form():
    """q is a geometric mean of independent rewards of mean 1/4 and variance 119/80."""
    alpha, steps, replicas = 0.2, 30, 40_000
    result = fg.run(lottery(), fg.QLearner(alpha), steps, replicas, rng=5)
    q, rest = result.tables[0]["q"].ravel(), (1 - alpha) ** steps
    mean, variance = 0.25, 0.3 * 4 + 0.35 - 0.25**2
    expected = variance * alpha**2 * (1 - rest**2) / (1 - (1 - alpha) ** 2)
    assert abs(q.mean() - mean * (1 - rest)) < 4 * np.sqrt(expected / replicas)
    assert abs(q.var() / expected - 1) < 4 * np.sqrt(2 / replicas)


def test_tabulate_has_the_mean_of_random_rewards_exactly():
    chance = Fraction(math.ceil(Fraction(0.3) * 2**31), 2**31)
    found = fg.tabulate(lottery())
    assert found.rewards[0, 0, 0] == float(chance * 2 - (1 - chance) / 2)
    assert found.num_states == 1


# --- many agents --------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_more_agents_than_a_table_could_have():
    game = fg.games.make("el_farol")
    assert game.num_agents == 100
    result = fg.run(game, fg.QLearner(), 20, replicas=2, rng=1, record=fg.Record(rewards=True))
    assert result.mean_reward.shape == (2, 100)
    with pytest.raises(ValueError, match=r"record.joint_actions must be False"):
        fg.run(game, fg.QLearner(), 20, record=fg.Record(joint_actions=True))
    stopped = fg.run(
        game, fg.QLearner(), 200, replicas=2, rng=1, stop=fg.Stable(150),
        record=fg.Record(rewards=True, last=10),
    )  # fmt: skip
    assert np.isfinite(stopped.mean_reward).all()


# --- bad input ----------------------------------------------------------------------------------


def stay(state, words):
    state[0] = 0


def idle(state, actions, rewards, words):
    state[0] += 1
    for i in range(2):
        rewards[i] = 0.0
    return False


def blind(state, agent):
    return 0


def made(start=stay, step=idle, observe=blind, **more):
    given = {"num_actions": (2, 2), "num_observations": (2, 2)} | more
    return fg.ProceduralGame(start, step, observe, **given)


def far(state, agent):
    return state[0] // 9


def costly(state, actions, rewards, words):
    state[0] += 1
    rewards[0], rewards[1] = 0.0, 0.0
    if state[0] == 13:
        rewards[1] = 1e9
    return False


def nothing_paid(state, actions, rewards, words):
    state[0] += 1
    rewards[0], rewards[1] = 0.0, 0.0
    if state[0] > 5:
        rewards[0] = np.nan
    return False


@pytest.mark.parametrize("backend", ["reference", "auto"])
@pytest.mark.parametrize(
    ("game", "function", "step", "value"),
    [
        (made(observe=far), "observe", 17, 2),
        (made(step=costly, largest_reward=1e6), "step", 12, 1e9),
    ],
)
def test_what_is_out_of_range_stops_the_run(game, function, step, value, backend):
    with pytest.raises(fg.RuleError, match="must be") as caught:
        fg.run(game, fg.QLearner(), 100, replicas=3, backend=backend)
    assert caught.value.function.startswith(function)
    assert caught.value.replica in range(3)
    assert caught.value.step == step
    assert caught.value.value == value


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_a_reward_that_is_no_number_stops_the_run(backend):
    with pytest.raises(fg.RuleError, match="reward nan"):
        fg.run(made(step=nothing_paid), fg.QLearner(), 100, backend=backend)


def test_an_index_outside_is_caught_where_asked_for():
    def outside(state, actions, rewards, words):
        rewards[0], rewards[1] = 0.0, 0.0
        state[0] += 1
        if state[0] > 3:
            rewards[state[0] * 1_000_000] = 1.0
        return False

    for how in ({"checked": True}, {"backend": "reference"}):
        with pytest.raises(fg.RuleError, match="step of game") as caught:
            fg.run(made(step=outside), fg.QLearner(), 100, **how)
        assert caught.value.step == 3


def test_what_numba_cannot_compile_is_said_in_two_lines():
    def speaks(state, agent):
        return ("no number" + agent) if agent > 5 else 0

    with pytest.raises(CompileError) as caught:
        fg.run(made(observe=speaks), fg.QLearner(), 5)
    first, second = str(caught.value).splitlines()
    assert "functions of the game" in first
    assert "'speaks'" in first
    assert str(speaks.__code__.co_firstlineno + 1) in first
    assert second


BAD = [
    ({"start": None}, TypeError, "start must be a plain function"),
    ({"step": blind}, TypeError, "step must take 4 arguments"),
    ({"num_actions": ()}, ValueError, "num_actions must be for 1 to"),
    ({"num_actions": (2, 0)}, ValueError, r"num_actions\[1\]"),
    ({"num_observations": (2,) * 3}, ValueError, "num_observations must be one for each"),
    ({"state_size": 0}, ValueError, "state_size"),
    ({"words": -1}, ValueError, "words"),
    ({"start_words": 1.5}, TypeError, "start_words"),
    ({"discount": 1.2}, ValueError, "discount"),
    ({"time_limit": 0}, ValueError, "time_limit"),
    ({"largest_reward": -1.0}, ValueError, "largest_reward"),
    ({"name": 3}, TypeError, "name"),
    ({"actions": [["a"], ["b"]]}, ValueError, "actions"),
    ({"observe": lambda state, agent: 5}, ValueError, "observe of game 'procedural' must run"),
    ({"step": lambda s, a, r, w: False}, ValueError, "nan means that none was written"),
    ({"start": lambda s, w: s[7]}, ValueError, "start of game 'procedural' must run"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD)
def test_bad_games(changes, error, message):
    with pytest.raises(error, match=message):
        made(**changes)


def test_a_result_of_a_users_game_is_loaded_with_the_game(tmp_path):
    game = made()
    fg.run(game, fg.QLearner(), 5, rng=1, backend="reference").save(tmp_path / "result.zip")
    with pytest.raises(ValueError, match="game must be given as to run"):
        fg.load(tmp_path / "result.zip")
    with pytest.raises(ValueError, match="game must be the game"):
        fg.load(tmp_path / "result.zip", game=made(observe=far))
    assert fg.load(tmp_path / "result.zip", game=made()).states.tolist() == [[5]]


def test_functions_differ_by_the_constants_that_they_take():
    def with_constant(k):
        return made(observe=lambda state, agent: k * 0)

    assert with_constant(1) == with_constant(1)
    assert with_constant(1) != with_constant(2)


def test_a_game_with_functions_needs_numba_or_the_reference():
    with pytest.raises(ValueError, match='backend must be "auto"'):
        fg.run(made(), fg.QLearner(), 5, backend="cython")
