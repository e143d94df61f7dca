"""The progress bar shows how far a run is, where it is wanted, and changes nothing."""

import builtins
import io
import sys
import types

import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames.engine import progress

PENNIES = fg.games.matching_pennies()


def run(**arguments):
    return fg.run(PENNIES, fg.QLearner(), steps=1000, replicas=100, rng=1, **arguments)


def test_progress_changes_no_bits():
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
    monkeypatch.setattr(progress, "_on_terminal", lambda: True)
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
    monkeypatch.setattr(progress, "_on_terminal", lambda: True)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(builtins, "__import__", without_rich)
    with pytest.raises(ImportError, match=r"fastgames-engine\[cli\]"):
        run(progress=True)
    run(progress=None)


# --- notebooks ----------------------------------------------------------------------------------


class Shown:
    """Displays of IPython, and the displays that replace them."""

    def __init__(self):
        self.forms = []

    def display(self, form, *, display_id, raw):
        assert display_id is True
        assert raw is True
        self.forms.append(form)
        return self

    def update(self, form, *, raw):
        assert raw is True
        self.forms.append(form)


def kernel(monkeypatch, shell):
    """Stand in for IPython in this process; what it shows."""
    shown = Shown()
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython, display.display, ipython.display = lambda: shell, shown.display, display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


NOTEBOOK = types.SimpleNamespace(kernel=object())


def test_a_notebook_has_a_bar_without_being_asked(monkeypatch, capfd):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "OFTEN", 0.0)
    shown = kernel(monkeypatch, NOTEBOOK)
    result = run()
    assert_same(result, run(progress=False))
    assert shown.forms[0]["text/plain"] == "stepping 0 %, 0:00 passed"
    assert shown.forms[-1]["text/plain"].startswith("stepping 100 %, 0:00 passed, ")
    assert '<progress value="100000" max="100000"></progress>' in shown.forms[-1]["text/html"]
    assert capfd.readouterr() == ("", "")


def test_short_work_and_progress_false_show_nothing_in_a_notebook(monkeypatch):
    shown = kernel(monkeypatch, NOTEBOOK)
    run()
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    run(progress=False)
    assert shown.forms == []


@pytest.mark.parametrize("shell", [None, types.SimpleNamespace()])
def test_ipython_on_a_terminal_is_no_notebook(monkeypatch, shell):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    shown = kernel(monkeypatch, shell)
    run()
    assert shown.forms == []


def test_a_bar_in_a_notebook_is_not_drawn_more_often_than_can_be_seen(monkeypatch):
    shown = kernel(monkeypatch, NOTEBOOK)
    cell = progress.Cell(100)
    for k in range(100):
        cell.update(k, k * 0.1, k)
    cell.update(100, 10.0, 100)
    cell.stop()
    assert len(shown.forms) == 1 + 20 + 1
    assert shown.forms[-1]["text/plain"].startswith("stepping 100 %")


@pytest.mark.parametrize(
    ("steps", "rate"),
    [
        (1_234, "1.2 k"),
        (45_678, "46 k"),
        (100_000, "0.10 M"),
        (9_876_000, "9.88 M"),
        (12_345_678, "12 M"),
        (2_000_000_000, "2,000 M"),
    ],
)
def test_a_rate_has_two_or_three_digits(steps, rate):
    assert progress.said(1, 1, 10.0, 10 * steps) == f"100 %, 0:10 passed, {rate} steps/s"


# --- logs ---------------------------------------------------------------------------------------


def lines(monkeypatch, seconds, show=None):
    """Return the lines that a run writes to a log, with one step a second by its own clock."""
    now, log = [0.0], io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", log)
    with progress.reporter(seconds, show) as report:
        for second in range(1, seconds + 1):
            now[0] = float(second)
            report(second, second * 3_000_000)
    return log.getvalue().splitlines()


def test_a_log_has_a_line_now_and_then(monkeypatch):
    assert lines(monkeypatch, 60) == []
    found = lines(monkeypatch, 1000)
    assert found == [
        "fastgames: 6 %, 1:01 passed, 3.00 M steps/s, about 15:39 left",
        "fastgames: 12 %, 2:02 passed, 3.00 M steps/s, about 14:38 left",
        "fastgames: 24 %, 4:04 passed, 3.00 M steps/s, about 12:36 left",
        "fastgames: 48 %, 8:08 passed, 3.00 M steps/s, about 8:32 left",
        "fastgames: 97 %, 16:16 passed, 3.00 M steps/s, about 0:24 left",
        "fastgames: 100 %, 16:40 passed, 3.00 M steps/s",
    ]
    day = lines(monkeypatch, 86_400)
    hourly = (86_400 - 64 * 61) // 3600
    assert len(day) == 7 + hourly + 1  # after 61 s doubled six times, then one an hour; the last
    assert day[-1].startswith("fastgames: 100 %, 24:00:00 passed")


def test_a_log_has_lines_from_the_first_second_where_they_are_asked_for(monkeypatch):
    assert len(lines(monkeypatch, 10, True)) == 5  # after 1, 2, 4, 8 seconds, and the last
    assert lines(monkeypatch, 1000, False) == []


def test_a_log_that_is_closed_or_missing_ends_no_run(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "MINUTE", 0.0)
    closed = io.StringIO()
    closed.close()
    for log in (closed, None):
        monkeypatch.setattr(sys, "stderr", log)
        assert (run().steps == 1000).all()
