"""The contract on streams, arithmetic and the order of events, written out once more.

One replica, in plain Python, of what ARCHITECTURE.md, "What is fixed", and the docstrings of
fastgames/rules/ promise: nothing is imported from fastgames but the run that it is compared with.
Where the engine disagrees, the engine is wrong.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgames as fg


class Stream:
    """xoshiro128++ started by Philox4x32-10."""

    def __init__(self, seed, replica, role):
        c = [replica % 2**32, replica // 2**32, role, 0]
        k = [seed % 2**32, seed // 2**32]
        for _ in range(10):
            p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(p1 >> 32) ^ c[1] ^ k[0], p1 % 2**32, (p0 >> 32) ^ c[3] ^ k[1], p0 % 2**32]
            k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
        self.s = c

    def u(self):
        """The next word, as the 31 bits that are used."""
        s = self.s
        x = (s[0] + s[3]) % 2**32
        word = (((x << 7) | (x >> 25)) + s[0]) % 2**32
        t = (s[1] << 9) % 2**32
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = ((s[3] << 11) | (s[3] >> 21)) % 2**32
        return word >> 1


def sampled(u, weights, real):
    total = real(0)
    sums = [total := real(total + real(w)) for w in weights]
    x = real(u) * real(2.0**-31) if real is np.float64 else real(u >> 7) * real(2.0**-24)
    return sum(c <= x * sums[-1] for c in sums[:-1])


class Explorer:
    """A Q-learner; epsilon and alpha are functions of the step."""

    def __init__(self, actions, alpha, gamma, epsilon, real):
        self.q = [real(0)] * actions
        self.alpha, self.gamma, self.epsilon, self.real = alpha, gamma, epsilon, real

    def choose(self, u, t):
        threshold = math.floor(self.epsilon(t) * 2**31)
        if u <= threshold - 1:
            actions = len(self.q)
            return min(actions - 1, int(self.real(u) * self.real(actions / threshold)))
        return self.q.index(max(self.q))

    def learn(self, action, reward, t):
        real = self.real
        target = real(reward) + real(self.gamma) * max(self.q)
        self.q[action] = self.q[action] + real(self.alpha(t)) * (target - self.q[action])


class Fixed:
    """A fixed policy."""

    def __init__(self, probabilities, real):
        self.q, self.real = probabilities, real

    def choose(self, u, t):
        return sampled(u, self.q, self.real)

    def learn(self, action, reward, t):
        pass


def play(payoffs, agents, seed, replica, steps):
    """Play; the joint actions in order."""
    streams = [Stream(seed, replica, role) for role in range(len(agents))]
    joint_actions = []
    for t in range(steps):
        joint = [agent.choose(stream.u(), t) for agent, stream in zip(agents, streams, strict=True)]
        for i, agent in enumerate(agents):
            agent.learn(joint[i], payoffs[i][tuple(joint)], t)
        joint_actions.append(tuple(joint))
    return joint_actions


@pytest.mark.parametrize("backend", ["cython", "numba", "reference"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@given(
    seed=st.integers(0, 2**64 - 1),
    shape=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    gamma=st.sampled_from([0.0, 0.9]),
    epsilon=st.sampled_from([0.0, 0.3, 1.0]),
    schedule=st.sampled_from(["none", "exponential", "linear"]),
    steps=st.integers(1, 30),
)
def test_a_run_follows_the_contract(backend, dtype, seed, shape, gamma, epsilon, schedule, steps):
    real = getattr(np, dtype)
    rng = np.random.default_rng(seed)
    payoffs = rng.normal(size=(len(shape), *shape))
    probabilities = rng.dirichlet(np.ones(shape[-1]))
    alphas = {
        "none": lambda t: 0.2,
        "exponential": lambda t: max(0.05, 0.5 * 0.5**t),
        "linear": lambda t: 0.9 + (0.1 - 0.9) * min(t / 7, 1),
    }
    alpha = {
        "none": 0.2,
        "exponential": fg.Exponential(0.5, np.log(2.0), 0.05),
        "linear": fg.Linear(0.9, 0.1, 7),
    }[schedule]
    learner = fg.QLearner(alpha, gamma, fg.EpsilonGreedy(epsilon))
    learners = [learner] * (len(shape) - 1) + [fg.FixedPolicy(probabilities)]
    result = fg.run(
        fg.MatrixGame(payoffs),
        learners,
        steps=steps,
        replicas=20,
        rng=seed,
        dtype=dtype,
        backend=backend,
        record=fg.Record(joint_actions=True, rewards=True),
    )
    for replica in (0, 19):
        agents = [Explorer(n, alphas[schedule], gamma, lambda t: epsilon, real) for n in shape[:-1]]
        agents.append(Fixed(probabilities, real))
        joint_actions = play(payoffs, agents, seed, replica, steps)
        exact = schedule != "exponential"  # 0.5^t there is exp(-rate)^t here
        for i, agent in enumerate(agents[:-1]):
            got = result.tables[i]["q"][replica, 0]
            assert (got == agent.q).all() if exact else np.allclose(got, agent.q, atol=1e-5)
        counts = np.zeros(shape, int)
        for joint in joint_actions:
            counts[joint] += 1
        assert (result.joint_counts[replica] == counts).all()
        for i in range(len(shape)):
            total = 0.0
            for joint in joint_actions:
                total += float(real(payoffs[i][joint]))
            assert result.mean_reward[replica, i] == total / steps


def test_the_last_of_a_million_replicas_follows_the_contract_too():
    payoffs = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    learner = fg.QLearner(0.25, explore=fg.EpsilonGreedy(0.5))
    result = fg.run(fg.MatrixGame(payoffs), learner, steps=21, replicas=1_000_000, rng=2**40 + 1)
    for replica in (0, 127, 128, 499_999, 999_999):
        agents = [Explorer(2, lambda t: 0.25, 0.0, lambda t: 0.5, np.float64) for _ in range(2)]
        play(payoffs, agents, 2**40 + 1, replica, 21)
        for i, agent in enumerate(agents):
            assert (result.tables[i]["q"][replica, 0] == agent.q).all()


# --- games of states ----------------------------------------------------------------------------


class World:
    """A game of states, with probabilities of the next one and of the first, and turns."""

    def __init__(self, rng, agents, chances, starts):
        self.states = int(rng.integers(2, 6))
        self.actions = [int(a) for a in rng.integers(1, 4, agents)]
        shape = (self.states, *self.actions)
        self.rewards = rng.normal(size=(agents, *shape))
        self.next = rng.integers(0, self.states, shape)
        self.chances = rng.dirichlet(np.ones(self.states), shape) if chances else None
        self.terminal = np.arange(self.states) == self.states - 1
        self.start = 0
        if starts:
            self.start = np.append(rng.dirichlet(np.ones(self.states - 1)), 0.0)
        self.observations = rng.integers(0, self.states, (agents, self.states))
        self.turns = rng.random((agents, self.states)) < 0.6
        self.turns[0, 0] = True
        self.limit = int(rng.integers(2, 9))

    def game(self):
        """As fastgames takes it."""
        moves = self.next if self.chances is None else self.chances
        return fg.MarkovGame(
            self.rewards,
            moves,
            0.9,
            self.start,
            self.terminal,
            self.observations,
            turns=self.turns,
            time_limit=self.limit,
        )


class Mover(Explorer):
    """A Q-learner on observations, that learns when it is to move again."""

    def __init__(self, rows, actions, alpha, gamma, epsilon, real):
        super().__init__(actions, alpha, gamma, epsilon, real)
        self.tables = [[real(0)] * actions for _ in range(rows)]
        self.open = None

    def move(self, o, u, t):
        self.q = self.tables[o]
        action = self.choose(u, t)
        self.open = (o, action, self.real(0), self.real(1))
        return action

    def earn(self, reward):
        if self.open is not None:
            o, action, gain, weight = self.open
            gain = gain + weight * self.real(reward)
            self.open = (o, action, gain, weight * self.real(self.gamma))

    def learn_at(self, o2, ended, t):
        if self.open is None:
            return
        o, action, gain, weight = self.open
        best = self.real(0) if ended else max(self.tables[o2])
        q, target = self.tables[o], gain + weight * best
        q[action] = q[action] + self.real(self.alpha(t)) * (target - q[action])
        self.open = None


def nature(stream, weights):
    return sampled(stream.u(), weights, np.float64)


def play_in_states(world, movers, seed, replica, steps):
    """Play; the state after the last step, the age of its episode, and the joint actions."""
    agents = range(len(movers))
    streams = [Stream(seed, replica, role) for role in range(len(movers) + 1)]

    def begin():
        return world.start if isinstance(world.start, int) else nature(streams[-1], world.start)

    state, age, joint_actions = begin(), 0, []
    for t in range(steps):
        words = [streams[i].u() for i in agents]
        joint = tuple(
            movers[i].move(world.observations[i, state], words[i], t)
            if world.turns[i, state]
            else 0
            for i in agents
        )
        joint_actions.append(joint)
        reached = int(world.next[(state, *joint)])
        if world.chances is not None:
            reached = nature(streams[-1], world.chances[(state, *joint)])
        age += 1
        ended = bool(world.terminal[reached])
        over = ended or age == world.limit
        for i in agents:
            movers[i].earn(world.rewards[(i, state, *joint)])
            if ended or world.turns[i, reached]:
                movers[i].learn_at(world.observations[i, reached], ended, t)
            elif over:
                movers[i].open = None
        state = reached
        if over:
            state, age = begin(), 0
    return state, age, joint_actions


@settings(max_examples=settings.default.max_examples // 2)
@pytest.mark.parametrize("backend", ["cython", "numba", "reference"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@given(
    seed=st.integers(0, 2**64 - 1),
    agents=st.integers(2, 3),
    chances=st.booleans(),
    starts=st.booleans(),
    steps=st.integers(1, 60),
)
def test_a_run_of_a_game_of_states_follows_the_contract(
    backend, dtype, seed, agents, chances, starts, steps
):
    real = getattr(np, dtype)
    world = World(np.random.default_rng(seed), agents, chances, starts)
    game = world.game()
    learner = fg.QLearner(fg.Linear(0.9, 0.1, 30), 0.8, fg.EpsilonGreedy(0.4))
    record = fg.Record(joint_actions=True, rewards=True)
    result = fg.run(game, learner, steps, 20, seed, dtype=dtype, backend=backend, record=record)
    for replica in (0, 19):
        movers = [
            Mover(rows, a, lambda t: 0.9 + (0.1 - 0.9) * min(t / 30, 1), 0.8, lambda t: 0.4, real)
            for rows, a in zip(game.num_observations, world.actions, strict=True)
        ]
        state, age, joint_actions = play_in_states(world, movers, seed, replica, steps)
        assert (result.states[replica], result.state.ages[replica]) == (state, age)
        for i, mover in enumerate(movers):
            assert (result.tables[i]["q"][replica] == mover.tables).all()
        counts = np.zeros(world.actions, int)
        for joint in joint_actions:
            counts[joint] += 1
        assert (result.joint_counts[replica] == counts).all()
