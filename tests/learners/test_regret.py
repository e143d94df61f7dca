"""Regret matching: its formulas, its bounds on every run, the value of zero-sum games.

Hart & Mas-Colell, Econometrica 68 (2000); regret matching+: Tammelin, arXiv:1407.5042 (2014).
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
from library.values import value_of

import fastgames as fg
from fastgames.jit import compiled
from fastgames.learners import regret

LEARN = {
    "mixed": regret.learn,
    "mixed_plus": regret.learn_plus,
    "played": regret.learn_played,
    "played_plus": regret.learn_played_plus,
}
each_rule = pytest.mark.parametrize("rule", LEARN.values(), ids=LEARN)
PENNIES = fg.games.matching_pennies()


RULES = fg.RegretMatching().rules


def length(payoffs):
    """L: the range of an agent's payoffs."""
    return payoffs.max() - payoffs.min()


def zero_sum(rows, columns, seed):
    """A zero-sum game of whole payoffs."""
    payoffs = np.random.default_rng(seed).integers(-5, 6, (rows, columns)).astype(float)
    return fg.MatrixGame([payoffs, -payoffs])


def external(game, counts, agent):
    """Hart & Mas-Colell's regrets, summed, from how often each joint action was played."""
    payoffs = np.moveaxis(game.payoffs[agent], agent, 0).reshape(game.num_actions[agent], -1)
    counts = np.moveaxis(counts, agent + 1, 1).reshape(len(counts), game.num_actions[agent], -1)
    return counts.sum(axis=1) @ payoffs.T - (counts * payoffs).sum(axis=(1, 2))[:, None]


# --- the formulas ---------------------------------------------------------------------------------


@each_rule
@pytest.mark.parametrize("actions", [1, 2, 5])
def test_the_formulas(rule, actions):
    """Against the definitions, over whole histories."""
    rng = np.random.default_rng(actions)
    plus, played = rule.__name__.endswith("plus"), "played" in rule.__name__
    tables = mixed_tables(RULES, actions)
    columns, strategies, regrets = rng.normal(size=(60, actions)), [], np.zeros(actions)
    for column in columns:
        positive = np.maximum(regrets, 0)
        strategy = positive / positive.sum() if positive.any() else np.full(actions, 1 / actions)
        np.testing.assert_allclose(tables[0][0], strategy, atol=1e-12)
        action = rng.choice(actions, p=strategy)
        strategies.append(strategy)
        regrets = regrets + column - (column[action] if played else strategy @ column)
        if plus:
            regrets = np.maximum(regrets, 0)
        rule(tables, (), counterfactual_outcome(column, action))
        np.testing.assert_allclose(tables[1][0], regrets, atol=1e-12)
    np.testing.assert_allclose(tables[2][0], np.mean(strategies, axis=0), atol=1e-12)
    assert tables[3][0] == 60


def test_three_steps_by_hand():
    """Uniform; all on the only regret; then in proportion 3 to 1."""
    tables = mixed_tables(RULES, 2)
    for column, regrets, strategy in [
        ([1.0, -1.0], [1.0, -1.0], [1.0, 0.0]),
        ([-2.0, 2.0], [1.0, 3.0], [0.25, 0.75]),
        ([3.0, -1.0], [4.0, 2.0], [2 / 3, 1 / 3]),  # earned: 0.25 * 3 - 0.75 = 0
    ]:
        regret.learn(tables, (), counterfactual_outcome(np.array(column)))
        assert tables[1][0].tolist() == regrets
        assert tables[0][0].tolist() == strategy
    assert tables[2][0] == pytest.approx([1.75 / 3, 1.25 / 3], abs=1e-15)


def test_rows_stand_alone():
    """Learning at an observation leaves the others alone."""
    tables = mixed_tables(RULES, 3, observations=3)
    regret.learn(tables, (), counterfactual_outcome(np.array([1.0, 2.0, 3.0]), observation=1))
    assert tables[0].tolist() == [[1 / 3] * 3, [0.0, 0.0, 1.0], [1 / 3] * 3]
    assert tables[3].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("kind", "real"),
    [("mixed", np.float64), ("mixed_plus", np.float32), ("played", np.float32),
     ("played_plus", np.float64)],
)  # fmt: skip
def test_compiled_bits(kind, real):
    """The same bits compiled; whole payoffs give ties and zeros."""
    rule = LEARN[kind]
    fast = compiled(rule)

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(1, 5),
        st.lists(st.integers(0, 10**6), min_size=1, max_size=12),
        st.sampled_from([1.0, 0.1, 1e10, 1e-30]),
    )
    def check(actions, seeds, scale):
        slow_tables, fast_tables = (
            mixed_tables(RULES, actions, real),
            mixed_tables(RULES, actions, real),
        )
        for seed in seeds:
            rng = np.random.default_rng(seed)
            column = rng.integers(-2, 3, actions) if seed % 2 else rng.normal(size=actions)
            action = int(rng.integers(actions))
            t = counterfactual_outcome((column * scale).astype(real), action)
            rule(slow_tables, (), t)
            fast(fast_tables, (), t)
        for one, other in zip(slow_tables, fast_tables, strict=True):
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()

    check()


# --- bounds ---------------------------------------------------------------------------------------

RIVALS = {
    "self": lambda game, me: me,
    "biased": lambda game, me: fg.FixedPolicy(
        np.arange(1, game.num_actions[1] + 1) / np.arange(1, game.num_actions[1] + 1).sum()
    ),
    "q": lambda game, me: fg.QLearner(0.3),
}


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize(
    ("plus", "dtype"), [(False, "float64"), (True, "float64"), (False, "float32")]
)
def test_bound_on_every_run(plus, dtype, rival):
    """No regret of the strategies exceeds L sqrt(A T): on no run, after no step.

    Cesa-Bianchi & Lugosi (2006), section 2.1, p = 2: by Blackwell's condition, strategy times
    regrets of a step is 0, so that the positive regrets have a square of at most the sum of those
    of the steps. Nothing in it is random. Plus: Tammelin et al. (2015).
    """
    me = fg.RegretMatching(plus=plus)
    for game in (fg.games.biased_rock_paper_scissors(), zero_sum(3, 3, 1)):
        result = fg.run(
            game, [me, RIVALS[rival](game, me)], 2000, 100, rng=1, dtype=dtype, backend="numba",
            progress=False, record=fg.Record(every=40, tables=("regrets",), joint_actions=True),
        )  # fmt: skip
        bound = length(game.payoffs[0]) * np.sqrt(game.num_actions[0] * result.snapshots.steps)
        regrets = result.snapshots.tables[0]["regrets"]  # (snapshots, replicas, 1, A)
        assert len(regrets) == 51
        assert (regrets.max(axis=(1, 2, 3)) <= bound).all()
        final = result.tables[0]["regrets"][:, 0]
        assert final.max() <= length(game.payoffs[0]) * np.sqrt(2000 * game.num_actions[0])
        if not plus:  # what regrets differ by, the play of the others tells
            others = result.joint_counts.sum(axis=1) @ game.payoffs[0].T
            np.testing.assert_allclose(
                final - final[:, :1], others - others[:, :1], atol=1e-8 if dtype == "float64" else 2
            )


@pytest.mark.parametrize("plus", [False, True])
def test_bound_against_an_adversary(plus):
    """An adversary that pays least for the likeliest action stays within the bound, and near it."""
    rule = regret.learn_plus if plus else regret.learn
    for actions in (2, 3, 8):
        tables, steps = mixed_tables(RULES, actions), 3000
        total, earned = np.zeros(actions), 0.0
        for _ in range(steps):
            column = np.ones(actions)
            column[np.argmax(tables[0][0])] = 0.0
            total, earned = total + column, earned + tables[0][0] @ column
            rule(tables, (), counterfactual_outcome(column))
        worst = (total - earned).max()
        assert 0.1 * np.sqrt(steps) < worst <= np.sqrt(actions * steps)


def test_mean_square_of_played_regrets():
    """With the payoffs of what was played the bound holds for the mean square over runs.

    E |positive regrets|^2 <= (A - 1) L^2 T: a step's regrets are 0 in the mean along the positive
    ones (Blackwell), and 0 for the action played. 1000 runs, 4 standard errors.
    """
    steps = 500
    for plus in (False, True):
        me = fg.RegretMatching(plus=plus, played=True)
        for game in (fg.games.rock_paper_scissors(), fg.games.biased_rock_paper_scissors()):
            result = fg.run(
                game, me, steps, 1000, rng=3, backend="numba", progress=False,
                record=fg.Record(joint_actions=True),
            )  # fmt: skip
            for agent in range(2):
                regrets = result.tables[agent]["regrets"][:, 0]
                exact = external(game, result.joint_counts, agent)
                if plus:
                    assert (regrets >= exact).all()
                else:
                    np.testing.assert_array_equal(regrets, exact)
                squares = (np.maximum(regrets, 0) ** 2).sum(axis=1)
                error = squares.std() / np.sqrt(len(squares))
                bound = (game.num_actions[agent] - 1) * length(game.payoffs[agent]) ** 2 * steps
                assert squares.mean() <= bound + 4 * error


def test_no_regret_with_three_agents():
    """Hannan's set: nobody's regret per step stays above 0, whoever the others are."""
    game = fg.MatrixGame(np.random.default_rng(4).uniform(-1, 1, (3, 3, 3, 3)))
    me = fg.RegretMatching(played=True)
    result = fg.run(
        game, me, 20_000, 50, rng=5, backend="numba", progress=False,
        record=fg.Record(joint_actions=True),
    )  # fmt: skip
    for agent in range(3):
        assert external(game, result.joint_counts, agent).max() / 20_000 < 0.06


# --- zero-sum games -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_play_brackets_the_value(seed):
    """The value lies between what the frequencies ensure and concede; the gap is the regrets."""
    game, steps = zero_sum(3, 3, seed), 20_000
    result = fg.run(
        game, fg.RegretMatching(played=True), steps, 20, rng=7, backend="numba", progress=False,
        record=fg.Record(joint_actions=True),
    )  # fmt: skip
    play = [result.joint_counts.sum(axis=2 - i) / steps for i in range(2)]
    conceded = (play[1] @ game.payoffs[0].T).max(axis=1)
    ensured = (play[0] @ game.payoffs[0]).min(axis=1)
    value = value_of(game.payoffs[0])
    assert (ensured <= value + 1e-12).all()
    assert (value <= conceded + 1e-12).all()
    gap = sum(result.tables[i]["regrets"][:, 0].max(axis=1) for i in range(2)) / steps
    np.testing.assert_allclose(conceded - ensured, gap, atol=1e-12)
    assert gap.max() < 0.3


def test_average_strategies_reach_equilibrium():
    """Rock 1/16, paper 10/16, scissors 5/16 in the average."""
    game = fg.games.biased_rock_paper_scissors()
    for me in (fg.RegretMatching(), fg.RegretMatching(plus=True)):
        result = fg.run(game, me, 100_000, 20, rng=2, backend="numba", progress=False)
        for agent in range(2):
            average = result.tables[agent]["average_strategy"][:, 0]
            assert np.abs(average - np.array([1, 10, 5]) / 16).max() < 0.05


# --- runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "played"), [("float64", False), ("float32", True)])
def test_reference_bits(dtype, played):
    """In a game of several observations."""
    learners = [fg.RegretMatching(played=played), fg.RegretMatching(plus=True, played=played)]
    game = fg.remember(fg.games.biased_rock_paper_scissors())
    assert_same_interpreted_and_compiled(game, learners, dtype)


def test_only_the_rewards_of_the_step_count():
    assert_discount_does_not_matter(fg.RegretMatching(), "regrets")


def test_average_and_policy():
    """The average is that of the policies played, the policy what is played now."""
    result = fg.run(
        PENNIES, fg.RegretMatching(), 50, 3, rng=1, backend="reference", progress=False,
        record=fg.Record(every=1, tables=("strategy",)),
    )  # fmt: skip
    strategies = result.snapshots.tables[1]["strategy"][:-1]  # before each step
    assert len(strategies) == 50
    assert (strategies[0] == 0.5).all()
    average = result.tables[1]["average_strategy"]
    np.testing.assert_allclose(average, np.mean(strategies, axis=0), atol=1e-14)
    np.testing.assert_array_equal(result.policy(1), result.tables[1]["strategy"])
    np.testing.assert_array_equal(result.greedy(1), result.policy(1).argmax(axis=-1))


def test_bad_input():
    """Flags are flags, and there is nothing to ask where agents take turns."""
    with pytest.raises(TypeError, match="plus must be True or False, got 1"):
        fg.RegretMatching(plus=1)
    with pytest.raises(TypeError, match="played must be True or False, got 'yes'"):
        fg.RegretMatching(played="yes")
    game = fg.games.random_markov_game(2, 3, (2, 2), rng=1, turns=True)
    with pytest.raises(ValueError, match="turns"):
        fg.run(game, fg.RegretMatching(), 10, backend="reference", progress=False)
