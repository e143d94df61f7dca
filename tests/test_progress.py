"""The progress bar shows how far a run is, where it is wanted, and changes nothing."""

import builtins

import pytest

import fastgames as fg

PENNIES = fg.games.matching_pennies()


def run(**arguments):
    return fg.run(PENNIES, fg.QLearner(), steps=1000, replicas=100, rng=1, **arguments)


def test_progress_changes_no_bits(assert_same):
    pytest.importorskip("rich")
    assert_same(run(progress=True), run(progress=False))


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
    with pytest.raises(ImportError, match=r"fastgames\[cli\]"):
        run(progress=True)
    run(progress=None)
