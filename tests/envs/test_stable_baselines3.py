"""Stable-Baselines3 makes our environments from their names and learns in them."""

import pytest

import fastgames.envs.gymnasium  # noqa: F401  registers the names


@pytest.mark.slow
def test_ppo_learns_to_defect_in_the_prisoners_dilemma():
    sb3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed")
    model = sb3.PPO(
        "MlpPolicy",
        "fastgames/PrisonersDilemma-v0",
        n_steps=256,
        learning_rate=0.01,
        seed=1,
        device="cpu",
    )
    model.learn(2048)
    action, _ = model.predict(0, deterministic=True)
    assert action == 1  # defecting dominates


@pytest.mark.slow
def test_environments_made_by_make_vec_env_are_checked_and_drawn():
    pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed")
    from stable_baselines3.common.env_checker import check_env
    from stable_baselines3.common.env_util import make_vec_env

    envs = make_vec_env("fastgames/Soccer-v0", n_envs=3, seed=1)
    assert envs.reset().shape == (3,)
    observations, rewards, _, _ = envs.step([0, 1, 2])
    assert observations.shape == rewards.shape == (3,)
    assert all(picture.shape == (96, 480, 3) for picture in envs.get_images())
    check_env(envs.envs[0].unwrapped)
