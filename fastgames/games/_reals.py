"""Functions of procedural games whose states have reals, as functions of one array of integers.

The engine, records and files hold one array of int64 for each state. Some entries hold the bits of
float64 numbers; the functions of the game see them as an array of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_Function = Callable[..., Any]


def joined(given: dict[str, _Function], size: int) -> dict[str, _Function]:
    """Return functions of whole states; given: functions by name, of `state` and `reals`.

    size: number of the whole numbers, which precede the reals in a state
    """
    start, step, observe = given["start"], given["step"], given["observe"]
    functions = {
        "start": _joined_start(start, size),
        "step": _joined_step(step, size),
        "observe": _joined_view(observe, size),
    }
    if "turns" in given:
        functions["turns"] = _joined_view(given["turns"], size)
    return functions


def _joined_start(start: _Function, size: int) -> _Function:
    def joined_start(state, words):  # type: ignore[no-untyped-def]
        start(state[:size], state[size:].view(np.float64), words)

    return joined_start


def _joined_step(step: _Function, size: int) -> _Function:
    def joined_step(state, actions, rewards, words):  # type: ignore[no-untyped-def]
        return step(state[:size], state[size:].view(np.float64), actions, rewards, words)

    return joined_step


def _joined_view(view: _Function, size: int) -> _Function:
    def joined_view(state, agent):  # type: ignore[no-untyped-def]
        return view(state[:size], state[size:].view(np.float64), agent)

    return joined_view
