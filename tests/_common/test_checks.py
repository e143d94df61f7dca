"""Values that NumPy or Python would read in another sense are refused wherever they are given."""

import numpy as np
import pytest

import fastgames as fg
from fastgames import analysis
from fastgames import papers as reproduce
from fastgames._common import memory

PENNIES = fg.games.matching_pennies()
DILEMMA = fg.remember(fg.games.prisoners_dilemma(), periods=1, discount=0.9)


# --- masked arrays ------------------------------------------------------------------------------


def masked(values, dtype=None):
    """An array whose first entry is masked; NumPy hands on what is under the mask."""
    array = np.ma.MaskedArray(np.array(values, dtype))
    array[(0,) * array.ndim] = np.ma.masked
    return array


PAYOFFS = [[[1.0, 2.0], [3.0, 4.0]]] * 2
MASKED = {
    "payoffs": lambda: fg.MatrixGame(masked(PAYOFFS)),
    "payoffs of one agent": lambda: fg.MatrixGame([PAYOFFS[0], masked(PAYOFFS[1])]),
    "payoffs in lists": lambda: fg.MatrixGame([PAYOFFS[0], [masked([1.0, 2.0]), [3.0, 4.0]]]),
    "rewards": lambda: fg.MarkovGame(masked([PAYOFFS]), masked([[[0, 0], [0, 0]]])),
    "transitions": lambda: fg.MarkovGame([[PAYOFFS[0]]] * 2, masked([[[0, 0], [0, 0]]])),
    "start": lambda: fg.MarkovGame(
        np.zeros((2, 2, 1, 1)), np.zeros((2, 1, 1), int), start=masked([0.5, 0.5])
    ),
    "terminal": lambda: fg.MarkovGame(
        np.zeros((2, 2, 1, 1)), np.zeros((2, 1, 1), int), terminal=masked([False, False])
    ),
    "observations": lambda: fg.MarkovGame(
        np.zeros((2, 1, 1, 1)), np.zeros((1, 1, 1), int), observations=masked([[0], [0]])
    ),
    "index": lambda: fg.Variants([PENNIES, PENNIES], masked([0, 1])),
    "prices": lambda: fg.games.logit_bertrand(prices=masked([1.5, 1.6])),
    "alpha": lambda: fg.QLearner(alpha=masked([0.1, 0.2])),
    "start of a schedule": lambda: fg.Linear(masked([0.1, 0.2]), 0.0, 10),
    "initial": lambda: fg.QLearner(initial=masked([0.1, 0.2])),
    "initial of a table": lambda: fg.Table("q", initial=masked([0.1, 0.2])),
    "a fixed policy": lambda: fg.FixedPolicy(masked([0.5, 0.5])),
    "a policy": lambda: fg.Policy(masked([0.5, 0.5])),
    "preferred": lambda: fg.Policy([[0.5, 0.5]] * 2, masked([0, 1])),
    "an observation": lambda: fg.Policy([[0.5, 0.5]] * 2)(masked([0, 1]), 7),
    "words": lambda: fg.Policy([[0.5, 0.5]] * 2)([0, 1], masked([0, 1])),
    "a dimension": lambda: fg.grid(alpha=masked([0.1, 0.2])),
    "what a grid unfolds": lambda: fg.grid(alpha=[0.1, 0.2]).reshape(masked([1.0, 2.0])),
    "greedy": lambda: analysis.limit_cycle(DILEMMA, [[[0, 1, 0, 1]], masked([[0, 0, 1, 1]])]),
    "where a cycle begins": lambda: analysis.limit_cycle(
        DILEMMA, [[[0, 1, 0, 1]], [[0, 0, 1, 1]]], start=masked([1])
    ),
    "profits": lambda: analysis.profit_gain(masked([[1.0, 2.0]]), [1.0, 1.0], [2.0, 2.0]),
    "actions": lambda: fg.VectorGame(PENNIES, 2).step(masked([[0, 1], [0, 1]], np.int64)),
    "actions of another type": lambda: fg.VectorGame(PENNIES, 2).step(
        masked([[0, 1], [0, 1]], np.int16)
    ),
    "actions in lists": lambda: fg.VectorGame(PENNIES, 2).step([masked([0, 1]), [0, 1]]),
}


@pytest.mark.parametrize("given", MASKED.values(), ids=MASKED)
def test_a_masked_array_is_refused(given):
    with pytest.raises(TypeError, match=r"must not be a masked array; pass value\.filled"):
        given()


def test_actions_of_a_gymnasium_environment_are_not_masked():
    from fastgames.envs.gymnasium import GameVectorEnv

    envs = GameVectorEnv("matching_pennies", num_envs=2)
    envs.reset(seed=7)
    with pytest.raises(TypeError, match="actions must not be a masked array"):
        envs.step(masked([0, 1]))


def test_what_a_sweep_draws_is_not_masked():
    from fastgames import plot

    sweep = fg.grid(alpha=[0.1, 0.2])
    result = fg.run(PENNIES, fg.QLearner(sweep.alpha), 5, sweep, 1)
    with pytest.raises(TypeError, match="value must not be a masked array"):
        plot.sweep(result, value=masked([1.0, 2.0]))
    with pytest.raises(TypeError, match="over must be in a fixed order"):
        plot.sweep(result, over={"alpha"})


# --- sets ---------------------------------------------------------------------------------------

SETS = {
    "a dimension": lambda: fg.grid(alpha={0.1, 0.2}),
    "a frozen set": lambda: fg.grid(game=frozenset(["a", "b"])),
    "the keys of a dict": lambda: fg.grid(alpha={0.1: 0, 0.2: 0}.keys()),
    "tables of a record": lambda: fg.Record(every=1, tables={"q", "visits"}),
    "names of actions": lambda: fg.MatrixGame(PAYOFFS, actions=[{"a", "b"}, {"c", "d"}]),
    "agents' names of actions": lambda: fg.MatrixGame(PAYOFFS, actions={("a", "b"), ("c", "d")}),
    "games": lambda: fg.Variants({PENNIES, fg.games.matching_pennies()}, [0, 1]),
    "prices": lambda: fg.games.logit_bertrand(prices={1.5, 1.6}),
    "numbers of actions": lambda: fg.games.random_markov_game(actions={2, 3}, rng=1),
    "names of a policy": lambda: fg.Policy([0.5, 0.5], actions={"a", "b"}),
    "learners": lambda: fg.run(PENNIES, {fg.QLearner(), fg.Sarsa()}),
}


@pytest.mark.parametrize("given", SETS.values(), ids=SETS)
def test_a_set_is_refused(given):
    """Its order may follow the hash seed, so the same program would give other results."""
    with pytest.raises(TypeError, match="must be"):
        given()


def test_dictionaries_have_an_order():
    assert fg.grid(alpha={"a": 0.1, "b": 0.2}.values()).alpha.tolist() == [0.1, 0.2]


# --- seeds --------------------------------------------------------------------------------------

RECURSIVE = []
RECURSIVE.append(RECURSIVE)
NO_SEEDS = [
    RECURSIVE, [1, 2], "7", 1.5, True, -1, 2**64, np.array([7]), np.float64(7.0),
    np.random.RandomState(7), np.random.PCG64(7), object(),
]  # fmt: skip
TAKE_A_SEED = {
    "run": lambda rng: fg.run(PENNIES, fg.QLearner(), 1, rng=rng),
    "run, numpy": lambda rng: fg.run(PENNIES, fg.QLearner(), 1, rng=rng, stream="numpy"),
    "random_markov_game": lambda rng: fg.games.random_markov_game(rng=rng),
    "Streams": lambda rng: fg.Streams(rng, 1, 0),
    "VectorGame": lambda rng: fg.VectorGame(PENNIES, 1, rng),
    "VectorGame.reset": lambda rng: fg.VectorGame(PENNIES, 1, 7).reset(rng),
    **{
        name: lambda rng, again=again: again(replicas=2, steps=1000, rng=rng)
        for name, again in reproduce.NAMES.items()
    },
}


@pytest.mark.parametrize("rng", NO_SEEDS, ids=lambda rng: type(rng).__name__)
@pytest.mark.parametrize("take", TAKE_A_SEED.values(), ids=TAKE_A_SEED)
def test_a_seed_has_one_rule_everywhere(take, rng):
    with pytest.raises((TypeError, ValueError), match=r"rng must be None, an int in \[0, 2\^64\)"):
        take(rng)


@pytest.mark.parametrize("seed", [0, 7, 2**63, 2**64 - 1])
def test_a_random_game_is_that_of_numpys_generator(seed):
    game = fg.games.random_markov_game(rng=seed)
    for same in (np.uint64(seed), np.random.default_rng(seed)):
        again = fg.games.random_markov_game(rng=same)
        assert again.rewards.tobytes() == game.rewards.tobytes()
    given = np.random.SeedSequence(seed)
    assert fg.games.random_markov_game(rng=given) == fg.games.random_markov_game(
        rng=np.random.default_rng(np.random.SeedSequence(seed))
    )


# --- policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"agent": "first"}, TypeError, "agent must be a whole number of at least 0, got 'first'"),
        ({"agent": -1}, ValueError, "agent must be a whole number of at least 0, got -1"),
        ({"agent": 0.5}, TypeError, "agent must be a whole number"),
        ({"agent": None}, TypeError, "agent must be a whole number"),
        ({"game": 7}, TypeError, "game must be a str, the name of a game, got 7"),
        ({"actions": "ab"}, TypeError, "actions must be a sequence of 2 names, got 'ab'"),
        ({"actions": 2}, TypeError, "actions must be a sequence of 2 names, got 2"),
        ({"actions": (0, 1)}, ValueError, "actions must be 2 names, each a str, got"),
        ({"actions": ("a",)}, ValueError, "actions must be 2 names, each a str, got"),
    ],
)
def test_what_a_policy_carries_along_is_checked(given, error, says):
    with pytest.raises(error, match=says):
        fg.Policy([0.25, 0.75], **given)


def test_the_agent_of_a_policy_is_an_int():
    assert type(fg.Policy([0.25, 0.75], agent=np.int64(1)).agent) is int


# --- memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: fg.Streams(7, 2**31, 0), "replicas must fit into memory: 2147483648 replicas"),
        (lambda: fg.Streams(7, 1, 2**31 - 2), "replicas must fit into memory"),
        (lambda: fg.Streams(7, 1000, 0).words(2**31), "count must fit into memory: 2147483648"),
    ],
)
def test_streams_that_do_not_fit_into_memory_are_refused(make, says, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda root="/": 2**31)
    with pytest.raises(ValueError, match=says):
        make()
