"""The examples in docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest
from library.papers import COMPILED

import fastgames
from fastgames.papers import NAMES

SLOW = {NAMES[name].__module__ for name in COMPILED}


def modules():
    found = pkgutil.walk_packages(fastgames.__path__, "fastgames.")
    return ["fastgames", *(m.name for m in found if not m.name.startswith("fastgames._core."))]


@pytest.mark.parametrize(
    "name", [pytest.param(x, marks=pytest.mark.slow if x in SLOW else ()) for x in modules()]
)
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    tests = [
        t for name in modules() for t in finder.find(importlib.import_module(name)) if t.examples
    ]
    assert len(tests) >= 5


def test_all_public_names_are_documented():
    for name in fastgames.__all__:
        thing = getattr(fastgames, name)
        assert name == "isa" or thing.__doc__
