"""The catalogue against the literature: payoffs, settings and all equilibria of every classic game.

`EXPECTED` has one entry for each plain matrix game; one without fails the tests. The others have
test files of their own.
"""

import doctest
import importlib
import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import nashpy
import numpy as np
import pytest

from fastgames import games
from fastgames.games import (
    CATALOGUE,
    MarketGame,
    MarkovGame,
    MatrixGame,
    ProceduralGame,
    make,
    names,
)

CLASSIC = [name for name, build in CATALOGUE.items() if type(build()) is MatrixGame]
OTHERS = [name for name in CATALOGUE if name not in CLASSIC]


@dataclass
class Expected:
    """The payoffs and equilibria of a game in its source, written out cell by cell.

    cells: joint action -> payoffs of all agents. pure: all pure equilibria. mixed: all others,
    one policy for each agent.
    """

    setting: str
    cells: dict
    pure: list
    mixed: list


def bimatrix(text):
    """Cells of a two-agent game as books print them: 'row,column' per cell, '|' between cells."""
    return {
        (i, j): tuple(map(float, cell.split(",")))
        for i, line in enumerate(text.strip().splitlines())
        for j, cell in enumerate(line.split("|"))
    }


def both(*policy):
    return (policy, policy)


HALF = (1 / 2, 1 / 2)

EXPECTED = {
    "matching_pennies": Expected(
        "competitive",
        bimatrix("""
             1,-1 | -1,1
            -1,1  |  1,-1
        """),
        [],
        [both(*HALF)],
    ),
    "rock_paper_scissors": Expected(
        "competitive",
        bimatrix("""
             0,0  | -1,1  |  1,-1
             1,-1 |  0,0  | -1,1
            -1,1  |  1,-1 |  0,0
        """),
        [],
        [both(1 / 3, 1 / 3, 1 / 3)],
    ),
    "biased_rock_paper_scissors": Expected(
        "competitive",
        bimatrix("""
              0,0   | -25,25 | 50,-50
             25,-25 |   0,0  | -5,5
            -50,50  |   5,-5 |  0,0
        """),
        [],
        [both(1 / 16, 10 / 16, 5 / 16)],
    ),
    "prisoners_dilemma": Expected(
        "mixed",
        bimatrix("""
            3,3 | 0,5
            5,0 | 1,1
        """),
        [(1, 1)],
        [],
    ),
    "stag_hunt": Expected(
        "mixed",
        bimatrix("""
            2,2 | 0,1
            1,0 | 1,1
        """),
        [(0, 0), (1, 1)],
        [both(*HALF)],
    ),
    "chicken": Expected(
        "mixed",
        bimatrix("""
            3,3 | 1,4
            4,1 | 0,0
        """),
        [(0, 1), (1, 0)],
        [both(*HALF)],
    ),
    "battle_of_the_sexes": Expected(
        "mixed",
        bimatrix("""
            2,1 | 0,0
            0,0 | 1,2
        """),
        [(0, 0), (1, 1)],
        [((2 / 3, 1 / 3), (1 / 3, 2 / 3))],
    ),
    "coordination": Expected(
        "cooperative",
        bimatrix("""
            1,1 | 0,0
            0,0 | 1,1
        """),
        [(0, 0), (1, 1)],
        [both(*HALF)],
    ),
    "climbing": Expected(
        "cooperative",
        bimatrix("""
             11,11  | -30,-30 | 0,0
            -30,-30 |   7,7   | 6,6
              0,0   |   0,0   | 5,5
        """),
        [(0, 0), (1, 1)],
        [both(5 / 16, 0, 11 / 16)],
    ),
    "penalty": Expected(
        "cooperative",
        bimatrix("""
              10,10   | 0,0 | -100,-100
               0,0    | 2,2 |    0,0
            -100,-100 | 0,0 |   10,10
        """),
        [(0, 0), (1, 1), (2, 2)],
        [both(1 / 6, 5 / 6, 0), both(0, 5 / 6, 1 / 6)],
    ),
    "qtran": Expected(
        "cooperative",
        bimatrix("""
              8,8   | -12,-12 | -12,-12
            -12,-12 |   0,0   |   0,0
            -12,-12 |   0,0   |   0,0
        """),
        [(0, 0), (1, 1), (1, 2), (2, 1), (2, 2)],
        [*itertools.product([(3 / 8, 5 / 8, 0), (3 / 8, 0, 5 / 8)], repeat=2)],
    ),
    "shapley": Expected(
        "mixed",
        bimatrix("""
            1,0 | 0,1 | 0,0
            0,0 | 1,0 | 0,1
            0,1 | 0,0 | 1,0
        """),
        [],
        [both(1 / 3, 1 / 3, 1 / 3)],
    ),
    "jordan": Expected(
        "mixed",
        {
            (0, 0, 0): (1, 1, -1),
            (0, 0, 1): (1, -1, 1),
            (0, 1, 0): (-1, -1, -1),
            (0, 1, 1): (-1, 1, 1),
            (1, 0, 0): (-1, 1, 1),
            (1, 0, 1): (-1, -1, -1),
            (1, 1, 0): (1, -1, 1),
            (1, 1, 1): (1, 1, -1),
        },
        [],
        [(HALF, HALF, HALF)],
    ),
    # 4 agents, marginal return 0.4: one keeps (1) or not (0), and gets 0.4 from each who gives
    "public_goods": Expected(
        "mixed",
        {
            joint: tuple(keeps + 0.4 * joint.count(0) for keeps in joint)
            for joint in itertools.product((0, 1), repeat=4)
        },
        [(1, 1, 1, 1)],
        [],
    ),
}


def built(name):
    """The game by default, and what is expected of it; a game without an expectation fails."""
    assert name in EXPECTED, f"{name} is in the catalogue, but has no entry in EXPECTED"
    return CATALOGUE[name](), EXPECTED[name]


def sorted_profiles(profiles):
    """Profiles of policies as rows of one array, in an order that rounding does not change."""
    rows = [
        np.concatenate([np.asarray(p, dtype=np.float64) for p in profile]) for profile in profiles
    ]
    return sorted((row.round(6) + 0.0).tolist() for row in rows)


def two_agent_equilibria(game):
    """All equilibria of a non-degenerate two-agent game, by nashpy.

    By vertex enumeration: nashpy's support enumeration compares floats exactly and so misses
    equilibria of the climbing and the penalty game.
    """
    return nashpy.Game(*game.payoffs).vertex_enumeration()


def pure_profiles(game, equilibria):
    return [
        tuple(np.eye(count)[a] for count, a in zip(game.num_actions, joint, strict=True))
        for joint in equilibria
    ]


def test_every_expectation_is_of_a_game():
    assert set(EXPECTED) == set(CLASSIC)


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_game_has_tests_elsewhere(name):
    assert isinstance(CATALOGUE[name](), MarketGame | MarkovGame | ProceduralGame)
    here = Path(__file__)
    elsewhere = [path for path in here.parent.glob("test_*.py") if path != here]
    assert any(f"{name}(" in path.read_text(encoding="utf-8") for path in elsewhere)


@pytest.mark.parametrize("name", CLASSIC)
def test_payoffs(name):
    game, expected = built(name)
    assert set(expected.cells) == set(itertools.product(*map(range, game.num_actions)))
    for joint, payoffs in expected.cells.items():
        np.testing.assert_allclose(
            game.payoffs[(slice(None), *joint)], payoffs, rtol=1e-15, err_msg=f"{name} {joint}"
        )


@pytest.mark.parametrize("name", CLASSIC)
def test_setting(name):
    game, expected = built(name)
    assert game.setting == expected.setting


@pytest.mark.parametrize("name", CLASSIC)
def test_pure_equilibria(name):
    game, expected = built(name)
    assert game.pure_equilibria() == expected.pure


@pytest.mark.parametrize("name", CLASSIC)
def test_equilibria_leave_nothing_to_gain(name):
    game, expected = built(name)
    scale = np.abs(game.payoffs).max()
    for policies in [*expected.mixed, *pure_profiles(game, expected.pure)]:
        assert game.exploitability(policies) <= 1e-13 * scale
        for agent, policy in enumerate(policies):
            support = {action for action, chance in enumerate(policy) if chance > 0}
            assert support <= set(game.best_responses(agent, policies))


@pytest.mark.parametrize("name", [name for name in CLASSIC if CATALOGUE[name]().num_agents == 2])
def test_equilibria_are_all_of_them(name):
    game, expected = built(name)
    assert sorted_profiles(two_agent_equilibria(game)) == sorted_profiles(
        [*expected.mixed, *pure_profiles(game, expected.pure)]
    )


@pytest.mark.parametrize("name", CATALOGUE)
def test_labels(name):
    game = CATALOGUE[name]()
    assert any(character.isdigit() for character in game.source), "a source has a year"
    assert tuple(map(len, game.actions)) == game.num_actions
    documented = CATALOGUE[name].__doc__
    for part in ("Returns", "Source:", expected_year(game)):
        assert part in documented


@pytest.mark.parametrize("name", CLASSIC)
def test_labels_of_the_classics(name):
    game, _ = built(name)
    assert isinstance(game, MatrixGame)
    assert "Equilibria:" in CATALOGUE[name].__doc__
    if name not in ("coordination", "shapley"):  # whose actions have no names
        assert game.actions[0][0] != "0"


def expected_year(game):
    """'(1994)' out of the source, which must be the one the docstring cites."""
    return game.source[game.source.index("(") : game.source.index(")") + 1]


def test_names_of_the_games_differ():
    assert len({build().name for build in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("name", CATALOGUE)
def test_equal_every_time(name):
    assert CATALOGUE[name]() == CATALOGUE[name]()


@pytest.mark.parametrize("name", CLASSIC)
def test_no_zero_is_negative(name):
    assert not np.signbit(CATALOGUE[name]().payoffs[CATALOGUE[name]().payoffs == 0]).any()


# The two-agent games whose agents are in the same position, and the two who are not


@pytest.mark.parametrize(
    "name",
    [
        "rock_paper_scissors",
        "biased_rock_paper_scissors",
        "prisoners_dilemma",
        "stag_hunt",
        "chicken",
        "coordination",
        "penalty",
        "qtran",
    ],
)
def test_symmetric_games(name):
    row, column = CATALOGUE[name]().payoffs
    np.testing.assert_array_equal(column, row.T)


def test_public_goods_is_symmetric():
    payoffs = games.public_goods(3, 2.0).payoffs
    for order in itertools.permutations(range(3)):
        np.testing.assert_array_equal(
            payoffs[list(order)].transpose(0, *(1 + agent for agent in order)), payoffs
        )


# Unique where the source says so, for three agents


def test_jordan_has_no_other_equilibrium():
    """Each is indifferent only if the next is at 1/2, and away from 1/2 replies purely, in vain."""
    game = games.jordan()
    half = np.array(HALF)
    for agent, watched in [(0, 1), (1, 2), (2, 0)]:
        for chance in (0.0, 0.25, 0.75, 1.0):
            policies = [half, half, half]
            policies[watched] = np.array([chance, 1 - chance])
            match = 0 if chance > 0.5 else 1
            assert game.best_responses(agent, policies) == (match if agent < 2 else 1 - match,)


def test_public_goods_keeping_is_dominant():
    game = games.public_goods()
    for agent in range(4):
        table = np.moveaxis(game.payoffs[agent], agent, 0)
        np.testing.assert_allclose(table[1] - table[0], 0.6)
    assert (game.payoffs[:, 0, 0, 0, 0] > game.payoffs[:, 1, 1, 1, 1]).all()


# Parameters


def test_prisoners_dilemma_parameters():
    game = games.prisoners_dilemma(reward=-1, sucker=-10, temptation=0, punishment=-5)
    assert game.payoffs[:, 0, 0].tolist() == [-1, -1]
    assert game.payoffs[:, 0, 1].tolist() == [-10, 0]
    assert game.payoffs[:, 1, 0].tolist() == [0, -10]
    assert game.payoffs[:, 1, 1].tolist() == [-5, -5]
    assert game.pure_equilibria() == [(1, 1)]
    assert game.setting == "mixed"


@pytest.mark.parametrize("actions", [2, 3, 4])
def test_coordination_parameters(actions):
    game = games.coordination(actions=actions)
    assert game.num_actions == (actions, actions)
    assert game.pure_equilibria() == [(a, a) for a in range(actions)]
    uniform = [
        both(*(np.isin(np.arange(actions), support) / size))
        for size in range(1, actions + 1)
        for support in itertools.combinations(range(actions), size)
    ]
    assert len(uniform) == 2**actions - 1
    assert sorted_profiles(two_agent_equilibria(game)) == sorted_profiles(uniform)


@pytest.mark.parametrize("k", [-1000, -11, -9, -1, 0])
def test_penalty_parameters(k):
    game = games.penalty(k)
    assert game.payoffs[:, 0, 2].tolist() == [k, k]
    assert game.payoffs[:, 2, 0].tolist() == [k, k]
    assert game.pure_equilibria() == [(0, 0), (1, 1), (2, 2)]
    mixed = [both(1 / 6, 5 / 6, 0), both(0, 5 / 6, 1 / 6)]
    if k > -10:
        mixed += [both(1 / 2, 0, 1 / 2), both(*(np.array([2, 10 + k, 2]) / (14 + k)))]
    assert sorted_profiles(two_agent_equilibria(game)) == sorted_profiles(
        [*mixed, *pure_profiles(game, game.pure_equilibria())]
    )


@pytest.mark.parametrize(("agents", "factor"), [(2, 1.5), (3, 1.01), (3, 2.99), (5, 3), (10, 1.6)])
def test_public_goods_parameters(agents, factor):
    game = games.public_goods(agents, factor, endowment=20)
    assert game.num_agents == agents
    assert game.pure_equilibria() == [(1,) * agents]
    np.testing.assert_allclose(game.payoffs[(slice(None), *[0] * agents)], 20 * factor)
    np.testing.assert_allclose(game.payoffs[(slice(None), *[1] * agents)], 20)
    one_gives = game.payoffs[(slice(None), 0, *[1] * (agents - 1))]
    np.testing.assert_allclose(one_gives[0], 20 * factor / agents)
    np.testing.assert_allclose(one_gives[1:], 20 + 20 * factor / agents)


def test_public_goods_of_two_is_a_prisoners_dilemma():
    np.testing.assert_array_equal(
        games.public_goods(agents=2, factor=1.5).payoffs,
        games.prisoners_dilemma(reward=1.5, sucker=0.75, temptation=1.75, punishment=1.0).payoffs,
    )


@pytest.mark.parametrize("number", [-2, -2.0, np.float32(-2), np.int64(-2), Fraction(-2)])
def test_any_real_number_is_a_parameter(number):
    assert games.penalty(number) == games.penalty(-2.0)


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        *(
            (name, {parameter: value}, error, f"{parameter} must be {domain}, got {said}")
            for name, parameter, domain in [
                ("prisoners_dilemma", "reward", "a finite number"),
                ("prisoners_dilemma", "sucker", "a finite number"),
                ("prisoners_dilemma", "temptation", "a finite number"),
                ("prisoners_dilemma", "punishment", "a finite number"),
                ("penalty", "k", "a number in (-inf, 0]"),
                ("public_goods", "endowment", "a number in (0, inf)"),
            ]
            for value, error, said in [
                (float("nan"), ValueError, "nan"),
                (float("-inf"), ValueError, "-inf"),
                (10**400, ValueError, "1" + 76 * "0" + "..."),
                ("1", TypeError, "'1'"),
                (None, TypeError, "None"),
                (True, TypeError, "True"),
                (1j, TypeError, "1j"),
            ]
        ),
        (
            "prisoners_dilemma",
            {"temptation": 3},
            ValueError,
            "temptation, reward, punishment and sucker must be in descending order, "
            "got 3.0, 3.0, 1.0 and 0.0",
        ),
        (
            "prisoners_dilemma",
            {"punishment": 4},
            ValueError,
            "temptation, reward, punishment and sucker must be in descending order, "
            "got 5.0, 3.0, 4.0 and 0.0",
        ),
        (
            "prisoners_dilemma",
            {"sucker": 1},
            ValueError,
            "temptation, reward, punishment and sucker must be in descending order, "
            "got 5.0, 3.0, 1.0 and 1.0",
        ),
        ("penalty", {"k": 1e-9}, ValueError, "k must be a number in (-inf, 0], got 1e-09"),
        (
            "coordination",
            {"actions": 1},
            ValueError,
            "actions must be a whole number in [2, 4096], got 1",
        ),
        (
            "coordination",
            {"actions": 4097},
            ValueError,
            "actions must be a whole number in [2, 4096], got 4097",
        ),
        (
            "coordination",
            {"actions": 2.0},
            TypeError,
            "actions must be a whole number in [2, 4096], got 2.0",
        ),
        (
            "coordination",
            {"actions": True},
            TypeError,
            "actions must be a whole number in [2, 4096], got True",
        ),
        (
            "public_goods",
            {"agents": 1},
            ValueError,
            "agents must be a whole number in [2, 20], got 1",
        ),
        (
            "public_goods",
            {"agents": 21},
            ValueError,
            "agents must be a whole number in [2, 20], got 21",
        ),
        (
            "public_goods",
            {"agents": "4"},
            TypeError,
            "agents must be a whole number in [2, 20], got '4'",
        ),
        (
            "public_goods",
            {"factor": 1},
            ValueError,
            "factor must be a number in (1, 4), got 1 with 4 agents",
        ),
        (
            "public_goods",
            {"agents": 3, "factor": 3},
            ValueError,
            "factor must be a number in (1, 3), got 3 with 3 agents",
        ),
        (
            "public_goods",
            {"factor": float("nan")},
            ValueError,
            "factor must be a number in (1, 4), got nan with 4 agents",
        ),
        ("public_goods", {"factor": "2"}, TypeError, "factor must be a number in (1, 4), got '2'"),
        (
            "public_goods",
            {"endowment": 0},
            ValueError,
            "endowment must be a number in (0, inf), got 0",
        ),
    ],
)
@pytest.mark.parametrize("through_make", [False, True])
def test_bad_parameters(name, parameters, error, message, through_make):
    with pytest.raises(error) as caught:
        make(name, **parameters) if through_make else CATALOGUE[name](**parameters)
    assert str(caught.value) == message


# names and make


def test_names():
    assert names() == tuple(CATALOGUE)
    for name in names():
        assert getattr(games, name) is CATALOGUE[name]
        assert name in games.__all__


@pytest.mark.parametrize("name", CATALOGUE)
def test_make(name):
    assert make(name) == CATALOGUE[name]()
    assert make(name.replace("_", "-")) == CATALOGUE[name]()


def test_make_passes_parameters_on():
    assert make("klein", k=4) == games.klein(4)
    assert make("cournot", firms=3, cost=2.5) == games.cournot(3, cost=2.5)
    assert make("public-goods", agents=3, factor=2.5) == games.public_goods(3, 2.5)
    assert make("penalty", k=-3) == games.penalty(-3)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("prisoner_dilemma", "prisoners_dilemma"),
        ("matching-penny", "matching_pennies"),
        ("shapleys", "shapley"),
        ("Chicken", "chicken"),
    ],
)
def test_make_suggests_the_nearest_name(name, nearest):
    with pytest.raises(ValueError, match="name must be one of matching_pennies, rock_") as caught:
        make(name)
    assert str(caught.value).endswith(f", got {name!r}; did you mean {nearest!r}?")


@pytest.mark.parametrize("name", ["", "?", "poker"])
def test_make_refuses_names_like_none(name):
    with pytest.raises(ValueError, match="did you mean"):
        make(name)


def test_make_refuses_what_is_no_name():
    with pytest.raises(TypeError, match=r"^name must be a str, got 3$"):
        make(3)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "public-goods",
            {"k": 3},
            "public_goods has no parameter 'k'; its parameters are agents, factor, endowment",
        ),
        ("penalty", {"k": -1, "q": 2}, "penalty has no parameter 'q'; its parameters are k"),
        ("climbing", {"k": -1}, "climbing has no parameter 'k'; its parameters are ()"),
        ("climbing", {"name": "x"}, "climbing has no parameter 'name'; its parameters are ()"),
    ],
)
def test_make_refuses_unknown_parameters(name, parameters, message):
    with pytest.raises(TypeError) as caught:
        make(name, **parameters)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "name", ["fastgames.games", *sorted({f.__module__ for f in CATALOGUE.values()})]
)
def test_examples_in_the_docs(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
