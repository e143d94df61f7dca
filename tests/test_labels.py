"""labels: every array under its name and axes, what was not recorded left out."""

import sys

import numpy as np
import pytest

import fastgames as fg
from fastgames.labels import dataset

REPLICAS, STEPS = 3, 60


@pytest.fixture(scope="module")
def result():
    """Two agents with 2 and 3 actions, everything recorded."""
    payoffs = np.random.default_rng(0).normal(size=(2, 2, 3))
    game = fg.MatrixGame(payoffs, name="odd", actions=[("up", "down"), ("l", "m", "r")])
    seats = [
        fg.QLearner(alpha=np.array([0.1, 0.2, 0.3])),
        fg.QLearner(explore=fg.EpsilonGreedy(fg.Linear(np.array([0.9, 0.8, 0.7]), 0.1, 50))),
    ]
    record = fg.Record(
        every=20, tables=("q",), greedy=True, policies=True, flips=True, joint_actions=True,
        rewards=True,
    )  # fmt: skip
    return fg.run(game, seats, STEPS, REPLICAS, 7, record, dtype="float32")


@pytest.mark.parametrize("agent", [0, 1])
def test_what_belongs_to_one_agent(result, agent):
    labelled = dataset(result)
    rows = ("replica", f"observation_{agent}")
    cells = (*rows, f"action_{agent}")
    expected = {
        f"q_{agent}": (cells, result.tables[agent]["q"]),
        f"greedy_{agent}": (rows, result.greedy(agent)),
        f"policy_{agent}": (cells, result.policy(agent)),
        f"snapshot_q_{agent}": (("snapshot", *cells), result.snapshots.tables[agent]["q"]),
        f"snapshot_greedy_{agent}": (("snapshot", *rows), result.snapshots.greedy[agent]),
        f"snapshot_policy_{agent}": (("snapshot", *cells), result.snapshots.policies[agent]),
    }
    for name, (axes, array) in expected.items():
        assert labelled[name].dims == axes
        np.testing.assert_array_equal(labelled[name].to_numpy(), array)


def test_what_belongs_to_all(result):
    labelled = dataset(result)
    assert labelled["flips"].dims == labelled["mean_reward"].dims == ("replica", "agent")
    assert labelled["joint_counts"].dims == ("replica", "action_0", "action_1")
    np.testing.assert_array_equal(labelled["flips"], result.flips)
    np.testing.assert_array_equal(labelled["mean_reward"], result.mean_reward)
    np.testing.assert_array_equal(labelled["joint_counts"], result.joint_counts)
    np.testing.assert_array_equal(labelled["steps"], np.full(REPLICAS, STEPS))


def test_selection_by_name(result):
    labelled = dataset(result)
    np.testing.assert_array_equal(
        labelled["q_1"].sel(action_1="r")[:, 0], result.tables[1]["q"][:, 0, 2]
    )
    np.testing.assert_array_equal(
        labelled["snapshot_greedy_0"].sel(snapshot=40), result.snapshots.greedy[0][1]
    )
    played = labelled["joint_counts"].sel(action_0="down", action_1="l", replica=2)
    assert int(played) == result.joint_counts[2, 1, 0]
    assert labelled["snapshot"].to_numpy().tolist() == [20, 40, 60]


def test_parameters_that_differ_are_coordinates(result):
    labelled = dataset(result)
    assert labelled["alpha_0"].dims == ("replica",)
    assert labelled["alpha_0"].to_numpy().tolist() == [0.1, 0.2, 0.3]
    assert labelled["epsilon_1_start"].to_numpy().tolist() == [0.9, 0.8, 0.7]
    assert {"alpha_0", "epsilon_1_start"} <= set(labelled.coords)
    # What is the same everywhere is not.
    assert not {"alpha_1", "epsilon_0", "epsilon_1_end", "gamma_0"} & set(labelled.coords)


def test_a_table_of_its_own_for_each_replica_is_a_coordinate():
    start = np.arange(4.0).reshape(2, 1, 2)
    seats = (fg.QLearner(initial=start), fg.QLearner(initial=[1.0, 2.0]))
    labelled = dataset(fg.run(fg.games.chicken(), seats, 5, 2, 1))
    np.testing.assert_array_equal(labelled["initial_0"], start)
    assert "initial_1" not in labelled.coords


def test_attributes(result):
    assert dataset(result).attrs == {
        "game": "odd",
        "learners": [repr(learner) for learner in result.learners],
        "seed": 7,
        "dtype": "float32",
        "stream": "fastgames",
        "contract": result.contract,
    }


def test_what_was_not_recorded_is_not_there():
    seats = (fg.QLearner(), fg.FixedPolicy([0.25, 0.75]))
    labelled = dataset(fg.run(fg.games.chicken(), seats, 5, 2, 1))
    names = {"steps", "q_0", "greedy_0", "policy_0", "probabilities_1", "greedy_1", "policy_1"}
    assert names <= set(labelled.data_vars)
    assert not [n for n in labelled.data_vars if n.startswith("snapshot")]
    assert not {"flips", "mean_reward", "joint_counts", "q_1"} & set(labelled.data_vars)
    assert "snapshot" not in labelled.dims
    np.testing.assert_array_equal(labelled["probabilities_1"][:, 0], [[0.25, 0.75]] * 2)


def test_result_has_it(result):
    assert result.to_xarray().identical(dataset(result))


def test_without_xarray(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match=r'xarray: pip install "fastgames\[labels\]"'):
        dataset(result)
