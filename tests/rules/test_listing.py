"""stream="numpy" reproduces textbook listings digit for digit: those of `library/contract.py`."""

import numpy as np
import published
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.contract import Generator, Textbook
from library.equal import assert_same
from library.every import each_backend
from library.games import markov_games, matrix_games
from library.learners import AHEAD
from library.runs import setups

import fastgames as fg
from fastgames import _core
from fastgames.rules import listing as rules_listing

PENNIES = fg.games.matching_pennies()
SOURCES = {
    "PCG64": np.random.PCG64,
    "PCG64DXSM": np.random.PCG64DXSM,
    "MT19937": np.random.MT19937,
    "Philox": np.random.Philox,
    "SFC64": np.random.SFC64,
}


def listing(game, learners, rng, steps):
    """The textbook's run: every draw is of this generator."""
    return Textbook(game, learners, np.float64, Generator(rng)).play(steps)


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


def test_the_textbook_of_these_tests_finds_them_too():
    learner = fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))
    textbook = listing(PENNIES, [learner] * 2, np.random.default_rng(7), 0)
    pairs = []
    for _ in range(5):
        textbook.play(4000)
        pairs.append(tuple(int(np.argmax(q)) for q in textbook.q))
    assert_printed([q[0] for q in textbook.q], np.array(textbook.flips)[0], pairs)


@st.composite
def learners_of(draw, actions, make=fg.QLearner, gammas=(None,)):
    """Epsilon-greedy, softmax or a fixed policy."""
    kind = draw(st.sampled_from(["greedy", "greedy", "softmax", "fixed"]))
    if kind == "fixed":
        few = st.lists(st.integers(0, 3), min_size=actions, max_size=actions)
        weights = np.array(draw(few)) + 0.25
        return fg.FixedPolicy(weights / weights.sum())
    if kind == "greedy":
        explore = fg.EpsilonGreedy(draw(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)))
    else:
        explore = fg.Softmax(draw(st.floats(0.05, 10.0)))
    return make(draw(st.floats(0.01, 1.0)), draw(st.sampled_from(gammas)), explore)


@pytest.mark.usefixtures("passes_for_all_sizes")
@each_backend
@given(data=st.data(), seed=st.integers(0, 2**64 - 1), steps=st.integers(1, 150))
def test_any_listing_is_reproduced(backend, data, seed, steps):
    game = data.draw(matrix_games(agents=st.integers(2, 4), actions=st.integers(1, 6)))
    learners = [data.draw(learners_of(n)) for n in game.num_actions]
    textbook = listing(game, learners, np.random.default_rng(seed), 0)
    history = [[q.argmax() for q in textbook.play(1).q] for _ in range(steps)]
    record = fg.Record(every=1, greedy=True, flips=True)
    more = {"stream": "numpy", "backend": backend, "record": record}
    result = fg.run(game, learners, steps, rng=seed, **more)
    for i, learner in enumerate(learners):
        if not isinstance(learner, fg.FixedPolicy):
            assert (result.tables[i]["q"][0] == textbook.q[i]).all()
            greedy = result.snapshots.greedy[i][1:, 0, 0]
            assert greedy.tolist() == [step[i] for step in history]
    assert (result.flips[0] == textbook.flips).all()


@each_backend
@pytest.mark.parametrize("a", [2, 3, 4, 5])
@pytest.mark.parametrize("b", [2, 3, 4, 5])
def test_listings_of_two_greedy_learners_are_reproduced(backend, a, b):
    game = fg.MatrixGame(np.random.default_rng(a + b).normal(size=(2, a, b)))
    learners = [
        fg.QLearner(alpha, explore=fg.EpsilonGreedy(epsilon))
        for alpha, epsilon in ((0.3, 0.2), (0.1, 0.6))
    ]
    textbook = listing(game, learners, np.random.default_rng(a), 300)
    more = {"stream": "numpy", "backend": backend, "record": fg.Record(flips=True)}
    result = fg.run(game, learners, 300, rng=a, **more)
    assert all((result.tables[i]["q"][0] == textbook.q[i]).all() for i in range(2))
    assert (result.flips[0] == textbook.flips).all()


@pytest.mark.usefixtures("passes_for_all_sizes")
@each_backend
@given(data=st.data(), seed=st.integers(0, 2**64 - 1), steps=st.integers(1, 150))
def test_any_listing_with_states_is_reproduced(backend, data, seed, steps):
    shape = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=3))
    make = data.draw(st.sampled_from([fg.QLearner, fg.QLearner, fg.Sarsa]))
    game = data.draw(markov_games(turns=False, shape=shape))
    gammas = (0.0, 0.5, 0.9)
    learners = [data.draw(learners_of(n, make, gammas)) for n in shape]
    textbook = listing(game, learners, np.random.default_rng(seed), steps)
    result = fg.run(game, learners, steps, rng=seed, stream="numpy", backend=backend)
    assert result.states.tolist() == [textbook.state]
    for i, learner in enumerate(learners):
        if not isinstance(learner, fg.FixedPolicy):
            assert (result.tables[i]["q"][0] == textbook.q[i]).all()
    later = fg.run(game, learners, 9, resume=result, backend=backend)
    whole = fg.run(game, learners, steps + 9, rng=seed, stream="numpy", backend=backend)
    assert (later.states == whole.states).all()


@each_backend
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_generator_of_any_kind_is_drawn_from_and_goes_on(backend, source):
    """Three actions take 32-bit halves of 64-bit words, which the generator keeps between calls."""
    game = fg.games.shapley()
    learners = [
        fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.5)),
        fg.QLearner(explore=fg.Softmax(0.5)),
    ]
    theirs, ours = np.random.Generator(source(5)), np.random.Generator(source(5))
    theirs.integers(3), ours.integers(3)  # one half is left over
    textbook = listing(game, learners, theirs, 101)
    first = fg.run(game, learners, steps=101, rng=ours, stream="numpy", backend=backend)
    assert all((first.tables[i]["q"][0] == textbook.q[i]).all() for i in range(2))
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
    learner, theirs, ours = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.5)), twister(), twister()
    textbook = listing(game, [learner] * 2, theirs, 30)
    result = fg.run(game, learner, steps=30, rng=ours, stream="numpy", backend=backend)
    assert all((result.tables[i]["q"][0] == textbook.q[i]).all() for i in range(2))
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


@pytest.mark.usefixtures("passes_for_all_sizes")
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
