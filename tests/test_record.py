"""Records against runs taken step by step, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same
from library.every import EVERYTHING, FEW, each_backend
from library.learners import AHEAD
from library.runs import asking, can_record, setups

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
    _begin, _play, _see, state_size=1, num_actions=(2, 3), num_observations=(3, 3), discount=0.9,
    time_limit=4,
)  # fmt: skip
ENDING = fg.games.random_markov_game(
    2, 5, (2, 3), rng=4, terminal=1, observations=3, start="random", time_limit=6
)
TURNS = fg.games.random_markov_game(2, 5, (2, 3), rng=4, turns=True)
KINDS = {
    "matrix": SHAPLEY,
    "repeated": fg.games.remember(SHAPLEY),
    "functions": FUNCTIONS,
    "ending": ENDING,
    "turns": TURNS,
}
NEW = ("path", "state_visits", "action_visits", "episodes", "regret")


def askable(game):
    """A record of all that a run of a game can record."""
    asked = {count.asked: None for count in COUNTS.values()} | dict.fromkeys(NEW)
    return asking(*(name for name in asked if can_record(game, name)))


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COUNTS)
def test_every_backend_counts_alike_alone_over_the_last_steps_and_in_parts(name, kind):
    game, dtype = KINDS[kind], "float32" if kind in ("matrix", "ending") else "float64"
    if not can_record(game, COUNTS[name].asked) or (name, kind) == ("path_states", "matrix"):
        pytest.skip("not recorded in this game")
    record = asking(COUNTS[name].asked)
    run = {"game": game, "learners": fg.QLearner(), "replicas": 5, "rng": 3, "dtype": dtype}
    backends = ("auto", "numba", "reference")  # auto: passes compiled ahead, but for functions
    kinds = [{"record": record}]
    if COUNTS[name].last:
        last = replace(record, last=7)
        kinds += [{"record": last}, {"record": last, "stop": fg.Stable(9)}]
    for how in kinds:
        found = {}
        for backend in backends:
            result = fg.run(**run, **how, steps=30, backend=backend)
            found[backend] = getattr(result.state, name)
            if not how["record"].last:
                part = fg.run(**run, **how, steps=11, backend=backend)
                part = fg.run(game, fg.QLearner(), 19, resume=part, backend=backend, **how)
                np.testing.assert_array_equal(getattr(part.state, name), found[backend])
        assert found["reference"].any()
        for backend in backends:
            np.testing.assert_array_equal(found[backend], found["reference"])


def test_counts_without_a_compiled_pass_are_an_error_that_says_so():
    game, agents, _ = core_arguments(fg.run(SHAPLEY, fg.QLearner(), steps=1, rng=1).spec)
    flags = dict.fromkeys(("by_agent", "last", "joint", "rewards", "states", "ring"), False)
    counts = {"luck": CoreCount(np.dtype("int64"), (2,), **flags)}
    with pytest.raises(ValueError, match=r"no pass in src_cy/record\.pxi records 'luck'"):
        _core.lanes("float64").Lanes(16, 16, game, agents, counts, rows=False, stable=False, last=0)


# --- the path, visits, episodes, regret ----------------------------------------------------------


def played(game, steps, replicas=4, **more):
    """What was played at each step, from runs of their own: joint actions, rewards, states.

    Returns (replicas, steps, N), (replicas, steps, N) and (replicas, steps) or (replicas, steps,
    state_size).
    """
    run = {"game": game, "learners": fg.QLearner(), "replicas": replicas, "rng": 5, **more}
    plain = fg.Record(joint_actions=True, rewards=True, last=1)
    ends = [fg.run(**run, steps=t, record=plain) for t in range(1, steps + 1)]
    shape = game.num_actions
    actions = [
        np.array(np.unravel_index(x.joint_counts.reshape(replicas, -1).argmax(axis=1), shape)).T
        for x in ends
    ]
    begun = fg.run(**run, steps=1, record=fg.Record(path=1)).path.states[:, 0]
    states = [begun, *(x.states for x in ends[:-1])]
    return [np.stack(x, axis=1) for x in (actions, [x.mean_reward for x in ends], states)]


@each_backend
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 5, 9, 30])
def test_the_path_is_what_was_played_in_the_last_steps(kind, k, backend):
    game, steps = KINDS[kind], 9
    actions, rewards, states = played(game, steps)
    if kind == "functions" and backend == "cython":
        backend = "auto"
    run = {"game": game, "learners": fg.QLearner(), "replicas": 4, "rng": 5, "backend": backend}
    path = fg.run(**run, steps=steps, record=fg.Record(path=k)).path
    held, none = min(k, steps), max(k - steps, 0)
    assert path.steps.tolist() == [[-1] * none + list(range(steps - held, steps))] * 4
    np.testing.assert_array_equal(path.actions[:, none:], actions[:, steps - held :])
    np.testing.assert_array_equal(path.rewards[:, none:], rewards[:, steps - held :])
    np.testing.assert_array_equal(path.states[:, none:], states[:, steps - held :])
    assert (path.actions[:, :none] == -1).all()
    assert (path.states[:, :none] == -1).all()
    assert np.isnan(path.rewards[:, :none]).all()


def test_the_path_of_replicas_that_stop_at_different_steps_ends_where_each_stops():
    run = {"game": SHAPLEY, "learners": fg.QLearner(), "replicas": 20, "rng": 5}
    with pytest.warns(fg.ConvergenceWarning):
        result = fg.run(**run, steps=90, record=fg.Record(path=4), stop=fg.Stable(20))
    assert np.ptp(result.steps) > 0
    whole = fg.run(**run, steps=90, record=fg.Record(path=90)).path
    assert (result.path.steps[:, -1] == result.steps - 1).all()
    rows = np.arange(20)[:, None]
    np.testing.assert_array_equal(result.path.actions, whole.actions[rows, result.path.steps])
    np.testing.assert_array_equal(result.path.rewards, whole.rewards[rows, result.path.steps])


def test_a_path_of_another_length_begins_anew():
    run = {"game": ENDING, "learners": fg.QLearner(), "backend": "reference"}
    first = fg.run(**run, steps=7, rng=1, record=fg.Record(path=6))
    path = fg.run(**run, steps=2, resume=first, record=fg.Record(path=4)).path
    assert path.steps.tolist() == [[-1, -1, 7, 8]]
    longer = fg.run(**run, steps=9, rng=1, record=fg.Record(path=9)).path
    np.testing.assert_array_equal(path.actions[:, 2:], longer.actions[:, 7:])


@each_backend
@pytest.mark.parametrize("kind", KINDS)
def test_visits_count_the_states_and_moves_of_the_path(kind, backend):
    game, steps = KINDS[kind], 40
    if kind == "functions" and backend == "cython":
        backend = "auto"
    names = [x for x in ("state_visits", "action_visits") if can_record(game, x)]
    run = {"game": game, "learners": fg.QLearner(), "replicas": 4, "rng": 5, "steps": steps}
    path = fg.run(**run, record=fg.Record(path=steps)).path
    result = fg.run(**run, record=asking(*names), backend=backend)
    states = path.states if path.states.ndim == 2 else path.states[:, :, 0]
    if "state_visits" in names:
        every = np.stack([np.bincount(x, minlength=game.num_states) for x in states])
        np.testing.assert_array_equal(result.state_visits, every)
    compact = game.compact
    for i in range(game.num_agents):
        sees = compact.observations[i] if compact.observations is not None else np.arange(99)
        moves = compact.turns[i] if compact.turns is not None else np.ones(99, bool)
        counts = np.zeros((4, game.num_observations[i], game.num_actions[i]), int)
        for r in range(4):
            for state, action in zip(states[r], path.actions[r, :, i], strict=True):
                counts[r, sees[state], action] += moves[state]
        np.testing.assert_array_equal(result.action_visits[i], counts)


def returns_by_hand(game, path, discount):
    """Lengths and returns (plain, discounted) of the finished episodes of each replica."""
    out = []
    for actions, rewards, states in zip(path.actions, path.rewards, path.states, strict=True):
        found, now = [], []
        for joint, reward, state in zip(actions, rewards, states, strict=True):
            now.append(reward)
            if game is ENDING:
                over = len(now) == 6 or game.terminal[game.transitions[(state, *joint)]]
            else:
                over = len(now) == 4
            if over:
                plain, discounted, weight = np.zeros(2), np.zeros(2), 1.0
                for each in now:
                    plain, discounted = plain + each, discounted + weight * each
                    weight *= discount
                found.append((len(now), plain, discounted))
                now = []
        out.append(found)
    return out


@each_backend
@pytest.mark.parametrize("kind", ["ending", "functions"])
def test_episodes_have_the_lengths_and_returns_of_the_path(kind, backend):
    """Those that a time limit cuts are among them, the one under way at the end is not."""
    game = KINDS[kind]
    if kind == "functions" and backend == "cython":
        backend = "auto"
    run = {"game": game, "learners": fg.QLearner(), "replicas": 6, "rng": 5, "steps": 50}
    path = fg.run(**run, record=fg.Record(path=50)).path
    result = fg.run(**run, record=fg.Record(episodes=True), backend=backend)
    for r, found in enumerate(returns_by_hand(game, path, game.discount)):
        lengths = [length for length, *_ in found]
        assert kind == "functions" or (6 in lengths and min(lengths) < 6)
        assert result.episodes[r] == len(found)
        assert result.mean_length[r] == sum(lengths) / len(found)
        assert result.max_length[r] == max(lengths)
        plain, discounted = np.zeros(2), np.zeros(2)
        for _, each, also in found:
            plain, discounted = plain + each, discounted + also
        np.testing.assert_array_equal(result.mean_return[r], plain / len(found))
        np.testing.assert_array_equal(result.mean_discounted_return[r], discounted / len(found))


def test_no_episode_is_over_before_the_first_one_ends():
    record = fg.Record(episodes=True)
    result = fg.run(FUNCTIONS, fg.QLearner(), 3, 2, 1, record, backend="reference")
    assert result.episodes.tolist() == result.max_length.tolist() == [0, 0]
    for array in (result.mean_length, result.mean_return, result.mean_discounted_return):
        assert np.isnan(array).all()


@each_backend
def test_an_episode_under_way_when_the_recording_begins_is_not_counted(backend):
    game = fg.MarkovGame(np.ones((2, 2, 1, 1)), np.zeros((2, 1, 1), int), 0.5, time_limit=4)
    run = {"game": game, "learners": fg.QLearner(), "backend": backend}
    record = fg.Record(episodes=True)
    for before, counted in ((3, 2), (4, 2), (5, 1)):
        first = fg.run(**run, steps=before, rng=1)
        result = fg.run(**run, steps=13 - before, resume=first, record=record)
        assert result.episodes.tolist() == [counted]  # that of steps 4 to 7, that of 8 to 11
        assert result.mean_length.tolist() == [4.0]
        assert result.mean_return.tolist() == [[4.0, 4.0]]
        assert result.mean_discounted_return.tolist() == [[1.875, 1.875]]


def regret_by_hand(payoffs, actions):
    """The external regret per step of joint actions (steps, N)."""
    out = []
    for i, own in enumerate(payoffs):
        got = sum(own[tuple(joint)] for joint in actions)
        fixed = [
            sum(own[(*joint[:i], a, *joint[i + 1 :])] for joint in actions.tolist())
            for a in range(own.shape[i])
        ]
        out.append((max(fixed) - got) / len(actions))
    return out


@pytest.mark.parametrize("last", [None, 7])
@pytest.mark.parametrize(
    ("game", "stage"),
    [
        (SHAPLEY, SHAPLEY),
        (fg.games.jordan(), fg.games.jordan()),
        (fg.games.remember(SHAPLEY), SHAPLEY),
        (fg.MatrixGame([[[1.0], [0.0], [3.0]], [[0.5], [2.0], [1.0]]]), None),
    ],
    ids=["shapley", "jordan", "repeated", "three by one"],
)
def test_regret_is_what_the_best_fixed_action_would_have_added(game, stage, last):
    run = {"game": game, "learners": fg.QLearner(), "replicas": 5, "rng": 5, "steps": 30}
    result = fg.run(**run, record=fg.Record(regret=True, path=last or 30, last=last))
    for r, actions in enumerate(result.path.actions):
        expected = regret_by_hand((stage or game).payoffs, actions)
        np.testing.assert_allclose(result.regret[r], expected, atol=1e-12)
    assert result.joint_counts.sum() == 5 * (last or 30)


def test_regret_of_variants_is_that_of_each_one():
    draw = np.random.default_rng(1)
    games = [fg.MatrixGame(draw.normal(size=(2, 2, 3))) for _ in range(2)]
    index = np.array([1, 0, 0, 1])
    run = {"learners": fg.QLearner(), "rng": 5, "steps": 30, "record": fg.Record(regret=True)}
    result = fg.run(fg.Variants(games, index), **run)
    for r, variant in enumerate(index):
        alone = fg.run(games[variant], replicas=4, **run)
        np.testing.assert_array_equal(result.regret[r], alone.regret[r])


def test_no_regret_of_the_best_reply_and_none_before_a_step():
    game = fg.games.prisoners_dilemma()
    defects = fg.run(game, fg.FixedPolicy([0.0, 1.0]), 5, rng=1, record=fg.Record(regret=True))
    assert defects.regret.tolist() == [[0.0, 0.0]]
    cooperates = fg.FixedPolicy([1.0, 0.0])
    result = fg.run(game, cooperates, 5, rng=1, record=fg.Record(regret=True))
    gain = game.payoffs[0, 1, 0] - game.payoffs[0, 0, 0]
    np.testing.assert_allclose(result.regret, [[gain, gain]])


@pytest.mark.parametrize(
    ("game", "name", "why"),
    [
        (FUNCTIONS, "state_visits", "a procedural game"),
        (SHAPLEY, "episodes", "without terminal states and time limit"),
        (TURNS, "episodes", "without terminal states and time limit"),
        (ENDING, "regret", "rewards depend on more than the joint action"),
        (FUNCTIONS, "regret", "rewards depend on more than the joint action"),
        (
            fg.MarkovGame(
                np.ones((2, 1, 2, 2)), np.zeros((1, 2, 2), int), 0.5, turns=[0]
            ), "regret", "turns",
        ),
    ],
)  # fmt: skip
def test_records_that_a_game_does_not_have_are_refused(game, name, why):
    with pytest.raises(ValueError, match=rf"record\.{name} must be False in .*{why}.*got <"):
        fg.run(game, fg.QLearner(), 1, record=asking(name))


@pytest.mark.parametrize("value", [0, -3, 2**31, 1.5, True, "4"])
def test_paths_of_no_length_are_refused(value):
    error = ValueError if isinstance(value, int) and value is not True else TypeError
    with pytest.raises(error, match=rf"path must be a whole number in \[1, 2\^31\), got {value!r}"):
        fg.Record(path=value)
    for name in NEW[1:]:
        with pytest.raises(TypeError, match=f"{name} must be True or False, got 1"):
            fg.Record(**{name: 1})


def test_records_that_do_not_fit_into_memory_are_refused_by_name():
    with pytest.raises(ValueError, match=r"record\.path of 51,539,607,528 bytes for each replica "
                       "must fit into memory: 9 replicas"):  # fmt: skip
        fg.run(SHAPLEY, fg.QLearner(), 1, 9, record=fg.Record(path=2**31 - 1))
    wide = fg.MarkovGame(np.zeros((2, 2**20, 1, 1)), np.zeros((2**20, 1, 1), int), 0.5)
    still = fg.FixedPolicy([1.0])
    for name, size in (("state_visits", 8), ("action_visits", 16)):
        with pytest.raises(ValueError, match=rf"record\.{name} of {size * 2**20:,} bytes"):
            fg.run(wide, still, 1, 2**30, record=asking(name))


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_kept_in_files_and_checkpoints_and_go_on(kind, tmp_path):
    game = KINDS[kind]
    run = {"game": game, "learners": fg.QLearner(), "record": askable(game)}
    whole = fg.run(**run, steps=30, replicas=3, rng=1)
    first = fg.run(**run, steps=17, replicas=3, rng=1)
    first.save(tmp_path / "result")
    own = {"game": game} if kind == "functions" else {}
    loaded = fg.load(tmp_path / "result", **own)
    assert loaded.record == run["record"]
    assert_same(first, loaded)
    path = tmp_path / "checkpoint"
    for _ in range(2):
        assert_same(whole, fg.run(**run, steps=13, resume=loaded, checkpoint=path))


def test_files_that_ask_for_what_a_game_does_not_have_are_refused(tmp_path):
    result = fg.run(SHAPLEY, fg.QLearner(), 1, rng=1)
    broken = replace(result, record=fg.Record(episodes=True))
    with pytest.raises(ValueError, match=r"record\.episodes must be False"):
        broken.save(tmp_path / "result")
