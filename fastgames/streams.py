"""Random words of many replicas, for learners written in NumPy."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fastgames import _core
from fastgames._common import checks
from fastgames._common.checks import check_fits
from fastgames._common.seeds import seed_from

_AT_A_TIME = 2**14  # replicas in one batch of first states


class Streams:
    """Random streams of agent `role` in replicas 0 … replicas - 1 of `fastgames.run`.

    A user-defined learner that steps a `VectorGame` and uses these streams draws the same random
    words as a built-in learner.

    Parameters
    ----------
    rng : None, int in [0, 2^64), SeedSequence or Generator
        The seed, or the source from which it is drawn; `seed` is the seed that was used.
    replicas : int
        Number of replicas, at least 1.
    role : int
        The number of the agent, in [0, 2^31 - 2]. The number of agents N stands for nature and
        N + 1 for the mediator, whose words `VectorGame` draws itself.

    Attributes
    ----------
    seed : int
        The seed of the streams.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or the streams exceed the available memory.

    Notes
    -----
    Source: xoshiro128++ (Blackman & Vigna 2021), seeded by Philox4x32-10 (Salmon et al. 2011).

    Examples
    --------
    >>> Streams(rng=7, replicas=3, role=0).words().shape
    (1, 3)
    """

    seed: int

    def __init__(self, rng: Any, replicas: int, role: int) -> None:
        replicas = checks.whole("replicas", replicas, "[1, 2^40]")
        role = checks.whole("role", role, f"[0, {2**31 - 2}]")
        made = min(replicas, _AT_A_TIME) * (role + 1) * 16  # `first_states` makes roles 0 … role
        check_fits("replicas", f"replicas and role {role}", replicas, 16 * replicas + made, 16)
        self.seed = seed_from(rng)
        self._state = np.empty((4, replicas), np.uint32)
        first_states(self.seed, role, self._state)

    @property
    def state(self) -> np.ndarray:
        """State of xoshiro128++, (4, replicas) uint32, a copy."""
        return self._state.copy()

    def __copy__(self) -> Streams:
        return copy.deepcopy(self)  # drawing from a copy must not advance the original

    def words(self, count: int = 1) -> np.ndarray:
        """Draw and return the next words of every replica.

        Parameters
        ----------
        count : int
            Words for each replica, at least 0.

        Returns
        -------
        (count, replicas) int64
            A new array; each entry is u = word >> 1, in [0, 2^31).

        Raises
        ------
        TypeError, ValueError
            If count is outside its domain, or the array exceeds the available memory.

        Examples
        --------
        >>> streams = Streams(rng=7, replicas=2, role=0)
        >>> bool((streams.words(5) < 2**31).all())
        True
        """
        count, replicas = checks.whole("count", count, "[0, 2^40]"), self._state.shape[1]
        check_fits("count", "words of each replica", count, 8 * count * replicas, 8 * replicas)
        out = np.empty((count, replicas), np.int64)
        _core.lanes("float64").draw_all_words(self._state, out)
        return out


def first_states(seed: int, role: int, state: np.ndarray) -> None:
    """Write the first states of `role` into `state`, (4, replicas) uint32.

    `start_streams` makes the states of all roles up to the last.
    """
    for first in range(0, state.shape[1], _AT_A_TIME):
        stretch = state[:, first : first + _AT_A_TIME]
        made = np.empty((stretch.shape[1], role + 1, 4), np.uint32)
        _core.lanes("float64").start_streams(seed, first, role + 1, made)
        stretch[...] = made[:, role].T
