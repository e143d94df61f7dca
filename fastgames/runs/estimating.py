"""`estimate`: the memory and the time of a run, before it begins."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgames._common import checks
from fastgames._common.memory import available, in_units
from fastgames._common.seeds import seed_from
from fastgames.engine.arguments import checked_spec, least_steps, memory_of
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import bytes_each
from fastgames.errors import ConvergenceWarning
from fastgames.games import Game
from fastgames.learners import RuleLearner
from fastgames.record import Record
from fastgames.result import Result
from fastgames.runs.execution import Interrupted
from fastgames.runs.keep import Keep, check_keep, reduced
from fastgames.runs.running import run
from fastgames.stop import Stable

if TYPE_CHECKING:
    import numpy.typing as npt

    from fastgames.grids import Grid

MOST = 2**28  # bytes of the replicas that are measured
LEAST = 0.05  # seconds of measuring without which a step cannot be told from the start of a run
GROWTH = 64.0  # most by which a trial is longer than the one before it
clock: Callable[[], float] = time.perf_counter
UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86400.0), ("years", 31557600.0))


@dataclass(frozen=True)
class Estimate:
    """The memory and the time that a run needs on this machine; `print` it.

    Attributes
    ----------
    replicas : int
        Replicas of the run.
    steps : int
        Game steps of each replica, with `stop` the largest number.
    threads : int
        Threads of the run.
    memory : int
        Bytes of all arrays of the result of a run without `keep`: tables, streams, records.
    memory_kept : int
        Bytes of those of a run with `keep`: what stays of each replica, and the arrays that `keep`
        returns. Without a `keep` to measure, only what stays.
    memory_working : int
        Bytes that the run needs besides its result: the blocks in which its threads step replicas,
        and, with `keep`, the tables of the replicas that are not finished.
    available : int or None
        Bytes that this process can take on this machine; None if unknown.
    fits : bool
        True if the run fits into the available memory: with `keep` if that was given. True if the
        available memory is unknown.
    seconds : float or None
        Time of the run. With `stop`, an upper bound: that of all steps. None if not even one
        replica fits into memory.
    seconds_stopped : float or None
        Time of the run if all replicas take as many steps as the measured replicas that stopped,
        on average; None if none stopped. Replicas that stop late may not be among these.
    measured_replicas, measured_stopped, measured_steps : int
        Replicas that were measured, those of them that `stop` ended, and the steps that they took
        together, in the longest trial.
    measured_seconds : float
        Time of this trial.
    has_keep, has_stop : bool
        True if `keep` and `stop` were given.
    """

    replicas: int
    steps: int
    threads: int
    memory: int
    memory_kept: int
    memory_working: int
    available: int | None
    fits: bool
    seconds: float | None
    seconds_stopped: float | None
    measured_replicas: int
    measured_stopped: int
    measured_steps: int
    measured_seconds: float
    has_keep: bool
    has_stop: bool

    def __str__(self) -> str:
        return "\n".join([self._memory_text(), self._time_text()])

    def __repr__(self) -> str:
        text = "; ".join(str(self).split("\n"))
        return f"<Estimate of {self.replicas} replicas, {self.steps} steps: {text}>"

    def _memory_text(self) -> str:
        """Return the line on the memory."""
        have = "available memory unknown" if self.available is None else (
            f"{in_units(self.available)} available: {'fits' if self.fits else 'does not fit'}"
        )  # fmt: skip
        whole, kept = in_units(self.memory), in_units(self.memory_kept)
        if self.has_keep:
            text = f"memory {kept} with keep ({have}; without keep {whole})"
        else:
            text = f"memory {whole} ({have}; with keep= {kept} and what keep returns)"
        return f"{text}, and {in_units(self.memory_working)} while stepping"

    def _time_text(self) -> str:
        """Return the line on the time."""
        if self.seconds is None:
            return "time not measured: not even one replica fits into memory"
        threads = f"on {self.threads} thread{'s' * (self.threads > 1)}"
        bound = "at most " if self.has_stop else ""
        text = f"time {bound}{_duration(self.seconds)} {threads}"
        if self.seconds_stopped is not None:
            text += (
                f"; {_duration(self.seconds_stopped)} if all stop as {self.measured_stopped:,} of "
                f"{self.measured_replicas:,} measured replicas did"
            )
        elif self.has_stop:
            text += ", the time of all steps (no replica stopped while it was measured)"
        return text


def estimate(
    game: Game,
    learners: RuleLearner | Sequence[RuleLearner],
    steps: int = 20_000,
    replicas: int | Grid | None = None,
    rng: Any = None,
    record: Record | None = None,
    stop: Stable | None = None,
    dtype: str | None = None,
    backend: str = "auto",
    stream: str | None = None,
    threads: int | None = None,
    *,
    checked: bool | None = None,
    start_states: npt.ArrayLike | None = None,
    start_tables: Sequence[Mapping[str, npt.ArrayLike] | None] | None = None,
    only: slice | npt.ArrayLike | None = None,
    opening: npt.ArrayLike | None = None,
    keep: Keep | None = None,
    seconds: float = 1.0,
) -> Estimate:
    """Return the memory and the time that a run needs on this machine, before it begins.

    The memory follows from the arguments. The time is measured: some replicas of the run, evenly
    spaced among all and enough to fill the lanes of every thread, take steps for about `seconds`,
    after everything is compiled.

    Parameters
    ----------
    game, learners, steps, replicas, rng, record, stop, dtype, backend, stream, threads
        As for `fastgames.run`. A Generator given as `rng` is not advanced.
    checked, start_states, start_tables, only, opening
        As for `fastgames.run`.
    keep : function, optional
        A function of a `Result` that returns a dict of arrays with a row for each replica, as for
        `fastgames.run`. It is called with the replicas that were measured, which have taken fewer
        steps than the run unless the run is short.
    seconds : float
        Time to spend on measuring, above 0. Compiling comes on top.

    Returns
    -------
    Estimate

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain. A run that does not fit into memory is not an error.
    KeepError, RuleError, CompileError
        As `fastgames.run`, in the measured replicas.

    Notes
    -----
    Several trials are run, each longer than the one before; the shortest tells the time that does
    not depend on the steps, the longest the time of a step. Where the speed changes with learning,
    a longer measurement is more accurate. Counting the last steps (`record.last`) of replicas that
    stopped is not in the time.

    Examples
    --------
    >>> import fastgames as fg
    >>> game, learner = fg.games.matching_pennies(), fg.QLearner()
    >>> found = fg.estimate(game, learner, steps=10**6, replicas=10**6, seconds=0.01)
    >>> found.memory, found.memory_kept  # bytes: 100 of each replica, 36 of them with keep
    (100000000, 36000000)
    """
    arguments: dict[str, Any] = {
        "game": game, "learners": learners, "steps": steps, "replicas": replicas, "rng": rng,
        "record": record, "stop": stop, "dtype": dtype, "backend": backend, "stream": stream,
        "threads": threads, "checked": checked, "start_states": start_states,
        "start_tables": start_tables, "only": only, "opening": opening,
    }  # fmt: skip
    seconds = checks.real("seconds", seconds, "(0, inf)")
    if keep is not None:
        check_keep(keep)
    spec = checked_spec(**arguments, memory=False)
    rng = copy.deepcopy(rng)
    arguments["rng"] = rng if spec.stream == "numpy" else seed_from(rng)

    need, have = memory_of(spec), available()
    trials = _measured(_Call(spec, arguments), seconds, have)
    time_of_all, time_of_stopped = _extrapolated(spec, trials)
    memory_kept, working = need.kept, need.working
    if keep is not None:
        working = memory_of(replace(spec, kept=True)).working
    if keep is not None and trials:
        size, lasting = _measured_keep(keep, trials[-1], seconds)
        memory_kept += size * spec.replicas
        time_of_all, time_of_stopped = (
            None if x is None else x + lasting * spec.replicas
            for x in (time_of_all, time_of_stopped)
        )
    longest = trials[-1] if trials else None
    return Estimate(
        replicas=spec.replicas,
        steps=spec.steps,
        threads=spec.threads,
        memory=need.result,
        memory_kept=memory_kept,
        memory_working=working,
        available=have,
        fits=have is None or working + (need.result if keep is None else memory_kept) <= have,
        seconds=time_of_all,
        seconds_stopped=time_of_stopped,
        measured_replicas=longest.replicas if longest else 0,
        measured_stopped=int(longest.result.stopped.sum()) if longest else 0,
        measured_steps=longest.taken if longest else 0,
        measured_seconds=longest.seconds if longest else 0.0,
        has_keep=keep is not None,
        has_stop=stop is not None,
    )


class Trial(NamedTuple):
    """A part of a run that was run to measure it.

    result: the part; seconds: the time that it took; steps: the most steps of each replica
    """

    result: Result
    seconds: float
    steps: int

    @property
    def replicas(self) -> int:
        """The number of replicas."""
        return self.result.replicas

    @property
    def taken(self) -> int:
        """The steps that all replicas took together."""
        return int(self.result.steps.sum())


class _Call(NamedTuple):
    """A call of `run`: its specification, and its arguments as they were given but for rng."""

    spec: RunSpec
    arguments: dict[str, Any]

    def trial(self, replicas: int, steps: int) -> Trial:
        """Run the first `steps` steps of some replicas, evenly spaced among all.

        There are more steps if a learner does not learn before.
        """
        spec = self.spec
        steps = max(steps, least_steps(spec))
        arguments = self.arguments | {"steps": steps, "record": _shortened(spec, steps)}
        if replicas < spec.replicas:
            each, more = divmod(spec.replicas, replicas)
            count = np.arange(replicas)
            places = count * each + count * more // replicas
            arguments["only"] = places if spec.part is None else spec.part.numbers[places]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            began = clock()
            try:
                result = run(**arguments, progress=False)
            except Interrupted:  # its result is none that anybody asked for
                raise KeyboardInterrupt from None
            return Trial(result, clock() - began, steps)

    def size(self, steps: int) -> int:
        """Return the bytes of a replica in a trial."""
        size, record = bytes_each(self.spec), self.spec.record
        if record.every is not None:
            from fastgames.engine import snapshots

            count = len(record.times(0, steps))
            size += snapshots.bytes_each(self.spec, count) + 8 * count
        return size


def _shortened(spec: RunSpec, steps: int) -> Record:
    """Return the record of a trial: of `last`, the same share of the steps as in the run.

    A replica that may stop writes every step to its window, which stays as long as it can.
    """
    record = spec.record
    if record.last is None:
        return record
    share = record.last if spec.stop is not None else record.last * steps // spec.steps
    return replace(record, last=max(1, min(share, steps)))


def _lanes(spec: RunSpec) -> int:
    """Return the replicas that are in the lanes of all threads at once."""
    if spec.backend == "reference":
        return min(spec.threads, spec.replicas)
    from fastgames.engine.compiled import layout

    threads, capacity = layout(spec, spec.replicas, spec.threads)
    return min(threads * capacity, spec.replicas)


def _measured(call: _Call, seconds: float, have: int | None) -> list[Trial]:
    """Run trials for about `seconds`; return the shortest and the longest, [] if none is possible.

    have: bytes of memory available, None if unknown
    """
    spec = call.spec
    one = memory_of(replace(spec, replicas=1, steps=1, record=_shortened(spec, 1)))
    if have is not None and one.result + one.working > have:
        return []
    most = MOST if have is None else min(MOST, have // 2)

    def room(steps: int) -> int:
        """Return how many replicas of a trial fit into memory."""
        return min(spec.replicas, max(1, most // call.size(steps)))

    replicas, steps = min(_lanes(spec), room(1)), 1
    call.trial(replicas, steps)  # compiles and loads
    first = last = call.trial(replicas, steps)
    left = max(seconds, LEAST) - first.seconds
    growth = min(GROWTH, left / max(first.seconds, 1e-9))
    while growth >= 2.0:
        longer = min(spec.steps, int(steps * growth))
        if last.result.stopped.all():  # no replica takes more steps
            longer = steps
        while longer > steps and replicas > room(longer):
            longer //= 2
        more = min(room(longer), int(replicas * growth * steps / longer))
        if longer <= steps and more <= replicas:
            break
        replicas, steps = max(more, replicas), max(longer, steps)
        last = call.trial(replicas, steps)
        left -= last.seconds
        grows = max(last.seconds - first.seconds, last.seconds / 10, 1e-9)  # with the steps
        growth = min(GROWTH, (left - first.seconds) / grows)
    return [first, last]


def _extrapolated(spec: RunSpec, trials: list[Trial]) -> tuple[float | None, float | None]:
    """Return the time of all steps, and that of as many as measured replicas that stopped took.

    The time is linear in the steps, through the shortest and the longest trial.
    """
    if not trials:
        return None, None
    first, last = trials
    more, longer = last.taken - first.taken, last.seconds - first.seconds
    if more > 0 and longer > 0:
        each, base = longer / more, first.seconds - first.taken * longer / more
    else:  # too short to tell these apart
        each, base = last.seconds / last.taken, 0.0
    whole = base + each * spec.replicas * spec.steps
    stopped = last.result.stopped
    if not stopped.any():
        return whole, None
    ended = stopped | (last.result.steps >= spec.steps)
    mean = float(last.result.steps[ended].mean())
    return whole, base + each * spec.replicas * mean


def _measured_keep(keep: Keep, trial: Trial, seconds: float) -> tuple[int, float]:
    """Return the bytes that `keep` returns for each replica, and the time that it takes."""
    taken = 0.0
    for _ in range(2):  # the second call has loaded and compiled everything
        if taken < seconds:
            began = clock()
            kept = reduced(trial.result, keep).kept or {}
            taken = clock() - began
    return sum(array.nbytes for array in kept.values()) // trial.replicas, taken / trial.replicas


def _duration(seconds: float) -> str:
    """Return a time as text, such as "about 2.1 h"."""
    if seconds < 0.1:
        return "0.1 s or less"
    name, unit = next(
        ((name, unit) for name, unit in reversed(UNITS) if seconds >= 1.5 * unit), UNITS[0]
    )
    count = seconds / unit
    return f"about {count:,.{0 if count >= 10 else 1}f} {name}"
