"""Long runs that survive: killed at any moment, interrupted, on a full disk; the bits stay."""

import itertools
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames.engine import driver
from fastgames.io import archive, checkpoint

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them"),
    pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning"),  # they stop early
]

# The runs, as programs: here, and in the processes that are killed, they are the same call.
CALLS = {
    # lanes that are refilled, moves that are pending, a window, snapshots that some do not come to
    "stop": """
        import numpy as np, fastgames as fg
        games = [
            fg.games.random_markov_game(
                2, 40, (6, 4), rng=3, transitions="sparse", terminal=3, start="random",
                time_limit=30, observations=25,
            )
        ]
        games.append(fg.MarkovGame(
            -games[0].rewards, games[0].transitions, 0.9, games[0].start, games[0].terminal,
            games[0].observations, time_limit=30,
        ))
        sweep = fg.grid(rate=np.geomspace(0.003, 0.00002, 10), repeats=SIZE)
        explore = fg.EpsilonGreedy(fg.Exponential(1.0, sweep.rate))
        arguments = dict(
            game=fg.Variants(games, np.arange(sweep.replicas) % 2),
            learners=(
                fg.QLearner(fg.VisitCount(0.6), explore=explore), fg.Sarsa(0.2, explore=explore)
            ),
            steps=60_000, replicas=sweep, rng=11, stop=fg.Stable(900), threads=2,
            record=fg.Record(
                every=5000, greedy=True, tables=("q",), flips=True, joint_actions=True,
                rewards=True, last=500,
            ),
        )
    """,
    # one replica that draws from a numpy generator
    "listing": """
        import numpy as np, fastgames as fg
        arguments = dict(
            game=fg.games.random_markov_game(
                2, 30, (5, 4), rng=5, transitions="random", terminal=2, start="random", turns=True,
            ),
            learners=(
                fg.QLearner(0.1, explore=fg.EpsilonGreedy(fg.Linear(1.0, 0.1, 1e6))),
                fg.Sarsa(0.3, explore=fg.Softmax(0.5)),
            ),
            steps=SIZE * 60_000, rng=np.random.Generator(np.random.MT19937(5)), stream="numpy",
            record=fg.Record(
                every=100_000, greedy=True, policies=True, flips=True, rewards=True, last=77_777
            ),
        )
    """,
    # columns, a window that begins late, parameters of each replica
    "matrix": """
        import numpy as np, fastgames as fg
        arguments = dict(
            game=fg.games.shapley(),
            learners=fg.QLearner(
                fg.Exponential(0.5, np.linspace(1e-6, 1e-4, 300), 0.01), 0.5,
                explore=fg.Softmax(0.1),
            ),
            steps=SIZE * 8000, replicas=300, rng=3, dtype="float32",
            record=fg.Record(every=40_000, policies=True, joint_actions=True, last=SIZE * 3000),
        )
    """,
}
CHILD = """
{call}
import sys
print("ready", flush=True)
fg.run(**arguments, checkpoint=sys.argv[1], checkpoint_every={every}, progress=False)
"""


def program(name, size):
    return textwrap.dedent(CALLS[name]).replace("SIZE", str(size))


def arguments_of(name, size):
    """Fresh ones: a generator is used up."""
    space = {}
    exec(program(name, size), space)
    return space["arguments"]


def child(name, size, path, every):
    """A process that makes the call, once it is about to."""
    code = CHILD.format(call=program(name, size), every=every)
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def kill_until_done(name, size, path, every, longest, rng, most=10**9):
    """Kill -9 after a random time, again and again, until the call ends; how often."""
    for kills in itertools.count():
        with child(name, size, path, every) as process:
            try:
                process.wait(rng.uniform(0.0, longest) if kills < most else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        if process.returncode == 0:
            return kills
        assert process.returncode == -signal.SIGKILL


SIZES = {"stop": 24, "listing": 30, "matrix": 30}


@pytest.mark.parametrize("name", CALLS)
def test_a_run_that_was_killed_has_the_bits_of_one_that_was_not(name, tmp_path):
    path, rng = tmp_path / "run.ckpt", np.random.default_rng(1)
    assert kill_until_done(name, SIZES[name], path, 0.02, 0.3, rng, most=2) > 0
    whole = fg.run(**arguments_of(name, SIZES[name]))
    if name == "stop":
        assert 0.3 < whole.stopped.mean() < 1.0
    assert_same(fg.load(path), whole)
    before = path.stat()
    assert_same(fg.run(**arguments_of(name, SIZES[name]), checkpoint=path), whole)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("every", [0.001, 0.1])
def test_killed_at_50_random_moments(name, every, tmp_path):
    path, rng, kills = tmp_path / "run.ckpt", np.random.default_rng(2), 0
    whole = fg.run(**arguments_of(name, 2 * SIZES[name]))
    while kills < 50:
        path.unlink(missing_ok=True)
        kills += kill_until_done(name, 2 * SIZES[name], path, every, 0.6, rng)
        assert_same(fg.load(path), whole)
    assert list(tmp_path.iterdir()) == [path]


# --- in one process -----------------------------------------------------------------------------


def interrupted_often(arguments, path, seconds):
    """The result of a call made again after every Ctrl-C, and how many there were."""
    for times in itertools.count():
        timer = threading.Timer(seconds, signal.raise_signal, (signal.SIGINT,))
        timer.start()
        try:
            return fg.run(**arguments(), checkpoint=path, checkpoint_every=0.03), times
        except fg.Interrupted as caught:
            assert (caught.result.steps >= 0).all()
        except KeyboardInterrupt:  # outside of the run proper
            pass
        finally:
            timer.cancel()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # Ctrl-C right after open()
@pytest.mark.parametrize("name", CALLS)
def test_a_run_interrupted_again_and_again_has_the_bits_of_one_that_was_not(name, tmp_path):
    whole = fg.run(**arguments_of(name, SIZES[name]))
    path = tmp_path / "run.ckpt"
    result, times = interrupted_often(lambda: arguments_of(name, SIZES[name]), path, 0.12)
    assert times > 0
    assert_same(result, whole)
    assert result.grid == whole.grid
    assert result.seed == whole.seed


GAME = fg.remember(fg.games.prisoners_dilemma())
LEARNERS = (fg.QLearner(0.3, explore=fg.EpsilonGreedy(0.2)), fg.Sarsa(0.1))
SMALL = {
    "game": GAME,
    "learners": LEARNERS,
    "steps": 300,
    "replicas": 20,
    "rng": 7,
    "record": fg.Record(every=50, greedy=True, flips=True, rewards=True, last=40),
    "stop": fg.Stable(60),
    "threads": 1,
}


def half_done(path, monkeypatch, after=3, **changes):
    """A checkpoint of SMALL from the middle: Ctrl-C comes when lanes are filled once too often."""
    run = driver.run

    def run_and_stop(work, *others):
        take, times = work.take, itertools.count()

        def take_or_stop(most):
            if next(times) == after:
                raise KeyboardInterrupt
            return take(most)

        work.take = take_or_stop
        run(work, *others)

    with monkeypatch.context() as patch:
        patch.setattr(driver, "run", run_and_stop)
        with pytest.raises(fg.Interrupted):
            fg.run(**{**SMALL, **changes}, checkpoint=path)


def test_the_same_call_goes_on_whatever_does_not_change_bits(tmp_path, monkeypatch):
    whole, path = fg.run(**SMALL), tmp_path / "half"
    for changes in ({}, {"threads": 3}, {"backend": "reference"}, {"progress": False}):
        path.unlink(missing_ok=True)
        half_done(path, monkeypatch)
        steps = fg.load(path).steps
        assert 0 < steps.sum() < whole.steps.sum()
        assert_same(fg.run(**{**SMALL, **changes}, checkpoint=str(path)), whole)


OTHER = fg.run(GAME, LEARNERS, steps=5, replicas=20, rng=1)
OTHERS = {
    "game": fg.remember(fg.games.stag_hunt()),
    "learners[0]": {"learners": (fg.QLearner(0.31, explore=LEARNERS[0].explore), LEARNERS[1])},
    "learners[1]": {"learners": (LEARNERS[0], fg.ExpectedSarsa(0.1))},
    "steps": 301,
    "replicas": 21,
    "rng": 8,
    "record.every": {"record": fg.Record(every=60, greedy=True, flips=True, rewards=True, last=40)},
    "record.last": {"record": fg.Record(every=50, greedy=True, flips=True, rewards=True, last=41)},
    "record.flips": {"record": fg.Record(every=50, greedy=True, rewards=True, last=40)},
    "stop": fg.Stable(61),
    "dtype": "float32",
    "grid": {"replicas": fg.grid(x=[1, 2], repeats=10)},
    "resume": {"resume": OTHER, "rng": None, "record": fg.Record()},
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_checkpoint_of_another_call_is_refused_by_the_name_of_what_differs(name, tmp_path):
    path = tmp_path / "some.ckpt"
    fg.run(**SMALL, checkpoint=path)
    before = path.read_bytes()
    changes = OTHERS[name]
    changes = changes if isinstance(changes, dict) else {name: changes}
    if name == "resume":
        fg.run(**{**SMALL, "record": fg.Record()}, checkpoint=tmp_path / "other")
        path, before = tmp_path / "other", (tmp_path / "other").read_bytes()
        name = "rng"
    with pytest.raises(ValueError, match=f"of another call: {name.replace('[', '.')[:8]}"):
        fg.run(**{**SMALL, **changes}, checkpoint=path)
    assert path.read_bytes() == before


def test_a_listing_is_of_its_generator(tmp_path):
    path, same = tmp_path / "some.ckpt", {**SMALL, "replicas": 1, "stream": "numpy"}
    fg.run(**{**same, "rng": np.random.Generator(np.random.PCG64(1))}, checkpoint=path)
    with pytest.raises(ValueError, match="of another call: rng"):
        fg.run(**{**same, "rng": np.random.Generator(np.random.PCG64(2))}, checkpoint=path)


def test_a_resumed_call_has_checkpoints_too(tmp_path, monkeypatch):
    """It begins where the result was, and not at step 0."""
    path = tmp_path / "half"
    counters = fg.Record(every=50, greedy=True, flips=True)
    first = fg.run(**{**SMALL, "record": counters, "stop": None, "steps": 130})
    more = {"rng": None, "resume": first, "record": counters, "stop": None, "replicas": None}
    whole = fg.run(**{**SMALL, **more})
    assert whole.snapshots.steps.tolist() == list(range(150, 431, 50))
    half_done(path, monkeypatch, after=1, **more)
    assert_same(fg.run(**{**SMALL, **more}, checkpoint=path), whole)


def full_disk(*arguments, **keywords):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("where", ["write_array", "fsync", "replace"])
def test_a_disk_that_fills_up_leaves_the_last_checkpoint_good_and_the_run_going(
    where, tmp_path, monkeypatch
):
    """The second writing fails, and every later one; one warning; and then there is space again."""
    path, written = tmp_path / "run.ckpt", []
    module = {"write_array": np.lib.format}.get(where, archive.os)
    work, write = getattr(module, where), checkpoint.write
    failing = False

    def sometimes(*arguments, **keywords):
        if failing:
            full_disk()
        return work(*arguments, **keywords)

    def noted(*arguments):
        nonlocal failing
        failing = len(written) >= 1
        write(*arguments)
        written.append(path.read_bytes())

    monkeypatch.setattr(module, where, sometimes)
    monkeypatch.setattr(checkpoint, "write", noted)
    size = SIZES["stop"] // 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", fg.ConvergenceWarning)
        result = fg.run(**arguments_of("stop", size), checkpoint=path, checkpoint_every=0.01)
    assert [w.category for w in caught] == [RuntimeWarning]
    assert "No space left" in str(caught[0].message)
    assert str(path) in str(caught[0].message)
    assert len(written) == 1
    assert path.read_bytes() == written[0]
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    whole = fg.run(**arguments_of("stop", size))
    assert_same(result, whole)
    assert (fg.load(path).steps < whole.steps).any()
    assert_same(fg.run(**arguments_of("stop", size), checkpoint=path), whole)


def test_no_checkpoint_is_written_sooner_than_asked(tmp_path, monkeypatch):
    """Only at the end, where the interval is long; about as often as asked, where it is short."""
    write, times = checkpoint.write, []

    def noted(*arguments):
        times.append(time.monotonic())
        write(*arguments)

    monkeypatch.setattr(checkpoint, "write", noted)
    arguments = arguments_of("stop", SIZES["stop"])
    fg.run(**arguments, checkpoint=tmp_path / "long", checkpoint_every=1e6)
    assert len(times) == 1
    times.clear()
    fg.run(**arguments, checkpoint=tmp_path / "short", checkpoint_every=0.1)
    assert len(times) > 1
    assert np.diff(times[:-1]).min(initial=1.0) >= 0.1


@pytest.mark.parametrize("stream", ["fastgames", "numpy"])
def test_every_checkpoint_holds_what_was_done_until_then(stream, tmp_path, monkeypatch):
    """Of replicas on their way too, which no stop or snapshot has written back."""
    write, seen = checkpoint.write, []

    def noted(path, result, *others):
        seen.append(result.steps.copy())
        write(path, result, *others)

    monkeypatch.setattr(checkpoint, "write", noted)
    more = {"replicas": 1, "stream": stream, "rng": 1, "threads": 1, "progress": False}
    path = tmp_path / "some.ckpt"
    steps = 20_000_000 if stream == "fastgames" else 6_000_000
    fg.run(GAME, LEARNERS, steps, checkpoint=path, checkpoint_every=0.01, **more)
    assert len(seen) > 2
    assert (seen[0] > 0).all()
    assert (np.diff(seen[:-1], axis=0) > 0).all()
