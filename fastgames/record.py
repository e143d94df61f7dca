"""What a run records: the request, the arrays of a run's state, and how a result shows them."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common import checks
from fastgames._common.fields import MOST_STEPS, held

if TYPE_CHECKING:
    from fastgames.engine.spec import RunSpec

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


def _agents(spec: "RunSpec") -> tuple[int, ...]:
    return (spec.game.num_agents,)


@dataclass(eq=False, repr=False, kw_only=True)
class Counts:
    """What a run counts if its `Record` asks for it, from the first step or over the last ones.

    Attributes
    ----------
    flips : (replicas, agents) int64, or None
        Changes of each agent's greedy action.
    joint_counts : (replicas, A_0, ...) int64, or None
        How often each joint action was played.
    reward_sums : (replicas, agents) float64, or None
    """

    flips: np.ndarray | None = held(
        "int64", _agents, bounds=lambda spec: (0, MOST_STEPS),
        present=lambda spec: spec.record.flips, lanes="flips", by_agent=True,
    )  # fmt: skip
    joint_counts: np.ndarray | None = held(
        "int64", lambda spec: spec.game.num_actions, bounds=lambda spec: (0, MOST_STEPS),
        present=lambda spec: spec.record.joint_actions, lanes="joint_counts",
    )  # fmt: skip
    reward_sums: np.ndarray | None = held(
        "float64", _agents, present=lambda spec: spec.record.rewards,
        lanes="reward_sum", by_agent=True,
    )  # fmt: skip


class Recorded:
    """What a result shows of the counts of its run."""

    state: Any

    #: The axes after the replicas of each of these, as labelled arrays name them.
    COUNTED: ClassVar = {
        "flips": ("agent",),
        "mean_reward": ("agent",),
        "joint_counts": ("actions",),
    }

    @property
    def flips(self) -> np.ndarray | None:
        """How often each agent's greedy action changed, (replicas, N) int64, if recorded."""
        flips: np.ndarray | None = self.state.flips
        return flips

    @property
    def joint_counts(self) -> np.ndarray | None:
        """How often each joint action was played, (replicas, A_0, …) int64, if recorded."""
        counts: np.ndarray | None = self.state.joint_counts
        return counts

    @property
    def mean_reward(self) -> np.ndarray | None:
        """Mean reward per step, (replicas, N) float64, if recorded (nan where none was counted)."""
        if self.state.reward_sums is None:
            return None
        with np.errstate(invalid="ignore"):
            mean: np.ndarray = self.state.reward_sums / self.state.counted[:, None]
        return mean


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
