"""Matrix games go to OpenSpiel and come back; its own numbers are what is expected."""

import itertools

import numpy as np
import pyspiel
import pytest
from open_spiel.python.policy import TabularPolicy

import fastgames as fg
from fastgames.envs import fixed_policy, from_openspiel, to_openspiel
from fastgames.registry import GAMES

matrix_games = pytest.mark.parametrize(
    "name", [name for name, make in GAMES.items() if isinstance(make(), fg.MatrixGame)]
)
ONCE = [
    kind.short_name
    for kind in pyspiel.registered_games()
    if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
    and kind.information == pyspiel.GameType.Information.ONE_SHOT
    and kind.default_loadable
]


def three_agents():
    """Every number and name appears once."""
    payoffs = np.arange(3 * 2 * 3 * 4, dtype=float).reshape(3, 2, 3, 4)
    names = [["a", "b"], ["c", "d", "e"], ["f", "g", "h", "i"]]
    return fg.MatrixGame(payoffs, name="three", actions=names)


def two_agents():
    payoffs = np.arange(12, dtype=float).reshape(2, 2, 3) / 7
    return fg.MatrixGame(payoffs, name="two", actions=[["up", "down"], ["x", "y", "z"]])


def assert_same(game, theirs):
    """As OpenSpiel plays it, in some joint actions."""
    assert theirs.num_players() == game.num_agents
    start = theirs.new_initial_state()
    for i, names in enumerate(game.actions):
        legal = start.legal_actions(i)
        assert [start.action_to_string(i, a) for a in legal] == list(names)
    cells = list(itertools.product(*map(range, game.num_actions)))
    for cell in cells[:: len(cells) // 100 + 1]:
        state = start.clone()
        state.apply_actions(list(cell))
        assert state.is_terminal()
        assert state.returns() == game.payoffs[(slice(None), *cell)].tolist()


@matrix_games
def test_every_matrix_game_goes_out_and_comes_back(name):
    game = GAMES[name]()
    theirs = to_openspiel(name)
    assert theirs.get_type().long_name == game.name
    assert_same(game, theirs)
    again = from_openspiel(theirs)
    assert np.array_equal(again.payoffs, game.payoffs)
    assert (again.actions, again.name) == (game.actions, game.name)


@pytest.mark.parametrize("make", [two_agents, three_agents])
def test_agents_and_actions_keep_their_order(make):
    game, theirs = make(), to_openspiel(make())
    assert_same(game, theirs)
    for i in range(game.num_agents):
        assert np.array_equal(theirs.player_utilities(i), game.payoffs[i])
    kind = pyspiel.MatrixGame if game.num_agents == 2 else pyspiel.TensorGame
    assert isinstance(theirs, kind)
    assert from_openspiel(theirs).payoffs.tobytes() == game.payoffs.tobytes()


@pytest.mark.parametrize("name", ONCE)
def test_every_game_of_openspiel_that_is_played_once_comes_in(name):
    theirs = pyspiel.load_game(name)
    game = from_openspiel(name)
    assert game.source == f"OpenSpiel, {name}"
    assert_same(game, theirs)
    if isinstance(theirs, pyspiel.MatrixGame):
        assert np.array_equal(game.payoffs, [theirs.row_utilities(), theirs.col_utilities()])
    if theirs.get_type().utility == pyspiel.GameType.Utility.ZERO_SUM:
        assert game.setting == "competitive"


def test_there_are_such_games():
    assert {"matrix_rps", "matrix_pd", "matching_pennies_3p", "blotto"} <= set(ONCE)


def test_games_with_parameters():
    assert from_openspiel("blotto(coins=3,fields=2,players=3)").num_actions == (4, 4, 4)


def test_our_classics_are_theirs():
    """Up to the scale that each has chosen."""
    for ours, theirs in {"matching_pennies": "mp", "rock_paper_scissors": "rps"}.items():
        assert np.array_equal(GAMES[ours]().payoffs, from_openspiel(f"matrix_{theirs}").payoffs)


def test_what_comes_in_runs():
    game = from_openspiel("matching_pennies_3p")
    result = fg.run(game, fg.QLearner(), steps=100, replicas=2, rng=0)
    assert result.tables[2]["q"].shape == (2, 1, 2)


def test_policies_of_theirs():
    game = pyspiel.load_game("matrix_rps")
    policy = TabularPolicy(game)
    policy.action_probability_array[:] = [[0.5, 0.25, 0.25], [0.0, 0.125, 0.875]]
    rows = {"Observing player: 1. Non-terminal": [(0, 0.0), (1, 0.125), (2, 0.875)]}
    for given in (
        policy,
        policy.action_probability_array,
        [0.0, 0.125, 0.875],
        pyspiel.TabularPolicy(rows),
    ):
        fixed = fixed_policy(given, game, 1)
        assert isinstance(fixed, fg.FixedPolicy)
        assert fixed.probabilities.tolist() == [0.0, 0.125, 0.875]
    assert fixed_policy(policy, "matrix_rps", 0).probabilities.tolist() == [0.5, 0.25, 0.25]


def test_policies_where_agents_have_different_actions():
    """Their array has a column for every action of anybody."""
    theirs = to_openspiel(two_agents())
    policy = TabularPolicy(theirs)
    assert policy.action_probability_array.shape == (2, 3)
    assert fixed_policy(policy, theirs, 0).probabilities.tolist() == [0.5, 0.5]
    assert fixed_policy(policy.action_probability_array, theirs, 0).probabilities.shape == (2,)
    game, seats = from_openspiel(theirs), [fixed_policy(policy, theirs, i) for i in range(2)]
    mean = fg.run(game, seats, steps=4000, rng=3, record=fg.Record(rewards=True)).mean_reward[0]
    expected = game.expected_payoffs([[0.5, 0.5], [1 / 3] * 3])
    np.testing.assert_allclose(mean, expected, atol=0.05)


@pytest.mark.parametrize(
    ("game", "error", "message"),
    [
        ("kuhn_poker", ValueError, "move once, simultaneously, got 'kuhn_poker'"),
        ("goofspiel", ValueError, "move once, simultaneously, got 'goofspiel'"),
        ("no_such_game", ValueError, "game must be the name of an OpenSpiel game, got 'no_such"),
        (3, TypeError, "game must be a pyspiel.Game or a str, got 3"),
    ],
)
def test_games_that_do_not_come_in(game, error, message):
    with pytest.raises(error, match=message):
        from_openspiel(game)


@pytest.mark.parametrize("game", ["klein", 3, fg.games.soccer()])
def test_games_that_do_not_go_out(game):
    with pytest.raises(TypeError, match="game must be"):
        to_openspiel(game)


@pytest.mark.parametrize(
    ("policy", "agent", "error", "message"),
    [
        ([0.5, 0.5], 2, ValueError, r"agent must be a whole number in \[0, 1\]"),
        ([0.5, 0.6], 0, ValueError, "probabilities must sum to 1"),
        ("uniform", 0, TypeError, "policy must be real numbers"),
        ([0.5, 0.25, 0.25], 0, ValueError, r"policy must have shape \(2,\) or \(2, 2\)"),
        ([[0.5, 0.5]] * 3, 0, ValueError, r"policy must have shape \(2,\) or \(2, 2\)"),
    ],
)
def test_bad_policies(policy, agent, error, message):
    with pytest.raises(error, match=message):
        fixed_policy(policy, "matrix_pd", agent)
