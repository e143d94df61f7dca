"""Records against runs taken step by step, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.every import EVERYTHING, FEW, each_backend
from library.learners import AHEAD
from library.runs import setups

import fastgames as fg
from fastgames import _core
from fastgames.engine.compiled import core_arguments
from fastgames.engine.core import CoreCount
from fastgames.record import COUNTS

SHAPLEY = fg.games.shapley()


def step_by_step(setup, steps):
    """The results after 1, 2, ..., `steps` steps, each from a run of its own."""
    plain = {"record": fg.Record(), "stop": None, "backend": "cython"}
    return [setup.run(steps=t, **plain) for t in range(1, steps + 1)]


@FEW
@given(data=st.data())
def test_flips_count_changes_of_the_greedy_action(data):
    """SARSA may learn twice in a step, from its last move and from one that ends the episode."""
    once = [kind for kind in AHEAD if kind.learner != "sarsa"]
    setup = data.draw(setups(kinds=once, replicas=3))
    agents = range(setup.game.num_agents)
    before = [
        np.broadcast_to(
            x.start(setup.game, i)[x.table].astype(setup.dtype),
            (3, setup.game.num_observations[i], setup.game.num_actions[i]),
        ).argmax(axis=-1)
        for i, x in enumerate(setup.learners)
    ]
    flips = np.zeros((3, len(agents)), int)
    for result in step_by_step(setup, setup.steps):
        now = [result.greedy(i) for i in agents]
        flips += np.stack([(now[i] != before[i]).sum(axis=-1) for i in agents], axis=1)
        before = now
    for backend in ("cython", "reference"):
        recorded = setup.run(record=fg.Record(flips=True), stop=None, backend=backend)
        assert (recorded.flips == flips).all()


@FEW
@given(data=st.data())
def test_snapshots_hold_what_a_run_of_so_many_steps_ends_with(data):
    setup = data.draw(setups(replicas=3))
    every = data.draw(st.integers(1, setup.steps))
    names = {learner.table for learner in setup.learners}
    record = fg.Record(every=every, tables=tuple(names), greedy=True, policies=True)
    ends = step_by_step(setup, setup.steps)
    for backend in ("cython", "reference"):
        taken = setup.run(record=record, stop=None, backend=backend).snapshots
        assert taken.steps.tolist() == list(range(0, setup.steps + 1, every))
        for agent, learner in enumerate(setup.learners):
            start = learner.start(setup.game, agent)[learner.table].astype(setup.dtype)
            assert (taken.tables[agent][learner.table][0] == start).all()
            rows = np.broadcast_to(start, taken.tables[agent][learner.table][0].shape)
            assert (taken.greedy[agent][0] == rows.argmax(axis=-1)).all()
        for index, step in enumerate(taken.steps[1:], 1):
            end = ends[step - 1]
            for agent in range(setup.game.num_agents):
                for name, table in end.tables[agent].items():
                    if name in names:
                        assert (taken.tables[agent][name][index] == table).all()
                assert (taken.greedy[agent][index] == end.greedy(agent)).all()
                assert (taken.policies[agent][index] == end.policy(agent)).all()


@each_backend
def test_joint_counts_and_rewards_agree_with_tables_that_hold_the_last_payoff(backend):
    """alpha = 1: the table holds the last payoff of each action, and payoffs are all different."""
    game = fg.MatrixGame([np.arange(12.0).reshape(3, 4), -np.arange(12.0).reshape(3, 4)])
    learner = fg.QLearner(1.0, explore=fg.EpsilonGreedy(1.0), initial=-99.0)
    start = fg.run(game, learner, steps=1, replicas=5, rng=1)
    record = fg.Record(joint_actions=True, rewards=True)
    result, counts, sums = start, np.zeros((5, 3, 4), int), np.zeros((5, 2))
    for _ in range(20):
        blank = [fg.QLearner(1.0, explore=fg.EpsilonGreedy(1.0), initial=-99.0)] * 2
        for table in result.tables:
            table["q"][:] = -99.0
        result = fg.run(game, blank, steps=1, resume=result)
        for replica in range(5):
            number = int(result.tables[0]["q"][replica].max())  # the payoff just received
            counts[(replica, *divmod(number, 4))] += 1
            sums[replica] += (number, -number)
    whole = fg.run(game, learner, steps=20, resume=start, record=record, backend=backend)
    assert (whole.joint_counts == counts).all()
    assert (whole.mean_reward == sums / 20).all()


@each_backend
@pytest.mark.parametrize("last", [1, 3, 4, 17, 40])
def test_last_counts_only_the_last_steps(backend, last):
    arguments = {"replicas": 20, "rng": 3, "backend": backend}
    record = fg.Record(joint_actions=True, rewards=True, last=last)
    result = fg.run(SHAPLEY, fg.QLearner(), steps=40, record=record, **arguments)
    counters = fg.Record(joint_actions=True, rewards=True)
    whole = fg.run(SHAPLEY, fg.QLearner(), steps=40, record=counters, **arguments)
    counts, total = whole.joint_counts, whole.mean_reward * 40
    if last < 40:
        before = fg.run(SHAPLEY, fg.QLearner(), steps=40 - last, record=counters, **arguments)
        counts = counts - before.joint_counts
        total = total - before.mean_reward * (40 - last)
    assert (result.joint_counts == counts).all()
    np.testing.assert_allclose(result.mean_reward, total / last, atol=1e-12)
    assert (result.state.counted == last).all()
    assert (result.steps == 40).all()


@each_backend
def test_mean_rewards_are_the_payoffs_of_the_counted_joint_actions(backend):
    game = fg.games.jordan()
    result = fg.run(
        game,
        fg.QLearner(),
        steps=100,
        replicas=7,
        rng=1,
        backend=backend,
        record=fg.Record(joint_actions=True, rewards=True),
    )
    expected = np.einsum("rabc,iabc->ri", result.joint_counts, game.payoffs) / 100
    np.testing.assert_allclose(result.mean_reward, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_recording_changes_nothing_else(dtype):
    arguments = {"steps": 100, "replicas": 150, "rng": 1, "dtype": dtype}
    plain = fg.run(SHAPLEY, fg.QLearner(), **arguments)
    full = replace(EVERYTHING, every=7, last=13)
    recorded = fg.run(SHAPLEY, fg.QLearner(), record=full, **arguments)
    for agent in range(2):
        assert (plain.tables[agent]["q"] == recorded.tables[agent]["q"]).all()
    assert (plain.state.streams == recorded.state.streams).all()


def test_rewards_are_summed_in_float64_whatever_the_tables_are():
    game = fg.MatrixGame(np.full((2, 2, 2), 0.1))
    for dtype in ("float64", "float32"):
        result = fg.run(
            game, fg.QLearner(), steps=100_000, rng=1, dtype=dtype, record=fg.Record(rewards=True)
        )
        reward = float(np.dtype(dtype).type(0.1))
        np.testing.assert_allclose(result.mean_reward, reward, rtol=1e-11)


def test_snapshots_at_given_times_hold_what_those_of_every_step_hold():
    record = {"tables": ("q",), "greedy": True, "policies": True}
    run = {"game": SHAPLEY, "learners": fg.QLearner(), "steps": 30, "replicas": 4, "rng": 1}
    whole = fg.run(**run, record=fg.Record(every=1, **record)).snapshots.arrays()
    times = np.array([17, 0, 30, 4, 99])  # 99 is after the end
    some = fg.run(**run, record=fg.Record(every=times, **record)).snapshots.arrays()
    assert some["steps"].tolist() == [0, 4, 17, 30]
    for name, array in some.items():
        np.testing.assert_array_equal(array, whole[name][[0, 4, 17, 30]])
    late = fg.run(**run, record=fg.Record(every=[99], greedy=True))
    assert late.snapshots.greedy[0].shape == (0, 4, 1)


@pytest.mark.parametrize("every", [7, (0, 3, 20, 21, 40), range(40)])
@pytest.mark.parametrize("cut", [1, 14, 20, 39])
def test_snapshots_of_the_parts_of_a_run_are_those_of_the_whole(every, cut):
    run = {"game": SHAPLEY, "learners": fg.QLearner(), "record": fg.Record(every, ("q",))}
    whole = fg.run(**run, steps=40, replicas=3, rng=1).snapshots
    first = fg.run(**run, steps=cut, replicas=3, rng=1)
    parts = [first.snapshots, fg.run(**run, steps=40 - cut, resume=first).snapshots]
    assert np.concatenate([part.steps for part in parts]).tolist() == whole.steps.tolist()
    joined = np.concatenate([part.tables[1]["q"] for part in parts])
    np.testing.assert_array_equal(joined, whole.tables[1]["q"])


def test_times_are_kept_in_files_and_checkpoints(tmp_path):
    record = fg.Record(every=[20, 0, 5], greedy=True)
    run = {"game": SHAPLEY, "learners": fg.QLearner(), "steps": 20, "rng": 1, "record": record}
    path = tmp_path / "checkpoint"
    result = fg.run(**run, checkpoint=path)
    result.save(tmp_path / "result")
    loaded = fg.load(tmp_path / "result")
    assert loaded.record == record == fg.Record(every=(0, 5, 20), greedy=True)
    assert loaded.snapshots.steps.tolist() == [0, 5, 20]
    assert fg.run(**run, checkpoint=path).snapshots.steps.tolist() == [0, 5, 20]
    with pytest.raises(ValueError, match=r"record\.every"):
        fg.run(**{**run, "record": fg.Record(every=[0, 5], greedy=True)}, checkpoint=path)


@pytest.mark.parametrize(
    ("every", "error", "words"),
    [
        (0, ValueError, "every must be a whole number of at least 1, got 0"),
        (1.5, TypeError, "every must be a whole number or a sequence of them, got 1.5"),
        ("10", TypeError, "every must be a whole number or a sequence of them, got '10'"),
        ({5: 1}, TypeError, "every must be a whole number or a sequence of them"),
        ([], ValueError, "every must have 1 to 1048576 entries, got 0"),
        (range(10**9), ValueError, "every must have 1 to 1048576 entries, got 1000000000"),
        ([3, -1], ValueError, r"every\[1\] must be a whole number of at least 0, got -1"),
        ([3, True], TypeError, r"every\[1\] must be a whole number of at least 0, got True"),
        ([3, 0.5], TypeError, r"every\[1\] must be a whole number of at least 0, got 0.5"),
        ([4, 2, 4], ValueError, "every must have different entries, got 4 twice"),
    ],
)  # fmt: skip
def test_times_that_are_none(every, error, words):
    with pytest.raises(error, match=words):
        fg.Record(every=every, greedy=True)


# --- what is declared ---------------------------------------------------------------------------


def _begin(state, words):
    state[0] = 0


def _play(state, actions, rewards, words):
    rewards[0], rewards[1] = 0.1 * actions[1] + state[0], 0.3 * actions[0]
    state[0] = (actions[0] + actions[1]) % 3
    return False


def _see(state, agent):
    return state[0]


FUNCTIONS = fg.ProceduralGame(
    _begin, _play, _see, state_size=1, num_actions=(2, 3), num_observations=(3, 3), discount=0.9
)


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize(
    ("game", "dtype"),
    [(SHAPLEY, "float32"), (fg.games.remember(SHAPLEY), "float64"), (FUNCTIONS, "float64")],
)
@pytest.mark.parametrize("name", COUNTS)
def test_every_backend_counts_alike_alone_over_the_last_steps_and_in_parts(name, game, dtype):
    record = fg.Record(**{COUNTS[name].asked: True})
    run = {"game": game, "learners": fg.QLearner(), "replicas": 5, "rng": 3, "dtype": dtype}
    backends = ("auto", "numba", "reference")  # auto: passes compiled ahead, but for functions
    kinds = [{"record": record}]
    if COUNTS[name].last:
        last = replace(record, last=7)
        kinds += [{"record": last}, {"record": last, "stop": fg.Stable(9)}]
    for kind in kinds:
        found = {}
        for backend in backends:
            result = fg.run(**run, **kind, steps=30, backend=backend)
            found[backend] = getattr(result.state, name)
            if not kind["record"].last:
                part = fg.run(**run, **kind, steps=11, backend=backend)
                part = fg.run(game, fg.QLearner(), 19, resume=part, backend=backend, **kind)
                np.testing.assert_array_equal(getattr(part.state, name), found[backend])
        assert found["reference"].any()
        for backend in backends:
            np.testing.assert_array_equal(found[backend], found["reference"])


def test_counts_without_a_compiled_pass_are_an_error_that_says_so():
    game, agents, _ = core_arguments(fg.run(SHAPLEY, fg.QLearner(), steps=1, rng=1).spec)
    counts = {"luck": CoreCount(np.dtype("int64"), (2,), True, True, False, False)}
    with pytest.raises(ValueError, match=r"no pass in src_cy/record\.pxi records 'luck'"):
        _core.lanes("float64").Lanes(16, 16, game, agents, counts, rows=False, stable=False, last=0)
