"""Rules of users' own have the same bits in every body, in float32 too, whatever they multiply."""

import itertools
import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgames as fg
from fastgames import jit, registry
from fastgames.functions.promotion import computes_in, for_numba, for_reference
from fastgames.jit import compiled
from fastgames.rules.choice import argmax, largest
from fastgames.rules.exponential import exp
from fastgames.rules.hyperbolic import tanh
from fastgames.rules.roots import sqrt
from fastgames.rules.stepsize import visit

GAME = fg.games.random_markov_game(2, 5, (3, 7), rng=3, transitions="random")
P = {"alpha": 0.1, "gamma": 0.9, "power": 0.7}
TABLES = (fg.Table("q", initial=0.3), fg.Table("visits", kind="int64"))
RATE, LEVELS, PAYS = 0.3, (0.1, 0.7), np.array([0.1, 0.3, 0.7])


def choose(tables, p, o, signal):
    row = tables[0][o]
    return argmax(row) if signal > p[0] * 2 else int(signal * 29) % len(row)


def same_bits(learn, choose=choose, steps=80, backends=("reference", "numba"), **more):
    """Assert that a run in float32 has the same tables on every backend.

    In float64 all numbers have the type of the tables; the tests of parity run learners in both.
    """
    learner = fg.Learner(choose, learn, P, TABLES, **more)
    runs = [
        fg.run(GAME, learner, steps, 2, rng=1, dtype="float32", backend=each) for each in backends
    ]
    for i, run in itertools.product(range(2), runs[1:]):
        for name in ("q", "visits"):
            assert run.tables[i][name].tobytes() == runs[0].tables[i][name].tobytes()
    assert np.isfinite(runs[0].tables[0]["q"]).all()


# --- rules as people write them ------------------------------------------------------------------


def plain(tables, p, t):
    q = tables[0]
    q[t.observation, t.action] += p[0] * (t.gain - q[t.observation, t.action])


def with_literals(tables, p, t):
    q, row = tables[0], tables[0][t.observation]
    best = 0.0
    if not t.ended:
        best = largest(q[t.next_observation])
    target = t.gain + p[1] * best
    row[t.action] = (1.0 - p[0]) * row[t.action] + p[0] * target * 0.999


def with_whole_numbers(tables, p, t):
    row = tables[0][t.observation]
    total = 0
    for a in range(len(row)):
        total += row[a] / 3
    row[t.action] += (t.gain - total / row.shape[0]) / 7 * (t.action + 1) / int(row.size)


def with_infinity(tables, p, t):
    row = tables[0][t.observation]
    top = -np.inf
    for a in range(len(row)):
        if row[a] > top:
            top = row[a]
    row[t.action] += p[0] * (t.gain - top) * math.pi / 3.3


def with_a_condition(tables, p, t):
    row = tables[0][t.observation]
    error = t.gain - row[t.action]
    step = p[0] if error > 0.0 else 0.01
    row[t.action] += step * error * max(0.3, min(error, 0.7)) * 1.7


def blend(x, y, share=0.3):
    return share * x + (1.0 - share) * y


def with_helpers_and_constants(tables, p, t):
    row = tables[0][t.observation]
    mixed = blend(row[t.action], t.gain) * RATE + LEVELS[1] * row[0] + PAYS[t.action % 3] * 0.1
    row[t.action] += p[0] * (mixed - row[t.action]) * float(t.action) * 0.1


def with_the_library(tables, p, t):
    q = tables[0]
    real, row = q.dtype.type, q[t.observation]
    step = visit(tables[1], t.observation, t.action, p[2])
    change = step * (t.gain - row[t.action]) * 0.9
    row[t.action] += tanh(real(change), real) * 0.3 + sqrt(real(abs(change)), real) * 0.01
    row[t.action] += exp(real(-3.0) - abs(row[t.action]), real) / 3.0


def with_arrays(tables, p, t):
    row = tables[0][t.observation]
    weights = np.zeros(len(row), row.dtype)
    for a in range(weights.shape[0]):
        weights[a] = row[a] * 0.1 / len(weights)
    row += weights * p[0]
    row[t.action] += 0.1 * (t.gain - row[t.action])


EXAMPLES = [plain, with_literals, with_whole_numbers, with_infinity, with_a_condition,
            with_helpers_and_constants, with_the_library, with_arrays]  # fmt: skip


@pytest.mark.parametrize("learn", EXAMPLES, ids=lambda learn: learn.__name__)
def test_rules_as_people_write_them(learn):
    same_bits(learn)


def test_auto_has_these_bits_too():
    same_bits(with_literals, backends=("reference", "auto"))


def closing_over(rate, levels):
    def learn(tables, p, t):
        row = tables[0][t.observation]
        row[t.action] += rate * (t.gain - row[t.action]) * levels[0]

    return learn


def test_arithmetic_over_rows_and_squares():
    def learn(tables, p, t):
        row = tables[0][t.observation]
        kept = row * 0.7 + 0.1 * t.gain
        row[t.action] = (kept[0] - kept[1]) ** 2 * 0.3 + np.where(row > 0.31, row, 0.1)[0] * 0.7
        row[0] = np.minimum(row, 0.3)[1] * p[0] + 0.7

    same_bits(learn)


@numba.njit
def compiled_by_hand(x):
    return 0.1 * x + 0.7


def test_a_helper_that_the_user_compiled():
    def learn(tables, p, t):
        row = tables[0][t.observation]
        row[t.action] += p[0] * (compiled_by_hand(t.gain) * 0.3 - row[t.action])

    same_bits(learn)


def test_what_a_closure_holds_is_of_the_type_of_the_tables():
    same_bits(closing_over(0.1, (0.7, 0.3)))


def test_a_rule_of_the_learner_of_a_team():
    def learn(tables, p, t):
        for i in range(len(t.actions)):
            row = tables[0][i][t.observations[i]]
            row[t.actions[i]] += p[0] * (t.rewards[i] * 0.7 - row[t.actions[i]] / 3)

    same_bits(learn, team=True)


def test_a_draw_that_computes():
    def draw(u, p, actions, real):
        return real(u) * 0.3 / 2.0**31 + p[0] * u / 2147483648

    same_bits(plain, draw=draw)


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_policies_of_few_and_of_many_are_the_same(dtype, monkeypatch):
    def policy(tables, p, o, out):
        row = tables[0][o]
        share = p[0] * row[0] / 3 * 0.1
        rest = 1.0
        for a in range(1, len(row)):
            out[a] = 0.1 / (1.0 + abs(share / len(row) * row[a]))
            rest -= out[a]
        out[0] = rest

    learner = fg.Learner(choose, plain, P, TABLES, policy=policy)
    result = fg.run(GAME, learner, 60, 3, rng=1, dtype=dtype)
    interpreted = result.policy(1)
    monkeypatch.setattr("fastgames.engine.policies.MANY", 0)
    assert result.policy(1).tobytes() == interpreted.tobytes()


# --- rules made by a machine ---------------------------------------------------------------------

LEAVES = ["row[0]", "row[t.action]", "t.gain", "t.weight", "p[0]", "p[1]", "0.1", "1.7", "3", "7",
          "t.action", "len(row)", "row.shape[0]", "RATE", "LEVELS[1]", "tables[1][0, 0]",
          "float(t.action)", "real(0.3)", "row[1] ** 2", "t.ended * row[0]", "PAYS[1]"]  # fmt: skip
UNARY = ["-{}", "abs({})", "blend({}, 0.3)", "np.sqrt(abs({}))", "math.sqrt(abs({}))",
         "tanh(real({}), real)", "max({}, 0.5)", "min(0.1, {}, 3.0)"]  # fmt: skip
BINARY = ["({} + {})", "({} - {})", "({} * {})", "({} / (1.5 + abs({})))", "max({}, {})"]


def inside(children):
    return st.one_of(
        st.builds(lambda form, x: form.format(x), st.sampled_from(UNARY), children),
        st.builds(
            lambda form, x, y: form.format(x, y), st.sampled_from(BINARY), children, children
        ),
    )


EXPRESSIONS = st.recursive(st.sampled_from(LEAVES), inside, max_leaves=9)


def rule(*expressions):
    """A rule that computes one after the other, the first before a loop and a condition."""
    first, second, third = expressions
    text = f"""
def learn(tables, p, t):
    q = tables[0]
    real, row = q.dtype.type, q[t.observation]
    tables[1][0, 0] += 1
    x = 0.0
    for a in range(len(row)):
        x += row[a] * ({first})
    y = 0.7
    if row[0] > 0.1:
        y = row[0]
    z = 0.1 * row[t.action] + 0.1 * ({second}) + y * ({third}) - x
    row[t.action] = tanh(real(z), real)
"""
    names = dict(globals())
    exec(compile(text, "<rule>", "exec"), names)
    return names["learn"]


@settings(max_examples=12)
@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_rules_made_at_random(first, second, third):
    learn = rule(first, second, third)
    fg.Learner(choose, learn, P, TABLES)  # it is taken
    for real in (np.float32, np.float64):
        tables = np.full((2, 3), real(0.3)), np.zeros((2, 3), np.int64)
        copies = tuple(x.copy() for x in tables)
        p = tuple(computes_in(learn, real)(x) for x in P.values())
        jitted, interpreted = compiled(for_numba(learn, real)), for_reference(learn, real)
        for k in range(12):
            gain = real(0.37) * real(k) - real(1.0)
            outcome = jit.Outcome(k % 2, k % 3, gain, real(0.9), 1 - k % 2, -1, k == 5)
            jitted(tables, p, outcome)
            interpreted(copies, tuple(P.values()), outcome)
            assert tables[0].tobytes() == copies[0].tobytes(), real


# --- the copies ----------------------------------------------------------------------------------


def test_rules_of_the_library_and_runs_in_float64_are_left_alone():
    from fastgames.rules import qlearning

    for copy in (for_numba, for_reference):
        assert copy(qlearning.learn, "float32") is qlearning.learn
        assert copy(plain, "float64") is plain
        assert copy(plain, "float32") is not plain


def test_a_number_too_large_for_float32_is_infinite_in_both():
    def learn(tables, p, t):
        row = tables[0][t.observation]
        best = -1e300
        for a in range(len(row)):
            best = max(best, row[a])
        row[t.action] += 0.1 * (t.gain - best)

    same_bits(learn)


def test_a_users_learner_has_these_bits_in_a_loop_of_ones_own():
    learner = fg.Learner(choose, with_literals, P, TABLES)
    mine = jit.rules(learner, GAME, 0, dtype="float32")
    interpreted = for_reference(with_literals, np.float32)
    outcome = jit.Outcome(1, 2, np.float32(0.3), np.float32(0.9), 3, -1, False)
    tables = mine.tables, tuple(x.copy() for x in mine.tables)
    for _ in range(5):
        mine.learn(tables[0], mine.p, outcome)
        interpreted(tables[1], mine.p, outcome)
    assert tables[0][0].tobytes() == tables[1][0].tobytes()
    assert tables[0][0][1, 2] != np.float32(0.3)
