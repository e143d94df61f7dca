"""Shards: strided parts of a run as files of a folder, worked off by processes of their own."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from library.parts import EACH, TOTAL, dilemma, same_contents, variants

import fastgames as fg
from fastgames.io import checkpoint as checkpoints
from fastgames.runs import shards as module
from fastgames.runs.folder import Folder
from fastgames.runs.shards import Shard, Shards, check_shard, listed

CALL = {
    "game": dilemma(), "learners": fg.QLearner(EACH), "steps": 30, "replicas": TOTAL, "rng": 1,
    "record": fg.Record(every=[0, 9], greedy=True, flips=True, rewards=True, last=7),
}  # fmt: skip


def best(part):
    return {"best": part.tables[0]["q"].max(axis=(1, 2))}


def run(folder, number, of, keep=None, **more):
    return Shards(folder, CALL | more, keep).run(Shard(number, of))


@pytest.mark.parametrize("of", [1, 2, 7, TOTAL])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"game": variants(), "record": None, "stop": fg.Stable(15, after=10)},
        {"keep": best, "replicas": fg.grid(alpha=EACH[:4].tolist(), repeats=3), "threads": 2},
    ],
    ids=["states", "variants", "kept"],
)
@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_merged_shards_have_the_bits_of_one_run(tmp_path, of, more):
    whole = fg.run(**CALL | more)
    for number in range(of, 0, -1):
        result, ran = run(tmp_path, number, of, **more)
        assert ran
        np.testing.assert_array_equal(result.numbers, np.arange(TOTAL)[number - 1 :: of])
    width = len(str(of))
    names = [f"shard-{number:0{width}}-of-{of}.zip" for number in range(1, of + 1)]
    assert sorted(os.listdir(tmp_path)) == names
    same_contents(fg.merge(tmp_path), whole)
    keep = more.get("keep")
    merged, missing = Shards(tmp_path, {k: v for k, v in (CALL | more).items() if k != "keep"},
                             keep).merged()  # fmt: skip
    same_contents(merged, whole)
    assert missing == []


def test_a_finished_shard_is_only_read(tmp_path, monkeypatch):
    first, _ = run(tmp_path, 2, 3)
    monkeypatch.setattr(module, "Chunks", None)
    again, ran = run(tmp_path, 2, 3)
    assert not ran
    same_contents(again, first)
    assert os.listdir(tmp_path) == ["shard-2-of-3.zip"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rng": 2}, "rng was 1, got 2"),
        ({"steps": 31}, "steps was 30, got 31"),
        ({"learners": fg.QLearner(0.5)}, r"learners\[0\].alpha"),
        ({"game": fg.games.chicken()}, "game"),
        ({"record": fg.Record(flips=True)}, "record.every"),
        ({"dtype": "float32"}, "dtype was 'float64', got 'float32'"),
        ({"learners": fg.QLearner(), "replicas": 13}, "replicas was 12, got 13"),
        ({"replicas": fg.grid(alpha=[0.1, 0.2], repeats=6)}, "grid"),
        ({"keep": best}, "keep"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_a_shard_of_another_call_is_refused(tmp_path, more, said, finished):
    start(tmp_path, finished)
    with pytest.raises(ValueError, match=rf"checkpoint '.*\.zip' is of another call.*{said}"):
        run(tmp_path, 1, 2, **more)


def start(folder, finished):
    """Finish a shard of two, or leave what a process leaves that is killed in its first chunk."""
    if finished:
        run(folder, 1, 2)
        return
    done = subprocess.Popen([sys.executable, "-c", killed(), folder])
    assert done.wait(120) == -signal.SIGKILL


def killed(after=1):
    """The program of a process that is killed when it has written some chunks of a shard."""
    return textwrap.dedent(f"""
        import os, signal, sys
        sys.path.insert(0, {os.path.dirname(os.path.dirname(os.path.abspath(__file__)))!r})
        from fastgames.runs import chunks
        from fastgames.runs.folder import Folder
        from runs.test_shards import run
        chunks.LEAST, write, written = 2, Folder.write, []
        def write_and_die(self, places, result):
            write(self, places, result)
            written.append(places)
            if len(written) == {after}:
                os.kill(os.getpid(), signal.SIGKILL)
        Folder.write = write_and_die
        run(sys.argv[1], 1, 2)
    """)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_shard_that_was_killed_goes_on(tmp_path, monkeypatch, lost):
    process = subprocess.Popen([sys.executable, "-c", killed(after=2), tmp_path])
    assert process.wait(120) == -signal.SIGKILL
    assert os.listdir(tmp_path) == [".shard-1-of-2"]
    files = sorted((tmp_path / ".shard-1-of-2").glob("*.zip"))
    assert len(files) == 2
    done = sum(fg.load(path).replicas for path in files[lost:])
    for path in files[:lost]:
        path.unlink()
    (tmp_path / ".shard-1-of-2" / ".0.zip.0123456789abcdef.part").touch()

    written = []

    def write(self, places, result):
        written.append(len(places))
        before(self, places, result)

    before = Folder.write
    monkeypatch.setattr(Folder, "write", write)
    with pytest.raises(ValueError, match="files of shards"):
        listed(tmp_path)
    _, ran = run(tmp_path, 1, 2)
    assert ran
    assert sum(written) == TOTAL // 2 - done
    assert os.listdir(tmp_path) == ["shard-1-of-2.zip"]
    run(tmp_path, 2, 2)
    same_contents(fg.merge(tmp_path), fg.run(**CALL))


def test_a_shard_killed_before_its_folder_was_removed(tmp_path):
    first, _ = run(tmp_path, 1, 2)
    (tmp_path / ".shard-1-of-2").mkdir()
    again, ran = run(tmp_path, 1, 2)
    assert not ran
    same_contents(first, again)
    run(tmp_path, 2, 2)
    same_contents(fg.merge(tmp_path), fg.run(**CALL))


def test_a_file_that_cannot_be_written_loses_nothing(tmp_path, monkeypatch):
    def full(path, *arguments):
        if path.name == "shard-1-of-2.zip":
            raise OSError(28, "No space left on device")
        write(path, *arguments)

    write = checkpoints.write
    monkeypatch.setattr(checkpoints, "write", full)
    with pytest.raises(OSError, match="No space"):
        run(tmp_path, 1, 2)
    assert os.listdir(tmp_path) == [".shard-1-of-2"]
    monkeypatch.setattr(checkpoints, "write", write)
    monkeypatch.setattr("fastgames.runs.chunks.execute", None)
    run(tmp_path, 1, 2)
    assert os.listdir(tmp_path) == ["shard-1-of-2.zip"]


def test_two_processes_cannot_run_one_shard(tmp_path):
    program = f"""
        import sys
        sys.path.insert(0, {os.path.dirname(os.path.dirname(os.path.abspath(__file__)))!r})
        from fastgames.runs.folder import Folder
        from runs.test_shards import run
        def write_and_wait(self, places, result):
            write(self, places, result)
            print("begun", flush=True)
            input()
        write, Folder.write = Folder.write, write_and_wait
        run(sys.argv[1], 1, 2)
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), tmp_path], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert other.stdout.readline() == "begun\n"
        with pytest.raises(
            ValueError, match=rf"no other process writes.*\.shard-1-of-2.*process {other.pid}"
        ):
            run(tmp_path, 1, 2)
        run(tmp_path, 2, 2)
    finally:
        other.kill()
        other.wait()
        other.stdin.close()
        other.stdout.close()
    run(tmp_path, 1, 2)
    same_contents(fg.merge(tmp_path), fg.run(**CALL))


def test_a_process_that_ends_between_two_looks_at_the_file(tmp_path, monkeypatch):
    """The file is looked for again under the lock."""
    made = Folder.__init__

    def make(self, *arguments):
        monkeypatch.setattr(Folder, "__init__", made)
        run(tmp_path, 1, 2)
        made(self, *arguments)

    monkeypatch.setattr(Folder, "__init__", make)
    _, ran = run(tmp_path, 1, 2)
    assert not ran
    assert os.listdir(tmp_path) == ["shard-1-of-2.zip"]


def test_missing_shards(tmp_path):
    run(tmp_path, 2, 4)
    run(tmp_path, 3, 4)
    there, missing = listed(tmp_path)
    assert there == [(2, 4), (3, 4)]
    assert missing == [(1, 4), (4, 4)]
    merged, missing = Shards(tmp_path, CALL).merged()
    assert missing == [(1, 4), (4, 4)]
    whole = fg.run(**CALL)
    assert merged.numbers.tolist() == [1, 2, 5, 6, 9, 10]
    np.testing.assert_array_equal(merged.tables[0]["q"], whole.tables[0]["q"][merged.numbers])


def test_a_file_cut_short_is_named(tmp_path):
    for number in (1, 2):
        run(tmp_path, number, 2)
    path = tmp_path / "shard-2-of-2.zip"
    path.write_bytes(path.read_bytes()[:-300])
    for read in (lambda: run(tmp_path, 2, 2), Shards(tmp_path, CALL).merged):
        with pytest.raises(ValueError, match=r"shard-2-of-2\.zip"):
            read()
    with pytest.raises(ValueError, match=r"shard-2-of-2\.zip"):
        fg.merge(tmp_path)


def test_another_number_of_shards_is_refused(tmp_path):
    run(tmp_path, 2, 4)
    with pytest.raises(ValueError, match=r"shard must be one of 4 as is 'shard-2-of-4.zip' in .*"):
        run(tmp_path, 2, 3)
    run(tmp_path / "other", 2, 3)
    (tmp_path / "other" / "shard-2-of-3.zip").rename(tmp_path / "shard-2-of-3.zip")
    with pytest.raises(ValueError, match=r"shards of one run.*shard-2-of-3.zip.*shard-2-of-4.zip"):
        listed(tmp_path)


def test_a_plain_result_in_place_of_a_shard(tmp_path):
    part = fg.run(**CALL, only=slice(0, None, 2))
    part.save(tmp_path / "shard-1-of-2.zip")
    with pytest.raises(ValueError, match="is no checkpoint, but a result"):
        run(tmp_path, 1, 2)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((0, 3), ValueError), ((4, 3), ValueError), ((-1, 3), ValueError),
        ((1, 10**6 + 1), ValueError),
        ((1, 0), ValueError), ((1,), TypeError), ((1, 2, 3), TypeError), (3, TypeError),
        ((1.0, 2), TypeError), ((True, 2), TypeError), ("3/40", TypeError),
    ],
)  # fmt: skip
def test_wrong_shards(given, error):
    with pytest.raises(error, match="shard must be two whole numbers K, N with 1 <= K <= N"):
        check_shard(given)


def test_shards_have_names():
    assert check_shard((np.int64(3), 40)) == Shard(3, 40)
    assert (Shard(3, 40).stem, str(Shard(3, 40))) == ("shard-03-of-40", "3/40")
    assert Shard(3, 40).only == slice(2, None, 40)
    assert Shard(7, 7).stem == "shard-7-of-7"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rng": None}, "rng must be given with shard"),
        ({"steps": 0}, "steps must be"),
        ({"learners": fg.QLearner(), "replicas": 3}, "shard must be K/N with N at most the 3"),
        ({"stream": "numpy"}, "stream"),
    ],
)
def test_wrong_calls_write_nothing(tmp_path, more, said):
    with pytest.raises(ValueError, match=said):
        run(tmp_path / "parts", 2, 4, **more)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "parts").touch()
    with pytest.raises(ValueError, match=r"out must be a folder, got the file '.*parts'"):
        run(tmp_path / "parts", 1, 2)


def test_an_interrupted_shard_goes_on(tmp_path, monkeypatch):
    def interrupted(self, places, result):
        write(self, places, result)
        signal.raise_signal(signal.SIGINT)

    write = Folder.write
    monkeypatch.setattr("fastgames.runs.chunks.LEAST", 2)
    monkeypatch.setattr("fastgames.runs.chunks.SHARE", 1)
    monkeypatch.setattr("fastgames.runs.chunks.SECONDS", 1e-9)
    monkeypatch.setattr(Folder, "write", interrupted)
    with pytest.raises(fg.Interrupted) as stop:
        run(tmp_path, 1, 2)
    assert 0 < stop.value.result.replicas < TOTAL // 2
    monkeypatch.setattr(Folder, "write", write)
    run(tmp_path, 1, 2)
    run(tmp_path, 2, 2)
    same_contents(fg.merge(tmp_path), fg.run(**CALL))


def test_doubts_are_said(tmp_path):
    call = {"game": fg.games.chicken(), "learners": fg.QLearner(1e-6), "stop": fg.Stable(2),
            "record": None, "steps": 20}  # fmt: skip
    with pytest.warns(fg.ConvergenceWarning, match="may not have converged"):
        run(tmp_path, 1, 2, **call)
