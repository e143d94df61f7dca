"""policies: what an agent learned as a function and an array, and any such array as an opponent."""

import copy
import pickle

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames import registry
from fastgames.compiler.policies import write_policies
from fastgames.jit import CompileError
from fastgames.rules import streams

SEED, REPLICAS = 7, 50
MATRIX = fg.games.rock_paper_scissors()
STATES = fg.games.random_markov_game(2, 4, (3, 2), observations=(4, 2), rng=1)
LEARNERS = sorted(set(registry.LEARNERS) - {"fixed"})


def dirichlet(*shape):
    return np.random.default_rng(3).dirichlet(np.ones(shape[-1]), shape[:-1])


def words(count, role, seed=SEED):
    """The first random word of every replica, by the plain functions of the contract."""
    out = []
    for replica in range(count):
        state = np.zeros(4, np.uint32)
        streams.start(seed & 0xFFFFFFFF, seed >> 32, replica, role, state)
        out.append(int(streams.next_word(state)))
    return np.array(out)


# --- the function -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
def test_of_every_learner(name):
    """The array, the preferences and the labels of one replica."""
    make = registry.LEARNERS[name]
    learner = make(**make.sample(MATRIX, 0))
    steps = max(30, learner.least_steps)
    result = fg.run(MATRIX, learner, steps, 4, SEED, backend="reference")
    policy = result.agent(1, replica=2)
    np.testing.assert_array_equal(policy.probabilities, result.policy(1)[2])
    assert policy.greedy(0) == result.greedy(1)[2, 0]
    assert (policy.game, policy.agent) == ("rock-paper-scissors", 1)
    assert policy.actions == ("rock", "paper", "scissors")


@pytest.mark.parametrize("agent", [0, 1])
def test_words_of_the_streams_give_the_actions_of_a_run(agent):
    """One step of many replicas that all play the policy: each draws its stream's first word."""
    policy = fg.Policy(dirichlet(3))
    result = fg.run(
        MATRIX, fg.FixedPolicy(policy), 1, REPLICAS, SEED, fg.Record(joint_actions=True)
    )
    played = np.argwhere(result.joint_counts)[:, 1 + agent]
    drawn = words(REPLICAS, agent)
    np.testing.assert_array_equal(policy(np.zeros(REPLICAS, int), drawn), played)
    assert [policy(0, int(word)) for word in drawn] == played.tolist()
    assert len(set(played.tolist())) == 3


def test_a_generator_is_asked_as_listings_do():
    tables = dirichlet(2, 3)
    seats = [fg.FixedPolicy(table) for table in tables]
    result = fg.run(
        MATRIX, seats, 200, 1, SEED, fg.Record(joint_actions=True), stream="numpy"
    )  # fmt: skip
    policies, rng = [fg.Policy(table) for table in tables], np.random.default_rng(SEED)
    counts = np.zeros((3, 3), int)
    for _ in range(200):
        counts[policies[0](0, rng), policies[1](0, rng)] += 1
    np.testing.assert_array_equal(result.joint_counts[0], counts)


def test_many_observations_at_once():
    policy = fg.Policy(dirichlet(4, 3))
    observations = np.random.default_rng(1).integers(4, size=(5, 6))
    one, many = np.random.default_rng(2), np.random.default_rng(2)
    together = policy(observations, many)
    assert together.shape == (5, 6)
    assert together.dtype == np.int64
    assert together.ravel().tolist() == [policy(o, one) for o in observations.ravel()]
    assert type(policy(0, one)) is type(policy.greedy(0)) is int
    np.testing.assert_array_equal(policy.greedy(observations), policy.preferred[observations])


def test_evenly_spread_words_give_the_probabilities():
    """1/8, 1/2, 3/8 of 2^32 words, at the ends of every stretch; the last bit is not used."""
    policy = fg.Policy([0.125, 0.5, 0.375])
    eighth = 2**32 // 8
    ends = {0: 0, eighth - 1: 0, eighth: 1, 5 * eighth - 1: 1, 5 * eighth: 2, 2**32 - 1: 2}
    assert [policy(0, word) for word in ends] == list(ends.values())
    third = fg.Policy([3 * 2.0**-32, 1.0 - 3 * 2.0**-32])
    assert [third(0, word) for word in (3, 4)] == [0, 1]  # 3 >> 1 is 2 >> 1
    assert fg.Policy([0.0, 1.0])(0, 0) == 1
    assert fg.Policy([1.0, 0.0])(0, 2**32 - 1) == 0


def test_preferences_are_those_of_the_table_not_of_the_probabilities():
    seats = fg.QLearner(alpha=0.5, explore=fg.EpsilonGreedy(1.0), initial=[0.0, 1.0, 9.0])
    policy = fg.run(MATRIX, seats, 1, 1, SEED).agent(0)
    assert len(set(policy.probabilities[0])) == 1
    assert policy.greedy(0) == pickle.loads(pickle.dumps(policy)).greedy(0) == 2


def test_copies_and_arrays(tmp_path):
    result = fg.run(STATES, fg.QLearner(), 100, 3, SEED)
    policy = result.agent(0, 1)
    expected = result.policy(0)[1]
    del result
    for again in (pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy), copy.copy(policy)):
        np.testing.assert_array_equal(again.probabilities, expected)
        assert not again.probabilities.flags.writeable
        assert not again.preferred.flags.writeable
        assert (
            again([0, 1, 2, 3], [5, 6, 7, 8]).tolist()
            == policy([0, 1, 2, 3], [5, 6, 7, 8]).tolist()
        )
        assert repr(again) == repr(policy)
    assert len(pickle.dumps(policy)) < 2000  # neither the game nor the run
    np.save(tmp_path / "policy.npy", policy)
    np.testing.assert_array_equal(np.load(tmp_path / "policy.npy"), expected)
    np.testing.assert_array_equal(fg.FixedPolicy(policy).probabilities, expected)
    array = np.asarray(policy, copy=True)
    array[:] = 0.0
    np.testing.assert_array_equal(policy.probabilities, expected)


@pytest.mark.parametrize(
    ("observation", "rng", "error", "words"),
    [
        (4, 1, ValueError, r"observation must be whole numbers in \[0, 4\), got 4"),
        (-1, 1, ValueError, r"observation .* got -1"),
        (1.0, 1, TypeError, r"observation .* got 1.0"),
        (True, 1, TypeError, "observation .* got True"),
        (0, None, TypeError, "rng must be a numpy Generator or random words .* got None"),
        (0, 2**32, ValueError, "rng must be .* got 4294967296"),
        (0, -1, ValueError, "rng must be .* got -1"),
        ([0, 1], [1, 2, 3], ValueError, r"rng must be one word for each .*\(2,\), got \(3,\)"),
    ],
)
def test_bad_calls(observation, rng, error, words):
    with pytest.raises(error, match=words):
        fg.Policy(dirichlet(4, 3))(observation, rng)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"probabilities": [0.5, 0.6]}, "probabilities must sum to 1"),
        ({"probabilities": np.full((2, 3, 2), 0.5)}, r"those of one replica, got \(2, 3, 2\)"),
        ({"probabilities": [0.5, 0.5], "preferred": [2]}, r"preferred .* in \[0, 2\), got 2"),
        ({"probabilities": [0.5, 0.5], "preferred": [0, 1]}, r"preferred must be \(1,\)"),
        ({"probabilities": [0.5, 0.5], "actions": ("a",)}, "actions must be 2 names"),
    ],
)
def test_bad_policies(given, words):
    with pytest.raises(ValueError, match=words):
        fg.Policy(**given)


def test_bad_agents_and_replicas():
    result = fg.run(MATRIX, fg.QLearner(), 5, 3, SEED)
    with pytest.raises(ValueError, match=r"agent must be .*\[0, 1\], got 2"):
        result.agent(2)
    with pytest.raises(ValueError, match=r"replica must be .*\[0, 2\], got 3"):
        result.agent(0, 3)


# --- as an opponent -----------------------------------------------------------------------------


def against(opponent, replicas, **more):
    """Q-learners that learn against an opponent."""
    result = fg.run(STATES, [fg.QLearner(), opponent], 60, replicas, SEED, **more)
    return result.tables[0]["q"]


def test_a_mixed_population_of_opponents():
    """Replica r of a population learns as it does where everyone meets r's opponent."""
    trained = fg.run(STATES, fg.QLearner(explore=fg.Softmax(0.3)), 100, 5, 1)
    population = trained.policy(1)
    together = against(fg.FixedPolicy(population), 5)
    for r in range(5):
        for alone in (population[r], trained.agent(1, r)):
            np.testing.assert_array_equal(against(fg.FixedPolicy(alone), 5)[r], together[r])
    assert not np.array_equal(against(fg.FixedPolicy(population[0]), 5), together)


def test_a_single_replica_meets_everyone():
    trained = fg.run(STATES, fg.QLearner(), 100, 1, 1)  # (1, observations, actions)
    np.testing.assert_array_equal(
        against(fg.FixedPolicy(trained.policy(1)), 4), against(fg.FixedPolicy(trained.agent(1)), 4)
    )


def test_one_mix_for_all_observations():
    mix = dirichlet(2)
    rows = np.tile(mix, (STATES.num_observations[1], 1))
    np.testing.assert_array_equal(
        against(fg.FixedPolicy(mix), 3), against(fg.FixedPolicy(rows), 3)
    )  # fmt: skip


def test_a_member_of_a_team_can_be_frozen():
    """The others go on learning together beside what it plays."""
    game = fg.games.public_goods(3)
    team = fg.run(game, fg.VDN(), 100, 4, 1, backend="reference")
    seats = [fg.FixedPolicy(team.policy(0)), fg.VDN(), fg.VDN()]
    result = fg.run(game, seats, 50, resume=team, backend="reference")
    np.testing.assert_array_equal(result.policy(0), team.policy(0))
    assert not np.array_equal(result.tables[1]["q"], team.tables[1]["q"])


@pytest.mark.parametrize(
    "shape", [(3,), (5, 2), (4, 3), (2, 2, 2), (6, 4, 2)], ids=str
)  # of 3 replicas, 2 observations, 2 actions
def test_a_policy_of_another_game(shape):
    with pytest.raises(ValueError, match=r"probabilities of learners\[1\] must .*2\), got shape"):
        against(fg.FixedPolicy(dirichlet(*shape)), 3)


# --- in many small snapshots ----------------------------------------------------------------------


def recorded(learner, game=MATRIX):
    record = fg.Record(every=1, policies=True)
    return fg.run(game, learner, 60, 3, SEED, record, backend="reference")


def test_a_rule_that_was_interpreted_often_is_compiled_with_the_same_bits(monkeypatch):
    compiled = []

    def write(*arguments):
        compiled.append(len(arguments[3]))
        return write_policies(*arguments)

    interpreted = recorded(fg.Reinforce(0.3))
    monkeypatch.setattr("fastgames.compiler.policies.write_policies", write)
    monkeypatch.setattr("fastgames.engine.policies.MANY", 100)
    assert_same(recorded(fg.Reinforce(0.3)), interpreted)
    assert sum(compiled) == 2 * (3 * 61 - 100)  # each agent's first 100 rows are interpreted


def test_a_rule_that_cannot_be_compiled_is_interpreted_on(monkeypatch):
    def choose(tables, p, o, signal):
        return 0

    def learn(tables, p, t):
        tables[0][t.observation, 0] += 0.01

    def policy(tables, p, o, out):
        kinds = {0: 0.5, "others": 0.25}
        out[0], out[1], out[2] = kinds[0], kinds["others"], kinds["others"]

    learner = fg.Learner(choose, learn, policy=policy)
    monkeypatch.setattr("fastgames.engine.policies.MANY", 100)
    result = recorded(learner)
    assert (result.snapshots.policies[0] == [0.5, 0.25, 0.25]).all()
    monkeypatch.setattr("fastgames.engine.policies.MANY", 0)
    with pytest.raises(CompileError):
        result.policy(0)
