"""Every measure in every kind of game: a result, or a refusal that names what it needs."""

import numpy as np
import pytest

import fastgames as fg
from fastgames.analysis import (
    best_responses,
    deviation_response,
    limit_cycle,
    limit_distribution,
    profit_gain,
)
from fastgames.games import CATALOGUE

MEASURES = {
    "limit_cycle": limit_cycle,
    "limit_distribution": limit_distribution,
    "best_responses": best_responses,
    "deviation_response": lambda *given, **more: deviation_response(*given, agent=0, **more),
    "profit_gain": lambda game, *greedy: profit_gain(
        limit_cycle(game, *greedy) if greedy else game, -1000.0, 1000.0
    ),
}
measures = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
PROCEDURAL = [name for name in CATALOGUE if isinstance(CATALOGUE[name](), fg.ProceduralGame)]


def played(game):
    return fg.run(game, fg.QLearner(), 30, replicas=2, rng=1, backend="reference")


def greedy(result):
    return [result.greedy(i) for i in range(result.game.num_agents)]


@measures
@pytest.mark.parametrize("title", PROCEDURAL)
def test_a_game_of_functions_is_refused_and_the_game_that_serves_is_named(title, measure):
    result = played(CATALOGUE[title]())
    message = r"game must have tables .* got <ProceduralGame .*pass fastgames.tabulate\(game\)"
    with pytest.raises(TypeError, match=message):
        measure(result)
    with pytest.raises(TypeError, match=message):
        measure(result.game, greedy(result))
    with pytest.raises(TypeError, match=message):
        limit_cycle(result.game)  # the game is at fault, not the policies that were not given


def random(**more):
    return fg.games.random_markov_game(2, 6, 2, rng=1, **more)


WITH_CHANCE = ["supervisor"]
KINDS = {
    name: CATALOGUE[name]() for name in CATALOGUE if name not in [*PROCEDURAL, *WITH_CHANCE]
} | {
    "remember": fg.remember(fg.games.chicken()),
    "remember different periods": fg.remember(fg.games.chicken(), (2, 1)),
    "three": fg.games.random_markov_game(3, 4, 2, rng=1),
    "partial": random(observations=3, terminal=1),
    "time limit": random(time_limit=5),
    "variants": fg.Variants([fg.games.penalty(k=-1), fg.games.penalty(k=-5)], [0, 1]),
    "variants with states": fg.Variants(
        [fg.remember(fg.games.penalty(k=k)) for k in (-1, -5)], [1, 0]
    ),
}


@measures
@pytest.mark.parametrize("title", KINDS)
def test_games_of_tables_are_measured(title, measure):
    game = KINDS[title]
    result = played(game)
    found = measure(result)
    by_policies = {"start": result.states} if measure is not MEASURES["profit_gain"] else {}
    if by_policies or game.compact.start_weights is None:
        measure(game, greedy(result), **by_policies)
    assert "2 replicas" in repr(found) or found.shape == (2,)


@measures
@pytest.mark.parametrize(
    "game", [random(transitions="random"), *(CATALOGUE[x]() for x in WITH_CHANCE)]
)
def test_chance_has_no_limit_cycle(measure, game):
    result = played(game)
    if measure is best_responses:
        assert best_responses(result).mutual_on_path is None
    elif measure is limit_cycle:
        with pytest.raises(ValueError, match=r"game must have deterministic .* limit_distribution"):
            measure(result)
    else:
        found = measure(result)
        assert "2 replicas" in repr(found) or found.shape == (2,)


@pytest.mark.parametrize("title", PROCEDURAL)
def test_initial_values_from_the_game_need_its_table(title):
    with pytest.raises(ValueError, match=r"initial must be a number or an array in a game of func"):
        fg.run(CATALOGUE[title](), fg.QLearner(initial=fg.UniformRivals()), 5, backend="reference")


@pytest.mark.parametrize("learner", [fg.MinimaxQ(), fg.COMA()], ids=["minimax", "coma"])
def test_a_table_over_too_many_joint_actions_is_refused_as_such(learner):
    game = fg.games.el_farol(70, 40)
    with pytest.raises(ValueError, match=r"table .q. of .* must have fewer than 2.31 entries"):
        fg.run(game, learner, 5, backend="reference")


def test_policies_may_be_arrays_of_any_form():
    cycle = limit_cycle(KINDS["remember"], np.zeros((2, 3, 4), np.uint8))
    assert cycle.length.tolist() == [1, 1, 1]
