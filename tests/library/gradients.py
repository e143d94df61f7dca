"""Policies, scores and one-step games of policy-gradient learners, from their definitions."""

import itertools

import numpy as np
from scipy.special import softmax

import fastgames as fg
from fastgames.rules.chance import normal


def mix(logits, epsilon=0.0):
    """Return the softmax of logits (..., A), mixed with uniform play."""
    return (1 - epsilon) * softmax(logits, axis=-1) + epsilon / np.shape(logits)[-1]


def score(logits, a, epsilon=0.0):
    """Return d log pi(a) / d logits, (A,), by central differences."""
    out = np.zeros(len(logits))
    for k in range(len(logits)):
        up, down = np.array(logits), np.array(logits)
        up[k] += 1e-5
        down[k] -= 1e-5
        out[k] = (np.log(mix(up, epsilon)[a]) - np.log(mix(down, epsilon)[a])) / 2e-5
    return out


def adding_game(agents, sigma):
    """Everyone gets the sum of the actions (0 or 1), plus sigma times a common normal number."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        total = 0.0
        for i in range(agents):
            total += actions[i]
        total = normal(words[0], total, sigma)
        for i in range(agents):
            rewards[i] = total
        return False

    def observe(state, agent):
        return 0

    sizes = {"num_actions": [2] * agents, "num_observations": [1] * agents}
    return fg.ProceduralGame(
        start, step, observe, **sizes, words=1, largest_reward=100.0, state_bounds=[(0, 0)]
    )


def sums(agents):
    """Return the sums of all joint actions of agents with actions 0 and 1, in order."""
    return np.array([sum(u) for u in itertools.product((0, 1), repeat=agents)], float)


def changes(game, learner, tables=None, samples=200_000, steps=1, seed=1):
    """Return the change of agent 0's logit of action 1 in so many runs from uniform play.

    tables: of every agent, or a list with those of each
    """
    given = [tables] * game.num_agents if isinstance(tables, dict) else tables
    result = fg.run(game, learner, steps, samples, rng=seed, start_tables=given)
    return result.tables[0]["logits"][:, 0, 1]
