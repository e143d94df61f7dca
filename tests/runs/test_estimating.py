"""Estimates of memory and time: the bytes are those of the result, the steps are counted."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.every import EVERYTHING
from library.learners import KINDS
from library.runs import setups

import fastgames as fg
from fastgames._common import memory
from fastgames.runs import estimating

PENNIES = fg.games.matching_pennies()
MARKOV = fg.games.random_markov_game(2, 7, (3, 5), rng=1, transitions="sparse", time_limit=9)
# What `keep` drops of a finished replica, besides its tables and pending moves.
ONLY_TO_GO_ON = {"streams", "mediator", "window", "reward_window", "opening", "opening_begun"}
QUICK = {"seconds": 0.001}


# --- memory -------------------------------------------------------------------------------------


def own_bytes(arrays):
    """Bytes of arrays; each counts once, and without the entries that broadcasting repeats."""
    size, seen = 0, set()
    for array in arrays:
        if isinstance(array, np.ndarray) and id(array) not in seen:
            seen.add(id(array))
            own = [n for n, s in zip(array.shape, array.strides, strict=True) if s]
            size += array.itemsize * int(np.prod(own))
    return size


def arrays_of(result, kept=False):
    """All arrays of a result that have something for each replica, or those that `keep` leaves."""
    state = result.state
    names = [x.name for x in fields(state) if not (kept and x.name in ONLY_TO_GO_ON)]
    arrays = [getattr(state, name) for name in names]
    for seat in state.seats:
        arrays += [seat.clock, *seat.recurrence.values()]
        if not kept:
            arrays += [] if seat.pending is None else seat.pending.arrays().values()
            # a fixed policy is one for all replicas, unless there is one for each
            own = [x for x in seat.tables.values() if seat.learner.learns or x.strides[0]]
            arrays += own
    if result.snapshots is not None:
        arrays += result.snapshots.arrays().values()
    return arrays


def arguments_of(setup):
    return {f.name: getattr(setup, f.name) for f in fields(setup)}


def unmeasured(**call):
    """The estimate without the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimating, "_measured", lambda *_: [])
        return fg.estimate(**call)


def assert_memory(result, found):
    assert found.memory == own_bytes(arrays_of(result))
    assert found.memory_kept == own_bytes(arrays_of(result, kept=True)) < found.memory


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(data=st.data())
def test_the_memory_is_that_of_the_result(kind, data):
    setup = data.draw(setups(kind=kind, steps=3, replicas=data.draw(st.sampled_from([2, 3]))))
    found = unmeasured(**arguments_of(setup), backend="reference")
    assert_memory(setup.run(backend="reference"), found)


@given(data=st.data())
def test_the_memory_of_compiled_runs_is_that_of_the_result(data):
    setup = data.draw(setups())
    assert_memory(setup.run(), unmeasured(**arguments_of(setup)))


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({}, False),
        ({"steps": 4}, False),
        ({"steps": 3}, True),
        ({"stop": fg.Stable(2), "start_tables": [{"q": [9.0, 0.0]}, {"q": [9.0, 0.0]}]}, True),
        ({"stop": fg.Stable(2, after=9)}, None),
    ],
)
@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_an_opening_stays_in_the_result_until_all_replicas_have_played_it(changes, stays):
    call = {"steps": 20, "replicas": 5, "rng": 1, "opening": [[0, 1]] * 4, **changes}
    call |= {"game": PENNIES, "learners": fg.QLearner(explore=fg.EpsilonGreedy(0.0))}
    found, result = unmeasured(**call), fg.run(**call)
    if stays is None:  # `stop` may end a replica before: the memory is an upper bound
        assert found.memory == own_bytes(arrays_of(result)) + 5 * (4 * 2 * 4 + 8)
    else:
        assert (result.state.opening is not None) == stays
        assert_memory(result, found)


def test_memory_by_hand():
    # streams 32, state 4, steps and counted 16, a clock of 8 and a table of 16 for each agent
    found = fg.estimate(PENNIES, fg.QLearner(), 10**9, 10**6, **QUICK)
    assert (found.memory, found.memory_kept) == (100 * 10**6, 36 * 10**6)
    record = fg.Record(every=[0, 10, 100], tables=("q",), greedy=True)
    more = fg.estimate(PENNIES, fg.QLearner(), 1000, 50, record=record, **QUICK)
    snapshots = 3 * 50 * 2 * (16 + 4) + 3 * 8
    assert (more.memory, more.memory_kept) == (100 * 50 + snapshots, 36 * 50 + snapshots)


def test_the_memory_with_keep_has_what_keep_returns():
    def keep(part):
        return {"gain": part.tables[0]["q"][:, 0], "taken": part.steps}

    call = {"game": MARKOV, "learners": fg.QLearner(), "steps": 50, "replicas": 2000, "rng": 3}
    without, with_keep = fg.estimate(**call, **QUICK), fg.estimate(**call, keep=keep, **QUICK)
    result = fg.run(**call)
    arrays = keep(result).values()
    assert with_keep.memory == without.memory == own_bytes(arrays_of(result))
    expected = own_bytes(arrays_of(result, kept=True)) + sum(x.nbytes for x in arrays)
    assert with_keep.memory_kept == expected
    assert without.memory_kept == own_bytes(arrays_of(result, kept=True))
    # the tables of the replicas in the blocks are there beside what is kept
    assert with_keep.memory_working > without.memory_working


@pytest.mark.parametrize(
    ("room", "keep", "fits"),
    [
        (10**9, None, True),
        (90 * 10**6, None, False),
        (90 * 10**6, lambda part: {}, True),
        (30 * 10**6, lambda part: {}, False),
        (None, None, True),
    ],
)
def test_a_run_fits_into_what_is_available_with_keep_if_that_is_given(
    room, keep, fits, monkeypatch
):
    monkeypatch.setattr(estimating, "available", lambda: room)
    found = fg.estimate(PENNIES, fg.QLearner(), 5, 10**6, threads=1, keep=keep, **QUICK)
    assert (found.available, found.fits) == (room, fits)
    needed = found.memory_kept if keep else found.memory
    assert fits == (room is None or needed + found.memory_working <= room)


@pytest.mark.parametrize("little", [True, False])
def test_a_run_that_does_not_fit_is_no_error(little, monkeypatch):
    if little:
        for module in (memory, estimating):
            monkeypatch.setattr(module, "available", lambda: 2**26)
    found = fg.estimate(PENNIES, fg.QLearner(), 10**9, 10**12, **QUICK)
    assert not found.fits
    assert found.memory == 10**14
    assert found.seconds > 0.0


def test_where_not_even_one_replica_fits_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(estimating, "run", None)
    monkeypatch.setattr(estimating, "available", lambda: 10**9)
    record = fg.Record(path=2**30)
    found = fg.estimate(PENNIES, fg.QLearner(), 10**9, 3, record=record, keep=lambda part: {})
    assert (found.seconds, found.seconds_stopped, found.fits) == (None, None, False)
    assert found.memory == 3 * (100 + 2**30 * 2 * (4 + 8))
    assert "not even one replica fits" in str(found)


# --- time ---------------------------------------------------------------------------------------


class Machine:
    """A clock by which a run takes a fixed time and some for each step; the first run compiles.

    calls: for every run after the first, its arguments and its result
    """

    start, step, compiling = 0.02, 1e-7, 1000.0

    def __init__(self, patch):
        self.now, self.calls = 5.0, []
        run, self.first = estimating.run, True

        def slow(**arguments):
            result = run(**arguments)
            self.now += self.start + self.step * int(result.steps.sum())
            self.now += self.compiling if self.first else 0.0
            if not self.first:
                self.calls.append((arguments, result))
            self.first = False
            return result

        patch.setattr(estimating, "run", slow)
        patch.setattr(estimating, "clock", lambda: self.now)

    @property
    def longest(self):
        """The steps of the longest run."""
        return max(int(result.steps.sum()) for _, result in self.calls)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


@pytest.mark.parametrize("seconds", [0.2, 0.7])
@pytest.mark.parametrize(
    "call",
    [
        {"steps": 10**9, "replicas": 10**7},
        {"steps": 10**9, "replicas": 1},
        {"steps": 3, "replicas": 10**7},
        {"steps": 10**9, "replicas": 10**7, "only": slice(0, 10**5)},
        {"steps": 10**9, "replicas": 10**7, "only": [3]},
        {"steps": 10**8, "replicas": 100, "record": fg.Record(every=10**3, greedy=True)},
        {"game": MARKOV, "steps": 10**9, "replicas": 10**6},
    ],
    ids=str,
)
def test_the_time_is_that_of_all_steps_after_the_code_is_compiled(call, seconds, machine):
    call = {"game": PENNIES, "learners": fg.QLearner(), "rng": 1, "threads": 2, **call}
    found = fg.estimate(**call, seconds=seconds)
    count = len(np.arange(call["replicas"])[call.get("only", slice(None))])
    steps = count * call["steps"]
    assert found.seconds == pytest.approx(machine.start + machine.step * steps, rel=1e-9)
    assert found.seconds_stopped is None
    assert found.replicas == count
    spent = sum(
        machine.start + machine.step * int(result.steps.sum()) for _, result in machine.calls
    )
    assert seconds / 3 <= spent <= 1.1 * seconds
    assert found.measured_steps == machine.longest
    assert found.measured_seconds == pytest.approx(machine.start + machine.step * machine.longest)


def test_a_short_run_is_measured_whole(machine):
    found = fg.estimate(PENNIES, fg.QLearner(), 30, 500, rng=1)
    assert found.measured_steps == machine.longest == 30 * 500
    assert found.measured_replicas == 500
    assert found.seconds == pytest.approx(machine.start + machine.step * 30 * 500)


def test_keep_takes_its_time_for_every_replica(machine):
    def keep(part):
        machine.now += 1e-5 * part.replicas + (50.0 if machine.first_keep else 0.0)
        machine.first_keep = False
        return {}

    machine.first_keep = True  # when it compiles or loads something
    found = fg.estimate(PENNIES, fg.QLearner(), 1000, 10**6, keep=keep, seconds=100.0)
    run = machine.start + machine.step * 10**9
    assert found.seconds == pytest.approx(run + 1e-5 * 10**6, rel=1e-9)


STOPS = {"learners": fg.QLearner(0.9, explore=fg.EpsilonGreedy(0.2)), "stop": fg.Stable(5)}


@pytest.mark.parametrize("steps", [100, 10**9])
def test_with_stop_the_time_is_that_of_all_steps_and_that_of_the_mean(steps, machine):
    found = fg.estimate(PENNIES, steps=steps, replicas=10**5, rng=1, seconds=0.1, **STOPS)
    _, result = max(machine.calls, key=lambda call: int(call[1].steps.sum()))
    assert result.stopped.sum() > 50
    mean = result.steps[result.stopped | (result.steps == steps)].mean()
    whole, ended = (machine.start + machine.step * 10**5 * count for count in (steps, mean))
    assert found.seconds == pytest.approx(whole, rel=1e-6)
    assert found.seconds_stopped == pytest.approx(ended, rel=1e-6)
    assert found.measured_stopped == result.stopped.sum()
    assert "at most" in str(found)


def test_where_all_measured_replicas_stop_more_of_them_are_measured(machine):
    arguments = {"replicas": 10**6, "rng": 1, "seconds": 1.0, "threads": 1}
    found = fg.estimate(PENNIES, steps=10**9, **arguments, **STOPS)
    assert found.measured_stopped == found.measured_replicas
    assert machine.step * machine.longest > 0.3
    enough = [arguments["steps"] for arguments, result in machine.calls if result.stopped.all()]
    assert len(enough) > 1
    assert len(set(enough)) == 1


def test_where_no_replica_stops_only_the_bound_is_known(machine):
    stop = fg.Stable(10**9)
    found = fg.estimate(PENNIES, fg.QLearner(), 10**12, 100, stop=stop, seconds=0.1)
    assert found.seconds_stopped is None
    assert "at most" in str(found)
    assert "no replica stopped" in str(found)


def test_a_run_too_short_to_tell_its_start_from_its_steps(monkeypatch):
    """The longer trial seems the quicker one, as when the machine was busy at first."""
    now, times = [0.0], [9.0, 0.0001, 0.00005, *[0.1] * 9]
    run = estimating.run

    def hasty(**arguments):
        result = run(**arguments)
        now[0] += times.pop(0)
        return result

    monkeypatch.setattr(estimating, "run", hasty)
    monkeypatch.setattr(estimating, "clock", lambda: now[0])
    assert fg.estimate(PENNIES, fg.QLearner(), 2, 64, seconds=0.01).seconds > 0.0


# --- what is measured ---------------------------------------------------------------------------


@pytest.mark.parametrize("only", [None, slice(10**5, 2 * 10**5, 3), [7, 5, 10**6 - 1]])
def test_the_measured_replicas_are_spread_over_those_of_the_run(only, machine):
    alpha = np.linspace(0.01, 0.5, 10**6)
    arguments = {"replicas": 10**6, "rng": 1, "only": only, "seconds": 0.1, "threads": 2}
    fg.estimate(PENNIES, fg.QLearner(alpha), 10**6, **arguments)
    numbers = np.arange(10**6) if only is None else np.arange(10**6)[only]
    for _, result in machine.calls:
        found = result.numbers
        assert np.isin(found, numbers).all()
        assert result.learners[0].alpha.tolist() == alpha[found].tolist()
        gaps = np.diff([-1, *np.searchsorted(np.sort(numbers), found), len(numbers)])
        assert gaps.max() <= len(numbers) / len(found) + 2


def test_enough_replicas_are_measured_to_fill_the_lanes_of_every_thread(machine):
    from fastgames.engine.compiled import layout

    found = fg.estimate(MARKOV, fg.QLearner(), 10**9, 10**6, threads=3, seconds=0.1)
    threads, capacity = layout(machine.calls[0][1].spec, 10**6, 3)
    assert found.threads == threads == 3
    assert found.measured_replicas >= 3 * capacity > 3


def test_only_what_fits_into_memory_is_measured(machine, monkeypatch):
    monkeypatch.setattr(estimating, "MOST", 10**5)
    record = fg.Record(every=1, greedy=True)
    for arguments in ({"steps": 5, "replicas": 10**7}, {"steps": 10**7, "replicas": 3}):
        fg.estimate(PENNIES, fg.QLearner(), **arguments, record=record, seconds=10.0)
    for _, result in machine.calls:
        assert own_bytes(arrays_of(result)) < 1.1 * 10**5


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (None, lambda steps: steps / 1000),  # the same share of the steps is counted
        (fg.Stable(10**9), lambda steps: min(steps, 10**6)),  # every step is, see `State.window`
    ],
)
def test_as_many_of_the_steps_are_counted_as_in_the_run(stop, expected, machine):
    record = fg.Record(rewards=True, last=10**6, every=10**5, greedy=True, flips=True)
    fg.estimate(PENNIES, fg.QLearner(), 10**9, 10, record=record, stop=stop, seconds=0.1)
    for arguments, result in machine.calls:
        steps, last = arguments["steps"], arguments["record"].last
        assert last == pytest.approx(max(expected(steps), 1), abs=1)
        assert arguments["record"] == replace(record, last=last) == result.record


@pytest.mark.parametrize(
    "make", [np.random.default_rng, np.random.SeedSequence, lambda seed: seed, lambda seed: None]
)
@pytest.mark.parametrize("stream", ["fastgames", "numpy"])
def test_the_rng_is_not_advanced(make, stream):
    call = {"steps": 30, "replicas": 1, "stream": stream}
    one, other = make(3), make(3)
    fg.estimate(PENNIES, fg.QLearner(), rng=one, **call, **QUICK)
    if one is not None:
        first, second = (fg.run(PENNIES, fg.QLearner(), rng=x, **call) for x in (one, other))
        np.testing.assert_array_equal(first.tables[0]["q"], second.tables[0]["q"])


def variants():
    games = [fg.MatrixGame(scale * PENNIES.payoffs) for scale in (1.0, 2.0)]
    return fg.Variants(games, np.arange(600) % 2)


@pytest.mark.parametrize(
    "call",
    [
        {"game": variants()},
        {"game": variants(), "only": [5, 77, 599], "rng": 1},
        {"replicas": fg.grid(alpha=[0.1, 0.2], repeats=300)},
        {"game": MARKOV, "replicas": 600, "start_states": np.arange(600) % 7},
        {"replicas": 600, "start_tables": [{"q": np.ones((600, 1, 2))}, None]},
        {"replicas": 600, "opening": np.zeros((600, 9, 2), int)},
        {"replicas": 600, "record": EVERYTHING, "dtype": "float32"},
        {"replicas": 600, "backend": "reference", "threads": 2},
        {"game": MARKOV, "learners": fg.Sarsa(fg.VisitCount()), "replicas": 600},
        {"stream": "numpy", "game": MARKOV},
        {"replicas": 600, "checked": True},
    ],
    ids=lambda call: " ".join(call),
)
def test_calls_that_can_be_measured(call):
    call = {"game": PENNIES, "learners": fg.QLearner(), "steps": 10**7, **call}
    found = fg.estimate(**call, seconds=0.01)
    assert found.seconds > 0.0
    assert found.measured_steps > 0
    assert found.steps == 10**7


def test_ctrl_c_is_not_the_interruption_of_a_run_with_a_result(monkeypatch):
    def interrupted(**_):
        raise fg.Interrupted(None)

    monkeypatch.setattr(estimating, "run", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        fg.estimate(PENNIES, fg.QLearner())
    assert type(caught.value) is KeyboardInterrupt


@pytest.mark.filterwarnings("error")
def test_measured_replicas_that_stop_too_early_are_not_warned_of():
    fg.estimate(PENNIES, fg.QLearner(1e-9), 1000, 50, stop=fg.Stable(2), **QUICK)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seconds": 0}, ValueError, r"seconds must be a number in \(0, inf\), got 0"),
        ({"seconds": -1.5}, ValueError, r"seconds must be .*-1\.5"),
        ({"seconds": np.nan}, ValueError, "seconds must be .*nan"),
        ({"seconds": np.inf}, ValueError, "seconds must be .*inf"),
        ({"seconds": "1"}, TypeError, "seconds must be .*'1'"),
        ({"seconds": True}, TypeError, "seconds must be .*True"),
        ({"keep": 3}, TypeError, "keep must be a function .*3"),
        ({"keep": {"gain": 1}}, TypeError, "keep must be a function"),
        ({"steps": 0}, ValueError, "steps must be .*0"),
        ({"replicas": -1}, ValueError, "replicas must be .*-1"),
        ({"rng": -1}, ValueError, "rng must be .*-1"),
        ({"rng": "seed"}, TypeError, "rng must be .*'seed'"),
        ({"replicas": 3, "only": [4], "rng": 1}, ValueError, "only must be"),
        ({"replicas": 3, "only": [1]}, ValueError, "rng must be given with only"),
        ({"learners": 3}, TypeError, "learners must be"),
        ({"dtype": "float46"}, ValueError, "dtype must be one of .*float64"),
        ({"record": fg.Record(rewards=True, last=90)}, ValueError, "last must be at most steps"),
    ],
)
def test_refused_before_anything_is_measured(arguments, error, message, monkeypatch):
    monkeypatch.setattr(estimating, "run", None)
    with pytest.raises(error, match=message):
        fg.estimate(**{"game": PENNIES, "learners": fg.QLearner(), "steps": 50, **arguments})


@pytest.mark.parametrize("name", ["resume", "reset", "checkpoint", "progress", "second"])
def test_unknown_arguments_are_refused(name):
    with pytest.raises(TypeError, match=f"'{name}'"):
        fg.estimate(PENNIES, fg.QLearner(), **{name: 1})


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (None, "None"),
        ({"gain": [1.0, 2.0]}, r"'gain' of shape \(2,\) for 3 replicas"),
    ],
)
def test_what_keep_must_return(returned, got):
    with pytest.raises(fg.KeepError, match=f"keep must return a dict of arrays.*got {got}"):
        fg.estimate(PENNIES, fg.QLearner(), 9, 3, keep=lambda part: returned, **QUICK)


def test_a_keep_that_fails_tells_with_what_it_was_called():
    def keep(part):
        raise LookupError("nothing")

    with pytest.raises(fg.KeepError, match=r"raised LookupError: nothing \(replicas 0 to 2\)"):
        fg.estimate(PENNIES, fg.QLearner(), 9, 3, keep=keep, **QUICK)


def test_errors_of_users_functions_have_the_number_of_the_replica():
    def schedule(t, low):
        return low if t < 4 else 7.0

    alpha = fg.Schedule(schedule, [np.linspace(0.1, 0.2, 1000)])
    with pytest.raises(fg.RuleError, match=r"alpha .*\(replica 9\d\d"):
        only = slice(900, 1000)
        fg.estimate(PENNIES, fg.QLearner(alpha), 10**6, 1000, rng=1, only=only)


# --- what it says -------------------------------------------------------------------------------

GIB = 2**30
FOUND = estimating.Estimate(
    replicas=1000, steps=10**6, threads=2, memory=54 * GIB, memory_kept=60 * 2**20,
    memory_working=3 * 2**20, available=8 * GIB, fits=False, seconds=7200.0, seconds_stopped=None,
    measured_replicas=64, measured_stopped=40, measured_steps=10**6, measured_seconds=0.5,
    has_keep=False, has_stop=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {},
            [
                "memory 54.0 GiB (8.0 GiB available: does not fit; with keep= 60.0 MiB and what "
                "keep returns), and 3.0 MiB while stepping",
                "time about 2.0 h on 2 threads",
            ],
        ),
        (
            {"has_keep": True, "fits": True, "has_stop": True, "threads": 1},
            [
                "memory 60.0 MiB with keep (8.0 GiB available: fits; without keep 54.0 GiB), and "
                "3.0 MiB while stepping",
                "time at most about 2.0 h on 1 thread, the time of all steps (no replica stopped "
                "while it was measured)",
            ],
        ),
        (
            {"available": None, "has_stop": True, "seconds_stopped": 90.0},
            [
                "memory 54.0 GiB (available memory unknown; with keep= 60.0 MiB and what keep "
                "returns), and 3.0 MiB while stepping",
                "time at most about 2.0 h on 2 threads; about 1.5 min if all stop as 40 of 64 "
                "measured replicas did",
            ],
        ),
    ],
)
def test_the_text(changes, lines):
    found = replace(FOUND, **changes)
    assert str(found).split("\n") == lines
    assert repr(found) == f"<Estimate of 1000 replicas, 1000000 steps: {'; '.join(lines)}>"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.1 s or less"),
        (0.26, "about 0.3 s"),
        (89.0, "about 89 s"),
        (90.0, "about 1.5 min"),
        (3600.0, "about 60 min"),
        (5400.0, "about 1.5 h"),
        (129_600.0, "about 1.5 days"),
        (86_400.0 * 100, "about 100 days"),
        (365.25 * 86_400 * 4000, "about 4,000 years"),
    ],
)
def test_times_as_text(seconds, text):
    assert re.search(rf"time {text} on", str(replace(FOUND, seconds=seconds)))


def test_an_estimate_does_not_change():
    with pytest.raises(AttributeError):
        FOUND.memory = 3
