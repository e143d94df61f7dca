"""Parts of a run have the bits of the whole, and are merged to its result."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same
from library.parts import (
    CASES,
    EACH,
    ROWS,
    TOTAL,
    calls,
    dilemma,
    partitions,
    same_contents,
    variants,
)

import fastgames as fg


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
@given(data=st.data(), parts=partitions(), resumed=st.booleans(), order=st.randoms())
def test_parts_are_merged_to_the_bits_of_one_run(case, data, parts, resumed, order):
    call = data.draw(calls(case))
    new = call | {"replicas": TOTAL, "rng": 2**33 + 1}
    whole = fg.run(**new)
    made = [fg.run(**new, only=only) for only in parts]
    if len(parts) > 1:
        for part, numbers in zip(made, parts, strict=True):
            assert part.numbers.tolist() == numbers
            assert part.total == TOTAL
            np.testing.assert_array_equal(part.greedy(0), whole.greedy(0)[numbers])
    record = call["record"]
    if resumed and (call["stop"] is None or record is None or record.every is None):
        call["steps"] = 10
        whole = fg.run(**call, resume=whole)
        made = [fg.run(**call, resume=part) for part in made]
    order.shuffle(made)
    same_contents(fg.merge(made), whole)
    assert fg.merge(made).learners == whole.learners


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_contiguous_and_strided_parts(count):
    game, learner = fg.games.matching_pennies(), fg.QLearner(np.linspace(0.1, 0.9, 100))
    whole = fg.run(game, learner, 50, 100, rng=1)
    edges = np.linspace(0, 100, count + 1).astype(int)
    for pieces in (
        [slice(k, None, count) for k in range(count)],
        [slice(a, b) for a, b in itertools.pairwise(edges)],
    ):
        parts = [fg.run(game, learner, 50, 100, rng=1, only=piece) for piece in pieces]
        same_contents(fg.merge(parts), whole)


def test_streams_of_far_numbers():
    """The stream of replica r does not depend on which others run; the numbers may be huge."""
    game, learner, total = fg.games.matching_pennies(), fg.QLearner(), 2**40
    numbers = [0, 1, 63, 64, 65, 200, 2**20, 2**32 - 1, 2**32, 2**40 - 1]
    together = fg.run(game, learner, 40, total, rng=9, only=numbers)
    for k, number in enumerate(numbers):
        alone = fg.run(game, learner, 40, total, rng=9, only=[number])
        np.testing.assert_array_equal(alone.tables[0]["q"][0], together.tables[0]["q"][k])
    first = fg.run(game, learner, 40, 70, rng=9)
    np.testing.assert_array_equal(together.tables[0]["q"][:5], first.tables[0]["q"][numbers[:5]])


def test_files_and_folders(tmp_path):
    game, learner = variants(), fg.QLearner(EACH)
    whole = fg.run(game, learner, 30, TOTAL, rng=1)
    for k in range(3):
        part = fg.run(game, learner, 30, TOTAL, rng=1, only=slice(k, None, 3))
        part.save(tmp_path / f"{k}.zip")
        same_contents(fg.load(tmp_path / f"{k}.zip"), part)
    same_contents(fg.merge(tmp_path), whole)
    paths = [str(tmp_path / f"{k}.zip") for k in (2, 0, 1)]
    same_contents(fg.merge(paths), whole)
    same_contents(fg.merge([*paths[:2], fg.load(paths[2])]), whole)


def rate(t, low):
    return low + 1 / (t + 2)


def test_files_of_parts_with_functions(tmp_path):
    """Functions are given as to `run`, with the parameters of all replicas or of the part."""
    learner = fg.QLearner(fg.Schedule(rate, [EACH / 4]))
    game = fg.games.matching_pennies()
    whole = fg.run(game, learner, 30, TOTAL, rng=1)
    for k in range(2):
        part = fg.run(game, learner, 30, TOTAL, rng=1, only=slice(k, None, 2))
        part.save(tmp_path / f"{k}.zip")
        assert_same(fg.load(tmp_path / f"{k}.zip", learners=learner), part)
        assert_same(fg.load(tmp_path / f"{k}.zip", learners=part.learners), part)
    same_contents(fg.merge(tmp_path, learners=learner), whole)


def test_checkpoints_of_parts(tmp_path):
    game, path = fg.games.matching_pennies(), tmp_path / "part.zip"
    call = {"rng": 4, "checkpoint": path}
    part = fg.run(game, fg.QLearner(EACH), 30, TOTAL, only=[1, 5], **call)
    same_contents(fg.run(game, fg.QLearner(EACH), 30, TOTAL, only=[5, 1], **call), part)
    with pytest.raises(ValueError, match="only was not the same"):
        fg.run(game, fg.QLearner(EACH), 30, TOTAL, only=[1, 6], **call)
    with pytest.raises(ValueError, match="is of another call"):
        fg.run(game, fg.QLearner(EACH), 30, TOTAL, **call)


def test_first_states_and_tables_of_parts():
    game, learner = dilemma(), fg.QLearner()
    given = {"start_states": np.arange(TOTAL) % 4,
             "start_tables": [{"q": ROWS.random((TOTAL, 4, 2))}, {"q": [0.5, 1.0]}]}  # fmt: skip
    whole = fg.run(game, learner, 30, TOTAL, rng=1, **given)
    parts = [
        fg.run(game, learner, 30, TOTAL, rng=1, only=only, **given)
        for only in (slice(5), slice(5, None))
    ]
    same_contents(fg.merge(parts), whole)
    other = fg.run(game, learner, 30, TOTAL, rng=1, only=slice(5, None))
    with pytest.raises(ValueError, match="steps or first states or tables of digest"):
        fg.merge([parts[0], other])


def test_a_partial_merge_says_what_is_missing():
    game, learner = fg.games.matching_pennies(), fg.QLearner(EACH)
    parts = [fg.run(game, learner, 30, TOTAL, rng=1, only=x) for x in ([0, 7], [3, 4, 5], [11])]
    with pytest.raises(ValueError, match="all 12 replicas of the run, got none of 1 to 2, 6, 8 to"):
        fg.merge(parts)
    with pytest.warns(RuntimeWarning, match="merged 6 of 12 replicas, none of 1 to 2, 6, 8 to 10"):
        some = fg.merge(parts, partial=True)
    assert some.numbers.tolist() == [0, 3, 4, 5, 7, 11]
    same_contents(some, fg.run(game, learner, 30, TOTAL, rng=1, only=some.numbers))
    rest = fg.run(game, learner, 30, TOTAL, rng=1, only=[1, 2, 6, 8, 9, 10])
    same_contents(fg.merge([rest, some]), fg.run(game, learner, 30, TOTAL, rng=1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rng": 2}, "with seed 1 and"),
        ({"dtype": "float32"}, "with dtype 'float64' and"),
        ({"replicas": 11, "learners": fg.QLearner()}, "with total 12 and"),
        ({"stop": fg.Stable(10)}, "with stop None and"),
        ({"record": fg.Record(flips=True)}, "with record Record"),
        ({"learners": fg.QLearner(0.2)}, r"with learners\[0\] QLearner"),
        ({"learners": fg.QLearner(EACH)}, r"with learners\[0\] QLearner"),
        ({"learners": fg.Hedge()}, "with learners 'QLearner, QLearner'"),
        ({"game": fg.games.chicken()}, "with game <MatrixGame 'matching pennies'"),
        ({"steps": 29}, "with steps or first states or tables of digest"),
    ],
)
def test_parts_of_other_calls_are_refused(change, said):
    call = {"game": fg.games.matching_pennies(), "learners": fg.QLearner(), "steps": 30,
            "replicas": TOTAL, "rng": 1}  # fmt: skip
    first = fg.run(**call, only=slice(0, 6))
    with pytest.raises(ValueError, match=f"parts must be of one call, got.*{said}"):
        fg.merge([first, fg.run(**call | change, only=slice(6, None))])


def test_what_is_no_partition_is_refused(tmp_path):
    game, learner = fg.games.matching_pennies(), fg.QLearner()

    def part(only, **more):
        return fg.run(game, learner, 30, 10, rng=1, only=only, **more)

    with pytest.raises(ValueError, match=r"got replica 4 in both parts\[0\] and parts\[2\], and 2"):
        fg.merge([part(slice(0, 6)), part([6]), part([4, 5, 7])])
    with pytest.raises(ValueError, match="parts must not overlap, got replica 0"):
        fg.merge([fg.run(game, learner, 30, 10, rng=1)] * 2)
    with pytest.raises(ValueError, match=r"parts must have at least 1 part, got none in \[\]"):
        fg.merge([])
    with pytest.raises(TypeError, match=r"parts\[1\] must be a Result or a path, got 3"):
        fg.merge([part([1]), 3])
    with pytest.raises(TypeError, match="parts must be a sequence"):
        fg.merge(5)
    with pytest.raises(TypeError, match="partial must be True or False, got 1"):
        fg.merge([part([1])], partial=1)
    with pytest.raises(FileNotFoundError):
        fg.merge([tmp_path / "none"])
    (tmp_path / "notes.txt").write_text("no result")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        fg.merge(tmp_path)


def test_parts_that_stopped_early_are_merged_and_others_refused():
    """An interrupted part has replicas with fewer steps."""
    game, learner = fg.games.matching_pennies(), fg.QLearner()
    one = fg.run(game, learner, 30, 10, rng=1, only=slice(0, 5))
    other = fg.run(game, learner, 30, 10, rng=1, only=slice(5, 10))
    other.state.steps[2] = 20
    with pytest.raises(ValueError, match=r"same number of steps, 30, got parts\[1\].*taken 20"):
        fg.merge([one, other])


@pytest.mark.parametrize(
    ("only", "error", "said"),
    [
        ([], ValueError, r"only must select at least 1 of 12 replicas, got \[\]"),
        (slice(3, 3), ValueError, "only must select at least 1 of 12 replicas"),
        ([1, 4, 1], ValueError, "only must have different numbers, got 1 twice"),
        ([12], ValueError, r"only must be in \[0, 12\), got only\[0\] = 12"),
        ([-1], ValueError, r"only must be in \[0, 12\), got only\[0\] = -1"),
        ([0.5], TypeError, "only must hold whole numbers, got dtype"),
        ("ab", TypeError, "only must hold whole numbers, got dtype"),
        ([[1, 2]], ValueError, r"one axis, got shape \(1, 2\)"),
        (slice(None, None, 0), ValueError, "only must be a slice or whole numbers"),
        (slice("a"), TypeError, "only must be a slice or whole numbers"),
    ],
)
def test_wrong_selections(only, error, said):
    with pytest.raises(error, match=said):
        fg.run(fg.games.chicken(), fg.QLearner(), 10, TOTAL, rng=1, only=only)


def test_calls_without_parts():
    game, learner = fg.games.chicken(), fg.QLearner()
    with pytest.raises(ValueError, match="rng must be given with only"):
        fg.run(game, learner, 10, TOTAL, only=[1])
    with pytest.raises(ValueError, match="only must be None with resume"):
        fg.run(game, learner, 10, resume=fg.run(game, learner, 10, 3, rng=1), only=[1])
    with pytest.raises(ValueError, match='only must be None with stream="numpy"'):
        fg.run(game, learner, 10, 1, rng=1, stream="numpy", only=[0])
    whole = fg.run(game, learner, 10, TOTAL, rng=1, only=slice(None, None, -1))
    assert whole.part is None
    assert whole.numbers.tolist() == list(range(TOTAL))
    for wrong in (np.full(5, 0.1), np.full(TOTAL + 1, 0.1), np.full(2, 0.1)):
        with pytest.raises(ValueError, match="with an entry for each replica must have 12"):
            fg.run(game, fg.QLearner(wrong), 10, TOTAL, rng=1, only=[1, 2])


def test_errors_name_the_number_in_the_whole_run():
    def choose(tables, p, o, signal):
        return 7 if p.bad > 0.5 else 0

    def learn(tables, p, t):
        tables.q[t.observation, t.action] += 0.0

    learner = fg.Learner(choose, learn, parameters={"bad": (np.arange(TOTAL) == 9) * 1.0})
    with pytest.raises(fg.RuleError, match=r"\(replica 9, step 0\)") as caught:
        fg.run(fg.games.chicken(), learner, 5, TOTAL, rng=1, only=[2, 9], backend="reference")
    assert caught.value.replica == 9


def test_labels_have_the_numbers_in_the_whole_run():
    pandas, _ = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    cells = fg.grid(alpha=[0.1, 0.2, 0.3], repeats=4)
    call = fg.games.chicken(), fg.QLearner(cells.alpha), 20, cells, 1
    whole, part = fg.run(*call), fg.run(*call, only=[11, 2, 6])
    expected = whole.to_pandas().iloc[[2, 6, 11]].reset_index(drop=True)
    pandas.testing.assert_frame_equal(part.to_pandas(), expected)
    labelled = part.to_xarray()
    assert labelled["replica"].values.tolist() == [2, 6, 11]
    assert labelled["alpha"].values.tolist() == [0.1, 0.2, 0.3]
    assert labelled["repeat"].values.tolist() == [2, 2, 3]
    assert repr(part).startswith("<Result of chicken: QLearner, QLearner; 3 of 12 replicas, 20")
    other = fg.run(*call, only=[k for k in range(12) if k not in (2, 6, 11)])
    assert fg.merge([part, other]).grid == cells


def test_pictures_of_a_part_of_a_grid():
    pytest.importorskip("matplotlib")
    from fastgames.plot.sweeps import _whole

    cells = fg.grid(alpha=[0.1, 0.2, 0.3], repeats=4)
    call = fg.games.chicken(), fg.QLearner(cells.alpha), 20, cells, 1, fg.Record(flips=True)
    whole, part = fg.run(*call), fg.run(*call, only=[11, 2, 6])
    drawn = _whole(part, part.flips, np.full(3, True))
    np.testing.assert_array_equal(drawn[[2, 6, 11]], whole.flips[[2, 6, 11]])
    assert np.isnan(np.delete(drawn, [2, 6, 11], axis=0)).all()
    part.plot(kind="sweep")
    part.plot(kind="overview")
