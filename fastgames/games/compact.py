"""A game as the reference and the kernels read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Sum:
    """The next state is from_state[s] + from_joint[j]: repeated games, whatever their memory.

    from_state: (S,) int32; from_joint: (J,) int32
    """

    from_state: np.ndarray
    from_joint: np.ndarray


@dataclass(frozen=True, eq=False)
class Table:
    """The next state is next[s J + j], (S J,) int32."""

    next: np.ndarray


@dataclass(frozen=True, eq=False)
class Chances:
    """Nature samples the next state. Rows s J + j, compressed: only what can happen.

    first: (S J + 1,) int64, where each row begins; no row is empty
    successor: (entries,) int32, states in ascending order
    cumulative: (entries,) float64, running sums of the probabilities as given. Sums over all states
        have the same values, since adding 0 changes none: so has what is sampled.
    """

    first: np.ndarray
    successor: np.ndarray
    cumulative: np.ndarray


@dataclass(frozen=True, eq=False)
class Functions:
    """The game is functions, see `ProceduralGame`: its state is `state_size` numbers.

    blind: whether every agent has but one observation
    """

    start: Callable[..., Any]
    step: Callable[..., Any]
    observe: Callable[..., Any]
    agents: int
    blind: bool
    state_size: int
    words: int
    start_words: int
    largest_reward: float


@dataclass(frozen=True, eq=False)
class Compact:
    """Arrays of a game of N agents, S states and J joint actions (agent 0's digit slowest).

    rewards: (N, variants, S, J) float64; (N, variants, 1, J) where no reward depends on the state;
        (N, 1, 1, 0) where functions say what they are
    moves: where the game goes
    start_state: where it starts, unless
    start_weights: (S,) float64 says with what probabilities; None where it does not
    terminal: (S,) bool, or None where no state is
    observations: (N, S) int32, or None where every agent sees the state itself
    turns: (N, S) bool, who moves, or None where always everyone does
    time_limit: steps after which an episode is cut; 0: none
    """

    rewards: np.ndarray
    moves: Sum | Table | Chances | Functions
    start_state: int = 0
    start_weights: np.ndarray | None = None
    terminal: np.ndarray | None = None
    observations: np.ndarray | None = None
    turns: np.ndarray | None = None
    time_limit: int = 0

    @property
    def num_states(self) -> int:
        """S, as far as the moves tell."""
        assert not isinstance(self.moves, Functions)
        if isinstance(self.moves, Sum):
            return len(self.moves.from_state)
        rows = len(self.moves.next) if isinstance(self.moves, Table) else len(self.moves.first) - 1
        return int(rows) // int(self.rewards.shape[-1])
