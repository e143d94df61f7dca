"""What a run records."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastgames import _checks


@dataclass(frozen=True)
class Record:
    """What to record; what is not asked for costs nothing.

    Parameters
    ----------
    every : int, optional
        Take a snapshot after every so many game steps of a replica, counted from its first.
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
    """

    every: int | None = None
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
        object.__setattr__(self, "tables", tuple(names))
        for flag in ("greedy", "policies", "flips", "joint_actions", "rewards"):
            if not isinstance(getattr(self, flag), bool):
                raise TypeError(f"{flag} must be True or False, got {getattr(self, flag)!r}")
        if self.every is not None:
            _checks.whole("every", self.every, 1)
            if not self.snapshots:
                raise ValueError("every needs something to take: tables, greedy or policies")
        elif self.snapshots:
            raise ValueError("tables, greedy and policies need every: how many steps apart")
        if self.last is not None:
            _checks.whole("last", self.last, 1)
            if not (self.joint_actions or self.rewards):
                raise ValueError("last needs joint_actions or rewards")

    @property
    def snapshots(self) -> bool:
        """Whether snapshots hold anything."""
        return bool(self.tables) or self.greedy or self.policies
