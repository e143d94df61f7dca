"""Fields of learners: each declares its domain and the check of its values."""

from collections.abc import Callable
from dataclasses import MISSING, field
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.light import light_dataclass
from fastgames.schedules import numeric


@light_dataclass(frozen=True)
class Form:
    """The domain of a field of a learner, and the function that checks its values.

    kind: "number", "whole", "explore", "initial", "flag", "text", "probabilities" or "learner"
    check: function (name, value) that returns the value as the learner keeps it, or raises
    domain: of a number, an interval such as "(0, 1]"
    choices: the values of a text, if only some are allowed
    """

    kind: str
    check: Callable[[str, Any], Any]
    domain: str = ""
    choices: tuple[str, ...] = ()


def parameter(default: Any, domain: str, scheduled: str | None = None, visits: bool = False) -> Any:
    """Return the field of a numeric parameter.

    default: a number, None (which is then allowed) or a `VisitCount`
    domain, scheduled: as in `fastgames.schedules.numeric`
    visits: whether a `VisitCount` is allowed
    """

    def check(name: str, value: Any) -> Any:
        from fastgames.learners.stepsize import VisitCount

        if (value is None and default is None) or (visits and isinstance(value, VisitCount)):
            return value
        return numeric(name, value, domain, scheduled, visits=True)

    return field(default=default, metadata={"form": Form("number", check, domain)})


def exploration(default: Any = MISSING) -> Any:
    """Return the field `explore`; default: None (which is then allowed), or epsilon = 0.1."""
    from fastgames.learners.explore import EpsilonGreedy, Softmax

    def check(name: str, value: Any) -> Any:
        if (value is None and default is None) or isinstance(value, EpsilonGreedy | Softmax):
            return value
        raise TypeError(f"{name} must be an EpsilonGreedy or a Softmax, got {value!r}")

    form = {"form": Form("explore", check)}
    if default is None:
        return field(default=None, metadata=form)
    return field(default_factory=lambda: EpsilonGreedy(0.1), metadata=form)


def initial_values(rivals: bool = False, most: int = 3) -> Any:
    """Return the field `initial` of the first table, 0 by default.

    rivals: whether `UniformRivals` is allowed
    most: dimensions of an array; it broadcasts to (replicas, observations, actions)
    """

    def check(name: str, value: Any) -> Any:
        if rivals and not isinstance(value, float):
            from fastgames.learners.initial import UniformRivals

            if isinstance(value, UniformRivals):
                return value
        array = checks.finite_array(name, value)
        if array.ndim > most:
            domain = "broadcast to (replicas, observations, actions)" if most else "be a number"
            raise ValueError(f"{name} must {domain}, got shape {array.shape}")
        array.setflags(write=False)
        return float(array) if array.ndim == 0 else array

    return field(default=0.0, metadata={"form": Form("initial", check)})


def tie_breaking() -> Any:
    """Return the field `ties`, "first" by default."""
    from fastgames.learners.explore import TEXT_OF_TIES, TIES

    def check(name: str, value: Any) -> str:
        return checks.one_of(name, value, TIES)

    return field(default=TIES[0], metadata=TEXT_OF_TIES | {"form": Form("text", check)})


def flag() -> Any:
    """Return a field that is True or False, False by default."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, got {value!r}")
        return value

    return field(default=False, metadata={"form": Form("flag", check)})


def whole(default: int, domain: str) -> Any:
    """Return the field of a whole number; domain: an interval such as "[1, 20]"."""

    def check(name: str, value: Any) -> int:
        return checks.whole(name, value, domain)

    return field(default=default, metadata={"form": Form("whole", check)})


def choice(choices: tuple[str, ...]) -> Any:
    """Return a field that is one of `choices`, the first by default."""

    def check(name: str, value: Any) -> str:
        return checks.one_of(name, value, choices)

    return field(default=choices[0], metadata={"form": Form("text", check, choices=choices)})


def text() -> Any:
    """Return a field that is a str, empty by default."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a str, got {value!r}")
        return value

    return field(default="", metadata={"form": Form("text", check)})


def policy_rows() -> Any:
    """Return a field of probabilities of the actions in each row, None by default."""

    def check(name: str, value: Any) -> Any:
        return None if value is None else _probabilities(name, value)

    return field(default=None, metadata={"form": Form("probabilities", check)})


def _probabilities(name: str, given: Any) -> Any:
    """Return checked probabilities as a read-only float64 array."""
    p = checks.finite_array(name, given)
    if not 1 <= p.ndim <= 3 or p.size == 0:
        raise ValueError(
            f"{name} must have shape (A,), (observations, A) or (replicas, observations, A), got "
            f"{p.shape}"
        )
    checks.within(name, p, "[0, inf)")
    sums = p.sum(axis=-1)
    wrong = np.abs(sums - 1.0) > 1e-6
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        row = f" in row {where}" if where else ""
        raise ValueError(f"{name} must sum to 1, got {sums[where]}{row}")
    p.setflags(write=False)
    return p


PROBABILITIES = Form("probabilities", _probabilities)  # of a field without a default
