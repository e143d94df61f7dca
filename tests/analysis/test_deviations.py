"""Responses to deviations, against simulation and what is known of repeated dilemmas."""

import numpy as np
import pytest
from library.frozen import CERTAIN, GAMES, Slow, some_policies

from fastgames.analysis import deviation_response
from fastgames.games import (
    MarkovGame,
    MatrixGame,
    Variants,
    logit_bertrand,
    random_markov_game,
    remember,
)

R, S, T, P = 3.0, 0.0, 5.0, 1.0
DILEMMA = remember(MatrixGame([[[R, S], [T, P]], [[R, T], [S, P]]]), discount=0.8)
GRIM = [[[0, 1, 1, 1]], [[0, 1, 1, 1]]]  # states CC, CD, DC, DD
TIT_FOR_TAT = [[[0, 1, 0, 1]], [[0, 0, 1, 1]]]


def simulated(plain, start, agent, action, after, prices, discount):
    """Mean path, gain and share of deviations of one replica; None where the agent never moves."""
    cycle = plain.cycle(start)
    own = plain.value(agent, discount)

    def remember_moves(held, state, joint):
        return [a if plain.turns[i, state] else held[i] for i, a in enumerate(joint)]

    held = [0] * plain.agents
    for state, _ in cycle:
        held = remember_moves(held, state, plain.played[state])
    paths, gains, differs, usual = [], [], [], []
    for state, age in cycle:
        held = remember_moves(held, state, plain.played[state])
        usual.append([prices[i][a] for i, a in enumerate(held)])
        if not plain.turns[agent, state]:
            continue
        joints = plain.deviations(agent, state)
        joint = (
            joints[action]
            if action is not None
            else max(joints, key=lambda j, s=state: plain.rewards[agent][s][j])
        )
        q = plain.q(agent, state, joint, own, discount)
        gains.append((q - own[state]) / abs(own[state]))
        differs.append(joint != plain.played[state])
        path, then = [], held
        for _ in range(after + 1):
            then = remember_moves(then, state, joint)
            profits = [plain.rewards[i][state][joint] for i in range(plain.agents)]
            path.append([[prices[i][a] for i, a in enumerate(then)], profits])
            state, age = plain.next(state, age, joint)
            joint = plain.played[state]
        paths.append(path)
    profits = [
        [plain.rewards[i][s][plain.played[s]] for i in range(plain.agents)] for s, _ in cycle
    ]
    usual = np.array([np.mean(usual, axis=0), np.mean(profits, axis=0)])
    if not paths:
        return usual, None, None, None
    return usual, np.mean(paths, axis=0), np.mean(gains), np.mean(differs)


def without(plain, start, agent, action, after, prices, own, discount):
    """Mean change of values, and mean prices and rewards if the agent does not deviate after all.

    The path of each state of the cycle is the cycle itself, walked twice for the held actions.
    """
    cycle = plain.cycle(start)
    walk = cycle * (after // len(cycle) + 3)
    held, played = [0] * plain.agents, []
    for state, _ in walk:
        joint = plain.played[state]
        held = [a if plain.turns[i, state] else held[i] for i, a in enumerate(joint)]
        pay = [plain.rewards[i][state][joint] for i in range(plain.agents)]
        played.append([[prices[i][a] for i, a in enumerate(held)], pay])
    paths, changes = [], []
    for k, (state, _) in enumerate(cycle):
        if plain.turns[agent, state]:
            at = k + len(cycle)
            paths.append(played[at : at + after + 1])
            joints = plain.deviations(agent, state)
            rewards = plain.rewards[agent][state]
            joint = joints[action] if action is not None else max(joints, key=lambda j: rewards[j])
            changes.append(plain.q(agent, state, joint, own, discount) - own[state])
    return np.mean(changes), np.moveaxis(np.mean(paths, axis=0), 1, 0)


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("certain", CERTAIN)
def test_everything_against_simulation(certain, static):
    game, discount = GAMES[certain], 0.7
    for seed in range(2):
        greedy = some_policies(game, seed)
        replicas, rng = len(greedy[0]), np.random.default_rng(seed)
        agent = int(rng.integers(game.num_agents))
        start = int(rng.choice(Slow(game, greedy, 0).live))
        actions = rng.integers(game.num_actions[agent], size=replicas)
        prices = [rng.normal(size=(replicas, n)) for n in game.num_actions]
        response = deviation_response(
            game,
            greedy,
            agent=agent,
            **({} if static else {"action": actions}),
            before=2,
            after=6,
            prices=prices,
            start=start,
            discount=discount,
            threads=1 + seed,
        )
        assert response.periods.tolist() == list(range(-2, 7))
        assert response.prices.shape == response.rewards.shape == (replicas, 9, game.num_agents)
        for r in range(replicas):
            plain = Slow(game, greedy, r)
            action = None if static else int(actions[r])
            grid = [p[r] for p in prices]
            usual, path, gain, differs = simulated(plain, start, agent, action, 6, grid, discount)
            for k, found in enumerate((response.prices[r], response.rewards[r])):
                for before in found[:2]:
                    np.testing.assert_allclose(before, usual[k], atol=1e-14)
                expected = np.nan if path is None else path[:, k]
                np.testing.assert_allclose(found[2:], expected, atol=1e-14)
            if path is None:
                assert np.isnan(response.gain[r])
            else:
                assert response.gain[r] == pytest.approx(gain, rel=1e-9, abs=1e-13)
                assert response.deviated[r] == pytest.approx(differs)
                own = plain.value(agent, discount)
                changes, usually = without(plain, start, agent, action, 6, grid, own, discount)
                assert response.change[r] == pytest.approx(changes, rel=1e-9, abs=1e-12)
                np.testing.assert_allclose(response.baseline_prices[r, 2:], usually[0], atol=1e-13)
                np.testing.assert_allclose(response.baseline_rewards[r, 2:], usually[1], atol=1e-13)
        there = ~np.isnan(response.gain)
        np.testing.assert_allclose(
            response.mean_prices, response.prices[there].mean(axis=0), atol=1e-14
        )


def test_grim_trigger_never_forgives():
    response = deviation_response(DILEMMA, GRIM, agent=0, action=1, after=4)
    assert response.prices[0].T.tolist() == [[0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]]
    assert response.rewards[0].T.tolist() == [[R, T, P, P, P, P], [R, S, P, P, P, P]]
    stay, go = R / 0.2, T + 0.8 * P / 0.2
    assert response.gain.tolist() == pytest.approx([(go - stay) / stay])
    assert response.deviated.tolist() == [1.0]


def test_tit_for_tat_never_stops():
    response = deviation_response(DILEMMA, TIT_FOR_TAT, agent=1, after=4)
    assert response.prices[0].T.tolist() == [[0, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]]
    stay, go = R / 0.2, (T + 0.8 * S) / (1 - 0.64)
    assert response.gain.tolist() == pytest.approx([(go - stay) / stay])


def test_all_starting_points_of_a_longer_cycle():
    """CD, DC, CD, …: forced to cooperate after CD (where it would have: no change) and after DC."""
    game = DILEMMA
    response = deviation_response(game, TIT_FOR_TAT, agent=0, action=0, after=3, start=1)
    # state CD: agent 0 copies D, so the force makes it C: all cooperate from then on
    # state DC: agent 0 copies C: nothing changes
    changed, same = [0, 0, 0, 0], [0, 1, 0, 1]
    expected = [0.5, *np.mean([changed, same], axis=0)]
    assert response.prices[0, :, 0].tolist() == expected
    assert response.deviated.tolist() == [0.5]


def test_relative_prices_and_means_over_replicas():
    """Two replicas, one in which everything is dearer; each counts as a part of its own cycle."""
    prices = [[[1.0, 0.8], [10.0, 8.0]], [2.0, 1.0]]
    greedy = [np.repeat(policy, 2, axis=0) for policy in GRIM]
    response = deviation_response(
        DILEMMA, greedy, agent=0, action=1, before=2, after=2, prices=prices
    )
    assert response.mean_prices.T.tolist() == [[5.5, 5.5, 4.4, 4.4, 4.4], [2, 2, 2, 1, 1]]
    expected = [[0, 0, -0.2, -0.2, -0.2], [0, 0, 0, -0.5, -0.5]]
    np.testing.assert_allclose(response.relative_prices.T, expected, atol=1e-15)
    assert response.mean_rewards[2].tolist() == [T, S]


def test_static_best_response_is_against_what_the_others_play_then():
    """Matching pennies: agent 0 wants to match, whatever it remembers; ties go to the lowest."""
    pennies = remember(MatrixGame([[[1, -1, 1], [-1, 1, 1]], [[0] * 3] * 2]))
    greedy = [[[0] * 6], [[1] * 6]]
    assert deviation_response(pennies, greedy, agent=0, after=0).prices[0, 1, 0] == 1
    greedy = [[[1] * 6], [[2] * 6]]
    assert deviation_response(pennies, greedy, agent=0, after=0).prices[0, 1, 0] == 0


def test_prices_are_held_by_those_who_do_not_move():
    """Agents move in turn, to 1 and 2 whatever happens; agent 0 deviates until its next turn."""
    game = MarkovGame(np.zeros((2, 2, 2, 3)), [[[1] * 3] * 2, [[0] * 3] * 2], turns=[0, 1])
    response = deviation_response(game, [[[1, 0]], [[0, 2]]], agent=0, action=0, after=3)
    assert response.prices[0].T.tolist() == [[1, 0, 0, 1, 1], [2, 2, 2, 2, 2]]


def test_an_agent_that_never_moves_cannot_deviate():
    game = MarkovGame(np.zeros((2, 2, 2, 2)), [[[1] * 2] * 2, [[1] * 2] * 2], turns=[0, 1])
    response = deviation_response(game, [[[0, 0]], [[0, 0]]], agent=0, action=1, after=1)
    assert np.isnan(response.gain).all()
    assert np.isnan(response.prices[0, 1:]).all()


def test_a_value_of_zero_leaves_the_change():
    """V = 0 in both states of the cycle, Q above in one and below in the other: the gain is nan."""
    rewards = np.array([[0.0, 1.0], [0.0, -2.0]])[None]
    game = MarkovGame(rewards, [[1, 1], [0, 0]], discount=0.5)
    response = deviation_response(game, [[[0, 0]]], agent=0, action=1, after=2)
    assert np.isnan(response.gain).all()
    assert response.change.tolist() == [-0.5]
    assert response.deviated.tolist() == [1.0]
    assert response.mean_rewards[:, 0].tolist() == [0, -0.5, 0, 0]
    assert response.price_quartiles[:, 1, 0].tolist() == [1, 1]
    start = MarkovGame(rewards[:, :1], [[0, 0]], discount=0.5)
    response = deviation_response(start, [[[0]]], agent=0, action=1)
    assert response.gain.tolist() == [np.inf]
    assert response.change.tolist() == [1.0]


# Bad input


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"agent": 2}, ValueError, r"agent must be a whole number in \[0, 1\], got 2"),
        ({"action": 2}, ValueError, r"action must be whole numbers in \[0, 2\), got action = 2"),
        ({"action": [0, 1]}, ValueError, r"action must have shape \(\) or \(1,\), got \(2,\)"),
        ({"action": "nash"}, ValueError, "action must be one of 'static best response'"),
        ({"action": 0.5}, TypeError, "action must be whole numbers"),
        ({"before": 0}, ValueError, "before must be a whole number"),
        ({"after": -1}, ValueError, "after must be a whole number"),
        ({"prices": [[1.0, 2.0]]}, ValueError, "prices must be a sequence.*2 of them, got 1"),
        ({"prices": 1.0}, TypeError, "prices must be a sequence"),
        ({"prices": [[1.0, 2.0], [1.0]]}, ValueError, r"prices\[1\] must have shape \(2,\) or"),
        ({"prices": [[1.0, 2.0], [1.0, np.inf]]}, ValueError, r"prices\[1\] must be finite"),
        ({"discount": 1}, ValueError, r"discount must be in \[0, 1\)"),
        ({"shocks": [0.5]}, ValueError, r"shocks must have shape \(15,\) or \(1, 15\), got \(1,\)"),
        ({"shocks": [1.0] * 15}, ValueError, r"shocks must be in \[0, 1\), got 1.0 at index 0"),
        ({"shocks": "x"}, TypeError, "shocks must be real numbers"),
        (
            {
                "game": random_markov_game(states=4, rng=1, start="random", time_limit=3),
                "shocks": [0.5] * 15,
            },
            ValueError,
            "shocks must be None if episodes begin in a random state",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    arguments = {"game": DILEMMA, "greedy": GRIM, "agent": 0, **arguments}
    with pytest.raises(error, match=message):
        deviation_response(arguments.pop("game"), arguments.pop("greedy"), **arguments)


def test_prices_are_those_of_the_market_that_is_repeated():
    """Not the numbers of the actions; in variants those of each replica's market."""
    stages = [logit_bertrand(prices=3), logit_bertrand(prices=3, c=[1.0, 0.75])]
    rng = np.random.default_rng(2)
    greedy = [rng.integers(0, 3, (5, 9)) for _ in range(2)]
    for index in ([0] * 5, [0, 1, 1, 0, 1]):
        games = [remember(stage, discount=0.9) for stage in stages]
        game = games[0] if not any(index) else Variants(games, index)
        grids = [np.array([stages[k].choices[i] for k in index]) for i in range(2)]
        found = deviation_response(game, greedy, agent=1, action=0)
        expected = deviation_response(game, greedy, agent=1, action=0, prices=grids)
        np.testing.assert_array_equal(found.prices, expected.prices)
        assert found.prices.max() < 2.2  # and at least 1.2: they are prices
        assert found.prices.min() > 1.2
    numbers = deviation_response(DILEMMA, GRIM, agent=0, action=1)
    assert set(np.unique(numbers.prices)) == {0.0, 1.0}


def test_quartiles_of_the_replicas():
    rng = np.random.default_rng(3)
    greedy = [rng.integers(0, 2, (41, 4)) for _ in range(2)]
    found = deviation_response(DILEMMA, greedy, agent=0, action=1, after=4)
    low, high = found.price_quartiles
    ordered = np.sort(found.prices, axis=0)
    np.testing.assert_allclose(low, ordered[10])
    np.testing.assert_allclose(high, ordered[30])
