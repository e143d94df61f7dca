"""Functions of learners and games use their arguments and constants only; else they are refused."""
# ruff: noqa: F401  (rules that are strings use what looks unused)

import datetime
import os
import random
import secrets
import time
import types
import uuid
from random import random as drawn
from time import perf_counter as now

import numba
import numpy as np
import numpy.random as npr
import pytest
import scipy.special
from numpy.random import default_rng
from numpy.random import random as rnd

import fastgames as fg
from fastgames import _core
from fastgames.functions.purity import check
from fastgames.rules import chance
from fastgames.rules.exponential import exp
from fastgames.rules.outcome import TeamOutcome

GENERATOR, LEGACY = np.random.default_rng(1), np.random.RandomState(1)
RATES, COUNTS, CONFIG = {"fast": 0.5}, np.zeros(3), types.SimpleNamespace(rate=0.5)
LEVELS, WEIGHTS = (0.1, 0.5), np.array([1.0, 2.0])
FORM = ("tables", "p", "t")
FIELDS = ("observation", "action", "gain", "actions")
NAMES = {"tables": ("q", "visits"), "p": ("alpha", "gamma"), "t": FIELDS}
CALLED = 0


def rule(body, **more):
    """A function `learn` of this body, as if it stood in this file; it starts at line 1."""
    names = globals() | more
    exec(compile(f"def learn(tables, p, t):\n    {body}\n", "<rule>", "exec"), names)
    return names["learn"]


def shaky(x):
    return x + random.random()


def nested(x):
    def inside(y):
        return y + time.time()

    return inside(x)


def counting():
    n = 0

    def learn(tables, p, t):
        nonlocal n
        n += 1

    return learn


def drawing(rng):
    def learn(tables, p, t):
        tables[0][0, 0] = rng.random()

    return learn


# --- refused: what does not follow from the seed -------------------------------------------------

OUTSIDE = [
    ("np.random.random()", "np.random.random", "words"),
    ("np.random.rand()", "np.random.rand", "words"),
    ("np.random.default_rng().random()", "np.random.default_rng", "words"),
    ("npr.normal()", "numpy.random.normal", "words"),
    ("rnd()", r"rnd \(which is numpy.random", "words"),
    ("default_rng(1).random()", "default_rng", "words"),
    ("GENERATOR.random()", "GENERATOR.random", "words"),
    ("LEGACY.rand()", "LEGACY.rand", "words"),
    ("random.random()", "random.random", "words"),
    ("drawn()", r"drawn \(which is random", "words"),
    ("random.Random(1).random()", "random.Random", "words"),
    ("secrets.randbelow(3)", "secrets.randbelow", "words"),
    ("uuid.uuid4().int", "uuid.uuid4", "words"),
    ("time.time()", "time.time", "count steps"),
    ("now()", r"now \(which is time.perf_counter\)", "count steps"),
    ("datetime.datetime.now().second", "datetime.datetime.now", "count steps"),
    ("os.urandom(1)[0]", "os.urandom", "parameter"),
    ("float(os.environ['X'])", "os.environ", "parameter"),
    ("float(input())", "input", "parameter"),
    ("len(open('x').read())", "open", "parameter"),
    ("hash('x')", "hash", "parameter"),
    ("eval('1')", "eval", "parameter"),
    ("shaky(1.0)", "random.random in 'shaky'", "words"),
    ("nested(1.0)", "time.time in 'nested'", "count steps"),
    ("(lambda: rnd())()", "rnd", "words"),
    ("max([drawn() for _ in range(2)])", "drawn", "words"),
    ("[f for f in (rnd,)][0]()", "rnd", "words"),
]


@pytest.mark.parametrize(("text", "name", "instead"), OUTSIDE, ids=[x[0] for x in OUTSIDE])
def test_what_does_not_follow_from_the_seed_is_refused_by_name(text, name, instead):
    with pytest.raises(
        ValueError, match=rf"(?s)^learn must use only .*{name}.*{instead}"
    ) as caught:
        check("learn", rule(f"tables[0][0, 0] = {text}"), FORM, NAMES)
    first, second = str(caught.value).splitlines()
    assert "line " in first
    assert second


def test_the_message_says_function_file_and_line():
    with pytest.raises(ValueError, match="must use only") as caught:
        check("learn", rule("tables[0][0, 0] = shaky(1.0)"), FORM)
    line = shaky.__code__.co_firstlineno + 1
    assert f"'shaky', {__file__}, line {line}:" in str(caught.value)
    with pytest.raises(ValueError, match=r"'learn', <rule>, line 3:"):
        check("learn", rule("x = 1.0\n    tables[0][0, 0] = rnd()"), FORM)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (rule("import random\n    tables[0][0, 0] = random.random()"), "random in"),
        (rule("from time import time as x\n    tables[0][0, 0] = x()"), "time in"),
        (rule("r = np.random\n    tables[0][0, 0] = r.random()"), "np.random"),
        (rule("global CALLED\n    CALLED = 1"), "global CALLED"),
        (rule("COUNTS[0] += 1"), "a write to COUNTS"),
        (rule("learn.calls = 1"), "an assignment to the attribute calls"),
        (counting(), "nonlocal n"),
        (drawing(GENERATOR), "rng.random"),
    ],
)
def test_other_ways_to_the_outside_are_refused(function, name):
    with pytest.raises(ValueError, match=f"must use only its arguments and constants, got {name}"):
        check("learn", function, FORM)


def test_a_random_default_of_a_helper_is_refused():
    def helper(x, rng=GENERATOR):
        return x

    with pytest.raises(ValueError, match="the default Generator"):
        check("learn", rule("tables[0][0, 0] = helper(1.0)", helper=helper), FORM)


# --- not refused ---------------------------------------------------------------------------------


def own_random(x):
    return x * 0.5


def pot(actions):
    return 1.6 * actions.sum()


FINE = [
    "tables[0][0, 0] = random(1.0)",
    "tables[0][0, 0] = time.time(1.0)",
    "random = t.gain; tables[0][0, 0] = random",
    "tables[0][0, 0] = LEVELS[1] + WEIGHTS[0] + WEIGHTS.shape[0]",
    "tables[0][0, 0] = exp(p[0], np.float64)",
    "tables[0][0, 0] = np.sqrt(p[0]) + max(p[0], 0.0) + np.floor(p[1]) + np.abs(p[0])",
    "tables[0][0, 0] = t.actions.sum() + np.sum(t.actions == 1) + sum(t.actions)",
    "n = np.zeros(3, np.int64); tables[0][0, 0] = n.sum()",
    "tables[0][0, 0] = pot(t.actions)",
    "tables[0][0, 0] = p[0] ** 2 + 2 ** t.action",
    "tables.q[0, 0] = p.alpha + tables.visits[0, 0]",
    "tables[0][0, 0] = np.argmax(tables[0][0]) + tables[0][0].max()",
    "print(t.gain)",
    "assert t.gain > 0, 'no gain'",
    "q, visits = tables; alpha, gamma = p; q[0, 0] += alpha * (t.gain - q[0, 0])",
    "tables[-1][0, 0] = p[-1]",
    "\n    for a in range(3):\n        if a > 1:\n            tables[0][0, a] = 1.0 if a else 2.0",
]


@pytest.mark.parametrize("body", FINE)
def test_what_follows_from_arguments_and_constants_is_taken(body):
    library = types.ModuleType("mine")
    library.time = own_random
    check("learn", rule(body, random=own_random, time=library), FORM, NAMES)


@numba.njit
def compiled_luck(x):
    return x + np.random.random()


@numba.njit
def compiled_half(x):
    return 0.5 * x


class Holder:
    rng = GENERATOR


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("compiled_luck(1.0)", "np.random.random in 'compiled_luck'"),
        ("Holder.rng.random()", "Holder.rng.random"),
        ("PAIR[0].random()", r"PAIR\[0\]"),
        ("hidden.inner.now()", r"hidden.inner.now \(which is time.time\)"),
    ],
)
def test_what_hides_in_other_objects_is_found(text, name):
    inner, hidden = types.ModuleType("inner"), types.ModuleType("hidden")
    inner.now, hidden.inner = time.time, inner
    function = rule(f"tables[0][0, 0] = {text}", PAIR=(GENERATOR, 1), hidden=hidden)
    with pytest.raises(ValueError, match=name):
        check("learn", function, FORM, NAMES)


@pytest.mark.parametrize("value", [scipy.special.expit, _core.lanes("float64").exp, [].append])
def test_functions_that_numba_does_not_know_are_refused(value):
    with pytest.raises(TypeError, match=r"got f, a .* in 'learn'"):
        check("learn", rule("tables[0][0, 0] = f(1.0)", f=value), FORM)


def test_constants_go_into_helpers():
    def helper(values, k):
        return values[k] + len(values)

    check("learn", rule("tables[0][0, 0] = helper(WEIGHTS, 1)", helper=helper), FORM, NAMES)
    check("learn", rule("tables[0][0, 0] = compiled_half(p[0])"), FORM, NAMES)


def test_functions_of_the_library_are_taken():
    from fastgames.learners import coma
    from fastgames.rules import qlearning

    check("learn", qlearning.learn, FORM, NAMES)
    rules = fg.COMA().rules
    names = {"tables": rules.names, "p": rules.parameters, "t": TeamOutcome._fields}
    check("learn", coma.learn, FORM, names)


# --- refused: other bits compiled ----------------------------------------------------------------

INEXACT = [
    ("np.exp(p[0])", "np.exp", "fastgames.rules.exponential import exp"),
    ("math.exp(p[0])", "math.exp", "fastgames.rules.exponential import exp"),
    ("np.log(p[0])", "np.log", "fastgames.rules.logarithm import log"),
    ("np.tanh(p[0])", "np.tanh", "fastgames.rules.hyperbolic import tanh"),
    ("math.sin(p[0])", "math.sin", "exp, log, tanh and sqrt"),
    ("p[0] ** p[1]", r"\*\*", r"x \* x"),
    ("p[0] ** 0.5", r"\*\*", r"x \* x"),
    ("pow(p[0], 3)", "pow", r"x \* x"),
    ("np.power(p[0], 3)", "np.power", r"x \* x"),
    ("np.sum(tables[0][0])", "np.sum", "fastgames.rules.sums"),
    ("tables[0][0].mean()", r".mean\(\)", "fastgames.rules.sums"),
    ("WEIGHTS.sum()", "WEIGHTS.sum", "fastgames.rules.sums"),
    ("np.dot(tables[0][0], tables[0][1])", "np.dot", "fastgames.rules.sums"),
    ("tables[0][0] @ tables[0][1]", "@", "fastgames.rules.sums"),
    ("np.linalg.norm(tables[0][0])", "np.linalg.norm", "fastgames.rules.sums"),
    ("np.argsort(tables[0][0])[0]", "np.argsort", "equal entries"),
    ("e(p[0])", "e in", "exponential import exp"),
]


@pytest.mark.parametrize(("text", "name", "instead"), INEXACT, ids=[x[0] for x in INEXACT])
def test_functions_with_other_bits_compiled_are_refused(text, name, instead):
    import math

    function = rule(f"tables[0][0, 0] = {text}", math=math, e=np.exp)
    with pytest.raises(ValueError, match=rf"(?s)^learn must use functions .*{name}.*{instead}"):
        check("learn", function, FORM, NAMES)


# --- refused: what cannot be compiled, with what to write ----------------------------------------

HINTS = [
    ('tables["q"][0, 0] = 1.0', r'tables\["q"\]', r"write tables\.q"),
    ('tables["visits"][0, 0] += 1', r'tables\["visits"\]', r"write tables\.visits"),
    ('tables["r"][0, 0] = 1.0', r'tables\["r"\]', r"its entries are tables\[0\], 'q', tables\[1\]"),
    (
        "tables.r[0, 0] = 1.0",
        "tables.r",
        r"its entries are tables\[0\], 'q'",
    ),
    ('tables[0][0, 0] = p["gamma"]', r'p\["gamma"\]', r"write p\.gamma"),
    ("tables[0][0, 0] = p.alhpa", "p.alhpa", r"did you mean p\.alpha"),
    ("tables[0][0, 0] = p[2]", r"p\[2\]", r"its entries are p\[0\], 'alpha'"),
    ("tables[2][0, 0] = 1.0", r"tables\[2\]", r"its entries are tables\[0\], 'q'"),
    ('tables[0][0, 0] = t["gain"]', r't\["gain"\]', "write t.gain"),
    ("tables[0][0, 0] = t.gian", "t.gian", r"did you mean t.gain\?"),
    ("tables[0][0, 0] = RATES['fast']", "RATES", "a dict is mutable; pass a parameter"),
    ("tables[0][0, 0] = CONFIG.rate", "CONFIG, a SimpleNamespace", "use numbers"),
    ("tables[0][0, 0] = WEIGTHS[0]", "'WEIGTHS'", r"did you mean 'WEIGHTS'\?"),
    ("tables[0][0, 0] = zzz", "'zzz'", "define it, or pass it as a parameter"),
    ("tables[0][0, 0] = np.squareroot(1.0)", "np.squareroot", "np has no attribute 'squareroot'"),
]


@pytest.mark.parametrize(("body", "name", "instead"), HINTS, ids=[x[0] for x in HINTS])
def test_what_cannot_be_compiled_says_what_to_write(body, name, instead):
    pattern = rf"(?s)^learn must .*got {name}.* in 'learn', <rule>, line 2:\n.*{instead}"
    with pytest.raises(TypeError, match=pattern):
        check("learn", rule(body), FORM, NAMES)


def test_arguments_are_followed_into_helpers():
    def helper(values):
        return values["gamma"]

    function = rule("tables[0][0, 0] = helper(p)", helper=helper)
    with pytest.raises(TypeError, match=r"(?s)'helper'.*write p\.gamma"):
        check("learn", function, FORM, NAMES)


# --- where they are given ------------------------------------------------------------------------


def choose(tables, p, o, signal):
    return 0


def learn(tables, p, t):
    tables[0][t.observation, t.action] += t.gain


def draw(u, p, actions, real):
    return real(0.0)


def policy(tables, p, o, out):
    out[0] = 1.0


def impure(a, b, c, d=0.0):
    return np.random.random()


@pytest.mark.parametrize("which", ["choose", "learn", "draw", "policy"])
def test_each_function_of_a_learner_is_read(which):
    given = {"choose": choose, "learn": learn, "draw": draw, "policy": policy}
    fg.Learner(**given)
    bad = rule("return np.random.random()") if which == "learn" else impure
    with pytest.raises(ValueError, match=f"^{which} must use only .*np.random.random"):
        fg.Learner(**given | {which: bad})


def start(state, words):
    state[0] = 0


def step(state, actions, rewards, words):
    rewards[0] = rewards[1] = chance.number(words[0])
    return False


def observe(state, agent):
    return 0


def game(**given):
    functions = {"start": start, "step": step, "observe": observe} | given
    return fg.ProceduralGame(
        **functions, num_actions=(2, 2), num_observations=(1, 1), words=1, largest_reward=1.0
    )


def lucky(state, actions, rewards, words):
    rewards[0] = rewards[1] = random.random()
    return False


def unsteady(state, second):
    return int(time.time()) % 1


@pytest.mark.parametrize("which", ["start", "step", "observe"])
def test_each_function_of_a_game_is_read(which):
    game()
    bad = lucky if which == "step" else unsteady
    with pytest.raises(ValueError, match=f"^{which} must use only .*(random.random|time.time)"):
        game(**{which: bad})


NOISE = own_random


def noisy(tables, p, t):
    tables[0][0, 0] = NOISE(t.gain)


@pytest.mark.parametrize("backend", ["reference", "numba", "auto"])
def test_a_name_that_is_bound_anew_is_refused_when_a_run_begins(backend, monkeypatch):
    learner = fg.Learner(choose, noisy)
    monkeypatch.setitem(globals(), "NOISE", shaky)
    with pytest.raises(ValueError, match=r"^learners\[1\] must be made of functions that have not"):
        fg.run(game(), [fg.QLearner(), learner], 5, backend=backend)
