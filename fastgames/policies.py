"""What an agent would play, for many replicas at once: the rules' `policy` in NumPy."""

import numpy as np

from fastgames import _core
from fastgames.state import Seat


def policy(seat: Seat, discount: float, where: slice | np.ndarray = slice(None)) -> np.ndarray:
    """Probabilities (replicas, observations, actions), float64, exploration included."""
    table = seat.table[where]
    if seat.learner.rules.twin == "fixed":
        return _normalised(table)
    values = seat.values(discount, where)
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


def _normalised(weights: np.ndarray) -> np.ndarray:
    weights = weights.astype(np.float64)
    total = np.add.accumulate(weights, axis=-1)[..., -1:]  # in index order, unlike sum()
    return weights / total
