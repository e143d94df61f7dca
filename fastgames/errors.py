"""What may go wrong while a run runs, or be wrong with what it brings back."""

from typing import Any


class RuleError(RuntimeError):
    """A function of a learner or a game failed, or what it returned is out of range.

    Attributes
    ----------
    function : str
        Which one, such as "choose of learners[0]".
    replica, step : int
        Where; steps of a replica are counted from 0.
    value : number or None
        What it returned.
    """

    function: str
    replica: int
    step: int
    value: Any

    def __init__(
        self, function: str, replica: int, step: int, value: Any = None, problem: str = ""
    ) -> None:
        self.function, self.replica, self.step, self.value = function, replica, step, value
        self.problem = problem
        super().__init__(f"{function} {problem} (replica {replica}, step {step})")

    def __reduce__(self) -> Any:
        return RuleError, (self.function, self.replica, self.step, self.value, self.problem)


def out_of_range(kind: str, value: Any, count: float) -> str:
    """The problem of a value that is out of its range; count: of actions or observations."""
    if kind == "reward":
        return f"wrote the reward {value}, which must be a number of at most {count:g} in size"
    what = {"action": "an action", "observation": "an observation"}[kind]
    return f"returned {value}, but {what} must be in [0, {count})"


class ConvergenceWarning(UserWarning):
    """Replicas stopped by `Stable` that may not have converged; `run` warns once, at its end."""
