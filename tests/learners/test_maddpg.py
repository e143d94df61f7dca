"""MADDPG against its definition, exact values of the policies, and variances of its steps."""

import itertools

import numpy as np
import pytest
from library.gradients import adding_game, changes, mix, score, sums

import fastgames as fg
from fastgames.learners import maddpg
from fastgames.rules.outcome import TeamOutcome
from fastgames.rules.teams import joint_chances

ACTIONS = (3, 2, 4)
JOINT = list(itertools.product(*map(range, ACTIONS)))
EVERYONE = (True, True, True)
BEFORE, AFTER = (1, 0, 1), (0, 1, 1)  # observations; the joint ones are 5 and 3
REWARDS = (0.5, -1.0, 2.0)


@pytest.fixture
def team():
    """Logits of three members, two observations each, and the critic of each of them."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=(2, n)) for n in ACTIONS], rng.normal(size=(3, 8, len(JOINT)))


def play(logits, observations, epsilon, moves=EVERYONE):
    """Return the probability of each joint action, by the definition."""
    each = [mix(rows[o], epsilon) for rows, o in zip(logits, observations, strict=True)]
    each = [x if m else np.eye(len(x))[0] for x, m in zip(each, moves, strict=True)]
    return np.array([np.prod([x[a] for x, a in zip(each, u, strict=True)]) for u in JOINT])


def learn(learner, logits, critics, u, moves=EVERYONE, after=EVERYONE, ended=False):
    """Return the logits and the critics after the joint action u."""
    tables = tuple(x.copy() for x in logits), tuple(x.copy() for x in critics)
    outcome = TeamOutcome(
        np.array(BEFORE), np.array(u), np.array(REWARDS), 0.9, np.array(AFTER),
        ended, (0.0,) * 3, moves=np.array(moves), next_moves=np.array(after),
    )  # fmt: skip
    p = learner.rules.as_p(learner.values(0.9).values())
    maddpg.learn(learner.rules.as_tables(tables), p, outcome)
    return tables


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    ("moves", "after"), [(EVERYONE, EVERYONE), ((True, False, True), (False, True, False))]
)
@pytest.mark.parametrize("baseline", ["value", "none"])
def test_a_step_is_that_of_the_definition(team, epsilon, ended, moves, after, baseline):
    logits, critics = team
    learner = fg.MADDPG(0.3, 0.4, None, epsilon, baseline)
    u = tuple(a if m else 0 for a, m in zip((2, 1, 3), moves, strict=True))
    actors, found = learn(learner, logits, critics, u, moves, after, ended)
    here, there = play(logits, BEFORE, epsilon, moves), play(logits, AFTER, epsilon, after)
    for i, reward in enumerate(REWARDS):
        target = reward + (0.0 if ended else 0.9 * there @ critics[i, 3])
        row = critics[i, 5]  # of the joint observation before
        row[JOINT.index(u)] += 0.4 * (target - row[JOINT.index(u)])
        np.testing.assert_allclose(found[i], critics[i], atol=1e-12)
        advantage = row[JOINT.index(u)] - (here @ row if baseline == "value" else 0.0)
        expected, o = logits[i].copy(), BEFORE[i]
        if moves[i]:
            expected[o] += 0.3 * advantage * score(logits[i][o], u[i], epsilon)
        np.testing.assert_allclose(actors[i], expected, atol=1e-8)


@pytest.mark.parametrize("baseline", ["value", "none"])
def test_steps_climb_the_gradient_of_every_members_own_value_on_average(team, baseline):
    logits, critics = team
    learner, chances = fg.MADDPG(1.0, 0.0, baseline=baseline), play(logits, BEFORE, 0.0)
    means = [np.zeros_like(rows) for rows in logits]
    for u, chance in zip(JOINT, chances, strict=True):
        after, _ = learn(learner, logits, critics, u)
        for mean, new, old in zip(means, after, logits, strict=True):
            mean += chance * (new - old)
    for i, o in enumerate(BEFORE):
        gradient = np.zeros(ACTIONS[i])
        for a in range(ACTIONS[i]):  # of the own value, by central differences
            ends = []
            for change in (1e-5, -1e-5):
                moved = [rows.copy() for rows in logits]
                moved[i][o, a] += change
                ends.append(play(moved, BEFORE, 0.0) @ critics[i, 5])
            gradient[a] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(means[i][o], gradient, atol=1e-8)


def test_the_chances_of_joint_actions_are_products(team):
    logits, _ = team
    for moves in itertools.product([True, False], repeat=3):
        out = np.full(len(JOINT), np.nan)
        joint_chances(tuple(logits), np.array(BEFORE), np.array(moves), 0.2, out)
        np.testing.assert_allclose(out, play(logits, BEFORE, 0.2, moves), atol=1e-15)


@pytest.mark.parametrize("epsilon", [0.0, 0.4])
def test_each_critic_learns_the_own_value_of_all_policies(epsilon):
    # Exact because targets average over the next actions; those of sampled ones would be noisy.
    states, gamma = 3, 0.8
    game = fg.games.random_markov_game(2, states, 3, rng=4, transitions="deterministic")
    logits = np.random.default_rng(1).normal(size=(states, 3))
    learner = fg.MADDPG(0.0, 0.5, gamma, epsilon, initial=logits)
    result = fg.run(game, learner, 20_000, rng=1)
    following = game.transitions.reshape(states, 9)
    onward = np.zeros((states * 9, states * 9))
    for s, u in itertools.product(range(states), range(9)):
        s2 = following[s, u]
        row = mix(logits[s2], epsilon)
        onward[s * 9 + u, s2 * 9 : s2 * 9 + 9] = np.outer(row, row).ravel()
    both = [s * states + s for s in range(states)]  # both see the state
    for i in range(2):
        exact = np.linalg.solve(np.eye(states * 9) - gamma * onward, game.rewards[i].ravel())
        found = result.tables[i]["q"][0, both].ravel()
        np.testing.assert_allclose(found, exact, atol=1e-9)


def test_agents_with_opposed_aims_have_opposed_critics():
    result = fg.run(fg.games.matching_pennies(), fg.MADDPG(), 500, 4, rng=1, backend="reference")
    one, other = (table["q"] for table in result.tables)
    assert abs(one).min() > 0.5
    np.testing.assert_array_equal(one, -other)


# --- PUBLISHED-LEARNERS 2.4: Lowe et al. (2017), proposition 1 ------------------------------------


@pytest.mark.parametrize("agents", range(1, 7))
def test_a_step_points_uphill_with_the_chance_of_the_proposition(agents):
    # Reward 1 if all play 1: of 2^N equally likely joint actions, only one gives such a step.
    payoffs = np.zeros((agents, *[2] * agents))
    payoffs[(slice(None), *[1] * agents)] = 1.0
    critic, learner = {"q": payoffs[:1].reshape(1, -1)}, fg.MADDPG(1.0, 0.0, baseline="none")
    uphill = 0
    for u in itertools.product((0, 1), repeat=agents):
        result = fg.run(
            fg.MatrixGame(payoffs), learner, 1, rng=1, backend="reference",
            start_tables=[critic] * agents, opening=[u],
        )  # fmt: skip
        step = sum(table["logits"][0, 0, 1] for table in result.tables)
        uphill += step > 0  # the true gradient is the same for all members, and positive
    assert uphill == 1


# --- PUBLISHED-LEARNERS 4.1: central critic minus value -------------------------------------------


@pytest.mark.parametrize("agents", [2, 5])
def test_the_variance_of_a_step_is_that_of_a_central_critic(agents):
    critics = {"q": sums(agents)[None]}
    found = changes(adding_game(agents, 1.0), fg.MADDPG(1.0, 0.0), critics)
    assert found.mean() == pytest.approx(0.25, abs=4 * found.std() / np.sqrt(len(found)))
    assert found.var() == pytest.approx((agents - 1) / 16, rel=0.03)


@pytest.mark.parametrize(("agents", "count"), [(2, 28), (8, 32)])
def test_updates_until_agents_play_the_better_action(agents, count):
    given = [{"q": sums(agents)[None]}] * agents
    # The source steps one logit by 0.5: the difference of two logits moves twice as far.
    result = fg.run(
        adding_game(agents, 0.0), fg.MADDPG(0.25, 0.0), 60, 500, rng=1, start_tables=given,
        record=fg.Record(every=1, policies=True),
    )  # fmt: skip
    curve = np.mean([p[:, :, 0, 1].mean(axis=1) for p in result.snapshots.policies], axis=0)
    assert np.argmax(curve > 0.9) == pytest.approx(count, abs=2)


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"alpha_actor": -1.0}, ValueError, r"alpha_actor must be in \[0, inf\), got -1.0"),
        ({"alpha_critic": 1.5}, ValueError, r"alpha_critic must be in \[0, 1\], got 1.5"),
        ({"baseline": "vlaue"}, ValueError, "baseline must .* did you mean 'value'"),
        ({"label": 3}, TypeError, "label must be a str, got 3"),
    ],
)
def test_parameters_outside_of_their_domains_are_refused(given, kind, words):
    with pytest.raises(kind, match=words):
        fg.MADDPG(**given)


def test_teams_whose_observations_cannot_be_joined_are_refused():
    game = fg.remember(fg.MatrixGame(np.zeros((4, *[4] * 4))))  # 4^4 observations of each of 4
    with pytest.raises(ValueError, match=r"table 'q' of learners\[0\] must have fewer than 2\^31"):
        fg.run(game, fg.MADDPG(gamma=0.9), 1)
