"""Policies of many replicas, computed by the `policy` rule of a learner."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba.core import config

from fastgames import errors
from fastgames.compiler.cache import keep
from fastgames.compiler.compile import OPTIONS, REFUSALS, compiled, explained, once
from fastgames.compiler.generate import executed
from fastgames.compiler.views import unwritable
from fastgames.functions.graph import is_dispatcher
from fastgames.learners import Rules
from fastgames.learners.rules import named


def write_policies(
    rules: Rules,
    tables: tuple[np.ndarray, ...],
    p: np.ndarray | None,
    out: np.ndarray,
    now: np.ndarray,
    write: Any = None,
) -> Any:
    """Write the policy of every replica and observation into `out`; return the compiled loop.

    rules: of the learner, with a rule `policy`; tables: each (replicas, *dimensions)
    p: (replicas, parameters), or None if there are no parameters
    out: (replicas, observations, A), modified in place
    now: (1,) int64, receives the current replica, for errors that `rule` raises
    write: the compiled loop, if it is known
    """
    values = np.zeros((len(out), 0)) if p is None else np.ascontiguousarray(p)
    plain = tuple(np.ascontiguousarray(table) for table in tables)
    rule, names = rules.policy, (rules.names, rules.parameters)
    assert rule is not None
    try:
        if write is None:
            write = once(("policy", names), [rule], partial(_writer, *names))
            if is_dispatcher(write):  # not a dispatcher if NUMBA_DISABLE_JIT is set
                write.compile(tuple(numba.typeof(x) for x in (plain, values, out, now)))
    except REFUSALS as error:
        raise explained("policy", [rule], error) from None
    write(plain, values, out, now)
    return write


def _writer(
    tables: tuple[str, ...], parameters: tuple[str, ...], digest: str | None, rule: Any
) -> Any:
    """Return the compiled loop over replicas and observations that calls `rule`."""
    own = "".join(f"unwritable(tables[{k}][r]), " for k in range(len(tables)))
    p = "".join(f"p[r, {k}], " for k in range(len(parameters)))
    source = f"""
def write(tables, p, out, now):
    for r in range(out.shape[0]):
        now[0] = r
        for o in range(out.shape[1]):
            rule(Tables({own}), Parameters({p}), o, out[r, o])
"""
    checked = compiled(rule, checked=True)
    view = errors.unwritable if config.DISABLE_JIT else unwritable
    names = {
        "rule": checked,
        "unwritable": view,
        "Tables": named("Tables", tables),
        "Parameters": named("Parameters", parameters),
    }
    write = numba.njit(executed(source, names)["write"], boundscheck=True, **OPTIONS)
    return keep(write, (source, tables, parameters), digest)
