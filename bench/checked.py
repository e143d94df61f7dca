"""Checks of timed results, so that a faster wrong result fails."""

import hashlib
import json
import tracemalloc
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

import fastgames as fg
from fastgames import _core

try:
    from fastgames.io.archive import plain
    from fastgames.io.results import contents
except ImportError:  # bench/compare.py runs this file against older revisions too
    from fastgames.storage import contents, plain
try:
    from fastgames.runs.execution import _blocks
except ImportError:
    try:
        from fastgames.running import _blocks
    except ImportError:
        from fastgames.run import _blocks

REFERENCE_STEPS = 2_000  # interpreted rules take 25 microseconds a step, or more


def arrays(result):
    """Return the arrays of the state by name, replicas first; -1 if no move is pending."""
    found = {
        name.removeprefix("state/"): array
        for name, array in contents(result)[1].items()
        if name.startswith("state/")
    }
    for name in found:
        agent, pending, _ = name.partition("/pending/")
        if pending:
            none = found[f"{agent}/pending/observation"] < 0
            found[name] = np.where(none, -1, found[name])
    return found


def digest(result, replicas=None, snapshots=True):
    """Return a short hash of the bits of the first `replicas` replicas; None: of all."""
    h = hashlib.sha256(json.dumps(result.state.generator, default=plain).encode())
    found = {name: array[:replicas] for name, array in arrays(result).items()}
    if snapshots and result.snapshots is not None:
        for name, array in result.snapshots.arrays().items():
            found[f"snapshots/{name}"] = array if name == "steps" else array[:, :replicas]
    for name, array in sorted(found.items()):
        h.update(f"{name} {array.dtype} {array.shape}".encode())
        h.update(array.tobytes())
    return h.hexdigest()[:16]


@contextmanager
def build(isa):
    """Make runs use this build of the compiled core."""
    before, _core.isa = _core.isa, isa
    try:
        yield
    finally:
        _core.isa = before


def check(result, game, learners, steps, **arguments):
    """Compare the result of a run with these arguments with two other runs.

    The lowest instruction set must give the same bits, on any threads. Interpreted rules must give
    those of the first replica: from step 0 or, in a long run, for the last REFERENCE_STEPS steps,
    resumed from the lowest instruction set's result.
    """
    arguments = arguments | {"threads": None, "backend": "auto"}
    with build(_core.available()[0]):
        same = fg.run(game, learners, steps, **arguments)
        assert digest(result) == digest(same), "a faster wrong answer: the least build differs"
        first = arguments | {"replicas": 1}
        if steps > REFERENCE_STEPS:
            start = fg.run(game, learners, steps - REFERENCE_STEPS, **first)
            first |= {"resume": start, "rng": None}
    first["backend"] = "reference"
    interpreted = fg.run(game, learners, min(steps, REFERENCE_STEPS), **first)
    expected = digest(interpreted, snapshots=False)
    assert digest(result, 1, snapshots=False) == expected, "a faster wrong answer: the rules differ"


def memory(result, backend):
    """Return the bytes per replica: in the state, and in a block while it is stepped."""
    held = sum(array.nbytes for array in arrays(result).values()) / result.replicas
    generator = result.state.generator and np.random.default_rng()
    tracemalloc.start()
    spec = replace(result.spec, backend=backend, checked=False)
    make_block, _ = _blocks(spec, result.state, 1, result.replicas, generator)
    block = make_block()
    by_numpy = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    traces = tracemalloc.take_snapshot().filter_traces([by_numpy]).traces
    tracemalloc.stop()
    taken = sum(trace.size for trace in traces)
    return {"state_bytes": round(held), "block_bytes": round(taken / block.capacity)}
