"""Philox4x32-10 and xoshiro128++: published vectors, and the algorithms written once more."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.contract import first_state, philox, xoshiro
from library.every import BODIES, each_body

import fastgames as fg
from fastgames import _core, registry
from fastgames.rules import streams

LANES = [
    importlib.import_module(f"fastgames._core.lanes_{build}_{real}")
    for build in _core.available()
    for real in ("f32", "f64")
]
each_lanes = pytest.mark.parametrize("lanes", LANES, ids=lambda module: module.__name__[17:])

# Random123, kat_vectors: counter, key, words.
PHILOX = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
# rand_xoshiro 0.6, from the authors' C code: the first words after the state 1, 2, 3, 4.
XOSHIRO = [
    641,
    1573767,
    3222811527,
    3517856514,
    836907274,
    4247214768,
    3867114732,
    1355841295,
    495546011,
    621204420,
]

word = st.integers(0, 2**32 - 1)


def words(text):
    return tuple(int(x, 16) for x in text.split())


@pytest.mark.parametrize(("counter", "key", "expected"), PHILOX)
def test_philox_gives_the_published_words(counter, key, expected):
    assert philox(words(counter), words(key)) == words(expected)
    for body in BODIES.values():
        assert body(streams.philox)(*words(counter), *words(key)) == words(expected)


def test_xoshiro_gives_the_published_words():
    for next_word in (body(streams.next_word) for body in BODIES.values()):
        state, again = (1, 2, 3, 4), np.array([1, 2, 3, 4], np.int64)
        for expected in XOSHIRO:
            here, state = xoshiro(state)
            assert here == expected
            assert next_word(again) == expected
            assert tuple(again) == state


@each_body
@given(state=st.tuples(word, word, word, word))
def test_next_word_is_xoshiro(body, state):
    mutable = np.array(state, np.int64)
    expected, after = xoshiro(state)
    assert body(streams.next_word)(mutable) == expected
    assert tuple(mutable) == after


@each_body
@given(seed=st.integers(0, 2**64 - 1), replica=st.integers(0, 2**63 - 1), role=st.integers(0, 99))
def test_a_stream_starts_at_philox_of_seed_replica_and_role(body, seed, replica, role):
    state = np.zeros(4, np.int64)
    body(streams.start)(seed % 2**32, seed // 2**32, replica, role, state)
    assert tuple(state) == first_state(seed, replica, role)


def test_the_state_of_zeros_becomes_one_that_moves(monkeypatch):
    monkeypatch.setattr(streams, "philox", lambda *counter_and_key: (0, 0, 0, 0))
    state = [9, 9, 9, 9]
    streams.start(0, 0, 0, 0, state)
    assert state == [1, 0, 0, 0]


@each_lanes
@given(seed=st.integers(0, 2**64 - 1), replica=st.integers(0, 2**63 - 9), roles=st.integers(1, 5))
def test_compiled_streams_start_at_philox(lanes, seed, replica, roles):
    states = np.zeros((3, roles, 4), np.uint32)
    lanes.start_streams(seed, replica, roles, states)
    for r in range(3):
        for role in range(roles):
            assert tuple(states[r, role]) == first_state(seed, replica + r, role)


@each_lanes
@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**32, 2**64 - 1])
@pytest.mark.parametrize("replica", [0, 2**32 - 2, 2**32, 2**63 - 9])
def test_compiled_streams_start_at_philox_beyond_32_bits(lanes, seed, replica):
    states = np.zeros((4, 64, 4), np.uint32)
    lanes.start_streams(seed, replica, 64, states)
    for r in range(4):
        for role in (0, 1, 63):
            assert tuple(states[r, role]) == first_state(seed, replica + r, role)


@pytest.mark.parametrize("build", _core.available())
@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_compiled_runs_draw_the_words_of_xoshiro_from_the_top_bit_down(build, dtype, monkeypatch):
    """A policy that plays action 1 if and only if the word of that step is the published one."""
    monkeypatch.setattr(_core, "isa", build)
    game = fg.MatrixGame(np.zeros((2, 3, 3)))
    start = fg.run(game, fg.FixedPolicy([0, 0, 1]), steps=1, replicas=20, rng=1, dtype=dtype)
    start.state.streams[:] = (1, 2, 3, 4)
    bits = 31 if dtype == "float64" else 24
    for k, expected in enumerate(XOSHIRO):
        x = (expected >> (32 - bits)) * 2.0**-bits
        policy = fg.FixedPolicy([x, 2.0**-bits, 1 - 2.0**-bits - x])
        for backend in ("cython", "numba", "reference"):
            last = fg.run(
                game,
                policy,
                steps=k + 1,
                resume=start,
                backend=backend,
                record=fg.Record(joint_actions=True, last=1),
            )
            assert (last.joint_counts[:, 1, 1] == 1).all()


@given(seed=st.integers(0, 2**64 - 1))
def test_a_run_starts_its_streams_and_takes_one_word_a_step(seed):
    game = fg.games.jordan()
    learners = [fg.QLearner(), fg.FixedPolicy([0.5, 0.5]), fg.QLearner(explore=fg.Softmax(1.0))]
    for steps in (1, 4, 6):
        result = fg.run(game, learners, steps=steps, replicas=3, rng=seed)
        for replica in range(3):
            for agent in range(3):
                state = first_state(seed, replica, agent)
                for _ in range(steps):
                    _, state = xoshiro(state)
                assert tuple(result.state.streams[replica, agent]) == state
