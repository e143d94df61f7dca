"""Published figures on pricing algorithms, with fewer sessions, by the public API alone.

Figures and sources are those of `docs/published.md`. Games are written out here from the formulas
of the papers. How far a mean may be off is worked out from the published standard deviation and
the number of sessions. `fastgames reproduce` does all.
"""

import itertools

import numpy as np
import pytest
from published import ASKER, CALVANO, KLEIN, WALTMAN

import fastgames as fg

# --- Calvano, Calzolari, Denicolò & Pastorello 2020 ---------------------------------------------

NASH, MONOPOLY = CALVANO["one-shot Nash price"], CALVANO["monopoly price"]
NASH_PROFIT, MONOPOLY_PROFIT = (
    CALVANO[f"profit at the {name} price"] for name in ("Nash", "monopoly")
)


def logit_duopoly():
    """The baseline: quality 2, cost 1, outside good 0, mu = 1/4, 15 prices."""
    step = 0.1 * (MONOPOLY - NASH)
    prices = np.linspace(NASH - step, MONOPOLY + step, 15)
    weights = np.exp((2.0 - prices) / 0.25)
    demand = weights[:, None] / (weights[:, None] + weights[None, :] + 1.0)
    profit = (prices - 1.0)[:, None] * demand
    return fg.MatrixGame([profit, profit.T])


def cycle(first, second, state):
    """The joint actions, as states, on which greedy play ends up from a state."""
    path = []
    while state not in path:
        path.append(state)
        state = 15 * int(first[state]) + int(second[state])
    return path[path.index(state) :]


@pytest.fixture(scope="module")
def sessions():
    stage = logit_duopoly()
    learner = fg.QLearner(
        0.15, 0.95, fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6)), fg.UniformRivals()
    )
    game = fg.remember(stage, discount=0.95, start="uniform")
    result = fg.run(game, learner, steps=10**7, replicas=100, rng=1, stop=fg.Stable(100_000))
    greedy = [result.greedy(i) for i in range(2)]
    loops = [cycle(greedy[0][r], greedy[1][r], int(state)) for r, state in enumerate(result.states)]
    return stage, result, loops


def test_calvano_every_session_converges_when_it_does_in_the_paper(sessions):
    _, result, _ = sessions
    assert result.stopped.all()
    periods = (result.steps - 100_000) / 25_000
    mean, deviation, median = (
        CALVANO[f"periods to convergence, {name}"] for name in ("mean", "SD", "median")
    )
    assert abs(periods.mean() - mean) < 5 * deviation / 10
    assert abs(np.median(periods) - median) < 5 * deviation * 1.2533 / 10
    assert abs(periods.std(ddof=1) - deviation) < 5 * deviation / np.sqrt(200)


def test_calvano_the_profit_gain_is_that_of_the_paper(sessions):
    stage, _, loops = sessions
    profits = stage.payoffs.mean(axis=0).ravel()
    gains = [
        (profits[loop].mean() - NASH_PROFIT) / (MONOPOLY_PROFIT - NASH_PROFIT) for loop in loops
    ]
    mean, deviation = CALVANO["mean Delta, baseline"], CALVANO["SD of Delta, baseline"]
    assert abs(np.mean(gains) - mean) < 5 * deviation / 10
    assert abs(np.std(gains, ddof=1) - deviation) < 0.05


def test_calvano_the_price_cycles_are_as_long_as_in_the_paper(sessions):
    lengths = np.array([len(loop) for loop in sessions[2]])
    shares = {"1": lengths == 1, "2": lengths == 2, "3 or more": lengths >= 3}
    for length, found in shares.items():
        share = found.mean()
        expected = CALVANO[f"share of sessions with a price cycle of {length}"]
        assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / 100)


# --- Asker, Fershtman & Pakes 2022 --------------------------------------------------------------


@pytest.mark.parametrize("firms", [2, 3])
def test_learning_from_all_prices_at_once_ends_one_step_above_cost(firms):
    """Prices of .01, …, 10; demand 1, cost 2, the lowest price takes the market, ties split."""
    prices = np.linspace(0.01, 10.0, 100)
    paid = np.array(np.meshgrid(*[prices] * firms, indexing="ij"))
    lowest = paid.min(axis=0)
    wins = paid == lowest
    game = fg.MatrixGame(np.where(wins, (paid - 2.0) / wins.sum(axis=0), 0.0))
    rng = np.random.default_rng(1)
    replicas = 100
    learners = [
        fg.QLearner(
            0.1,
            0.0,
            fg.EpsilonGreedy(0.0),
            rng.uniform(10, 20, (replicas, 1, 100)),
            counterfactual=True,
        )
        for _ in range(firms)
    ]
    result = fg.run(game, learners, steps=40_000, replicas=replicas, rng=1, stop=fg.Stable(2000))
    last = np.stack([prices[result.greedy(i)[:, 0]] for i in range(firms)])
    market = last.min(axis=0).round(2)
    least, *others = ASKER["final price of 2, 3 and 4 firms"]
    assert set(market) <= {least, *others}
    assert np.percentile(market, [25, 50, 75, 100]).tolist() == others


# --- Klein 2021 ---------------------------------------------------------------------------------


def alternating_duopoly(k):
    """State: who moves, and the price that the rival holds. The lower price p sells 1 - p."""
    prices = np.arange(k + 1) / k
    own, rival = np.meshgrid(prices, prices, indexing="ij")
    profit = np.where(own < rival, own * (1 - own), np.where(own == rival, own * (1 - own) / 2, 0))
    rewards = np.zeros((2, 2, k + 1, k + 1, k + 1))
    moves = np.zeros((2, k + 1, k + 1, k + 1), int)
    for held, a, b in itertools.product(range(k + 1), repeat=3):
        rewards[:, 0, held, a, b] = profit[a, held], profit[held, a]
        rewards[:, 1, held, a, b] = profit[held, b], profit[b, held]
        moves[0, held, a, b] = (k + 1) + a  # then firm 1 moves, and firm 0 holds a
        moves[1, held, a, b] = b
    states = 2 * (k + 1)
    return fg.MarkovGame(
        rewards.reshape(2, states, k + 1, k + 1),
        moves.reshape(states, k + 1, k + 1),
        0.95,
        turns=[0] * (k + 1) + [1] * (k + 1),
    )


def test_klein_firms_that_move_in_turn_earn_what_they_do_in_the_paper():
    steps = 500_000
    learner = fg.QLearner(
        0.3, explore=fg.EpsilonGreedy(fg.Exponential(1.0, 6 * np.log(10) / steps))
    )
    record = fg.Record(rewards=True, last=1000)
    result = fg.run(alternating_duopoly(6), learner, steps, 60, rng=1, record=record)
    assert abs(result.mean_reward.mean() - KLEIN["mean profit over the last 1,000 periods"]) < 0.006


# --- Waltman & Kaymak 2008 ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.05, 0.25])
def test_waltman_kaymak_firms_sell_less_than_in_the_nash_equilibrium(alpha):
    """Cournot with price max(40 - Q, 0) and cost 4, quantities 0, …, 40; Nash is 24 and 288."""
    mine, other = np.meshgrid(np.arange(41.0), np.arange(41.0), indexing="ij")
    earned = (np.maximum(40.0 - mine - other, 0.0) - 4.0) * mine
    learner = fg.QLearner(alpha, 0.0, fg.Softmax(fg.Exponential(1000.0, -np.log(0.99999), 1e-9)))
    record = fg.Record(joint_actions=True, rewards=True, last=100)
    game = fg.MatrixGame([earned, earned.T])
    result = fg.run(game, learner, 10**6, 100, rng=1, record=record)
    sold = np.einsum("rab,ab->r", result.joint_counts, mine + other) / 100
    quantity, profit = WALTMAN[f"joint quantity and joint profit, alpha {alpha}"]
    _, deviation = WALTMAN["lowest and highest SD of the joint quantity"]
    assert abs(sold.mean() - quantity) < 5 * deviation / 10
    assert abs(result.mean_reward.sum(axis=1).mean() - profit) < 7.0
