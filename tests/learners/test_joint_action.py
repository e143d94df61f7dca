"""Joint action learners, against a replay of the recorded play and published shares."""

import numpy as np
import pytest

import fastgames as fg


def replay(path, agent, counts, states, alpha, gamma, initial):
    """Return the tables of an agent after steps (state, joint action, rewards, next state)."""
    others = [n for i, n in enumerate(counts) if i != agent]
    q = np.full((states, counts[agent], *others), initial)
    plays = np.zeros((states, *others), int)
    visits = np.zeros(q.shape, int)
    value = np.full((states, counts[agent]), initial)
    for s, joint, reward, after in path:
        rest = tuple(d for i, d in enumerate(joint) if i != agent)
        at = (s, joint[agent], *rest)
        visits[at] += 1
        step = alpha if alpha is not None else 1.0 / visits[at]
        q[at] += step * (reward[agent] + gamma * value[after].max() - q[at])
        plays[(s, *rest)] += 1
        value[s] = [(plays[s] * row).sum() / plays[s].sum() for row in q[s]]
    flat = (states, counts[agent], -1)
    return {"q": q.reshape(flat), "plays": plays.reshape(states, -1), "value": value}


@pytest.mark.parametrize("alpha", [0.3, None])
@pytest.mark.parametrize("agent", [0, 1, 2])
def test_tables_follow_from_the_recorded_play(agent, alpha):
    rng = np.random.default_rng(3)
    counts, states, steps = (2, 3, 2), 3, 60
    rewards = rng.normal(size=(3, states, *counts))
    following = rng.integers(states, size=(states, *counts))
    game = fg.MarkovGame(rewards, following, discount=0.7)
    learner = fg.JointActionLearner(
        alpha=fg.VisitCount(1.0) if alpha is None else alpha,
        explore=fg.EpsilonGreedy(0.6),
        initial=0.5,
    )
    result = fg.run(game, learner, steps, 2, rng=1, record=fg.Record(path=steps))
    for replica in range(2):
        path = []
        for s, joint in zip(result.path.states[replica], result.path.actions[replica], strict=True):
            joint = tuple(joint)
            path.append((s, joint, rewards[(slice(None), s, *joint)], following[(s, *joint)]))
        wanted = replay(path, agent, counts, states, alpha, 0.7, 0.5)
        for name, table in wanted.items():
            np.testing.assert_allclose(result.tables[agent][name][replica], table, atol=1e-12)


def shares(game, learner):
    """Return the shares of the greedy joint actions of 1,000 runs, (3, 3)."""
    result = fg.run(game, learner, 5000, 1000, rng=7)
    found = np.zeros((3, 3))
    np.add.at(found, (result.greedy(0)[:, 0], result.greedy(1)[:, 0]), 1e-3)
    return found


def test_published_shares_of_climbing_and_penalty():
    """Agents that respond to what was played avoid (a, a): never optimal; (b, c) in 97 %."""
    epsilon = fg.Exponential(1.0, -np.log(0.998), 0.01)
    learner = fg.JointActionLearner(alpha=0.1, explore=fg.EpsilonGreedy(epsilon))
    climbing = shares(fg.games.climbing(), learner)
    assert climbing[0, 0] == 0.0
    assert climbing[1, 2] == pytest.approx(0.97, abs=0.04)
    assert shares(fg.games.penalty(k=-100), learner)[1, 1] >= 0.99


def test_games_with_turns_are_refused():
    with pytest.raises(ValueError, match="game must be without turns for JointActionLearner"):
        fg.run(fg.games.klein(), fg.JointActionLearner(), 10)
