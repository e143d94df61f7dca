"""Errors and warnings of a run."""

from typing import Any

import numpy as np

# What went wrong first in a block, as `wrong[0]` says it (src_cy/block.pxi, `Lanes.wrong`).
CHOSE_OUTSIDE, CHOOSE_FAILED, SEEN_OUTSIDE, PAID_OUTSIDE, GAME_FAILED, LEARN_FAILED = range(1, 7)
CHOSE_FRACTION, SEEN_FRACTION, ENDED_ODDLY, DRAW_FAILED = range(7, 11)
STEP, START = -1, -2  # in the place of an agent: which function of the game


class CompileError(TypeError):
    """A function of a learner or a game is not in the subset of Python that Numba compiles."""


class RuleError(RuntimeError):
    """A function of a learner or a game failed, or what it returned or learned is out of range.

    Attributes
    ----------
    function : str
        Which one, such as "choose of learners[0]".
    replica, step : int
        Where; steps of a replica are counted from 0.
    value : number or None
        What it returned, or wrote.
    result : Result or None
        Where tables are found not to be finite when the run is over: the run as it ended.
    """

    function: str
    replica: int
    step: int
    value: Any
    result: Any = None

    def __init__(
        self, function: str, replica: int, step: int, value: Any = None, problem: str = ""
    ) -> None:
        self.function, self.replica, self.step, self.value = function, replica, step, value
        self.problem = problem
        super().__init__(f"{function} {problem} (replica {replica}, step {step})")

    def __reduce__(self) -> Any:
        return RuleError, (self.function, self.replica, self.step, self.value, self.problem)


FAILED = (
    "raised an exception, or used an index outside its array; the same run with "
    'backend="reference" says which'
)


def of_game(function: str, game: str, agent: int | None = None) -> str:
    """Return how errors call a function of a game; agent: for whom it ran, if for one."""
    return f"{function} of game {game!r}" + ("" if agent is None else f" for agent {agent}")


def unwritable(array: np.ndarray) -> np.ndarray:
    """Return the same array for a function that may not write to it."""
    view = array.view()
    view.setflags(write=False)
    return view


def not_finite(value: float, name: str, place: tuple[int, ...]) -> str:
    """Return the problem of a table, `name`, with `value` at `place`."""
    return (
        f"left {value} in table {name!r} at {place}; tables must stay finite: smaller step sizes "
        "or smaller rewards may keep them so"
    )


def out_of_range(kind: str, value: Any, count: float) -> str:
    """The problem of a value that is out of its range; count: of actions or observations."""
    if kind == "reward":
        return f"wrote the reward {value}, which must be a number of at most {count:g} in size"
    if kind == "end":
        return f"returned {value}, which must be True or False: whether the episode ended"
    what = {"action": "an action", "observation": "an observation"}[kind]
    return f"returned {value}, but {what} must be a whole number in [0, {count})"


def is_below(x: Any, count: Any) -> Any:
    """Return whether a number is whole and in [0, count); a rule, compiled too."""
    return x >= 0 and x < count and int(x) == x


def is_whole(x: Any) -> Any:
    """Return whether a number is whole and fits into 62 bits; a rule, compiled too."""
    return x > -4e18 and x < 4e18 and int(x) == x


def plain(x: Any) -> int | float:
    """Return a number that a function returned as an int where it is whole, else as a float."""
    return int(x) if is_whole(x) else float(x)


class ConvergenceWarning(UserWarning):
    """Replicas stopped by `Stable` that may not have converged; `run` warns once, at its end."""
