"""Learners on states: the reference against the contract, known solutions, initial tables."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.contract import Generator, Textbook, Words

from fastgames import registry
from fastgames.engine.interpreted import ReferenceBlock
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import fresh
from fastgames.games import (
    MarkovGame,
    MatrixGame,
    Variants,
    prisoners_dilemma,
    random_markov_game,
    remember,
)
from fastgames.learners import (
    EpsilonGreedy,
    ExpectedSarsa,
    FixedPolicy,
    QLearner,
    Sarsa,
    Softmax,
    UniformRivals,
    VisitCount,
)
from fastgames.learners.values import ValueLearner
from fastgames.record import Record
from fastgames.schedules import Exponential, Linear
from fastgames.stop import Stable

SEED = 2**40 + 9
ALL = Record(flips=True, joint_actions=True, rewards=True)


def play(game, learners, pieces, *, replicas=1, dtype="float64", record=ALL, stop=None, rng=None):
    """The state after so many steps, taken in pieces, by the reference; and the steps it took."""
    seed = SEED if rng is None else None
    stream = "fastgames" if rng is None else "numpy"
    spec = RunSpec(game, learners, replicas, dtype, stream, record, stop, backend="reference")
    state = fresh(spec, seed, rng)
    lane, taken = np.array([0]), []
    for r in range(replicas):
        taken.append(0)
        for steps in np.atleast_1d(pieces):
            block = ReferenceBlock(spec, state, rng)
            block.load(lane, np.array([r]))
            block.tally(lane, True)
            taken[r] += block.advance(int(steps))
            block.store(lane, np.array([r]))
            if stop is not None and block.stable[0] == stop.periods:
                break
    return state, taken


# --- random games and learners -------------------------------------------------------------------


@st.composite
def games(draw, turns=None):
    agents, states = draw(st.integers(2, 3)), draw(st.integers(1, 5))
    return random_markov_game(
        agents,
        states,
        [draw(st.integers(1, 3)) for _ in range(agents)],
        rng=draw(st.integers(0, 9999)),
        transitions=draw(st.sampled_from(["deterministic", "random", "sparse"])),
        terminal=draw(st.integers(0, min(2, states - 1))),
        turns=draw(st.booleans()) if turns is None else turns,
        observations=draw(st.none() | st.integers(1, states)),
        start=draw(st.sampled_from(["state", "random"])),
        time_limit=draw(st.none() | st.integers(1, 5)),
    )


ALPHAS = st.sampled_from([0.3, 1.0, VisitCount(), VisitCount(0.6), Linear(0.9, 0.1, 11)])
GAMMAS = st.sampled_from([None, 0.0, 0.8, Linear(0.9, 0.2, 7)])
EXPLORE = st.sampled_from(
    [
        EpsilonGreedy(0.4),
        EpsilonGreedy(Linear(1.0, 0.1, 9)),
        Softmax(0.7),
        EpsilonGreedy(1.0),
        EpsilonGreedy(Exponential(1.0, 0.1, 0.2)),
        Softmax(Exponential(9.0, 0.05, 0.5)),
    ]
)


VALUED = ["q", "sarsa", "expected_sarsa", "fixed"]  # others: tests/learners


@st.composite
def learners(draw, game, agent):
    name = draw(st.sampled_from(VALUED))
    shape = (game.num_observations[agent], game.num_actions[agent])
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if name == "fixed":
        return FixedPolicy(rng.dirichlet(np.ones(shape[1]), shape[0]))
    more = {}
    if name == "q" and game.compact.turns is None:
        more = {"counterfactual": draw(st.booleans())}
    return registry.LEARNERS[name](
        draw(ALPHAS), draw(GAMMAS), draw(EXPLORE), rng.normal(size=(2, *shape)), **more
    )


@st.composite
def tables_of(draw, turns=None):
    game = draw(games(turns))
    return game, tuple(draw(learners(game, i)) for i in range(game.num_agents))


def assert_same(state, textbook, r):
    for i, seat in enumerate(state.seats):
        assert seat.table[r].tobytes() == textbook.q[i].tobytes(), i
        if "visits" in seat.tables:
            assert seat.tables["visits"][r].ravel().tolist() == list(textbook.visits[i].values())
    assert state.states[r] == textbook.state
    if state.ages is not None:
        assert state.ages[r] == textbook.age
    assert state.flips[r].tolist() == textbook.flips


@pytest.mark.parametrize("dtype", registry.DTYPES)
@given(case=tables_of(), steps=st.integers(1, 40), split=st.integers(0, 40))
def test_the_reference_follows_the_contract(dtype, case, steps, split):
    game, seats = case
    split = min(split, steps)
    state, _ = play(game, seats, [split, steps - split], replicas=2, dtype=dtype)
    for r in range(2):
        real = getattr(np, dtype)
        textbook = Textbook(game, seats, real, Words(SEED, r, real), r).play(steps)
        assert_same(state, textbook, r)
        assert state.steps[r] == state.counted[r] == steps
        counts = np.zeros(game.num_actions, int)
        totals = np.zeros(game.num_agents)
        for step in textbook.history:
            counts[step.joint] += 1
            totals += np.array(step.rewards, real)
        assert (state.joint_counts[r] == counts).all()
        assert state.reward_sums[r].tolist() == totals.tolist()


@given(case=tables_of(), steps=st.integers(1, 30))
def test_the_reference_draws_as_a_listing_from_a_generator(case, steps):
    game, seats = case
    seats = tuple(  # replica 0's table only: such a run has one
        seat if seat.name == "fixed" else type(seat)(seat.alpha, seat.gamma, seat.explore)
        for seat in seats
    )
    state, _ = play(game, seats, steps, rng=np.random.default_rng(5))
    textbook = Textbook(game, seats, np.float64, Generator(np.random.default_rng(5))).play(steps)
    assert_same(state, textbook, 0)


@given(case=tables_of(), periods=st.integers(1, 6), last=st.integers(1, 9))
def test_a_replica_stops_after_so_many_quiet_steps(case, periods, last):
    game, seats = case
    record = Record(flips=True, joint_actions=True, last=last)
    state, taken = play(game, seats, [7, 20, 13], replicas=2, record=record, stop=Stable(periods))
    for r in range(2):
        textbook = Textbook(game, seats, np.float64, Words(SEED, r, np.float64), r)
        while periods not in textbook.quietest and len(textbook.history) < 40:
            textbook.step()
        steps = len(textbook.history)
        assert state.steps[r] == taken[r] == steps
        assert state.stable[r] == textbook.quiet
        assert state.counted[r] == min(steps, last)
        assert_same(state, textbook, r)
        cells = np.zeros(last, int)
        depends = game.compact.rewards.shape[2] > 1
        for t, step in enumerate(textbook.history):
            j = np.ravel_multi_index(step.joint, game.num_actions)
            cells[t % last] = j + depends * step.state * np.prod(game.num_actions)
        assert state.window[r].tolist() == cells.tolist()
        assert not state.joint_counts[r].any()  # worked out from the window, elsewhere


def test_counts_begin_when_they_are_asked_for():
    game = prisoners_dilemma()
    seats = (QLearner(), QLearner())
    spec = RunSpec(game, seats, 2, record=ALL, backend="reference")
    state = fresh(spec, SEED)
    block, lane, replica = ReferenceBlock(spec, state), np.array([0]), np.array([1])
    block.load(lane, replica)
    block.tally(lane, False)
    assert block.advance(5) == 5
    block.tally(lane, True)
    assert block.advance(3) == 3
    assert not state.steps.any()  # store is the only place that writes
    assert not state.joint_counts.any()
    assert not any(seat.table.any() for seat in state.seats)
    block.store(lane, replica)
    assert all(seat.table[1].any() and not seat.table[0].any() for seat in state.seats)
    assert state.steps.tolist() == [0, 8]
    assert state.counted.tolist() == [0, 3]
    assert state.joint_counts[1].sum() == 3
    assert not state.joint_counts[0].any()


@given(case=tables_of(), split=st.integers(1, 11))
def test_variants_play_their_own_rewards(case, split):
    game, seats = case
    others = [
        MarkovGame(
            game.rewards * factor, game.transitions, game.discount, game.start, game.terminal,
            game.observations, turns=game.turns, time_limit=game.time_limit,
        )
        for factor in (1.0, -2.0, 0.5)
    ]  # fmt: skip
    index = [2, 1]
    together, _ = play(Variants(others, index), seats, [split, 12 - split], replicas=2)
    for r, k in enumerate(index):
        alone, _ = play(others[k], seats, 12, replicas=2)
        for seat, other in zip(together.seats, alone.seats, strict=True):
            assert seat.table[r].tobytes() == other.table[r].tobytes()
        assert together.states[r] == alone.states[r]
        assert together.reward_sums[r].tobytes() == alone.reward_sums[r].tobytes()


def test_a_remembering_game_is_the_same_game_as_tables():
    game = remember(prisoners_dilemma(), 2, 0.9, "uniform")
    tables = MarkovGame(game.rewards.copy(), game.transitions, 0.9, game.start)
    seats = (QLearner(0.5), Sarsa(0.5, explore=Softmax(2.0)))
    (one, _), (two, _) = (play(g, seats, 60, replicas=2) for g in (game, tables))
    for left, right in zip(one.seats, two.seats, strict=True):
        assert left.table.tobytes() == right.table.tobytes()
    assert (one.states == two.states).all()


def test_everything_registered_is_played_here():
    """The strategies above draw all explorers and step sizes, and all learners that take both."""
    both = [k for k, kind in registry.LEARNERS.items() if issubclass(kind, ValueLearner)]
    assert {*both, "fixed"} == set(VALUED)
    assert set(registry.EXPLORERS.values()) == {EpsilonGreedy, Softmax}
    assert set(registry.STEP_SIZES.values()) == {VisitCount}
    assert set(registry.INITIALS.values()) == {UniformRivals}


# --- known solutions -----------------------------------------------------------------------------


def decision_problem(game):
    """Return agent 0's rewards (S, A) and transitions (S, A, S) if agent 1 plays uniformly."""
    return game.rewards[0].mean(axis=-1), game.transitions.mean(axis=2) * ~game.terminal


def uniform_values(game):
    """Q of uniform play, by linear algebra."""
    r, p = decision_problem(game)
    v = np.linalg.solve(np.eye(len(r)) - game.discount * p.mean(axis=1), r.mean(axis=1))
    return r + game.discount * p @ v


def best_values(game):
    """Q of the best play: the best of all policies, each by linear algebra."""
    r, p = decision_problem(game)
    states = np.arange(len(r))
    values = []
    for policy in itertools.product(range(r.shape[1]), repeat=len(r)):
        system = np.eye(len(r)) - game.discount * p[states, policy]
        values.append(np.linalg.solve(system, r[states, policy]))
    return r + game.discount * p @ np.max(values, axis=0)


UNIFORM = EpsilonGreedy(1.0)


@pytest.mark.parametrize(
    ("learner", "solve"),
    [
        (QLearner(VisitCount(0.9), explore=UNIFORM), best_values),
        (Sarsa(VisitCount(0.9), explore=UNIFORM), uniform_values),
        (ExpectedSarsa(VisitCount(0.9), explore=UNIFORM), uniform_values),
        (Sarsa(VisitCount(0.9), explore=Softmax(1e9)), uniform_values),
    ],
    ids=["q", "sarsa", "expected_sarsa", "sarsa_softmax"],
)
def test_values_converge_to_those_of_linear_algebra(learner, solve):
    """Chance, ends, and a time limit, which changes no values."""
    game = random_markov_game(
        2, 4, (2, 3), rng=3, transitions="random", terminal=1, start="random", time_limit=4,
        discount=0.5,
    )  # fmt: skip
    assert np.abs(best_values(game) - uniform_values(game))[~game.terminal].max() > 0.3
    state, _ = play(game, (learner, FixedPolicy(np.full(3, 1 / 3))), 40_000)
    got = state.seats[0].table[0]
    np.testing.assert_allclose(got[~game.terminal], solve(game)[~game.terminal], atol=0.08)
    assert not got[game.terminal].any()


@pytest.mark.parametrize("kind", [QLearner, ExpectedSarsa])
def test_values_without_chance_are_exact(kind):
    """Two states; a step size of 1 makes it value iteration."""
    moves = np.array([[[0, 0], [1, 1]], [[1, 1], [0, 0]]])  # agent 1 has no say
    rewards = np.stack([np.array([[[1.0, 1.0], [0.0, 0.0]], [[0.5, 0.5], [3.0, 3.0]]])] * 2)
    game = MarkovGame(rewards, moves, discount=0.75)
    chances = MarkovGame(rewards, np.eye(2)[moves], discount=0.75)
    state, _ = play(game, (kind(1.0, explore=UNIFORM), FixedPolicy([0.5, 0.5])), 800)
    solve = best_values if kind is QLearner else uniform_values
    np.testing.assert_allclose(state.seats[0].table[0], solve(chances), rtol=1e-9)


def turns(**changes):
    """States 0, 1, 2 in a circle: agent 0 moves in state 0, agent 1 in states 1 and 2."""
    rewards = [[1, 2, 4, 0], [8, 16, 32, 0]]
    arguments = {"discount": 0.5, "turns": [0, 1, 1, -1], **changes}
    last = 3 if "terminal" in changes else 0
    return MarkovGame(
        np.reshape(rewards, (2, 4, 1, 1)), np.reshape([1, 2, last, 0], (4, 1, 1)), **arguments
    )


def after(game, kind, steps, initial=0.0):
    state, _ = play(game, (kind(1.0, initial=np.reshape(initial, (-1, 1))),) * 2, [2, steps - 2])
    return [seat.table[0, :, 0].tolist() for seat in state.seats]


def test_agents_that_take_turns_learn_from_what_came_since_their_last_move():
    """By hand. Agent 0: 1 + 2/2 + 4/4, then q/8; agent 1 in state 2: 32 + 8/2, then q/4."""
    assert after(turns(), QLearner, 2) == [[0, 0, 0, 0], [0, 16, 0, 0]]
    assert after(turns(), QLearner, 3) == [[3, 0, 0, 0], [0, 16, 0, 0]]
    assert after(turns(), QLearner, 4) == [[3, 0, 0, 0], [0, 16, 40, 0]]
    assert after(turns(), QLearner, 6) == [[3.375, 0, 0, 0], [0, 36, 40, 0]]
    assert after(turns(), ExpectedSarsa, 6) == [[3.375, 0, 0, 0], [0, 36, 40, 0]]


def test_sarsa_learns_when_it_moves_again():
    assert after(turns(), Sarsa, 3) == [[0, 0, 0, 0], [0, 16, 0, 0]]
    assert after(turns(), Sarsa, 4) == [[3, 0, 0, 0], [0, 16, 0, 0]]
    assert after(turns(), Sarsa, 6) == [[3, 0, 0, 0], [0, 36, 40, 0]]
    assert after(turns(), Sarsa, 7) == [[3.375, 0, 0, 0], [0, 36, 40, 0]]


@pytest.mark.parametrize("kind", [QLearner, Sarsa, ExpectedSarsa])
def test_an_end_is_worth_nothing_and_a_time_limit_what_was_reached(kind):
    ends = turns(terminal=[False, False, False, True])
    assert after(ends, kind, 3, initial=[0, 0, 0, 99]) == [[3, 0, 0, 99], [0, 16, 32, 99]]
    assert after(ends, kind, 6, initial=[0, 0, 0, 99]) == [[3, 0, 0, 99], [0, 32, 32, 99]]
    # cut in state 2, where agent 1 moves: it expects half of q there, agent 0's move is discarded
    assert after(turns(time_limit=2), kind, 2, initial=[0, 0, 64, 0]) == [
        [0, 0, 64, 0],
        [0, 16 + 64 / 2, 64, 0],
    ]


def test_learning_from_every_own_action_at_once():
    """Against what the rival did: each price learns its own profit."""
    game = prisoners_dilemma()
    learner = QLearner(1.0, counterfactual=True, initial=7.0)
    state, _ = play(game, (learner, FixedPolicy([0, 1])), 1)
    assert state.seats[0].table[0, 0].tolist() == game.payoffs[0][:, 1].tolist()


# --- initial tables ------------------------------------------------------------------------------


def test_uniform_rivals_average_the_own_rewards():
    rng = np.random.default_rng(1)
    payoffs = rng.normal(size=(3, 2, 3, 4))
    for agent, actions in enumerate((2, 3, 4)):
        learner = QLearner(gamma=0.75, initial=UniformRivals())
        start = learner.start(MatrixGame(payoffs), agent)["q"]
        for a in range(actions):
            rivals = [payoffs[agent][j] for j in np.ndindex(2, 3, 4) if j[agent] == a]
            np.testing.assert_allclose(start[..., a], 4 * sum(rivals) / len(rivals), rtol=1e-14)
        assert np.broadcast_shapes(start.shape, (5, 1, actions)) == (5, 1, actions)


def test_uniform_rivals_average_over_what_looks_alike():
    game = random_markov_game(2, 5, (2, 3), rng=4, observations=(2, 5), discount=0.5)
    start = Sarsa(initial=UniformRivals()).start(game, 0)["q"]
    for o, a in np.ndindex(2, 2):
        seen = game.rewards[0][game.observations[0] == o][:, a]
        np.testing.assert_allclose(start[..., o, a], [2 * seen.mean()], rtol=1e-14)
    learners = (Sarsa(initial=UniformRivals()),) * 2
    state = fresh(RunSpec(game, learners, 3, "float32", record=ALL, backend="reference"), 1)
    for seat, i in zip(state.seats, range(2), strict=True):
        expected = np.broadcast_to(seat.learner.start(game, i)["q"], seat.table.shape)
        assert (seat.table == expected.astype(np.float32)).all()


def test_uniform_rivals_differ_by_variant_and_by_gamma():
    games = [random_markov_game(2, 3, 2, rng=k, transitions="deterministic") for k in (1, 2)]
    games[1] = MarkovGame(games[1].rewards, games[0].transitions, 0.9, games[0].start)
    games[0] = MarkovGame(games[0].rewards, games[0].transitions, 0.9, games[0].start)
    index, gamma = [1, 0, 1], np.array([0.0, 0.5, 0.9])
    for value in (gamma, Exponential(gamma, 0.1), Linear(gamma, 0.0, 5)):
        start = QLearner(gamma=value, initial=UniformRivals()).start(Variants(games, index), 1)
        for r, k in enumerate(index):
            mean = games[k].rewards[1].mean(axis=1)
            np.testing.assert_allclose(start["q"][r], mean / (1 - gamma[r]), rtol=1e-14)


def test_uniform_rivals_take_one_row_where_rewards_do_not_depend_on_the_state():
    game = remember(prisoners_dilemma(), 8, 0.95)
    start = QLearner(initial=UniformRivals()).start(game, 1)["q"]
    assert start.size == 2
    np.testing.assert_allclose(start.ravel(), game.rewards[1, 0].mean(axis=0) / 0.05, rtol=1e-12)


def test_uniform_rivals_refuse_an_endless_sum():
    game = turns(discount=1.0, terminal=[False, False, False, True])
    with pytest.raises(ValueError, match=r"gamma must be below 1 .* got 1\.0"):
        QLearner(initial=UniformRivals()).start(game, 0)
    assert QLearner(gamma=0.5, initial=UniformRivals()).start(game, 0)["q"].shape[-1] == 1


# --- parameters ----------------------------------------------------------------------------------

VALUE_LEARNERS = [QLearner, Sarsa, ExpectedSarsa]


@pytest.mark.parametrize("kind", VALUE_LEARNERS)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"alpha": 0.0}, ValueError, r"alpha must be in \(0, 1\], got 0.0"),
        ({"alpha": "visits"}, TypeError, "alpha must be real numbers"),
        ({"gamma": 1.5}, ValueError, r"gamma must be in \[0, 1\], got 1.5"),
        ({"explore": 0.1}, TypeError, "explore must be an EpsilonGreedy or a Softmax, got 0.1"),
        ({"initial": np.zeros((1, 1, 1, 1))}, ValueError, "initial must broadcast"),
        ({"initial": "uniform"}, TypeError, "initial must be real numbers"),
    ],
)
def test_bad_parameters(kind, arguments, error, message):
    with pytest.raises(error, match=message):
        kind(**arguments)


@pytest.mark.parametrize("power", [0.0, -1.0, 1.5, np.array([0.5, 2.0]), Linear(1.0, 0.0, 9)])
def test_bad_powers(power):
    with pytest.raises(ValueError, match=r"power .*must be in \(0, 1\]"):
        VisitCount(power)


def test_counterfactual_is_true_or_false():
    with pytest.raises(TypeError, match="counterfactual must be True or False, got 1"):
        QLearner(counterfactual=1)


@pytest.mark.parametrize("kind", VALUE_LEARNERS)
def test_learners_are_equal_by_their_parameters(kind):
    assert kind(VisitCount(np.array([0.5, 1.0]))) == kind(VisitCount(np.array([0.5, 1.0])))
    assert kind(VisitCount()) != kind(VisitCount(0.9))
    assert kind(initial=UniformRivals()) == kind(initial=UniformRivals()) != kind()
    assert hash(kind(VisitCount())) == hash(kind(VisitCount(1.0)))
    assert len({QLearner(), Sarsa(), ExpectedSarsa(), QLearner(counterfactual=True)}) == 4
    assert kind().rules == kind(alpha=0.7).rules != kind(VisitCount()).rules
