"""What a run brings back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common import checks
from fastgames._common.later import provided
from fastgames.engine.policies import Policy, policy
from fastgames.engine.snapshots import Snapshots
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import CONTRACT, State
from fastgames.games import Game
from fastgames.learners import AnyLearner
from fastgames.record import Record, Recorded
from fastgames.schedules import CONSTANT, EXPONENTIAL
from fastgames.stop import Stable

if TYPE_CHECKING:
    from pathlib import Path

    import pandas
    import xarray

    from fastgames.grids import Grid

EXPLORATION = ("epsilon", "temperature")
FAR = 0.1  # share of the way of a schedule


@dataclass(frozen=True, eq=False, repr=False)
class Result(Recorded):
    """The outcome of `fastgames.run`, and all that is needed to go on from it (`resume=`).

    Attributes
    ----------
    game, learners, record : what was run; one learner for each agent
    seed : int or None
        The seed of the streams; None where stream="numpy" drew from a Generator or SeedSequence.
    dtype, stream : str
    snapshots : Snapshots or None
    state : State
        Tables, streams and schedules; `run` copies it before going on, so a result never changes.
    stop : Stable or None
        When a replica stopped before its steps ran out.
    grid : Grid or None
        What the replicas differ in, where that was given as `replicas`.
    contract : int
        Version of the stream contract that the bits follow. A file of an older version loads, with
        that version; `run` does not go on from it.
    """

    game: Game
    learners: tuple[AnyLearner, ...]
    record: Record
    seed: int | None
    dtype: str
    stream: str
    snapshots: Snapshots | None
    state: State
    stop: Stable | None = None
    grid: Grid | None = None
    contract: int = CONTRACT

    @property
    def spec(self) -> RunSpec:
        """The arguments of the run that decide what the result holds."""
        return RunSpec(
            self.game, self.learners, self.replicas, self.dtype, self.stream, self.record,
            self.stop, grid=self.grid,
        )  # fmt: skip

    @property
    def replicas(self) -> int:
        """How many independent runs."""
        return len(self.state.steps)

    @property
    def tables(self) -> list[dict[str, np.ndarray]]:
        """For each agent its tables by name: (replicas, *dimensions)."""
        return [seat.tables for seat in self.state.seats]

    @property
    def steps(self) -> np.ndarray:
        """Game steps taken, (replicas,) int64."""
        return self.state.steps

    @property
    def states(self) -> np.ndarray:
        """Where each replica stands, (replicas,) int64: 0 in a matrix game, which has one state.

        In a procedural game (replicas, state_size).
        """
        return self.state.states.astype(np.int64)

    @property
    def stopped(self) -> np.ndarray:
        """Which replicas `stop` ended, (replicas,) bool."""
        if self.stop is None or self.state.stable is None:
            return np.zeros(self.replicas, np.bool_)
        stopped: np.ndarray = self.state.stable >= self.stop.periods
        if self.stop.after:
            first = self.stop.first_counted(self.state)
            stopped &= self.steps >= first + self.stop.periods
        return stopped

    @property
    def unchanged(self) -> np.ndarray:
        """True where `stop` ended a replica and no greedy action had ever changed, (replicas,).

        They may have been right from the start, or may hardly have learnt yet.
        """
        if self.state.stable is None:
            return np.zeros(self.replicas, np.bool_)
        unchanged: np.ndarray = self.stopped & (self.state.stable >= self.steps)
        return unchanged

    @property
    def exploring(self) -> np.ndarray:
        """True where `stop` ended a replica while exploration was far from its floor, (replicas,).

        Far: of the way on which an agent's epsilon or temperature falls, from the first value of
        its schedule to the last, more than a tenth was still before it.
        """
        far = np.zeros(self.replicas, np.bool_)
        for seat in self.state.seats:
            for name, (kind, (start, second, third)) in seat.schedules.items():
                if name not in EXPLORATION or kind == CONSTANT:
                    continue
                falls = second > 0.0 if kind == EXPONENTIAL else True
                end = third if kind == EXPONENTIAL else second
                now = seat.values(slice(None))[name]
                far |= falls & (start > end) & (now - end > FAR * (start - end))
        exploring: np.ndarray = far & self.stopped
        return exploring

    def greedy(self, agent: int) -> np.ndarray:
        """The greedy action of `agent`, (replicas, observations) int64, the lowest on ties."""
        greedy: np.ndarray = self.state.seats[self._agent(agent)].table.argmax(axis=-1)
        return greedy

    def policy(self, agent: int) -> np.ndarray:
        """What `agent` would play now, exploration included: (replicas, observations, actions).

        Raises ValueError where its learner has no function `policy`, RuleError where that fails or
        writes no probabilities, or where a table of the learner is not finite.
        """
        return policy(self.state, self._agent(agent))

    def agent(self, agent: int, replica: int = 0) -> Policy:
        """What `agent` of one replica would play now, as a function to carry elsewhere.

        ``result.agent(0)(observation, rng)`` is an action; see `Policy`. agent in [0, N), replica
        in [0, replicas). Raises ValueError where its learner has no function `policy`.
        """
        agent = self._agent(agent)
        replica = checks.whole("replica", replica, 0, self.replicas - 1)
        seat = self.state.seats[agent]
        (probabilities,) = policy(self.state, agent, slice(replica, replica + 1))
        preferred = seat.table[replica].argmax(axis=-1)
        return Policy(probabilities, preferred, self.game.name, agent, self.game.actions[agent])

    def _agent(self, agent: int) -> int:
        return checks.whole("agent", agent, 0, self.game.num_agents - 1)

    def to_xarray(self) -> xarray.Dataset:
        """Everything recorded, with labelled dimensions (needs xarray, extra "labels")."""
        labelled: xarray.Dataset = provided("fastgames.io.labels", "dataset")(self)
        return labelled

    def to_pandas(self, what: str = "replicas") -> pandas.DataFrame:
        """A tidy data frame (needs pandas, extra "frames").

        what: "replicas", "policies", "snapshots" or "joint_actions"; see
        `fastgames.io.frames.frame`.
        """
        tidy: pandas.DataFrame = provided("fastgames.io.frames", "frame")(self, what)
        return tidy

    def to_parquet(self, path: str | Path, what: str = "replicas") -> None:
        """Write what `to_pandas` returns as a Parquet file, whole or not at all (extra "frames").

        ``pandas.read_parquet(path)`` gives it back, with seed and contract in its ``attrs``.
        """
        provided("fastgames.io.frames", "parquet")(self, path, what)

    def plot(
        self, path: str | Path | None = None, *, kind: str | None = None, **options: Any
    ) -> Any:
        """Draw the run (extra "plot"); return a matplotlib figure, written to `path` if given.

        A notebook shows the figure, whether or not pyplot was imported.

        kind: "overview", "curves", "trajectories", "joint" or "sweep"; None: "sweep" where the
        replicas were a grid, else "overview". Options are those of the function of that name in
        `fastgames.plot`; all of them take ``ax=``, where to draw instead of on a new figure.
        """
        return provided("fastgames.plot", "draw")(self, path, kind, **options)

    def save(self, path: str | Path) -> None:
        """Write the result to one file (a zip of plain arrays, no pickle), whole or not at all."""
        provided("fastgames.io.results", "save")(self, path)

    def __repr__(self) -> str:
        names = ", ".join(type(learner).__name__ for learner in self.learners)
        low, high = int(self.steps.min()), int(self.steps.max())
        steps = str(low) if low == high else f"{low} to {high}"
        counts = {"unchanged": self.unchanged.sum(), "exploring": self.exploring.sum()}
        doubts = "".join(f", {count} {name}" for name, count in counts.items() if count)
        stopped = f"; {self.stopped.sum()} stopped{doubts}" if doubts else ""
        return (
            f"<Result of {self.game.name}: {names}; {self.replicas} replicas, {steps} steps, "
            f"{self.dtype}, seed {self.seed}{stopped}>"
        )


def doubts(result: Result) -> str:
    """Return what makes it doubtful that the stopped replicas have converged, "" if nothing."""
    found = [
        (result.unchanged, "although no greedy action had ever changed (result.unchanged)"),
        (result.exploring, "while exploration was far from its floor (result.exploring)"),
    ]
    said = [f"{which.sum():,} {how}" for which, how in found if which.any()]
    if not said:
        return ""
    return (
        f"of {result.replicas:,} replicas {result.stop!r} stopped {', '.join(said)}: they may not "
        "have converged; let the count begin later, with Stable(periods, after=...)"
    )
