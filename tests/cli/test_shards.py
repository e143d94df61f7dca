"""Commands for parts of a run: `run --shard`, `reproduce --shard`, `merge` and `shards`."""

import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from library.parts import same_contents
from library.processes import python

import fastgames as fg
from fastgames.cli.schedulers import SCHEDULERS
from fastgames.runs import estimating

RUN = ("run", "chicken", "--learner", "regret_matching", "--steps", 50, "--replicas", 10,
       "--seed", 7, "--every", 25)  # fmt: skip
MAP = ("reproduce", "calvano", "--grid", "4x4", "--replicas", 2, "--steps", 3000)
PICTURE = "fastgames-calvano-grid.png"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder, outside of job arrays."""
    monkeypatch.chdir(tmp_path)
    for each in SCHEDULERS.values():
        for name in (each.task, each.first, each.last, each.step, each.tasks):
            if name:
                monkeypatch.delenv(name, raising=False)


@pytest.fixture
def done(call):
    """Call it without an error; standard output."""

    def called(*arguments):
        status, out, errors = call(*arguments)
        assert (status, errors) == (0, "")
        return out

    return called


def whole(done):
    done(*RUN, "--out", "whole.zip")
    return fg.load("whole.zip")


# --- run and merge -------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [1, 2, 7])
def test_merged_shards_are_one_run(done, of):
    for k in range(1, of + 1):
        said = done(*RUN, "--shard", f"{k}/{of}", "--out", "a/parts")
        count = len(range(k - 1, 10, of))
        assert re.search(rf"shard {k}/{of}: {count} of 10 replicas in [\d.]+ s\n", said)
        assert f"result: a/parts/shard-{k}-of-{of}.zip\n" in said
    assert len(os.listdir("a/parts")) == of
    said = done("merge", "a/parts/", "--out", "all.zip")
    assert said == "10 of 10 replicas, seed 7\nresult: all.zip\n"
    same_contents(fg.load("all.zip"), whole(done))


def test_a_finished_shard_is_only_read(done):
    done(*RUN, "--shard", "2/3", "--out", "parts")
    assert "shard 2/3: 3 of 10 replicas were finished before\n" in done(
        *RUN, "--shard", "2/3", "--out", "parts"
    )


@pytest.mark.parametrize(
    ("out", "shard", "variables"),
    [
        ("parts/", (), "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=4 SLURM_ARRAY_TASK_COUNT=3"),
        ("there", (), "SGE_TASK_ID=2 SGE_TASK_FIRST=1 SGE_TASK_LAST=3"),
        ("parts", ("--shard", "auto"), "SGE_TASK_ID=2 SGE_TASK_FIRST=1 SGE_TASK_LAST=3"),
        ("parts", ("--shard", "auto/3"), "PBS_ARRAY_INDEX=2"),
    ],
)
def test_a_task_of_a_job_array(done, monkeypatch, out, shard, variables):
    os.mkdir("there")
    for word in variables.split():
        monkeypatch.setenv(*word.split("="))
    done(*RUN, "--out", out, *shard)
    assert os.listdir(out) == ["shard-2-of-3.zip"]
    assert fg.load(f"{out}/shard-2-of-3.zip").numbers.tolist() == [1, 4, 7]
    done(*RUN, "--out", "all.zip")  # a file: the whole run
    assert fg.load("all.zip").part is None


def test_pbs_does_not_tell_the_number_of_shards(call, monkeypatch):
    monkeypatch.setenv("PBS_ARRAY_INDEX", "2")
    status, _, errors = call(*RUN, "--out", "parts/")
    assert status == 2
    assert "must be set beside PBS_ARRAY_INDEX" in errors
    assert not os.listdir()


def test_missing_shards(call, done):
    done(*RUN, "--shard", "2/4", "--out", "parts")
    done(*RUN, "--shard", "4/4", "--out", "parts")
    status, _, errors = call("merge", "parts", "--out", "all.zip")
    assert (status, errors) == (
        2,
        "fastgames: parts must have all shards of the run, got none of 1, 3 of 4; --partial "
        "merges the others\n",
    )
    assert os.listdir() == ["parts"]
    assert done("merge", "parts", "--partial", "--out", "all.zip").splitlines() == [
        "5 of 10 replicas, seed 7",
        "missing replicas: 0, 2, 4, 6, 8",
        "missing shards: 1, 3 of 4",
        "result: all.zip",
    ]
    some = fg.load("all.zip")
    whole(done)
    name = next(iter(some.tables[0]))
    expected = fg.load("whole.zip").tables[0][name][1::2]
    np.testing.assert_array_equal(some.tables[0][name], expected)


def test_files_and_folders_are_merged(done):
    done(*RUN, "--shard", "1/2", "--out", "one")
    done(*RUN, "--shard", "2/2", "--out", "two")
    done("merge", "two/shard-2-of-2.zip", "one", "--out", "all.zip")
    same_contents(fg.load("all.zip"), whole(done))


def test_a_killed_shard_goes_on(done):
    program = """
        import os, signal, sys
        from fastgames.cli import main as cli
        from fastgames.runs import chunks
        from fastgames.runs.folder import Folder
        chunks.LEAST = 2
        def write_and_die(self, places, result):
            write(self, places, result)
            os.kill(os.getpid(), signal.SIGKILL)
        write, Folder.write = Folder.write, write_and_die
        cli.main(sys.argv[1:])
    """
    arguments = [*RUN, "--threads", 1, "--out", "parts/", "--shard", "2/2"]
    killed = python("-c", textwrap.dedent(program), *arguments)
    assert killed.returncode == -signal.SIGKILL
    (file,) = (name for name in os.listdir("parts/.shard-2-of-2") if name.endswith(".zip"))
    first = fg.load(f"parts/.shard-2-of-2/{file}")
    assert 0 < first.replicas < 5
    done(*arguments)
    assert os.listdir("parts") == ["shard-2-of-2.zip"]
    done(*RUN, "--out", "parts/", "--shard", "1/2")
    done("merge", "parts", "--out", "all.zip")
    same_contents(fg.load("all.zip"), whole(done))


def test_two_processes_on_one_shard(call):
    program = """
        import sys
        from fastgames.cli import main as cli
        from fastgames.runs.folder import Folder
        def write_and_wait(*arguments):
            print("begun", flush=True)
            input()
        Folder.write = write_and_wait
        cli.main(sys.argv[1:])
    """
    arguments = [*map(str, RUN), "--out", "parts/", "--shard", "2/2"]
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *arguments], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert other.stdout.readline() == "begun\n"
        status, out, errors = call(*arguments)
        assert (status, out, errors.count("\n")) == (2, "", 1)
        assert f"which process {other.pid} on" in errors
    finally:
        other.kill()
        other.wait()
        other.stdin.close()
        other.stdout.close()


def test_control_c(call, monkeypatch):
    def interrupted(self, places, result):
        write(self, places, result)
        signal.raise_signal(signal.SIGINT)

    from fastgames.runs.folder import Folder

    write = Folder.write
    monkeypatch.setattr(Folder, "write", interrupted)
    monkeypatch.setattr("fastgames.runs.chunks.SHARE", 1)
    monkeypatch.setattr("fastgames.runs.chunks.LEAST", 1)
    status, out, errors = call(*RUN, "--out", "parts/", "--shard", "2/2", "--threads", 1)
    assert (status, out) == (130, "")
    said = r"fastgames: interrupted after [1-5] replicas of shard 2/2; the same command goes on .*"
    assert re.fullmatch(said, errors.removesuffix("\n"))
    assert os.listdir("parts") == [".shard-2-of-2"]


def test_the_estimate_of_a_shard(done, monkeypatch):
    seen = []
    monkeypatch.setattr(estimating, "estimate", lambda **given: seen.append(given) or "estimate")
    assert done(*RUN, "--shard", "2/4", "--out", "parts/", "--dry-run") == "estimate\n"
    assert seen[0]["only"] == slice(1, None, 4)
    assert not os.listdir()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run chicken --seed 1 --shard 3", ("shard must be K/N", "'3'")),
        ("run chicken --seed 1 --shard 3/2 --out p", ("shard must be", "3/2")),
        ("run chicken --seed 1 --shard auto --out p", ("outside of a job array", "'auto'")),
        ("run chicken --shard 1/2 --out p", ("seed must be given with shard",)),
        ("run chicken --seed 1 --shard 1/2", ("out must be a folder with shard", "None")),
        ("run chicken --seed 1 --shard 1/2 --out a_file", ("out must be a folder", "'a_file'")),
        ("run chicken --seed 1 --replicas 2 --shard 1/2 --out a_file/x", ("a_file",)),
        ("run chicken --seed 1 --shard 1/2 --out p --stream numpy", ("stream must be", "'numpy'")),
        ("run chicken --seed 1 --shard 1/2 --out p --plot x.png", ("plot must be left out",)),
        ("run chicken --seed 1 --shard 1/2 --out p", ("N at most the 1 replicas", "1/2")),
        ("run chicken --seed 1 --out p/", ("out must be a file in", "'p/'", "--shard K/N")),
        ("run chicken --seed 1 --shard 1/1 --out p --steps 0", ("steps must be", "got 0")),
        ("merge nowhere --out a.zip", ("nowhere",)),
        ("merge empty --out a.zip", ("parts must have at least 1 part",)),
        ("merge a_file --out a.zip", ("a_file",)),
        ("merge --out a.zip", ("parts",)),
        ("merge empty", ("--out",)),
        ("merge empty --out empty", ("out must be a file in a directory", "'empty'")),
        ("merge empty --out nowhere/a.zip", ("out must be a file in a directory",)),
        ("reproduce klein --shard 1/2 --out p", ("shard must go with calvano", "'klein'")),
        ("reproduce klein --merge empty", ("merge must go with calvano", "'klein'")),
        ("reproduce calvano --shard 1/2 --out p", ("grid must be given with shard",)),
        ("reproduce calvano --merge empty", ("grid must be given with merge",)),
        ("reproduce calvano --grid 2x2 --shard 1/2", ("out must be a folder with shard",)),
        ("reproduce calvano --grid 2x2 --shard 1/2 --out a_file", ("out must be", "'a_file'")),
        ("reproduce calvano --grid 2x2 --shard 1/2 --out p --merge empty", ("merge must be left",)),
        (
            "reproduce calvano --grid 2x2 --shard 1/2 --out p --checkpoint c",
            ("checkpoint must be left out with shard", "'c'"),
        ),
        ("reproduce calvano --grid 2x2 --merge empty --checkpoint c", ("checkpoint must be left",)),
        ("reproduce calvano --grid 2x2 --merge nowhere", ("merge must be a folder", "'nowhere'")),
        ("reproduce calvano --grid 2x2 --merge empty", ("files of shards", "empty")),
        ("reproduce calvano --grid 2x2 --merge empty --dry-run", ("dry-run must be left out",)),
        ("reproduce calvano --grid 2x2 --shard 2 --out p", ("shard must be K/N", "'2'")),
        ("shards -n 4 -- run chicken --seed 1 --out p", ("one of --slurm, --pbs", "got none")),
        ("shards --slurm --sge -n 4 -- run chicken", ("one of --slurm", "--slurm and --sge")),
        ("shards --slurm -- run chicken --seed 1 --out p", ("number",)),
        ("shards --slurm -n x -- run chicken", ("number must be a whole number", "'x'")),
        ("shards --slurm -n 1 -- run chicken", ("number must be a whole number in [2,", "got 1")),
        ("shards --slurm -n 4 --cpus 0 -- run chicken", ("cpus must be", "got 0")),
        ("shards --slurm -n 4 --memory 0 -- run chicken", ("memory must be", "got 0")),
        ("shards --slurm -n 4 --time 1h -- run chicken", ("time must be hours", "'1h'")),
        ("shards --slurm -n 4 --time 1:60:00 -- run chicken", ("time must be hours", "'1:60:00'")),
        ("shards --slurm -n 4", ("command",)),
        ("shards --slurm -n 4 -- speed", ("command must be one of 'run', 'reproduce'", "'speed'")),
        ("shards --slurm -n 4 -- run", ("game",)),
        ("shards --slurm -n 4 -- run chicken --nothing", ("--nothing",)),
        ("shards --slurm -n 4 -- run chicken --seed 1", ("out must be given in the command",)),
        ("shards --slurm -n 4 -- run chicken --out p", ("seed must be given with shard",)),
        (
            "shards --slurm -n 4 -- run chicken --seed 1 --out p --shard 1/2",
            ("shard must be left out of the command", "'1/2'"),
        ),
        (
            "shards --slurm -n 4 -- reproduce calvano --grid 2x2 --merge p --out p",
            ("merge must be left out of the command", "'p'"),
        ),
        ("shards --slurm -n 4 -- reproduce klein --out p", ("shard must go with calvano",)),
        ("shards --slurm -n 4 -- reproduce calvano --out p", ("grid must be given with shard",)),
    ],
)  # fmt: skip
def test_errors_are_one_line(refused, arguments, said):
    os.mkdir("empty")
    Path("a_file").touch()
    refused(arguments.split(), said)
    assert sorted(os.listdir()) == ["a_file", "empty"]
    assert not os.listdir("empty")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--seed", 8), "rng was 7, got 8"),
        (("--steps", 51), "steps was 50, got 51"),
        (("--replicas", 11), "replicas was 10, got 11"),
        (("--shard", "1/3"), "shard must be one of 2 as is 'shard-1-of-2.zip'"),
    ],
)
def test_a_shard_of_another_call(call, done, more, said):
    done(*RUN, "--shard", "1/2", "--out", "parts/")
    status, out, errors = call(*RUN, "--shard", "1/2", "--out", "parts/", *more)
    assert (status, out) == (2, "")
    assert said in errors
    assert os.listdir("parts") == ["shard-1-of-2.zip"]


# --- the heat map --------------------------------------------------------------------------------


def rows(out):
    """Return the rows of a report, without those of the time and of the parts, and what follows."""
    found = [[cell.strip() for cell in line.split("│")] for line in out.splitlines()]
    return [row for row in found if not row[0] and row[1].split()[0] not in ("time", "sessions")]


def test_the_map_from_shards(call, done, monkeypatch):
    monkeypatch.setattr("fastgames.cli.show.WIDTH", 250)  # nothing wraps
    for k in range(1, 4):
        said = done(*MAP, "--shard", f"{k}/3", "--out", "parts")
        assert f"{len(range(k - 1, 32, 3))}" in said
        assert f"result: parts/shard-{k}-of-3.zip\n" in said
        assert "picture" not in said
    assert sorted(os.listdir()) == ["parts"]
    status, out, errors = call(*MAP, "--merge", "parts", "--out", "merged")
    assert (status, errors) == (1, "")  # nothing converges so early
    assert re.search(r"sessions in the parts +│ all +│ 32 of 32 +│ ok", out)
    status, expected, _ = call(*MAP, "--out", "whole")
    assert status == 1
    assert len(rows(out)) > 2
    assert rows(out) == rows(expected)
    pictures = [Path(name, PICTURE).read_bytes() for name in ("merged", "whole")]
    assert pictures[0] == pictures[1]


def test_the_map_of_the_shards_that_are_there(call, done):
    for k in (1, 3):
        done(*MAP, "--shard", f"{k}/4", "--out", "parts")
    status, out, errors = call(*MAP, "--merge", "parts")
    assert (status, errors) == (1, "")
    assert re.search(r"sessions in the parts.* 16 of 32, none of shards 2, 4 of 4 │ differs", out)
    assert "0 of 16" in out
    assert os.path.exists(PICTURE)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--grid", "4x5"), "grid.beta"),
        (("--replicas", 3), "grid.repeats was 2, got 3"),
        (("--steps", 3001), "steps was 3000, got 3001"),
        (("--seed", 8), "rng was 7, got 8"),
        (("--dtype", "float32"), "dtype was 'float64', got 'float32'"),
    ],
)
def test_a_map_of_another_call(call, done, more, said):
    done(*MAP, "--shard", "1/8", "--out", "parts")
    for option in (("--shard", "1/8", "--out", "parts"), ("--merge", "parts")):
        status, out, errors = call(*MAP, *more, *option)
        assert (status, out) == (2, "")
        assert said in errors


def test_control_c_in_a_shard_of_the_map(call, monkeypatch):
    from fastgames.papers import NAMES

    def interrupted(shard=None, parts=None, grid=None):
        raise fg.Interrupted(None)

    monkeypatch.setitem(NAMES, "calvano", interrupted)
    status, out, errors = call(
        "reproduce", "calvano", "--grid", "2x2", "--shard", "1/2", "--out", "p"
    )
    assert (status, out) == (130, "")
    assert errors.startswith("fastgames: interrupted after 0 replicas of shard 1/2; ")


# --- scripts -------------------------------------------------------------------------------------

COMMANDS = {
    "run": ["run", "chicken", "--seed", "7", "--replicas", "1000", "--out", "my parts/"],
    "map": ["reproduce", "calvano", "--grid", "10x10", "--out=parts"],
}
AFTER = {
    "run": ["merge", "my parts/", "--out", "my parts.zip"],
    "map": ["reproduce", "calvano", "--grid", "10x10", "--merge=parts"],
}
CPUS = {"slurm": "SLURM_CPUS_PER_TASK", "pbs": "NCPUS", "sge": "NSLOTS"}


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_scripts(done, scheduler, kind):
    text = done("shards", f"--{scheduler}", "-n", 40, "--cpus", 2, "--time", "12:00:00",
                "--memory", 8, "--", *COMMANDS[kind])  # fmt: skip
    checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert text.startswith("#!/bin/bash\n")
    for words in {
        "slurm": ("array=1-40", "cpus-per-task=2", "time=12:00:00", "mem=8G"),
        "pbs": ("-J 1-40", "ncpus=2:mem=8gb", "walltime=12:00:00"),
        "sge": ("-t 1-40", "smp 2", "h_rt=12:00:00", "h_vmem=8G"),
    }[scheduler]:
        assert re.search(rf"^#(SBATCH|PBS|\$) .*{words}$", text, re.MULTILINE), words
    (line,) = re.findall(r"^fastgames .*$", text, re.MULTILINE)
    threads = ["--threads", f"${CPUS[scheduler]}"]
    assert shlex.split(line) == ["fastgames", *COMMANDS[kind], *threads, "--shard", "auto/40"]
    (after,) = re.findall(r"^# (fastgames .*)$", text, re.MULTILINE)
    assert shlex.split(after) == ["fastgames", *AFTER[kind]]


def test_a_script_runs(done, call, tmp_path):
    """A shell runs the tasks of a script as a scheduler would, then the line that merges."""
    command = [*map(str, RUN), "--threads", "1", "--out", "parts/"]
    text = done("shards", "--slurm", "-n", 2, "--", *command)
    assert "SLURM_CPUS" not in text
    program = tmp_path / "bin" / "fastgames"
    program.parent.mkdir()
    program.write_text(f'#!/bin/bash\nexec {shlex.quote(sys.executable)} -m fastgames "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    for task in (1, 2):
        environment = os.environ | {"PATH": path, "SLURM_ARRAY_TASK_ID": str(task)}
        ran = subprocess.run(["bash"], input=text, text=True, env=environment, capture_output=True)
        assert (ran.returncode, ran.stderr) == (0, "")
    (after,) = re.findall(r"^# fastgames (merge .*)$", text, re.MULTILINE)
    done(*shlex.split(after))
    same_contents(fg.load("parts.zip"), whole(done))
