"""Results of the analysis as data frames and data sets: every number in its row."""

import sys

import numpy as np
import pytest

import fastgames as fg
from fastgames.analysis import (
    best_responses,
    deviation_response,
    limit_cycle,
    limit_distribution,
)

SURE = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
CHANCE = fg.games.random_markov_game(2, 4, (2, 3), rng=1, transitions="random")


@pytest.fixture(scope="module", params=[SURE, CHANCE], ids=["sure", "chance"])
def swept(request):
    sweep = fg.grid(alpha=[0.1, 0.2, 0.4], repeats=2)
    learner = fg.QLearner(sweep.alpha)
    return fg.run(request.param, learner, 40, sweep, rng=1, backend="reference")


def test_a_distribution_by_states(swept):
    found = limit_distribution(swept)
    frame = found.to_pandas(swept, "states")
    assert list(frame) == [
        "replica", "alpha", "repeat", "alpha_0", "alpha_1", "state", "share", "action_0",
        "action_1",
    ]  # fmt: skip
    for row in frame.itertuples():
        assert row.share == found.state_shares[row.replica, row.state]
        assert row.alpha == [0.1, 0.2, 0.4][row.replica // 2]
        for i, name in enumerate((row.action_0, row.action_1)):
            greedy = swept.greedy(i)[row.replica, row.state]
            assert name == swept.game.actions[i][greedy]
    assert (frame.groupby("replica").share.sum() - 1).abs().max() < 1e-12
    plain = found.to_pandas(what="states")
    assert list(plain) == ["replica", "state", "share", "action_0", "action_1"]
    assert plain.action_1.tolist() == found.actions[:, 1].tolist()
    by_replica = found.to_pandas(swept)
    assert by_replica.reward_1.tolist() == found.rewards[:, 1].tolist()
    assert by_replica.attrs["game"] == swept.game.name
    assert by_replica.attrs["seed"] == 1


def test_a_cycle_by_states():
    result = fg.run(SURE, fg.QLearner(), 40, replicas=5, rng=1, backend="reference")
    cycle = limit_cycle(result)
    frame = cycle.to_pandas(result, "states")
    assert frame.state.tolist() == cycle.states.tolist()
    assert frame.groupby("replica").position.max().tolist() == (cycle.length - 1).tolist()
    frame = cycle.to_pandas()
    assert list(frame) == ["replica", "length", "reward_0", "reward_1"]
    assert frame.reward_0.tolist() == cycle.rewards[:, 0].tolist()


def test_best_responses_by_replicas_and_states(swept):
    found = best_responses(swept, values=True, policies=True)
    frame = found.to_pandas(swept)
    assert frame.optimal_1.tolist() == found.optimal[:, 1].tolist()
    assert frame.mutual.tolist() == found.mutual.tolist()
    assert ("loss_on_path_0" in frame) == (swept.game is SURE)
    for row in found.to_pandas(swept, "states").itertuples():
        place = (row.replica, row.agent, row.state)
        assert row.best == found.best[place]
        assert row.own == found.own[place]
        assert row.policy == found.policies[place]
    with pytest.raises(ValueError, match="what must be one of 'replicas', got 'states'"):
        best_responses(swept).to_pandas(what="states")


def test_a_deviation_by_periods(swept):
    found = deviation_response(swept, agent=1, after=2)
    frame = found.to_pandas(swept, "paths")
    assert len(frame) == found.prices.size
    for row in frame.itertuples():
        place = (row.replica, row.period + 1, row.agent)
        assert row.price == found.prices[place]
        assert row.reward == found.rewards[place]
        assert row.baseline_price == found.baseline_prices[place]
        assert row.baseline_reward == found.baseline_rewards[place]
    assert found.to_pandas().change.tolist() == found.change.tolist()


def test_data_sets_have_the_dimensions_of_the_grid(swept):
    found = deviation_response(swept, agent=0, after=2).to_xarray(swept)
    direct = deviation_response(swept, agent=0, after=2)
    assert found.prices.dims == ("alpha", "repeat", "period", "agent")
    picked = found.rewards.sel(alpha=0.2, repeat=1, period=0, agent=1)
    assert float(picked) == direct.rewards[3, 1, 1]
    shares = limit_distribution(swept)
    labelled = shares.to_xarray(swept)
    names = {f"action_{i}": swept.game.actions[i][1] for i in range(2)}
    picked = labelled.joint_action_shares.sel(alpha=0.4, repeat=0, **names)
    assert float(picked) == shares.joint_action_shares[4, 1, 1]
    labelled = best_responses(swept, values=True).to_xarray()
    assert labelled.best.dims == ("replica", "agent", "state")
    assert labelled.mutual.dims == ("replica",)


def test_variants_are_labelled():
    game = fg.Variants([SURE, SURE], [1, 0, 1])
    found = limit_cycle(game, [[[1] * 4] * 3] * 2)
    assert found.to_pandas(game).variant.tolist() == [1, 0, 1]
    assert found.to_xarray(game).variant.values.tolist() == [1, 0, 1]
    result = fg.run(game, fg.QLearner(), 5, 3, 1, backend="reference")
    assert limit_cycle(result).to_pandas(result).variant.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("of", "error", "message"),
    [
        (3, TypeError, "of must be a Result or a game, got 3"),
        (fg.Variants([SURE], [0] * 3), ValueError, "of must have the 2 replicas .* got 3"),
    ],
)
def test_bad_labels(of, error, message):
    found = limit_cycle(SURE, np.zeros((2, 2, 4), int))
    for method in (found.to_pandas, found.to_xarray):
        with pytest.raises(error, match=message):
            method(of)


def test_a_package_that_is_missing_is_named(monkeypatch):
    found = limit_cycle(SURE, np.zeros((2, 2, 4), int))
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match="a data frame needs pandas"):
        found.to_pandas()
    with pytest.raises(ImportError, match="a labelled data set needs xarray"):
        found.to_xarray()
