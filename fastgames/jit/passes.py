"""Functions for the engine made from the rules of a learner.

The engine calls them by their addresses (src_cy/rules.pxi and rows.pxi); their signatures stand in
src_cy/block.pxi. `draw` does all lanes at once; `choose` and `learn` do one lane, whose tables are
its own, (observations, actions).
"""

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.np.unsafe.ndarray import to_fixed_tuple

from fastgames.jit.compile import compiled
from fastgames.learners import Rules
from fastgames.rules.outcome import Outcome


def addresses_of(rules: Rules, dtype: np.dtype[Any]) -> tuple[int, int, int]:
    """The addresses of the draw, choose and learn functions of `rules` for tables of `dtype`."""
    return tuple(f.address for f in _passes(rules, np.dtype(dtype).name))


@cache
def _passes(rules: Rules, dtype: str) -> tuple[Any, Any, Any]:
    real = getattr(numba, dtype)
    as_real = getattr(np, dtype)
    n = len(rules.parameters)
    draw, choose, learn = (compiled(rule) for rule in (rules.draw, rules.choose, rules.learn))
    counterfactual = rules.counterfactual

    size, doubles, reals = types.int64, types.CPointer(types.float64), types.CPointer(real)
    sizes = types.CPointer(size)
    jit = {"error_model": "numpy", "fastmath": False}

    @numba.njit(**jit)
    def parameters_of(lanes, lane, value):  # type: ignore[no-untyped-def]
        return to_fixed_tuple(carray(value, (n, lanes))[:, lane], n)

    if "visits" in rules.names:

        @numba.njit(**jit)
        def tables_of(observations, actions, table, visits):  # type: ignore[no-untyped-def]
            shape = (observations, actions)
            return carray(table, shape), carray(visits, shape)

    else:

        @numba.njit(**jit)
        def tables_of(observations, actions, table, visits):  # type: ignore[no-untyped-def]
            return (carray(table, (observations, actions)),)

    @numba.cfunc(types.void(size, size, doubles, sizes, reals), **jit)
    def draw_pass(lanes, actions, value, u, signals):  # type: ignore[no-untyped-def]
        words = carray(u, (lanes,))
        out = carray(signals, (lanes,))
        for i in range(lanes):
            out[i] = draw(words[i], parameters_of(lanes, i, value), actions, as_real)

    @numba.cfunc(size(size, size, size, size, doubles, reals, sizes, size, real), **jit)
    def choose_pass(lanes, lane, observations, actions, value, table, visits, o, signal):  # type: ignore[no-untyped-def]
        tables = tables_of(observations, actions, table, visits)
        return int(choose(tables, parameters_of(lanes, lane, value), o, signal))

    @numba.cfunc(
        types.void(
            size, size, size, size, doubles, reals, sizes, size, size, real, real, size, size, size,
            reals,
        ),
        **jit,
    )  # fmt: skip
    def learn_pass(  # type: ignore[no-untyped-def]
        lanes, lane, observations, actions, value, table, visits, o, a, gain, weight, o2, a2, ended,
        column,
    ):  # fmt: skip
        tables = tables_of(observations, actions, table, visits)
        rewards = carray(column, (actions if counterfactual else 0,))
        outcome = Outcome(
            o, a, gain, weight, o2, a2, ended != 0, as_real(0.0), rewards, 0, None, None, -1
        )
        learn(tables, parameters_of(lanes, lane, value), outcome)

    return draw_pass, choose_pass, learn_pass
