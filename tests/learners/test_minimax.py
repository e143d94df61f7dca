"""Minimax-Q beside figure 1 of Littman (1994), where it settles, and its worst case in soccer.

The figures on soccer and their source stand in docs/published.md.
"""

import itertools

import numpy as np
import pytest
from library.rules import outcomes
from library.values import value_of
from published import SOCCER
from scipy.stats import chisquare

import fastgames as fg
from fastgames.games import biased_rock_paper_scissors, matching_pennies, prisoners_dilemma
from fastgames.games.catalogue.soccer import soccer
from fastgames.learners import minimax
from fastgames.learners.minimax import MinimaxQ
from fastgames.rules import mixed
from fastgames.rules.choice import GREEDY
from fastgames.schedules import Exponential

P = 0.6, 0.9, 0.2  # power (or alpha), gamma, epsilon


# --- the rules ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by_visits", [False, True])
@pytest.mark.parametrize("actions, others", [(3, 4), (5, 2), (1, 3)])
def test_rules_are_figure_1(actions, others, by_visits):
    rules = fg.MinimaxQ(fg.VisitCount() if by_visits else 0.6).rules
    tables = (
        np.full((2, actions), 1 / actions),
        np.ones((2, actions, others)),
        np.ones(2),
        np.zeros((2, actions, others), np.int64),
    )
    named, p = rules.as_tables(tables[: 3 + by_visits]), rules.as_p(P)
    q, value, count = tables[1].copy(), tables[2].copy(), np.zeros((2, actions, others))
    learn = minimax.learn_by_visits if by_visits else minimax.learn
    for t in outcomes(np.random.default_rng(1), 150, 2, actions, 0.2, others):
        o, a, b = t.observation, t.action, t.others
        count[o, a, b] += 1
        alpha = count[o, a, b] ** -0.6 if by_visits else 0.6
        onward = 0.0 if t.ended else value[t.next_observation]
        q[o, a, b] = (1 - alpha) * q[o, a, b] + alpha * (t.gain + 0.9 * onward)
        value[o] = value_of(q[o])
        learn(named, p, t)
        assert tables[1] == pytest.approx(q, abs=1e-9)
        assert tables[2] == pytest.approx(value, abs=1e-9)
        policy = tables[0][o]
        assert policy.min() >= 0.0 and policy.sum() == pytest.approx(1.0, abs=1e-12)
        assert (policy @ tables[1][o]).min() == pytest.approx(value[o], abs=1e-9)
    assert tables[3].tolist() == (count.tolist() if by_visits else np.zeros_like(count).tolist())


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_what_is_played_is_what_policy_says(real):
    tables = (np.array([[0.0, 0.7, 0.0, 0.3]], real),)
    rng, counts, explored = np.random.default_rng(2), np.zeros(4, int), 0
    for u in rng.integers(0, 2**31, (20_000, 2)).tolist():
        signal = mixed.draw(tuple(u), P, 4, real)
        assert type(signal[0]) is type(signal[1]) is real
        explored += signal[0] != GREEDY
        counts[mixed.choose(tables, P, 0, signal)] += 1
    said = np.empty(4)
    mixed.policy(tables, P, 0, said)
    assert said == pytest.approx(0.2 / 4 + 0.8 * np.array([0.0, 0.7, 0.0, 0.3]), abs=1e-7)
    assert chisquare(counts, said * counts.sum()).pvalue > 0.01
    assert (
        chisquare([explored, counts.sum() - explored], counts.sum() * np.array([0.2, 0.8]))[1]
        > 0.01
    )


# --- where it settles ---------------------------------------------------------------------------


def test_payoffs_seen_once_give_the_equilibrium():
    # Biased rock-paper-scissors: only (1/16, 10/16, 5/16) is safe. Step 1/n, payoffs without noise.
    learner = MinimaxQ(alpha=fg.VisitCount(1.0), epsilon=1.0)
    game = biased_rock_paper_scissors()
    result = fg.run(game, learner, steps=300, replicas=2, rng=3, backend="reference")
    for agent in range(2):
        tables = result.tables[agent]
        assert (tables["visits"] > 0).all()
        assert tables["visits"].sum() == 2 * 300
        own = np.swapaxes(game.payoffs[agent], 0, agent)  # own actions first
        assert tables["q"][:, 0] == pytest.approx(np.stack([own] * 2), abs=1e-12)
        assert tables["policy"] == pytest.approx(
            np.broadcast_to(np.array([1, 10, 5]) / 16, (2, 1, 3)), abs=1e-12
        )
        assert tables["value"] == pytest.approx(np.zeros((2, 1)), abs=1e-12)


def test_it_learns_against_a_fixed_opponent_what_it_would_in_self_play():
    # Whatever the opponent does, q[a, b] is the payoff of (a, b): it plays the safe policy, not the
    # best response.
    often_heads = fg.FixedPolicy([0.9, 0.1])
    result = fg.run(
        matching_pennies(),
        [MinimaxQ(alpha=0.5), often_heads],
        steps=400,
        rng=4,
        backend="reference",
    )
    assert result.tables[0]["policy"] == pytest.approx(np.full((1, 1, 2), 0.5), abs=1e-3)
    assert result.policy(0) == pytest.approx(np.full((1, 1, 2), 0.5), abs=1e-3)


def test_markov_game_of_known_value():
    # Shapley (1953): v solves v = val(M + gamma v P). Two states of pennies with other stakes:
    # state 0 pays (1, 1) and stays, or goes on to state 1 where they differ; state 1 pays 3.
    stakes = np.array([[[1.0, 0.0], [0.0, 1.0]], [[3.0, -1.0], [-2.0, 1.0]]])
    following = np.array([[[0, 1], [1, 0]], [[0, 0], [1, 1]]])
    game = fg.MarkovGame([stakes, -stakes], following, discount=0.8)
    value = np.zeros(2)
    for _ in range(200):
        value = np.array([value_of(m) for m in stakes + 0.8 * value[following]])
    learner = MinimaxQ(alpha=fg.VisitCount(0.6), epsilon=1.0, initial=1.0)
    result = fg.run(game, learner, steps=2000, rng=5, backend="reference")
    assert result.tables[0]["value"][0] == pytest.approx(value, abs=0.05)
    assert result.tables[1]["value"][0] == pytest.approx(-value, abs=0.05)


# --- arguments ----------------------------------------------------------------------------------


def test_tables_start_as_said():
    learner, game = MinimaxQ(initial=1), soccer()
    result = fg.run(game, learner, steps=1, replicas=2, backend="reference")
    assert {name: (t.shape, str(t.dtype)) for name, t in result.tables[0].items()} == {
        "policy": ((2, 112, 5), "float64"),
        "q": ((2, 112, 5, 5), "float64"),
        "value": ((2, 112), "float64"),
        "visits": ((2, 112, 5, 5), "int64"),
    }
    start = {name: float(table) for name, table in learner.start(game, 0).items()}
    assert start == {"policy": 0.2, "q": 1.0, "value": 1.0, "visits": 0.0}
    assert "visits" not in MinimaxQ(alpha=0.1).rules.names


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"alpha": 0.0}, "alpha must be in"),
        ({"alpha": 1.5}, "alpha must be in"),
        ({"epsilon": -0.1}, "epsilon must be in"),
        ({"gamma": 1.1}, "gamma must be in"),
        ({"initial": [0.0, 1.0]}, "initial must be a number"),
        ({"initial": np.nan}, "initial must be finite"),
    ],
)
def test_parameters_outside_their_domain(wrong, error):
    with pytest.raises(ValueError, match=error):
        MinimaxQ(**wrong)


def test_parameters_may_be_arrays_and_schedules():
    learner = MinimaxQ(alpha=Exponential(0.5, 0.01), epsilon=[0.1, 0.9], gamma=0.5)
    game = matching_pennies()
    result = fg.run(game, learner, steps=50, replicas=2, rng=6, backend="reference")
    assert (result.policy(0).min(axis=(1, 2)) > [0.049, 0.449]).all()
    assert MinimaxQ(epsilon=[0.1, 0.9]) == MinimaxQ(epsilon=[0.1, 0.9])
    assert MinimaxQ() != MinimaxQ(alpha=0.1)


def _three():
    return fg.MatrixGame(np.zeros((3, 2, 2, 2)))


def _in_one_state():
    rewards = np.zeros((2, 3, 2, 2))
    rewards[1, 2, 0, 1] = 0.5
    return fg.MarkovGame(rewards, np.zeros((3, 2, 2), int))


def _one_of_two():
    payoffs = np.ones((2, 2, 2))
    return fg.Variants([fg.MatrixGame([payoffs[0], -payoffs[1]]), fg.MatrixGame(payoffs)], [0, 0])


@pytest.mark.parametrize(
    "game, error",
    [
        (_three(), "game must have 2 agents for MinimaxQ, got .* with 3"),
        (prisoners_dilemma(), "sum to 0 .* sums of up to 6"),
        (_in_one_state(), "sum to 0 .* sums of up to 0.5"),
        (_one_of_two(), "sum to 0 .* sums of up to 2"),
    ],
)
def test_other_games_are_refused(game, error):
    learners = [MinimaxQ()] + [fg.QLearner()] * (game.num_agents - 1)
    with pytest.raises(ValueError, match=error):
        fg.run(game, learners, steps=1, replicas=2)


# --- soccer, 2 x 4 ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def field():
    """Soccer as tables: rewards of A (S, 5, 5), what follows (S, 5, 5, S), and both kick-offs."""
    moves = soccer().compact.moves
    rewards, following = np.zeros((112, 5, 5)), np.zeros((112, 5, 5, 112))
    for a, b in itertools.permutations(range(8), 2):
        for ball, north, south, coin in itertools.product(range(2), range(5), range(5), range(2)):
            state, paid = np.array([a, b, ball]), np.zeros(2)
            s = moves.observe(state, 0)
            ended = moves.step(state, np.array([north, south]), paid, np.array([coin << 30]))
            rewards[s, north, south] += 0.5 * paid[0]
            if not ended:
                following[s, north, south, moves.observe(state, 0)] += 0.5
    starts = [moves.observe(np.array([2, 1, ball]), 0) for ball in range(2)]
    return rewards, following, starts


def worst_case(field, policy, agent):
    """Return the value of a policy (112, 5) at kick-off against its worst opponent."""
    rewards, following, starts = field
    axis = 1 + agent
    mine = np.expand_dims(policy, 2 - agent)
    paid = (-1) ** agent * (rewards * mine).sum(axis)
    comes = (following * mine[..., None]).sum(axis)
    values = np.zeros(112)
    for _ in range(300):
        values = (paid + 0.9 * comes @ values).min(axis=1)
    return values[starts].mean()


def test_worst_case_of_uniform_play(field):
    for agent in range(2):
        found = worst_case(field, np.full((112, 5), 0.2), agent)
        assert round(found, 3) == SOCCER["worst case of uniform play"]


def test_worst_case_in_soccer_is_as_printed(field):
    # Above what is printed: of 64 such policies the worst had -.060, and the median was -.028.
    learner = MinimaxQ(fg.VisitCount(0.6), epsilon=0.2)
    result = fg.run(soccer(), learner, steps=300_000, replicas=4, rng=1, backend="numba")
    worst = [
        worst_case(field, result.tables[agent]["policy"][r], agent)
        for agent, r in itertools.product(range(2), range(4))
    ]
    printed = SOCCER["worst case of minimax-Q, three runs"]
    assert np.median(worst) > np.median(printed) + 0.006
    assert min(worst) > min(printed) - 0.027


def test_worst_case_of_independent_learners(field):
    # Most runs end where the best of the printed ones did.
    learner = fg.QLearner(fg.VisitCount(0.6), explore=fg.EpsilonGreedy(0.2))
    result = fg.run(soccer(), learner, steps=300_000, replicas=4, rng=1, backend="numba")
    worst = [
        worst_case(field, np.eye(5)[result.greedy(agent)[r]], agent)
        for agent, r in itertools.product(range(2), range(4))
    ]
    printed = SOCCER["worst case of greedy Q-learning, three runs"]
    assert round(np.median(worst), 3) == max(printed)
    assert min(worst) > min(printed) - 0.05 and max(worst) < max(printed) + 0.032


def hidden(seen, terminal=None):
    """Zero-sum: in state 0 equal actions pay agent 0, in state 1 others; agents see `seen`."""
    rewards = np.zeros((2, 3, 2, 2))
    rewards[0, 0], rewards[0, 1] = np.eye(2), 1.0 - np.eye(2)
    rewards[1] = -rewards[0]
    moves = np.array([1, 2, 2])[:, None, None] * np.ones((1, 2, 2), np.int64)
    return fg.MarkovGame(
        rewards, moves, discount=0.9, terminal=terminal, observations=seen, time_limit=5
    )


def test_states_that_it_does_not_see_are_refused():
    learners = [fg.MinimaxQ(), fg.QLearner()]
    with pytest.raises(ValueError, match=r"observations of agent 0 must .* got 2 obs.* of 3"):
        fg.run(hidden([[0, 0, 1], [0, 1, 2]]), learners, 5)
    fg.run(hidden([[2, 0, 1], [0, 0, 0]]), learners, 5, backend="reference")  # the other need not
    with pytest.raises(ValueError, match=r"agent 1 must .* got 1 obs"):
        fg.run(hidden([[0, 1, 2], [0, 0, 0]]), learners[::-1], 5)
    # What is seen of a state in which the episode is over does not matter: it is worth 0.
    over = hidden([[1, 0, 1], [0, 1, 0]], terminal=[False, False, True])
    fg.run(over, fg.MinimaxQ(), 5, backend="reference")
