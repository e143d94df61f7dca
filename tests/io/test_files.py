"""Files are written whole or not at all, whatever is at their path, and only files are read."""

import contextlib
import errno
import io
import json
import os
import stat
import subprocess
import sys
import threading
import time
import zipfile

import pytest
from library.processes import python

import fastgames as fg
from fastgames.engine import driver
from fastgames.io import checkpoint, files

posix = pytest.mark.skipif(sys.platform == "win32", reason="devices, pipes and links as in POSIX")


@pytest.fixture(scope="module")
def result():
    return fg.run(fg.games.matching_pennies(), fg.QLearner(), steps=5, replicas=2, rng=1)


def write(path, data=b"new"):
    with files.replacing(path) as file:
        file.write(data)


def in_child(code, *arguments, seconds=60):
    """Run code in a process of its own, with 2 GB of address space; what it prints."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2)\n"
    child = python("-c", limit + code, *arguments, timeout=seconds)
    return child.stdout + child.stderr[-500:]


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_what_was_there_and_nothing_else(error, tmp_path):
    path = tmp_path / "some"
    for before in (None, b"old"):
        if before is not None:
            path.write_bytes(before)
        with pytest.raises(error), files.replacing(path) as file:
            file.write(b"half")
            raise error
        assert [x.read_bytes() for x in tmp_path.iterdir()] == ([before] if before else [])
    write(path)
    assert [x.read_bytes() for x in tmp_path.iterdir()] == [b"new"]


@posix
def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path, result):
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data" / "result", tmp_path / "link"
    link.symlink_to("data/result")
    for _ in range(2):  # first to nothing
        result.save(link)
        assert link.is_symlink()
        assert fg.load(target).seed == 1
    chain = tmp_path / "chain"
    chain.symlink_to(link)
    write(chain)
    assert (chain.is_symlink(), link.is_symlink()) == (True, True)
    assert target.read_bytes() == b"new"
    assert sorted(tmp_path.rglob("*")) == sorted([chain, link, tmp_path / "data", target])


def device(folder, name, minor):
    """A memory device: a node of our own for root, who could replace that of the machine."""
    if os.geteuid() != 0:
        return f"/dev/{name}"
    path = folder / name
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        with open(path, "rb"):
            return path
    except OSError as error:
        pytest.skip(f"no device can be made here: {error}")


@posix
@pytest.mark.parametrize("linked", [False, True])
def test_a_device_is_written_through_and_not_replaced(linked, tmp_path, result):
    path = node = device(tmp_path, "null", 3)
    if linked:
        path = tmp_path / "sink"
        path.symlink_to(node)
    before = os.stat(node)
    result.save(path)
    after = os.stat(node)
    assert stat.S_ISCHR(after.st_mode)
    assert (after.st_rdev, after.st_ino) == (before.st_rdev, before.st_ino)
    assert not linked or path.is_symlink()


@posix
def test_a_full_device_is_an_error(tmp_path, result):
    with pytest.raises(OSError, match="No space left") as caught:
        result.save(device(tmp_path, "full", 7))
    assert caught.value.errno == errno.ENOSPC


@posix
def test_a_pipe_gets_the_whole_file(tmp_path, result):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    while True:
        try:
            result.save(pipe)
            break
        except OSError as error:  # the reader has not opened it yet
            assert error.errno == errno.ENXIO
            time.sleep(0.01)
    reader.join()
    assert zipfile.ZipFile(io.BytesIO(found[0])).testzip() is None
    (tmp_path / "copy").write_bytes(found[0])
    assert fg.load(tmp_path / "copy").seed == 1
    with pytest.raises(OSError, match="No such device"):  # nobody reads: no waiting for ever
        result.save(pipe)
    assert pipe.is_fifo()


@posix
def test_a_socket_and_a_directory_are_refused(tmp_path, result, monkeypatch):
    import socket

    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("some.sock")
        with pytest.raises(ValueError, match=r"got 'some.sock', which is a socket"):
            result.save("some.sock")
        with pytest.raises(ValueError, match=r"got 'some.sock', which is a socket"):
            fg.load("some.sock")
    with pytest.raises(IsADirectoryError):
        result.save(tmp_path)
    with pytest.raises(IsADirectoryError):
        fg.load(tmp_path)
    assert os.listdir(tmp_path) == ["some.sock"]


HALF = """
import sys, time
from fastgames.io.files import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("ready", flush=True)
    time.sleep(60)
"""


@posix
def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    path = tmp_path / "some"
    others = [tmp_path / name for name in (".some.part", ".some.mine.part", ".other.0123.part")]
    for other in others:
        other.write_bytes(b"")
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", HALF, path], stdout=subprocess.PIPE)
            )
            for _ in range(2)
        ]
        for child in children:
            assert child.stdout.read(5) == b"ready"
        stack.callback(children[1].kill)
        children[0].kill()
        children[0].wait()
        left = set(tmp_path.iterdir()) - set(others)
        assert len(left) == 2
        write(path)
        assert len(set(tmp_path.iterdir()) - set(others) - {path}) == 1  # of the living one
        children[1].kill()
        children[1].wait()
        write(path)
        assert set(tmp_path.iterdir()) == {path, *others}


def test_a_leftover_of_whatever_mode_does_not_stop_anyone(tmp_path):
    path = tmp_path / "some"
    (tmp_path / ".some.0123456789abcdef.part").mkdir()
    write(path)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg", "jpg", "eps", "tif", "webp", "PNG"])
def test_a_picture_is_written_whole_or_not_at_all(suffix, tmp_path, result, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    path = tmp_path / f"some.{suffix}"
    path.write_bytes(b"old")
    save = Figure.savefig

    def fail(self, file, **keywords):
        save(self, file, **keywords)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", fail)
        with pytest.raises(OSError, match="No space left"):
            result.plot(path)
    assert [x.read_bytes() for x in tmp_path.iterdir()] == [b"old"]
    result.plot(path)
    assert len(path.read_bytes()) > 1000
    assert os.listdir(tmp_path) == [path.name]


@posix
def test_a_table_goes_through_a_link(tmp_path, result):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "table")
    result.to_parquet(link)
    assert link.is_symlink()
    assert len(pandas.read_parquet(tmp_path / "table")) == 2


def test_ctrl_c_while_a_member_opens_is_not_masked(tmp_path, result, monkeypatch):
    opened = zipfile.ZipFile._open_to_write
    calls = []

    def interrupted(*arguments, **keywords):
        member = opened(*arguments, **keywords)
        calls.append(member)
        if len(calls) == 3:
            raise KeyboardInterrupt  # the archive holds that a member is being written
        return member

    monkeypatch.setattr(zipfile.ZipFile, "_open_to_write", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        result.save(tmp_path / "result")
    assert caught.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


# --- reading ------------------------------------------------------------------------------------


@posix
def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = """
import sys, fastgames as fg
for path in sys.argv[1:]:
    for read in (fg.load, lambda x: fg.run(fg.games.chicken(), fg.QLearner(), 5, checkpoint=x)):
        try:
            read(path)
        except Exception as error:
            print(type(error).__name__, error)
"""
    zero, null = device(tmp_path, "zero", 5), device(tmp_path, "null", 3)
    found = in_child(code, zero, pipe, null).splitlines()
    kinds = ["a device", "a pipe", "a device"]
    assert found == [
        f"ValueError {argument} must be a regular file, got '{path}', which is {kind}"
        for path, kind in zip((zero, pipe, null), kinds, strict=True)
        for argument in ("path", "checkpoint")
    ]


@posix
def test_a_pipe_that_takes_the_place_of_a_file_is_refused(tmp_path, monkeypatch):
    """Between the first look and the opening."""
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"")
    os.mkfifo(pipe)
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, *others: opened(pipe, *others))
    with pytest.raises(ValueError, match="which is a pipe"):
        fg.load(file)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no such file")
def test_an_error_of_the_disk_is_said_as_it_is():
    """The memory of a process cannot be read at 0: EIO, from the operating system itself."""
    with pytest.raises(OSError, match="Input/output error") as caught:
        fg.load("/proc/self/mem")
    assert caught.value.errno == errno.EIO
    assert caught.value.filename == "/proc/self/mem"


@posix
def test_a_file_with_a_hole_larger_than_memory_is_refused(tmp_path, result):
    """A few bytes on the disk that read as 2^40."""
    path = tmp_path / "sparse"
    result.save(path)
    data = path.read_bytes()
    with open(path, "wb") as file:
        file.truncate(2**40)
        file.seek(2**40)
        file.write(data)
    assert path.stat().st_blocks * 512 < 2**20
    with pytest.raises(MemoryError, match=r"sparse' has 1,024.0 GiB, this machine has"):
        fg.load(path)


# --- checkpoints --------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="nobody can write to /proc")
@pytest.mark.parametrize("name", ["/proc/some.ckpt", "x" * 250])
def test_a_checkpoint_that_can_never_be_written_is_refused_at_the_start(name, tmp_path):
    with pytest.raises(ValueError, match="checkpoint must be a file that can be written, got"):
        fg.run(fg.games.chicken(), fg.QLearner(), 10, checkpoint=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_go_on_writing_is_refused_but_a_finished_one_is_read(
    tmp_path, monkeypatch
):
    def read_only(target):
        raise OSError(errno.EROFS, "Read-only file system", str(target))

    path, game = tmp_path / "some", fg.games.chicken()
    call = {"game": game, "learners": fg.QLearner(), "steps": 500, "rng": 1, "checkpoint": path}
    done = fg.run(**call)
    with monkeypatch.context() as patch:
        patch.setattr(files, "_temporary", read_only)
        assert (fg.run(**call).tables[0]["q"] == done.tables[0]["q"]).all()
    half = {**call, "steps": 300, "checkpoint": tmp_path / "half"}

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(fg.Interrupted):
        patch.setattr(driver, "run", interrupt)
        fg.run(**half)
    assert checkpoint.read(
        half["checkpoint"], _call(half["checkpoint"]), game, (fg.QLearner(),) * 2
    )
    monkeypatch.setattr(files, "_temporary", read_only)
    with pytest.raises(ValueError, match=r"checkpoint must be a file that can be written.*Read-on"):
        fg.run(**half)


def _call(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("header.json"))["call"]


def test_a_relative_path_is_that_of_the_start_whatever_the_directory_is_later(
    tmp_path, monkeypatch
):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_one = checkpoint.write

    def moving(*arguments):
        os.chdir(tmp_path / "there")
        write_one(*arguments)

    monkeypatch.setattr(checkpoint, "write", moving)
    fg.run(fg.games.chicken(), fg.QLearner(), 50, checkpoint="some")
    assert [x.relative_to(tmp_path).as_posix() for x in tmp_path.rglob("*") if x.is_file()] == [
        "here/some"
    ]
