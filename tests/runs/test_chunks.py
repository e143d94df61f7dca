"""Runs with `keep` or an executor have the bits of a run without."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.parts import (
    CASES,
    EACH,
    TOTAL,
    calls,
    dilemma,
    keep,
    same_contents,
    same_kept,
)

import fastgames as fg
from fastgames.runs import chunks

pytestmark = pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
CALL = {"game": dilemma(), "learners": fg.QLearner(EACH), "steps": 30, "replicas": TOTAL, "rng": 1}


class Lazy:
    """An executor whose futures call nobody: all that `executor` needs."""

    class Future:
        def __init__(self, function, arguments):
            self.function, self.arguments = function, arguments

        def result(self):
            return self.function(*self.arguments)

    def submit(self, function, *arguments):
        return self.Future(function, arguments)


EXECUTORS = {"none": None, "threads": lambda: ThreadPoolExecutor(2), "lazy": Lazy()}


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=15)
@given(
    data=st.data(), executor=st.sampled_from(list(EXECUTORS)), chunk=st.integers(1, TOTAL + 1),
    resumed=st.booleans(), kept=st.booleans(), only=st.sampled_from([None, [0, 2, 3, 7, 11]]),
)  # fmt: skip
def test_chunks_have_the_bits_of_one_run(case, data, executor, chunk, resumed, kept, only):
    call = data.draw(calls(case)) | {"replicas": TOTAL, "rng": 2**33 + 1, "only": only}
    record = call["record"]
    if resumed and (call["stop"] is None or record is None or record.every is None):
        before = fg.run(**call)
        call |= {"replicas": None, "rng": None, "only": None, "resume": before, "steps": 10}
    whole = fg.run(**call)
    kept = kept or executor == "none"
    more = {"keep": keep} if kept else {}
    result = fg.run(**call, **more, executor=EXECUTORS[executor], chunk=chunk)
    if kept:
        same_kept(result, whole)
    else:
        same_contents(result, whole)


def learn(tables, p, t):
    tables.q[t.observation, t.action] += p.rate * (t.gain - tables.q[t.observation, t.action])


def choose(tables, p, observation, u):
    return int(u * 2) if tables.q[observation, 0] == 0.0 else int(tables.q[observation].argmax())


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_learners_of_users_in_chunks(backend):
    learner = fg.Learner(choose, learn, parameters={"rate": EACH})
    call = CALL | {"learners": learner, "backend": backend}
    whole = fg.run(**call)
    same_contents(fg.run(**call, executor=lambda: ThreadPoolExecutor(2), chunk=5), whole)


def test_without_chunk_the_sizes_follow_the_time(monkeypatch):
    """Groups are made so long that they take SECONDS, and more of them than workers."""
    sizes = []
    inner = chunks.Chunks._submit

    def submit(self, places):
        sizes.append(len(places))
        return inner(self, places)

    monkeypatch.setattr(chunks.Chunks, "_submit", submit)
    fg.run(**CALL | {"replicas": 5000, "learners": fg.QLearner()}, keep=keep, threads=2)
    assert sum(sizes) == 5000
    assert len(sizes) >= chunks.SHARE * 2
    assert sizes[0] == chunks.LEAST
    assert max(sizes) > chunks.LEAST
    sizes.clear()
    monkeypatch.setattr(chunks, "SECONDS", 0.0)
    call = CALL | {"learners": fg.QLearner(), "keep": keep, "threads": 2}
    for replicas, least in ((500, chunks.LEAST), (90, 45)):  # lanes are filled where there are many
        sizes.clear()
        fg.run(**call | {"replicas": replicas})
        assert set(sizes[:-1]) == {least}
    sizes.clear()
    fg.run(**call | {"replicas": 500, "steps": 1, "backend": "reference"})
    assert sizes[-1] == 1


def test_the_seed_is_drawn_once():
    call = CALL | {"rng": None}
    result = fg.run(**call, keep=keep, chunk=2)
    same_kept(result, fg.run(**CALL | {"rng": result.seed}))


def test_ctrl_c_returns_the_finished_replicas():
    """The second group raises the signal; what was finished is there, with its bits."""
    calls = []

    def interrupts(part):
        calls.append(part.numbers)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.2)  # the main thread hears of it before the other groups are done
        return keep(part)

    with pytest.raises(fg.Interrupted, match=r"interrupted; replicas .*11 are missing") as caught:
        fg.run(**CALL, keep=interrupts, chunk=3, threads=1)
    result = caught.value.result
    assert 3 <= result.replicas < TOTAL
    same_kept(result, fg.run(**CALL, only=result.numbers))
    assert threading.active_count() < 10


def test_ctrl_c_after_the_last_replica():
    def interrupts(part):
        if TOTAL - 1 in part.numbers:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.2)
        return keep(part)

    with pytest.raises(fg.Interrupted, match="no replica is missing") as caught:
        fg.run(**CALL, keep=interrupts, chunk=3, threads=1)
    same_kept(caught.value.result, fg.run(**CALL))


def test_ctrl_c_ends_long_groups_at_once():
    """Replicas of a group that is interrupted are kept if they are finished."""
    epsilon = fg.Piecewise([0, 1], [0.0, (np.arange(TOTAL) > 3) * 1.0])  # 0 to 3 stop
    learner = fg.QLearner(explore=fg.EpsilonGreedy(epsilon))
    call = CALL | {"learners": learner, "stop": fg.Stable(10**4), "steps": 10**12}
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(fg.Interrupted, match="replicas 4 to 11 are missing") as caught:
        fg.run(**call, keep=keep, chunk=TOTAL)
    same_kept(caught.value.result, fg.run(**call, only=slice(0, 4)))


def test_errors_of_keep_name_the_replicas_and_leave_the_others():
    def fails(part):
        if 4 in part.numbers:
            raise ZeroDivisionError("no")
        return keep(part)

    with pytest.raises(
        fg.KeepError, match=r"raised ZeroDivisionError: no \(replicas 3 to 5\)"
    ) as e:
        fg.run(**CALL, keep=fails, chunk=3, threads=1)
    assert e.value.numbers.tolist() == [3, 4, 5]
    assert e.value.result.numbers[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda part: None, "must return a dict of arrays .*, got None"),
        (lambda part: {"a": 1.0}, r"got 'a' of shape \(\) for 3 replicas"),
        (lambda part: {"a": part.steps[1:]}, r"got 'a' of shape \(2,\) for 3 replicas"),
        (lambda part: {"a": ["x"] * 3}, "must return arrays of numbers or booleans, got 'a'"),
        (lambda part: {"a": [[1], [1, 2], [3]]}, "must return a dict of arrays"),
        (lambda part: {"steps": part.steps}, "identifiers that a result does not use, got 'steps'"),
        (lambda part: {"a b": part.steps}, "got 'a b'"),
        (lambda part: {"a": part.steps * (0.5 if 4 in part.numbers else 1)}, "every time"),
        (lambda part: {"a" if 4 in part.numbers else "b": part.steps}, "every time"),
    ],
)  # fmt: skip
def test_what_keep_must_return(returned, said):
    with pytest.raises(fg.KeepError, match=f"keep .*{said}"):
        fg.run(**CALL, keep=returned, chunk=3, threads=1)


def test_an_error_in_a_worker_leaves_the_other_replicas():
    def odd(tables, p, observation, u):
        return 7 if p.bad > 0.5 else 0

    bad = (np.arange(TOTAL) == 9) * 1.0
    learner = fg.Learner(odd, learn, parameters={"bad": bad, "rate": 0.1})
    call = CALL | {"learners": learner, "backend": "reference"}
    with pytest.raises(fg.RuleError, match=r"\(replica 9, step 0\)") as caught:
        fg.run(**call, executor=lambda: ThreadPoolExecutor(1), chunk=3)
    assert caught.value.result.numbers.tolist()[:9] == list(range(9))


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"executor": 3}, TypeError, r"executor must have a method submit\(function"),
        ({"executor": lambda: 3}, TypeError, "executor must return an object with a method submit"),
        ({"keep": 3}, TypeError, "keep must be a function of a Result .*, got 3"),
        ({"keep": keep, "chunk": 0}, ValueError, "chunk must be a whole number of at least 1"),
        ({"keep": keep, "chunk": 1.5}, TypeError, "chunk must be"),
        ({"chunk": 2}, ValueError, "chunk needs keep or executor, got 2 without"),
        ({"keep": keep, "stream": "numpy", "replicas": 1}, ValueError, 'must be "fastgames" with'),
        ({"keep": keep, "checkpoint": 3}, TypeError, "checkpoint must be the path of a folder"),
    ],
)  # fmt: skip
def test_wrong_arguments(more, error, said):
    with pytest.raises(error, match=said):
        fg.run(**CALL | more)


@pytest.mark.parametrize(("stop", "total"), [(None, 30 * TOTAL), (fg.Stable(15), TOTAL)])
def test_progress_ends_at_the_total(stop, total, monkeypatch):
    """It counts replica-steps, or replicas where they may stop."""
    said = []

    @contextmanager
    def reporter(total, show):
        said.append((total, show))
        yield lambda done, steps: said.append((done, steps))

    monkeypatch.setattr(chunks, "reporter", reporter)
    result = fg.run(**CALL, stop=stop, keep=keep, chunk=1, progress=True)
    assert said[0] == (total, True)
    assert said[-1] == (total, result.steps.sum())
