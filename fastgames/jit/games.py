"""Passes for the engine made from the functions of a game.

Their signatures stand in src_cy/block.pxi. `wrong` (4,) says what went wrong first: 3 an
observation, 4 a reward, 5 a function that failed; the agent; the lane; the value.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba import carray, types

from fastgames.games.compact import Functions
from fastgames.jit.cache import cfunc, keep
from fastgames.jit.compile import (
    MOST_INLINED,
    OPTIONS,
    REFUSALS,
    compiled,
    explained,
    length,
    once,
)
from fastgames.rules.streams import next_word

_SIZE, _SIZES = types.int64, types.CPointer(types.int64)
_INTS, _DOUBLES = types.CPointer(types.int32), types.CPointer(types.float64)


def passes_of(moves: Functions, dtype: np.dtype[Any], checked: bool) -> tuple[Any, ...]:
    """The passes `look`, `play`, `begin` and `imagine` of a game, as its functions are now.

    Whoever calls a pass by its `address` must hold the pass: it lives only as long.
    """
    given: list[Any] = [moves.start, moves.step, moves.observe]
    sizes = (
        moves.agents, moves.state_size, moves.words, moves.start_words, moves.largest_reward,
        moves.blind, dtype.name, checked,
    )  # fmt: skip
    try:
        made: tuple[Any, ...] = once(("game", sizes), given, partial(_passes, sizes))
    except REFUSALS as error:
        raise explained("functions of the game", given, error) from None
    return made


def _passes(sizes: tuple[Any, ...], digest: str | None, *given: Any) -> tuple[Any, ...]:
    """The passes of functions that no longer change; digest: theirs."""
    agents, size, count, start_words, largest, blind, dtype, checked = sizes
    real = types.CPointer(getattr(types, dtype))
    start, step, observe = given
    inline = not checked and length(step) + length(observe) <= MOST_INLINED
    start, step, observe = (compiled(f, inline, checked) for f in given)

    def made(*signature: Any) -> Any:
        """A pass of this signature, compiled or from disk."""

        def make(function: Any) -> Any:
            what = function.__name__, sizes
            return cfunc(function, types.void(*signature), OPTIONS, what, digest)

        return make

    if checked:

        @numba.njit(boundscheck=True, **OPTIONS)
        def begun(state, words):  # type: ignore[no-untyped-def]
            try:
                start(state, words)
            except Exception:
                return 1
            return 0

        @numba.njit(boundscheck=True, **OPTIONS)
        def stepped(state, actions, rewards, words):  # type: ignore[no-untyped-def]
            try:
                return int(bool(step(state, actions, rewards, words)))
            except Exception:
                return 2

        @numba.njit(boundscheck=True, **OPTIONS)
        def seen(state, agent):  # type: ignore[no-untyped-def]
            try:
                return int(observe(state, agent))
            except Exception:
                return -(2**62)

    else:

        @numba.njit(inline="always", **OPTIONS)
        def begun(state, words):  # type: ignore[no-untyped-def]
            start(state, words)
            return 0

        @numba.njit(inline="always", **OPTIONS)
        def stepped(state, actions, rewards, words):  # type: ignore[no-untyped-def]
            return int(bool(step(state, actions, rewards, words)))

        @numba.njit(inline="always", **OPTIONS)
        def seen(state, agent):  # type: ignore[no-untyped-def]
            return int(observe(state, agent))

    @numba.njit(inline="always", **OPTIONS)
    def note(wrong, kind, agent, lane, value):  # type: ignore[no-untyped-def]
        if wrong[0] == 0:
            wrong[0], wrong[1], wrong[2], wrong[3] = kind, agent, lane, value

    @numba.njit(inline="always", **OPTIONS)
    def look_at(state, i, counts, observation, wrong):  # type: ignore[no-untyped-def]
        for j in range(agents):
            o = seen(state, j)
            if o < 0 or o >= counts[j]:
                note(wrong, 5 if o == -(2**62) else 3, j, i, o)
                o = 0
            if not blind:  # else they are 0 from the beginning
                observation[j, i] = o

    @made(_SIZE, _SIZE, _SIZES, _SIZES, _INTS, _SIZES)
    def look(lanes, active, counts_, state_, observation_, wrong_):  # type: ignore[no-untyped-def]
        counts, state = carray(counts_, (agents,)), carray(state_, (lanes, size))
        observation, wrong = carray(observation_, (agents, lanes)), carray(wrong_, (4,))
        for i in range(active):
            look_at(state[i], i, counts, observation, wrong)

    @made(_SIZE, _SIZE, _SIZES, _SIZES, _SIZES, _SIZES, _DOUBLES, real, _INTS, _INTS, _SIZES)
    def play(  # type: ignore[no-untyped-def]
        lanes, active, counts_, state_, actions_, words_, scratch_, rewards_, observation_, over_,
        wrong_,
    ):  # fmt: skip
        counts, state = carray(counts_, (agents,)), carray(state_, (lanes, size))
        actions, words = carray(actions_, (lanes, agents)), carray(words_, (count, lanes))
        got, rewards = carray(scratch_, (agents,)), carray(rewards_, (agents, lanes))
        observation, over = carray(observation_, (agents, lanes)), carray(over_, (lanes,))
        wrong = carray(wrong_, (4,))
        for i in range(active):
            for j in range(agents):
                got[j] = 0.0
            ended = stepped(state[i], actions[i], got, words[:, i])
            if ended == 2:
                note(wrong, 5, -1, i, 0)
            over[i] = ended & 1
            for j in range(agents):
                if not abs(got[j]) <= largest:
                    note(wrong, 4, j, i, np.float64(got[j]).view(np.int64))
                    got[j] = 0.0
                rewards[j, i] = got[j]
            look_at(state[i], i, counts, observation, wrong)

    @made(_SIZE, _SIZE, _SIZES, _SIZES, _SIZES, _INTS, _SIZES)
    def begin(lanes, i, counts_, state_, words_, observation_, wrong_):  # type: ignore[no-untyped-def]
        counts, state = carray(counts_, (agents,)), carray(state_, (lanes, size))
        words = carray(words_, (start_words,))
        observation, wrong = carray(observation_, (agents, lanes)), carray(wrong_, (4,))
        if begun(state[i], words):
            note(wrong, 5, -2, i, 0)
        look_at(state[i], i, counts, observation, wrong)

    @made(_SIZE, _SIZE, _SIZE, _SIZE, _SIZES, _SIZES, _SIZES, _SIZES, _DOUBLES, real, _SIZES)
    def imagine(  # type: ignore[no-untyped-def]
        lanes, active, agent, own, state_, actions_, words_, scratch_state_, scratch_, columns_,
        wrong_,
    ):  # fmt: skip
        state, actions = carray(state_, (lanes, size)), carray(actions_, (lanes, agents))
        words, copy = carray(words_, (count, lanes)), carray(scratch_state_, (size,))
        got, columns = carray(scratch_, (agents,)), carray(columns_, (lanes, own))
        wrong = carray(wrong_, (4,))
        for i in range(active):
            played = actions[i, agent]
            for a in range(own):
                for k in range(size):
                    copy[k] = state[i, k]
                for j in range(agents):
                    got[j] = 0.0
                actions[i, agent] = a
                if stepped(copy, actions[i], got, words[:, i]) == 2:
                    note(wrong, 5, -1, i, 0)
                columns[i, a] = got[agent]
            actions[i, agent] = played

    return look, play, begin, imagine


def start_all(moves: Functions, streams: np.ndarray, states: np.ndarray) -> None:
    """Start every replica: streams (replicas, 4) uint32 of nature, states; modified in place."""
    count = moves.start_words
    try:
        start_each = once(("start_each", count), [moves.start, next_word], partial(_starter, count))
        start_each.compile((numba.typeof(streams), numba.typeof(states)))
    except REFUSALS as error:
        raise explained("functions of the game", [moves.start], error) from None
    start_each(streams, states)


def _starter(count: int, digest: str | None, *given: Any) -> Any:
    start, word = (compiled(function) for function in given)

    @numba.njit(**OPTIONS)
    def start_each(streams, states):  # type: ignore[no-untyped-def]
        words = np.zeros(count, np.int64)
        for r in range(len(states)):
            for k in range(count):
                words[k] = word(streams[r]) >> 1
            start(states[r], words)

    return keep(start_each, ("start_each", count), digest)
