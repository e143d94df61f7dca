"""Recording: the request, the counts in the state of a run, and their properties of a result."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from fastgames._common import checks
from fastgames._common.fields import MOST_STEPS, held
from fastgames._common.light import light_dataclass

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
        flags = [x.name for x in dataclasses.fields(self) if isinstance(x.default, bool)]
        for flag in flags:
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
            over_last = [count.asked for count in COUNTS.values() if count.last]
            if not any(getattr(self, flag) for flag in over_last):
                raise ValueError(f"last needs {' or '.join(over_last)}")

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


class Played(NamedTuple):
    """A step of some replicas, as what is counted sees it.

    rows: (count,) int64, which rows of the counts belong to these replicas
    actions: (N, count) int64; NOTHING if no count reads them
    rewards: (count, N), of the type of the tables
    changes: (count, N) int64, the changes of each agent's greedy action; NOTHING in a window
    """

    rows: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    changes: np.ndarray


NOTHING = np.empty((0, 0), np.int64)  # in place of what no count reads


class Count(NamedTuple):
    """The declaration of a quantity that a run counts, beside the array that holds it.

    asked: the attribute of `Record` that asks for it
    add: adds a step to the counts (rows, *dims), in place; the reference of its compiled pass,
        see `find_recorder` in src_cy/record.pxi
    last: whether it covers the steps of `Record.last` only
    joint, rewards: whether it is counted from joint actions, and from rewards
    """

    asked: str
    add: Callable[[np.ndarray, Played], None]
    last: bool
    joint: bool
    rewards: bool


def counted(
    dtype: str,
    dims: Callable[["RunSpec"], tuple[int, ...]],
    asked: str,
    add: Callable[[np.ndarray, Played], None],
    *,
    bounds: Callable[["RunSpec"], tuple[float, float] | None] = lambda spec: (0, MOST_STEPS),
    by_agent: bool = False,
    last: bool = False,
    joint: bool = False,
    rewards: bool = False,
) -> Any:
    """Return a dataclass field that holds counts, declared as in `Field` and `Count`."""
    array = held(
        dtype, dims, bounds=bounds, by_agent=by_agent,
        present=lambda spec: getattr(spec.record, asked),
    )  # fmt: skip
    metadata = {**array.metadata, "count": Count(asked, add, last, joint, rewards)}
    return dataclasses.field(default=None, metadata=metadata)


def _agents(spec: "RunSpec") -> tuple[int, ...]:
    """Return the shape (N,)."""
    return (spec.game.num_agents,)


def _add_flips(flips: np.ndarray, played: Played) -> None:
    flips[played.rows] += played.changes


def _add_joint(counts: np.ndarray, played: Played) -> None:
    counts[(played.rows, *played.actions)] += 1


def _add_rewards(sums: np.ndarray, played: Played) -> None:
    sums[played.rows] += played.rewards


@light_dataclass(kw_only=True)
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

    flips: np.ndarray | None = counted("int64", _agents, "flips", _add_flips, by_agent=True)
    joint_counts: np.ndarray | None = counted(
        "int64", lambda spec: spec.game.num_actions, "joint_actions", _add_joint,
        last=True, joint=True,
    )  # fmt: skip
    reward_sums: np.ndarray | None = counted(
        "float64", _agents, "rewards", _add_rewards, bounds=lambda spec: None, by_agent=True,
        last=True, rewards=True,
    )  # fmt: skip


#: What a run can count, by the name of the array.
COUNTS: dict[str, Count] = {x.name: x.metadata["count"] for x in dataclasses.fields(Counts)}

#: What a unit of each property is, of those that `Recorded.COUNTED` gives for each agent.
UNITS = {"flips": "changes of the greedy action", "mean_reward": "reward per game step"}


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
