"""Compare the learners of teams, gradients and opponents with plain Numba loops written by hand.

    python bench/rivals/chapter.py [--rounds 5] [--only actor_critic reinforce …]

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
CHICKEN = fg.games.chicken().payoffs[0]
DILEMMA_GAME = fg.games.prisoners_dilemma()
MEMORY = fg.remember(DILEMMA_GAME, discount=0.9)  # the last joint action is seen
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


@numba.njit
def ippo(runs, payoffs, steps, n=32, epochs=4):
    """Play with two IPPO learners, which compute their policies once an epoch."""
    logits, chances, value = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2)
    old, up, down, slope = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2)
    played, error, total = np.zeros((n, 2), np.int64), np.zeros((n, 2)), 0.0
    for seed in range(runs):
        s = seeded(seed)
        logits[:], value[:], chances[:] = 0.0, 0.0, 0.5
        for _ in range(steps // n):
            for t in range(n):
                for i in range(2):
                    played[t, i] = sample(chances[i], uniform(s))
                for i in range(2):
                    error[t, i] = payoffs[played[t, i], played[t, 1 - i]] - value[i]
            for i in range(2):
                up[:], down[:] = 0.0, 0.0
                for t in range(n):
                    if error[t, i] > 0.0:
                        up[played[t, i]] += error[t, i]
                    else:
                        down[played[t, i]] += error[t, i]
                target = value[i] + error[:, i].sum() / n
                old[:] = chances[i]
                for _ in range(epochs):
                    value[i] += 0.1 * (target - value[i])
                    for a in range(2):
                        ratio = chances[i, a] / old[a] if old[a] > 0.0 else 1.0
                        slope[a] = ratio * up[a] if ratio <= 1.2 else 0.0
                        slope[a] += ratio * down[a] if ratio >= 0.8 else 0.0
                    gain = slope.sum()
                    for a in range(2):
                        logits[i, a] += 0.01 / n * (slope[a] - chances[i, a] * gain)
                    softmax(logits[i], chances[i])
        total += logits[0, 1]
    return total / runs


@numba.njit
def self_play(runs, payoffs, steps):
    """Play with one Q-table for both seats, which learns from the first seat first."""
    q, total = np.zeros(2), 0.0
    for seed in range(runs):
        s = seeded(seed)
        q[:] = 0.0
        for _ in range(steps):
            u, v = uniform(s), uniform(s)
            a = int(u * 20.0) if u < 0.1 else int(q[1] > q[0])
            b = int(v * 20.0) if v < 0.1 else int(q[1] > q[0])
            q[a] += 0.1 * (payoffs[a, b] - q[a])
            q[b] += 0.1 * (payoffs[b, a] - q[b])
        total += q[0] + q[1]
    return total / runs


@numba.njit
def mappo(runs, payoffs, steps, n=32, epochs=4, gamma=0.9):
    """Play the dilemma with memory as a team of MAPPO, with values of the four states."""
    logits, chances, value = np.zeros((2, 4, 2)), np.zeros((2, 4, 2)), np.zeros(4)
    up, down, slope, old = np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(2), np.zeros(2)
    seen, played, gain = np.zeros(n + 1, np.int64), np.zeros((n, 2), np.int64), np.zeros(n + 1)
    error, visits, target, total = np.zeros(n), np.zeros(4, np.int64), np.zeros(4), 0.0
    for seed in range(runs):
        s = seeded(seed)
        logits[:], value[:], chances[:] = 0.0, 0.0, 0.5
        seen[n] = 0
        for _ in range(steps // n):
            seen[0] = seen[n]
            for t in range(n):
                o = seen[t]
                a = sample(chances[0, o], uniform(s))
                b = sample(chances[1, o], uniform(s))
                played[t, 0], played[t, 1], seen[t + 1] = a, b, 2 * a + b
                reward = 0.5 * (payoffs[a, b] + payoffs[b, a])
                error[t] = reward + gamma * value[seen[t + 1]] - value[o]
            visits[:], target[:] = 0, 0.0
            for t in range(n - 1, -1, -1):
                gain[t] = error[t] + gamma * 0.95 * gain[t + 1]
                visits[seen[t]] += 1
                target[seen[t]] += gain[t]
            for o in range(4):
                if visits[o]:
                    target[o] = value[o] + target[o] / visits[o]
                    for _ in range(epochs):
                        value[o] += 0.1 * (target[o] - value[o])
            for i in range(2):
                up[:], down[:] = 0.0, 0.0
                for t in range(n):
                    if gain[t] > 0.0:
                        up[seen[t], played[t, i]] += gain[t]
                    else:
                        down[seen[t], played[t, i]] += gain[t]
                for o in range(4):
                    if visits[o] == 0:
                        continue
                    old[:] = chances[i, o]
                    for _ in range(epochs):
                        for a in range(2):
                            ratio = chances[i, o, a] / old[a] if old[a] > 0.0 else 1.0
                            slope[a] = ratio * up[o, a] if ratio <= 1.2 else 0.0
                            slope[a] += ratio * down[o, a] if ratio >= 0.8 else 0.0
                        mean = slope[0] + slope[1]
                        for a in range(2):
                            logits[i, o, a] += 0.01 / n * (slope[a] - chances[i, o, a] * mean)
                        softmax(logits[i, o], chances[i, o])
        total += value[0]
    return total / runs


@numba.njit
def maddpg(runs, payoffs, steps, gamma=0.9):
    """Play the dilemma with memory with two MADDPG agents."""
    logits, chances, q = np.zeros((2, 4, 2)), np.zeros((2, 2)), np.zeros((2, 4, 4))
    after, total = np.zeros((2, 2)), 0.0
    for seed in range(runs):
        s = seeded(seed)
        logits[:], q[:], o = 0.0, 0.0, 0
        for _ in range(steps):
            softmax(logits[0, o], chances[0])
            softmax(logits[1, o], chances[1])
            a, b = sample(chances[0], uniform(s)), sample(chances[1], uniform(s))
            u = 2 * a + b
            softmax(logits[0, u], after[0])
            softmax(logits[1, u], after[1])
            for i in range(2):
                ahead, mean = 0.0, 0.0
                for x in range(2):
                    for y in range(2):
                        ahead += after[0, x] * after[1, y] * q[i, u, 2 * x + y]
                reward = payoffs[a, b] if i == 0 else payoffs[b, a]
                q[i, o, u] += 0.2 * (reward + gamma * ahead - q[i, o, u])
                for x in range(2):
                    for y in range(2):
                        mean += chances[0, x] * chances[1, y] * q[i, o, 2 * x + y]
                own = a if i == 0 else b
                for x in range(2):
                    grad = (x == own) - chances[i, x]
                    logits[i, o, x] += 0.05 * (q[i, o, u] - mean) * grad
            o = u
        total += q[0].sum()
    return total / runs


@numba.njit
def unit(x, k):
    """Return the value of unit k of the mixer of QMIX."""
    if k % 3 == 0:
        return x if x > 0.0 else math.exp(x) - 1.0
    if k % 3 == 1:
        return x if x < 0.0 else 1.0 - math.exp(-x)
    return math.tanh(x)


@numba.njit
def slope(value, k):
    """Return the derivative of unit k where it has this value."""
    if k % 3 == 0:
        return 1.0 if value > 0.0 else 1.0 + value
    if k % 3 == 1:
        return 1.0 if value < 0.0 else 1.0 - value
    return 1.0 - value * value


@numba.njit
def qmix(runs, payoffs, steps, hidden=12):
    """Play a matrix game with a QMIX team, with epsilon = 0.1 and alpha = 0.01."""
    n = len(payoffs)
    q, w, b = np.zeros((2, n)), np.zeros((hidden, 2)), np.zeros(hidden)
    v, units, slopes = np.zeros(hidden), np.zeros(hidden), np.zeros(hidden)
    action, x, change, total = np.zeros(2, np.int64), np.zeros(2), np.zeros(2), 0.0
    for seed in range(runs):
        s = seeded(seed)
        q[:], w[:], v[:], b[:], c = 0.0, 0.1, 0.3, np.linspace(-1.0, 1.0, hidden), 0.0
        for _ in range(steps):
            for i in range(2):
                u = uniform(s)
                action[i] = int(u * 10.0 * n) if u < 0.1 else np.argmax(q[i])
                x[i] = q[i, action[i]]
            change[:] = 0.0
            value, square, most = c, 1.0, 1.0 + abs(c) + abs(x[0]) + abs(x[1])
            for k in range(hidden):
                inside = b[k] + abs(w[k, 0]) * x[0] + abs(w[k, 1]) * x[1]
                units[k] = unit(inside, k)
                value += abs(v[k]) * units[k]
                slopes[k] = abs(v[k]) * slope(units[k], k)
                square += units[k] ** 2 + slopes[k] ** 2 * (1.0 + x[0] ** 2 + x[1] ** 2)
                most += abs(b[k]) + abs(v[k]) + abs(w[k, 0]) + abs(w[k, 1])
                for i in range(2):
                    change[i] += slopes[k] * abs(w[k, i])
            square += change[0] ** 2 + change[1] ** 2
            error = payoffs[action[0], action[1]] - value
            step = min(0.01, 1.0 / square) * error
            length = abs(step) * math.sqrt(square)
            if length > most:
                step *= most / length
            for k in range(hidden):
                for i in range(2):
                    w[k, i] += step * slopes[k] * x[i] * (1.0 if w[k, i] >= 0.0 else -1.0)
                b[k] += step * slopes[k]
                v[k] += step * units[k] * (1.0 if v[k] >= 0.0 else -1.0)
            c += step
            for i in range(2):
                q[i, action[i]] += step * change[i]
        total += q[0].sum()
    return total / runs


@numba.njit
def values(pi, rho, pays, after, gamma, inverse, q):
    """Write the values of joint actions in the dilemma with memory; pays, after, q[o]: (a, b)."""
    mean = np.zeros(4)
    for o in range(4):
        for a in range(2):
            for b in range(2):
                mean[o] += pi[o, a] * rho[o, b] * pays[a, b]
    v = inverse @ mean
    for o in range(4):
        for a in range(2):
            for b in range(2):
                q[o, a, b] = pays[a, b] + gamma * v[after[a, b]]


@numba.njit
def aware(pi, rho, payoffs, after, gamma, out):
    """Write the step of LOLA for every state into out; after[a, b]: the next state."""
    chain, q, w = np.zeros((4, 4)), np.zeros((4, 2, 2)), np.zeros((4, 2, 2))
    change, gain, moved = np.zeros((4, 2)), np.zeros(4), np.zeros(4)
    for o in range(4):
        for a in range(2):
            for b in range(2):
                chain[o, after[a, b]] = pi[o, a] * rho[o, b]
    inverse = np.linalg.inv(np.eye(4) - gamma * chain)
    d = inverse[0]
    values(pi, rho, payoffs, after, gamma, inverse, q)
    values(pi, rho, payoffs.T, after, gamma, inverse, w)
    for o in range(4):
        ahead = pi[o, 0] * (q[o, 0, 0] - q[o, 0, 1]) + pi[o, 1] * (q[o, 1, 0] - q[o, 1, 1])
        change[o, 0] = d[o] * (rho[o, 0] * rho[o, 1]) ** 2 * ahead
        change[o, 1] = -change[o, 0]
        for a in range(2):
            for b in range(2):
                gain[o] += pi[o, a] * change[o, b] * w[o, a, b]
                moved[after[a, b]] += d[o] * pi[o, a] * change[o, b]
    later, shifted = inverse @ gain, moved @ inverse
    for o in range(4):
        slope = 0.0
        for a in range(2):
            part = 0.0
            for b in range(2):
                part += d[o] * (rho[o, b] * q[o, a, b] + change[o, b] * w[o, a, b])
                part += d[o] * gamma * rho[o, b] * later[after[a, b]]
                part += gamma * shifted[o] * rho[o, b] * w[o, a, b]
            slope += part if a == 0 else -part
        out[o] = pi[o, 0] * pi[o, 1] * slope


@numba.njit
def lola(runs, payoffs, steps, gamma=0.9):
    """Step two LOLA agents in the dilemma with memory, from random logits."""
    theta, change, policy = np.zeros((2, 4)), np.zeros((2, 4)), np.zeros((2, 4, 2))
    after = np.array([[[0, 1], [2, 3]], [[0, 2], [1, 3]]])  # by each agent's own action first
    total = 0.0
    for seed in range(runs):
        np.random.seed(seed)
        for i in range(2):
            for o in range(4):
                theta[i, o] = np.random.normal()
        for _ in range(steps):
            for i in range(2):
                for o in range(4):
                    policy[i, o, 0] = 1.0 / (1.0 + math.exp(-theta[i, o]))
                    policy[i, o, 1] = 1.0 - policy[i, o, 0]
            for i in range(2):
                aware(policy[i], policy[1 - i], payoffs, after[i], gamma, change[i])
            theta += change
        total += theta[0, 0]
    return total / runs


@numba.njit
def sampled_lola(runs, payoffs, steps, horizon=16, count=8, gamma=0.9):
    """Play the dilemma with memory with two LOLA agents that learn from rollouts."""
    theta, value, sums = np.zeros((2, 4)), np.zeros((2, 4)), np.zeros((2, 4))
    chance, slope, visits = np.zeros((2, 4)), np.zeros((2, 4)), np.zeros(4)
    seen = np.zeros((count, horizon), np.int64)
    score, weight = np.zeros((2, count, horizon)), np.zeros((2, count, horizon))
    pull, y, action = np.zeros((count + 1, 4)), np.zeros(horizon), np.zeros(2, np.int64)
    total = 0.0
    for seed in range(runs):
        s = seeded(seed)
        theta[:], value[:], o = 0.0, 0.0, 0
        for _ in range(steps // (horizon * count)):
            sums[:], visits[:], slope[:] = 0.0, 0.0, 0.0
            for i in range(2):
                for k in range(4):
                    chance[i, k] = 1.0 / (1.0 + math.exp(-theta[i, k]))
            for k in range(count):
                for j in range(horizon):
                    for i in range(2):
                        action[i] = uniform(s) >= chance[i, o]
                        score[i, k, j] = (action[i] == 0) - chance[i, o]
                    for i in range(2):
                        weight[i, k, j] = payoffs[action[i], action[1 - i]]
                    seen[k, j] = o
                    o = 2 * action[0] + action[1]
                for i in range(2):
                    ahead, discount = 0.0, gamma ** (horizon - 1)
                    for j in range(horizon - 1, -1, -1):
                        ahead = weight[i, k, j] + gamma * ahead
                        sums[i, seen[k, j]] += ahead
                        weight[i, k, j] = discount * (ahead - value[i, seen[k, j]])
                        discount /= gamma
                for j in range(horizon):
                    visits[seen[k, j]] += 1
            for i in range(2):
                pull[:] = 0.0
                for k in range(count):
                    for j in range(horizon):
                        pull[k, seen[k, j]] += weight[i, k, j] * score[1 - i, k, j]
                for k in range(count):
                    for q in range(4):
                        pull[count, q] += pull[k, q]
                for k in range(count):
                    x, later = 0.0, 0.0
                    for j in range(horizon):
                        q = seen[k, j]
                        y[j] = score[1 - i, k, j] * (pull[count, q] - pull[k, q]) / (count - 1)
                        x += y[j]
                    for j in range(horizon - 1, -1, -1):
                        w = weight[1 - i, k, j]
                        slope[i, seen[k, j]] += score[i, k, j] * (weight[i, k, j] + w * x + later)
                        later += w * y[j]
                        x -= y[j]
            for i in range(2):
                for q in range(4):
                    theta[i, q] += 0.1 * slope[i, q] / count
                    if visits[q] > 0:
                        value[i, q] += 0.1 * (sums[i, q] / visits[q] - value[i, q])
        total += theta[0, 0]
    return total / runs


def found(runs, game, learner, table, entry, steps=STEPS, backend="auto"):
    """Return an entry of a table of the first agent, or the sum of the table, in each run."""
    learner = learner(runs) if callable(learner) else learner
    tables = run(game, learner, steps, runs, backend).tables[0][table]
    tables = tables.reshape(runs, -1)
    return tables.sum(axis=1) if entry is None else tables[:, entry]


def aware_learners(runs):
    """Return LOLA learners that start from random logits, those of the first actions."""
    rng = np.random.default_rng(1)
    return [fg.LOLA(initial=rng.normal(size=(runs, 4, 2)) * [1.0, 0.0]) for _ in range(2)]


CASES = {  # game, learner, by hand, payoffs, table, entry, steps
    "actor_critic": (
        DILEMMA_GAME, fg.ActorCritic(0.05, 0.2), actor_critic, DILEMMA, "value", 0, STEPS,
    ),
    "reinforce": (DILEMMA_GAME, fg.Reinforce(0.001), reinforce, DILEMMA, "logits", 1, STEPS),
    "grpo": (DILEMMA_GAME, fg.GRPO(8, 0.01), grpo, DILEMMA, "logits", 1, STEPS),
    "ippo": (DILEMMA_GAME, fg.IPPO(32, 4, 0.01, 0.1), ippo, DILEMMA, "logits", 1, STEPS),
    "mappo": (MEMORY, fg.MAPPO(32, 4, 0.01, 0.1), mappo, DILEMMA, "value", 0, STEPS),
    "maddpg": (MEMORY, fg.MADDPG(0.05, 0.2), maddpg, DILEMMA, "q", None, STEPS),
    "qmix": (fg.games.climbing(), fg.QMIX(0.01), qmix, CLIMBING, "q", None, STEPS),
    "joint_action": (
        fg.games.climbing(), fg.JointActionLearner(0.1), joint_action, CLIMBING, "value", None,
        STEPS,
    ),
    "sampled_lola": (
        MEMORY, fg.SampledLOLA(16, 8), sampled_lola, DILEMMA, "logits", 0, 10_240,
    ),
    "lola": (MEMORY, aware_learners, lola, DILEMMA, "logits", 0, 500),
    "self_play": (
        fg.games.chicken(), fg.SelfPlay(fg.QLearner()), self_play, CHICKEN, "q", None, STEPS,
    ),
}  # fmt: skip


def workloads():
    """Yield the name, the title, the agents and the programs of each, the one by hand last."""
    for name, (game, learner, by_hand, payoffs, table, entry, steps) in CASES.items():
        ours = functools.partial(
            found, game=game, learner=learner, table=table, entry=entry, steps=steps
        )
        check = {"expected": functools.cache(functools.partial(ours, 2_048))}
        yield (
            name, f"{game.name}, two agents, {steps:,} steps a run", 2,
            [
                Contender("fastgames", timed_of(steps, 256, ours), **check),
                Contender("by hand", timed_of(steps, 256, by_hand, payoffs, steps), **check),
            ],
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n")[0], workloads(), tuple(CASES)))
