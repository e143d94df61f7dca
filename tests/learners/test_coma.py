"""Counterfactual policy gradients against what they are by definition, and independent actors."""

import itertools

import numpy as np
import pytest
from library.gradients import adding_game, changes, sums
from scipy.special import softmax

import fastgames as fg
from fastgames.learners import coma
from fastgames.rules.outcome import TeamOutcome

ACTIONS = (3, 2, 4)
JOINT = list(itertools.product(*map(range, ACTIONS)))


def mix(logits, epsilon):
    """Return the policy of a member."""
    return (1 - epsilon) * softmax(logits) + epsilon / len(logits)


def value(logits, payoffs, epsilon):
    """The mean payoff of independent members. logits: one (A_i,) each; payoffs (A_0, ...)."""
    for row in reversed(logits):
        payoffs = payoffs @ mix(row, epsilon)
    return payoffs


def gradient(f, x):
    """By central differences."""
    out = np.zeros_like(x)
    for k in range(len(x)):
        up, down = x.copy(), x.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        out[k] = (f(up) - f(down)) / 2e-5
    return out


RULES = fg.COMA().rules


@pytest.fixture
def team():
    """Logits of three members, one observation each, and the team's critic of it."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=n) for n in ACTIONS], rng.normal(size=ACTIONS)


def steps(logits, payoffs, u, epsilon, real=np.float64):
    """Return the change of each member's logits after the joint action u, for a given critic."""
    tables = tuple(row[None].astype(real) for row in logits)
    nothing = np.zeros(3, np.int64)
    rewards = np.full(3, real(7.0))
    outcome = TeamOutcome(nothing, np.array(u), rewards, real(0.0), nothing, True, (real(0.0),) * 3)
    given = RULES.as_tables((tables, payoffs.reshape(1, -1).astype(real)))
    coma.learn(given, RULES.as_p([1.0, 0.0, 0.0, epsilon]), outcome)
    return [table[0] - row.astype(real) for table, row in zip(tables, logits, strict=True)]


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
@pytest.mark.parametrize("u", JOINT[::5])
def test_a_step_is_the_counterfactual_advantage_times_the_score(team, epsilon, u):
    logits, payoffs = team
    for i, step in enumerate(steps(logits, payoffs, u, epsilon)):
        own = np.moveaxis(payoffs, i, 0)[(slice(None), *u[:i], *u[i + 1 :])]
        advantages = own - own @ mix(logits[i], epsilon)
        assert mix(logits[i], epsilon) @ advantages == pytest.approx(0.0, abs=1e-12)
        score = gradient(lambda x, a=u[i]: np.log(mix(x, epsilon)[a]), logits[i])
        np.testing.assert_allclose(step, advantages[u[i]] * score, atol=1e-8)


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_steps_climb_the_gradient_of_the_value_on_average(team, epsilon):
    # Foerster et al., AAAI 2018, lemma 1: the baseline changes nothing on average.
    logits, payoffs = team
    means = [np.zeros(n) for n in ACTIONS]
    for u in JOINT:
        chance = np.prod([mix(row, epsilon)[a] for row, a in zip(logits, u, strict=True)])
        for mean, step in zip(means, steps(logits, payoffs, u, epsilon), strict=True):
            mean += chance * step
    for i, mean in enumerate(means):
        climb = gradient(
            lambda x, i=i: value([*logits[:i], x, *logits[i + 1 :]], payoffs, epsilon), logits[i]
        )
        np.testing.assert_allclose(mean, climb, atol=1e-8)


def test_against_a_default_action_it_is_the_difference_reward(team):
    # With one action that is certain, A = r(u) - r(u with that action in place of one's own).
    _, payoffs = team
    row = payoffs.ravel()
    default, (a, b, c) = 1, (2, 0, 3)
    chances = np.eye(ACTIONS[0])[default]
    stride = ACTIONS[1] * ACTIONS[2]
    first = b * ACTIONS[2] + c
    found = row[first + a * stride] - coma.baseline(row, chances, 0.0, first, stride)
    assert found == pytest.approx(payoffs[a, b, c] - payoffs[default, b, c])


def test_steps_in_float32_are_those_in_float64(team):
    logits, payoffs = team
    one, other = (steps(logits, payoffs, (2, 1, 3), 0.2, real) for real in (np.float32, float))
    for x, y in zip(one, other, strict=True):
        assert x.dtype == np.float32
        np.testing.assert_allclose(x, y, atol=1e-5)


def test_numbers_of_what_all_see_and_do():
    shapes = [(5, 3), (2, 4), (3, 2)]
    logits = tuple(map(np.zeros, shapes))
    for axis, digits in enumerate([(4, 1, 2), (2, 3, 1)]):
        sizes = [shape[axis] for shape in shapes]
        found = coma.joint(np.array(digits), logits, axis)
        assert found == np.ravel_multi_index(digits, sizes)


def test_the_mean_over_what_all_members_play(team):
    logits, payoffs = team
    tables = tuple(np.stack([np.zeros_like(row), row]) for row in logits)
    found = coma.expected(payoffs.ravel(), tables, np.array([1, 1, 1]), 0.3)
    assert found == pytest.approx(value(logits, payoffs, 0.3))
    found = coma.expected(payoffs.ravel(), tables, np.array([0, 1, 0]), 0.3)
    some = [np.zeros(ACTIONS[0]), logits[1], np.zeros(ACTIONS[2])]
    assert found == pytest.approx(value(some, payoffs, 0.3))


@pytest.mark.parametrize("epsilon", [0.0, 0.4])
def test_the_critic_learns_what_the_policies_are_worth(epsilon):
    states, gamma = 3, 0.8
    game = fg.games.random_markov_game(2, states, 3, rng=4, transitions="deterministic")
    logits = np.random.default_rng(1).normal(size=(states, 3))
    learner = fg.COMA(0.0, 0.5, gamma, epsilon, initial=logits)
    result = fg.run(game, learner, steps=20_000, rng=1)
    play = np.stack([np.outer(mix(row, epsilon), mix(row, epsilon)).ravel() for row in logits])
    following = game.transitions.reshape(states, 9)
    # q = r + gamma P q, P from a state and joint action to the next ones
    onward = np.zeros((states * 9, states * 9))
    for s, u in itertools.product(range(states), range(9)):
        s2 = following[s, u]
        onward[s * 9 + u, s2 * 9 : s2 * 9 + 9] = play[s2]
    shared = game.rewards.mean(axis=0).ravel()
    exact = np.linalg.solve(np.eye(states * 9) - gamma * onward, shared)
    both = [s * states + s for s in range(states)]  # both see the state
    critic = result.tables[0]["q"][0]
    np.testing.assert_allclose(critic[both].ravel(), exact, atol=1e-9)
    assert not np.delete(critic, both, axis=0).any()
    np.testing.assert_array_equal(result.tables[1]["q"][0], critic)


@pytest.mark.parametrize("epsilon", [0.0, 0.25, 1.0])
def test_plays_its_policy(epsilon):
    game = fg.MatrixGame(np.zeros((2, 4, 4)))
    logits = np.array([[0.5, -1.0, 2.0, 0.0]])
    result = fg.run(game, fg.COMA(epsilon=epsilon, initial=logits), steps=1, replicas=2, rng=1)
    expected = np.broadcast_to(mix(logits[0], epsilon), (2, 1, 4))
    np.testing.assert_allclose(result.policy(0), expected, atol=1e-12)
    grid = (np.arange(4000) + 0.5) / 4000
    tables, p = RULES.as_tables((logits, None)), RULES.as_p([0.0, 0.0, 0.0, epsilon])
    chosen = [coma.choose(tables, p, 0, x) for x in grid]
    counts = np.bincount(chosen, minlength=4)
    np.testing.assert_allclose(counts, 4000 * mix(logits[0], epsilon), atol=1.0)


def test_gradient_of_a_policy_that_is_certain_is_nothing():
    logits = np.array([800.0, 0.0])
    chances = np.empty(2)
    coma.softmax(logits, chances)
    for a in range(2):  # the one that it never plays, too
        coma.climb(logits, chances, a, 0.0, 1.0)
    np.testing.assert_array_equal(logits, [800.0, 0.0])


def greedy_payoffs(game, learners):
    """Return the payoff of the greedy joint action at the end, (replicas,)."""
    result = fg.run(game, learners, steps=5000, replicas=400, rng=1)
    return game.payoffs[0][result.greedy(0)[:, 0], result.greedy(1)[:, 0]]


def test_in_the_climbing_game_it_ends_higher_than_actors_who_learn_alone():
    # A team of one is an actor whose critic knows its own action only.
    game = fg.games.climbing()
    team = greedy_payoffs(game, fg.COMA(0.05, 0.2))
    alone = greedy_payoffs(game, [fg.COMA(0.05, 0.2, label=label) for label in "ab"])
    error = np.hypot(team.std(), alone.std()) / np.sqrt(len(team))
    assert team.mean() - alone.mean() > 5 * error
    assert (team == 5.0).mean() < 0.2 < 0.4 < (alone == 5.0).mean()  # (c, c) is no equilibrium


def test_in_the_two_step_game_most_teams_find_the_optimum():
    result = fg.run(fg.games.two_step(), fg.COMA(0.2, 0.5, epsilon=0.1), 10_000, 400, rng=1)
    one, two = result.greedy(0), result.greedy(1)
    optimal = (one[:, 0] == 1) & (one[:, 2] == 1) & (two[:, 2] == 1)
    assert optimal.mean() > 0.8


def test_bad_parameters():
    with pytest.raises(ValueError, match=r"alpha_actor must be in \[0, inf\), got -1.0"):
        fg.COMA(-1.0)
    with pytest.raises(ValueError, match=r"epsilon must be in \[0, 1\], got 1.5"):
        fg.COMA(epsilon=1.5)
    with pytest.raises(TypeError, match="label must be a str, got 3"):
        fg.COMA(label=3)


# --- variance: eq. 8.5 of an open textbook draft, chapter 17 --------------------------------------


@pytest.mark.parametrize("agents", [2, 5])
def test_with_an_exact_critic_every_step_is_the_true_gradient(agents):
    critic = [{"q": sums(agents)[None]}] + [{}] * (agents - 1)
    found = changes(adding_game(agents, 0.0), fg.COMA(1.0, 0.0), critic, samples=1000)
    np.testing.assert_allclose(found, 0.25, atol=1e-12)


@pytest.mark.parametrize(("agents", "count"), [(2, 28), (8, 27)])
def test_updates_until_agents_play_the_better_action(agents, count):
    given = [{"q": sums(agents)[None]}] + [{}] * (agents - 1)
    # The source steps one logit by 0.5: the difference of two logits moves twice as far.
    result = fg.run(
        adding_game(agents, 0.0), fg.COMA(0.25, 0.0), 60, 500, rng=1, start_tables=given,
        record=fg.Record(every=1, policies=True),
    )  # fmt: skip
    curve = np.mean([p[:, :, 0, 1].mean(axis=1) for p in result.snapshots.policies], axis=0)
    assert np.argmax(curve > 0.9) == pytest.approx(count, abs=2)
