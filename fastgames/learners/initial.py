"""Initial tables that are computed from the game."""

from dataclasses import dataclass

import numpy as np

from fastgames.games import Game, ProceduralGame, Variants
from fastgames.schedules import Numeric, first


@dataclass(frozen=True)
class UniformRivals:
    """The initial value of each own action if the rivals always play uniformly at random.

    q[o, a] is the agent's mean reward of action a over all joint actions of the rivals and over all
    states with observation o, divided by 1 - gamma. gamma must be below 1; of a schedule, the start
    is used.

    Source: Calvano, Calzolari, Denicolò & Pastorello, AER 110 (2020), their baseline.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.chicken()
    >>> fg.UniformRivals().table(game, agent=0, gamma=0.5)
    array([[[4., 4.]]])
    """

    def table(self, game: Game, agent: int, gamma: Numeric) -> np.ndarray:
        """Return the table of an agent, broadcastable to (replicas, observations, actions).

        It has a single row for all observations if rewards do not depend on the state, and a single
        entry for all replicas if neither gamma nor the game differs between them.

        Parameters
        ----------
        game : game
            A game of tables.
        agent : int
            The number of the agent.
        gamma : float, schedule or array (replicas,)
            The discount factor, in [0, 1).

        Returns
        -------
        array, float64
            The initial values of "q".

        Raises
        ------
        ValueError
            If gamma is 1, or if the mean rewards are unknown because the game is procedural.
        """
        gamma = first(gamma)
        if gamma.max() >= 1.0:
            raise ValueError(
                f"gamma must be below 1 if initial is UniformRivals(), got {gamma.max()}"
            )
        if isinstance(game, ProceduralGame):
            raise ValueError(
                "initial must be a number or an array in a game of functions, whose mean rewards "
                f"are unknown, got {self!r} in {game!r}"
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
    """Return the mean over all axes but the first two, with the same bits on every CPU.

    Sums run in index order, unlike in `np.mean`.
    """
    flat = rewards.reshape(*rewards.shape[:2], -1)
    mean: np.ndarray = np.add.accumulate(flat, axis=-1)[..., -1] / flat.shape[-1]
    return mean
