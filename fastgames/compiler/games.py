"""Passes for the engine compiled from the functions of a game.

Their signatures are in src_cy/block.pxi. `wrong` (4,) int64 describes the first error: its kind, a
number defined in fastgames/errors.py; the agent or the function of the game; the lane; the value.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba import carray, types

from fastgames.compiler.cache import cfunc, keep
from fastgames.compiler.compile import (
    MOST_INLINED,
    OPTIONS,
    REFUSALS,
    check_enabled,
    compiled,
    explained,
    length,
    once,
)
from fastgames.compiler.views import noted, unwritable
from fastgames.errors import (
    ENDED_ODDLY,
    GAME_FAILED,
    PAID_OUTSIDE,
    SEEN_FRACTION,
    SEEN_OUTSIDE,
    START,
    STEP,
    is_below,
    is_whole,
)
from fastgames.games.compact import Functions
from fastgames.rules.streams import next_word

_SIZE, _SIZES = types.int64, types.CPointer(types.int64)
_INTS, _DOUBLES = types.CPointer(types.int32), types.CPointer(types.float64)


def passes_of(moves: Functions, dtype: np.dtype[Any], checked: bool) -> tuple[Any, ...]:
    """Return the passes `look`, `play`, `begin` and `imagine` of a game's current functions.

    Callers that use the `address` of a pass must keep a reference to the pass, which owns the code.

    moves: the functions of the game and their sizes; dtype: the type of rewards
    checked: raise IndexError for an index outside of its array
    """
    check_enabled("functions of a game")
    given: list[Any] = [moves.start, moves.step, moves.observe]
    rules = [*given, is_below, is_whole]
    sizes = (
        moves.agents, moves.state_size, moves.words, moves.start_words, moves.largest_reward,
        moves.blind, dtype.name, checked,
    )  # fmt: skip
    try:
        made: tuple[Any, ...] = once(("game", sizes), rules, partial(_passes, sizes))
    except REFUSALS as error:
        raise explained("functions of the game", given, error) from None
    return made


def _passes(sizes: tuple[Any, ...], digest: str | None, *given: Any) -> tuple[Any, ...]:
    """Return the passes of frozen functions; digest: the digest of these."""
    agents, size, count, start_words, largest, blind, dtype, checked = sizes
    real = types.CPointer(getattr(types, dtype))
    start, step, observe, is_below, is_whole = given
    inline = length(step) + length(observe) <= MOST_INLINED
    start, step, observe = (compiled(f, inline, checked) for f in (start, step, observe))
    whole, below = compiled(is_whole, True), compiled(is_below, True)

    def made(*signature: Any) -> Any:
        """Return a decorator that makes a pass of this signature, compiled or from disk."""

        def make(function: Any) -> Any:
            what = function.__name__, sizes
            return cfunc(function, types.void(*signature), OPTIONS, what, digest)

        return make

    lanewise = numba.njit(boundscheck=checked, **OPTIONS)

    @numba.njit(inline="always", **OPTIONS)
    def failed(wrong_):  # type: ignore[no-untyped-def]
        carray(wrong_, (4,))[0] = GAME_FAILED  # the pass has written agent and lane

    @numba.njit(inline="always", **OPTIONS)
    def look_at(state, i, counts, observation, wrong):  # type: ignore[no-untyped-def]
        for j in range(agents):
            wrong[1] = j
            o = observe(unwritable(state), j) + 0  # + 0 rejects None
            if not below(o, counts[j]):
                wrong[0] = SEEN_OUTSIDE if whole(o) else SEEN_FRACTION
                wrong[3] = noted(o)
                return False
            if not blind:  # observations of blind agents are 0 from the start
                observation[j, i] = int(o)
        return True

    @lanewise
    def look_lanes(lanes, active, counts_, state_, observation_, wrong_):  # type: ignore[no-untyped-def]
        counts, state = carray(counts_, (agents,)), carray(state_, (lanes, size))
        observation, wrong = carray(observation_, (agents, lanes)), carray(wrong_, (4,))
        if wrong[0] != 0:
            return
        for i in range(active):
            wrong[2] = i
            if not look_at(state[i], i, counts, observation, wrong):
                return

    @made(_SIZE, _SIZE, _SIZES, _SIZES, _INTS, _SIZES)
    def look(lanes, active, counts_, state_, observation_, wrong_):  # type: ignore[no-untyped-def]
        try:
            look_lanes(lanes, active, counts_, state_, observation_, wrong_)
        except Exception:
            failed(wrong_)

    @lanewise
    def play_lanes(  # type: ignore[no-untyped-def]
        lanes, active, counts_, state_, actions_, words_, scratch_, rewards_, observation_, over_,
        wrong_,
    ):  # fmt: skip
        counts, state = carray(counts_, (agents,)), carray(state_, (lanes, size))
        actions, words = carray(actions_, (lanes, agents)), carray(words_, (count, lanes))
        got, rewards = carray(scratch_, (agents,)), carray(rewards_, (agents, lanes))
        observation, over = carray(observation_, (agents, lanes)), carray(over_, (lanes,))
        wrong = carray(wrong_, (4,))
        if wrong[0] != 0:
            return
        for i in range(active):
            wrong[1], wrong[2] = STEP, i
            for j in range(agents):
                got[j] = 0.0
            ended = step(state[i], unwritable(actions[i]), got, unwritable(words[:, i])) + 0
            if not (ended == 0 or ended == 1):
                wrong[0], wrong[3] = ENDED_ODDLY, np.float64(ended).view(np.int64)
                return
            over[i] = int(ended)
            for j in range(agents):
                if not abs(got[j]) <= largest:
                    wrong[0], wrong[1] = PAID_OUTSIDE, j
                    wrong[3] = np.float64(got[j]).view(np.int64)
                    return
                rewards[j, i] = got[j]
            if not look_at(state[i], i, counts, observation, wrong):
                return

    @made(_SIZE, _SIZE, _SIZES, _SIZES, _SIZES, _SIZES, _DOUBLES, real, _INTS, _INTS, _SIZES)
    def play(  # type: ignore[no-untyped-def]
        lanes, active, counts_, state_, actions_, words_, scratch_, rewards_, observation_, over_,
        wrong_,
    ):  # fmt: skip
        try:
            play_lanes(
                lanes, active, counts_, state_, actions_, words_, scratch_, rewards_, observation_,
                over_, wrong_,
            )  # fmt: skip
        except Exception:
            failed(wrong_)

    @lanewise
    def begin_lane(lanes, i, counts_, state_, words_, observation_, wrong_):  # type: ignore[no-untyped-def]
        counts, state = carray(counts_, (agents,)), carray(state_, (lanes, size))
        words = carray(words_, (start_words,))
        observation, wrong = carray(observation_, (agents, lanes)), carray(wrong_, (4,))
        if wrong[0] != 0:
            return
        wrong[1], wrong[2] = START, i
        start(state[i], unwritable(words))
        look_at(state[i], i, counts, observation, wrong)

    @made(_SIZE, _SIZE, _SIZES, _SIZES, _SIZES, _INTS, _SIZES)
    def begin(lanes, i, counts_, state_, words_, observation_, wrong_):  # type: ignore[no-untyped-def]
        try:
            begin_lane(lanes, i, counts_, state_, words_, observation_, wrong_)
        except Exception:
            failed(wrong_)

    @lanewise
    def imagine_lanes(  # type: ignore[no-untyped-def]
        lanes, active, agent, own, state_, actions_, words_, scratch_state_, scratch_, columns_,
        wrong_,
    ):  # fmt: skip
        state, actions = carray(state_, (lanes, size)), carray(actions_, (lanes, agents))
        words, copy = carray(words_, (count, lanes)), carray(scratch_state_, (size,))
        got, columns = carray(scratch_, (agents,)), carray(columns_, (lanes, own))
        wrong = carray(wrong_, (4,))
        if wrong[0] != 0:
            return
        for i in range(active):
            wrong[1], wrong[2] = STEP, i
            played = actions[i, agent]
            for a in range(own):
                for k in range(size):
                    copy[k] = state[i, k]
                for j in range(agents):
                    got[j] = 0.0
                actions[i, agent] = a
                step(copy, unwritable(actions[i]), got, unwritable(words[:, i]))
                if not abs(got[agent]) <= largest:
                    wrong[0], wrong[1] = PAID_OUTSIDE, agent
                    wrong[3] = np.float64(got[agent]).view(np.int64)
                    return
                columns[i, a] = got[agent]
            actions[i, agent] = played

    @made(_SIZE, _SIZE, _SIZE, _SIZE, _SIZES, _SIZES, _SIZES, _SIZES, _DOUBLES, real, _SIZES)
    def imagine(  # type: ignore[no-untyped-def]
        lanes, active, agent, own, state_, actions_, words_, scratch_state_, scratch_, columns_,
        wrong_,
    ):  # fmt: skip
        try:
            imagine_lanes(
                lanes, active, agent, own, state_, actions_, words_, scratch_state_, scratch_,
                columns_, wrong_,
            )  # fmt: skip
        except Exception:
            failed(wrong_)

    return look, play, begin, imagine


def start_all(moves: Functions, streams: np.ndarray, states: np.ndarray, now: np.ndarray) -> None:
    """Write the start state of every replica into `states`.

    streams: (replicas, 4) uint32, nature's random streams, modified in place
    states: (replicas, state size) int64, modified in place
    now: (1,) int64, receives the current replica, for errors that `start` raises
    """
    check_enabled("functions of a game")
    count = moves.start_words
    try:
        start_each = once(("start_each", count), [moves.start, next_word], partial(_starter, count))
        start_each.compile(tuple(numba.typeof(x) for x in (streams, states, now)))
    except REFUSALS as error:
        raise explained("functions of the game", [moves.start], error) from None
    start_each(streams, states, now)


def _starter(count: int, digest: str | None, start: Any, word: Any) -> Any:
    """Return the compiled loop over replicas that calls `start`; count: words of each start."""
    start, word = compiled(start, checked=True), compiled(word)

    @numba.njit(boundscheck=True, **OPTIONS)
    def start_each(streams, states, now):  # type: ignore[no-untyped-def]
        words = np.zeros(count, np.int64)
        for r in range(len(states)):
            now[0] = r
            for k in range(count):
                words[k] = word(streams[r]) >> 1
            start(states[r], unwritable(words))

    return keep(start_each, ("start_each", count), digest)
