"""Every kind of registered learner, and strategies that draw learners of a kind."""

import inspect
import itertools
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

import fastgames as fg
from fastgames import registry
from fastgames.games.turns import may_wait

# With thresholds T of 0, 1, 2, 3 and 2^31.
EPSILONS = st.sampled_from(
    [0.0, 1.0, 2.0**-32, 2.0**-31, 2.0**-30, 3 * 2.0**-31, 0.5, 1 - 2.0**-53]
)
INTERVALS = {
    "alpha": st.sampled_from([1.0, 0.5, 0.1, 1e-9]) | st.floats(1e-3, 1.0),
    "gamma": st.sampled_from([0.0, 0.5, 0.95]) | st.floats(0.0, 0.99),
    "epsilon": EPSILONS | st.floats(0.0, 1.0),
    "temperature": st.sampled_from([1.0, 0.01, 1000.0]) | st.floats(0.01, 100.0),
    "omega": st.sampled_from([1.0, 50.0, 1e-3]) | st.floats(0.01, 100.0),
    "power": st.sampled_from([1.0, 0.5, 0.51]) | st.floats(0.01, 1.0),
}


@st.composite
def _numbers(draw, one, replicas):
    """A number, or one for each replica."""
    if draw(st.booleans()):
        return draw(one)
    few = draw(st.lists(one, min_size=1, max_size=4))
    return np.resize(few, replicas)


def saw(t, low, high):
    """A function of the step for `Schedule`."""
    return low + (high - low) * (t % 7 / 7)


def _linear(draw, start, end, replicas):
    return fg.Linear(start, end, draw(_numbers(st.floats(0.5, 60.0), replicas)))


# The fast ones fall below the normal numbers within a few steps.
RATES = st.floats(0.0, 2.0) | st.sampled_from([40.0, 236.1, 708.0, 1e4])


def _exponential(draw, start, end, replicas):
    return fg.Exponential(start, draw(_numbers(RATES, replicas)), end)


def _hyperbolic(draw, start, end, replicas):
    offset = draw(_numbers(st.floats(0.01, 60.0), replicas))
    return fg.Hyperbolic(start, offset, draw(_numbers(INTERVALS["power"], replicas)))


def _piecewise(draw, start, end, replicas):
    between = draw(_numbers(st.floats(0.5, 30.0), replicas))
    values = draw(st.permutations([start, end, start]))
    kind = draw(st.sampled_from(["linear", "constant"]))
    return fg.Piecewise([draw(st.integers(0, 5)), 5 + between, 40.0], values, kind)


def _schedule(draw, start, end, replicas):
    return fg.Schedule(saw, [start, end])


SCHEDULES = {
    "exponential": _exponential,
    "linear": _linear,
    "hyperbolic": _hyperbolic,
    "piecewise": _piecewise,
    "schedule": _schedule,
}


@st.composite
def _parameters(draw, name, replicas):
    """A number, an array or a schedule in the domain of the parameter."""
    one = INTERVALS[name]
    kind = draw(st.sampled_from(["number", "number", "number", *SCHEDULES]))
    if kind == "number" or (kind == "schedule" and name == "gamma"):  # its bounds are not known
        return draw(_numbers(one, replicas))
    start, end = draw(_numbers(one, replicas)), draw(_numbers(one, replicas))
    return SCHEDULES[kind](draw, start, end, replicas)


EXPLORERS = {
    "epsilon_greedy": lambda replicas: st.builds(
        fg.EpsilonGreedy, _parameters("epsilon", replicas)
    ),
    "softmax": lambda replicas: st.builds(fg.Softmax, _parameters("temperature", replicas)),
}
STEP_SIZES = {
    "alpha": lambda replicas: _parameters("alpha", replicas),
    "visits": lambda replicas: st.builds(fg.VisitCount, _parameters("power", replicas)),
}
INITIALS = {"uniform_rivals": fg.UniformRivals}


@st.composite
def _value_learners(draw, make, kind, replicas, observations, actions):
    table = (observations, actions)
    shape = draw(st.sampled_from([(), (actions,), table, (replicas, 1, 1), (replicas, *table)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    initial = rng.integers(-2, 3, shape) if draw(st.booleans()) else rng.normal(size=shape)
    if draw(st.integers(0, 3)) == 0:
        initial = INITIALS[draw(st.sampled_from(sorted(INITIALS)))]()
    return make(
        alpha=draw(STEP_SIZES[kind.step](replicas)),
        gamma=draw(st.none() | _parameters("gamma", replicas)),
        explore=draw(EXPLORERS[kind.explorer](replicas)),
        initial=initial,
        **kind.given,
    )


@st.composite
def _fixed_policies(draw, make, kind, replicas, observations, actions):
    table = (observations, actions)
    shape = draw(st.sampled_from([(actions,), (1, actions), table, (replicas, *table)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = rng.integers(0, 3, shape) + 1e-3 * rng.integers(0, 2, shape)
    weights[..., rng.integers(actions)] += 1.0
    return make(weights / weights.sum(axis=-1, keepdims=True))


def _interval(domain):
    """Numbers in a domain such as "(0, 1]"; of one without an end, small ones."""
    low, high = (float(end) for end in domain[1:-1].split(","))
    low, high = max(low, -3.0), min(high, 3.0)
    inside = st.floats(low, high, exclude_min=domain[0] == "(", exclude_max=domain[-1] == ")")
    ends = [x for x, open_ in ((low, domain[0] == "("), (high, domain[-1] == ")")) if not open_]
    return inside.filter(lambda x: x == 0.0 or abs(x) > 1e-9) | st.sampled_from([*ends, 0.5])


@st.composite
def _described(draw, make, kind, replicas, observations, actions):
    """A learner that is described by its rules: parameters in their domains."""
    has, given = inspect.signature(make).parameters, {}
    for name, domain in make.domains().items():
        one = INTERVALS.get(name, _interval(domain))
        given[name] = draw(_numbers(one, replicas))
        if draw(st.integers(0, 3)) == 0 and name not in ("low", "high"):
            end = draw(_numbers(one, replicas))
            which = draw(st.sampled_from(["linear", "piecewise"]))  # all others may leave domains
            given[name] = SCHEDULES[which](draw, given[name], end, replicas)
    if "gamma" in has and draw(st.booleans()):
        given["gamma"] = None
    if "delta_win" in has:  # at most delta_lose
        given["delta_win"], given["delta_lose"] = 0.01, draw(st.sampled_from([0.01, 0.05, 1.0]))
    if "low" in has:  # what payoffs lie between
        given["low"], given["high"] = -1e4, 1e4
    if kind.explorer:
        given["explore"] = draw(EXPLORERS[kind.explorer](replicas))
    if kind.step == "visits":
        given["alpha"] = draw(STEP_SIZES["visits"](replicas))
    elif kind.step and "alpha" not in given:
        given["alpha"] = draw(_parameters("alpha", replicas))
    for name in make.batch:  # few steps, so that it learns in short runs
        given[name] = draw(st.integers(2, 4))
    if "initial" in has and draw(st.booleans()):
        given["initial"] = draw(st.sampled_from([-1.0, 0.25, 2.0]))
    return make(**given, **kind.given)


LEARNERS = dict.fromkeys(registry.LEARNERS, _described) | {
    "q": _value_learners,
    "sarsa": _value_learners,
    "expected_sarsa": _value_learners,
    "fixed": _fixed_policies,
}


@dataclass(frozen=True)
class Kind:
    """The choices that determine the rules of a learner; every kind has its own.

    options: flags that are set, "name", and texts that are chosen, "name=value"
    """

    learner: str
    explorer: str = ""
    step: str = ""
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join(x for x in (self.learner, self.explorer, self.step, *self.options) if x)

    @property
    def given(self):
        """The options as arguments of the learner."""
        pairs = [option.partition("=") for option in self.options]
        return {name: value if equals else True for name, equals, value in pairs}

    def made(self, game=None):
        """One of this kind for agent 0 of a game, with default parameters where they suit it."""
        given = self.given
        if self.explorer:
            given["explore"] = {
                "epsilon_greedy": fg.EpsilonGreedy(0.1),
                "softmax": fg.Softmax(1.0),
            }[self.explorer]
        if self.step:
            given["alpha"] = {"alpha": 0.1, "visits": fg.VisitCount()}[self.step]
        make = registry.LEARNERS[self.learner]
        return make(**make.sample(game or fg.games.matching_pennies(), 0), **given)

    def suits(self, game):
        """Return whether a learner of this kind can play this game."""
        made = self.made(game)
        agents = range(game.num_agents)
        if made.rules.counterfactual and any(
            may_wait(game.compact, game.num_actions, (i,)) for i in agents
        ):
            return False
        try:
            getattr(made, "check", lambda game, agent: None)(game, 0)
        except ValueError:
            return False
        return True

    def game(self, first):
        """Return the first game of this and small ones that a learner of this kind can play."""
        small = (fg.games.matching_pennies(), fg.games.prisoners_dilemma())
        return next(game for game in (first, *small) if self.suits(game))


def _kinds():
    """All kinds that there are of the registered learners."""
    for name, make in registry.LEARNERS.items():
        has = inspect.signature(make).parameters
        explorers = list(registry.EXPLORERS) if "explore" in has else [""]
        if "explore" in has and has["explore"].default is None:
            explorers.append("")
        steps = ("alpha", *registry.STEP_SIZES) if _counts_visits(make) else [""]
        options = itertools.product(*_options(make))
        for explorer, step, chosen in itertools.product(explorers, steps, list(options)):
            yield Kind(name, explorer, step, sum(chosen, ()))


def _options(make):
    """Return the tuples of options of a learner that exclude each other, by field."""
    for name, form in make.forms().items():
        if form.kind == "flag" and name != "unchecked":  # it changes no rule and no parameter
            yield (), (name,)
        elif form.choices:
            yield (), *[(f"{name}={choice}",) for choice in form.choices[1:]]


def _counts_visits(make):
    """Return whether a learner accepts a `VisitCount` for its alpha."""
    try:
        make(alpha=fg.VisitCount())
    except TypeError:
        return False
    return True


KINDS = list(_kinds())
AHEAD = [kind for kind in KINDS if kind.made().rules.twin is not None]
# Numba compiles every kind in one type in all tests, and in the other in slow ones.
DTYPES = dict(zip(KINDS, itertools.cycle(registry.DTYPES), strict=False))
