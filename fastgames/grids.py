"""Parameter sweeps: every combination of given values, repeated, as replicas of one run."""

from __future__ import annotations

import inspect
import itertools
import keyword
import math
import numbers
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games import MarkovGame, MatrixGame, Variants

LIMIT = 2**48  # largest number of replicas of a run
# Names of dimensions and variables of a labelled result; a grid dimension would clash with them.
# Those of later records are refused where they clash, in `io.labels`: grids in files may have them.
TAKEN = "agent flips joint_counts mean_reward replica repeat snapshot states steps stopped variant"
TAKEN_BY_AGENTS = re.compile(
    r"(action|observation|(snapshot_)?(q|visits|probabilities|greedy|policy))_\d+"
)

Value = float | int | str


@dataclass(frozen=True, repr=False)
class Grid:
    """Cartesian product of the values of named dimensions, with repeats (see `fastgames.grid`).

    ``grid.alpha`` or ``grid["alpha"]`` is the value of the dimension alpha in every replica,
    (replicas,) float64, or str if the values are strings. The array is read-only and can be passed
    as a parameter of a learner.

    A Grid is immutable; it compares and hashes by content.
    """

    _dims: tuple[tuple[str, tuple[Value, ...]], ...]
    repeats: int

    @property
    def dims(self) -> dict[str, tuple[Value, ...]]:
        """Values of every dimension by name, in the order given."""
        return dict(self._dims)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of every dimension, then the number of repeats."""
        return (*(len(values) for _, values in self._dims), self.repeats)

    @property
    def replicas(self) -> int:
        """Number of replicas, the product of `shape`."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.replicas

    def __getitem__(self, name: str) -> np.ndarray:
        values = self.dims
        if name not in values:
            checks.one_of("dimension", name, values)
        strings = isinstance(values[name][0], str)
        return self._spread([name], np.array(values[name], str if strings else np.float64))

    def __getattr__(self, name: str) -> np.ndarray:
        # copy and pickle look up private names before `_dims` exists.
        if name.startswith("_") or name not in self.dims:
            raise AttributeError(f"this grid has no dimension {name!r}", name=name)
        return self[name]

    def games(self, function: Callable[..., MatrixGame | MarkovGame]) -> Variants:
        """Return variants with one game for each combination of parameters of `function`.

        Parameters
        ----------
        function : callable
            Returns a MatrixGame or a MarkovGame: ``lambda mu: fg.games.logit_bertrand(mu=mu)``, or
            the function of a game itself. It is called once with each combination of the
            dimensions that are its parameters, as keywords, with the values given to the grid. Its
            other parameters keep their defaults.

        Returns
        -------
        Variants
            Each replica plays the game of its combination.

        Raises
        ------
        TypeError
            If function is not callable.
        ValueError
            If no parameter of function has the name of a dimension, if a parameter without a
            default is not a dimension, or if the games differ in more than payoffs.

        Examples
        --------
        >>> import fastgames as fg
        >>> sweep = fg.grid(bonus=[0.0, 0.5], alpha=[0.1, 0.2, 0.3])
        >>> variants = sweep.games(lambda bonus: fg.MatrixGame([[[1 + bonus, 0], [0, 1]]] * 2))
        >>> variants.index.tolist()
        [0, 0, 0, 1, 1, 1]
        """
        names = self._parameters(function)
        lists = [self.dims[name] for name in names]
        games = [
            function(**dict(zip(names, cell, strict=True))) for cell in itertools.product(*lists)
        ]
        return Variants(games, self._spread(names, np.arange(len(games))))

    def _parameters(self, function: Callable[..., Any]) -> list[str]:
        """Return the dimensions that are parameters of `function`, in the order of the grid."""
        if not callable(function):
            raise TypeError(f"function must be callable, got {function!r}")
        keywords = set()
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if name in self.dims and parameter.kind != parameter.POSITIONAL_ONLY:
                keywords.add(name)
            elif parameter.default is parameter.empty:
                raise ValueError(
                    "function must have defaults for all parameters but keywords from "
                    f"{', '.join(self.dims)}, got {name} without a default"
                )
        if not keywords:
            raise ValueError(
                "function must have a parameter with the name of a dimension: "
                f"{', '.join(self.dims) or 'the grid has no dimensions'}"
            )
        return [name for name in self.dims if name in keywords]

    def _spread(self, names: list[str], values: np.ndarray) -> np.ndarray:
        """Broadcast one value for each combination of `names` to (replicas,), read-only."""
        ones = [n if name in names else 1 for name, n in zip(self.dims, self.shape, strict=False)]
        whole = np.broadcast_to(values.reshape(*ones, 1), self.shape).reshape(self.replicas)
        whole.setflags(write=False)
        return whole

    def reshape(self, array: Any, axis: int = 0) -> np.ndarray:
        """Unfold the axis of replicas of an array into the dimensions of the grid.

        ``grid.reshape(gain).mean(axis=-1)`` is the mean over the repeats of every combination.

        Parameters
        ----------
        array : array_like, (..., replicas, ...)
            Values of the replicas.
        axis : int
            The axis of replicas.

        Returns
        -------
        (..., *shape, ...) array
            A view of array if possible.

        Raises
        ------
        TypeError
            If array is masked.
        ValueError
            If array has no such axis, or the length of the axis is not the number of replicas.

        Examples
        --------
        >>> sweep = grid(alpha=[0.1, 0.2], repeats=3)
        >>> sweep.reshape([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).mean(axis=-1)
        array([2., 5.])
        """
        given = np.asarray(array)
        checks.not_masked("array", array)
        if not -given.ndim <= axis < given.ndim or given.shape[axis] != self.replicas:
            raise ValueError(
                f"array must have {self.replicas} replicas along axis {axis}, "
                f"got shape {given.shape}"
            )
        axis %= given.ndim
        return given.reshape(*given.shape[:axis], *self.shape, *given.shape[axis + 1 :])

    def __repr__(self) -> str:
        dims = ", ".join(f"{name}: {len(values)}" for name, values in self._dims)
        return f"<Grid of {dims or 'no dimensions'}; {self.repeats} repeats, {len(self)} replicas>"


def grid(*, repeats: int = 1, **values: Iterable[Value]) -> Grid:
    """Return the grid of every combination of the given values, as replicas of one run.

    Parameters
    ----------
    repeats : int
        Replicas of each combination, at least 1.
    **values : lists of numbers, or of strings
        The values of each dimension by its name: at least one, all different, finite. The product
        is taken in the order of the arguments; the last argument varies fastest, and repeats vary
        faster still. Numbers can be parameters of learners, strings only parameters of games
        (`Grid.games`). Names that a labelled result uses, such as ``agent`` and ``q_0``, are
        refused.

    Returns
    -------
    Grid

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or the grid would have more than 2^48 replicas.

    Examples
    --------
    >>> sweep = grid(alpha=[0.1, 0.2], epsilon=[0.0, 0.5, 1.0], repeats=2)
    >>> sweep
    <Grid of alpha: 2, epsilon: 3; 2 repeats, 12 replicas>
    >>> sweep.epsilon
    array([0. , 0. , 0.5, 0.5, 1. , 1. , 0. , 0. , 0.5, 0.5, 1. , 1. ])
    """
    repeats = checks.whole("repeats", repeats, "[1, inf)")
    checked = Grid(tuple((name, _values(name, given)) for name, given in values.items()), repeats)
    if checked.replicas > LIMIT:
        sizes = " x ".join(map(str, checked.shape))
        raise ValueError(f"a grid must have at most 2^48 replicas, got {sizes}")
    return checked


def _values(name: str, given: Any) -> tuple[Value, ...]:
    """Return the checked values of one dimension as Python numbers or strings."""
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ValueError(f"the name of a dimension must be an identifier, got {name!r}")
    if name in TAKEN.split() or TAKEN_BY_AGENTS.fullmatch(name) or hasattr(Grid, name):
        raise ValueError(
            "the name of a dimension must not be one that results or grids use, got "
            f"{name!r}; rename the dimension"
        )
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise TypeError(f"{name} must be a list of numbers or of strings, got {given!r}")
    checks.ordered(name, given)
    if isinstance(given, np.ndarray):
        checks.not_masked(name, given)
    listed = given.tolist() if isinstance(given, np.ndarray) else list(given)
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"{name} must have at least one value, got {given!r}")
    values = tuple(listed)
    if not all(isinstance(value, str) for value in values):
        values = tuple(_number(name, value) for value in values)
    if len(set(values)) < len(values):
        twice = next(value for value, count in Counter(values).items() if count > 1)
        raise ValueError(f"{name} must have different values, got {twice!r} more than once")
    return values


def _number(name: str, value: Any) -> float | int:
    """Return a finite number as an int or a float, else raise TypeError or ValueError."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be all numbers or all strings, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return int(value) if isinstance(value, numbers.Integral) else number
