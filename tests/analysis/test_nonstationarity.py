"""Changes of the decision problem of one agent, against a calculation by enumeration."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgames as fg
from fastgames.analysis import nonstationarity

EVERY = fg.Record(every=5, policies=True)


def with_policies(result, policies):
    """Return a result whose snapshots have other policies, (snapshots, replicas, O_i, A_i)."""
    return replace(result, snapshots=replace(result.snapshots, policies=policies))


def random_policies(rng, result, peaked):
    """Return policies for all snapshots; peaked: pure ones."""
    found = []
    for policy in result.snapshots.policies:
        chosen = rng.dirichlet(np.ones(policy.shape[-1]), policy.shape[:-1])
        found.append(np.round(chosen) if peaked and policy.shape[-1] == 2 else chosen)
    return found


def in_states(policies, k, replica, game):
    """Return the policies of a snapshot in the states, (S, A_i) of each agent; 0 for no move."""
    found = []
    for policy, seen, moves in zip(policies, game.observations, game.turns, strict=True):
        own = policy[k, replica][seen]
        own[~moves] = np.arange(own.shape[1]) == 0
        found.append(own)
    return found


def problem(game, rewards, transitions, policies, agent):
    """Return the probabilities {(s, a): {(reward, next state): chance}} that an agent faces.

    rewards: (N, S, A_0, ...); transitions: (S, A_0, ..., S); policies: of each agent in states
    """
    found = {}
    states = rewards.shape[1]
    others = [range(n) if j != agent else (None,) for j, n in enumerate(game.num_actions)]
    for s, a in itertools.product(range(states), range(game.num_actions[agent])):
        if a > 0 and not game.turns[agent, s]:
            continue
        outcomes = {}
        for choice in itertools.product(*others):
            joint = tuple(a if b is None else b for b in choice)
            weight = np.prod([policies[j][s, b] for j, b in enumerate(choice) if b is not None])
            for after in range(states):
                key = (rewards[(agent, s, *joint)], after)
                chance = weight * transitions[(s, *joint, after)]
                outcomes[key] = outcomes.get(key, 0.0) + chance
        found[s, a] = outcomes
    return found


def values(faced, states, actions, discount, policy=None, terminal=()):
    """Return values and greedy actions by sweeps; policy: of one action in each state."""
    v = np.zeros(states)
    for _ in range(2000):
        q = np.array(
            [
                [sum(c * (r + discount * v[t]) for (r, t), c in faced[s, a].items())
                 if (s, a) in faced else -np.inf for a in range(actions)]
                for s in range(states)
            ]
        )  # fmt: skip
        v = q.max(axis=1) if policy is None else q[np.arange(states), policy]
        v[list(terminal)] = 0.0
    return v, (q >= q.max(axis=1, keepdims=True) - 1e-9).argmax(axis=1)  # the lowest of equals


@settings(max_examples=40)
@given(st.data())
def test_markov_games_agree_with_enumeration(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    agents, states = data.draw(st.sampled_from([(1, 2), (2, 1), (2, 3), (3, 2)]))
    counts = [data.draw(st.integers(1, 3)) for _ in range(agents)]
    rewards = rng.integers(-2, 3, (agents, states, *counts)).astype(float)  # some are equal
    transitions = rng.dirichlet(np.ones(states), (states, *counts))
    discount = data.draw(st.sampled_from([0.0, 0.5, 0.9]))
    terminal = [states - 1] if states > 2 else []
    seen = rng.integers(0, 2, (agents, states))  # states may look the same
    turns = rng.random((agents, states)) < data.draw(st.sampled_from([0.5, 1.0]))
    turns[:, 0] = True
    game = fg.MarkovGame(
        rewards, transitions, discount=discount, observations=seen, num_observations=[2] * agents,
        turns=turns, terminal=np.isin(np.arange(states), terminal),
    )  # fmt: skip
    result = fg.run(game, fg.QLearner(), 10, 2, rng=1, record=EVERY)
    policies = random_policies(rng, result, data.draw(st.booleans()))
    agent = data.draw(st.integers(0, agents - 1))
    found = nonstationarity(with_policies(result, policies), agent)
    live = [s for s in range(states) if s not in terminal]
    for replica, k in itertools.product(range(2), range(2)):
        old, new = (
            problem(game, rewards, transitions, in_states(policies, k + d, replica, game), agent)
            for d in (0, 1)
        )
        variation, change = 0.0, 0.0
        for s, a in old:
            if s in terminal:
                continue
            one, other = old[s, a], new[s, a]
            apart = sum(abs(other[key] - one[key]) for key in one)
            variation = max(variation, 0.5 * apart)
            change = max(change, abs(sum((other[key] - one[key]) * key[0] for key in one)))
        assert found.variation[replica, k] == pytest.approx(variation, abs=1e-12)
        assert found.reward_change[replica, k] == pytest.approx(change, abs=1e-12)
        _, reply = values(old, states, counts[agent], discount, terminal=terminal)
        best, _ = values(new, states, counts[agent], discount, terminal=terminal)
        got, _ = values(new, states, counts[agent], discount, reply, terminal)
        loss = (best - got)[live].mean()
        assert found.loss[replica, k] == pytest.approx(loss, abs=1e-8)


def test_matching_pennies_by_hand():
    """Col plays heads with 0.8, 0.6, 0.1; Row's old best response is heads until the last."""
    pennies = fg.games.matching_pennies()
    result = fg.run(pennies, fg.QLearner(), 10, rng=1, record=EVERY)
    heads = np.array([0.8, 0.6, 0.1])
    column = np.stack([heads, 1.0 - heads], axis=1)[:, None, None]
    found = nonstationarity(with_policies(result, [column, column]), 0)
    np.testing.assert_array_equal(found.steps, [0, 5, 10])
    np.testing.assert_allclose(found.variation, [[0.2, 0.5]])
    np.testing.assert_allclose(found.reward_change, [[0.4, 1.0]])
    np.testing.assert_allclose(found.loss, [[0.0, 1.6]], atol=1e-12)  # 0.8 instead of -0.8
    discounted = nonstationarity(with_policies(result, [column, column]), 0, discount=0.75)
    np.testing.assert_allclose(discounted.loss, [[0.0, 6.4]], atol=1e-12)


GAMES = {
    "memory": (fg.remember(fg.games.prisoners_dilemma(), discount=0.9), [[0.3, 0.7]] * 4),
    "chance": (fg.games.soccer(), None),
    "three": (fg.games.public_goods(agents=3), None),
    "turns": (fg.games.klein(), None),
}


@pytest.mark.parametrize("name", GAMES)
def test_it_is_zero_against_frozen_opponents(name):
    game, policy = GAMES[name]
    rng = np.random.default_rng(1)
    others = []
    for n, observations in zip(game.num_actions, game.num_observations, strict=True):
        own = policy if policy is not None else rng.dirichlet(np.ones(n), observations)
        others.append(fg.FixedPolicy(own))
    frozen = fg.run(game, [fg.QLearner(), *others[1:]], 10, 2, rng=1, record=EVERY)
    found = nonstationarity(frozen, 0)
    for array in (found.variation, found.reward_change, found.loss):
        np.testing.assert_array_equal(array, np.zeros((2, 2)))
    learning = fg.run(game, fg.QLearner(alpha=0.9), 400, 2, rng=1,
                      record=fg.Record(every=200, policies=True))  # fmt: skip
    assert (nonstationarity(learning, 0).variation > 0.0).any()


def test_each_replica_of_variants_and_of_parts_has_its_own_game():
    base = fg.games.chicken()
    double = fg.MatrixGame(2.0 * base.payoffs, actions=base.actions)
    both = fg.Variants([base, double], index=[0, 1, 1, 0, 1])
    result = fg.run(both, fg.QLearner(), 10, 5, rng=3, record=EVERY)
    policies = random_policies(np.random.default_rng(2), result, peaked=False)
    result = with_policies(result, policies)
    found = nonstationarity(result, 1)
    for k, game in enumerate((base, double)):
        alone = with_policies(fg.run(game, fg.QLearner(), 10, 5, record=EVERY), policies)
        alone = nonstationarity(alone, 1)
        own = both.index == k
        for name in ("variation", "reward_change", "loss"):
            np.testing.assert_array_equal(getattr(found, name)[own], getattr(alone, name)[own])
    part = fg.run(both, fg.QLearner(), 10, 5, rng=3, record=EVERY, only=[1, 3, 4])
    part = nonstationarity(with_policies(part, [p[:, [1, 3, 4]] for p in policies]), 1)
    np.testing.assert_array_equal(part.loss, found.loss[[1, 3, 4]])


def test_games_of_functions_are_tabulated():
    coin = fg.games.coin_game(size=2)
    record = fg.Record(every=[0, 50], policies=True)
    result = fg.run(coin, fg.QLearner(), 50, 2, rng=1, record=record)
    table = fg.tabulate(coin)
    again = fg.run(table, fg.QLearner(), 50, 2, rng=1, record=record)
    one = nonstationarity(result, 0)
    other = nonstationarity(with_policies(again, result.snapshots.policies), 0)
    np.testing.assert_array_equal(one.variation, other.variation)
    np.testing.assert_array_equal(one.loss, other.loss)
    assert one.variation.any()


def test_snapshots_that_an_interrupted_run_did_not_reach():
    result = fg.run(fg.games.matching_pennies(), fg.QLearner(), 10, 2, rng=1, record=EVERY)
    policies = [policy.copy() for policy in result.snapshots.policies]
    for policy in policies:
        policy[2, 1] = np.nan
    found = nonstationarity(with_policies(result, policies), 0)
    for array in (found.variation, found.reward_change, found.loss):
        np.testing.assert_array_equal(np.isnan(array), [[False, False], [False, True]])


def test_games_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr("fastgames._common.checks.LITTLE", 0)
    monkeypatch.setattr("fastgames._common.memory.available", lambda: 1000)
    said = "game must fit into memory: 4 states and joint actions need"
    with pytest.raises(ValueError, match=said):
        nonstationarity(RUN, 0)


def test_frames_and_data_sets():
    result = fg.run(fg.games.matching_pennies(), fg.QLearner(), 10, 2, rng=1, record=EVERY)
    found = nonstationarity(result, 0)
    frame = found.to_pandas(result)
    assert list(frame.columns) == ["replica", "mean_variation", "mean_reward_change", "mean_loss"]
    np.testing.assert_array_equal(frame["mean_loss"], found.loss.mean(axis=1))
    steps = found.to_pandas(result, "steps")
    assert steps["step"].tolist() == [5, 10, 5, 10]
    np.testing.assert_array_equal(steps["variation"], found.variation.ravel())
    labelled = found.to_xarray(result)
    assert labelled["loss"].sel(step=10, replica=1) == found.loss[1, 1]
    assert "2 replicas between 3 snapshots" in repr(found)


RUN = fg.run(fg.games.matching_pennies(), fg.QLearner(), 10, rng=1, record=EVERY)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((RUN.game, 0), TypeError, "result must be a Result, got"),
        ((RUN, 2), ValueError, r"agent must be a whole number in \[0, 2\), got 2"),
        ((RUN, 0.5), TypeError, "agent must be"),
        ((RUN, 0, 1.0), ValueError, r"discount must be in \[0, 1\), got 1"),
        ((replace(RUN, snapshots=None), 0), ValueError, "result must have policies at two times"),
        (
            (fg.run(RUN.game, fg.QLearner(), 10, record=fg.Record(every=5, greedy=True)), 0),
            ValueError,
            "result must have policies at two times",
        ),
        (
            (fg.run(RUN.game, fg.QLearner(), 10, record=fg.Record(every=[3], policies=True)), 0),
            ValueError,
            "result must have policies at two times",
        ),
    ],
)
def test_bad_arguments(arguments, error, said):
    result, agent, *discount = arguments
    with pytest.raises(error, match=said):
        nonstationarity(result, agent, **({"discount": discount[0]} if discount else {}))
