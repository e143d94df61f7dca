"""The value of a zero-sum game, by linear programming."""

import numpy as np
from scipy.optimize import linprog


def value_of(payoffs):
    """The largest v with a strategy p >= 0 of sum 1 that has p @ payoffs >= v, by HiGHS.

    payoffs: (rows, columns) of the agent that chooses the row
    """
    rows, columns = payoffs.shape
    found = linprog(
        np.append(np.zeros(rows), -1.0),  # maximise v
        A_ub=np.column_stack([-payoffs.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * rows + [(None, None)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.success
    return found.x[-1]
