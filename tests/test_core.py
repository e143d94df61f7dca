"""The choice of a build for the CPU, and how replicas are cut into blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgames as fg
from fastgames import _core, engine
from fastgames.lanes import block_size

REGISTER, MOST = 16, 256  # lanes of the widest vector register, and of the largest block


@pytest.mark.parametrize(
    ("level", "builds"),
    [(0, ("base",)), (1, ()), (2, ("v2",)), (3, ("v2", "v3")), (4, ("v2", "v3", "v4"))],
)
def test_a_cpu_gets_the_builds_up_to_its_level_and_the_best_is_chosen(level, builds, monkeypatch):
    monkeypatch.setattr(_core.cpu, "x86_level", lambda: level)
    monkeypatch.delenv(_core.ENVIRONMENT, raising=False)
    assert _core.available() == builds
    if builds:
        assert _core._choose() == builds[-1]
        for build in builds:
            monkeypatch.setenv(_core.ENVIRONMENT, build)
            assert _core._choose() == build
        monkeypatch.setenv(_core.ENVIRONMENT, "v5")
        with pytest.raises(ImportError, match="v5"):
            _core._choose()
    else:
        with pytest.raises(ImportError, match="x86-64-v2"):
            _core._choose()


@given(
    actions=st.lists(st.integers(1, 40), min_size=2, max_size=2),
    dtype=st.sampled_from(["float64", "float32"]),
    replicas=st.integers(1, 10**6),
    threads=st.integers(1, 64),
)
def test_blocks_are_whole_registers_up_to_the_largest(actions, dtype, replicas, threads):
    game = fg.MatrixGame(np.zeros((2, *actions)))
    lanes = block_size(game, np.dtype(dtype), replicas, threads)
    assert lanes % REGISTER == 0
    assert REGISTER <= lanes <= MOST
    assert lanes - REGISTER < replicas  # not a register more than there are replicas for
    if replicas >= REGISTER * threads:
        assert -(-replicas // lanes) >= threads / 2  # enough blocks to go round


class Recorder:
    """A block that notes what the engine asks of it."""

    capacity = 10

    def __init__(self, log):
        self.log = log

    def load(self, first, count):
        self.now, self.first, self.count, self.on = 0, first, count, None
        self.log.setdefault("blocks", []).append((first, count))

    def tally(self, on):
        self.on = on
        self.log.setdefault("tallies", []).append((self.first, self.now, on))

    def advance(self, steps):
        assert steps > 0
        self.now += steps

    def store(self):
        self.log.setdefault("stored", []).append((self.first, self.now))


@given(
    replicas=st.integers(1, 35),
    steps=st.integers(1, 300),
    every=st.integers(1, 400),
    data=st.data(),
    threads=st.integers(1, 3),
)
def test_the_engine_takes_each_block_once_and_stops_where_it_is_told(
    replicas, steps, every, data, threads
):
    tally_from = data.draw(st.integers(0, steps - 1))
    snapshots = list(range(every, steps + 1, every))
    log, taken = {}, []
    work = engine.Work(
        replicas,
        steps,
        snapshots,
        tally_from,
        lambda index, first, count: taken.append((index, first, count)),
    )
    engine.run(work, lambda: Recorder(log), threads, lambda done: None)
    blocks = [(first, min(10, replicas - first)) for first in range(0, replicas, 10)]
    assert sorted(log["blocks"]) == blocks
    assert sum(work.done) == replicas * steps
    assert sorted(taken) == sorted((k, *block) for k in range(len(snapshots)) for block in blocks)
    for first, _ in blocks:
        stored = [now for at, now in log["stored"] if at == first]
        assert stored == [*snapshots, steps]
        on = [now for at, now, on in log["tallies"] if at == first and on]
        assert on == [tally_from]
