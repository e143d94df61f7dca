"""The contract on streams, arithmetic and the order of events, written out once more.

`Textbook` is a run of one replica in plain Python, of what ARCHITECTURE.md, "What is fixed", and
the docstrings of fastgames/rules/ promise. It keeps the whole history and works out from it what an
agent learns, where the engine carries pending moves along. Games and learners are read by their
public attributes; of fastgames' own arithmetic it takes the exponential and the logarithm only.
Where the engine disagrees, the engine is wrong.
"""

import itertools
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

import fastgames as fg
from fastgames.rules.exponential import exp
from fastgames.rules.logarithm import log

# --- where random numbers come from ---------------------------------------------------------------


def philox(counter, key):
    """Salmon et al. 2011, figure and section 4.2, on Python integers."""
    (left0, right0, left1, right1), (key0, key1) = counter, key
    for _ in range(10):
        high0, low0 = divmod(left0 * 0xD2511F53, 2**32)
        high1, low1 = divmod(left1 * 0xCD9E8D57, 2**32)
        left0, right0, left1, right1 = high1 ^ right0 ^ key0, low1, high0 ^ right1 ^ key1, low0
        key0, key1 = (key0 + 0x9E3779B9) % 2**32, (key1 + 0xBB67AE85) % 2**32
    return left0, right0, left1, right1


def _rotl(x, k):
    return (x * 2**k) % 2**32 + x // 2 ** (32 - k)


def xoshiro(s):
    """The next word, and the state after it: next() of the authors' xoshiro128plusplus.c."""
    s = list(s)
    result = (_rotl((s[0] + s[3]) % 2**32, 7) + s[0]) % 2**32
    t = (s[1] << 9) % 2**32
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = _rotl(s[3], 11)
    return result, tuple(s)


def first_state(seed, replica, role):
    """The state in which the stream of a role of a replica starts."""
    counter = (replica % 2**32, replica // 2**32, role, 0)
    return philox(counter, (seed % 2**32, seed // 2**32))


class Words:
    """The streams of one replica: of its agents, and nature's."""

    def __init__(self, seed, replica, real):
        self.seed, self.replica, self.real, self.states = seed, replica, real, {}

    def u(self, role):
        """The next word of a role, as the 31 bits that are used."""
        state = self.states.get(role) or first_state(self.seed, self.replica, role)
        word, self.states[role] = xoshiro(state)
        return word >> 1

    def explored(self, agent, epsilon, actions):
        """The action that is explored, or -1."""
        u, threshold = self.u(agent), math.floor(epsilon * 2**31)
        if u >= threshold:
            return -1
        return min(actions - 1, int(self.real(u) * self.real(actions / threshold)))

    def unit(self, agent):
        """A number in [0, 1) of the tables' type."""
        u, real = self.u(agent), self.real
        return real(u) * real(2.0**-31) if real is np.float64 else real(u >> 7) * real(2.0**-24)

    def nature(self, agents):
        """A number in [0, 1), of the role after the agents'."""
        return self.u(agents) * 2.0**-31


class Generator:
    """One numpy Generator, as textbook listings use it."""

    def __init__(self, rng):
        self.rng = rng

    def explored(self, agent, epsilon, actions):
        """The action that is explored, or -1."""
        return int(self.rng.integers(actions)) if self.rng.random() < epsilon else -1

    def unit(self, agent):
        """A number in [0, 1)."""
        return self.rng.random()

    def nature(self, agents):
        """A number in [0, 1)."""
        return self.rng.random()


# --- one replica ----------------------------------------------------------------------------------


def sampled(weights, x):
    """The index that a number in [0, 1) falls on; sums are taken in order."""
    sums = list(itertools.accumulate(weights))
    return sum(c <= x * sums[-1] for c in sums[:-1])


def first_best(row):
    """The first index of the largest value."""
    return list(row).index(max(row))


@dataclass
class World:
    """A game of tables as it was given: every array has an axis of states."""

    rewards: Any
    next: Any  # states, (S, A_0, ...), or their probabilities, (S, A_0, ..., S)
    discount: float
    start: Any
    terminal: Any
    observations: Any
    turns: Any
    time_limit: int | None

    @classmethod
    def of(cls, game):
        """Of a matrix game or a Markov game."""
        if isinstance(game, fg.MatrixGame):
            one, agents = np.zeros((1, *game.num_actions), int), game.num_agents
            nowhere, alone = np.zeros(1, bool), np.zeros((agents, 1), int)
            return cls(game.payoffs[:, None], one, 0.0, 0, nowhere, alone, alone == 0, None)
        p = game.transitions
        if not isinstance(p, np.ndarray):
            p = p.toarray().reshape(game.num_states, *game.num_actions, game.num_states)
        more = game.observations, game.turns, game.time_limit
        return cls(game.rewards, p, game.discount, game.start, game.terminal, *more)

    @property
    def chances(self):
        """Return whether nature draws the next state."""
        return self.next.dtype.kind == "f"


class Textbook:
    """One replica of `game`, whose learners are those on values and fixed policies.

    `q`: the tables; `visits`: {(observation, action): updates}; `history`: every step; `flips`: of
    greedy actions, by agent; `quietest`: steps without a flip, after every step; `state`; `age` of
    the episode. `opening`: the joint actions of the first steps, which replace those chosen.
    """

    def __init__(self, game, learners, real, source, replica=0):
        self.world, self.learners, self.real, self.source = World.of(game), learners, real, source
        self.num_actions, self.opening = game.num_actions, []
        self.agents = range(game.num_agents)
        self.q, self.visits = [], []
        for i, learner in enumerate(learners):
            size = (game.num_observations[i], game.num_actions[i])
            start = np.asarray(getattr(learner, "probabilities", getattr(learner, "initial", 0)))
            start = np.broadcast_to(start[replica] if start.ndim == 3 else start, size)
            self.q.append(start.astype(real))
            self.visits.append(dict.fromkeys(np.ndindex(size), 0))
        self.history, self.flips = [], [0] * game.num_agents
        self.quiet, self.quietest = 0, []
        self.state = self.begin()
        self.began = 0  # the step with which the episode began

    @property
    def age(self):
        """Steps of this episode."""
        return len(self.history) - self.began

    def play(self, steps):
        """Take steps; return self."""
        for _ in range(steps):
            self.step()
        return self

    def begin(self):
        if isinstance(self.world.start, int):
            return self.world.start
        return sampled(self.world.start, self.source.nature(len(self.agents)))

    def parameter(self, value, t):
        """Return the value of a parameter at step t."""
        if isinstance(value, fg.Exponential):
            v, factor = value.start, exp(-value.rate, np.float64)
            for _ in range(t):
                v = v * factor if v * factor >= 2.0**-1022 else 0.0
            return max(v, value.floor)
        if isinstance(value, fg.Linear):
            return value.start + (value.end - value.start) * min(t / value.steps, 1.0)
        if isinstance(value, fg.Hyperbolic):
            base = value.offset / (value.offset + t)
            if value.power == 1.0:
                return value.start * base
            return value.start * exp(np.float64(value.power * log(base)), np.float64)
        if isinstance(value, fg.Piecewise):
            knots = list(zip(value.steps, value.values, strict=True))
            if t < knots[0][0]:
                return knots[0][1]
            for (s, v), (s2, v2) in itertools.pairwise(knots):
                if s <= t < s2:
                    return v + (v2 - v) * ((t - s) / (s2 - s)) if value.between == "linear" else v
            return knots[-1][1]
        if isinstance(value, fg.Schedule):
            return value.function(t, *value.parameters)
        return value

    def act(self, i, t):
        learner, o = self.learners[i], self.world.observations[i, self.state]
        actions, row = self.num_actions[i], self.q[i][o]
        explore = getattr(learner, "explore", None)
        if isinstance(explore, fg.EpsilonGreedy):
            action = self.source.explored(i, self.parameter(explore.epsilon, t), actions)
            action = first_best(row) if action < 0 else action
        else:
            weights = self.weights(i, row, t) if isinstance(explore, fg.Softmax) else row
            action = sampled(weights, self.real(self.source.unit(i)))
        return action if self.world.turns[i, self.state] else 0

    def weights(self, i, row, t):
        temperature = self.real(self.parameter(self.learners[i].explore.temperature, t))
        return [exp((x - max(row)) / temperature, self.real) for x in row]

    def value(self, i, step, next_action, t):
        row = self.q[i][self.world.observations[i, step.reached]]
        if step.ended:
            return self.real(0)
        if isinstance(self.learners[i], fg.QLearner):
            return max(row)
        if next_action is not None:
            return row[next_action]
        total = self.real(0)
        if isinstance(self.learners[i].explore, fg.Softmax):
            w = self.weights(i, row, t)
            for a, x in enumerate(row):
                total = total + w[a] * x
            return total / list(itertools.accumulate(w))[-1]
        for x in row:
            total = total + x
        share = self.real(int(self.parameter(self.learners[i].explore.epsilon, t) * 2**31) / 2**31)
        return (self.real(1) - share) * max(row) + share * (total / self.real(len(row)))

    def last_move(self, i, t):
        """The last step up to t of this episode in which agent i moved."""
        steps = range(t, self.began - 1, -1)
        return next((m for m in steps if self.world.turns[i, self.history[m].state]), None)

    def learn(self, i, moved, until, next_action, t):
        """Agent i learns at step t from its move, and the rewards from then until a step."""
        learner, real, first = self.learners[i], self.real, self.history[moved]
        gain, weight = real(0), real(1)
        for m in range(moved, until + 1):
            gamma = self.world.discount if learner.gamma is None else learner.gamma
            gain = gain + weight * real(self.history[m].rewards[i])
            weight = weight * real(self.parameter(gamma, m))
        o = self.world.observations[i, first.state]
        later = weight * self.value(i, self.history[until], next_action, t)
        targets = {first.joint[i]: gain + later}
        if getattr(learner, "counterfactual", False):
            targets = {}
            for k in range(self.num_actions[i]):
                joint = (*first.joint[:i], k, *first.joint[i + 1 :])
                targets[k] = real(self.world.rewards[(i, first.state, *joint)]) + later
        before = first_best(self.q[i][o])
        for k, target in targets.items():
            self.visits[i][o, k] += 1
            alpha = self.step_size(learner.alpha, self.visits[i][o, k], t)
            self.q[i][o, k] = self.q[i][o, k] + real(alpha) * (target - self.q[i][o, k])
        return first_best(self.q[i][o]) != before

    def step_size(self, alpha, n, t):
        if not isinstance(alpha, fg.VisitCount):
            return self.parameter(alpha, t)
        return 1 / n if alpha.power == 1 else exp(-(alpha.power * log(float(n))), np.float64)

    def step(self):
        t, world = len(self.history), self.world
        joint = tuple(self.act(i, t) for i in self.agents)
        joint = self.opening[t] if t < len(self.opening) else joint
        rewards = [world.rewards[(i, self.state, *joint)] for i in self.agents]
        reached = world.next[(self.state, *joint)]
        if world.chances:
            reached = sampled(reached, self.source.nature(len(self.agents)))
        ended = bool(world.terminal[reached])
        over = ended or t + 1 - self.began == world.time_limit
        here = SimpleNamespace(
            state=self.state, joint=joint, rewards=rewards, reached=reached, ended=ended
        )
        self.history.append(here)
        changes = [0] * len(self.agents)
        for i in self.agents:
            if isinstance(self.learners[i], fg.FixedPolicy):
                continue
            waits = isinstance(self.learners[i], fg.Sarsa)
            if waits and world.turns[i, self.state]:
                moved = self.last_move(i, t - 1)
                if moved is not None:
                    changes[i] += self.learn(i, moved, t - 1, joint[i], t)
            moved = self.last_move(i, t)
            due = ended or (world.turns[i, reached] and (over or not waits))
            if moved is not None and due:
                changes[i] += self.learn(i, moved, t, None, t)
            self.flips[i] += changes[i]
        self.quiet = 0 if any(changes) else self.quiet + 1
        self.quietest.append(self.quiet)
        self.state = reached
        if over:
            self.state, self.began = self.begin(), t + 1
