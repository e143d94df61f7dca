"""stream="numpy" reproduces textbook listings digit for digit; they are written out here."""

import numpy as np
import published
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same
from library.games import markov_games, matrix_games
from library.learners import AHEAD
from library.runs import setups

import fastgames as fg
from fastgames import _core
from fastgames.rules import listing as rules_listing

PENNIES = fg.games.matching_pennies()
BACKENDS = ("cython", "numba", "reference")
each_backend = pytest.mark.parametrize("backend", BACKENDS)
SOURCES = {
    "PCG64": np.random.PCG64,
    "PCG64DXSM": np.random.PCG64DXSM,
    "MT19937": np.random.MT19937,
    "Philox": np.random.Philox,
    "SFC64": np.random.SFC64,
}


def listing(payoffs, agents, rng, steps):
    """Learners as a textbook has them.

    agents: (kind, alpha, number) with kind "greedy" (epsilon), "softmax" (temperature) or "fixed"
    (probabilities). Returns tables, flips of the greedy actions, greedy actions after each step.
    """
    tables = [np.zeros(n) for n in payoffs.shape[1:]]
    flips, history = np.zeros(len(agents), int), []
    for _ in range(steps):
        greedy = [np.argmax(q) for q in tables]
        joint = []
        for (kind, _, number), q in zip(agents, tables, strict=True):
            if kind == "greedy":
                action = rng.integers(len(q)) if rng.random() < number else np.argmax(q)
            else:
                weights = np.exp((q - q.max()) / number) if kind == "softmax" else np.array(number)
                sums = np.cumsum(weights)
                action = np.searchsorted(sums[:-1], rng.random() * sums[-1], side="right")
            joint.append(action)
        for i, ((kind, alpha, _), q) in enumerate(zip(agents, tables, strict=True)):
            if kind != "fixed":
                q[joint[i]] += alpha * (payoffs[(i, *joint)] + 0.0 - q[joint[i]])
        flips += [np.argmax(q) != g for q, g in zip(tables, greedy, strict=True)]
        history.append([int(np.argmax(q)) for q in tables])
    return tables, flips, history


def learner_of(kind, alpha, number):
    if kind == "fixed":
        return fg.FixedPolicy(number)
    return fg.QLearner(
        alpha, explore={"greedy": fg.EpsilonGreedy, "softmax": fg.Softmax}[kind](number)
    )


def assert_printed(tables, flips, pairs):
    """Compare what a run found with what the textbook prints, Code 30.1.1 (docs/published.md)."""
    shown = (" ".join(str(q.round(3)).split()) for q in tables)
    assert [*shown, str(flips), str(pairs)] == list(published.CHAPTER.figures.values())


@each_backend
def test_the_chapters_figures_are_found(backend):
    learner = fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))
    result = fg.run(
        PENNIES,
        learner,
        steps=20_000,
        rng=7,
        stream="numpy",
        backend=backend,
        record=fg.Record(every=range(4000, 20_001, 4000), greedy=True, flips=True),
    )
    pairs = zip(*(greedy[:, 0, 0].tolist() for greedy in result.snapshots.greedy), strict=True)
    assert_printed([tables["q"][0, 0] for tables in result.tables], result.flips[0, 0], list(pairs))


def test_the_listing_here_finds_them_too():
    agents = [("greedy", 0.1, 0.1)] * 2
    tables, flips, history = listing(PENNIES.payoffs, agents, np.random.default_rng(7), 20_000)
    assert_printed(tables, flips[0], [tuple(greedy) for greedy in history[3999::4000]])


@st.composite
def agents(draw, actions):
    kind = draw(st.sampled_from(["greedy", "greedy", "softmax", "fixed"]))
    alpha = draw(st.floats(0.01, 1.0))
    if kind == "greedy":
        return kind, alpha, draw(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0))
    if kind == "softmax":
        return kind, alpha, draw(st.floats(0.05, 10.0))
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=actions, max_size=actions))) + 0.25
    return kind, alpha, (weights / weights.sum()).tolist()


@each_backend
@given(data=st.data(), seed=st.integers(0, 2**64 - 1), steps=st.integers(1, 150))
def test_any_listing_is_reproduced(backend, data, seed, steps):
    game = data.draw(matrix_games(agents=st.integers(2, 4), actions=st.integers(1, 6)))
    players = [data.draw(agents(n)) for n in game.num_actions]
    tables, flips, history = listing(game.payoffs, players, np.random.default_rng(seed), steps)
    result = fg.run(
        game,
        [learner_of(*player) for player in players],
        steps=steps,
        rng=seed,
        stream="numpy",
        backend=backend,
        record=fg.Record(every=1, greedy=True, flips=True),
    )
    for i, (kind, _, _) in enumerate(players):
        if kind != "fixed":
            assert (result.tables[i]["q"][0, 0] == tables[i]).all()
            assert result.snapshots.greedy[i][1:, 0, 0].tolist() == [
                greedy[i] for greedy in history
            ]
    assert (result.flips[0] == flips).all()


@each_backend
@pytest.mark.parametrize("a", [2, 3, 4, 5])
@pytest.mark.parametrize("b", [2, 3, 4, 5])
def test_listings_of_two_greedy_learners_are_reproduced(backend, a, b):
    game = fg.MatrixGame(np.random.default_rng(a + b).normal(size=(2, a, b)))
    players = [("greedy", 0.3, 0.2), ("greedy", 0.1, 0.6)]
    tables, flips, _ = listing(game.payoffs, players, np.random.default_rng(a), 300)
    learners = [learner_of(*player) for player in players]
    result = fg.run(
        game, learners, 300, rng=a, stream="numpy", backend=backend, record=fg.Record(flips=True)
    )
    assert all((result.tables[i]["q"][0, 0] == tables[i]).all() for i in range(2))
    assert (result.flips[0] == flips).all()


def episodes(game, chances, agents, rng, steps):
    """The same where there are states: Q-learners and SARSA, as textbooks have them.

    agents: (kind, alpha, gamma, number, learner) with learner "q" or "sarsa". `chances` are the
    probabilities of the next states (S, A_0, …, S), or None where the game has them for sure.
    """
    everyone = range(len(agents))
    tables = [np.zeros(size) for size in zip(game.num_observations, game.num_actions, strict=True)]

    def sample(weights):
        sums = np.cumsum(weights)
        return np.searchsorted(sums[:-1], rng.random() * sums[-1], side="right")

    def begin():
        return game.start if isinstance(game.start, int) else sample(game.start)

    def act(i, state):
        kind, _, _, number, _ = agents[i]
        q = tables[i][game.observations[i, state]]
        if kind == "greedy":
            return rng.integers(len(q)) if rng.random() < number else np.argmax(q)
        return sample(np.exp((q - q.max()) / number) if kind == "softmax" else np.array(number))

    state, age, before, visited = begin(), 0, None, []
    for _ in range(steps):
        joint = tuple(act(i, state) for i in everyone)
        seen = [game.observations[i, state] for i in everyone]
        if before is not None:  # SARSA knows its next action only now
            for i, (o, action, reward) in enumerate(before):
                kind, alpha, gamma, _, learner = agents[i]
                if kind != "fixed" and learner == "sarsa":
                    q, value = tables[i], tables[i][seen[i], joint[i]]
                    q[o, action] += alpha * (reward + gamma * value - q[o, action])
        before = [(seen[i], joint[i], game.rewards[(i, state, *joint)]) for i in everyone]
        reached = game.transitions[(state, *joint)] if chances is None else None
        if chances is not None:
            reached = sample(chances[(state, *joint)])
        age += 1
        ended = game.terminal[reached]
        over = ended or age == game.time_limit
        for i, (kind, alpha, gamma, _, learner) in enumerate(agents):
            if kind != "fixed" and (learner == "q" or over):
                q, (o, action, reward) = tables[i], before[i]
                value = 0.0 if ended else tables[i][game.observations[i, reached]].max()
                q[o, action] += alpha * (reward + gamma * value - q[o, action])
        state = reached
        if over:
            state, age, before = begin(), 0, None
        visited.append(state)
    return tables, visited


@each_backend
@given(data=st.data(), seed=st.integers(0, 2**64 - 1), steps=st.integers(1, 150))
def test_any_listing_with_states_is_reproduced(backend, data, seed, steps):
    """SARSA where no episode is cut: what it does there is no textbook's."""
    shape = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=3))
    learner = data.draw(st.sampled_from(["q", "q", "sarsa"]))
    game = data.draw(markov_games(turns=False, time_limit=learner == "q", shape=shape))
    chances = game.transitions
    if not isinstance(chances, np.ndarray):
        chances = chances.toarray().reshape(game.num_states, *shape, game.num_states)
    if chances.dtype.kind == "i":
        chances = None
    players, learners = [], []
    for actions in shape:
        kind, alpha, number = data.draw(agents(actions))
        gamma = data.draw(st.sampled_from([0.0, 0.5, 0.9]))
        players.append((kind, alpha, gamma, number, learner))
        explore = {"greedy": fg.EpsilonGreedy, "softmax": fg.Softmax}.get(kind)
        make = fg.QLearner if learner == "q" else fg.Sarsa
        learners.append(
            fg.FixedPolicy(number) if explore is None else make(alpha, gamma, explore(number))
        )
    rng = np.random.default_rng(seed)
    tables, visited = episodes(game, chances, players, rng, steps)
    result = fg.run(game, learners, steps, rng=seed, stream="numpy", backend=backend)
    assert result.states.tolist() == visited[-1:]
    for i, (kind, *_) in enumerate(players):
        if kind != "fixed":
            assert (result.tables[i]["q"][0] == tables[i]).all()
    later = fg.run(game, learners, 9, resume=result, backend=backend)
    whole = fg.run(game, learners, steps + 9, rng=seed, stream="numpy", backend=backend)
    assert (later.states == whole.states).all()


@each_backend
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_generator_of_any_kind_is_drawn_from_and_goes_on(backend, source):
    """Three actions take 32-bit halves of 64-bit words, which the generator keeps between calls."""
    game = fg.games.shapley()
    players = [("greedy", 0.5, 0.5), ("softmax", 0.1, 0.5)]
    theirs, ours = np.random.Generator(source(5)), np.random.Generator(source(5))
    theirs.integers(3), ours.integers(3)  # one half is left over
    tables, _, _ = listing(game.payoffs, players, theirs, 101)
    learners = [learner_of(*player) for player in players]
    first = fg.run(game, learners, steps=101, rng=ours, stream="numpy", backend=backend)
    assert all((first.tables[i]["q"][0, 0] == tables[i]).all() for i in range(2))
    assert theirs.integers(1000, size=9).tolist() == ours.integers(1000, size=9).tolist()


@each_backend
@pytest.mark.parametrize("actions", range(1, 8))
def test_words_that_integers_rejects_are_drawn_again(backend, actions):
    """A Mersenne Twister of zeros: integers(n) refuses such a word unless n divides 2^32."""

    def twister():
        bits = np.random.MT19937(1)
        state = bits.state
        state["state"]["key"][:60] = 0
        state["state"]["pos"] = 0
        bits.state = state
        return np.random.Generator(bits)

    game = fg.MatrixGame(np.arange(2.0 * actions**2).reshape(2, actions, actions))
    tables, _, _ = listing(game.payoffs, [("greedy", 0.5, 0.5)] * 2, theirs := twister(), 30)
    learner, ours = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.5)), twister()
    result = fg.run(game, learner, steps=30, rng=ours, stream="numpy", backend=backend)
    assert all((result.tables[i]["q"][0, 0] == tables[i]).all() for i in range(2))
    assert ours.random() == theirs.random()


@each_backend
@pytest.mark.parametrize("states", [1, 4])
def test_a_draw_that_is_epsilon_itself_does_not_explore(backend, states):
    """`random() < epsilon`: no second word is drawn."""
    game = PENNIES if states == 1 else fg.remember(PENNIES)
    epsilon = np.random.default_rng(3).random()
    learners = [fg.QLearner(explore=fg.EpsilonGreedy(epsilon)), fg.FixedPolicy([0.5, 0.5])]
    theirs, ours = np.random.default_rng(3), np.random.default_rng(3)
    theirs.random(2)
    fg.run(game, learners, steps=1, rng=ours, stream="numpy", backend=backend)
    assert ours.random() == theirs.random()


@each_backend
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_listing_in_parts_is_the_listing_in_one_go(backend, source, tmp_path):
    game = fg.games.shapley()
    learners = [
        fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.5)),
        fg.QLearner(explore=fg.Softmax(0.5)),
    ]
    fresh = {"stream": "numpy", "backend": backend}
    whole = fg.run(game, learners, steps=90, rng=np.random.Generator(source(5)), **fresh)
    first = fg.run(game, learners, steps=37, rng=np.random.Generator(source(5)), **fresh)
    for _ in range(2):  # a resumed result does not change, so it can be resumed again
        second = fg.run(game, learners, steps=53, resume=first, backend=backend)
        assert second.stream == "numpy"
        assert_same(whole, second)
    first.save(tmp_path / "first.fg")
    assert_same(whole, fg.run(game, learners, steps=53, resume=fg.load(tmp_path / "first.fg")))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@given(data=st.data(), seed=st.integers(0, 2**64 - 1))
def test_backends_agree_on_listings(dtype, data, seed):
    setup = data.draw(setups(replicas=1, dtype=dtype))
    one = setup.run(rng=seed, stream="numpy", backend="reference")
    for build in _core.available():
        assert_same(one, setup.run(rng=seed, stream="numpy", build=build))


@given(data=st.data(), seed=st.integers(0, 2**64 - 1))
def test_numba_agrees_on_listings(data, seed):
    few = [kind for kind in AHEAD if kind.step != "visits" and kind.learner != "expected_sarsa"]
    setup = data.draw(setups(kinds=few, replicas=1, dtype="float64"))
    one, other = (setup.run(rng=seed, stream="numpy", backend=b) for b in ("reference", "numba"))
    assert_same(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_in_the_unit_interval_stays_below_one(dtype):
    """The largest that random() gives rounds to 1 in float32."""

    class Last:
        def random(self):
            return 1.0 - 2.0**-53

    real = np.dtype(dtype).type
    assert rules_listing.unit(Last(), real) < real(1.0)
