"""MarkovGame: what it keeps and hands to kernels (against loops, NumPy, scipy), what it refuses."""

import copy
import itertools
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import fastgames as fg
from fastgames.games import MarkovGame
from fastgames.games.compact import Chances, Sum, Table
from fastgames.games.transitions import Sparse

SHAPES = st.tuples(st.integers(1, 4), st.lists(st.integers(1, 3), min_size=2, max_size=3)).map(
    lambda case: (case[0], *case[1])
)
SEEDS = st.integers(0, 2**32 - 1)


def rewards_of(shape, rng):
    return rng.integers(-3, 4, (len(shape) - 1, *shape)).astype(float)


def dense_of(shape, rng):
    """Probabilities (S, A_0, ..., S), many of them 0, the sums off 1 by rounding."""
    states = shape[0]
    weights = rng.random((*shape, states)) * rng.integers(0, 2, (*shape, states))
    weights[..., rng.integers(states)] += 0.1
    return weights / weights.sum(axis=-1, keepdims=True)


def joint_actions(shape):
    """Every state and joint action with the row of the tables: agent 0's digit the slowest."""
    for state in range(shape[0]):
        for joint in itertools.product(*map(range, shape[1:])):
            number = state
            for action, count in zip(joint, shape[1:], strict=True):
                number = number * count + action
            yield number, state, joint


def small(**changes):
    """Two agents, two states, 2 and 3 actions; some arguments changed."""
    arguments = {
        "rewards": np.arange(24.0).reshape(2, 2, 2, 3),
        "transitions": [[[0, 1, 0], [1, 1, 0]], [[1, 0, 1], [0, 0, 1]]],
    }
    return MarkovGame(**arguments | changes)


HALVES = np.full((2, 2, 3, 2), 0.5)
DENSE = np.tile([[1.0, 0.0], [0.25, 0.75]], (2, 3, 1)).reshape(2, 2, 3, 2)


def arrays_of(game):
    """Every array of the game and of what it hands out."""
    holders = [game.compact, game.compact.moves]
    if isinstance(game.transitions, Sparse):
        holders.append(game.transitions)
    found = {f"{type(h).__name__}.{n}": a for h in holders for n, a in vars(h).items()}
    for name in ("rewards", "transitions", "start", "terminal", "observations", "turns"):
        found[name] = getattr(game, name)
    return {name: a for name, a in found.items() if isinstance(a, np.ndarray)}


def assert_same_tables(one, other):
    """The two games have the same bits, in the kernels' form too."""
    assert one == other
    assert hash(one) == hash(other)
    left, right = arrays_of(one), arrays_of(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.dtype == right[name].dtype, name
        assert array.shape == right[name].shape, name
        assert array.tobytes() == right[name].tobytes(), name


# What it keeps


def test_attributes():
    game = small(
        discount=0.5,
        start=1,
        terminal=[True, False],
        observations=[[0, 0], [4, 2]],
        turns=[-1, 1],
        time_limit=7,
        name="a game",
        actions=[("a", "b"), ("x", "y", "z")],
        source="a paper",
    )
    assert game.num_agents == 2
    assert game.num_actions == (2, 3)
    assert game.num_states == 2
    assert game.num_observations == (1, 5)
    counts = (*game.num_actions, *game.num_observations, game.num_agents, game.num_states)
    assert all(type(count) is int for count in counts)
    assert game.discount == 0.5
    assert game.start == 1
    assert game.terminal.tolist() == [True, False]
    assert game.observations.tolist() == [[0, 0], [4, 2]]
    assert game.turns.tolist() == [[True, False], [True, True]]
    assert game.time_limit == 7
    assert (game.name, game.source) == ("a game", "a paper")
    assert game.actions == (("a", "b"), ("x", "y", "z"))
    assert repr(game) == ("<MarkovGame 'a game': 2 agents, (2, 3) actions, 2 states, discount 0.5>")
    compact = game.compact
    assert (compact.start_state, compact.start_weights, compact.time_limit) == (1, None, 7)
    assert compact.terminal.tolist() == [True, False]
    assert compact.observations.tolist() == [[0, 0], [4, 2]]
    assert compact.observations.dtype == np.int32
    assert compact.turns.tolist() == [[True, False], [True, True]]
    assert compact.num_states == 2
    assert game.compact is compact


def test_defaults():
    game = small()
    assert game.discount == 0.95
    assert game.start == 0
    assert game.terminal.tolist() == [False, False]
    assert game.observations.tolist() == [[0, 1], [0, 1]]
    assert game.turns.all() and game.turns.shape == (2, 2)
    assert game.time_limit is None
    assert game.num_observations == (2, 2)
    assert (game.name, game.source) == ("Markov game", "")
    assert game.actions == (("0", "1"), ("0", "1", "2"))
    compact = game.compact
    assert compact.start_state == compact.time_limit == 0
    assert compact.start_weights is compact.terminal is compact.observations is None
    assert compact.turns is None


@given(SHAPES, SEEDS)
def test_rewards_and_next_states(shape, seed):
    rng = np.random.default_rng(seed)
    rewards, following = rewards_of(shape, rng), rng.integers(shape[0], size=shape)
    game = MarkovGame(rewards, following)
    np.testing.assert_array_equal(game.rewards, rewards)
    np.testing.assert_array_equal(game.transitions, following)
    table, moves = game.compact.rewards, game.compact.moves
    assert isinstance(moves, Table)
    assert moves.next.dtype == np.int32
    assert (table.dtype, table.shape) == (np.float64, (len(rewards), 1, shape[0], table.shape[3]))
    assert table.flags.c_contiguous
    for row, state, joint in joint_actions(shape):
        assert moves.next[row] == following[(state, *joint)]
        column = row - state * table.shape[3]
        for agent in range(len(rewards)):
            assert table[agent, 0, state, column] == rewards[(agent, state, *joint)]
    assert row + 1 == len(moves.next)


@pytest.mark.parametrize(
    "given_as",
    [
        lambda a: a.tolist(),
        lambda a: list(a),
        lambda a: np.asfortranarray(a),
        lambda a: a.astype(np.int8),
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    ],
)
def test_forms_of_tables(given_as):
    game = small()
    assert_same_tables(
        MarkovGame(given_as(game.rewards), given_as(np.array(game.transitions))), game
    )


def test_rewards_that_no_state_changes_are_kept_once():
    payoffs = np.arange(12.0).reshape(2, 1, 2, 3)
    broad = np.broadcast_to(payoffs, (2, 2, 2, 3))
    game = small(rewards=broad)
    assert game.compact.rewards.shape == (2, 1, 1, 6)
    np.testing.assert_array_equal(game.rewards, broad)
    assert game.rewards.strides[1] == 0
    integers = small(rewards=np.broadcast_to(payoffs.astype(int), (2, 2, 2, 3)))
    assert integers.compact.rewards.shape == (2, 1, 1, 6)
    full = small(rewards=broad.copy())
    assert full.compact.rewards.shape == (2, 1, 2, 6)
    assert game == full == integers
    assert hash(game) == hash(full)
    other = broad.copy()
    other[1, 1, 0, 0] += 1.0
    assert game != small(rewards=other)


def test_next_states_as_a_sum():
    moves = Sum(np.array([1, 0]), np.array([0, 1, 0, 1, 0, 0]))
    with pytest.raises(ValueError, match="got 2 from state 0, joint action \\(0, 1\\)"):
        small(transitions=moves)
    moves = Sum(np.array([1, 0], np.uint8), np.array([0, 0, 0, 0, 0, 0]))
    game = small(transitions=moves)
    assert isinstance(game.compact.moves, Sum)
    assert game.transitions.tolist() == [[[1] * 3] * 2, [[0] * 3] * 2]
    assert game.compact.num_states == 2
    table = small(transitions=game.transitions)
    assert isinstance(table.compact.moves, Table)
    assert game == table and hash(game) == hash(table)
    assert game != small()


# Chance


@given(SHAPES, SEEDS)
def test_running_sums_are_those_of_dense_rows(shape, seed):
    rng = np.random.default_rng(seed)
    dense = dense_of(shape, rng)
    game = MarkovGame(rewards_of(shape, rng), dense)
    moves = game.compact.moves
    assert isinstance(moves, Chances)
    assert (moves.first.dtype, moves.successor.dtype) == (np.int64, np.int32)
    assert moves.first[0] == 0
    for row, state, joint in joint_actions(shape):
        chances = dense[(state, *joint)]
        where = slice(moves.first[row], moves.first[row + 1])
        columns = np.flatnonzero(chances)
        assert moves.successor[where].tolist() == columns.tolist()
        assert moves.cumulative[where].tobytes() == np.cumsum(chances)[columns].tobytes()
        # Nature samples the same state from a row with its zeros and without them.
        sums, short = np.cumsum(chances), moves.cumulative[where]
        for u in (0.0, 0.5, 1.0 - 2.0**-31, *rng.random(20), *(sums / sums[-1])):
            x = min(u, 1.0 - 2.0**-31) * sums[-1]
            dense_choice = int((sums[:-1] <= x).sum())
            assert moves.successor[where][int((short[:-1] <= x).sum())] == dense_choice
    assert row + 2 == len(moves.first)
    assert moves.first[-1] == len(moves.successor) == len(moves.cumulative)
    assert game.transitions.tobytes() == dense.tobytes()


@given(SHAPES, SEEDS)
def test_sparse_forms_are_the_dense_one(shape, seed):
    rng = np.random.default_rng(seed)
    states, dense = shape[0], dense_of(shape, rng)
    rewards, flat = rewards_of(shape, rng), dense.reshape(-1, states)
    game = MarkovGame(rewards, dense)

    order = np.argsort(
        rng.random(flat.shape), axis=1
    )  # columns of every row in any order, zeros too
    rows = np.repeat(np.arange(len(flat)), states)
    shuffled = sparse.csr_array(
        (flat[rows, order.ravel()], order.ravel(), np.arange(len(flat) + 1) * states),
        shape=flat.shape,
    )
    pair = (order.reshape(dense.shape), shuffled.data.reshape(dense.shape))
    forms = [
        shuffled,
        sparse.csr_matrix(flat),
        sparse.coo_array(flat),
        sparse.csc_array(flat),
        pair,
    ]
    for form in forms:
        other = MarkovGame(rewards, form)
        assert other == game and hash(other) == hash(game)
        for name, array in vars(game.compact.moves).items():
            assert array.tobytes() == getattr(other.compact.moves, name).tobytes(), name
        rows_of = other.transitions
        assert isinstance(rows_of, Sparse) and rows_of.shape == flat.shape
        assert rows_of.toarray().tobytes() == flat.tobytes()
        scipys = sparse.csr_array((rows_of.data, rows_of.indices, rows_of.indptr), rows_of.shape)
        assert scipys.toarray().tobytes() == flat.tobytes()
        assert_same_tables(MarkovGame(other.rewards, other.transitions), other)
    assert_same_tables(MarkovGame(game.rewards, game.transitions), game)


def test_a_state_named_twice_has_the_sum():
    pair = (
        np.broadcast_to([1, 0, 1, 0], (2, 2, 3, 4)),
        np.broadcast_to([0.25, 0.5, 0.25, 0.0], (2, 2, 3, 4)),
    )
    assert small(transitions=pair) == small(transitions=HALVES)
    twice = sparse.coo_array(
        (np.full(36, 1 / 3), (np.repeat(np.arange(12), 3), np.tile([0, 1, 0], 12))), shape=(12, 2)
    )
    dense = small(transitions=twice).transitions.toarray()
    np.testing.assert_array_equal(dense, [[1 / 3 + 1 / 3, 1 / 3]] * 12)


def test_probabilities_of_integers_are_left_to_chance_too():
    certain = np.zeros((2, 2, 3, 2), np.int64)
    certain[..., 1] = 1
    game = small(transitions=certain)
    assert isinstance(game.compact.moves, Chances)
    assert game != small(transitions=np.ones((2, 2, 3), int))
    assert np.diff(game.compact.moves.first).tolist() == [1] * 12


def test_sums_may_be_off_by_rounding_and_are_kept():
    thirds = np.full((2, 2, 3, 2), np.float32(0.1)).astype(np.float64)
    thirds[..., 1] = 0.9 + 5e-7
    game = small(transitions=thirds)
    np.testing.assert_array_equal(game.compact.moves.cumulative[1::2], thirds[0, 0, 0].sum())
    weights = np.array([0.5, 0.5 - 9e-7])
    assert small(start=weights).start.tobytes() == weights.tobytes()


# Start, ends, observations, turns


def test_start_as_probabilities():
    for weights in ([0.25, 0.75], (0.0, 1.0), np.array([1, 0])):
        game = small(start=weights)
        assert game.start.tolist() == list(weights)
        assert game.compact.start_weights is game.start
        assert game.start.dtype == np.float64
    assert small(start=[1, 0]) != small(start=0)  # nature draws for the one, not for the other
    assert small(start=[0, 1], terminal=[True, False]).start.tolist() == [0.0, 1.0]


def test_what_makes_no_difference_is_not_kept():
    plain = small()
    assert_same_tables(small(terminal=[False, False]), plain)
    assert_same_tables(small(observations=[[0, 1], [0, 1]]), plain)
    assert_same_tables(small(turns=[-1, -1]), plain)
    assert_same_tables(small(turns=np.ones((2, 2), bool)), plain)
    ends = small(terminal=[False, True])
    assert_same_tables(small(terminal=[False, True], turns=[-1, 0]), ends)
    # One agent that sees less, or moves less, is enough for the table to be kept.
    assert small(observations=[[0, 1], [0, 0]]).compact.observations is not None
    assert small(observations=[[0, 1], [1, 0]]).compact.observations is not None
    assert small(turns=[-1, 0]).compact.turns.tolist() == [[True, True], [True, False]]


def test_observations_may_leave_gaps():
    assert small(observations=[[0, 5], [1, 0]]).num_observations == (6, 2)


def test_observations_that_occur_in_no_state():
    plain = small()
    assert_same_tables(small(num_observations=(2, 2)), plain)
    assert small(num_observations=[2, 2]) == plain
    more = small(num_observations=(2, 4))
    assert more.num_observations == (2, 4) and more != plain
    assert more.observations.tolist() == [[0, 1], [0, 1]]
    assert not more.differs_only_in_rewards(plain)
    assert more != small(num_observations=(2, 5))
    assert not more.differs_only_in_rewards(small(num_observations=(2, 5)))
    assert pickle.loads(pickle.dumps(more)) == more
    assert small(observations=[[0, 1], [0, 0]], num_observations=(9, 1)).num_observations == (9, 1)
    arguments = {"learners": fg.QLearner(0.3), "steps": 200, "replicas": 2, "rng": 1}
    one, other = fg.run(plain, **arguments), fg.run(more, **arguments)
    assert other.tables[1]["q"].shape == (2, 4, 3)
    assert other.tables[1]["q"][:, :2].tobytes() == one.tables[1]["q"].tobytes()
    assert not other.tables[1]["q"][:, 2:].any()


def test_turns_of_both_forms():
    by_agent = small(turns=[1, 0])
    assert_same_tables(small(turns=[[False, True], [True, False]]), by_agent)
    assert small(turns=np.array([0, 1], np.uint8)).turns.tolist() == [[True, False], [False, True]]
    # A state in which only nature moves, and an agent that never does.
    nobody = small(turns=[[True, False], [False, False]])
    assert nobody.compact.turns.tolist() == [[True, False], [False, False]]


def test_a_discount_of_1_needs_an_end():
    assert small(discount=1, time_limit=1).discount == 1.0
    assert small(discount=1.0, terminal=[False, True]).discount == 1.0
    for changes in ({}, {"terminal": [False, False]}):
        with pytest.raises(ValueError, match=r"^discount must be in \[0, 1\), or 1 in a game with"):
            small(discount=1.0, **changes)


# A value


OTHERS = [
    {"rewards": np.arange(1.0, 25.0).reshape(2, 2, 2, 3)},
    {"transitions": np.ones((2, 2, 3), int)},
    {"transitions": HALVES},
    {"transitions": DENSE},
    {"transitions": HALVES + np.array([1e-9, -1e-9])},
    {"discount": 0.5},
    {"start": 1},
    {"start": [0.5, 0.5]},
    {"start": [0.25, 0.75]},
    {"terminal": [False, True]},
    {"observations": [[0, 1], [0, 0]]},
    {"num_observations": (2, 3)},
    {"turns": [0, -1]},
    {"turns": [1, -1]},
    {"time_limit": 3},
    {"name": "another"},
    {"source": "somewhere"},
    {"actions": [("a", "b"), ("0", "1", "2")]},
]


def test_equality():
    games = [small(), *(small(**changes) for changes in OTHERS)]
    again = [small(), *(small(**changes) for changes in OTHERS)]
    for i, j in itertools.product(range(len(games)), repeat=2):
        assert (games[i] == again[j]) == (i == j), (i, j)
        if i == j:
            assert hash(games[i]) == hash(again[j])
    assert small() != "a game"
    assert small(rewards=np.zeros((2, 2, 2, 3))) == small(rewards=-np.zeros((2, 2, 2, 3)))
    assert hash(small(rewards=np.zeros((2, 2, 2, 3)))) == hash(
        small(rewards=-np.zeros((2, 2, 2, 3)))
    )


def test_what_differs_only_in_rewards():
    for changes in OTHERS:
        alike = changes.keys() <= {"rewards", "name", "source"}
        assert small().differs_only_in_rewards(small(**changes)) == alike, changes
        assert small(**changes).differs_only_in_rewards(small()) == alike, changes


EVERYTHING = {
    "discount": 1.0,
    "start": [0.0, 1.0],
    "terminal": [True, False],
    "observations": [[0, 0], [1, 0]],
    "turns": [0, 1],
    "time_limit": 4,
    "name": "all of it",
    "source": "a paper",
    "actions": [("a", "b"), ("x", "y", "z")],
}
MOVES = {
    "table": np.ones((2, 2, 3), np.int32),
    "sum": Sum(np.array([1, 0], np.int32), np.zeros(6, np.int32)),
    "dense": DENSE,
    "sparse": sparse.csr_array(DENSE.reshape(12, 2)),
}


@pytest.mark.parametrize("form", MOVES)
def test_read_only_and_copied(form):
    moves = copy.deepcopy(MOVES[form])
    given = {
        "rewards": np.arange(24.0).reshape(2, 2, 2, 3),
        "start": np.array([0.0, 1.0]),
        "terminal": np.array([True, False]),
        "observations": np.array([[0, 0], [1, 0]], np.int32),
        "turns": np.array([[True, False], [False, True]]),
    }
    game = MarkovGame(transitions=moves, **given)
    before = {name: array.copy() for name, array in arrays_of(game).items()}
    for name, array in arrays_of(game).items():
        assert not array.flags.writeable, name
    parts = vars(moves).values() if form == "sum" else [moves.data if form == "sparse" else moves]
    for array in (*parts, *given.values()):
        array[...] = 1 - array if array.dtype != bool else ~array
    for name, array in arrays_of(game).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    for name in ("rewards", "transitions", "start", "name", "compact", "anything"):
        with pytest.raises(AttributeError):
            setattr(game, name, 0)


@pytest.mark.parametrize("form", MOVES)
@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["plain", "everything"])
def test_pickle_and_copy(form, changes):
    game = small(transitions=MOVES[form], **changes)
    copies = [pickle.loads(pickle.dumps(game, protocol)) for protocol in (2, 4, 5)]
    for other in (*copies, copy.copy(game), copy.deepcopy(game)):
        assert_same_tables(other, game)
        assert type(other.transitions) is type(game.transitions)
        assert type(other.compact.moves) is type(game.compact.moves)
        for name, array in arrays_of(other).items():
            assert not array.flags.writeable, name


def test_a_pickle_is_no_larger_than_what_is_kept():
    game = MarkovGame(
        np.broadcast_to(np.ones((2, 1, 10, 10)), (2, 1000, 10, 10)),
        Sum(np.arange(1000), np.zeros(100, int)),
    )
    assert len(pickle.dumps(game)) < 10_000


# What it refuses

NAN_REWARD = np.zeros((2, 2, 2, 3))
NAN_REWARD[1, 0, 1, 2] = np.nan
INF_REWARD = np.zeros((2, 2, 2, 3))
INF_REWARD[0, 1, 0, 1] = -np.inf


def changed(table, cell, value):
    table = np.array(table)
    table[cell] = value
    return table


STATES = np.zeros((2, 2, 3), int)
AT = "from state 1, joint action (0, 2)"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"rewards": NAN_REWARD},
            ValueError,
            "rewards must be finite, got rewards[1, 0, 1, 2] = nan",
        ),
        (
            {"rewards": INF_REWARD},
            ValueError,
            "rewards must be finite, got rewards[0, 1, 0, 1] = -inf",
        ),
        (
            {"rewards": np.broadcast_to([[[[0.0, np.inf, 0]]]], (2, 2, 2, 3))},
            ValueError,
            "rewards must be finite, got rewards[0, 0, 0, 1] = inf",
        ),
        (
            {"rewards": NAN_REWARD > 0},
            TypeError,
            "rewards[0] must hold real numbers, integer or float, got dtype bool",
        ),
        (
            {"rewards": 3.0},
            TypeError,
            "rewards must be an array (N, S, A_0, ..., A_{N-1}) or N arrays of one shape, got 3.0",
        ),
        (
            {"rewards": np.zeros((0, 2, 2))},
            ValueError,
            "rewards must be for at least 1 agent, got 0",
        ),
        (
            {"rewards": [np.zeros((2, 2, 3)), np.zeros((2, 3, 2))]},
            ValueError,
            "rewards must have the same shape (S, A_0, ..., A_{N-1}) for every agent, "
            "got (2, 2, 3) for agent 0 and (2, 3, 2) for agent 1",
        ),
        (
            {"rewards": np.zeros((2, 2, 3))},  # payoffs of a matrix game
            ValueError,
            "rewards must have the shape (N, S, A_0, ..., A_{N-1}), one axis of states and one of "
            "actions for each of the 2 agents, got shape (2, 2, 3)",
        ),
        (
            {"rewards": np.zeros((2, 0, 2, 3))},
            ValueError,
            "rewards must have at least 1 state, and 1 action for every agent, got shape "
            "(2, 0, 2, 3)",
        ),
        (
            {"transitions": changed(STATES, (1, 0, 2), 2)},
            ValueError,
            "transitions must be states in [0, 2), got " + "2 " + AT,
        ),
        (
            {"transitions": changed(STATES, (1, 0, 2), -1).tolist()},
            ValueError,
            "transitions must be states in [0, 2), got " + "-1 " + AT,
        ),
        (
            {"transitions": changed(STATES.astype(np.uint64), (1, 0, 2), 2**64 - 1)},
            ValueError,
            "transitions must be states in [0, 2), got " + f"{2**64 - 1} " + AT,
        ),
        (
            {"transitions": STATES.astype(float)},
            TypeError,
            "transitions of shape (2, 2, 3) must hold next states, integers, got dtype float64",
        ),
        (
            {"transitions": STATES > 0},
            TypeError,
            "transitions must hold real numbers, integer or float, got dtype bool",
        ),
        (
            {"transitions": np.zeros((2, 3, 2), int)},
            ValueError,
            "transitions must have shape (2, 2, 3) (next states) or (2, 2, 3, 2) (probabilities), "
            "got shape (2, 3, 2)",
        ),
        (
            {"transitions": np.ones((3, 2, 3, 2))},
            ValueError,
            "transitions must have shape (2, 2, 3) (next states) or (2, 2, 3, 2) (probabilities), "
            "got shape (3, 2, 3, 2)",
        ),
        (
            {"transitions": [[[0, 1, 0], [1, 1]], [[1, 0, 1], [0, 0, 1]]]},
            ValueError,
            "transitions must be a rectangular array, got "
            "[[[0, 1, 0], [1, 1]], [[1, 0, 1], [0, 0, 1]]]",
        ),
        (
            {"transitions": None},
            TypeError,
            "transitions must hold real numbers, integer or float, got dtype object",
        ),
        (
            {"transitions": changed(HALVES, (1, 0, 2), [0.75, 0.5])},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 1.25 " + AT,
        ),
        (
            {"transitions": changed(HALVES, (1, 0, 2), 0.0)},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 0.0 " + AT,
        ),
        (
            {"transitions": np.zeros((2, 2, 3, 2))},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 0 from state 0, joint action (0, 0)",
        ),
        (  # a terminal state too
            {"transitions": changed(HALVES, (1, 0, 2), 0.0), "terminal": [False, True]},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 0.0 " + AT,
        ),
        (
            {"transitions": changed(HALVES, (1, 0, 2), [0.5, 0.5 + 2.0**-18])},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 1.0000038146972656 " + AT,
        ),
        (
            {"transitions": changed(HALVES, (1, 0, 2), [1.25, -0.25])},
            ValueError,
            "transitions must be probabilities, at least 0, got -0.25 for next state 1 " + AT,
        ),
        (
            {"transitions": changed(HALVES, (1, 0, 2, 0), np.nan)},
            ValueError,
            "transitions must be probabilities, at least 0, got nan for next state 0 " + AT,
        ),
        (
            {"transitions": changed(HALVES, (1, 0, 2, 0), np.inf)},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of inf " + AT,
        ),
        (
            {"transitions": sparse.csr_array(changed(HALVES, (1, 0, 2), [0, 0.5]).reshape(12, 2))},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 0.5 " + AT,
        ),
        (
            {"transitions": sparse.csr_array(np.full((2, 12), 0.5))},
            ValueError,
            "transitions must have shape (12, 2), a row for every state and joint action, "
            "got shape (2, 12)",
        ),
        (
            {"transitions": sparse.csr_array(HALVES.reshape(12, 2) * 1j)},
            TypeError,
            "transitions must hold real numbers, integer or float, got dtype complex128",
        ),
        (
            {"transitions": (np.full((2, 2, 3, 1), 2), np.ones((2, 2, 3, 1)))},
            ValueError,
            "transitions must be states in [0, 2), got 2 from state 0, joint action (0, 0)",
        ),
        (
            {"transitions": (np.zeros((2, 2, 3, 1)), np.ones((2, 2, 3, 1)))},
            TypeError,
            "transitions[0] must hold next states, integers, got dtype float64",
        ),
        (
            {"transitions": (np.zeros((2, 2, 3, 1), int), np.ones((2, 2, 3, 2)))},
            ValueError,
            "transitions must be two arrays of shape (2, 2, 3) and one more axis, got shapes "
            "(2, 2, 3, 1) and (2, 2, 3, 2)",
        ),
        (
            {"transitions": (np.zeros((2, 2, 3, 0), int), np.ones((2, 2, 3, 0)))},
            ValueError,
            "transitions must sum to 1, up to 1e-06, for every state and joint action, "
            "got a sum of 0 from state 0, joint action (0, 0)",
        ),
        (
            {"transitions": Sum(np.array([0, 1]), np.array([0, 0, -1, 0, 0, 0]))},
            ValueError,
            "transitions must be states in [0, 2), got -1 from state 0, joint action (0, 2)",
        ),
        (
            {"transitions": Sum(np.zeros(3, int), np.zeros(6, int))},
            ValueError,
            "transitions.from_state must have shape (2,), got shape (3,)",
        ),
        (
            {"discount": -0.1},
            ValueError,
            "discount must be in [0, 1), or 1 in a game with an end (terminal states or a time "
            "limit), got -0.1",
        ),
        *(
            (
                {"discount": discount, "time_limit": 5},
                ValueError,
                "discount must be in [0, 1), or 1 in a game with an end (terminal states or a "
                f"time limit), got {discount}",
            )
            for discount in (1.5, float("nan"))
        ),
        (
            {"discount": [0.9, 0.9]},
            TypeError,
            "discount must be a number, got shape (2,)",
        ),
        ({"start": 2}, ValueError, "start must be a whole number in [0, 2), got 2"),
        ({"start": -1}, ValueError, "start must be a whole number in [0, 2), got -1"),
        ({"start": 0.0}, TypeError, "start must be a whole number in [0, 2), got 0.0"),
        ({"start": True}, TypeError, "start must be a whole number in [0, 2), got True"),
        ({"start": "uniform"}, TypeError, "start must be a whole number in [0, 2), got 'uniform'"),
        ({"start": [1.0]}, ValueError, "start must have shape (2,), got shape (1,)"),
        ({"start": [0.5, 0.25]}, ValueError, "start must sum to 1, up to 1e-06, got a sum of 0.75"),
        ({"start": [1.5, -0.5]}, ValueError, "start must be at least 0, got start[1] = -0.5"),
        (
            {"terminal": [True, False]},
            ValueError,
            "start must not be a terminal state, got 0",
        ),
        (
            {"terminal": [False, True], "start": [0.5, 0.5]},
            ValueError,
            "start must be 0 in terminal states, got start[1] = 0.5",
        ),
        (
            {"terminal": [False]},
            ValueError,
            "terminal must have shape (2,), got shape (1,)",
        ),
        ({"terminal": [0, 1]}, TypeError, "terminal must hold bool, got dtype int64"),
        (
            {"observations": [[0, 1, 0], [0, 0, 0]]},
            ValueError,
            "observations must have shape (2, 2), one for each agent and state, got shape (2, 3)",
        ),
        (
            {"observations": [[0, 1], [0, -1]]},
            ValueError,
            "observations must be in [0, 2^31), got observations[1, 1] = -1",
        ),
        (
            {"observations": [[0, 2**31], [0, 0]]},
            ValueError,
            "observations must be in [0, 2^31), got observations[0, 1] = 2147483648",
        ),
        (
            {"observations": [[0, 1], [0, 2**30]]},
            ValueError,
            "values of agent 1 must have fewer than 2^31 entries, got 1073741825 x 3 = 3221225475",
        ),
        (
            {"num_observations": (2, 1)},
            ValueError,
            "num_observations[1] must be a whole number in [2, 2147483648), got 1",
        ),
        (
            {"num_observations": (2, 3, 4)},
            ValueError,
            "num_observations must be one for each of the 2 agents, got 3",
        ),
        (
            {"num_observations": 2},
            TypeError,
            "num_observations must be a sequence of one whole number for each agent, got 2",
        ),
        (
            {"num_observations": (2, 2**30)},
            ValueError,
            "values of agent 1 must have fewer than 2^31 entries, got 1073741824 x 3 = 3221225472",
        ),
        (
            {"observations": [[0, 1.0], [0, 0]]},
            TypeError,
            "observations must hold integers, got dtype float64",
        ),
        ({"turns": [0, 2]}, ValueError, "turns must be -1 or in [0, 2), got turns[1] = 2"),
        ({"turns": [-2, 0]}, ValueError, "turns must be -1 or in [0, 2), got turns[0] = -2"),
        (
            {"turns": [0, 0, 0]},
            ValueError,
            "turns must have shape (2,) of int, or (2, 2) of bool, got shape (3,) of int64",
        ),
        (
            {"turns": [True, False]},
            ValueError,
            "turns must have shape (2,) of int, or (2, 2) of bool, got shape (2,) of bool",
        ),
        (
            {"turns": [[0, 1], [1, 0]]},
            ValueError,
            "turns must have shape (2,) of int, or (2, 2) of bool, got shape (2, 2) of int64",
        ),
        (
            {"turns": np.zeros((2, 2), bool)},
            ValueError,
            "turns must let an agent move in at least one state that is not terminal",
        ),
        (
            {"turns": [[False, True], [False, True]], "terminal": [False, True]},
            ValueError,
            "turns must let an agent move in at least one state that is not terminal",
        ),
        (
            {"time_limit": 0},
            ValueError,
            "time_limit must be a whole number in [1, 2147483648), got 0",
        ),
        (
            {"time_limit": 2.0},
            TypeError,
            "time_limit must be a whole number in [1, 2147483648), got 2.0",
        ),
        ({"name": 3}, TypeError, "name must be a str, got 3"),
        ({"source": None}, TypeError, "source must be a str, got None"),
        (
            {"actions": [("a", "b"), ("x", "y")]},
            ValueError,
            "actions[1] must be 3 distinct names, got ['x', 'y']",
        ),
    ],
)
def test_bad_input(changes, error, message):
    with pytest.raises(error) as caught:
        small(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("rewards", "transitions", "message"),
    [
        (
            np.broadcast_to(0, (2, 2**21, 32, 32)),
            np.broadcast_to(0, (2**21, 32, 32)),
            "transitions must have fewer than 2^31 entries, got 2097152 x 1024 = 2147483648",
        ),
        (
            np.broadcast_to(0, (2, 2**21, 32, 32)),
            sparse.csr_array((2**31, 1)),
            "transitions must have fewer than 2^31 entries, got 2097152 x 1024 = 2147483648",
        ),
        (
            np.broadcast_to(np.zeros((1, 2**21, 1, 1), np.int8), (2, 2**21, 32, 32)),
            None,
            "rewards of an agent must have fewer than 2^31 entries, "
            "got 2097152 x 1024 = 2147483648",
        ),
        (
            np.broadcast_to(0, (2, 2**21, 1024, 1)),
            Sum(np.broadcast_to(0, 2**21), np.broadcast_to(0, 1024)),
            "values of agent 0 must have fewer than 2^31 entries, got 2097152 x 1024 = 2147483648",
        ),
    ],
)
def test_what_32_bits_cannot_index_is_refused_before_it_is_allocated(rewards, transitions, message):
    tracemalloc.start()
    with pytest.raises(ValueError) as caught:
        MarkovGame(rewards, transitions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value) == message
    assert peak < 1e6
