"""Games of one agent: bandits and Markov decision processes, against closed forms."""

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames import analysis
from fastgames.rules.chance import happens

ALWAYS = fg.EpsilonGreedy(1.0)


def values_of(mdp, discount):
    """The optimal action values (S, A), by value iteration."""
    moves = mdp.transitions
    if hasattr(moves, "toarray"):
        moves = moves.toarray().reshape(mdp.num_states, *mdp.num_actions, -1)
    if moves.dtype.kind == "i":
        moves = np.eye(mdp.num_states)[moves]
    moves = moves * ~mdp.terminal
    values = np.zeros(mdp.num_states)
    for _ in range(2_000):
        q = mdp.rewards[0] + discount * moves @ values
        values = q.max(axis=1)
    return q


def decision_process(transitions, **more):
    return fg.games.random_markov_game(1, 6, 3, rng=7, transitions=transitions, **more)


@pytest.mark.parametrize("terminal", [0, 2])
@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_q_learning_of_a_process_without_chance_is_value_iteration(terminal, backend):
    """With alpha = 1 every update is exact, so values converge at the rate of the discount."""
    mdp = decision_process("deterministic", terminal=terminal, start="random")
    if not terminal:  # moves that visit all states
        moves = (np.arange(6)[:, None] + np.arange(1, 4)) % 6
        mdp = fg.MarkovGame(mdp.rewards, moves, 0.8)
    learner = fg.QLearner(1.0, gamma=0.8, explore=ALWAYS)
    result = fg.run(mdp, learner, 20_000, replicas=2, rng=1, backend=backend)
    expected = values_of(mdp, 0.8)
    visited = result.tables[0]["q"] != 0.0
    assert visited[:, ~mdp.terminal].all()
    for q in result.tables[0]["q"]:
        assert np.allclose(q[~mdp.terminal], expected[~mdp.terminal], rtol=1e-12, atol=1e-12)


def test_q_learning_of_a_process_with_chance_approaches_value_iteration():
    mdp = decision_process("random")
    learner = fg.QLearner(fg.VisitCount(0.7), gamma=0.6, explore=ALWAYS)
    result = fg.run(mdp, learner, 400_000, replicas=8, rng=2)
    expected = values_of(mdp, 0.6)
    assert np.abs(result.tables[0]["q"].mean(axis=0) - expected).max() < 0.03
    assert (result.greedy(0) == expected.argmax(axis=1)).all()


def test_the_best_response_of_one_agent_is_the_optimal_policy():
    mdp = decision_process("sparse", terminal=1)
    expected = values_of(mdp, 0.9)
    found = analysis.best_responses(mdp, [expected.argmax(axis=1)[None]], discount=0.9, values=True)
    assert found.mutual.tolist() == [1.0]
    live = ~mdp.terminal
    assert found.best[0, 0, live] == pytest.approx(expected.max(axis=1)[live], rel=1e-9)
    worst = analysis.best_responses(mdp, [expected.argmin(axis=1)[None]], discount=0.9)
    assert worst.mutual.tolist() == [0.0]


def test_a_bandit_of_two_arms():
    bandit = fg.MatrixGame([[0.25, 1.0]], actions=[("left", "right")])
    assert repr(bandit) == "<MatrixGame 'matrix game': 1 agent, (2,) actions, cooperative>"
    assert bandit.pure_equilibria() == [(1,)]
    assert bandit.best_responses(0, [[0.5, 0.5]]) == (1,)
    assert bandit.expected_payoffs([[0.5, 0.5]]).tolist() == [0.625]
    assert bandit.exploitability([[1.0, 0.0]]) == 0.75
    learner = fg.QLearner(1.0, explore=fg.EpsilonGreedy(0.2))
    record = fg.Record(rewards=True, joint_actions=True, last=5_000)
    result = fg.run(bandit, learner, 6_000, replicas=40, rng=3, record=record)
    assert result.tables[0]["q"].tolist() == [[[0.25, 1.0]]] * 40
    explored = result.joint_counts[:, 0].sum() / (40 * 5_000)
    assert explored == pytest.approx(0.1, abs=5 * np.sqrt(0.1 * 0.9 / (40 * 5_000)))
    assert result.mean_reward[:, 0] == pytest.approx(1.0 - 0.75 * result.joint_counts[:, 0] / 5_000)


def test_hedge_of_one_agent_has_its_closed_form():
    payoffs, eta = np.array([0.3, 0.1, 0.5]), 0.05
    result = fg.run(fg.MatrixGame([payoffs]), fg.Hedge(eta), 100, rng=1)
    weights = np.exp(eta * 100 * payoffs)
    assert result.policy(0)[0, 0] == pytest.approx(weights / weights.sum(), rel=1e-9)


def arms(chances=(0.3, 0.6)):
    """A bandit whose arms pay 1 by chance."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        rewards[0] = 1.0 if happens(words[0], chances[actions[0]]) else 0.0
        return False

    def observe(state, agent):
        return 0

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2,), num_observations=(1,), words=1, largest_reward=1
    )


def test_a_bandit_of_functions():
    """With step sizes 1 / visits, the values are the means of the rewards."""
    game = arms()
    assert repr(game).startswith("<ProceduralGame 'procedural': 1 agent, (2,) actions")
    learner = fg.QLearner(fg.VisitCount(1.0), explore=ALWAYS)
    arguments = {"steps": 400, "replicas": 50, "rng": 1}
    result = fg.run(game, learner, **arguments)
    assert_same(result, fg.run(game, learner, backend="reference", **arguments))
    error = 5 * np.sqrt(0.25 / (50 * 200))
    assert result.tables[0]["q"].mean(axis=0)[0] == pytest.approx([0.3, 0.6], abs=error)
    found = fg.tabulate(game)
    assert found.rewards[0, 0] == pytest.approx([0.3, 0.6], abs=2.0**-31)


def test_memory_of_its_own_actions():
    game = fg.remember(fg.MatrixGame([[1.0, 2.0, 0.0]]), 2)
    assert (game.num_states, game.transitions[5].tolist()) == (9, [1, 4, 7])


def test_frames_labels_and_files(tmp_path):
    mdp = decision_process("random")
    record = fg.Record(every=50, greedy=True, joint_actions=True, rewards=True)
    result = fg.run(mdp, fg.QLearner(), 100, replicas=2, rng=1, record=record)
    assert len(result.to_pandas("joint_actions")) == 2 * 3
    assert result.to_pandas()["mean_reward_0"].tolist() == result.mean_reward[:, 0].tolist()
    pytest.importorskip("xarray")
    assert result.to_xarray()["joint_counts"].dims == ("replica", "action_0")
    result.save(tmp_path / "result.zip")
    assert_same(result, fg.load(tmp_path / "result.zip"))


@pytest.mark.parametrize("kind", ["overview", "curves", "joint"])
def test_pictures(kind):
    pytest.importorskip("matplotlib").use("Agg")
    record = fg.Record(every=20, policies=True, tables=("q",), joint_actions=True, flips=True)
    result = fg.run(fg.MatrixGame([[0, 1, 2]]), fg.QLearner(), 100, 3, rng=1, record=record)
    assert result.plot(kind=kind).axes


def test_an_environment_of_one_agent_pays_as_the_tables():
    gymnasium = pytest.importorskip("fastgames.envs.gymnasium")
    mdp = decision_process("deterministic", time_limit=20)
    env = gymnasium.GameEnv(mdp)
    state, _ = env.reset(seed=1)
    for k in range(20):
        after, reward, ended, cut, _ = env.step(k % 3)
        assert reward == mdp.rewards[0, state, k % 3]
        assert after == mdp.transitions[state, k % 3]
        assert (ended, cut) == (False, k == 19)
        state = after
