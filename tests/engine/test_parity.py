"""Every body gives the same bits: interpreted rules, Numba's passes, each build of the lanes."""

import itertools
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from library.equal import assert_same
from library.games import markov_games, matrix_games
from library.learners import AHEAD, DTYPES, EXPLORERS, INITIALS, KINDS, STEP_SIZES
from library.runs import core_as, setups

import fastgames as fg
from fastgames import _core, registry

BUILDS = _core.available()
FEW = settings(max_examples=settings.default.max_examples // 4)
CAPACITIES = st.sampled_from([None, 1, 2, 5, 16, 31, 32])


@pytest.mark.parametrize(
    ("drawn", "registered"),
    [
        ({kind.learner for kind in KINDS}, registry.LEARNERS),
        (EXPLORERS, registry.EXPLORERS),
        (STEP_SIZES, {"alpha", *registry.STEP_SIZES}),
        (INITIALS, registry.INITIALS),
    ],
    ids=["learners", "explorers", "step sizes", "initial tables"],
)
def test_everything_registered_is_drawn_by_the_strategies(drawn, registered):
    assert set(drawn) == set(registered)


def test_every_kind_of_learner_has_rules_or_parameters_of_its_own():
    made = [kind.made() for kind in KINDS]
    assert len({(x.rules, str(x.values(0.9))) for x in made}) == len(KINDS)


def test_the_build_is_chosen_at_run_time_by_isa(monkeypatch):
    for build in BUILDS:
        monkeypatch.setattr(_core, "isa", build)
        for dtype in registry.DTYPES:
            assert _core.lanes(dtype).__name__ == f"fastgames._core.lanes_{build}_f{dtype[-2:]}"


def assert_all_bodies_agree(setup, data):
    reference = setup.run(backend="reference", threads=1)
    threads = data.draw(st.integers(1, 5))
    ahead = all(learner.rules.twin is not None for learner in setup.learners)
    for build in BUILDS if ahead else BUILDS[:1]:
        capacity = data.draw(CAPACITIES)
        backend = "cython" if ahead else "auto"
        arguments = {"backend": backend, "threads": threads, "capacity": capacity}
        assert_same(reference, setup.run(build=build, **arguments))
    assert_same(reference, setup.run(threads=threads))  # backend="auto"
    build, capacity = data.draw(st.sampled_from(BUILDS)), data.draw(CAPACITIES)
    arguments = {"backend": "numba", "threads": threads, "capacity": capacity}
    assert_same(reference, setup.run(build=build, **arguments))


@pytest.mark.usefixtures("passes_for_all_sizes")
@FEW
@given(data=st.data())
def test_all_backends_and_builds_agree_with_the_reference(learner_kind, data):
    dtype = DTYPES[learner_kind]
    others = [kind for kind in AHEAD if DTYPES[kind] == dtype] + [learner_kind]
    setup = data.draw(setups(learner_kind, others, dtype=dtype))
    assert_all_bodies_agree(setup, data)


FOR_TWO = ("lola", "minimax_q", "sampled_lola")  # they play games of two agents only


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.parametrize("kind", [k for k in KINDS if k.learner not in FOR_TWO], ids=str)
@settings(max_examples=settings.default.max_examples // 8)
@given(data=st.data())
def test_games_of_one_agent_agree(kind, data):
    shape = [data.draw(st.integers(1, 7))]
    bandits = matrix_games(st.just(1), st.integers(1, 40))
    games = st.one_of(bandits, markov_games(shape=shape), markov_games(turns=False, shape=shape))
    setup = data.draw(setups(kind, [kind], game=games.filter(kind.suits), dtype=DTYPES[kind]))
    assert setup.game.num_agents == 1
    assert_all_bodies_agree(setup, data)


@pytest.mark.parametrize("turns", [False, True])
@given(data=st.data())
def test_what_most_people_run_agrees(turns, data):
    """Epsilon-greedy Q-learners with a step size, in games that end: a path of their own."""
    simple = [k for k in AHEAD if str(k) == "q-epsilon_greedy-alpha"]
    game = markov_games(turns=turns, terminal=data.draw(st.booleans()))
    setup = data.draw(setups(kinds=simple, game=game, steps=60))
    reference = setup.run(backend="reference")
    for build in BUILDS:
        capacity = data.draw(CAPACITIES)
        assert_same(reference, setup.run(build=build, capacity=capacity, threads=1))


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.slow
@pytest.mark.parametrize("dtype", registry.DTYPES)
@given(data=st.data())
def test_all_backends_and_builds_agree_in_both_types(learner_kind, dtype, data):
    setup = data.draw(setups(learner_kind, dtype=dtype, steps=60))
    assert_all_bodies_agree(setup, data)


# Epsilons whose threshold T is 0, 1, 2 and 2^31, and ordinary ones; one for each replica.
EPSILONS = (0.0, 2.0**-32, 2.0**-31, 2.0**-30, 0.1, 0.5, 0.9, 1 - 2.0**-53, 1.0)


def duel(actions, replicas, explore=None, whole=True, gamma=None):
    """Q-learners, each replica with its own parameters."""
    rng = np.random.default_rng(replicas)
    shape = (len(actions), *actions)
    game = fg.MatrixGame(rng.integers(-2, 3, shape) if whole else rng.normal(size=shape))
    explore = explore or fg.EpsilonGreedy(np.resize(EPSILONS, replicas))
    return game, [
        fg.QLearner(alpha, gamma, explore, rng.integers(-1, 2, (replicas, 1, a)))
        for a, alpha in zip(actions, itertools.cycle((np.linspace(0.01, 1.0, replicas), 0.3)))
    ]


IN_REGISTERS = [
    *itertools.product((2, 3, 4), repeat=2),
    *((5, 5), (6, 6), (2, 2, 2), (3, 3, 3), (2, 2, 2, 2)),
]


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("actions", IN_REGISTERS)
def test_many_steps_in_registers_agree(actions, flips, dtype):
    """Three times 16 lanes, each of which explores, be it with the smallest chance there is."""
    explore = fg.EpsilonGreedy(np.resize(EPSILONS[2:], 48))
    for whole in (True, False):
        game, learners = duel(actions, 48, explore, whole)
        arguments = {"steps": 60, "rng": 7, "dtype": dtype, "record": fg.Record(flips=flips)}
        reference = fg.run(game, learners, replicas=48, backend="reference", **arguments)
        with pytest.MonkeyPatch.context() as patch:
            for build in BUILDS:
                patch.setattr(_core, "isa", build)
                compiled = fg.run(game, learners, replicas=48, threads=1, **arguments)
                assert_same(reference, compiled)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("actions", IN_REGISTERS)
@settings(max_examples=settings.default.max_examples // 8)
@given(data=st.data())
def test_schedules_records_and_fixed_policies_in_registers_agree(actions, dtype, data):
    """For more steps than are computed ahead, and than joint actions are counted in bytes."""
    names = ("q-epsilon_greedy-alpha", "hysteretic_q-epsilon_greedy", "fixed")
    kinds = [kind for kind in AHEAD if str(kind) in names]
    game = matrix_games(shape=actions)
    setup = data.draw(setups(kinds=kinds, game=game, dtype=dtype, steps=400))
    setup = replace(setup, stop=None)  # the criterion of a game with states
    capacity = data.draw(CAPACITIES)
    reference = setup.run(backend="reference")
    for build in BUILDS:
        assert_same(reference, setup.run(build=build, capacity=capacity, threads=1))


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("actions", IN_REGISTERS)
def test_joint_actions_that_never_change_are_counted_without_overflow(actions, build, dtype):
    policies = [fg.FixedPolicy(np.eye(a)[(i + 1) % a]) for i, a in enumerate(actions)]
    game = fg.MatrixGame(np.random.default_rng(3).normal(size=(len(actions), *actions)))
    record = fg.Record(joint_actions=True)
    with core_as(build, None):
        result = fg.run(game, policies, 1_000, replicas=3, rng=1, dtype=dtype, record=record)
    expected = np.zeros((3, *actions), int)
    expected[(slice(None), *((i + 1) % a for i, a in enumerate(actions)))] = 1_000
    np.testing.assert_array_equal(result.joint_counts, expected)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("a", [2, 3, 4, 5])
@pytest.mark.parametrize("b", [2, 3, 4, 5])
def test_the_fused_steps_of_two_agents_agree_in_full_and_smaller_blocks(a, b, dtype):
    game, learners = duel((a, b), 64, whole=(a + b) % 2 == 0)
    falling = fg.EpsilonGreedy(fg.Exponential(np.resize(EPSILONS, 64), 0.2, 2.0**-30))
    rising = fg.EpsilonGreedy(fg.Linear(0.0, np.resize(EPSILONS, 64), 9))
    scheduled = [
        fg.QLearner(0.3, explore=falling),
        fg.QLearner(fg.Linear(0.9, 0.1, 5), explore=rising),
    ]
    for players, record in (
        (learners, fg.Record(flips=True)),
        (learners, fg.Record(joint_actions=True, rewards=True, last=6)),
        (scheduled, fg.Record()),
        (scheduled[::-1], fg.Record(flips=True)),
    ):
        arguments = {"steps": 11, "rng": 2**63 + 5, "dtype": dtype, "record": record}
        reference = fg.run(game, players, replicas=64, backend="reference", **arguments)
        with pytest.MonkeyPatch.context() as patch:
            for build in BUILDS:
                patch.setattr(_core, "isa", build)
                for threads in (1, 4):  # one block of 64 lanes; four of 16
                    compiled = fg.run(game, players, replicas=64, threads=threads, **arguments)
                    assert_same(reference, compiled)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("replicas", [1, 15, 16, 17, 127, 129, 256, 257])
@pytest.mark.parametrize(
    ("actions", "explore", "gamma"),
    [
        ((2, 2), None, None),
        ((3, 2), None, 0.9),
        ((6, 2), fg.Softmax(0.7), None),
        ((1, 7), None, 0.0),
    ],
)
def test_any_number_of_replicas_agrees(replicas, actions, explore, gamma, dtype):
    game, learners = duel(actions, replicas, explore, gamma=gamma)
    arguments = {"steps": 6, "replicas": replicas, "rng": 4, "dtype": dtype}
    reference = fg.run(game, learners, backend="reference", **arguments)
    for threads in (1, 3):
        assert_same(
            reference, fg.run(game, learners, backend="cython", threads=threads, **arguments)
        )
        assert_same(
            reference, fg.run(game, learners, backend="numba", threads=threads, **arguments)
        )


def states_before(words):
    """States (len(words), 4) from which xoshiro128++ gives just these 32-bit words next."""
    s0 = np.full(len(words), 0x12345678, np.uint64)
    rotated = (words - s0) & 0xFFFFFFFF  # the word is rotl(s0 + s3, 7) + s0
    s3 = (((rotated >> 7) | (rotated << 25)) - s0) & 0xFFFFFFFF
    return np.stack([s0, s0 + 1, s0 + 2, s3], axis=-1).astype(np.uint32)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("actions", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("epsilon", [*EPSILONS, 3 * 2.0**-31, 7 * 2.0**-31, 1e-6, 1 / 3])
def test_words_at_the_edges_of_exploring_agree(epsilon, actions, dtype):
    threshold = int(epsilon * 2**31)
    edges = [0, threshold, 2**31 - 1, *(threshold * k // actions for k in range(actions))]
    words = [2 * u + low for edge in edges for u in range(edge - 3, edge + 4) for low in (0, 1)]
    words = np.array([w for w in words if 0 <= w < 2**32], np.uint64)
    replicas = len(words)
    game = fg.MatrixGame(np.random.default_rng(1).normal(size=(2, actions, actions)))
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(epsilon))
    start = fg.run(game, learner, steps=1, replicas=replicas, rng=1, dtype=dtype)
    start.state.streams[:] = states_before(words)[:, None, :]
    for steps in (1, 4):
        reference = fg.run(game, learner, steps=steps, resume=start, backend="reference")
        assert_same(reference, fg.run(game, learner, steps=steps, resume=start, backend="cython"))
        assert_same(reference, fg.run(game, learner, steps=steps, resume=start, backend="numba"))


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("actions", [2, 3, 4, 5, 6])
def test_words_at_the_bounds_of_a_scheduled_epsilon_explore_as_the_contract_says(
    actions, build, dtype
):
    """All words near a bound k T / A; n (1 / n) is below 1 in float64 for the first n."""
    thresholds = [actions * n for n in (49, 98, 103, 107, 161, 187, 2**27 // 3)]
    thresholds += [1, 2, 3, 2**31 - 1, 2**31, *np.random.default_rng(1).integers(1, 2**31, 5)]
    distance = 3 if dtype == "float64" else 600
    bounds = [(t, int(t) * k // actions) for t in thresholds for k in range(1, actions)]
    t, u = np.array([(t, b + d) for t, b in bounds for d in range(-distance, distance + 1)]).T
    t, u = t[(u >= 0) & (u < 2**31)], u[(u >= 0) & (u < 2**31)]
    game = fg.MatrixGame(np.zeros((2, actions, actions)))
    greedy = np.eye(actions)[-1]  # plays the last action
    explore = fg.EpsilonGreedy(fg.Exponential(t / 2**31, 0.0))
    learners = [fg.QLearner(explore=explore, initial=greedy), fg.FixedPolicy(np.eye(actions)[0])]
    arguments = {"steps": 1, "dtype": dtype, "progress": False}
    with core_as(build, None):
        start = fg.run(game, learners, replicas=len(u), rng=1, **arguments)
        start.state.streams[:, 0] = states_before(2 * u.astype(np.uint64))
        record = fg.Record(joint_actions=True)
        counts = fg.run(game, learners, resume=start, record=record, **arguments).joint_counts
    explored = (u.astype(dtype) * (actions / t).astype(dtype)).astype(int)
    expected = np.where(u < t, np.minimum(explored, actions - 1), actions - 1)
    assert counts[:, :, 0].argmax(axis=1).tolist() == expected.tolist()


# The running sums c are hit exactly, by u = c 2^31; the first takes all 31 bits of u.
WEIGHTS = (0.25 + 2.0**-31, 0.0, 0.25 - 2.0**-31, 0.125, 0.375)
POLICIES = (WEIGHTS, (0.0, 1.0), (1.0, 0.0), (0.0, 0.25 + 2.0**-31, 0.75 - 2.0**-31))
EDGES = [u + d for u in (0, 2**29, 2**30, 5 * 2**28, 2**31 - 1) for d in range(-2, 3)]
EDGES = np.array([u for u in EDGES if 0 <= u < 2**31], np.uint64)


def first_beyond(u, dtype="float64", weights=WEIGHTS):
    """The index that x = u / 2^31 falls on; float32 has the highest 24 bits of u."""
    x = u / 2**31 if dtype == "float64" else (u >> 7) / 2**24
    return sum(c <= x for c in np.cumsum(np.array(weights, dtype))[:-1])


@pytest.mark.parametrize("backend", ["cython", "numba", "reference"])
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("where", ["transitions", "start"])
def test_words_at_the_edges_of_chance_fall_where_they_must(where, build, backend):
    """Nature's, for the next state or the first one of an episode."""
    states = len(WEIGHTS)
    following = np.broadcast_to(WEIGHTS, (states, 1, 1, states))
    if where == "transitions":
        game = fg.MarkovGame(np.zeros((2, states, 1, 1)), following, 0.5)
    else:
        ones = np.ones((states, 1, 1), int)
        game = fg.MarkovGame(np.zeros((2, states, 1, 1)), ones, 0.5, WEIGHTS, time_limit=1)
    arguments = {"replicas": len(EDGES), "rng": 1, "backend": backend, "progress": False}
    with core_as(build, None):
        start = fg.run(game, fg.QLearner(), steps=1, **arguments)
        start.state.streams[:, 2] = states_before(2 * EDGES)
        more = {"replicas": None, "rng": None, "resume": start}
        result = fg.run(game, fg.QLearner(), steps=1, **arguments | more)
    assert result.states.tolist() == [first_beyond(int(u)) for u in EDGES]


@pytest.mark.parametrize("build", [*BUILDS, "numba", "reference"])
@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("weights", POLICIES)
@pytest.mark.parametrize("states", [1, 2])
def test_words_at_the_edges_of_a_policy_fall_where_they_must(states, weights, dtype, build):
    """In columns and in rows."""
    actions = len(weights)
    payoffs = np.zeros((2, states, actions, actions))
    game = fg.MarkovGame(payoffs, np.zeros((states, actions, actions), int), 0.5)
    if states == 1:
        game = fg.MatrixGame(payoffs[:, 0])
    learners = [fg.FixedPolicy(weights), fg.FixedPolicy(np.eye(actions)[0])]
    backend, build = ("cython", build) if build in BUILDS else (build, None)
    arguments = {"steps": 1, "backend": backend, "dtype": dtype, "progress": False}
    with core_as(build, None):
        start = fg.run(game, learners, replicas=len(EDGES), rng=1, **arguments)
        start.state.streams[:, 0] = states_before(2 * EDGES)
        record = fg.Record(joint_actions=True)
        counts = fg.run(game, learners, resume=start, record=record, **arguments).joint_counts
    expected = [first_beyond(int(u), dtype, weights) for u in EDGES]
    assert counts[:, :, 0].argmax(axis=1).tolist() == expected


@pytest.mark.slow
@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_more_joint_actions_than_a_float32_can_count(dtype):
    """4099^2 > 2^24. The last actions are the greedy ones: their joint actions are the largest."""
    payoffs = np.arange(4099.0**2).reshape(4099, 4099) % 16777213
    game, last = fg.MatrixGame([payoffs, payoffs.T]), np.zeros((32, 1, 4099))
    first = np.zeros(4099)
    first[4098] = last[np.arange(32), 0, np.arange(4067, 4099)] = 1.0
    learners = [fg.QLearner(1.0, explore=fg.EpsilonGreedy(0), initial=q) for q in (first, last)]
    arguments = {"steps": 1, "replicas": 32, "rng": 3, "dtype": dtype}
    result = fg.run(game, learners, backend="reference", **arguments)
    assert (result.tables[0]["q"][:, 0, 4098] == payoffs[4098, 4067:].astype(dtype)).all()
    assert_same(result, fg.run(game, learners, backend="cython", **arguments))


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_the_greedy_action_is_the_first_of_the_largest_in_rows_of_any_length(build, dtype):
    """In the state where it starts, and in the one that it comes to while it learns nothing."""
    rng = np.random.default_rng(1)
    learns_nothing = {"alpha": 1e-300, "gamma": 0.0, "explore": fg.EpsilonGreedy(0.0)}
    for actions in range(1, 140):
        game = fg.MarkovGame(np.zeros((2, 2, actions, 1)), np.ones((2, actions, 1), int))
        initial = rng.integers(0, rng.integers(2, 50), (20, 2, actions))
        learners = [fg.QLearner(initial=initial, **learns_nothing), fg.FixedPolicy([1.0])]
        record = fg.Record(joint_actions=True)
        with core_as(build, None):
            result = fg.run(
                game, learners, 2, 20, rng=1, dtype=dtype, record=record, threads=1, progress=False
            )
        expected = np.zeros((20, actions))
        for state in (0, 1):
            expected[np.arange(20), initial[:, state].argmax(axis=1)] += 1
        assert (result.joint_counts[:, :, 0] == expected).all()
        assert (result.greedy(0) == initial.argmax(axis=2)).all()


# Up to 4 entries a row is scanned one by one, else as one vector to four, or more of them.
LENGTHS = (1, 3, 4, 5, 8, 9, 16, 17, 33, 49, 70)


def wide_games(actions):
    """Markov games whose tables have long rows; whole rewards, so that entries tie."""
    rng = np.random.default_rng(actions)
    rewards = rng.integers(-1, 2, (2, 4, actions, 2))
    moves = rng.integers(0, 4, (4, actions, 2))
    moves[:2] = rng.integers(0, 2, (2, actions, 2))  # often where it was
    ends = [False, False, False, True]
    yield fg.MarkovGame(rewards, moves, 0.5)
    yield fg.MarkovGame(rewards, moves, 0.5, [0.5, 0.25, 0.25, 0], ends, [[0, 1, 1, 0]] * 2)
    yield fg.MarkovGame(rewards, moves, 0.5, terminal=ends, turns=[0, -1, 1, 0], time_limit=7)
    chances = rng.dirichlet(np.ones(4), (4, actions, 2))
    yield fg.MarkovGame(rewards, chances, 0.5, observations=[[0, 0, 1, 2]] * 2, time_limit=5)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("actions", LENGTHS)
def test_rows_of_every_length_agree(actions, dtype):
    explore = fg.EpsilonGreedy([0.1, 0.5, 1.0, 0.0, 0.3])
    makers = (fg.QLearner, fg.Sarsa, fg.ExpectedSarsa)
    pairs = [[make(1.0, None, explore)] * 2 for make in makers]
    pairs.append([fg.QLearner(0.5, 0.0, fg.Softmax(0.3)), fg.QLearner(0.5, 0.0, explore)])
    pairs.append([fg.ExpectedSarsa(0.5, 0.0, fg.Softmax(0.3)), fg.FixedPolicy([0.3, 0.7])])
    counter = fg.QLearner(1.0, None, explore, counterfactual=True)
    for game in wide_games(actions):
        more = [] if game.compact.turns is not None else [[counter, pairs[0][1]]]
        for learners in pairs + more:
            arguments = {"steps": 20, "replicas": 5, "rng": 3, "dtype": dtype}
            arguments["record"] = fg.Record(flips=True)
            reference = fg.run(game, learners, backend="reference", **arguments)
            plain = fg.run(game, learners, **arguments | {"record": None})
            for one, other in zip(plain.state.seats, reference.state.seats, strict=True):
                assert (one.table == other.table).all()
            for build in BUILDS:
                with core_as(build, 3):
                    assert_same(reference, fg.run(game, learners, threads=1, **arguments))


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_as_many_agents_as_there_may_be():
    """62, for NumPy's arrays have 64 axes; most have no choice. All that adds a pass is there."""
    rng = np.random.default_rng(1)
    agents, states = 62, 3
    shape = (2,) * 3 + (1,) * (agents - 3)
    seen = rng.integers(0, 3, (agents, states))
    rewards = rng.normal(size=(agents, states, *shape))
    moves = rng.integers(0, states, (states, *shape))
    falling = fg.EpsilonGreedy(fg.Exponential(0.9, 0.1))
    record = fg.Record(flips=True, joint_actions=True, rewards=True, last=4)
    arguments = {"steps": 12, "replicas": 2, "rng": 1, "record": record, "stop": fg.Stable(9)}
    for turns in (None, rng.integers(-1, 3, states)):
        start = [0.5, 0.5, 0.0]
        game = fg.MarkovGame(
            rewards, moves, 0.9, start, [False, False, True], seen, turns=turns, time_limit=5
        )
        for learner in (fg.QLearner(0.5, None, falling), fg.Sarsa(0.5, None, falling)):
            reference = fg.run(game, learner, backend="reference", **arguments)
            assert_same(reference, fg.run(game, learner, **arguments))


def test_a_time_limit_counts_where_there_is_one_state():
    """The game goes nowhere, and its episodes are cut all the same: nature draws their starts."""
    from fastgames.games.compact import Sum

    rewards = np.random.default_rng(1).normal(size=(2, 1, 2, 3))
    stay = Sum(np.zeros(1, np.int32), np.zeros(6, np.int32))
    game = fg.MarkovGame(rewards, stay, 0.9, start=[1.0], time_limit=3)
    for learner in (fg.QLearner(0.5), fg.Sarsa(0.5)):
        arguments = {"steps": 20, "replicas": 3, "rng": 1}
        reference = fg.run(game, learner, backend="reference", **arguments)
        assert_same(reference, fg.run(game, learner, **arguments))


def test_a_gain_of_minus_zero_is_zero_in_all_bodies():
    def choose(tables, p, o, signal):
        return 0

    def learn(tables, p, t):
        tables[0][t.observation, 0] = t.gain

    game = fg.MatrixGame([[[-0.0]], [[-0.0]]])
    learner = fg.Learner(choose, learn)
    for backend in ("reference", "numba"):
        result = fg.run(game, learner, 1, rng=1, backend=backend)
        assert not np.signbit(result.tables[0]["q"]).any()
