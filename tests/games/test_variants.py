"""Variants: games that are equal but for payoffs, and which replica plays which."""

import copy
import pickle

import numpy as np
import pytest

from fastgames.games import (
    MarkovGame,
    MatrixGame,
    Variants,
    matching_pennies,
    prisoners_dilemma,
    random_markov_game,
    remember,
)
from fastgames.games.compact import Sum

TEMPTATIONS = [prisoners_dilemma(temptation=t) for t in (4, 5, 6)]


def markov(rewards_seed, **changes):
    arguments = {"transitions": np.ones((3, 2, 2), int), "terminal": [False, False, True]}
    rewards = np.random.default_rng(rewards_seed).normal(size=(2, 3, 2, 2))
    return MarkovGame(rewards, **arguments | changes)


def test_of_matrix_games():
    variants = Variants(TEMPTATIONS, [2, 0, 0, 1])
    assert variants.games == tuple(TEMPTATIONS)
    assert variants.index.tolist() == [2, 0, 0, 1]
    assert variants.index.dtype == np.int64
    one = TEMPTATIONS[0]
    for name in (
        "num_agents",
        "num_actions",
        "num_states",
        "num_observations",
        "discount",
        "actions",
        "name",
    ):
        assert getattr(variants, name) == getattr(one, name), name
    rewards = variants.compact.rewards
    assert (rewards.shape, rewards.dtype) == ((2, 3, 1, 4), np.float64)
    assert rewards.flags.c_contiguous and not rewards.flags.writeable
    for k, game in enumerate(TEMPTATIONS):
        for agent in range(2):
            assert rewards[agent, k, 0].tolist() == game.payoffs[agent].ravel().tolist()
    assert isinstance(variants.compact.moves, Sum)
    assert variants.compact is variants.compact
    assert repr(variants) == '<Variants of "prisoner\'s dilemma": 3 games, 4 replicas>'


def test_of_markov_games():
    games = [markov(k, name=f"game {k}", source=str(k)) for k in range(3)]
    variants = Variants(games, np.array([0, 2], np.uint8))
    compact = variants.compact
    assert compact.rewards.shape == (2, 3, 3, 4)
    for k, game in enumerate(games):
        np.testing.assert_array_equal(compact.rewards[:, k], game.rewards.reshape(2, 3, 4))
    assert compact.moves is games[0].compact.moves
    assert compact.terminal.tolist() == [False, False, True]
    assert variants.num_states == 3
    assert variants.discount == 0.95
    assert variants.name == "game 0"
    np.testing.assert_array_equal(variants.transitions, games[0].transitions)
    for name in ("terminal", "observations", "turns"):
        np.testing.assert_array_equal(getattr(variants, name), getattr(games[0], name))
    assert variants.start == 0
    assert variants.time_limit is None


def test_of_games_with_memory():
    variants = Variants([remember(game, 2) for game in TEMPTATIONS], [0, 1, 2])
    assert variants.compact.rewards.shape == (2, 3, 1, 4)
    assert variants.num_observations == (16, 16)


def test_rewards_that_no_state_changes_beside_others():
    flat = np.broadcast_to(np.arange(8.0).reshape(2, 1, 2, 2), (2, 3, 2, 2))
    moves = np.ones((3, 2, 2), int)
    games = [MarkovGame(flat, moves), MarkovGame(flat + np.arange(3.0)[:, None, None], moves)]
    rewards = Variants(games, [0, 1]).compact.rewards
    assert rewards.shape == (2, 2, 3, 4)
    for k, game in enumerate(games):
        np.testing.assert_array_equal(rewards[:, k], game.rewards.reshape(2, 3, 4))


def test_a_single_game():
    assert Variants([matching_pennies()], [0]).compact.rewards.shape == (2, 1, 1, 4)


@pytest.mark.parametrize("name", ["payoffs", "rewards"])
def test_no_payoffs_of_its_own(name):
    variants = Variants(TEMPTATIONS, [0])
    assert not hasattr(variants, name)
    with pytest.raises(AttributeError) as caught:
        getattr(variants, name)
    assert str(caught.value) == (
        f"'Variants' has no attribute {name!r}, in which its games differ; use games[k].{name}"
    )


def test_no_other_attributes():
    variants = Variants(TEMPTATIONS, [0])
    for name in ("transitions", "pure_equilibria", "anything"):
        assert not hasattr(variants, name)
    for name in ("games", "index", "compact", "anything"):
        with pytest.raises(AttributeError):
            setattr(variants, name, 0)


def test_index_is_copied_and_read_only():
    index = np.array([0, 1])
    variants = Variants(TEMPTATIONS, index)
    index[:] = 2
    assert variants.index.tolist() == [0, 1]
    assert not variants.index.flags.writeable


def test_equality_and_copies():
    variants = Variants(TEMPTATIONS, [0, 1])
    assert variants == Variants(TEMPTATIONS, [0, 1])
    assert hash(variants) == hash(Variants(TEMPTATIONS, (0, 1)))
    assert variants != Variants(TEMPTATIONS, [1, 0])
    assert variants != Variants(TEMPTATIONS, [0, 1, 2])
    assert variants != Variants(TEMPTATIONS[::-1], [0, 1])
    assert variants != Variants(TEMPTATIONS[:2], [0, 1])
    assert variants != TEMPTATIONS[0]
    for other in (pickle.loads(pickle.dumps(variants)), copy.copy(variants)):
        assert other == variants
        assert not other.index.flags.writeable
        np.testing.assert_array_equal(other.compact.rewards, variants.compact.rewards)


@pytest.mark.parametrize(
    ("games", "index", "error", "message"),
    [
        (TEMPTATIONS[0], [0], TypeError, "games must be a sequence of games, got <MatrixGame"),
        ([], [0], ValueError, "games must have at least 1 entry, got 0"),
        (
            [TEMPTATIONS[0], "chicken"],
            [0],
            TypeError,
            "games must be MatrixGames or MarkovGames, got games[1] = 'chicken'",
        ),
        (
            [Variants(TEMPTATIONS, [0])],
            [0],
            TypeError,
            "games must be MatrixGames or MarkovGames, got games[0] = <Variants",
        ),
        *(
            (
                games,
                [0],
                ValueError,
                "games must be equal except for payoffs or rewards, name and source, "
                f"got games[1] = {games[1]!r} and games[0] = {games[0]!r}",
            )
            for games in (
                [matching_pennies(), prisoners_dilemma()],  # other names of actions
                [matching_pennies(), MatrixGame(np.zeros((2, 2, 3)))],
                [matching_pennies(), remember(matching_pennies())],
                [remember(matching_pennies()), matching_pennies()],
                [remember(matching_pennies()), remember(matching_pennies(), 2)],
                [remember(matching_pennies()), remember(matching_pennies(), discount=0.9)],
                [markov(0), markov(1, transitions=np.zeros((3, 2, 2), int))],
                [markov(0), markov(1, terminal=[False, True, False])],
                [markov(0), markov(1, time_limit=5)],
                [markov(0), markov(1, turns=[0, 1, 0])],
                [markov(0), markov(1, observations=[[0, 1, 1]] * 2)],
                [markov(0), markov(1, start=1)],
                [random_markov_game(rng=0, transitions="random"), random_markov_game(rng=0)],
            )
        ),
        (TEMPTATIONS, [0, 3], ValueError, "index must be in [0, 3), got index[1] = 3"),
        (TEMPTATIONS, [-1], ValueError, "index must be in [0, 3), got index[0] = -1"),
        (TEMPTATIONS, [0.0], TypeError, "index must hold integers, got dtype float64"),
        (TEMPTATIONS, [True], TypeError, "index must hold integers, got dtype bool"),
        (
            TEMPTATIONS,
            np.zeros(0, int),
            ValueError,
            "index must have shape (replicas,), at least 1, got shape (0,)",
        ),
        (
            TEMPTATIONS,
            [[0, 1]],
            ValueError,
            "index must have shape (replicas,), at least 1, got shape (1, 2)",
        ),
        (
            TEMPTATIONS,
            0,
            ValueError,
            "index must have shape (replicas,), at least 1, got shape ()",
        ),
    ],
)
def test_bad_input(games, index, error, message):
    with pytest.raises(error) as caught:
        Variants(games, index)
    assert str(caught.value).startswith(message)
