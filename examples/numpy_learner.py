"""Run two Q-learners written in NumPy in a VectorGame, with the bits of fg.run.

python examples/numpy_learner.py
"""

import numpy as np

import fastgames as fg

STEPS, COPIES, SEED = 2_000, 1_000, 7
ALPHA, EPSILON = 0.1, 0.1

game = fg.games.rock_paper_scissors()
envs = fg.VectorGame(game, num_envs=COPIES, rng=SEED)
streams = [fg.Streams(SEED, COPIES, role=i) for i in range(2)]  # the streams of fg.run's agents
q = np.zeros((2, COPIES, 3))
copies, threshold = np.arange(COPIES), np.floor(EPSILON * 2**31)

for _ in range(STEPS):
    actions = np.empty((2, COPIES), np.int64)
    for i in range(2):
        u = streams[i].words()[0]  # in [0, 2^31): explore below the threshold
        explored = np.minimum(2, (u * (3 / threshold)).astype(np.int64))
        actions[i] = np.where(u < threshold, explored, q[i].argmax(axis=1))
    _, rewards, _, _ = envs.step(actions)
    for i in range(2):
        q[i, copies, actions[i]] += ALPHA * (rewards[i] - q[i, copies, actions[i]])

learner = fg.QLearner(ALPHA, explore=fg.EpsilonGreedy(EPSILON))
result = fg.run(game, learner, STEPS, COPIES, rng=SEED)
same = all(q[i].tobytes() == result.tables[i]["q"].tobytes() for i in range(2))
print("equal to the bit:", same)
