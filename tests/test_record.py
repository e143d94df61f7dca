"""What is recorded is what happened: against runs taken step by step, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgames as fg

BACKENDS = ("cython", "numba", "reference")
SHAPLEY = fg.games.shapley()
FEW = settings(max_examples=settings.default.max_examples // 2)
each_backend = pytest.mark.parametrize("backend", BACKENDS)


def step_by_step(setup, steps):
    """The results after 1, 2, ..., `steps` steps, each from a run of its own."""
    plain = {"record": fg.Record(), "stop": None, "backend": "cython"}
    return [setup.run(steps=t, **plain) for t in range(1, steps + 1)]


@FEW
@given(data=st.data())
def test_flips_count_changes_of_the_greedy_action(data, setups, kinds):
    """SARSA may learn twice in a step, from its last move and from one that ends the episode."""
    once = [kind for kind in kinds if kind.learner != "sarsa"]
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
def test_snapshots_hold_what_a_run_of_so_many_steps_ends_with(data, setups):
    setup = data.draw(setups(replicas=3))
    every = data.draw(st.integers(1, setup.steps))
    names = {learner.table for learner in setup.learners}
    record = fg.Record(every=every, tables=tuple(names), greedy=True, policies=True)
    ends = step_by_step(setup, setup.steps)
    for backend in ("cython", "reference"):
        taken = setup.run(record=record, stop=None, backend=backend).snapshots
        assert taken.steps.tolist() == list(range(every, setup.steps + 1, every))
        for index, step in enumerate(taken.steps):
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
def test_recording_changes_nothing_else(dtype, assert_same):
    arguments = {"steps": 100, "replicas": 150, "rng": 1, "dtype": dtype}
    plain = fg.run(SHAPLEY, fg.QLearner(), **arguments)
    full = fg.Record(
        every=7,
        tables=("q",),
        greedy=True,
        policies=True,
        flips=True,
        joint_actions=True,
        rewards=True,
        last=13,
    )
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
