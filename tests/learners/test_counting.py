"""Parameters that depend on visits: counts, values by closed forms, and equal bits everywhere."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from library.equal import assert_same
from library.every import each_dtype

import fastgames as fg
from fastgames.registry import LEARNERS
from fastgames.rules import schedules

PENNIES = fg.games.matching_pennies()
MEMORY = fg.remember(fg.games.prisoners_dilemma(), 1, 0.9)
ARRAYS = np.array([0.1, 0.5, 0.9])


def fraction(n, scale):
    """A function of the visits."""
    return scale / (n + 2)


SCHEDULES = {
    "exponential": (
        fg.Exponential(0.5, ARRAYS, 0.05),
        lambda n, r: max(0.5 * math.exp(-ARRAYS[r] * n), 0.05),
    ),
    "linear": (
        fg.Linear(ARRAYS, 0.05, 9),
        lambda n, r: ARRAYS[r] + (0.05 - ARRAYS[r]) * min(n / 9, 1),
    ),
    "hyperbolic": (fg.Hyperbolic(0.5, 3.0, ARRAYS), lambda n, r: 0.5 * (3 / (3 + n)) ** ARRAYS[r]),
    "piecewise": (
        fg.Piecewise([0, 4, 9], [ARRAYS, 0.3, 0.1]),
        lambda n, r: np.interp(n, [0, 4, 9], [ARRAYS[r], 0.3, 0.1]),
    ),
    "constant": (
        fg.Piecewise([2, 5], [0.3, ARRAYS], "constant"),
        lambda n, r: 0.3 if n < 5 else ARRAYS[r],
    ),
    "schedule": (fg.Schedule(fraction, [ARRAYS]), lambda n, r: ARRAYS[r] / (n + 2)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_step_size_is_the_schedule_at_the_number_of_earlier_visits(name):
    """One observation and action: 1 - q is the product of 1 - alpha_n, to 1e-13."""
    schedule, formula = SCHEDULES[name]
    learner = fg.QLearner(fg.ByVisits(schedule, initial=3))
    game = fg.MatrixGame(np.ones((2, 1, 1)))
    result = fg.run(game, learner, 20, 3, rng=1, backend="reference")
    assert (result.tables[0]["visits_alpha"] == 23).all()
    for r in range(3):
        left = np.prod([1 - formula(n, r) for n in range(3, 23)])
        assert result.tables[0]["q"][r, 0, 0] == pytest.approx(1 - left, abs=1e-13)


@pytest.mark.parametrize(
    "name",
    [x if x == "hyperbolic" else pytest.param(x, marks=pytest.mark.slow) for x in SCHEDULES],
)
@pytest.mark.parametrize("of", ["action", "observation"])
def test_compiled_and_resumed_runs_have_the_bits_of_the_reference(name, of):
    learner = fg.QLearner(fg.ByVisits(SCHEDULES[name][0], of, initial=2))
    arguments = {"replicas": 3, "rng": 7, "dtype": "float32"}
    reference = fg.run(MEMORY, learner, 60, backend="reference", **arguments)
    compiled = fg.run(MEMORY, learner, 60, **arguments)
    assert_same(reference, compiled)
    first = fg.run(MEMORY, learner, 23, **arguments)
    resumed = fg.run(MEMORY, learner, 37, resume=first)
    for i in range(2):
        for table, values in reference.tables[i].items():
            assert values.tobytes() == resumed.tables[i][table].tobytes()


def test_initial_visits_weigh_initial_values():
    """With step size 1 / (1 + n), a value is the mean of its targets and `initial` others."""
    mean = fg.ByVisits(fg.Hyperbolic(1.0, 1.0), initial=[4, 0])
    learner = fg.QLearner(mean, gamma=0.0, explore=fg.EpsilonGreedy(1.0), initial=8.0)
    game = fg.MatrixGame(np.array([[[2.0], [5.0]], [[0.0], [0.0]]]))
    result = fg.run(game, [learner, fg.FixedPolicy([1.0])], 50, 4, rng=1, backend="reference")
    visits = result.tables[0]["visits_alpha"][:, 0]
    assert (visits.sum(axis=1) == 54).all()
    for r in range(4):
        n = int(visits[r, 0]) - 4
        expected = Fraction(4 * 8 + n * 2, 4 + n)
        assert result.tables[0]["q"][r, 0, 0] == pytest.approx(float(expected), rel=1e-14)
        assert result.tables[0]["q"][r, 0, 1] == pytest.approx(5.0, rel=1e-14)


def test_power_one_has_the_values_of_visit_count():
    """Both are 1 / n in float64."""
    tables = [
        fg.run(MEMORY, fg.QLearner(alpha), 200, 3, rng=1, backend="reference").tables[0]
        for alpha in (fg.VisitCount(), fg.ByVisits(fg.Hyperbolic(1.0, 1.0)))
    ]
    assert tables[0]["q"].tobytes() == tables[1]["q"].tobytes()
    assert (tables[0]["visits"] == tables[1]["visits_alpha"]).all()


# --- every learner --------------------------------------------------------------------------------


def suited(name, field, of):
    """A learner with this parameter by visits."""
    make = LEARNERS[name]
    domain = make.domains()[field]
    top = min(float(domain[1:-1].split(",")[1]), 1.0)
    schedule = fg.Hyperbolic(0.002 if field == "delta_win" else 0.5 * top, 2.0, 0.1)
    return make(**(make.sample(PENNIES, 0) | {field: fg.ByVisits(schedule, of, initial=1)}))


ALL = [(name, field) for name, make in LEARNERS.items() for field in make.domains()]
REFUSED = {
    "gamma": TypeError,
    "low": TypeError,
    "high": TypeError,
    **{("minimax_q", "epsilon"): TypeError, ("phc", "epsilon"): TypeError},
    **{("wolf_phc", "epsilon"): TypeError, ("coma", "epsilon"): TypeError},
}
BY_OBSERVATION = {("lenient_q", "omega"), ("lenient_q", "greedy_below")}  # `choose` reads these
TAKEN = [x for x in ALL if not {x, x[1]} & REFUSED.keys()]
QUICK = {("exp3", "mixing"), ("vdn", "alpha")}


@pytest.mark.parametrize(("name", "field"), [x for x in ALL if {x, x[1]} & REFUSED.keys()])
@pytest.mark.parametrize("of", ["action", "observation"])
def test_parameters_that_cannot_depend_on_visits_are_refused(name, field, of):
    with pytest.raises(TypeError, match=f"{field} must"):
        suited(name, field, of)


@pytest.mark.parametrize(("name", "field"), sorted(BY_OBSERVATION))
def test_parameters_of_choose_are_counted_by_observation(name, field):
    with pytest.raises(TypeError, match=f'{field} must not count .* of="observation"'):
        suited(name, field, "action")
    assert suited(name, field, "observation").rules.tables[-1].dims == ("observations",)


@pytest.mark.parametrize(
    ("name", "field"),
    [x if x in QUICK else pytest.param(*x, marks=pytest.mark.slow) for x in TAKEN],
)
def test_every_learner_has_the_bits_of_the_reference(name, field):
    of = "observation" if (name, field) in BY_OBSERVATION else "action"
    learner = suited(name, field, of)
    reference = fg.run(PENNIES, learner, 40, 3, rng=5, backend="reference")
    assert_same(reference, fg.run(PENNIES, learner, 40, 3, rng=5))
    visits = reference.tables[0][f"visits_{field}"]
    others = [x for x in reference.tables[0] if x != f"visits_{field}"]
    start = getattr(learner, field).schedule.start
    plain = LEARNERS[name](**(LEARNERS[name].sample(PENNIES, 0) | {field: start}))
    constant = fg.run(PENNIES, plain, 40, 3, rng=5)
    assert visits.reshape(3, -1).sum(axis=1).min() >= 40
    assert others == list(constant.tables[0])


# --- users' learners ------------------------------------------------------------------------------


def choose(tables, p, o, signal):
    best = 0
    for a in range(tables.q.shape[1]):
        if tables.q[o, a] > tables.q[o, best]:
            best = a
    return best if signal < 0.8 else 0


def learn(tables, p, t):
    tables.q[t.observation, t.action] += p.rate * 0.5 * (t.gain - tables.q[t.observation, t.action])


def choose_by_rate(tables, p, o, signal):
    return 1 if signal < p[0] else 0


def policy_by_rate(tables, p, o, out):
    out[1] = p.rate
    out[0] = 1.0 - p.rate


def draw_by_rate(u, p, actions, real):
    return u * 2.0**-31 * p[0]


@each_dtype
def test_users_learners_have_the_bits_of_the_reference(dtype):
    rate = fg.ByVisits(fg.Hyperbolic(0.9, 3.0, 0.6))
    learners = [
        fg.Learner(choose, learn, {"other": 0.1, "rate": rate}),
        fg.Learner(
            choose_by_rate, learn, {"rate": replace(rate, of="observation")}, policy=policy_by_rate
        ),
    ]
    arguments = {"replicas": 3, "rng": 7, "dtype": dtype}
    reference = fg.run(MEMORY, learners, 60, backend="reference", **arguments)
    compiled = fg.run(MEMORY, learners, 60, **arguments)
    for i in range(2):
        for table, values in reference.tables[i].items():
            assert values.tobytes() == compiled.tables[i][table].tobytes()
    visits = reference.tables[1]["visits_rate"]
    assert (reference.tables[0]["visits_rate"].sum(axis=(1, 2)) == 60).all()
    assert (visits.sum(axis=1) == 60).all()
    for r, o in np.ndindex(visits.shape):  # a policy is that of the next visit
        rate_now = schedules.hyperbolic(0.9, 3.0, 0.6, float(visits[r, o]))
        assert compiled.policy(1)[r, o, 1] == rate_now


def test_users_rules_receive_the_value_in_the_type_of_the_tables():
    """Of one observation and action: q by hand in float32."""
    learner = fg.Learner(choose, learn, {"rate": fg.ByVisits(fg.Hyperbolic(0.9, 3.0, 0.6))})
    game = fg.MatrixGame(np.ones((2, 1, 1)))
    q, real = np.float32(0.0), np.float32
    for n in range(30):
        rate = real(schedules.hyperbolic(0.9, 3.0, 0.6, float(n)))
        q = q + rate * real(0.5) * (real(1.0) - q)
    for backend in ("reference", "numba"):
        result = fg.run(game, learner, 30, rng=1, dtype="float32", backend=backend)
        assert result.tables[0]["q"][0, 0, 0] == q


def test_what_users_rules_read_is_found():
    rate = fg.ByVisits(fg.Linear(0.9, 0.1, 9))
    with pytest.raises(TypeError, match="rate must not count visits, because 'choose'"):
        fg.Learner(choose_by_rate, learn, {"rate": rate})
    with pytest.raises(TypeError, match="rate must not count visits, because 'draw'"):
        fg.Learner(
            choose, learn, {"rate": fg.ByVisits(rate.schedule, "observation")}, draw=draw_by_rate
        )
    fg.Learner(choose_by_rate, learn, {"rate": fg.ByVisits(rate.schedule, "observation")})
    fg.Learner(choose_by_rate, learn, {"other": 0.5, "rate": rate})
    with pytest.raises(ValueError, match="names of tables must not be those of counts"):
        fg.Learner(choose, learn, {"rate": rate}, [fg.Table("q"), fg.Table("visits_rate")])
    with pytest.raises(ValueError, match="names of parameters must not be those of the numbers"):
        fg.Learner(choose, learn, {"rate": rate, "rate_end": 0.5})
    many = fg.ByVisits(fg.Piecewise(range(40), [0.5] * 40))
    with pytest.raises(ValueError, match="must be at most 64, got 81"):
        fg.Learner(choose, learn, {"rate": many, "other": 0.5})


def test_values_of_a_function_outside_the_domain_stop_the_run():
    learner = fg.QLearner(fg.ByVisits(fg.Schedule(lambda n: 0.5 - 0.1 * n)))
    game = fg.MatrixGame(np.ones((2, 1, 1)))
    for backend in ("reference", "auto"):
        with pytest.raises(fg.RuleError, match=r"learn of learners.0.") as raised:
            fg.run(game, learner, 20, rng=1, backend=backend)
        assert raised.value.step == 6
        fg.run(game, learner, 6, rng=1, backend=backend)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fg.ByVisits(0.5), TypeError, "schedule must be a schedule .*, got 0.5"),
        (lambda: fg.ByVisits(fg.ByVisits(fg.Linear(1, 0, 5))), TypeError, "must be a schedule"),
        (lambda: fg.ByVisits(fg.Linear(1, 0, 5), "state"), ValueError, "of must be one of"),
        (lambda: fg.ByVisits(fg.Linear(1, 0, 5), initial=-1), ValueError, "initial must be in"),
        (lambda: fg.ByVisits(fg.Linear(1, 0, 5), initial=0.5), TypeError, "whole numbers"),
        (lambda: fg.ByVisits(fg.Linear(1, 0, 5), initial=[[[[1]]]]), ValueError, "at most 3"),
        (lambda: fg.ByVisits(fg.Schedule(lambda n: math.exp(-n))), ValueError, "same bits"),
        (lambda: fg.EpsilonGreedy(fg.ByVisits(fg.Linear(1, 0, 5))), TypeError, "epsilon must be"),
        (lambda: fg.QLearner(fg.ByVisits(fg.Linear(2, 0, 5))), ValueError, r"alpha \(start of"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_initial_visits_must_suit_the_game():
    learner = fg.QLearner(fg.ByVisits(fg.Linear(1, 0, 5), initial=[1, 2, 3]))
    with pytest.raises(ValueError, match=r"initial of table 'visits_alpha' of learners.0."):
        fg.run(PENNIES, learner, 5, rng=1)
