"""remember(): states against histories that are kept as lists, and no table of what it need not."""

import itertools
import tracemalloc
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same

import fastgames as fg
from fastgames.games import MarkovGame, MatrixGame, logit_bertrand, prisoners_dilemma, remember
from fastgames.games.compact import Sum

COUNTS = st.lists(st.integers(1, 3), min_size=2, max_size=3)


def stage(counts, seed=0):
    return MatrixGame(np.random.default_rng(seed).normal(size=(len(counts), *counts)))


def number(history, counts):
    """The state in which this is the history, the latest joint action first."""
    state = 0
    for joint in history:
        for action, count in zip(joint, counts, strict=True):
            state = state * count + action
    return state


def test_one_period_of_two_agents():
    game = remember(stage((2, 3)))
    assert game.num_states == 6
    for state, a, b in itertools.product(range(6), range(2), range(3)):
        assert game.transitions[state, a, b] == a * 3 + b  # a_0 A_1 + a_1, as `remember` says


def test_two_periods_by_hand():
    game = remember(stage((2, 2)), periods=2)
    state = 0
    seen = []
    for joint in [(0, 1), (1, 0), (1, 1), (0, 0)]:
        state = int(game.transitions[(state, *joint)])
        seen.append(state)
    # latest, then the one before: 01 00, 10 01, 11 10, 00 11
    assert seen == [0b0100, 0b1001, 0b1110, 0b0011]


@given(COUNTS, st.integers(1, 3), st.integers(0, 99))
def test_histories(counts, periods, seed):
    rng = np.random.default_rng(seed)
    one = stage(counts, seed)
    game = remember(one, periods)
    joints = list(itertools.product(*map(range, counts)))
    assert game.num_states == len(joints) ** periods
    history = deque([joints[rng.integers(len(joints))] for _ in range(periods)], maxlen=periods)
    moves = game.compact.moves
    for _ in range(30):
        state = number(history, counts)
        joint = joints[rng.integers(len(joints))]
        history.appendleft(joint)
        following = number(history, counts)
        assert game.transitions[(state, *joint)] == following
        assert moves.from_state[state] + moves.from_joint[joints.index(joint)] == following
        for agent in range(len(counts)):
            assert game.rewards[(agent, state, *joint)] == one.payoffs[(agent, *joint)]


def test_equals_the_game_of_full_tables():
    game = remember(stage((2, 3)), 2, discount=0.5, start=7)
    full = MarkovGame(
        game.rewards.copy(), game.transitions, 0.5, 7, name=game.name, actions=game.actions
    )
    assert game == full and hash(game) == hash(full)


def test_what_it_takes_over():
    game = remember(prisoners_dilemma(), 2, discount=0.9, start=3)
    assert game.name == "prisoner's dilemma, memory 2"
    assert game.actions == prisoners_dilemma().actions
    assert game.source == prisoners_dilemma().source
    assert game.discount == 0.9
    assert game.start == 3
    assert game.num_observations == (16, 16)
    assert game.compact.rewards.shape == (2, 1, 1, 4)
    assert game.compact.terminal is game.compact.turns is game.compact.observations is None
    assert remember(prisoners_dilemma()).discount == 0.95
    assert remember(prisoners_dilemma()).start == 0


def test_start():
    weights = [0.5, 0.0, 0.25, 0.25]
    assert remember(stage((2, 2)), start=weights).start.tolist() == weights
    assert remember(stage((2, 2)), start="uniform").start.tolist() == [0.25] * 4


def test_no_table_of_states_and_joint_actions_is_made():
    one = stage((10, 10))
    tracemalloc.start()
    game = remember(one, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert game.num_states == 10**6
    assert isinstance(game.compact.moves, Sum)
    assert peak < 40 * 10**6  # one byte for each state and joint action: 10^8
    assert game.rewards.shape == (2, 10**6, 10, 10)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (prisoners_dilemma().payoffs,),
            TypeError,
            "stage_game must be a MatrixGame, got ",
        ),
        (
            (stage((2, 2)), 0),
            ValueError,
            "periods must be a whole number in [1, 2147483648), got 0",
        ),
        (
            (stage((2, 2)), 1.0),
            TypeError,
            "periods must be a whole number in [1, 2147483648), got 1.0",
        ),
        (
            (stage((2, 2)), 15),
            ValueError,
            "values of an agent must have fewer than 2^31 entries, got 1073741824 x 2 = 2147483648",
        ),
        (
            (stage((15, 15)), 4),
            ValueError,
            "values of an agent must have fewer than 2^31 entries, "
            "got 2562890625 x 15 = 38443359375",
        ),
        (
            (stage((2, 2)), 10**9),
            ValueError,
            "periods must leave fewer than 2^31 states, got 1000000000",
        ),
        (
            (stage((2, 2)), (1,)),
            ValueError,
            "periods must be a whole number, or a sequence of 2 of them, one for each agent, got 1 "
            "in (1,)",
        ),
        (
            (stage((2, 2, 2)), [1, 0]),
            ValueError,
            "periods must be a whole number, or a sequence of 3 of them, one for each agent, got 2 "
            "in [1, 0]",
        ),
        (
            (stage((2, 2)), (1, -1)),
            ValueError,
            "periods[1] must be a whole number in [0, 2147483648), got -1",
        ),
        (
            (stage((2, 2)), (True, 1)),
            TypeError,
            "periods[0] must be a whole number in [0, 2147483648), got True",
        ),
        (
            (stage((2, 2)), (0, 0)),
            ValueError,
            "periods must be at least 1 for an agent, got (0, 0)",
        ),
        (
            (stage((2, 2)), "11"),
            TypeError,
            "periods must be a whole number, or a sequence of 2 of them, one for each agent, got "
            "'11'",
        ),
        ((stage((2, 2)), {1, 2}), TypeError, "periods must be in a fixed order, as a list is, "),
        (
            (stage((2, 2)), (15, 0)),
            ValueError,
            "values of an agent must have fewer than 2^31 entries, got 1073741824 x 2 = 2147483648",
        ),
        (
            (stage((2, 2)), (0, 10**9)),
            ValueError,
            "periods must leave fewer than 2^31 states, got (0, 1000000000)",
        ),
        (
            (stage((2, 2)), (2, 1), 0.9, 16),
            ValueError,
            "start must be a whole number in [0, 16), got 16",
        ),
        (
            (stage((2, 2)), 1, 1.0),
            ValueError,
            "discount must be in [0, 1), or 1 in a game with an end (terminal states or a time "
            "limit), got 1.0",
        ),
        ((stage((2, 2)), 1, 0.9, 4), ValueError, "start must be a whole number in [0, 4), got 4"),
        (
            (stage((2, 2)), 1, 0.9, "random"),
            ValueError,
            "start must be a state, probabilities or 'uniform', got 'random'",
        ),
        (
            (stage((2, 2)), 1, 0.9, [0.5, 0.5]),
            ValueError,
            "start must have shape (4,), got shape (2,)",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    tracemalloc.start()
    with pytest.raises(error) as caught:
        remember(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value).startswith(message)
    assert peak < 1e6


# --- agents with memories of their own ----------------------------------------------------------


def by_hand(one, periods, discount, start):
    """The game of full tables, from histories as tuples of joint actions, the latest first."""
    joints = list(itertools.product(*map(range, one.num_actions)))
    histories = list(itertools.product(joints, repeat=max(periods)))
    seen = [
        {part: k for k, part in enumerate(itertools.product(joints, repeat=p))} for p in periods
    ]
    return MarkovGame(
        np.repeat(one.payoffs[:, None], len(histories), axis=1),
        np.reshape(
            [histories.index((j, *h[:-1])) for h in histories for j in joints],
            (len(histories), *one.num_actions),
        ),
        discount,
        start,
        observations=[[o[h[:p]] for h in histories] for o, p in zip(seen, periods, strict=True)],
        name=f"{one.name}, memory {tuple(periods)}",
        actions=one.actions,
    )


@pytest.mark.parametrize(
    ("counts", "periods"),
    [
        ((2, 3), (1, 0)),
        ((2, 2), (0, 2)),
        ((3, 2), (1, 2)),
        ((2, 1, 2), (0, 2, 1)),
        ((2, 2), (3, 1)),
    ],
)
def test_different_memories_are_the_game_by_hand(counts, periods):
    one = stage(counts)
    game, full = remember(one, periods, 0.8, 3), by_hand(one, periods, 0.8, 3)
    assert game == full
    assert np.array_equal(game.observations, full.observations)
    assert game.num_states == np.prod(counts) ** max(periods)
    assert game.num_observations == tuple(np.prod(counts) ** p for p in periods)
    assert game.stage is one
    more = {"steps": 300, "replicas": 3, "rng": 5, "record": fg.Record(rewards=True)}
    learners = [fg.QLearner(0.2), fg.WoLFPHC(0.2), fg.QLearner(0.1)][: len(counts)]
    result = fg.run(game, learners, **more)
    assert_same(result, fg.run(full, learners, **more))
    assert_same(result, fg.run(game, learners, backend="reference", **more))
    shapes = [table["q"].shape for table in result.tables]
    assert shapes == [
        (3, *sizes) for sizes in zip(game.num_observations, game.num_actions, strict=True)
    ]


@pytest.mark.parametrize("counts", [(2, 3), (2, 1, 2)])
@pytest.mark.parametrize("periods", [1, 2])
def test_equal_memories_are_one_number(counts, periods):
    one = stage(counts)
    single, each = remember(one, periods, 0.8), remember(one, (periods,) * len(counts), 0.8)
    assert single == each and single.name == each.name and hash(single) == hash(each)
    assert each.compact.observations is None
    arguments = {"learners": fg.QLearner(0.2), "steps": 200, "replicas": 2, "rng": 1}
    assert_same(fg.run(single, **arguments), fg.run(each, **arguments))
    arrays = np.full(len(counts), periods), [periods] * len(counts)
    assert remember(one, arrays[0], 0.8) == remember(one, arrays[1], 0.8) == single


@pytest.mark.parametrize("rival", [[0.3, 0.7], [[0.1, 0.9], [1, 0], [0.5, 0.5], [0, 1]]])
def test_memory_0_learns_as_if_there_were_no_states(rival):
    """Against a rival that ignores what it remembers, the learner is in the matrix game."""
    learner = fg.QLearner(0.1, gamma=0.9, explore=fg.EpsilonGreedy(fg.Exponential(1.0, 0.01)))
    arguments = {"steps": 2_000, "replicas": 4, "rng": 3}
    one = prisoners_dilemma()
    result = fg.run(remember(one, (0, 1)), [learner, fg.FixedPolicy(rival)], **arguments)
    assert result.tables[0]["q"].shape == (4, 1, 2)
    if np.ndim(rival) == 1:
        bare = fg.run(one, [learner, fg.FixedPolicy(rival)], **arguments)
    else:  # the rival observes the state
        game, blind = remember(one), [[0, 0, 0, 0], [0, 1, 2, 3]]
        hidden = MarkovGame(game.rewards, game.transitions, observations=blind)
        bare = fg.run(hidden, [learner, fg.FixedPolicy(rival)], **arguments)
    assert result.tables[0]["q"].tobytes() == bare.tables[0]["q"].tobytes()
    assert np.array_equal(result.greedy(0), bare.greedy(0))


def test_labels_frames_and_benchmarks_of_a_shorter_memory():
    pytest.importorskip("xarray")
    one = logit_bertrand(prices=3)
    game = remember(one, (1, 0), start="uniform")
    rivals = fg.UniformRivals()
    assert np.array_equal(rivals.table(game, 1, 0.9), rivals.table(remember(one), 1, 0.9))
    result = fg.run(game, fg.QLearner(0.1, initial=rivals), 50, replicas=2, rng=1)
    labelled = result.to_xarray()
    assert dict(labelled["q_0"].sizes) == {"replica": 2, "observation_0": 9, "action_0": 3}
    assert dict(labelled["q_1"].sizes) == {"replica": 2, "observation_1": 1, "action_1": 3}
    assert labelled["action_1"].values.tolist() == list(one.actions[1])
    frame = result.to_pandas("policies")
    rows = frame[frame["agent"] == 1]
    assert len(rows) == 2 * 1 * 3 and set(rows["observation"]) == {0}
    assert rows["q"].tolist() == result.tables[1]["q"].ravel().tolist()
    assert list(result.to_pandas()["greedy_1"]) == [
        one.actions[1][a] for a in result.greedy(1)[:, 0]
    ]
    response = fg.analysis.deviation_response(result, agent=0, after=1)
    assert set(np.unique(response.prices)) <= set(one.prices[0]) | set(
        np.unique(response.prices[:, 0])
    )


def test_one_joint_action_is_one_state_whatever_the_memory():
    assert remember(stage((1, 1)), 10**6).num_states == 1
