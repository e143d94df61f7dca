"""Recording: the request, the counts in the state of a run, and their properties of a result."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common import checks
from fastgames._common.fields import MOST_STEPS, held

if TYPE_CHECKING:
    from fastgames.engine.spec import RunSpec

_MOST_TIMES = 2**20  # longest sequence `every`


@dataclass(frozen=True)
class Record:
    """Request for the quantities that a run records; quantities not requested cost no time.

    Parameters
    ----------
    every : int, or sequence of int, optional
        The steps at which to take a snapshot. A number n: before the first game step of a replica
        and after every n steps, at 0, n, 2n, …. A sequence: after exactly these numbers of steps,
        in any order; 0 stands for the start. Steps are counted from the start of the replica; a
        resumed run takes the snapshots at later steps than its first.
    tables : tuple of str
        Names of the tables that each snapshot holds, such as "q".
    greedy, policies : bool
        True if each snapshot holds the greedy actions; the probabilities of the actions.
    flips : bool
        True to count the changes of each agent's greedy action from one step to the next.
    joint_actions : bool
        True to count the joint actions.
    rewards : bool
        True to average the rewards.
    last : int, optional
        Number of steps at the end of the run over which to count joint actions and average
        rewards, at least 1; all steps unless given.

    Raises
    ------
    TypeError, ValueError
        If a value is outside its domain, a snapshot is requested without `every`, or `every` is
        given without a content for snapshots.

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
                raise ValueError("every needs tables, greedy or policies, the content of snapshots")
        elif self.snapshots:
            raise ValueError("tables, greedy and policies need every, the steps between snapshots")
        if self.last is not None:
            checks.whole("last", self.last, "[1, inf)")
            if not (self.joint_actions or self.rewards):
                raise ValueError("last needs joint_actions or rewards")

    @property
    def snapshots(self) -> bool:
        """True if snapshots have a content."""
        return bool(self.tables) or self.greedy or self.policies

    def times(self, begun: int, steps: int) -> Sequence[int]:
        """Return the game steps of a replica at which a call takes snapshots, ascending.

        Parameters
        ----------
        begun : int
            Steps that every replica has taken before the call.
        steps : int
            Steps that the call adds.

        Returns
        -------
        sequence of int

        Examples
        --------
        >>> list(Record(every=10, greedy=True).times(begun=0, steps=25))
        [0, 10, 20]
        """
        if self.every is None:
            return ()
        first, last = begun + (begun > 0), begun + steps  # the previous call took that at `begun`
        if isinstance(self.every, int):
            return range(first + -first % self.every, last + 1, self.every)
        return [time for time in self.every if first <= time <= last]


def _agents(spec: "RunSpec") -> tuple[int, ...]:
    """Return the shape (N,)."""
    return (spec.game.num_agents,)


@dataclass(eq=False, repr=False, kw_only=True)
class Counts:
    """Counts in the state of a run that its `Record` asks for, over all steps or the last ones.

    Attributes
    ----------
    flips : (replicas, agents) int64, or None
        Number of changes of each agent's greedy action.
    joint_counts : (replicas, A_0, ...) int64, or None
        Number of times each joint action was played.
    reward_sums : (replicas, agents) float64, or None
        Sum of each agent's rewards.
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
    """Base class of `Result` with the recorded counts as properties."""

    state: Any

    #: Names of the axes after the replicas of each property, for labelled arrays.
    COUNTED: ClassVar = {
        "flips": ("agent",),
        "mean_reward": ("agent",),
        "joint_counts": ("actions",),
    }

    @property
    def flips(self) -> np.ndarray | None:
        """Number of changes of each agent's greedy action, (replicas, N) int64, if recorded."""
        flips: np.ndarray | None = self.state.flips
        return flips

    @property
    def joint_counts(self) -> np.ndarray | None:
        """Number of times each joint action was played, (replicas, A_0, …) int64, if recorded."""
        counts: np.ndarray | None = self.state.joint_counts
        return counts

    @property
    def mean_reward(self) -> np.ndarray | None:
        """Mean reward per step, (replicas, N) float64, if recorded; nan if no step was counted."""
        if self.state.reward_sums is None:
            return None
        with np.errstate(invalid="ignore"):
            mean: np.ndarray = self.state.reward_sums / self.state.counted[:, None]
        return mean


def _every(value: Any) -> int | tuple[int, ...]:
    """Return `every` after checking it, a number as an int, a sequence as an ascending tuple."""
    if hasattr(value, "__index__") and not getattr(value, "ndim", 0):
        return checks.whole("every", value, "[1, inf)")
    if isinstance(value, str | bytes | dict) or not hasattr(value, "__len__"):
        raise TypeError(f"every must be a whole number or a sequence of them, got {value!r}")
    if not 1 <= len(value) <= _MOST_TIMES:
        raise ValueError(f"every must have 1 to {_MOST_TIMES} entries, got {len(value)}")
    times = sorted(checks.whole(f"every[{k}]", time, "[0, inf)") for k, time in enumerate(value))
    twice = [time for time, after in itertools.pairwise(times) if time == after]
    if twice:
        raise ValueError(f"every must have different entries, got {twice[0]} twice")
    return tuple(times)
