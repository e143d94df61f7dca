"""Hedge: its weights, its bound on every run, average play in zero-sum games.

Freund & Schapire, J. Computer and System Sciences 55 (1997).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.rules import (
    assert_discount_does_not_matter,
    assert_same_interpreted_and_compiled,
    counterfactual_outcome,
    mixed_tables,
)
from scipy.special import softmax

import fastgames as fg
from fastgames.jit import compiled
from fastgames.learners import hedge

RULES = fg.Hedge().rules


def best_eta(game, agent, steps):
    """The eta of the docstring."""
    payoffs = game.payoffs[agent]
    return np.sqrt(8 * np.log(game.num_actions[agent]) / steps) / (payoffs.max() - payoffs.min())


def bound(actions, eta, steps, length):
    """Cesa-Bianchi & Lugosi (2006), theorem 2.2."""
    return np.log(actions) / eta + eta * steps * length**2 / 8


@pytest.mark.parametrize("eta", [0.0, 0.05, 1.0, 50.0])
@pytest.mark.parametrize("actions", [1, 2, 6])
def test_the_weights(actions, eta):
    """The softmax of eta times the summed payoffs, by SciPy; and what regrets and averages are."""
    columns = np.random.default_rng(actions).normal(size=(80, actions))
    tables, strategies = mixed_tables(RULES, actions), []
    for t, column in enumerate(columns):
        strategies.append(tables[0][0].copy())
        expected = softmax(eta * columns[:t].sum(axis=0)) if t else np.full(actions, 1 / actions)
        np.testing.assert_allclose(strategies[-1], expected, rtol=1e-10, atol=1e-300)
        hedge.learn(tables, RULES.as_p([eta]), counterfactual_outcome(column))
    earned = (np.array(strategies) * columns).sum()
    np.testing.assert_allclose(tables[1][0], columns.sum(axis=0) - earned, atol=1e-10)
    np.testing.assert_allclose(tables[2][0], np.mean(strategies, axis=0), atol=1e-12)
    assert tables[3].tolist() == [80]


def test_two_steps_by_hand():
    """With eta = ln 2 every unit of payoff doubles a weight."""
    tables = mixed_tables(RULES, 3)
    for column, strategy in [
        ([1, 0, -1], [4 / 7, 2 / 7, 1 / 7]),
        ([-2, 1, 0], [1 / 6, 4 / 6, 1 / 6]),
    ]:
        hedge.learn(
            tables, RULES.as_p([np.log(2)]), counterfactual_outcome(np.array(column, float))
        )
        assert tables[0][0] == pytest.approx(strategy, abs=1e-14)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_compiled_bits(real):
    """The same bits compiled."""
    fast = compiled(hedge.learn)

    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(1, 5),
        st.sampled_from([0.0, 1e-9, 0.1, 3.0, 1e4]),
        st.lists(st.integers(0, 10**6), min_size=1, max_size=12),
    )
    def check(actions, eta, seeds):
        slow_tables, fast_tables = (
            mixed_tables(RULES, actions, real),
            mixed_tables(RULES, actions, real),
        )
        for seed in seeds:
            rng = np.random.default_rng(seed)
            column = rng.integers(-2, 3, actions) if seed % 2 else rng.normal(size=actions)
            t = counterfactual_outcome(column.astype(real))
            hedge.learn(slow_tables, RULES.as_p([eta]), t)
            fast(fast_tables, RULES.as_p([eta]), t)
        for one, other in zip(slow_tables, fast_tables, strict=True):
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()

    check()


@pytest.mark.parametrize(
    ("rival", "dtype"),
    [("self", "float64"), ("biased", "float64"), ("q", "float64"), ("biased", "float32")],
)
def test_bound_on_every_run(dtype, rival):
    """No regret exceeds ln A / eta + eta T L^2 / 8: on no run, after no step, for no eta."""
    for game in (fg.games.rock_paper_scissors(), fg.games.biased_rock_paper_scissors()):
        actions = game.num_actions[0]
        length = game.payoffs[0].max() - game.payoffs[0].min()
        eta = best_eta(game, 0, 2000) * np.repeat([0.1, 1.0, 10.0], 40)  # one for each replica
        me = fg.Hedge(eta)
        others = {
            "self": me,
            "biased": fg.FixedPolicy(np.eye(actions)[-1] * 0.5 + 0.5 / actions),
            "q": fg.QLearner(0.3),
        }
        result = fg.run(
            game, [me, others[rival]], 2000, 120, rng=1, dtype=dtype, backend="numba",
            progress=False, record=fg.Record(every=40, tables=("regrets",), joint_actions=True),
        )  # fmt: skip
        steps = result.snapshots.steps[:, None]
        regrets = result.snapshots.tables[0]["regrets"].max(axis=(2, 3))
        assert regrets.shape == (51, 120)
        assert (regrets <= bound(actions, eta, steps, length)).all()
        final = result.tables[0]["regrets"][:, 0]  # they differ as the play of the others says
        sums = result.joint_counts.sum(axis=1) @ game.payoffs[0].T
        np.testing.assert_allclose(
            final - final[:, :1], sums - sums[:, :1], atol=1e-8 if dtype == "float64" else 2
        )


@pytest.mark.parametrize("actions", [2, 3, 10])
def test_bound_against_an_adversary(actions):
    """Fair coins as payoffs take a good part of the bound; what is played most never pays, too."""
    steps, rng = 4000, np.random.default_rng(actions)
    eta = np.sqrt(8 * np.log(actions) / steps)
    limit = np.sqrt(steps * np.log(actions) / 2)
    assert limit == pytest.approx(bound(actions, eta, steps, 1.0))
    worst = []
    for adversary in (False, False, False, True):
        tables = mixed_tables(RULES, actions)
        for _ in range(steps):
            column = rng.integers(0, 2, actions).astype(float)
            if adversary:
                column = np.ones(actions)
                column[np.argmax(tables[0][0])] = 0.0
            hedge.learn(tables, RULES.as_p([eta]), counterfactual_outcome(column))
        worst.append(tables[1].max())
    assert 0.2 * limit < max(worst) <= limit


def test_average_strategies_reach_equilibrium():
    """In zero-sum games the averages do."""
    for game, mixed in (
        (fg.games.rock_paper_scissors(), [1 / 3, 1 / 3, 1 / 3]),
        (fg.games.biased_rock_paper_scissors(), [1 / 16, 10 / 16, 5 / 16]),
    ):
        steps = 100_000
        me = fg.Hedge(best_eta(game, 0, steps))
        result = fg.run(game, me, steps, 20, rng=2, backend="numba", progress=False)
        for agent in range(2):
            average = result.tables[agent]["average_strategy"][:, 0]
            assert np.abs(average - mixed).max() < 0.03


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_reference_bits(dtype):
    """With a schedule and an array, in a game of several observations."""
    learners = [fg.Hedge(fg.Exponential(1.0, 0.01, 0.1)), fg.Hedge([0.0, 0.5, 1.5])]
    game = fg.remember(fg.games.rock_paper_scissors())
    assert_same_interpreted_and_compiled(game, learners, dtype)


def test_only_the_rewards_of_the_step_count():
    assert_discount_does_not_matter(fg.Hedge(0.1), "regrets")


def test_long_runs_in_float32():
    """Payoffs that sum to 10^8 leave the weights as they are: they are those of regrets."""
    tables, eta = mixed_tables(RULES, 2, np.float32), 0.01
    step = compiled(hedge.learn)
    for k in range(20_000):
        step(
            tables,
            RULES.as_p([eta]),
            counterfactual_outcome(np.array([10_000 + k % 2, 10_001 - k % 2], np.float32)),
        )
    assert tables[0][0] == pytest.approx([0.5, 0.5], abs=0.01)


def test_bad_input():
    """The domain of eta."""
    with pytest.raises(ValueError, match=r"eta must be in \[0, inf\), got -0.1"):
        fg.Hedge(-0.1)
    with pytest.raises(ValueError, match=r"eta \(floor of its schedule\) must be in"):
        fg.Hedge(fg.Exponential(1.0, 0.1, -1.0))
    game = fg.games.random_markov_game(2, 3, (2, 2), rng=1, turns=True)
    with pytest.raises(ValueError, match="turns"):
        fg.run(game, fg.Hedge(), 10, backend="reference", progress=False)
