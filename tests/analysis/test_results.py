"""The measures of a Result are those of its game, its greedy policies and where it stands."""

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
from fastgames.games import Variants, prisoners_dilemma, remember

REPLICAS = 20
VARIANTS = Variants(
    [remember(prisoners_dilemma(temptation=t), start="uniform") for t in (4, 5)],
    np.arange(REPLICAS) % 2,
)


@pytest.fixture(scope="module", params=[VARIANTS.games[0], VARIANTS], ids=["game", "variants"])
def result(request):
    learner = fg.QLearner(explore=fg.EpsilonGreedy(0.5))
    return fg.run(request.param, learner, steps=100, replicas=REPLICAS, rng=1, backend="reference")


@pytest.mark.parametrize(
    "measure",
    [
        limit_cycle,
        limit_distribution,
        best_responses,
        lambda *a, **k: deviation_response(*a, agent=1, **k),
    ],
)
def test_measures_of_a_result(result, measure):
    greedy = [result.greedy(0), result.greedy(1)]
    assert len(set(result.states)) > 1
    for found, expected in (
        (measure(result), measure(result.game, greedy, start=result.states)),
        (measure(result, start=3), measure(result.game, greedy, start=3)),
        (measure(result, greedy[::-1]), measure(result.game, greedy[::-1], start=result.states)),
    ):
        for name, array in vars(found).items():
            np.testing.assert_array_equal(array, getattr(expected, name))


def test_profit_gain_of_a_result(result):
    cycle = limit_cycle(result)
    expected = (cycle.rewards.mean(axis=1) - 1) / 2
    np.testing.assert_allclose(profit_gain(result, 1, 3), expected, atol=1e-15)
    assert len(set(expected)) > 1


def test_policies_of_other_replicas_are_refused(result):
    with pytest.raises(ValueError, match=r"as many replicas as the result, 20, got 1"):
        limit_cycle(result, [[[0] * 4], [[0] * 4]])
