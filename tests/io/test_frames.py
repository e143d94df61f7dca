"""frames: every number of a result in its row, what replicas differ in beside it, and in a file."""

import sys

import numpy as np
import pandas as pd
import pytest
from library.every import EVERYTHING

import fastgames as fg

pytestmark = pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")  # they stop early
REPLICAS = 3


@pytest.fixture(scope="module")
def result():
    """Two agents with 2 and 3 actions, everything recorded."""
    payoffs = np.random.default_rng(0).normal(size=(2, 2, 3))
    game = fg.MatrixGame(payoffs, name="odd", actions=[("up", "down"), ("l", "m", "down")])
    seats = [
        fg.QLearner(alpha=np.array([0.1, 0.2, 0.3])),
        fg.QLearner(explore=fg.EpsilonGreedy(fg.Linear(np.array([0.9, 0.8, 0.7]), 0.1, 50))),
    ]
    return fg.run(game, seats, 60, REPLICAS, 7, EVERYTHING)


@pytest.fixture(scope="module")
def swept():
    sweep = fg.grid(epsilon=[0.5, 0.25], alpha=[0.1, 0.2, 0.4], repeats=4)
    seats = fg.QLearner(sweep.alpha, explore=fg.EpsilonGreedy(sweep.epsilon))
    game = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
    return fg.run(game, seats, 40, sweep, 7, EVERYTHING, fg.Stable(30))


def test_a_row_for_each_replica(result):
    frame = result.to_pandas()
    assert list(frame) == [
        "replica", "alpha_0", "epsilon_1_start", "steps", "flips_0", "flips_1", "mean_reward_0",
        "mean_reward_1", "greedy_0", "greedy_1",
    ]  # fmt: skip
    assert frame.replica.tolist() == [0, 1, 2]
    assert frame.alpha_0.tolist() == [0.1, 0.2, 0.3]
    assert frame.epsilon_1_start.tolist() == [0.9, 0.8, 0.7]
    for agent in (0, 1):
        np.testing.assert_array_equal(frame[f"flips_{agent}"], result.flips[:, agent])
        np.testing.assert_array_equal(frame[f"mean_reward_{agent}"], result.mean_reward[:, agent])
        names = result.game.actions[agent]
        assert frame[f"greedy_{agent}"].tolist() == [names[a] for a in result.greedy(agent)[:, 0]]
        assert frame[f"greedy_{agent}"].cat.categories.tolist() == list(names)


def test_what_was_not_recorded_is_not_there():
    frame = fg.run(fg.games.chicken(), fg.QLearner(), 5, 2, 1).to_pandas()
    assert list(frame) == ["replica", "steps", "greedy_0", "greedy_1"]


def test_a_sweep_has_its_dimensions(swept):
    frame = swept.to_pandas()
    assert list(frame)[:6] == ["replica", "epsilon", "alpha", "repeat", "alpha_0", "epsilon_0"]
    assert "greedy_0" not in frame  # of several observations
    cell = frame[(frame.epsilon == 0.25) & (frame.alpha == 0.2)]
    assert cell.replica.tolist() == [16, 17, 18, 19]
    assert cell.repeat.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(frame.stopped, swept.stopped)
    means = frame.groupby(["epsilon", "alpha"], sort=False).mean_reward_1.mean()
    expected = swept.grid.reshape(swept.mean_reward[:, 1]).mean(axis=-1)
    np.testing.assert_allclose(means.to_numpy().reshape(2, 3), expected)


def rows(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame


@pytest.mark.parametrize(("agent", "replica", "observation"), [(0, 5, 3), (1, 23, 0), (1, 0, 2)])
def test_policies_in_long_form(swept, agent, replica, observation):
    frame = swept.to_pandas("policies")
    assert len(frame) == 24 * 2 * 4 * 2
    row = rows(frame, agent=agent, replica=replica, observation=observation)
    assert row.action.tolist() == ["cooperate", "defect"]
    at = (replica, observation)
    np.testing.assert_array_equal(row.q, swept.tables[agent]["q"][at])
    np.testing.assert_array_equal(row.probability, swept.policy(agent)[at])
    assert row.greedy.tolist() == [a == swept.greedy(agent)[at] for a in (0, 1)]
    assert set(row.alpha) == {swept.grid.alpha[replica]}
    assert "step" not in frame


@pytest.mark.parametrize(("agent", "replica", "time"), [(0, 2, 1), (1, 0, 2), (1, 1, 0)])
def test_snapshots_in_long_form(result, agent, replica, time):
    frame = result.to_pandas("snapshots")
    assert len(frame) == 4 * REPLICAS * (2 + 3)
    assert list(frame)[:2] == ["step", "replica"]
    row = rows(frame, agent=agent, replica=replica, step=[0, 20, 40, 60][time])
    assert row.action.tolist() == list(result.game.actions[agent])
    taken = result.snapshots
    np.testing.assert_array_equal(row.q, taken.tables[agent]["q"][time, replica, 0])
    np.testing.assert_array_equal(row.probability, taken.policies[agent][time, replica, 0])
    assert row.greedy.to_numpy().argmax() == taken.greedy[agent][time, replica, 0]
    assert row.greedy.sum() == 1


def test_joint_actions_in_long_form(result):
    frame = result.to_pandas("joint_actions")
    assert len(frame) == REPLICAS * 6
    row = rows(frame, replica=2, action_0="down", action_1="m")
    assert row["count"].item() == result.joint_counts[2, 1, 1]
    assert row.alpha_0.item() == 0.3
    assert frame["count"].sum() == 60 * REPLICAS


@pytest.fixture(scope="module")
def episodes():
    game = fg.games.random_markov_game(
        states=5, actions=(2, 3), observations=(2, 4), terminal=1, time_limit=6, rng=1
    )
    record = fg.Record(path=4, state_visits=True, action_visits=True, episodes=True)
    return fg.run(game, fg.QLearner(np.array([0.1, 0.2])), 25, 2, 7, record)


def test_episodes_and_regret_of_each_replica(episodes):
    frame = episodes.to_pandas()
    assert list(frame)[3:] == [
        "steps", "episodes", "mean_length", "max_length", "mean_return_0", "mean_return_1",
        "mean_discounted_return_0", "mean_discounted_return_1",
    ]  # fmt: skip
    for name in ("episodes", "mean_length", "max_length"):
        np.testing.assert_array_equal(frame[name], getattr(episodes, name))
    np.testing.assert_array_equal(frame.mean_return_1, episodes.mean_return[:, 1])
    assert frame.attrs["units"]["mean_return_1"] == "reward per episode"
    result = fg.run(fg.games.chicken(), fg.QLearner(), 9, 2, 1, fg.Record(regret=True))
    np.testing.assert_array_equal(result.to_pandas().regret_1, result.regret[:, 1])


def test_visits_in_long_form(episodes):
    frame = rows(episodes.to_pandas("policies"), agent=1)
    np.testing.assert_array_equal(frame.action_visits, episodes.action_visits[1].ravel())
    frame = episodes.to_pandas("states")
    assert list(frame)[-2:] == ["state", "state_visits"]
    row = rows(frame, replica=1, state=3)
    assert row.state_visits.item() == episodes.state_visits[1, 3]
    assert row.alpha_0.item() == 0.2


def test_the_path_in_long_form(episodes):
    frame = episodes.to_pandas("path")
    assert list(frame)[3:] == [
        "step", "state", "action_0", "action_1", "reward_0", "reward_1"
    ]  # fmt: skip
    row, path = rows(frame, replica=1), episodes.path
    assert row.step.tolist() == [21, 22, 23, 24]
    np.testing.assert_array_equal(row.state, path.states[1])
    names = episodes.game.actions[1]
    assert row.action_1.tolist() == [names[a] for a in path.actions[1, :, 1]]
    np.testing.assert_array_equal(row.reward_0, path.rewards[1, :, 0])
    record = fg.Record(path=4)
    short = fg.run(fg.games.soccer(), fg.QLearner(), 3, 2, 7, record, backend="reference")
    frame = short.to_pandas("path")
    assert frame.step.tolist() == [0, 1, 2] * 2
    np.testing.assert_array_equal(frame.state_1, short.path.states[:, 1:, 1].ravel())


def test_learners_with_different_tables():
    seats = [fg.QLearner(), fg.FictitiousPlay()]
    result = fg.run(fg.games.chicken(), seats, 20, 2, 1, backend="reference")
    frame = result.to_pandas("policies")
    own = rows(frame, agent=0)
    np.testing.assert_array_equal(own.q, result.tables[0]["q"].ravel())
    for name in set(result.tables[1]) & set(frame):
        assert own[name].isna().all()
        np.testing.assert_array_equal(rows(frame, agent=1)[name], result.tables[1][name].ravel())
    assert rows(frame, agent=1).q.isna().all()


def test_variants():
    def prize(bonus):
        return fg.MatrixGame([[[1 + bonus, 0], [0, 1]]] * 2)

    game = fg.Variants([prize(0.5), prize(0.25)], [1, 0, 1])
    result = fg.run(game, fg.QLearner(), 5, rng=1)
    assert result.to_pandas().variant.tolist() == [1, 0, 1]
    assert rows(result.to_pandas("policies"), agent=1).variant.tolist() == [1, 1, 0, 0, 1, 1]


@pytest.mark.parametrize("what", ["replicas", "policies", "snapshots", "joint_actions"])
def test_a_file_and_back(swept, what, tmp_path):
    path = tmp_path / "sweep.parquet"
    swept.to_parquet(path, what)
    back, frame = pd.read_parquet(path), swept.to_pandas(what)
    pd.testing.assert_frame_equal(back, frame)
    assert back.attrs == frame.attrs
    assert [file.name for file in tmp_path.iterdir()] == ["sweep.parquet"]


def test_where_it_comes_from(result):
    about = result.to_pandas().attrs
    assert about == {
        "what": "replicas",
        "game": "odd",
        "learners": [repr(learner) for learner in result.learners],
        "seed": 7,
        "dtype": "float64",
        "stream": "fastgames",
        "contract": result.contract,
        "fastgames": fg.__version__,
        "units": {
            "steps": "game steps",
            "flips_0": "changes of the greedy action",
            "flips_1": "changes of the greedy action",
            "mean_reward_0": "reward per game step",
            "mean_reward_1": "reward per game step",
        },
    }
    assert result.to_pandas("snapshots").attrs["units"]["step"] == "game steps"


def test_a_file_is_whole_or_not_there(result, tmp_path, monkeypatch):
    path = tmp_path / "old.parquet"
    path.write_bytes(b"old")

    def half(frame, file, **options):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    with pytest.raises(OSError, match="disk full"):
        result.to_parquet(path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["old.parquet"]


def test_what_there_is_not(result):
    with pytest.raises(ValueError, match=r"what must be one of 'replicas'.* got 'policy'; did you"):
        result.to_pandas("policy")
    bare = fg.run(fg.games.chicken(), fg.QLearner(), 5, 2, 1)
    for what in ("snapshots", "joint_actions", "states", "path"):
        with pytest.raises(ValueError, match=rf'what="{what}" needs record=fg\.Record\('):
            bare.to_pandas(what)


def test_a_dimension_that_is_called_as_a_column():
    sweep = fg.grid(observation=[0.1, 0.2])
    result = fg.run(fg.games.chicken(), fg.QLearner(sweep.observation), 5, sweep, 1)
    assert result.to_pandas().observation.tolist() == [0.1, 0.2]
    with pytest.raises(ValueError, match=r"a dimension of the grid must not .* got 'observation'"):
        result.to_pandas("policies")


@pytest.mark.parametrize("package", ["pandas", "pyarrow"])
def test_without_what_it_needs(result, package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'{package}: pip install "fastgames-engine\[frames\]"'):
        result.to_parquet(tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []
