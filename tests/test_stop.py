"""Stopping: when, by the definition itself; what a replica has then; lanes that are refilled."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same
from library.every import FEW, each_backend
from library.learners import AHEAD
from library.runs import core_as, setups

import fastgames as fg

# Whether they have converged is not asked here; the warning: test_stop_after.py.
pytestmark = pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
PENNIES = fg.games.matching_pennies()
WINDOW = fg.Record(joint_actions=True, rewards=True, last=7)


def starts(setup):
    """Every agent's greedy actions before the first step, each (replicas, observations)."""
    out = []
    for i, learner in enumerate(setup.learners):
        shape = (setup.replicas, setup.game.num_observations[i], setup.game.num_actions[i])
        table = learner.start(setup.game, i)[learner.table].astype(setup.dtype)
        out.append(np.broadcast_to(table, shape).argmax(axis=-1))
    return out


def quiet_steps(setup, steps):
    """For each step and replica how many steps in a row changed nothing greedy, (steps, replicas).

    From snapshots after every step of a run that does not stop: only rows that were just updated
    can change.
    """
    record = fg.Record(every=1, greedy=True)
    taken = setup.run(steps=steps, record=record, stop=None).snapshots.greedy
    for start, greedy in zip(starts(setup), taken, strict=True):
        assert (greedy[0] == start).all()
    changed = sum((g[1:] != g[:-1]).any(axis=-1) for g in taken) > 0
    quiet, out = np.zeros(setup.replicas, int), []
    for now in changed:
        quiet = np.where(now, 0, quiet + 1)
        out.append(quiet)
    return np.array(out)


def ends_of(setup, steps):
    """The step after which each replica stops, or `steps`, and whether it does."""
    quiet = quiet_steps(setup, steps)
    reached = quiet == setup.stop.periods
    stops = reached.any(axis=0)
    return np.where(stops, reached.argmax(axis=0) + 1, steps), stops


def assert_each_is_a_run_of_its_own_steps(setup, result):
    """Every replica has the bits of a run that is told beforehand where to end."""
    for steps in np.unique(result.steps):
        last = None if setup.record.last is None else min(setup.record.last, int(steps))
        record = fg.Record(
            flips=setup.record.flips,
            joint_actions=setup.record.joint_actions,
            rewards=setup.record.rewards,
            last=last,
        )
        alone = setup.run(steps=int(steps), stop=None, record=record)
        these = result.steps == steps
        for one, other in zip(alone.state.seats, result.state.seats, strict=True):
            for name, table in one.tables.items():
                assert table[these].tobytes() == other.tables[name][these].tobytes()
            assert one.clock[these].tobytes() == other.clock[these].tobytes()
            for name, values in one.recurrence.items():
                assert values[these].tobytes() == other.recurrence[name][these].tobytes()
            if one.pending is not None:
                assert (one.pending.observation == other.pending.observation)[these].all()
        for name in ("states", "ages", "streams", "flips", "joint_counts", "counted"):
            left, right = getattr(alone.state, name), getattr(result.state, name)
            assert (left is None) == (right is None), name
            assert left is None or left[these].tobytes() == right[these].tobytes(), name
        if setup.record.rewards:
            assert alone.mean_reward[these].tobytes() == result.mean_reward[these].tobytes()


@FEW
@given(data=st.data(), periods=st.integers(1, 12))
def test_a_replica_stops_as_the_definition_says(data, periods):
    """SARSA may learn twice in a step: only its last change would be seen here."""
    once = [kind for kind in AHEAD if kind.learner != "sarsa"]
    setup = data.draw(setups(kinds=once, steps=60))
    setup.stop = fg.Stable(periods)
    ends, stops = ends_of(setup, setup.steps)
    for backend in ("cython", "reference"):
        result = setup.run(backend=backend)
        assert (result.steps == ends).all()
        assert (result.stopped == stops).all()
    assert_each_is_a_run_of_its_own_steps(setup, result)


@FEW
@given(data=st.data(), periods=st.integers(1, 12))
def test_a_stopped_replica_is_a_run_of_its_own_steps(data, periods):
    setup = data.draw(setups(steps=60))
    setup.stop = fg.Stable(periods)
    assert_each_is_a_run_of_its_own_steps(setup, setup.run())


def mixed(replicas, game, seed=0):
    """Learners that settle after very different times, replica by replica."""
    rng = np.random.default_rng(seed)
    rates = 10 ** rng.uniform(-4, 0.3, replicas)
    alphas = 10 ** rng.uniform(-1.5, 0, replicas)
    explore = fg.EpsilonGreedy(fg.Exponential(1.0, rates))
    return (fg.QLearner(alphas, 0.8, explore),) * game.num_agents


class Many:
    """150 replicas of one game, each with its own time; what it has and does, a Setup has too."""

    game = fg.games.random_markov_game(
        2, 6, (3, 4), rng=3, transitions="sparse", terminal=1, start="random", time_limit=20
    )
    replicas, dtype, stop, record = 150, "float64", fg.Stable(60), WINDOW
    learners = mixed(150, game)

    def run(self, **changes):
        """Run it, with some arguments changed."""
        names = ("game", "learners", "replicas", "dtype", "stop", "record")
        arguments = {name: getattr(self, name) for name in names}
        arguments |= {"steps": 2000, "rng": 5, "progress": False}
        return fg.run(**arguments | changes)


@pytest.fixture
def many():
    return Many()


def test_lanes_are_refilled_with_replicas_that_end_at_very_different_times(many):
    ends, stops = ends_of(many, 2000)
    assert 0.5 < stops.mean() < 1.0
    assert len(np.unique(ends)) > 100
    assert ends.min() < 100
    one = many.run(threads=1)
    assert (one.steps == ends).all()
    assert (one.stopped == stops).all()
    assert (one.states == many.run(threads=3).states).all()
    for capacity, threads in itertools.product((1, 2, 5, 16, 32), (1, 2)):
        with core_as(None, capacity):
            assert_same(one, many.run(threads=threads))
    assert_same(one, many.run(backend="numba"))


def test_what_was_counted_over_the_last_steps_of_each(many):
    """Rewards depend on the state: the window has to know it."""
    ends, _ = ends_of(many, 2000)
    result = many.run()
    for replica in range(0, 150, 15):
        last = min(7, int(ends[replica]))
        record = fg.Record(joint_actions=True, rewards=True, last=last)
        alone = many.run(steps=int(ends[replica]), stop=None, record=record)
        assert (result.joint_counts[replica] == alone.joint_counts[replica]).all()
        assert (result.mean_reward[replica] == alone.mean_reward[replica]).all()
        assert result.joint_counts[replica].sum() == result.state.counted[replica] == last


@pytest.mark.parametrize("last", [1, 2, 59, 60, 61, 300, 2000])
def test_windows_of_any_length(many, last):
    record = fg.Record(joint_actions=True, rewards=True, last=last)
    result, whole = many.run(record=record), many.run(record=fg.Record(joint_actions=True))
    assert (result.state.counted == np.minimum(result.steps, last)).all()
    assert (result.joint_counts.sum(axis=(1, 2)) == result.state.counted).all()
    covered = result.steps <= last
    assert (result.joint_counts[covered] == whole.joint_counts[covered]).all()
    assert (result.joint_counts <= whole.joint_counts).all()


def test_a_run_resumed_until_all_have_stopped(many):
    """Those that have stopped stay where they are, whatever is added."""
    record = fg.Record(flips=True, joint_actions=True, rewards=True)
    whole = many.run(record=record)
    part = many.run(record=record, steps=100)
    for steps in (1, 399, 1500):
        before = part
        part = many.run(record=record, steps=steps, resume=before, rng=None, threads=1)
        stood = before.stopped
        assert (part.steps[stood] == before.steps[stood]).all()
        assert part.stopped[stood].all()
    assert_same(whole, part)
    once_more = many.run(record=record, steps=9, resume=whole, rng=None)
    finished = whole.stopped
    assert (once_more.steps[finished] == whole.steps[finished]).all()
    assert (once_more.steps[~finished] > 2000).all()
    assert (once_more.state.streams[finished] == whole.state.streams[finished]).all()


def test_a_resumed_run_may_stop_by_another_rule_or_by_none(many):
    record = fg.Record()
    first = many.run(record=record, stop=fg.Stable(10))
    resume = {"resume": first, "rng": None, "record": record}
    longer = many.run(stop=fg.Stable(60), **resume)
    straight = many.run(stop=fg.Stable(60), record=record, steps=4000)
    same = longer.steps <= 2000
    assert same.mean() > 0.9
    assert (longer.steps == straight.steps)[same].all()  # n goes on from where it stood
    shorter = many.run(stop=fg.Stable(5), **resume)
    assert (shorter.steps == first.steps)[first.stopped].all()
    assert shorter.stopped[first.stopped].all()
    endless = many.run(stop=None, steps=3, **resume)
    assert (endless.steps == first.steps + 3).all()
    assert not endless.stopped.any()


@each_backend
def test_snapshots_on_the_way_end_with_the_replica(backend):
    game = fg.remember(fg.games.prisoners_dilemma())
    learners = mixed(40, game, seed=1)
    arguments = {"steps": 300, "replicas": 40, "rng": 2, "backend": backend, "threads": 1}
    record = fg.Record(every=20, tables=("q",), greedy=True, policies=True)
    result = fg.run(game, learners, record=record, stop=fg.Stable(15), **arguments)
    freely = fg.run(game, learners, record=record, **arguments)
    taken, all_of_them = result.snapshots, freely.snapshots
    assert taken.steps.tolist() == list(range(0, 301, 20))
    came = taken.steps[:, None] <= result.steps
    assert 0.02 < came.mean() < 0.98
    for agent in range(2):
        for one, other in (
            (taken.greedy[agent], all_of_them.greedy[agent]),
            (taken.policies[agent], all_of_them.policies[agent]),
            (taken.tables[agent]["q"], all_of_them.tables[agent]["q"]),
        ):
            assert (one[came] == other[came]).all()
        assert (taken.greedy[agent][~came] == -1).all()
        assert np.isnan(taken.policies[agent][~came]).all()
        assert np.isnan(taken.tables[agent]["q"][~came]).all()


@each_backend
def test_who_never_changes_stops_after_just_so_many_steps(backend):
    fixed = fg.FixedPolicy([0.5, 0.5])
    arguments = {"steps": 50, "replicas": 20, "rng": 1, "backend": backend}
    result = fg.run(PENNIES, fixed, stop=fg.Stable(7), **arguments)
    assert (result.steps == 7).all()
    assert result.stopped.all()
    result = fg.run(PENNIES, fixed, stop=fg.Stable(50), **arguments)
    assert (result.steps == 50).all()
    assert result.stopped.all()  # at the very last step
    result = fg.run(PENNIES, fixed, stop=fg.Stable(51), **arguments)
    assert (result.steps == 50).all()
    assert not result.stopped.any()


@each_backend
def test_who_changes_all_the_time_never_stops(backend):
    """alpha = 1 on payoffs that depend on the other: the last payoff is preferred or not."""
    learner = fg.QLearner(1.0, explore=fg.EpsilonGreedy(1.0))
    arguments = {"steps": 400, "replicas": 9, "rng": 1, "backend": backend}
    result = fg.run(PENNIES, learner, stop=fg.Stable(40), **arguments)
    assert not result.stopped.any()
    assert (result.steps == 400).all()


def test_without_a_stop_nothing_has_stopped():
    result = fg.run(PENNIES, fg.QLearner(), steps=5, replicas=3, rng=1)
    assert not result.stopped.any()
    assert result.state.stable is None
