"""Compare the learners of teams, gradients and opponents with plain Numba loops written by hand.

    python bench/rivals/chapter.py [--rounds 5] [--only actor_critic reinforce grpo joint_action]

Measured and checked as in `own.py`. Both play the same game with the same parameters, in float64.
"""

import functools
import math
import sys

import numba
import numpy as np
from compare import Contender
from own import main, run, seeded, timed_of, uniform

import fastgames as fg

STEPS = 10_000
DILEMMA = np.array([[3.0, 0.0], [5.0, 1.0]])  # of an agent, by its own action first
CLIMBING = np.array([[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]])


@numba.njit
def softmax(logits, out):
    """Write the softmax of the logits into `out`."""
    most = logits.max()
    total = 0.0
    for a in range(len(out)):
        out[a] = math.exp(logits[a] - most)
        total += out[a]
    for a in range(len(out)):
        out[a] /= total


@numba.njit
def sample(chances, u):
    """Return an action with these probabilities."""
    total = 0.0
    for a in range(len(chances) - 1):
        total += chances[a]
        if u < total:
            return a
    return len(chances) - 1


@numba.njit
def actor_critic(runs, payoffs, steps):
    """Play with two one-step actor-critics, which compute their policies once a step."""
    logits, chances, value = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2)
    action, total = np.zeros(2, np.int64), 0.0
    for seed in range(runs):
        s = seeded(seed)
        logits[:], value[:] = 0.0, 0.0
        for _ in range(steps):
            for i in range(2):
                softmax(logits[i], chances[i])
                action[i] = sample(chances[i], uniform(s))
            for i in range(2):
                a = action[i]
                error = payoffs[a, action[1 - i]] - value[i]
                value[i] += 0.2 * error
                for b in range(2):
                    logits[i, b] += 0.05 * error * ((b == a) - chances[i, b])
        total += value[0]
    return total / runs


@numba.njit
def reinforce(runs, payoffs, steps):
    """Play with two REINFORCE learners without a baseline."""
    logits, chances = np.zeros((2, 2)), np.zeros((2, 2))
    action, total = np.zeros(2, np.int64), 0.0
    for seed in range(runs):
        s = seeded(seed)
        logits[:] = 0.0
        for _ in range(steps):
            for i in range(2):
                softmax(logits[i], chances[i])
                action[i] = sample(chances[i], uniform(s))
            for i in range(2):
                a = action[i]
                reward = payoffs[a, action[1 - i]]
                for b in range(2):
                    logits[i, b] += 0.001 * reward * ((b == a) - chances[i, b])
        total += logits[0, 1]
    return total / runs


@numba.njit
def grpo(runs, payoffs, steps, group=8):
    """Play with two GRPO learners, which compute their policies once a group."""
    logits, chances = np.zeros((2, 2)), np.zeros((2, 2))
    action, reward, total = np.zeros((group, 2), np.int64), np.zeros((group, 2)), 0.0
    for seed in range(runs):
        s = seeded(seed)
        logits[:] = 0.0
        for _ in range(steps // group):
            softmax(logits[0], chances[0])
            softmax(logits[1], chances[1])
            for g in range(group):
                for i in range(2):
                    action[g, i] = sample(chances[i], uniform(s))
                for i in range(2):
                    reward[g, i] = payoffs[action[g, i], action[g, 1 - i]]
            for i in range(2):
                mean = reward[:, i].mean()
                spread = 0.0
                for g in range(group):
                    spread += (reward[g, i] - mean) ** 2
                if spread > 0.0:
                    scale = 1.0 / math.sqrt(spread / (group - 1))
                    for g in range(group):
                        for b in range(2):
                            advantage = scale * (reward[g, i] - mean)
                            step = (b == action[g, i]) - chances[i, b]
                            logits[i, b] += 0.01 / group * advantage * step
        total += logits[0, 1]
    return total / runs


@numba.njit
def joint_action(runs, payoffs, steps):
    """Play with two joint action learners, with epsilon = 0.1 and alpha = 0.1."""
    n = len(payoffs)
    q, plays, value = np.zeros((2, n, n)), np.zeros((2, n), np.int64), np.zeros((2, n))
    action, total = np.zeros(2, np.int64), 0.0
    for seed in range(runs):
        s = seeded(seed)
        q[:], plays[:], value[:] = 0.0, 0, 0.0
        for t in range(steps):
            for i in range(2):
                u = uniform(s)
                action[i] = int(u * 10.0 * n) if u < 0.1 else np.argmax(value[i])
            reward = payoffs[action[0], action[1]]
            for i in range(2):
                a, b = action[i], action[1 - i]
                q[i, a, b] += 0.1 * (reward - q[i, a, b])
                plays[i, b] += 1
                for k in range(n):
                    value[i, k] = 0.0
                    for j in range(n):
                        value[i, k] += plays[i, j] * q[i, k, j]
                    value[i, k] /= t + 1
        total += value[0].sum()
    return total / runs


def found(runs, game, learner, table, entry, backend="auto"):
    """Return an entry of a table of the first agent, or the sum of the table, in each run."""
    tables = run(game, learner, STEPS, runs, backend).tables[0][table]
    tables = tables.reshape(runs, -1)
    return tables.sum(axis=1) if entry is None else tables[:, entry]


CASES = {  # game, learner, by hand, payoffs, table, entry
    "actor_critic": (
        fg.games.prisoners_dilemma, fg.ActorCritic(0.05, 0.2), actor_critic, DILEMMA, "value", 0,
    ),
    "reinforce": (
        fg.games.prisoners_dilemma, fg.Reinforce(0.001), reinforce, DILEMMA, "logits", 1,
    ),
    "grpo": (fg.games.prisoners_dilemma, fg.GRPO(8, 0.01), grpo, DILEMMA, "logits", 1),
    "joint_action": (
        fg.games.climbing, fg.JointActionLearner(0.1), joint_action, CLIMBING, "value", None,
    ),
}  # fmt: skip


def workloads():
    """Yield the name, the title, the agents and the programs of each, the one by hand last."""
    for name, (make, learner, by_hand, payoffs, table, entry) in CASES.items():
        game = make()
        ours = functools.partial(found, game=game, learner=learner, table=table, entry=entry)
        check = {"expected": functools.cache(functools.partial(ours, 2_048))}
        yield (
            name, f"{game.name}, two agents, {STEPS:,} steps a run", 2,
            [
                Contender("fastgames", timed_of(STEPS, 256, ours), **check),
                Contender("by hand", timed_of(STEPS, 256, by_hand, payoffs, STEPS), **check),
            ],
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n")[0], workloads(), tuple(CASES)))
