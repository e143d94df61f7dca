"""Results of the analysis as tidy pandas data frames and labelled xarray data sets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.version import __version__
from fastgames.games import Game, Variants
from fastgames.io import frames, labels
from fastgames.result import Result

if TYPE_CHECKING:
    import pandas
    import xarray

Columns = dict[str, Any]  # of a frame, by name; arrays of one length


class Tabulated(ABC):
    """Methods of a result of the analysis that return it with labels."""

    def to_pandas(
        self, of: Result | Game | None = None, what: str = "replicas"
    ) -> pandas.DataFrame:
        """Return a tidy data frame of one part of the analysis.

        Parameters
        ----------
        of : Result or game, optional
            What was analysed. Then actions have their names, and as in `Result.to_pandas` every row
            begins with what replicas differ in: the dimensions of a `Grid`, parameters, variants.
        what : str
            "replicas": one row for each replica. "states", for cycles, distributions and best
            responses: one row for each replica and state (of the cycle, or with a positive share),
            and for `BestResponses` also for each agent. "paths", for a `DeviationResponse`: one row
            for each replica, period and agent. "steps", for `Nonstationarity`: one row for each
            replica and snapshot after the first.

        Returns
        -------
        pandas.DataFrame
            Columns are called as the attributes, in the singular; those of an agent end in its
            number, such as ``reward_0``.

        Raises
        ------
        ImportError
            If pandas is not installed (extra "frames").
        TypeError, ValueError
            If `of` is neither a Result nor a game, or has other replicas; if what is none of these,
            or needs values that were not computed.

        Examples
        --------
        >>> import fastgames as fg
        >>> from fastgames.analysis import limit_cycle
        >>> dilemma = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
        >>> cycle = limit_cycle(dilemma, [[[0, 1, 0, 1]], [[0, 0, 1, 1]]], start=1)
        >>> print(cycle.to_pandas(dilemma, "states"))
           replica  position  state   action_0   action_1
        0        0         0      1     defect  cooperate
        1        0         1      2  cooperate     defect
        """
        with checks.importing("frames", "a data frame"):
            import pandas
        kinds = self._frames()
        columns = kinds[checks.one_of("what", what, kinds)]
        replicas = columns.pop("replica")
        about: dict[str, Any] = {"what": what}
        _check(of, self._count())
        if of is not None:
            game = of.game if isinstance(of, Result) else of
            columns = {name: _named(name, column, game) for name, column in columns.items()}
            about |= labels.attributes(of) if isinstance(of, Result) else {"game": game.name}
            if isinstance(of, Result):
                columns = frames.beside(of, columns, replicas)
            elif isinstance(game, Variants):
                columns = {"variant": np.asarray(game.index)[replicas], **columns}
        table = pandas.DataFrame({"replica": replicas, **columns})
        table.attrs.update({**about, "fastgames": __version__})
        return table

    def to_xarray(self, of: Result | Game | None = None) -> xarray.Dataset:
        """Return the arrays with one entry for each replica as a dataset with labelled dimensions.

        Parameters
        ----------
        of : Result or game, optional
            What was analysed. Then actions have their names, and the dimensions of a `Grid` take
            the place of ``replica``, as in `Result.to_xarray`.

        Returns
        -------
        xarray.Dataset
            Dimensions: replica, agent, state, period, step, and action_0, action_1, … of joint
            actions.

        Raises
        ------
        ImportError
            If xarray is not installed (extra "labels").
        TypeError, ValueError
            If `of` is neither a Result nor a game, or has other replicas.

        Examples
        --------
        >>> import fastgames as fg
        >>> from fastgames.analysis import limit_distribution
        >>> pennies = fg.games.matching_pennies()
        >>> labelled = limit_distribution(pennies, [[[0]], [[1]]]).to_xarray(pennies)
        >>> float(labelled["joint_action_shares"].sel(action_0="heads", action_1="tails").sum())
        1.0
        """
        with checks.importing("labels", "a labelled data set"):
            import xarray
        _check(of, self._count())
        variables = self._arrays()
        game = of.game if isinstance(of, Result) else of
        dims: dict[str, int] = {}
        for axes, array in variables.values():
            dims.update(zip(axes, array.shape, strict=True))
        coordinates: dict[str, Any] = {
            dim: np.arange(n) for dim, n in dims.items() if dim != "replica"
        }
        numbers = of.numbers if isinstance(of, Result) else np.arange(self._count())
        coordinates["replica"] = (("replica",), numbers)
        coordinates |= self._coordinates()
        if game is not None:
            named = {f"action_{i}": list(names) for i, names in enumerate(game.actions)}
            coordinates |= {dim: names for dim, names in named.items() if dim in dims}
        if isinstance(game, Variants):
            coordinates["variant"] = (("replica",), np.asarray(game.index))
        if isinstance(of, Result) and of.grid is not None:
            variables, coordinates = labels.by_grid(of, variables, coordinates)
        about = labels.attributes(of) if isinstance(of, Result) else {}
        return xarray.Dataset(variables, coordinates, about)

    @abstractmethod
    def _count(self) -> int:
        """Return the number of replicas."""

    def _coordinates(self) -> dict[str, np.ndarray]:
        """Return the coordinates of dimensions that do not count from 0."""
        return {}

    @abstractmethod
    def _frames(self) -> dict[str, Columns]:
        """Return the columns of each frame, "replica" among them."""

    @abstractmethod
    def _arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        """Return the dimensions and entries of each array of the dataset."""


def each_agent(name: str, array: np.ndarray) -> Columns:
    """Return the columns name_0, name_1, … of an array (rows, N)."""
    return {f"{name}_{i}": column for i, column in enumerate(array.T)}


def _check(of: Any, count: int) -> None:
    """Raise unless `of` is None, or a game or a Result that has this number of replicas."""
    if of is None:
        return
    if not isinstance(of, Result | Game):
        raise TypeError(f"of must be a Result or a game, got {of!r}")
    if isinstance(of, Result):
        have = of.replicas
    else:
        have = len(of.index) if isinstance(of, Variants) else count
    if have != count:
        raise ValueError(f"of must have the {count} replicas of the analysis, got {have}")


def _named(name: str, column: Any, game: Game) -> Any:
    """Return a column of actions of one agent, "action_i", by name; others unchanged."""
    kind, _, agent = name.rpartition("_")
    if kind != "action":
        return column
    return frames.categories(column, game.actions[int(agent)])
