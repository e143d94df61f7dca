"""LOLA from rollouts: its mean step against exact LOLA, variances, and the iterated dilemma."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames.learners.sampled_lola import learn
from fastgames.rules.outcome import Outcome

PD = np.array([[-1.0, -3.0], [0.0, -2.0]])
ZERO = np.zeros(5)
TIT_FOR_TAT = np.array([1.0, -1, 1, -1, 1]), np.array([1.0, 1, -1, -1, 1])


def iterated(discount, limit):
    """The iterated dilemma of `limit` steps, with states (0, 0), (0, 1), (1, 0), (1, 1), start."""
    following = np.broadcast_to(np.arange(4).reshape(2, 2), (5, 2, 2))
    rewards = [np.broadcast_to(x, (5, 2, 2)) for x in (PD, PD.T)]
    return fg.MarkovGame(rewards, following, discount, start=4, time_limit=limit)


def with_last_fixed(theta):
    """Logits (..., S, 2) of parameters (..., S)."""
    return np.stack([theta, np.zeros_like(theta)], axis=-1)


def exact_steps(game, logits, eta):
    """The changes of both agents' logits in one step of exact LOLA of size 1."""
    learners = [fg.LOLA(1.0, eta, initial=x) for x in logits]
    result = fg.run(game, learners, 1, rng=1, backend="reference")
    return [table["logits"][0] - x for table, x in zip(result.tables, logits, strict=True)]


def sampled_steps(game, logits, replicas, horizon, rollouts, eta, rng=2):
    """The changes of both agents' logits in one update of size 1, (replicas, S, A) of each."""
    learners = [fg.SampledLOLA(horizon, rollouts, 1.0, eta, 0.0, initial=x) for x in logits]
    result = fg.run(game, learners, horizon * rollouts, replicas, rng=rng)
    return [table["logits"] - x for table, x in zip(result.tables, logits, strict=True)]


def two_steps(seed):
    """A game of two steps with 2 and 3 actions; the state of the second is the joint action."""
    rng = np.random.default_rng(seed)
    moves = np.full((8, 2, 3), 7)
    moves[0] = np.arange(1, 7).reshape(2, 3)
    rewards = rng.normal(size=(2, 8, 2, 3))
    return fg.MarkovGame(rewards, moves, 0.8, terminal=np.arange(8) == 7)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def paths(game, policies):
    """All episodes of a game, with their probabilities: lists of (state, actions, next, ends)."""
    if isinstance(game, fg.MatrixGame):
        for joint in itertools.product(*(range(n) for n in game.num_actions)):
            yield policies[0][0, joint[0]] * policies[1][0, joint[1]], [(0, joint, 0, False)]
        return

    def after(state):
        if game.terminal[state]:
            yield 1.0, []
            return
        for joint in itertools.product(*(range(n) for n in game.num_actions)):
            chance = policies[0][state, joint[0]] * policies[1][state, joint[1]]
            following = game.transitions[state][joint]
            for rest, path in after(following):
                ends = bool(game.terminal[following])
                yield chance * rest, [(state, joint, following, ends), *path]

    yield from after(game.start)


def update(game, logits, agent, learner, values, rollouts):
    """The change of the logits of an agent after these rollouts, by its rules."""
    rules, discount = learner.rules, game.discount
    sizes = [t.shape(game, agent, (agent,)) for t in rules.tables]
    tables = [
        np.zeros(size, np.int64 if t.kind == "int64" else float)
        for t, size in zip(rules.tables, sizes, strict=True)
    ]
    tables = rules.as_tables(tables)
    tables.logits[:] = logits[agent]
    tables.value[:], tables.their_value[:] = values
    p = rules.as_p(learner.values(discount).values())
    for path in rollouts:
        for state, joint, following, ends in path:
            paid = game.payoffs if isinstance(game, fg.MatrixGame) else game.rewards[:, state]
            rewards = np.array([paid[(i, *joint)] for i in range(2)])
            learn(
                tables,
                p,
                Outcome(
                    state, joint[agent], rewards[agent], discount, following, -1, ends,
                    agent=agent, actions=np.array(joint), rewards=rewards,
                    others=joint[1 - agent], opponents=((logits[1 - agent],),),
                ),
            )  # fmt: skip
    assert tables.count[0] == 0
    return tables.logits - logits[agent]


@pytest.mark.parametrize("kind", ["matrix", "two steps"])
@pytest.mark.parametrize("baseline", [False, True])
def test_the_mean_step_over_all_rollouts_is_that_of_exact_lola(kind, baseline):
    rng = np.random.default_rng(3)
    if kind == "matrix":
        game, states, count = fg.MatrixGame(rng.normal(size=(2, 2, 3))), 1, 3
    else:
        game, states, count = two_steps(4), 8, 2
    logits = [rng.normal(size=(states, n)) for n in (2, 3)]
    every = list(paths(game, [softmax(x) for x in logits]))
    assert sum(chance for chance, _ in every) == pytest.approx(1.0)
    learner = fg.SampledLOLA(2, count, 1.0, 0.7, 0.0)
    exact = exact_steps(game, logits, 0.7)
    naive = exact_steps(game, logits, 0.0)
    for agent in range(2):
        values = rng.normal(size=(2, states)) if baseline else np.zeros((2, states))
        mean = np.zeros_like(logits[agent])
        for batch in itertools.product(every, repeat=count):
            chance = np.prod([each for each, _ in batch])
            rollouts = [path for _, path in batch]
            mean += chance * update(game, logits, agent, learner, values, rollouts)
        np.testing.assert_allclose(mean, exact[agent], atol=1e-12)
        assert np.abs(exact[agent] - naive[agent]).max() > 1e-3
        assert not mean[:, -1].any()  # the last logit is fixed
