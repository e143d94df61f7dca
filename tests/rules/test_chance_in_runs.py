"""Draws in users' games and learners: the same bits on every backend, and their distributions."""

import numpy as np
import pytest
from library.every import each_dtype
from scipy import stats

import fastgames as fg
from fastgames.rules.chance import (
    categorical,
    exponential,
    integer,
    normal,
    poisson,
    uniform,
)

WEIGHTS = np.array([0.2, 0.5, 0.3])


def start(state, words):
    state[0] = integer(words[0], 0, 3)


def step(state, actions, rewards, words):
    state[0] = min(poisson(words[0], 0.5 + state[0]) + categorical(words[1], WEIGHTS), 3)
    rewards[0] = actions[0] + normal(words[2], 0.0, 2.0)
    rewards[1] = exponential(words[3], 1.5) - uniform(words[4], -1.0, 1.0) * actions[1]
    return False


def observe(state, agent):
    return state[0]


def market():
    """A game that uses every draw."""
    return fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(4, 4), words=5, start_words=1,
        discount=0.5,
    )  # fmt: skip


def draw(u, p, actions, real):
    return normal(u[0], 0.0, p.noise), normal(u[1], 0.0, p.noise)


def choose(tables, p, o, signal):
    return 1 if tables.q[o, 1] + signal[1] > tables.q[o, 0] + signal[0] else 0


def learn(tables, p, t):
    tables.q[t.observation, t.action] += p.alpha * (t.gain - tables.q[t.observation, t.action])


def noisy(noise):
    """A learner that adds normal noise to its values."""
    return fg.Learner(choose, learn, {"alpha": 0.1, "noise": noise}, draw=draw, words=2)


def same_on_both_backends(game, learners, dtype):
    one, other = (
        fg.run(game, learners, 200, 3, rng=4, dtype=dtype, backend=backend, progress=False,
               record=fg.Record(rewards=True))
        for backend in ("reference", "numba")
    )  # fmt: skip
    for agent in range(game.num_agents):
        for name, table in one.tables[agent].items():
            assert table.tobytes() == other.tables[agent][name].tobytes()
    assert (one.states == other.states).all()
    assert one.mean_reward.tobytes() == other.mean_reward.tobytes()
    return one


@each_dtype
def test_a_game_and_a_learner_that_draw_have_the_same_bits(dtype):
    same_on_both_backends(market(), noisy(2.0), dtype)


def test_a_learner_that_draws_normals_chooses_as_their_distribution_says():
    """P(q_1 + z_1 > q_0 + z_0) for a difference of 1 and two deviations of 2."""
    game = fg.MatrixGame([[[0.0], [1.0]], [[0.0], [0.0]]])
    still = fg.Learner(choose, lambda tables, p, t: None, {"noise": 2.0}, draw=draw, words=2,
                       tables=[fg.Table("q", initial=np.array([0.0, 1.0]))])  # fmt: skip
    result = fg.run(game, [still, fg.FixedPolicy([1.0])], 200, 200, rng=1, progress=False,
                    record=fg.Record(joint_actions=True))  # fmt: skip
    share = result.joint_counts[:, 1, 0].sum() / 40_000
    assert abs(share - stats.norm.cdf(1.0 / np.sqrt(8.0))) < 4 * 0.5 / np.sqrt(40_000)


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_a_mean_outside_its_domain_stops_the_run(backend):
    def step(state, actions, rewards, words):
        state[0] += 1
        rewards[0] = rewards[1] = poisson(words[0], 200.0 * state[0])
        return False

    def observe(state, agent):
        return 0

    game = fg.ProceduralGame(
        lambda state, words: None, step, observe, num_actions=(2, 2), num_observations=(1, 1),
        words=1,
    )  # fmt: skip
    with pytest.raises(fg.RuleError, match=r"step of .*\(replica 0, step 2\)"):
        fg.run(game, fg.QLearner(), 5, rng=1, backend=backend, progress=False)
