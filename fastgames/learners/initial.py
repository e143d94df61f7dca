"""What tables start at, as a rule of the game."""

from dataclasses import dataclass

import numpy as np

from fastgames.games import Game, ProceduralGame, Variants
from fastgames.schedules import Exponential, Linear, Numeric


@dataclass(frozen=True)
class UniformRivals:
    """What each own action is worth if the rivals play uniformly at random for ever.

    q[o, a] is the mean of the own reward of a over all joint actions of the rivals, and over the
    states that look like o, divided by 1 - gamma. gamma must be below 1; a schedule counts by its
    start.

    Source: Calvano, Calzolari, Denicolò & Pastorello, AER 110 (2020), their baseline.
    """

    def table(self, game: Game, agent: int, gamma: Numeric) -> np.ndarray:
        """The table of an agent, to be broadcast to (replicas, observations, actions).

        With one row for all observations where rewards do not depend on the state, and one for all
        replicas where neither gamma nor the game differs between them.
        """
        gamma = np.asarray(gamma.start if isinstance(gamma, Exponential | Linear) else gamma)
        if gamma.max() >= 1.0:
            raise ValueError(
                f"gamma must be below 1 where initial is UniformRivals(), got {gamma.max()}"
            )
        if isinstance(game, ProceduralGame):
            raise ValueError(
                "initial must be a number or an array in a game of functions, whose mean rewards "
                f"are not known, got {self!r} in {game!r}"
            )
        compact = game.compact
        rewards = compact.rewards[agent]  # (variants, states or 1, joint actions)
        by_action = rewards.reshape(*rewards.shape[:2], *game.num_actions)
        means = np.stack([_mean(x) for x in np.moveaxis(by_action, 2 + agent, 0)], axis=-1)
        if compact.observations is not None and means.shape[1] > 1:
            seen = compact.observations[agent]
            observations = game.num_observations[agent]
            totals = np.zeros((len(means), observations, means.shape[-1]))
            np.add.at(totals.swapaxes(0, 1), seen, means.swapaxes(0, 1))
            means = totals / np.maximum(np.bincount(seen, minlength=observations), 1)[:, None]
        if isinstance(game, Variants):
            means = means[game.index]
        return means / (1.0 - gamma.reshape(-1, 1, 1))


def _mean(rewards: np.ndarray) -> np.ndarray:
    """Over all axes but the first two; summed in index order, unlike mean(), on every CPU."""
    flat = rewards.reshape(*rewards.shape[:2], -1)
    mean: np.ndarray = np.add.accumulate(flat, axis=-1)[..., -1] / flat.shape[-1]
    return mean
