"""Runs in the workers of real executors have the bits of a run in this process."""

import builtins
import contextlib
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from library.parts import EACH, TOTAL, dilemma, keep, same_contents, same_kept, variants

import fastgames as fg
from fastgames._common.interrupt import noted_interrupts

pytestmark = [
    pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*use of fork.* may lead to deadlocks:DeprecationWarning"),
]


# Functions of a learner as users write them: in a module, and in a script or a notebook.


def choose(tables, p, observation, u):
    return int(u * 2) if tables.q[observation, 0] == 0.0 else int(tables.q[observation].argmax())


def learn(tables, p, t):
    tables.q[t.observation, t.action] += p.rate * (t.gain - tables.q[t.observation, t.action])


def keep_tables(part):
    return {"first": part.tables[0]["q"], "own": part.numbers % 2 == 0}


SCRIPT = """
import numpy as np

def greedy(row):
    return int(np.argmax(row))

def choose(tables, p, observation, u):
    return int(u * 2) if u < 0.2 else greedy(tables.q[observation])

def learn(tables, p, t):
    tables.q[t.observation, t.action] += p.rate * 0.5 * (t.gain - tables.q[t.observation, t.action])

def keep(part):
    return {"best": part.tables[0]["q"].max(axis=(1, 2)), "own": part.numbers % 2 == 0}
"""
script = {"__name__": "__main__"}
exec(SCRIPT, script)


QLEARNER = fg.QLearner(EACH, explore=fg.EpsilonGreedy(0.3))
OF_MODULE = fg.Learner(choose, learn, parameters={"rate": EACH})
OF_SCRIPT = fg.Learner(script["choose"], script["learn"], parameters={"rate": EACH})
WINDOW = fg.Record(flips=True, joint_actions=True, rewards=True, last=7)
PATH = fg.Record(every=[0, 9], greedy=True, tables=("q",), path=3, policies=True)
CALLS = {
    "matrix game": {"game": fg.games.matching_pennies(), "record": fg.Record(rewards=True)},
    "stop": {"stop": fg.Stable(15)},
    "window": {"record": WINDOW, "stop": fg.Stable(15)},
    "snapshots": {"record": PATH},
    "variants": {"game": variants(), "record": WINDOW},
    "users": {"learners": OF_MODULE, "keep": keep_tables},
    "script": {"learners": OF_SCRIPT, "backend": "reference", "keep": script["keep"]},
    "compiled script": {"learners": OF_SCRIPT, "only": [1, 2, 3, 7, 10], "keep": script["keep"]},
}
BASE = {"game": dilemma(), "learners": QLEARNER, "steps": 30, "replicas": TOTAL, "rng": 2**33 + 1}


# Executors of each kind, as context managers.


def pool(method, workers):
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method))


@contextlib.contextmanager
def loky_pool(workers):
    loky = pytest.importorskip("loky")
    executor = loky.get_reusable_executor(workers)
    yield executor
    executor.shutdown()


@contextlib.contextmanager
def dask_client(workers):
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        n_workers=workers, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        yield client.get_executor()


@contextlib.contextmanager
def ray_executor(workers):
    pytest.importorskip("ray")
    with fg.distributed.RayExecutor(
        num_cpus=workers, include_dashboard=False, log_to_driver=False
    ) as executor:
        yield executor


KINDS = {
    **{method: partial(pool, method) for method in ("fork", "spawn", "forkserver")},
    "loky": loky_pool,
    "dask": dask_client,
    "ray": ray_executor,
}
METHODS = multiprocessing.get_all_start_methods()  # Windows has no fork
QUICK = {("fork", 1), ("fork", 4), *((kind, 2) for kind in KINDS)}


def kinds():
    for kind in KINDS:
        marks = []
        if kind in ("fork", "forkserver") and kind not in METHODS:
            marks.append(pytest.mark.skip(reason="this system has no fork"))
        for workers in (1, 2, 4):
            slow = [] if (kind, workers) in QUICK else [pytest.mark.slow]
            yield pytest.param((kind, workers), marks=marks + slow, id=f"{kind}-{workers}")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home where Ray leaves a token, and the path on which workers find the tests.

    Ray replaces `print` in this process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "print", print)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.syspath_prepend(Path(__file__).parents[2])
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        yield


@pytest.fixture(scope="module", params=kinds())
def executor(request, home):
    kind, workers = request.param
    with KINDS[kind](workers) as made:
        made.kind = kind
        yield made


@cache
def whole(name):
    """Return the result of a call without executor."""
    return fg.run(**{n: v for n, v in (BASE | CALLS[name]).items() if n != "keep"})


@pytest.mark.parametrize("name", CALLS)
def test_workers_give_the_bits_of_one_run(name, executor):
    call = BASE | CALLS[name]
    kept = call.pop("keep", keep)
    same_contents(fg.run(**call, executor=executor, chunk=2), whole(name))
    result = fg.run(**call, executor=executor, chunk=5, keep=kept)
    if kept is keep:
        same_kept(result, whole(name))
    else:
        for array, wanted in kept(whole(name)).items():
            np.testing.assert_array_equal(result.kept[array], wanted)


def test_a_resumed_run(executor):
    call = BASE | CALLS["window"] | {"replicas": None, "rng": None, "resume": whole("window")}
    call |= {"stop": None, "record": None}
    same_contents(fg.run(**call, executor=executor, chunk=5), fg.run(**call))


def test_without_chunk_there_are_more_groups_than_workers(executor, tmp_path):
    """Sizes are chosen by the number of workers, which every executor tells."""
    call = BASE | {"learners": fg.QLearner(), "replicas": 1000}
    result = fg.run(**call, executor=executor, checkpoint=tmp_path)
    assert len(list(tmp_path.glob("*.zip"))) > 8
    same_contents(result, fg.run(**call))


def test_errors_of_workers_leave_the_other_replicas(executor):
    """The error is the one that a run without executor raises."""

    def odd(tables, p, observation, u):
        return 7 if p.bad > 0.5 else 0

    def fails(part):
        if 4 in part.numbers:
            raise ZeroDivisionError("no")
        return keep(part)

    bad = (np.arange(TOTAL) == 9) * 1.0
    learner = fg.Learner(odd, learn, parameters={"bad": bad, "rate": 0.1})
    with pytest.raises(fg.RuleError, match=r"returned 7, but .*\(replica 9, step 0\)$") as caught:
        fg.run(**BASE | {"learners": learner, "backend": "reference"}, executor=executor, chunk=1)
    assert 9 not in caught.value.result.numbers
    with pytest.raises(fg.KeepError, match=r"^keep raised ZeroDivisionError: no \(replicas 4 to 5"):
        fg.run(**BASE, executor=executor, chunk=2, keep=fails)


# A worker that is killed.


def deadly(folder, times):
    """Return a function `keep` that kills its process, so many times, when it sees replica 5.

    It leaves a file in `folder` for each replica.
    """

    def keep(part):
        if 5 in part.numbers:
            for time in range(times):
                if not Path(f"{folder}/kill {time}").exists():
                    Path(f"{folder}/kill {time}").touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        for number in part.numbers:
            Path(f"{folder}/{number}").touch()
        return {"best": part.tables[0]["q"].max(axis=(1, 2)), "number": part.numbers}

    return keep


@cache
def best():
    return fg.run(**BASE).tables[0]["q"].max(axis=(1, 2))


def check_kept(result):
    """Check that a result has the bits of these replicas."""
    np.testing.assert_array_equal(result.kept["number"], result.numbers)
    np.testing.assert_array_equal(result.kept["best"], best()[result.numbers])


def check_missing(error):
    """Check that an error has what was finished, and names the rest, replica 5 among it."""
    (text,) = re.findall(r"; replicas ([\d to,]+) are missing$", str(error))
    ranges = [[int(x) for x in stretch.split(" to ")] for stretch in text.split(", ")]
    named = [number for ends in ranges for number in range(ends[0], ends[-1] + 1)]
    found = [] if error.result is None else error.result.numbers.tolist()
    assert 5 in named
    assert sorted(named + found) == list(range(TOTAL))
    if found:
        check_kept(error.result)


def reusable(workers):
    return pytest.importorskip("loky").get_reusable_executor(workers)


def pools():
    methods = [pytest.param(partial(pool, method), id=method) for method in METHODS]
    return pytest.mark.parametrize("make", [*methods, pytest.param(reusable, id="loky")])


@pools()
@pytest.mark.parametrize("workers", [1, 2])
def test_a_pool_that_broke_is_made_again_once(make, workers, tmp_path):
    made = []

    def executor():
        made.append(make(workers))
        return made[-1]

    result = fg.run(**BASE, executor=executor, chunk=2, keep=deadly(tmp_path, 1))
    check_kept(result)
    assert result.replicas == TOTAL
    assert len(made) == 2


@pools()
def test_a_second_break_leaves_what_was_finished(make, tmp_path):
    """A second start runs the rest."""
    (tmp_path / "run").mkdir()
    call = BASE | {"executor": partial(make, 2), "chunk": 2, "keep": deadly(tmp_path / "run", 2)}
    said = r"(?s)^the executor broke: .*[^.]; replicas "
    with pytest.raises(fg.Interrupted, match=said) as caught:
        fg.run(**call, checkpoint=tmp_path / "folder")
    check_missing(caught.value)
    result = caught.value.result
    finished = [] if result is None else result.numbers
    for number in finished:
        (tmp_path / f"run/{number}").unlink()
    result = fg.run(**call, checkpoint=tmp_path / "folder")
    check_kept(result)
    assert result.replicas == TOTAL
    assert not any((tmp_path / f"run/{number}").exists() for number in finished)


@pools()
def test_a_live_pool_that_breaks_ends_the_run(make, tmp_path):
    with make(1) as live:
        with pytest.raises(fg.Interrupted, match=r"^the executor broke: ") as caught:
            fg.run(**BASE, executor=live, chunk=2, keep=deadly(tmp_path, 1))
        check_missing(caught.value)
        with pytest.raises(fg.Interrupted, match=r"replicas 0 to 11 are missing$") as caught:
            fg.run(**BASE, executor=live)
        assert caught.value.result is None


def test_dask_and_ray_run_the_tasks_of_a_dead_worker_again(executor, tmp_path):
    """They give up a task whose workers die every time; the executor can be used further."""
    if executor.kind not in ("dask", "ray"):
        pytest.skip("pools break when a worker dies")
    (tmp_path / "often").mkdir()
    check_kept(fg.run(**BASE, executor=executor, chunk=2, keep=deadly(tmp_path, 1)))
    with pytest.raises(fg.Interrupted, match=r"^the executor broke: ") as caught:
        fg.run(**BASE, executor=executor, chunk=2, keep=deadly(tmp_path / "often", 99))
    check_missing(caught.value)
    same_contents(fg.run(**BASE, executor=executor, chunk=5), fg.run(**BASE))


# Ctrl-C.

PROGRAM = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
import numpy as np
import fastgames as fg

if __name__ == "__main__":
    method, folder, live = sys.argv[1], sys.argv[2], sys.argv[3] == "live"
    epsilon = fg.Piecewise([0, 1], [0.0, (np.arange(12) > 3) * 1.0])  # replicas 0 to 3 stop
    learner = fg.QLearner(explore=fg.EpsilonGreedy(epsilon))
    game = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
    make = partial(ProcessPoolExecutor, 2, multiprocessing.get_context(method))
    executor = make() if live else make
    try:
        fg.run(
            game, learner, 10**12, 12, rng=1, stop=fg.Stable(10**4), executor=executor, chunk=2,
            checkpoint=folder,
        )
    except fg.Interrupted as error:
        print(error)
        error.result.save(f"{folder}/result")
    if live:
        executor.shutdown()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in METHODS])
@pytest.mark.parametrize("live", ["made", "live"])
def test_ctrl_c_returns_what_came_back(method, live, tmp_path):
    """It ends the processes that work on, those of a live pool by the terminal's signal to all."""
    program, folder = tmp_path / "program.py", tmp_path / "folder"
    program.write_text(textwrap.dedent(PROGRAM))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", program, method, folder, live], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while process.poll() is None and len(list(folder.glob("*.zip"))) < 2:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        if live == "live":
            os.killpg(process.pid, signal.SIGINT)
        else:
            os.kill(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert said == "the run was interrupted; replicas 4 to 11 are missing\n"
    result = fg.load(folder / "result")
    with pytest.warns(RuntimeWarning, match="^merged 4 of 12 replicas, none of 4 to 11$"):
        merged = fg.merge(list(folder.glob("0*.zip")), partial=True)
    same_contents(result, merged)
    assert result.numbers.tolist() == [0, 1, 2, 3]


@pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")
def test_sigint_interrupts_a_process_that_was_forked_while_it_is_noted():
    with noted_interrupts() as came:
        child = os.fork()
        if not child:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                os._exit(3)
            os._exit(4)
        _, status = os.waitpid(child, 0)
        assert not came()
    assert os.waitstatus_to_exitcode(status) == 3
