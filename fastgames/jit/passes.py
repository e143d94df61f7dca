"""Passes for the engine made from the rules of a learner.

Each pass loops over the lanes of a block; the engine calls it by its address (src_cy/rules.pxi,
whose signatures these are). A lane's table is a row of its own, (lanes, 1, actions).
"""

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.np.unsafe.ndarray import to_fixed_tuple

from fastgames.jit.compile import compiled
from fastgames.learners import Rules


def addresses_of(rules: Rules, dtype: np.dtype[Any]) -> tuple[int, int, int]:
    """The addresses of the draw, choose and learn passes of `rules` for tables of `dtype`."""
    return tuple(f.address for f in _passes(rules, np.dtype(dtype).name))


@cache
def _passes(rules: Rules, dtype: str) -> tuple[Any, Any, Any]:
    real = getattr(numba, dtype)
    as_real = getattr(np, dtype)
    n = len(rules.parameters)
    draw, choose, learn = (compiled(rule) for rule in (rules.draw, rules.choose, rules.learn))

    size, doubles, reals = types.int64, types.CPointer(types.float64), types.CPointer(real)
    jit = {"error_model": "numpy", "fastmath": False}

    @numba.cfunc(types.void(size, size, size, doubles, types.CPointer(size), reals), **jit)
    def draw_pass(lanes, actions, parameters, value, u, signals):  # type: ignore[no-untyped-def]
        values = carray(value, (n, lanes))
        words = carray(u, (lanes,))
        out = carray(signals, (lanes,))
        for i in range(lanes):
            out[i] = draw(words[i], to_fixed_tuple(values[:, i], n), actions, as_real)

    @numba.cfunc(types.void(size, size, size, doubles, reals, reals, reals), **jit)
    def choose_pass(lanes, actions, parameters, value, table, signals, action):  # type: ignore[no-untyped-def]
        values = carray(value, (n, lanes))
        tables = carray(table, (lanes, 1, actions))
        signal = carray(signals, (lanes,))
        out = carray(action, (lanes,))
        for i in range(lanes):
            out[i] = choose((tables[i],), to_fixed_tuple(values[:, i], n), 0, signal[i])

    @numba.cfunc(types.void(size, size, size, doubles, reals, reals, reals), **jit)
    def learn_pass(lanes, actions, parameters, value, table, action, reward):  # type: ignore[no-untyped-def]
        values = carray(value, (n, lanes))
        tables = carray(table, (lanes, 1, actions))
        act = carray(action, (lanes,))
        rewards = carray(reward, (lanes,))
        for i in range(lanes):
            p = to_fixed_tuple(values[:, i], n)
            learn((tables[i],), p, 0, int(act[i]), rewards[i], 0, False)

    return draw_pass, choose_pass, learn_pass
