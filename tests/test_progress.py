"""The progress bar shows how far a run is, where it is wanted, and changes nothing."""

import builtins

import pytest

import fastgames as fg
from fastgames import progress

PENNIES = fg.games.matching_pennies()


def run(**arguments):
    return fg.run(PENNIES, fg.QLearner(), steps=1000, replicas=100, rng=1, **arguments)


def test_progress_changes_no_bits(assert_same):
    pytest.importorskip("rich")
    assert_same(run(progress=True), run(progress=False))


class Bar:
    """Notes what it is told."""

    def __init__(self):
        self.total, self.told = None, []

    def add_task(self, text, total, rate):
        self.total = total
        return 1

    def update(self, task, completed, rate):
        self.told.append(completed)

    def start(self): ...

    def stop(self): ...


def told(monkeypatch, **arguments):
    """The total of a bar, and what it was told of."""
    bar = Bar()
    monkeypatch.setattr(progress, "_bar", lambda: bar)
    arguments = {"replicas": 4000, "steps": 100_000, "rng": 1, "progress": True, **arguments}
    fg.run(PENNIES, fg.QLearner(), **arguments)
    assert bar.told == sorted(bar.told)
    return bar.total, bar.told


def test_a_bar_is_told_of_steps_or_of_replicas_where_they_may_stop(monkeypatch):
    total, seen = told(monkeypatch)
    assert total == 4000 * 100_000
    assert 0 < seen[-1] <= total
    more = {"stop": fg.Stable(2000), "steps": 20_000}
    total, seen = told(monkeypatch, replicas=1000, **more)
    assert total == 1000
    assert all(0 <= done <= 1000 for done in seen)
    done = fg.run(PENNIES, fg.QLearner(), steps=30, replicas=50, rng=1, stop=fg.Stable(6))
    left = int((~done.stopped).sum())
    assert 0 < left < 50
    total, _ = told(monkeypatch, resume=done, replicas=None, rng=None, **more | {"steps": 9})
    assert total == 50  # another rule: all go on
    total, _ = told(monkeypatch, resume=done, replicas=None, rng=None, stop=fg.Stable(6), steps=9)
    assert total == left


def test_no_bar_where_nobody_looks(capfd):
    run(progress=False)
    run()  # standard error is no terminal here
    assert capfd.readouterr() == ("", "")


def test_a_bar_that_is_asked_for_needs_rich_and_says_what_to_install(monkeypatch):
    def without_rich(name, *arguments, **keywords):
        if name.split(".")[0] == "rich":
            raise ImportError(name)
        return load(name, *arguments, **keywords)

    load = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_rich)
    with pytest.raises(ImportError, match=r"fastgames-engine\[cli\]"):
        run(progress=True)
    run(progress=None)
