"""LOLA from rollouts: its mean step against exact LOLA, variances, and the iterated dilemma."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames.learners.sampled_lola import learn
from fastgames.rules.outcome import Outcome

PD = np.array([[-1.0, -3.0], [0.0, -2.0]])


def exact_steps(game, logits, eta):
    """The changes of both agents' logits in one step of exact LOLA of size 1."""
    learners = [fg.LOLA(1.0, eta, initial=x) for x in logits]
    result = fg.run(game, learners, 1, rng=1, backend="reference")
    return [table["logits"][0] - x for table, x in zip(result.tables, logits, strict=True)]


def two_steps(seed):
    """A game of two steps with 2 and 3 actions; the state of the second is the joint action."""
    rng = np.random.default_rng(seed)
    moves = np.full((8, 2, 3), 7)
    moves[0] = np.arange(1, 7).reshape(2, 3)
    rewards = rng.normal(size=(2, 8, 2, 3))
    return fg.MarkovGame(rewards, moves, 0.8, terminal=np.arange(8) == 7)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def paths(game, policies):
    """All episodes of a game, with their probabilities: lists of (state, actions, next, ends)."""
    if isinstance(game, fg.MatrixGame):
        for joint in itertools.product(*(range(n) for n in game.num_actions)):
            yield policies[0][0, joint[0]] * policies[1][0, joint[1]], [(0, joint, 0, False)]
        return

    def after(state):
        if game.terminal[state]:
            yield 1.0, []
            return
        for joint in itertools.product(*(range(n) for n in game.num_actions)):
            chance = policies[0][state, joint[0]] * policies[1][state, joint[1]]
            following = game.transitions[state][joint]
            for rest, path in after(following):
                ends = bool(game.terminal[following])
                yield chance * rest, [(state, joint, following, ends), *path]

    yield from after(game.start)


def update(game, logits, agent, learner, values, rollouts):
    """The change of the logits of an agent after these rollouts, by its rules."""
    rules, discount = learner.rules, game.discount
    sizes = [t.shape(game, agent, (agent,)) for t in rules.tables]
    tables = [
        np.zeros(size, np.int64 if t.kind == "int64" else float)
        for t, size in zip(rules.tables, sizes, strict=True)
    ]
    tables = rules.as_tables(tables)
    tables.logits[:] = logits[agent]
    tables.value[:], tables.their_value[:] = values
    p = rules.as_p(learner.values(discount).values())
    for path in rollouts:
        for state, joint, following, ends in path:
            paid = game.payoffs if isinstance(game, fg.MatrixGame) else game.rewards[:, state]
            rewards = np.array([paid[(i, *joint)] for i in range(2)])
            learn(
                tables,
                p,
                Outcome(
                    state, joint[agent], rewards[agent], discount, following, -1, ends,
                    agent=agent, actions=np.array(joint), rewards=rewards,
                    others=joint[1 - agent], opponents=((logits[1 - agent],),),
                ),
            )  # fmt: skip
    assert not (tables.count.any() or tables.lengths.any())
    return tables.logits - logits[agent]


@pytest.mark.parametrize("kind", ["matrix", "two steps"])
@pytest.mark.parametrize("baseline", [False, True])
def test_the_mean_step_over_all_rollouts_is_that_of_exact_lola(kind, baseline):
    rng = np.random.default_rng(3)
    if kind == "matrix":
        game, states, count = fg.MatrixGame(rng.normal(size=(2, 2, 3))), 1, 3
    else:
        game, states, count = two_steps(4), 8, 2
    logits = [rng.normal(size=(states, n)) for n in (2, 3)]
    every = list(paths(game, [softmax(x) for x in logits]))
    assert sum(chance for chance, _ in every) == pytest.approx(1.0)
    learner = fg.SampledLOLA(2, count, 1.0, 0.7, 0.0)
    exact = exact_steps(game, logits, 0.7)
    naive = exact_steps(game, logits, 0.0)
    for agent in range(2):
        values = rng.normal(size=(2, states)) if baseline else np.zeros((2, states))
        mean = np.zeros_like(logits[agent])
        for batch in itertools.product(every, repeat=count):
            chance = np.prod([each for each, _ in batch])
            rollouts = [path for _, path in batch]
            mean += chance * update(game, logits, agent, learner, values, rollouts)
        np.testing.assert_allclose(mean, exact[agent], atol=1e-12)
        assert np.abs(exact[agent] - naive[agent]).max() > 1e-3
        assert not mean[:, -1].any()  # the last logit is fixed


def test_the_mean_step_of_runs_is_that_of_exact_lola():
    rng = np.random.default_rng(5)
    game, replicas = two_steps(6), 40_000
    logits = [rng.normal(size=(8, n)) for n in (2, 3)]
    learners = [fg.SampledLOLA(2, 3, 1.0, 0.7, 0.0, initial=x) for x in logits]
    result = fg.run(game, learners, 6, replicas, rng=7)
    for agent, exact in enumerate(exact_steps(game, logits, 0.7)):
        steps = result.tables[agent]["logits"] - logits[agent]
        errors = steps.std(axis=0) / np.sqrt(replicas)
        assert (np.abs(steps.mean(axis=0) - exact) <= 4.5 * errors).all()
        far = exact_steps(game, logits, 0.0)[agent]
        assert (np.abs(steps.mean(axis=0) - far) > 4.5 * errors).any()


@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_without_foresight_it_is_reinforce_over_rollouts(baseline):
    """The step is the mean over both rollouts of the reward above the baseline, times the score."""
    game = fg.MatrixGame(np.random.default_rng(8).normal(size=(2, 3, 2)))
    policies = [np.full((1, 3), 1 / 3), np.full((1, 2), 1 / 2)]
    logits = [np.zeros((1, 3)), np.zeros((1, 2))]
    learner = fg.SampledLOLA(5, 2, 1.0, 0.0, 0.0)
    values = np.full((2, 1), baseline)
    for first, second in itertools.product(paths(game, policies), repeat=2):
        change = update(game, logits, 0, learner, values, [first[1], second[1]])
        expected = np.zeros(3)
        for _, ((_, joint, _, _),) in (first, second):
            score = np.eye(3)[joint[0]] - 1 / 3
            expected += (game.payoffs[(0, *joint)] - baseline) * score / 2
        np.testing.assert_allclose(change[0, :2], expected[:2], atol=1e-15)


def test_baselines_move_to_the_mean_reward_and_keep_the_noise_low():
    """With payoffs near 100 and no baseline, the steps of the logits have a known deviation."""
    levels = np.array([100.0, 200.0])[:, None, None]
    game = fg.MatrixGame(levels + np.random.default_rng(9).normal(size=(2, 2, 2)))
    spread = {}
    for step in (0.0, 0.5):
        learner = fg.SampledLOLA(1, 4, 1e-6, 0.0, step)
        result = fg.run(game, learner, 400, 200, rng=1)
        spread[step] = result.tables[0]["logits"][:, 0, 0].std()
    mean = game.payoffs[0].mean()
    np.testing.assert_allclose(result.tables[0]["value"], mean, atol=1.5)
    np.testing.assert_allclose(result.tables[0]["their_value"], game.payoffs[1].mean(), atol=1.5)
    # Each step's gain: 100 times a score of +-1/2, averaged over 4 rollouts, in 100 updates.
    assert spread[0.0] == pytest.approx(1e-6 * mean * 0.5 / np.sqrt(4) * np.sqrt(100), rel=0.15)
    assert spread[0.5] < spread[0.0] / 5


def test_a_constant_in_rewards_and_baselines_changes_no_step():
    rng = np.random.default_rng(10)
    payoffs, logits = rng.normal(size=(2, 2, 3)), [rng.normal(size=(1, n)) for n in (2, 3)]
    learner, constants = fg.SampledLOLA(1, 2, 1.0, 0.7, 0.0), np.array([3.0, -5.0])
    games = fg.MatrixGame(payoffs), fg.MatrixGame(payoffs + constants[:, None, None])
    for first, second in itertools.product(itertools.product(range(2), range(3)), repeat=2):
        rollouts = [[(0, joint, 0, False)] for joint in (first, second)]
        one, two = (
            update(game, logits, 0, learner, np.full((2, 1), 0.5) + shift[:, None], rollouts)
            for game, shift in zip(games, (0.0 * constants, constants), strict=True)
        )
        np.testing.assert_allclose(one, two, atol=1e-14)


def test_pairs_in_the_iterated_dilemma_learn_to_cooperate_more_often():
    game = fg.games.remember(fg.MatrixGame([PD, PD.T]), discount=0.96)
    paid = {}
    for eta in (0.0, 1.0):
        learner = fg.SampledLOLA(16, 32, 0.5, eta)
        learnt = fg.run(game, learner, 200_000, 40, rng=1)
        after = fg.run(game, learner, 5_000, resume=learnt, record=fg.Record(rewards=True))
        paid[eta] = after.mean_reward.mean(axis=1)
    assert np.median(paid[0.0]) < -1.95  # both defect
    error = np.sqrt(sum(x.var() / len(x) for x in paid.values()))
    assert paid[1.0].mean() - paid[0.0].mean() > 4 * error


@pytest.mark.parametrize(
    ("game", "learners", "text"),
    [
        (fg.games.public_goods(3), fg.SampledLOLA(), "game must have 2 agents for SampledLOLA"),
        (fg.games.soccer(), fg.SampledLOLA(), "game must be a game of tables for SampledLOLA"),
        (fg.games.klein(), fg.SampledLOLA(), "without turns for SampledLOLA"),
        (
            fg.games.remember(fg.games.chicken(), (1, 2), 0.9),
            fg.SampledLOLA(),
            "observations must be the same for both agents for SampledLOLA",
        ),
        (
            fg.games.chicken(),
            [fg.SampledLOLA(), fg.QLearner()],
            r"learners\[1\] must have the table 'logits', which learners\[0\] reads",
        ),
        (
            fg.games.chicken(),
            fg.SampledLOLA(16, 13),
            r"rollouts \* horizon of learners\[0\] must be at most the steps .*, 200, got 208",
        ),
    ],
)
def test_games_opponents_and_runs_that_do_not_suit_are_refused(game, learners, text):
    with pytest.raises(ValueError, match=text):
        fg.run(game, learners, 200, rng=1)


def test_one_rollout_is_refused_because_products_need_two():
    with pytest.raises(ValueError, match=r"rollouts must be .*\[2, 2\^31\)"):
        fg.SampledLOLA(rollouts=1)
