"""What a run records."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastgames._common import checks

_MOST_TIMES = 2**20  # that are listed one by one


@dataclass(frozen=True)
class Record:
    """Say what a run records; what is not asked for costs nothing.

    Parameters
    ----------
    every : int, or sequence of int, optional
        When to take a snapshot. A number n: before the first game step of a replica and after
        every n of its steps, at 0, n, 2n, …. A sequence: after exactly these numbers of steps, in
        any order, 0 among them for the start. Steps are counted from the start of the replica, so
        a resumed run goes on with the first time after where it begins.
    tables : tuple of str
        Which tables each snapshot holds ("q").
    greedy, policies : bool
        Whether each snapshot holds greedy actions; the probabilities of the actions.
    flips : bool
        Count how often each agent's greedy action changes from one step to the next.
    joint_actions : bool
        Count the joint actions.
    rewards : bool
        Average the rewards.
    last : int, optional
        Count joint actions and average rewards over the last so many steps of the run only.

    Notes
    -----
    Raises ValueError or TypeError where a value is outside its domain, a snapshot is asked for
    without `every`, or `every` without anything to hold.

    Examples
    --------
    >>> Record(every=[100, 0, 10], greedy=True).every
    (0, 10, 100)
    """

    every: int | Sequence[int] | None = None
    tables: tuple[str, ...] = ()
    greedy: bool = False
    policies: bool = False
    flips: bool = False
    joint_actions: bool = False
    rewards: bool = False
    last: int | None = None

    def __post_init__(self) -> None:
        names = self.tables
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise TypeError(f'tables must be a tuple of names such as ("q",), got {names!r}')
        checks.ordered("tables", names)
        object.__setattr__(self, "tables", tuple(names))
        for flag in ("greedy", "policies", "flips", "joint_actions", "rewards"):
            if not isinstance(getattr(self, flag), bool):
                raise TypeError(f"{flag} must be True or False, got {getattr(self, flag)!r}")
        if self.every is not None:
            object.__setattr__(self, "every", _every(self.every))
            if not self.snapshots:
                raise ValueError("every needs something to take: tables, greedy or policies")
        elif self.snapshots:
            raise ValueError("tables, greedy and policies need every: how many steps apart")
        if self.last is not None:
            checks.whole("last", self.last, 1)
            if not (self.joint_actions or self.rewards):
                raise ValueError("last needs joint_actions or rewards")

    @property
    def snapshots(self) -> bool:
        """Whether snapshots hold anything."""
        return bool(self.tables) or self.greedy or self.policies

    def times(self, begun: int, steps: int) -> Sequence[int]:
        """Return when a call takes snapshots, ascending, in game steps of a replica.

        begun: the steps that replicas have taken before the call; steps: that the call adds
        """
        if self.every is None:
            return ()
        first, last = begun + (begun > 0), begun + steps  # what stood at `begun` was taken before
        if isinstance(self.every, int):
            return range(first + -first % self.every, last + 1, self.every)
        return [time for time in self.every if first <= time <= last]


def _every(value: Any) -> int | tuple[int, ...]:
    """Return a number of steps as an int, several times as an ascending tuple."""
    if hasattr(value, "__index__") and not getattr(value, "ndim", 0):
        return checks.whole("every", value, 1)
    if isinstance(value, str | bytes | dict) or not hasattr(value, "__len__"):
        raise TypeError(f"every must be a whole number or a sequence of them, got {value!r}")
    if not 1 <= len(value) <= _MOST_TIMES:
        raise ValueError(f"every must be 1 to {_MOST_TIMES} times, got {len(value)} of them")
    times = sorted(checks.whole(f"every[{k}]", time, 0) for k, time in enumerate(value))
    twice = [time for time, after in itertools.pairwise(times) if time == after]
    if twice:
        raise ValueError(f"every must be different times, got {twice[0]} twice")
    return tuple(times)
