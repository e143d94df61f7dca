"""Compare results bit for bit."""

import json

import numpy as np

from fastgames.io import archive


def _bits(array):
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def plain(generator):
    """The state of a numpy generator; files hold lists in place of its arrays."""
    return json.dumps(generator, sort_keys=True, default=archive.plain)


def _contents(result):
    """Every array of a result, by name."""
    state = result.state
    arrays = {name: array for name, array in vars(state).items() if name not in ("seats", "window")}
    out = {name: array for name, array in arrays.items() if name != "generator"}
    for i, seat in enumerate(state.seats):
        out |= {f"{name} of agent {i}": table for name, table in seat.tables.items()}
        out[f"clock of agent {i}"] = seat.clock
        out |= {f"{name} of agent {i}": v for name, v in seat.recurrence.items()}
        if seat.pending is not None:
            out |= _moves(i, seat.pending)
        out[f"greedy({i})"] = result.greedy(i)
        out[f"policy({i})"] = result.policy(i)
    out["stopped"] = result.stopped
    out["window"] = _unrolled(state)
    if result.snapshots is not None:
        out |= {f"snapshots {name}": a for name, a in result.snapshots.arrays().items()}
    return out


def _moves(agent, pending):
    """A move that is not pending is only that: what else stands there is never read."""
    none = pending.observation < 0
    return {
        f"pending {name} of agent {agent}": np.where(none, array.dtype.type(-1), array)
        for name, array in pending.arrays().items()
    }


def _unrolled(state):
    """The cells of the last steps in order, -1 before the first: what else is there is not read."""
    if state.window is None:
        return None
    last = state.window.shape[1]
    ago = np.arange(last, 0, -1)
    cells = np.take_along_axis(state.window, (state.steps[:, None] - ago) % last, axis=1)
    return np.where(ago <= state.counted[:, None], cells, -1)


def assert_same(one, other, replicas=slice(None)):
    """Two results hold the same bits; `replicas`: only those of `one` (without snapshots)."""
    left, right = _contents(one), _contents(other)
    if replicas != slice(None):
        left = {name: None if a is None else a[replicas] for name, a in left.items()}
    assert left.keys() == right.keys()
    for name in left:
        same = _bits(left[name]) == _bits(right[name])  # pytest would compare the bytes for minutes
        assert same, f"{name}: {left[name]} != {right[name]}"
    same = plain(one.state.generator) == plain(other.state.generator)
    assert same, "the generators differ"
