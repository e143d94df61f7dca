"""Results of runs with `keep`."""

import numpy as np
import pytest
from library.parts import EACH, TOTAL, dilemma, same_contents, variants

import fastgames as fg
from fastgames.engine.state import bytes_each

pytestmark = pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
RECORD = fg.Record(every=10, tables=("q",), flips=True, joint_actions=True, path=2)
CALL = {"game": dilemma(), "learners": [fg.QLearner(EACH), fg.Sarsa(fg.Exponential(0.5, 1e-2))],
        "steps": 30, "replicas": TOTAL, "rng": 1, "record": RECORD}  # fmt: skip


def keep(part):
    """A number, a flag and an array for each replica."""
    q = part.tables[0]["q"]
    return {
        "best": q.max(axis=(1, 2)),
        "high": q.mean(axis=(1, 2)) > 1.0,
        "greedy_0": part.greedy(0),
    }


def kept(**more):
    return fg.run(**CALL | more, keep=keep, chunk=5)


def test_files(tmp_path):
    result = kept()
    result.save(tmp_path / "kept.zip")
    again = fg.load(tmp_path / "kept.zip")
    same_contents(again, result)
    for name, array in result.kept.items():
        np.testing.assert_array_equal(again.kept[name], array)
        assert again.kept[name].dtype == array.dtype
    assert again.kept["high"].dtype == np.bool_


def test_files_of_many_replicas(tmp_path):
    """Their numbers take more than the rest: whatever a file holds is read once."""
    call = fg.games.matching_pennies(), fg.QLearner(), 5, 5000, 1
    for k in range(2):
        part = fg.run(*call, only=slice(k, None, 2), keep=lambda part: {"ok": part.steps > 0})
        part.save(tmp_path / f"{k}.zip")
    assert fg.merge(tmp_path).kept["ok"].all()


def test_parts_are_merged(tmp_path):
    for k in range(3):
        kept(only=slice(k, None, 3)).save(tmp_path / f"{k}.zip")
    same_contents(fg.merge(tmp_path), kept())
    with pytest.raises(ValueError, match=r"of one call, got .* with what keep returned"):
        fg.merge([kept(only=[0]), fg.run(**CALL, only=slice(1, None))])


def test_tables_are_gone():
    result = kept()
    for use in (
        lambda: result.tables, lambda: result.greedy(0), lambda: result.policy(1),
        lambda: result.agent(0), lambda: result.to_pandas("policies"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"tables were dropped by keep; .* in kept best, high"):
            use()
    with pytest.raises(
        ValueError, match="resume must have tables, got a result of a run with keep"
    ):
        fg.run(CALL["game"], CALL["learners"], 5, resume=result)
    assert repr(result).startswith(
        "<Result of prisoner's dilemma, memory 1: QLearner, Sarsa; 12 rep"
    )


def test_a_replica_takes_what_is_declared():
    result = kept(record=fg.Record(joint_actions=True, last=5), stop=fg.Stable(10))
    state = result.state
    assert state.streams is state.window is None
    arrays = [array for array in vars(state).values() if isinstance(array, np.ndarray)]
    for seat in state.seats:
        assert not seat.tables
        arrays += [seat.clock, *seat.recurrence.values()]
    assert sum(array.nbytes for array in arrays) == TOTAL * bytes_each(result.spec)


def test_labels_and_frames():
    pytest.importorskip("xarray")
    pytest.importorskip("pandas")
    whole, result = fg.run(**CALL), kept()
    labelled = result.to_xarray()
    assert labelled["best"].dims == ("replica",)
    np.testing.assert_array_equal(labelled["greedy_0"].values, whole.greedy(0))
    assert "q_0" not in labelled
    np.testing.assert_array_equal(labelled["flips"].values, whole.flips)
    np.testing.assert_array_equal(labelled["alpha_0"].values, EACH)
    frame = result.to_pandas()
    np.testing.assert_array_equal(frame["best"], keep(whole)["best"])
    np.testing.assert_array_equal(frame["greedy_0_3"], whole.greedy(0)[:, 3])


def test_a_grid_and_variants():
    pytest.importorskip("xarray")
    cells = fg.grid(alpha=[0.1, 0.2, 0.3], repeats=4)
    call = variants(), fg.QLearner(cells.alpha), 30, cells, 1
    result, whole = fg.run(*call, keep=keep), fg.run(*call)
    assert result.to_xarray()["best"].dims == ("alpha", "repeat")
    np.testing.assert_array_equal(result.kept["best"], keep(whole)["best"])
