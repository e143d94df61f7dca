"""Exp3: estimates and bound of its paper, in the mean over runs, and weights that stay finite.

Auer, Cesa-Bianchi, Freund & Schapire, SIAM J. Computing 32 (2002).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.rules import (
    assert_discount_does_not_matter,
    assert_same_interpreted_and_compiled,
    mixed_tables,
)

import fastgames as fg
from fastgames.jit import compiled
from fastgames.learners import exp3
from fastgames.rules.outcome import Outcome

PENNIES = fg.games.matching_pennies()


def outcome(action, gain):
    """Return the outcome that the rule reads: its own payoff, of the type of the tables."""
    return Outcome(
        observation=0, action=action, gain=gain, weight=type(gain)(0.9), next_observation=0,
        next_action=-1, ended=False, signal=0.5, column=None, agent=0, actions=None, rewards=None,
        others=-1,
    )  # fmt: skip


RULES = fg.Exp3().rules


@pytest.mark.parametrize("mixing", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("actions", [1, 2, 5])
def test_the_paper(actions, mixing):
    """Figure 1: weights times exp(mixing x / (p A)), and (1 - mixing) weights + mixing / A."""
    rng = np.random.default_rng(actions)
    tables, weights, strategies, low, high = (
        mixed_tables(RULES, actions),
        np.ones(actions),
        [],
        -3.0,
        5.0,
    )
    for _ in range(60):
        p = (1 - mixing) * weights / weights.sum() + mixing / actions
        np.testing.assert_allclose(tables[0][0], p, rtol=1e-10)
        strategies.append(p)
        action, x = rng.integers(actions), rng.random()
        estimate = np.zeros(actions)
        estimate[action] = x / p[action]
        weights = weights * np.exp(mixing * estimate / actions)
        t = outcome(action, np.float64(low + (high - low) * x))
        exp3.learn(tables, RULES.as_p([mixing, low, high]), t)
    np.testing.assert_allclose(tables[1][0], np.log(weights / weights.max()), atol=1e-10)
    np.testing.assert_allclose(tables[2][0], np.mean(strategies, axis=0), atol=1e-12)


def test_estimates_are_unbiased():
    """The mean over its own action of what is added to a log weight is mixing x / A."""
    payoffs, mixing = np.array([0.2, 0.9, 0.5]), 0.4
    before, p = mixed_tables(RULES, 3), RULES.as_p([mixing, 0.0, 1.0])
    for action in (0, 1, 1, 2, 1):
        exp3.learn(before, p, outcome(action, payoffs[action]))
    added = np.zeros(3)
    for action in range(3):
        tables = RULES.as_tables(table.copy() for table in before)
        exp3.learn(tables, p, outcome(action, payoffs[action]))
        change = tables[1][0] - before[1][0]
        other = (action + 1) % 3  # nothing was added to it: the shift
        added[action] += before[0][0, action] * (change[action] - change[other])
    np.testing.assert_allclose(added, mixing * payoffs / 3, rtol=1e-12)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_compiled_bits(real):
    """The same bits compiled."""
    fast = compiled(exp3.learn)

    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(1, 5),
        st.sampled_from([1.0, 0.1, 1e-3]) | st.floats(1e-6, 1.0),
        st.sampled_from([(0.0, 1.0), (-3.0, 4.1), (0.1, 0.2)]),
        st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=12),
    )
    def check(actions, mixing, limits, moves):
        p = RULES.as_p([mixing, *limits])
        slow_tables, fast_tables = (
            mixed_tables(RULES, actions, real),
            mixed_tables(RULES, actions, real),
        )
        for action, x in moves:
            t = outcome(action % actions, real(limits[0] + (limits[1] - limits[0]) * x))
            exp3.learn(slow_tables, p, t)
            fast(fast_tables, p, t)
        for one, other in zip(slow_tables, fast_tables, strict=True):
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()

    check()


def gains(game, result, agent, low, high):
    """Scaled to [0, 1], summed: what was earned, and what each action would have; every replica."""
    payoffs = np.moveaxis((game.payoffs[agent] - low) / (high - low), agent, 0)
    counts = np.moveaxis(result.joint_counts, 1 + agent, 1)
    earned = (counts * payoffs).sum(axis=(1, 2))
    return earned, counts.sum(axis=1) @ payoffs.T


def test_bound_in_the_mean():
    """G_max - E G <= (e - 1) mixing G_max + A ln A / mixing, theorem 3.1; and corollary 3.2.

    Against a rival that plays the same whatever happens, G_max is that of what it played. 400 runs,
    4 standard errors.
    """
    game, low, high, steps = fg.games.biased_rock_paper_scissors(), -50.0, 50.0, 3000
    rival = fg.FixedPolicy([0.2, 0.2, 0.6])  # rock is best: 25 per step
    best = min(1.0, np.sqrt(3 * np.log(3) / ((np.e - 1) * steps)))
    for mixing in (0.5 * best, best, 0.3, 1.0):
        result = fg.run(
            game, [fg.Exp3(mixing, low, high), rival], steps, 400, rng=1,
            backend="numba", progress=False, record=fg.Record(joint_actions=True),
        )  # fmt: skip
        earned, possible = gains(game, result, 0, low, high)
        most = possible.max(axis=1)
        slack = (np.e - 1) * mixing * most + 3 * np.log(3) / mixing - (most - earned)
        assert slack.mean() >= -4 * slack.std() / np.sqrt(len(slack))
        if mixing == best:
            assert (most - earned).mean() <= 2 * np.sqrt((np.e - 1) * steps * 3 * np.log(3))
        if mixing == 1.0:  # uniform play, which is no better than it should be
            assert earned.mean() / steps == pytest.approx(possible.mean() / steps, abs=0.01)


def test_bound_against_itself():
    """The same for the best action in the mean over runs, whatever the others do."""
    game, steps = fg.games.rock_paper_scissors(), 5000
    mixing = np.sqrt(3 * np.log(3) / ((np.e - 1) * steps))
    result = fg.run(
        game, fg.Exp3(mixing, -1.0, 1.0), steps, 400, rng=2, backend="numba", progress=False,
        record=fg.Record(joint_actions=True),
    )  # fmt: skip
    for agent in range(2):
        earned, possible = gains(game, result, agent, -1.0, 1.0)
        best = possible.mean(axis=0).max()
        bound = (np.e - 1) * mixing * best + 3 * np.log(3) / mixing
        assert best - earned.mean() <= bound + 4 * (earned - best).std() / np.sqrt(len(earned))
        average = result.tables[agent]["average_strategy"][:, 0].mean(axis=0)
        assert average == pytest.approx([1 / 3] * 3, abs=0.02)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_stay_finite(dtype):
    """Little mixing, and payoffs at both ends for long: the largest log weight stays 0."""
    me, game = fg.Exp3([1e-3, 1e-6, 1.0], -1.0, 1.0), fg.games.rock_paper_scissors()
    for rival in (fg.FixedPolicy([1.0, 0.0, 0.0]), me):
        result = fg.run(
            game, [me, rival], 200_000, 3, rng=3, dtype=dtype, backend="numba", progress=False
        )
        logs, strategy = (result.tables[0][name][:, 0] for name in ("log_weights", "strategy"))
        assert (logs.max(axis=1) == 0.0).all()
        assert np.isfinite(logs).all()
        assert (strategy >= np.array([1e-3, 1e-6, 1.0])[:, None] / 3 * (1 - 1e-6)).all()
        np.testing.assert_allclose(strategy.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "dtype"), [("observations", "float64"), ("turns", "float32"), ("variants", "float64")]
)
def test_reference_bits(kind, dtype):
    """With a schedule and an array: several observations; agents in turn; variants of a game."""
    me = fg.Exp3(fg.Linear(1.0, 0.05, 100), [-1.0, -1.0, -2.0], 1.0)
    stage = fg.games.rock_paper_scissors()
    other = fg.MatrixGame(stage.payoffs / 2, actions=stage.actions)
    game = {
        "observations": fg.remember(stage),
        "turns": fg.games.random_markov_game(2, 3, (2, 3), rng=1, turns=True),
        "variants": fg.Variants([stage, other], [0, 1, 1]),
    }[kind]
    assert_same_interpreted_and_compiled(game, me, dtype)


def test_only_the_rewards_of_the_step_count():
    """The discount changes nothing; what others could have brought neither."""
    assert_discount_does_not_matter(fg.Exp3(0.1, 0, 5), "log_weights")
    assert not fg.Exp3().rules.counterfactual


def test_bad_input():
    """Domains, and payoffs of the game that are out of range."""
    for mixing in (0.0, 1.5):
        with pytest.raises(ValueError, match=r"mixing must be in \(0, 1\]"):
            fg.Exp3(mixing)
    with pytest.raises(ValueError, match=r"mixing \(floor of its schedule\) must be in \(0, 1\]"):
        fg.Exp3(fg.Exponential(1.0, 0.1))
    with pytest.raises(ValueError, match=r"low must be below high, got low = 2.0, high = 2.0"):
        fg.Exp3(low=[0.0, 2.0], high=[1.0, 2.0])
    with pytest.raises(ValueError, match="same number of replicas, got 2 and 3"):
        fg.Exp3(low=[0.0, 2.0], high=[1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="high must be a number or an array"):
        fg.Exp3(high=fg.Linear(1.0, 2.0, 10))
    with pytest.raises(ValueError, match=r"payoffs of agent 0 must be in \[low, high\]"):
        fg.run(PENNIES, fg.Exp3(), 10, backend="reference", progress=False)
    tripled = fg.MatrixGame(3 * PENNIES.payoffs, actions=PENNIES.actions)
    variants = fg.Variants([PENNIES, tripled], [0, 1])
    fg.run(variants, fg.Exp3(0.1, [-1, -3], [1, 3]), 10, 2, backend="reference", progress=False)
    with pytest.raises(ValueError, match=r"got payoffs from -3\.0 to 3\.0"):
        fg.run(variants, fg.Exp3(0.1, [-3, -1], [3, 1]), 10, 2, backend="reference", progress=False)
