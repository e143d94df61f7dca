"""Properties of every run: one set of bits, policies, frequencies."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from library.equal import assert_same
from library.every import FEW
from library.games import markov_games, matrix_games
from library.runs import setups
from scipy import stats

import fastgames as fg
from fastgames import _core, registry
from fastgames.engine import compiled

PENNIES = fg.games.matching_pennies()


@FEW
@given(data=st.data())
def test_the_bits_do_not_depend_on_threads_or_on_the_size_of_blocks(data):
    setup = data.draw(setups(replicas=data.draw(st.sampled_from([33, 70, 140]))))
    alone = setup.run(threads=1)
    for threads in (2, 3, 5):
        assert_same(alone, setup.run(threads=threads))
    for capacity in (1, 7, 16, 32):
        assert_same(alone, setup.run(threads=2, capacity=capacity))


@pytest.mark.parametrize(
    "limits", [{"SIZES": (16,)}, {"MOST": 1}, {"FIRST_CACHE": 1, "SECOND_CACHE": 1}]
)
@given(data=st.data())
def test_the_bits_do_not_depend_on_the_caches(limits, data):
    setup = data.draw(setups(replicas=40))
    before = setup.run(threads=1)
    _, usual = compiled.layout(before.spec, 40, 1)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(compiled, name, value)
        assume(compiled.layout(before.spec, 40, 1)[1] != usual)
        assert_same(before, setup.run(threads=1))


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@given(data=st.data(), replicas=st.integers(1, 40), more=st.integers(1, 300))
def test_the_bits_of_a_replica_do_not_depend_on_how_many_there_are(data, replicas, more):
    game = data.draw(matrix_games(agents=st.just(2)) | markov_games())
    explore = data.draw(st.sampled_from([fg.EpsilonGreedy(0.3), fg.Softmax(0.5)]))
    make = data.draw(st.sampled_from([fg.QLearner, fg.Sarsa, fg.ExpectedSarsa]))
    learner = make(fg.Exponential(0.5, 0.01), explore=explore)
    record = fg.Record(joint_actions=True, rewards=True, flips=True, last=9)
    arguments = {"steps": 13, "rng": 5, "record": record}
    arguments["stop"] = data.draw(st.none() | st.just(fg.Stable(4)))
    few = fg.run(game, learner, replicas=replicas, **arguments)
    many = fg.run(game, learner, replicas=replicas + more, **arguments)
    assert_same(many, few, replicas=slice(replicas))


@given(data=st.data())
def test_variants_are_runs_of_each_game_alone(data):
    setup = data.draw(setups(replicas=data.draw(st.sampled_from([5, 17, 40]))))
    initials = [getattr(x, "initial", None) for x in setup.learners]
    assume(not any(isinstance(x, fg.UniformRivals) for x in initials))  # they know all games
    others = data.draw(st.lists(st.integers(0, 2), min_size=5, max_size=5))
    game = setup.game
    if not isinstance(game, fg.Variants):
        game = fg.Variants([game], np.zeros(setup.replicas, int))
    index = np.resize([k % len(game.games) for k in others], setup.replicas)
    together = setup.run(game=fg.Variants(game.games, index))
    for k, one in enumerate(game.games):
        alone = setup.run(game=one)
        these = index == k
        assert (alone.steps[these] == together.steps[these]).all()
        assert (alone.states[these] == together.states[these]).all()
        for left, right in zip(alone.state.seats, together.state.seats, strict=True):
            assert left.table[these].tobytes() == right.table[these].tobytes()
        for name in ("flips", "joint_counts", "mean_reward"):
            left, right = getattr(alone, name), getattr(together, name)
            assert (left is None) == (right is None)
            assert left is None or left[these].tobytes() == right[these].tobytes()


def test_parameters_given_by_replica_are_those_of_runs_with_each_alone():
    alphas, epsilons, rates = (
        np.linspace(0.1, 1, 20),
        np.linspace(0, 1, 20),
        np.linspace(0, 0.1, 20),
    )
    initial = np.random.default_rng(0).normal(size=(20, 1, 2))

    def run(alpha, epsilon, rate, start, replicas):
        learner = fg.QLearner(
            alpha, explore=fg.EpsilonGreedy(fg.Exponential(epsilon, rate)), initial=start
        )
        return fg.run(PENNIES, learner, steps=30, replicas=replicas, rng=1)

    together = run(alphas, epsilons, rates, initial, 20)
    for k in range(20):
        one = run(alphas[k], epsilons[k], rates[k], initial[k], k + 1)
        for agent in range(2):
            assert (one.tables[agent]["q"][k] == together.tables[agent]["q"][k]).all()
            assert (one.policy(agent)[k] == together.policy(agent)[k]).all()


def test_one_learner_stands_for_all():
    learner = fg.QLearner()
    one = fg.run(PENNIES, learner, steps=9, rng=1)
    assert_same(one, fg.run(PENNIES, [learner, learner], steps=9, rng=1))
    assert one.learners == (learner, learner)


def test_what_a_result_says_about_itself():
    result = fg.run(PENNIES, fg.QLearner(), steps=9, replicas=3, rng=11, dtype="float32")
    assert (result.seed, result.dtype, result.stream, result.replicas) == (
        11,
        "float32",
        "fastgames",
        3,
    )
    assert result.contract == 3
    assert result.steps.tolist() == [9, 9, 9]
    assert result.states.tolist() == [0, 0, 0]
    assert [table["q"].shape for table in result.tables] == [(3, 1, 2)] * 2
    assert {table["q"].dtype for table in result.tables} == {np.dtype("float32")}
    assert (result.greedy(0) == result.tables[0]["q"].argmax(axis=-1)).all()
    assert (result.flips, result.joint_counts, result.mean_reward, result.snapshots) == (None,) * 4
    assert "matching_pennies" in repr(result) or "matching pennies" in repr(result)


def assert_policies_are_those_of_the_rules(result):
    for agent, seat in enumerate(result.state.seats):
        got = result.policy(agent)
        rules = seat.learner.rules
        values = seat.values(slice(None))
        for replica in range(result.replicas):
            table = seat.table[replica]
            p = tuple(float(values[name][replica]) for name in rules.parameters)
            for o in range(len(table)):
                out = np.full(table.shape[-1], np.nan)
                rules.policy((table,), p, o, out)
                assert got[replica, o].tobytes() == out.tobytes()
        np.testing.assert_allclose(got.sum(axis=-1), 1.0, rtol=1e-14)
        assert (got >= 0).all()


@given(data=st.data())
def test_policies_are_those_of_the_interpreted_rules_and_sum_to_1(data):
    assert_policies_are_those_of_the_rules(data.draw(setups(replicas=3)).run())


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_policies_of_many_actions_are_summed_in_order_too(dtype):
    """NumPy's own sums go in pairs from eight summands on."""
    rng = np.random.default_rng(1)
    game = fg.MatrixGame(rng.normal(size=(3, 40, 33, 9)))
    initial = rng.normal(size=(20, 1, 40))
    learners = [
        fg.QLearner(explore=fg.Softmax(0.7), initial=initial),
        fg.FixedPolicy(rng.dirichlet(np.ones(33), (20, 1))),
        fg.QLearner(explore=fg.EpsilonGreedy(0.3)),
    ]
    arguments = {"steps": 20, "replicas": 20, "rng": 1, "dtype": dtype}
    result = fg.run(game, learners, **arguments)
    assert_policies_are_those_of_the_rules(result)
    for backend in ("numba", "reference"):
        other = fg.run(game, learners, backend=backend, **arguments)
        for agent in (0, 2):
            assert (other.tables[agent]["q"] == result.tables[agent]["q"]).all()


@FEW
@given(data=st.data())
def test_the_next_action_follows_the_policy(data):
    """Over many replicas that start alike, the share of each first action is its probability."""
    game = data.draw(matrix_games(agents=st.just(2), actions=st.integers(2, 5)))
    initial = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=game.num_actions[0])
    explore = data.draw(
        st.sampled_from([fg.EpsilonGreedy(0.3), fg.EpsilonGreedy(1.0), fg.Softmax(1.0)])
    )
    other = fg.FixedPolicy(np.full(game.num_actions[1], 1 / game.num_actions[1]))
    learner = fg.QLearner(1e-300, explore=explore, initial=initial)  # learns nothing that shows
    result = fg.run(
        game,
        [learner, other],
        steps=1,
        replicas=20_000,
        rng=3,
        record=fg.Record(joint_actions=True),
    )
    counts = result.joint_counts.sum(axis=(0, 2))
    assert stats.chisquare(counts, 20_000 * result.policy(0)[0, 0]).pvalue > 1e-5


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("actions", [(2, 2), (5, 3), (7, 4)])
@pytest.mark.parametrize("epsilon", [0.01, 0.1, 0.7, 1.0])
def test_epsilon_greedy_explores_with_probability_epsilon_and_uniformly(epsilon, actions, dtype):
    game = fg.MatrixGame(np.zeros((2, *actions)))
    learners = [
        fg.QLearner(1e-9, explore=fg.EpsilonGreedy(epsilon), initial=np.eye(n)[n - 1])
        for n in actions
    ]  # the last action stays the greedy one
    result = fg.run(
        game,
        learners,
        steps=2000,
        replicas=200,
        rng=9,
        dtype=dtype,
        record=fg.Record(joint_actions=True),
    )
    total = 2000 * 200
    probabilities = [np.full(n, epsilon / n) + (1 - epsilon) * np.eye(n)[n - 1] for n in actions]
    expected = total * np.outer(*probabilities)  # the agents choose independently
    counts = result.joint_counts.sum(axis=0)
    assert counts.sum() == total
    assert stats.chisquare(counts.ravel(), expected.ravel()).pvalue > 1e-5


def test_epsilon_0_never_explores_and_1_never_stops():
    game = fg.MatrixGame(np.zeros((2, 3, 3)))
    learners = [
        fg.QLearner(explore=fg.EpsilonGreedy(epsilon), initial=[0, 1, 0]) for epsilon in (0, 1)
    ]
    result = fg.run(
        game, learners, steps=3000, replicas=10, rng=1, record=fg.Record(joint_actions=True)
    )
    counts = result.joint_counts.sum(axis=0)
    assert counts[0].sum() == counts[2].sum() == 0
    assert stats.chisquare(counts[1]).pvalue > 1e-5


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_fixed_policies_play_their_probabilities_and_independently(dtype):
    p, q = np.array([0.05, 0.2, 0.0, 0.75]), np.array([0.9, 0.1])
    game = fg.MatrixGame(np.zeros((2, 4, 2)))
    result = fg.run(
        game,
        [fg.FixedPolicy(p), fg.FixedPolicy(q)],
        steps=1000,
        replicas=300,
        rng=2,
        dtype=dtype,
        record=fg.Record(joint_actions=True),
    )
    counts = result.joint_counts.sum(axis=0)
    assert counts[2].sum() == 0
    played = [0, 1, 3]
    expected = 300_000 * np.outer(p[played], q)
    assert stats.chisquare(counts[played].ravel(), expected.ravel()).pvalue > 1e-5


def test_streams_of_neighbouring_seeds_replicas_and_agents_are_uncorrelated():
    """Coins of 2 agents, 1,000 replicas, 3 seeds: no pair agrees more often than chance allows."""
    game = fg.MatrixGame(np.zeros((2, 2, 2)))
    coins = []
    for seed in (7, 8, 7 + 2**32):
        for steps in range(1, 9):  # the coin of each step, by counting it alone
            last = fg.run(
                game,
                fg.FixedPolicy([0.5, 0.5]),
                steps=steps,
                replicas=1000,
                rng=seed,
                record=fg.Record(joint_actions=True, last=1),
            )
            coins += [
                last.joint_counts[:, 1, :].sum(axis=-1),
                last.joint_counts[:, :, 1].sum(axis=-1),
            ]
    coins = 2 * np.array(coins) - 1
    assert np.abs(coins.mean(axis=1)).max() < 5 / np.sqrt(1000)
    agreement = coins @ coins.T / 1000
    assert np.abs(agreement[~np.eye(len(coins), dtype=bool)]).max() < 5.5 / np.sqrt(1000)
    neighbours = (coins[:, 1:] * coins[:, :-1]).mean(axis=1)
    assert np.abs(neighbours).max() < 5 / np.sqrt(999)


def test_every_build_is_named_and_the_best_one_is_chosen():
    builds = _core.available()
    assert builds
    assert fg.isa in builds
