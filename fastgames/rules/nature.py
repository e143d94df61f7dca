"""Random transitions of games."""

import numpy as np


def pick(sums: np.ndarray, x: float) -> int:
    """The index that x in [0, 1) falls on. sums: (n,) running sums of weights, float64.

    The number of k < n - 1 with c_k <= x c_{n-1}, as `choice.sample` has it.
    """
    limit = x * sums[len(sums) - 1]
    index = 0
    for k in range(len(sums) - 1):
        if sums[k] <= limit:
            index += 1
    return index
