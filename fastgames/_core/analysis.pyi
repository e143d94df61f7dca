"""What greedy policies do when they are frozen, for many replicas (src_cy/analysis.pyx)."""

from collections.abc import Sequence

import numpy as np

class Play:
    """Greedy policies of many replicas in one game."""

    def __init__(
        self,
        num_states: int,
        actions: tuple[int, ...],
        greedy: list[np.ndarray],
        rewards: np.ndarray,
        *,
        variant: np.ndarray | None = None,
        start: int = 0,
        time_limit: int = 0,
        terminal: np.ndarray | None = None,
        turns: np.ndarray | None = None,
        observations: np.ndarray | None = None,
        from_state: np.ndarray | None = None,
        from_joint: np.ndarray | None = None,
        next: np.ndarray | None = None,
        first: np.ndarray | None = None,
        successor: np.ndarray | None = None,
        probability: np.ndarray | None = None,
    ) -> None: ...
    def find_cycles(
        self, first: int, last: int, start: np.ndarray, entry: np.ndarray, length: np.ndarray
    ) -> None:
        """The cycle that play from `start` ends in: its first state and its length."""

    def follow_cycles(
        self,
        first: int,
        last: int,
        entry: np.ndarray,
        offsets: np.ndarray,
        states: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
    ) -> None:
        """Once around: the states, what each agent plays, its mean reward."""

    def best_responses(
        self,
        first: int,
        last: int,
        discount: float,
        tolerance: float,
        once: bool,
        largest: np.ndarray,
        offsets: np.ndarray | None,
        states: np.ndarray | None,
        shares: np.ndarray,
        losses: np.ndarray,
        best: np.ndarray | None,
        own: np.ndarray | None,
    ) -> None:
        """Whether every agent's action is its best, in every state, and what it loses."""

    def deviate(
        self,
        first: int,
        last: int,
        agent: int,
        forced: np.ndarray | None,
        discount: float,
        largest: np.ndarray,
        offsets: np.ndarray,
        states: np.ndarray,
        prices: Sequence[np.ndarray],
        price: np.ndarray,
        reward: np.ndarray,
        cycle_price: np.ndarray,
        gain: np.ndarray,
        deviated: np.ndarray,
    ) -> None:
        """Force an action once, from every state of the cycle, and see what follows."""
