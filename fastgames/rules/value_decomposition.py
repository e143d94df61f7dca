"""Value decomposition (VDN) with tables: the team's value is a sum of the members' values.

Sunehag et al., Value-Decomposition Networks For Cooperative Multi-Agent Learning Based On Team
Reward, AAMAS 2018, equation 1. Each member's q[o_i, a_i] depends on its own observation alone, so
that members who each act greedily take the joint action with the largest sum.

The rules `draw`, `choose` and `policy` are those of `qlearning`. Tables are (q,), with one q for
each member of the team; p is (alpha, gamma, epsilon or temperature).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import largest

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome


def mean(rewards: np.ndarray) -> Any:
    """What a team gets: the mean of its members' rewards (M,), summed in index order."""
    total = rewards[0]
    for i in range(1, len(rewards)):
        total = total + rewards[i]
    return total / rewards.dtype.type(len(rewards))


def learn(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Every member i: q_i[o_i, a_i] += alpha d, d the error of the sum.

    d = (mean reward + weight sum_i max q_i[o2_i]) - sum_i q_i[o_i, a_i], the second sum 0 once
    ended: the gradient step of the sum's squared error, so that the sum goes M alpha of the way.
    """
    qs = tables[0]
    real = t.rewards.dtype.type
    value = real(0.0)
    best = real(0.0)
    for i in range(len(t.observations)):
        value = value + qs[i][t.observations[i], t.actions[i]]
        if not t.ended:
            best = best + largest(qs[i][t.next_observations[i]])
    change = real(p[0]) * ((mean(t.rewards) + t.weight * best) - value)
    for i in range(len(t.observations)):
        o = t.observations[i]
        a = t.actions[i]
        qs[i][o, a] = qs[i][o, a] + change
