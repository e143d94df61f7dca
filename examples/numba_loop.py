"""Run two Q-learners at matching pennies in a Numba loop, with the bits of fg.run.

python examples/numba_loop.py
"""

import numpy as np

import fastgames as fg
from fastgames import jit

STEPS, SEED = 20_000, 7
ALPHA, GAMMA, EPSILON = 0.1, 0.0, 0.1


@jit.njit
def play(payoffs, replica):
    """Return the tables of both agents, (agents, observations, actions) = (2, 1, 2)."""
    q = np.zeros((2, 1, 2))
    p = (ALPHA, GAMMA, EPSILON)
    streams = np.empty((2, 4), np.uint32)
    actions = np.empty(2, np.int64)
    for i in range(2):
        jit.streams.start(SEED, 0, replica, i, streams[i])
    for _ in range(STEPS):
        for i in range(2):
            u = jit.streams.next_word(streams[i]) >> 1
            signal = jit.choice.explore(u, EPSILON, 2, np.float64)
            actions[i] = jit.choice.epsilon_greedy(q[i, 0], signal)
        a, b = actions
        for i in range(2):
            outcome = jit.Outcome(0, actions[i], payoffs[i, a, b], GAMMA, 0, -1, False)
            jit.qlearning.learn((q[i],), p, outcome)
    return q


game = fg.games.matching_pennies()
mine = np.stack([play(game.payoffs, replica) for replica in range(5)])
result = fg.run(game, fg.QLearner(ALPHA, explore=fg.EpsilonGreedy(EPSILON)), STEPS, 5, rng=SEED)
theirs = np.stack([tables["q"] for tables in result.tables], axis=1)
print("equal to the bit:", mine.tobytes() == theirs.tobytes())
