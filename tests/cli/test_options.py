"""Every field of every learner and every parameter of every game is an option of `run`."""

import inspect
import re
import shlex

import numpy as np
import pytest

import fastgames as fg
from fastgames.cli import main as cli
from fastgames.cli.options import option, option_of_game, options_of
from fastgames.registry import GAMES, LEARNERS

#: The text and the value of a field by its kind; numbers lie in every domain.
GIVEN = {
    "number": ("0.5", 0.5),
    "initial": ("0.25", 0.25),
    "whole": ("3", 3),
    "flag": ("true", True),
    "text": ("red", "red"),
    "probabilities": ("1,0", [1.0, 0.0]),
}
OTHERS = {  # fields whose domain has none of these
    "low": ("-0.5", -0.5),
    "delta_win": ("0.001", 0.001),
    "ties": ("random", "random"),
    "deviation": ("none", "none"),
    "baseline": ("none", "none"),
    "weighting": ("central", "central"),
}
#: Where a field that is not of the learner itself is, and what goes with it.
EXPLORERS = {
    "epsilon": (fg.EpsilonGreedy, {}),
    "temperature": (fg.Softmax, {}),
    "ties": (fg.EpsilonGreedy, {"epsilon": 0.5}),
}
NOT_NONE = {"start": 1, "time_limit": 9}  # values of a game's parameters that are None by default


@pytest.fixture
def arguments(monkeypatch):
    """arguments(*words): the game and the learners of a command line of `run`."""

    class Called(Exception):
        pass

    def called(*words):
        def stop(game, learners, *rest, **more):
            raise Called(game, learners)

        monkeypatch.setattr(cli, "run_game", stop)
        with pytest.raises(Called) as raised:
            cli.main(["run", *words])
        return raised.value.args

    return called


def fields():
    return [(name, field) for name in LEARNERS for field in options_of(name)]


@pytest.mark.parametrize(("name", "field"), fields(), ids=str)
def test_every_field_of_a_learner(name, field, arguments):
    kind = LEARNERS[name]
    given = kind.sample(fg.games.matching_pennies(), 0)
    words = []
    for key, value in given.items():
        if key != field:
            words += [option(key), ",".join(map(str, np.ravel(value)))]
    form = kind.forms().get(field)
    text, value = OTHERS.get(field) or GIVEN["number" if form is None else form.kind]
    if form is None:
        explorer, more = EXPLORERS[field]
        given["explore"] = explorer(**more, **{field: value})
        words += [x for key, number in more.items() for x in (option(key), str(number))]
    else:
        given[field] = value
    run = ["matching_pennies", "--learner", name, option(field), text, *words]
    assert arguments(*run)[1] == [kind(**given)] * 2


def parameters():
    signatures = {name: inspect.signature(make) for name, make in GAMES.items()}
    return [(name, key) for name, made in signatures.items() for key in made.parameters]


@pytest.mark.parametrize(("name", "key"), parameters(), ids=str)
def test_every_parameter_of_a_game(name, key, arguments):
    default = inspect.signature(GAMES[name]).parameters[key].default
    value = NOT_NONE[key] if default is None else default
    text = ",".join(map(str, np.ravel(value)))
    game, _ = arguments(name, option_of_game(key), text)
    expected = GAMES[name](**{key: value})
    if isinstance(game, fg.ProceduralGame):
        assert game.made == expected.made
        if isinstance(value, bool):
            game, _ = arguments(name, option_of_game(key), str(not value))
            assert game.made == GAMES[name](**{key: not value}).made
    else:
        assert game == expected


def test_options_change_the_game(arguments):
    expected = fg.games.bar_problem(9, rewards="own").made
    assert arguments("bar_problem:rewards=own", "--agents", "9")[0].made == expected
    assert arguments("bar_problem", "--agents", "9", "--rewards", "own")[0].made == expected
    game, _ = arguments("penalty", "--k", "-10")
    assert game == fg.games.penalty(k=-10)
    game, learners = arguments("linear_bertrand", "--game-gamma", "0.25", "--gamma", "0.5")
    np.testing.assert_array_equal(game.payoffs, fg.games.linear_bertrand(gamma=0.25).payoffs)
    assert learners[0].gamma == 0.5
    game, _ = arguments("logit_bertrand", "--a", "2,2.5", "--firms", "2")
    np.testing.assert_array_equal(game.payoffs, fg.games.logit_bertrand(a=[2, 2.5]).payoffs)


def test_step_sizes_and_initial_values_by_name(arguments):
    _, learners = arguments("chicken", "--alpha", "visits:0.6", "--initial", "uniform_rivals")
    assert learners == [fg.QLearner(fg.VisitCount(0.6), initial=fg.UniformRivals())] * 2
    _, learners = arguments("chicken", "--alpha", "visits", "--initial", "1,2")
    assert learners == [fg.QLearner(fg.VisitCount(), initial=[1.0, 2.0])] * 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("chicken --k 3", "k must go with a game that has it, got '3' for 'chicken'"),
        ("penalty:k=-1 --k -2", "k of 'penalty' must be given once, got --k as well"),
        ("chicken --eta 0.1", "eta must go with a learner that has it, got '0.1' for agent 0"),
        ("chicken --learner hedge --eta -1", r"eta must be in \[0, inf\), got -1.0"),
        ("chicken --counterfactual perhaps", "counterfactual must be one of 'true', 'false'"),
        ("chicken --alpha visits:x", "alpha must be a number, exponential.*got 'x'"),
        ("chicken --learner hedge --eta visits", "eta must be real numbers"),
        ("chicken --initial high", "initial must be a number, one for each action.*got 'high'"),
        ("penalty --k ''", "k must be a number, got ''"),
        ("chicken --alpha ''", "alpha must be a number, exponential.*got ''"),
        ("pursuit --torus maybe", "torus must be a number"),
        ("linear_bertrand:gamma=.5 --game-gamma .5", "got --game-gamma as well"),
    ],
)
def test_wrong_options(given, said, capsys):
    assert cli.main(["run", *shlex.split(given)]) == 2
    assert re.search(said, capsys.readouterr().err)


def test_help_says_what_the_docstrings_say(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["run", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--eta X hedge: The learning rate, in [0, inf)." in shown
    assert "instead of one sampled from policy[o], in [0, 1]." in shown  # no markup
    assert "Payoff of both agents for (a, c) and (c, a)" in shown
