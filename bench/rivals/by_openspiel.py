"""OpenSpiel: its tabular Q-learners in its environment, its games alone, and its bots in C++."""

import math
import random

import numpy as np
import pyspiel
from open_spiel.python import rl_environment, rl_tools
from open_spiel.python.algorithms.tabular_qlearner import QLearner

STEPS = 20_000
GAME = pyspiel.load_game("matrix_mp")


def pennies(runs):
    """W1: its learners, one game per episode, as in its examples."""
    total = 0.0
    env = rl_environment.Environment(GAME)
    for seed in range(runs):
        np.random.seed(seed)
        schedule = rl_tools.ConstantSchedule(0.1)
        learners = [QLearner(i, 2, step_size=0.1, epsilon_schedule=schedule) for i in range(2)]
        for _ in range(STEPS):
            now = env.reset()
            now = env.step([learner.step(now).action for learner in learners])
            for learner in learners:
                learner.step(now)
        (values,) = learners[0]._q_values.values()
        total += sum(values.values())
    return total / runs


def pennies_games_only(runs):
    """W1: its game, learners on lists."""
    total = 0.0
    for seed in range(runs):
        draw = random.Random(seed).random
        q, p = [0.0, 0.0], [0.0, 0.0]
        for _ in range(STEPS):
            a = int(draw() * 2) if draw() < 0.1 else int(q[1] > q[0])
            b = int(draw() * 2) if draw() < 0.1 else int(p[1] > p[0])
            state = GAME.new_initial_state()
            state.apply_actions([a, b])
            r, s = state.returns()
            q[a] += 0.1 * (r - q[a])
            p[b] += 0.1 * (s - p[b])
        total += sum(q)
    return total / runs


def stepping(runs):
    """W2: a new state for each game."""
    total = 0.0
    for seed in range(runs):
        bits = random.Random(seed).getrandbits
        for _ in range(STEPS):
            state = GAME.new_initial_state()
            state.apply_actions([bits(1), bits(1)])
            total += state.returns()[0]
    return total / (runs * STEPS)


def stepping_bots(runs):
    """W2: two random bots that its C++ code plays against each other."""
    total = 0.0
    for run in range(runs):
        bots = [pyspiel.make_uniform_random_bot(i, 2 * run + i) for i in range(2)]
        for seed in range(STEPS):
            total += pyspiel.evaluate_bots(GAME.new_initial_state(), bots, seed)[0]
    return total / (runs * STEPS)


class _Exponential(rl_tools.ValueSchedule):
    """The epsilon schedule of Calvano et al., which starts at 1."""

    def __init__(self):
        self.steps = 0

    def step(self):
        self.steps += 1
        return self.value

    @property
    def value(self):
        return math.exp(-4e-6 * self.steps)


def pricing(payoffs, steps, runs):
    """W3 from tables of zeros: the stage game repeated with a memory of one period."""
    names = [str(k) for k in range(payoffs.shape[1])]
    stage = pyspiel.create_matrix_game("pricing", "pricing", names, names, *payoffs.tolist())
    game = pyspiel.create_repeated_game(stage, {"num_repetitions": steps + 1, "recall": 1})
    env, total = rl_environment.Environment(game), 0.0
    for seed in range(runs):
        np.random.seed(seed)
        learners = [
            QLearner(i, len(names), 0.15, _Exponential(), discount_factor=0.95) for i in range(2)
        ]
        now = env.reset()
        for _ in range(steps):
            now = env.step([learner.step(now).action for learner in learners])
        for learner in learners:
            learner.step(now)  # learns from the last step
        here = str(now.observations["info_state"][0])
        total += max(learners[0]._q_values[here].values())
    return total / runs
