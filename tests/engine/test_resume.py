"""A run in parts has the bits of the run in one go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same
from library.every import BACKENDS, FEW, each_backend
from library.learners import AHEAD
from library.runs import setups

import fastgames as fg

PENNIES = fg.games.matching_pennies()
COUNTERS = fg.Record(flips=True, joint_actions=True, rewards=True)


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@given(data=st.data())
def test_any_split_gives_the_bits_of_one_go_on_any_backends(data):
    """Numba's part of it with few AHEAD of learners, for each has to be compiled."""
    few = [kind for kind in AHEAD if kind.explorer != "softmax" and kind.step != "visits"]
    numba = data.draw(st.booleans())
    setup = data.draw(setups(kinds=few if numba else None, dtype="float64" if numba else None))
    setup.record = data.draw(st.sampled_from([COUNTERS, fg.Record(flips=True)]))
    backends = st.sampled_from(BACKENDS if numba else ("cython", "reference"))
    splits = data.draw(st.lists(st.integers(1, 13), min_size=1, max_size=4))
    whole = setup.run(steps=sum(splits))
    result = setup.run(steps=splits[0], backend=data.draw(backends))
    for steps in splits[1:]:
        before = result.steps.copy()
        result = fg.run(
            setup.game,
            setup.learners,
            steps=steps,
            resume=result,
            record=setup.record,
            stop=setup.stop,
            backend=data.draw(backends),
            threads=data.draw(st.integers(1, 4)),
            progress=False,
        )
        assert (result.seed, result.dtype, result.replicas) == (
            setup.rng,
            setup.dtype,
            setup.replicas,
        )
        assert (result.steps <= before + steps).all()
    assert_same(whole, result)


def test_a_result_that_is_resumed_does_not_change():
    learner = fg.QLearner(fg.Exponential(0.5, 0.1))
    arguments = {"steps": 20, "replicas": 5, "rng": 1, "record": COUNTERS}
    first, again = (fg.run(PENNIES, learner, **arguments) for _ in range(2))
    for backend in BACKENDS:
        fg.run(PENNIES, learner, steps=7, resume=first, record=COUNTERS, backend=backend)
        assert_same(first, again)


@FEW
@given(data=st.data())
def test_nor_does_one_of_a_game_of_states(data):
    setup = data.draw(setups())
    first, again = setup.run(), setup.run()
    more = {"resume": first, "rng": None, "replicas": None, "dtype": None}
    for backend in ("cython", "reference"):
        record = fg.Record(flips=True, rewards=True)
        setup.run(steps=9, record=record, backend=backend, **more)
        assert_same(first, again)


def test_snapshots_go_on_at_the_same_steps():
    record = fg.Record(every=10, tables=("q",))
    learner = fg.QLearner()
    whole = fg.run(PENNIES, learner, steps=50, replicas=3, rng=1, record=record)
    first = fg.run(PENNIES, learner, steps=25, replicas=3, rng=1, record=record)
    second = fg.run(PENNIES, learner, steps=25, resume=first, record=record)
    assert whole.snapshots.steps.tolist() == [0, 10, 20, 30, 40, 50]
    assert first.snapshots.steps.tolist() == [0, 10, 20]
    assert second.snapshots.steps.tolist() == [30, 40, 50]
    joined = np.concatenate([x.snapshots.tables[1]["q"] for x in (first, second)])
    assert (joined == whole.snapshots.tables[1]["q"]).all()


@each_backend
def test_a_learner_that_is_replaced_starts_its_schedules_anew_and_keeps_its_table(backend):
    lonely = fg.MatrixGame(np.ones((2, 1, 1)))  # 1 - q is a product of 1 - alpha
    slow, quick = (
        fg.QLearner(fg.Exponential(0.5, np.log(2))),
        fg.QLearner(fg.Exponential(0.25, np.log(2))),
    )
    first = fg.run(lonely, slow, steps=3, rng=1, backend=backend)
    second = fg.run(lonely, [quick, slow], steps=2, resume=first, backend=backend)
    slow_part = (1 - 1 / 2) * (1 - 1 / 4) * (1 - 1 / 8)
    assert 1 - first.tables[0]["q"][0, 0, 0] == pytest.approx(slow_part, rel=1e-14)
    replaced, kept = (1 - table["q"][0, 0, 0] for table in second.tables)
    assert replaced == pytest.approx(slow_part * (1 - 1 / 4) * (1 - 1 / 8), rel=1e-14)
    assert kept == pytest.approx(slow_part * (1 - 1 / 16) * (1 - 1 / 32), rel=1e-14)
    assert [seat.clock.tolist() for seat in second.state.seats] == [[2.0], [5.0]]


@each_backend
def test_a_replaced_linear_schedule_starts_anew(backend):
    lonely = fg.MatrixGame(np.ones((2, 1, 1)))
    first = fg.run(lonely, fg.QLearner(fg.Linear(0.5, 0.1, 4)), steps=4, rng=1, backend=backend)
    second = fg.run(
        lonely, fg.QLearner(fg.Linear(0.8, 0.4, 4)), steps=1, resume=first, backend=backend
    )
    before, after = (1 - x.tables[1]["q"][0, 0, 0] for x in (first, second))
    assert after == pytest.approx(before * (1 - 0.8), rel=1e-14)


@each_backend
def test_a_frozen_agent_keeps_its_table_and_goes_on_from_it_when_unfrozen(backend):
    learner = fg.QLearner(0.3)
    arguments = {"backend": backend, "record": fg.Record(flips=True)}
    first = fg.run(PENNIES, learner, steps=40, replicas=20, rng=1, **arguments)
    frozen = fg.run(
        PENNIES, [learner, fg.FixedPolicy(first.policy(1))], steps=40, resume=first, **arguments
    )
    assert (frozen.tables[1]["q"] == first.tables[1]["q"]).all()
    assert (frozen.tables[0]["q"] != first.tables[0]["q"]).any()
    assert (frozen.policy(1) == first.policy(1)).all()
    assert (frozen.flips[:, 1] == first.flips[:, 1]).all()
    thawed = fg.run(PENNIES, learner, steps=1, resume=frozen, **arguments)
    changed = (thawed.tables[1]["q"] != first.tables[1]["q"]).sum(axis=(1, 2))
    assert (changed <= 1).all()  # one step changes one entry
    assert changed.any()
    # Every agent draws its word in every step, so the streams stand where they always would.
    straight = fg.run(PENNIES, learner, steps=81, replicas=20, rng=1)
    assert (thawed.state.streams == straight.state.streams).all()


def test_the_frozen_agent_plays_its_policy_and_the_other_converges_against_it():
    learner = fg.QLearner(0.1)
    first = fg.run(PENNIES, learner, steps=500, replicas=200, rng=1)
    frozen = fg.FixedPolicy(first.policy(1))
    second = fg.run(
        PENNIES, [learner, frozen], steps=3000, resume=first, record=fg.Record(joint_actions=True)
    )
    played = second.joint_counts.sum(axis=1) / 3000
    assert np.abs(played - first.policy(1)[:, 0]).max() < 0.05
    best = (first.policy(1)[:, 0] @ PENNIES.payoffs[0].T).argmax(axis=-1)
    assert (second.greedy(0)[:, 0] == best).mean() > 0.99


@each_backend
def test_a_window_counts_anew_and_flips_go_on(backend):
    arguments = {"steps": 30, "backend": backend}
    first = fg.run(PENNIES, fg.QLearner(), replicas=4, rng=1, record=COUNTERS, **arguments)
    last = fg.Record(flips=True, joint_actions=True, rewards=True, last=10)
    second = fg.run(PENNIES, fg.QLearner(), resume=first, record=last, **arguments)
    assert (second.joint_counts.sum(axis=(1, 2)) == 10).all()
    both = fg.run(PENNIES, fg.QLearner(), resume=first, record=COUNTERS, **arguments)
    assert (both.joint_counts.sum(axis=(1, 2)) == 60).all()
    assert (both.flips == second.flips).all()
    assert (both.flips >= first.flips).all()
    before = fg.run(PENNIES, fg.QLearner(), steps=20, resume=first, record=COUNTERS)
    assert (both.joint_counts - before.joint_counts == second.joint_counts).all()
    third = fg.run(
        PENNIES, fg.QLearner(), resume=first, record=fg.Record(rewards=True), **arguments
    )
    assert third.flips is None
    assert third.joint_counts is None
    assert (third.state.counted == 30).all()  # other counters: they start anew


def test_the_game_may_change_where_its_actions_do_not():
    first = fg.run(PENNIES, fg.QLearner(1.0), steps=50, replicas=10, rng=1)
    sevens = fg.MatrixGame(np.full((2, 2, 2), 7.0))
    second = fg.run(sevens, fg.QLearner(1.0), steps=1, resume=first)
    assert ((second.tables[0]["q"] == 7.0).sum(axis=-1) == 1).all()


@FEW
@given(data=st.data())
def test_learners_that_are_replaced_in_the_middle_of_an_episode(data):
    """By any others, with moves pending: every backend makes the same of it, and back again."""
    setup = data.draw(setups())
    first = setup.run(stop=None, record=fg.Record())
    game = st.just(setup.game.games[0] if isinstance(setup.game, fg.Variants) else setup.game)
    others = data.draw(setups(game=game, replicas=setup.replicas)).learners
    swapped = [
        data.draw(st.sampled_from(pair)) for pair in zip(setup.learners, others, strict=True)
    ]
    more = {"rng": None, "replicas": None, "dtype": None, "record": fg.Record(flips=True)}
    results = []
    for backend in ("cython", "reference"):
        second = setup.run(
            learners=swapped, steps=11, resume=first, backend=backend, stop=fg.Stable(9), **more
        )
        results.append((second, setup.run(steps=7, resume=second, backend=backend, **more)))
    for one, other in zip(*results, strict=True):
        assert_same(one, other)


@each_backend
@pytest.mark.parametrize("turns", [None, [0, 1, 0]])
def test_a_shorter_time_limit_cuts_the_episode_at_once(backend, turns):
    def game(limit):
        return fg.MarkovGame(
            np.zeros((2, 3, 2, 2)), np.full((3, 2, 2), 2), 0.9, turns=turns, time_limit=limit
        )

    first = fg.run(game(10), fg.QLearner(), steps=7, rng=1, backend=backend)
    assert first.state.ages.tolist() == [7]
    second = fg.run(game(5), fg.QLearner(), steps=1, resume=first, backend=backend)
    assert (second.states[0], second.state.ages[0]) == (0, 0)
    longer = fg.run(game(12), fg.QLearner(), steps=4, resume=first, backend=backend)
    assert (longer.states[0], longer.state.ages[0]) == (2, 11)
