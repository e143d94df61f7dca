"""Known answers of what `fastgames.cy` exports, in vectors.txt: one file that checks every body.

A line is a JSON array: [name, type of the tables or null, arguments, result]; floats are written
in the shortest form that is exact. The first lines were published by others, the rest are what the
interpreted rules say of arguments that hypothesis drew. ``python tests/cy/vectors.py`` adds those
of functions that have none; lines that are there stay, for they are bits of the contract.
"""

import json
import struct
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fastgames.rules import (
    chance,
    choice,
    exponential,
    logarithm,
    nature,
    qlearning,
    schedules,
    stepsize,
    streams,
)
from fastgames.rules.outcome import Outcome

FILE = Path(__file__).with_name("vectors.txt")
REALS = {"f32": np.float32, "f64": np.float64}
ONES = 2**32 - 1
XOSHIRO = """
641 1573767 3222811527 3517856514 836907274 4247214768 3867114732 1355841295 495546011 621204420
"""
PUBLISHED = [
    # Random123, kat_vectors
    *(
        ("philox", None, [[int(x, 16) for x in part.split()] for part in given], answer)
        for *given, answer in (
            (
                "0 0 0 0",
                "0 0",
                [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
            ),
            (
                "ffffffff ffffffff ffffffff ffffffff",
                "ffffffff ffffffff",
                [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
            ),
            (
                "243f6a88 85a308d3 13198a2e 03707344",
                "a4093822 299f31d0",
                [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
            ),
        )
    ),
    # rand_xoshiro 0.6, from the authors' C code: the first words after the state 1, 2, 3, 4
    (
        "words",
        None,
        [[1, 2, 3, 4], 10],
        [int(x) for x in XOSHIRO.split()],
    ),
]


# --- what the rules say -----------------------------------------------------------------------


def words(state, n):
    """The next words of a state."""
    state = list(state)
    return [streams.next_word(state) for _ in range(n)]


def next_word(state):
    """The next word, and the state after it."""
    state = list(state)
    return [streams.next_word(state), *state]


def start(seed, replica, role):
    """The first state of a stream."""
    state = [0] * 4
    streams.start(seed & ONES, seed >> 32, replica, role, state)
    return state


def softmax_weights(row, temperature):
    """The weights."""
    out = np.empty_like(row)
    choice.softmax_weights(row, temperature, row.dtype.type, out)
    return out.tolist()


def update(q, o, a, target, step):
    """The table after it."""
    qlearning.update(q, o, a, q.dtype.type(target), q.dtype.type(step))
    return q.ravel().tolist()


def outcome(q, o, a, gain, weight, o2, ended):
    """As the rules take it."""
    real = q.dtype.type
    return Outcome(o, a, real(gain), real(weight), o2, -1, ended)


def learn(q, alpha, *t):
    """The table after it."""
    qlearning.learn((q,), (alpha,), outcome(q, *t))
    return q.ravel().tolist()


def visit(visits, power):
    """The visits then, and the step size."""
    table = np.array([[visits]])
    step = stepsize.visit(table, 0, 0, power)
    return [int(table[0, 0]), step]


def of_both(rule):
    """A rule that is told the type, under both names."""
    return {kind: lambda *given, real=real: rule(*given, real) for kind, real in REALS.items()}


RULES = {
    "philox": lambda counter, key: list(streams.philox(*counter, *key)),
    "words": words,
    "start": start,
    "next_word": next_word,
    **{f"explore_{kind}": f for kind, f in of_both(choice.explore).items()},
    **{f"unit_{kind}": f for kind, f in of_both(choice.unit).items()},
    "exp_f64": lambda x: exponential.exp(np.float64(x), np.float64),
    "exp_f32": lambda x: exponential.exp(np.float32(x), np.float32),
    "log": logarithm.log,
    "explored": choice.explored,
    "argmax": choice.argmax,
    "largest": choice.largest,
    "epsilon_greedy": choice.epsilon_greedy,
    "sample": lambda weights, x: choice.sample(weights, weights.dtype.type(x)),
    "softmax_weights": softmax_weights,
    "update": update,
    "discounted_best": lambda q, weight, o2, ended: qlearning.discounted_best(
        q, outcome(q, 0, 0, 0.0, weight, o2, ended)
    ),
    "learn": learn,
    "visit": visit,
    "scheduled": schedules.exponential,
    "advance": schedules.advance,
    "linear": schedules.linear,
    "hyperbolic": schedules.hyperbolic,
    "pick": lambda sums, x: nature.pick(sums, x),
    "number": chance.number,
    "below": chance.below,
    "coin": chance.coin,
    "happens": chance.happens,
}

# --- what they are asked ----------------------------------------------------------------------

word = st.integers(0, ONES)
word31 = st.integers(0, 2**31 - 1)
states = st.lists(word, min_size=4, max_size=4)
seeds = st.integers(0, 2**64 - 1)
unit = st.floats(0.0, 1.0, width=32)
below_1 = word31.map(lambda u: (u >> 7) * 2.0**-24)
value = st.floats(-100.0, 100.0, width=32)
epsilon = st.floats(0.0, 1.0) | st.integers(0, 2**31).map(lambda t: t * 2.0**-31)
actions = st.integers(1, 9)
row = st.lists(value, min_size=1, max_size=7)
tied = st.lists(st.integers(-2, 2).map(float), min_size=1, max_size=7)
weights = st.lists(st.floats(0.0, 8.0, width=32), min_size=1, max_size=7).filter(sum)
temperature = st.floats(0.01, 100.0)
step = st.floats(0.0, 1.0)


def table(observations, columns):
    """Observations of so many columns."""
    one = st.lists(value, min_size=columns, max_size=columns)
    return st.lists(one, min_size=observations, max_size=observations)


moves = st.tuples(st.integers(0, 2), st.integers(0, 3))
QUESTIONS = {
    "start": st.tuples(seeds, st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1)),
    "next_word": st.tuples(states),
    "explore_f64": st.tuples(word31, epsilon, actions),
    "explore_f32": st.tuples(word31, epsilon, actions),
    "unit_f64": st.tuples(word31),
    "unit_f32": st.tuples(word31),
    "exp_f64": st.tuples(st.floats(-720.0, 720.0)),
    "exp_f32": st.tuples(st.floats(-90.0, 90.0, width=32)),
    "log": st.tuples(st.floats(2.0**-1000, 2.0**1000)),
    "explored": st.tuples(epsilon),
    "argmax": st.tuples(row | tied),
    "largest": st.tuples(row | tied),
    "epsilon_greedy": st.tuples(tied, st.integers(-1, 6)),
    "sample": st.tuples(weights, below_1),
    "softmax_weights": st.tuples(row, temperature),
    "update": st.tuples(table(3, 4), moves, value, step).map(lambda t: (t[0], *t[1], *t[2:])),
    "discounted_best": st.tuples(table(3, 4), unit, st.integers(0, 2), st.booleans()),
    "learn": st.tuples(table(3, 4), step, moves, value, unit, st.integers(0, 2), st.booleans()).map(
        lambda t: (t[0], t[1], *t[2], *t[3:])
    ),
    "visit": st.tuples(st.integers(0, 10**6), st.sampled_from([0.5, 0.6, 1.0]) | st.floats(0.5, 1)),
    "scheduled": st.tuples(unit, unit),
    "advance": st.tuples(st.floats(0.0, 1.0) | st.floats(0.0, 4e-308), st.floats(0.4, 1.0)),
    "linear": st.tuples(value, value, st.floats(1.0, 1e6), st.integers(0, 10**6).map(float)),
    "hyperbolic": st.tuples(
        value,
        st.floats(0.01, 1e6),
        st.sampled_from([0.5, 0.6, 1.0]) | st.floats(0.01, 3.0),
        st.integers(0, 10**9).map(float),
    ),
    "pick": st.tuples(weights.map(lambda w: np.cumsum(w).tolist()), below_1),
    "number": st.tuples(word31),
    "below": st.tuples(word31, st.integers(1, 2**31 - 1)),
    "coin": st.tuples(word31),
    "happens": st.tuples(word31, st.floats(0.0, 1.0)),
}
ROWS = ("argmax", "largest", "epsilon_greedy", "sample", "softmax_weights")
TABLES = ("update", "discounted_best", "learn")
EACH = 12  # lines for each name and type


def ask(function, kind, arguments):
    """Return the answer of a body; `function`: a rule, or a function of every.pyx."""
    arguments = list(arguments)
    if kind is not None:
        arguments[0] = np.array(arguments[0], REALS[kind])
    elif isinstance(arguments[0], list) and isinstance(arguments[0][0], float):
        arguments[0] = np.array(arguments[0])
    answer = function(*arguments)
    return [float(x) if isinstance(x, float) else int(x) for x in np.atleast_1d(answer).tolist()]


def bits(numbers):
    """Return the bits by which answers are compared: -0.0 is not 0.0, and nan is nan."""
    return [struct.pack("<d", x) for x in numbers]


def missing(there):
    """Lines of what has none: (name, type, arguments, answer)."""
    have = {(name, kind) for name, kind, *_ in there}
    out = [line for line in PUBLISHED if line[:2] not in have]
    for name, question in QUESTIONS.items():
        for kind in REALS if name in ROWS + TABLES else (None,):
            if (name, kind) not in have:
                out += drawn(name, kind, question)
    return out


def drawn(name, kind, question):
    """Lines of one function."""
    out = []

    @settings(
        max_examples=EACH,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(question)
    def note(arguments):
        arguments = json.loads(json.dumps(arguments))
        out.append((name, kind, arguments, ask(RULES[name], kind, arguments)))

    with np.errstate(over="ignore"):
        note()
    return out


def stored():
    """The lines that are there."""
    return [tuple(json.loads(line)) for line in FILE.read_text().splitlines()]


if __name__ == "__main__":
    there = stored() if FILE.exists() else []
    FILE.write_text("".join(json.dumps(line) + "\n" for line in there + missing(there)))
    print(f"wrote {FILE}")
