"""Two PPO agents of RLlib learn rock-paper-scissors against each other.

    pip install -r examples/rllib/requirements.txt
    python examples/rllib/rock_paper_scissors.py

The game is from fastgames; each agent observes the last joint action, one-hot. Neither agent can
win for long: the mean returns of an episode stay near 0 and sum to 0, and the entropies of the
policies stay near that of uniform play, ln 3 = 1.099.
"""

import argparse
import math

import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.connectors.env_to_module import FlattenObservations
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune import register_env

import fastgames as fg
from fastgames.envs import parallel_env

AGENTS = ("agent_0", "agent_1")


def make_env(settings):
    """Return an environment with episodes of settings["rounds"] rounds, which observes the last."""
    game = fg.remember(fg.games.rock_paper_scissors(), periods=1)
    return ParallelPettingZooEnv(parallel_env(game, max_cycles=settings.get("rounds", 10)))


def build(seed):
    """Return the algorithm, ready to train."""
    register_env("rock_paper_scissors", make_env)
    config = (
        PPOConfig()
        .environment("rock_paper_scissors", env_config={"rounds": 10})
        .env_runners(
            num_env_runners=0,
            num_envs_per_env_runner=16,
            # Discrete observations become one-hot vectors.
            env_to_module_connector=lambda env, spaces, device: FlattenObservations(
                multi_agent=True
            ),
        )
        .multi_agent(policies=set(AGENTS), policy_mapping_fn=lambda agent, *_, **__: agent)
        .training(train_batch_size_per_learner=2000, minibatch_size=500, num_epochs=4, lr=3e-4)
        .debugging(seed=seed)
    )
    return config.build_algo()


def main(iterations=5, seed=0):
    """Train; return the mean returns and entropies of each iteration, both by agent."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    algorithm = build(seed)
    history = []
    for k in range(iterations):
        result = algorithm.train()
        returns = result["env_runners"]["agent_episode_returns_mean"]
        entropies = {agent: result["learners"][agent]["entropy"] for agent in AGENTS}
        history.append(({agent: float(returns[agent]) for agent in AGENTS}, entropies))
        print(
            f"iteration {k + 1}:",
            *(f"{a} return {returns[a]:+.2f} entropy {entropies[a]:.3f}" for a in AGENTS),
            f"(ln 3 = {math.log(3):.3f})",
        )
    algorithm.stop()
    ray.shutdown()
    return history


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
