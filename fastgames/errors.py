"""Errors and warnings of a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

# Codes of the first error in a block, the values of `wrong[0]` (src_cy/block.pxi, `Lanes.wrong`).
CHOSE_OUTSIDE, CHOOSE_FAILED, SEEN_OUTSIDE, PAID_OUTSIDE, GAME_FAILED, LEARN_FAILED = range(1, 7)
CHOSE_FRACTION, SEEN_FRACTION, ENDED_ODDLY, DRAW_FAILED, MOVED_ODDLY, NOT_FINITE = range(7, 13)
OPENED_OUT_OF_TURN = 13
# Stored instead of an agent's number if a function of the game failed; TURNS - i for agent i.
STEP, START, TURNS = -1, -2, -3


class CompileError(TypeError):
    """Error for a function of a learner or a game that Numba cannot compile."""


class RuleError(RuntimeError):
    """Error for a function of a learner or a game that fails or leaves its range, or an opening.

    Attributes
    ----------
    function : str
        The function, such as "choose of learners[0]"; or "opening".
    replica, step : int
        The replica and its step, counted from 0.
    value : number or None
        The value that the function returned or wrote.
    problem : str
        Description of the error, the predicate of the message.
    result : Result or None
        The complete run, if the check of the tables at its end fails.
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

    def renumber(self, numbers: np.ndarray) -> None:
        """Replace the replica, its place in a part of a run, by its number in the whole."""
        self.replica = int(numbers[self.replica])
        place = f"(replica {self.replica}, step {self.step})"
        super().__init__(f"{self.function} {self.problem} {place}")

    def __reduce__(self) -> Any:
        return RuleError, (self.function, self.replica, self.step, self.value, self.problem)


class KeepError(ValueError):
    """Error for a function `keep` of a run that fails, or returns something else than arrays.

    Attributes
    ----------
    numbers : (n,) int64 array
        The replicas that it was called with, by their numbers in the whole run.
    problem : str
        Description of the error, the predicate of the message.
    result : Result or None
        The replicas for which it succeeded; None without any.
    """

    numbers: np.ndarray
    problem: str
    result: Any = None

    def __init__(self, numbers: np.ndarray, problem: str) -> None:
        self.numbers, self.problem = numbers, problem
        super().__init__(f"keep {problem} (replicas {stretches(numbers)})")

    def __reduce__(self) -> Any:
        return KeepError, (self.numbers, self.problem)


def stretches(numbers: np.ndarray, most: int = 5) -> str:
    """Return ascending numbers as a text such as "0 to 4, 7"; at most `most` stretches."""
    ends = np.flatnonzero(np.diff(numbers) > 1)
    first, last = numbers[[0, *(ends + 1)]].tolist(), numbers[[*ends, -1]].tolist()
    found = [str(a) if a == b else f"{a} to {b}" for a, b in zip(first, last, strict=True)]
    more = len(found) - most
    return ", ".join(found[:most]) + (f" and {more} more stretches" if more > 0 else "")


@contextmanager
def numbered(part: Any) -> Iterator[None]:
    """Give the errors of a part of a run the numbers of replicas in the whole.

    part: Part or None
    """
    try:
        yield
    except RuleError as error:
        if part is not None:
            error.renumber(part.numbers)
        raise


FAILED = (
    'raised an exception, or used an index outside its array; run with backend="reference" to '
    "find the cause"
)


def of_game(function: str, game: str, agent: int | None = None) -> str:
    """Return the name of a function of a game in errors; agent: the agent that it ran for."""
    return f"{function} of game {game!r}" + ("" if agent is None else f" for agent {agent}")


def unwritable(array: np.ndarray) -> np.ndarray:
    """Return a read-only view of an array."""
    view = array.view()
    view.setflags(write=False)
    return view


def not_finite(value: float, name: str, place: tuple[int, ...]) -> str:
    """Return the error text for table `name` with a non-finite `value` at index `place`."""
    return (
        f"left {value} in table {name!r} at {place}; tables must stay finite: try smaller step "
        "sizes or smaller rewards"
    )


def out_of_range(kind: str, value: Any, count: float) -> str:
    """Return the error text for a value that is out of range.

    kind: "reward", "end", "turn", "real", "action" or "observation"; count: the largest absolute
    reward, the index of the real, or the number of actions or observations
    """
    if kind == "reward":
        return f"wrote the reward {value}, but a reward must be a number in [-{count:g}, {count:g}]"
    if kind == "end":
        return f"returned {value}, but must return True if the episode ended, else False"
    if kind == "real":
        return f"wrote {value} to reals[{count}], but reals must be finite"
    if kind == "turn":
        return f"returned {value}, but must return True if the agent moves, else False"
    what = {"action": "an action", "observation": "an observation"}[kind]
    return f"returned {value}, but {what} must be a whole number in [0, {count})"


def out_of_turn(action: int, agent: int) -> str:
    """Return the error text for an opening with an action of an agent that does not move."""
    return f"must have action 0 for agent {agent}, which does not move in this state, got {action}"


def is_below(x: Any, count: Any) -> Any:
    """Return whether a number is whole and in [0, count); a rule, compiled too."""
    return x >= 0 and x < count and int(x) == x


def is_whole(x: Any) -> Any:
    """Return whether a number is whole and fits into 62 bits; a rule, compiled too."""
    return x > -4e18 and x < 4e18 and int(x) == x


def plain(x: Any) -> int | float:
    """Return a number as an int if it is whole, else as a float."""
    return int(x) if is_whole(x) else float(x)


class ConvergenceWarning(UserWarning):
    """Warning that replicas stopped by `Stable` may not have converged; emitted once per run."""
