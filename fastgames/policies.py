"""What an agent would play, for many replicas at once: the rules' `policy` in NumPy."""

import numpy as np

from fastgames import _core
from fastgames.state import Seat

MANY = 5_000  # rows from which compiling a function takes less time than interpreting it


def policy(seat: Seat, discount: float, where: slice | np.ndarray = slice(None)) -> np.ndarray:
    """Probabilities (replicas, observations, actions), float64, exploration included."""
    table = seat.table[where]
    if seat.learner.rules.twin == "fixed":
        return _normalised(table)
    values = seat.values(discount, where)
    if seat.learner.rules.twin not in ("epsilon_greedy", "softmax"):
        return _by_rule(seat, discount, where)
    if seat.learner.rules.twin == "softmax":
        best = table.max(axis=-1, keepdims=True)
        temperature = values["temperature"].astype(table.dtype)[:, None, None]
        x = np.ascontiguousarray((table - best) / temperature).ravel()
        return _normalised(_core.lanes(table.dtype.name).exp(x).reshape(table.shape))
    explored = np.floor(values["epsilon"] * 2.0**31) / 2.0**31
    out = np.repeat((explored / table.shape[-1])[:, None], table.shape[1], axis=1)
    out = np.repeat(out[:, :, None], table.shape[2], axis=2)
    greedy = table.argmax(axis=-1)[:, :, None]
    picked = np.take_along_axis(out, greedy, axis=-1) + (1.0 - explored)[:, None, None]
    np.put_along_axis(out, greedy, picked, axis=-1)
    return out


def _by_rule(seat: Seat, discount: float, where: slice | np.ndarray) -> np.ndarray:
    """By the function itself, compiled where there is much to do."""
    learner = seat.learner
    rule = learner.rules.policy
    if rule is None:
        raise ValueError(f"policy of {learner!r} is not known: it was given no function `policy`")
    tables: tuple[np.ndarray, ...] = tuple(seat.tables[name][where] for name in learner.rules.names)
    values = seat.values(discount, where)
    names = learner.rules.parameters
    p = np.stack([values[name] for name in names], axis=-1) if names else None
    out: np.ndarray = np.zeros(seat.table[where].shape)
    rows = len(out) * out.shape[1]
    if rows > MANY:
        from fastgames.jit.policies import write_policies

        write_policies(rule, tables, p, out)
        return out
    for r in range(len(out)):
        own = tuple(table[r] for table in tables)
        numbers: tuple[float, ...] = tuple(float(x) for x in p[r]) if p is not None else ()
        for o in range(out.shape[1]):
            rule(own, numbers, o, out[r, o])
    return out


def _normalised(weights: np.ndarray) -> np.ndarray:
    weights = weights.astype(np.float64)
    total = np.add.accumulate(weights, axis=-1)[..., -1:]  # in index order, unlike sum()
    return weights / total
