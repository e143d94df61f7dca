"""Random transitions of games."""

import numpy as np


def pick(sums: np.ndarray, x: float) -> int:
    """Return the index that is sampled by x from running sums of weights.

    Parameters
    ----------
    sums : array (n,)
        Running sums c_k of non-negative weights, float64.
    x : float
        Random number in [0, 1).

    Returns
    -------
    int
        The number of k < n - 1 with c_k <= x c_{n-1}, as in `choice.sample`.
    """
    limit = x * sums[len(sums) - 1]
    index = 0
    for k in range(len(sums) - 1):
        if sums[k] <= limit:
            index += 1
    return index
