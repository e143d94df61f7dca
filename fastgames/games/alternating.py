"""Games of two agents that move in turn and hold their actions until they move again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .markov import MarkovGame, check_size
from .matrix import MatrixGame


class AlternatingGame(MarkovGame):
    """Matrix game of two agents that move in turn, each holding its action for two periods.

    In every period one agent chooses an action and the other holds its action of the previous
    period; both are paid as in the matrix game. The agent that moves observes the action that the
    other holds.

    Parameters
    ----------
    stage : MatrixGame
        A game of two agents, which determines the payoffs of every period.
    discount : float
        Discount factor per period, in [0, 1).
    start : int or array_like (S,), optional
        As for `MarkovGame`. Unless given, agent 0 moves first, against an action of agent 1 drawn
        uniformly at random.
    name, source : str, optional
        Those of stage unless given.

    Raises
    ------
    TypeError, ValueError
        If stage is not a game of two agents, or an argument is outside the domain of `MarkovGame`.

    Notes
    -----
    States: in state h in [0, A_1), agent 0 moves and agent 1 holds action h; in state A_1 + h,
    agent 1 moves and agent 0 holds action h; S = A_0 + A_1. Observations: h for the agent that
    moves, 0 for the other, which does not learn in that state. The target of a learner is
    r_t + discount r_{t+1} + discount^2 max Q, where r_t is its payoff in the period of its move.

    Source: Maskin & Tirole (1988), A theory of dynamic oligopoly, II, Econometrica 56, 571-599.

    Examples
    --------
    >>> from fastgames.games import matching_pennies
    >>> game = AlternatingGame(matching_pennies())
    >>> game.transitions[0, 1], game.transitions[3, :, 0]  # 0 moves to 3, agent 1 back to 0
    (array([3, 3], dtype=int32), array([0, 0], dtype=int32))
    """

    __slots__ = ("_stage",)

    def __init__(
        self,
        stage: MatrixGame,
        discount: float = 0.95,
        start: int | npt.ArrayLike | None = None,
        *,
        name: str | None = None,
        source: str | None = None,
    ) -> None:
        if not isinstance(stage, MatrixGame):
            raise TypeError(f"stage must be a MatrixGame, got {stage!r}")
        if stage.num_agents != 2:
            raise ValueError(f"stage must be a game of 2 agents, got {stage!r}")
        rows, columns = stage.num_actions
        states = rows + columns
        check_size("rewards of an agent", states, rows * columns)
        # The action of the agent that does not move has no effect.
        shape = (states, rows, columns)
        rewards = np.empty((2, *shape))
        rewards[:, :columns] = stage.payoffs.transpose(0, 2, 1)[..., None]
        rewards[:, columns:] = stage.payoffs[:, :, None]
        successors = np.empty(shape, dtype=np.int32)
        successors[:columns] = columns + np.arange(rows)[:, None]
        successors[columns:] = np.arange(columns)
        seen = np.zeros((2, states), dtype=np.int32)
        seen[0, :columns] = np.arange(columns)
        seen[1, columns:] = np.arange(rows)
        if start is None:
            start = np.repeat([1.0 / columns, 0.0], [columns, rows])
        super().__init__(
            rewards,
            successors,
            discount,
            start,
            observations=seen,
            turns=np.repeat([0, 1], [columns, rows]),
            name=stage.name if name is None else name,
            actions=stage.actions,
            source=stage.source if source is None else source,
        )
        self._stage: MatrixGame = stage

    @property
    def stage(self) -> MatrixGame:
        """Matrix game that determines the payoffs of every period."""
        return self._stage

    def __reduce__(self) -> tuple[Callable[..., MarkovGame], tuple[Any, ...]]:
        make = partial(type(self), name=self.name, source=self.source)
        return make, (self._stage, self.discount, self.start)
