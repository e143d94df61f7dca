"""Arguments outside their domain: errors that name argument, value and domain, before any work."""

import importlib
import re

import numpy as np
import pytest

import fastgames as fg
from fastgames._common import memory
from fastgames.engine import driver
from fastgames.learners import EpsilonGreedy, Softmax

PENNIES = fg.games.matching_pennies()
STATES = fg.remember(PENNIES)
HIDDEN = fg.MarkovGame(
    STATES.rewards, STATES.transitions, observations=[[0, 1, 2, 3], [0, 0, 1, 1]], discount=0.9
)
TURNS = fg.MarkovGame(STATES.rewards, STATES.transitions, turns=[0, 1, 0, 1])
THREE = fg.Variants([PENNIES, PENNIES], [0, 1, 0, 1])
SWEEP = fg.grid(alpha=[0.1, 0.2], repeats=2)
LAST = fg.Record(rewards=True, last=100_000)
NAN, INF = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    """Nothing is allocated, compiled or run."""

    def reached(*arguments, **keywords):
        raise AssertionError("work began before the arguments were checked")

    run = importlib.import_module("fastgames.runs.execution")
    for name in ("fresh", "resumed", "_room"):
        monkeypatch.setattr(run, name, reached)
    monkeypatch.setattr(driver, "run", reached)


def refused(error, *parts):
    """The error, whose message contains all the parts."""
    return pytest.raises(error, match="".join(f"(?=.*{re.escape(part)})" for part in parts))


# --- parameters of learners ---------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, -0.1, 1.0000001, 2, -INF, INF, NAN])
def test_alpha_outside_its_domain(value):
    domain = "(0, 1]" if np.isfinite(value) else "finite"
    with refused(ValueError, "alpha", str(value), domain):
        fg.QLearner(alpha=value)


@pytest.mark.parametrize("value", [1.0000001, 1.5, -0.1])
def test_gamma_outside_its_domain(value):
    with refused(ValueError, "gamma", "[0, 1]", str(value)):
        fg.QLearner(gamma=value)


@pytest.mark.parametrize("gamma", [1.0, 1 - 1e-9])
def test_a_gamma_of_1_where_episodes_do_not_end(gamma):
    with refused(ValueError, "gamma of learners[0]", "below 1 where episodes do not end"):
        fg.run(PENNIES, fg.QLearner(gamma=gamma), dtype="float32")


@pytest.mark.parametrize("value", [-1e-9, 1.1, -1])
def test_epsilon_outside_its_domain(value):
    with refused(ValueError, "epsilon", "[0, 1]", str(value)):
        EpsilonGreedy(value)


@pytest.mark.parametrize("value", [0.0, -0.0, -1.0])
def test_temperature_outside_its_domain(value):
    with refused(ValueError, "temperature", "(0, inf)", str(value)):
        Softmax(value)


@pytest.mark.parametrize("value", [NAN, INF, -INF, [0.1, NAN]])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("alpha", fg.QLearner),
        ("gamma", lambda x: fg.QLearner(gamma=x)),
        ("epsilon", EpsilonGreedy),
        ("temperature", Softmax),
        ("initial", lambda x: fg.QLearner(initial=x)),
        ("probabilities", fg.FixedPolicy),
        ("Exponential start", lambda x: fg.Exponential(x, 0.1)),
        ("Exponential rate", lambda x: fg.Exponential(0.1, x)),
        ("Exponential floor", lambda x: fg.Exponential(0.1, 0.1, x)),
        ("Linear start", lambda x: fg.Linear(x, 0.1, 1)),
        ("Linear end", lambda x: fg.Linear(0.1, x, 1)),
        ("Linear steps", lambda x: fg.Linear(0.1, 0.1, x)),
    ],
)
def test_numbers_that_are_not_finite(name, make, value):
    with refused(ValueError, name, "finite", str(np.ravel(value)[-1])):
        make(value)


@pytest.mark.parametrize("value", ["0.1", True, None, 0.1j, [True], {}, object, 10**400])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("alpha", fg.QLearner),
        ("epsilon", EpsilonGreedy),
        ("temperature", Softmax),
        ("initial", lambda x: fg.QLearner(initial=x)),
        ("probabilities", fg.FixedPolicy),
        ("Exponential rate", lambda x: fg.Exponential(0.1, x)),
    ],
)
def test_things_that_are_no_numbers(name, make, value):
    with refused(TypeError, name, "real numbers", repr(value)[:20]):
        make(value)


def test_ragged_and_deep_arrays():
    with refused(ValueError, "alpha", "rectangular"):
        fg.QLearner(alpha=[[0.1], [0.1, 0.2]])
    with refused(ValueError, "alpha", "(replicas,)", "(1, 2)"):
        fg.QLearner(alpha=[[0.1, 0.2]])
    with refused(ValueError, "initial", "(replicas, observations, actions)", "(1, 1, 1, 2)"):
        fg.QLearner(initial=np.zeros((1, 1, 1, 2)))


def test_an_array_names_the_place_of_the_bad_value():
    with refused(ValueError, "alpha", "(0, 1]", "1.5", "index 2"):
        fg.QLearner(alpha=[0.1, 0.2, 1.5])


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: fg.QLearner(fg.Exponential(1.5, 0.1)), ("alpha", "start", "1.5", "[0, 1]")),
        (lambda: fg.QLearner(fg.Linear(0.5, -0.1, 9)), ("alpha", "end", "-0.1", "[0, 1]")),
        (lambda: fg.QLearner(gamma=fg.Linear(0.5, 1.5, 9)), ("gamma", "end", "1.5", "[0, 1]")),
        (
            lambda: EpsilonGreedy(fg.Exponential(0.5, 0.1, 2.0)),
            ("epsilon", "floor", "2.0", "[0, 1]"),
        ),
        (lambda: Softmax(fg.Exponential(1.0, 0.1)), ("temperature", "floor", "0.0", "(0, inf)")),
        (lambda: Softmax(fg.Linear(1.0, 0.0, 9)), ("temperature", "end", "0.0", "(0, inf)")),
        (lambda: fg.Exponential(1.0, -0.1), ("Exponential rate", "-0.1", "[0, inf)")),
        (lambda: fg.Linear(1.0, 0.5, 0), ("Linear steps", "0", "(0, inf)")),
    ],
)
def test_schedules_outside_the_domain_of_what_they_stand_for(make, parts):
    with refused(ValueError, *parts):
        make()


@pytest.mark.parametrize(
    ("probabilities", "parts"),
    [
        ([0.5, 0.6], ("sum to 1", "1.1")),
        ([[0.5, 0.5], [0.4, 0.5]], ("sum to 1", "0.9", "1")),
        ([1.5, -0.5], ("[0, inf)", "-0.5", "index 1")),
        ([], ("shape", "(0,)")),
        (1.0, ("shape", "()")),
        (np.full((1, 1, 1, 2), 0.5), ("shape", "(1, 1, 1, 2)")),
    ],
)
def test_probabilities_that_are_none(probabilities, parts):
    with refused(ValueError, "probabilities", *parts):
        fg.FixedPolicy(probabilities)


def test_an_explorer_that_is_none():
    with refused(TypeError, "explore", "EpsilonGreedy or a Softmax", "0.1"):
        fg.QLearner(explore=0.1)


# --- run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["steps", "replicas", "threads"])
@pytest.mark.parametrize("value", [2.5, 2.0, "3", True, np.True_, [3], np.array([3]), NAN])
def test_counts_that_are_not_whole(name, value):
    with refused(TypeError, name, "whole number", repr(value)):
        fg.run(PENNIES, fg.QLearner(), **{name: value})


@pytest.mark.parametrize("name", ["steps", "replicas", "threads"])
@pytest.mark.parametrize("value", [0, -1, -(2**70), 2**80, np.int64(-3)])
def test_counts_outside_their_domain(name, value):
    with refused(ValueError, name, "whole number in [1, ", repr(value)):
        fg.run(PENNIES, fg.QLearner(), **{name: value})


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"replicas": 10**13}, ("10000000000000 replicas",)),
        ({"replicas": 10**10, "record": fg.Record(joint_actions=True)}, ("10000000000 replicas",)),
        ({"steps": 10**15, "record": fg.Record(every=1, greedy=True)}, ("1 replicas",)),
        (
            {"steps": 10**15, "record": fg.Record(every=2, tables=("q",), policies=True)},
            ("1 replicas",),
        ),
    ],
)
def test_runs_that_do_not_fit_into_memory_say_how_much_they_need(arguments, parts):
    with refused(ValueError, "replicas", "memory", "GiB", "bytes each", "this machine has", *parts):
        fg.run(PENNIES, fg.QLearner(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        # 36 bytes of 100 stay: a state 4, steps and counted 16, two clocks 16
        ({"replicas": 10**10}, "335.3 GiB"),
        # of the tables (12 entries a state, 9 states, two agents) and the streams, nothing stays
        ({"game": fg.remember(fg.games.shapley()), "replicas": 10**9}, "33.5 GiB"),
        # the window of 1,000 steps goes, 8 bytes of `stable` and 16 of the rewards stay
        (
            {"steps": 10**6, "stop": fg.Stable(5), "replicas": 10**9,
             "record": fg.Record(rewards=True, last=1000)},
            "55.9 GiB",
        ),
        # snapshots stay: 11 of 2 greedy actions
        (
            {"steps": 10, "replicas": 10**9, "record": fg.Record(every=1, greedy=True)},
            "115.5 GiB",
        ),
    ],
)  # fmt: skip
def test_runs_that_do_not_fit_into_memory_say_what_keep_would_save(arguments, kept):
    with refused(
        ValueError, "memory", f"; with keep=, {kept} of these stay, and what keep returns"
    ):
        fg.run(**{"game": PENNIES, "learners": fg.QLearner(), **arguments})


@pytest.mark.parametrize(
    ("name", "value", "nearest"),
    [
        ("dtype", "float46", "float64"),
        ("dtype", "float16", "float"),
        ("backend", "cyton", "cython"),
        ("backend", "nuba", "numba"),
        ("stream", "nunpy", "numpy"),
        ("stream", "fastgame", "fastgames"),
    ],
)
def test_unknown_names_suggest_the_nearest(name, value, nearest):
    with refused(ValueError, name, "one of", repr(value), "did you mean", nearest):
        fg.run(PENNIES, fg.QLearner(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("dtype", np.float64), ("backend", 3), ("stream", b"numpy")]
)
def test_names_that_are_none(name, value):
    with refused((ValueError, TypeError), name, "one of", repr(value)):
        fg.run(PENNIES, fg.QLearner(), **{name: value})


@pytest.mark.parametrize("stream", ["fastgames", "numpy"])
@pytest.mark.parametrize(
    ("rng", "error"),
    [
        (-1, ValueError),
        (2**64, ValueError),
        (1.5, TypeError),
        ("7", TypeError),
        (True, TypeError),
        (np.random.RandomState(1), TypeError),
        (np.random.PCG64(1), TypeError),
        ([1, 2], TypeError),
    ],
)
def test_things_that_are_no_seed(rng, error, stream):
    with refused(error, "rng", "[0, 2^64)", "SeedSequence", "Generator", repr(rng)[:20]):
        fg.run(PENNIES, fg.QLearner(), rng=rng, stream=stream)


@pytest.mark.parametrize(
    ("arguments", "error", "parts"),
    [
        ({"game": "pennies"}, TypeError, ("game", "MatrixGame", "'pennies'")),
        ({"game": np.zeros((2, 2, 2))}, TypeError, ("game", "MatrixGame")),
        ({"learners": [fg.QLearner()]}, ValueError, ("learners", "2 agents", "1")),
        ({"learners": [fg.QLearner()] * 3}, ValueError, ("learners", "2 agents", "3")),
        ({"learners": []}, ValueError, ("learners", "2 agents", "0")),
        ({"learners": "q"}, TypeError, ("learners", "'q'")),
        ({"learners": fg.QLearner}, TypeError, ("learners", "QLearner")),
        ({"learners": [fg.QLearner(), None]}, TypeError, ("learners", "None")),
        ({"learners": {0: fg.QLearner()}}, TypeError, ("learners",)),
        (
            {"learners": [fg.QLearner(), fg.EpsilonGreedy(0.1)]},
            TypeError,
            ("learners", "EpsilonGreedy"),
        ),
        (
            {"learners": fg.QLearner(alpha=[0.1] * 4)},
            ValueError,
            ("alpha", "learners[0]", "(3,)", "(4,)"),
        ),
        (
            {"learners": fg.QLearner(gamma=[0.1])},
            ValueError,
            ("gamma", "learners[0]", "(3,)", "(1,)"),
        ),
        (
            {"learners": fg.QLearner(fg.Exponential(0.5, [0.1, 0.2]))},
            ValueError,
            ("alpha", "(3,)", "(2,)"),
        ),
        (
            {
                "learners": [
                    fg.QLearner(),
                    fg.QLearner(explore=fg.Softmax(fg.Linear([1.0] * 2, 1, 9))),
                ]
            },
            ValueError,
            ("temperature", "learners[1]", "(3,)", "(2,)"),
        ),
        (
            {"learners": fg.QLearner(initial=[1, 2, 3])},
            ValueError,
            ("initial", "learners[0]", "(3, 1, 2)", "(3,)"),
        ),
        (
            {"learners": fg.QLearner(initial=np.zeros((2, 1, 2)))},
            ValueError,
            ("initial", "(3, 1, 2)"),
        ),
        (
            {"learners": fg.FixedPolicy([0.2, 0.3, 0.5])},
            ValueError,
            ("probabilities", "learners[0]", "(3, 1, 2)", "(3,)"),
        ),
        (
            {"learners": fg.FixedPolicy([1.0])},
            ValueError,
            ("probabilities", "learners[0]", "2", "1"),
        ),
        (
            {"learners": fg.FixedPolicy([[0.5, 0.5]] * 2)},
            ValueError,
            ("probabilities", "(3, 1, 2)"),
        ),
        (
            {"learners": fg.QLearner(initial=1e39), "dtype": "float32"},
            ValueError,
            ("initial", "float32", "4.25e+37", "1e+39"),
        ),
        (
            {"game": fg.MatrixGame(np.full((2, 2, 2), 1e39)), "dtype": "float32"},
            ValueError,
            ("rewards of game", "float32", "4.25e+37", "1e+39"),
        ),
        (
            {"learners": fg.QLearner(explore=fg.Softmax(1e-40)), "dtype": "float32"},
            ValueError,
            ("temperature", "float32", "1e-40"),
        ),
        (  # differences would overflow
            {"game": fg.MatrixGame(np.full((2, 2, 2), 1.5e308))},
            ValueError,
            ("rewards of game", "float64", "1.5e+308"),
        ),
        (  # and so would the sum of what is discounted
            {"game": fg.MatrixGame(np.full((2, 2, 2), 1e307)), "learners": fg.QLearner(gamma=0.99)},
            ValueError,
            ("rewards of game", "2.25e+305", "1e+307"),
        ),
        (
            {"learners": fg.QLearner(gamma=1 - 1e-9), "dtype": "float32"},
            ValueError,
            ("gamma", "float32", "0.999999999"),
        ),
        (  # 1 + (1e-17 - 1) is 0
            {"learners": fg.QLearner(explore=fg.Softmax(fg.Linear(1.0, 1e-17, 10)))},
            ValueError,
            ("temperature", "0.0"),
        ),
        ({"stream": "numpy"}, ValueError, ("replicas", "1", 'stream="numpy"', "3")),
        ({"progress": 1}, TypeError, ("progress", "1")),
        ({"stop": 5}, TypeError, ("stop", "Stable", "5")),
        ({"stop": True}, TypeError, ("stop", "Stable", "True")),
        ({"stop": fg.Stable}, TypeError, ("stop", "Stable")),
        ({"stop": "stable"}, TypeError, ("stop", "Stable", "'stable'")),
        ({"replicas": "3"}, TypeError, ("replicas", "'3'")),
        ({"game": THREE}, ValueError, ("replicas", "index of game", "4", "3")),
        ({"game": THREE, "replicas": fg.grid(repeats=2)}, ValueError, ("replicas", "4", "2")),
        (
            {"replicas": SWEEP, "learners": fg.QLearner(SWEEP.alpha[:3])},
            ValueError,
            ("alpha", "(4,)", "(3,)"),
        ),
        (
            {"game": STATES, "learners": fg.QLearner(initial=np.zeros((3, 2, 2)))},
            ValueError,
            ("initial", "learners[0]", "(3, 4, 2)", "(3, 2, 2)"),
        ),
        (
            {"game": STATES, "learners": fg.FixedPolicy(np.full((3, 2), 0.5))},
            ValueError,
            ("probabilities", "learners[0]", "(3, 4, 2)", "(3, 2)"),
        ),
        (
            {"game": HIDDEN, "learners": [fg.Sarsa(), fg.Sarsa(initial=np.zeros((4, 2)))]},
            ValueError,
            ("initial", "learners[1]", "(3, 2, 2)", "(4, 2)"),
        ),
        (
            {"game": TURNS, "learners": [fg.QLearner(), fg.QLearner(counterfactual=True)]},
            ValueError,
            ("learners[1] needs counterfactual rewards", "turns", "Exp3", "QLearner("),
        ),
        (
            {"learners": fg.QLearner(fg.VisitCount([0.5, 0.6]))},
            ValueError,
            ("power", "learners[0]", "(3,)", "(2,)"),
        ),
        (
            {"game": STATES, "record": fg.Record(every=2, tables=("visits",))},
            ValueError,
            ("tables", "'q'", "'visits'"),
        ),
        ({"record": True}, TypeError, ("record", "Record", "True")),
        ({"record": fg.Record(rewards=True, last=11)}, ValueError, ("last", "10", "11")),
        ({"record": fg.Record(every=2, tables=("Q",))}, ValueError, ("tables", "'q'", "'Q'")),
    ],
)
def test_runs_of_what_does_not_fit(arguments, error, parts):
    with refused(error, *parts):
        fg.run(
            **{"game": PENNIES, "learners": fg.QLearner(), "steps": 10, "replicas": 3, **arguments}
        )


@pytest.mark.parametrize(
    ("arguments", "error", "parts"),
    [
        ({"every": 0, "greedy": True}, ValueError, ("every", "at least 1", "0")),
        ({"every": 2.0, "greedy": True}, TypeError, ("every", "2.0")),
        ({"every": True, "greedy": True}, TypeError, ("every", "True")),
        ({"every": 5}, ValueError, ("every", "tables, greedy or policies")),
        ({"greedy": True}, ValueError, ("every",)),
        ({"tables": ("q",)}, ValueError, ("every",)),
        ({"tables": "q", "every": 1}, TypeError, ("tables", "'q'")),
        ({"tables": 3, "every": 1}, TypeError, ("tables", "3")),
        ({"last": 5}, ValueError, ("last", "joint_actions or rewards")),
        ({"last": 0, "rewards": True}, ValueError, ("last", "at least 1", "0")),
        ({"last": -1.5, "rewards": True}, TypeError, ("last", "-1.5")),
        ({"flips": 1}, TypeError, ("flips", "True or False", "1")),
        ({"rewards": None}, TypeError, ("rewards", "True or False", "None")),
    ],
)
def test_records_that_make_no_sense(arguments, error, parts):
    with refused(error, *parts):
        fg.Record(**arguments)


@pytest.mark.parametrize("value", [0, -1, 2**31, 2**80])
def test_periods_outside_their_domain(value):
    with refused(ValueError, "periods", "whole number in [1, 2^31)", str(value)):
        fg.Stable(value)


@pytest.mark.parametrize("value", [2.0, True, "3", None, [3]])
def test_periods_that_are_not_whole(value):
    with refused(TypeError, "periods", "whole number", repr(value)):
        fg.Stable(value)


@pytest.mark.parametrize("value", [0.0, -0.5, 1.5, 2])
def test_powers_outside_their_domain(value):
    with refused(ValueError, "power", "(0, 1]", str(value)):
        fg.VisitCount(value)


@pytest.mark.parametrize(
    ("path", "every", "error", "parts"),
    [
        (5, 1.0, TypeError, ("checkpoint", "path", "5")),
        (b"file", 1.0, TypeError, ("checkpoint", "path", "b'file'")),
        (True, 1.0, TypeError, ("checkpoint", "path", "True")),
        (".", 1.0, ValueError, ("checkpoint", "directory", "'.'")),
        ("nowhere/at.all", 1.0, ValueError, ("checkpoint", "directory", "nowhere")),
        ("file", 0, ValueError, ("checkpoint_every", "(0, inf)", "0")),
        ("file", -1.5, ValueError, ("checkpoint_every", "(0, inf)", "-1.5")),
        ("file", INF, ValueError, ("checkpoint_every", "(0, inf)", "inf")),
        ("file", NAN, ValueError, ("checkpoint_every", "(0, inf)", "nan")),
        ("file", "60", TypeError, ("checkpoint_every", "seconds", "'60'")),
        ("file", True, TypeError, ("checkpoint_every", "seconds", "True")),
        ("file", None, TypeError, ("checkpoint_every", "seconds", "None")),
    ],
)
def test_checkpoints_that_cannot_be(path, every, error, parts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with refused(error, *parts):
        fg.run(PENNIES, fg.QLearner(), checkpoint=path, checkpoint_every=every)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"steps": 10**9, "stop": fg.Stable(5), "record": LAST}, ("400,", " 37.3 GiB")),
        ({"game": fg.remember(fg.MatrixGame(np.zeros((2, 30, 30))))}, ("432,", " 40.")),
    ],
)
def test_tables_and_windows_that_do_not_fit_into_memory(arguments, parts, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 4 * 2**30)
    with refused(ValueError, "100000 replicas", "memory", "bytes each", "4.0 GiB", *parts):
        fg.run(**{"game": PENNIES, "learners": fg.QLearner(), "replicas": 100_000, **arguments})


@pytest.fixture(scope="module")
def earlier():
    return fg.run(PENNIES, fg.QLearner(), steps=5, replicas=3, rng=1)


@pytest.mark.parametrize(
    ("arguments", "error", "parts"),
    [
        ({"rng": 3}, ValueError, ("rng", "None", "resume", "3")),
        ({"replicas": 4}, ValueError, ("replicas", "3", "4")),
        ({"dtype": "float32"}, ValueError, ("dtype", "'float64'", "'float32'")),
        ({"stream": "numpy"}, ValueError, ("stream", "'fastgames'", "'numpy'")),
        ({"game": fg.games.shapley()}, ValueError, ("game", "(2, 2)", "(3, 3)")),
        ({"learners": fg.QLearner([0.1] * 4)}, ValueError, ("alpha", "(3,)", "(4,)")),
        ({"learners": [fg.QLearner()] * 3}, ValueError, ("learners", "2", "3")),
        ({"resume": "earlier"}, TypeError, ("resume", "Result", "'earlier'")),
        ({"steps": 0}, ValueError, ("steps", "0")),
        ({"game": STATES}, ValueError, ("game", "num_observations", "(1, 1)", "(4, 4)")),
        ({"replicas": SWEEP}, ValueError, ("replicas", "3", "4")),
        ({"game": THREE}, ValueError, ("replicas", "3", "4")),
    ],
)
def test_resuming_what_does_not_fit(arguments, error, parts, earlier):
    with refused(error, *parts):
        fg.run(
            **{
                "game": PENNIES,
                "learners": fg.QLearner(),
                "steps": 5,
                "resume": earlier,
                **arguments,
            }
        )


def small(states=3, **more):
    """A Markov game, and what it is changed to."""
    moves = np.zeros((states, 2, 2), int)
    if more.pop("chance", False):
        moves = np.full((states, 2, 2, states), 1 / states)
    return fg.MarkovGame(np.zeros((2, states, 2, 2)), moves, 0.9, **more)


@pytest.fixture(scope="module")
def in_states():
    return fg.run(small(), fg.QLearner(), steps=5, replicas=2, rng=1)


@pytest.mark.parametrize(
    ("game", "parts"),
    [
        (small(4), ("num_observations", "(3, 3)", "(4, 4)")),
        (small(observations=[[0, 1, 1], [0, 1, 2]]), ("num_observations", "(3, 3)", "(2, 3)")),
        (small(4, observations=[[0, 1, 2, 2]] * 2), ("num_states", "3", "4")),
        (small(chance=True), ("chance",)),
        (small(start=[0.5, 0.5, 0.0]), ("chance",)),
        (small(time_limit=5), ("time limit",)),
        (PENNIES, ("num_observations", "(3, 3)", "(1, 1)")),
    ],
)
def test_resuming_in_a_game_of_another_shape(game, parts, in_states):
    with refused(ValueError, "game", *parts):
        fg.run(game, fg.QLearner(), steps=5, resume=in_states)


def test_snapshots_of_replicas_that_do_not_stand_at_the_same_step(in_states):
    in_states.state.steps[1] += 1
    record = fg.Record(every=2, greedy=True)
    with refused(ValueError, "record.every", "same step"):
        fg.run(small(), fg.QLearner(), steps=5, resume=in_states, record=record)


def test_agents_that_a_result_does_not_have(earlier):
    for agent, error in ((2, ValueError), (-1, ValueError), (0.5, TypeError), (True, TypeError)):
        for method in (earlier.policy, earlier.greedy):
            with refused(error, "agent", "[0, 1]", repr(agent)):
                method(agent)


def test_too_many_joint_actions():
    game = fg.MatrixGame(np.zeros((2, 2, 2)))
    with pytest.MonkeyPatch.context() as patch:  # a table that large does not fit into a test
        patch.setattr(fg.MatrixGame, "num_actions", property(lambda self: (2**16, 2**16)))
        with refused(ValueError, "joint actions", "2^31", str(2**32)):
            fg.run(game, fg.QLearner())


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("num_observations", (2**28, 2), ("observations x actions", "2^31", "agent 0", str(2**28))),
        ("num_actions", (2**25, 2), ("2^24 actions", str(2**25))),
    ],
)
def test_tables_that_32_bits_cannot_index(name, value, parts, monkeypatch):
    game = fg.MatrixGame(np.zeros((2, 5, 2)))
    monkeypatch.setattr(fg.MatrixGame, name, property(lambda self: value))
    with refused(ValueError, "game", *parts):
        fg.run(game, fg.QLearner())
