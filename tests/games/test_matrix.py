"""MatrixGame: what it stores, what it computes (against independent code), what it refuses."""

import copy
import doctest
import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastgames.games.matrix
from fastgames.games import MatrixGame

PENNIES = [[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]]


# Few small integers, so that ties and equilibria are common.
SMALL = st.integers(-3, 3).map(float)


@st.composite
def tables(draw, elements=SMALL):
    shape = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    return draw(hnp.arrays(np.float64, (len(shape), *shape), elements=elements))


@st.composite
def tables_and_policies(draw):
    table = draw(tables())
    policies = []
    for count in table.shape[1:]:
        weights = draw(hnp.arrays(np.float64, count, elements=st.integers(0, 5).map(float)))
        weights[draw(st.integers(0, count - 1))] += 1.0
        policies.append(weights / weights.sum())
    return table, policies


# What it stores


def test_attributes():
    payoffs = np.arange(3 * 2 * 1 * 4).reshape(3, 2, 1, 4)
    game = MatrixGame(payoffs, name="a game", source="a paper")
    assert game.num_agents == 3
    assert game.num_actions == (2, 1, 4)
    assert all(type(count) is int for count in game.num_actions)
    assert game.num_states == 1
    assert game.discount == 0.0
    assert game.name == "a game"
    assert game.source == "a paper"
    assert game.actions == (("0", "1"), ("0",), ("0", "1", "2", "3"))
    assert game.payoffs.dtype == np.float64
    assert game.payoffs.flags.c_contiguous
    np.testing.assert_array_equal(game.payoffs, payoffs)
    assert MatrixGame(payoffs).name == "matrix game"
    assert MatrixGame(payoffs).source == ""


def test_compact():
    payoffs = np.arange(3 * 2 * 1 * 4).reshape(3, 2, 1, 4)
    game = MatrixGame(payoffs)
    compact = game.compact
    assert game.num_observations == (1, 1, 1)
    assert compact.rewards.shape == (3, 1, 1, 8)
    np.testing.assert_array_equal(compact.rewards.ravel(), payoffs.ravel())
    assert (compact.start_state, compact.time_limit, compact.num_states) == (0, 0, 1)
    assert compact.start_weights is compact.terminal is compact.observations is None
    assert compact.turns is None
    moves = compact.moves
    assert moves.from_state.tolist() == [0]
    assert moves.from_joint.tolist() == [0] * 8
    for array in (compact.rewards, moves.from_state, moves.from_joint):
        assert not array.flags.writeable
    assert game.compact is compact


def test_action_names():
    game = MatrixGame(PENNIES, actions=[["heads", "tails"], ("even", "odd")])
    assert game.actions == (("heads", "tails"), ("even", "odd"))


@pytest.mark.parametrize(
    "given_as",
    [
        lambda a: a.tolist(),
        lambda a: list(a),
        lambda a: tuple(table.tolist() for table in a),
        lambda a: [a[0].tolist(), *a[1:]],
        lambda a: np.asfortranarray(a),
        lambda a: list(np.asfortranarray(a)),
        lambda a: a.astype(np.float32),
        lambda a: a.astype(np.int8),
        lambda a: a.astype(np.uint16),
        lambda a: a.astype(np.float16),
        lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    ],
)
def test_forms_of_payoffs(given_as):
    payoffs = np.arange(2.0 * 3 * 4).reshape(2, 3, 4)
    game = MatrixGame(given_as(payoffs))
    np.testing.assert_array_equal(game.payoffs, payoffs)
    assert game.payoffs.dtype == np.float64
    assert game.payoffs.flags.c_contiguous


def test_payoffs_are_a_copy():
    payoffs = np.array(PENNIES, dtype=np.float64)
    game = MatrixGame(payoffs)
    payoffs[:] = 7.0
    np.testing.assert_array_equal(game.payoffs, PENNIES)


def test_immutable():
    game = MatrixGame(PENNIES)
    with pytest.raises(ValueError, match="read-only"):
        game.payoffs[0, 0, 0] = 2.0
    for attribute in ("payoffs", "name", "actions", "source", "setting", "num_states", "other"):
        with pytest.raises(AttributeError):
            setattr(game, attribute, None)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_copies_are_equal_and_immutable(copied):
    game = MatrixGame(PENNIES, name="n", actions=[("H", "T")] * 2, source="s")
    other = copied(game)
    assert other == game
    assert not other.payoffs.flags.writeable


def test_equality_and_hash():
    labels = {"name": "n", "actions": [("H", "T")] * 2, "source": "s"}
    game = MatrixGame(PENNIES, **labels)
    same = MatrixGame(np.array(PENNIES, dtype=np.float32), **labels)
    assert game == same
    assert hash(game) == hash(same)
    others = [
        MatrixGame(PENNIES[::-1], **labels),
        MatrixGame(PENNIES, **{**labels, "name": "m"}),
        MatrixGame(PENNIES, **{**labels, "actions": [("H", "T"), ("T", "H")]}),
        MatrixGame(PENNIES, **{**labels, "source": ""}),
    ]
    for other in others:
        assert game != other
    assert len({game, same, *others}) == 5
    assert game != PENNIES
    assert MatrixGame(np.zeros((2, 1, 2))) != MatrixGame(np.zeros((2, 2, 1)))


def test_zeros_of_either_sign_are_equal_and_hash_alike():
    zero, minus_zero = MatrixGame(np.zeros((2, 1, 1))), MatrixGame(-np.zeros((2, 1, 1)))
    assert zero == minus_zero
    assert hash(zero) == hash(minus_zero)


def test_repr():
    assert (
        repr(MatrixGame(PENNIES, name="pennies"))
        == "<MatrixGame 'pennies': 2 agents, (2, 2) actions, competitive>"
    )


# setting


@pytest.mark.parametrize(
    ("payoffs", "setting"),
    [
        (PENNIES, "competitive"),
        ([[[1, 2]], [[1, 2]]], "cooperative"),
        ([[[1, 2]], [[1, -2]]], "mixed"),
        (np.zeros((2, 2, 2)), "cooperative"),
        ([[[0, 1]], [[0, 1.0000000000000002]]], "mixed"),
        # constant sums other than zero
        ([[[3, 1]], [[1, 3]]], "mixed"),
        # zero only up to rounding: three agents, 0.1 + 0.2 - 0.3
        ([[[[0.1]]], [[[0.2]]], [[[-0.3]]]], "competitive"),
        ([[[1.0]], [[-1.0 - 1e-9]]], "mixed"),
        # a small cell beside a large one, sums beyond the largest float
        ([[[1e9, 1e-9]], [[-1e9, 1e-9]]], "mixed"),
        ([[[1e308, 1.0]], [[1e308, -1.0]]], "mixed"),
        ([[[1e308, 5e-324]], [[-1e308, -5e-324]]], "competitive"),
    ],
)
def test_setting(payoffs, setting):
    assert MatrixGame(payoffs).setting == setting


@given(tables())
def test_setting_of_shared_and_zero_sum_tables(table):
    assert MatrixGame(np.stack([table[0]] * len(table))).setting == "cooperative"
    balanced = table.copy()
    balanced[0] = -table[1:].sum(axis=0)
    assert MatrixGame(balanced).setting == ("competitive" if balanced.any() else "cooperative")


# What it computes, against code written another way


def brute_expected(table, policies):
    """Sum over joint actions, one by one."""
    total = np.zeros(len(table))
    for joint in itertools.product(*map(range, table.shape[1:])):
        chance = np.prod([policy[a] for policy, a in zip(policies, joint, strict=True)])
        total += chance * table[(slice(None), *joint)]
    return total


def brute_equilibria(table):
    """Joint actions from which no agent gains by moving alone, by trying every move."""
    counts = table.shape[1:]
    found = []
    for joint in itertools.product(*map(range, counts)):
        moves = (
            (agent, (*joint[:agent], action, *joint[agent + 1 :]))
            for agent, count in enumerate(counts)
            for action in range(count)
        )
        if not any(table[agent][moved] > table[agent][joint] for agent, moved in moves):
            found.append(joint)
    return found


@given(tables_and_policies())
def test_expected_payoffs(case):
    table, policies = case
    letters = "abcd"[: len(policies)]
    einsum = np.einsum(f"i{letters},{','.join(letters)}->i", table, *policies)
    expected = MatrixGame(table).expected_payoffs(policies)
    assert expected.shape == (len(table),)
    assert expected.dtype == np.float64
    np.testing.assert_allclose(expected, einsum, rtol=0, atol=1e-12)
    np.testing.assert_allclose(expected, brute_expected(table, policies), rtol=0, atol=1e-12)


@given(tables())
def test_pure_equilibria(table):
    assert MatrixGame(table).pure_equilibria() == brute_equilibria(table)


@given(tables(elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_pure_equilibria_of_any_floats(table):
    assert MatrixGame(table).pure_equilibria() == brute_equilibria(table)


def test_pure_equilibria_are_plain_ints():
    (equilibrium,) = MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]).pure_equilibria()
    assert equilibrium == (1, 1)
    assert all(type(action) is int for action in equilibrium)


@given(tables_and_policies())
def test_best_responses_and_exploitability(case):
    table, policies = case
    game = MatrixGame(table)
    payoffs = brute_expected(table, policies)
    total = 0.0
    for agent, count in enumerate(table.shape[1:]):
        values = [
            brute_expected(table, [*policies[:agent], pure, *policies[agent + 1 :]])[agent]
            for pure in np.eye(count)
        ]
        best = max(values)
        assert game.best_responses(agent, policies) == tuple(
            action for action, value in enumerate(values) if value > best - 1e-9
        )
        total += best - payoffs[agent]
    assert game.exploitability(policies) == pytest.approx(total, abs=1e-9)
    assert game.exploitability(policies) >= 0.0


@given(tables())
def test_exploitability_is_zero_exactly_at_pure_equilibria(table):
    game = MatrixGame(table)
    equilibria = game.pure_equilibria()
    for joint in itertools.product(*map(range, game.num_actions)):
        policies = [np.eye(count)[a] for count, a in zip(game.num_actions, joint, strict=True)]
        assert (game.exploitability(policies) == 0.0) == (joint in equilibria)


def test_worked_numbers():
    game = MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # prisoner's dilemma
    policies = [[0.5, 0.5], [0.25, 0.75]]
    # agent 0: (3 + 0·3 + 5 + 1·3) / 8, agent 1: (3 + 5·3 + 0 + 1·3) / 8
    np.testing.assert_array_equal(game.expected_payoffs(policies), [11 / 8, 21 / 8])
    assert game.best_responses(0, policies) == (1,)
    assert game.best_responses(1, policies) == (1,)
    # defecting: agent 0 gets 5/4 + 3/4 = 2, agent 1 gets 5/2 + 1/2 = 3
    assert game.exploitability(policies) == (2 - 11 / 8) + (3 - 21 / 8)


def test_best_responses_tie_up_to_rounding():
    table = [[0.1, 0.2, -0.3]] * 2  # 0.1/3 + 0.2/3 - 0.3/3 is not 0 in floats
    game = MatrixGame([[*table, [0, 0, 0]], np.zeros((3, 3))])
    third = [1 / 3] * 3
    assert game.best_responses(0, [third, third]) == (0, 1, 2)
    assert game.best_responses(np.int64(1), [third, third]) == (0, 1, 2)


def test_best_responses_ignore_the_agents_own_policy():
    game = MatrixGame(PENNIES)
    for own in ([1, 0], [0, 1], [0.5, 0.5]):
        assert game.best_responses(0, [own, [1, 0]]) == (0,)
        assert game.best_responses(1, [[1, 0], own]) == (1,)


@given(hnp.arrays(np.float64, (3, 3), elements=SMALL), st.data())
def test_symmetric_games_stay_the_same_with_the_agents_swapped(own, data):
    game = MatrixGame([own, own.T])
    swapped = MatrixGame([game.payoffs[1].T, game.payoffs[0].T])
    assert game == swapped
    equilibria = game.pure_equilibria()
    assert {(b, a) for a, b in equilibria} == set(equilibria)
    weights = data.draw(hnp.arrays(np.float64, (2, 3), elements=st.integers(1, 5).map(float)))
    p, q = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        game.expected_payoffs([p, q]), game.expected_payoffs([q, p])[::-1], atol=1e-12
    )
    assert game.best_responses(0, [p, q]) == game.best_responses(1, [q, p])


@given(tables_and_policies(), st.randoms(use_true_random=False))
def test_renumbering_the_agents_renumbers_everything(case, random):
    table, policies = case
    order = list(range(len(table)))
    random.shuffle(order)
    game = MatrixGame(table)
    renumbered = MatrixGame(table[order].transpose(0, *(1 + agent for agent in order)))
    assert renumbered.setting == game.setting
    assert {tuple(joint[agent] for agent in order) for joint in game.pure_equilibria()} == set(
        renumbered.pure_equilibria()
    )
    np.testing.assert_allclose(
        renumbered.expected_payoffs([policies[agent] for agent in order]),
        game.expected_payoffs(policies)[order],
        atol=1e-12,
    )


def test_agents_with_a_single_action():
    game = MatrixGame([[[1.0], [2.0]], [[0.0], [5.0]]])
    assert game.num_actions == (2, 1)
    assert game.pure_equilibria() == [(1, 0)]
    assert game.best_responses(1, [[0.5, 0.5], [1.0]]) == (0,)
    np.testing.assert_array_equal(game.expected_payoffs([[0.5, 0.5], [1.0]]), [1.5, 2.5])


def test_policies_in_float32_are_accepted():
    policy = np.full(7, 1 / 7, dtype=np.float32)
    assert policy.astype(np.float64).sum() != 1.0
    MatrixGame(np.zeros((2, 7, 7))).expected_payoffs(np.stack([policy, policy]))


# What it refuses

FORM = "payoffs must be an array (N, A_0, ..., A_{N-1}) or N arrays of one shape, "
SAME = "payoffs must have the same shape (A_0, ..., A_{N-1}) for every agent, "
AXES = "payoffs must have the shape (N, A_0, ..., A_{N-1}), one axis of actions for each of the "

NAN_CELL = np.array(PENNIES, dtype=np.float64)
NAN_CELL[0, 1, 0] = np.nan
INF_CELL = np.array(PENNIES, dtype=np.float64)
INF_CELL[1, 0, 1] = -np.inf


@pytest.mark.parametrize(
    ("payoffs", "error", "message"),
    [
        (NAN_CELL, ValueError, "payoffs must be finite, got payoffs[0, 1, 0] = nan"),
        (NAN_CELL.tolist(), ValueError, "payoffs must be finite, got payoffs[0, 1, 0] = nan"),
        (INF_CELL, ValueError, "payoffs must be finite, got payoffs[1, 0, 1] = -inf"),
        (
            [[[1, 2], [3]], [[1, 2], [3, 4]]],
            ValueError,
            "payoffs[0] must be a rectangular array, got [[1, 2], [3]]",
        ),
        (
            [[[1, 2]], [[1, 2, 3]]],
            ValueError,
            SAME + "got (1, 2) for agent 0 and (1, 3) for agent 1",
        ),
        (
            [np.zeros((2, 3)), np.zeros((3, 2))],  # agent 1's table transposed
            ValueError,
            SAME + "got (2, 3) for agent 0 and (3, 2) for agent 1",
        ),
        ([], ValueError, "payoffs must be for at least 1 agent, got 0"),
        (np.zeros((0, 2, 2)), ValueError, "payoffs must be for at least 1 agent, got 0"),
        (
            [[[1, 2, 3], [3, 4, 5]]],
            ValueError,
            "payoffs must have the shape (N, A_0, ..., A_{N-1}), one axis of actions for each of "
            "the 1 agents, got shape (1, 2, 3)",
        ),
        (
            np.zeros((2, 2, 0)),
            ValueError,
            "payoffs must have at least 1 action for every agent, "
            "got 0 for agent 1 in shape (2, 2, 0)",
        ),
        (
            [[], []],
            ValueError,
            AXES + "2 agents, got shape (2, 0)",
        ),
        (
            np.zeros((3, 2, 2)),
            ValueError,
            AXES + "3 agents, got shape (3, 2, 2); if the last axis is that of agents, "
            "give numpy.moveaxis(numpy.array(payoffs), -1, 0)",
        ),
        (
            np.zeros((2, 2)),
            ValueError,
            AXES + "2 agents, got shape (2, 2)",
        ),
        (
            [1.0, 2.0],
            ValueError,
            AXES + "2 agents, got shape (2,)",
        ),
        (
            3.0,
            TypeError,
            FORM + "got 3.0",
        ),
        (
            np.array(3.0),
            TypeError,
            FORM + "got array(3.)",
        ),
        (
            None,
            TypeError,
            FORM + "got None",
        ),
        (
            "matching pennies",
            TypeError,
            FORM + "got 'matching pennies'",
        ),
        *(
            (
                payoffs,
                TypeError,
                "payoffs[1] must hold real numbers, integer or float, got dtype " + dtype,
            )
            for payoffs, dtype in [
                ([[[1, 2]], [["a", "b"]]], "<U1"),
                ([[[1, 2]], [[1j, 2]]], "complex128"),
                ([[[1, 2]], [[True, False]]], "bool"),
                ([[[1, 2]], [[None, 2]]], "object"),
                ([[[1, 2]], [[Fraction(1, 2), 2]]], "object"),
                ([[[1, 2]], [[10**400, 2]]], "object"),
                ([[[1, 2]], np.array([["2020-01-01", "2020-01-02"]], "M8[D]")], "datetime64[D]"),
            ]
        ),
        (
            np.array(PENNIES) > 0,
            TypeError,
            "payoffs[0] must hold real numbers, integer or float, got dtype bool",
        ),
        (
            np.array(PENNIES, dtype=complex),
            TypeError,
            "payoffs[0] must hold real numbers, integer or float, got dtype complex128",
        ),
    ],
)
def test_bad_payoffs(payoffs, error, message):
    with pytest.raises(error) as caught:
        MatrixGame(payoffs)
    assert str(caught.value) == message


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(np.float64).max, reason="long double is double here"
)
def test_long_double_beyond_float64_is_refused():
    payoffs = np.zeros((2, 1, 1), dtype=np.longdouble)
    payoffs[1, 0, 0] = np.longdouble(2) ** 2000
    with pytest.raises(ValueError, match=r"^payoffs must be finite, got payoffs\[1, 0, 0\] = inf$"):
        MatrixGame(payoffs)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ({"name": 3}, TypeError, "name must be a str, got 3"),
        ({"source": None}, TypeError, "source must be a str, got None"),
        (
            {"actions": "HT"},
            TypeError,
            "actions must be one sequence of names for each agent, got 'HT'",
        ),
        (
            {"actions": ("heads", "tails")},
            TypeError,
            "actions[0] must be a sequence of names, got 'heads'",
        ),
        (
            {"actions": 2},
            TypeError,
            "actions must be one sequence of names for each agent, got 2",
        ),
        ({"actions": [("H", "T"), ("H", 1)]}, TypeError, "actions[1][1] must be a str, got 1"),
        (
            {"actions": [("H", "T")]},
            ValueError,
            "actions must be one sequence of names for each of the 2 agents, got 1",
        ),
        (
            {"actions": [("H", "T"), ("H", "T", "E")]},
            ValueError,
            "actions[1] must be 2 distinct names, got ['H', 'T', 'E']",
        ),
        (
            {"actions": [("H", "H"), ("H", "T")]},
            ValueError,
            "actions[0] must be 2 distinct names, got ['H', 'H']",
        ),
    ],
)
def test_bad_labels(labels, error, message):
    with pytest.raises(error) as caught:
        MatrixGame(PENNIES, **labels)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("policies", "error", "message"),
    [
        (None, TypeError, "policies must be one distribution for each agent, got None"),
        (
            [[0.5, 0.5]],
            ValueError,
            "policies must be one distribution for each of the 2 agents, got 1",
        ),
        (
            [[0.5, 0.5], [1.0]],
            ValueError,
            "policies[1] must have shape (2,), got shape (1,)",
        ),
        (
            [[[0.5, 0.5]], [0.5, 0.5]],
            ValueError,
            "policies[0] must have shape (2,), got shape (1, 2)",
        ),
        (
            [[0.5, 0.5], [1.5, -0.5]],
            ValueError,
            "policies[1] must be at least 0, got policies[1][1] = -0.5",
        ),
        (
            [[float("nan"), 0.5], [0.5, 0.5]],
            ValueError,
            "policies[0] must be at least 0, got policies[0][0] = nan",
        ),
        (
            [[0.5, 0.25], [0.5, 0.5]],
            ValueError,
            "policies[0] must sum to 1, up to 1e-06, got a sum of 0.75",
        ),
        (
            [[float("inf"), 0.5], [0.5, 0.5]],
            ValueError,
            "policies[0] must sum to 1, up to 1e-06, got a sum of inf",
        ),
        (
            [[True, False], [0.5, 0.5]],
            TypeError,
            "policies[0] must hold real numbers, integer or float, got dtype bool",
        ),
        (
            [[0.5, [0.5]], [0.5, 0.5]],
            ValueError,
            "policies[0] must be a rectangular array, got [0.5, [0.5]]",
        ),
    ],
)
@pytest.mark.parametrize(
    "method",
    [
        lambda game, policies: game.expected_payoffs(policies),
        lambda game, policies: game.best_responses(0, policies),
        lambda game, policies: game.exploitability(policies),
    ],
    ids=["expected_payoffs", "best_responses", "exploitability"],
)
def test_bad_policies(method, policies, error, message):
    with pytest.raises(error) as caught:
        method(MatrixGame(PENNIES), policies)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("agent", "error", "message"),
    [
        (2, ValueError, "agent must be a whole number in [0, 2), got 2"),
        (-1, ValueError, "agent must be a whole number in [0, 2), got -1"),
        (0.0, TypeError, "agent must be a whole number in [0, 2), got 0.0"),
        ("row", TypeError, "agent must be a whole number in [0, 2), got 'row'"),
    ],
)
def test_bad_agent(agent, error, message):
    with pytest.raises(error) as caught:
        MatrixGame(PENNIES).best_responses(agent, [[0.5, 0.5]] * 2)
    assert str(caught.value) == message


def test_examples_in_the_docs():
    result = doctest.testmod(fastgames.games.matrix)
    assert result.attempted > 0
    assert result.failed == 0
