"""Recording: the request, and the counts in the state of a run."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgames._common import checks
from fastgames._common.fields import MOST_STEPS, held
from fastgames._common.frozen import Frozen
from fastgames._common.light import light_dataclass

if TYPE_CHECKING:
    from fastgames.engine.spec import RunSpec

_MOST_TIMES = 2**20  # longest sequence `every`


@dataclass(eq=False, repr=False)
class Record(Frozen):
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
        rewards, at least 1; all steps unless given. `regret` is of these steps, too; all other
        records cover all steps.
    path : int, optional
        Number of steps at the end of the run of which to keep the joint action, the rewards and
        the state, in order, at least 1; see `Result.path`.
    state_visits : bool
        True to count the steps in every state.
    action_visits : bool
        True to count each agent's moves by observation and action.
    episodes : bool
        True to count the episodes, their steps and each agent's returns in them, discounted and
        not.
    regret : bool
        True to compute each agent's external regret, from the counts of joint actions; it implies
        `joint_actions`.

    Raises
    ------
    TypeError, ValueError
        If a value is outside its domain, a snapshot is requested without `every`, or `every` is
        given without a content for snapshots.

    Notes
    -----
    `run` refuses what a game does not have: `state_visits` in a procedural game; `episodes` where
    no episode ends; `regret` where rewards depend on more than the joint action, or agents take
    turns. Records need memory that does not grow with the steps; in bytes for each replica: `path`
    k (N (4 + r) + 4), with r the bytes of a table's entry; `state_visits` 8 S; `action_visits`
    8 for each observation and action of each agent; `episodes` 32 + 40 N.

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
    path: int | None = None
    state_visits: bool = False
    action_visits: bool = False
    episodes: bool = False
    regret: bool = False

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
        if self.regret:
            object.__setattr__(self, "joint_actions", True)
        if self.path is not None:
            object.__setattr__(self, "path", checks.whole("path", self.path, "[1, 2^31)"))
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


NOTHING = np.empty((0, 0), np.int64)  # in place of what no count reads


class Played(NamedTuple):
    """A step of some replicas, as what is counted sees it.

    rows: (count,) int64, which rows of the counts belong to these replicas
    actions: (N, count) int64; NOTHING if no count reads them
    rewards: (count, N), of the type of the tables

    The rest is NOTHING in a window, from which only counts over the last steps are made:

    changes: (count, N) int64, the changes of each agent's greedy action
    steps: (count,) int64, the steps that the replica took before
    states: (count,) or (count, state_size), before the step
    pairs: (N, count) int64, the place of each agent's observation and action among those of all
        agents, see `first_pairs`; -1 where it does not move
    over: (count,) bool, whether the episode ended or was cut
    discount: of the game
    """

    rows: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    changes: np.ndarray = NOTHING
    steps: np.ndarray = NOTHING
    states: np.ndarray = NOTHING
    pairs: np.ndarray = NOTHING
    over: np.ndarray = NOTHING
    discount: float = 0.0


class Count(NamedTuple):
    """The declaration of a quantity that a run counts, beside the array that holds it.

    asked: the attribute of `Record` that asks for it
    add: adds a step to the counts (rows, *dims), in place; the reference of its compiled pass,
        see `find_recorder` in src_cy/record.pxi
    last: whether it covers the steps of `Record.last` only
    joint, rewards: whether it is counted from joint actions, and from rewards
    states: whether it is counted from the state before the step
    ring: whether it is a ring of the last steps: step t is at t modulo its first dimension
    """

    asked: str
    add: Callable[[np.ndarray, Played], None]
    last: bool
    joint: bool
    rewards: bool
    states: bool
    ring: bool


def counted(
    dtype: str | Callable[["RunSpec"], str],
    dims: Callable[["RunSpec"], tuple[int, ...]],
    asked: str,
    add: Callable[[np.ndarray, Played], None],
    *,
    bounds: Callable[["RunSpec"], tuple[float, float] | None] = lambda spec: (0, MOST_STEPS),
    present: Callable[["RunSpec"], bool] = lambda spec: True,
    start: float | tuple[float, ...] = 0,
    by_agent: bool = False,
    last: bool = False,
    joint: bool = False,
    rewards: bool = False,
    states: bool = False,
    ring: bool = False,
) -> Any:
    """Return a dataclass field that holds counts, declared as in `Field` and `Count`.

    present: whether a run that asks for it has the array
    """
    array = held(
        dtype, dims, bounds=bounds, by_agent=by_agent, start=start,
        present=lambda spec: bool(getattr(spec.record, asked)) and present(spec),
    )  # fmt: skip
    count = Count(asked, add, last, joint, rewards, states, ring)
    return dataclasses.field(default=None, metadata={**array.metadata, "count": count})


def _agents(spec: "RunSpec") -> tuple[int, ...]:
    """Return the shape (N,)."""
    return (spec.game.num_agents,)


def _add_flips(flips: np.ndarray, played: Played) -> None:
    flips[played.rows] += played.changes


def _add_joint(counts: np.ndarray, played: Played) -> None:
    counts[(played.rows, *played.actions)] += 1


def _add_rewards(sums: np.ndarray, played: Played) -> None:
    sums[played.rows] += played.rewards


def _add_state(visits: np.ndarray, played: Played) -> None:
    visits[played.rows, played.states] += 1


def _add_pairs(visits: np.ndarray, played: Played) -> None:
    for pair in played.pairs:
        moved = pair >= 0
        visits[played.rows[moved], pair[moved]] += 1


def _keep(ring: np.ndarray, played: Played, values: np.ndarray) -> None:
    """Write the values of a step, (count, ...), to rings (rows, k, ...)."""
    ring[played.rows, played.steps % ring.shape[1]] = values


def _add_episodes(counts: np.ndarray, played: Played) -> None:
    steps, finished, total, longest = counts[played.rows].T
    known = steps >= 0  # else the episode began before the recording did
    steps = steps + known
    ends = played.over & known
    counts[played.rows] = np.array(
        [
            np.where(played.over, 0, steps),
            finished + ends,
            total + np.where(ends, steps, 0),
            np.maximum(longest, np.where(ends, steps, 0)),
        ]
    ).T


def _add_returns(sums: np.ndarray, played: Played) -> None:
    plain, discounted, weight, total, total_discounted = np.moveaxis(sums[played.rows], 2, 0)
    rewards, over = played.rewards.astype(np.float64), played.over[:, None]
    plain = plain + rewards
    discounted = discounted + weight * rewards
    ends = over & ~np.isnan(plain)
    found = [
        np.where(over, 0.0, plain),
        np.where(over, 0.0, discounted),
        np.where(over, 1.0, weight * played.discount),
        np.where(ends, total + plain, total),
        np.where(ends, total_discounted + discounted, total_discounted),
    ]
    sums[played.rows] = np.stack(found, axis=2)


def first_pairs(game: Any) -> list[int]:
    """Return the place of each agent's first observation and action in `Counts.pair_visits`.

    The last entry is the number of all pairs. An agent's pair (o, a) is at first + o A + a.
    """
    sizes = zip(game.num_observations, game.num_actions, strict=True)
    return list(itertools.accumulate((o * a for o, a in sizes), initial=0))


def _state_dims(spec: "RunSpec") -> tuple[int, ...]:
    """Return the shape of a state."""
    return () if spec.functions is None else (spec.functions.state_size,)


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
    state_visits : (replicas, states) int64, or None
        Number of steps in each state.
    pair_visits : (replicas, pairs) int64, or None
        Number of moves of each agent by observation and action; see `first_pairs`.
    path_actions : (replicas, k, agents) int32, or None
        Joint actions of the last k steps, that of step t at t mod k; -1 in place of none.
    path_rewards : (replicas, k, agents) of the type of the tables, or None
        Rewards of these steps; nan in place of none.
    path_states : (replicas, k) int32, or (replicas, k, state_size) int64, or None
        States before these steps, where there are several; -1 in place of none.
    episode_counts : (replicas, 4) int64, or None
        Steps of this episode so far, -1 if the recording began after it; number of episodes that
        are over, their steps, those of the longest.
    episode_returns : (replicas, agents, 5) float64, or None
        Return of this episode so far, nan if the recording began after it; the same discounted;
        the discount of the next reward; sums of both over the episodes that are over.
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
    state_visits: np.ndarray | None = counted(
        "int64", lambda spec: (spec.game.num_states,), "state_visits", _add_state, states=True
    )
    pair_visits: np.ndarray | None = counted(
        "int64", lambda spec: (first_pairs(spec.game)[-1],), "action_visits", _add_pairs
    )
    path_actions: np.ndarray | None = counted(
        "int32", lambda spec: (spec.record.path or 0, spec.game.num_agents), "path",
        lambda ring, played: _keep(ring, played, played.actions.T),
        bounds=lambda spec: (-1, max(spec.game.num_actions) - 1), start=-1, ring=True,
    )  # fmt: skip
    path_rewards: np.ndarray | None = counted(
        "real", lambda spec: (spec.record.path or 0, spec.game.num_agents), "path",
        lambda ring, played: _keep(ring, played, played.rewards),
        bounds=lambda spec: None, start=np.nan, rewards=True, ring=True,
    )  # fmt: skip
    path_states: np.ndarray | None = counted(
        lambda spec: "int32" if spec.functions is None else "int64",
        lambda spec: (spec.record.path or 0, *_state_dims(spec)), "path",
        lambda ring, played: _keep(ring, played, played.states),
        bounds=lambda spec: (-1, spec.game.num_states - 1) if spec.functions is None else None,
        present=lambda spec: spec.functions is not None or spec.game.num_states > 1,
        start=-1, states=True, ring=True,
    )  # fmt: skip
    episode_counts: np.ndarray | None = counted(
        "int64", lambda spec: (4,), "episodes", _add_episodes,
        bounds=lambda spec: (-1, MOST_STEPS),
    )  # fmt: skip
    episode_returns: np.ndarray | None = counted(
        "float64", lambda spec: (spec.game.num_agents, 5), "episodes", _add_returns,
        bounds=lambda spec: None, start=(0.0, 0.0, 1.0, 0.0, 0.0), by_agent=True, rewards=True,
    )  # fmt: skip


#: What a run can count, by the name of the array.
COUNTS: dict[str, Count] = {x.name: x.metadata["count"] for x in dataclasses.fields(Counts)}


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
