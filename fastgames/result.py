"""Result of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.later import provided
from fastgames._common.light import light_dataclass
from fastgames.engine.recorded import Recorded
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import CONTRACT, State
from fastgames.errors import numbered
from fastgames.games import Game
from fastgames.learners import RuleLearner
from fastgames.record import Record
from fastgames.stop import Stable

if TYPE_CHECKING:
    from pathlib import Path

    import pandas
    import xarray

    from fastgames.engine.parts import Part
    from fastgames.engine.policies import Policy
    from fastgames.engine.snapshots import Snapshots
    from fastgames.grids import Grid


@light_dataclass(frozen=True)
class Result(Recorded):
    """Result of `fastgames.run`, with the complete state needed to resume the run (`resume=`).

    Attributes
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame, Variants or ProceduralVariants
        The game that was played.
    learners : tuple
        One learner for each agent.
    record : Record
        The request for what to record.
    seed : int or None
        The seed of the streams; None if stream="numpy" drew from a Generator or SeedSequence.
    dtype, stream : str
        The arguments of the run.
    snapshots : Snapshots or None
        The snapshots that `record` asked for; None if it asked for none.
    state : State
        Tables, streams and schedules. `run` copies the state before it resumes, so a result never
        changes.
    stop : Stable or None
        The stopping rule of the run.
    grid : Grid or None
        The grid that was given as `replicas`; None if a number was given.
    part : Part or None
        The replicas of a part of a run, see `only` of `run`; None if these are all replicas. The
        game, the learners and all arrays are of the part; the grid is of the whole run.
    kept : dict of str to array, or None
        The arrays that `keep` of `run` returned, by name, each (replicas, ...). The result has no
        tables then, and no run resumes from it. None in a run without `keep`.
    contract : int
        Version of the stream contract that the bits follow. A file of an older version can be
        loaded and keeps that version; `run` cannot resume from it.

    Examples
    --------
    >>> import fastgames as fg
    >>> fg.run(fg.games.matching_pennies(), fg.QLearner(), steps=1000, replicas=4, rng=7)
    <Result of matching pennies: QLearner, QLearner; 4 replicas, 1000 steps, float64, seed 7>
    """

    game: Game
    learners: tuple[RuleLearner, ...]
    record: Record
    seed: int | None
    dtype: str
    stream: str
    snapshots: Snapshots | None
    state: State
    stop: Stable | None = None
    grid: Grid | None = None
    contract: int = CONTRACT
    part: Part | None = None
    kept: dict[str, np.ndarray] | None = None

    @property
    def spec(self) -> RunSpec:
        """The arguments of the run that determine the contents of the result."""
        return RunSpec(
            self.game, self.learners, self.replicas, self.dtype, self.stream, self.record,
            self.stop, grid=self.grid, opening_steps=self.state.opening_steps, part=self.part,
            kept=self.kept is not None,
        )  # fmt: skip

    @property
    def replicas(self) -> int:
        """Number of independent runs."""
        return len(self.state.steps)

    @property
    def total(self) -> int:
        """Number of replicas of the whole run, of which this may be a part."""
        return self.replicas if self.part is None else self.part.total

    @property
    def numbers(self) -> np.ndarray:
        """Numbers of the replicas in the whole run, (replicas,) int64, ascending."""
        return np.arange(self.replicas) if self.part is None else self.part.numbers

    @property
    def tables(self) -> list[dict[str, np.ndarray]]:
        """Tables of every agent by name, each (replicas, *dimensions).

        Raises ValueError after a run with `keep`, which drops them.
        """
        self._check_tables()
        return [seat.tables for seat in self.state.seats]

    def _check_tables(self) -> None:
        """Raise ValueError if the tables were dropped."""
        if self.kept is not None:
            raise ValueError(
                "tables were dropped by keep; this result has steps, stopped, states, its records, "
                f"and in kept {', '.join(self.kept)}"
            )

    @property
    def steps(self) -> np.ndarray:
        """Game steps taken, (replicas,) int64."""
        return self.state.steps

    @property
    def states(self) -> np.ndarray:
        """Current state of each replica, (replicas,) int64.

        0 in a matrix game, which has one state. In a procedural game (replicas, state_size).
        """
        states, functions = self.state.states.astype(np.int64), self.spec.functions
        return states if functions is None else functions.whole_numbers(states)

    @property
    def reals(self) -> np.ndarray | None:
        """Current reals of each replica, (replicas, num_reals) float64, of a game with reals."""
        functions = self.spec.functions
        if functions is None or not functions.reals:
            return None
        return functions.real_numbers(self.state.states).copy()

    @property
    def stopped(self) -> np.ndarray:
        """Mask of the replicas that `stop` ended, (replicas,) bool."""
        if self.stop is None:
            return np.zeros(self.replicas, np.bool_)
        return self.stop.ended(self.state)

    @property
    def unchanged(self) -> np.ndarray:
        """Mask of stopped replicas in which no greedy action ever changed, (replicas,) bool.

        Their greedy actions may have been right from the start, or they may hardly have learnt yet.
        """
        if self.state.stable is None:
            return np.zeros(self.replicas, np.bool_)
        unchanged: np.ndarray = self.stopped & (self.state.stable >= self.steps)
        return unchanged

    @property
    def exploring(self) -> np.ndarray:
        """Mask of replicas stopped while exploration was far from its floor, (replicas,) bool.

        An agent's exploration is far from its floor if its epsilon or temperature exceeds the last
        value of its schedule by more than a tenth of the difference between the first value and
        the last.
        """
        far = np.logical_or.reduce([seat.exploring() for seat in self.state.seats])
        exploring: np.ndarray = far & self.stopped
        return exploring

    def greedy(self, agent: int) -> np.ndarray:
        """Return the greedy action of `agent` for every observation.

        Parameters
        ----------
        agent : int
            In [0, N).

        Returns
        -------
        (replicas, observations) int64
            The action of the largest value; the lowest of them on ties.

        Raises
        ------
        TypeError, ValueError
            If agent is outside its domain.

        Examples
        --------
        >>> import fastgames as fg
        >>> game = fg.games.prisoners_dilemma()
        >>> fg.run(game, fg.QLearner(), steps=1000, replicas=3, rng=7).greedy(0).tolist()
        [[1], [1], [1]]
        """
        self._check_tables()
        greedy: np.ndarray = self.state.seats[self._agent(agent)].table.argmax(axis=-1)
        return greedy

    def policy(self, agent: int) -> np.ndarray:
        """Return the current policy of `agent`, exploration included.

        Parameters
        ----------
        agent : int
            In [0, N).

        Returns
        -------
        (replicas, observations, actions) float64
            The probability of every action.

        Raises
        ------
        TypeError, ValueError
            If agent is outside its domain, or its learner has no function `policy`.
        RuleError
            If that function fails or writes values that are not probabilities, or if a table of
            the learner is not finite.

        Examples
        --------
        >>> import fastgames as fg
        >>> learner = fg.FixedPolicy([0.25, 0.75])
        >>> fg.run(fg.games.matching_pennies(), learner, steps=1, rng=7).policy(0).tolist()
        [[[0.25, 0.75]]]
        """
        from fastgames.engine.policies import policy

        self._check_tables()
        with numbered(self.part):
            return policy(self.state, self._agent(agent))

    def agent(self, agent: int, replica: int = 0) -> Policy:
        """Return the current policy of `agent` in one replica as a standalone function.

        Parameters
        ----------
        agent : int
            In [0, N).
        replica : int
            Its place in the arrays of the result, in [0, replicas).

        Returns
        -------
        Policy
            ``result.agent(0)(observation, rng)`` returns an action.

        Raises
        ------
        TypeError, ValueError
            If an argument is outside its domain, or the learner has no function `policy`.
        RuleError
            As `policy`.

        Examples
        --------
        >>> import fastgames as fg
        >>> learner = fg.FixedPolicy([0.0, 1.0])
        >>> fg.run(fg.games.matching_pennies(), learner, steps=1, rng=7).agent(0)(0, rng=7)
        1
        """
        from fastgames.engine.policies import Policy, policy

        self._check_tables()
        agent = self._agent(agent)
        replica = checks.whole("replica", replica, f"[0, {self.replicas - 1}]")
        seat = self.state.seats[agent]
        with numbered(self.part):
            (probabilities,) = policy(self.state, agent, slice(replica, replica + 1))
        preferred = seat.table[replica].argmax(axis=-1)
        return Policy(probabilities, preferred, self.game.name, agent, self.game.actions[agent])

    def _agent(self, agent: int) -> int:
        """Return `agent` as an int in [0, N), else raise TypeError or ValueError."""
        return checks.whole("agent", agent, f"[0, {self.game.num_agents - 1}]")

    def to_xarray(self) -> xarray.Dataset:
        """Return everything recorded as a dataset with labelled dimensions.

        Returns
        -------
        xarray.Dataset

        Raises
        ------
        ImportError
            If xarray is not installed (extra "labels").
        """
        labelled: xarray.Dataset = provided("fastgames.io.labels", "dataset")(self)
        return labelled

    def to_pandas(self, what: str = "replicas") -> pandas.DataFrame:
        """Return a tidy data frame of one part of the result.

        Parameters
        ----------
        what : str
            "replicas", "policies", "snapshots", "joint_actions", "states" or "path"; see
            `fastgames.io.frames.frame`.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ValueError
            If what is none of these, or was not recorded.
        ImportError
            If pandas is not installed (extra "frames").
        """
        tidy: pandas.DataFrame = provided("fastgames.io.frames", "frame")(self, what)
        return tidy

    def to_parquet(self, path: str | Path, what: str = "replicas") -> None:
        """Write the data frame of `to_pandas` to a Parquet file atomically.

        ``pandas.read_parquet(path)`` reads it back, with seed and contract in its ``attrs``.

        Parameters
        ----------
        path : str or Path
            The file to write. If writing fails, no partial file is left.
        what : str
            As for `to_pandas`.

        Raises
        ------
        ValueError
            If what is none of those, or was not recorded.
        ImportError
            If a package of the extra "frames" is not installed.
        """
        provided("fastgames.io.frames", "parquet")(self, path, what)

    def plot(
        self, path: str | Path | None = None, *, kind: str | None = None, **options: Any
    ) -> Any:
        """Plot the run and return a matplotlib figure; write it to `path` if given.

        Parameters
        ----------
        path : str or Path, optional
            The file to write.
        kind : str, optional
            "overview", "curves", "trajectories", "joint" or "sweep". Unless given, "sweep" if the
            replicas were a grid, else "overview".
        **options
            Those of the function of that name in `fastgames.plot`. All of these functions take
            ``ax=``, the Axes to draw on instead of a new figure.

        Returns
        -------
        matplotlib Figure
            A notebook displays it whether or not pyplot was imported.

        Raises
        ------
        TypeError, ValueError
            If an argument is outside its domain, or the plot needs something that was not recorded.
        ImportError
            If matplotlib is not installed (extra "plot").
        """
        return provided("fastgames.plot", "draw")(self, path, kind, **options)

    def save(self, path: str | Path) -> None:
        """Write the result to one file atomically; `fastgames.load` reads it.

        Parameters
        ----------
        path : str or Path
            The file to write: a zip of plain arrays, without pickle. If writing fails, no partial
            file is left.

        Raises
        ------
        ValueError
            If `fastgames.load` would refuse the file, for instance because a table is not finite.
        """
        provided("fastgames.io.results", "save")(self, path)

    def __repr__(self) -> str:
        names = ", ".join(type(learner).__name__ for learner in self.learners)
        low, high = int(self.steps.min()), int(self.steps.max())
        steps = str(low) if low == high else f"{low} to {high}"
        counts = {"unchanged": self.unchanged.sum(), "exploring": self.exploring.sum()}
        doubts = "".join(f", {count} {name}" for name, count in counts.items() if count)
        replicas = f"{self.replicas}{'' if self.part is None else f' of {self.total}'}"
        stopped = f"; {self.stopped.sum()} stopped{doubts}" if doubts else ""
        return (
            f"<Result of {self.game.name}: {names}; {replicas} replicas, {steps} steps, "
            f"{self.dtype}, seed {self.seed}{stopped}>"
        )


def doubts(result: Result) -> str:
    """Return a warning if stopped replicas may not have converged, else ""."""
    if result.stop is None:
        return ""
    found = [
        (result.unchanged, "although no greedy action had ever changed (result.unchanged)"),
        (result.exploring, "while exploration was far from its floor (result.exploring)"),
    ]
    said = [f"{which.sum():,} {how}" for which, how in found if which.any()]
    if not said:
        return ""
    return (
        f"of {result.replicas:,} replicas {result.stop!r} stopped {', '.join(said)}: they may not "
        "have converged; start the count later with Stable(periods, after=...)"
    )
