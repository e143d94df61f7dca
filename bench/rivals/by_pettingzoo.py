"""PettingZoo: its rock-paper-scissors, and matching pennies as a user's environment."""

import os
import random

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from gymnasium.spaces import Discrete
from pettingzoo import ParallelEnv
from pettingzoo.utils import parallel_to_aec

STEPS = 20_000


class Pennies(ParallelEnv):
    """Matching pennies, with the least work per step that the interface allows."""

    metadata = {"name": "matching_pennies"}  # noqa: RUF012

    def __init__(self):
        self.render_mode = None
        self.possible_agents = ["row", "column"]
        self.observation_spaces = {agent: Discrete(1) for agent in self.possible_agents}
        self.action_spaces = {agent: Discrete(2) for agent in self.possible_agents}

    def reset(self, seed=None, options=None):
        self.agents, self.age = self.possible_agents[:], 0
        return {"row": 0, "column": 0}, {"row": {}, "column": {}}

    def step(self, actions):
        self.age += 1
        r, over = (1.0 if actions["row"] == actions["column"] else -1.0), self.age >= STEPS
        if over:
            self.agents = []
        return (
            {"row": 0, "column": 0},
            {"row": r, "column": -r},
            {"row": False, "column": False},
            {"row": over, "column": over},
            {"row": {}, "column": {}},
        )


class Learner:
    """A Q-learner on lists."""

    def __init__(self, seed):
        self.q, self.draw = [0.0, 0.0], random.Random(seed).random

    def act(self):
        return int(self.draw() * 2) if self.draw() < 0.1 else int(self.q[1] > self.q[0])

    def learn(self, action, reward):
        self.q[action] += 0.1 * (reward - self.q[action])


def pennies(runs):
    """W1 through the parallel interface."""
    total = 0.0
    for seed in range(runs):
        env = Pennies()
        env.reset()
        row, column = Learner(2 * seed), Learner(2 * seed + 1)
        while env.agents:
            a, b = row.act(), column.act()
            rewards = env.step({"row": a, "column": b})[1]
            row.learn(a, rewards["row"])
            column.learn(b, rewards["column"])
        total += sum(row.q)
    return total / runs


def pennies_turns(runs):
    """W1 through the AEC interface: one agent after the other."""
    total = 0.0
    for seed in range(runs):
        env = parallel_to_aec(Pennies())
        env.reset()
        learners = {"row": Learner(2 * seed), "column": Learner(2 * seed + 1)}
        chosen = {}
        for agent in env.agent_iter():
            _, reward, terminated, truncated, _ = env.last(observe=False)
            if agent in chosen:
                learners[agent].learn(chosen[agent], reward)
            if terminated or truncated:
                env.step(None)
            else:
                chosen[agent] = learners[agent].act()
                env.step(chosen[agent])
        total += sum(learners["row"].q)
    return total / runs


def stepping(runs):
    """W2 on the environment above, parallel."""
    total = 0.0
    for seed in range(runs):
        env, bits = Pennies(), random.Random(seed).getrandbits
        env.reset()
        while env.agents:
            total += env.step({"row": bits(1), "column": bits(1)})[1]["row"]
    return total / (runs * STEPS)


def _rock_paper_scissors():
    from pettingzoo.classic import rps_v2

    return rps_v2


def stepping_rps(runs):
    """W2 on the library's own game (three actions), parallel."""
    total = 0.0
    for seed in range(runs):
        env = _rock_paper_scissors().parallel_env(num_actions=3, max_cycles=STEPS)
        env.reset(seed=seed)
        first, draw = env.possible_agents[0], random.Random(seed).random
        while env.agents:
            total += env.step({agent: int(draw() * 3) for agent in env.agents})[1][first]
    return total / (runs * STEPS)


def stepping_rps_turns(runs):
    """W2 on the library's own game, AEC, without the wrappers that check the caller."""
    total = 0.0
    for seed in range(runs):
        env = _rock_paper_scissors().raw_env(num_actions=3, max_cycles=STEPS)
        env.reset(seed=seed)
        first, draw = env.possible_agents[0], random.Random(seed).random
        while env.agents:
            agent = env.agent_selection
            over = env.terminations[agent] or env.truncations[agent]
            env.step(None if over else int(draw() * 3))
            if agent != first:
                total += env.rewards.get(first, 0)
    return total / (runs * STEPS)
