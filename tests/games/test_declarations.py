"""Declarations of the games of the catalogue."""

import pickle
from inspect import signature

import pytest

from fastgames._common import checks
from fastgames.games import CATALOGUE, MarkovGame
from fastgames.games.registry import about

every_game = pytest.mark.parametrize("name", CATALOGUE)


@every_game
def test_a_declaration_leaves_the_function_as_it_is(name):
    build = CATALOGUE[name]
    assert build.__name__ == build.__module__.rpartition(".")[2] == name
    assert pickle.loads(pickle.dumps(build)) is build


def test_titles_differ():
    titles = [about(name).title for name in CATALOGUE]
    assert all(titles) and len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", [k for k, make in CATALOGUE.items() if type(make()) is MarkovGame])
def test_games_with_terminal_states_say_that_they_end(name):
    assert about(name).ends == CATALOGUE[name]().terminal.any()


@every_game
def test_games_whose_payoffs_are_too_many_for_a_table_have_a_formula(name):
    game = CATALOGUE[name]()
    if hasattr(game, "payoffs") and max(game.num_actions) > 5:  # see docs/site/pages.py
        assert about(name).formula


DOMAINS = [(name, *pair) for name in CATALOGUE for pair in about(name).domains.items()]


@pytest.mark.parametrize(("name", "parameter", "domain"), DOMAINS)
def test_a_parameter_outside_its_declared_domain_is_refused(name, parameter, domain):
    default = signature(CATALOGUE[name]).parameters[parameter].default
    assert not checks.outside(default, domain)
    kind = type(default)
    refused = [x for x in (-(10**20), -1, 0, 1, 10**20) if checks.outside(x, domain)]
    assert refused
    for value in refused:
        with pytest.raises(ValueError) as caught:
            CATALOGUE[name](**{parameter: kind(value)})
        said = str(caught.value)
        assert said.startswith(f"{parameter} must be a ") and f" in {domain}, got " in said
