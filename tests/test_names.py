"""The indexes of names: what stands in them is what the modules define."""

import importlib
from pathlib import Path

import names
import pytest
from library.processes import output_of

import fastgames as fg
from fastgames import games
from fastgames.games import CATALOGUE, _names
from fastgames.registry import LEARNERS


@pytest.mark.parametrize("package", names.INDEXES)
def test_an_index_is_what_the_script_makes_of_it(package):
    written = names.path(package).read_text(encoding="utf-8")
    assert written == names.text(package), f"run `{names.COMMAND}` and commit the result"


def test_a_game_without_an_entry_is_found(monkeypatch):
    monkeypatch.delitem(_names.MODULES, "soccer")
    text = names.text("fastgames.games")
    assert text.index('"traffic": ') < text.index('"soccer": ')  # a new name comes last


def test_every_module_of_the_catalogue_is_a_game():
    folder = Path(importlib.import_module("fastgames.games.catalogue").__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert modules == set(CATALOGUE)
    assert set(_names.__all__) == set(CATALOGUE) <= set(games.__all__)


def test_names_are_known_before_modules_are_imported():
    program = """
import sys
from fastgames.games import CATALOGUE, names
assert "soccer" in CATALOGUE and "chess" not in CATALOGUE and len(names()) == len(CATALOGUE)
CATALOGUE["soccer"]
package = "fastgames.games.catalogue."
assert [name for name in CATALOGUE if package + name in sys.modules] == ["soccer"]
"""
    output_of(program)


def test_no_learner_is_imported_before_it_is_used():
    program = """
import sys
import fastgames as fg
before = set(sys.modules)
fg.Hedge
learners = {name for name in set(sys.modules) - before if name.startswith("fastgames.learners.")}
assert learners == {"fastgames.learners.hedge", "fastgames.learners.regret"}, learners
"""
    output_of(program)


def test_every_learner_is_registered_under_its_name():
    for name, kind in LEARNERS.items():
        assert kind.name == name
        assert getattr(fg, kind.__name__) is kind
        assert kind.title and kind.formula and kind.example


def test_the_catalogue_is_read_only():
    with pytest.raises(TypeError, match="does not support item assignment"):
        CATALOGUE["chess"] = games.jordan
    with pytest.raises(KeyError, match="chess"):
        CATALOGUE["chess"]
