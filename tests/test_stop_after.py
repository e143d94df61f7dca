"""`Stable(periods, after=...)`: when the count begins; the warning of replicas that stop early."""

import itertools
import math
import warnings
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.equal import assert_same
from library.every import each_backend
from library.runs import core_as

import fastgames as fg
from fastgames.schedules import NEVER, falls_to, parts

GAME = fg.remember(fg.games.prisoners_dilemma(), discount=0.8)
REPLICAS = 16
RATES = np.geomspace(1e-3, 0.3, REPLICAS)
ALPHAS = np.geomspace(0.02, 1.0, REPLICAS)[::-1]
quiet = pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")


def falling(floor=0.0):
    return fg.QLearner(ALPHAS, explore=fg.EpsilonGreedy(fg.Exponential(1.0, RATES, floor)))


def linear():
    """(SARSA may learn twice in a step: only its last change would be seen.)"""
    return fg.ExpectedSarsa(0.3, explore=fg.EpsilonGreedy(fg.Linear(0.9, 0.05, 333.0)))


def values_of(schedule, replica):
    """An epsilon, step by step."""
    v = schedule.start if isinstance(schedule, fg.Exponential) else schedule
    for t in itertools.count():
        if isinstance(schedule, fg.Linear):
            share = min(t / schedule.steps, 1.0)
            yield schedule.start + (schedule.end - schedule.start) * share
        elif isinstance(schedule, fg.Exponential):
            yield max(v, schedule.floor)
            v *= math.exp(-schedule.rate[replica])
        else:
            yield v


def first_counted(learners, after, replica):
    if isinstance(after, int):
        return after
    epsilons = [x.explore.epsilon for x in learners if isinstance(x.explore, fg.EpsilonGreedy)]
    return max(
        next(t for t, value in enumerate(values_of(epsilon, replica)) if value <= after)
        for epsilon in epsilons
    )


def ends_by_definition(learners, stop, steps, arguments, begun=0):
    """The step after which each replica stops, or `steps`: n is 0 until the first step counted.

    begun: the steps after which the replicas were first looked at.
    """
    record = fg.Record(every=1, greedy=True)
    greedy = fg.run(GAME, learners, steps, record=record, **arguments).snapshots.greedy
    changed = sum((g[1:] != g[:-1]).any(axis=-1) for g in greedy) > 0  # (steps, replicas)
    ends = []
    for replica in range(changed.shape[1]):
        first, n, end = first_counted(learners, stop.after, replica), 0, steps
        for t in range(steps):
            n = 0 if t < first or changed[t, replica] else n + 1
            if n >= stop.periods and t + 1 >= begun:
                end = t + 1
                break
        ends.append(end)
    return np.array(ends)


CASES = {
    "a step": ((falling(),) * 2, fg.Stable(30, after=200)),
    "one period": ((falling(),) * 2, fg.Stable(1, after=77)),
    "no more than without": ((falling(),) * 2, fg.Stable(30, after=0)),
    "a late step": ((falling(),) * 2, fg.Stable(5, after=990)),
    "later than the run": ((falling(),) * 2, fg.Stable(5, after=2000)),
    "epsilon": ((falling(),) * 2, fg.Stable(30, after=0.3)),
    "a floor": ((falling(0.25),) * 2, fg.Stable(30, after=0.25)),
    "the last of them": ((falling(), fg.QLearner(0.2, explore=fg.Softmax(0.1))),
                         fg.Stable(9, after=0.5)),
    "linear": ((falling(), linear()), fg.Stable(20, after=0.1)),
    "a constant": ((falling(), fg.QLearner(0.2, explore=fg.EpsilonGreedy(0.1))),
                   fg.Stable(9, after=0.2)),
    "from the start": ((fg.QLearner(0.2), fg.QLearner(0.5)), fg.Stable(9, after=0.1)),
}  # fmt: skip


@quiet
@each_backend
@pytest.mark.parametrize("case", CASES)
def test_a_replica_stops_as_the_definition_says(case, backend):
    learners, stop = CASES[case]
    arguments = {"replicas": REPLICAS, "rng": 5}
    ends = ends_by_definition(learners, stop, 1000, arguments)
    record = fg.Record(flips=True, joint_actions=True, rewards=True, last=20)
    arguments |= {"record": record, "stop": stop, "backend": backend}
    one = fg.run(GAME, learners, 1000, **arguments, threads=1)
    assert one.steps.tolist() == ends.tolist()
    stopped = [first_counted(learners, stop.after, r) + stop.periods for r in range(REPLICAS)]
    assert one.stopped[ends < 1000].all()
    assert not one.stopped[np.array(stopped) > 1000].any()
    if backend != "reference":
        for capacity, threads in itertools.product((1, 5, 16), (1, 2)):
            with core_as(None, capacity):
                assert_same(one, fg.run(GAME, learners, 1000, **arguments, threads=threads))


def test_these_cases_tell_the_definitions_apart():
    """Some replicas would stop before the count begins, and begin at very different steps."""
    learners, stop = CASES["epsilon"]
    arguments = {"replicas": REPLICAS, "rng": 5}
    ends = ends_by_definition(learners, stop, 1000, arguments)
    earlier = ends_by_definition(learners, fg.Stable(stop.periods), 1000, arguments)
    assert 0.2 < (earlier < ends).mean() < 1.0
    assert len(np.unique(ends)) > REPLICAS / 2


@quiet
@pytest.mark.parametrize("backend", ["cython", "reference"])
@pytest.mark.parametrize("after", [150, 0.3])
def test_a_run_resumed_in_pieces_is_the_run(after, backend):
    learners, stop = (falling(), falling(0.1)), fg.Stable(40, after=after)
    arguments = {"stop": stop, "backend": backend}
    whole = fg.run(GAME, learners, 900, REPLICAS, 5, **arguments)
    part = None
    for steps in (1, 49, 130, 220, 500):
        more = {"replicas": REPLICAS, "rng": 5} if part is None else {"resume": part}
        part = fg.run(GAME, learners, steps, **more, **arguments)
    assert_same(whole, part)
    assert whole.stopped.mean() > 0.5


@quiet
def test_a_count_goes_on_when_the_rule_is_changed():
    """n is how many steps from `after` on were quiet, whatever rule counted them before."""
    learners = (falling(),) * 2
    first = fg.run(GAME, learners, 400, REPLICAS, 5, stop=fg.Stable(2**30))
    for after in (100, 390, 450, 0.4):
        stop = fg.Stable(60, after=after)
        arguments = {"replicas": REPLICAS, "rng": 5}
        ends = ends_by_definition(learners, stop, 700, arguments, begun=400)
        result = fg.run(GAME, learners, 300, resume=first, stop=stop)
        assert result.steps.tolist() == ends.tolist()
        assert (ends > 400).any()
        assert after > 340 or (ends == 400).any()


@quiet
def test_schedules_that_start_anew_are_waited_for_anew():
    first = fg.run(GAME, fg.QLearner(1.0), 100, REPLICAS, 5)
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(fg.Exponential(1.0, RATES)))
    result = fg.run(GAME, learner, 10**5, resume=first, stop=fg.Stable(7, after=0.5))
    counted = np.ceil(np.log(2.0) / RATES)
    assert (result.steps >= 100 + counted + 7).all()
    assert (result.steps == 100 + counted + 7).any()


@quiet
def test_snapshots_and_what_is_counted_are_those_of_a_run_of_so_many_steps():
    learners, stop = (falling(),) * 2, fg.Stable(25, after=0.5)
    record = fg.Record(every=50, greedy=True, rewards=True)
    result = fg.run(GAME, learners, 600, REPLICAS, 5, record=record, stop=stop)
    for steps in np.unique(result.steps)[:5]:
        alone = fg.run(GAME, learners, int(steps), REPLICAS, 5, record=record)
        these = result.steps == steps
        assert (alone.mean_reward[these] == result.mean_reward[these]).all()
        assert (alone.tables[0]["q"][these] == result.tables[0]["q"][these]).all()


# --- the step by which an epsilon has fallen ------------------------------------------------------


def by_recurrence(start, rate, floor, bound, most=3000):
    from fastgames.rules.exponential import exp

    v, factor = start, float(exp(-rate, np.float64))
    for t in range(most):
        if max(v, floor) <= bound:
            return t
        v *= factor
        if v < 2.0**-1022:
            v = 0.0
    return None


@given(
    start=st.floats(0.0, 1.0),
    rate=st.sampled_from([0.0, 1e-3, math.log(2) / 10, math.log(2) / 1000, 3.0, 800.0])
    | st.floats(1e-4, 2.0),
    floor=st.sampled_from([0.0, 0.0, 0.125, 0.5]),
    bound=st.sampled_from([0.5, 0.25, 2.0**-9, 0.125, 1e-300, 2.0**-1022, 1e-310, 5e-324])
    | st.floats(1e-3, 0.999),
)
@settings(max_examples=300)
def test_an_exponential_falls_as_its_recurrence_does(start, rate, floor, bound):
    expected = by_recurrence(start, rate, floor, bound)
    found = int(falls_to(parts(fg.Exponential(start, rate, floor)), bound))
    assert found == expected if expected is not None else found >= 3000
    if expected is None and floor > bound:
        assert found == NEVER


def test_an_exponential_that_comes_to_its_bound_exactly():
    for k in (1, 2, 10, 1000, 65536):
        rate = math.log(2.0) / k
        expected = by_recurrence(1.0, rate, 0.0, 0.5, k + 2)
        assert int(falls_to(parts(fg.Exponential(1.0, rate)), 0.5)) == expected


@given(
    start=st.floats(0.0, 1.0),
    end=st.floats(0.0, 1.0),
    steps=st.sampled_from([0.5, 1.0, 10.0, 333.0]) | st.floats(0.1, 500.0),
    bound=st.sampled_from([0.5, 0.25]) | st.floats(1e-3, 0.999),
)
@settings(max_examples=300)
def test_a_linear_one_falls_as_its_formula_does(start, end, steps, bound):
    found = int(falls_to(parts(fg.Linear(start, end, steps)), bound))
    values = [start + (end - start) * min(t / steps, 1.0) for t in range(600)]
    expected = next((t for t, v in enumerate(values) if v <= bound), None)
    if expected is None and end <= bound < start:  # but for its last bit it is there
        expected = math.ceil(steps)
    assert found == (NEVER if expected is None else expected)


def test_a_linear_schedule_ends_at_its_end():
    """1 + (.05 - 1) is more than .05 by a bit."""
    assert int(falls_to(parts(fg.Linear(1.0, 0.05, 1000)), 0.05)) == 1000


def test_numbers_and_arrays():
    assert falls_to(parts(0.1), 0.1).tolist() == 0
    assert falls_to(parts(np.array([0.1, 0.2])), 0.1).tolist() == [0, NEVER]
    values = fg.Exponential(np.array([1.0, 0.5, 1.0]), 0.1, np.array([0.0, 0.0, 0.3]))
    assert falls_to(parts(values), 0.25).tolist() == [14, 7, NEVER]


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [-1, 2**62 + 1, 0.0, 1.0, 1.5, -0.1, math.nan, math.inf, 1e5])
def test_after_outside_its_domain(after):
    with pytest.raises(ValueError, match=r"after must be .*got"):
        fg.Stable(5, after=after)


@pytest.mark.parametrize("after", [True, "5", None, [5], 1 + 2j])
def test_after_of_another_type(after):
    with pytest.raises(TypeError, match=r"after must be .*got"):
        fg.Stable(5, after=after)


def test_equality_and_numpy_numbers():
    assert fg.Stable(5) == fg.Stable(5, 0) != fg.Stable(5, 1)
    assert fg.Stable(5, np.int64(7)) == fg.Stable(5, 7)
    assert fg.Stable(5, np.float64(0.25)) == fg.Stable(5, np.float32(0.25)) == fg.Stable(5, 0.25)
    assert type(fg.Stable(5, np.float32(0.25)).after) is float
    assert type(fg.Stable(5, np.int8(7)).after) is int
    assert eval(repr(fg.Stable(5, 0.25)), {"Stable": fg.Stable}) == fg.Stable(5, 0.25)


@pytest.mark.parametrize(
    ("learners", "words"),
    [
        (fg.QLearner(explore=fg.Softmax(0.1)), ("a step", "no learner has an epsilon", "0.01")),
        (fg.FixedPolicy([0.5, 0.5]), ("a step", "no learner has an epsilon")),
        (fg.QLearner(), ("learners[0]", "never")),
        ([falling(), falling(0.02)], ("learners[1]", "never", "replica 0")),
        (
            fg.QLearner(explore=fg.EpsilonGreedy(np.where(np.arange(REPLICAS) == 3, 0.5, 0.0))),
            ("learners[0]", "replica 3"),
        ),
        (fg.QLearner(explore=fg.EpsilonGreedy(fg.Exponential(1.0, 0.0))), ("never",)),
    ],
)
def test_a_bound_to_which_no_epsilon_falls_is_refused(learners, words):
    with pytest.raises(ValueError, match="after of stop must be") as caught:
        fg.run(GAME, learners, 10, REPLICAS, 1, stop=fg.Stable(5, after=0.01))
    assert all(word in str(caught.value) for word in words)


# --- files ----------------------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("after", [0, 5, 0.3])
def test_what_is_saved_is_loaded(after, tmp_path):
    result = fg.run(GAME, falling(), 300, REPLICAS, 5, stop=fg.Stable(20, after=after))
    result.save(tmp_path / "run")
    again = fg.load(tmp_path / "run")
    assert again.stop == result.stop
    assert type(again.stop.after) is type(result.stop.after)
    assert_same(result, again)
    for name in ("stopped", "unchanged", "exploring"):
        assert getattr(again, name).tolist() == getattr(result, name).tolist()


@quiet
def test_a_result_that_went_on_with_fewer_periods_is_loaded(tmp_path):
    """Its count is then higher than the periods."""
    longer = fg.run(GAME, falling(), 900, REPLICAS, 5, stop=fg.Stable(60))
    shorter = fg.run(GAME, falling(), 1, resume=longer, stop=fg.Stable(5))
    assert (shorter.state.stable > 5).any()
    shorter.save(tmp_path / "run")
    assert fg.load(tmp_path / "run").stopped.tolist() == shorter.stopped.tolist()


@quiet
def test_a_checkpoint_of_another_after_is_refused(tmp_path):
    call = {"game": GAME, "learners": falling(), "steps": 50, "replicas": REPLICAS, "rng": 1}
    call["checkpoint"] = tmp_path / "some"
    first = fg.run(**call, stop=fg.Stable(9, after=5))
    again = fg.run(**call, stop=fg.Stable(9, after=5))
    assert (first.steps == again.steps).all()
    for after in (0, 6, 0.5):
        with pytest.raises(ValueError, match=rf"stop\.after was 5, got {after}"):
            fg.run(**call, stop=fg.Stable(9, after=after))


# --- the warning ----------------------------------------------------------------------------------


def hardly(epsilon=0.9, alpha=0.005):
    """A learner of Calvano et al.'s game that prefers the lowest price until it has learnt much."""
    explore = fg.EpsilonGreedy(fg.Exponential(epsilon, 4e-6))
    initial = np.linspace(5.0, 4.0, 15)
    return fg.QLearner(alpha, 0.95, explore, initial)


PRICES = fg.remember(fg.games.logit_bertrand(), discount=0.95)


@pytest.mark.parametrize("backend", ["cython", "reference"])
def test_replicas_that_never_changed_are_told_of_once(backend):
    stop = fg.Stable(200)
    with pytest.warns(fg.ConvergenceWarning) as caught:
        result = fg.run(PRICES, hardly(), 1000, 6, 1, stop=stop, backend=backend)
    assert (result.steps == 200).all()
    assert result.unchanged.tolist() == result.exploring.tolist() == [True] * 6
    (warning,) = caught
    text = str(warning.message)
    assert warning.filename == __file__
    for words in ("6 replicas", "6 although", "6 while", "Stable(periods=200", "after="):
        assert words in text
    assert "6 stopped, 6 unchanged, 6 exploring" in repr(result)


def test_with_after_they_do_not_stop_and_nothing_is_said():
    result = fg.run(PRICES, hardly(), 1000, 6, 1, stop=fg.Stable(200, after=0.01))
    assert (result.steps == 1000).all()
    assert not (result.stopped | result.unchanged | result.exploring).any()
    assert "stopped" not in repr(result)


def test_far_from_the_floor_is_more_than_a_tenth_of_the_way():
    """From .5 to .1 a tenth of the way is left at .14: after log(.5 / .14) / rate steps."""
    rates = np.log(0.5 / 0.14) / np.array([99.5, 100.5])
    for explore in (
        fg.EpsilonGreedy(fg.Exponential(0.5, rates, 0.1)),
        fg.Softmax(fg.Exponential(0.5, rates, 0.1)),
        fg.EpsilonGreedy(fg.Linear(0.5, 0.1, np.array([99.5, 100.5]) / 0.9)),
    ):
        game = fg.MatrixGame(np.zeros((2, 1, 1)))
        with pytest.warns(fg.ConvergenceWarning, match="2 although"):
            result = fg.run(game, fg.QLearner(explore=explore), 500, 2, 1, stop=fg.Stable(100))
        assert result.exploring.tolist() == [False, True]


@pytest.mark.parametrize(
    "epsilon",
    [
        0.9,
        fg.Exponential(1.0, 0.05, 0.2),  # a floor is as far as it goes
        fg.Exponential(1.0, 0.05),
        fg.Exponential(0.3, 0.0),
        fg.Linear(0.1, 0.9, 1e6),  # which rises
    ],
)
def test_nothing_is_said_of_what_has_changed_and_settled(epsilon):
    """The second action is better whatever the other does: it is preferred once it was tried."""
    game = fg.MatrixGame([[[0.0, 0.0], [1.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(epsilon))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fg.run(game, learner, 5000, 20, 1, stop=fg.Stable(300))
    assert result.stopped.all()
    assert (result.steps > 300).all()
    assert not (result.unchanged | result.exploring).any()


def test_nothing_is_said_without_a_stop_or_where_nothing_stopped():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        free = fg.run(PRICES, hardly(), 100, 3, 1)
        fg.run(PRICES, hardly(), 100, 3, 1, stop=fg.Stable(101))
    assert not (free.unchanged | free.exploring).any()


def test_a_change_before_the_count_began_is_a_change():
    """Without exploration: what is preferred changes at once, and never again."""
    game = fg.MatrixGame([[[-1.0, -1.0], [1.0, 1.0]]] * 2)
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fg.run(game, [learner, fg.FixedPolicy([1, 0])], 99, 2, 1, stop=fg.Stable(9, 30))
    assert result.steps.tolist() == [39, 39]
    assert not result.unchanged.any()


@pytest.mark.parametrize(
    "schedule",
    [
        fg.Hyperbolic(np.array([1.0, 0.5, 1.0]), np.array([20.0, 3.0, 1.0]), np.array([1, 0.6, 2])),
        fg.Hyperbolic(1.0, 30.0),
        fg.Piecewise([10, 50.5, 90], [1.0, 0.3, 0.05]),
        fg.Piecewise([10, 50.5, 90], [1.0, 0.3, 0.05], "constant"),
        fg.Piecewise([0, np.array([30.0, 60.0])], [1.0, np.array([0.4, 0.05])]),
        fg.Piecewise([5, 20, 40], [0.1, 0.9, 0.9]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("bound", [0.1, 0.25, 0.5, 0.95])
def test_a_new_schedule_falls_to_a_bound_at_the_first_value_below_it(schedule, bound):
    found = falls_to(parts(schedule), bound)
    for r, step in enumerate(np.ravel(found).tolist()):
        one = fg.QLearner(explore=fg.EpsilonGreedy(_of_replica(schedule, r)))
        game, steps = fg.MatrixGame(np.zeros((2, 2, 2))), 400
        record = fg.Record(every=1, policies=True)
        policy = fg.run(game, one, steps, rng=1, record=record).snapshots.policies[0][:, 0, 0]
        low = np.flatnonzero(2 * policy.min(axis=-1) <= bound + 2.0**-30)
        assert step == (low[0] if len(low) else step) and (len(low) or step > steps)


def _of_replica(schedule, r):
    """The schedule with the numbers of one replica."""

    def one(x):
        return tuple(map(one, x)) if isinstance(x, tuple) else x[r] if np.ndim(x) else x

    return replace(schedule, **{f.name: one(getattr(schedule, f.name)) for f in fields(schedule)})
