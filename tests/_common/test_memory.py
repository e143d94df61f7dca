"""Memory: what a replica takes is documented, what a run needs is known before, nothing is left."""

import gc
import os
import sys
import threading
import tracemalloc
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.runs import setups

import fastgames as fg
from fastgames._common import checks, memory
from fastgames.engine import driver, snapshots, state
from fastgames.engine.compiled import block_bytes
from fastgames.engine.spec import RunSpec
from fastgames.runs.execution import _blocks

PENNIES = fg.games.matching_pennies()
MARKOV = fg.games.random_markov_game(3, 7, (3, 5, 2), rng=1, transitions="sparse", time_limit=9)
LAST = fg.Record(joint_actions=True, last=20)
EVERYTHING = fg.Record(every=4, greedy=True, flips=True, joint_actions=True, rewards=True)


# --- what a replica takes -----------------------------------------------------------------------


def bytes_of(array):
    """Return the bytes of an array, without the entries that broadcasting repeats."""
    return array.itemsize * int(
        np.prod([n for n, s in zip(array.shape, array.strides, strict=True) if s])
    )


def held(result):
    """The bytes of all arrays of a state that have something for each replica."""
    arrays = [getattr(result.state, f.name) for f in fields(result.state)]
    for seat in result.state.seats:
        arrays += [seat.clock, *seat.recurrence.values()]
        arrays += [] if seat.pending is None else seat.pending.arrays().values()
        # a fixed policy is one for all replicas, unless there is one for each
        arrays += [x for x in seat.tables.values() if seat.learner.learns or x.strides[0]]
    return sum(bytes_of(x) for x in arrays if isinstance(x, np.ndarray))


@given(st.data())
@settings(max_examples=100)
def test_a_replica_takes_what_is_documented(data):
    setup = data.draw(setups(replicas=data.draw(st.sampled_from([2, 3, 17]))))
    result = setup.run(backend="reference", steps=1, record=fg.Record(**one_step(setup.record)))
    assert held(result) == setup.replicas * state.bytes_each(result.spec)


def one_step(record):
    """The fields of a record for a run of one step."""
    has = {f.name: getattr(record, f.name) for f in fields(record)}
    return {**has, "last": None if has["last"] is None else 1}


def test_a_replica_takes_no_stream_where_numpy_draws():
    result = fg.run(MARKOV, fg.Sarsa(), steps=3, rng=1, stream="numpy", record=EVERYTHING)
    assert held(result) == state.bytes_each(result.spec)


def test_what_a_replica_takes_by_hand():
    # 2 agents: 8 and 16 each, tables of 2 actions; 20
    seats, record = (fg.QLearner(), fg.QLearner()), fg.Record()
    assert state.bytes_each(RunSpec(PENNIES, seats, record=record)) == 100
    # 4 bytes for a number in a table; n^-power: 8 for a visit; agent 1 learns late: 8 + 2 * 4
    seats = (fg.QLearner(fg.VisitCount()), fg.Sarsa(fg.Exponential(0.5, 0.1)))
    record = fg.Record(flips=True, joint_actions=True, last=50)
    by_hand = 100 - 16 + 2 * 8 + (8 + 16) + 8 * 2 + 8 * 4 + (8 + 4 * 50)
    spec = RunSpec(PENNIES, seats, dtype="float32", record=record, stop=fg.Stable(3))
    assert state.bytes_each(spec) == by_hand


def test_what_stays_of_a_replica_with_keep_by_hand():
    # the recurrence of an exponential schedule stays, and the clocks, by which `stopped` is told
    seats = (fg.QLearner(fg.VisitCount()), fg.Sarsa(fg.Exponential(0.5, 0.1)))
    record = fg.Record(flips=True, joint_actions=True, last=50)
    spec = RunSpec(PENNIES, seats, dtype="float32", record=record, stop=fg.Stable(3))
    assert state.bytes_each(replace(spec, kept=True)) == 4 + 2 * 8 + 2 * 8 + 8 + 8 * 2 + 8 * 4 + 8
    # in games with turns no pending move stays, in those with a time limit the age does
    turns = RunSpec(fg.games.klein(), (fg.QLearner(),) * 2)
    assert turns.agents[0].waits
    assert state.bytes_each(replace(turns, kept=True)) == 4 + 2 * 8 + 2 * 8
    assert (
        state.bytes_each(RunSpec(MARKOV, (fg.QLearner(),) * 3, kept=True)) == 4 + 4 + 2 * 8 + 3 * 8
    )


@given(st.data())
@settings(max_examples=30)
def test_snapshots_take_what_is_documented(data):
    setup = data.draw(setups())
    record = fg.Record(every=2, tables=("q",) * data.draw(st.integers(0, 1)), greedy=True)
    learners = [x if x.learns else fg.QLearner() for x in setup.learners]
    first = setup.run(backend="reference", learners=learners, record=None, stop=None)
    result = fg.run(
        setup.game, learners, setup.steps + 2, record=record, resume=first, backend="reference"
    )
    arrays, count = result.snapshots.arrays(), len(result.snapshots.steps)
    assert count == (setup.steps % 2 + setup.steps + 2) // 2
    each = snapshots.bytes_each(result.spec, count)
    assert sum(x.nbytes for n, x in arrays.items() if n != "steps") == setup.replicas * each


# --- blocks -------------------------------------------------------------------------------------


def block_of(result, threads=1, backend="cython"):
    """A block that a run with these replicas and threads works with."""
    spec = replace(result.spec, backend=backend, checked=False)
    make, _ = _blocks(spec, result.state, threads, result.replicas)
    return make()


def arrays_of(block):
    """All memory of a compiled block's own, scratch too: the arrays that it keeps alive."""
    lanes = block.lanes
    kept = [x for x in gc.get_referents(lanes) if isinstance(x, list)]
    arrays = [x for each in kept for x in each if isinstance(x, np.ndarray)]
    arrays += [x for seat in lanes.seats for x in vars(seat).values()]
    arrays += [x for x in gc.get_referents(lanes) if isinstance(x, np.ndarray)]
    own = {x.ctypes.data: x for x in arrays if isinstance(x, np.ndarray) and x.size}
    assert len(own) > 20
    return list(own.values())


@given(st.data())
@settings(max_examples=50)
def test_a_block_takes_no_more_than_was_counted_on(data):
    setup = data.draw(setups())
    result = setup.run(steps=1, record=fg.Record(**one_step(setup.record)), threads=1)
    block = block_of(result)
    most = block_bytes(result.spec, block.capacity)
    taken = sum(x.nbytes for x in arrays_of(block)) + sys.getsizeof(block.lanes)
    assert taken <= most
    # nor many times as much; a block may have its own copies of the game's tables, too
    game = result.game.compact
    assert most <= 2**17 + 4 * taken + game.rewards.nbytes + 8 * len(game.rewards) * game.num_states


@pytest.mark.parametrize(
    ("game", "learner", "record", "stop"),
    [
        (PENNIES, fg.QLearner(), fg.Record(), None),
        (PENNIES, fg.QLearner(explore=fg.Softmax(1.0)), fg.Record(joint_actions=True), None),
        (MARKOV, fg.QLearner(), EVERYTHING, None),
        (MARKOV, fg.Sarsa(fg.VisitCount()), fg.Record(rewards=True, last=3), fg.Stable(9)),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_cache_line_is_of_two_blocks_or_of_two_arrays(game, learner, record, stop, dtype):
    """So no thread waits for a line that another writes to."""
    result = fg.run(game, learner, 8, 40, 1, record, stop, dtype)
    blocks = [block_of(result, threads=2) for _ in range(8)]
    taken = {}
    for number, block in enumerate(blocks):
        for array in arrays_of(block):
            first, end = array.ctypes.data, array.ctypes.data + array.nbytes
            assert first % 64 == 0
            for line in range(first // 64, -(-end // 64)):
                assert taken.setdefault(line, (number, id(array))) == (number, id(array))


class CountingLock:
    """A lock that counts how often it is taken."""

    taken = 0

    def __init__(self):
        self.lock = threading.Lock()

    def __enter__(self):
        self.lock.acquire()
        type(self).taken += 1

    def __exit__(self, *_):
        self.lock.release()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("game", [PENNIES, MARKOV], ids=["pennies", "markov"])
def test_no_lock_is_taken_in_the_loop(game, threads, monkeypatch):
    """The work has one lock, taken when replicas enter and leave lanes, however many steps."""
    advanced = []

    def taken_in(steps):
        class Counting(CountingLock):
            taken = 0

        make = driver.Work.__init__

        def made(self, *arguments, **named):
            make(self, *arguments, **named, lock=Counting())

        with monkeypatch.context() as patch:
            patch.setattr(driver.Work, "__init__", made)
            result = fg.run(game, fg.QLearner(), steps=steps, replicas=320, rng=1, threads=threads)
        advanced.append(int(result.steps.sum()))
        return Counting.taken

    few, many = taken_in(10), taken_in(20_000)
    assert 0 < few <= 4 * 320 / 16 + 4 * threads
    # replicas are shared out to threads as they come: a block more or less of one of them
    assert abs(few - many) <= 4 * threads
    assert advanced[1] == 2000 * advanced[0]


# --- before it starts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        {"replicas": 100_000},
        {"replicas": 10_000, "record": fg.Record(every=10, tables=("q",), policies=True)},
        {"replicas": 3000, "record": LAST, "stop": fg.Stable(9)},
        {"game": MARKOV, "replicas": 20_000, "threads": 2, "learners": fg.Sarsa(fg.VisitCount())},
        {"game": fg.remember(fg.MatrixGame(np.zeros((2, 30, 30)))), "replicas": 70},
        {"game": fg.MatrixGame(np.zeros((2, 999, 999))), "record": fg.Record(joint_actions=True)},
        {"dtype": "float32", "replicas": 100_000},
    ],
    ids=lambda case: " ".join(case),
)
def test_what_a_run_takes_at_most_is_known_before(case, monkeypatch):
    case = {"game": PENNIES, "learners": fg.QLearner(), "steps": 20, "rng": 1, "threads": 1, **case}
    fg.run(**{**case, "replicas": 1})  # what is loaded once
    first = fg.run(**case)
    for more in ({}, {"resume": first, "rng": None}):
        with measured() as peak:
            fg.run(**{**case, **more})
        with monkeypatch.context() as patch:
            patch.setattr(checks, "LITTLE", 0)
            patch.setattr(memory, "available", lambda most=peak.bytes: 2 * most)
            fg.run(**{**case, **more})
            patch.setattr(memory, "available", lambda most=peak.bytes: int(0.98 * most))
            named = "replicas" if "record" not in case else r"(replicas|record\.joint_actions)"
            with pytest.raises(ValueError, match=rf"{named} .* must fit into memory.* bytes each"):
                fg.run(**{**case, **more})


class measured:
    """A context that says how many `bytes` were taken at most, beyond those before."""

    def __enter__(self):
        gc.collect()
        tracemalloc.start()
        return self

    def __exit__(self, *_):
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def test_a_run_that_is_refused_has_taken_nothing(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**30)
    need = r"need 13\.0 GiB, 697 bytes each; this machine has 1\.0 GiB available"
    with measured() as peak, pytest.raises(ValueError, match=need):
        fg.run(MARKOV, fg.QLearner(), replicas=20_000_000)
    assert peak.bytes < 2**20


def test_little_is_not_asked_for(monkeypatch):
    def asked():
        raise LookupError("how much memory is available")

    monkeypatch.setattr(memory, "available", asked)
    fg.run(PENNIES, fg.QLearner(), steps=3, replicas=1000)
    with pytest.raises(LookupError, match="how much memory"):
        fg.run(PENNIES, fg.QLearner(), steps=3, replicas=10**7)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1.5 * 2**20, "1.5 MiB"),
        (2**30 - 1, "1,024.0 MiB"),
        (54 * 2**30, "54.0 GiB"),
        (2**40, "1.0 TiB"),
        (10**20, "88,817.8 PiB"),
    ],
)
def test_sizes_as_text(size, text):
    assert memory.in_units(int(size)) == text


# --- how much there is --------------------------------------------------------------------------

GIB = 2**30
PROC = {"proc/meminfo": f"MemTotal: {16 * 2**20} kB\nMemFree: 5 kB\nMemAvailable: {8 * 2**20} kB\n"}
V2 = {
    **PROC,
    "proc/self/cgroup": "0::/jobs/17\n",
    "sys/fs/cgroup/jobs/17/memory.max": "max\n",
    "sys/fs/cgroup/jobs/17/memory.current": f"{GIB}\n",
    "sys/fs/cgroup/jobs/memory.max": f"{4 * GIB}\n",
    "sys/fs/cgroup/jobs/memory.current": f"{3 * GIB}\n",
    "sys/fs/cgroup/jobs/memory.stat": f"anon 3\nfile 7\ninactive_file {GIB}\n",
}
V1 = {
    **PROC,
    "proc/self/cgroup": "4:memory:/box/7\n3:cpu,cpuacct:/\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{3 * GIB}\n",  # in a container: its own
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{2 * GIB}\n",
    "sys/fs/cgroup/memory/memory.stat": f"inactive_file 5\ntotal_inactive_file {GIB // 2}\n",
}
NO_LIMIT = {**V1, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}
OVER = {**V2, "sys/fs/cgroup/jobs/memory.current": f"{9 * GIB}\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (PROC, 8 * GIB),
        (V2, 2 * GIB),
        (V1, 1.5 * GIB),
        (NO_LIMIT, 8 * GIB),
        (OVER, 0),
        ({**PROC, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "nonsense"}, 8 * GIB),
        ({k: v for k, v in V2.items() if k != "proc/meminfo"}, 2 * GIB),
    ],
)
def test_what_is_available_is_what_machine_and_control_groups_leave(files, expected, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.available(tmp_path) == expected


def test_without_anything_that_tells_it_is_what_the_machine_has(tmp_path, monkeypatch):
    sizes = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__, raising=False)
    assert memory.available(tmp_path) == 4096_000
    monkeypatch.delattr(os, "sysconf")
    assert memory.available(tmp_path) is None


def test_there_is_some_memory_here():
    available = memory.available()
    assert available is None or 2**20 < available < 2**60


# --- nothing is left ----------------------------------------------------------------------------


def make_lanes():
    """A function that makes and drops a compiled block of each kind."""
    results = [
        fg.run(game, learner, 5, 2, 1, record, stop)
        for game, learner, record, stop in (
            (PENNIES, fg.QLearner(), EVERYTHING, None),
            (PENNIES, fg.QLearner(fg.Exponential(0.5, 0.1), explore=fg.Softmax(1.0)), None, None),
            (MARKOV, fg.Sarsa(fg.VisitCount()), fg.Record(rewards=True, last=3), fg.Stable(9)),
        )
    ]
    result = SimpleNamespace(at=0)
    makers = [
        _blocks(replace(each.spec, backend="cython", checked=False), each.state, 1, 2)[0]
        for each in results
    ]
    replicas = np.arange(2)

    def make():
        result.at = (result.at + 1) % len(makers)
        block = makers[result.at]()
        block.active = 2
        block.load(replicas, replicas)
        block.advance(1)
        block.store(replicas, replicas)

    return make


def make_smallest():
    """A function that makes and drops a compiled block of the smallest game."""
    result = fg.run(PENNIES, fg.QLearner(), 5, 2, 1)
    return _blocks(replace(result.spec, backend="cython", checked=False), result.state, 1, 2)[0]


def make_runs():
    """A function that makes and drops a whole run, its thread and its result."""
    seats = [fg.QLearner(), fg.QLearner(fg.Linear(0.5, 0.1, 7))]
    return lambda: fg.run(PENNIES, seats, steps=2, replicas=2, rng=1, record=EVERYTHING)


def make_numpy_runs():
    """The same with numpy's generator."""
    return lambda: fg.run(PENNIES, fg.QLearner(), steps=2, rng=1, stream="numpy")


def resident():
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("what", "cycles"), [(make_lanes, 1000), (make_runs, 300), (make_numpy_runs, 300)]
)
def test_no_object_is_left_of_what_was_made_and_dropped(what, cycles):
    make, counts = what(), []
    for _ in range(3):  # Python and numpy keep some objects for the next time
        for _ in range(cycles):
            make()
        gc.collect()
        counts.append(sys.getallocatedblocks())
    assert counts[2] - counts[1] < cycles / 8


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
@pytest.mark.parametrize(
    ("what", "cycles"), [(make_smallest, 10**6), (make_lanes, 10**5), (make_runs, 10**5)]
)
def test_a_million_blocks_leave_nothing(what, cycles):
    """Blocks leave less than eight bytes each, also in memory that Python does not count."""
    make = what()
    for _ in range(cycles // 10):
        make()
    gc.collect()
    before = resident()
    for _ in range(cycles):
        make()
    gc.collect()
    assert resident() - before < 8 * cycles
