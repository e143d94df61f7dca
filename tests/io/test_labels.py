"""labels: every array under its name and axes, what was not recorded left out."""

import sys

import numpy as np
import pytest
from library.every import EVERYTHING

import fastgames as fg
from fastgames.io.labels import dataset

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
    return fg.run(game, seats, STEPS, REPLICAS, 7, EVERYTHING, dtype="float32")


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
        labelled["snapshot_greedy_0"].sel(snapshot=40), result.snapshots.greedy[0][2]
    )
    played = labelled["joint_counts"].sel(action_0="down", action_1="l", replica=2)
    assert int(played) == result.joint_counts[2, 1, 0]
    assert labelled["snapshot"].to_numpy().tolist() == [0, 20, 40, 60]


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


def test_visits_episodes_regret_and_the_path():
    game = fg.games.random_markov_game(
        states=5, actions=(2, 3), observations=(2, 4), terminal=1, time_limit=6, rng=1
    )
    record = fg.Record(path=4, state_visits=True, action_visits=True, episodes=True)
    result = fg.run(game, fg.QLearner(), 3, REPLICAS, 7, record)
    labelled = dataset(result)
    expected = {
        "state_visits": (("replica", "state"), result.state_visits),
        "action_visits_1": (("replica", "observation_1", "action_1"), result.action_visits[1]),
        "episodes": (("replica",), result.episodes),
        "mean_length": (("replica",), result.mean_length),
        "max_length": (("replica",), result.max_length),
        "mean_return": (("replica", "agent"), result.mean_return),
        "mean_discounted_return": (("replica", "agent"), result.mean_discounted_return),
        "path_steps": (("replica", "path"), result.path.steps),
        "path_actions": (("replica", "path", "agent"), result.path.actions),
        "path_rewards": (("replica", "path", "agent"), result.path.rewards),
        "path_states": (("replica", "path"), result.path.states),
    }
    for name, (axes, array) in expected.items():
        assert labelled[name].dims == axes
        np.testing.assert_array_equal(labelled[name].to_numpy(), array)
    assert labelled["path"].to_numpy().tolist() == [-4, -3, -2, -1]
    assert labelled["path_steps"].sel(path=-1).to_numpy().tolist() == [2, 2, 2]
    chicken = fg.run(fg.games.chicken(), fg.QLearner(), 9, 2, 1, fg.Record(regret=True))
    assert dataset(chicken)["regret"].dims == ("replica", "agent")
    np.testing.assert_array_equal(dataset(chicken)["regret"], chicken.regret)


@pytest.mark.parametrize("name", ["regret", "path", "path_actions", "action_visits_0"])
def test_a_dimension_of_a_grid_that_is_called_as_a_record(name):
    sweep = fg.grid(**{name: [0.1, 0.2]})
    run = {"game": fg.games.chicken(), "learners": fg.QLearner(sweep[name]), "steps": 5}
    plain = dataset(fg.run(**run, replicas=sweep, rng=1))
    assert plain[name].to_numpy().tolist() == [0.1, 0.2]
    record = fg.Record(path=2, regret=True, action_visits=True)
    with pytest.raises(ValueError, match=f"a dimension of the grid must not .* got '{name}'"):
        dataset(fg.run(**run, replicas=sweep, rng=1, record=record))


def test_the_path_of_a_procedural_game_has_every_entry_of_its_states():
    result = fg.run(
        fg.games.soccer(), fg.QLearner(), 3, 2, 7, fg.Record(path=2), backend="reference"
    )
    labelled = dataset(result)["path_states"]
    assert labelled.dims == ("replica", "path", "state_entry")
    np.testing.assert_array_equal(labelled, result.path.states)


def test_what_was_not_recorded_is_not_there():
    seats = (fg.QLearner(), fg.FixedPolicy([0.25, 0.75]))
    labelled = dataset(fg.run(fg.games.chicken(), seats, 5, 2, 1))
    names = {"steps", "q_0", "greedy_0", "policy_0", "probabilities_1", "greedy_1", "policy_1"}
    assert names <= set(labelled.data_vars)
    assert not [n for n in labelled.data_vars if n.startswith("snapshot")]
    assert not {"flips", "mean_reward", "joint_counts", "q_1"} & set(labelled.data_vars)
    assert "snapshot" not in labelled.dims
    np.testing.assert_array_equal(labelled["probabilities_1"][:, 0], [[0.25, 0.75]] * 2)


# --- states, variants, grids --------------------------------------------------------------------


def test_agents_that_see_different_things_of_the_states():
    game = fg.games.random_markov_game(
        states=5, actions=(2, 3), observations=(2, 4), transitions="random", rng=1
    )
    seats = (fg.QLearner(fg.VisitCount()), fg.Sarsa(fg.VisitCount(np.array([0.6, 0.7, 0.8]))))
    result = fg.run(game, seats, 50, REPLICAS, 7, backend="reference")
    labelled = dataset(result)
    assert dict(labelled.sizes) == {
        "replica": 3, "agent": 2, "observation_0": 2, "action_0": 2, "observation_1": 4,
        "action_1": 3,
    }  # fmt: skip
    assert labelled["states"].dims == ("replica",)
    np.testing.assert_array_equal(labelled["states"], result.states)
    for i in range(2):
        assert labelled[f"visits_{i}"].dims == ("replica", f"observation_{i}", f"action_{i}")
        np.testing.assert_array_equal(labelled[f"visits_{i}"], result.tables[i]["visits"])
    assert (labelled["visits_0"].sum(["observation_0", "action_0"]) == 50).all()
    assert labelled["power_1"].to_numpy().tolist() == [0.6, 0.7, 0.8]
    assert "power_0" not in labelled.coords
    assert "stopped" not in labelled


def test_a_matrix_game_has_no_states_to_tell_of(result):
    assert "states" not in dataset(result)


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_what_stopped():
    seats = [fg.QLearner(explore=fg.EpsilonGreedy(0.0)), fg.FixedPolicy([0.5, 0.5])]
    result = fg.run(fg.games.chicken(), seats, 30, 5, 1, stop=fg.Stable(20), backend="reference")
    stopped = dataset(result)["stopped"]
    assert stopped.dims == ("replica",)
    np.testing.assert_array_equal(stopped, result.stopped)


def prize(bonus, kind="prize"):
    """Two agents with two actions each; the first cell pays a bonus."""
    return fg.MatrixGame([[[1 + bonus, 0], [0, 1]]] * 2, name=kind)


@pytest.fixture(scope="module")
def swept():
    """A sweep over the game and the learners: 2 x 3 cells, 4 repeats."""
    sweep = fg.grid(bonus=[0.5, 0.25], alpha=[0.1, 0.2, 0.4], repeats=4)
    record = fg.Record(every=10, tables=("q",), greedy=True, flips=True, joint_actions=True)
    seats = (fg.QLearner(sweep.alpha), fg.QLearner(explore=fg.EpsilonGreedy(sweep.bonus)))
    return fg.run(sweep.games(prize), seats, 20, sweep, 7, record, backend="reference")


def test_a_grid_has_its_dimensions_in_place_of_replicas(swept):
    labelled = dataset(swept)
    dims = ("bonus", "alpha", "repeat")
    assert labelled["steps"].dims == dims
    assert labelled["q_0"].dims == (*dims, "observation_0", "action_0")
    assert labelled["flips"].dims == (*dims, "agent")
    assert labelled["joint_counts"].dims == (*dims, "action_0", "action_1")
    assert labelled["snapshot_greedy_1"].dims == ("snapshot", *dims, "observation_1")
    assert labelled["bonus"].to_numpy().tolist() == [0.5, 0.25]
    assert labelled["alpha"].to_numpy().tolist() == [0.1, 0.2, 0.4]
    assert labelled["repeat"].to_numpy().tolist() == [0, 1, 2, 3]
    assert "replica" not in labelled.dims
    assert swept.to_xarray().identical(labelled)


def test_a_cell_of_a_grid_is_the_runs_with_its_parameters(swept):
    """The bits of a replica do not depend on the others: one with its number, alone."""
    labelled = dataset(swept)
    for bonus, alpha, repeat in ((0.5, 0.2, 3), (0.25, 0.4, 0)):
        at = {"bonus": bonus, "alpha": alpha, "repeat": repeat}
        cell = labelled.sel(at)
        replica = int(cell["replica"])
        seats = (fg.QLearner(alpha), fg.QLearner(explore=fg.EpsilonGreedy(bonus)))
        alone = fg.run(prize(bonus), seats, 20, replica + 1, 7, backend="reference")
        np.testing.assert_array_equal(cell["q_0"], alone.tables[0]["q"][replica])
        np.testing.assert_array_equal(cell["q_1"], alone.tables[1]["q"][replica])
        np.testing.assert_array_equal(
            cell["snapshot_q_1"].sel(snapshot=20), alone.tables[1]["q"][replica]
        )


def test_a_grid_keeps_the_other_coordinates(swept):
    labelled = dataset(swept)
    dims = ("bonus", "alpha", "repeat")
    for name in ("replica", "variant", "alpha_0", "epsilon_1"):
        assert labelled.coords[name].dims == dims
    assert (labelled["alpha_0"] == labelled["alpha"]).all()
    assert (labelled["epsilon_1"] == labelled["bonus"]).all()
    assert (labelled["variant"].sel(bonus=0.25) == 1).all()
    assert labelled["replica"].to_numpy().ravel().tolist() == list(range(24))
    assert labelled["snapshot"].attrs == {"long_name": "game steps"}


def test_variants_without_a_grid():
    game = fg.Variants([prize(0.5), prize(0.25)], [1, 0, 1])
    labelled = dataset(fg.run(game, fg.QLearner(), 5, rng=1, backend="reference"))
    assert labelled.coords["variant"].dims == ("replica",)
    assert labelled["variant"].to_numpy().tolist() == [1, 0, 1]


def test_a_dimension_may_be_called_as_a_parameter():
    sweep = fg.grid(alpha_0=[0.1, 0.2], alpha_1=[0.3, 0.5], label=["a", "b"])
    seats = (fg.QLearner(sweep.alpha_0), fg.QLearner(sweep.alpha_1))
    result = fg.run(fg.games.chicken(), seats, 5, sweep, 1, backend="reference")
    labelled = dataset(result)
    assert labelled["alpha_0"].dims == ("alpha_0",)
    assert labelled["label"].to_numpy().tolist() == ["a", "b"]
    chosen = labelled["q_1"].sel(alpha_0=0.2, alpha_1=0.3, label="b", repeat=0)
    np.testing.assert_array_equal(chosen, result.tables[1]["q"][5])


def test_initial_by_a_rule_of_the_game_is_a_coordinate_where_replicas_differ():
    """The mean of a row of payoffs, over 1 - gamma."""
    games = fg.Variants([prize(0.5), prize(0.25)], [0, 1])
    seats = (fg.QLearner(gamma=0.5, initial=fg.UniformRivals()), fg.QLearner())
    labelled = dataset(fg.run(games, seats, 5, rng=1, backend="reference"))
    assert labelled["initial_0"].dims == ("replica", "observation_0", "action_0")
    np.testing.assert_allclose(labelled["initial_0"][:, 0], [[1.5, 1.0], [1.25, 1.0]])
    alone = dataset(fg.run(prize(0.5), seats, 5, 2, rng=1, backend="reference"))
    assert "initial_0" not in alone.coords


def test_result_has_it(result):
    assert result.to_xarray().identical(dataset(result))


def test_without_xarray(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match=r'xarray: pip install "fastgames-engine\[labels\]"'):
        dataset(result)
