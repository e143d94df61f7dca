"""Schedules count game steps from 0, by their formulas; compared with the formulas in mpmath."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.every import each_backend

import fastgames as fg
from fastgames import registry
from fastgames.engine import compiled
from fastgames.rules import schedules as rules
from fastgames.schedules import tabulated

# One action each, payoff 1: after T steps 1 - q is the product of the 1 - alpha_t.
LONELY = fg.MatrixGame(np.ones((2, 1, 1)))


def exponential(t, start, rate, floor):
    return max(mpmath.mpf(floor), start * mpmath.exp(-mpmath.mpf(rate) * t))


def linear(t, start, end, steps):
    return start + (mpmath.mpf(end) - start) * min(t / mpmath.mpf(steps), 1)


def hyperbolic(t, start, offset, power):
    return start * (mpmath.mpf(offset) / (mpmath.mpf(offset) + t)) ** power


def piecewise(t, knots, kind):
    """The value by the knot before t and the one after it."""
    before, after = ([k for k in knots if k[0] <= t], [k for k in knots if k[0] > t])
    if not before or not after:
        return mpmath.mpf((before or after)[-1 if before else 0][1])
    (s, v), (s2, v2) = before[-1], after[0]
    part = (mpmath.mpf(t) - s) / (mpmath.mpf(s2) - s) if kind == "linear" else 0
    return v + (mpmath.mpf(v2) - v) * part


KNOTS = [(3, 0.9), (7.5, 0.1), (20, 0.4)]


def root(t, scale):
    """A function of the step."""
    return scale / math.sqrt(1 + t)


FORMULAS = [
    (fg.Exponential(0.5, 0.01), lambda t: exponential(t, 0.5, 0.01, 0)),
    (fg.Exponential(0.5, 0.1, 0.05), lambda t: exponential(t, 0.5, 0.1, 0.05)),
    (fg.Exponential(0.1, 0.3, 0.4), lambda t: mpmath.mpf(0.4)),
    (fg.Exponential(0.3, 0.0), lambda t: mpmath.mpf(0.3)),
    (fg.Exponential(0.9, 1e6, 0.0), lambda t: mpmath.mpf(0.9) if t == 0 else mpmath.mpf(0)),
    (fg.Linear(0.9, 0.1, 20), lambda t: linear(t, 0.9, 0.1, 20)),
    (fg.Linear(0.01, 1.0, 37.5), lambda t: linear(t, 0.01, 1.0, 37.5)),
    (fg.Linear(0.2, 0.4, 0.5), lambda t: linear(t, 0.2, 0.4, 0.5)),
    (fg.Hyperbolic(0.9, 1.0), lambda t: hyperbolic(t, 0.9, 1.0, 1)),
    (fg.Hyperbolic(0.5, 0.01, 0.6), lambda t: hyperbolic(t, 0.5, 0.01, mpmath.mpf(0.6))),
    (fg.Hyperbolic(0.5, 40.0, 2.0), lambda t: hyperbolic(t, 0.5, 40.0, 2)),
    *(
        (fg.Piecewise(*zip(*KNOTS, strict=True), kind), partial(piecewise, knots=KNOTS, kind=kind))
        for kind in ("linear", "constant")
    ),
    (fg.Piecewise([5], [0.25]), lambda t: mpmath.mpf(0.25)),
    (fg.Schedule(root, [0.7]), lambda t: mpmath.mpf(0.7) / mpmath.sqrt(1 + t)),
]
each_formula = pytest.mark.parametrize(("schedule", "formula"), FORMULAS)


@each_backend
@pytest.mark.parametrize("steps", [1, 2, 4, 50])
@each_formula
def test_alpha_is_the_scheduled_value_of_every_step(schedule, formula, steps, backend):
    q = fg.run(LONELY, fg.QLearner(alpha=schedule), steps=steps, rng=1, backend=backend).tables[0][
        "q"
    ]
    with mpmath.workdps(30):
        left = mpmath.fprod(1 - formula(t) for t in range(steps))
    assert q[0, 0, 0] == pytest.approx(float(1 - left), abs=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 30])
@each_formula
def test_policies_use_the_value_of_the_next_step(schedule, formula, steps):
    game = fg.MatrixGame(np.zeros((2, 4, 4)))
    learner = fg.QLearner(explore=fg.EpsilonGreedy(schedule), initial=[1.0, 0.0, 0.0, 0.0])
    policy = fg.run(game, learner, steps=steps, rng=1).policy(0)[0, 0]
    epsilon = float(formula(steps))
    np.testing.assert_allclose(policy, epsilon / 4 + (1 - epsilon) * np.eye(4)[0], atol=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 30])
@pytest.mark.parametrize(
    ("schedule", "formula"), [FORMULAS[k] for k in range(len(FORMULAS)) if k not in (0, 3, 4)]
)
def test_temperatures_too(schedule, formula, steps):
    game = fg.MatrixGame(np.zeros((2, 3, 3)))
    learner = fg.QLearner(1e-300, explore=fg.Softmax(schedule), initial=[0.1, 0.5, 0.2])
    policy = fg.run(game, learner, steps=steps, rng=1).policy(0)[0, 0]
    weights = np.exp(np.array([0.1, 0.5, 0.2]) / float(formula(steps)))
    np.testing.assert_allclose(policy, weights / weights.sum(), rtol=1e-11)


def test_gamma_too():
    """q' = q + alpha (1 + gamma_t q - q)."""
    gamma = fg.Linear(0.0, 0.9, 10)
    q, expected = fg.run(LONELY, fg.QLearner(0.5, gamma), steps=25, rng=1).tables[0]["q"], 0.0
    for t in range(25):
        expected += 0.5 * (1 + 0.9 * min(t / 10, 1) * expected - expected)
    assert q[0, 0, 0] == pytest.approx(expected, rel=1e-13)


@given(data=st.data())
def test_a_schedule_by_replica_is_that_of_each_replica(data):
    rates = np.array(data.draw(st.lists(st.floats(0, 3), min_size=17, max_size=17)))
    together = fg.run(
        LONELY, fg.QLearner(fg.Exponential(0.5, rates, 0.01)), steps=9, replicas=17, rng=1
    )
    for k in (0, 7, 16):
        alone = fg.run(LONELY, fg.QLearner(fg.Exponential(0.5, rates[k], 0.01)), steps=9, rng=1)
        assert together.tables[0]["q"][k] == alone.tables[0]["q"][0]


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_schedules_are_float64_whatever_the_tables_are(dtype):
    result = fg.run(LONELY, fg.QLearner(fg.Exponential(0.5, 1e-9)), steps=10, rng=1, dtype=dtype)
    assert result.state.seats[0].recurrence["alpha"].dtype == np.float64
    assert 0.5 - 6e-9 < result.state.seats[0].recurrence["alpha"][0] < 0.5 - 4e-9


def test_schedules_and_learners_are_equal_when_their_values_are():
    array = np.array([0.1, 0.2])
    assert fg.Exponential(0.5, array) == fg.Exponential(0.5, array.copy())
    assert hash(fg.Exponential(0.5, array)) == hash(fg.Exponential(0.5, array.copy()))
    assert fg.Exponential(0.5, array) != fg.Exponential(0.5, array[::-1])
    assert fg.Linear(1, 0, 5) != fg.Linear(1, 0, 6)
    assert fg.QLearner(0.1) == fg.QLearner(0.1, explore=fg.EpsilonGreedy(0.1))
    assert fg.QLearner(0.1) != fg.QLearner(0.1, explore=fg.Softmax(0.1))


def test_what_was_given_cannot_change_a_learner_afterwards():
    alphas = np.array([0.1, 0.2])
    learner, schedule = fg.QLearner(alphas), fg.Linear(alphas, 0.5, 3)
    policy = fg.FixedPolicy(alphas / 0.3)
    alphas[:] = 9.0
    assert learner.alpha.tolist() == schedule.start.tolist() == [0.1, 0.2]
    assert policy.probabilities.sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="read-only"):
        learner.alpha[0] = 0.5


# --- hyperbolic -----------------------------------------------------------------------------------


@given(
    start=st.floats(1e-3, 1.0),
    offset=st.floats(2.0**-64, 1e9),
    power=st.just(1.0) | st.floats(0.01, 3.0),
    t=st.integers(0, 2**62),
)
def test_hyperbolic_values_are_near_the_formula(start, offset, power, t):
    """4 ulp times 1 + power |log x|, as the docstring says; 2 ulp for power 1."""
    found = rules.hyperbolic(start, offset, power, float(t))
    with mpmath.workdps(40):
        base = mpmath.mpf(offset) / (mpmath.mpf(offset) + float(t))
        expected = start * base ** mpmath.mpf(power)
        ulps = 2 if power == 1.0 else 4 * (1 + power * abs(mpmath.log(base)))
        assert abs(found - expected) <= ulps * 2.0**-52 * abs(expected)


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_hyperbolic_step_sizes_average(dtype):
    """Step sizes 1, 1/2, 1/3, ... give the mean of the rewards: 1 on average, from 3, 0, 0, ..."""
    following = np.array([[[1]], [[2]], [[0]]])
    game = fg.MarkovGame([[[[3.0]], [[0.0]], [[0.0]]]] * 2, following, observations=[[0] * 3] * 2)
    learner = fg.QLearner(fg.Hyperbolic(1.0, 1.0), gamma=0.0)
    q = fg.run(game, learner, steps=300, rng=1, dtype=dtype).tables[0]["q"][0, 0, 0]
    assert q == pytest.approx(1.0, rel=1000 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (lambda: fg.Hyperbolic(1.0, 0.0), r"offset must be in \[2\^-64, inf\), got 0.0"),
        (lambda: fg.Hyperbolic(1.0, 1.0, 0.0), r"power must be in \(0, inf\), got 0.0"),
        (lambda: fg.Hyperbolic(1.0, [1.0, -1.0]), r"offset must be .*, got -1.0 at index 1"),
        (lambda: fg.QLearner(fg.Hyperbolic(2.0, 1.0)), r"alpha \(start .*\[0, 1\], got 2.0"),
        (
            lambda: fg.Softmax(fg.Hyperbolic(1.0, 1.0, 40.0)),
            r"temperature \(value at step 4611686018427387904 of its schedule\) must be",
        ),
    ],
)
def test_wrong_hyperbolic_schedules_are_named(schedule, message):
    with pytest.raises(ValueError, match=message):
        schedule()


# --- tables of values -----------------------------------------------------------------------------


@each_backend
def test_long_runs_use_the_value_of_every_step(backend, monkeypatch):
    """Runs over several tables and pages, resumed in the middle, have the bits of the product."""
    monkeypatch.setattr(tabulated, "PAGE", 512)
    monkeypatch.setattr(tabulated, "PAGES", 2)
    monkeypatch.setattr(compiled.LaneBlock, "look_ahead", short(compiled.LaneBlock.look_ahead))
    schedules = (
        fg.Schedule(falling, [1e-3]),
        fg.Schedule(falling, [np.linspace(1e-4, 1e-3, 3)]),
        fg.Piecewise([0, 999, 2500], [np.linspace(1e-4, 1e-3, 3), 1e-3, 0.0]),
    )
    for schedule in schedules:
        learners = [fg.QLearner(schedule), fg.FixedPolicy([1.0])]
        first = fg.run(LONELY, learners, 1234, 3, rng=1, backend=backend)
        last = fg.run(LONELY, learners, 1766, resume=first, backend=backend)
        for r in range(3):
            q = 0.0
            for t in range(3000):
                q += schedule.value(t, r) * (1.0 - q)
            assert last.tables[0]["q"][r, 0, 0] == q


def falling(t, scale):
    """A function of the step."""
    return scale / (1 + t % 97)


def short(look_ahead):
    """`look_ahead` by at most 100 steps."""
    return lambda block, steps: look_ahead(block, min(steps, 100))


def test_a_function_is_called_once_for_each_step_of_all_replicas(monkeypatch):
    called, value = [], fg.Schedule.value
    monkeypatch.setattr(
        fg.Schedule, "value", lambda self, t, r: called.append(t) or value(self, t, r)
    )
    learner = fg.QLearner(fg.Schedule(root, [0.5]))
    called.clear()  # it was checked at step 0
    fg.run(LONELY, [learner, fg.FixedPolicy([1.0])], 500, 2000, rng=1, threads=1)
    assert called == list(range(500))


def test_piecewise_values_between_the_knots_of_each_replica():
    """Against numpy.interp, to 4 ulp of the largest value."""
    rng = np.random.default_rng(3)
    steps, values = np.sort(rng.uniform(0, 90, (6, 4)), axis=0), rng.random((6, 4))
    schedule = fg.Piecewise(steps, values)
    found = schedule.table(np.array([0, 7, 0, 30]), 100, np.arange(4))
    for r, first in enumerate((0, 7, 0, 30)):
        expected = np.interp(np.arange(first, first + 100), steps[:, r], values[:, r])
        np.testing.assert_allclose(found[:, r], expected, atol=4 * 2.0**-53)
        t = np.arange(first, first + 100).tolist()
        one = [rules.piecewise(steps[:, r], values[:, r], True, float(k)) for k in t]
        assert found[:, r].tolist() == one


@pytest.mark.parametrize(
    ("schedule", "error", "message"),
    [
        (lambda: fg.Piecewise([], []), ValueError, "same length, at least 1, got 0 and 0"),
        (lambda: fg.Piecewise([0, 1], [0.5]), ValueError, "same length, .* got 2 and 1"),
        (
            lambda: fg.Piecewise([0, 5, 5], [1, 1, 1]),
            ValueError,
            r"steps\[1\] = 5.0 and steps\[2\] = 5.0",
        ),
        (
            lambda: fg.Piecewise([0, [3, -1]], [1, 1]),
            ValueError,
            r"steps\[1\] must be in .* got -1.0",
        ),
        (lambda: fg.Piecewise([2, [3, 1]], [1, 1]), ValueError, "strictly ascending"),
        (lambda: fg.Piecewise([0, np.nan], [1, 1]), ValueError, r"steps\[1\] must be finite"),
        (lambda: fg.Piecewise([0], [1], "cubic"), ValueError, "between must be one of"),
        (lambda: fg.Piecewise({0, 1}, [1, 1]), TypeError, "fixed order"),
        (lambda: fg.Piecewise(3, 1), TypeError, "steps must be a sequence"),
        (
            lambda: fg.QLearner(fg.Piecewise([0, 1], [0.5, 2])),
            ValueError,
            r"alpha \(values\[1\] of .* got 2.0",
        ),
        (lambda: fg.Schedule(math.sin), TypeError, "must be a plain function"),
        (lambda: fg.Schedule(lambda t, a: a), TypeError, r"must take 1 arguments \(t\)"),
        (lambda: fg.Schedule(lambda t, a: a, [[[1.0]]]), ValueError, r"parameters\[0\] must be"),
        (
            lambda: fg.QLearner(fg.Schedule(lambda t: -1.0)),
            ValueError,
            r"alpha must be in \[0, 1\], got -1.0 at step 0",
        ),
        (lambda: fg.QLearner(fg.Schedule(lambda t: math.nan)), ValueError, "got nan at step 0"),
        (lambda: fg.QLearner(fg.Schedule(lambda t: "x")), ValueError, "got 'x' at step 0"),
        (
            lambda: fg.QLearner(fg.Schedule(lambda t: 1 / t)),
            ValueError,
            "alpha failed at step 0 .* ZeroDivisionError",
        ),
        (
            lambda: fg.Softmax(fg.Schedule(lambda t: 0.0)),
            ValueError,
            r"temperature must be in \[1e-30, inf\), got 0.0",
        ),
    ],
)
def test_wrong_tabulated_schedules_are_named(schedule, error, message):
    with pytest.raises(error, match=message):
        schedule()


def below(t):
    """A step size for 70 steps."""
    return 0.5 if t < 70 else -0.25


def listed(t):
    """Fails from step 3 on."""
    return (0.5, 0.4, 0.3)[t]


@each_backend
@pytest.mark.parametrize("game", [LONELY, fg.remember(fg.games.chicken(), 1, 0.9)], ids=str)
@pytest.mark.parametrize(
    ("function", "last", "value", "problem"),
    [
        (below, 70, -0.25, r"must be in \[0, 1\], got -0.25 at step 70 of its schedule"),
        (listed, 3, None, "failed at step 3 of its schedule: IndexError"),
    ],
)
def test_a_function_that_leaves_its_domain_stops_the_run(
    function, last, value, problem, game, backend
):
    learner = fg.QLearner(fg.Schedule(function))
    arguments = {"replicas": 3, "rng": 1, "backend": backend}
    assert (fg.run(game, learner, last, **arguments).steps == last).all()
    with pytest.raises(fg.RuleError, match=f"alpha of learners.* {problem}") as raised:
        fg.run(game, learner, last + 1, **arguments)
    assert (raised.value.step, raised.value.value) == (last, value)


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_replicas_that_stop_before_a_function_fails_do_not_fail():
    learner = fg.QLearner(fg.Schedule(below), explore=fg.EpsilonGreedy(0.0))
    game = fg.remember(fg.games.chicken(), 1, 0.9)
    for backend in ("reference", "auto"):
        result = fg.run(game, learner, 200, 5, rng=1, backend=backend, stop=fg.Stable(20))
        assert result.stopped.all() and (result.steps < 70).all()


def test_a_policy_needs_the_value_of_the_next_step():
    explore = fg.EpsilonGreedy(fg.Schedule(listed))
    result = fg.run(LONELY, fg.QLearner(explore=explore), 3, 2, rng=1)
    with pytest.raises(ValueError, match=r"epsilon failed at step 3 .*\(replica 0\)"):
        result.policy(0)


def test_gamma_needs_known_bounds_unless_episodes_end():
    learner = fg.QLearner(gamma=fg.Schedule(lambda t: 0.5))
    with pytest.raises(ValueError, match=r"gamma of learners.0. must have known bounds"):
        fg.run(fg.games.chicken(), learner, 5, rng=1)


def test_a_function_that_has_changed_is_refused():
    names = {}
    exec("scale = 0.5\ndef function(t):\n    return scale / (1 + t)\n", names)
    learner = fg.QLearner(fg.Schedule(names["function"]))
    fg.run(LONELY, learner, 5, rng=1)
    names["scale"] = 0.25
    with pytest.raises(
        ValueError, match=r"alpha of learners.0. must be made of functions that have"
    ):
        fg.run(LONELY, learner, 5, rng=1)


def test_schedules_of_functions_are_equal_when_source_and_parameters_are():
    assert fg.Schedule(root, [0.5]) == fg.Schedule(root, [0.5])
    assert fg.Schedule(root, [0.5]) != fg.Schedule(root, [0.6])
    assert fg.Schedule(falling, [0.5]) != fg.Schedule(root, [0.5])
    assert hash(fg.Piecewise([0, [1, 2]], [1, 2])) == hash(fg.Piecewise([0, [1, 2]], [1, 2]))
    assert fg.Piecewise([0, [1, 2]], [1, 2]) != fg.Piecewise([0, [1, 3]], [1, 2])
