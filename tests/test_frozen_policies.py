"""Frozen policies in random Markov games, and their values, against linear algebra.

Expected values are exact; how far a mean over replicas may be from them is worked out from how far
the replicas are from each other. Seeds are fixed.
"""

import numpy as np
import pytest
from scipy import stats

import fastgames as fg

SIGMAS = 5.0  # of some hundred comparisons none is this far off by chance
REPLICAS = 1500


def random_game(seed, **more):
    """Five states, three and two actions."""
    more = {"transitions": "random", "start": "random", **more}
    return fg.games.random_markov_game(2, 5, (3, 2), rng=seed, **more)


def following(game):
    """The probabilities of the next states before any restart, (S, A_0, A_1, S)."""
    moves = game.transitions
    if not isinstance(moves, np.ndarray):
        return moves.toarray().reshape(game.num_states, *game.num_actions, game.num_states)
    return np.eye(game.num_states)[moves] if moves.dtype.kind == "i" else moves


def starting(game):
    return np.eye(game.num_states)[game.start] if isinstance(game.start, int) else game.start


def random_policies(game, seed):
    """One for each agent, (observations, actions)."""
    rng = np.random.default_rng(seed)
    sizes = zip(game.num_observations, game.num_actions, strict=True)
    return [rng.dirichlet(np.ones(actions), rows) for rows, actions in sizes]


def joint_policy(game, policies):
    """The probabilities of joint actions in every state, (S, A_0, A_1): who is out plays 0."""
    plays = []
    for i, policy in enumerate(policies):
        here = policy[game.observations[i]]
        plays.append(np.where(game.turns[i][:, None], here, np.eye(here.shape[1])[0]))
    return plays[0][:, :, None] * plays[1][:, None, :]


def chain(game, joint):
    """State to state in one step, restarts included, (S, S)."""
    reached = np.einsum("sab,sabt->st", joint, following(game))
    ends = game.terminal
    return np.where(ends, 0.0, reached) + np.outer(reached[:, ends].sum(axis=1), starting(game))


def stationary(p):
    """mu p = mu, sum 1."""
    equations = np.vstack([p.T - np.eye(len(p)), np.ones(len(p))])
    return np.linalg.lstsq(equations, np.eye(len(p) + 1)[-1], rcond=None)[0]


def assert_close(samples, expected):
    """The mean over replicas, the first axis, is what is expected, as far as chance allows.

    What happens in one replica in thousands may not have happened in any.
    """
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    rare = np.abs(samples).max() / len(samples)
    assert (np.abs(samples.mean(axis=0) - expected) <= SIGMAS * error + 3 * rare).all()


def played(game, policies, steps, last, dtype="float64", seed=1):
    record = fg.Record(joint_actions=True, rewards=True, last=last)
    learners = [fg.FixedPolicy(policy) for policy in policies]
    return fg.run(
        game, learners, steps=steps, replicas=REPLICAS, rng=seed, record=record, dtype=dtype
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"transitions": "sparse", "terminal": 1},
        {"observations": (2, 3)},
        {"turns": True, "observations": 2},
        {"terminal": 2, "start": "state"},
    ],
)
def test_frequencies_and_rewards_of_frozen_policies_are_those_of_the_stationary_distribution(
    more, dtype
):
    for seed in range(3):
        game = random_game(seed, **more)
        policies = random_policies(game, seed)
        joint = joint_policy(game, policies)
        mu = stationary(chain(game, joint))
        np.testing.assert_allclose(mu @ chain(game, joint), mu, atol=1e-12)
        result = played(game, policies, 400, 300, dtype)
        assert_close(result.joint_counts / 300, np.einsum("s,sab->ab", mu, joint))
        assert_close(result.mean_reward, np.einsum("s,sab,isab->i", mu, joint, game.rewards))
        lives = mu > 1e-9
        counts = np.bincount(result.states, minlength=5)
        assert counts[~lives].sum() == 0
        assert stats.chisquare(counts[lives], REPLICAS * mu[lives] / mu[lives].sum()).pvalue > 1e-6


@pytest.mark.parametrize(
    "more",
    [
        {"transitions": "deterministic", "time_limit": 3},
        {"transitions": "deterministic", "time_limit": 7, "start": "state", "turns": True},
        {"transitions": "sparse", "terminal": 1, "time_limit": 4},
        {"terminal": 2, "time_limit": 2, "observations": 3},
    ],
)
def test_every_step_of_an_episode_has_the_distribution_that_it_must(more):
    """State by state and age by age, from the start on: nothing need be stationary."""
    for seed in range(3):
        game = random_game(seed, **more)
        policies = random_policies(game, seed)
        joint = joint_policy(game, policies)
        reached = np.einsum("sab,sabt->st", joint, following(game))
        now = np.zeros((game.time_limit, 5))  # of ages and states
        now[0] = starting(game)
        visits = np.zeros(5)
        for step in range(1, 12):
            visits += now.sum(axis=0)
            moved = now @ reached
            over = moved[:, game.terminal].sum() + moved[-1, ~game.terminal].sum()
            now = np.vstack([np.zeros(5), np.where(game.terminal, 0.0, moved[:-1])])
            now[0] = over * starting(game)
            result = played(game, policies, step, step, seed=step)
            assert_close(result.joint_counts, np.einsum("s,sab->ab", visits, joint))
            earned = np.einsum("s,sab,isab->i", visits, joint, game.rewards) / step
            assert_close(result.mean_reward, earned)
            counts = np.bincount(result.states, minlength=5)
            assert_close(np.eye(5)[result.states], now.sum(axis=0))
            assert counts[game.terminal].sum() == 0


# --- values -------------------------------------------------------------------------------------


def decision_problem(game, other):
    """Agent 0's own problem: its rewards (S, A), next states (S, A, S), which actions it has."""
    plays = np.where(game.turns[1][:, None], other[game.observations[1]], np.eye(2)[0])
    rewards = np.einsum("sb,sab->sa", plays, game.rewards[0])
    moves = np.einsum("sb,sabt->sat", plays, following(game))
    has = np.ones(rewards.shape, bool)
    has[~game.turns[0], 1:] = False
    return rewards, moves, has


def values_of(game, problem, policy):
    """Q of agent 0 that plays `policy` (S, A), which gives weight only to actions that it has."""
    rewards, moves, _ = problem
    live = np.where(game.terminal, 0.0, 1.0)
    p = np.einsum("sa,sat->st", policy, moves) * live
    r = np.einsum("sa,sa->s", policy, rewards)
    v = np.linalg.solve(np.eye(len(r)) - game.discount * p, r)
    return rewards + game.discount * moves @ (v * live)


def uniform(problem):
    has = problem[2]
    return has / has.sum(axis=1, keepdims=True)


def best_values(game, problem):
    """The largest Q there is, by policy iteration (Howard 1960)."""
    policy = uniform(problem)
    while True:
        q = values_of(game, problem, policy)
        better = np.eye(3)[np.where(problem[2], q, -np.inf).argmax(axis=1)]
        if (better == policy).all():
            return q
        policy = better


def visited(game, problem):
    """Return the states that agent 0 can reach and in which it moves, (S,)."""
    live = np.where(game.terminal, 0.0, 1.0)
    p = np.einsum("sa,sat->st", uniform(problem), problem[1]) * live
    seen = starting(game) > 0
    for _ in range(len(p)):
        seen = seen | ((seen @ p) > 0)
    return seen & game.turns[0] & ~game.terminal


LEARNERS = {
    "q": (fg.QLearner, best_values),
    "expected sarsa": (
        fg.ExpectedSarsa,
        lambda game, problem: values_of(game, problem, uniform(problem)),
    ),
    "sarsa": (fg.Sarsa, lambda game, problem: values_of(game, problem, uniform(problem))),
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"transitions": "sparse", "terminal": 1, "time_limit": 12},
        {"transitions": "deterministic", "terminal": 1, "time_limit": 9},
        {"turns": True},
        {"turns": True, "transitions": "sparse", "terminal": 1},
    ],
)
@pytest.mark.parametrize("name", LEARNERS)
def test_values_against_a_frozen_opponent_are_those_of_linear_algebra(name, more):
    """It explores all the time; steps fall as n^-0.8, so that both bias and noise die out."""
    make, solve = LEARNERS[name]
    for seed in range(2):
        game = random_game(seed, discount=0.7, **more)
        other = random_policies(game, seed)[1]
        problem = decision_problem(game, other)
        learner = make(fg.VisitCount(0.8), explore=fg.EpsilonGreedy(1.0))
        learners = [learner, fg.FixedPolicy(other)]
        result = fg.run(game, learners, steps=20_000, replicas=100, rng=seed)
        where = visited(game, problem)
        assert where.any()
        got, expected = result.tables[0]["q"][:, where], solve(game, problem)[where]
        error = got.std(axis=0, ddof=1) / 10
        scale = np.abs(expected).max()
        assert (error < 0.02 * scale).all()
        assert (np.abs(got.mean(axis=0) - expected) < SIGMAS * error + 0.01 * scale).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_values_without_a_discount_where_episodes_end(name):
    make, solve = LEARNERS[name]
    game = random_game(11, discount=1.0, terminal=2)
    other = random_policies(game, 11)[1]
    problem = decision_problem(game, other)
    learner = make(fg.VisitCount(0.8), explore=fg.EpsilonGreedy(1.0))
    result = fg.run(game, [learner, fg.FixedPolicy(other)], 40_000, 100, rng=1)
    where = visited(game, problem)
    got, expected = result.tables[0]["q"][:, where], solve(game, problem)[where]
    error = got.std(axis=0, ddof=1) / 10
    allowed = SIGMAS * error + 0.01 * np.abs(expected).max()
    assert (np.abs(got.mean(axis=0) - expected) < allowed).all()


@pytest.mark.parametrize("temperature", [0.6, 2.0])
def test_expected_sarsa_rests_at_the_values_of_the_softmax_that_it_plays(temperature):
    """Q = values of softmax(Q): the fixed point by iteration, each round by linear algebra."""
    game = random_game(5, discount=0.7)
    other = random_policies(game, 5)[1]
    problem = decision_problem(game, other)
    q = np.zeros((5, 3))
    for _ in range(300):
        weights = np.exp((q - q.max(axis=1, keepdims=True)) / temperature)
        q = 0.5 * q + 0.5 * values_of(game, problem, weights / weights.sum(axis=1, keepdims=True))
    learner = fg.ExpectedSarsa(fg.VisitCount(0.8), explore=fg.Softmax(temperature))
    for make in (learner, fg.Sarsa(learner.alpha, None, learner.explore)):
        result = fg.run(game, [make, fg.FixedPolicy(other)], steps=40_000, replicas=100, rng=1)
        got = result.tables[0]["q"]
        error = got.std(axis=0, ddof=1) / 10
        assert (np.abs(got.mean(axis=0) - q) < SIGMAS * error + 0.01 * np.abs(q).max()).all()


def test_counterfactual_learning_has_the_same_values_and_less_noise():
    game = random_game(7, discount=0.7)
    other = random_policies(game, 7)[1]
    expected = best_values(game, decision_problem(game, other))
    spread = []
    for counterfactual in (False, True):
        learner = fg.QLearner(
            fg.VisitCount(0.8), explore=fg.EpsilonGreedy(1.0), counterfactual=counterfactual
        )
        result = fg.run(game, [learner, fg.FixedPolicy(other)], steps=20_000, replicas=100, rng=1)
        got = result.tables[0]["q"]
        error = got.std(axis=0, ddof=1) / 10
        if not counterfactual:  # the next state is that of the action that was played
            assert (np.abs(got.mean(axis=0) - expected) < SIGMAS * error + 0.03).all()
        spread.append(got.std(axis=0).mean())
    assert spread[1] < spread[0]
