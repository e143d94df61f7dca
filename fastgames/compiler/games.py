"""Passes for the engine compiled from the functions of a game."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np

from fastgames import errors
from fastgames.compiler.cache import keep
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
from fastgames.compiler.generate import Pass, executed, make
from fastgames.compiler.views import noted, unwritable
from fastgames.games.compact import Functions
from fastgames.rules.streams import next_word

_ERRORS = (
    "ENDED_ODDLY", "MOVED_ODDLY", "NOT_FINITE", "PAID_OUTSIDE", "SEEN_FRACTION", "SEEN_OUTSIDE",
    "START", "STEP", "TURNS",
)  # fmt: skip
_CAUGHT = f"wrong[0] = {errors.GAME_FAILED}"  # the pass has written agent and lane

_LOOK_AT = """
def look_at(state, i, counts, observation, moves, wrong):
    for j in range({agents}):
        wrong[1] = j
        o = observe(unwritable(state), j) + 0  # + 0 rejects None
        if not is_below(o, counts[j]):
            wrong[0] = {SEEN_OUTSIDE} if is_whole(o) else {SEEN_FRACTION}
            wrong[3] = noted(o)
            return False
        if not {blind}:  # observations of blind agents are 0 from the start
            observation[j, i] = int(o)
        if {has_turns}:
            wrong[1] = {TURNS} - j
            m = turns(unwritable(state), j) + 0
            if not (m == 0 or m == 1):
                wrong[0], wrong[1], wrong[3] = {MOVED_ODDLY}, j, np.float64(m).view(np.int64)
                return False
            moves[j, i] = int(m)
    return True

def are_finite(state, wrong):  # the exponents of reals tell
    for k in range({first_real}, {end_real}):
        if (state[k] >> 52) & 0x7FF == 0x7FF:
            wrong[0], wrong[3] = {NOT_FINITE}, state[k]
            return False
    return True
"""

_LOOK = Pass(
    "look",
    """
lanes active
counts: int64 ({agents})
state: int64 (lanes, {size})
observation: int32 ({agents}, lanes)
moves: uint8 ({agents}, lanes)
wrong: int64 (4)
""",
    """
    for i in range(active):
        wrong[2] = i
        if not look_at(state[i], i, counts, observation, moves, wrong):
            return
""",
    _CAUGHT,
)

_PLAY = Pass(
    "play",
    """
lanes active
counts: int64 ({agents})
state: int64 (lanes, {size})
actions: int64 (lanes, {agents})
words: int64 ({count}, lanes)
got: float64 ({agents})
rewards: real ({agents}, lanes)
observation: int32 ({agents}, lanes)
moves: uint8 ({agents}, lanes)
over: int32 (lanes)
wrong: int64 (4)
""",
    """
    for i in range(active):
        wrong[1], wrong[2] = {STEP}, i
        for j in range({agents}):
            got[j] = 0.0
        ended = step(state[i], unwritable(actions[i]), got, unwritable(words[:, i])) + 0
        if not (ended == 0 or ended == 1):
            wrong[0], wrong[3] = {ENDED_ODDLY}, np.float64(ended).view(np.int64)
            return
        over[i] = int(ended)
        if not are_finite(state[i], wrong):
            return
        for j in range({agents}):
            if not abs(got[j]) <= {largest}:
                wrong[0], wrong[1] = {PAID_OUTSIDE}, j
                wrong[3] = np.float64(got[j]).view(np.int64)
                return
            rewards[j, i] = got[j]
        if not look_at(state[i], i, counts, observation, moves, wrong):
            return
""",
    _CAUGHT,
)

_BEGIN = Pass(
    "begin",
    """
lanes i
counts: int64 ({agents})
state: int64 (lanes, {size})
words: int64 ({start_words})
observation: int32 ({agents}, lanes)
moves: uint8 ({agents}, lanes)
wrong: int64 (4)
""",
    """
    wrong[1], wrong[2] = {START}, i
    start(state[i], unwritable(words))
    if not are_finite(state[i], wrong):
        return
    look_at(state[i], i, counts, observation, moves, wrong)
""",
    _CAUGHT,
)

_IMAGINE = Pass(
    "imagine",
    """
lanes active agent own
state: int64 (lanes, {size})
actions: int64 (lanes, {agents})
words: int64 ({count}, lanes)
copy: int64 ({size})
got: float64 ({agents})
columns: real (lanes, own)
wrong: int64 (4)
""",
    """
    for i in range(active):
        wrong[1], wrong[2] = {STEP}, i
        played = actions[i, agent]
        for a in range(own):
            for k in range({size}):
                copy[k] = state[i, k]
            for j in range({agents}):
                got[j] = 0.0
            actions[i, agent] = a
            step(copy, unwritable(actions[i]), got, unwritable(words[:, i]))
            if not abs(got[agent]) <= {largest}:
                wrong[0], wrong[1] = {PAID_OUTSIDE}, agent
                wrong[3] = np.float64(got[agent]).view(np.int64)
                return
            columns[i, a] = got[agent]
        actions[i, agent] = played
""",
    _CAUGHT,
)


def passes_of(moves: Functions, dtype: np.dtype[Any], checked: bool) -> tuple[Any, ...]:
    """Return the passes `look`, `play`, `begin` and `imagine` of a game's current functions.

    Callers that use the `address` of a pass must keep a reference to the pass, which owns the code.

    moves: the functions of the game and their sizes; dtype: the type of rewards
    checked: raise IndexError for an index outside of its array
    """
    check_enabled("functions of a game")
    given: list[Any] = list(moves.given)
    used = [errors.is_below, errors.is_whole, *given]
    sizes = tuple(_sizes(moves).items())
    try:
        made: tuple[Any, ...] = once(
            ("game", sizes, dtype.name, checked), used, partial(_passes, sizes, dtype.name, checked)
        )
    except REFUSALS as error:
        raise explained("functions of the game", given, error) from None
    return made


def _passes(
    given: tuple[tuple[str, Any], ...],
    dtype: str,
    checked: bool,
    digest: str | None,
    *functions: Any,
) -> tuple[Any, ...]:
    """Return the passes of frozen functions; given: as `_sizes`; digest: of the functions."""
    sizes = dict(given)
    below, whole, start, step, observe, *turns = functions
    inline = sum(map(length, (step, observe, *turns))) <= MOST_INLINED
    names: dict[str, Any] = {
        "start": compiled(start, inline, checked),
        "step": compiled(step, inline, checked),
        "observe": compiled(observe, inline, checked),
        "is_below": compiled(below, True),
        "is_whole": compiled(whole, True),
        "noted": noted,
        "unwritable": unwritable,
    }
    if turns:
        names["turns"] = compiled(turns[0], inline, checked)
    look_text = _LOOK_AT.format(**sizes)
    helpers = executed(look_text, {"np": np, **names})
    for name in ("look_at", "are_finite"):
        names[name] = numba.njit(inline="always", **OPTIONS)(helpers[name])
    made = []
    for form in (_LOOK, _PLAY, _BEGIN, _IMAGINE):
        text, signature = form.text(dtype, sizes)
        made.append(make(form.name, text, signature, names, checked, look_text, digest))
    return tuple(made)


def _sizes(moves: Functions) -> dict[str, Any]:
    """Return what differs between games in the texts of passes."""
    return {
        "agents": moves.agents,
        "size": moves.state_size,
        "count": moves.words,
        "start_words": moves.start_words,
        "largest": repr(float(moves.largest_reward)),
        "blind": moves.blind,
        "has_turns": moves.turns is not None,
        "first_real": moves.first_real,
        "end_real": moves.end_real,
    } | {name: getattr(errors, name) for name in _ERRORS}


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
