"""Counts over the last steps of replicas that may stop at any time, from their windows."""

import math

import numpy as np

from fastgames.engine.state import State
from fastgames.games import Game, Variants

COUNTED = 4096  # replicas at a time


def count_up(state: State, game: Game, replicas: slice) -> None:
    """Compute joint_counts and reward_sums of these replicas from their windows, in place.

    A step's rewards are added after those of the step before, rounded to the type of the tables.
    """
    assert state.window is not None
    window, steps = state.window[replicas], state.steps[replicas]
    counted = state.counted[replicas]
    if state.reward_window is not None:
        _count_up_rewards(state, game, replicas, state.reward_window[replicas])
        return
    rewards, last = game.compact.rewards, window.shape[1]
    count, joint_actions = len(window), rewards.shape[-1]
    rewards = rewards.reshape(len(rewards), rewards.shape[1], -1)
    real = state.seats[0].table.dtype
    variant = game.index[replicas] if isinstance(game, Variants) else np.zeros(count, np.int64)
    sums = np.zeros((count, len(rewards)))
    counts = np.zeros((count, joint_actions), np.int64)
    for k in range(int(counted.max(initial=0))):
        these = np.flatnonzero(counted > k)
        cells = window[these, (steps[these] - counted[these] + k) % last]
        sums[these] += rewards[:, variant[these], cells].astype(real).T
        counts[these, cells % joint_actions] += 1
    if state.reward_sums is not None:
        state.reward_sums[replicas] = sums
    if state.joint_counts is not None:
        state.joint_counts[replicas] = counts.reshape(state.joint_counts[replicas].shape)


def _count_up_rewards(state: State, game: Game, replicas: slice, rewards: np.ndarray) -> None:
    """Do what `count_up` does where the window holds the rewards of its steps."""
    assert state.window is not None
    window, steps, counted = state.window[replicas], state.steps[replicas], state.counted[replicas]
    last = window.shape[1]
    sums = np.zeros((len(window), rewards.shape[2]))
    joint = state.joint_counts is not None
    counts = np.zeros((len(window), math.prod(game.num_actions) if joint else 1), np.int64)
    for k in range(int(counted.max(initial=0))):
        these = np.flatnonzero(counted > k)
        at = (steps[these] - counted[these] + k) % last
        sums[these] += rewards[these, at]
        if joint:
            counts[these, window[these, at]] += 1
    if state.reward_sums is not None:
        state.reward_sums[replicas] = sums
    if state.joint_counts is not None:
        state.joint_counts[replicas] = counts.reshape(state.joint_counts[replicas].shape)
