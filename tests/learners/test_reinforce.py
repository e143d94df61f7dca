"""REINFORCE against its definition, episode by episode, and its variance in closed form."""

import itertools

import numpy as np
import pytest
from library.gradients import adding_game, changes, score

import fastgames as fg
from fastgames.learners import reinforce
from fastgames.rules.outcome import Outcome

RULES = fg.Reinforce().rules


def tables_of(logits, value):
    """Return tables with these logits (O, A) and values (O,), before an episode."""
    observations = len(value)
    integers = np.zeros(logits.shape, np.int64)
    return RULES.as_tables(
        (
            logits.copy(), value.copy(), integers, np.zeros_like(logits), np.zeros_like(logits),
            np.zeros(observations, np.int64), np.zeros(1, np.int64),
        )
    )  # fmt: skip


def outcome(o, a, gain, weight, o2, end=""):
    """Return the outcome of a move; end: of the episode, "ended", "truncated" or "cut"."""
    o2 = -1 if end == "cut" else o2
    truncated = end in ("truncated", "cut")
    return Outcome(o, a, gain, weight, o2, -1, end == "ended", truncated=truncated)


def drawn(rng, length, logits):
    """Return the moves of an episode: (o, a, reward, weight) each."""
    return [
        (*(int(rng.integers(n)) for n in logits.shape), rng.normal(), rng.choice([0.9, 0.81]))
        for _ in range(length)
    ]


def defined(logits, value, moves, p):
    """Return logits and values after an episode, by the formula."""
    returns, after = np.zeros(len(moves)), 0.0
    for k, (_, _, reward, weight) in reversed(list(enumerate(moves))):
        after = returns[k] = reward + weight * after
    new, values = logits.copy(), value.copy()
    for (o, a, *_), g in zip(moves, returns, strict=True):
        new[o] += p.alpha_actor * (g - value[o]) * score(logits[o], a, p.epsilon)
    for o in {o for o, *_ in moves}:
        mean = np.mean([g for (seen, *_), g in zip(moves, returns, strict=True) if seen == o])
        values[o] += p.alpha_critic * (mean - value[o])
    return new, values


@pytest.mark.parametrize("end", ["ended", "truncated", "cut"])
@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_an_episode_is_a_step_along_its_returns_times_scores(end, epsilon):
    rng = np.random.default_rng(1)
    p = RULES.as_p([0.3, 0.4, 0.9, epsilon])
    logits, value = rng.normal(size=(4, 3)), rng.normal(size=4)
    tables = tables_of(logits, value)
    for length in (1, 2, 9):  # the sums of an episode are cleared for the next
        moves = drawn(rng, length, logits)
        for k, (o, a, reward, weight) in enumerate(moves):
            np.testing.assert_array_equal(tables.logits, logits)
            o2 = moves[k + 1][0] if k < length - 1 else 0
            given = outcome(o, a, reward, weight, o2, end if k == length - 1 else "")
            reinforce.learn(tables, p, given)
        logits, value = defined(logits, value, moves, p)
        np.testing.assert_allclose(tables.logits, logits, atol=1e-8)
        np.testing.assert_allclose(tables.value, value, atol=1e-12)
        logits, value = tables.logits.copy(), tables.value.copy()


def test_without_later_rewards_every_step_is_an_episode():
    rng = np.random.default_rng(2)
    p = RULES.as_p([0.3, 0.4, 0.0, 0.0])
    logits, value = rng.normal(size=(4, 3)), rng.normal(size=4)
    tables = tables_of(logits, value)
    reinforce.learn(tables, p, outcome(2, 1, 0.7, 0.0, 3))
    logits, value = defined(logits, value, [(2, 1, 0.7, 0.0)], p)
    np.testing.assert_allclose(tables.logits, logits, atol=1e-8)
    np.testing.assert_allclose(tables.value, value, atol=1e-12)


def test_the_baseline_is_none_by_default():
    result = fg.run(fg.games.climbing(), fg.Reinforce(), 50, 3, rng=1, backend="reference")
    assert not result.tables[0]["value"].any()


def test_tables_of_users_with_numbers_out_of_range_are_survived():
    tables = tables_of(np.zeros((2, 3)), np.zeros(2))
    tables.distinct[0] = 99
    tables.visited[:] = [-7, 88]
    tables.plays[1, 0] = 1  # observation 1 is not new
    reinforce.learn(tables, RULES.as_p([0.1, 0.1, 0.5, 0.0]), outcome(1, 2, 1.0, 0.5, 0, "ended"))
    assert np.isfinite(tables.logits).all()
    assert np.isfinite(tables.value).all()


def test_it_learns_the_way_through_a_corridor():
    # Left or right along five cells; right of the last one pays 1 and ends the episode.
    moves = np.array([[max(s - 1, 0), min(s + 1, 5)] for s in range(6)])
    rewards = np.zeros((1, 6, 2))
    rewards[0, 4, 1] = 1.0
    game = fg.MarkovGame(rewards, moves, 0.9, terminal=np.arange(6) == 5)
    result = fg.run(game, fg.Reinforce(0.3, 0.1), 20_000, 20, rng=1)
    assert (result.greedy(0)[:, :5] == 1).mean() > 0.97


# --- variance: eq. 8.5 of an open textbook draft, chapter 17 --------------------------------------


@pytest.mark.parametrize("agents", [2, 5])
def test_the_variance_of_the_estimate_is_that_of_its_closed_form(agents):
    sigma = 1.0
    game = adding_game(agents, sigma)
    plain = changes(game, fg.Reinforce(1.0))
    assert plain.mean() == pytest.approx(0.25, abs=0.02)
    exact = (agents**2 + agents - 1) / 16 + sigma**2 / 4
    assert plain.var() == pytest.approx(exact, rel=0.03)


@pytest.mark.parametrize("agents", [2, 5])
def test_a_baseline_of_the_value_lowers_the_variance(agents):
    sigma = 1.0
    value = {"value": np.full(1, agents / 2)}
    found = changes(adding_game(agents, sigma), fg.Reinforce(1.0), value)
    assert found.mean() == pytest.approx(0.25, abs=0.01)
    assert found.var() == pytest.approx((agents - 1) / 16 + sigma**2 / 4, rel=0.03)


def updates(game, learner, steps, runs):
    """Return the mean chance of action 1 after each step, over runs and agents."""
    record = fg.Record(every=1, policies=True)
    result = fg.run(game, learner, steps, runs, rng=1, record=record)
    return np.mean([p[:, :, 0, 1].mean(axis=1) for p in result.snapshots.policies], axis=0)


def test_updates_until_agents_play_the_better_action():
    # The source steps one logit by 0.5: the difference of two logits moves twice as far.
    curve = updates(adding_game(2, 1.0), fg.Reinforce(0.25), 60, 10_000)
    assert np.argmax(curve > 0.9) == pytest.approx(44, abs=2)
    curve = updates(adding_game(8, 1.0), fg.Reinforce(0.25), 400, 1000)
    assert curve[400] == pytest.approx(0.72, abs=0.02)
    assert not (curve > 0.9).any()


# --- the chance of a right direction: Lowe et al. (2017), proposition 1 ---------------------------


@pytest.mark.parametrize("agents", range(1, 7))
def test_the_chance_that_one_sample_points_uphill_is_that_of_the_proposition(agents):
    # The reward is 1 if all play 1, from uniform play; the true gradient of each logit is 2^-N / 2.
    p = RULES.as_p([1.0, 0.0, 0.0, 0.0])
    uphill = 0
    for u in itertools.product((0, 1), repeat=agents):
        product = 0.0
        for a in u:
            tables = tables_of(np.zeros((1, 2)), np.zeros(1))
            reinforce.learn(tables, p, outcome(0, a, float(all(u)), 0.0, 0))
            product += tables.logits[0] @ [-(0.5**agents) / 2, 0.5**agents / 2]
        uphill += product > 0.0
    assert uphill / 2**agents == 2.0**-agents


# --- refused --------------------------------------------------------------------------------------


def test_games_whose_episodes_do_not_end_are_refused():
    game = fg.remember(fg.games.prisoners_dilemma())
    with pytest.raises(ValueError, match=r"gamma of Reinforce must be 0 where .* got up to 0.95"):
        fg.run(game, fg.Reinforce(), 10)
    with pytest.raises(ValueError, match="gamma of Reinforce must be 0"):
        fg.run(fg.games.chicken(), fg.Reinforce(gamma=fg.Linear(0.0, 0.5, 9)), 10)
    fg.run(game, fg.Reinforce(gamma=0.0), 10, backend="reference")


@pytest.mark.parametrize("game", [fg.games.climbing(), fg.games.penalty(-100)], ids=str)
def test_from_uniform_play_no_run_finds_the_risky_optimum(game):
    # Papoudakis et al. (2021): policy gradients end at (b, b) or below, at (b, b) under penalties.
    result = fg.run(game, fg.Reinforce(0.001, 0.05), 60_000, 100, rng=1)
    joint = np.stack([result.greedy(i)[:, 0] for i in (0, 1)])
    paid = game.payoffs[0][tuple(joint)]
    assert paid.max() <= game.payoffs[0][1, 1]
    if game.name.startswith("penalty"):
        assert (joint == 1).all()
