"""Internal layout of games, read by the reference and by the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgames._common.light import light_dataclass


@light_dataclass(frozen=True)
class Sum:
    """Transitions of repeated games: the next state is from_state[s] + from_joint[j].

    from_state: (S,) int32; from_joint: (J,) int32
    """

    from_state: np.ndarray
    from_joint: np.ndarray


@light_dataclass(frozen=True)
class Table:
    """Transitions of games without chance: the next state is next[s J + j], (S J,) int32."""

    next: np.ndarray


@light_dataclass(frozen=True)
class Chances:
    """Random transitions: compressed rows s J + j with the next states of positive probability.

    first: (S J + 1,) int64, index of the first entry of each row; no row is empty
    successor: (entries,) int32, next states in ascending order within a row
    cumulative: (entries,) float64, running sums of the probabilities as given. Adding a probability
        of 0 changes no sum, so sampling gives the same states as sums over all S states.
    """

    first: np.ndarray
    successor: np.ndarray
    cumulative: np.ndarray


@light_dataclass(frozen=True)
class Functions:
    """Functions of a `ProceduralGame`, whose state is an array of `state_size` integers.

    Some entries may hold the bits of reals, of float64.

    start, step, observe: the functions of the game
    agents: number of agents N
    blind: True if every agent has only one observation
    words, start_words: random words for each call of `step` and of `start`
    largest_reward: bound for the absolute value of a reward
    turns: the function that returns whether an agent moves, or None if all agents always move
    reals, first_real: number of reals, and the entry of the first one; the others follow it
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
    turns: Callable[..., Any] | None = None
    reals: int = 0
    first_real: int = 0

    @property
    def given(self) -> tuple[Callable[..., Any], ...]:
        """All functions, without `turns` if it is None."""
        functions = self.start, self.step, self.observe
        return functions if self.turns is None else (*functions, self.turns)

    @property
    def end_real(self) -> int:
        """Entry after the last real."""
        return self.first_real + self.reals

    def whole_numbers(self, states: np.ndarray) -> np.ndarray:
        """Return the entries of states, (..., state_size) int64, that are whole numbers."""
        if not self.reals:
            return states
        return np.delete(states, range(self.first_real, self.end_real), axis=-1)

    def real_numbers(self, states: np.ndarray) -> np.ndarray:
        """Return the reals of states, (..., reals) float64, a view."""
        return states[..., self.first_real : self.end_real].view(np.float64)

    def joined(self, whole: np.ndarray, reals: np.ndarray) -> np.ndarray:
        """Return states of whole numbers and of reals, (n, ...) each, as (n, state_size) int64."""
        states = np.empty((len(whole), self.state_size), np.int64)
        states[:, : self.first_real] = whole[:, : self.first_real]
        states[:, self.end_real :] = whole[:, self.first_real :]
        self.real_numbers(states)[...] = reals
        return states

    def text(self, state: np.ndarray) -> str:
        """Return a state, (state_size,) int64, as text for errors."""
        whole = str(self.whole_numbers(state).tolist())
        return f"{whole} with reals {self.real_numbers(state).tolist()}" if self.reals else whole


@light_dataclass(frozen=True)
class Compact:
    """Arrays of a game of N agents, S states and J joint actions (agent 0's digit is the slowest).

    rewards: (N, variants, S, J) float64; (N, variants, 1, J) if no reward depends on the state;
        (N, 1, 1, 0) if functions compute the rewards
    moves: transitions of the game
    start_state: first state of an episode if start_weights is None
    start_weights: (S,) float64, probabilities of the first state, or None
    terminal: (S,) bool, or None if no state is terminal
    observations: (N, S) int32, or None if every agent observes the state itself
    turns: (N, S) bool, mask of the agents that move, or None if all agents move in every state, or
        if functions tell; see `has_turns`
    time_limit: steps after which an episode is truncated; 0 if there is no limit
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
        """Number of states S, computed from the moves; not defined for functions."""
        assert not isinstance(self.moves, Functions)
        if isinstance(self.moves, Sum):
            return len(self.moves.from_state)
        rows = len(self.moves.next) if isinstance(self.moves, Table) else len(self.moves.first) - 1
        return int(rows) // int(self.rewards.shape[-1])

    @property
    def has_turns(self) -> bool:
        """True if agents may not move in some states."""
        by_function = isinstance(self.moves, Functions) and self.moves.turns is not None
        return by_function or self.turns is not None
