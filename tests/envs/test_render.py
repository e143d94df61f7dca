"""Pictures of environments, which video recorders and Stable-Baselines3 ask for."""

import builtins
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import fastgames as fg
from fastgames.envs import GameEnv, GameVectorEnv, aec_env, parallel_env

IDS = [name for name in gymnasium.registry if name.startswith("fastgames/")]
DOLLARS = fg.MatrixGame(np.ones((2, 2, 2)), actions=[["$x_1$", "a" * 300], ["b", "$"]])


def is_picture(array, height):
    return (array.shape, array.dtype) == ((height, 480, 3), np.uint8) and 0 <= array.min() < 128


@pytest.mark.parametrize("name", IDS)
def test_every_registered_environment_is_drawn_and_checked(name):
    env = gymnasium.make(name, render_mode="rgb_array")
    env.reset(seed=1)
    first = env.render()
    env.step(1)
    second = env.render()
    assert is_picture(first, 96)
    assert is_picture(second, 96)
    assert (first != second).any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*wrapped environment")  # `make` wraps
        warnings.filterwarnings("ignore", message=".*is not in the registered")
        check_env(env.unwrapped)  # makes one of every render mode


@pytest.mark.parametrize("name", IDS)
def test_every_vector_environment_is_drawn(name):
    envs = gymnasium.make_vec(name, num_envs=2, render_mode="rgb_array")
    envs.reset(seed=1)
    pictures = envs.render()
    assert len(pictures) == 2
    assert all(is_picture(picture, 96) for picture in pictures)


def test_a_vector_environment_renders_what_single_ones_do():
    envs = GameVectorEnv("soccer", 3, render_mode="ansi")
    env = GameEnv("soccer", render_mode="ansi")
    envs.reset(seed=4)
    env.reset(seed=4)
    ends = 0
    for action in np.random.default_rng(2).integers(5, size=400):
        seen = envs.step(np.full(3, action))
        env.step(action)
        if seen[2][0]:
            env.reset()
            ends += 1
        assert envs.render()[0] == env.render()
        assert len(envs.render()) == 3
    assert ends > 3
    drawn = GameVectorEnv("soccer", 3, render_mode="rgb_array")
    drawn.reset(seed=4)
    alone = GameEnv("soccer", render_mode="rgb_array")
    alone.reset(seed=4)
    np.testing.assert_array_equal(drawn.render()[0], alone.render())
    plain = GameVectorEnv("soccer", 3)
    plain.reset()
    assert plain.render() is None


@pytest.mark.parametrize(("name", "lines"), [("chicken", 4), ("el_farol", 11), ("traffic", 6)])
@pytest.mark.parametrize("make", [parallel_env, aec_env])
def test_games_of_many_agents(make, name, lines):
    env = make(name, render_mode="rgb_array")
    env.reset(seed=1)
    assert is_picture(env.render(), 24 * (lines + 1))


def test_a_picture_shows_the_text_of_the_step():
    def drawn(action):
        env = GameEnv(DOLLARS, render_mode="rgb_array")
        env.reset(seed=1)
        env.step(action)
        return env.render()

    assert (drawn(0) == drawn(0)).all()
    assert (drawn(0) != drawn(1)).any()  # the names alone differ; one is no mathematics, one long


def test_a_missing_matplotlib_is_named_when_something_is_drawn(monkeypatch):
    env = GameEnv("chicken", render_mode="rgb_array")
    env.reset(seed=1)
    env.step(0)
    found = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"rgb_array.* needs matplotlib: .*\[plot\]"):
        env.render()


def test_modes_that_there_are_not():
    with pytest.raises(ValueError, match="render_mode must be one of 'ansi', 'human', 'rgb_array'"):
        GameEnv("chicken", render_mode="rgb")
    with pytest.raises(ValueError, match="render_mode must be one of 'ansi', 'rgb_array', got"):
        GameVectorEnv("chicken", render_mode="human")
