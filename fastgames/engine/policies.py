"""Policies of agents, as probabilities for many replicas and as a function to carry elsewhere."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames import _core
from fastgames._common import checks
from fastgames.engine.state import State, check_finite
from fastgames.errors import CompileError, RuleError, unwritable
from fastgames.learners import Rules

MANY = 5_000  # rows from which compiling a function takes less time than interpreting it


class Writer:
    """Compute the policies of an agent in a run, compiled once many rows were asked for.

    A run may ask for few rows many times, as with snapshots.

    rows: rows that were asked for so far; minus infinity if the rule cannot be compiled
    compiled: the compiled loop over the rule, if there is one
    """

    __slots__ = ("compiled", "rows")

    def __init__(self) -> None:
        self.rows, self.compiled = 0.0, None

    def write(
        self,
        rules: Rules,
        tables: tuple[np.ndarray, ...],
        p: np.ndarray | None,
        out: np.ndarray,
        now: np.ndarray,
    ) -> None:
        """Do what `fastgames.compiler.policies.write_policies` does, compiled or interpreted."""
        asked = len(out) * out.shape[1]
        self.rows += asked
        if self.rows > MANY:
            from fastgames.compiler.policies import write_policies

            try:
                self.compiled = write_policies(rules, tables, p, out, now, self.compiled)
                return
            except CompileError:
                if asked > MANY:
                    raise
                self.rows = -math.inf
        _interpret(rules, tables, p, out, now)


@np.errstate(over="ignore", under="ignore")  # a softmax weight of exp(-inf) is 0, as it should be
def policy(
    state: State,
    agent: int,
    where: slice | np.ndarray = slice(None),
    writer: Writer | None = None,
) -> np.ndarray:
    """Return the policy of an agent in the replicas `where`, exploration included.

    writer: of this agent, the same for all calls of a run

    Returns probabilities (replicas, observations, actions), float64. Raises ValueError where the
    learner has no function `policy`; RuleError where that fails or writes no probabilities, or
    where a table is not finite.
    """
    seat = state.seats[agent]
    learned = seat.tables if seat.learner.learns else {}
    found = check_finite({name: table[where] for name, table in learned.items()})
    if found is not None:
        name, (row, *place), value = found
        problem = f"needs finite tables; {name!r} is {value} at {tuple(place)}"
        raise _error(state, agent, where, row, value, problem)
    table = seat.table[where]
    if seat.learner.rules.twin == "fixed":
        return _normalised(table)
    values = seat.values(where)
    if seat.learner.rules.twin not in ("epsilon_greedy", "softmax"):
        return _by_rule(state, agent, where, writer or Writer())
    if seat.learner.rules.twin == "softmax":
        best = table.max(axis=-1, keepdims=True)
        temperature = values["temperature"].astype(table.dtype)[:, None, None]
        x = np.ascontiguousarray((table - best) / temperature).ravel()
        return _normalised(_core.lanes(table.dtype.name).exp(x).reshape(table.shape))
    explored = np.floor(values["epsilon"] * 2.0**31) / 2.0**31
    out = np.repeat((explored / table.shape[-1])[:, None], table.shape[1], axis=1)
    out = np.repeat(out[:, :, None], table.shape[2], axis=2)
    greedy = table.argmax(axis=-1)[:, :, None]
    picked = np.take_along_axis(out, greedy, axis=-1) + (1.0 - explored)[:, None, None]
    np.put_along_axis(out, greedy, picked, axis=-1)
    return out


def _error(
    state: State, agent: int, where: slice | np.ndarray, row: int, value: Any, problem: str
) -> RuleError:
    """Return the error of an agent's `policy`; row: in which replica, of those `where`."""
    replica = int(np.arange(len(state.steps))[where][row])
    function = f"policy of learners[{agent}]"
    return RuleError(function, replica, int(state.steps[replica]), value, problem)


def _by_rule(state: State, agent: int, where: slice | np.ndarray, writer: Writer) -> np.ndarray:
    """Return what the rules' own function writes; it is compiled if there are or were many rows."""
    seat = state.seats[agent]
    learner = seat.learner
    rule = learner.rules.policy
    if rule is None:
        raise ValueError(f"policy of {learner!r} is not known: it was given no function `policy`")
    tables: tuple[np.ndarray, ...] = tuple(seat.tables[name][where] for name in learner.rules.names)
    values = seat.values(where)
    names = learner.rules.parameters
    p = np.stack([values[name] for name in names], axis=-1) if names else None
    out: np.ndarray = np.zeros(seat.table[where].shape)
    now = np.zeros(1, np.int64)  # the row at which it is
    try:
        writer.write(learner.rules, tables, p, out, now)
    except CompileError:
        raise
    except Exception as error:
        problem = f"failed: {type(error).__name__}: {error}"
        raise _error(state, agent, where, int(now[0]), None, problem) from error
    _check_probabilities(state, agent, where, out)
    return out


def _interpret(
    rules: Rules,
    tables: tuple[np.ndarray, ...],
    p: np.ndarray | None,
    out: np.ndarray,
    now: np.ndarray,
) -> None:
    """Do what `fastgames.compiler.policies.write_policies` does, by the plain function."""
    from fastgames.functions.promotion import for_reference

    rule = for_reference(rules.policy, tables[0].dtype.type, np.float64)
    for r in range(len(out)):
        now[0] = r
        own = rules.as_tables(unwritable(table[r]) for table in tables)
        numbers = rules.as_p(float(x) for x in p[r]) if p is not None else ()
        for o in range(out.shape[1]):
            rule(own, numbers, o, out[r, o])


def _check_probabilities(
    state: State, agent: int, where: slice | np.ndarray, out: np.ndarray
) -> None:
    """Raise RuleError unless every row of `out` (replicas, O, A) is non-negative and sums to 1."""
    near = 1e-6 if state.seats[agent].table.dtype == np.float64 else 1e-3
    good = np.asarray((out >= 0).all(axis=-1))  # not for nan
    good &= np.abs(out.sum(axis=-1, where=good[..., None]) - 1.0) <= near  # and not for inf
    if good.all():
        return
    r, o = (int(k) for k in np.argwhere(~good)[0])
    row = out[r, o].tolist()
    value = next((x for x in row if not 0.0 <= x <= 1.0), sum(row))
    problem = (
        f"wrote {reprlib.repr(row)} at observation {o}, which must be probabilities: "
        "non-negative, with the sum 1"
    )
    raise _error(state, agent, where, r, value, problem)


def _normalised(weights: np.ndarray) -> np.ndarray:
    weights = weights.astype(np.float64)
    total = np.add.accumulate(weights, axis=-1)[..., -1:]  # in index order, unlike sum()
    return weights / total


@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """The policy of one agent as a plain function; it needs no game, no run, only NumPy.

    ``result.agent(i)`` makes one. It can be pickled and copied, and is an array where one is asked
    for: ``np.save(path, policy)``, ``fg.FixedPolicy(policy)``.

    Parameters
    ----------
    probabilities : array (O, A), or (A,) for one observation
        Non-negative, each row sums to 1 within 1e-6. Copied to float64, read-only.
    preferred : array (O,) of int, optional
        What `greedy` returns. None: the likeliest action, the lowest on ties.
    game : str
        Where it was learned.
    agent : int
        Whose seat it was.
    actions : tuple of A str, optional
        The names of the actions; "0", "1", … unless given.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Examples
    --------
    >>> policy = Policy([[0.25, 0.75], [1.0, 0.0]])
    >>> policy(0, 2**30)  # a random word of 32 bits; 2**30 / 2**32 = 0.25
    1
    >>> policy([0, 1, 1], np.random.default_rng(7))
    array([1, 0, 0])
    >>> policy.greedy([0, 1])
    array([1, 0])
    """

    probabilities: Any
    preferred: Any = None
    game: str = ""
    agent: int = 0
    actions: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        from fastgames.learners import FixedPolicy

        table = np.atleast_2d(FixedPolicy(self.probabilities).probabilities)
        if table.ndim != 2:
            raise ValueError(
                "probabilities must have shape (observations, A), those of one replica, "
                f"got {table.shape}"
            )
        given = table.argmax(axis=-1) if self.preferred is None else self.preferred
        preferred = np.array(_indices("preferred", given, table.shape[1]))
        if preferred.shape != table.shape[:1]:
            raise ValueError(
                f"preferred must be ({len(table)},), one action for each observation, "
                f"got shape {preferred.shape}"
            )
        count = table.shape[1]
        names = tuple(map(str, range(count))) if self.actions is None else self.actions
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise TypeError(f"actions must be a sequence of {count} names, got {names!r}")
        if len(names) != count or not all(isinstance(name, str) for name in names):
            raise ValueError(f"actions must be {count} names, each a str, got {names!r}")
        if not isinstance(self.game, str):
            raise TypeError(f"game must be a str, the name of a game, got {self.game!r}")
        object.__setattr__(self, "agent", checks.whole("agent", self.agent, "[0, inf)"))
        preferred.setflags(write=False)
        object.__setattr__(self, "probabilities", table)
        object.__setattr__(self, "preferred", preferred)
        object.__setattr__(self, "actions", tuple(names))

    def __call__(self, observation: Any, rng: Any) -> Any:
        """Return a sampled action; for an array of observations an array of actions.

        Parameters
        ----------
        observation : int, or array of int
            In [0, O).
        rng : numpy Generator, or int, or array of int
            A Generator gives one `random()` for each observation, as ``stream="numpy"`` does. Or
            random words of 32 bits, one for each observation, as the streams of `fastgames.run`
            are: then the action is what ``fg.FixedPolicy(policy)`` plays there.

        Returns
        -------
        int, or array of int64 of the observations' shape

        Raises
        ------
        TypeError, ValueError
            If an argument is outside its domain.
        """
        rows = _indices("observation", observation, len(self.probabilities))
        sums = np.add.accumulate(self.probabilities[rows], axis=-1)  # in index order
        if isinstance(rng, np.random.Generator):
            x = rng.random(rows.shape)
        else:
            words = _indices("rng", rng, 2**32, "a numpy Generator or random words")
            try:
                x = np.broadcast_to((words >> 1) * 2.0**-31, rows.shape)
            except ValueError:
                raise ValueError(
                    f"rng must be one word for each observation, {rows.shape}, got {words.shape}"
                ) from None
        return _plain((sums[..., :-1] <= (x * sums[..., -1])[..., None]).sum(axis=-1))

    def greedy(self, observation: Any) -> Any:
        """Return the greedy action; for an array of observations an array of actions.

        Arguments, result and errors as for a call, without the random numbers.
        """
        return _plain(self.preferred[_indices("observation", observation, len(self.preferred))])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.probabilities, dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:  # an array comes out of a pickle writable
        return Policy, (self.probabilities, self.preferred, self.game, self.agent, self.actions)

    def __repr__(self) -> str:
        rows, actions = self.probabilities.shape
        of = f" in {self.game!r}" if self.game else ""
        return f"<Policy of agent {self.agent}{of}: {rows} observations, {actions} actions>"


def _indices(name: str, value: Any, count: int, what: str = "whole numbers") -> np.ndarray:
    """Return whole numbers in [0, count) as int64."""
    given = np.asarray(value)
    if given.dtype.kind not in "iu":
        raise TypeError(f"{name} must be {what} in [0, {count}), got {value!r}")
    checks.not_masked(name, value)
    outside = (given < 0) | (given >= count)
    if outside.any():
        raise ValueError(f"{name} must be {what} in [0, {count}), got {given[outside].flat[0]}")
    return given.astype(np.int64)


def _plain(actions: Any) -> Any:
    return int(actions) if np.ndim(actions) == 0 else actions
