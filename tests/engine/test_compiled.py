"""The choice of a build for the CPU, and how replicas are cut into blocks."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgames as fg
from fastgames import _core
from fastgames.engine import driver
from fastgames.engine.compiled import _slice, block_size
from fastgames.engine.core import _checks_indices
from fastgames.engine.spec import RunSpec


@pytest.mark.parametrize(
    ("level", "builds"),
    [(0, ("base",)), (1, ()), (2, ("v2",)), (3, ("v2", "v3")), (4, ("v2", "v3", "v4"))],
)
def test_a_cpu_gets_the_builds_up_to_its_level_and_the_best_is_chosen(level, builds, monkeypatch):
    monkeypatch.setattr(_core.cpu, "x86_level", lambda: level)
    monkeypatch.setattr(_core, "_built", lambda: {"v2", "v3", "v4"} if level else {"base"})
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


@pytest.mark.parametrize(
    ("level", "built", "builds"),
    [
        (4, {"v2"}, ("v2",)),
        (3, {"base", "v3", "v4"}, ("base", "v3")),
        (1, {"base", "v2"}, ("base",)),
        (2, {"v3", "v4"}, ()),
    ],
)
def test_of_a_package_made_with_some_builds_those_are_chosen(level, built, builds, monkeypatch):
    monkeypatch.setattr(_core.cpu, "x86_level", lambda: level)
    monkeypatch.setattr(_core, "_built", lambda: built)
    monkeypatch.delenv(_core.ENVIRONMENT, raising=False)
    assert _core.available() == builds
    if builds:
        assert _core._choose() == builds[-1]
    else:
        with pytest.raises(ImportError, match=r"none of the builds in this package, v3, v4"):
            _core._choose()


@given(
    actions=st.lists(st.integers(1, 40), min_size=2, max_size=2),
    states=st.sampled_from([1, 2, 100, 100_000]),
    dtype=st.sampled_from(["float64", "float32"]),
    replicas=st.integers(1, 10**6),
)
def test_blocks_are_no_larger_than_they_may_be_and_share_replicas_out(
    actions, states, dtype, replicas
):
    stage = fg.MatrixGame(np.zeros((2, *actions)))
    game = stage
    if states > 1:
        seen = np.broadcast_to(np.arange(states, dtype=np.int32), (2, states))
        game = fg.MarkovGame(
            np.broadcast_to(stage.payoffs[:, None], (2, states, *actions)),
            fg.games.compact.Sum(np.arange(states), np.zeros(math.prod(actions), int)),
            observations=seen[:, ::-1],
        )
    fixed, rows = fg.FixedPolicy([0.5, 0.5]), _core.lanes(dtype).ROW_LANES
    for learner, most in ((fg.QLearner(), 256), (fg.QLearner(fg.VisitCount()), rows)):
        spec = RunSpec(game, (learner, fixed), replicas, dtype)
        lanes = block_size(spec, replicas)
        assert 1 <= lanes <= (most if spec.in_columns else rows)
        blocks = -(-replicas // lanes)
        assert blocks * lanes < replicas + blocks  # less than a lane of each block is idle
        if spec.in_columns:
            assert lanes >= min(replicas, 16) / 2  # a register at least


def test_indices_are_checked_in_functions_that_belong_to_no_module():
    """As code run by `exec`."""
    names = {}
    exec("def step(state, actions, rewards, words): return False", names)
    assert names["step"].__module__ is None
    assert _checks_indices(None, names["step"])
    assert not _checks_indices(None, fg.games.soccer().compact.moves.step)


def test_columns_are_for_one_state_and_the_simplest_learners():
    pennies, q = fg.games.matching_pennies(), fg.QLearner()

    def columns(game, *learners, stop=None, numba=False):
        backend = "numba" if numba else "auto"
        return RunSpec(game, learners or (q, q), stop=stop, backend=backend).in_columns

    fixed = fg.FixedPolicy([0.5, 0.5])
    assert columns(pennies)
    assert columns(fg.Variants([pennies], [0, 0]))
    assert columns(pennies, fg.QLearner(0.1, 0.9, fg.Softmax(1.0)), fixed)
    assert not columns(pennies, numba=True)
    assert not columns(pennies, stop=fg.Stable(5))
    assert not columns(fg.Variants([pennies, pennies], [0, 1]))
    assert not columns(fg.remember(pennies))
    others = (fg.Sarsa(), fg.ExpectedSarsa(), fg.QLearner(fg.VisitCount()))
    for other in (*others, fg.QLearner(counterfactual=True)):
        assert not columns(pennies, other, q)
        assert not columns(pennies, fixed, other)


class Model:
    """Replicas that only count: at which of their steps something changes is known beforehand."""

    def __init__(self, changes, begun, periods, earliest):
        self.changes, self.periods, self.earliest = changes, periods, earliest
        self.steps, self.tallied = begun.copy(), np.zeros(len(begun), int)
        self.quiet = np.zeros(len(begun), int)

    def expected(self, begun, steps, tally_from):
        """Return the last state of each replica, and the steps that are counted."""
        ends = []
        for r, first in enumerate(begun):
            quiet, t = 0, first
            while t < steps and not (self.periods and quiet >= self.periods and t >= self.first(r)):
                quiet = 0 if self.changes[r, t] else quiet + 1
                t += 1
            ends.append(t)
        ends = np.array(ends)
        return ends, np.maximum(ends - np.maximum(begun, tally_from), 0)

    def first(self, replica):
        return 0 if self.earliest is None else self.earliest[replica]


class Counter:
    """A block of such replicas that notes what the engine asks of it."""

    def __init__(self, model, capacity, log):
        self.model, self.capacity, self.log = model, capacity, log
        self.active = 0
        self.stable = np.zeros(capacity, np.int64) if model.periods else None
        self.waits = np.zeros(capacity, np.int64)
        self.replica = np.full(capacity, -1)
        self.steps, self.tallied, self.quiet = (np.zeros(capacity, int) for _ in range(3))
        self.on = [None] * capacity

    def load(self, lanes, replicas):
        assert len(lanes) == len(replicas) > 0
        self.replica[lanes] = replicas
        for name in ("steps", "tallied", "quiet"):
            getattr(self, name)[lanes] = getattr(self.model, name)[replicas]
        if self.stable is not None:
            self.stable[lanes] = self.quiet[lanes]
        for lane in lanes:
            self.on[lane] = None
        self.log["loaded"].extend(replicas)

    def tally(self, lanes, on):
        for lane in lanes:
            self.on[lane] = on

    def advance(self, steps):
        assert steps > 0
        assert self.active > 0
        for taken in range(1, steps + 1):
            for lane in range(self.active):
                assert self.on[lane] is not None
                self.tallied[lane] += self.on[lane]
                changed = self.model.changes[self.replica[lane], self.steps[lane]]
                self.quiet[lane] = 0 if changed else self.quiet[lane] + 1
                self.steps[lane] += 1
            if self.stable is not None:
                self.stable[: self.active] = self.quiet[: self.active]
                quiet = self.stable[: self.active] >= self.model.periods
                if (quiet & (taken >= self.waits[: self.active])).any():
                    return taken
        return steps

    def store(self, lanes, replicas):
        assert (self.replica[lanes] == replicas).all()
        for name in ("steps", "tallied", "quiet"):
            getattr(self.model, name)[replicas] = getattr(self, name)[lanes]


@given(
    replicas=st.integers(1, 35),
    steps=st.integers(1, 200),
    every=st.integers(1, 250),
    capacity=st.integers(1, 12),
    periods=st.sampled_from([0, 1, 3, 10]),
    seed=st.integers(0, 999),
    data=st.data(),
    threads=st.integers(1, 3),
)
def test_the_engine_takes_every_replica_as_far_as_it_goes_and_stops_where_it_is_told(
    replicas, steps, every, capacity, periods, seed, data, threads
):
    rng = np.random.default_rng(seed)
    begun = rng.integers(0, steps, replicas) * rng.integers(0, 2)
    earliest = rng.integers(0, steps + 9, replicas) if rng.integers(2) else None
    changes = rng.random((replicas, steps)) < rng.random((replicas, 1))
    model = Model(changes, begun, periods, earliest)
    tally_from = data.draw(st.integers(0, steps - 1))
    snapshots = list(range(data.draw(st.sampled_from([0, every])), steps + 1, every))
    ends, counted = model.expected(begun, steps, tally_from)
    log, taken, saved = {"loaded": []}, set(), []

    def snapshot(index, which):
        assert (model.steps[which] == snapshots[index]).all()
        taken.update((index, int(r)) for r in which)

    def save():
        assert (model.steps <= ends).all()
        saved.append(model.steps.copy())

    todo = np.sort(rng.permutation(replicas)[: data.draw(st.integers(1, replicas))])
    work = driver.Work(steps, begun, todo, snapshots, tally_from, periods, snapshot, earliest)
    driver.run(
        work,
        lambda: Counter(model, capacity, log),
        threads,
        lambda done, finished: None,
        save,
        lambda: bool(rng.integers(2)),
    )
    assert (model.steps[todo] == ends[todo]).all()
    assert (model.tallied[todo] == counted[todo]).all()
    left = np.delete(np.arange(replicas), todo)
    assert (model.steps[left] == begun[left]).all()
    assert sum(work.done) == (ends - begun)[todo].sum()
    assert work.finished == len(todo)
    assert set(log["loaded"]) == set(todo)
    due = {(k, int(r)) for k, at in enumerate(snapshots) for r in todo if begun[r] < at <= ends[r]}
    again = {(k, int(r)) for k, at in enumerate(snapshots) for r in todo if begun[r] == at}
    assert due <= taken <= due | again
    for before, after in itertools.pairwise(saved):
        assert (before <= after).all()


def test_lanes_that_are_out_of_order_are_no_slice():
    for index in ([3, 1, 5], [5, 9, 7], [1, 1], [2, 1], [0, 2, 1, 3]):
        assert isinstance(_slice(np.array(index)), np.ndarray)
    assert _slice(np.array([4])) == slice(4, 5)
    assert _slice(np.arange(3, 9)) == slice(3, 9)
