"""Checkpoints of runs in chunks: a folder of finished groups."""

import os
import subprocess
import sys
import textwrap
from collections import deque

import numpy as np
import pytest
from library.parts import EACH, TOTAL, dilemma, same_contents

import fastgames as fg
from fastgames.io import checkpoint as checkpoints
from fastgames.runs import folder

CALL = {"game": dilemma(), "learners": fg.QLearner(EACH), "steps": 30, "replicas": TOTAL, "rng": 1}
SEEN = deque()  # numbers of the replicas that were run; of a list, `keep` would have the digest


def keep(part):
    SEEN.extend(part.numbers.tolist())
    return {"best": part.tables[0]["q"].max(axis=(1, 2))}


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()


def run(folder, **more):
    return fg.run(**CALL | {"keep": keep, "chunk": 4} | more, checkpoint=folder)


def test_a_second_start_runs_what_is_missing(tmp_path):
    folder = tmp_path / "run"
    first = run(folder)
    files = sorted(path.name for path in folder.glob("*.zip"))
    assert len(files) == 3
    (folder / files[1]).unlink()
    SEEN.clear()
    same_contents(run(folder, chunk=3), first)
    assert sorted(SEEN) == [4, 5, 6, 7]
    SEEN.clear()
    same_contents(run(folder), first)
    assert not SEEN
    same_contents(fg.merge(folder), first)


def test_whole_results_and_parts(tmp_path):
    whole = fg.run(**CALL)
    for _ in range(2):
        same_contents(run(tmp_path / "all", keep=None, executor=threads), whole)
    part = fg.run(**CALL, only=[1, 5, 6])
    for _ in range(2):
        same_contents(run(tmp_path / "part", keep=None, executor=threads, only=[1, 5, 6]), part)


def threads():
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(2)


def test_a_resumed_run(tmp_path):
    before = fg.run(**CALL)
    call = {"replicas": None, "rng": None, "resume": before}
    whole = fg.run(**CALL | call)
    for _ in range(2):
        same_contents(run(tmp_path, keep=None, executor=threads, **call), whole)
    with pytest.raises(ValueError, match=r"of another call: resume\.seed was 1, got 2"):
        run(tmp_path, keep=None, executor=threads, **call | {"resume": fg.run(**CALL | {"rng": 2})})


def test_errors_and_interrupts_leave_what_was_finished(tmp_path):
    def fails(part):
        if 5 in part.numbers and not (tmp_path / "mended").exists():
            raise OSError("no")
        return keep(part)

    with pytest.raises(fg.KeepError):
        run(tmp_path / "run", keep=fails, threads=1)
    done = len(SEEN)
    assert done >= 4
    (tmp_path / "mended").touch()
    run(tmp_path / "run", keep=fails)
    assert sorted(SEEN) == list(range(TOTAL))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rng": 2}, "rng was 1, got 2"),
        ({"steps": 31}, "steps was 30, got 31"),
        ({"learners": fg.QLearner(0.5)}, r"learners\[0\].alpha"),
        ({"game": fg.games.chicken()}, "game"),
        ({"keep": lambda part: {"best": part.steps}}, "keep was not the same"),
        ({"keep": None, "executor": threads}, "keep"),
        ({"record": fg.Record(flips=True)}, "record.flips was False, got True"),
        ({"only": [0, 1]}, "has replicas that this call or another file has not"),
    ],
)
def test_a_folder_of_another_call_is_refused(tmp_path, more, said):
    run(tmp_path)
    with pytest.raises(ValueError, match=rf"checkpoint '.*\.zip'.*{said}"):
        run(tmp_path, **more)


def test_a_damaged_file_is_named(tmp_path):
    run(tmp_path)
    path = sorted(tmp_path.glob("*.zip"))[1]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=rf"checkpoint must be .*{path.name}"):
        run(tmp_path)


def test_two_processes_cannot_use_one_folder(tmp_path):
    """The second one says so; the lock of a process that was killed is gone."""
    program = """
        import os, signal, sys, fastgames as fg
        def keep(part):
            print("begun", flush=True)
            input()
            os.kill(os.getpid(), signal.SIGKILL)
        game, folder = fg.games.chicken(), sys.argv[1]
        fg.run(game, fg.QLearner(), 10, 5, rng=1, keep=keep, checkpoint=folder)
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), tmp_path], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert other.stdout.readline() == "begun\n"
        with pytest.raises(
            ValueError, match=f"no other process writes, .* which process {other.pid}"
        ):
            run(tmp_path)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.wait(60) < 0
    finally:
        other.kill()
        other.stdin.close()
        other.stdout.close()
    run(tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.* may lead to deadlocks:DeprecationWarning")
def test_a_process_that_was_forked_in_a_run_does_not_hold_its_lock(tmp_path):
    """The workers of a pool can live longer than the process that forked them."""

    def keep_and_fork(part):
        child = os.fork()
        if not child:
            os._exit(len(folder._locked))
        _, status = os.waitpid(child, 0)
        SEEN.append((len(folder._locked), os.waitstatus_to_exitcode(status)))
        return keep(part)

    run(tmp_path / "run", keep=keep_and_fork, chunk=TOTAL)
    assert SEEN[0] == (1, 0)
    assert not folder._locked


def test_where_the_folder_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "none" / "run"):
        with pytest.raises(ValueError, match="checkpoint must be a folder, or one to be made"):
            run(path)


def test_a_full_disk_warns_once(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write", full)
    with pytest.warns(RuntimeWarning, match="could not be written, the run goes on") as said:
        result = run(tmp_path)
    assert len(said) == 1
    np.testing.assert_array_equal(result.kept["best"], fg.run(**CALL, keep=keep).kept["best"])
